"""The equilibrium of cold households: exact, the limit of softmax, or the coldest that is found."""

from dataclasses import replace
from itertools import product

import cvxpy as cp
import numpy as np
import pytest
from scenarios import preset_economy, preset_tariff, solved
from scipy.optimize import linprog

from meanwatt.agents.household.slot_outcome import slot_outcome
from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.model.mean_field import cold
from meanwatt.model.mean_field.cold import ColdMethod, at_temperature, cold_way, solve_cold
from meanwatt.model.mean_field.equilibrium import Outcome, solve_equilibrium
from meanwatt.model.mean_field.population.game import Game

SMALL = ("battery_levels=4",)


def test_where_no_rate_follows_the_price_it_is_the_best_policy_of_largest_entropy() -> None:
    """Against two programs over all frequencies: a linear one for what the best may do, then the most entropy of it."""
    economy, filed = preset_economy("textbook", *SMALL), preset_tariff("textbook", "filed", *SMALL)
    halves = np.where(np.arange(economy.slots) < economy.slots // 2, 0.1, 0.6)[None]  # within them nothing matters
    tariff = replace(filed, energy_usd_per_kwh=halves, export_usd_per_kwh=halves)
    found = solve_cold(economy, tariff)
    assert found.way is ColdMethod.LIMIT
    assert found.temperature_usd == 0.0
    assert found.equilibrium is not None
    kind = next(k for k, one in enumerate(economy.types) if one.battery is not None and one.pv_kw.any())
    household, common = economy.types[kind], economy.common
    rates = Game(economy, tariff).own_rates(found.equilibrium.rates, kind)
    brought = slot_outcome(household, rates, economy.shock_levels, economy.slot_hours)
    slots, moves = economy.slots, brought.moves
    sizes = (common.count, slots, household.levels, economy.shock_levels.size, len(moves))
    cells = [cell for cell in np.ndindex(sizes) if 0 <= cell[2] + moves[cell[4]] < household.levels]
    states = {state: row for row, state in enumerate(np.ndindex(sizes[:4]))}
    flow, day = np.zeros((len(states), len(cells))), np.zeros((slots, len(cells)))
    for k, (c, h, e, z, j) in enumerate(cells):
        flow[states[c, h, e, z], k] += 1
        day[h, k] = 1
        tomorrow = common.kernel[c] if h + 1 == slots else np.eye(common.count)[c]
        for (later, chance), (after, shocked) in product(enumerate(tomorrow), enumerate(economy.shock_kernel[z])):
            flow[states[later, (h + 1) % slots, e + moves[j], after], k] -= chance * shocked
    reward = np.array([brought.reward_usd[c, h, z, j] for c, h, _, z, j in cells])
    equal, given = np.vstack([flow, day]), np.append(np.zeros(len(states)), np.ones(slots))
    best = linprog(-reward, A_eq=equal, b_eq=given, method="highs")
    tight = np.flatnonzero(best.lower.marginals < 1e-9)  # complementary slackness: what an optimal policy may do
    assert len(tight) < len(cells)
    f = cp.Variable(len(tight), nonneg=True)
    own = np.zeros((len(states), len(tight)))
    own[[states[cells[k][:4]] for k in tight], np.arange(len(tight))] = 1.0
    entropy = -cp.sum(cp.rel_entr(f, own.T @ (own @ f)))
    cp.Problem(cp.Maximize(entropy), [equal[:, tight] @ f == given]).solve(solver=cp.CLARABEL)
    load = np.zeros(sizes[:2])
    for share, k in zip(f.value, tight, strict=True):
        c, h, _, z, j = cells[k]
        load[c, h] += share * brought.net_load_kw[c, h, z, j] / common.probability[c]
    assert found.equilibrium.type_net_load_kw[kind] == pytest.approx(load, abs=2e-4)
    assert entropy.value > 1.0  # there is something to choose


def test_the_limit_is_not_the_equal_split_of_ties() -> None:
    economy, tariff = preset_economy("oahu"), preset_tariff("oahu", "filed")
    found = solve_cold(economy, tariff).equilibrium
    assert found is not None
    nearly = solve_equilibrium(at_temperature(economy, 1e-7), tariff, certify=False)
    split = solve_equilibrium(at_temperature(economy, 0.0), tariff, certify=False)
    assert np.abs(found.net_load_kw - nearly.net_load_kw).max() < 1e-3
    assert np.abs(found.net_load_kw - split.net_load_kw).max() > 0.05


def test_the_way_follows_from_the_tariff() -> None:
    economy = preset_economy("textbook")
    rtp = preset_tariff("textbook", "rtp")
    assert cold_way(economy, rtp) is ColdMethod.EXACT
    assert cold_way(economy, replace(rtp, recovery=Recovery.VOLUMETRIC)) is ColdMethod.COLDEST
    assert cold_way(economy, replace(rtp, export_pass_through=0.5)) is ColdMethod.COLDEST
    assert cold_way(economy, preset_tariff("textbook", "filed")) is ColdMethod.LIMIT


def test_an_exact_answer_is_that_of_temperature_zero_and_softmax_approaches_it() -> None:
    economy, tariff = preset_economy("textbook"), preset_tariff("textbook", "rtp")
    found = solve_cold(economy, tariff)
    assert found.equilibrium is not None
    assert found.temperature_usd == 0.0
    assert found.equilibrium.residual_usd_per_kwh <= 1e-9
    apart = [
        np.abs(
            solved("textbook", "rtp", f"temperature_usd={eta}").wholesale_usd_per_kwh
            - found.equilibrium.wholesale_usd_per_kwh
        ).max()
        for eta in (0.02, 0.005, 0.00125)
    ]
    assert apart[0] > apart[1] > apart[2]


def test_a_solution_at_temperature_zero_is_not_solved_again() -> None:
    known = solved("textbook", "rtp", "temperature_usd=0")
    assert solve_cold(known.economy, known.tariff, start=known).equilibrium is known


def test_where_zero_does_not_converge_the_coldest_that_does_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    economy, tariff = preset_economy("textbook", *SMALL), preset_tariff("textbook", "flat", *SMALL)

    def only_above(floor: float) -> None:
        def solve(world, *given, **options):  # type: ignore[no-untyped-def]
            found = solve_equilibrium(world, *given, **options)
            lost = world.scenario.temperature_usd < floor
            return replace(found, outcome=Outcome.ROUND_LIMIT) if lost else found

        monkeypatch.setattr(cold, "solve_equilibrium", solve)

    only_above(0.004)
    found = solve_cold(economy, tariff)
    assert found.way is ColdMethod.COLDEST
    assert found.temperature_usd == pytest.approx(economy.scenario.temperature_usd / 4)
    only_above(1.0)
    nowhere = solve_cold(economy, tariff)
    assert nowhere.equilibrium is None
    assert nowhere.temperature_usd is None
