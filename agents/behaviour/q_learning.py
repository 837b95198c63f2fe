"""Q-learning: a household that knows neither prices nor probabilities learns what its moves are worth from its bills.

Each household keeps a table Q[c, h, e, z, j] of its own. After a day it goes back through its slots; for the move it
made, its reward r = utility − wear − what the slot cost on the bill, and the state it came to,

    Q ← Q + α_t (r − ρ + δ^(1/T) V(next) − Q),     V = η log Σ_j exp(Q/η)  or  max_j Q  by the scenario's value rule.

Discounted (δ < 1, ρ = 0) this is Watkins' algorithm. Under the average criterion (δ = 1) the household learns its gain
per slot ρ alongside, ρ ← ρ + κ α_t (the same error), κ small: differential Q-learning, a form of relative value
Q-learning in which no state has to be chosen for reference.

It moves by softmax(Q/η), the best move at η = 0, and with chance ε_t tries any feasible move alike. Step and
exploration fall as (1 + t/settle_days)^(−power): a power in (1/2, 1] satisfies the conditions of Robbins and Monro.

References
----------
C. J. C. H. Watkins, P. Dayan, "Q-learning", Machine Learning 8 (1992), doi 10.1007/BF00992698.
J. Abounadi, D. Bertsekas, V. S. Borkar, "Learning algorithms for Markov decision processes with average cost", SIAM
Journal on Control and Optimization 40(3), 2001, doi 10.1137/S0363012999361974.
Y. Wan, A. Naik, R. S. Sutton, "Learning and planning in average-reward Markov decision processes", ICML 2021.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from meanwatt.agents.household.best_response import Response
from meanwatt.agents.household.day_operator import closed_groups, group_weights
from meanwatt.agents.household.decision_problem import DecisionProblem
from meanwatt.agents.household.storage import Choice, feasible
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.agents.numerics.randomness import Words, child64

Values = npt.NDArray[np.float32]
"""Tables of values. [USD]"""

STARTS: Final = ("believed", "zero")
"""What a table may start from."""

GAIN_SHARE: Final = 0.1
"""κ·T: of a day's mean error, the gain moves by this share of the step. Small, for days differ more than moves do."""

_THIRTY_TWO, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class QSettings:
    """How households learn from their own bills.

    Parameters
    ----------
    first_step, exploration
        α_0 in (0, 1] and ε_0 in [0, 1].
    settle_days, power
        Both fall as (1 + t/settle_days)^(−power); days > 0, power in (1/2, 1].
    shock
        Whether the table tells the states of the load shock apart. Without, it is that much smaller and fills faster,
        and the household averages over its shocks.
    start
        ``believed``: the table of the best response to the prices of reference demand, where belief learners begin
        too, so that what differs is the learning. ``zero``: nothing known; as most slots cost money, zero is
        optimistic and makes a household try what it has not.
    memory_gb
        Largest size of all tables. [10⁹ bytes]

    Raises
    ------
    ValueError
        In one line, if a setting lies outside its range.
    """

    first_step: float = 0.3
    exploration: float = 0.1
    settle_days: float = 30.0
    power: float = 0.6
    shock: bool = False
    start: str = "believed"
    memory_gb: float = 1.0

    def __post_init__(self) -> None:
        """Check every setting once."""
        if not 0 < self.first_step <= 1:
            raise ValueError(f"qlearning: first_step is {self.first_step}; give a number in (0, 1], e.g. 0.3")
        if not 0 <= self.exploration <= 1:
            raise ValueError(f"qlearning: exploration is {self.exploration}; give a number in [0, 1], e.g. 0.1")
        if not 0.5 < self.power <= 1:
            raise ValueError(f"qlearning: power is {self.power}; give a number in (0.5, 1], e.g. 0.6")
        for name, example in (("settle_days", 30), ("memory_gb", 1)):
            if not 0 < getattr(self, name) < np.inf:
                raise ValueError(f"qlearning: {name} is {getattr(self, name)}; give a positive number, e.g. {example}")
        if self.start not in STARTS:
            raise ValueError(f"qlearning: start is {self.start!r}; give one of {', '.join(STARTS)}")

    def schedule(self, day: int) -> tuple[float, float]:
        """Step α_t and exploration ε_t of a day."""
        fall = float((1 + day / self.settle_days) ** -self.power)
        return self.first_step * fall, self.exploration * fall


def believed_values(response: Response, problem: DecisionProblem, *, shock: bool) -> Floats:
    """Value of every move under a best response, (c, h, e, z, j); z of length one without the shock. [USD]

    At δ = 1 it is relative to the gain: what Q-learning at the same prices ends at, but for a constant. Infeasible
    moves have 0, which nobody reads. Without the shock the value is its mean over the stationary law.
    """
    reward, moves = response.outcome.reward_usd, response.outcome.moves
    levels, slots = response.value_usd.shape[3], reward.shape[1]
    worth, gain = response.value_usd, np.zeros(response.value_usd.shape[:3])
    if problem.discount_per_day == 1.0:
        missing, gain = _weather_values(response, problem)
        worth = worth + missing[..., None]
    ahead = np.roll(worth, -1, axis=1)
    ahead[:, -1] = np.tensordot(problem.common_kernel, ahead[:, -1], axes=1)
    ahead = np.einsum("zy,chye->chze", problem.shock_kernel, ahead)
    target = np.clip(np.arange(levels)[:, None] + moves, 0, levels - 1)
    reached = ahead[..., target].transpose(0, 1, 3, 2, 4)
    discount = problem.discount_per_day ** (1 / slots)
    allowed = response.policy.open_moves[:, :, None]
    value = (reward[:, :, None] - gain[:, :, None, :, None] / slots + discount * reached) * allowed
    if not shock:
        value = np.einsum("z,chezj->chej", problem.shock_probability, value)[:, :, :, None]
    return np.asarray(value)


def _weather_values(response: Response, problem: DecisionProblem) -> tuple[Floats, Floats]:
    """What a response's values at δ = 1 lack, the part that no policy can change; and the gain a day. (c, h, z)

    Over a day the values change by d(c, z) at level 0 where they should change by the gain g of the household's group
    (one, unless shocks return in whole days only). So φ(c, z) is missing at midnight, φ = d − g + E φ(c', z'), and
    before midnight its expectation less the gain of the slots to come.
    """
    value = response.value_usd
    states, slots, shocks, _ = value.shape
    groups = closed_groups(problem.common_kernel, problem.shock_kernel, slots)
    weight = (problem.common_probability[:, None] * problem.shock_probability).ravel()
    change = value[:, 0, :, 0].ravel()
    mean = group_weights(groups, 1, weight)
    kernels = [np.linalg.matrix_power(problem.shock_kernel, slots - h) for h in range(slots)]
    day = np.kron(problem.common_kernel, kernels[0])
    gain_usd, left_for_ever = mean @ change, groups.ravel() < 0
    if left_for_ever.any():  # the gain of where such a shock leads
        away, staying = day[left_for_ever][:, ~left_for_ever], day[left_for_ever][:, left_for_ever]
        gain_usd[left_for_ever] = np.linalg.solve(np.eye(len(staying)) - staying, away @ gain_usd[~left_for_ever])
    system = np.eye(states * shocks) - day + group_weights(groups, 1, np.ones(states * shocks))
    missing = np.asarray(np.linalg.solve(system, change - gain_usd)).reshape(states, shocks)

    def expected(midnight: npt.NDArray[Any]) -> Floats:
        """Expectation before each slot of what comes at the next midnight."""
        return np.stack([problem.common_kernel @ midnight @ kernel.T for kernel in kernels], axis=1)

    gain = expected(gain_usd.reshape(states, shocks))
    left = 1 - np.arange(slots) / slots
    return expected(missing) - left[:, None] * gain, gain


def policy_of_values(
    value: Values, moves: Ints, temperature: float, shocks: int, choice: Choice | None = None
) -> Floats:
    """Probability of each move by softmax(Q/η), the best moves alike at η = 0; without exploration.

    Parameters
    ----------
    value : (…, e, z, j)
        A table, or several; z may have length one.
    shocks
        Length of axis z in the result.
    choice
        Which moves are chosen among in each slot; without it all in every slot.
    """
    levels = value.shape[-3]
    allowed = feasible(levels, moves)[:, None, :] if choice is None else choice.open_moves(levels, moves)[:, :, None]
    worth = np.where(allowed, value, -np.inf).astype(np.float64)
    shortfall = worth.max(axis=-1, keepdims=True) - worth
    weight = np.exp(-shortfall / temperature) if temperature > 0 else (shortfall == 0).astype(float)
    chance = weight / weight.sum(axis=-1, keepdims=True)
    if choice is not None:
        choice.impose(chance)
    shape = (*chance.shape[:-2], shocks, chance.shape[-1])
    return np.array(np.broadcast_to(chance, shape))


@compiled
def live_day(  # noqa: PLR0913
    first: int,
    last: int,
    numbers: tuple[int, int, int],
    chances: tuple[float, float],
    key: Any,
    value: Values,
    readings: Any,
    choice: tuple[Ints, Floats],
    shock_alias: Words,
    columns: Any,
    path: Any,
) -> None:
    """Let households ``first`` to ``last − 1`` of a class choose by their tables on the market's own draws.

    Parameters
    ----------
    numbers
        Day, common state, and rank within the type of the class's first household.
    chances
        Temperature η and exploration ε.
    key : uint64
        Stream of the type's households.
    value : (household, c, h, e, z or 1, j)
        Tables. [USD]
    readings : (h, z, j) float32
        Meter reading of every move. [kWh]
    choice
        Bounds (h, 2) and given probabilities (h, e, j) of a ``Choice``.
    shock_alias : (z, z) uint64
        Alias table of the next shock.
    columns
        The class's ``level``, ``shock`` and ``energy_kwh``, moved on and filled.
    path
        Columns of the moves (household, h) and shocks (household, h), filled; and the lowest move.
    """
    day, common, rank = numbers
    temperature, exploration = chances
    level, shock, energy = columns
    moved, met, lowest = path
    bounds, given = choice
    slots, levels, told, width = value.shape[2:]
    shocks = readings.shape[1]
    weight = np.empty(width)
    for i in range(first, last):
        state = child64(child64(key, np.uint64(rank + i)), np.uint64(day))
        e, z = np.int64(level[i]), np.int64(shock[i])
        for h in range(slots):
            word = child64(state, np.uint64(h))
            row = value[i, common, h, e, z if told > 1 else 0]
            first, beyond = bounds[h, 0], bounds[h, 1]
            drawn = first == beyond
            if drawn:
                first, beyond = 0, width
            low, high = max(first, -e - lowest), min(beyond, levels - e - lowest)
            point = np.float64(word >> _THIRTY_TWO) * 2.0**-32
            total, even, tries = 1.0, 0.0, 0.0
            if not drawn:
                total = _weigh(row, low, high, temperature, weight)
                even, tries = exploration / (high - low), exploration
            chosen, cumulated = high - 1, 0.0
            for j in range(low, high - 1):
                cumulated += given[h, e, j] if drawn else (1.0 - tries) * weight[j] / total + even
                if point < cumulated:
                    chosen = j
                    break
            energy[i, h] = readings[h, z, chosen]
            moved[i, h], met[i, h] = chosen, z
            e += chosen + lowest
            product = (word & _LOW) * np.uint64(shocks)
            column = np.int64(product >> _THIRTY_TWO)
            entry = shock_alias[z, column]
            z = column if (product & _LOW) < (entry >> _THIRTY_TWO) else np.int64(entry & _LOW)
        level[i], shock[i] = e, z


@compiled
def learn_day(  # noqa: PLR0913  # complexipy: ignore
    first: int,
    last: int,
    numbers: tuple[int, int],
    rates: tuple[float, float, float, float, bool],
    value: Values,
    gain: Floats,
    reward: Floats,
    choice: tuple[Ints, Floats],
    columns: Any,
    path: Any,
) -> None:
    """Go back through the day of households ``first`` to ``last − 1`` and learn from it.

    Parameters
    ----------
    numbers
        Common state of the day, and of the next one.
    rates
        Step α, share κ of it for the gain (0 where values are discounted), discount of a slot, temperature, and
        whether values are soft.
    value : (household, c, h, e, z or 1, j)
        Tables, updated. [USD]
    gain : (household,)
        Reward per slot ρ, updated. [USD]
    reward : (h, z, j)
        What each move brought at the rates on the bill. [USD]
    choice
        As in `live_day`.
    columns
        The class's ``level`` and ``shock`` at midnight after the day.
    path
        As ``live_day`` filled it; a household with a negative first entry is left out.
    """
    common, tomorrow = numbers
    step, share, discount, temperature, soft = rates
    level, shock = columns
    moved, met, lowest = path
    bounds, given = choice
    slots, levels, told, width = value.shape[2:]
    weight = np.empty(width)
    for i in range(first, last):
        if moved[i, 0] < 0:
            continue
        e, z = np.int64(level[i]), np.int64(shock[i])
        c, h_next = tomorrow, 0
        for back in range(slots):
            h = slots - 1 - back
            row = value[i, c, h_next, e, z if told > 1 else 0]
            first, beyond = bounds[h_next, 0], bounds[h_next, 1]
            ahead = 0.0
            if first == beyond:
                for j in range(width):
                    if given[h_next, e, j] > 0.0:
                        ahead += given[h_next, e, j] * row[j]
            else:
                low, high = max(first, -e - lowest), min(beyond, levels - e - lowest)
                best = row[low]
                for j in range(low + 1, high):
                    best = max(best, row[j])
                ahead = np.float64(best)
                if soft:
                    ahead += temperature * np.log(_weigh(row, low, high, temperature, weight))
            made = np.int64(moved[i, h])
            e -= made + lowest
            z = np.int64(met[i, h])
            c, h_next = common, h
            place = z if told > 1 else 0
            error = reward[h, z, made] - gain[i] + discount * ahead - value[i, c, h, e, place, made]
            value[i, c, h, e, place, made] += step * error
            gain[i] += share * step * error


@compiled
def _weigh(row: Values, low: int, high: int, temperature: float, weight: Floats) -> float:
    """Fill weight[j] = exp((Q[j] − max Q)/η), 1 for the first best move at η = 0; return their sum."""
    best = low
    for j in range(low + 1, high):
        if row[j] > row[best]:
            best = j
    total = 0.0
    for j in range(low, high):
        if temperature > 0.0:
            weight[j] = np.exp((np.float64(row[j]) - np.float64(row[best])) / temperature)
        else:
            weight[j] = 1.0 if j == best else 0.0
        total += weight[j]
    return total
