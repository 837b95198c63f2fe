"""Random valid scenarios, the same from the same seed: what tests and ``benchmarks/random_scenarios.py`` solve.

A draw is a scenario as a file would say it, and goes through the same door. It is uniform over the number of household
types, day types and slots, memory, levels, value, recovery and export rules; temperatures are uniform in their
logarithm, and a fixed share of them is 0. Every draw has a battery somewhere: without one there is nothing to choose.
"""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.household.battery import moves
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.model.mean_field.population.game import couples, potential_failures
from meanwatt.model.scenario.economy import Economy, build_economy, build_tariff
from meanwatt.model.scenario.loading import Scenario

TECHNOLOGIES = ("none", "pv", "pv_battery", "battery")
LARGEST_CELLS = 60_000_000
"""Draws with more (type, state, slot, move) cells are drawn again: their policy tables alone take half a gigabyte."""
AS_GIVEN = 0.5
"""Share of draws with the discount 1, and of those that pass the same part of the price through both ways."""
COLD = 0.25
"""Share of draws at temperature 0."""


@dataclass(frozen=True)
class Ranges:
    """Between which numbers to draw; the whole of the benchmark's by default."""

    types: tuple[int, ...] = tuple(range(1, 13))
    day_types: tuple[int, ...] = tuple(range(1, 7))
    memory: tuple[int, ...] = (0, 1, 2)
    slots: tuple[int, ...] = (24, 48, 96)
    levels: tuple[int, int] = (5, 101)
    temperature_usd: tuple[float, float] = (0.001, 0.5)
    cold_share: float = COLD
    patient_share: float = AS_GIVEN
    cells: int = LARGEST_CELLS


WHOLE = Ranges()
SMALL = Ranges(types=(1, 2, 3), day_types=(1, 2), memory=(0, 1), slots=(24,), levels=(5, 9))
"""Worlds that a test can afford to solve and to check in plain numpy."""


@dataclass(frozen=True)
class World:
    """A random scenario, as arrays, and how many draws were refused before it."""

    scenario: Scenario
    economy: Economy
    tariff: Tariff
    refused: int

    @property
    def cells(self) -> int:
        """(Type, state, slot, move) cells, the state being common state, level and shock."""
        states = self.economy.rest_load_kw.size * self.economy.shock_levels.size
        return sum(
            states * household.levels * moves(household.battery, self.economy.slot_hours).size
            for household in self.economy.types
        )

    @property
    def outside(self) -> list[str]:
        """Conditions of Theorem U that fail; none where it holds."""
        failed = potential_failures(self.economy, self.tariff)
        if self.tariff.recovery is Recovery.VOLUMETRIC:
            failed.append("the adder is not given but balances revenue")
        return failed

    @property
    def couples(self) -> bool:
        """Whether a rate follows the wholesale price."""
        return couples(self.economy, self.tariff)


def random_world(seed: int, ranges: Ranges = WHOLE) -> World:
    """The random scenario of a seed; a draw that is refused is drawn again."""
    rng = np.random.default_rng(seed)
    refused = 0
    while True:
        try:
            scenario = Scenario.model_validate(random_table(rng, f"random-{seed}", ranges))
        except ValueError:
            refused += 1
            continue
        world = World(scenario, build_economy(scenario), build_tariff(scenario), refused)
        if world.cells <= ranges.cells:
            return world
        refused += 1


def random_table(rng: np.random.Generator, name: str, ranges: Ranges) -> dict[str, object]:
    """One draw, as a scenario file would say it; not all draws are valid."""
    slots, days = int(rng.choice(ranges.slots)), int(rng.choice(ranges.day_types))
    cold, patient = rng.random() < ranges.cold_share, rng.random() < ranges.patient_share
    price = float(rng.uniform(0.1, 0.4))
    groups = _groups(rng, int(rng.choice(ranges.types)))
    capacity = float(rng.uniform(4, 15))
    return {
        "name": name,
        "slots_per_day": slots,
        "memory": int(rng.choice(ranges.memory)),
        "temperature_usd": 0.0 if cold else float(np.exp(rng.uniform(*np.log(ranges.temperature_usd)))),
        "discount_per_day": 1.0 if patient else float(rng.uniform(0.7, 1.0)),
        "value_rule": str(rng.choice(["entropy", "boltzmann"])),
        "elasticity": float(rng.choice([0.0, rng.uniform(0.02, 0.5)], p=[0.15, 0.85])),
        "flexibility": float(rng.uniform(0.1, 0.9)),
        "reference_price_usd_per_kwh": price,
        "battery_levels": int(rng.integers(ranges.levels[0], ranges.levels[1] + 1)),
        "fixed_cost_usd_per_month": float(rng.uniform(5, 60)),
        "default_tariff": "drawn",
        "day_types": {f"day{k}": _day(rng, slots) for k in range(days)},
        "day_type_kernel": _kernel(rng, days),
        "shock": _shock(rng),
        "load": {
            "use_kwh_per_day": float(rng.uniform(8, 30)),
            "shape": tuple(rng.uniform(0.4, 1.8, 24).tolist()),
            "adopter_multiplier": float(rng.uniform(0.8, 1.4)),
        },
        "pv": {"shape_kw_per_kw": tuple(np.clip(np.sin(np.pi * (np.arange(24) - 5.5) / 13), 0, 1).tolist())},
        "battery": {
            "capacity_kwh": capacity,
            "power_limit_kw": capacity * float(rng.uniform(0.15, 0.8)),
            "round_trip_efficiency": float(rng.uniform(0.75, 1.0)),
            "wear_usd_per_kwh": float(rng.choice([0.0, rng.uniform(0.0, 0.06)])),
        },
        "income_groups": groups,
        "supply": _supply(rng),
        "feeder": {"name": "textbook_line_5"},
        "tariffs": {"drawn": _tariff(rng, price, list(groups))},
    }


def _groups(rng: np.random.Generator, types: int) -> dict[str, object]:
    """Income groups that have so many household types between them, one of them with a battery."""
    while True:
        count = int(rng.integers(-(-types // len(TECHNOLOGIES)), min(types, 6) + 1))
        places = [(group, technology) for group in range(count) for technology in TECHNOLOGIES]
        first = [(group, str(rng.choice(TECHNOLOGIES))) for group in range(count)]
        rest = [place for place in places if place not in first]
        picked = rng.permutation(len(rest))[: types - count]
        chosen = {*first, *(rest[k] for k in picked)}
        if any(technology.endswith("battery") for _, technology in chosen):
            break
    share = rng.dirichlet(np.full(count, 3.0))

    def between(low: bool, high: bool) -> float:
        """A share that leaves somebody on either side, or all on the one that there is."""
        return float(rng.uniform(0.1, 0.9)) if low and high else float(high)

    groups: dict[str, object] = {}
    for group in range(count):
        has = {technology: (group, technology) in chosen for technology in TECHNOLOGIES}
        groups[f"group{group}"] = {
            "share": float(share[group]),
            "income_usd_per_year": 20_000.0 * (group + 1),
            "use_factor": float(rng.uniform(0.6, 1.5)),
            "pv_share": between(has["none"] or has["battery"], has["pv"] or has["pv_battery"]),
            "pv_kw": float(rng.uniform(1, 7)),
            "storage_share_of_pv": between(has["pv"], has["pv_battery"]),
            "battery_only_share": between(has["none"], has["battery"]),
        }
    return groups


def _day(rng: np.random.Generator, slots: int) -> dict[str, object]:
    rest = rng.choice(["none", "number", "list"])
    return {
        "pv_factor": float(rng.uniform(0.2, 1.0)),
        "load_factor": float(rng.uniform(0.7, 1.3)),
        "rest_load_kw": {
            "none": 0.0,
            "number": float(rng.uniform(-0.2, 0.5)),
            "list": tuple(rng.uniform(-0.3, 0.5, slots).tolist()),
        }[str(rest)],
    }


def _kernel(rng: np.random.Generator, states: int) -> tuple[tuple[float, ...], ...]:
    """A Markov kernel; one in three has transitions that never happen, one in three days that last."""
    kernel = rng.dirichlet(np.ones(states), size=states)
    kind = rng.integers(3)
    if kind == 1:
        kernel = np.where(kernel < 0.5 / states, 0.0, kernel)
    elif kind == 2:
        kernel = 0.1 * kernel + 0.9 * np.eye(states)
    return tuple(tuple(row) for row in (kernel / kernel.sum(axis=1, keepdims=True)).tolist())


def _shock(rng: np.random.Generator) -> dict[str, object]:
    """One to three shocks with mean one under a kernel whose stationary law is known."""
    count = int(rng.integers(1, 4))
    law, stay = rng.dirichlet(np.full(count, 3.0)), float(rng.uniform(0.0, 0.9))
    levels = rng.uniform(0.5, 1.6, count)
    kernel = stay * np.eye(count) + (1 - stay) * law
    return {
        "levels": tuple((levels / (law @ levels)).tolist()),
        "kernel": tuple(tuple(row) for row in (kernel / kernel.sum(axis=1, keepdims=True)).tolist()),
    }


def _supply(rng: np.random.Generator) -> dict[str, object]:
    """Affine, curved, held below a load or at a floor, or piecewise linear with flat stretches."""
    base, slope = float(rng.uniform(0.02, 0.12)), float(np.exp(rng.uniform(np.log(0.02), np.log(0.5))))
    kind = str(rng.choice(["affine", "cubic", "clamped", "floored", "piecewise"]))
    if kind == "piecewise":
        steps = int(rng.integers(2, 7))
        rises = rng.uniform(0.0, 0.2, steps) * (rng.random(steps) > 0.25)
        return {
            "kind": "piecewise",
            "net_load_kw": tuple(np.cumsum([-0.5, *rng.uniform(0.1, 0.8, steps)]).tolist()),
            "usd_per_kwh": tuple(np.cumsum([base, *rises]).tolist()),
        }
    more: dict[str, object] = {}
    coefficients: tuple[float, ...] = (base, slope)
    if kind == "cubic":
        coefficients = (base, slope, 0.0, float(rng.uniform(0.0, 0.1)))
    elif kind == "clamped":
        more = {"clamp_below_kw": float(rng.uniform(-0.2, 0.4))}
    elif kind == "floored":
        more = {"floor_usd_per_kwh": base + float(rng.uniform(-0.05, 0.1)) * slope}
    return {"kind": "polynomial", "coefficients": coefficients, **more}


def _tariff(rng: np.random.Generator, price: float, groups: list[str]) -> dict[str, object]:
    """A tariff; one in four net billings credits exports above the posted energy charge in some period."""
    passed = float(rng.choice([0.0, 1.0, rng.uniform(0.1, 0.9)], p=[0.2, 0.5, 0.3]))
    back = passed if rng.random() < AS_GIVEN else float(rng.choice([0.0, rng.uniform(0.0, 1.0)]))
    level = price * float(rng.uniform(0.1, 0.5)) + (1 - passed) * price * float(rng.uniform(0.0, 0.6))
    ends = sorted(int(hour) for hour in rng.choice(np.arange(1, 24), 2, replace=False))
    periods = {"first": (f"{ends[0]}-{ends[1]}",), "second": (f"{ends[1]}-{ends[0]}",)}
    energy = {name: level * float(rng.uniform(0.5, 1.6)) for name in periods}
    above = rng.random() < 0.25
    credit = {
        name: rate * float(rng.uniform(0.9, 1.5)) if above else rate * float(rng.uniform(0.0, 1.0))
        for name, rate in energy.items()
    }
    has_discount = rng.random() < 0.2
    return {
        "recovery": str(rng.choice(["volumetric", "fixed", "posted"])),
        "pass_through": passed,
        "periods": periods,
        "energy_usd_per_kwh": energy,
        "export": {
            "rule": str(rng.choice(["net_metering", "net_billing", "none"])),
            "pass_through": back,
            "usd_per_kwh": credit,
        },
        "fixed_charge_usd_per_day": float(rng.uniform(0.0, 1.0)),
        "fixed_charge_shape": {name: float(rng.uniform(0.2, 2.0)) for name in groups},
        "discount": {name: float(rng.uniform(0.0, 0.4)) if has_discount else 0.0 for name in groups},
    }
