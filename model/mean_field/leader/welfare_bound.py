"""An upper bound on the welfare of every tariff of a family, from prices that support the cost of supply.

Let S be the cost of supply with carbon, convex, x̄ a load of the system and μ = S'(x̄) the social marginal cost there.
Then S(x) ≥ S(x̄) + μ (x − x̄) for every load x, so under whatever tariff

    W ≤ Σ p_c Δ [μ x̄ − S(x̄) + S(rest) − μ rest] − K + Σ_θ w_θ max [U − wear − μ·net load],

where every type θ takes what is best at the price μ among all that it may do under a tariff of the family (weak
duality; Boyd, Vandenberghe, *Convex Optimization*, 2004, ch. 5). Types with a battery may do anything: use, sun and
battery part at a price that buys and sells alike (`first_best`); so may types under an operating envelope, whose limits
leave them less. Any other type without one whose rate is posted uses
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
from meanwatt.model.mean_field.leader.one_tariff_family import OwnFamily
from meanwatt.model.mean_field.leader.user_family import UserFamily
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TiedType:
    """A type that uses q0 (1 + ε (1 − r/p0)) with one rate r in all slots of a group.

    Attributes
    ----------
    place
        Of the type among the economy's.
    group_of_slot, energy_kwh : (c·h,)
        Group, and reference use, population share included, of every slot. [kWh per household-day]
    sold_kwh, low, high : (group,)
        The same by group, and the lowest and highest rate, after discount and with the largest adder. [USD/kWh]
    """

    place: int
    group_of_slot: Ints
    energy_kwh: Floats
    sold_kwh: Floats
    low: Floats
    high: Floats


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

    def tied_types(self, family: UserFamily) -> tuple[TiedType, ...]:
        """The types whose use follows from the rates of a family's windows alone."""
        found = []
        for place, one in enumerate(self.economy.types):
            own = family.of(one)
            first = own.tariff(own.low)
            if not _is_tied(one, own, first.export_rule):
                continue
            groups = own.rate_groups()
            number = groups.of_slot[self.economy.common.today].ravel()
            most_adder = first.adder_cap_usd_per_kwh if first.recovery is Recovery.VOLUMETRIC else 0.0
            if most_adder and "adder_cap_usd_per_kwh" in own.free:
                most_adder = np.inf
            kept = 1 - float(first.discount[one.group])
            energy = (one.share * self._weight * one.reference_kw).ravel()
            found.append(
                TiedType(
                    place=place,
                    group_of_slot=number,
                    energy_kwh=energy,
                    sold_kwh=np.asarray(np.bincount(number, energy, len(groups.names)), dtype=float),
                    low=kept * groups.low,
                    high=kept * (groups.high + most_adder),
                )
            )
        return tuple(found)

    def of(self, tied: tuple[TiedType, ...], support: Support) -> float:
        """Bound on the welfare of all tariffs of a family, whose tied types these are. [USD per household-day]"""
        free = np.delete(support.free_use_usd, [one.place for one in tied])
        return support.base_usd + ROUNDING_USD + float(free.sum()) + sum(self._tied_use(one, support) for one in tied)

    def _free_use(self, one: HouseholdType, price: Floats) -> float:
        """Gain of a type that pays the price."""
        use = wanted_use_kw(one.reference_kw, price, flexibility=one.flexibility, **_curve(one))
        gain = utility_usd_per_hour(use, one.reference_kw, **_curve(one)) - price * use
        return one.share * float((self._weight * gain).sum())

    def _tied_use(self, tied: TiedType, support: Support) -> float:
        """Gain, at the price, of a type that pays one rate in all slots of a group, the best between bounds."""
        one, sold = self.economy.types[tied.place], tied.sold_kwh
        paid = tied.energy_kwh * support.price_usd_per_kwh.ravel()
        cost = np.bincount(tied.group_of_slot, paid, len(sold))
        mean = np.divide(cost, sold, out=np.zeros(len(sold)), where=sold > 0)
        rate, unit = np.clip(mean, tied.low, tied.high), np.ones(len(sold))
        relative = wanted_use_kw(unit, rate, flexibility=one.flexibility, **_curve(one))
        return float((sold * utility_usd_per_hour(relative, unit, **_curve(one)) - cost * relative).sum())


def _curve(one: HouseholdType) -> dict[str, float]:
    return {"elasticity": one.elasticity, "reference_price": one.reference_price_usd_per_kwh}


def _is_tied(one: HouseholdType, family: OwnFamily, rule: ExportRule) -> bool:
    """Whether what a type uses follows from the posted rates of windows alone."""
    if one.battery is not None or one.envelope is not None or family.passes_wholesale_through:
        return False
    if any(key.split(".")[0] == "discount" for key in family.free):
        return False
    return not one.pv_kw.any() or (rule is ExportRule.NET_METERING and not one.curtailable)
