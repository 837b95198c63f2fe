"""Sentences about a solution of the mean field: credits capped, solar output not used, values and laws not settled."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import ExportRule, Tariff, export_credit
from meanwatt.model.mean_field.envelope_levels import coarse_sentences
from meanwatt.model.mean_field.envelope_outcome import envelope_outcomes, envelope_sentences
from meanwatt.model.mean_field.population.population_response import PopulationResponse
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.economy import Economy

ROUNDING: Final = 1e-12
"""A cut this small is rounding [USD/kWh], and so is this share of the solar output."""
NEGLIGIBLE: Final = 1e-3
"""Share of the trips' energy that may be lacking without a word."""
SETTLED: Final = 1e-7
"""Distance of a law to the stationary one [share of households], and error of a gain [USD/day], not worth a word."""


def solution_messages(economy: Economy, tariff: Tariff, found: PopulationResponse) -> Iterator[str]:
    """What an answer of the continuum has that was not asked for in so many words."""
    yield from _capped_credit(economy, tariff, found)
    outcomes = envelope_outcomes(economy, tariff, found)
    yield from _curtailed(economy, found, sum(row.share * row.curtailed_kwh for row in outcomes))
    yield from envelope_sentences(outcomes)
    yield from coarse_sentences(economy, found)
    yield from _unmet(economy, found)
    yield from _unsettled(economy, found)


def curtailed_kw(economy: Economy, found: PopulationResponse) -> Floats:
    """Solar output that inverters hold back, population mean. (c, h) [kW]"""
    total = np.zeros(found.net_load_kw.shape)
    for household, response, flow in zip(economy.types, found.responses, found.flows, strict=True):
        if response.outcome.curtailed_kw is not None:
            total += household.share * (flow.frequency * response.outcome.curtailed_kw).sum(axis=(2, 3))
    return total


def curtailed_kwh_per_day(economy: Economy, found: PopulationResponse) -> float:
    """The same over the day, in expectation; what is rounding counts as none. [kWh per household-day]"""
    spilt_kwh = float(economy.common.probability @ curtailed_kw(economy, found).sum(axis=1)) * economy.slot_hours
    return spilt_kwh if spilt_kwh > ROUNDING * _sun_kwh_per_day(economy) else 0.0


def unmet_trip_kwh_per_day(economy: Economy, found: PopulationResponse) -> float:
    """Energy that trips of electric vehicles need and do not get; rounding counts as none. [kWh per household-day]"""
    total = 0.0
    for household, flow in zip(economy.types, found.flows, strict=True):
        day = household.storage_day(economy.slot_hours)
        if day.trip_levels.size:
            moved = np.einsum("c,chzj,j->h", economy.common.probability, flow.frequency, day.moves)
            total += household.share * day.unmet_kwh(-moved)
    return total if total > ROUNDING * _trip_kwh_per_day(economy) else 0.0


def _trip_kwh_per_day(economy: Economy) -> float:
    """Energy that trips of electric vehicles need. [kWh per household-day]"""
    days = [(household.share, household.storage_day(economy.slot_hours)) for household in economy.types]
    return sum(share * day.level_kwh * float(day.trip_levels.sum()) for share, day in days)


def _sun_kwh_per_day(economy: Economy) -> float:
    """Solar output. [kWh per household-day]"""
    chance = economy.common.probability
    return sum(one.share * float(chance @ one.pv_kw.sum(axis=1)) for one in economy.types) * economy.slot_hours


def _capped_credit(economy: Economy, tariff: Tariff, found: PopulationResponse) -> Iterator[str]:
    """An export credit that somebody's import rate caps, as the tariff asks for."""
    cuts = []
    for household in economy.types:
        own = tariff.of(household)
        if own.capped_at_import and own.export_rule is ExportRule.NET_BILLING:
            posted, passed = export_credit(own, economy.common.today)
            credit = posted + passed * found.wholesale_usd_per_kwh
            cuts.append(credit - tariff.own_rates(found.rates, household).export_usd_per_kwh)
    if not cuts:
        return
    cut = np.max(cuts, axis=0)
    binds = cut > ROUNDING
    if binds.any():
        yield (
            f"tariff.export.capped_at_import = true: the posted export credit is cut to the import rate in"
            f" {int(binds.sum())} of {counted(binds.size, 'slot')}, by up to {cut.max():.3g} USD/kWh;"
            " false pays it as posted."
        )


def _curtailed(economy: Economy, found: PopulationResponse, limited_kwh: float) -> Iterator[str]:
    """Solar output that is not used, beside what limits on the net load curtail [kWh per household-day]."""
    spilt_kwh = curtailed_kwh_per_day(economy, found) - limited_kwh
    if spilt_kwh > ROUNDING * _sun_kwh_per_day(economy):
        share = spilt_kwh / _sun_kwh_per_day(economy)
        yield (
            f"pv.curtailable = true: inverters hold back {spilt_kwh:.3g} kWh per household-day,"
            f" {share:.2%} of the solar output, where using or exporting it would cost; false exports it."
        )


def _unmet(economy: Economy, found: PopulationResponse) -> Iterator[str]:
    """Trips that the vehicles' batteries do not cover."""
    lacked_kwh = unmet_trip_kwh_per_day(economy, found)
    if lacked_kwh > NEGLIGIBLE * _trip_kwh_per_day(economy):
        yield (
            f"ev.unmet_usd_per_kwh = {economy.scenario.ev.unmet_usd_per_kwh:g}: electric vehicles lack"
            f" {lacked_kwh:.3g} kWh per household-day of their trips, bought on the way at that price."
        )


def _unsettled(economy: Economy, found: PopulationResponse) -> Iterator[str]:
    """Days without end whose values or laws were not found as exactly as prices are.

    The equilibrium's residual does not show it: it is that of the law as it was left.
    """
    for household, response, flow in zip(economy.types, found.responses, found.flows, strict=True):
        states = counted(flow.law[:, 0].size, "midnight state")
        if flow.defect > SETTLED:
            yield (
                f"battery_levels, memory: where households of type {household.name} come to rest is known to about"
                f" {flow.defect:.1e} of them only, {states} are too many for a linear system and their days mix"
                " slowly; fewer of either, or a higher temperature_usd, help."
            )
        if not response.converged and response.span_usd > SETTLED:
            yield (
                f"battery_levels, memory: what households of type {household.name} gain is known to"
                f" {response.span_usd:.1e} USD/day only, plans on {states} did not settle;"
                " fewer of either, or discount_per_day below 1, help."
            )
