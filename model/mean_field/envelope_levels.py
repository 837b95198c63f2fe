"""Where levels of a battery are too coarse for the limits of an envelope, which then bind more than was asked for."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from meanwatt.model.mean_field.population.population_response import PopulationResponse
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.technologies import TECHNOLOGIES

MOST_HOURS: Final = 1.0
"""Hours a day in which one level passes the limits and standing still does not; up to so many not worth a word."""


def hours_too_coarse(economy: Economy, found: PopulationResponse, k: int) -> tuple[float, float]:
    """How long a type stands still because one level would pass its limits: by charging, and by discharging. [h/day]

    Those are hours in which the move is open, standing still keeps the limits and one level does not, at the day's own
    chances of common states and loads. Finer levels make them fewer.
    """
    response, flow = found.responses[k], found.flows[k]
    barred, moves = response.outcome.barred_usd, response.policy.moves
    if barred is None:
        return 0.0, 0.0
    law = flow.law.sum(axis=2)  # (c, h, z)
    still = np.asarray(barred[..., np.searchsorted(moves, 0)] == 0)
    chance = economy.common.probability[:, None, None] * law / law.sum(axis=2, keepdims=True)
    hours = []
    for move in (1, -1):
        column = np.flatnonzero(moves == move)
        possible = np.asarray(response.policy.open_moves.any(axis=1))[None, :, None, column]
        shut = still[..., None] & possible & (barred[..., column] > 0)
        hours.append(float((chance[..., None] * shut).sum()) * economy.slot_hours)
    return hours[0], hours[1]


def coarse_sentences(economy: Economy, found: PopulationResponse) -> Iterator[str]:
    """What levels keep from fitting into limits, a sentence for each envelope and way of storing."""
    longest: dict[tuple[str, str], tuple[float, str, str]] = {}
    for k, household in enumerate(economy.types):
        if household.envelope is None or household.battery is None:
            continue
        key = next(one.levels_key for one in TECHNOLOGIES if one.name == household.technology)
        for hours, way, limit in zip(
            hours_too_coarse(economy, found, k),
            ("charging", "discharging"),
            ("import_limit_kw", "export_limit_kw"),
            strict=True,
        ):
            place = (f"feeder.envelopes.{household.envelope.name}.{limit}", key)
            if hours > max(MOST_HOURS, longest.get(place, (0.0, "", ""))[0]):
                longest[place] = hours, way, household.name
    for (limit, key), (hours, way, name) in longest.items():
        yield (
            f"{limit}: in {hours:.3g} hours a day {way} by one level does not fit into it (households of type"
            f" {name}), so batteries stand still where less would fit; give more {key}."
        )
