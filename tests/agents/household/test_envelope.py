"""Limits on a household's net load: the best use within them, against a grid; no moves that break them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenarios import SHOCK_LEVELS, small_decision_problem, small_household, small_rates

from meanwatt.agents.household.best_response import best_response, respond
from meanwatt.agents.household.demand import utility_usd_per_hour
from meanwatt.agents.household.envelope import BARRED_USD, TOLERANCE_KW, Envelope
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.household.slot_outcome import slot_outcome
from meanwatt.agents.household.split import Ties
from meanwatt.agents.tariff.rates import Rates, payment_usd

rates_usd = st.floats(-0.4, 0.6)
limits_kw = st.sampled_from([0.0, 0.2, 0.6, 1.1, np.inf])
HOURS = 12.0


def at(bought: float, sold: float, home: HouseholdType) -> Rates:
    """The same pair of rates everywhere."""
    shape = home.reference_kw.shape
    return Rates(import_usd_per_kwh=np.full(shape, bought), export_usd_per_kwh=np.full(shape, sold))


def under(imports: object, exports: object, home: HouseholdType) -> HouseholdType:
    """The same household within limits."""
    shape = home.reference_kw.shape
    limits = [np.broadcast_to(np.asarray(limit, dtype=float), shape) for limit in (imports, exports)]
    return replace(home, envelope=Envelope(name="all", import_limit_kw=limits[0], export_limit_kw=limits[1]))


@settings(max_examples=60)
@given(
    rates_usd,
    rates_usd,
    limits_kw,
    limits_kw,
    st.booleans(),
    st.sampled_from([0.0, 0.3]),
    st.sampled_from([0.3, 0.9]),
    st.integers(0, 9),
)
def test_no_use_and_no_sun_within_limits_beats_the_best_plan(
    bought: float,
    sold: float,
    imports: float,
    exports: float,
    curtailable: bool,
    elasticity: float,
    flexibility: float,
    seed: int,
) -> None:
    """And where nothing keeps the limits none of the grid is nearer to them."""
    plain = small_household(2, 2, seed=seed, elasticity=elasticity, flexibility=flexibility, curtailable=curtailable)
    home = under(imports, exports, plain)
    outcome = slot_outcome(home, at(bought, sold, home), SHOCK_LEVELS, HOURS)
    battery_kw = home.storage_day(HOURS).power_kw[0]
    reach = flexibility if elasticity else 0.0
    reference = (home.reference_kw[:, :, None, None] * SHOCK_LEVELS[:, None])[..., None, None]
    use = reference * np.linspace(1 - reach, 1 + reach, 61)[:, None]
    sun = home.pv_kw[:, :, None, None, None, None]
    used = sun * (np.linspace(0, 1, 61) if curtailable else np.ones(1))
    net = use + battery_kw[:, None, None] - used
    beyond = np.maximum(np.maximum(net - imports, -exports - net), 0.0)
    terms = {"elasticity": elasticity, "reference_price": home.reference_price_usd_per_kwh}
    worth = utility_usd_per_hour(use, reference, **terms) - payment_usd(net, np.array(bought), np.array(sold), 1.0)
    best = np.where(beyond <= 1e-12, worth, -np.inf).max(axis=(-1, -2))
    ours = (outcome.utility_usd - outcome.payment_usd) / HOURS
    assert home.envelope is not None
    missed = home.envelope.beyond_kw(outcome.net_load_kw)
    keeps = missed == 0
    assert (ours[keeps] >= best[keeps] - 1e-9).all()
    assert np.isneginf(best[~keeps]).all()
    assert (missed <= beyond.min(axis=(-1, -2)) + TOLERANCE_KW)[~keeps].all()
    spent = outcome.use_kw + battery_kw - outcome.net_load_kw
    assert ((spent >= -1e-9) & (spent <= home.pv_kw[:, :, None, None] + 1e-9)).all()
    width = np.abs(outcome.use_kw / reference[..., 0, 0] - 1)
    assert (width <= reach + 1e-9).all()
    barred = np.zeros_like(missed) if outcome.barred_usd is None else outcome.barred_usd
    assert ((barred > 0) == ~keeps).all()
    assert (barred[~keeps] > BARRED_USD).all()


@pytest.mark.parametrize("curtailable", [True, False])
def test_limits_that_are_infinite_change_no_bit(curtailable: bool) -> None:
    home = small_household(3, 3, curtailable=curtailable)
    for bought, sold in ((0.3, 0.1), (0.3, -0.1), (-0.1, -0.2), (0.1, 0.3)):
        plain = slot_outcome(home, at(bought, sold, home), SHOCK_LEVELS, 8.0)
        wide = slot_outcome(under(np.inf, np.inf, home), at(bought, sold, home), SHOCK_LEVELS, 8.0)
        for name in ("use_kw", "net_load_kw", "utility_usd", "payment_usd"):
            assert np.array_equal(getattr(plain, name), getattr(wide, name))
        assert wide.barred_usd is None


@pytest.mark.parametrize(
    ("imports", "exports", "use", "net"),
    [
        (9.0, 9.0, 0.75, -1.25),  # sells at .3 all that it does not use at that price
        (9.0, 1.0, 1.0, -1.0),  # what it may not sell is worth less than .3: it uses more, up to
        (9.0, 0.4, 1.5, -0.4),  # what it wants for nothing; the rest, .1, is curtailed
    ],
)
def test_worked_cases(imports: float, exports: float, use: float, net: float) -> None:
    """One kW at 0.2 USD/kWh, elasticity ½ and flexibility 0.8; two kW of sun, no battery; .4 bought, .3 sold."""
    home = small_household(
        1,
        1,
        technology="pv",
        battery=None,
        elasticity=0.5,
        flexibility=0.8,
        reference_kw=np.ones((1, 1)),
        pv_kw=np.full((1, 1), 2.0),
    )
    outcome = slot_outcome(under(imports, exports, home), at(0.4, 0.3, home), np.ones(1), 1.0)
    assert outcome.use_kw.item() == pytest.approx(use)
    assert outcome.net_load_kw.item() == pytest.approx(net)
    spilt = 0.0 if outcome.curtailed_kw is None else outcome.curtailed_kw.item()
    assert spilt == pytest.approx(2.0 + net - use, abs=1e-12)


@pytest.mark.parametrize(("bought", "sold"), [(0.3, 0.1), (0.2, -0.1), (-0.1, -0.2), (0.1, 0.3)])
def test_where_plans_may_tie_the_best_of_all_is_the_same_use(bought: float, sold: float) -> None:
    """The plans compared one by one, as where households part, are worth what the staircase gives."""
    home = under(0.5, 0.3, small_household(3, 3, seed=2))
    single = slot_outcome(home, at(bought, sold, home), SHOCK_LEVELS, 8.0)
    nobody_parts = Ties(where=np.eye(3, dtype=bool), before=None, temperature_usd=1e-9)
    parted = slot_outcome(home, at(bought, sold, home), SHOCK_LEVELS, 8.0, nobody_parts)
    assert np.allclose(parted.reward_usd, single.reward_usd, atol=1e-7)
    both = [np.zeros(1) if one.barred_usd is None else one.barred_usd for one in (single, parted)]
    assert np.allclose(*both)
    assert home.envelope is not None
    assert parted.split is not None
    keeps = (both[1] == 0)[..., None] & (parted.split.share > 0)
    net = parted.split.net_load_kw[keeps]
    assert ((net >= -0.3 - TOLERANCE_KW) & (net <= 0.5 + TOLERANCE_KW)).all()


@pytest.mark.parametrize("temperature", [0.05, 0.0])
def test_no_move_breaks_a_limit_where_another_plan_keeps_it(temperature: float) -> None:
    """Fixed load of 1.3 · .5 kW passes .8 kW, and charging does not, wherever the battery stands."""
    home = under(0.8, 0.4, small_household(3, 3, reference_kw=np.ones((3, 3)), pv_kw=np.zeros((3, 3))))
    problem = small_decision_problem(temperature)
    found = best_response(home, small_rates(), problem)
    assert found.converged
    assert found.outcome.barred_usd is not None
    barred = found.outcome.barred_usd[:, :, None] > 0
    assert barred.any()
    assert (found.policy.probability[np.broadcast_to(barred, found.policy.probability.shape)] == 0).all()
    assert np.allclose(found.policy.probability.sum(axis=-1), 1)


def test_a_limit_below_the_fixed_load_is_missed_by_as_little_as_any_plan_can() -> None:
    """The gain is that of the plan which misses the limit least, but for what money and variety are worth in a day."""
    load = np.array([[0.4, 0.4, 1.2]] * 3)
    home = under(0.5, np.inf, small_household(3, 3, reference_kw=load, pv_kw=np.zeros((3, 3)), elasticity=0.0))
    problem = small_decision_problem(0.05)
    found = best_response(home, small_rates(), problem)
    assert found.converged
    assert found.outcome.barred_usd is not None
    nothing = np.zeros_like(found.outcome.utility_usd)
    alone = replace(found.outcome, utility_usd=nothing, payment_usd=nothing, wear_usd=np.zeros(nothing.shape[-1]))
    least = respond(alone, home.levels, replace(problem, temperature_usd=0.0)).gain_usd_per_day
    reward, variety = found.outcome.reward_usd, 0.05 * np.log(found.policy.moves.size)
    assert least < -BARRED_USD / 2
    assert least + 3 * reward.min() <= found.gain_usd_per_day <= least + 3 * (reward.max() + variety)
