"""The game under a tariff with components as plain arrays: what is posted, what households see, what they pay."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from meanwatt.agents.household.slot_outcome import import_rate_seen
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.output.export import game_arrays, posted_arrays
from meanwatt.model.mean_field.components.settled import billed_equilibrium
from meanwatt.model.mean_field.components.solving import Composed
from meanwatt.model.mean_field.equilibrium import Equilibrium

POSTED: Final = (
    "import_usd_per_kwh",
    "export_usd_per_kwh",
    "adder_usd_per_kwh",
    "rate_class",
    "type_import_usd_per_kwh",
    "type_export_usd_per_kwh",
    "import_discount",
    "fixed_charge_usd_per_day",
    "access_charge_usd_per_day",
)
"""Arrays that are those of the tariff as posted; all others are of the game that households play."""


def composed_arrays(composed: Composed) -> dict[str, npt.NDArray[Any]]:
    """Arrays of the game under a tariff with components, and of its solution.

    Returns
    -------
    dict
        As `meanwatt.analysis.output.export.game_arrays`; ``reward`` is at the rates that households decide by. Added:
        ``seen_import_usd_per_kwh[θ,c,h,z]`` and ``seen_export_usd_per_kwh[θ,c,h]``, these rates, adders of tiers,
        demand charge and surcharge in them; ``COMPONENT_usd_per_day[θ]``, what each component takes in expectation;
        ``bill_usd_per_day[θ]``, the whole bill. A component's bill is not linear in energy, so bills are not what the
        seen rates make of the loads: ``demand_charge_usd_per_day`` is on what is really drawn, and where the day's
        largest import is a state, ``peak_charge_usd_per_day`` on what it is rounded to.
    """
    seen, posted = game_arrays(composed.equilibrium), posted_arrays(billed_equilibrium(composed))
    buys, sells = _seen_rates(composed.equilibrium)
    gone = "components_usd_per_day"
    return {
        **{name: posted[name] if name in POSTED else array for name, array in seen.items() if name != gone},
        "seen_import_usd_per_kwh": buys,
        "seen_export_usd_per_kwh": sells,
        **{f"{name}_usd_per_day": np.asarray(paid) for name, paid in composed.amounts.usd_per_day.items()},
        "bill_usd_per_day": composed.equilibrium.bill_usd_per_day,
    }


def _seen_rates(found: Equilibrium) -> tuple[Floats, Floats]:
    """Rates that each type decides by. (θ, c, h, z) and (θ, c, h) [USD/kWh]"""
    types = found.economy.types
    own = [found.tariff.own_rates(found.rates, household) for household in types]
    shape = (*found.net_load_kw.shape, len(found.economy.shock_levels))
    buys = [
        np.broadcast_to(import_rate_seen(household, rates)[..., 0], shape)
        for household, rates in zip(types, own, strict=True)
    ]
    return np.array(buys), np.array([rates.export_usd_per_kwh for rates in own])
