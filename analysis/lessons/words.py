"""Numbers and homes in the words of a lesson."""

from meanwatt.agents.household.household_type import HouseholdType

OWNERS = {"none": "no solar", "pv": "solar", "pv_battery": "solar + battery"}


def number(value: float, digits: int) -> str:
    """Number with a true minus sign; what rounds to zero has none."""
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def dollars(value: float, digits: int = 2) -> str:
    """Dollars within a sentence."""
    return f"{'−' if round(value, digits) < 0 else ''}${abs(value):.{digits}f}"


def more(value: float, text: str) -> str:
    """An amount, and whether it is more or less."""
    return f"{text} {'more' if value >= 0 else 'less'}"


def goes(before: float, after: float) -> str:
    """Whether something rises or falls."""
    return "rises" if after > before else "falls" if after < before else "stays"


def clock(slot: int, slot_hours: float) -> str:
    """Beginning of a slot: ``18 h``, or ``18:30`` between the hours."""
    minutes = round(slot * slot_hours * 60)
    return f"{minutes // 60}:{minutes % 60:02d}" if minutes % 60 else f"{minutes // 60} h"


def homes(kind: HouseholdType) -> str:
    """Income and roof of a kind of homes."""
    return f"{kind.income_group}, {OWNERS.get(kind.technology, kind.technology)}"
