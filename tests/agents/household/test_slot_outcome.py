"""What a move brings: energy balances, money adds up, and use is the best answer to the move."""

import numpy as np
import pytest
from scenarios import SHOCK_LEVELS, small_household, small_rates

from meanwatt.agents.household.battery import grid_power_kw, moves, wear_usd
from meanwatt.agents.household.slot_outcome import SlotOutcome, slot_outcome

SLOT_HOURS = 8.0


@pytest.fixture(scope="module")
def outcome() -> SlotOutcome:
    return slot_outcome(small_household(), small_rates(), SHOCK_LEVELS, SLOT_HOURS)


def test_every_entry_is_the_sum_by_hand(outcome: SlotOutcome) -> None:
    home, posted = small_household(), small_rates()
    move = moves(home.battery, SLOT_HOURS)
    power_kw, wear = grid_power_kw(home.battery, move, SLOT_HOURS), wear_usd(home.battery, move)
    assert outcome.use_kw.shape == (3, 3, 2, move.size)
    for c, h, z, j in np.ndindex(outcome.use_kw.shape):
        bought, sold = posted.import_usd_per_kwh[c, h], posted.export_usd_per_kwh[c, h]
        q0 = home.reference_kw[c, h] * SHOCK_LEVELS[z]
        free = home.pv_kw[c, h] - power_kw[j]
        buying, selling = (q0 * min(max(1 + 0.3 * (1 - rate / 0.2), 0.5), 1.5) for rate in (bought, sold))
        q = min(max(free, buying), selling)
        net = q - free
        paid = SLOT_HOURS * (bought * max(net, 0) - sold * max(-net, 0))
        enjoyed = SLOT_HOURS * 0.2 * ((q - q0) - (q - q0) ** 2 / (2 * 0.3 * q0))
        at = (c, h, z, j)
        assert outcome.use_kw[at] == pytest.approx(q)
        assert outcome.net_load_kw[at] == pytest.approx(net)
        assert outcome.payment_usd[at] == pytest.approx(paid)
        assert outcome.utility_usd[at] == pytest.approx(enjoyed)
        assert outcome.reward_usd[at] == pytest.approx(enjoyed - wear[j] - paid)


def test_all_three_cases_of_use_occur_here(outcome: SlotOutcome) -> None:
    net = outcome.net_load_kw
    assert (net > 1e-9).any()
    assert (net < -1e-9).any()
    assert (np.abs(net) < 1e-12).any()


def test_charging_more_never_lowers_the_net_load_nor_raises_the_use(outcome: SlotOutcome) -> None:
    assert (np.diff(outcome.net_load_kw, axis=-1) >= -1e-12).all()
    assert (np.diff(outcome.use_kw, axis=-1) <= 1e-12).all()


def test_inelastic_households_use_their_reference_and_enjoy_nothing_extra() -> None:
    home = small_household(elasticity=0.0)
    outcome = slot_outcome(home, small_rates(), SHOCK_LEVELS, SLOT_HOURS)
    reference_kw = home.reference_kw[:, :, None, None] * SHOCK_LEVELS[:, None]
    assert (outcome.use_kw == reference_kw).all()
    assert (outcome.utility_usd == 0).all()


def test_when_exports_earn_what_imports_cost_use_does_not_depend_on_the_move() -> None:
    outcome = slot_outcome(small_household(), small_rates(spread=0.0), SHOCK_LEVELS, SLOT_HOURS)
    assert outcome.use_kw == pytest.approx(np.repeat(outcome.use_kw[..., :1], outcome.moves.size, axis=-1), abs=1e-12)


def test_without_a_battery_there_is_one_move_and_no_wear() -> None:
    home = small_household(battery=None, technology="pv")
    outcome = slot_outcome(home, small_rates(), SHOCK_LEVELS, SLOT_HOURS)
    assert outcome.moves.tolist() == [0]
    assert outcome.wear_usd.tolist() == [0.0]
    assert outcome.net_load_kw[..., 0] == pytest.approx(outcome.use_kw[..., 0] - home.pv_kw[:, :, None])
