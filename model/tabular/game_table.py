"""A game as the tables of a file that says the same: the way back from arrays."""

from typing import Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.tabular.game_file import STAGE
from meanwatt.model.tabular.named_game import NamedGame


def game_table(named: NamedGame) -> dict[str, Any]:
    """What `meanwatt.model.tabular.game_file.GameFile` reads back into the same arrays.

    ``next`` names no more actions than it needs: those of a player who does not move the state are left out.
    """
    game = named.game
    head: dict[str, Any] = {
        "title": named.title,
        "leader": named.leader,
        "follower": named.follower,
        "unit": named.unit,
        "discount": {"leader": game.discount_leader, "follower": game.discount_follower},
    }
    if named.states == (STAGE,):
        return {**head, "reward": _rewards(named, 0)}
    if game.start is not None:
        head["start"] = _law(named, game.start)
    states = {
        state: {"reward": _rewards(named, s), "next": _next(named, game.kernel[s])}
        for s, state in enumerate(named.states)
    }
    return {**head, "states": states}


def _rewards(named: NamedGame, state: int) -> dict[str, Any]:
    both = np.stack([named.game.reward_leader[state], named.game.reward_follower[state]], axis=-1)
    return {
        action: dict(zip(named.follower_actions, row, strict=True))
        for action, row in zip(named.leader_actions, both.tolist(), strict=True)
    }


def _next(named: NamedGame, kernel: Floats) -> dict[str, Any]:
    """Of a kernel (leader action, follower action, next state)."""
    moved_by_leader = np.ptp(kernel, axis=0).any()
    moved_by_follower = np.ptp(kernel, axis=1).any()
    if moved_by_leader and moved_by_follower:
        return {
            action: {reply: _law(named, row) for reply, row in zip(named.follower_actions, rows, strict=True)}
            for action, rows in zip(named.leader_actions, kernel, strict=True)
        }
    if moved_by_leader:
        return {action: _law(named, rows[0]) for action, rows in zip(named.leader_actions, kernel, strict=True)}
    if moved_by_follower:
        return {reply: _law(named, row) for reply, row in zip(named.follower_actions, kernel[0], strict=True)}
    return _law(named, kernel[0, 0])


def _law(named: NamedGame, law: Floats) -> dict[str, float]:
    """Probabilities by state, without those that are zero."""
    return {state: float(p) for state, p in zip(named.states, law, strict=True) if p > 0}
