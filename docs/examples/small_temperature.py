# ruff: noqa: T201
"""From which temperature softmax is an approximation: ``uv run python docs/examples/small_temperature.py`` prints it.

A temperature approximates exact choice where |J_η − J_0| of every tariff that the scenario names is at most a tenth of
what the commission's design gains over the filed tariff at the scenario's own temperature. Arguments are presets, all
where there are none. What was solved is kept in ``run/small_temperature.json``; a preset takes one to five minutes
of processor time.
"""

import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import meanwatt
from meanwatt.analysis.design.cold import SMALL_SHARE
from meanwatt.analysis.design.design import FILED
from meanwatt.analysis.design.same_tariffs import twins
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.analysis.leader.tariff_effects import EquilibriumEffects
from meanwatt.model.mean_field.cold import at_temperature, solve_cold
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.mean_field.leader.commitment import commit
from meanwatt.model.scenario.economy import Economy, build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario, presets

KEPT = Path("run") / "small_temperature.json"
WEIGHTS = ((1.0, 0.0), (5.0, 1.0))
"""Of burden gap and price volatility: those of `meanwatt design` by default, and those of the headline."""
HALVINGS = 8

Answer = dict[str, Any]


def criteria(found: Equilibrium | None) -> list[float] | None:
    """Welfare, burden gap and IMV of an equilibrium; None where there is none."""
    if found is None or not found.converged:
        return None
    metrics = EquilibriumEffects(found).metrics
    return [metrics.welfare_usd_per_household_day, metrics.burden_gap, metrics.imv or 0.0]


def worth(values: list[float], weights: tuple[float, float]) -> float:
    """The commission's objective. [USD per household-day]"""
    return values[0] - weights[0] * values[1] - weights[1] * values[2]


def cooled(economy: Economy, name: str, gains: Sequence[float]) -> Answer:
    """A tariff's criteria cold, and at falling temperatures until it is near that for all weights, or none is found."""
    tariff = build_tariff(economy.scenario, name)
    temperature, warm = economy.scenario.temperature_usd, list[list[float] | None]()
    last = solve_equilibrium(economy, tariff, certify=False)
    cold = solve_cold(economy, tariff, start=last if last.converged else None)
    exact = criteria(cold.equilibrium)
    for halving in range(HALVINGS + 1):
        if halving:
            cooler = at_temperature(economy, temperature / 2**halving)
            last = solve_equilibrium(cooler, tariff, start=last, certify=False)
        there = criteria(last)
        warm.append(there)
        if there is None or exact is None:
            break
        near = [abs(worth(there, one) - worth(exact, one)) for one in WEIGHTS]
        if all(apart <= SMALL_SHARE * most for apart, most in zip(near, gains, strict=True)):
            break
    return {"warm": warm, "cold": exact, "way": str(cold.way), "cold_temperature_usd": cold.temperature_usd}


def gains_of(economy: Economy) -> list[float]:
    """What the designs gain over the filed tariff; the second search begins where the first ended. [USD]"""
    filed = solve_equilibrium(economy, build_tariff(economy.scenario, FILED), certify=False)
    gains, starts = list[float](), None
    for equity, stability in WEIGHTS:
        aims = LeaderSpec(leader="commission", weights={"equity": equity, "stability": stability})
        found = commit(aims.problem(economy, filed.tariff), starts=starts, certify=False)
        gains.append(found.objective - aims.objective()(filed))
        starts = [np.array(list(found.parameters.values()))]
    return gains


def kept(table: dict[str, Any], key: str, find: Callable[[], Any]) -> Any:
    """What an earlier run found, or else what is found now."""
    key = f"{meanwatt.__version__} {key}"
    if key not in table:
        table[key] = find()
        KEPT.parent.mkdir(exist_ok=True)
        KEPT.write_text(json.dumps(table), encoding="utf-8")
    return table[key]


def show(preset: str, table: dict[str, Any]) -> None:
    """Print one preset."""
    economy = build_economy(load_scenario(preset))
    warmest, same = economy.scenario.temperature_usd, twins(economy.scenario)
    gains = kept(table, f"{preset} gains", partial(gains_of, economy))
    found: dict[str, Answer] = {
        name: kept(table, f"{preset} {name}", partial(cooled, economy, name, gains))
        for name in economy.scenario.tariffs
        if name not in same
    }
    for weights, gained in zip(WEIGHTS, gains, strict=True):
        print(f"\n{preset}, equity={weights[0]:g}, stability={weights[1]:g}: the design gains {gained:.4f}")
        held: list[float | None] = []
        for name, one in found.items():
            apart = distances(one, weights)
            near = [warmest / 2**k for k, value in enumerate(apart) if value <= SMALL_SHARE * gained]
            held.append(near[0] if near and one["cold_temperature_usd"] < near[0] else None)
            words = " ".join(f"{value:.4f}" for value in apart)
            print(f"  {name:17s} cold: {coldest(one):26s} |J_η − J_0| {words}: {from_words(one, held[-1], near)}")
        least = None if None in held else min(one for one in held if one is not None)
        print(f"  all: {'null' if least is None else f'from η = {least:g}'}", flush=True)


def distances(one: Answer, weights: tuple[float, float]) -> list[float]:
    """|J_η − J_0| of a tariff at each temperature that was solved. [USD per household-day]"""
    if one["cold"] is None:
        return []
    return [abs(worth(warm, weights) - worth(one["cold"], weights)) for warm in one["warm"] if warm is not None]


def coldest(one: Answer) -> str:
    """How the cold equilibrium was found."""
    at = one["cold_temperature_usd"]
    return "no equilibrium" if at is None else f"{one['way']}, η = {at:.2g}"


def from_words(one: Answer, held: float | None, near: list[float]) -> str:
    """From which temperature on the tariff's objective is near the cold one, or why from none."""
    if held is not None:
        return f"from η = {held:g}"
    if near:
        return f"null, nothing colder than η = {one['cold_temperature_usd']:.2g} was found"
    if one["cold"] is None:
        return "null, no cold equilibrium was found"
    missing = one["warm"][-1] is None
    return f"null, {'no equilibrium at the next η' if missing else f'not near after {HALVINGS} halvings'}"


def main(names: list[str]) -> None:
    """Measure and print."""
    table: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    for preset in names:
        show(preset, table)


if __name__ == "__main__":
    main(sys.argv[1:] or list(presets()))
