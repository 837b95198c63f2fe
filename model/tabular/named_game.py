"""A tabular game with names for its players, states and actions."""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Bools
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.model.tabular.tabular_game import StackelbergGame


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NamedGame:
    """A game as arrays, and what its indices are called.

    Attributes
    ----------
    name
        Short, for a command.
    title
        For people.
    leader, follower
        Who they are, e.g. ``utility`` and ``home``.
    unit
        Of the rewards; empty if they have none.
    states, leader_actions, follower_actions
        In the order of the arrays' axes.
    """

    __repr__ = short_repr

    name: str
    title: str
    leader: str
    follower: str
    unit: str
    states: tuple[str, ...]
    leader_actions: tuple[str, ...]
    follower_actions: tuple[str, ...]
    game: StackelbergGame

    @property
    def leader_matters(self) -> Bools:
        """Whether the leader's action changes anything in a state: a reward or where the game goes. (state,)"""
        return _matters(self.game, 1)

    @property
    def follower_matters(self) -> Bools:
        """Whether the follower's action changes anything in a state. (state,)"""
        return _matters(self.game, 2)


def _matters(game: StackelbergGame, axis: int) -> Bools:
    """Whether any array changes along the axis of a player's actions. (state,)"""
    found = np.zeros(len(game.kernel), dtype=np.bool_)
    for array in (game.reward_leader, game.reward_follower, game.kernel):
        found |= (np.ptp(array, axis=axis) > 0).reshape(len(array), -1).any(axis=1)
    return found
