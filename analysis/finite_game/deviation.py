"""What one household of a finite market could gain by leaving the mean-field policy, as an exact expectation.

All N − 1 others follow the mean-field policy, independently of the deviator. With an affine supply curve the price
that a household with net load n expects is

    E λ = s(((N − 1) L + n)/N + rest) = λ0 + g n,   g = s'/N,

so its expected payment is quadratic in n on either side of zero, and its best reply is an exact dynamic program with
its use in closed form: on either side of zero net load with all sun used, with none, or with as much of it as makes
the payment least, whichever of the six is best. Where the curve bends, the expectation also depends on how the others'
mean load scatters: see `meanwatt.analysis.finite_game.expected_rates`. The adder is held. On a straight curve, where
the export credit is capped at the import rate, the cap is taken to bind as it does at n = 0.

"Exact" is within the model's closure: given the common state (the last m + 1 day types), the others' loads do not
depend on the deviator's own state. With one day type that is so; with weather it leaves out what older days still say
about everybody, the same remainder that shows as a floor of the net load's error.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from meanwatt.agents.household.best_response import Response, respond
from meanwatt.agents.household.decision_problem import DecisionProblem
from meanwatt.agents.household.demand import utility_usd_per_hour
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.household.slot_outcome import SlotOutcome
from meanwatt.agents.numerics.arrays import Bools, Floats, Ints
from meanwatt.agents.tariff.rates import payment_usd
from meanwatt.agents.tariff.tariff import ExportRule, Tariff, export_credit
from meanwatt.analysis.finite_game.expected_rates import ExpectedRates, expected_rates
from meanwatt.analysis.finite_game.others import Others
from meanwatt.model.mean_field.certificates import policy_value_usd
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.mean_field.population.flow import Flow
from meanwatt.model.mean_field.population.game import couples
from meanwatt.model.mean_field.population.population_response import decision_problem
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.envelopes import limits_load


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OwnRates:
    """Expected rates as the household's own net load n moves them: base + slope · n. Axes (c, h). [USD/kWh, per kW]"""

    import_base: Floats
    import_slope: Floats
    export_base: Floats
    export_slope: Floats

    def payment_usd(self, net_load_kw: Floats, slot_hours: float) -> Floats:
        """Expected payment of a net load (c, h, z, j). [USD]"""
        bought = _wide(self.import_base) + _wide(self.import_slope) * net_load_kw
        sold = _wide(self.export_base) + _wide(self.export_slope) * net_load_kw
        return payment_usd(net_load_kw, bought, sold, slot_hours)


def finite_exploitability_usd_per_day(equilibrium: Equilibrium, households: float) -> float:
    """Mean gain over the population of a best reply to N − 1 others who follow the mean-field policy.

    Parameters
    ----------
    households
        N ≥ 1, or infinity: then the exploitability of the mean-field policy in the continuum.

    Returns
    -------
    float
        ≥ 0 up to rounding; of the same form as ``Equilibrium.exploitability_usd_per_household_day`` at any discount.
        [USD per household-day]
    """
    economy, tariff, answer = equilibrium.economy, equilibrium.tariff, equilibrium.answer
    if limits_load(economy.types):
        raise ValueError(
            "a household that moves the price by itself is not held to feeder.envelopes here; leave out the envelopes"
        )
    hard = decision_problem(economy, temperature_usd=0.0)
    expect = expectation(equilibrium, households)
    who = [(tariff.class_index(one), float(tariff.of(one).discount[one.group])) for one in economy.types]
    seen = {pair: expect(pair[1], pair[0]) for pair in dict.fromkeys(who)}
    total = 0.0
    for pair, household, response, flow in zip(who, economy.types, answer.responses, answer.flows, strict=True):
        total += household.share * _forgone(economy, household, response, flow, seen[pair], hard)
    return total


def expectation(equilibrium: Equilibrium, households: float) -> Callable[[float, int], OwnRates | ExpectedRates]:
    """Rates that one of N households expects, by its discount and the place of its rate class.

    On a straight supply curve, and where no rate depends on it, they are in closed form.
    """
    if equilibrium.economy.supply.is_affine or not couples(equilibrium.economy, equilibrium.tariff):
        return lambda discount, place: own_rates(equilibrium, discount, households, place)
    others = Others(equilibrium, households)
    return lambda discount, place: expected_rates(equilibrium, discount, others, place)


def own_rates(equilibrium: Equilibrium, discount: float, households: float, place: int = 0) -> OwnRates:
    """Rates that one of N households expects to face, by its own net load, after its group's discount.

    Parameters
    ----------
    place
        Of its rate class.
    """
    economy, tariff = equilibrium.economy, equilibrium.tariff.class_tariffs[place]
    today = economy.common.today
    share = 1.0 / households
    others_kw = (1.0 - share) * equilibrium.net_load_kw + economy.rest_load_kw
    price = economy.supply.price(others_kw)
    impact = share * economy.supply.slope(others_kw)
    keeps = 1.0 - discount
    import_base = keeps * (
        tariff.energy_usd_per_kwh[today] + tariff.pass_through * price + equilibrium.class_adder_usd_per_kwh(place)
    )
    import_slope = keeps * tariff.pass_through * impact
    export_base, export_slope = _export(tariff, today, price, impact, import_base, import_slope)
    capped = tariff.capped_at_import & (export_base >= import_base)
    return OwnRates(
        import_base=import_base,
        import_slope=import_slope,
        export_base=np.where(capped, import_base, export_base),
        export_slope=np.where(capped, import_slope, export_slope),
    )


def _export(
    tariff: Tariff, today: Ints, price: Floats, impact: Floats, import_base: Floats, import_slope: Floats
) -> tuple[Floats, Floats]:
    """Export rate before a cap: base and slope."""
    if tariff.export_rule is ExportRule.NET_METERING:
        return import_base, import_slope
    credit, passed = export_credit(tariff, today)
    return credit + passed * price, passed * impact


def _forgone(
    economy: Economy,
    household: HouseholdType,
    response: Response,
    flow: Flow,
    seen: OwnRates | ExpectedRates,
    hard: DecisionProblem,
) -> float:
    """What a household of one type forgoes by the mean-field policy. [USD/day]"""
    hours = economy.slot_hours
    if isinstance(seen, OwnRates):
        brought = best_outcome(economy, household, seen)
    else:
        brought = seen.best_outcome(economy, household)
    best = respond(brought, household.levels, hard, start=response)
    kept = response.outcome
    plans = kept.plans
    paid = [seen.payment_usd(np.ascontiguousarray(net), hours) for net in np.moveaxis(plans.net_load_kw, -1, 0)]
    reward = kept.utility_usd - kept.wear_usd - plans.mean(np.stack(paid, axis=-1))
    probability = economy.common.probability
    if hard.discount_per_day == 1.0:
        weight = flow.frequency * probability[:, None, None, None]
        return best.gain_usd_per_day - float((weight * reward).sum())
    own = policy_value_usd(reward, response.policy.probability, kept.moves, hard)
    lead = best.value_usd[:, 0].transpose(0, 2, 1) - own
    return (1 - hard.discount_per_day) * float((probability[:, None, None] * flow.law[:, 0] * lead).sum())


def best_outcome(economy: Economy, household: HouseholdType, seen: OwnRates) -> SlotOutcome:
    """Consequences of every move for a household that knows how its own load moves the price, all else being best."""
    hours = economy.slot_hours
    day = household.storage_day(hours)
    battery_kw = day.power_kw[:, None]
    reference_kw = household.reference_kw[:, :, None, None] * economy.shock_levels[:, None]
    sunny_kw = household.pv_kw[:, :, None, None] - battery_kw
    width = household.flexibility if household.elasticity > 0 else 0.0
    least, most = (1 - width) * reference_kw, (1 + width) * reference_kw
    terms = {"elasticity": household.elasticity, "reference_price": household.reference_price_usd_per_kwh}
    shape = np.broadcast_shapes(reference_kw.shape, sunny_kw.shape)
    curtails = household.curtailable and bool(household.pv_kw.any())
    best, use_kw, net_load_kw = np.full(shape, -np.inf), np.zeros(shape), np.zeros(shape)

    def offer(use: Floats, net: Floats, possible: Bools) -> None:
        """Keep a plan where it is possible and better than those before."""
        worth = utility_usd_per_hour(use, reference_kw, **terms) - seen.payment_usd(net, 1.0)
        better = possible & (worth > best)
        for kept, new in ((best, worth), (use_kw, use), (net_load_kw, net)):
            kept[better] = np.broadcast_to(new, shape)[better]

    for buys, base, slope in (
        (True, seen.import_base, seen.import_slope),
        (False, seen.export_base, seen.export_slope),
    ):
        beyond = np.maximum if buys else np.minimum
        for free_kw in (sunny_kw, -np.broadcast_to(battery_kw, shape)) if curtails else (sunny_kw,):
            use = beyond(_wanted_kw(household, reference_kw, free_kw, base, slope), free_kw)
            offer(use, use - free_kw, free_kw <= most if buys else free_kw >= least)
        if curtails:
            use = np.clip(reference_kw * (1 + household.elasticity), least, most)
            net = np.broadcast_to(beyond(_cheapest_kw(base, slope), 0.0), shape)
            spilt = net - (use - sunny_kw)
            offer(use, net, (spilt >= 0) & (spilt <= household.pv_kw[:, :, None, None]))
    return SlotOutcome(
        moves=day.moves,
        use_kw=use_kw,
        net_load_kw=net_load_kw,
        utility_usd=hours * utility_usd_per_hour(use_kw, reference_kw, **terms),
        payment_usd=seen.payment_usd(net_load_kw, hours),
        wear_usd=day.cost_usd,
        choice=day.choice,
    )


def _cheapest_kw(base: Floats, slope: Floats) -> Floats:
    """Net load at which base · n + slope · n² is least; 0 where the rate does not move. (c, h, 1, 1) [kW]"""
    return _wide(-base / np.where(slope > 0, 2 * slope, np.inf))


def _wanted_kw(household: HouseholdType, reference_kw: Floats, free_kw: Floats, base: Floats, slope: Floats) -> Floats:
    """Use at which U'(q) = base + 2·slope·(q − free), within the flexible range. (c, h, z, j) [kW]"""
    elasticity, flexibility = household.elasticity, household.flexibility
    reference_price = household.reference_price_usd_per_kwh
    shape = np.broadcast_shapes(reference_kw.shape, free_kw.shape)
    if elasticity == 0:
        return np.broadcast_to(reference_kw, shape)
    bend = 2 * elasticity * _wide(slope) * reference_kw
    factor = reference_price * (1 + elasticity) - elasticity * (_wide(base) - 2 * _wide(slope) * free_kw)
    wanted = reference_kw * factor / (reference_price + bend)
    return np.asarray(np.clip(wanted, (1 - flexibility) * reference_kw, (1 + flexibility) * reference_kw))


def _wide(by_slot: Floats) -> Floats:
    """Add the axes of shock and move."""
    return by_slot[:, :, None, None]
