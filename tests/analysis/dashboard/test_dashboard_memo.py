"""Results shared between visitors: whoever asks for the same at the same time waits for one computation."""

import threading
import time

from meanwatt.analysis.dashboard.shared.memo import Memo


def test_thirty_who_ask_at_once_have_it_computed_once() -> None:
    memo: Memo[str, int] = Memo(4)
    computed, found = [], []

    def visitor() -> None:
        with memo.turn("tariff", lambda: False) as mine:
            known = memo.get("tariff")
            if known is None:
                assert mine
                computed.append(1)
                time.sleep(0.05)
                memo.put("tariff", 7)
            found.append(memo.get("tariff"))

    visitors = [threading.Thread(target=visitor) for _ in range(30)]
    for one in visitors:
        one.start()
    for one in visitors:
        one.join()
    assert len(computed) == 1
    assert found == [7] * 30


def test_another_argument_does_not_wait() -> None:
    memo: Memo[str, int] = Memo(4)
    with memo.turn("one", lambda: False) as first, memo.turn("other", lambda: False) as second:
        assert first
        assert second


def test_who_cancels_while_waiting_goes_with_nothing_and_the_work_goes_on() -> None:
    memo: Memo[str, int] = Memo(4)
    with memo.turn("tariff", lambda: False) as mine:
        assert mine
        with memo.turn("tariff", lambda: True) as second:
            assert not second
        with memo.turn("tariff", lambda: True) as third:  # the first one's turn has not ended with the second's
            assert not third


def test_a_computation_that_fails_leaves_its_turn_to_the_next() -> None:
    memo: Memo[str, int] = Memo(4)
    try:
        with memo.turn("tariff", lambda: False):
            raise ValueError("not allowed")
    except ValueError:
        pass
    with memo.turn("tariff", lambda: False) as mine:
        assert mine
