"""Hours of the day, written in one way on all pages."""

from meanwatt.model.scenario.economy import Economy


def hours(first: int, last: int, slot_hours: float) -> str:
    """From the beginning of one slot to the end of another: ``18–21 h``, or ``18:30–19:00`` between the hours."""
    ends = [round(60 * slot * slot_hours) for slot in (first, last + 1)]
    if any(minutes % 60 for minutes in ends):
        return "–".join(f"{minutes // 60}:{minutes % 60:02d}" for minutes in ends)
    return f"{'–'.join(str(minutes // 60) for minutes in ends)} h"


def hour(slot: int, slot_hours: float) -> str:
    """One slot: ``18–19 h``."""
    return hours(slot, slot, slot_hours)


def hours_of(economy: Economy) -> list[str]:
    """Every slot of a scenario's day."""
    return [hour(slot, economy.slot_hours) for slot in range(economy.slots)]
