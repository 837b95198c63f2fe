"""Five plans of use and curtailment: one of them is best at every pair of rates, whatever their signs and order."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenarios import SHOCK_LEVELS, small_household

from meanwatt.agents.household.demand import utility_usd_per_hour
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.household.slot_outcome import plan_reward_usd, slot_outcome
from meanwatt.agents.household.split import Ties
from meanwatt.agents.tariff.rates import Rates, payment_usd

rates_usd = st.floats(-0.4, 0.6)


def at(bought: float, sold: float, home: HouseholdType) -> Rates:
    """The same pair of rates everywhere."""
    return Rates(
        import_usd_per_kwh=np.full(home.reference_kw.shape, bought),
        export_usd_per_kwh=np.full(home.reference_kw.shape, sold),
    )


def brute_force_usd(home: HouseholdType, bought: float, sold: float, hours: float) -> np.ndarray:
    """Best utility less payment over a fine grid of use × solar used, (c, h, z, j)."""
    battery_kw = home.storage_day(hours).power_kw[0]
    reach = home.flexibility if home.elasticity else 0.0
    reference = home.reference_kw[:, :, None, None] * SHOCK_LEVELS[:, None]
    steps = np.linspace(1 - reach, 1 + reach, 161)
    use = reference[..., None, None] * steps[:, None]
    used = home.pv_kw[:, :, None, None, None, None] * (np.linspace(0, 1, 81) if home.curtailable else np.ones(1))
    net = use + battery_kw[:, None, None] - used
    terms = {"elasticity": home.elasticity, "reference_price": home.reference_price_usd_per_kwh}
    enjoyed = utility_usd_per_hour(use, reference[..., None, None], **terms)
    worth = hours * enjoyed - payment_usd(net, np.array(bought), np.array(sold), hours)
    return np.asarray(worth.max(axis=(-1, -2)))


@given(
    rates_usd,
    rates_usd,
    st.booleans(),
    st.sampled_from([0.0, 0.3, 1.5]),
    st.sampled_from([0.0, 0.3, 0.9]),
    st.integers(0, 9),
)
def test_no_use_and_no_curtailment_on_a_grid_beats_the_best_plan(
    bought: float, sold: float, curtailable: bool, elasticity: float, flexibility: float, seed: int
) -> None:
    home = small_household(2, 2, seed=seed, elasticity=elasticity, flexibility=flexibility, curtailable=curtailable)
    hours = 12.0
    outcome = slot_outcome(home, at(bought, sold, home), SHOCK_LEVELS, hours)
    worth = outcome.utility_usd - outcome.payment_usd
    best = brute_force_usd(home, bought, sold, hours)
    assert (worth >= best - 1e-9).all()
    spacing = (0.0125 * (1 + max(abs(bought), abs(sold))) * 3) * hours  # what half a step of the grid can miss
    assert (worth <= best + spacing).all()


@given(rates_usd, rates_usd, st.integers(0, 9))
def test_the_best_plan_respects_flexibility_and_the_sun(bought: float, sold: float, seed: int) -> None:
    home = small_household(2, 2, seed=seed)
    outcome = slot_outcome(home, at(bought, sold, home), SHOCK_LEVELS, 12.0)
    reference = home.reference_kw[:, :, None, None] * SHOCK_LEVELS[:, None]
    assert (np.abs(outcome.use_kw / reference - 1) <= 0.5 + 1e-12).all()
    from meanwatt.agents.household.battery import grid_power_kw

    battery_kw = grid_power_kw(home.battery, outcome.moves, 12.0)
    used_kw = outcome.use_kw + battery_kw - outcome.net_load_kw
    assert (used_kw >= -1e-12).all()
    assert (used_kw <= home.pv_kw[:, :, None, None] + 1e-12).all()


@pytest.mark.parametrize(
    ("bought", "sold", "use", "net"),
    [
        (0.4, 0.3, 0.75, -1.25),  # sells, all sun used
        (0.4, -0.1, 1.5, 0.0),  # switches off, meets its own load, and more than at any price above zero
        (-0.1, -0.2, 1.75, 1.75),  # is paid for buying: no sun at all
        (0.2, 0.6, 0.2, -1.8),  # export pays more than import costs
    ],
)
def test_worked_cases(bought: float, sold: float, use: float, net: float) -> None:
    """One kW at 0.2 USD/kWh, elasticity ½ and flexibility 0.8; two kW of sun, no battery."""
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
    outcome = slot_outcome(home, at(bought, sold, home), np.ones(1), 1.0)
    assert outcome.use_kw.item() == pytest.approx(use)
    assert outcome.net_load_kw.item() == pytest.approx(net)


def test_an_inverter_that_cannot_curtail_exports_at_any_rate() -> None:
    home = small_household(3, 3, curtailable=False, elasticity=0.0)
    outcome = slot_outcome(home, at(0.2, -0.3, home), SHOCK_LEVELS, 8.0)
    free = slot_outcome(replace(home, curtailable=True), at(0.2, -0.3, home), SHOCK_LEVELS, 8.0)
    assert (outcome.net_load_kw.min(axis=(2, 3)) < 0).any()
    assert (free.net_load_kw >= outcome.net_load_kw - 1e-12).all()


def test_exports_that_earn_exactly_nothing_are_made() -> None:
    home = small_household(3, 3, elasticity=0.0)
    outcome = slot_outcome(home, at(0.2, 0.0, home), SHOCK_LEVELS, 8.0)
    forced = slot_outcome(replace(home, curtailable=False), at(0.2, 0.0, home), SHOCK_LEVELS, 8.0)
    assert (outcome.net_load_kw == forced.net_load_kw).all()


@pytest.mark.parametrize(("bought", "sold"), [(0.1, 0.25), (0.2, -0.002), (-0.003, -0.004), (-0.05, 0.06)])
def test_choices_among_plans_value_as_promised_and_tend_to_the_best_as_they_cool(bought: float, sold: float) -> None:
    """The value of a logit is convex in the rates with slopes −Δ n⁺ and Δ n⁻, and above the best by τ ln(plans)."""
    home, hours = small_household(2, 2, seed=3), 12.0
    where = np.ones((2, 2), dtype=bool)

    def valued(b: float, s: float, tau: float) -> np.ndarray:
        ties = Ties(where=where, before=None, temperature_usd=tau)
        return np.asarray(slot_outcome(home, at(b, s, home), SHOCK_LEVELS, hours, ties).valued_usd)

    tau, step = 0.05, 1e-6
    ties = Ties(where=where, before=None, temperature_usd=tau)
    outcome = slot_outcome(home, at(bought, sold, home), SHOCK_LEVELS, hours, ties)
    up, down = valued(bought + step, sold, tau), valued(bought - step, sold, tau)
    assert (up - down) / (2 * step) == pytest.approx(-hours * outcome.imported_kw, abs=1e-5)
    up, down = valued(bought, sold + step, tau), valued(bought, sold - step, tau)
    assert (up - down) / (2 * step) == pytest.approx(-hours * (outcome.net_load_kw - outcome.imported_kw), abs=1e-5)
    best = slot_outcome(home, at(bought, sold, home), SHOCK_LEVELS, hours).reward_usd
    assert outcome.split is not None
    per_plan = plan_reward_usd(home, at(bought, sold, home), outcome.split, SHOCK_LEVELS, hours)
    assert per_plan.max(axis=-1) - outcome.wear_usd == pytest.approx(best, abs=1e-12)
    for cold in (1e-3, 1e-5, 1e-7):
        gap = best - valued(bought, sold, cold)
        assert (gap >= -1e-12).all()
        assert (gap <= cold * np.log(1e14)).all()
