"""Whether a strategy of one's own keeps the rules of the market: it decides by what it is told, and by nothing else.

``check_strategy(Mine)`` lets it live two days among other households and says in one line each what is wrong: a move
that is not open, another move on the same draws, a move that knows the future or depends on who else was asked before,
a situation that was changed. ``python -m meanwatt.model.market.strategy_check file.py:Mine`` does the same in a shell.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from meanwatt.agents.behaviour.own_code_error import Finding
from meanwatt.agents.behaviour.protocol import DayLived, Situation, Strategy
from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.model.market.behaviour_spec import read_behaviour
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.scenario.economy import Economy, build_economy, build_tariff
from meanwatt.model.scenario.loading import Scenario, load_scenario

PER_TYPE = 3
"""Households of each type that decide by the strategy under test."""
PLAN = "self_consumption"
"""What the households under test would do without a strategy; as many others keep them company."""
COMPANY, OTHER_COMPANY = "passive", "price_threshold"
"""What the others do; a second world in which the first day's loads and prices come out differently."""


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """One question and its answer."""

    situation: Situation
    move: Any


_Diary = dict[int, list[_Asked | DayLived]]
"""What each household was asked and told, in order."""


class _Watched:
    """A strategy under observation."""

    def __init__(self, strategy: Strategy, household: int, diary: list[_Asked | DayLived]) -> None:
        self._strategy, self._household, self._diary = strategy, household, diary
        if hasattr(strategy, "learn"):
            self.learn = self._learn

    def move(self, situation: Situation) -> int:
        """Ask, and see that nothing was changed."""
        place = _place(self._household, situation)
        before = _copy(situation)
        try:
            answer = self._strategy.move(situation)
        except Exception as error:
            said = f"{type(error).__name__}: {' '.join(str(error).split())}"
            mend = "copy an array before you change it" if "read-only" in said else "make move answer every situation"
            raise Finding(f"move raised {said} ({place}); {mend}") from None
        changed = _difference(before, situation)
        if changed:
            raise Finding(f"move changed situation.{changed} ({place}); work on a copy of it")
        try:
            is_open = bool(np.ndim(answer) == 0 and (situation.moves == answer).any())
        except (TypeError, ValueError):
            is_open = False
        if not is_open:
            raise Finding(
                f"move chose {answer!r} ({place}, level {situation.level}); give one of situation.moves,"
                f" here {situation.moves.tolist()}"
            )
        self._diary.append(_Asked(before, int(answer)))
        return int(answer)

    def _learn(self, lived: DayLived) -> None:
        try:
            self._strategy.learn(lived)  # type: ignore[attr-defined]
        except Exception as error:
            said = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise Finding(
                f"learn raised {said} (household {self._household}, day {lived.day}); make learn take every day"
            ) from None
        self._diary.append(lived)


def check_strategy(
    strategy: Any, *, scenario: str | Path | Scenario | Economy = "textbook", days: int = 2, seed: int = 0
) -> tuple[str, ...]:
    """Find out what is wrong with a strategy.

    Parameters
    ----------
    strategy
        A class, a function without arguments that makes one, or a text ``file.py:ClassName`` or
        ``package.module:ClassName``.
    scenario
        World to try it in; its real-time tariff is posted if it has one, for prices to matter.
    days
        How long; at least two, for the first day's prices to come back.
    seed
        Key of the draws.

    Returns
    -------
    tuple of str
        One line for each rule that is broken; empty if it conforms.

    Raises
    ------
    ValueError
        If this is no strategy at all, or the scenario cannot be read.
    """
    ways = read_behaviour(strategy)
    if len(ways) != 1 or ways[0].strategy is None:
        raise ValueError(f"{strategy!r} is no strategy; give a class with move(situation), or file.py:ClassName")
    make = ways[0].strategy
    world = _World(scenario, days, seed)
    try:
        first = world.diary(make, COMPANY)
        again = world.diary(make, COMPANY)
        broken = _first_change(first, again)
        if broken:
            return (
                f"the same seed gave another move: {broken}; draw from situation.draw or a generator seeded in"
                " __init__, never from a global generator, the clock or what earlier runs left in the class",
            )
        other = world.diary(make, OTHER_COMPANY)
        found = []
        broken = _first_change(first, other)
        if broken:
            found.append(
                f"another future gave another move: {broken}; decide by the situation, not by what the market has"
                " yet to show"
            )
        broken = _replayed(make, first, _as_asked(first))
        if broken:
            found.append(
                f"asked the same outside the market, it moved otherwise: {broken}; decide by the situation and what"
                " learn was told, not by the market, the program around it, files or the clock"
            )
        else:
            broken = _replayed(make, first, _other_order(first))
            if broken:
                found.append(
                    f"asked in another order of households, it moved otherwise: {broken}; keep what it remembers in"
                    " self, set in __init__, not in the class or module"
                )
        return tuple(found)
    except Finding as finding:
        return (str(finding),)


class _World:
    """Small markets that differ in nothing but what the others do."""

    def __init__(self, scenario: str | Path | Scenario | Economy, days: int, seed: int) -> None:
        self.economy = scenario if isinstance(scenario, Economy) else build_economy(load_scenario(scenario))
        known = self.economy.scenario
        name = "rtp" if "rtp" in known.tariffs else None
        self.tariff = replace(build_tariff(known, name), recovery=Recovery.POSTED)
        self.days, self.seed = days, seed

    def diary(self, make: Callable[[], Strategy], company: str) -> _Diary:
        """Let a few households of each type live by the strategy; return what they were asked and told."""
        market = ProsumerMarket(
            self.economy,
            tariff=self.tariff,
            households=max(60, 20 * len(self.economy.types)),
            behaviour=f"{PLAN}=0.5,{company}=0.5",
            rng=self.seed,
            power_flow=False,
        )
        diary: _Diary = {}
        try:
            people = market.population
            for type_index in range(people.types):
                rows = people.of_class(type_index, 0)
                for household in range(rows.start, min(rows.start + PER_TYPE, rows.stop)):
                    diary[household] = []
                    market.strategies[household] = _Watched(make(), household, diary[household])
            for _ in range(self.days):
                market.step()
        finally:
            market.close()
        return diary


def _as_asked(diary: _Diary) -> Iterator[tuple[int, _Asked | DayLived]]:
    """The questions in the market's own order: day by day, household by household; then what the day was like."""
    return iter(sorted(_numbered(diary), key=lambda entry: (_day(entry[1]), isinstance(entry[1], DayLived))))


def _other_order(diary: _Diary) -> Iterator[tuple[int, _Asked | DayLived]]:
    """Slot by slot, the last household first."""

    def order(entry: tuple[int, _Asked | DayLived]) -> tuple[int, bool, int, int]:
        household, event = entry
        slot = event.situation.slot if isinstance(event, _Asked) else 0
        return _day(event), isinstance(event, DayLived), slot, -household

    return iter(sorted(_numbered(diary), key=order))


def _numbered(diary: _Diary) -> list[tuple[int, _Asked | DayLived]]:
    return [(household, event) for household, events in diary.items() for event in events]


def _day(event: _Asked | DayLived) -> int:
    return event.situation.day if isinstance(event, _Asked) else event.day


def _replayed(
    make: Callable[[], Strategy], diary: _Diary, events: Iterator[tuple[int, _Asked | DayLived]]
) -> str | None:
    """Put recorded questions to fresh strategies; say where the first other answer came."""
    fresh: Mapping[int, Any] = {household: make() for household in diary}
    for household, event in events:
        if isinstance(event, DayLived):
            fresh[household].learn(event)
            continue
        try:
            answer: Any = fresh[household].move(event.situation)
        except Exception as error:
            answer = f"{type(error).__name__}: {' '.join(str(error).split())}"
        if not (np.ndim(answer) == 0 and answer == event.move):
            return f"{_place(household, event.situation)}, {answer!r} instead of {event.move}"
    return None


def _first_change(one: _Diary, other: _Diary) -> str | None:
    """Where two diaries have the same situation after the same past, and another move."""
    for household in one:
        for mine, theirs in zip(one[household], other[household], strict=False):
            if isinstance(mine, DayLived) or isinstance(theirs, DayLived):
                if mine is not theirs and _difference(mine, theirs):
                    break  # from here on the worlds differ for this household
                continue
            if _difference(mine.situation, theirs.situation):
                break
            if mine.move != theirs.move:
                return f"{_place(household, mine.situation)}, {theirs.move} instead of {mine.move}"
    return None


def _difference(one: Any, other: Any) -> str | None:
    """Name of the first field in which two records differ."""
    if type(one) is not type(other):
        return "type"
    for field in fields(one):
        if not np.array_equal(getattr(one, field.name), getattr(other, field.name)):
            return field.name
    return None


def _copy(situation: Situation) -> Situation:
    """A situation with arrays of its own, as read-only as the market's."""
    copied = {}
    for field in fields(situation):
        value = getattr(situation, field.name)
        if isinstance(value, np.ndarray):
            value = value.copy()
            value.setflags(write=False)
        copied[field.name] = value
    return Situation(**copied)


def _place(household: int, situation: Situation) -> str:
    return f"household {household}, day {situation.day}, slot {situation.slot}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the strategy named on the command line: exit status 0 conforms, 1 does not, 2 is none."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if len(given) != 1:
        sys.stderr.write(
            "give one strategy to check, e.g. python -m meanwatt.model.market.strategy_check mine.py:Mine\n"
        )
        return 2
    try:
        found = check_strategy(given[0])
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write("\n".join(found or [f"{given[0]} keeps the rules of the market"]) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
