"""The weather everybody shares: a daily Markov chain of day types, remembered for the last ``memory + 1`` days."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats, Ints, read_only
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.model.scenario.ranges import COMMON_STATES

ROW_TOLERANCE = 1e-6  # how far a row written with six decimals may be from one; it is then rescaled


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CommonStates:
    """The last ``memory + 1`` day types as one Markov chain, in its stationary law.

    Attributes
    ----------
    day_types : tuple of str
        Names, in the order of the scenario; index ω.
    histories : (c, memory + 1) int
        Day types of the remembered days, oldest first, today last.
    today : (c,) int
        Day type of today, the last column of ``histories``.
    kernel : (c, c') float
        P(c' | c), what tomorrow's state is. Rows sum to one.
    backward : (c', c) float
        P(c | c'), what yesterday's state was. Rows sum to one.
    probability : (c,) float
        Stationary law, every entry positive: states that the chain leaves for ever are left out.
    """

    __repr__ = short_repr

    day_types: tuple[str, ...]
    histories: Ints
    today: Ints
    kernel: Floats
    backward: Floats
    probability: Floats

    def __post_init__(self) -> None:
        """Keep read-only copies."""
        for name in ("histories", "today"):
            whole = np.array(getattr(self, name), dtype=np.int64)
            whole.setflags(write=False)
            object.__setattr__(self, name, whole)
        for name in ("kernel", "backward", "probability"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    @property
    def count(self) -> int:
        """Number of common states."""
        return len(self.probability)

    @property
    def memory(self) -> int:
        """Number of days remembered before today."""
        return int(self.histories.shape[1]) - 1

    def labels(self) -> tuple[tuple[str, ...], ...]:
        """Day-type names of each state, oldest day first. Shape: (c,) tuples of ``memory + 1`` names."""
        return tuple(tuple(self.day_types[w] for w in history) for history in self.histories)


def checked_kernel(kernel: npt.ArrayLike, *, key: str, rows: Sequence[str] | None = None) -> Floats:
    """Check a Markov kernel and rescale its rows to one.

    Parameters
    ----------
    kernel : (state, state) float
        Transition probabilities, from row to column.
    key : str
        Name of the kernel in error messages.
    rows : sequence of str, optional
        Names of the states in error messages; numbers from zero without them.

    Returns
    -------
    (state, state) float
        Non-negative, rows summing to one to rounding.

    Raises
    ------
    ValueError
        If the array is not square, holds a number outside [0, 1], or has a row that misses one by more than 1e-6.
    """
    values = np.array(kernel, dtype=float)
    size = len(values) if rows is None else len(rows)
    if values.ndim != 2 or values.shape != (size, size) or size == 0:
        shape = " x ".join(str(length) for length in values.shape) or "one number"
        raise ValueError(f"{key} has shape {shape}; give {size} x {size} numbers, one row for each state")
    names = [str(row) for row in range(size)] if rows is None else list(rows)
    for name, row in zip(names, values, strict=True):
        outside = row[~((row >= 0) & (row <= 1))]
        if outside.size:
            raise ValueError(f"{key} row {name} holds {outside[0]:g}; give probabilities between 0 and 1")
        if abs(row.sum() - 1) > ROW_TOLERANCE:
            raise ValueError(f"{key} row {name} sums to {row.sum():.6g}; give probabilities that sum to 1")
    return np.asarray(values / values.sum(axis=1, keepdims=True))


def stationary_law(kernel: npt.ArrayLike, *, key: str = "kernel") -> Floats:
    """Stationary law of a finite Markov chain, exactly 0 on transient states.

    Parameters
    ----------
    kernel : (state, state) float
        Transition probabilities; rows sum to one.
    key : str
        Name of the kernel in error messages.

    Returns
    -------
    (state,) float
        p with p P = p and sum one, by one linear solve on the recurrent class (the chain may be periodic).

    Raises
    ------
    ValueError
        If the kernel is not one, or falls apart into several closed classes, each with a law of its own.
    """
    matrix = checked_kernel(kernel, key=key)
    reachable = _reachable(matrix > 0)
    # a state is recurrent when every state it reaches leads back to it; its class is all that it reaches
    recurrent = np.flatnonzero((reachable <= reachable.T).all(axis=1))
    states = np.flatnonzero(reachable[recurrent[0]])
    if len(states) < len(recurrent):
        raise ValueError(
            f"{key} falls apart into groups of states that never meet;"
            " give a kernel in which one of them can be reached from everywhere"
        )
    # p (P - I) = 0 has one redundant equation; the sum takes its place
    system = (matrix[np.ix_(states, states)] - np.eye(len(states))).T
    system[-1] = 1.0
    right = np.zeros(len(states))
    right[-1] = 1.0
    solution = np.maximum(np.linalg.solve(system, right), 0.0)
    law = np.zeros(len(matrix))
    law[states] = solution / solution.sum()
    return law


def _reachable(edge: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which states a path of any length, none included, leads to. (from, to) bool."""
    reachable = edge | np.eye(len(edge), dtype=bool)
    for _ in range(len(edge).bit_length()):  # every squaring doubles the length of the paths
        reachable = reachable @ reachable
    return reachable


def common_states(day_types: Sequence[str], day_type_kernel: npt.ArrayLike, memory: int) -> CommonStates:
    """Chain of the last ``memory + 1`` day types.

    Parameters
    ----------
    day_types : sequence of str
        Names of the day types ω.
    day_type_kernel : (ω, ω') float
        P(tomorrow's type | today's type).
    memory : int
        Days remembered before today: 0, 1 or 2.

    Returns
    -------
    CommonStates
        States in lexicographic order of their histories; those of probability 0 are left out.

    Raises
    ------
    ValueError
        If ``memory`` is not 0, 1 or 2, or the kernel is not a Markov kernel with one stationary law.

    Notes
    -----
    p(ω_0 … ω_m) = p(ω_0) P(ω_1 | ω_0) … P(ω_m | ω_{m−1}) and, backward, P(c | c') = p_c P(c' | c) / p_c'. With
    ``memory`` 0 the state is today's type alone, and ``kernel`` is the day-type kernel.
    """
    if memory not in (0, 1, 2):
        raise ValueError(f"memory is {memory}; give 0, 1 or 2")
    step = checked_kernel(day_type_kernel, key="day_type_kernel", rows=day_types)
    law = stationary_law(step, key="day_type_kernel")

    histories = np.flatnonzero(law)[:, None]
    probability = law[histories[:, 0]]
    for _ in range(memory):
        state, tomorrow = np.nonzero(step[histories[:, -1]])
        if not COMMON_STATES.holds(len(state)):
            raise ValueError(
                f"memory is {memory}: the remembered day types make {len(state)} common states or more; give at most"
                f" {COMMON_STATES.high}, with fewer day types or a smaller memory"
            )
        probability = probability[state] * step[histories[state, -1], tomorrow]
        histories = np.hstack([histories[state], tomorrow[:, None]])
    probability = probability / probability.sum()

    # c leads to c' when dropping c's oldest day and c''s newest leaves the same days
    follows = (histories[:, None, 1:] == histories[None, :, :-1]).all(axis=2)
    kernel = np.where(follows, step[np.ix_(histories[:, -1], histories[:, -1])], 0.0)
    joint = probability[:, None] * kernel
    backward = joint.T / joint.sum(axis=0)[:, None]
    return CommonStates(
        day_types=tuple(day_types),
        histories=histories,
        today=histories[:, -1],
        kernel=kernel,
        backward=backward,
        probability=probability,
    )
