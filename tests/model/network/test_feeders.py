"""One market on several feeders: the same market, however it is divided."""

import itertools

import numpy as np
import pytest
from scenarios import preset_economy, solved

from meanwatt.model.market.day_kernel import mean_load_kw
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.partitioned_market import Feeders, market_load_kw
from meanwatt.model.market.population import Population

HOUSEHOLDS, DAYS = 997, 3


def run(shards: list[Feeders], days: int, households: int = HOUSEHOLDS) -> None:
    """Days of a market whose feeders live in several places."""
    for _ in range(days):
        load_kw = market_load_kw([shard.live() for shard in shards], households, 1.0)
        for shard in shards:
            shard.settle(load_kw)


def joined(shards: list[Feeders], name: str) -> np.ndarray:
    """A column of all feeders' households, type by type and then by rank, as the whole market has it."""
    markets = [market for shard in shards for market in shard.markets]
    types = range(markets[0].population.types)
    return np.concatenate([getattr(m.population, name)[m.population.of_type(kind)] for kind in types for m in markets])


@pytest.mark.parametrize("behaviour", ["equilibrium", "belief", "belief=.5:cohorts=2,passive=.5"])
@pytest.mark.parametrize("cuts", [(0, 7), (0, 1, 4, 7)])
def test_the_divided_market_is_the_whole_one_bit_for_bit(behaviour: str, cuts: tuple[int, ...]) -> None:
    equilibrium = solved("oahu", "filed")
    whole = ProsumerMarket(
        equilibrium.economy, households=HOUSEHOLDS, policies=equilibrium, behaviour=behaviour, rng=(5, 2)
    )
    for _ in range(DAYS):
        whole.step()
    shards = [
        Feeders(
            equilibrium.economy,
            households=HOUSEHOLDS,
            feeders=7,
            first=first,
            last=last,
            policies=equilibrium,
            behaviour=behaviour,
            rng=(5, 2),
        )
        for first, last in itertools.pairwise(cuts)
    ]
    run(shards, DAYS)
    for name in ("energy_kwh", "level", "shock", "bus", "bill_usd"):
        assert np.array_equal(joined(shards, name), getattr(whole.population, name)), name
    for shard in shards:
        price = shard.slots()["wholesale_usd_per_kwh"]
        assert np.array_equal(price, whole.history.stacked("wholesale_usd_per_kwh"))
        assert shard.slots()["day_type"] == [record.day_type for record in whole.history]


def test_every_household_lives_on_one_feeder_and_feeders_are_alike() -> None:
    markets = Feeders("textbook", households=1003, feeders=10, first=0, last=10, tariff="tou").markets
    sizes = [market.households for market in markets]
    assert sum(sizes) == 1003
    types = markets[0].population.types
    assert max(sizes) - min(sizes) <= types
    counts = np.array([market.population.count for market in markets])
    assert (counts.max(axis=0) - counts.min(axis=0) <= 1).all()


def test_a_feeder_carries_its_own_households_and_no_others() -> None:
    """The kW at its buses, for each customer that a household stands for, are its households' meters."""
    shard = Feeders("textbook", households=300, feeders=3, first=1, last=3, rng=4)
    run([shard], 1, 300)  # the first feeder is missing, so prices differ; loads of a first day do not
    for market in shard.markets:
        grid = market.history[0].grid
        assert grid is not None
        scale = market.feeder.customers.sum() / market.households
        at = np.zeros((24, len(market.bus_names)))
        np.add.at(at.T, market.population.bus, market.population.energy_kwh.astype(float))
        assert grid.net_load_kw == pytest.approx(at * scale, rel=1e-9, abs=1e-9)


def test_parts_hold_the_same_households_as_the_whole_where_they_are_born() -> None:
    def people(part: int, parts: int) -> Population:
        made = Population(
            share=np.array([0.6, 0.4]),
            customers=np.array([3, 0, 5]),
            households=101,
            slots=4,
            key=9,
            cohort_share=np.array([0.3, 0.7]),
            part=part,
            parts=parts,
        )
        made.draw_start([np.full((3, 2), 1 / 6), np.full((1, 2), 1 / 2)])
        return made

    whole, parts = people(0, 1), [people(part, 4) for part in range(4)]
    for name in ("bus", "level", "shock"):
        together = np.concatenate([getattr(p, name)[p.of_type(kind)] for kind in (0, 1) for p in parts])
        assert np.array_equal(together, getattr(whole, name)), name
    assert np.array_equal(sum(part.class_count for part in parts), whole.class_count)
    ranks = [p.rank_of(i) for kind in (0, 1) for p in parts for i in range(p.households)[p.of_type(kind)]]
    assert ranks == [whole.rank_of(i) for i in range(whole.households)]


def test_sums_of_many_households_lose_no_bit_however_they_are_divided() -> None:
    """Ten million households come to some 10¹⁷ quanta a slot, more than a float holds exactly."""
    rng = np.random.default_rng(1)
    quanta = rng.integers(-(2**55), 2**59, size=(100, 24))
    exact = [sum(int(row[h]) for row in quanta) for h in range(24)]
    divided = market_load_kw([quanta[:37], quanta[37:]], 10_000_000, 1.0)
    assert np.array_equal(divided, market_load_kw([quanta], 10_000_000, 1.0))
    assert divided.tolist() == [float(total) * 2.0**-34 / 1e7 for total in exact]
    assert np.array_equal(mean_load_kw(quanta[0], 3, 0.5), quanta[0].astype(float) * 2.0**-34 / 1.5)


def test_the_halves_of_a_day_come_in_turn() -> None:
    market = ProsumerMarket("textbook", households=10, tariff="tou")
    with pytest.raises(ValueError, match="day 0 is not lived; call live first"):
        market.settle(np.zeros(24))
    market.live()
    with pytest.raises(ValueError, match="day 0 is not settled; call settle first"):
        market.live()


def test_what_cannot_be_divided_is_refused_in_one_line() -> None:
    economy = preset_economy("textbook")
    with pytest.raises(ValueError, match="feeders is 11 for 10 households; give at most one for each household"):
        Feeders(economy, households=10, feeders=11, first=0, last=11)
    with pytest.raises(ValueError, match=r"^feeder 0 of 10 has no household; give fewer feeders$"):
        Feeders(economy, households=10, feeders=10, first=0, last=10)
