"""The planner's optimum: certified by its gap, reached by marginal-cost pricing, beaten by no tariff."""

from dataclasses import replace

import numpy as np
import pytest
from scenarios import (
    preset_economy,
    preset_tariff,
    small_battery,
    small_economy,
    small_household,
    small_tariff,
    solved,
    toy,
    welfare,
)
from scipy.optimize import linprog

from meanwatt.agents.household.battery import Battery, grid_power_kw, moves, wear_usd
from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.model.mean_field.certificates import softmax_bound_usd_per_day
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.mean_field.first_best import GAP_USD_PER_DAY, FirstBest, solve_first_best
from meanwatt.model.progress.watch import Cancelled, Progress, Watch
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.supply import SupplyCurve


@pytest.fixture(scope="module")
def textbook() -> FirstBest:
    return solve_first_best(preset_economy("textbook"))


@pytest.mark.parametrize("preset", ["textbook", "oahu", "stress"])
def test_the_duality_gap_closes_on_the_presets(preset: str) -> None:
    best = solve_first_best(preset_economy(preset))
    assert best.converged
    assert 0 <= best.duality_gap_usd <= GAP_USD_PER_DAY <= 1e-5
    assert best.welfare_usd_per_household_day == pytest.approx(
        -best.social_cost_usd_per_household_day + best.duality_gap_usd, abs=1e-12
    )


@pytest.mark.parametrize("name", ["flat", "tou", "rtp", "two_part", "income_graduated", "filed"])
def test_no_tariff_beats_the_first_best(name: str, textbook: FirstBest) -> None:
    found = solved("textbook", name)
    assert welfare(found.economy, found.answer) <= textbook.welfare_usd_per_household_day


@pytest.mark.parametrize("temperature", [0.02, 0.01, 0.005])
def test_marginal_cost_pricing_misses_the_first_best_by_no_more_than_sloppiness(
    temperature: float, textbook: FirstBest
) -> None:
    override = f"temperature_usd={temperature}"
    found = solved("textbook", "rtp", override)  # the wholesale price plus 2.5 cents, its carbon
    gap = textbook.welfare_usd_per_household_day - welfare(found.economy, found.answer)
    assert 0 <= gap <= softmax_bound_usd_per_day(found.economy) + textbook.duality_gap_usd


def test_colder_households_come_closer_to_the_first_best(textbook: FirstBest) -> None:
    reached = [
        welfare(found.economy, found.answer)
        for found in (solved("textbook", "rtp", f"temperature_usd={eta}") for eta in (0.02, 0.01, 0.005))
    ]
    assert (np.diff(reached) > 0).all()
    assert reached[-1] < textbook.welfare_usd_per_household_day


def test_prices_and_loads_of_cold_households_under_marginal_cost_pricing_approach_the_optimum() -> None:
    economy = small_economy(temperature_usd=0.002)
    found = solve_equilibrium(economy, marginal_cost_tariff(economy), certify=False)
    best = solve_first_best(economy)
    assert found.wholesale_usd_per_kwh == pytest.approx(best.wholesale_usd_per_kwh, abs=2e-3)
    gap = best.welfare_usd_per_household_day - welfare(economy, found.answer)
    assert 0 <= gap <= softmax_bound_usd_per_day(economy)


def marginal_cost_tariff(economy: Economy) -> object:
    """Wholesale price plus carbon, for imports and exports alike."""
    carbon = economy.carbon_usd_per_t * float(economy.supply.emissions_t_per_kwh[0])
    posted = np.full((len(economy.common.day_types), economy.slots), carbon)
    return small_tariff(economy, energy_usd_per_kwh=posted, export_usd_per_kwh=posted, recovery=Recovery.FIXED)


def test_wholesale_price_and_load_belong_together(textbook: FirstBest) -> None:
    economy = preset_economy("textbook")
    price = economy.supply.price(textbook.net_load_kw + economy.rest_load_kw)
    assert textbook.wholesale_usd_per_kwh == pytest.approx(price, abs=1e-14)


def test_without_batteries_the_optimum_is_a_closed_form() -> None:
    """With supply a + b x and demand Q (1 + ε (1 − p/p0)) the social price solves one linear equation a slot."""
    economy = preset_economy("textbook", "battery_share_scale=0")
    best = solve_first_best(economy)
    a, b, epsilon, p0 = 0.05, 0.10, 0.10, 0.185
    carbon = 50 * 0.5 / 1000
    load_kw = economy.mean_reference_kw[0]
    sun_kw = sum(t.share * t.pv_kw[0] for t in economy.types)
    # p = a + carbon + b (Q (1 + ε − ε p / p0) − sun)
    price = (a + carbon + b * (load_kw * (1 + epsilon) - sun_kw)) / (1 + b * epsilon * load_kw / p0)
    use_kw = load_kw * (1 + epsilon * (1 - price / p0))
    net_kw = use_kw - sun_kw
    assert best.net_load_kw[0] == pytest.approx(net_kw, abs=1e-9)
    assert best.wholesale_usd_per_kwh[0] == pytest.approx(price - carbon, abs=1e-9)
    deviation_kw = use_kw - load_kw
    utility = p0 * (deviation_kw - deviation_kw**2 / (2 * epsilon * load_kw))
    cost = (a + carbon) * net_kw + b / 2 * net_kw**2 - utility
    total = cost.sum() + economy.fixed_cost_usd_per_day
    assert best.social_cost_usd_per_household_day == pytest.approx(total, abs=1e-9)
    assert best.duality_gap_usd <= 1e-9


def cutting_planes(economy: Economy, battery: Battery, share: float) -> tuple[float, float]:
    """Bounds on the least social cost with inelastic demand: tangents of the supply cost, linear programs over plans.

    A plan is the frequency x[c, h, e, j] of level and move under the weather chain; the mean battery power is
    ``share`` times its power. Kelley's method: the cost rate t[c, h] lies above all tangents collected so far.
    """
    states, slots = economy.rest_load_kw.shape
    delta, chance, kernel = economy.slot_hours, economy.common.probability, economy.common.kernel
    social = economy.supply.shifted_by_carbon(economy.carbon_usd_per_t)
    move = moves(battery, delta)
    power_kw, wear = grid_power_kw(battery, move, delta), wear_usd(battery, move)
    base_kw = sum(t.share * (t.reference_kw - t.pv_kw) for t in economy.types) + economy.rest_load_kw
    places = [
        (c, h, e, j)
        for c, h, e in np.ndindex(states, slots, battery.levels)
        for j in range(move.size)
        if 0 <= e + move[j] < battery.levels
    ]
    rows = {place: k for k, place in enumerate(np.ndindex(states, slots, battery.levels))}
    balance = np.zeros((len(rows) + 1, len(places) + states * slots))
    to_power = np.zeros((states * slots, len(places)))
    objective = np.zeros(len(places) + states * slots)
    for k, (c, h, e, j) in enumerate(places):
        balance[rows[c, h, e], k] += 1
        for d in range(states):
            weather = kernel[c, d] if h == slots - 1 else float(c == d)
            balance[rows[d, (h + 1) % slots, e + move[j]], k] -= weather
        balance[-1, k] = float(h == 0)
        to_power[c * slots + h, k] = share * power_kw[j] / chance[c]  # x is joint with the weather
        objective[k] = share * wear[j]
    objective[len(places) :] = np.repeat(chance, slots) * delta
    right = np.zeros(len(rows) + 1)
    right[-1] = 1
    offset = float(chance @ (social.cost(economy.rest_load_kw)).sum(axis=1)) * delta - economy.fixed_cost_usd_per_day
    cuts, limits = [], []
    load_kw, upper, lower = base_kw.ravel().copy(), np.inf, -np.inf
    for _ in range(200):
        price, cost = social.price(load_kw), social.cost(load_kw)
        for k in range(states * slots):  # t ≥ S(x̂) + s(x̂)(base + power − x̂)
            cut = np.zeros(objective.size)
            cut[: len(places)] = price[k] * to_power[k]
            cut[len(places) + k] = -1
            cuts.append(cut)
            limits.append(price[k] * (load_kw[k] - base_kw.ravel()[k]) - cost[k])
        bounds = [(0, None)] * len(places) + [(None, None)] * (states * slots)
        found = linprog(objective, A_ub=np.array(cuts), b_ub=limits, A_eq=balance, b_eq=right, bounds=bounds)
        assert found.status == 0
        plan = found.x[: len(places)]
        load_kw = base_kw.ravel() + to_power @ plan
        lower = max(lower, found.fun)
        upper = min(upper, objective[: len(places)] @ plan + objective[len(places) :] @ social.cost(load_kw))
        if upper - lower < 1e-7:
            break
    return lower - offset, upper - offset


@pytest.mark.parametrize("steepness", [0.1, 0.5])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_optimum_lies_between_the_bounds_of_a_cutting_plane_method(seed: int, steepness: float) -> None:
    economy = small_economy(elasticity=0.0, steepness=steepness, seed=seed)
    lower, upper = cutting_planes(economy, small_battery(), 0.5)
    assert upper - lower < 1e-6
    best = solve_first_best(economy)
    assert best.converged
    assert best.social_cost_usd_per_household_day >= lower - 1e-9
    assert -best.welfare_usd_per_household_day <= upper + 1e-9
    assert best.social_cost_usd_per_household_day == pytest.approx(upper, abs=2e-5)


def best_mean_cycle(battery: Battery, price: np.ndarray, slot_hours: float) -> float:
    """Least daily cost of one battery at given prices, one kind of day: Karp's mean of a cycle over midnight levels."""
    move = moves(battery, slot_hours)
    usd = wear_usd(battery, move) + 0.0
    power_kw = grid_power_kw(battery, move, slot_hours)
    day = np.full((battery.levels, battery.levels), np.inf)
    np.fill_diagonal(day, 0.0)
    for h in range(price.size):
        later = np.full_like(day, np.inf)
        for e in range(battery.levels):
            for j, m in enumerate(move):
                if 0 <= e + m < battery.levels:
                    cost = usd[j] + slot_hours * price[h] * power_kw[j]
                    later[:, e + m] = np.minimum(later[:, e + m], day[:, e] + cost)
        day = later
    walks = [np.zeros(battery.levels)]
    for _ in range(battery.levels):
        walks.append((walks[-1][:, None] + day).min(axis=0))
    longest = len(walks) - 1
    return min(
        max((walks[longest][e] - walks[k][e]) / (longest - k) for k in range(longest)) for e in range(battery.levels)
    )


def test_the_gap_of_the_textbook_optimum_is_confirmed_by_the_best_cycle(textbook: FirstBest) -> None:
    """Weak duality, all by hand: no plan for the batteries costs less than the best cycle at the optimal prices."""
    economy = preset_economy("textbook")
    battery = next(t.battery for t in economy.types if t.battery)
    share = sum(t.share for t in economy.types if t.battery)
    price = textbook.wholesale_usd_per_kwh[0] + 0.025
    load_kw = economy.mean_reference_kw[0]
    use_kw = load_kw * np.clip(1 + 0.1 * (1 - price / 0.185), 0.5, 1.5)
    sun_kw = sum(t.share * t.pv_kw[0] for t in economy.types)
    battery_kw = textbook.net_load_kw[0] - use_kw + sun_kw
    utility = 0.185 * ((use_kw - load_kw) - (use_kw - load_kw) ** 2 / (2 * 0.1 * load_kw))
    net_kw = textbook.net_load_kw[0]
    without_wear = (0.075 * net_kw + 0.05 * net_kw**2 - utility).sum() + economy.fixed_cost_usd_per_day
    wear = textbook.social_cost_usd_per_household_day - without_wear
    moved_kwh = np.maximum(battery_kw, 0).sum() * battery.charge_efficiency
    assert wear >= 2 * 0.03 * moved_kwh - 1e-6, "what goes in comes out, and wears both ways"
    gap = price @ battery_kw + wear - share * best_mean_cycle(battery, price, 1.0)
    assert -1e-9 <= gap <= 2e-5


def test_batteries_help_the_planner_the_less_the_more_there_are() -> None:
    scales = np.array([0, 0.1, 0.2, 0.3, 0.5, 1.0])
    found = [solve_first_best(preset_economy("textbook", f"battery_share_scale={scale}")) for scale in scales]
    each = np.diff([best.welfare_usd_per_household_day for best in found]) / np.diff(scales)
    rounding = 2 * GAP_USD_PER_DAY / 0.1
    assert each[0] > 0.01
    assert (each >= -rounding).all()
    assert (np.diff(each) <= rounding).all()


def test_two_makes_of_battery_do_at_least_as_well_as_either_alone() -> None:
    weak = small_battery(power_limit_kw=0.15, charge_efficiency=0.8)

    def with_batteries(first: Battery | None, second: Battery | None) -> float:
        types = tuple(
            small_household(
                income_group=group, group=index, share=0.5, battery=battery, technology="pv_battery", seed=5
            )
            for index, (group, battery) in enumerate((("low", first), ("high", second)))
        )
        best = solve_first_best(replace(small_economy(), types=types))
        assert best.converged
        return best.welfare_usd_per_household_day

    both = with_batteries(small_battery(), weak)
    assert both >= max(with_batteries(small_battery(), None), with_batteries(None, weak)) - 1e-9
    assert both <= with_batteries(small_battery(), small_battery()) + 1e-5


def test_fixed_cost_moves_the_welfare_and_nothing_else(textbook: FirstBest) -> None:
    dearer = solve_first_best(preset_economy("textbook", "fixed_cost_usd_per_month=60"))
    assert textbook.welfare_usd_per_household_day - dearer.welfare_usd_per_household_day == pytest.approx(30 * 12 / 365)
    assert dearer.net_load_kw == pytest.approx(textbook.net_load_kw, abs=1e-12)


@pytest.mark.parametrize("override", ["temperature_usd=1.0", "discount_per_day=0.9", "value_rule=boltzmann"])
def test_how_households_decide_does_not_matter_to_the_planner(override: str, textbook: FirstBest) -> None:
    best = solve_first_best(preset_economy("textbook", override))
    assert best.welfare_usd_per_household_day == pytest.approx(textbook.welfare_usd_per_household_day, abs=1e-12)


def test_the_planner_weighs_carbon() -> None:
    nodes_kw, prices = [0.0, 0.4, 0.8, 2.0], [0.05, 0.06, 0.12, 0.3]
    merit_order = SupplyCurve.piecewise_linear(nodes_kw, prices, emissions_t_per_kwh=0.0009)
    economy = replace(small_economy(), supply=merit_order)
    careless, careful = (solve_first_best(replace(economy, carbon_usd_per_t=usd)) for usd in (0.0, 300.0))
    assert careless.converged
    assert careful.converged
    chance = economy.common.probability
    assert chance @ careful.net_load_kw.sum(axis=1) < chance @ careless.net_load_kw.sum(axis=1)


def test_a_social_cost_that_falls_with_load_is_refused_in_words() -> None:
    dirty_first = SupplyCurve.piecewise_linear([0, 1, 2], [0.05, 0.06, 0.10], emissions_t_per_kwh=[0.001, 0.0])
    economy = replace(small_economy(), supply=dirty_first, carbon_usd_per_t=200.0)
    with pytest.raises(ValueError, match="with carbon at 200 USD/t the supply curve falls with load near 1 kW"):
        solve_first_best(economy)


def test_the_planner_reports_and_can_be_stopped() -> None:
    heard: list[Progress] = []
    solve_first_best(preset_economy("textbook"), watch=Watch(progress=heard.append))
    assert {p.stage for p in heard} == {"first best"}
    assert [p.evaluations for p in heard] == list(range(1, len(heard) + 1))
    with pytest.raises(Cancelled):
        solve_first_best(preset_economy("textbook"), watch=Watch(cancelled=lambda: True))


def test_a_tariff_away_from_marginal_cost_leaves_more_on_the_table(textbook: FirstBest) -> None:
    lost = {
        name: textbook.welfare_usd_per_household_day - welfare(found.economy, found.answer)
        for name, found in ((name, solved("textbook", name)) for name in ("flat", "tou", "rtp"))
    }
    assert lost["rtp"] < min(lost["flat"], lost["tou"])
    assert preset_tariff("textbook", "rtp").pass_through == 1


@pytest.mark.parametrize(
    ("supply", "curtailable"),
    [
        (SupplyCurve.polynomial([-0.1, 0.4]), True),
        (SupplyCurve.polynomial([-0.1, 0.4]), False),
        (SupplyCurve.polynomial([-0.1, 0.4], floor_usd_per_kwh=-0.03), True),
        (SupplyCurve.polynomial([-0.1, 0.4], floor_usd_per_kwh=0.0), True),
        (SupplyCurve.polynomial([-0.1, 0.4], floor_usd_per_kwh=0.02), True),
        (SupplyCurve.piecewise_linear([-0.5, -0.2, 0.4, 1.0], [-0.1, 0.0, 0.0, 0.3]), True),
        (SupplyCurve.polynomial([-0.6, 0.1]), True),
    ],
)
def test_no_use_and_no_curtailment_on_a_grid_costs_the_planner_less(supply: SupplyCurve, curtailable: bool) -> None:
    """One kind of home without battery: use q and sun p in [0, 2] by brute force, S(q − p) − U(q) for 24 hours.

    Both are a grid step apart from the best at most; there the cost is flat or, at an end of a range, attained.
    """
    home = toy(0.0, supply=supply, pv_kw=np.full((1, 3), 2.0), curtailable=curtailable)
    economy = replace(home, carbon_usd_per_t=0.0)
    best = solve_first_best(economy)
    one = economy.types[0]
    use_kw, sun_kw = np.linspace(0.1, 1.9, 3601)[:, None], np.linspace(0.0, 2.0, 4001 if curtailable else 2)[None]
    if not curtailable:
        sun_kw = sun_kw[:, -1:]
    away = use_kw - 1.0
    utility = one.reference_price_usd_per_kwh * (away - away**2 / (2 * one.elasticity))
    cost = supply.cost(use_kw - sun_kw) - utility
    least = float(cost.min())
    social = (best.social_cost_usd_per_household_day - economy.fixed_cost_usd_per_day) / 24
    assert social <= least + 1e-12
    assert social == pytest.approx(least, abs=1e-6)
    enough = cost <= least + 1e-9
    spilt = 2.0 - np.broadcast_to(sun_kw, cost.shape)[enough]
    step = 2.0 / 4000
    assert spilt.min() - 2 * step <= best.curtailed_kw.min() <= best.curtailed_kw.max() <= spilt.max() + 2 * step
    assert best.curtailed_kwh_per_household_day == pytest.approx(best.curtailed_kw.sum() * economy.slot_hours)
    if not curtailable or supply.price(-2.0) >= 0:
        assert best.curtailed_kwh_per_household_day == 0.0


def test_the_planner_curtails_what_would_bring_the_price_below_zero() -> None:
    """Marginal-cost pricing at temperature 0 is the planner's optimum with curtailed sun, too."""
    economy = small_economy(
        temperature_usd=0.0, weather=np.ones((1, 1)), elasticity=0.3, battery_share=0.7, **{"carbon.usd_per_t": 0.0}
    )
    economy = replace(economy, supply=SupplyCurve.polynomial([-0.1, 0.3]))
    shape = (1, economy.slots)
    tariff = small_tariff(economy, energy_usd_per_kwh=np.zeros(shape), export_usd_per_kwh=np.zeros(shape))
    found, best = solve_equilibrium(economy, tariff, certify=False), solve_first_best(economy)
    assert found.converged
    assert best.converged
    assert (best.wholesale_usd_per_kwh >= -1e-9).all()
    assert (np.abs(best.wholesale_usd_per_kwh) <= 1e-9).any()
    assert welfare(economy, found.answer) == pytest.approx(best.welfare_usd_per_household_day, abs=2e-5)
    assert best.curtailed_kwh_per_household_day > 0.1
    forced = replace(economy, types=tuple(replace(home, curtailable=False) for home in economy.types))
    assert solve_first_best(forced).welfare_usd_per_household_day < best.welfare_usd_per_household_day - 1e-3
