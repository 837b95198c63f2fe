"""What operating envelopes do, as rows of a result and of its tables."""

from collections.abc import Iterable, Sequence
from typing import Any

from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.model.mean_field.envelope_outcome import EnvelopeOutcome, by_envelope, envelope_violation_kwh
from meanwatt.model.scenario.envelopes import limits_load


def envelopes_json(outcomes: Iterable[EnvelopeOutcome]) -> dict[str, Any]:
    """Keys of a result: ``envelopes``, a row for each with a row by income group in it, and what they all miss.

    Means over the households under an envelope, expected per day: sun curtailed and load held back because of the
    limits, hours in which a limit makes them do otherwise, and energy beyond the limits.
    """
    found = list(outcomes)
    return {
        "envelopes": [
            {
                "name": row.envelope,
                **_numbers(row),
                "groups": [
                    {"income": one.income_group, **_numbers(one)} for one in found if one.envelope == row.envelope
                ],
            }
            for row in by_envelope(found)
        ],
        "envelope_violation_kwh_per_household_day": envelope_violation_kwh(found),
    }


def _numbers(row: EnvelopeOutcome) -> dict[str, Any]:
    """The numbers of a row under their names in a result."""
    solar = row.solar_share
    return {
        "share": row.share,
        "household_types": row.types,
        "curtailed_kwh_per_household_day": row.curtailed_kwh,
        "curtailed_kwh_per_solar_household_day": row.curtailed_kwh / solar if solar else None,
        "curtailed_share_of_solar": row.curtailed_kwh / row.sun_kwh if row.sun_kwh else None,
        "held_back_kwh_per_household_day": row.held_back_kwh,
        "export_binding_hours_per_day": row.export_hours,
        "import_binding_hours_per_day": row.import_hours,
        "violation_kwh_per_household_day": row.violation_kwh,
    }


def place_keys(household: HouseholdType, types: Sequence[HouseholdType]) -> dict[str, str]:
    """Where a household type stands, as keys of its row: the branch and the envelope, where a scenario has some."""
    return ({"branch": household.branch} if household.branch else {}) | (
        {"envelope": household.place[1]} if limits_load(types) else {}
    )
