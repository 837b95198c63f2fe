"""The followers' equilibrium: prices that answer themselves, one solution where Theorem U says so, honest outcomes."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scenarios import (
    preset_economy,
    preset_tariff,
    small_economy,
    small_tariff,
    solved,
)

from meanwatt.agents.household.best_response import best_response
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.rates import Rates
from meanwatt.agents.tariff.tariff import ExportRule, Recovery
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.mean_field.population.flow import stationary_flow
from meanwatt.model.mean_field.population.population_response import (
    decision_problem,
    induced_wholesale,
    population_response,
)
from meanwatt.model.mean_field.solvers.price_fixed_point import first_guess, solve_prices
from meanwatt.model.progress.watch import Progress, Watch
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.economy import Economy

CASES = [
    *[(preset, name) for preset in ("textbook", "oahu", "stress") for name in ("flat", "tou", "rtp", "filed")],
    ("california", "rtp"),
    ("california", "filed"),
]


def recomputed_net_load(found: Equilibrium) -> Floats:
    """Mean net load (c, h) from laws, policies and net loads, type by type and level by level."""
    total = np.zeros_like(found.net_load_kw)
    for household, policy, law in zip(found.economy.types, found.policies, found.laws, strict=True):
        for e in range(household.levels):
            chance = law[:, :, e, :, None] * policy.probability[:, :, e]
            total += household.share * (chance * policy.net_load_kw).sum(axis=(2, 3))
    return total


def expected(economy: Economy, by_state: Floats) -> float:
    """Daily total under the weather's law of a rate (c, h) per hour."""
    return float(economy.common.probability @ by_state.sum(axis=1)) * economy.slot_hours


@pytest.mark.parametrize(("preset", "name"), CASES)
def test_prices_answer_themselves(preset: str, name: str) -> None:
    found = solved(preset, name)
    economy, tariff = found.economy, found.tariff
    assert found.outcome is Outcome.CONVERGED
    assert "Converged" in found.message
    load_kw = recomputed_net_load(found)
    assert load_kw == pytest.approx(found.net_load_kw, abs=1e-12)
    wholesale = economy.supply.price(load_kw + economy.rest_load_kw)
    assert np.abs(wholesale - found.wholesale_usd_per_kwh).max() <= 1e-8
    for household, policy in zip(economy.types, found.policies, strict=True):
        bought = (
            tariff.energy_usd_per_kwh[economy.common.today] + tariff.pass_through * wholesale + found.adder_usd_per_kwh
        )
        assert found.rates.import_usd_per_kwh == pytest.approx(bought, abs=1e-8)
        own = tariff.for_group(found.rates, household.group)
        afresh = best_response(household, own, decision_problem(economy)).policy
        np.testing.assert_allclose(policy.probability, afresh.probability, rtol=0, atol=1e-5, equal_nan=False)
        np.testing.assert_allclose(policy.net_load_kw, afresh.net_load_kw, rtol=0, atol=1e-7, equal_nan=False)


@pytest.mark.parametrize(("preset", "name"), CASES)
def test_every_law_repeats_itself_after_a_day(preset: str, name: str) -> None:
    found = solved(preset, name)
    kernel, backward = found.economy.shock_kernel, found.economy.common.backward
    for policy, law in zip(found.policies, found.laws, strict=True):
        now = law[:, 0]
        for h in range(found.economy.slots):
            moved = np.zeros_like(now)
            for j, m in enumerate(policy.moves):
                going = now * policy.probability[:, h, :, :, j]
                if m >= 0:
                    moved[:, m:] += going[:, : now.shape[1] - m]
                else:
                    moved[:, :m] += going[:, -m:]
            now = moved @ kernel
        assert np.tensordot(backward, now, axes=1) == pytest.approx(law[:, 0], abs=1e-9)


@pytest.mark.parametrize(("preset", "name"), CASES)
def test_revenue_less_cost_is_the_surplus_reported_and_zero_where_it_must_be(preset: str, name: str) -> None:
    found = solved(preset, name)
    economy, tariff = found.economy, found.tariff
    revenue, billed_kwh = 0.0, 0.0
    for k, household in enumerate(economy.types):
        own = tariff.for_group(found.rates, household.group)
        policy, law = found.policies[k], found.laws[k]
        chance = (law[..., None] * policy.probability).sum(axis=2)
        bought_kw, sold_kw = (np.maximum(sign * policy.net_load_kw, 0) for sign in (1, -1))
        paid = own.import_usd_per_kwh[..., None, None] * bought_kw - own.export_usd_per_kwh[..., None, None] * sold_kw
        bill = expected(economy, (chance * paid).sum(axis=(2, 3))) + found.fixed_charge_usd_per_day[household.group]
        assert found.bill_usd_per_day[k] == pytest.approx(bill, abs=1e-10)
        revenue += household.share * bill
        billed_kwh += household.share * expected(economy, (chance * bought_kw).sum(axis=(2, 3)))
    cost = expected(economy, found.wholesale_usd_per_kwh * found.net_load_kw) + economy.fixed_cost_usd_per_day
    assert found.surplus_usd_per_household_day == pytest.approx(revenue - cost, abs=1e-9)
    if tariff.recovery is Recovery.FIXED:
        assert revenue - cost == pytest.approx(0, abs=1e-9)
    elif tariff.recovery is Recovery.VOLUMETRIC:
        assert found.adder_usd_per_kwh > 0
        assert revenue - cost == pytest.approx(0, abs=1e-8 * billed_kwh)
    else:
        assert found.adder_usd_per_kwh == 0


@pytest.mark.parametrize(("preset", "name"), CASES)
def test_nobody_gains_more_by_deviating_than_sloppiness_explains(preset: str, name: str) -> None:
    found = solved(preset, name)
    assert -1e-9 <= found.exploitability_usd_per_household_day <= found.softmax_bound_usd_per_household_day
    assert found.exploitability_usd_per_household_day > 1e-4, "at a positive temperature something is forgone"


def test_books_out_of_balance_are_part_of_the_residual() -> None:
    found = solved("textbook", "flat", "tariff.export.rule=net_metering")  # prices play no role: they are exact
    missing = abs(found.surplus_usd_per_household_day) / found.answer.billed_kwh_per_day
    assert 0 < missing == found.residual_usd_per_kwh <= 1e-9


# Theorem U


def random_load_kw(economy: Economy, seed: int) -> Floats:
    """System loads per household up to one and a half times the largest reference load away from the rest's."""
    away = np.random.default_rng(seed).uniform(-1, 1.5, economy.rest_load_kw.shape)
    return economy.rest_load_kw + economy.peak_reference_kw * away


@pytest.mark.parametrize("preset", ["textbook", "oahu"])
def test_random_starts_lead_to_the_same_prices_where_theorem_u_holds(preset: str) -> None:
    found = solved(preset, "rtp")
    assert found.uniqueness == "unique by Theorem U"
    for seed in (1, 2):
        again = solve_prices(
            found.economy,
            found.tariff,
            0.0,
            tolerance=1e-9,
            watch=Watch(),
            load_start_kw=random_load_kw(found.economy, seed),
        )
        assert again.converged
        assert again.answer.wholesale_usd_per_kwh == pytest.approx(found.wholesale_usd_per_kwh, abs=1e-7)
        assert again.answer.net_load_kw == pytest.approx(found.net_load_kw, abs=1e-6)


@pytest.mark.parametrize("name", ["rtp", "flat"])
def test_damped_iteration_reaches_the_same_prices_on_the_textbook(name: str) -> None:
    found = solved("textbook", name)
    prices, last = first_guess(found.economy), None
    for _ in range(80):
        last = population_response(found.economy, found.tariff, prices, found.adder_usd_per_kwh, start=last)
        prices = 0.7 * prices + 0.3 * induced_wholesale(found.economy, last.net_load_kw)
    assert prices == pytest.approx(found.wholesale_usd_per_kwh, abs=1e-8)


def test_fictitious_play_approaches_the_same_prices() -> None:
    """Households answer the average of all days so far; the step 1/(day + 1) forgets the start only slowly."""
    found = solved("textbook", "rtp")
    load_kw = np.zeros_like(found.net_load_kw)
    last = None
    for day in range(120):
        prices = induced_wholesale(found.economy, load_kw) if day else first_guess(found.economy)
        last = population_response(found.economy, found.tariff, prices, 0.0, start=last)
        load_kw += (last.net_load_kw - load_kw) / (day + 1)
    assert induced_wholesale(found.economy, load_kw) == pytest.approx(found.wholesale_usd_per_kwh, abs=2e-3)


@cache
def coupled_world(kappa: float = 1.0, **scenario: object) -> tuple[Economy, object]:
    economy = small_economy(temperature_usd=0.05, **scenario)
    tariff = small_tariff(
        economy,
        pass_through=kappa,
        export_pass_through=kappa,
        energy_usd_per_kwh=np.full((3, 3), 0.06),
        export_usd_per_kwh=np.full((3, 3), 0.02),
    )
    return economy, tariff


def potential(economy: Economy, tariff: object, prices: Floats) -> float:
    """F(λ) = Σ p Δ [s*(λ) − λ rest] + (1/κ) Σ w V(λ), for the supply s(x) = a + b x: s*(λ) = (λ − a)²/(2b)."""
    a, b = economy.supply.coefficients[0, :2]
    conjugate = (prices - a) ** 2 / (2 * b) - prices * economy.rest_load_kw
    found = population_response(economy, tariff, prices, 0.0)
    value = sum(t.share * r.gain_usd_per_day for t, r in zip(economy.types, found.responses, strict=True))
    return expected(economy, conjugate) + value / tariff.pass_through


@pytest.mark.parametrize("kappa", [1.0, 0.4])
def test_the_value_of_each_type_falls_with_the_price_by_its_net_load(kappa: float) -> None:
    economy, tariff = coupled_world(kappa)
    prices = np.random.default_rng(0).uniform(0.05, 0.3, (3, 3))
    here = population_response(economy, tariff, prices, 0.0)
    step = 1e-4
    for c, h in np.ndindex(3, 3):
        nudge = np.zeros((3, 3))
        nudge[c, h] = step
        up, down = (population_response(economy, tariff, prices + sign * nudge, 0.0) for sign in (1, -1))
        for k in range(len(economy.types)):
            slope = (up.responses[k].gain_usd_per_day - down.responses[k].gain_usd_per_day) / (2 * step)
            by_theorem = -kappa * economy.common.probability[c] * economy.slot_hours * here.type_net_load_kw[k, c, h]
            # kinks at zero net load make the value only piecewise smooth: an error of first order in the step
            assert slope == pytest.approx(by_theorem, abs=20 * step)


def test_the_potential_is_convex_and_least_at_the_equilibrium() -> None:
    economy, tariff = coupled_world()
    found = solve_equilibrium(economy, tariff, certify=False)
    assert found.uniqueness == "unique by Theorem U"
    rng = np.random.default_rng(1)
    least = potential(economy, tariff, found.wholesale_usd_per_kwh)
    for _ in range(6):
        one, other = rng.uniform(0.0, 0.4, (2, 3, 3))
        ends = [potential(economy, tariff, prices) for prices in (one, other)]
        assert potential(economy, tariff, (one + other) / 2) <= sum(ends) / 2 + 1e-10
        assert min(ends) > least
    for scale in (1e-2, 1e-3):
        nudge = scale * rng.uniform(-1, 1, (3, 3))
        for away in (nudge, -nudge):  # one of the two leads downhill from any other price
            assert potential(economy, tariff, found.wholesale_usd_per_kwh + away) > least


def sensitivity(economy: Economy, tariff: object, prices: Floats) -> Floats:
    """Change of the weighed net load p Δ L[c, h] with the price λ[c', h'], as a (9, 9) matrix."""
    weight = np.repeat(economy.common.probability, economy.slots) * economy.slot_hours
    columns = []
    for k in range(prices.size):
        nudge = np.zeros(prices.size)
        nudge[k] = 1e-4
        up, down = (
            population_response(economy, tariff, prices + sign * nudge.reshape(prices.shape), 0.0).net_load_kw
            for sign in (1, -1)
        )
        columns.append(weight * (up - down).ravel() / 2e-4)
    return np.array(columns).T


def asymmetry(**scenario: object) -> float:
    economy = small_economy(temperature_usd=0.05, elasticity=0.0, **scenario)
    prices = np.random.default_rng(4).uniform(0.05, 0.3, (3, 3))
    matrix = sensitivity(economy, small_tariff(economy), prices)
    return float(np.abs(matrix - matrix.T).max() / np.abs(matrix).max())


def test_the_game_has_a_potential_at_no_discount_and_entropy_and_only_there() -> None:
    assert asymmetry() < 1e-6
    assert asymmetry(discount_per_day=0.7) > 1e-3
    assert asymmetry(value_rule="boltzmann") > 1e-3


@pytest.mark.parametrize("memory", [0, 1])
def test_an_equilibrium_with_weather_that_turns_is_found_and_unique(memory: int) -> None:
    economy = small_economy(memory=memory, steepness=0.3)
    tariff = small_tariff(economy)
    found = solve_equilibrium(economy, tariff)
    assert found.outcome is Outcome.CONVERGED
    again = solve_prices(economy, tariff, 0.0, tolerance=1e-10, watch=Watch(), load_start_kw=random_load_kw(economy, 3))
    assert again.answer.wholesale_usd_per_kwh == pytest.approx(found.wholesale_usd_per_kwh, abs=1e-8)


# Recovery


def test_a_posted_fixed_charge_changes_bills_and_nothing_else() -> None:
    economy, tariff = preset_economy("textbook"), preset_tariff("textbook", "filed")
    dearer = replace(tariff, fixed_charge_usd_per_day=tariff.fixed_charge_usd_per_day + np.array([0.5, 1.0, 2.0]))
    one, other = (solve_equilibrium(economy, posted, certify=False) for posted in (tariff, dearer))
    for before, after in zip(one.policies, other.policies, strict=True):
        assert (before.probability == after.probability).all()
        assert (before.net_load_kw == after.net_load_kw).all()
    groups = np.array([t.group for t in economy.types])
    assert other.bill_usd_per_day - one.bill_usd_per_day == pytest.approx(np.array([0.5, 1.0, 2.0])[groups])
    assert other.surplus_usd_per_household_day - one.surplus_usd_per_household_day == pytest.approx(3.5 / 3)


@pytest.mark.parametrize("name", ["flat", "tou"])
def test_under_volumetric_recovery_a_fixed_charge_acts_only_through_the_adder(name: str) -> None:
    economy, tariff = preset_economy("textbook"), preset_tariff("textbook", name)
    charged = replace(tariff, fixed_charge_usd_per_day=np.full(3, 0.4))
    found = solve_equilibrium(economy, charged, certify=False)
    assert found.adder_usd_per_kwh < solved("textbook", name).adder_usd_per_kwh
    written_in = replace(
        tariff, recovery=Recovery.POSTED, energy_usd_per_kwh=tariff.energy_usd_per_kwh + found.adder_usd_per_kwh
    )
    same = solve_equilibrium(economy, written_in, certify=False)
    assert same.wholesale_usd_per_kwh == pytest.approx(found.wholesale_usd_per_kwh, abs=1e-8)
    for with_adder, without in zip(found.policies, same.policies, strict=True):
        np.testing.assert_allclose(with_adder.probability, without.probability, rtol=0, atol=1e-5, equal_nan=False)


def test_fixed_charges_keep_their_shape_and_close_the_books() -> None:
    found = solved("oahu", "income_graduated")
    charge = found.fixed_charge_usd_per_day
    assert charge == pytest.approx(charge[1] * np.array([0.5, 1.0, 2.0]))
    assert found.surplus_usd_per_household_day == pytest.approx(0, abs=1e-9)
    assert found.adder_usd_per_kwh == 0


def test_what_is_posted_beside_a_balancing_charge_is_left_out() -> None:
    economy = small_economy()
    found = [
        solve_equilibrium(
            economy,
            small_tariff(economy, recovery=Recovery.FIXED, fixed_charge_usd_per_day=np.full(2, posted)),
            certify=False,
        )
        for posted in (0.0, 5.0)
    ]
    assert found[0].fixed_charge_usd_per_day == pytest.approx(found[1].fixed_charge_usd_per_day, abs=1e-12)
    assert found[1].surplus_usd_per_household_day == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("rule", [ExportRule.NET_METERING, ExportRule.NET_BILLING, ExportRule.NONE])
def test_the_adder_is_charged_on_imports_less_discounts_and_on_the_balance_under_net_metering(rule: ExportRule) -> None:
    economy = small_economy()
    tariff = small_tariff(economy, export_rule=rule, discount=np.array([0.3, 0.0]))
    found = population_response(economy, tariff, first_guess(economy), 0.1)
    billed_kwh = 0.0
    for k, household in enumerate(economy.types):
        policy, law = found.responses[k].policy, found.flows[k].law
        for c, h, e, z, j in np.ndindex(policy.probability.shape):
            chance = economy.common.probability[c] * law[c, h, e, z] * policy.probability[c, h, e, z, j]
            load_kw = policy.net_load_kw[c, h, z, j]
            counted_kw = load_kw if rule is ExportRule.NET_METERING else max(load_kw, 0)
            pays = 0.7 if household.group == 0 else 1.0
            billed_kwh += household.share * pays * chance * economy.slot_hours * counted_kw
    assert found.billed_kwh_per_day == pytest.approx(billed_kwh, abs=1e-12)


def test_discounts_reach_the_group_they_are_for() -> None:
    economy = small_economy()
    found = solve_equilibrium(economy, small_tariff(economy, discount=np.array([0.4, 0.0])), certify=False)
    for household, policy in zip(economy.types, found.policies, strict=True):
        own = found.tariff.for_group(found.rates, household.group)
        afresh = best_response(household, own, decision_problem(economy)).policy
        np.testing.assert_allclose(policy.probability, afresh.probability, rtol=0, atol=1e-7, equal_nan=False)
        other_rates = Rates(
            import_usd_per_kwh=0.8 * found.rates.import_usd_per_kwh, export_usd_per_kwh=found.rates.export_usd_per_kwh
        )
        other = best_response(household, other_rates, decision_problem(economy)).policy
        assert np.abs(policy.use_kw - other.use_kw).max() > 1e-3


def test_a_tariff_that_earns_too_much_pays_a_dividend() -> None:
    economy = preset_economy("textbook")
    dear = replace(preset_tariff("textbook", "rtp"), energy_usd_per_kwh=np.full((1, 24), 0.4))
    found = solve_equilibrium(economy, dear, certify=False)
    assert (found.fixed_charge_usd_per_day < 0).all()
    assert found.surplus_usd_per_household_day == pytest.approx(0, abs=1e-9)


# Outcomes


def test_where_nothing_couples_one_evaluation_is_enough_and_plain_iteration_contracts_at_once() -> None:
    found = solved("textbook", "filed", certify=True)
    assert found.iterations == 1
    assert found.contraction == 0.0
    assert found.residual_usd_per_kwh == 0.0
    assert found.wholesale_usd_per_kwh == pytest.approx(induced_wholesale(found.economy, found.net_load_kw))


@pytest.mark.parametrize("asked", [1, 4])
def test_a_solve_can_be_cancelled_and_says_so(asked: int) -> None:
    economy, tariff = preset_economy("textbook"), preset_tariff("textbook", "rtp")
    heard: list[Progress] = []
    found = solve_equilibrium(
        economy, tariff, watch=Watch(progress=heard.append, cancelled=lambda: len(heard) >= asked)
    )
    assert found.outcome is Outcome.CANCELLED
    assert not found.converged
    assert found.iterations == asked
    assert found.message == (
        f"Cancelled after {counted(asked, 'evaluation')}; the figures are those of the starting point."
    )
    assert found.wholesale_usd_per_kwh == pytest.approx(first_guess(economy))


def test_a_cancelled_solve_gives_back_where_it_started() -> None:
    start = solved("textbook", "rtp")
    found = solve_equilibrium(start.economy, start.tariff, start=start, watch=Watch(cancelled=lambda: True))
    assert found.outcome is Outcome.CANCELLED
    assert found.answer is start.answer


def test_every_evaluation_is_reported() -> None:
    heard: list[Progress] = []
    economy = small_economy()
    found = solve_equilibrium(economy, small_tariff(economy), watch=Watch(progress=heard.append))
    assert [p.evaluations for p in heard] == list(range(1, found.iterations + 1))
    assert {p.stage for p in heard} == {"followers' equilibrium", "certificates: contraction"}
    residuals = [p.residual_usd_per_kwh for p in heard if not p.stage.startswith("certificates")]
    assert residuals[-1] == found.residual_usd_per_kwh <= 1e-10


def test_a_tolerance_beyond_rounding_ends_at_the_limit_and_says_how_far_it_got(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    economy = small_economy(levels=3, steepness=1.0, temperature_usd=0.05)
    monkeypatch.setattr("meanwatt.model.mean_field.solvers.price_search.WARMEST_USD", 0.0)  # no other temperature
    heard: list[Progress] = []
    found = solve_equilibrium(
        economy, small_tariff(economy), tolerance_usd_per_kwh=1e-19, certify=False, watch=Watch(progress=heard.append)
    )
    assert found.outcome is Outcome.ROUND_LIMIT
    assert not found.converged
    assert found.message.startswith("Not converged: prices still move by ")
    assert "give solver auto" not in found.message
    alone = solve_equilibrium(
        economy, small_tariff(economy), tolerance_usd_per_kwh=1e-19, certify=False, solver="picard"
    )
    assert alone.outcome is Outcome.ROUND_LIMIT
    assert "; picard was asked for by itself: give solver auto, or raise temperature_usd" in alone.message
    assert 1e-20 < found.residual_usd_per_kwh < 1e-12
    assert found.residual_usd_per_kwh == min(p.residual_usd_per_kwh for p in heard), "the best point seen is returned"


def test_a_search_that_is_cut_short_returns_the_best_prices_it_saw(monkeypatch: pytest.MonkeyPatch) -> None:
    economy = small_economy(steepness=1.0, temperature_usd=0.05)  # so steep that some steps are worse than the last
    tariff = small_tariff(economy)
    monkeypatch.setattr("meanwatt.model.mean_field.solvers.price_search.WARMEST_USD", 0.0)  # no continuation
    for limit in range(1, 4):
        monkeypatch.setattr("meanwatt.model.mean_field.solvers.newton.STEP_LIMIT", limit)
        heard: list[Progress] = []
        found = solve_equilibrium(
            economy, tariff, tolerance_usd_per_kwh=1e-19, certify=False, watch=Watch(progress=heard.append)
        )
        residuals = [p.residual_usd_per_kwh for p in heard]
        assert found.outcome is Outcome.ROUND_LIMIT
        assert found.residual_usd_per_kwh == min(residuals)
        induced = induced_wholesale(economy, found.net_load_kw)
        assert np.abs(induced - found.wholesale_usd_per_kwh).max() == pytest.approx(min(residuals), rel=1e-9)


def test_a_solution_nearby_saves_evaluations_and_changes_nothing() -> None:
    cold = solved("textbook", "rtp")
    nearby = solve_equilibrium(
        cold.economy, replace(cold.tariff, energy_usd_per_kwh=np.full((1, 24), 0.03)), start=cold, certify=False
    )
    warm = solve_equilibrium(cold.economy, cold.tariff, start=nearby, certify=False)
    assert warm.iterations < cold.iterations
    assert warm.wholesale_usd_per_kwh == pytest.approx(cold.wholesale_usd_per_kwh, abs=1e-8)


def test_the_same_solve_twice_gives_the_same_bits() -> None:
    economy = small_economy()
    one, other = (solve_equilibrium(economy, small_tariff(economy)) for _ in range(2))
    assert (one.wholesale_usd_per_kwh == other.wholesale_usd_per_kwh).all()
    assert one.exploitability_usd_per_household_day == other.exploitability_usd_per_household_day


def test_prices_that_only_exports_follow_couple_too() -> None:
    economy = small_economy()
    tariff = small_tariff(
        economy,
        pass_through=0.0,
        energy_usd_per_kwh=np.full((3, 3), 0.3),
        export_usd_per_kwh=np.zeros((3, 3)),
        export_rule=ExportRule.NET_BILLING,
    )
    found = solve_equilibrium(economy, tariff)
    assert found.outcome is Outcome.CONVERGED
    assert found.contraction > 0
    assert found.rates.export_usd_per_kwh == pytest.approx(np.minimum(found.wholesale_usd_per_kwh, 0.3), abs=1e-9)


def test_a_start_of_other_household_types_is_set_aside() -> None:
    """It once wrote beyond the arrays of the types that were not there."""
    few = solved("textbook", "rtp", "pv_share_scale=0")
    economy, tariff = preset_economy("textbook"), preset_tariff("textbook", "rtp")
    assert len(few.economy.types) < len(economy.types)
    for start in (few, solved("textbook", "rtp", "battery_levels=12")):
        again = solve_equilibrium(economy, tariff, start=start, certify=False)
        cold = solve_equilibrium(economy, tariff, certify=False)
        assert (again.wholesale_usd_per_kwh == cold.wholesale_usd_per_kwh).all()
        assert again.iterations == cold.iterations


def test_a_law_of_another_shape_is_no_start() -> None:
    economy = preset_economy("textbook")
    kind = next(k for k, household in enumerate(economy.types) if household.battery)
    policy = solved("textbook", "rtp").policies[kind]
    view = decision_problem(economy)
    with pytest.raises(ValueError, match=r"^the law to start from has shape \(1, 1, 3\); give \(1, 20, 3\), axes"):
        stationary_flow(
            policy, view.shock_kernel, view.shock_probability, economy.common.backward, np.full((1, 1, 3), 1 / 3)
        )
