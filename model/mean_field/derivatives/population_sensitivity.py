"""How the whole continuum's answer moves with the wholesale price, the adder, or any other change of the rates."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from meanwatt.agents.household.day_operator import JOINT_LIMIT
from meanwatt.agents.household.decision_problem import DecisionProblem
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.rates import Rates
from meanwatt.agents.tariff.tariff import ExportRule, Tariff
from meanwatt.model.mean_field.derivatives.household_sensitivity import (
    Directions,
    LinearType,
    Sensitivity,
    TypePlay,
)
from meanwatt.model.mean_field.derivatives.linear_day import LinearDay
from meanwatt.model.mean_field.derivatives.price_matrix import fewer_directions, price_matrix
from meanwatt.model.mean_field.population.observables import observed
from meanwatt.model.mean_field.population.population_response import (
    PopulationResponse,
    decision_problem,
    own_decision_problem,
)
from meanwatt.model.mean_field.population.threads import for_each_type
from meanwatt.model.scenario.economy import Economy

DENSE = 256
"""Prices up to which a derivative is kept as a matrix."""


ByClass = tuple[Directions, ...]
"""Directions of the rates of every rate class; one where one tariff holds for all."""


def rate_slopes(tariff: Tariff, posted: Rates) -> tuple[Floats, Floats]:
    """Change of the import and the export rate with the wholesale price of the same slot. (c, h), dimensionless.

    An export rate at its cap, the import rate, moves with it; under net metering it always does.
    """
    bought = np.full_like(posted.import_usd_per_kwh, tariff.pass_through)
    alone = tariff.export_pass_through if tariff.export_rule is ExportRule.NET_BILLING else 0.0
    return bought, np.where(_capped(tariff, posted), bought, alone)


def own_rate_slopes(tariff: Tariff, posted: Rates, household: HouseholdType) -> tuple[Rates, tuple[Floats, Floats]]:
    """What one type pays, its discount applied, and how either rate moves with the price of its slot. (c, h)"""
    kept = tariff.kept_share(household)
    own = tariff.own_rates(posted, household)
    place = tariff.class_index(household)
    bought, sold = rate_slopes(tariff.class_tariffs[place], _of_class(posted, place))
    capped = _capped(tariff.class_tariffs[place], own)
    return own, (kept * bought, np.where(capped, kept * bought, sold))


def price_directions(tariff: Tariff, posted: Rates) -> ByClass:
    """One direction for the wholesale price of every common state and slot, in C order."""

    def of_class(place: int, own: Tariff) -> Directions:
        bought, sold = rate_slopes(own, _of_class(posted, place))
        unit = np.eye(bought.size).reshape(bought.size, *bought.shape)
        return Directions(import_usd_per_kwh=unit * bought, export_usd_per_kwh=unit * sold)

    return tuple(of_class(place, own) for place, own in enumerate(tariff.class_tariffs))


def adder_direction(tariff: Tariff, posted: Rates) -> ByClass:
    """The direction of the volumetric adder: every import rate that bears it, and the export rates that follow."""

    def of_class(place: int, own: Tariff) -> Directions:
        every = np.full((1, *posted.import_usd_per_kwh.shape), float(tariff.bears_adder(place)))
        capped = _capped(own, _of_class(posted, place))
        return Directions(import_usd_per_kwh=every, export_usd_per_kwh=every * capped)

    return tuple(of_class(place, own) for place, own in enumerate(tariff.class_tariffs))


def joined(one: ByClass, other: ByClass) -> ByClass:
    """Directions one after the other, class by class."""
    return tuple(
        Directions(
            import_usd_per_kwh=np.concatenate([first.import_usd_per_kwh, second.import_usd_per_kwh]),
            export_usd_per_kwh=np.concatenate([first.export_usd_per_kwh, second.export_usd_per_kwh]),
        )
        for first, second in zip(one, other, strict=True)
    )


def followed(tariff: Tariff, posted: Rates, along: ByClass, price: Floats) -> ByClass:
    """Directions (d, c, h) to which a change of the wholesale price (d, c, h) is added, class by class."""
    found = []
    for place, (own, direct) in enumerate(zip(tariff.class_tariffs, along, strict=True)):
        bought, sold = rate_slopes(own, _of_class(posted, place))
        found.append(
            Directions(
                import_usd_per_kwh=direct.import_usd_per_kwh + price * bought,
                export_usd_per_kwh=direct.export_usd_per_kwh + price * sold,
            )
        )
    return tuple(found)


def _of_class(posted: Rates, place: int) -> Rates:
    """The rates of one class before discounts."""
    return posted.by_class[place] if posted.by_class else posted


def population_sensitivity(
    economy: Economy,
    tariff: Tariff,
    found: PopulationResponse,
    directions: ByClass,
    *,
    horizon: DecisionProblem | None = None,
    only_net_load: bool = False,
    check: Callable[[], None] = lambda: None,
) -> list[Sensitivity]:
    """Differentiate every household type's answer along changes of the posted rates.

    Parameters
    ----------
    found
        The answer to differentiate, at a temperature above 0.
    directions
        Changes of the rates of every rate class, before discounts.
    horizon
        The outlook that the answer was computed with; the scenario's without it.
    check
        Called between steps of the work; may raise to stop.
    """
    linear = LinearPopulation(economy, tariff, found, horizon=horizon, only_net_load=only_net_load, check=check)
    return linear.along(directions, only_net_load=only_net_load)


class LinearPopulation:
    """Every household type's answer, linearised once for directions to come in any number of calls.

    Parameters are those of `population_sensitivity`, and ``often`` of `LinearType`.
    """

    def __init__(
        self,
        economy: Economy,
        tariff: Tariff,
        found: PopulationResponse,
        *,
        horizon: DecisionProblem | None = None,
        only_net_load: bool = False,
        often: bool = False,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._economy, self._tariff, self._found = economy, tariff, found
        horizon = decision_problem(economy) if horizon is None else horizon

        def linearise(type_index: int) -> LinearType:
            household = economy.types[type_index]
            own = tariff.own_rates(found.rates, household)
            return LinearType(
                TypePlay(household, own, found.responses[type_index], found.flows[type_index]),
                own_decision_problem(economy, horizon, type_index),
                economy.common.backward,
                only_net_load=only_net_load,
                often=often,
                check=check,
            )

        self._types = for_each_type(economy, linearise)

    def along(self, directions: ByClass, *, only_net_load: bool = False) -> list[Sensitivity]:
        """Derivatives of every type's answer along changes of the posted rates."""
        tariff, found = self._tariff, self._found

        def differentiate(type_index: int) -> Sensitivity:
            household = self._economy.types[type_index]
            along = directions[tariff.class_index(household)]
            own = tariff.own_rates(found.rates, household)
            bought = tariff.kept_share(household) * along.import_usd_per_kwh
            sold = np.where(_capped(tariff.of(household), own), bought, along.export_usd_per_kwh)
            return self._types[type_index].along(
                Directions(import_usd_per_kwh=bought, export_usd_per_kwh=sold), only_net_load=only_net_load
            )

        return for_each_type(self._economy, differentiate)

    def net_load(self, directions: ByClass) -> Floats:
        """Derivative of the mean net load, prices in C order. (c·h, direction) [kW per unit of the direction]"""
        slopes = self.along(directions, only_net_load=True)
        mean = sum(w * s.net_load_kw for w, s in zip(self._economy.type_share, slopes, strict=True))
        return np.asarray(mean).reshape(self._found.net_load_kw.size, -1)


def dense_pays(economy: Economy, most_prices: int = DENSE) -> bool:
    """Whether the derivative of the net load is better formed than only multiplied with.

    It is bounded by the number of prices, and what is solved on the way by the midnight states of a type.
    """
    states, _ = economy.rest_load_kw.shape
    return economy.rest_load_kw.size <= most_prices and states * _midnight_states(economy) <= JOINT_LIMIT


def state_by_state_pays(economy: Economy) -> bool:
    """Whether the derivative in all prices is cheaper one common state after the other than in all of them at once."""
    endless = economy.one_day is None and economy.held is None
    states, slots = economy.rest_load_kw.shape
    return endless and fewer_directions(states, slots, _midnight_states(economy))


def matrix_pays(economy: Economy, most_prices: int) -> bool:
    """As `dense_pays`, also where only the states' own days and what tells tomorrows apart are small."""
    if dense_pays(economy, most_prices):
        return True
    mornings = len(np.unique(economy.common.kernel, axis=0))
    small = mornings * _midnight_states(economy) <= JOINT_LIMIT
    return economy.rest_load_kw.size <= most_prices and small and state_by_state_pays(economy)


def _midnight_states(economy: Economy) -> int:
    """Shocks × levels of the type with most levels."""
    return len(economy.shock_levels) * max(household.levels for household in economy.types)


def net_load_slope(
    economy: Economy,
    tariff: Tariff,
    found: PopulationResponse,
    *,
    horizon: DecisionProblem | None = None,
    check: Callable[[], None] = lambda: None,
) -> Floats:
    """Derivative ∂L/∂λ of the mean net load in the wholesale prices, the adder held. (c·h, c·h) [kW per USD/kWh]

    Weighted by p_c it is symmetric and negative semidefinite under Theorem U's conditions.
    """
    size = found.net_load_kw.size
    total = np.zeros((size, size))
    if state_by_state_pays(economy):
        own = _price_matrices(economy, tariff, found, decision_problem(economy) if horizon is None else horizon, check)
    else:
        directions = price_directions(tariff, found.rates)
        slopes = population_sensitivity(
            economy, tariff, found, directions, horizon=horizon, only_net_load=True, check=check
        )
        own = [slope.net_load_kw.reshape(size, size) for slope in slopes]
    for household, slope in zip(economy.types, own, strict=True):
        total += household.share * slope
    return total


def _price_matrices(
    economy: Economy, tariff: Tariff, found: PopulationResponse, horizon: DecisionProblem, check: Callable[[], None]
) -> list[Floats]:
    """Every type's derivative (c·h, c·h) of its mean net load in the wholesale prices. [kW per USD/kWh]"""

    def of_type(type_index: int) -> Floats:
        check()
        household, response, flow = economy.types[type_index], found.responses[type_index], found.flows[type_index]
        own, slopes = own_rate_slopes(tariff, found.rates, household)
        seen = observed(household, own, response, horizon, True)
        if household.battery is None:
            by_rate = zip(slopes, seen[1:], strict=True)
            return np.diag(sum(slope * (flow.frequency * use[0]).sum(axis=(-2, -1)) for slope, use in by_rate).ravel())
        return price_matrix(LinearDay(response, flow, horizon, *seen), economy.common.backward, np.stack(slopes), check)

    return for_each_type(economy, of_type)


def own_slot_slope(
    economy: Economy, tariff: Tariff, found: PopulationResponse, *, horizon: DecisionProblem | None = None
) -> Floats:
    """Part of ∂L/∂λ that needs no sweep: what load answers to the price of its own slot. (c, h) [kW per USD/kWh]

    Moves and laws are held; households use more or less, and part otherwise between plans that tie.
    """
    horizon = decision_problem(economy) if horizon is None else horizon
    total = np.zeros(found.net_load_kw.shape)
    for type_index, (household, response, flow) in enumerate(
        zip(economy.types, found.responses, found.flows, strict=True)
    ):
        own, slopes = own_rate_slopes(tariff, found.rates, household)
        _, *by_rate = observed(household, own, response, own_decision_problem(economy, horizon, type_index), True)
        for slope, of_move in zip(slopes, by_rate, strict=True):
            total += household.share * slope * (flow.frequency * of_move[0]).sum(axis=(-2, -1))
    return total


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecoverySlope:
    """Derivatives of net load and surplus in prices and adder, all others held, prices in C order.

    Attributes
    ----------
    load_by_price : (c·h, c·h)
        [kW per USD/kWh]
    load_by_adder, surplus_by_price : (c·h,)
        [kW per USD/kWh], [USD/day per USD/kWh]
    surplus_by_adder
        [USD/day per USD/kWh]
    """

    __repr__ = short_repr

    load_by_price: Floats
    load_by_adder: Floats
    surplus_by_price: Floats
    surplus_by_adder: float


def recovery_slope(economy: Economy, tariff: Tariff, found: PopulationResponse) -> RecoverySlope:
    """Differentiate net load and surplus, energy bought at the answer's prices, in these prices and in the adder."""
    prices, adder = price_directions(tariff, found.rates), adder_direction(tariff, found.rates)
    slopes = population_sensitivity(economy, tariff, found, joined(prices, adder))
    pairs = list(zip(economy.type_share, slopes, strict=True))
    load = np.asarray(sum(w * s.net_load_kw for w, s in pairs)).reshape(found.net_load_kw.size, -1)
    chance = np.repeat(economy.common.probability, economy.slots)
    paid = chance @ np.asarray(sum(w * s.payment_usd for w, s in pairs)).reshape(load.shape)
    hours = chance * economy.slot_hours
    surplus = paid - (hours * found.wholesale_usd_per_kwh.ravel()) @ load
    return RecoverySlope(
        load_by_price=load[:, :-1],
        load_by_adder=load[:, -1],
        surplus_by_price=surplus[:-1] - hours * found.net_load_kw.ravel(),
        surplus_by_adder=float(surplus[-1]),
    )


def surplus_slope_usd(economy: Economy, tariff: Tariff, found: PopulationResponse) -> float:
    """Derivative of revenue less cost in the adder, wholesale prices following. [USD/day per USD/kWh]

    By implicit differentiation of λ = s(L(λ, α) + rest); ``found`` is an equilibrium at its adder.
    """
    steepness = economy.supply.slope(found.net_load_kw + economy.rest_load_kw)
    share = economy.type_share
    along = adder_direction(tariff, found.rates)

    def mean_load(slopes: list[Sensitivity]) -> Floats:
        return np.asarray(sum(w * s.net_load_kw for w, s in zip(share, slopes, strict=True)))

    if not _rates_follow(tariff, found.rates):
        slopes = population_sensitivity(economy, tariff, found, along)
        price = steepness * mean_load(slopes)[..., 0]
    else:
        by_adder = mean_load(population_sensitivity(economy, tariff, found, along, only_net_load=True))[..., 0]
        by_price = net_load_slope(economy, tariff, found)
        system = np.eye(len(by_price)) - steepness.ravel()[:, None] * by_price
        price = np.reshape(np.linalg.solve(system, (steepness * by_adder).ravel()), steepness.shape)
        total = followed(tariff, found.rates, along, price)
        slopes = population_sensitivity(economy, tariff, found, total)
    load = mean_load(slopes)[..., 0]
    chance = economy.common.probability
    paid = sum(w * float(chance @ s.payment_usd[..., 0].sum(axis=1)) for w, s in zip(share, slopes, strict=True))
    cost = (price * found.net_load_kw + load * found.wholesale_usd_per_kwh).sum(axis=1) * economy.slot_hours
    return float(paid - chance @ cost)


def _rates_follow(tariff: Tariff, posted: Rates) -> bool:
    """Whether any rate of any class depends on the wholesale price."""
    slopes = (rate_slopes(own, _of_class(posted, place)) for place, own in enumerate(tariff.class_tariffs))
    return any(bought.any() or sold.any() for bought, sold in slopes)


def _capped(tariff: Tariff, rates: Rates) -> Bools:
    """Where the export rate is at its cap, the import rate."""
    if not tariff.export_pegged:
        return np.zeros(rates.import_usd_per_kwh.shape, dtype=np.bool_)
    return np.asarray(rates.export_usd_per_kwh >= rates.import_usd_per_kwh)
