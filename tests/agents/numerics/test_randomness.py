"""Draws are SplitMix64, depend on nothing but their path, and are the same in every backend."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanwatt.agents.numerics.randomness import (
    GOLDEN_GAMMA,
    Purpose,
    child,
    child64,
    children,
    key_from,
    mix64,
    stream,
    uniform,
    weyl64,
)

words = st.integers(0, 2**64 - 1)


class SplitMix64:
    """The generator as in figure 13 of Steele, Lea and Flood, with unbounded integers cut to 64 bits."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def next(self) -> int:
        """Step the state, mix it."""
        self.state = (self.state + 0x9E3779B97F4A7C15) % 2**64
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) % 2**64
        return z ^ (z >> 31)


@numba.njit
def compiled_halves(state: np.ndarray, slot: int, out: np.ndarray) -> None:
    for i in range(state.size):
        word = mix64(weyl64(state[i], np.uint64(slot)))
        out[i, 0] = np.uint32(word >> np.uint64(32))
        out[i, 1] = np.uint32(word)


@numba.njit
def compiled_child(state: int, index: int) -> int:
    return child64(state, index)


@pytest.mark.parametrize(
    ("seed", "outputs"),
    [
        # published outputs of the reference implementation (splitmix64.c; java.util.SplittableRandom uses the same)
        (1234567, [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]),
        (0, [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F, 0xF88BB8A8724C81EC]),
    ],
)
def test_outputs_are_those_of_the_reference_implementation(seed: int, outputs: list[int]) -> None:
    assert [child(seed, k) for k in range(4)] == outputs
    assert children(seed, 4).tolist() == outputs


@given(words, st.integers(0, 50))
def test_output_k_of_a_stream_is_what_the_sequential_generator_gives_at_step_k(seed: int, k: int) -> None:
    generator = SplitMix64(seed)
    expected = [generator.next() for _ in range(k + 1)][-1]
    assert child(seed, k) == expected


@settings(deadline=None)  # the first call compiles
@given(words, st.integers(0, 2**63 - 101))
def test_array_and_scalar_outputs_agree_wherever_the_array_begins(seed: int, first: int) -> None:
    assert children(seed, 5, first=first).tolist() == [child(seed, first + k) for k in range(5)]


@settings(deadline=None)  # the first call compiles
@given(st.lists(words, min_size=1, max_size=40), st.integers(0, 95))
def test_compiled_halves_equal_those_of_plain_integers(states: list[int], slot: int) -> None:
    """Catches silent promotion of unsigned numbers to floats or to other widths."""
    out = np.zeros((len(states), 2), dtype=np.uint32)
    compiled_halves(np.array(states, dtype=np.uint64), slot, out)
    assert out.tolist() == [[child(s, slot) >> 32, child(s, slot) & 0xFFFFFFFF] for s in states]


@settings(deadline=None)  # the first call compiles
@given(words, words)
def test_compiled_child_equals_the_plain_one(state: int, index: int) -> None:
    assert int(compiled_child(np.uint64(state), np.uint64(index))) == child(state, index)


def test_a_path_is_a_chain_of_children() -> None:
    assert stream(7, 1, 2, 3) == child(child(child(7, 1), 2), 3)
    assert stream(7) == 7


def test_streams_of_purposes_types_households_and_days_are_all_different() -> None:
    states = {stream(5, p, t, r, d) for p in Purpose for t in range(3) for r in range(20) for d in range(20)}
    assert len(states) == len(Purpose) * 3 * 20 * 20


@given(words)
def test_uniform_numbers_lie_in_the_half_open_unit_interval(word: int) -> None:
    assert 0 <= uniform(word) < 1
    assert uniform(word) == (word >> 11) / 2**53


def test_bits_of_both_halves_are_fair_across_households_days_and_slots() -> None:
    """Each bit's frequency is 1/2 within 5 standard errors (64 bits, three ways to walk through the tree)."""
    n = 200_000
    walks = {
        "households": np.array([child(stream(1, Purpose.DAY, 0, r, 0), 0) for r in range(20_000)], dtype=np.uint64),
        "days": np.array([child(stream(1, Purpose.DAY, 0, 0, d), 0) for d in range(20_000)], dtype=np.uint64),
        "slots": children(stream(1, Purpose.DAY, 0, 0, 0), n),
    }
    for name, drawn in walks.items():
        ones = [int(((drawn >> np.uint64(bit)) & np.uint64(1)).sum()) for bit in range(64)]
        off = np.abs(np.array(ones) / drawn.size - 0.5) / (0.5 / np.sqrt(drawn.size))
        assert off.max() < 5, name


def test_halves_and_neighbouring_slots_are_uncorrelated() -> None:
    """Correlations of 10⁵ pairs lie within 4 standard errors, 4/√n."""
    n = 100_000
    drawn = children(stream(3, Purpose.DAY, 2, 1, 0), n + 1)
    high, low = (drawn >> np.uint64(32)).astype(float), (drawn & np.uint64(0xFFFFFFFF)).astype(float)
    other = (children(stream(3, Purpose.DAY, 2, 2, 0), n + 1) >> np.uint64(32)).astype(float)
    for a, b in ((high, low), (high[1:], high[:-1]), (low[1:], high[:-1]), (high, other)):
        assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(n)


def test_golden_gamma_is_odd_and_two_to_the_64_over_the_golden_ratio() -> None:
    golden = (1 + 5**0.5) / 2
    assert GOLDEN_GAMMA % 2 == 1
    assert abs(GOLDEN_GAMMA / 2**64 - 1 / golden) < 1e-15


def test_a_number_and_the_sequence_of_it_give_one_key_and_longer_sequences_others() -> None:
    assert key_from(5) == key_from((5,)) == key_from([np.int64(5)]) == key_from(np.uint8(5))
    assert len({key_from(k) for k in (0, 5, (5, 0), (0, 5), (5, 0, 0), 2**64, 2**64 + 5, (5, 1))}) == 8


@given(st.lists(st.integers(0, 2**200), min_size=1, max_size=4))
def test_a_key_is_a_64_bit_word_whatever_the_seed(seed: list[int]) -> None:
    assert 0 <= key_from(seed) < 2**64
    assert key_from(seed) == key_from(tuple(seed))


def test_a_generator_gives_one_word_and_moves_on() -> None:
    rng, twin = np.random.default_rng(8), np.random.default_rng(8)
    first, second = key_from(rng), key_from(rng)
    assert first == int(twin.integers(0, 2**64, dtype=np.uint64))
    assert first != second
    assert rng.random() != np.random.default_rng(8).random()


def test_a_seed_sequence_gives_its_own_key_and_none_a_fresh_one() -> None:
    assert key_from(np.random.SeedSequence(4)) == key_from(np.random.SeedSequence(4))
    assert key_from(None) != key_from(None)


@pytest.mark.parametrize("rng", [-1, 1.5, "seven", [], [1, -2], [0.5], {"a": 1}])
def test_what_is_no_seed_is_refused_in_one_line(rng: object) -> None:
    with pytest.raises(ValueError, match=r"rng is .*; give a whole number >= 0, a sequence") as caught:
        key_from(rng)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
