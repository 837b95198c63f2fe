"""What operating envelopes do at an answer of the continuum: sun curtailed, load held back, hours, and what they miss.

Each is the difference to what the same households would do at the same rates and the same moves of their batteries
without the limits. Moves that limits bar are not in it: they show in what batteries do.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from itertools import groupby
from typing import Any, Final

import numpy as np

from meanwatt.agents.household.envelope import TOLERANCE_KW
from meanwatt.agents.household.slot_outcome import slot_outcome
from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.mean_field.population.game import Game
from meanwatt.model.mean_field.population.population_response import PopulationResponse
from meanwatt.model.scenario.economy import Economy

NEGLIGIBLE_KWH: Final = 1e-9
"""Less than this is rounding. [kWh per household-day]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeOutcome:
    """What an envelope does to the households under it, or to some of them. Means over these, expected per day.

    Attributes
    ----------
    envelope, income_group
        Their names; the group is empty where it is for all of them.
    share
        Of the population.
    types
        Number of household types.
    solar_share
        Part of them that has solar.
    curtailed_kwh
        Sun that is not used because of the limits. [kWh per household-day]
    sun_kwh
        What their sun gives. [kWh per household-day]
    held_back_kwh
        Load that is not used because of the limits. [kWh per household-day]
    export_hours, import_hours
        How long the export limit, and the import limit, makes them do otherwise. [h per household-day]
    violation_kwh
        Drawn or fed in beyond the limits, where no use and no sun keeps them. [kWh per household-day]
    """

    __repr__ = short_repr

    envelope: str
    income_group: str
    share: float
    types: int
    solar_share: float
    curtailed_kwh: float
    sun_kwh: float
    held_back_kwh: float
    export_hours: float
    import_hours: float
    violation_kwh: float


def envelope_outcomes(economy: Economy, tariff: Tariff, found: PopulationResponse) -> tuple[EnvelopeOutcome, ...]:
    """What each envelope does to each income group under it, by envelope and then by group; empty without envelopes."""
    if found.envelopes is not None:
        return found.envelopes
    rows = [_of_type(economy, tariff, found, k) for k, one in enumerate(economy.types) if one.envelope is not None]
    place = {name: number for number, name in enumerate((*economy.scenario.feeder.envelopes, *economy.groups))}
    rows.sort(key=lambda row: (place.get(row.envelope, -1), place[row.income_group]))
    by_group = groupby(rows, key=lambda row: (row.envelope, row.income_group))
    return tuple(_together(list(some)) for _, some in by_group)


def by_envelope(outcomes: Iterable[EnvelopeOutcome]) -> tuple[EnvelopeOutcome, ...]:
    """The same for all income groups under an envelope together."""
    found = groupby(outcomes, key=lambda row: row.envelope)
    return tuple(replace(_together(list(some)), income_group="") for _, some in found)


def envelope_violation_kwh(outcomes: Iterable[EnvelopeOutcome]) -> float:
    """Energy beyond the limits, mean over the whole population. [kWh per household-day]"""
    return sum(row.share * row.violation_kwh for row in outcomes)


def envelope_sentences(outcomes: Iterable[EnvelopeOutcome]) -> Iterator[str]:
    """What envelopes do, a sentence or two each."""
    for row in by_envelope(outcomes):
        key = f"feeder.envelopes.{row.envelope}"
        if max(row.curtailed_kwh, row.held_back_kwh, row.violation_kwh) <= NEGLIGIBLE_KWH:
            yield f"{key}: its limits change nothing at the moves that its households make."
            continue
        part = f", {row.curtailed_kwh / row.sun_kwh:.2%} of the solar output there," if row.sun_kwh > 0 else ""
        yield (
            f"{key}: {_energy(row.curtailed_kwh)} per household-day under it{part} are curtailed and"
            f" {_energy(row.held_back_kwh)} of load held back; the export limit binds {row.export_hours:.3g} and the"
            f" import limit {row.import_hours:.3g} hours a day."
        )
        if row.violation_kwh > NEGLIGIBLE_KWH:
            yield (
                f"{key}: the limits do not hold all that cannot be cut, (1 - flexibility) of the reference load;"
                f" {row.violation_kwh:.3g} kWh per household-day pass the meter beyond them; give a higher"
                " import_limit_kw."
            )


def _energy(kwh: float) -> str:
    """Energy as a sentence names it: rounding is none."""
    return f"{kwh if kwh > NEGLIGIBLE_KWH else 0:.3g} kWh"


def curtailed_kwh_by_type(economy: Economy, tariff: Tariff, found: PopulationResponse) -> Floats:
    """What a household of each type curtails on an expected day: at its limit, and for its price. (2, θ) [kWh]"""
    limit, price = np.zeros((2, len(economy.types)))
    for k, household in enumerate(economy.types):
        spilt_kw = found.responses[k].outcome.curtailed_kw
        if spilt_kw is None:
            continue
        by_state = (found.flows[k].frequency * spilt_kw).sum(axis=(1, 2, 3)) * economy.slot_hours
        if household.envelope is not None:
            limit[k] = _of_type(economy, tariff, found, k).curtailed_kwh
        price[k] = max(float(economy.common.probability @ by_state) - limit[k], 0.0)
    return np.stack([limit, price])


def _of_type(economy: Economy, tariff: Tariff, found: PopulationResponse, k: int) -> EnvelopeOutcome:
    """What its envelope does to one household type."""
    household, kept = economy.types[k], found.responses[k].outcome
    assert household.envelope is not None
    own = Game(economy, tariff).own_rates(found.rates, k)
    free = slot_outcome(replace(household, envelope=None), own, economy.shock_levels, economy.slot_hours)
    chance = economy.common.probability
    weight = found.flows[k].frequency * chance[:, None, None, None] * economy.slot_hours

    plans = kept.plans
    imports, exports = household.envelope.limits_kw[:, :, :, None, None, None]
    at_import, at_export = plans.net_load_kw >= imports - TOLERANCE_KW, plans.net_load_kw <= TOLERANCE_KW - exports
    wanted, at_will = (one[..., None] for one in (free.net_load_kw, free.plans.curtailed_kw[..., 0]))

    def kwh(kw: Floats | Bools) -> float:
        return float((weight * plans.mean(np.asarray(kw, dtype=float))).sum())

    missed = np.maximum(plans.net_load_kw - imports, -exports - plans.net_load_kw)
    return EnvelopeOutcome(
        envelope=household.envelope.name,
        income_group=household.income_group,
        share=household.share,
        types=1,
        solar_share=float(household.pv_kw.any()),
        curtailed_kwh=kwh(np.where(at_export, np.maximum(plans.curtailed_kw - at_will, 0.0), 0.0)),
        sun_kwh=float(chance @ household.pv_kw.sum(axis=1)) * economy.slot_hours,
        held_back_kwh=kwh(np.where(at_import, np.maximum(free.use_kw[..., None] - plans.use_kw, 0.0), 0.0)),
        export_hours=kwh(at_export & (wanted < -exports - TOLERANCE_KW)),
        import_hours=kwh(at_import & (wanted > imports + TOLERANCE_KW)),
        violation_kwh=kwh(np.where(missed > TOLERANCE_KW, missed, 0.0)),
    )


def _together(rows: list[EnvelopeOutcome]) -> EnvelopeOutcome:
    """Means over several parts of the population."""
    share = np.array([row.share for row in rows])
    means: dict[str, Any] = {
        name: float(share @ [getattr(row, name) for row in rows] / share.sum())
        for name in (one.name for one in fields(EnvelopeOutcome))
        if name not in ("envelope", "income_group", "share", "types")
    }
    return replace(rows[0], share=float(share.sum()), types=sum(row.types for row in rows), **means)
