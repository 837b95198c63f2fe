"""Policy iteration on small menus that move through the family: a learner that holds on to nothing but what it posted.

A menu is the best tariff so far and its neighbours, a step either way along every parameter. On it `MenuLearner`
iterates: it posts every member, evaluates, moves its softmax policy towards the better ones, and posts again. When the
policy is sure of a member, or after a third as many further rounds as there are members, the menu moves there; if it
was there already, its steps are halved. So the sequence of centres is a compass search whose polls are metered rounds.

References
----------
T. G. Kolda, R. M. Lewis, V. Torczon, *Optimization by direct search*, SIAM Review 45 (2003): compass search, and why it
ends at a stationary point of a smooth objective.
"""

from typing import Final

import numpy as np

from meanwatt.agents.leader.bandit_leader import MenuLearner
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.randomness import Purpose, child, key_from, stream

LARGEST_MENU: Final = 27
"""Members of a menu at most."""


class PolicyIteration:
    """Learner that iterates the policy of `MenuLearner` on one menu after another.

    Parameters
    ----------
    parameters
        Free parameters of the family.
    evaluations
        Not used: it learns as long as it is asked.
    seed
        Of the draws.

    Attributes
    ----------
    menu : (member, parameter)
        Members of the menu in force, in [0, 1]; the first is its centre.
    step
        From the centre to its neighbours, as a share of each parameter's range.
    """

    FIRST_STEP: Final = 0.5
    SURE: Final = 0.5
    """Chance of one member from which on the policy is sure of it."""
    FURTHER: Final = 1 / 3
    """Rounds on a menu after every member was posted, at most, as a share of its members."""

    def __init__(self, parameters: int, evaluations: int, seed: int) -> None:
        self.step = self.FIRST_STEP
        self._axes = np.random.default_rng(seed)
        self._stream = stream(key_from(seed), Purpose.LEADER)
        self._menus = 0
        self._known: dict[bytes, float] = {}
        self._asked = 0
        self._begin(np.full(parameters, 0.5))

    def ask(self) -> Floats:
        """Draw a member of the menu by the policy; a new menu first, where the old one has served."""
        if self._served():
            best = int(np.argmax(self._learner.value_usd[0]))
            if best == 0:
                self.step /= 2
            self._begin(self.menu[best])
        self._asked = int(self._learner.choose(self._round)[0])
        return np.array(self.menu[self._asked])

    def tell(self, parameters: Floats, value: float) -> None:
        """Learn what the member asked last brought."""
        self._learner.update(0, self._asked, value, 1)
        self._known[self.menu[self._asked].tobytes()] = float(self._learner.value_usd[0, self._asked])
        self._round += 1

    def _begin(self, centre: Floats) -> None:
        """Make the menu around a centre; what is known of its members is known of them there."""
        places = np.clip(centre + self.step * compass(len(centre), self._axes), 0.0, 1.0)
        first = np.sort(np.unique(places, axis=0, return_index=True)[1])
        self.menu: Floats = places[first]
        self._learner = MenuLearner(1, len(self.menu), stream=child(self._stream, self._menus))
        self._menus += 1
        self._round = 0
        for member, place in enumerate(self.menu):
            if place.tobytes() in self._known:
                self._learner.update(0, member, self._known[place.tobytes()], 1)
        self._last = self._untried() + int(np.ceil(self.FURTHER * len(self.menu)))

    def _untried(self) -> int:
        return int(np.isnan(self._learner.value_usd).sum())

    def _served(self) -> bool:
        return not self._untried() and (self._round >= self._last or self._learner.policy().max() >= self.SURE)


def compass(parameters: int, axes: np.random.Generator) -> Floats:
    """The centre and a step either way along each parameter, at most 27 points: beyond 13 parameters 13 are drawn.

    Parameters
    ----------
    parameters
        How many, at least one.
    axes
        Draws the axes where not all have room.

    Returns
    -------
    (point, parameter)
        Of −1, 0 and 1, the centre first.
    """
    room = (LARGEST_MENU - 1) // 2
    along = np.eye(parameters)
    if parameters > room:
        along = along[np.sort(axes.choice(parameters, room, replace=False))]
    return np.concatenate([np.zeros((1, parameters)), along, -along])
