"""Games as TOML files, built in or a teacher's own: what they may say, and errors in one line."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, ValidationError

from meanwatt.model.scenario import ranges
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.file_errors import one_line
from meanwatt.model.scenario.files import is_file, is_path, read_toml
from meanwatt.model.scenario.marks import CheckedLater, Entries, Form
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.one_line import OneLineError
from meanwatt.model.scenario.tariff_file import Table
from meanwatt.model.scenario.values import finite, show
from meanwatt.model.tabular.game_arrays import (
    PLAYERS,
    StateEntry,
    read_kernel,
    read_law,
    read_names,
    read_rewards,
    require_name,
)
from meanwatt.model.tabular.named_game import NamedGame
from meanwatt.model.tabular.tabular_game import StackelbergGame

GAMES: Final = Path(__file__).parent / "games"
ORDER: Final = ("pennies", "lottery", "defection", "battery", "rebate", "peak")
STAGE: Final = "stage"
"""Name of the state of a game that has one only."""


REWARDS: Final = "tables by the leader's and then the follower's action, in them two numbers in brackets, each {}"
"""How rewards are written."""


class GameFileError(OneLineError):
    """A game that cannot be used, in one line."""


def _by_player(value: object) -> float | dict[str, float]:
    """Check a number, or one for each player."""
    if not isinstance(value, Mapping):
        return finite(value)
    for name in value:
        if name not in PLAYERS:
            raise ValueError(unknown("player", str(name), PLAYERS))
    for player in PLAYERS:
        if player not in value:
            raise ValueError(f"nothing for the {player}; give a number, or one for leader and follower each")
    return {player: finite(value[player], player) for player in PLAYERS}


def _start(value: object) -> object:
    """Refuse what is neither a name nor a table."""
    if not isinstance(value, str | Mapping):
        raise ValueError(f"is {show(value)}; give a state's name, or a table state = probability")
    return value


class StateTable(Table):
    """``[states.NAME]``: what both get in a state, and where it leads to."""

    reward: Annotated[dict[str, Any], Form(REWARDS), CheckedLater(ranges.REWARD)] = Field(default_factory=dict)
    """Leader's action → follower's action → what the leader gets and what the follower gets; without it both get 0."""
    next: Annotated[Any, Form("a state's name, a table of probabilities by state, or a table of these by action")]
    """Where it leads to, whatever is played or action by action."""


class GameFile(Table):
    """A game as its file says it: ``states``, or the ``reward`` of a single stage."""

    title: str = ""
    """Name for people."""
    leader: str = "leader"
    """Who leads, e.g. utility."""
    follower: str = "follower"
    """Who follows, e.g. home."""
    unit: str = ""
    """Unit of the rewards, e.g. USD."""
    discount: Annotated[
        float | dict[str, float],
        BeforeValidator(_by_player),
        ranges.GAME_DISCOUNT,
        Form("{}, or a table with leader and follower"),
    ]
    """Weight of the next period, for both or for each."""
    start: Annotated[Any, BeforeValidator(_start), Form("a state's name, or a table of probabilities by state")] = None
    """First state; without it all are alike."""
    reward: Annotated[dict[str, Any], Form(REWARDS), CheckedLater(ranges.REWARD)] = Field(default_factory=dict)
    """Rewards of a game of one stage, played again and again; written as those of a state."""
    states: Annotated[dict[str, StateTable], Entries(ranges.GAME_STATES)] = Field(default_factory=dict)
    """State → its rewards and where it leads to."""

    def named(self, name: str) -> NamedGame:
        """The game as arrays.

        Raises
        ------
        ValueError
            In one line that names the key, what came and what is allowed.
        """
        entries = self._entries()
        for player in PLAYERS:
            require_name(player, getattr(self, player))
        names = read_names(entries)
        reward_leader, reward_follower = read_rewards(entries, names)
        discount = self.discount if isinstance(self.discount, dict) else dict.fromkeys(PLAYERS, self.discount)
        start = {self.start: 1.0} if isinstance(self.start, str) else self.start
        return NamedGame(
            name=name,
            title=self.title or name,
            leader=self.leader,
            follower=self.follower,
            unit=self.unit,
            states=names.states,
            leader_actions=names.actions[0],
            follower_actions=names.actions[1],
            game=StackelbergGame(
                reward_leader=reward_leader,
                reward_follower=reward_follower,
                kernel=read_kernel(entries, names),
                discount_leader=discount["leader"],
                discount_follower=discount["follower"],
                start=None if start is None else read_law(start, names.states, "start"),
            ),
        )

    def _entries(self) -> dict[str, StateEntry]:
        """What is said of each state."""
        if self.reward and self.states:
            raise ValueError("reward and states are both given; a game of several states has its rewards in them")
        if not self.states:
            return {STAGE: StateEntry(place="", reward=self.reward, next=STAGE)}
        if not ranges.GAME_STATES.holds(len(self.states)):
            raise ValueError(
                f"states has {counted(len(self.states), 'entry', 'entries')}; give {ranges.GAME_STATES.counts()}"
            )
        for name in self.states:
            require_name("state", name)
        return {
            name: StateEntry(place=f"states.{name}.", reward=table.reward, next=table.next)
            for name, table in self.states.items()
        }


def games() -> tuple[str, ...]:
    """Names of the built-in games, the simplest first."""
    found = {path.stem for path in GAMES.glob("*.toml")}
    return tuple(name for name in ORDER if name in found) + tuple(sorted(found - set(ORDER)))


def game_text(name: str) -> str:
    """A built-in game as it is written: a TOML file to begin one's own with.

    Raises
    ------
    GameFileError
        If there is none of this name.
    """
    if name not in games():
        raise GameFileError(unknown("game", name, games()))
    return (GAMES / f"{name}.toml").read_text(encoding="utf-8")


def load_game(source: str | Path) -> NamedGame:
    """Read a game.

    Parameters
    ----------
    source
        Name of a built-in game, or path of a TOML file.

    Returns
    -------
    NamedGame
        Checked arrays, and what their indices are called.

    Raises
    ------
    GameFileError
        A ValueError in one line that names the game, the key, the value and what is allowed.
    """
    label, path = f"game {source}", Path(source)
    if not isinstance(source, Path) and source in games():
        path = GAMES / f"{source}.toml"
    elif not is_path(source) and not is_file(path):
        raise GameFileError(f"{label}: {unknown('game', str(source), games())} (or give the path of a TOML file)")
    try:
        return GameFile.model_validate(read_toml(path)).named(re.sub(r"[^\w.-]+", "_", path.stem))
    except ValidationError as error:
        raise GameFileError(f"{label}: {one_line(error, GameFile)}") from None
    except ValueError as error:
        raise GameFileError(f"{label}: {error}") from None
