"""Rooms for tests: the market of the textbook, solved once for all of them."""

import functools
import time
from collections.abc import Callable

from meanwatt.analysis.classroom.room import Room, solve_terms
from meanwatt.analysis.classroom.rooms import Rooms
from meanwatt.analysis.classroom.store import RoomStore, Terms
from meanwatt.model.mean_field.equilibrium import Equilibrium

SMALL = {"scenario": "textbook", "tariff": "filed", "households": 200}
DAY = "rrrrrrrrssssssrrruuuuurr"


@functools.cache
def _solved(scenario: str, tariff: str) -> Equilibrium:
    return solve_terms(Terms(scenario=scenario, tariff=tariff, households=1, key=0), lambda _: None)


def solve(terms: Terms, progress: object) -> Equilibrium:
    return _solved(terms.scenario, terms.tariff)


def make_rooms(path: object = ":memory:", **given: object) -> Rooms:
    return Rooms(RoomStore(path), **{"solve": solve, **given})


def ready(room: Room) -> Room:
    """Wait for the thread that makes the market."""
    wait_for(lambda: room.stage is None)
    return room


def wait_for(there: Callable[[], bool]) -> None:
    ends = time.monotonic() + 120
    while not there():
        assert time.monotonic() < ends, "it did not come"
        time.sleep(0.01)
