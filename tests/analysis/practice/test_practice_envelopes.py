"""Usual practice among households within operating envelopes, against plain loops and wide limits."""

import json
from functools import cache
from typing import Any

import numpy as np
import pytest

from meanwatt.analysis.cli import main
from meanwatt.analysis.practice.filing import predict
from meanwatt.analysis.practice.practice import Practice, practice
from meanwatt.analysis.practice.report import practice_json, practice_tables
from meanwatt.model.network.located_economy import build_located_economy
from meanwatt.model.scenario.economy import build_tariff
from meanwatt.model.scenario.loading import load_scenario

TIGHT = {"feeder.envelopes.all.export_limit_kw": 0.4, "feeder.envelopes.all.import_limit_kw": 1.1}
SPLIT = {
    "feeder.name": "textbook_line_5",
    "feeder.envelopes.end": {"buses": ["village"], "import_limit_kw": 1e6},
}


@cache
def done(**changes: Any) -> Practice:
    asked = load_scenario("textbook", overrides={"battery_levels": 5, **changes}, tariff="filed")
    return practice(build_located_economy(asked), build_tariff(asked))


def limited(which: str) -> Practice:
    if which == "split":
        asked = load_scenario("textbook", overrides={"battery_levels": 5, **SPLIT}, tariff="filed")
        return practice(build_located_economy(asked), build_tariff(asked))
    return done(**TIGHT)


def test_practice_files_the_same_where_no_limit_binds() -> None:
    plain, wide = done(), done(**{"feeder.envelopes.all.export_limit_kw": 1e6})
    assert plain.filing is not None
    assert wide.filing is not None
    assert np.array_equal(plain.filing.rates_usd_per_kwh, wide.filing.rates_usd_per_kwh)
    assert np.array_equal(plain.filing.predicted.net_load_kw, wide.filing.predicted.net_load_kw)
    assert plain.welfare_lost_usd_per_household_day == wide.welfare_lost_usd_per_household_day
    assert practice_json(plain)["envelopes"] == []


def test_types_under_several_wide_envelopes_are_filed_for_together() -> None:
    plain, split = done(), limited("split")
    assert plain.filing is not None
    assert split.filing is not None
    assert len(split.in_force.economy.types) > len(plain.in_force.economy.types)
    for name in ("rates_usd_per_kwh", "imports_kwh_per_day"):
        np.testing.assert_allclose(getattr(split.filing, name), getattr(plain.filing, name), rtol=0, atol=1e-9)
    np.testing.assert_allclose(split.filing.predicted.net_load_kw, plain.filing.predicted.net_load_kw, atol=1e-9)
    assert split.welfare_lost_usd_per_household_day == pytest.approx(plain.welfare_lost_usd_per_household_day, abs=1e-6)
    rows = practice_json(split)["filed"]["predicted"]["groups"]
    assert {row["envelope"] for row in rows} == {"", "end"}
    assert set(practice_tables(split)["types"]["envelope"]) == {"", "end"}


def test_the_prediction_moves_nobody_beyond_a_limit() -> None:
    """A tenth of the rates and an elasticity of 2: everybody would use more than the limits let in."""
    found = done(**TIGHT)
    assert found.filing is not None
    cheap = found.filing.tariff
    predicted = predict(found.in_force, cheap, elasticity=2.0)
    frozen = found.in_force.answer
    for household, response, flow, load in zip(
        found.in_force.economy.types, frozen.responses, frozen.flows, predicted.type_net_load_kw, strict=True
    ):
        net = response.outcome.net_load_kw[flow.frequency > 0]
        assert load.max() <= max(1.1, net.max()) + 1e-9, household.name
        assert load.min() >= -0.4 - 1e-9, household.name
    free = done()
    assert free.filing is not None
    assert predict(free.in_force, cheap, elasticity=2.0).type_net_load_kw.min() < -0.4
    stayed = predict(found.in_force, found.in_force.tariff, elasticity=0.0)
    np.testing.assert_allclose(stayed.type_net_load_kw, found.in_force.type_net_load_kw, rtol=0, atol=1e-12)


def test_what_limits_cut_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    limits = [word for key, value in TIGHT.items() for word in ("--set", f"{key}={value}")]
    command = ["practice", "textbook", "--tariff", "filed", "--set", "battery_levels=5", *limits]
    assert main([*command, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    (row,) = result["envelopes"]
    assert row["name"] == "all"
    assert row["curtailed_kwh_per_household_day"] > 0.1
    assert "Usual practice knows feeder.envelopes: its prediction moves nobody beyond a limit." in result["messages"]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "Operating envelopes: kWh" in shown
    assert "high / pv_battery under all" in shown


def test_what_limits_do_is_told_once_under_each_of_the_two_tariffs() -> None:
    found = limited("tight")
    told = [one for one in found.messages if "of the solar output there" in one]
    assert found.equilibrium is not None
    assert [one.startswith("Filed tariff: feeder.envelopes.all: ") for one in told] == [False, True]
    assert told[0] in found.in_force.messages
    assert told[1].removeprefix("Filed tariff: ") in found.equilibrium.messages
