"""The compiled day against a slow and obvious one, and against the laws it has to obey."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.randomness import Purpose, child, stream
from meanwatt.model.market import day_kernel, visits
from meanwatt.model.market.day_kernel import DaySums, run_day
from meanwatt.model.market.day_tables import DayTables, alias_table, day_tables
from meanwatt.model.market.population import Population

KEY = 0x1234_5678_9ABC_DEF0


def some_policy(
    rng: np.random.Generator, *, states: int, slots: int, levels: int, shocks: int, down: int, up: int
) -> PolicyTable:
    """Make a policy with moves from −down to up, some feasible ones of probability 0."""
    moves = np.arange(-down, up + 1)
    target = np.arange(levels)[:, None] + moves
    feasible = (target >= 0) & (target < levels)
    chance = rng.random((states, slots, levels, shocks, len(moves))) ** 3 * feasible[:, None, :]
    chance *= (rng.random(chance.shape) > 0.3) | (moves == 0)
    return PolicyTable(
        moves=moves,
        probability=chance / chance.sum(axis=-1, keepdims=True),
        net_load_kw=rng.normal(0.5, 1.0, (states, slots, shocks, len(moves))),
        use_kw=rng.random((states, slots, shocks, len(moves))),
    )


def some_kernel(rng: np.random.Generator, shocks: int) -> Floats:
    chance = rng.random((shocks, shocks))
    return np.asarray(chance / chance.sum(axis=1, keepdims=True))


class Town:
    """Three types of households, two of them with batteries, on four buses, the second one without customers."""

    def __init__(self, *, households: int, slots: int = 6, shocks: int = 3, seed: int = 0, one_type: bool = False):
        rng = np.random.default_rng(seed)
        sizes = [(1, 0, 0), (9, 3, 2), (5, 1, 4)]
        self.policies = [
            some_policy(rng, states=2, slots=slots, levels=levels, shocks=shocks, down=down, up=up)
            for levels, down, up in (sizes[1:2] if one_type else sizes)
        ]
        self.kernel = some_kernel(rng, shocks)
        self.slot_hours = 24 / slots
        self.population = Population(
            share=np.full(len(self.policies), 1 / len(self.policies)),
            customers=np.array([5, 0, 20, 7]),
            households=households,
            slots=slots,
            key=KEY,
        )
        self.population.draw_start([np.ones((p.probability.shape[2], shocks)) for p in self.policies])

    def tables(self, state: int) -> DayTables:
        """Make the kernel's tables of one common state."""
        levels = [policy.probability.shape[2] for policy in self.policies]
        return day_tables(self.policies, state, levels=levels, shock_kernel=self.kernel, slot_hours=self.slot_hours)

    def live(self, day: int, *, state: int = 1, threads: int = 1) -> DaySums:
        """Run one day in one common state."""
        tables = self.tables(state)
        with ThreadPoolExecutor(threads) as executor:
            return run_day(self.population, tables, day, threads=threads, executor=executor)


def pick(row: list[int], bits: int) -> int:
    """Column of an alias table's row for a 32-bit draw, in plain integers."""
    product = bits * len(row)
    column, rest = product >> 32, product & 0xFFFFFFFF
    return column if rest < row[column] >> 32 else row[column] & 0xFFFFFFFF


def reference_day(town: Town, day: int, state: int) -> tuple[Ints, Ints, Floats, Ints]:
    """One day, household by household and slot by slot: levels, shocks, meters in float64 and moves in levels."""
    people = town.population
    levels, shocks = people.level.astype(int), people.shock.astype(int)
    meters = np.zeros(people.energy_kwh.shape)
    moved = np.zeros(people.energy_kwh.shape, dtype=int)
    shock_rows = alias_table(town.kernel).tolist()
    for i in range(people.households):
        kind = people.type_of(i)
        policy = town.policies[kind]
        rows = alias_table(policy.probability[state]).tolist()
        draws = stream(people.key, Purpose.DAY, kind, i - int(people.first[kind]), day)
        e, z = levels[i], shocks[i]
        for h in range(meters.shape[1]):
            word = child(draws, h)
            j = pick(rows[h][e][z], word >> 32)
            meters[i, h] = policy.net_load_kw[state, h, z, j] * town.slot_hours
            moved[i, h] = policy.moves[j]
            e += policy.moves[j]
            z = pick(shock_rows[z], word & 0xFFFFFFFF)
        levels[i], shocks[i] = e, z
    return levels, shocks, meters, moved


@pytest.mark.parametrize("households", [1, 7, 700])
@pytest.mark.parametrize(("slots", "shocks"), [(6, 3), (24, 1), (4, 2)])
def test_the_kernel_equals_the_obvious_loop_bit_for_bit(households: int, slots: int, shocks: int) -> None:
    town = Town(households=households, slots=slots, shocks=shocks)
    people = town.population
    for day, state in enumerate([1, 0, 1]):
        levels, shocks_after, meters, _ = reference_day(town, day, state)
        town.live(day, state=state)
        assert (people.level == levels).all()
        assert (people.shock == shocks_after).all()
        assert (people.energy_kwh == meters.astype(np.float32)).all()


def test_sums_by_type_bus_and_slot_are_those_of_the_meters_and_moves() -> None:
    town = Town(households=900)
    people = town.population
    _, _, meters, moved = reference_day(town, 0, 1)
    sums = town.live(0)
    for kind in range(3):
        for bus in range(4):
            here = (people.type_index == kind) & (people.bus == bus)
            expected = people.energy_kwh[here].astype(float).sum(axis=0)
            size = np.abs(people.energy_kwh[here]).sum(axis=0, dtype=float)
            assert (np.abs(sums.energy_kwh[kind, bus] - expected) <= 1e-9 * size).all()
            assert (np.abs(sums.energy_kwh[kind, bus] - meters[here].sum(axis=0)) <= 2.0**-24 * size).all()
            assert (sums.charged[kind, bus] == np.maximum(moved[here], 0).sum(axis=0)).all()
            assert (sums.discharged[kind, bus] == np.maximum(-moved[here], 0).sum(axis=0)).all()
    assert not sums.energy_kwh[:, 1].any()  # the bus without customers


def test_meters_are_within_half_a_unit_in_the_last_place_of_the_exact_energy() -> None:
    town = Town(households=300)
    _, _, meters, _ = reference_day(town, 0, 1)
    town.live(0)
    assert (np.abs(town.population.energy_kwh - meters) <= 0.5 * np.spacing(np.abs(meters).astype(np.float32))).all()


def test_levels_change_by_what_was_charged_less_what_was_discharged() -> None:
    town = Town(households=2_000)
    for day in range(5):
        before = town.population.level_sums()
        sums = town.live(day)
        change = (sums.charged - sums.discharged).sum(axis=(1, 2))
        assert (town.population.level_sums() - before == change).all()
        for kind, policy in enumerate(town.policies):
            held = town.population.level[town.population.of_type(kind)]
            assert held.min() >= 0
            assert held.max() < policy.probability.shape[2]


def test_results_depend_neither_on_threads_nor_on_how_visits_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day_kernel, "ONE_THREAD_BELOW", 0)
    outcomes = []
    for threads, chunk, block in [(1, 16_384, 512), (2, 16_384, 512), (2, 100, 30), (3, 7, 7), (1, 1000, 1)]:
        monkeypatch.setattr(visits, "CHUNK", chunk)
        monkeypatch.setattr(visits, "BLOCK", block)
        town = Town(households=1_000)
        sums = [town.live(day, threads=threads) for day in range(2)][-1]
        people = town.population
        outcomes.append((people.energy_kwh, people.level, people.shock, sums.energy_kwh, sums.charged, sums.discharged))
    for other in outcomes[1:]:
        for one, two in zip(outcomes[0], other, strict=True):
            assert (one == two).all()


def test_finished_ids_come_once_each_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day_kernel, "ONE_THREAD_BELOW", 0)
    monkeypatch.setattr(visits, "CHUNK", 50)
    town = Town(households=1_001)
    tables = town.tables(0)
    town.population.energy_kwh[:] = np.nan
    seen: list[int] = []

    def note(ids: slice) -> None:
        assert np.isfinite(town.population.energy_kwh[ids]).all()
        seen.extend(range(town.population.households)[ids])

    with ThreadPoolExecutor(2) as executor:
        run_day(town.population, tables, 0, threads=2, executor=executor, finished=note)
    assert seen == list(range(1_001))


def test_more_households_leave_the_draws_of_the_others_alone() -> None:
    small, large = Town(households=300), Town(households=3_000)
    for day in range(3):
        small.live(day)
        large.live(day)
        for kind in range(3):
            few, many = small.population.of_type(kind), large.population.of_type(kind)
            count = few.stop - few.start
            for column in ("energy_kwh", "level", "shock", "bus"):
                mine, theirs = getattr(small.population, column)[few], getattr(large.population, column)[many][:count]
                assert (mine == theirs).all()


def test_another_day_another_key_and_another_type_draw_differently() -> None:
    def meters(day: int, key: int) -> Floats:
        town = Town(households=400)
        town.population.key = key
        town.live(day)
        return np.array(town.population.energy_kwh)

    assert (meters(0, KEY) == meters(0, KEY)).all()
    assert (meters(0, KEY) != meters(1, KEY)).mean() > 0.3
    assert (meters(0, KEY) != meters(0, KEY + 1)).mean() > 0.3


def test_moves_come_as_often_as_the_policy_says() -> None:
    """χ² of the moves of 300,000 households from each (level, shock), at a chance of false alarm of 10⁻⁶ in all."""
    town = Town(households=300_000, slots=1, one_type=True)
    people, policy = town.population, town.policies[0]
    level, shock = people.level.copy(), people.shock.copy()
    town.live(0)
    cells = [(e, z) for e in range(9) for z in range(3)]
    for e, z in cells:
        here = (level == e) & (shock == z)
        chance = policy.probability[1, 0, e, z]
        moved = people.level[here].astype(int) - e
        counts = np.array([(moved == move).sum() for move in policy.moves])
        assert counts.sum() == here.sum()
        assert not counts[chance == 0].any()
        expected = here.sum() * chance[chance > 0]
        statistic = ((counts[chance > 0] - expected) ** 2 / expected).sum()
        assert stats.chi2.sf(statistic, df=(chance > 0).sum() - 1) > 1e-6 / len(cells)


def test_shocks_follow_their_kernel_and_do_not_depend_on_the_move() -> None:
    town = Town(households=300_000, slots=1, one_type=True)
    people = town.population
    level, shock = people.level.copy(), people.shock.copy()
    town.live(0)
    for z in range(3):
        for moved in (-1, 0, 1):
            here = (shock == z) & (people.level - level == moved)
            counts = np.bincount(people.shock[here], minlength=3)
            expected = here.sum() * town.kernel[z]
            statistic = ((counts - expected) ** 2 / expected).sum()
            assert stats.chi2.sf(statistic, df=2) > 1e-6 / 9


@settings(deadline=None)
@given(st.lists(st.lists(st.floats(0, 1), min_size=5, max_size=5).filter(any), min_size=1, max_size=6))
def test_an_alias_table_holds_exactly_the_probabilities_it_was_made_of(rows: list[list[float]]) -> None:
    """Read the probabilities back: column k keeps threshold/2³², its alias gets the rest; 2⁻³² of rounding each."""
    chance = np.array(rows) / np.sum(rows, axis=1, keepdims=True)
    table = alias_table(chance)
    threshold = (table >> np.uint64(32)).astype(float) / 2**32
    alias = (table & np.uint64(0xFFFFFFFF)).astype(int)
    back = threshold / 5
    for row in range(len(rows)):
        np.add.at(back[row], alias[row], (1 - threshold[row]) / 5)
    assert np.abs(back - chance).max() <= 2**-31
    assert (back[chance == 0] == 0).all()


def test_a_sure_move_is_always_made_also_at_the_largest_draw() -> None:
    table = alias_table(np.array([[0.0, 1.0, 0.0]])).tolist()[0]
    assert {pick(table, bits) for bits in (0, 1, 2**31, 2**32 - 1, 2**32 // 3, 2 * 2**32 // 3)} == {1}


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([0.0, 1e-12, 0.1, 0.5, 1.0]), min_size=1, max_size=7).filter(any),
    st.lists(st.integers(0, 2**32 - 1), max_size=20),
)
def test_the_compiled_pick_equals_the_plain_one_also_at_the_edges(row: list[float], bits: list[int]) -> None:
    """At every column's first and last draws, where a comparison off by one shows."""
    n = len(row)
    edges = [-(-(k << 32) // n) + step for k in range(n + 1) for step in (-1, 0, 1)]
    drawn = bits + [edge for edge in edges if 0 <= edge < 2**32]
    chance = np.array([row]) / np.sum(row)
    table = alias_table(chance)[0]
    row, place, picked = (np.zeros(len(drawn), dtype=np.uint32) for _ in range(3))
    entry = np.zeros(len(drawn), dtype=np.uint64)
    day_kernel._pick(row, n, np.array(drawn, dtype=np.uint32), table, place, entry, picked)
    assert picked.tolist() == [pick(table.tolist(), bit) for bit in drawn]
    assert (chance[0, picked] > 0).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"moves": np.array([-2, 0])}, r"policy of type 0 has moves \[-2, 0\]; give consecutive numbers"),
        ({"moves": np.array([1, 2])}, "policy moves off the grid of levels"),
        ({"probability": np.full((1, 1, 3, 1, 2), 0.4)}, "policy rows sum to one only within 2.0e-01"),
        ({"probability": np.full((1, 1, 3, 1, 2), np.nan)}, "policy holds a probability that is negative or not"),
        (
            {"probability": np.ones((1, 1, 4, 1, 2)) / 2},
            r"shape \(1, 4, 1, 2\); give \(1, 3, 1, 2\), axes",
        ),
        ({"net_load_kw": np.zeros((1, 1, 2, 2))}, r"shape \(1, 2, 2\); give \(1, 1, 2\), axes \(slot, shock, move\)"),
        ({"net_load_kw": np.full((1, 1, 1, 2), np.inf)}, r"net_load_kw is inf at index \[0, 0, 0\]; give finite"),
    ],
)
def test_policies_that_could_lead_the_kernel_astray_are_refused(change: dict[str, Floats], message: str) -> None:
    sound = {
        "moves": np.array([0, 1]),
        "probability": np.array([[1.0, 0], [1, 0], [1, 0]]).reshape(1, 1, 3, 1, 2),
        "net_load_kw": np.zeros((1, 1, 1, 2)),
        "use_kw": np.zeros((1, 1, 1, 2)),
    }

    def prepare(policy: dict[str, Floats]) -> DayTables:
        return day_tables([PolicyTable(**policy)], 0, levels=[3], shock_kernel=np.ones((1, 1)), slot_hours=1.0)  # type: ignore[arg-type]

    assert prepare(sound).slots == 1
    with pytest.raises(ValueError, match=message):
        prepare(sound | change)
