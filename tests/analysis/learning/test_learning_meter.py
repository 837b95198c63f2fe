"""What a leader sees through its meters, and how far its objective can be told from that."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scenarios import preset_economy, preset_tariff, small_economy, small_tariff, solved, welfare

from meanwatt.agents.leader.meter import MeterReading
from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.analysis.leader.objective import LEVEL
from meanwatt.analysis.leader.registry import find, names
from meanwatt.analysis.learning.environment import (
    MarketEnvironment,
    MeanFieldEnvironment,
    expected_reading,
    metered_reading,
)
from meanwatt.analysis.learning.meter import PENALTY_PER_SALES, MeteredObjective
from meanwatt.analysis.output.solution_json import equilibrium_metrics
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.mean_field.leader.tariff_family import tariff_family
from meanwatt.model.scenario.economy import Economy

WELFARE_ALONE = LeaderSpec(leader="commission", weights={"equity": 0.0, "stability": 0.0})
MARGIN = LeaderSpec(leader="utility")


def at(economy: Economy, **changes: object) -> Equilibrium:
    found = solve_equilibrium(economy, small_tariff(economy, **changes), certify=False)
    assert found.converged
    return found


def entropy_usd(found: Equilibrium) -> float:
    """Temperature times the expected entropy of the households' choices. [USD per household-day]"""
    total, economy = 0.0, found.economy
    for household, policy, law in zip(economy.types, found.policies, found.laws, strict=True):
        chance = policy.probability
        surprise = -np.where(chance > 0, chance * np.log(np.where(chance > 0, chance, 1.0)), 0.0).sum(axis=-1)
        total += household.share * float(np.einsum("c,chez,chez->", economy.common.probability, law, surprise))
    return economy.scenario.temperature_usd * total


def revealed_welfare(found: Equilibrium) -> float:
    """Welfare with the entropy that households' choices reveal as a benefit."""
    return welfare(found.economy, found.answer) + entropy_usd(found)


def gain(old: Equilibrium, new: Equilibrium) -> tuple[float, float]:
    found = MeteredObjective(old.economy, WELFARE_ALONE, expected_reading(old)).estimate(expected_reading(new))
    return found.value, found.half_width


def test_the_meters_of_the_continuum_show_its_load_bills_and_margin() -> None:
    economy = small_economy(memory=1)
    found = at(economy, discount=np.array([0.35, 0.0]), fixed_charge_usd_per_day=np.array([0.1, 0.5]))
    reading = expected_reading(found)
    assert (reading.imported_kw >= 0).all()
    assert (reading.exported_kw >= 0).all()
    assert reading.exported_kw.any()
    np.testing.assert_allclose(reading.net_load_kw, found.net_load_kw, atol=1e-12)
    by_group = np.bincount(
        [t.group for t in economy.types], weights=economy.type_share * found.bill_usd_per_day, minlength=2
    )
    np.testing.assert_allclose(reading.weight @ reading.bill_usd_per_day, by_group, atol=1e-12)
    margin = float(reading.weight @ reading.margin_usd_per_day)
    assert margin == pytest.approx(found.surplus_usd_per_household_day, abs=1e-12)
    volatility = float(reading.weight @ reading.volatility_usd_per_kwh)
    assert volatility == pytest.approx(equilibrium_metrics(found).imv, abs=1e-15)


def test_the_meters_of_a_market_show_its_bills_and_account() -> None:
    found, households, days = solved("textbook", "filed"), 200, 5
    reading = metered_reading(found, households=households, days=days, key=(3, 1))
    market = ProsumerMarket(found.economy, households=households, policies=found, rng=(3, 1), power_flow=False)
    for day in range(days):
        market.step()
        record = market.history[-1]
        np.testing.assert_allclose(reading.net_load_kw[day], record.net_load_kw, atol=1e-9)
        account = record.account
        assert reading.bill_usd_per_day[day].sum() == pytest.approx(account.revenue_usd / households, abs=1e-9)
        assert reading.margin_usd_per_day[day] == pytest.approx(account.surplus_usd / households, abs=1e-9)
    market.close()
    assert (reading.exported_kw >= 0).all()
    assert reading.group_share.sum() == pytest.approx(1.0)


def test_a_reading_of_the_wrong_shape_is_refused_in_one_line() -> None:
    reading = expected_reading(solved("textbook", "filed"))
    with pytest.raises(ValueError, match=r"^meter reading: weight has shape \(2,\); give \(1,\)"):
        replace(reading, weight=np.array([0.5, 0.5]))
    with pytest.raises(ValueError, match=r"^meter reading: imported_kw is nan at index \[0, 0, 0\]"):
        replace(reading, imported_kw=np.full_like(reading.imported_kw, np.nan))


def test_the_tariff_in_force_gains_nothing_over_itself() -> None:
    found = solved("textbook", "filed")
    aims, metrics = (
        LeaderSpec(leader="commission", weights={"equity": 2.0, "stability": 3.0}),
        equilibrium_metrics(found),
    )
    seen = expected_reading(found)
    estimate = MeteredObjective(found.economy, aims, seen).estimate(seen)
    assert metrics.imv is not None
    assert estimate.half_width == 0
    assert estimate.value == pytest.approx(-2 * metrics.burden_gap - 3 * metrics.imv, abs=1e-12)
    assert estimate.score == estimate.value


@pytest.mark.parametrize("name", names())
def test_what_is_metered_of_the_tariff_in_force_is_what_the_objective_says_it_is(name: str) -> None:
    """A gain over itself is 0, penalties aside; a level is that of the objective."""
    found = solved("textbook", "filed")
    free = {"equity": 0.0, "stability": 0.0, "burden_gap_limit": 10.0, "imv_limit": 10.0}
    known = find(name).weights
    spec = LeaderSpec(leader=name, weights={key: value for key, value in free.items() if key in known})
    if not spec.definition.is_metered:
        pytest.skip("no meter shows it")
    seen = expected_reading(found)
    level = spec.objective()(found) if spec.definition.metered_as == LEVEL else 0.0
    assert MeteredObjective(found.economy, spec, seen).estimate(seen).value == pytest.approx(level, abs=1e-12)


def test_the_utilitys_margin_is_metered_exactly() -> None:
    economy = small_economy(memory=1)
    old, new = at(economy), at(economy, energy_usd_per_kwh=np.full((3, 3), 0.2), pass_through=0.4)
    estimate = MeteredObjective(economy, MARGIN, expected_reading(old)).estimate(expected_reading(new))
    assert estimate.value == pytest.approx(new.surplus_usd_per_household_day, abs=1e-12)
    assert estimate.half_width == 0


def test_a_rate_above_the_cap_costs_more_than_it_earns() -> None:
    economy = small_economy()
    aims = LeaderSpec(leader="utility", price_cap_usd_per_kwh=0.25)
    found = [at(economy, energy_usd_per_kwh=np.full((3, 3), rate), pass_through=0.0) for rate in (0.25, 0.26, 0.4)]
    objective = MeteredObjective(economy, aims, expected_reading(found[0]))
    met, little, much = (objective.estimate(expected_reading(one)) for one in found)
    assert met.violation_usd_per_kwh == pytest.approx(0.0, abs=1e-15)
    assert much.violation_usd_per_kwh == pytest.approx(0.15)
    assert much.value > little.value > met.value  # they earn more
    assert much.score < little.score < met.score
    sales = economy.slot_hours * float(
        expected_reading(found[2]).imported_kw.sum(axis=(1, 2)) @ economy.common.probability
    )
    assert much.score == pytest.approx(much.value - PENALTY_PER_SALES * sales * 0.15)


@pytest.mark.parametrize("seed", range(6))
def test_what_choices_reveal_lies_in_the_metered_bracket(seed: int) -> None:
    """Convexity of the households' benefit; the supply side is exact, its curve being affine."""
    economy, rng = small_economy(seed=seed, temperature_usd=0.03), np.random.default_rng(seed)

    def posted() -> Equilibrium:
        energy = rng.uniform(0.02, 0.4, (3, 3))
        return at(
            economy,
            energy_usd_per_kwh=energy,
            export_usd_per_kwh=energy * rng.uniform(0, 1, (3, 3)),
            pass_through=float(rng.uniform()),
            export_pass_through=0.0,
            fixed_charge_usd_per_day=rng.uniform(0, 1, 2),
            discount=np.array([rng.uniform(0, 0.5), 0.0]),
        )

    old, new = posted(), posted()
    value, half_width = gain(old, new)
    error = value - (revealed_welfare(new) - revealed_welfare(old))
    assert half_width > 1e-3  # the tariffs are far apart
    assert abs(error) <= half_width + 1e-9


def test_the_rule_of_a_half_is_of_third_order() -> None:
    """Halving the way to a tariff divides the error of a step by eight, of two steps together by four."""
    economy = small_economy(temperature_usd=0.1)
    ways = tuple(np.linspace(0.0, 1.0, 9).tolist())
    energy = np.array([[0.0, 0.06, 0.12]]) + np.zeros((3, 1))
    found = {
        s: at(economy, energy_usd_per_kwh=0.1 + s * energy, export_usd_per_kwh=0.05 + s * energy / 2) for s in ways
    }
    true = revealed_welfare(found[1.0]) - revealed_welfare(found[0.0])

    def error(*stops: float) -> float:
        return abs(sum(gain(found[a], found[b])[0] for a, b in pairwise(stops)) - true)

    halves, quarters, eighths = (error(*ways[::every]) for every in (4, 2, 1))
    assert eighths > 1e-7  # solves are good to 1e-9
    assert halves / quarters == pytest.approx(4.0, rel=0.2)
    assert quarters / eighths == pytest.approx(4.0, rel=0.2)  # a rule of first order would give 2


def test_only_entropy_is_hidden_from_the_meters() -> None:
    """The welfare that is reported leaves entropy out; what the meters miss of it shrinks with the temperature."""
    errors = []
    for temperature in (0.1, 0.001):
        economy = small_economy(temperature_usd=temperature)
        old, new = at(economy), at(economy, pass_through=0.6, energy_usd_per_kwh=np.full((3, 3), 0.06))
        hidden = gain(old, new)[0] - (welfare(economy, new.answer) - welfare(economy, old.answer))
        errors.append(abs(hidden))
        assert hidden == pytest.approx(entropy_usd(new) - entropy_usd(old), abs=3e-4)
    assert errors[1] < 0.1 * errors[0]


def test_the_objective_looks_at_no_household() -> None:
    economy = preset_economy("textbook")
    aims = LeaderSpec(leader="commission", weights={"equity": 1.0, "stability": 2.0})
    old, new = (expected_reading(solved("textbook", name)) for name in ("filed", "tou"))
    blind = replace(economy, types=(), shock_kernel=np.eye(3))
    assert MeteredObjective(blind, aims, old).estimate(new) == MeteredObjective(economy, aims, old).estimate(new)


def days_of(reading: MeterReading, state: int) -> MeterReading:
    """The rows of one kind of day."""
    rows = reading.common_state == state
    by_row = ("import_usd_per_kwh", "export_usd_per_kwh", "imported_kw", "exported_kw")
    by_row += ("wholesale_usd_per_kwh", "marginal_emissions_t_per_kwh", "volatility_usd_per_kwh", "common_state")
    kept = {name: getattr(reading, name)[rows] for name in by_row}
    return replace(reading, weight=np.full(rows.sum(), 1 / rows.sum()), **kept)


def test_weather_is_set_aside() -> None:
    """A reading taken on hot days alone is compared with the hot days of the tariff in force."""
    economy = small_economy()
    whole = expected_reading(at(economy))
    for aims in (WELFARE_ALONE, MARGIN):
        objective = MeteredObjective(economy, aims, whole)
        level = objective.estimate(whole).value
        for state in range(3):
            assert objective.estimate(days_of(whole, state)).value == pytest.approx(level, abs=1e-12)
    with pytest.raises(ValueError, match="in weather that the tariff in force never saw; meter more days"):
        MeteredObjective(economy, MARGIN, days_of(whole, 0)).estimate(days_of(whole, 1))


@pytest.mark.parametrize("aims", [LeaderSpec(leader="commission"), MARGIN], ids=["commission", "utility"])
def test_a_large_market_meters_what_the_continuum_does(aims: LeaderSpec) -> None:
    economy, base = preset_economy("textbook"), solved("textbook", "filed")
    family = tariff_family(economy, Recovery.POSTED if aims.leader == "utility" else Recovery.FIXED)
    tariff = family.tariff(family.low + 0.6 * (family.high - family.low))
    values = []
    for environment in (MeanFieldEnvironment(base), MarketEnvironment(base, households=3000, days=28, seed=1)):
        seen = environment.post(tariff, 1).reading
        assert seen is not None
        values.append(MeteredObjective(economy, aims, environment.in_force()).estimate(seen).value)
    assert values[1] != values[0]
    assert values[1] == pytest.approx(values[0], abs=2e-3)  # ten times the scatter of such markets


def test_a_trial_depends_on_its_number_alone() -> None:
    base, tariff = solved("textbook", "filed"), preset_tariff("textbook", "tou")
    market = MarketEnvironment(base, households=50, days=2, seed=4)

    def load(trial: int) -> np.ndarray:
        reading = market.post(tariff, trial).reading
        assert reading is not None
        return reading.net_load_kw

    first, second, again = load(1), load(2), load(1)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, second)
