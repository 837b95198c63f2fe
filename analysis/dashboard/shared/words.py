"""Words that more than one page says."""

from collections.abc import Sequence


def clock(slot: int, slot_hours: float) -> str:
    """Beginning of a slot, as on the chart of a day."""
    minutes = round(slot * slot_hours * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def listed(names: Sequence[str]) -> str:
    """Names as words of a sentence."""
    if not names:
        return "nothing"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
