"""Equilibrium wholesale prices of the followers at a given tariff and adder."""

from dataclasses import dataclass

import numpy as np

from agents.anderson import accelerate
from agents.arrays import Floats
from agents.tariff import ExportRule, Tariff
from model.economy import Economy
from model.mean_field.answer import Answer, answer, induced_wholesale
from model.mean_field.watch import Watch

EVALUATION_LIMIT = 150
"""Evaluations of the population at one temperature."""
WARMER = 4.0
"""Factor between the temperatures of the continuation."""
WARMEST_USD = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PriceSolution:
    """An answer whose prices it induces itself, up to ``residual_usd_per_kwh`` = max |s(L + rest) − λ|."""

    answer: Answer
    residual_usd_per_kwh: float
    converged: bool


def couples(tariff: Tariff) -> bool:
    """Tell whether any rate depends on the wholesale price."""
    by_export = tariff.export_rule is ExportRule.NET_BILLING and tariff.export_pass_through > 0
    return tariff.pass_through > 0 or by_export


def solve_prices(
    economy: Economy,
    tariff: Tariff,
    adder_usd_per_kwh: float,
    *,
    tolerance: float,
    watch: Watch,
    start: Answer | None = None,
    wholesale_start: Floats | None = None,
) -> PriceSolution:
    """Find λ = s(L(λ) + rest), the adder held.

    Anderson-accelerated; where that stalls, continuation: the temperature is raised until the fixed point is found,
    then lowered again step by step, each solution being the next one's start.
    """
    if wholesale_start is None:
        wholesale_start = start.wholesale_usd_per_kwh if start else first_guess(economy)
    if not couples(tariff):
        found = answer(economy, tariff, wholesale_start, adder_usd_per_kwh, start=start)
        watch.tick(0.0)
        return PriceSolution(
            answer=with_wholesale(found, induced_wholesale(economy, found.net_load_kw)),
            residual_usd_per_kwh=0.0,
            converged=True,
        )
    target = economy.scenario.temperature_usd

    def at(temperature: float, wholesale: Floats, warm: Answer | None) -> PriceSolution:
        return _at_temperature(economy, tariff, adder_usd_per_kwh, temperature, tolerance, watch, wholesale, warm)

    direct = at(target, wholesale_start, start)
    if direct.converged or target <= 0:
        return direct
    ladder, warm = [target], direct
    while ladder[-1] < WARMEST_USD:
        ladder.append(ladder[-1] * WARMER)
        warm = at(ladder[-1], warm.answer.wholesale_usd_per_kwh, None)
        if warm.converged:
            break
    for temperature in reversed(ladder[:-1]):
        warm = at(temperature, warm.answer.wholesale_usd_per_kwh, warm.answer)
    return min(direct, warm, key=lambda solution: solution.residual_usd_per_kwh)


def first_guess(economy: Economy) -> Floats:
    """Prices if everybody used their reference demand and batteries stood still. (c, h) [USD/kWh]"""
    net_load_kw = sum(t.share * (t.reference_kw - t.pv_kw) for t in economy.types)
    return induced_wholesale(economy, np.asarray(net_load_kw))


def with_wholesale(found: Answer, wholesale_usd_per_kwh: Floats) -> Answer:
    """The same answer beside the prices it induces, where no rate depends on them."""
    fields = {name: getattr(found, name) for name in Answer.__slots__}
    return Answer(**{**fields, "wholesale_usd_per_kwh": wholesale_usd_per_kwh})


def _at_temperature(
    economy: Economy,
    tariff: Tariff,
    adder: float,
    temperature: float,
    tolerance: float,
    watch: Watch,
    wholesale: Floats,
    start: Answer | None,
) -> PriceSolution:
    """One accelerated solve at one temperature; every evaluation starts from the last one's values and laws."""
    last = start
    best: tuple[float, Answer] | None = None

    def price_map(vector: Floats) -> Floats:
        nonlocal last, best
        prices = vector.reshape(wholesale.shape)
        last = answer(economy, tariff, prices, adder, start=last, temperature_usd=temperature)
        induced = induced_wholesale(economy, last.net_load_kw)
        gap = float(np.abs(induced - prices).max())
        if best is None or gap < best[0]:
            best = gap, last
        return induced.ravel()

    accelerate(
        price_map,
        wholesale.ravel(),
        tolerance=tolerance,
        limit=EVALUATION_LIMIT,
        report=lambda _, residual: watch.tick(residual),
    )
    assert best is not None
    return PriceSolution(answer=best[1], residual_usd_per_kwh=best[0], converged=best[0] <= tolerance)
