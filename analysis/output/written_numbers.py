"""Numbers as tables for people have them."""


def figure(value: float | None, digits: int = 3) -> str:
    """A number with a fixed number of decimals; a dash where it is undefined."""
    if value is None:
        return "–"
    rounded = round(value, digits) + 0.0  # no minus sign before a zero
    return f"{rounded:.{digits}f}"


def percent(value: float | None, digits: int = 2) -> str:
    """A share as a percentage; a dash where it is undefined."""
    return "–" if value is None else f"{100 * value:.{digits}f} %"
