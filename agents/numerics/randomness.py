"""Counter-based random draws: a draw is a pure function of who draws, when and what for.

One primitive makes everything: output number ``index`` of the SplitMix64 stream that starts at a 64-bit ``state``.
An output may start a stream of its own, so a draw is a path in a tree::

    key -> purpose -> household type -> rank within the type -> day -> slot

Nothing is kept between draws. A draw depends neither on the number of threads, nor on the order in which households
are visited, nor on how many others there are. One output serves one household-slot: its high half draws the move, its
low half the next shock.

References
----------
G. L. Steele Jr., D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014,
doi 10.1145/2660193.2660195, section 5: a Weyl sequence with the golden gamma, each term mixed by D. Stafford's
variant 13.
"""

import operator
from collections.abc import Sequence
from enum import IntEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.compiled import compiled

Words = npt.NDArray[np.uint64]
"""An array of 64-bit words."""

Key = int | Sequence[int] | np.random.Generator | np.random.SeedSequence | None
"""What may stand for a seed; see ``key_from``."""

GOLDEN_GAMMA: Final = 0x9E3779B97F4A7C15
"""2⁶⁴ divided by the golden ratio, odd."""

_MASK = (1 << 64) - 1
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB

# Typed constants: numba makes a float of uint64 with a plain int, and 64 bits of uint32 with a literal.
_GAMMA_64, _FIRST_64, _SECOND_64 = np.uint64(GOLDEN_GAMMA), np.uint64(_FIRST), np.uint64(_SECOND)
_ONE, _THIRTY, _TWENTY_SEVEN, _THIRTY_ONE = np.uint64(1), np.uint64(30), np.uint64(27), np.uint64(31)


class Purpose(IntEnum):
    """What a draw is for; every purpose has its own tree of streams."""

    DAY = 1
    """Moves and shocks of a household: path type, rank, day; output = slot."""
    START = 2
    """State of charge and shock of a household before day 0: path type; output = rank."""
    WEATHER = 3
    """The common state of each day; output = day."""
    PLACE = 4
    """Where the households of a type begin on the feeder; output = type."""
    BELIEF = 5
    """Where the cohorts of a belief learner begin: path behaviour, cohort; output 0 = step, then first beliefs."""
    OWN = 6
    """Numbers for a household that decides for itself: path type, rank, day; output = slot."""
    LEADER = 7
    """The tariff a learning leader posts; output = round · states of the leader + state."""
    ADOPTION = 8
    """In what order the homes of a feeder adopt: path placement, 0; output = home. What they own besides: path
    placement, 1; output = where the sequences of an income group begin."""
    RESIDENTS = 10
    """Where people live: path 0; output = bus, in what order a walk through the feeder turns into branches. Path 1,
    type; output = bus, where its turns among the homes of a type begin."""
    PHASE = 11
    """Which phase a home of a feeder is on: path bus; output = number of the home there."""


def child(state: int, index: int) -> int:
    """Output number ``index`` of the SplitMix64 stream that starts at ``state``; both are taken modulo 2⁶⁴."""
    z = (state + (index + 1) * GOLDEN_GAMMA) & _MASK
    z = ((z ^ (z >> 30)) * _FIRST) & _MASK
    z = ((z ^ (z >> 27)) * _SECOND) & _MASK
    return z ^ (z >> 31)


def stream(key: int, *path: int) -> int:
    """State of the stream at the end of a path: ``child`` of ``child`` of … of ``key``."""
    for index in path:
        key = child(key, index)
    return key


def uniform(word: int) -> float:
    """Turn a 64-bit word into a number in [0, 1), a multiple of 2⁻⁵³."""
    return (word >> 11) * 2.0**-53


def key_from(rng: Key) -> int:
    """Make the 64-bit key of a run.

    Parameters
    ----------
    rng
        A whole number ≥ 0 of any size, or a sequence of such, e.g. (seed, replication); a numpy Generator, which
        gives one 64-bit word and moves on; a SeedSequence; None for a key from the operating system.

    Returns
    -------
    int
        In [0, 2⁶⁴). ``5`` and ``(5,)`` give the same key, ``(5, 0)`` another.

    Raises
    ------
    ValueError
        If a number is negative or not whole.
    """
    if rng is None:
        rng = np.random.SeedSequence()
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(0, 1 << 64, dtype=np.uint64))
    if isinstance(rng, np.random.SeedSequence):
        return int(rng.generate_state(1, np.uint64)[0])
    numbers = _whole_numbers("rng", rng)
    key = child(0, len(numbers))
    for number in numbers:
        limbs = [number >> shift & _MASK for shift in range(0, max(number.bit_length(), 1), 64)]
        key = stream(key, len(limbs), *limbs)
    return key


def seed_of(key: int) -> int:
    """The whole number in [0, 2⁶⁴) of which ``key_from`` makes this key: every 64-bit key has exactly one.

    ``key_from`` of one 64-bit number is three steps of ``child``, and each of them can be undone: the golden gamma and
    both factors are odd, hence invertible modulo 2⁶⁴, and x ↦ x ^ (x >> n) is undone bit by bit from the top.
    """
    state = stream(0, 1, 1)  # one number, of one limb
    z = _unshifted(key & _MASK, 31) * pow(_SECOND, -1, 1 << 64) & _MASK
    z = _unshifted(z, 27) * pow(_FIRST, -1, 1 << 64) & _MASK
    return ((_unshifted(z, 30) - state) * pow(GOLDEN_GAMMA, -1, 1 << 64) - 1) & _MASK


def _unshifted(word: int, shift: int) -> int:
    """The z of ``word = z ^ (z >> shift)``."""
    z = word
    for _ in range(64 // shift):
        z = word ^ (z >> shift)
    return z


def require_key(name: str, key: Key) -> None:
    """Raise ``ValueError`` in one line that calls it by ``name``, unless `key_from` makes a key of it."""
    if key is not None and not isinstance(key, np.random.Generator | np.random.SeedSequence):
        _whole_numbers(name, key)


def _whole_numbers(name: str, rng: Any) -> list[int]:
    """Read a seed as a list of whole numbers ≥ 0."""
    try:
        numbers = [operator.index(n) for n in rng] if isinstance(rng, Sequence | np.ndarray) else [operator.index(rng)]
    except TypeError:
        numbers = []
    if not numbers or min(numbers) < 0:
        raise ValueError(
            f"{name} is {rng!r}; give a whole number >= 0, a sequence of such numbers, or a numpy Generator"
        )
    return numbers


@compiled
def mix64(z: Any) -> Any:
    """Stafford's variant 13 of the 64-bit finaliser (compiled)."""
    z = (z ^ (z >> _THIRTY)) * _FIRST_64
    z = (z ^ (z >> _TWENTY_SEVEN)) * _SECOND_64
    return z ^ (z >> _THIRTY_ONE)


@compiled
def weyl64(state: Any, index: Any) -> Any:
    """Term number ``index`` of the sequence that ``mix64`` mixes (compiled; both arguments uint64)."""
    return state + (index + _ONE) * _GAMMA_64


@compiled
def child64(state: Any, index: Any) -> Any:
    """Compiled ``child``; both arguments uint64."""
    return mix64(weyl64(state, index))


@compiled
def fill_children(state: Any, first: int, out: Words) -> None:
    """Write outputs ``first``, ``first + 1``, … of the stream at ``state`` (uint64) into ``out``."""
    for i in range(out.size):
        out[i] = child64(state, np.uint64(first + i))


def children(state: int, count: int, *, first: int = 0) -> Words:
    """Outputs ``first`` to ``first + count − 1`` of the stream at ``state``, as an array."""
    out = np.empty(count, dtype=np.uint64)
    fill_children(np.uint64(state), first, out)
    return out
