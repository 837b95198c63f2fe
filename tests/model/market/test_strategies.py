"""Strategies of one's own: what they are told, what they learn, and the checker with a fault for each of its rules."""

import random
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scenarios import preset_economy, solved

from meanwatt.agents.behaviour.own_code_error import OwnCodeError
from meanwatt.agents.behaviour.protocol import DayLived, Situation
from meanwatt.agents.numerics.randomness import Purpose, child, key_from, stream, uniform
from meanwatt.agents.tariff.tariff import rates
from meanwatt.analysis.metrics.utility_meter import UtilityMeter
from meanwatt.model.market import strategy_check
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.population import Population
from meanwatt.model.market.strategy_check import check_strategy
from meanwatt.model.mean_field.solvers.price_fixed_point import first_guess


class Watcher:
    """Charges, and writes down what it is told."""

    def __init__(self) -> None:
        self.seen: list[Situation] = []
        self.lived: list[DayLived] = []

    def move(self, situation: Situation) -> int:
        """Take the highest move."""
        self.seen.append(situation)
        return int(situation.moves[-1] if situation.slot % 2 else situation.moves[0])

    def learn(self, lived: DayLived) -> None:
        """Keep the day."""
        self.lived.append(lived)


@pytest.fixture(scope="module")
def watched() -> tuple[ProsumerMarket, dict[int, Watcher]]:
    found = solved("textbook", "rtp")
    market = ProsumerMarket(
        policies=found, behaviour={"equilibrium": 0.5, Watcher: 0.5}, households=60, rng=9, power_flow=False
    )
    for _ in range(3):
        market.step()
    market.close()
    return market, market.strategies  # type: ignore[return-value]


def test_a_household_expects_the_rates_of_the_last_day_of_the_same_weather(
    watched: tuple[ProsumerMarket, dict[int, Watcher]],
) -> None:
    market, watchers = watched
    adder = market.utility.adder_usd_per_kwh
    prices = [first_guess(market.economy)[0], *market.history.stacked("wholesale_usd_per_kwh")]
    for household, watcher in watchers.items():
        tariff = market.utility.tariff
        group = market.household_types[market.population.type_of(household)].group
        for situation in watcher.seen:
            price = prices[situation.day][None]
            expected = tariff.for_group(rates(tariff, np.zeros(1, dtype=int), price, adder), group)
            assert (situation.import_usd_per_kwh == expected.import_usd_per_kwh[0]).all()
            assert (situation.export_usd_per_kwh == expected.export_usd_per_kwh[0]).all()


def test_a_households_own_numbers_are_its_rank_s_and_uniform(
    watched: tuple[ProsumerMarket, dict[int, Watcher]],
) -> None:
    market, watchers = watched
    people = market.population
    draws = []
    for household, watcher in watchers.items():
        kind = people.type_of(household)
        own = stream(key_from(9), Purpose.OWN, kind, household - int(people.first[kind]))
        for situation in watcher.seen:
            assert situation.draw == uniform(child(child(own, situation.day), situation.slot))
            draws.append(situation.draw)
    assert len(set(draws)) == len(draws)
    assert abs(np.mean(draws) - 0.5) < 4 / np.sqrt(12 * len(draws))


def test_a_day_is_told_as_it_was_lived_and_billed(watched: tuple[ProsumerMarket, dict[int, Watcher]]) -> None:
    market, watchers = watched
    for household, watcher in watchers.items():
        assert [lived.day for lived in watcher.lived] == [0, 1, 2]
        for lived in watcher.lived:
            asked = watcher.seen[24 * lived.day : 24 * (lived.day + 1)]
            assert lived.level.tolist() == [situation.level for situation in asked]
            assert lived.shock.tolist() == [situation.shock for situation in asked]
            for h, situation in enumerate(asked):
                open_to_it = situation.moves == lived.move[h]
                assert lived.net_load_kw[h] == pytest.approx(situation.net_load_kw[open_to_it][0], rel=1e-6)
            kind = market.household_types[market.population.type_of(household)]
            fixed = market.utility.fixed_charge_usd_per_day[kind.group]
            assert lived.bill_usd == pytest.approx(lived.payment_usd.sum() + fixed, rel=1e-12)
        total = sum(lived.bill_usd for lived in watcher.lived)
        assert total == pytest.approx(market.population.bill_usd[household], abs=1e-6)


def test_what_is_told_cannot_be_changed(watched: tuple[ProsumerMarket, dict[int, Watcher]]) -> None:
    _, watchers = watched
    watcher = next(iter(watchers.values()))
    for record in (watcher.seen[0], watcher.lived[0]):
        for name in record.__slots__:
            value = getattr(record, name)
            if isinstance(value, np.ndarray):
                with pytest.raises(ValueError, match="read-only"):
                    value[0] = 1


def test_charge_is_the_share_of_the_levels() -> None:
    common: dict[str, Any] = {"day": 0, "common_state": 0, "slot": 0, "shock": 0, "planned_move": 0}
    arrays: dict[str, Any] = {"moves": np.zeros(1, dtype=int), "net_load_kw": np.zeros(1)}
    assert Situation(level=5, levels=21, **common, **arrays).charge == 0.25
    assert Situation(level=0, levels=1, **common, **arrays).charge == 0


@pytest.mark.parametrize("plan", ["self_consumption", "price_threshold", "qlearning"])
def test_the_meter_of_utility_measures_what_a_strategy_did_and_not_its_plan(plan: str) -> None:
    """Households that stand still by strategy enjoy what passive ones do: the same use, the same draws, no wear."""

    class Still:
        def move(self, situation: Situation) -> int:
            return 0

    measured = []
    for behaviour in (plan, "passive"):
        market = ProsumerMarket(
            policies=solved("textbook", "filed"), behaviour=behaviour, households=80, rng=1, power_flow=False
        )
        if behaviour == plan:
            market.strategies.update({household: Still() for household in range(80)})
        meter = UtilityMeter(market)
        for _ in range(2):
            meter.before()
            market.step()
            measured.append(meter.after())
        meter.close()
        market.close()
    for ours, theirs in zip(measured[:2], measured[2:], strict=True):
        assert ours.wear_usd == pytest.approx(0, abs=1e-9)
        assert ours.utility_usd == pytest.approx(theirs.utility_usd, rel=1e-6)


class Dicer:
    """Conforms: dice of the market's, memory in self, learning from bills."""

    def __init__(self) -> None:
        self.dear = 0.2

    def move(self, situation: Situation) -> int:
        """Discharge where it was dear, else roll the dice."""
        if situation.import_usd_per_kwh[situation.slot] > self.dear:
            return int(situation.moves[0])
        return int(situation.moves[int(situation.draw * len(situation.moves))])

    def learn(self, lived: DayLived) -> None:
        """Remember the day's dearest quarter."""
        self.dear = float(np.quantile(lived.import_usd_per_kwh, 0.75))


class _Seeded:
    """Conforms: a generator of its own, seeded."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(3)

    def move(self, situation: Situation) -> int:
        return int(self.rng.choice(situation.moves))


@pytest.mark.parametrize("strategy", [Dicer, _Seeded, Watcher])
def test_a_strategy_that_decides_by_what_it_is_told_conforms(strategy: type) -> None:
    assert check_strategy(strategy) == ()


def test_the_checker_takes_worlds_with_weather() -> None:
    assert check_strategy(Dicer, scenario=preset_economy("oahu"), days=3) == ()


class _Wild:
    def move(self, situation: Situation) -> int:
        return 99


class _Silent:
    def move(self, situation: Situation) -> None:
        return None


class _Listing:
    def move(self, situation: Situation) -> Any:
        return situation.moves


class _Halfway:
    def move(self, situation: Situation) -> float:
        return 0.5


class _Fragile:
    def move(self, situation: Situation) -> int:
        return int(situation.moves[1])


class _Scribbler:
    def move(self, situation: Situation) -> int:
        situation.net_load_kw[0] = 0
        return 0


class _Forger:
    def move(self, situation: Situation) -> int:
        object.__setattr__(situation, "planned_move", 7)
        return 0


class _Gambler:
    def move(self, situation: Situation) -> int:
        return random.choice(situation.moves.tolist())


class _Unseeded:
    def __init__(self) -> None:
        self.rng = np.random.default_rng()

    def move(self, situation: Situation) -> int:
        return int(self.rng.choice(situation.moves))


class _Immortal:
    """Remembers in the class what happened in other runs."""

    asked = 0

    def move(self, situation: Situation) -> int:
        _Immortal.asked += 1
        return int(situation.moves[_Immortal.asked % len(situation.moves)])


def _population() -> Population:
    """The population of the market that is asking, found on the stack."""
    frame = sys._getframe(1)
    while frame := frame.f_back:  # type: ignore[assignment]
        for value in frame.f_locals.values():
            if isinstance(value, Population):
                return value
    raise LookupError("no market is asking")


class _Spy:
    """Reads today's meters of the others, which the market has filled already."""

    def move(self, situation: Situation) -> int:
        meters = _population().energy_kwh
        return int(situation.moves[int(1e6 * abs(meters.sum())) % len(situation.moves)])


class _Seer:
    """Knows its own next shock from the market's stream of draws."""

    def move(self, situation: Situation) -> int:
        draws = stream(_population().key, Purpose.DAY, 0, 0, situation.day)
        return int(situation.moves[child(draws, situation.slot + 1) % len(situation.moves)])


class _Gossip:
    """Does as the household that was asked before."""

    last = 0

    def __init__(self) -> None:
        _Gossip.last = 0

    def move(self, situation: Situation) -> int:
        mine = _Gossip.last + 1
        _Gossip.last = situation.level
        return int(situation.moves[mine % len(situation.moves)])


class _SlowLearner:
    def move(self, situation: Situation) -> int:
        return 0

    def learn(self, lived: DayLived) -> None:
        raise RuntimeError("what is\na bill?")


OPEN = r"move chose {} \(household 0, day 0, slot 0, level 0\); give one of situation\.moves, here \[0\]"


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (_Wild, OPEN.format("99")),
        (_Silent, OPEN.format("None")),
        (_Listing, OPEN.format(r"array\(\[0\]\)")),
        (_Halfway, OPEN.format("0.5")),
        (_Fragile, r"move raised IndexError: .* \(household 0, day 0, slot 0\); make move answer every situation"),
        (_Scribbler, r"move raised ValueError: .*read-only \(.*\); copy an array before you change it"),
        (_Forger, r"move changed situation\.planned_move \(household 0, day 0, slot 0\); work on a copy of it"),
        (
            _Gambler,
            r"the same seed gave another move: household \d+, day 0, slot \d+, -?\d+ instead of -?\d+; draw from",
        ),
        (
            _Unseeded,
            r"the same seed gave another move: .*; draw from situation\.draw or a generator seeded in __init__",
        ),
        (_Immortal, r"the same seed gave another move: .* or what earlier runs left in the class"),
        (_Spy, r"another future gave another move: household \d+, day 0, slot \d+, .*; decide by the situation"),
        (
            _Seer,
            r"asked the same outside the market, it moved otherwise: .* 'LookupError: no market is asking' instead",
        ),
        (_Gossip, r"asked in another order of households, it moved otherwise: .*; keep what it remembers in self"),
        (
            _SlowLearner,
            r"learn raised RuntimeError: what is a bill\? \(household 0, day 0\); make learn take every day",
        ),
    ],
)
def test_each_broken_rule_is_told_in_one_line(strategy: type, message: str) -> None:
    found = check_strategy(strategy)
    assert found
    for line in found:
        assert "\n" not in line

    assert re.match(message, found[0]), found[0]


@pytest.mark.parametrize(
    ("given", "message"),
    [("belief", "'belief' is no strategy; give a class with move"), (dict, "behaviour is <class 'dict'>; give one of")],
)
def test_what_is_no_strategy_is_refused(given: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_strategy(given)


def test_the_checker_runs_from_a_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "class Good:\n    def move(self, situation):\n        return situation.planned_move\n"
        "class Bad:\n    def move(self, situation):\n        return 99\n"
    )
    assert strategy_check.main([f"{file}:Good"]) == 0
    assert capsys.readouterr().out == f"{file}:Good keeps the rules of the market\n"
    assert strategy_check.main([f"{file}:Bad"]) == 1
    assert capsys.readouterr().out.startswith("move chose 99")
    for arguments in ([], [f"{file}:Ugly"]):
        assert strategy_check.main(arguments) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.count("\n") == 1


class Stumbles(Watcher):
    """Raises in one of its methods."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where

    def move(self, situation: Situation) -> int:
        """Raise, or do as its parent."""
        if self.where == "move":
            raise RuntimeError("no idea\nwhat to do")
        return super().move(situation)

    def learn(self, lived: DayLived) -> None:
        """Raise."""
        raise KeyError("price")


@pytest.mark.parametrize(
    ("where", "said"), [("move", "RuntimeError: no idea what to do"), ("learn", "KeyError: 'price'")]
)
def test_own_code_that_raises_is_named_in_one_line_with_its_own_exception_as_the_cause(where: str, said: str) -> None:
    market = ProsumerMarket(
        solved("textbook", "flat").economy,
        policies=solved("textbook", "flat"),
        households=20,
        behaviour={"equilibrium": 0.5, lambda: Stumbles(where): 0.5},
        rng=0,
        power_flow=False,
    )
    with pytest.raises(OwnCodeError, match=rf"^household \d+: Stumbles\.{where} raised {re.escape(said)}$") as raised:
        market.step()
    assert isinstance(raised.value.__cause__, RuntimeError | KeyError)
    market.close()
