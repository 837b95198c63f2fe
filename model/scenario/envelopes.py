"""Operating envelopes of a scenario, ``[feeder.envelopes]``: checked, as arrays, and what is said of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from meanwatt.agents.household.envelope import Envelope
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.model.scenario.branches import MOST, REST
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.rate_tables import rate_table

if TYPE_CHECKING:
    from meanwatt.model.scenario.schema import Scenario

LIMITS: Final = ("import_limit_kw", "export_limit_kw")
"""Keys of an envelope."""
EVERYBODY_ELSE: Final = "whom no other envelope names"
NOBODY: Final = "none"
"""What messages call whom no envelope holds."""
TAKERS: Final = (
    "solve, simulate, pilot, practice, adoption, flow, emergence, validate, design, export, study and hosting"
)
"""Who can hold envelopes."""


def check_envelopes(scenario: "Scenario") -> None:
    """Raise ``ValueError``, in one line, unless envelopes have limits, and each bus one envelope at most."""
    found = scenario.feeder.envelopes
    if len(found) > MOST:
        raise ValueError(f"feeder.envelopes has {len(found)} entries; give at most {MOST}")
    owners: dict[str, str] = {}
    for name, table in found.items():
        key = f"feeder.envelopes.{name}"
        if all(getattr(table, limit) is None for limit in LIMITS):
            raise ValueError(f"{key} has neither import_limit_kw nor export_limit_kw; give one")
        if table.buses == ():
            raise ValueError(
                f"{key}.buses is an empty list; name a bus, or leave it out for whom no other envelope names"
            )
        buses = table.buses or ()
        _check_names(key, name, buses)
        if buses and table.branch is not None:
            raise ValueError(f"{key} has buses and branch; leave one out")
        _check_branch(scenario, key, table.branch)
        held = [f"bus {bus}" for bus in buses] or [f"branch {table.branch}" if table.branch else EVERYBODY_ELSE]
        for what in held:
            if what in owners:
                raise ValueError(f"{key} and feeder.envelopes.{owners[what]} both hold {what}; give buses, each once")
            owners[what] = name
        for limit in LIMITS:
            _limit_kw(scenario, name, limit)
        if table.export_limit_kw is not None and not scenario.pv.curtailable:
            raise ValueError(
                f"{key}.export_limit_kw is kept by curtailing, and pv.curtailable is false; set it true, or leave out"
                " the limit"
            )
    if found and scenario.temperature_usd == 0:
        raise ValueError(
            f"feeder.envelopes ({', '.join(found)}) are held at a temperature above 0, and temperature_usd is 0; give"
            " one, e.g. 0.01"
        )


def _check_names(key: str, name: str, buses: Sequence[str]) -> None:
    """Raise ``ValueError`` for a name that messages need, and for a bus given twice."""
    if name == NOBODY:
        raise ValueError(f"{key}: that is what messages call whom no envelope holds; give it another name")
    if len(set(buses)) < len(buses):
        raise ValueError(f"{key}.buses has a bus twice; give each once")


def _check_branch(scenario: "Scenario", key: str, branch: str | None) -> None:
    """Raise ``ValueError`` unless the scenario has the branch."""
    if branch is None:
        return
    if not scenario.feeder.branches:
        raise ValueError(f"{key}.branch is {branch!r}, and the scenario has no feeder.branches; give buses instead")
    known = (REST, *scenario.feeder.branches)
    if branch not in known:
        raise ValueError(f"{key}.branch: {unknown('branch', branch, known)}")


def _limit_kw(scenario: "Scenario", name: str, limit: str) -> Floats:
    """A limit of an envelope by day type and slot, infinite where there is none. (ω, h) [kW]"""
    form: Any = getattr(scenario.feeder.envelopes[name], limit)
    return rate_table(
        np.inf if form is None else form,
        key=f"feeder.envelopes.{name}.{limit}",
        periods={},
        day_types=tuple(scenario.day_types),
        seasons=scenario.seasons,
        classes=scenario.day_classes,
        slots=scenario.slots_per_day,
    )


def scenario_envelopes(scenario: "Scenario", today: Ints) -> dict[str, Envelope]:
    """Envelopes by name, as arrays over common states whose day type is ``today`` (c,)."""
    return {
        name: Envelope(name=name, **{limit: _limit_kw(scenario, name, limit)[today] for limit in LIMITS})
        for name in scenario.feeder.envelopes
    }


def limits_load(types: Sequence[HouseholdType]) -> bool:
    """Whether some household's net load is limited."""
    return any(household.envelope is not None for household in types)


def envelope_messages(scenario: "Scenario", types: Sequence[HouseholdType]) -> tuple[str, ...]:
    """Say how many household types envelopes make."""
    if not limits_load(types):
        return ()
    plain = len({(one.income_group, one.technology, one.rate_class, one.branch) for one in types})
    names = dict.fromkeys(household.place[1] or NOBODY for household in types)
    return (
        f"feeder.envelopes: {counted(plain, 'household type')} under {counted(len(names), 'envelope')}"
        f" ({', '.join(names)}) are {len(types)} types.",
    )
