"""The chain of a leader's draws: the weather, today's tariff, and the tariffs of the days before as far as remembered.

Households see every draw, so all past draws are common noise as all past weather is: the law of the population at
midnight depends on them. A scenario's ``memory`` m counts them as it counts day types. The common state is
(c, a₋ₖ, …, a₋₁, a₀): the last m + 1 day types c, and the tariffs of the last k + 1 days with k = m, or the largest k
below at which there are no more than ``LARGEST`` states.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.model.scenario.weather import CommonStates

LARGEST: Final = 64
"""Common states up to which past draws are remembered; today's draw always is."""

_Past = dict[tuple[int, ...], float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrawnStates:
    """Day types and draws as one Markov chain, in its stationary law; a ∼ π(· | c) anew every midnight.

    Attributes
    ----------
    weather : (n,) int
        Common state c of the weather.
    element : (n, k + 1) int
        Element of the menu drawn on each remembered day, oldest first, today last.
    kernel, backward : (n, n)
        P(n' | n), tomorrow's state, and P(n | n'), yesterday's, as in `CommonStates`.
    probability : (n,)
        p_c·P(a₋ₖ, …, a₋₁ | c)·π(a₀ | c); every entry positive.
    """

    weather: Ints
    element: Ints
    kernel: Floats
    backward: Floats
    probability: Floats

    @property
    def count(self) -> int:
        """Number of states n."""
        return len(self.probability)

    @property
    def past_draws(self) -> int:
        """Number k of draws remembered besides today's."""
        return int(self.element.shape[1]) - 1

    @property
    def today(self) -> Ints:
        """Element of the menu posted today. (n,)"""
        return np.asarray(self.element[:, -1])


def drawn_states(common: CommonStates, policy: Floats, *, past_draws: int | None = None) -> DrawnStates:
    """The chain of day types and draws.

    Parameters
    ----------
    policy : (c, menu)
        Chance π(a | c) of each tariff; rows sum to one.
    past_draws
        Draws remembered besides today's, k; by default the weather's memory, or fewer where more of them would make
        more states than there are and than ``LARGEST``.

    Returns
    -------
    DrawnStates
        States of positive probability, by c, then by their draws from the oldest on.

    Notes
    -----
    With β(a₋ₖ, …, a₋₁ | c) the law of past draws given the weather, which does not depend on today's,
    β(a₋ₖ, …, a₋₁ | c) = Σ P(c₋₁ | c)·β(a₋ₖ, …, a₋₂ | c₋₁)·π(a₋₁ | c₋₁), from the backward chain of the weather.
    """
    past = _pasts(common, policy, past_draws)
    support = [np.flatnonzero(row) for row in policy]
    states = [
        (c, before, int(a), chance, policy[c, a])
        for c in range(common.count)
        for before, chance in sorted(past[c].items())
        for a in support[c]
    ]
    weather = np.array([c for c, *_ in states], dtype=np.int64)
    element = np.array([(*before, a) for _, before, a, *_ in states], dtype=np.int64)
    of_past, of_today = np.array([chance for *_, chance, _ in states]), np.array([chance for *_, chance in states])
    follows = (element[:, None, 1:] == element[None, :, :-1]).all(axis=2)
    return DrawnStates(
        weather=weather,
        element=element,
        kernel=np.where(follows, common.kernel[np.ix_(weather, weather)] * of_today, 0.0),
        # P(c, a₋ₖ … a₀ | c', a₋ₖ₊₁ … a₀) = P(c | c')·β(a₋ₖ … a₋₁ | c)·π(a₀ | c) / β(a₋ₖ₊₁ … a₀ | c')
        backward=np.where(
            follows.T, common.backward[np.ix_(weather, weather)] * (of_past * of_today) / of_past[:, None], 0.0
        ),
        probability=common.probability[weather] * of_past * of_today,
    )


def _pasts(common: CommonStates, policy: Floats, past_draws: int | None) -> list[_Past]:
    """Law β of the draws before today's given each common state, oldest draw first. Length c."""
    past: list[_Past] = [{(): 1.0} for _ in range(common.count)]
    drawn = np.count_nonzero(policy, axis=1)
    for _ in range(common.memory if past_draws is None else past_draws):
        longer = [_one_draw_more(row, past, policy) for row in common.backward]
        count, before = (sum(int(drawn[c]) * len(each[c]) for c in range(common.count)) for each in (longer, past))
        if past_draws is None and count > max(LARGEST, before):
            break
        past = longer
    return past


def _one_draw_more(yesterday: Floats, past: list[_Past], policy: Floats) -> _Past:
    """Law of one more draw before today's, from the law (c,) of yesterday's weather and that of the draws before."""
    found: _Past = {}
    for c in np.flatnonzero(yesterday):
        for a in np.flatnonzero(policy[c]):
            for before, chance in past[c].items():
                key = (*before, int(a))
                found[key] = found.get(key, 0.0) + yesterday[c] * chance * policy[c, a]
    whole = sum(found.values())
    return {key: chance / whole for key, chance in found.items()}
