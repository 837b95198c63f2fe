"""Rates that a household expects on a bent supply curve: against the closed form, chance itself, and the laws."""

from dataclasses import replace

import numpy as np
import pytest
from scenarios import small_economy, small_tariff, solved

from meanwatt.agents.tariff.tariff import ExportRule
from meanwatt.analysis.finite_game import deviation
from meanwatt.analysis.finite_game.deviation import finite_exploitability_usd_per_day
from meanwatt.analysis.finite_game.expected_rates import expected_price, expected_rates
from meanwatt.analysis.finite_game.others import MANY, Others
from meanwatt.analysis.validation.exploitability import exploitability, with_kink
from meanwatt.analysis.validation.scaling import power_slope
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.scenario.supply import SupplyCurve


def small(supply: SupplyCurve | None = None, **changes: object) -> Equilibrium:
    economy = small_economy()
    economy = economy if supply is None else replace(economy, supply=supply)
    return solve_equilibrium(economy, small_tariff(economy, **changes), certify=False)


def bent() -> SupplyCurve:
    """A kink in the midst of the small world's loads."""
    return SupplyCurve.piecewise_linear([-3.0, 0.7, 4.0], [0.0, 0.1, 1.0])


@pytest.mark.parametrize("households", [1, 2, 30, 1000, np.inf])
@pytest.mark.parametrize("rule", [ExportRule.NET_BILLING, ExportRule.NET_METERING, ExportRule.NONE])
def test_on_a_straight_curve_the_tables_give_the_closed_form(
    monkeypatch: pytest.MonkeyPatch, households: float, rule: ExportRule
) -> None:
    """With a discount the cap of net billing binds by chance, which the closed form leaves out."""
    discount = 0.0 if rule is ExportRule.NET_BILLING else 0.2
    found = small(export_rule=rule, discount=np.array([discount, 0.0]), export_usd_per_kwh=np.zeros((3, 3)))
    closed = finite_exploitability_usd_per_day(found, households)
    others = Others(found, households)
    monkeypatch.setattr(
        deviation, "expectation", lambda *_: lambda discount, _: expected_rates(found, discount, others)
    )
    assert finite_exploitability_usd_per_day(found, households) == pytest.approx(closed, abs=1e-9)


@pytest.mark.parametrize("households", [3, 200, MANY + 1])
def test_the_expected_price_is_what_chance_makes_of_it(households: int) -> None:
    """Four standard errors of 20,000 draws of everybody else."""
    found = small(bent())
    others, own = Others(found, households), np.array([-1.0, 0.0, 2.0, 3.0])
    c, h = divmod(int(np.abs(others.mean_kw - 0.7).argmin()), 3)  # the slot nearest to the kink
    rng = np.random.default_rng(0)
    loads = np.zeros(20_000)
    values, chances = [], []
    for household, response, flow in zip(found.economy.types, found.answer.responses, found.answer.flows, strict=True):
        values.append(response.outcome.net_load_kw[c, h].ravel())
        chances.append(household.share * flow.frequency[c, h].ravel())
    value, chance = np.concatenate(values), np.concatenate(chances)
    for first in range(0, households - 1, 100):
        draws = min(100, households - 1 - first)
        loads += rng.choice(value, size=(20_000, draws), p=chance / chance.sum()).sum(axis=1)
    rest = found.economy.rest_load_kw[c, h]
    for place, n in enumerate(own):
        price = found.economy.supply.price((loads + n) / households + rest)
        error = 4 * price.std() / np.sqrt(20_000)
        assert expected_price(found, others, own)[c, h, place] == pytest.approx(price.mean(), abs=error + 1e-12)


def test_both_ways_to_the_others_law_agree_on_its_mean_spread_and_tail(monkeypatch: pytest.MonkeyPatch) -> None:
    found = small(bent())
    others = Others(found, MANY + 1)
    moments = []
    for many in (MANY, 10 * MANY):
        monkeypatch.setattr("meanwatt.analysis.finite_game.others.MANY", many)
        loads, chance = others.law(0, 1)
        away = loads - others.mean_kw[0, 1]
        moments.append((chance @ away, chance @ away**2, chance @ np.maximum(away, 0.0)))
    spread = np.sqrt(others.variance[0, 1])
    assert np.abs([one[0] for one in moments]).max() < 1e-9 * spread + 1e-15
    assert np.allclose([one[1] for one in moments], others.variance[0, 1], rtol=1e-3)
    assert moments[0][2] == pytest.approx(moments[1][2], rel=1e-3)


def test_a_best_reply_among_others_never_loses_on_a_bent_curve() -> None:
    found = small(bent())
    for households in (1, 2, 10, 1000, 10**6):
        assert finite_exploitability_usd_per_day(found, households) >= -1e-9


def test_the_kink_leaves_the_equilibrium_where_it_was() -> None:
    found = small()
    kinked = with_kink(found)
    load = found.net_load_kw + found.economy.rest_load_kw
    assert np.allclose(kinked.economy.supply.price(load), found.wholesale_usd_per_kwh, atol=1e-8)
    peak = float(load.max())
    slope = kinked.economy.supply.slope(np.array([peak - 1e-6, peak + 1e-6]))
    assert slope[1] == pytest.approx(2 * slope[0])
    assert finite_exploitability_usd_per_day(kinked, np.inf) == pytest.approx(
        finite_exploitability_usd_per_day(found, np.inf), abs=1e-9
    )


def test_at_a_kink_the_expected_price_is_off_by_the_root_of_one_over_n() -> None:
    """E max(X, 0) = σ/√(2π N) for a normal law; the price's slope there doubles."""
    kinked = with_kink(small())
    c, h = divmod(int((kinked.net_load_kw + kinked.economy.rest_load_kw).argmax()), 3)
    sizes = np.array([1e6, 1e8, 1e10])
    error = []
    for count in sizes:
        others = Others(kinked, count)
        price = expected_price(kinked, others, np.zeros(1))[c, h, 0]
        error.append(price - kinked.economy.supply.price(others.mean_kw[c, h]))
        extra = kinked.economy.supply.slope(others.mean_kw[c, h] + 0.1) - kinked.economy.supply.slope(
            others.mean_kw[c, h] - 0.1
        )
        assert error[-1] == pytest.approx(extra * np.sqrt(others.variance[c, h] / (2 * np.pi)), rel=0.02)
    assert power_slope(sizes, np.array(error)) == pytest.approx(-0.5, abs=0.01)


@pytest.mark.parametrize("tariff", ["flat", "rtp"])
def test_the_exploitability_nears_its_limit_as_one_over_n_and_later_at_a_kink(tariff: str) -> None:
    found = exploitability(solved("textbook", tariff), [30, 1000])
    assert found.coupled
    assert found.affine
    assert found.slope == pytest.approx(-1.0, abs=0.02)
    assert found.kinked_slope is not None
    assert -0.75 < found.kinked_slope < -0.4  # the best reply still switches; its law is −1/2
    assert abs(found.kinked_error[-1]) * found.kinked[-1] > 10 * abs(found.tail_error[-1]) * found.tail[-1]


def test_it_vanishes_with_the_temperature_under_its_bound() -> None:
    found = exploitability(solved("textbook", "rtp"), [30])
    cooled = np.array(found.cooled, dtype=float)
    assert (np.diff(cooled) < 0).all()
    assert (cooled <= np.array(found.bound)).all()
    assert np.allclose(np.array(found.bound) / np.array(found.temperature_usd), found.bound[0] / 0.02)
    assert cooled[-1] < 0.05 * cooled[0]
