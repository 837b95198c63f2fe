"""A convex program over occupation measures, solved by Clarabel, finds the equilibrium at temperature 0.

With r⁺ = (1 − d_θ)(τ + κλ) and r⁻ = x_θ + κ_θλ, κ_θ = (1 − d_θ)κ, the equilibrium of Theorem U is the saddle point of
the potential F. Minimising it over the price first leaves a program over what households do, which names no price, no
value and no policy:

    minimise  Σ_{c,h} Δ p_c S(L + rest) + Σ_θ (w_θ/κ_θ) E[wear − Δ U(q) + Δ ((1 − d_θ) τ n⁺ − x_θ n⁻) − salvage],

over frequencies of (weather, slot, level, shock, move), and where demand is flexible over the use that goes with each
move, scaled by its frequency m: m·U(Q/m) is concave, its square a second-order cone. Its least value is −F at the
equilibrium price.

Where exports may earn more than imports cost, or sun may be curtailed, whoever makes a move is divided once more, into
those who buy and those who sell, each with a use and a curtailed part of the sun of their own: again a convex program,
which names no tie and no rule of how households part.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from discounted import DISCOUNTED, discounted
from rate_class_worlds import WORLDS
from scenarios import WEATHER, preset_economy, preset_tariff, small_economy, small_tariff
from scipy import sparse

from meanwatt.agents.household.decision_problem import OneDay
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.tariff.tariff import ExportRule, Tariff
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.mean_field.first_best import solve_first_best
from meanwatt.model.mean_field.population.ties import parts_somewhere
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.supply import SupplyCurve

cvxpy = pytest.importorskip("cvxpy", reason="cvxpy is not installed: `uv sync`")

ASKED = 1e-9
"""Clarabel's tolerance of constraints and of the value."""
REACHED_USD = 1e-8
"""Accuracy of the value that comes of it; thousands of constraints are each met to the tolerance. [USD a day]"""


@dataclass
class Plan:
    """One household type in the program: rules that its frequencies obey, and what they bring, per household."""

    rules: list[Any]
    net_load_kwh: Any
    """By weather and slot, times the chance of the weather. (c·h,)"""
    cost_usd: Any
    """Wear and the posted part of the payment, less utility and salvage, expected per day."""


def levels_per_move(household: HouseholdType, hours: float) -> Ints:
    """Changes of level that the power limit allows."""
    battery = household.battery
    if battery is None:
        return np.zeros(1, dtype=int)
    step_kwh = battery.capacity_kwh / (battery.levels - 1)
    up = np.floor(battery.power_limit_kw * hours * battery.charge_efficiency / step_kwh + 1e-6)
    down = np.floor(battery.power_limit_kw * hours / battery.discharge_efficiency / step_kwh + 1e-6)
    return np.arange(-int(min(down, battery.levels - 1)), int(min(up, battery.levels - 1)) + 1)


def plan(economy: Economy, tariff: Tariff, household: HouseholdType, parting: bool) -> Plan:
    """Conservation of households, and the costs of what they do; ``parting`` divides those who make a move."""
    battery, hours = household.battery, economy.slot_hours
    levels, move = (battery.levels if battery else 1), levels_per_move(household, economy.slot_hours)
    step_kwh = battery.capacity_kwh / (levels - 1) if battery else 0.0
    states, slots = economy.rest_load_kw.shape
    shocks = economy.shock_levels.size

    c, h, z, e, j = (a.ravel() for a in np.indices((states, slots, shocks, levels, move.size)))
    stays = (e + move[j] >= 0) & (e + move[j] < levels)
    c, h, z, e, j = (a[stays] for a in (c, h, z, e, j))
    mass = cvxpy.Variable(c.size, nonneg=True)
    shape = (states, slots, shocks, levels)
    size, column = states * slots * shocks * levels, np.arange(c.size)

    # what leaves a place is what enters it: the weather turns at midnight, the shock after every slot
    balance = sparse.csr_array((np.ones(c.size), (np.ravel_multi_index((c, h, z, e), shape), column)), (size, c.size))
    last = h == slots - 1
    for d in range(states):
        for y in range(shocks):
            chance = np.where(last, economy.common.kernel[c, d], c == d) * economy.shock_kernel[z, y]
            if economy.one_day is not None:
                chance = chance * ~last
            target = np.ravel_multi_index((np.full(c.size, d), (h + 1) % slots, np.full(c.size, y), e + move[j]), shape)
            balance = balance - sparse.csr_array((chance, (target, column)), (size, c.size))
    right = np.zeros(shape)
    if economy.one_day is not None:
        charge = economy.one_day.charge_law if battery else np.ones(1)
        right[:, 0] = economy.common.probability[:, None, None] * economy.shock_probability[:, None] * charge
    rules = [balance @ mass == right.ravel()]
    if economy.one_day is None:
        rules.append(cvxpy.sum(mass[h == 0]) == 1)

    # by weather, slot, shock and move, the levels summed
    shape = (states, slots, shocks, move.size)
    size = int(np.prod(shape))
    group = sparse.csr_array((np.ones(c.size), (np.ravel_multi_index((c, h, z, j), shape), column)), (size, c.size))
    done = group @ mass
    c, h, z, j = (a.ravel() for a in np.indices(shape))
    power_kw, wear_usd = np.zeros(move.size), np.zeros(move.size)
    if battery is not None:
        power_kw = step_kwh / hours * np.where(move > 0, move / battery.charge_efficiency, 0.0)
        power_kw += step_kwh / hours * np.where(move < 0, move * battery.discharge_efficiency, 0.0)
        wear_usd = battery.wear_usd_per_kwh * step_kwh * np.abs(move)
    wanted_kw = household.reference_kw[c, h] * economy.shock_levels[z]  # positive everywhere in these worlds
    free_kw = household.pv_kw[c, h] - power_kw[j]
    cost = wear_usd[j] @ done
    if economy.one_day is not None:
        stored = float(economy.one_day.charge_law @ np.arange(levels)) if battery else 0.0
        left_kwh = step_kwh * (stored + move[j] @ done)
        cost = cost - economy.one_day.salvage_usd_per_kwh * left_kwh

    def used(done: Any) -> tuple[Any, Any]:
        """Use of so many households, and what it costs them that they enjoy."""
        if household.elasticity == 0:
            return cvxpy.multiply(wanted_kw, done), 0.0
        more, bend = cvxpy.Variable(size), cvxpy.Variable(size)
        rules.append(cvxpy.abs(more) <= household.flexibility * cvxpy.multiply(wanted_kw, done))
        rules.append(cvxpy.SOC(bend + done, cvxpy.vstack([2 * more, bend - done])))  # more² ≤ bend · done
        curvature = 1 / (2 * household.elasticity * wanted_kw)
        enjoyed = hours * household.reference_price_usd_per_kwh * (cvxpy.sum(more) - curvature @ bend)
        return cvxpy.multiply(wanted_kw, done) + more, -enjoyed

    today, tariff = economy.common.today[c], tariff.of(household)
    kept = 1 - float(tariff.discount[household.group])
    posted, credit = kept * tariff.energy_usd_per_kwh[today, h], tariff.export_usd_per_kwh[today, h]
    if tariff.capped_at_import:
        credit = np.minimum(credit, posted)
    if parting:
        net, parts = 0.0, []
        for sign, rate in ((1, posted), (-1, credit)):
            part, spilt = cvxpy.Variable(size, nonneg=True), cvxpy.Variable(size, nonneg=True)
            rules.append(spilt <= household.curtailable * cvxpy.multiply(household.pv_kw[c, h], part))
            use, less = used(part)
            own = use - cvxpy.multiply(free_kw, part) + spilt
            rules.append(sign * own >= 0)
            cost, net = cost + less + hours * (rate @ own), net + own
            parts.append(part)
        rules.append(sum(parts) == done)
    else:
        use, less = used(done)
        net = use - cvxpy.multiply(free_kw, done)
        cost = cost + less
        if tariff.export_rule is ExportRule.NET_METERING:
            cost = cost + hours * (posted @ net)
        else:
            sold = cvxpy.Variable(size, nonneg=True)
            rules.append(net + sold >= 0)
            cost = cost + hours * (posted @ (net + sold) - credit @ sold)
    by_slot = sparse.csr_array((np.full(size, hours), (c * slots + h, np.arange(size))), (states * slots, size))
    return Plan(rules, by_slot @ net, cost)


def supply_cost(economy: Economy, load_kw: Any, weight: Floats, rules: list[Any]) -> Any:
    """Expected cost of loads (c·h,): the curve is filled piece by piece, and a piece is a line. [USD a day]"""
    supply = economy.supply
    assert (supply.coefficients[:, 2:] == 0).all()
    ends, slopes = supply.breaks_kw, supply.coefficients[:, 1]
    start = float(ends[0]) if ends.size else 0.0
    total = float(supply.cost(np.array([start]))[0]) * weight.sum()
    filled: Any = start
    for piece, slope in enumerate(slopes):
        own = cvxpy.Variable(weight.size)
        corner = start if piece == 0 else float(ends[piece - 1])  # the first piece is filled downward from its end
        if piece > 0:
            rules.append(own >= 0)
        if piece < ends.size:
            rules.append(own <= (0.0 if piece == 0 else float(ends[piece] - ends[piece - 1])))
        price = supply.coefficients[piece, 0] + slope * corner
        total = total + price * (weight @ own) + slope / 2 * cvxpy.sum(cvxpy.multiply(weight, own**2))
        filled = filled + own
    rules.append(load_kw == filled)
    return total


def passed(tariff: Tariff, household: HouseholdType) -> float:
    """Share κ_θ of the wholesale price in the import rate that a type pays."""
    own = tariff.of(household)
    return (1 - float(own.discount[household.group])) * own.pass_through


def least_cost(economy: Economy, tariff: Tariff, parting: bool) -> tuple[Floats, Floats, float]:
    """Wholesale price and load of the whole system (c, h) where the program is least, and its value."""
    plans = [plan(economy, tariff, household, parting) for household in economy.types]
    weight = np.repeat(economy.common.probability, economy.slots) * economy.slot_hours
    net_kwh = sum(t.share * p.net_load_kwh for t, p in zip(economy.types, plans, strict=True))
    load_kw = cvxpy.Variable(weight.size)
    weights = [t.share / passed(tariff, t) for t in economy.types]
    own = sum(weight * p.cost_usd for weight, p in zip(weights, plans, strict=True))
    rules = [rule for p in plans for rule in p.rules]
    rules.append(load_kw == cvxpy.multiply(net_kwh, 1 / weight) + economy.rest_load_kw.ravel())
    supply = supply_cost(economy, load_kw, weight, rules)
    problem = cvxpy.Problem(cvxpy.Minimize(supply + own), rules)
    problem.solve(solver=cvxpy.CLARABEL, tol_gap_abs=ASKED, tol_gap_rel=ASKED, tol_feas=ASKED)
    assert problem.status == cvxpy.OPTIMAL
    load = load_kw.value.reshape(economy.rest_load_kw.shape)
    return economy.supply.price(load), load, float(problem.value)


def beside_others(economy: Economy, tariff: Tariff, parting: bool) -> Economy:
    """Types that pay a share of the wholesale price; the others' load, of a program each, is added to the rest's."""
    follows = [passed(tariff, household) > 0 for household in economy.types]
    rest_kw = np.array(economy.rest_load_kw)
    weight = np.repeat(economy.common.probability, economy.slots) * economy.slot_hours
    for household, follow in zip(economy.types, follows, strict=True):
        if not follow:
            own = plan(economy, tariff, household, parting)
            problem = cvxpy.Problem(cvxpy.Minimize(own.cost_usd), own.rules)
            problem.solve(solver=cvxpy.CLARABEL, tol_gap_abs=ASKED, tol_gap_rel=ASKED, tol_feas=ASKED)
            assert problem.status == cvxpy.OPTIMAL
            rest_kw += household.share * (own.net_load_kwh.value / weight).reshape(rest_kw.shape)
    types = tuple(household for household, follow in zip(economy.types, follows, strict=True) if follow)
    return replace(economy, types=types, rest_load_kw=rest_kw)


def held_kw(found: Equilibrium) -> Floats:
    """Load (c, h) of the types that pay no share of the wholesale price. [kW per household]"""
    held = np.array([passed(found.tariff, household) == 0 for household in found.economy.types])
    return np.asarray(np.tensordot(held * found.economy.type_share, found.type_net_load_kw, axes=1))


def minus_potential(found: Equilibrium) -> float:
    """−F at the equilibrium: what the households gain, in the program's terms. [USD per household-day]"""
    economy, price = found.economy, found.wholesale_usd_per_kwh
    load_kw = found.net_load_kw + economy.rest_load_kw
    conjugate = price * load_kw - economy.supply.cost(load_kw)  # at an equilibrium the price is s(load)
    slopes = [passed(found.tariff, household) for household in economy.types]
    rate = conjugate - price * (economy.rest_load_kw + held_kw(found))
    energy = float(economy.common.probability @ rate.sum(axis=1)) * economy.slot_hours
    rows = zip(economy.types, found.answer.responses, slopes, strict=True)
    return -energy - sum(t.share * r.gain_usd_per_day / slope for t, r, slope in rows if slope > 0)


def assert_same_equilibrium(economy: Economy, tariff: Tariff, *, parting: bool = False) -> Equilibrium:
    """Solve both ways.

    Supply is no steeper than b, so a plan that costs g more than the best one has p Δ (λ − λ*)²/(2 b) ≤ g, which is
    |λ − λ*| ≤ √(2 b g/(p Δ)).
    """
    found = solve_equilibrium(economy, tariff, certify=False)
    assert found.converged
    assert "unique by Theorem U" in found.uniqueness
    assert not found.uniqueness.startswith("observed only")
    part = beside_others(economy, tariff, parting)
    price, load_kw, value = least_cost(part, tariff, parting)
    net_load_kw = load_kw - economy.rest_load_kw
    steepness = float(economy.supply.coefficients[:, 1].max())
    weight = economy.common.probability[:, None] * economy.slot_hours
    rarest = weight.min()
    # use is known to the root of what it costs to miss it, U'' = −p0/(ε q0); F moves by λ with the load held
    apart_kw = part.rest_load_kw - economy.rest_load_kw - held_kw(found)
    bend = max(t.elasticity * t.reference_kw.max() / t.reference_price_usd_per_kwh for t in economy.types)
    assert np.abs(apart_kw).max() <= (2 * bend * REACHED_USD / rarest) ** 0.5 + REACHED_USD
    moved = float((weight * found.wholesale_usd_per_kwh * apart_kw).sum())
    curved = steepness * float((weight * apart_kw**2).sum())
    assert minus_potential(found) + moved == pytest.approx(value, abs=REACHED_USD + curved)
    allowed = (2 * steepness * REACHED_USD / rarest) ** 0.5 + steepness * np.abs(apart_kw).max()
    assert np.abs(price - found.wholesale_usd_per_kwh).max() <= allowed < 5e-5
    load = found.net_load_kw + economy.rest_load_kw
    both = [economy.supply.slope(load + away) for away in (-1e-3, 1e-3)]
    rises = np.min(both, axis=0) > 0.9 * steepness  # where the price says the load
    assert net_load_kw[rises] == pytest.approx(found.net_load_kw[rises], abs=2 * allowed / steepness)
    return found


def storing_textbook(*overrides: str) -> Economy:
    """The textbook at temperature 0 with a battery beside every PV system."""
    return preset_economy(
        "textbook",
        "temperature_usd=0",
        "battery_levels=11",
        *(f"income_groups.{group}.storage_share_of_pv=1.0" for group in ("middle", "high")),
        *overrides,
    )


def real_time(rule: ExportRule, pass_through: float, markup: float = 0.04) -> Tariff:
    """A posted price and a share of the wholesale price; exports earn ``markup`` less where they are billed."""
    tariff = preset_tariff("textbook", "rtp")
    energy = np.full_like(tariff.energy_usd_per_kwh, 0.06)
    return replace(
        tariff,
        export_rule=rule,
        pass_through=pass_through,
        export_pass_through=pass_through,
        energy_usd_per_kwh=energy,
        export_usd_per_kwh=energy - markup,
    )


@pytest.mark.parametrize("elasticity", [0.0, 0.3])
@pytest.mark.parametrize(
    ("rule", "pass_through"),
    [(ExportRule.NET_METERING, 1.0), (ExportRule.NET_BILLING, 1.0), (ExportRule.NET_BILLING, 0.5)],
)
def test_the_textbook_has_the_price_of_the_least_cost(rule: ExportRule, pass_through: float, elasticity: float) -> None:
    economy = storing_textbook(f"elasticity={elasticity}")
    assert_same_equilibrium(economy, real_time(rule, pass_through))


@pytest.mark.parametrize("elasticity", [0.0, 0.3])
@pytest.mark.parametrize("rule", [ExportRule.NET_METERING, ExportRule.NET_BILLING])
def test_so_has_a_world_whose_weather_turns(rule: ExportRule, elasticity: float) -> None:
    economy = small_economy(temperature_usd=0.0, slots=6, levels=5, elasticity=elasticity, weather=WEATHER)
    credit = np.full((3, 6), 0.0 if rule is ExportRule.NET_BILLING else 0.02)
    assert_same_equilibrium(economy, small_tariff(economy, export_rule=rule, export_usd_per_kwh=credit))


@pytest.mark.parametrize("elasticity", [0.0, 0.3])
@pytest.mark.parametrize("name", DISCOUNTED)
def test_so_has_a_world_in_which_groups_pay_different_shares_of_the_price(name: str, elasticity: float) -> None:
    economy, tariff = discounted(name, temperature_usd=0.0, slots=4, elasticity=elasticity)
    assert tariff.discount.any()
    assert_same_equilibrium(economy, tariff)


@pytest.mark.parametrize("elasticity", [0.0, 0.3])
@pytest.mark.parametrize("name", WORLDS)
def test_so_has_a_world_in_which_rate_classes_pay_different_shares_of_the_price(name: str, elasticity: float) -> None:
    economy = small_economy(temperature_usd=0.0, slots=4, levels=5, elasticity=elasticity)
    tariff = WORLDS[name](economy)
    assert len({passed(tariff, household) for household in economy.types}) > 1
    assert_same_equilibrium(economy, tariff)


def test_so_has_a_single_day_with_discounts() -> None:
    economy, tariff = discounted("net metering, two discounts", temperature_usd=0.0, slots=4, levels=5)
    single = OneDay(charge_law=np.array([0.1, 0.4, 0.2, 0.0, 0.3]), salvage_usd_per_kwh=0.08)
    assert_same_equilibrium(replace(economy, one_day=single), tariff)


@pytest.mark.parametrize("salvage", [0.0, 0.12])
def test_so_has_a_single_day(salvage: float) -> None:
    economy = storing_textbook("one_day.charge=uniform", f"one_day.salvage_usd_per_kwh={salvage}")
    assert_same_equilibrium(economy, real_time(ExportRule.NET_BILLING, 1.0))


def test_so_has_a_single_day_of_uncertain_weather() -> None:
    economy = small_economy(temperature_usd=0.0, slots=6, levels=5, weather=WEATHER)
    single = OneDay(charge_law=np.array([0.1, 0.4, 0.2, 0.0, 0.3]), salvage_usd_per_kwh=0.08)
    economy = replace(economy, one_day=single)
    assert_same_equilibrium(economy, small_tariff(economy, pass_through=0.6, export_pass_through=0.6))


def sunny(elasticity: float, supply: SupplyCurve, *, weather: Floats = WEATHER, slots: int = 4) -> Economy:
    """Half the homes have solar and a battery; half of these have four times the others' sun, and can curtail it."""
    economy = small_economy(temperature_usd=0.0, slots=slots, elasticity=elasticity, weather=weather, seed=2)
    types = tuple(
        replace(home, pv_kw=(4.0 if home.group == 0 else 1.0) * home.pv_kw, curtailable=home.group == 0)
        for home in economy.types
    )
    return replace(economy, types=types, supply=supply)


FLOORS = {
    "a floor above zero": SupplyCurve.polynomial([-0.02, 0.1], floor_usd_per_kwh=0.02),
    "a floor at zero": SupplyCurve.polynomial([-0.02, 0.1], floor_usd_per_kwh=0.0),
    "a floor below zero": SupplyCurve.polynomial([-0.02, 0.1], floor_usd_per_kwh=-0.01),
    "no floor": SupplyCurve.polynomial([-0.02, 0.1]),
    "a shelf at zero": SupplyCurve.piecewise_linear([-1.5, -0.4, 0.2, 1.5], [-0.1, 0.0, 0.0, 0.13]),
}


@pytest.mark.parametrize("elasticity", [0.0, 0.3])
@pytest.mark.parametrize("floor", FLOORS)
def test_so_has_a_world_in_which_sun_is_curtailed(floor: str, elasticity: float) -> None:
    """Where more sun than anybody wants is given away at zero, or costs more than that."""
    economy = sunny(elasticity, FLOORS[floor])
    tariff = small_tariff(economy, energy_usd_per_kwh=np.zeros((3, 4)), export_usd_per_kwh=np.zeros((3, 4)))
    found = assert_same_equilibrium(economy, tariff, parting=True)
    least = found.wholesale_usd_per_kwh.min()
    if floor == "a floor above zero":
        assert least == pytest.approx(0.02, abs=1e-9)
        assert found.curtailed_kwh_per_household_day == 0.0
    if floor in ("a floor below zero", "no floor"):
        assert found.curtailed_kwh_per_household_day > 0.1
        assert (np.abs(found.wholesale_usd_per_kwh) < 1e-9).any()


@pytest.mark.parametrize("elasticity", [0.0, 0.3])
@pytest.mark.parametrize("floor", ["a floor below zero", "a shelf at zero"])
def test_so_has_a_world_in_which_exports_earn_more_than_imports_cost(floor: str, elasticity: float) -> None:
    economy = sunny(elasticity, FLOORS[floor])
    credit = np.full((3, 4), 0.05)
    tariff = small_tariff(economy, energy_usd_per_kwh=credit - 0.08, export_usd_per_kwh=credit)
    assert_same_equilibrium(economy, tariff, parting=True)


def test_so_has_a_world_in_which_the_price_rests_where_households_part() -> None:
    """Supply is steep, and exports earn so much more that between buying and selling there is a wide jump."""
    economy = sunny(0.3, SupplyCurve.polynomial([0.05, 0.25]), weather=np.ones((1, 1)))
    credit = np.full((1, 4), 0.05)
    tariff = small_tariff(economy, energy_usd_per_kwh=credit - 0.3, export_usd_per_kwh=credit)
    found = assert_same_equilibrium(economy, tariff, parting=True)
    assert parts_somewhere(found.answer)


def test_the_program_in_which_households_part_is_that_in_which_they_do_not_where_nobody_gains_by_it() -> None:
    economy = small_economy(temperature_usd=0.0, slots=4, levels=4)
    credit = np.full((3, 4), 0.01)
    assert_same_equilibrium(economy, small_tariff(economy, export_usd_per_kwh=credit), parting=True)


@pytest.mark.parametrize("elasticity", [0.0, 0.3])
@pytest.mark.parametrize("floor", FLOORS)
def test_the_planner_finds_the_least_cost_where_sun_is_curtailed(floor: str, elasticity: float) -> None:
    """The program with no posted rate is the planner's, but for what the rest of the system costs alone."""
    economy = replace(sunny(elasticity, FLOORS[floor]), carbon_usd_per_t=0.0)
    tariff = small_tariff(economy, energy_usd_per_kwh=np.zeros((3, 4)), export_usd_per_kwh=np.zeros((3, 4)))
    _, _, value = least_cost(economy, tariff, True)
    rest = economy.supply.cost(economy.rest_load_kw).sum(axis=1)
    alone = float(economy.common.probability @ rest) * economy.slot_hours
    best = solve_first_best(economy)
    assert best.converged
    cost = best.social_cost_usd_per_household_day - economy.fixed_cost_usd_per_day + alone
    assert value - REACHED_USD <= cost <= value + best.duality_gap_usd + REACHED_USD
    assert (best.curtailed_kwh_per_household_day > 0.1) == (
        floor in ("a floor below zero", "no floor", "a shelf at zero")
    )
