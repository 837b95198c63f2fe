"""The expected month of every household type given the season: billed energy and payments."""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.components.component import DAYS_PER_MONTH
from meanwatt.agents.tariff.tariff import ExportRule, Tariff
from meanwatt.model.mean_field.population.population_response import PopulationResponse
from meanwatt.model.scenario.economy import Economy


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seasons:
    """The seasons of a scenario's days; one without a name where it has none.

    Attributes
    ----------
    names
        Of the seasons.
    of_day_type, of_state : (ω,), (c,) int
        Season of each day type and common state.
    share : (season,)
        Part of all days.
    """

    __repr__ = short_repr

    names: tuple[str, ...]
    of_day_type: Ints
    of_state: Ints
    share: Floats


def seasons_of(economy: Economy) -> Seasons:
    """The seasons of an economy's common states."""
    named = [name or "" for name in economy.scenario.seasons]
    if len(named) != len(economy.common.day_types):  # a small world beside its scenario
        named = [""] * len(economy.common.day_types)
    names = tuple(dict.fromkeys(named))
    of_day_type = np.array([names.index(name) for name in named], dtype=np.int64)
    of_state = of_day_type[economy.common.today]
    share = np.bincount(of_state, economy.common.probability, minlength=len(names)).astype(np.float64)
    return Seasons(names=names, of_day_type=of_day_type, of_state=of_state, share=share)


def billed_kw(economy: Economy, tariff: Tariff, found: PopulationResponse) -> Floats:
    """Energy that is billed by the kWh: imports, less exports under net metering. (θ, c, h) [kW]"""
    billed = np.array(found.type_net_load_kw)
    for k, household in enumerate(economy.types):
        if tariff.of(household).export_rule is not ExportRule.NET_METERING:
            flow, outcome = found.flows[k], found.responses[k].outcome
            billed[k] = (flow.frequency * outcome.imported_kw).sum(axis=(2, 3))
    return billed


def paid_usd(economy: Economy, found: PopulationResponse) -> Floats:
    """Expected payment of a day in each common state, standing charges excluded. (θ, c) [USD/day]"""
    return np.array(
        [
            (flow.frequency * response.outcome.payment_usd).sum(axis=(1, 2, 3))
            for flow, response in zip(found.flows, found.responses, strict=True)
        ]
    ).reshape(len(economy.types), -1)


def months_of(economy: Economy, seasons: Seasons, by_state: Floats) -> Floats:
    """Expected month given the season of what comes by the day. (θ, season) of (θ, c)"""
    weight = economy.common.probability * np.ones((len(by_state), 1)) * by_state
    total = np.array([np.bincount(seasons.of_state, row, minlength=len(seasons.names)) for row in weight])
    return np.asarray(DAYS_PER_MONTH * total / np.where(seasons.share > 0, seasons.share, 1.0))


def per_day(seasons: Seasons, months: Floats) -> Floats:
    """Mean over the days of what is given by the month and season. (θ,) of (θ, season)"""
    return np.asarray(months @ seasons.share) / DAYS_PER_MONTH
