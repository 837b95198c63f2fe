"""Words that more than one page says."""

from collections.abc import Sequence


def listed(names: Sequence[str]) -> str:
    """Names as words of a sentence."""
    if not names:
        return "nothing"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
