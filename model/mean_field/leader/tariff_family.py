"""The leader's tariff family: a few parameters that span what regulators argue about."""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.components.standing_charge import StandingCharge
from meanwatt.agents.tariff.tariff import ExportRule, Recovery, Tariff
from meanwatt.model.mean_field.leader.parameter_family import ParameterFamily
from meanwatt.model.scenario.economy import Economy, build_tariff

PARAMETERS = (
    "energy_usd_per_kwh",
    "tou_spread",
    "export_credit_usd_per_kwh",
    "pass_through",
    "fixed_charge_usd_per_day",
    "fixed_charge_income_slope",
)


DAILY = PARAMETERS[:3]
"""Those that may differ between day types."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TariffFamily(ParameterFamily):
    """Tariffs spanned by six parameters between bounds.

    * ``energy_usd_per_kwh``: mean energy charge over the day. [USD/kWh]
    * ``tou_spread``: 0 is flat, 1 has the relative pattern of the scenario's ``tou`` tariff.
    * ``export_credit_usd_per_kwh``: posted part x of the net-billing credit, capped at the import rate
      (``capped_at_import``); the wholesale part follows the import rate's (κ_x = κ) and nobody has a discount, so
      Theorem U's conditions on a tariff hold for every member, whether or not the cap binds, and the load is unique,
      not the price alone. A family of your own sets both itself; with discounts d the theorem asks for
      κ_x = (1 − d)κ. [USD/kWh]
    * ``pass_through``: κ.
    * ``fixed_charge_usd_per_day``: population mean of the fixed charge. Under recovery ``fixed`` it is what balances
      revenue and cost, so it is not free but found. [USD/day]
    * ``fixed_charge_income_slope``: γ in F_i ∝ 1 + γ(income_i / mean income − 1); 0 is equal, 1 proportional.

    Attributes
    ----------
    free
        Names of the parameters that the leader chooses: of ``PARAMETERS``, or of a day type, ``NAME.DAY_TYPE``.
    low, high : (free,)
        Bounds.
    pattern : (day type, slot)
        The ``tou`` tariff over its mean.
    income_ratio : (group,)
        Group income over mean income.
    day_types
        Names of the day types.
    recovery
        ``fixed`` for a leader who must recover cost, ``posted`` for one who maximises its margin.
    standing_charges
        Charges that do not depend on use and are in every tariff of the family, beside the fixed charge.
    """

    pattern: Floats
    income_ratio: Floats
    recovery: Recovery
    day_types: tuple[str, ...] = ()
    standing_charges: tuple[StandingCharge, ...] = ()

    def tariff(self, parameters: Floats) -> Tariff:
        """The member with the given free parameters; values are clipped to the bounds."""
        chosen = dict.fromkeys(PARAMETERS, 0.0)
        chosen.update(self.describe(parameters))

        def daily(name: str) -> Floats:
            return np.array([[chosen.get(f"{name}.{day}", chosen[name])] for day in self.day_types or [""]])

        energy = daily("energy_usd_per_kwh") * (1 + daily("tou_spread") * (self.pattern - 1))
        shape = np.maximum(1 + chosen["fixed_charge_income_slope"] * (self.income_ratio - 1), 0.0)
        return Tariff(
            name="designed",
            energy_usd_per_kwh=energy,
            export_usd_per_kwh=daily("export_credit_usd_per_kwh") * np.ones_like(energy),
            pass_through=chosen["pass_through"],
            export_pass_through=chosen["pass_through"],
            export_rule=ExportRule.NET_BILLING,
            recovery=self.recovery,
            fixed_charge_usd_per_day=chosen["fixed_charge_usd_per_day"] * shape,
            fixed_charge_shape=shape,
            discount=np.zeros(len(self.income_ratio)),
            capped_at_import=True,
            standing_charges=self.standing_charges,
        )


def tariff_family(
    economy: Economy,
    recovery: Recovery,
    *,
    by_day_type: bool = False,
    standing_charges: tuple[StandingCharge, ...] = (),
) -> TariffFamily:
    """The family over a scenario's own time-of-use pattern and prices.

    Energy charges range up to twice the reference price, export credits up to the reference price, the spread to 1.5
    times the scenario's ``tou`` pattern. Without cost recovery the mean fixed charge is bounded by the network cost.

    Parameters
    ----------
    by_day_type
        Whether energy charge, spread and export credit may differ between day types (critical-peak pricing).
    standing_charges
        What every tariff charges whatever is used, beside the fixed charge.
    """
    pattern = build_tariff(economy.scenario, "tou", components=True).energy_usd_per_kwh
    reference = economy.scenario.reference_price_usd_per_kwh
    mean_income = float(economy.group_share @ economy.group_income_usd_per_year)
    bounds = {
        "energy_usd_per_kwh": (0.0, 2 * reference),
        "tou_spread": (0.0, 1.5),
        "export_credit_usd_per_kwh": (0.0, reference),
        "pass_through": (0.0, 1.0),
        "fixed_charge_usd_per_day": (0.0, economy.fixed_cost_usd_per_day),
        "fixed_charge_income_slope": (0.0, 1.0),
    }
    found = {"fixed_charge_usd_per_day"} if recovery is Recovery.FIXED else {"fixed_charge_income_slope"}
    days = tuple(economy.common.day_types)
    free = tuple(
        f"{name}.{day}" if day else name
        for name in PARAMETERS
        if name not in found
        for day in (days if by_day_type and name in DAILY and len(days) > 1 else ("",))
    )
    return TariffFamily(
        free=free,
        low=np.array([bounds[_kind(name)][0] for name in free]),
        high=np.array([bounds[_kind(name)][1] for name in free]),
        pattern=pattern / pattern.mean(axis=1, keepdims=True),
        income_ratio=economy.group_income_usd_per_year / mean_income,
        recovery=recovery,
        day_types=days,
        standing_charges=standing_charges,
    )


def _kind(name: str) -> str:
    """Which of ``PARAMETERS`` a free parameter is."""
    return name.split(".")[0]


def starting_points(family: ParameterFamily, economy: Economy) -> list[Floats]:
    """Where a search may begin: a flat rate, time of use, and wholesale pass-through with carbon priced.

    Or where the family says, if it does.
    """
    own = family.starts(economy)
    if own:
        return own
    reference = economy.scenario.reference_price_usd_per_kwh
    peak = float(economy.supply.marginal_emissions_t_per_kwh(economy.mean_reference_kw).mean())
    carbon = economy.carbon_usd_per_t * peak
    flat = {"energy_usd_per_kwh": 0.8 * reference, "export_credit_usd_per_kwh": 0.5 * reference}
    points = [
        flat,
        {**flat, "tou_spread": 0.75, "fixed_charge_income_slope": 0.5},
        {
            "energy_usd_per_kwh": carbon,
            "export_credit_usd_per_kwh": carbon,
            "pass_through": 1.0,
            "fixed_charge_income_slope": 1.0,
        },
    ]
    return [np.clip([point.get(_kind(name), 0.0) for name in family.free], family.low, family.high) for point in points]
