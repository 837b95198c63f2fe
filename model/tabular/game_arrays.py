"""From the tables of a game's file to arrays: rewards by the names of two actions, and where a state leads to."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.ranges import GAME_ACTIONS, REWARD, SHARE
from meanwatt.model.scenario.tables import SUM_TOLERANCE
from meanwatt.model.scenario.values import finite, show

PLAYERS: Final = ("leader", "follower")
CELL: Final = "[what the leader gets, what the follower gets], e.g. [1, -1]"
LONGEST_NAME: Final = 24
"""Characters of the name of a player, a state or an action, so that a row of a table holds a few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateEntry:
    """What a file says of a state.

    Attributes
    ----------
    place
        Where it stands, before the names of its keys: ``states.grid.``.
    reward
        Leader's action → follower's action → rewards of both; empty where nobody earns anything.
    next
        A state's name, a table state → probability, or a table action → any of these.
    """

    place: str
    reward: Mapping[str, Any]
    next: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the axes of a game are called; ``actions`` are the leader's and the follower's."""

    states: tuple[str, ...]
    actions: tuple[tuple[str, ...], tuple[str, ...]]


def read_names(entries: Mapping[str, StateEntry]) -> Names:
    """Names of states and actions: the first table of rewards, and its first row, say which actions there are.

    Raises
    ------
    ValueError
        In one line: no state has rewards, a row is no table, there are too many actions, or a name will not do.
    """
    entry = next((entry for entry in entries.values() if entry.reward), None)
    if entry is None:
        raise ValueError("no state has rewards; give one some, e.g. reward.high = { stay = [4, -4], leave = [0, -25] }")
    place = f"{entry.place}reward"
    first, row = next(iter(entry.reward.items()))
    actions = (tuple(entry.reward), tuple(_row(row, f"{place}.{first}")))
    for player, group in zip(PLAYERS, actions, strict=True):
        if not GAME_ACTIONS.holds(len(group)):
            raise ValueError(
                f"{place} has {counted(len(group), 'action')} of the {player}; give {GAME_ACTIONS.counts()}"
            )
    for name in (*actions[0], *actions[1]):
        require_name("action", name)
        if name in entries:
            raise ValueError(f"{name!r} is a state and an action; rename one of them")
    return Names(states=tuple(entries), actions=actions)


def require_name(kind: str, name: str) -> None:
    """Raise ``ValueError`` unless a name fits into a table that people read."""
    if not re.fullmatch(rf"\w[\w .-]{{0,{LONGEST_NAME - 1}}}", name):
        raise ValueError(
            f"{kind} {show(name)} is no short name; give up to {LONGEST_NAME} letters, digits, spaces, dots or dashes"
        )


def read_rewards(entries: Mapping[str, StateEntry], names: Names) -> Floats:
    """Rewards of both. (player, state, leader action, follower action)

    Raises
    ------
    ValueError
        In one line that names the place, what came and what is allowed.
    """
    rewards = np.zeros((2, len(entries), *map(len, names.actions)))
    for s, entry in enumerate(entries.values()):
        if not entry.reward:
            continue
        place = f"{entry.place}reward"
        _require_all(entry.reward, names.actions[0], place, "leader action")
        for a, action in enumerate(names.actions[0]):
            row = _row(entry.reward[action], f"{place}.{action}")
            _require_all(row, names.actions[1], f"{place}.{action}", "follower action")
            for b, reply in enumerate(names.actions[1]):
                rewards[:, s, a, b] = _cell(row[reply], f"{place}.{action}.{reply}")
    return rewards


def read_kernel(entries: Mapping[str, StateEntry], names: Names) -> Floats:
    """Probability of the next state. (state, leader action, follower action, next state)

    Raises
    ------
    ValueError
        In one line that names the place, what came and what is allowed.
    """
    return np.stack([_next(entry.next, f"{entry.place}next", names, PLAYERS) for entry in entries.values()])


def read_law(value: Mapping[str, Any], states: Sequence[str], place: str) -> Floats:
    """Probabilities of states; those left out are zero; written with a few decimals, they are rescaled. (state,)"""
    law = np.zeros(len(states))
    for name, entry in value.items():
        if name not in states:
            raise ValueError(f"{place}: {unknown('state', name, states)}")
        law[list(states).index(name)] = SHARE.require(finite(entry, f"{place}.{name}"), f"{place}.{name}")
    if not abs(law.sum() - 1) <= SUM_TOLERANCE:
        raise ValueError(f"{place} sums to {law.sum():g}; give probabilities that sum to 1")
    return np.asarray(law / law.sum())


def _next(value: Any, place: str, names: Names, by: Sequence[str]) -> Floats:
    """Law of the next state by both actions, ``by`` being the players whose action may still be named."""
    shape = tuple(map(len, names.actions))
    if isinstance(value, str):
        if value not in names.states:
            raise ValueError(f"{place}: {unknown('state', value, names.states)}")
        value = {value: 1.0}
    if not isinstance(value, Mapping) or not value:
        raise ValueError(
            f"{place} is {show(value)}; give a state's name, a table state = probability, or a table action = either"
        )
    player = _who(value, place, names, by)
    if player is None:
        law = read_law(value, names.states, place)
        return np.broadcast_to(law, (*shape, len(law)))
    axis = PLAYERS.index(player)
    _require_all(value, names.actions[axis], place, f"{player} action")
    others = [one for one in by if one != player]
    kernel = np.zeros((*shape, len(names.states)))
    for number, action in enumerate(names.actions[axis]):
        of_action = (number,) if axis == 0 else (slice(None), number)
        kernel[of_action] = _next(value[action], f"{place}.{action}", names, others)[of_action]
    return kernel


def _who(value: Mapping[str, Any], place: str, names: Names, by: Sequence[str]) -> str | None:
    """The player whose actions are the keys of a table, or None if they are states."""
    actions = {player: names.actions[PLAYERS.index(player)] for player in by}
    kinds = {"a state": names.states} | {f"a {player} action": actions[player] for player in by}
    found = []
    for key in value:
        fits = [kind for kind, group in kinds.items() if key in group]
        if not fits:
            valid = dict.fromkeys(name for group in kinds.values() for name in group)
            raise ValueError(f"{place}: {unknown('state or action' if by else 'state', key, valid)}")
        if len(fits) > 1:
            raise ValueError(f"{place} names {key!r}, an action of both players; give their actions different names")
        found.append(fits[0])
    if len(set(found)) > 1:
        keys = list(value)
        other = next(k for k, kind in enumerate(found) if kind != found[0])
        raise ValueError(f"{place} mixes {found[0]}, {keys[0]}, with {found[other]}, {keys[other]}; give one kind")
    return next((player for player in by if found[0] == f"a {player} action"), None)


def _require_all(table: Mapping[str, Any], wanted: Sequence[str], place: str, kind: str) -> None:
    """Raise ``ValueError`` unless a table has all the names wanted, and no other."""
    for name in table:
        if name not in wanted:
            raise ValueError(f"{place}: {unknown(kind, name, wanted)}")
    missing = [name for name in wanted if name not in table]
    if missing:
        raise ValueError(f"{place} gives nothing for {kind} {missing[0]}; give every action an entry")


def _row(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not value:
        raise ValueError(f"{place} is {show(value)}; give a table follower action = {CELL}")
    return value


def _cell(value: Any, place: str) -> list[float]:
    if not isinstance(value, list) or len(value) != len(PLAYERS):
        raise ValueError(f"{place} is {show(value)}; give {CELL}")
    return [
        REWARD.require(finite(entry, f"{place}: entry {k}"), f"{place}: entry {k}") for k, entry in enumerate(value)
    ]
