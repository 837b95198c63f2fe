"""Certificates are what they claim: exploitability, its bound, the contraction factor, the word on uniqueness."""

from dataclasses import replace

import numpy as np
import pytest
from scenarios import preset_economy, preset_tariff, small_economy, small_tariff, solved
from slow_oracles import occupation_optimum

from meanwatt.agents.household.battery import moves
from meanwatt.agents.household.slot_outcome import slot_outcome
from meanwatt.agents.household.storage import feasible
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import ExportRule, Recovery, rates
from meanwatt.model.mean_field import certificates
from meanwatt.model.mean_field.certificates import (
    contraction,
    exploitability_usd_per_day,
    policy_value_usd,
    softmax_bound_usd_per_day,
    uniqueness,
)
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.mean_field.population.population_response import (
    PopulationResponse,
    decision_problem,
    induced_wholesale,
    population_response,
)
from meanwatt.model.mean_field.solvers.price_fixed_point import first_guess
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.supply import SupplyCurve


def test_the_softmax_bound_by_hand() -> None:
    # η T Σ w ln A: .05 · 3 slots · half the households have a battery · at most 4 of its 5 moves from any level
    economy = small_economy(temperature_usd=0.05)
    household = next(t for t in economy.types if t.battery)
    assert feasible(4, moves(household.battery, 8.0)).sum(axis=1).max() == 4
    assert softmax_bound_usd_per_day(economy) == pytest.approx(0.05 * 3 * 0.5 * np.log(4))


def lp_exploitability(economy: Economy, tariff: object, found: PopulationResponse) -> float:
    """Optimum of a linear program less what the policies earn, both at the prices that they induce."""
    wholesale = economy.supply.price(found.net_load_kw + economy.rest_load_kw)
    posted = rates(tariff, economy.common.today, wholesale, found.adder_usd_per_kwh)
    total = 0.0
    for k, household in enumerate(economy.types):
        brought = slot_outcome(household, posted, economy.shock_levels, economy.slot_hours)
        policy, law = found.responses[k].policy, found.flows[k].law
        earned = 0.0
        for c, h, e, z, j in np.ndindex(policy.probability.shape):
            chance = economy.common.probability[c] * law[c, h, e, z] * policy.probability[c, h, e, z, j]
            earned += chance * brought.reward_usd[c, h, z, j]
        best = occupation_optimum(brought, decision_problem(economy, temperature_usd=0.0), household.levels)
        total += household.share * (best - earned)
    return total


@pytest.mark.parametrize("at_the_equilibrium", [True, False])
@pytest.mark.parametrize("rule", ["entropy", "boltzmann"])
def test_exploitability_is_the_gap_to_a_linear_program(rule: str, at_the_equilibrium: bool) -> None:
    economy = small_economy(temperature_usd=0.05, value_rule=rule)
    tariff = small_tariff(economy)
    if at_the_equilibrium:
        found = solve_equilibrium(economy, tariff, certify=False).answer
    else:  # prices that the households do not confirm
        found = population_response(economy, tariff, np.random.default_rng(0).uniform(0.05, 0.3, (3, 3)), 0.0)
    expected = lp_exploitability(economy, tariff, found)
    assert expected > 1e-3
    assert exploitability_usd_per_day(economy, tariff, found) == pytest.approx(expected, abs=1e-9)


def discounted_value(economy: Economy, reward: Floats, probability: Floats, move: Floats) -> Floats:
    """Value (c, e, z) of a policy at midnight from one linear system over (c, h, e, z)."""
    states, slots, levels, shocks, _ = probability.shape
    per_slot = economy.scenario.discount_per_day ** (1 / slots)
    index = {place: k for k, place in enumerate(np.ndindex(states, slots, levels, shocks))}
    step, earned = np.zeros((len(index), len(index))), np.zeros(len(index))
    for (c, h, e, z), row in index.items():
        for j, m in enumerate(move):
            chance = probability[c, h, e, z, j]
            if chance == 0:
                continue
            earned[row] += chance * reward[c, h, z, j]
            for y in range(shocks):
                for d in range(states):
                    weather = economy.common.kernel[c, d] if h == slots - 1 else float(c == d)
                    if weather:
                        target = index[d, (h + 1) % slots, e + m, y]
                        step[row, target] += per_slot * chance * weather * economy.shock_kernel[z, y]
    value = np.linalg.solve(np.eye(len(index)) - step, earned).reshape(states, slots, levels, shocks)
    return value[:, 0]


@pytest.mark.parametrize("discount", [0.996, 1 - 1e-6])
def test_near_no_discount_a_policys_value_is_what_its_law_earns(
    discount: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """(1 − δ) Σ p μ V = Σ_h β^h ⟨f_h, r_h⟩ for a stationary law μ, β = δ^(1/T); and V is that of adding up days."""
    economy = small_economy(temperature_usd=0.05, discount_per_day=discount)
    found = solve_equilibrium(economy, small_tariff(economy), certify=False).answer
    response, flow = found.responses[1], found.flows[1]
    assert economy.types[1].battery is not None
    terms = (response.outcome.valued_usd, response.policy.probability, response.policy.moves, decision_problem(economy))
    value = policy_value_usd(*terms)
    chance = economy.common.probability[:, None, None]
    by_slot = (chance[..., None] * flow.frequency * response.outcome.valued_usd).sum(axis=(0, 2, 3))
    earned = float(by_slot @ discount ** (np.arange(economy.slots) / economy.slots))
    assert (1 - discount) * float((chance * flow.law[:, 0] * value).sum()) == pytest.approx(earned, abs=1e-8)
    if discount < 0.999:
        monkeypatch.setattr(certificates, "DAYS_OF_VALUE", np.inf)
        assert policy_value_usd(*terms) == pytest.approx(value, abs=1e-8)


def test_a_share_of_the_price_that_is_rounding_couples_nobody() -> None:
    """Below what counts as a share, exports follow no price: nothing is divided by the share of imports, which is 0."""
    economy = small_economy(temperature_usd=0.05, battery_share=1.0)
    tariff = small_tariff(economy, pass_through=0.0, export_pass_through=1e-13)
    found = solve_equilibrium(economy, tariff)
    assert found.converged
    assert found.uniqueness == "unique: no rate depends on the wholesale price"
    none = solve_equilibrium(economy, replace(tariff, export_pass_through=0.0))
    assert found.wholesale_usd_per_kwh == pytest.approx(none.wholesale_usd_per_kwh, abs=1e-9)


@pytest.mark.parametrize("rule", ["entropy", "boltzmann"])
def test_with_a_discount_exploitability_compares_values_at_midnight(rule: str) -> None:
    economy = small_economy(temperature_usd=0.05, discount_per_day=0.9, value_rule=rule)
    tariff = small_tariff(economy)
    found = solve_equilibrium(economy, tariff, certify=False).answer
    hard = population_response(economy, tariff, found.wholesale_usd_per_kwh, 0.0, temperature_usd=0.0)
    expected = 0.0
    for k, household in enumerate(economy.types):
        policy, best = found.responses[k].policy, hard.responses[k].policy
        reward = found.responses[k].outcome.reward_usd
        own, top = (discounted_value(economy, reward, p.probability, p.moves) for p in (policy, best))
        assert policy_value_usd(reward, policy.probability, policy.moves, decision_problem(economy)) == pytest.approx(
            own, abs=1e-9
        )
        assert (top >= own - 1e-9).all()
        weight = economy.common.probability[:, None, None] * found.flows[k].law[:, 0]
        expected += household.share * 0.1 * float((weight * (top - own)).sum())
    assert expected > 1e-3
    assert exploitability_usd_per_day(economy, tariff, found) == pytest.approx(expected, abs=1e-8)
    assert expected <= softmax_bound_usd_per_day(economy)


@pytest.mark.parametrize("name", ["filed", "flat"])
def test_colder_households_forgo_less_at_given_prices_and_none_at_temperature_zero(name: str) -> None:
    """At given prices the entropy rule trades reward for entropy, the less so the colder it is."""
    tariff = preset_tariff("textbook", name)
    prices = first_guess(preset_economy("textbook"))
    forgone = []
    for temperature in (0.08, 0.04, 0.02, 0.01, 0.005, 0.0):
        economy = preset_economy("textbook", f"temperature_usd={temperature}")
        fixed = replace(tariff, pass_through=0.0, export_pass_through=0.0, recovery=Recovery.POSTED)
        found = population_response(economy, fixed, prices, 0.05)
        forgone.append(exploitability_usd_per_day(economy, fixed, found))
        assert -1e-9 <= forgone[-1] <= softmax_bound_usd_per_day(economy) + 1e-9
    assert (np.diff(forgone) < 0).all()
    assert forgone[-1] == pytest.approx(0, abs=1e-9)


def price_map_jacobian(economy: Economy, tariff: object, found: PopulationResponse) -> Floats:
    """Derivative of s(L(λ) + rest) in λ at the solution, one price at a time."""
    center, columns = found.wholesale_usd_per_kwh, []
    for k in range(center.size):
        nudge = np.zeros(center.size)
        nudge[k] = 1e-5
        up, down = (
            induced_wholesale(
                economy,
                population_response(
                    economy, tariff, center + sign * nudge.reshape(center.shape), found.adder_usd_per_kwh
                ).net_load_kw,
            )
            for sign in (1, -1)
        )
        columns.append((up - down).ravel() / 2e-5)
    return np.array(columns).T


@pytest.mark.parametrize(("steepness", "temperature"), [(0.05, 0.1), (0.3, 0.1), (0.3, 0.02)])
def test_the_contraction_factor_is_the_spectral_radius_of_the_price_map(steepness: float, temperature: float) -> None:
    economy = small_economy(steepness=steepness, temperature_usd=temperature)
    economy = replace(economy, types=tuple(replace(household, curtailable=False) for household in economy.types))
    tariff = small_tariff(economy)
    found = solve_equilibrium(economy, tariff, tolerance_usd_per_kwh=1e-10)
    radius = np.abs(np.linalg.eigvals(price_map_jacobian(economy, tariff, found.answer))).max()
    assert found.contraction == pytest.approx(radius, rel=0.02)


@pytest.mark.parametrize(("name", "nudge", "first", "last"), [("rtp", 1e-7, 10, 16), ("tou", 1e-2, 8, 12)])
def test_plain_iteration_departs_or_returns_by_the_contraction_factor_a_step(
    name: str, nudge: float, first: int, last: int
) -> None:
    found = solved("textbook", name, certify=True)
    anywhere = np.random.default_rng(0).uniform(-1, 1, found.wholesale_usd_per_kwh.shape)
    prices, before, gaps = found.wholesale_usd_per_kwh + nudge * anywhere, found.answer, []
    for _ in range(last + 1):
        before = population_response(found.economy, found.tariff, prices, found.adder_usd_per_kwh, start=before)
        prices = induced_wholesale(found.economy, before.net_load_kw)
        gaps.append(np.abs(prices - found.wholesale_usd_per_kwh).max())
    pace = (gaps[last] / gaps[first]) ** (1 / (last - first))
    assert pace == pytest.approx(found.contraction, rel=0.1)
    assert (found.contraction > 1) == (name == "rtp"), "real-time prices with storage herd, time of use does not"


def test_the_contraction_factor_is_zero_where_no_rate_follows_the_wholesale_price() -> None:
    economy, tariff = preset_economy("textbook"), preset_tariff("textbook", "filed")
    found = population_response(economy, tariff, first_guess(economy), 0.0)
    assert contraction(economy, tariff, found, Watch()) == 0.0


@pytest.mark.parametrize("temperature", [0.0, 0.02])
def test_without_batteries_the_contraction_factor_is_exact_at_any_temperature(temperature: float) -> None:
    """Use answers the price of its own slot alone: the map's slope is b κ ε q0/p0, q0 being the mean reference load."""
    economy = small_economy(battery_share=0.0, temperature_usd=temperature, steepness=0.4)
    found = solve_equilibrium(economy, small_tariff(economy, pass_through=0.6, export_pass_through=0.6))
    assert found.converged
    by_slot = 0.4 * 0.6 * 0.3 * economy.mean_reference_kw / 0.2
    assert found.contraction == pytest.approx(by_slot.max(), rel=1e-12)
    assert solve_equilibrium(small_economy(temperature_usd=0.0), found.tariff).contraction is None


def flat_export(**changes: object) -> dict[str, object]:
    return {"export_usd_per_kwh": np.zeros((3, 3)), **changes}


@pytest.mark.parametrize(
    ("scenario", "changes", "sentence"),
    [
        ({}, {}, "unique by Theorem U"),
        ({}, {"recovery": Recovery.FIXED}, "unique by Theorem U"),
        ({}, {"export_rule": ExportRule.NET_METERING}, "unique by Theorem U"),
        ({"temperature_usd": 0.0, "value_rule": "boltzmann"}, {}, "unique by Theorem U"),
        ({"discount_per_day": 0.9}, {}, "observed only: the discount is below 1"),
        ({"value_rule": "boltzmann"}, {}, "observed only: the value rule is not entropy"),
        (
            {},
            {"recovery": Recovery.VOLUMETRIC},
            "observed only: the adder is not given but balances revenue; at any given adder the price is unique by"
            " Theorem U",
        ),
        (
            {},
            {"recovery": Recovery.VOLUMETRIC, "pass_through": 0.0, "export_pass_through": 0.0},
            "observed only: the adder is not given but balances revenue; at any given adder unique: no rate depends on"
            " the wholesale price",
        ),
        (
            {},
            flat_export(export_pass_through=0.5),
            "observed only: export and import pass through different shares of the wholesale price",
        ),
        (
            {},
            {"export_rule": ExportRule.NONE},
            "observed only: exports earn nothing while imports follow the wholesale price",
        ),
        (
            {},
            {"discount": np.array([0.2, 0.0])},
            "observed only: exports of income group low pass through 1 of the wholesale price, imports after its"
            " discount 0.8",
        ),
        ({}, {"discount": np.array([0.2, 0.2]), "export_pass_through": 0.8}, "unique by Theorem U"),
        ({}, {"discount": np.array([0.2, 0.1]), "export_rule": ExportRule.NET_METERING}, "unique by Theorem U"),
        ({}, {"export_usd_per_kwh": np.full((3, 3), 0.2), "capped_at_import": True}, "unique by Theorem U"),
        (
            {},
            {"discount": np.array([0.2, 0.2]), "export_pass_through": 0.8, "capped_at_import": True},
            "unique by Theorem U",
        ),
        (
            {},
            {
                "discount": np.array([0.2, 0.2]),
                "export_pass_through": 0.8,
                "capped_at_import": True,
                "energy_usd_per_kwh": np.full((3, 3), -0.3),
            },
            "observed only: a cap on discounted exports may meet a negative import rate",
        ),
        ({"battery_share": 0.0}, {"export_rule": ExportRule.NONE}, "unique by Theorem U"),
        ({"battery_share": 0.0}, {"export_pass_through": 0.3, "discount": np.array([0.2, 0.0])}, "unique by Theorem U"),
        (
            {"battery_share": 0.0},
            {"pass_through": 0.0},
            "unique: nobody exports, and no other rate depends on the wholesale price",
        ),
        (
            {"temperature_usd": 0.0},
            {"pass_through": 0.0, "export_pass_through": 0.0},
            "unique but for ties, which are split equally: no rate depends on the wholesale price",
        ),
        (
            {},
            {"pass_through": 0.0, "export_pass_through": 0.0},
            "unique: no rate depends on the wholesale price",
        ),
        (
            {},
            {"pass_through": 0.0, "export_rule": ExportRule.NET_METERING},
            "unique: no rate depends on the wholesale price",
        ),
    ],
)
def test_what_is_known_of_uniqueness_is_said_with_the_condition_that_fails(
    scenario: dict[str, object], changes: dict[str, object], sentence: str
) -> None:
    economy = small_economy(**scenario)
    assert uniqueness(economy, small_tariff(economy, **changes)) == sentence


@pytest.mark.parametrize(
    ("temperature", "credit", "said"),
    [
        (
            0.0,
            0.02,
            "the price is unique by Theorem U, the load need not be: plans may tie where the supply curve is flat",
        ),
        (0.05, 0.02, "unique by Theorem U"),
        (
            0.05,
            0.08,
            "the price is unique by Theorem U, the load need not be: plans may tie where the supply curve is flat",
        ),
    ],
)
def test_where_supply_is_flat_the_load_is_called_unique_only_if_no_plans_can_tie(
    temperature: float, credit: float, said: str
) -> None:
    economy = small_economy(temperature_usd=temperature)
    stepped = SupplyCurve.piecewise_linear([0.0, 0.3, 0.6], [0.05, 0.05, 0.2])
    tariff = small_tariff(economy, export_usd_per_kwh=np.full((3, 3), credit))
    assert uniqueness(replace(economy, supply=stepped), tariff) == said
    assert uniqueness(economy, tariff) == "unique by Theorem U", "a curve that rises says the load"


def test_several_failed_conditions_are_all_named() -> None:
    economy = small_economy(discount_per_day=0.9, value_rule="boltzmann")
    said = uniqueness(economy, small_tariff(economy, recovery=Recovery.VOLUMETRIC))
    assert said == (
        "observed only: the discount is below 1; the value rule is not entropy;"
        " the adder is not given but balances revenue"
    )
