"""The columns: counts by type, places on the feeder, starting states, visiting order, memory."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from meanwatt.agents.numerics.randomness import Purpose, child, stream, uniform
from meanwatt.model.market import visits as module
from meanwatt.model.market.apportionment import divide, largest_remainder
from meanwatt.model.market.bus_placement import place
from meanwatt.model.market.population import Population

SHARE = np.array([0.5, 0.0, 0.3, 0.2])
CUSTOMERS = np.array([0, 10, 40, 0, 25, 25, 0])
KEY = 77


def crowd(households: int, *, slots: int = 24, key: int = KEY) -> Population:
    return Population(share=SHARE, customers=CUSTOMERS, households=households, slots=slots, key=key)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12).filter(any), st.integers(1, 10_000))
def test_counts_are_floors_or_ceilings_of_their_quotas_and_keep_the_total(shares: list[float], n: int) -> None:
    share = np.array(shares) / np.sum(shares)
    count = largest_remainder(share, n)
    assert count.sum() == n
    assert (count >= np.floor(share * n - 1e-6)).all()
    assert (count <= np.ceil(share * n + 1e-6)).all()


def test_counts_of_a_case_done_by_hand() -> None:
    # quotas 4.7, 2.35, 2.95 of ten: floors 4, 2, 2; two places left for the remainders .95 and .7
    assert largest_remainder(np.array([0.47, 0.235, 0.295]), 10).tolist() == [5, 2, 3]
    # equal remainders: the first types get the extra households
    assert largest_remainder(np.full(4, 0.25), 6).tolist() == [2, 2, 1, 1]


@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=9),
    st.lists(st.floats(0.01, 1), min_size=2, max_size=8),
)
def test_cohorts_keep_the_types_counts_and_come_within_a_household_of_their_shares(
    count: list[int], shares: list[float]
) -> None:
    """After every type, not only in the end: Tijdeman's bound 1 − 1/(2n − 2)."""
    given, share = divide(np.array(count), np.array(shares)), np.array(shares) / np.sum(shares)
    assert (given >= 0).all()
    assert (given.sum(axis=1) == count).all()
    off = np.abs(np.cumsum(given, axis=0) - np.cumsum(count)[:, None] * share)
    assert off.max() <= 1 - 1 / (2 * len(share) - 2) + 1e-6


def test_cohorts_of_a_case_done_by_hand() -> None:
    """Types of one, two and one household, halves: dealt to 0, 1, 0, 1 in turn."""
    assert divide(np.array([1, 2, 1]), np.array([0.5, 0.5])).tolist() == [[1, 0], [1, 1], [0, 1]]
    assert divide(np.array([7, 5]), np.ones(1)).tolist() == [[7], [5]]


def test_classes_lie_behind_one_another_within_their_type() -> None:
    people = Population(
        share=SHARE, customers=CUSTOMERS, households=1_000, slots=4, key=KEY, cohort_share=np.array([0.6, 0.4])
    )
    assert people.class_count.tolist() == [[300, 200], [0, 0], [180, 120], [120, 80]]
    assert people.class_first.tolist() == [0, 300, 500, 500, 500, 680, 800, 920, 1_000]
    assert [people.of_class(2, cohort) for cohort in (0, 1)] == [slice(500, 680), slice(680, 800)]
    for household in range(1_000):
        kind, cohort = divmod(people.class_of(household), people.cohorts)
        assert kind == people.type_of(household)
        assert household in range(1_000)[people.of_class(kind, cohort)]
    assert (people.bus == crowd(1_000).bus).all()


@given(st.integers(1, 3_000), st.integers(0, 2**64 - 1))
def test_every_type_is_spread_over_the_buses_as_evenly_as_the_golden_sequence_promises(n: int, offset: int) -> None:
    """N·D_N ≤ 3 + (1/log φ + 1/log 2) log N (Kuipers and Niederreiter 1974, theorem 2.3.4, partial quotients 1)."""
    at = np.bincount(place(CUSTOMERS, offset, n), minlength=len(CUSTOMERS))
    golden = (1 + math.sqrt(5)) / 2
    bound = 3 + (1 / math.log(golden) + 1 / math.log(2)) * math.log(n)
    assert np.abs(at - n * CUSTOMERS / CUSTOMERS.sum()).max() <= bound
    assert not at[CUSTOMERS == 0].any()


def test_the_ends_of_the_line_of_customers_are_on_buses_with_customers() -> None:
    for offset in (0, 1, 2**64 - 1, 2**63):
        assert CUSTOMERS[place(CUSTOMERS, offset, 1)] > 0


def test_types_and_keys_begin_at_places_of_their_own() -> None:
    """Rank 0 stands where its type's draw says; over 200 keys every bus gets someone, by its customers (χ², 10⁻⁶)."""
    first = np.array([crowd(20, key=key).bus[[0, 10, 16]] for key in range(200)])
    assert (first[:, 0] != first[:, 1]).any()
    counts = np.bincount(first.ravel(), minlength=len(CUSTOMERS))
    expected = first.size * CUSTOMERS[CUSTOMERS > 0] / CUSTOMERS.sum()
    statistic = ((counts[CUSTOMERS > 0] - expected) ** 2 / expected).sum()
    assert stats.chi2.sf(statistic, df=(CUSTOMERS > 0).sum() - 1) > 1e-6


def test_a_larger_population_contains_the_smaller_one() -> None:
    laws = [np.full((4, 2), 1 / 8)] * 4
    small, large = crowd(200), crowd(5_000)
    small.draw_start(laws)
    large.draw_start(laws)
    for kind in range(4):
        few, many = small.of_type(kind), large.of_type(kind)
        for column in ("bus", "level", "shock"):
            theirs = getattr(large, column)[many][: few.stop - few.start]
            assert (getattr(small, column)[few] == theirs).all()


def test_ids_run_through_the_types_in_order() -> None:
    people = crowd(1_000)
    assert people.count.tolist() == [500, 0, 300, 200]
    assert people.first.tolist() == [0, 500, 500, 800, 1_000]
    assert [people.type_of(i) for i in (0, 499, 500, 799, 800, 999)] == [0, 0, 2, 2, 3, 3]
    assert [people.type_of(i) for i in range(1_000)] == people.type_index.tolist()


def test_customers_by_type_and_bus_are_counted_once_each() -> None:
    people = crowd(4_321)
    table = people.customers_at
    assert table.shape == (4, 7)
    assert (table.sum(axis=1) == people.count).all()
    assert (table.sum(axis=0) == np.bincount(people.bus, minlength=7)).all()


@pytest.mark.parametrize(("chunk", "block"), [(16_384, 512), (100, 30), (64, 64), (7, 3)])
def test_visits_reach_everybody_once_in_blocks_of_one_type_and_runs_of_one_bus(
    monkeypatch: pytest.MonkeyPatch, chunk: int, block: int
) -> None:
    monkeypatch.setattr(module, "CHUNK", chunk)
    monkeypatch.setattr(module, "BLOCK", block)
    people = crowd(2_000)
    visits = people.visits
    assert sorted(visits.order.tolist()) == list(range(2_000))
    for first, last in zip(visits.chunk_start[:-1], visits.chunk_start[1:], strict=True):
        assert 0 < last - first <= chunk
        assert sorted(visits.order[first:last].tolist()) == list(range(first, last))
    assert (visits.block_start[visits.chunk_block] == visits.chunk_start).all()
    assert (visits.run_start[visits.block_run] == visits.block_start).all()
    for i, (first, last) in enumerate(zip(visits.block_start[:-1], visits.block_start[1:], strict=True)):
        assert 0 < last - first <= block
        assert (people.type_index[visits.order[first:last]] == visits.block_class[i]).all()
    for i, (first, last) in enumerate(zip(visits.run_start[:-1], visits.run_start[1:], strict=True)):
        assert first < last
        assert (people.bus[visits.order[first:last]] == visits.run_bus[i]).all()


def test_starting_states_are_draws_by_inversion_of_each_households_own_number() -> None:
    people = crowd(60)
    law = np.random.default_rng(0).random((5, 3))
    people.draw_start([law / law.sum()] * 4)
    line = np.cumsum(law / law.sum())
    for i in range(60):
        kind = people.type_of(i)
        point = uniform(child(stream(KEY, Purpose.START, kind), i - int(people.first[kind])))
        cell = int(np.searchsorted(line, point, side="right"))
        assert (people.level[i], people.shock[i]) == divmod(cell, 3)


def test_starting_states_are_as_frequent_as_their_law_and_impossible_ones_never_come() -> None:
    """χ² of 100,000 households at a chance of false alarm of 10⁻⁶."""
    people = crowd(100_000)
    law = np.random.default_rng(1).random((5, 3))
    law[0, 0] = law[4, 2] = law[2, 1] = 0
    law /= law.sum()
    people.draw_start([law] * 4)
    counts = np.bincount(people.level * 3 + people.shock, minlength=15)
    assert not counts[law.ravel() == 0].any()
    expected = 100_000 * law[law > 0]
    statistic = ((counts[law.ravel() > 0] - expected) ** 2 / expected).sum()
    assert stats.chi2.sf(statistic, df=11) > 1e-6


def test_the_law_of_levels_and_their_sums_agree() -> None:
    people = crowd(3_000)
    people.draw_start([np.full((6, 2), 1 / 12)] * 4)
    for kind in (0, 2, 3):
        law = people.level_law(kind, 6)
        assert law.sum() == pytest.approx(1, abs=1e-12)
        assert law @ np.arange(6) * people.count[kind] == pytest.approx(people.level_sums()[kind], rel=1e-12)
    assert not people.level_law(1, 6).any()


@pytest.mark.parametrize("buses", [7, 33, 900])
def test_a_household_takes_no_more_than_250_bytes_with_its_24_meter_readings(buses: int) -> None:
    people = Population(share=np.full(12, 1 / 12), customers=np.full(buses, 3), households=100_000, slots=24, key=KEY)
    columns = [people.bus, people.level, people.shock, people.energy_kwh, people.bill_usd]
    assert sum(column.nbytes for column in columns) < people.nbytes <= 250 * 100_000
