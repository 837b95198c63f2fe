"""The exact equilibrium at temperature 0: certified by its gap, equal to games solved by hand, limit of cold ones."""

import re
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from discounted import DISCOUNTED, discounted
from scenarios import (
    preset_economy,
    preset_tariff,
    small_battery,
    small_economy,
    small_household,
    small_tariff,
    solved,
    welfare,
)

from meanwatt.agents.household.decision_problem import OneDay
from meanwatt.agents.tariff.tariff import ExportRule, Tariff
from meanwatt.model.mean_field.certificates import agreement, exploitability_usd_per_day
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.mean_field.first_best import solve_first_best
from meanwatt.model.mean_field.population.flow import Flow, household_flow
from meanwatt.model.mean_field.population.population_response import induced_wholesale
from meanwatt.model.mean_field.solvers.price_fixed_point import first_guess
from meanwatt.model.mean_field.zero_temperature import stationary_plans
from meanwatt.model.mean_field.zero_temperature.frank_wolfe import GAP_USD_PER_DAY, ExactSolution, solve_exact
from meanwatt.model.progress.watch import Cancelled, Watch
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.supply import SupplyCurve

ROUNDING_USD_PER_KWH = 1e-13


def exact(economy: Economy, tariff: Tariff, adder: float = 0.0) -> ExactSolution:
    return solve_exact(economy, tariff, adder, first_guess(economy), watch=Watch())


def cold(**changes: object) -> Economy:
    """Three kinds of days, six slots, half of the households with a battery of five levels; temperature 0."""
    return small_economy(**{"temperature_usd": 0.0, "slots": 6, "levels": 5, **changes})


def billed(economy: Economy, pass_through: float = 1.0) -> Tariff:
    """Exports earn three cents less than imports cost."""
    shape = (len(economy.common.day_types), economy.slots)
    return small_tariff(
        economy,
        pass_through=pass_through,
        export_pass_through=pass_through,
        energy_usd_per_kwh=np.full(shape, 0.05),
        export_usd_per_kwh=np.full(shape, 0.02),
    )


def cold_textbook(*overrides: str) -> Equilibrium:
    return solved("textbook", "rtp", "temperature_usd=0", *overrides)


# What it promises


WORLDS = {
    "weather": lambda: (cold(), billed(cold())),
    "memory": lambda: (cold(memory=1), billed(cold(memory=1))),
    "half passed through": lambda: (cold(), billed(cold(), 0.5)),
    "inelastic": lambda: (cold(elasticity=0.0), billed(cold(elasticity=0.0))),
    "net metering": lambda: (cold(), small_tariff(cold(), export_rule=ExportRule.NET_METERING)),
    "steep, all store": lambda: (cold(steepness=0.6, battery_share=1.0), billed(cold())),
    "merit order": lambda: (stepped(cold()), billed(cold())),
    "textbook": lambda: (
        preset_economy("textbook", "temperature_usd=0"),
        preset_tariff("textbook", "rtp"),
    ),
    **{name: partial(discounted, name, temperature_usd=0.0, steepness=0.4) for name in DISCOUNTED},
}


def stepped(economy: Economy) -> Economy:
    """A piecewise linear supply with flat stretches, where the load is not unique but the price is."""
    curve = SupplyCurve.piecewise_linear([0.0, 0.3, 0.5, 0.7, 1.0], [0.05, 0.05, 0.15, 0.15, 0.4])
    return replace(economy, supply=curve)


@pytest.mark.parametrize("name", WORLDS)
def test_prices_clear_and_the_gap_is_the_exploitability(name: str) -> None:
    economy, tariff = WORLDS[name]()
    found = exact(economy, tariff)
    assert found.converged
    assert 0 <= found.gap_usd_per_day <= GAP_USD_PER_DAY
    load_kw = found.answer.net_load_kw
    price = found.answer.wholesale_usd_per_kwh
    assert np.abs(induced_wholesale(economy, load_kw) - price).max() <= ROUNDING_USD_PER_KWH
    # both differ by the rounding of gains of some dollars a day, each by another route
    exploitability = exploitability_usd_per_day(economy, tariff, found.answer)
    assert exploitability == pytest.approx(found.gap_usd_per_day, abs=1e-12)


@pytest.mark.parametrize("name", WORLDS)
def test_the_mixtures_are_policies_that_reproduce_their_laws_and_loads(name: str) -> None:
    economy, tariff = WORLDS[name]()
    found = exact(economy, tariff).answer
    total = np.zeros_like(found.net_load_kw)
    for household, response, flow in zip(economy.types, found.responses, found.flows, strict=True):
        policy, law = response.policy, flow.law
        policy.check()
        assert law.min() >= 0
        assert law.sum(axis=(2, 3)) == pytest.approx(np.ones(total.shape), abs=1e-12)
        assert law.sum(axis=2) == pytest.approx(np.broadcast_to(economy.shock_probability, law.sum(axis=2).shape))
        taken = np.einsum("chez,chezj->chzj", law, policy.probability)
        assert flow.frequency == pytest.approx(taken, abs=1e-12)
        total += household.share * (taken * policy.net_load_kw).sum(axis=(2, 3))
        now = law[:, 0]
        for h in range(economy.slots):
            assert now == pytest.approx(law[:, h], abs=1e-11)
            moved = np.zeros_like(now)
            for e, (j, step) in ((e, pair) for e in range(household.levels) for pair in enumerate(policy.moves)):
                if 0 <= e + step < household.levels:
                    moved[:, e + step] += now[:, e] * policy.probability[:, h, e, :, j]
            now = moved @ economy.shock_kernel
        midnight = np.einsum("dc,cez->dez", economy.common.backward, now)
        assert midnight == pytest.approx(law[:, 0], abs=1e-10)
    assert total == pytest.approx(found.net_load_kw, abs=1e-12)


def test_the_gap_asked_for_decides_when_to_stop() -> None:
    economy, tariff = cold(steepness=0.6), billed(cold())
    rounds = []
    for asked in (1e-2, 1e-5, 1e-10):
        found = solve_exact(economy, tariff, 0.0, first_guess(economy), watch=Watch(), gap_usd_per_day=asked)
        assert found.converged
        assert found.gap_usd_per_day <= asked
        exploitability = exploitability_usd_per_day(economy, tariff, found.answer)
        assert exploitability == pytest.approx(found.gap_usd_per_day, abs=1e-12)
        rounds.append(found.rounds)
    assert rounds == sorted(rounds)
    assert rounds[0] < rounds[-1]


def test_rounds_that_run_out_are_confessed(monkeypatch: pytest.MonkeyPatch) -> None:
    economy, tariff = cold(steepness=0.6), billed(cold())
    monkeypatch.setattr("meanwatt.model.mean_field.zero_temperature.frank_wolfe.ROUND_LIMIT", 3)
    found = exact(economy, tariff)
    assert not found.converged
    assert found.rounds == 3
    assert found.gap_usd_per_day > 1e-6
    exploitability = exploitability_usd_per_day(economy, tariff, found.answer)
    assert exploitability == pytest.approx(found.gap_usd_per_day, abs=1e-12), "the gap is that of the answer given"


def test_it_reports_its_rounds_and_can_be_stopped() -> None:
    economy = cold()
    watch = Watch()
    found = solve_exact(economy, billed(economy), 0.0, first_guess(economy), watch=watch)
    assert watch.evaluations == found.rounds
    with pytest.raises(Cancelled):
        solve_exact(economy, billed(economy), 0.0, first_guess(economy), watch=Watch(cancelled=lambda: True))


def test_other_first_prices_lead_to_the_same_prices() -> None:
    economy = cold(steepness=0.4)
    tariff = billed(economy)
    price = exact(economy, tariff).answer.wholesale_usd_per_kwh
    for seed in range(3):
        start = np.random.default_rng(seed).uniform(0.0, 0.5, price.shape)
        again = solve_exact(economy, tariff, 0.0, start, watch=Watch()).answer
        # a gap g leaves |λ − λ*| ≤ √(2 b g/(p Δ)), see the oracle by Clarabel
        worst = (2 * 0.4 * GAP_USD_PER_DAY / (economy.common.probability.min() * economy.slot_hours)) ** 0.5
        assert again.wholesale_usd_per_kwh == pytest.approx(price, abs=2 * worst)


def test_an_adder_is_one_more_cent_on_every_rate() -> None:
    economy = cold()
    tariff = billed(economy)
    with_adder = exact(economy, tariff, 0.07)
    written_in = replace(tariff, energy_usd_per_kwh=tariff.energy_usd_per_kwh + 0.07)
    assert with_adder.converged
    same = exact(economy, written_in).answer
    assert with_adder.answer.wholesale_usd_per_kwh == pytest.approx(same.wholesale_usd_per_kwh, abs=1e-9)


# Games solved by hand: two slots of twelve hours, one battery of two levels each, inelastic demand, λ = a + b L


A, B, HOURS = 0.05, 0.2, 12.0
CELL_KWH, IN, OUT, WEAR = 6.0, 0.9, 0.8, 0.01


def two_slots(first_kw: float, second_kw: float, *, wear: float = WEAR, one_day: OneDay | None = None) -> Economy:
    """Everybody uses ``first_kw``, then ``second_kw``, and owns the battery; every day is the same."""
    household = small_household(
        1,
        2,
        reference_kw=np.array([[first_kw, second_kw]]),
        pv_kw=np.zeros((1, 2)),
        elasticity=0.0,
        technology="battery",
        battery=small_battery(
            2,
            capacity_kwh=CELL_KWH,
            power_limit_kw=CELL_KWH / HOURS / IN,
            charge_efficiency=IN,
            discharge_efficiency=OUT,
            wear_usd_per_kwh=wear,
        ),
    )
    one = np.ones((1, 1))
    economy = small_economy(slots=2, levels=2, elasticity=0.0, weather=one, temperature_usd=0.0)
    return replace(
        economy,
        types=(household,),
        supply=SupplyCurve.polynomial([A, B]),
        rest_load_kw=np.zeros((1, 2)),
        shock_levels=np.ones(1),
        shock_kernel=one,
        shock_probability=np.ones(1),
        one_day=one_day,
    )


def at_wholesale(economy: Economy) -> Tariff:
    """Net metering at the wholesale price."""
    return small_tariff(economy, export_rule=ExportRule.NET_METERING, energy_usd_per_kwh=np.zeros((1, economy.slots)))


def charging(found: ExactSolution) -> tuple[float, float]:
    """Shares of households that charge in the first slot and discharge in the second."""
    frequency = found.answer.flows[0].frequency[0, :, 0]
    return float(frequency[0, 2]), float(frequency[1, 0])


def cycling_share(low_kw: float, high_kw: float) -> float:
    """Share y that makes a cycle break even, λ₂ η_out − λ₁/η_in = 2 wear.

    With λ₁ = a + b (low + y C/(η_in Δ)) and λ₂ = a + b (high − y C η_out/Δ).
    """
    margin = (A + B * high_kw) * OUT - (A + B * low_kw) / IN - 2 * WEAR
    return margin / (B * CELL_KWH / HOURS * (OUT**2 + 1 / IN**2))


@pytest.mark.parametrize(("low_kw", "high_kw"), [(0.3, 0.9), (0.5, 1.2), (0.1, 0.5)])
def test_as_many_cycle_as_leave_prices_apart_by_losses_and_wear(low_kw: float, high_kw: float) -> None:
    share = cycling_share(low_kw, high_kw)
    assert 0.05 < share < 0.95
    economy = two_slots(low_kw, high_kw)
    found = exact(economy, at_wholesale(economy))
    assert charging(found) == pytest.approx((share, share), abs=1e-9)
    low, high = found.answer.wholesale_usd_per_kwh[0]
    assert high * OUT - low / IN == pytest.approx(2 * WEAR, abs=1e-10)
    assert found.answer.net_load_kw[0] == pytest.approx(
        [low_kw + share * CELL_KWH / HOURS / IN, high_kw - share * CELL_KWH / HOURS * OUT], abs=1e-9
    )
    assert found.answer.wear_usd_per_day[0] == pytest.approx(share * 2 * WEAR * CELL_KWH, abs=1e-9)


def test_nobody_cycles_where_prices_are_too_close_and_everybody_where_they_stay_too_far_apart() -> None:
    assert cycling_share(0.5, 0.6) < 0
    close = two_slots(0.5, 0.6)
    assert charging(exact(close, at_wholesale(close))) == pytest.approx((0.0, 0.0), abs=1e-12)
    assert cycling_share(0.1, 3.0) > 1
    apart = two_slots(0.1, 3.0)
    found = exact(apart, at_wholesale(apart))
    assert charging(found) == pytest.approx((1.0, 1.0), abs=1e-12)
    low, high = found.answer.wholesale_usd_per_kwh[0]
    assert high * OUT - low / IN > 2 * WEAR


def test_the_hand_made_game_turned_by_a_slot_has_the_same_prices_turned() -> None:
    economy, turned = two_slots(0.3, 0.9), two_slots(0.9, 0.3)
    one, other = (exact(e, at_wholesale(e)).answer.wholesale_usd_per_kwh[0] for e in (economy, turned))
    assert other[::-1] == pytest.approx(one, abs=1e-10)


def test_a_single_day_from_empty_batteries_is_the_same_cycle_once() -> None:
    economy = two_slots(0.3, 0.9, one_day=OneDay(charge_law=np.array([1.0, 0.0])))
    share = cycling_share(0.3, 0.9)
    assert charging(exact(economy, at_wholesale(economy))) == pytest.approx((share, share), abs=1e-9)


def test_full_batteries_of_a_single_day_are_emptied_when_prices_are_alike() -> None:
    """λ₁ = λ₂ with y emptying in the second slot: a + b (d₁ − (1 − y) C η/Δ) = a + b (d₂ − y C η/Δ)."""
    economy = two_slots(0.6, 0.7, wear=0.0, one_day=OneDay(charge_law=np.array([0.0, 1.0])))
    found = exact(economy, at_wholesale(economy))
    late = 0.5 + (0.7 - 0.6) * HOURS / (2 * CELL_KWH * OUT)
    assert 0.5 < late < 1
    frequency = found.answer.flows[0].frequency[0, :, 0]
    assert frequency[:, 0] == pytest.approx([1 - late, late], abs=1e-9)
    low, high = found.answer.wholesale_usd_per_kwh[0]
    assert low == pytest.approx(high, abs=1e-10)


def test_salvage_is_the_price_at_which_the_last_kilowatt_hour_is_sold_and_bought() -> None:
    """From full: in the dear first slot λ₁ η_out = salvage + wear, in the cheap second λ₂/η_in = salvage − wear."""
    salvage = 0.12
    economy = two_slots(0.9, 0.05, one_day=OneDay(charge_law=np.array([0.0, 1.0]), salvage_usd_per_kwh=salvage))
    found = exact(economy, at_wholesale(economy)).answer
    selling = (0.9 - ((salvage + WEAR) / OUT - A) / B) / (CELL_KWH * OUT / HOURS)
    buying = (((salvage - WEAR) * IN - A) / B - 0.05) / (CELL_KWH / IN / HOURS)
    assert 0 < buying < selling < 1
    frequency = found.flows[0].frequency[0, :, 0]
    assert frequency[0] == pytest.approx([selling, 1 - selling, 0], abs=1e-9)
    assert frequency[1] == pytest.approx([0, 1 - buying, buying], abs=1e-9)


# Its neighbours


@pytest.mark.parametrize("overrides", [(), ("tariff.export.rule=net_metering", "elasticity=0")])
def test_colder_households_approach_the_exact_prices(overrides: tuple[str, ...]) -> None:
    """What softness forgoes in the potential, at most the softmax bound, bounds the distance like √η."""
    limit = cold_textbook(*overrides).wholesale_usd_per_kwh
    temperatures = (0.02, 0.008, 0.003, 0.001)
    apart = []
    for eta in temperatures:
        found = solved("textbook", "rtp", f"temperature_usd={eta}", *overrides)
        assert found.converged
        apart.append(float(np.abs(found.wholesale_usd_per_kwh - limit).max()))
        assert apart[-1] <= (2 * 0.1 * found.softmax_bound_usd_per_household_day) ** 0.5
    assert apart == sorted(apart, reverse=True)
    assert apart[-1] / apart[0] < (temperatures[-1] / temperatures[0]) ** 0.5


def test_it_prices_the_cell_where_every_household_stores_and_supply_is_steep() -> None:
    every = tuple(
        f"income_groups.{group}.{key}=1.0"
        for group in ("low", "middle", "high")
        for key in ("storage_share_of_pv", "battery_only_share")
    )
    steep = (*every, "supply.coefficients=[0.05, 0.3, 0.0, 0.02]")
    found = cold_textbook(*steep)
    assert found.outcome is Outcome.CONVERGED
    assert found.residual_usd_per_kwh <= ROUNDING_USD_PER_KWH
    assert found.exploitability_usd_per_household_day <= 2 * GAP_USD_PER_DAY
    without = cold_textbook("battery_share_scale=0", "supply.coefficients=[0.05, 0.3, 0.0, 0.02]")
    low, high = float(found.wholesale_usd_per_kwh.min()), float(found.wholesale_usd_per_kwh.max())
    markup, one_way = 0.025, 0.9**0.5
    cycle_usd = (high + markup) * one_way - (low + markup) / one_way - 2 * 0.03
    assert cycle_usd <= 1e-9, "with storage to spare nobody could gain by buying cheapest and selling dearest"
    assert np.ptp(found.wholesale_usd_per_kwh) < 0.5 * np.ptp(without.wholesale_usd_per_kwh)


@pytest.mark.parametrize("world", ["textbook", "weather"])
def test_marginal_cost_pricing_without_carbon_is_the_planners_optimum(world: str) -> None:
    if world == "textbook":
        economy = preset_economy("textbook", "temperature_usd=0", "carbon.usd_per_t=0")
    else:
        economy = cold(**{"carbon.usd_per_t": 0.0})
    shape = (len(economy.common.day_types), economy.slots)
    tariff = replace(
        small_tariff(economy, export_rule=ExportRule.NET_METERING),
        energy_usd_per_kwh=np.zeros(shape),
        export_usd_per_kwh=np.zeros(shape),
    )
    found, best = exact(economy, tariff).answer, solve_first_best(economy)
    gap = best.duality_gap_usd + GAP_USD_PER_DAY
    assert welfare(economy, found) == pytest.approx(best.welfare_usd_per_household_day, abs=gap + 1e-10)
    steepness = float(economy.supply.coefficients[0, 1])
    near = (2 * steepness * gap / (economy.common.probability.min() * economy.slot_hours)) ** 0.5
    assert found.wholesale_usd_per_kwh == pytest.approx(best.wholesale_usd_per_kwh, abs=near)


# Games without a potential


@pytest.mark.parametrize(
    ("scenario", "changes", "failed"),
    [
        ({"discount_per_day": 0.7}, {}, "the discount is below 1"),
        (
            {},
            {"export_pass_through": 0.5},
            "export and import pass through different shares of the wholesale price",
        ),
        (
            {},
            {"discount": np.array([0.2, 0.0])},
            "exports of income group low pass through 1 of the wholesale price, imports after its discount 0.8",
        ),
    ],
)
def test_a_game_without_a_potential_is_solved_otherwise_and_nothing_is_claimed(
    scenario: dict[str, object], changes: dict[str, object], failed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("this game has no potential")

    monkeypatch.setattr("meanwatt.model.mean_field.solvers.price_search.solve_exact", refuse)
    economy = cold(battery_share=0.9, steepness=0.5, **scenario)
    found = solve_equilibrium(economy, replace(billed(economy), **changes))
    assert found.contraction is None, "the price map jumps"
    assert found.uniqueness == f"observed only: {failed}"
    assert found.converged
    induced = induced_wholesale(economy, found.net_load_kw)
    assert np.abs(induced - found.wholesale_usd_per_kwh).max() == pytest.approx(0.0, abs=1e-12)


def test_a_game_without_a_potential_is_refused_in_one_line() -> None:
    economy = cold()
    message = (
        "tariff small: the exact solver needs a potential: exports earn nothing while imports follow the wholesale"
        " price; give solver 'mixed_plans', or a temperature above 0"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        exact(economy, replace(billed(economy), export_rule=ExportRule.NONE))


def test_with_a_potential_the_same_world_is_solved() -> None:
    economy = cold(battery_share=0.9, steepness=0.5)
    assert solve_equilibrium(economy, billed(economy), certify=False).outcome is Outcome.CONVERGED


# What random starts say of the others


@pytest.fixture(scope="module")
def impatient() -> Equilibrium:
    economy = small_economy(discount_per_day=0.8, temperature_usd=0.05)
    return solve_equilibrium(economy, small_tariff(economy), certify=False)


def test_random_starts_that_agree_say_how_closely(impatient: Equilibrium) -> None:
    watch = Watch()
    said = agreement(impatient.economy, impatient.tariff, impatient.answer, watch, 3)
    apart = re.fullmatch(r"3 random starts agree to (\de-\d\d) USD/kWh", said)
    assert apart is not None, said
    assert float(apart[1]) <= 1e-8
    assert watch.evaluations >= 3, "they are solved again"


def test_the_distance_said_is_that_of_the_prices_given(impatient: Equilibrium) -> None:
    wrong = replace(impatient.answer, wholesale_usd_per_kwh=impatient.wholesale_usd_per_kwh + 0.02 * np.eye(3))
    said = agreement(impatient.economy, impatient.tariff, wrong, Watch(), 2)
    assert said == "2 random starts agree to 2e-02 USD/kWh"


def test_starts_that_do_not_settle_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meanwatt.model.mean_field.zero_temperature.mixed_plans.ROUND_LIMIT", 2)
    monkeypatch.setattr("meanwatt.model.mean_field.solvers.anchored_policies.STEP_LIMIT", 1)
    economy = cold(discount_per_day=0.7, battery_share=0.9, steepness=0.5)
    tariff = billed(economy)
    found = solve_equilibrium(economy, tariff, certify=False)
    said = agreement(economy, tariff, found.answer, Watch(), 2)
    assert said == "none of 2 random starts converged"


def test_the_solver_asks_them_only_where_no_theorem_speaks_and_when_told_to(impatient: Equilibrium) -> None:
    economy, tariff = impatient.economy, impatient.tariff
    assert impatient.uniqueness == "observed only: the discount is below 1"
    asked = solve_equilibrium(economy, tariff, starts=2)
    sentence = r"observed only: the discount is below 1; 2 random starts agree to \de-\d\d USD/kWh"
    assert re.fullmatch(sentence, asked.uniqueness)
    unasked = solve_equilibrium(economy, tariff, starts=0)
    assert unasked.uniqueness == impatient.uniqueness
    assert asked.iterations > unasked.iterations
    patient = small_economy(temperature_usd=0.05)
    assert solve_equilibrium(patient, small_tariff(patient), starts=2).uniqueness == "unique by Theorem U"


def test_a_mixture_is_no_nearer_to_rest_than_the_plans_that_it_mixes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every plan's law is left 2e-3 from the stationary one, and so is theirs together."""

    def left_early(*given: Any, **named: Any) -> Flow:
        return replace(household_flow(*given, **named), defect=2e-3)

    economy = cold()
    monkeypatch.setattr(stationary_plans, "household_flow", left_early)
    prices, watch = first_guess(economy), Watch()
    found = solve_exact(economy, billed(economy), 0.0, prices, watch=watch, gap_usd_per_day=1.0)
    for household, flow in zip(economy.types, found.answer.flows, strict=True):
        assert flow.defect == pytest.approx(2e-3, rel=1e-9), household.name
