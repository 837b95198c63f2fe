"""The month's largest import: closed forms, ties, and months drawn at random."""

from dataclasses import replace

import numpy as np
import pytest
from scenarios import WEATHER, small_economy, small_tariff

from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.model.mean_field.components.home_peak import ACCURACY, expected_peak_kw
from meanwatt.model.mean_field.components.month_peak import mean_import_kw, month_peak
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.scenario.economy import Economy

ALL = np.ones(3, dtype=bool)
LONG, SHORT = 365 / 12 - 30, 31 - 365 / 12
"""Parts of 31 and of 30 days in a month."""


def same_every_day(shocks: int = 1) -> Economy:
    economy = small_economy(weather=np.ones((1, 1)))
    law = np.full(shocks, 1 / shocks)
    return replace(economy, shock_levels=np.ones(shocks), shock_kernel=np.tile(law, (shocks, 1)), shock_probability=law)


def test_where_every_day_is_the_same_the_largest_cell_holds_it_and_ties_share() -> None:
    economy = same_every_day()
    peak = month_peak(economy, np.array([0.3, 0.9, 0.5]).reshape(1, 3, 1), ALL)
    assert peak.expected_kw == pytest.approx(0.9, abs=1e-12)
    np.testing.assert_allclose(peak.holds.ravel(), [0, 1, 0], atol=1e-12)
    tied = month_peak(economy, np.array([0.9, 0.3, 0.9]).reshape(1, 3, 1), ALL)
    np.testing.assert_allclose(tied.holds.ravel(), [0.5, 0, 0.5], atol=1e-12)


def test_what_lies_outside_the_window_does_not_count() -> None:
    peak = month_peak(same_every_day(), np.array([0.3, 0.9, 0.5]).reshape(1, 3, 1), np.array([True, False, True]))
    assert peak.expected_kw == pytest.approx(0.5, abs=1e-12)
    nothing = month_peak(same_every_day(), np.zeros((1, 3, 1)), ALL)
    assert nothing.expected_kw == 0.0
    assert not nothing.holds.any()


def test_independent_shocks_have_the_closed_form_of_the_largest_of_many() -> None:
    economy = same_every_day(shocks=2)
    cells = np.array([[0.2, 0.8], [0.1, 0.6], [0.0, 0.0]])[None]
    peak = month_peak(economy, cells, ALL)

    def never(chance: float) -> float:
        return SHORT * chance**30 + LONG * chance**31

    below_06, below_08 = never(0.25), never(0.5)  # both slots at their low shock; the first one so
    expected = 0.8 * (1 - below_08) + 0.6 * (below_08 - below_06) + 0.2 * below_06
    assert peak.expected_kw == pytest.approx(expected, abs=1e-12)
    assert peak.holds[0, 0, 1] == pytest.approx(1 - below_08, abs=1e-12)
    assert peak.holds.sum() == pytest.approx(1.0, abs=1e-12)


def drawn_month(economy: Economy, cells: np.ndarray, rng: np.random.Generator) -> float:
    """Largest import of one month of 30 or 31 days, day by day and slot by slot."""
    c = rng.choice(len(economy.common.probability), p=economy.common.probability)
    z = rng.choice(2, p=economy.shock_probability)
    most = 0.0
    for _ in range(30 + (rng.random() < LONG)):
        for h in range(economy.slots):
            most = max(most, cells[c, h, z])
            z = rng.choice(2, p=economy.shock_kernel[z])
        c = rng.choice(3, p=economy.common.kernel[c])
    return most


def test_months_drawn_along_the_chains_agree() -> None:
    economy = small_economy(weather=WEATHER)
    rng = np.random.default_rng(4)
    cells = rng.uniform(0.0, 1.0, (3, 3, 2))
    cells[2, 1, 1] = 2.0  # rare: one weather in ten or so, at the rarer shock
    peak = month_peak(economy, cells, ALL)
    drawn = np.array([drawn_month(economy, cells, rng) for _ in range(600)])
    assert peak.expected_kw == pytest.approx(drawn.mean(), abs=5 * drawn.std() / np.sqrt(600))


def test_without_a_battery_the_exact_peak_is_that_of_the_cells() -> None:
    economy = small_economy(battery_share=0.0)
    found = solve_equilibrium(economy, small_tariff(economy), certify=False)
    for k, (policy, law) in enumerate(zip(found.policies, found.laws, strict=True)):
        cells = month_peak(economy, mean_import_kw(found.answer, k), ALL).expected_kw
        assert expected_peak_kw(economy, policy, law, ALL) == pytest.approx(cells, rel=2 * ACCURACY)


def test_with_a_battery_months_lived_by_the_policy_agree_and_the_mean_over_what_is_stored_is_too_low() -> None:
    economy = small_economy(temperature_usd=0.1)
    found = solve_equilibrium(economy, small_tariff(economy), certify=False)
    kind = next(k for k, household in enumerate(economy.types) if household.battery is not None)
    policy, law = found.policies[kind], found.laws[kind]
    exact = expected_peak_kw(economy, policy, law, ALL)
    rng, months = np.random.default_rng(7), 300
    lived = np.array([lived_month(economy, policy, law, rng) for _ in range(months)])
    assert exact == pytest.approx(lived.mean(), abs=5 * lived.std() / np.sqrt(months) + 2 * ACCURACY * exact)
    assert month_peak(economy, mean_import_kw(found.answer, kind), ALL).expected_kw < exact


def lived_month(economy: Economy, policy: PolicyTable, law: np.ndarray, rng: np.random.Generator) -> float:
    """Largest import of a month that one household lives, move by move."""
    c = rng.choice(3, p=economy.common.probability)
    e, z = np.unravel_index(rng.choice(law[c, 0].size, p=law[c, 0].ravel() / law[c, 0].sum()), law[c, 0].shape)
    most = 0.0
    for _ in range(30 + (rng.random() < LONG)):
        for h in range(economy.slots):
            chance = policy.probability[c, h, e, z]
            j = rng.choice(chance.size, p=chance / chance.sum())
            most = max(most, policy.net_load_kw[c, h, z, j])
            e, z = e + policy.moves[j], rng.choice(2, p=economy.shock_kernel[z])
        c = rng.choice(3, p=economy.common.kernel[c])
    return float(most)


def test_no_other_law_of_the_largest_import_weighs_the_imports_more() -> None:
    economy = small_economy(weather=WEATHER)
    rng = np.random.default_rng(5)
    cells = rng.uniform(0.0, 1.0, (3, 3, 2))
    peak = month_peak(economy, cells, ALL)
    assert float((peak.holds * cells).sum()) == pytest.approx(peak.expected_kw, abs=1e-12)
    for _ in range(20):
        other = month_peak(economy, rng.uniform(0.0, 1.0, (3, 3, 2)), ALL).holds
        assert float((other * cells).sum()) <= peak.expected_kw + 1e-12
