"""Operating envelopes of a scenario file: ``[feeder.envelopes.NAME]``."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BeforeValidator

from meanwatt.model.scenario.marks import Form
from meanwatt.model.scenario.ranges import Range
from meanwatt.model.scenario.tariff_file import Table, number_or_list

LIMIT: Final = Range(0, 1e6, "kW")
"""Of a household's net load."""


def bus_list(value: object) -> object:
    """One bus as a list of one; names that look like numbers are names."""
    if value is None:
        return None
    given = value if isinstance(value, list | tuple) else [value]
    return tuple(str(bus) if isinstance(bus, int) and not isinstance(bus, bool) else bus for bus in given)


def _limit(value: object) -> Any:
    """Check a number, a list, or a table of them by day type, season or class; None is no limit."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        if not value:
            raise ValueError("is an empty table; give a number, a list, or a table by day type, season or class")
        return {str(name): _limit(entry) for name, entry in value.items()}
    return number_or_list(value)


Limit = Annotated[
    Any,
    BeforeValidator(_limit),
    Form("{}, a list of one an hour or slot, or a table by day type, season or class"),
]
"""A number, a list, or a table of them; none without it."""


class EnvelopeTable(Table):
    """``[feeder.envelopes.NAME]``: what each household at some buses may draw from the grid and feed into it."""

    buses: Annotated[tuple[str, ...] | None, BeforeValidator(bus_list), Form("a bus, or a list of buses")] = None
    """At which buses; this, or ``branch``, or neither: whom no other envelope names."""
    branch: str | None = None
    """The branch of ``feeder.branches`` whose buses they are; ``rest`` is whom no branch names."""
    export_limit_kw: Annotated[Limit, LIMIT] = None
    """Most that a household feeds into the grid; the sun beyond is curtailed. [kW]"""
    import_limit_kw: Annotated[Limit, LIMIT] = None
    """Most that a household draws from the grid; its flexible use is held back, and moves of its battery. [kW]"""
