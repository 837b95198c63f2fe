"""A game as ``meanwatt export`` writes it, and a clock, for markets written with other packages. Needs numpy alone.

A market gets types with their numbers of households, policy tables, the meter reading of every move, the starting law
and the rates; it runs in a process of its own, which the clock turns into a command:

    python plain_mesa.py GAME.npz HOUSEHOLDS SECONDS      # prints one JSON object

The file holds what ``meanwatt export`` writes, with the shares of the wholesale price in the two rates beside it.
"""

import json
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

LEAST_DAYS = 3
"""Days timed at least, after a first one that is not."""


@dataclass(frozen=True)
class Kind:
    """A household type: how many there are, what they do, what it costs. Moves that no level allows are left out."""

    count: int
    chance: np.ndarray  # (slot, level, shock, move)
    energy_kwh: np.ndarray  # (slot, shock, move)
    lowest_move: int
    law: np.ndarray  # (level, shock) at midnight
    discount: float
    fixed_usd: float

    def start(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Level and shock of every household, drawn from the law."""
        cell = rng.choice(self.law.size, size=self.count, p=self.law.ravel() / self.law.sum())
        return np.divmod(cell, self.law.shape[1])


@dataclass(frozen=True)
class Game:
    """A market of one kind of day."""

    kinds: list[Kind]
    households: int
    slot_hours: float
    shock_kernel: np.ndarray  # (shock, next shock)
    arrays: dict[str, np.ndarray]

    @property
    def slots(self) -> int:
        """Slots of a day."""
        return int(self.arrays["net_load"].shape[1])

    def rates(self, energy_kwh: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Import and export rate (type, slot) and fixed charge (type,) after a day's energy (slot,) of everybody."""
        a = self.arrays
        load_kw = energy_kwh / (self.households * self.slot_hours)
        price = np.interp(load_kw + a["rest_load_kw"][0], a["supply_x"], a["supply_usd_per_kwh"])
        change = price - a["wholesale_usd_per_kwh"][0]
        bought = a["import_usd_per_kwh"][0] + a["pass_through"] * change
        own = np.array([[1 - kind.discount] for kind in self.kinds]) * bought
        sold = np.minimum(a["export_usd_per_kwh"][0] + a["export_pass_through"] * change, own)
        return own, sold, np.array([kind.fixed_usd for kind in self.kinds])


class Market(Protocol):
    """What the clock asks of a market."""

    def live_a_day(self) -> np.ndarray:
        """Let a day pass: moves, meters, price and bills; return everybody's energy together, (slot,). [kWh]"""


def load(file: str | Path, households: int) -> Game:
    """Read a game for so many households."""
    with np.load(file) as stored:
        a = dict(stored)
    if len(a["common_probability"]) > 1:
        raise ValueError(f"{file} has {len(a['common_probability'])} common states; give a game with one")
    quota = a["share"] * households
    count = np.floor(quota).astype(int)
    count[np.argsort(count - quota, kind="stable")[: households - count.sum()]] += 1
    kinds = []
    for k, levels in enumerate(a["levels"]):
        column = np.flatnonzero(a["feasible"][k].any(axis=0))
        kinds.append(
            Kind(
                count=int(count[k]),
                chance=a["policy"][k, 0, :, :levels][..., column],
                energy_kwh=a["net_load_kw"][k, 0][..., column] * float(a["slot_hours"]),
                lowest_move=int(a["moves"][column[0]]),
                law=a["law"][k, 0, 0, :levels],
                discount=float(a["import_discount"][k]),
                fixed_usd=float(a["fixed_charge_usd_per_day"][k]),
            )
        )
    return Game(kinds, households, float(a["slot_hours"]), a["shock_kernel"], a)


def standard_deviation_kw(a: dict[str, np.ndarray]) -> np.ndarray:
    """Of one household's net load about its type's mean in the mean field, by slot, over types. (slot,)"""
    chance = a["law"][:, 0, ..., None] * a["policy"][:, 0]
    weight = chance.sum(axis=2)  # (type, slot, shock, move)
    load = a["net_load_kw"][:, 0]
    mean, square = ((weight * load**p).sum(axis=(2, 3)) for p in (1, 2))
    return np.sqrt(a["share"] @ np.maximum(square - mean**2, 0.0))


def resident_bytes() -> int:
    """Memory of this process that is in use now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return 4096 * pages


def timed(make: Callable[[], Market], households: int, slot_hours: float, seconds: float) -> dict[str, Any]:
    """Make a market and time its days for so many seconds: the best, wall and CPU, and what it takes of memory."""
    before, began = resident_bytes(), time.perf_counter()
    market = make()
    created = time.perf_counter() - began
    energy = [market.live_a_day()]
    grown = resident_bytes() - before
    wall: list[float] = []
    cpu: list[float] = []
    while len(wall) < LEAST_DAYS or sum(wall) < seconds:
        start, start_cpu = time.perf_counter(), time.process_time()
        energy.append(market.live_a_day())
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - start_cpu)
    return {
        "python": platform.python_version(),
        "households": households,
        "created_s": created,
        "day_s": min(wall),
        "day_cpu_s": min(cpu),
        "days": len(energy),
        "bytes_per_household": grown / households,
        "mean_load_kw": (np.mean(energy, axis=0) / (households * slot_hours)).tolist(),
    }


def clock(package: str, version: str, make: Callable[[Game], Market]) -> None:
    """Time a market as the command line says, and print what came of it."""
    file, households, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    game = load(file, households)
    found = timed(lambda: make(game), households, game.slot_hours, seconds)
    print(json.dumps({"package": package, "version": version, **found}))
