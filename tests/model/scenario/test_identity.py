"""What identifies a scenario stays what it was when keys are added to the schema."""

import hashlib
from collections.abc import Mapping

import pytest

from meanwatt.analysis.output.strict_json import dumps
from meanwatt.model.scenario.identity import identifying_table
from meanwatt.model.scenario.loading import load_scenario, presets
from meanwatt.model.scenario.schema import Scenario

OF_0_1_0 = {
    "textbook": "d806e5f1a7650a7d",
    "oahu": "d34eb9fe25aedb82",
    "california": "86362073a4cdb494",
    "stress": "1a16e643151c6519",
}
"""Begin of SHA-256 of each preset's ``model_dump`` as JSON, taken before vehicles and access charges were added."""


def digest(scenario: Scenario) -> str:
    return hashlib.sha256(dumps(identifying_table(scenario)).encode("ascii")).hexdigest()


@pytest.mark.parametrize("preset", presets())
def test_a_preset_is_identified_as_by_version_0_1_0(preset: str) -> None:
    """A key added since must be marked ``AddedLater``, or nobody's study of before can be resumed."""
    assert digest(load_scenario(preset))[:16] == OF_0_1_0[preset]


@pytest.mark.parametrize("changes", [{}, {"ev.trip_kwh": 5.0, "income_groups.low.ev_share": 0.2}])
def test_what_is_left_out_is_what_reading_gives_back(changes: Mapping[str, object]) -> None:
    scenario = load_scenario("textbook", overrides=changes)
    assert Scenario.model_validate_json(dumps(identifying_table(scenario))) == scenario


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ev_share_scale", 2.0),
        ("income_groups.low.ev_share", 0.2),
        ("ev.levels", 30),
        ("tariff.access_charge.usd_per_pv_kw_day", 0.01),
        ("temperature_usd", 0.021),
    ],
)
def test_scenarios_that_differ_are_told_apart(key: str, value: object) -> None:
    assert digest(load_scenario("textbook", overrides={key: value})) != digest(load_scenario("textbook"))


def test_a_default_written_out_is_no_difference() -> None:
    defaults = {"ev_share_scale": 1.0, "tariff.access_charge.usd_per_pv_kw_day": 0.0}
    written = load_scenario("textbook", overrides=defaults)
    assert digest(written) == digest(load_scenario("textbook"))
