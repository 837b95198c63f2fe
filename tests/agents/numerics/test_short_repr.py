"""Records show themselves in a line, whatever arrays they hold."""

from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pytest

from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.mean_field.first_best import solve_first_best
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

LONGEST = 1500


class Colour(StrEnum):
    """One colour."""

    RED = "red"


@dataclass(frozen=True)
class Record:
    """A record of one field of each kind."""

    name: str
    colour: Colour
    share: float
    row: Any
    table: Any
    inner: Any
    __repr__ = short_repr


def test_numbers_and_names_are_shown_and_arrays_by_shape_and_range() -> None:
    table = np.array([[0.25, np.nan, 3.0], [-1.0, 2.0, 0.0]])
    inner = Record("b", Colour.RED, 1.0, (), np.array([True] * 9), {"x": 1})
    assert repr(inner) == "Record(name='b', colour='red', share=1, row=(), table=<9 bool>, inner=<1 entries>)"
    outer = Record("a" * 200, Colour.RED, 1 / 3, np.array([1.5, 2.0]), table, (inner, inner))
    name = "a" * 119 + "…"
    assert repr(outer) == (
        f"Record(name={name!r}, colour='red', share=0.333333, row=[1.5, 2], table=<2×3, -1 … 3>, inner=<2 × Record>)"
    )
    assert "inner=Record('b')" in repr(Record("c", Colour.RED, 0.0, None, np.array(0.5), inner))


@pytest.fixture(scope="module")
def results() -> list[Any]:
    """An equilibrium, a first best, and a market that lived a day with its record."""
    scenario = load_scenario("textbook", tariff="rtp", overrides={"battery_levels": 5})
    economy = build_economy(scenario)
    equilibrium = solve_equilibrium(economy, build_tariff(scenario))
    market = ProsumerMarket(scenario, households=20, policies=equilibrium, rng=1)
    market.step()
    return [equilibrium, solve_first_best(economy), market, market.history, market.population]


def test_whatever_a_result_holds_shows_itself_in_less_than_a_screen(results: list[Any]) -> None:
    seen: dict[type, int] = {}

    def walk(thing: Any) -> None:
        if type(thing) in seen:
            return
        if is_dataclass(thing):
            seen[type(thing)] = len(repr(thing))
            for field in fields(thing):
                walk(getattr(thing, field.name))
        elif isinstance(thing, tuple | list):
            for entry in thing:
                walk(entry)
        elif not isinstance(thing, np.ndarray):
            seen[type(thing)] = (
                len(repr(thing)) if type(thing).__module__.startswith(("meanwatt.agents", "meanwatt.model")) else 0
            )

    for result in results:
        walk(result)
    walk(results[3][-1])
    seen = {kind: length for kind, length in seen.items() if kind.__name__ != "Scenario"}  # what the user typed
    assert {"Equilibrium", "PopulationResponse", "Economy", "Tariff", "PolicyTable", "DayRecord"} <= {
        k.__name__ for k in seen
    }
    assert {kind.__name__: length for kind, length in seen.items() if length > LONGEST} == {}
