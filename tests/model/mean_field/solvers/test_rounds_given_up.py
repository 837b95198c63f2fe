"""When rounds of plans at temperature 0 are given up: from the gaps of the rounds alone."""

import numpy as np

from meanwatt.model.mean_field.solvers.price_search import LOOK_AHEAD, LOOK_EVERY, _takes_long

ENOUGH, PATIENCE, ROUND_LIMIT = 1e-8, 30, 500


def given_up(gaps: np.ndarray) -> int | None:
    """Round after which a search with these gaps is given up, if it is."""
    return next((n for n in range(1, len(gaps) + 1) if _takes_long(gaps[:n].tolist(), ENOUGH, PATIENCE)), None)


def test_no_search_is_given_up_before_its_time() -> None:
    assert given_up(np.ones(PATIENCE - 1)) is None
    assert given_up(np.ones(ROUND_LIMIT)) == PATIENCE


def test_rounds_that_will_be_done_in_time_are_waited_for() -> None:
    gaps = 10.0 ** -np.linspace(0, 10.5, PATIENCE + LOOK_AHEAD)
    assert given_up(gaps) is None


def test_gaps_that_always_seem_about_to_close_do_not_last_for_ever() -> None:
    """Gaps that fall ever more slowly, so that at every round a hundred more would do."""
    gaps = ENOUGH * np.exp(np.exp(-np.arange(ROUND_LIMIT) / 100))
    end = given_up(gaps)
    assert end is not None
    assert end <= PATIENCE + LOOK_AHEAD


def test_a_gap_that_is_small_enough_but_falls_no_further_ends_the_rounds_at_a_round_as_good() -> None:
    """The last round is the answer; one as good, not one of those between, is waited for."""
    gaps = np.where(np.arange(ROUND_LIMIT) % 7 == 3, 0.5 * ENOUGH, 8 * ENOUGH)
    end = given_up(gaps)
    assert end is not None
    assert end < PATIENCE + LOOK_EVERY
    assert gaps[end - 1] <= ENOUGH
