"""A market that is pickled or deep-copied lives on as two: bit for bit the same days, and nothing shared."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import mesa
import numpy as np
import pytest
from scenarios import solved

from meanwatt.agents.behaviour.protocol import Situation
from meanwatt.model.market.market import ProsumerMarket

Copy = Callable[[Any], Any]


def pickled(thing: Any) -> Any:
    return pickle.loads(pickle.dumps(thing))


class Eager:
    """A household that charges whenever it may."""

    def move(self, situation: Situation) -> int:
        """Choose the strongest charge."""
        return int(situation.moves[-1])


BEHAVIOURS = (
    "equilibrium",
    "belief",
    "qlearning",
    "self_consumption",
    "price_threshold",
    "equilibrium=.4,belief=.3:cohorts=2:stagger=2,passive=.3",
    pytest.param({"equilibrium": 0.5, Eager: 0.25, Eager(): 0.25}, id="a class and an object of one's own"),
)


def days(market: ProsumerMarket, count: int) -> list[str]:
    for _ in range(count):
        market.step()
    return market.day_digest


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=str)
def test_a_copy_lives_the_same_days_bit_for_bit(behaviour: Any, copied: Copy) -> None:
    found = solved("textbook", "rtp")
    market = ProsumerMarket(policies=found, behaviour=behaviour, households=80, rng=3, threads=2)
    days(market, 2)
    twin = copied(market)
    assert days(twin, 3) == days(market, 3)
    assert (twin.population.bill_usd == market.population.bill_usd).all()
    assert twin.today == market.today
    assert twin.utility.account == market.utility.account
    assert twin.history.slots.equals(market.history.slots)
    assert len(twin.datacollector.get_model_vars_dataframe()) == 5
    for one in (twin, market):
        one.close()


def test_a_copy_shares_nothing_with_its_original() -> None:
    market = ProsumerMarket(policies=solved("textbook", "filed"), households=40, rng=3, threads=2)
    days(market, 1)
    twin = copy.deepcopy(market)
    market.close()
    assert twin.prosumer(3).model is twin
    assert twin.agents_by_type[type(twin.utility)][0] is twin.utility
    assert len(twin.agents) == 41
    assert mesa.Agent(twin).unique_id == 42  # numbers go on, no two agents share one
    days(twin, 1)
    assert twin._executor is not None
    assert (twin.steps, market.steps) == (2, 1)
    with pytest.raises(ValueError, match="household 3 cannot be removed"):
        twin.prosumer(3).remove()
    twin.close()
    assert not pickled(twin).running


def test_in_the_middle_of_a_day_a_market_cannot_be_copied() -> None:
    market = ProsumerMarket(policies=solved("textbook", "filed"), households=40, rng=3)
    market.live()
    for copied in (copy.deepcopy, pickled):
        with pytest.raises(ValueError, match=r"^day 0 is not settled; settle it before the market is copied$"):
            copied(market)
    market.settle(np.zeros(24))
    assert days(pickled(market), 1) == days(market, 1)
