"""An upper bound on the welfare of every tariff of a family, from prices that support the cost of supply.

Let S be the cost of supply with carbon, convex, x̄ a load of the system and μ = S'(x̄) the social marginal cost there.
Then S(x) ≥ S(x̄) + μ (x − x̄) for every load x, so under whatever tariff

    W ≤ Σ p_c Δ [μ x̄ − S(x̄) + S(rest) − μ rest] − K + Σ_θ w_θ max [U − wear − μ·net load],

where every type θ takes what is best at the price μ among all that it may do under a tariff of the family (weak
duality; Boyd, Vandenberghe, *Convex Optimization*, 2004, ch. 5). Types with a battery may do anything: use, sun and
battery part at a price that buys and sells alike (`first_best`). A type without one whose rate is posted uses
q0 (1 + ε (1 − r/p0)) in all slots of a window, one number r for them all; the best is r = Σ q0 μ / Σ q0, the
use-weighted marginal cost of the window, or the nearest that the family has. So windows that do not follow the cost
have a lower bound. With μ at the best load of a family whose types are all of this kind the bound is that welfare.
"""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.household.battery import Battery
from meanwatt.agents.household.best_response import Response
from meanwatt.agents.household.demand import utility_usd_per_hour, wanted_use_kw
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.tariff.tariff import ExportRule, Recovery
from meanwatt.model.mean_field.battery_plan import battery_makes, best_battery_plan, planner_horizon
from meanwatt.model.mean_field.leader.own_family import OwnFamily
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy

ROUNDING_USD = 1e-9
"""Added to the bound. [USD per household-day]"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Support:
    """A price path that supports the cost of supply.

    Attributes
    ----------
    price_usd_per_kwh : (c, h)
        μ.
    base_usd
        The bound less what types gain by their use. [USD per household-day]
    free_use_usd : (θ,)
        What each type gains by its use if it pays μ. [USD per household-day]
    """

    price_usd_per_kwh: Floats
    base_usd: float
    free_use_usd: Floats


class WelfareBound:
    """Bounds on the welfare of a family's tariffs, by supports that are made of loads.

    Raises
    ------
    ValueError
        In words, if the social marginal cost falls with load, or there is but one day: nothing supports the cost then.
    """

    def __init__(self, economy: Economy) -> None:
        if economy.one_day is not None:
            raise ValueError("a single day has no planner's optimum")
        self.economy = economy
        self._social = economy.supply.shifted_by_carbon(economy.carbon_usd_per_t)
        self._weight = economy.common.probability[:, None] * economy.slot_hours
        self._responses: dict[Battery, Response] = {}

    def support(self, net_load_kw: Floats, watch: Watch | None = None) -> Support:
        """The support at a mean net load (c, h). [kW]"""
        economy, weight, social = self.economy, self._weight, self._social
        rest = economy.rest_load_kw
        system = net_load_kw + rest
        price = np.asarray(social.price(system))
        sun = sum(one.share * one.pv_kw for one in economy.types)
        spare = sum(one.share * one.pv_kw * one.curtailable for one in economy.types)
        supply = price * (system - rest + sun) - social.cost(system) + social.cost(rest)
        base = float((weight * (supply + np.maximum(-price, 0.0) * spare)).sum()) - economy.fixed_cost_usd_per_day
        horizon = planner_horizon(economy)
        for battery, share in battery_makes(economy).items():
            start = self._responses.get(battery)
            plan, wear, self._responses[battery] = best_battery_plan(
                economy, battery, horizon, price.ravel(), start, watch or Watch()
            )
            base -= share * (wear + float((weight * price).ravel() @ plan))
        return Support(
            price_usd_per_kwh=price,
            base_usd=base,
            free_use_usd=np.array([self._free_use(one, price) for one in economy.types]),
        )

    def of(self, family: OwnFamily, support: Support) -> float:
        """Bound on the welfare of all tariffs of a family. [USD per household-day]"""
        groups = family.rate_groups()
        number = groups.of_slot[self.economy.common.today]
        first = family.tariff(family.low)
        most_adder = first.adder_cap_usd_per_kwh if first.recovery is Recovery.VOLUMETRIC else 0.0
        if "adder_cap_usd_per_kwh" in family.free:
            most_adder = np.inf if most_adder else 0.0
        total = support.base_usd + ROUNDING_USD
        for place, one in enumerate(self.economy.types):
            if _is_tied(one, family, first.export_rule):
                kept = 1 - float(first.discount[one.group])
                bounds = kept * groups.low, kept * (groups.high + most_adder)
                total += self._tied_use(one, support.price_usd_per_kwh, number, bounds)
            else:
                total += float(support.free_use_usd[place])
        return total

    def _free_use(self, one: HouseholdType, price: Floats) -> float:
        """Gain of a type that pays the price."""
        use = wanted_use_kw(one.reference_kw, price, flexibility=one.flexibility, **_curve(one))
        gain = utility_usd_per_hour(use, one.reference_kw, **_curve(one)) - price * use
        return one.share * float((self._weight * gain).sum())

    def _tied_use(self, one: HouseholdType, price: Floats, number: Ints, bounds: tuple[Floats, Floats]) -> float:
        """Gain, at the price, of a type that pays one rate in all slots of a group, the best between bounds."""
        count = len(bounds[0])
        energy = (one.share * self._weight * one.reference_kw).ravel()
        sold = np.bincount(number.ravel(), energy, count)
        cost = np.bincount(number.ravel(), energy * price.ravel(), count)
        mean = np.divide(cost, sold, out=np.zeros(count), where=sold > 0)
        rate, unit = np.clip(mean, *bounds), np.ones(count)
        relative = wanted_use_kw(unit, rate, flexibility=one.flexibility, **_curve(one))
        return float((sold * utility_usd_per_hour(relative, unit, **_curve(one)) - cost * relative).sum())


def _curve(one: HouseholdType) -> dict[str, float]:
    return {"elasticity": one.elasticity, "reference_price": one.reference_price_usd_per_kwh}


def _is_tied(one: HouseholdType, family: OwnFamily, rule: ExportRule) -> bool:
    """Whether what a type uses follows from the posted rates of windows alone."""
    if one.battery is not None or family.passes_wholesale_through:
        return False
    if any(key.split(".")[0] == "discount" for key in family.free):
        return False
    return not one.pv_kw.any() or (rule is ExportRule.NET_METERING and not one.curtailable)
