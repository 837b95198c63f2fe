"""The load of a mean household, the sun and the rest of the system by day type: an equation for all who need it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.scenario.rate_tables import slot_values

if TYPE_CHECKING:
    from meanwatt.model.scenario.schema import Scenario


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DayProfiles:
    """What a scenario says of a day.

    Attributes
    ----------
    load_kw : (ω, h)
        ``use_kwh_per_day / 24 · shape · load_factor``: of a household with ``use_factor`` 1 and without solar. [kW]
    group_load_kw : (g, ω, h)
        The same of each income group, in its own shape if it has one. [kW]
    clear_day : (h,)
        Solar output on a clear day per kW installed. [kW/kW]
    pv_factor : (ω, h)
        Share of it that is left.
    rest_load_kw : (ω, h)
        Load of the rest of the system per household. [kW]
    """

    load_kw: Floats
    group_load_kw: Floats
    clear_day: Floats
    pv_factor: Floats
    rest_load_kw: Floats


def day_profiles(scenario: "Scenario") -> DayProfiles:
    """Work out a scenario's day types slot by slot."""
    slots = scenario.slots_per_day
    load_factor, pv_factor, rest_load_kw = (
        np.array([slot_values(getattr(day, name), slots, name) for day in scenario.day_types.values()])
        for name in ("load_factor", "pv_factor", "rest_load_kw")
    )
    shape = slot_values(scenario.load.shape, slots, "load.shape")
    load_kw = scenario.load.use_kwh_per_day / 24 * shape / shape.mean() * load_factor
    groups = []
    for name, group in scenario.income_groups.items():
        own = shape if group.shape is None else slot_values(group.shape, slots, f"income_groups.{name}.shape")
        groups.append(
            load_kw if group.shape is None else scenario.load.use_kwh_per_day / 24 * own / own.mean() * load_factor
        )
    return DayProfiles(
        load_kw=load_kw,
        group_load_kw=np.stack(groups),
        clear_day=slot_values(scenario.pv.shape_kw_per_kw, slots, "pv.shape_kw_per_kw"),
        pv_factor=pv_factor,
        rest_load_kw=rest_load_kw,
    )
