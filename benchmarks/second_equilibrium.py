"""Games outside Theorem U: whether one has a second equilibrium price, and how far it is from being monotone.

Random small games (``tests/random_worlds.py``) with plenty of storage, each within Theorem U but for one condition:

* ``exports for nothing``, ``exports at other shares`` (κ_x ≠ κ), ``discounts on imports``, ``boltzmann``, ``discount``
  (δ < 1): solved from the usual start and from random system loads;
  Under ``boltzmann`` at δ = 1 values along the levels may be many, and every start keeps its own;
* ``adder``: the adder balances the books. At every adder the price is unique, so that only the load's answer to prices
  is looked at, the adder following.

    OPENBLAS_NUM_THREADS=1 python benchmarks/second_equilibrium.py                    # 40 of each
    OPENBLAS_NUM_THREADS=1 python benchmarks/second_equilibrium.py --games 10 --json  # ten of each

A line for each condition: games, starts that converged (residual 1e-9 USD/kWh), games with prices further apart than
1e-5 USD/kWh, games with an equilibrium of negative index, and the largest eigenvalue of the symmetric part of
p Δ ∂L/∂λ as a share of the largest absolute one: above 0 the load is not monotone. The index is the sign of
det(I − ∂L/∂λ s'); indices sum to 1, so a negative one would prove three equilibria where starts find one.

Under ``boltzmann`` at δ = 1 best moves may tie, and a slope is then that of one side only. No slope is taken there:
the rise is the cosine of dλ and dL between two equilibria, in the norm of p Δ. It is above 0 wherever two were found,
for supply rises.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).parents[1] / "tests"))  # the draws are the tests'

from monotone import rises, slope_with_adder
from random_worlds import SMALL, World, random_table

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.mean_field.derivatives.population_sensitivity import net_load_slope
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.mean_field.population.population_response import PopulationResponse
from meanwatt.model.mean_field.solvers.price_fixed_point import solve_prices
from meanwatt.model.progress.watch import Cancelled, Watch
from meanwatt.model.scenario.economy import Economy, build_economy, build_tariff
from meanwatt.model.scenario.loading import Scenario

ADDER, TIED = "adder", "boltzmann"
KINDS = ("exports for nothing", "exports at other shares", "discounts on imports", TIED, "discount", ADDER)
TOLERANCE_USD_PER_KWH = 1e-9
APART_USD_PER_KWH = 1e-5
ROUNDING = 1e-6
"""An eigenvalue this small beside the largest one is rounding."""
RANGES = replace(
    SMALL, types=(1, 2), day_types=(1, 2), memory=(0,), temperature_usd=(0.005, 0.1), cold_share=0.0, patient_share=1.0
)
GAMES, STARTS = 40, 3
LIMIT_SECONDS = 10.0
"""Processor time of one solve."""


def world(kind: str, seed: int) -> World:
    """A random game that misses this condition of Theorem U alone; a refused draw is drawn again."""
    rng = np.random.default_rng([KINDS.index(kind), seed])
    refused = 0
    while True:
        table = changed(random_table(rng, f"drawn-{seed}", RANGES), kind, rng)
        try:
            scenario = Scenario.model_validate(table)
        except ValueError:
            refused += 1
            continue
        made = World(scenario, build_economy(scenario), build_tariff(scenario), refused)
        if len(made.outside) == 1 and made.couples:
            return made
        refused += 1


def changed(table: dict[str, Any], kind: str, rng: np.random.Generator) -> dict[str, Any]:
    """A draw within the theorem but for one condition: steep supply, most of the owners of solar with a battery."""
    tariff = dict(table["tariffs"]["drawn"])
    passed = float(rng.choice([1.0, rng.uniform(0.05, 1.0)]))
    groups = {
        name: {**group, "pv_share": float(rng.uniform(0.3, 1.0)), "storage_share_of_pv": float(rng.uniform(0.5, 1.0))}
        for name, group in table["income_groups"].items()
    }
    tariff |= {
        "recovery": "posted",
        "pass_through": passed,
        "export": {**tariff["export"], "rule": "net_billing", "pass_through": passed},
        "discount": dict.fromkeys(groups, 0.0),
    }
    supply = {"kind": "polynomial", "coefficients": (0.05, float(np.exp(rng.uniform(np.log(0.05), np.log(0.5)))))}
    table |= {"value_rule": "entropy", "discount_per_day": 1.0, "income_groups": groups, "supply": supply}
    if kind == "exports for nothing":
        tariff["export"]["rule"] = "none"
    elif kind == "exports at other shares":
        tariff["export"]["pass_through"] = float(rng.choice([0.0, rng.uniform(0.0, 1.0)]))
    elif kind == "discounts on imports":
        tariff["discount"] = {name: float(rng.uniform(0.1, 0.6)) for name in groups}
    elif kind == TIED:
        table["value_rule"] = "boltzmann"
    elif kind == "discount":
        table["discount_per_day"] = float(rng.uniform(0.3, 0.99))
    else:
        tariff |= {"recovery": "volumetric", "pass_through": 0.1 * passed, "fixed_charge_usd_per_day": 0.0}
        tariff["export"] |= {"pass_through": 0.1 * passed, "rule": str(rng.choice(["net_metering", "net_billing"]))}
    return {**table, "tariffs": {"drawn": tariff}}


def watch() -> Watch:
    """Cancels what takes too long."""
    began = time.process_time()
    return Watch(cancelled=lambda: time.process_time() - began > LIMIT_SECONDS)


def starts_of(found: Equilibrium, count: int, seed: int) -> list[PopulationResponse]:
    """Answers to which random system loads lead, of those that converge; the adder held."""
    economy, rng, answers = found.economy, np.random.default_rng(seed), []
    for _ in range(count):
        away = rng.uniform(-1.0, 1.5, economy.rest_load_kw.shape)
        try:
            again = solve_prices(
                economy,
                found.tariff,
                found.adder_usd_per_kwh,
                tolerance=TOLERANCE_USD_PER_KWH,
                watch=watch(),
                load_start_kw=economy.rest_load_kw + economy.peak_reference_kw * away,
            )
        except Cancelled:
            continue
        if again.converged:
            answers.append(again.answer)
    return answers


def index(economy: Economy, by_price: Floats, found: PopulationResponse) -> float:
    """Sign of det(I − ∂L/∂λ s') at an equilibrium."""
    steepness = economy.supply.slope(found.net_load_kw + economy.rest_load_kw).ravel()
    return float(np.linalg.slogdet(np.eye(steepness.size) - by_price * steepness)[0])


def rises_between(economy: Economy, found: Sequence[PopulationResponse]) -> list[float]:
    """Cosine of dλ and dL for each two equilibria, in the norm of p Δ: above 0 the load rises with its price."""
    weight = economy.common.probability[:, None] * economy.slot_hours
    cosines = []
    for one, other in combinations(found, 2):
        dearer = one.wholesale_usd_per_kwh - other.wholesale_usd_per_kwh
        more = one.net_load_kw - other.net_load_kw
        norms = np.sqrt((weight * dearer**2).sum() * (weight * more**2).sum())
        cosines.append(float((weight * dearer * more).sum() / norms))
    return cosines


def row(kind: str, seed: int, starts: int) -> dict[str, object]:
    """What is found in one game."""
    made = world(kind, seed)
    economy, tariff = made.economy, made.tariff
    found = solve_equilibrium(
        economy, tariff, certify=False, tolerance_usd_per_kwh=TOLERANCE_USD_PER_KWH, watch=watch()
    )
    answers = [found.answer] if found.converged else []
    if kind != ADDER:
        answers += starts_of(found, starts, seed)
    distinct: list[PopulationResponse] = []
    for other in answers:
        if all(
            np.abs(other.wholesale_usd_per_kwh - one.wholesale_usd_per_kwh).max() > APART_USD_PER_KWH
            for one in distinct
        ):
            distinct.append(other)
    if kind == ADDER:
        balanced = [one for one in distinct if found.adder_usd_per_kwh > 0]
        rise = [rises(economy, slope_with_adder(economy, tariff, one)[1]) for one in balanced]
        indices: list[float] = []
    elif kind == TIED:
        rise, indices = rises_between(economy, distinct), []
    else:
        slopes = [net_load_slope(economy, tariff, one) for one in distinct]
        rise = [rises(economy, slope) for slope in slopes]
        indices = [index(economy, slope, one) for slope, one in zip(slopes, distinct, strict=True)]
    return {
        "kind": kind,
        "game": seed,
        "refused": made.refused,
        "starts": 1 if kind == ADDER else 1 + starts,
        "converged": len(answers),
        "prices": len(distinct),
        "negative": sum(sign < 0 for sign in indices),
        "rises": max(rise, default=None),
    }


def summary(lines: Sequence[dict[str, Any]]) -> dict[str, object]:
    """One condition's games together."""
    shares = [line["rises"] for line in lines if line["rises"] is not None]
    return {
        "kind": lines[0]["kind"],
        "games": len(lines),
        "starts": sum(line["starts"] for line in lines),
        "converged": sum(line["converged"] for line in lines),
        "more_than_one_price": sum(line["prices"] > 1 for line in lines),
        "negative_index": sum(line["negative"] > 0 for line in lines),
        "not_monotone": sum(share > ROUNDING for share in shares),
        "largest_rise": max(shares, default=None),
    }


def main() -> None:
    """Search the games asked for; print a line for each condition, and for each game with ``--json``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", type=int, default=GAMES, help="of each condition")
    parser.add_argument("--starts", type=int, default=STARTS, help="random starts of a game, beside the usual one")
    parser.add_argument("--only", choices=KINDS, nargs="+", default=list(KINDS), metavar="CONDITION")
    parser.add_argument("--json", action="store_true", help="print one JSON object per game, too")
    asked = parser.parse_args()
    for kind in asked.only:
        lines = []
        for seed in range(asked.games):
            lines.append(row(kind, seed, asked.starts))
            if asked.json:
                print(json.dumps(lines[-1]), flush=True)
        print(json.dumps(summary(lines)), flush=True)


if __name__ == "__main__":
    main()
