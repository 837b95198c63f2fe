"""Tariffs with components among households within operating envelopes."""

import json
from functools import cache
from typing import Any

import numpy as np
import pytest

from meanwatt.analysis.cli import main
from meanwatt.model.mean_field.components.settled import billed_equilibrium, market_equilibrium
from meanwatt.model.mean_field.components.solving import Composed, solve_composed
from meanwatt.model.network.located_economy import build_located_economy
from meanwatt.model.scenario.economy import build_rate_classes
from meanwatt.model.scenario.loading import load_scenario

COMPONENTS: dict[str, dict[str, Any]] = {
    "tiers": {"tariff.tiers.limits_kwh_per_month": [200.0], "tariff.tiers.adders_usd_per_kwh": [0.0, 0.1]},
    "demand, seen": {"tariff.demand_charge.usd_per_kw_month": 5.0, "tariff.demand_charge.decision": "ex_ante"},
    "demand": {"tariff.demand_charge.usd_per_kw_month": 5.0, "tariff.demand_charge.decision": "ignored"},
    "minimum": {"tariff.minimum_bill.usd_per_month": 30.0},
}
WIDE = {"feeder.envelopes.all.export_limit_kw": 1e6}
SPLIT = {
    "feeder.name": "textbook_line_5",
    "feeder.envelopes.end.buses": ["village"],
    "feeder.envelopes.end.import_limit_kw": 1e6,
}
TIGHT = {"feeder.envelopes.all.export_limit_kw": 0.4, "feeder.envelopes.all.import_limit_kw": 1.1}
STATE = {"tariff.demand_charge.usd_per_kw_day": 0.2, "tariff.demand_charge.decision": "state"}


def solved(changes: dict[str, Any]) -> Composed:
    asked = load_scenario("textbook", overrides={"battery_share_scale": 0.0, **changes}, tariff="flat")
    return solve_composed(build_located_economy(asked), build_rate_classes(asked, components=True), certify=False)


@cache
def plain(name: str) -> Composed:
    return solved(COMPONENTS[name])


@pytest.mark.parametrize("name", COMPONENTS)
def test_limits_that_bind_nowhere_change_no_load_and_no_bill(name: str) -> None:
    ours, theirs = (billed_equilibrium(one) for one in (solved({**COMPONENTS[name], **WIDE}), plain(name)))
    assert np.array_equal(ours.net_load_kw, theirs.net_load_kw)
    assert np.array_equal(ours.bill_usd_per_day, theirs.bill_usd_per_day)
    assert [row.curtailed_kwh for row in ours.envelopes] == [0.0] * 3


@pytest.mark.parametrize("name", ["tiers", "demand, seen"])
def test_types_under_several_wide_envelopes_perceive_and_pay_what_one_did(name: str) -> None:
    """Each is a rate class of its own there, by envelope too."""
    split, one = solved({**COMPONENTS[name], **SPLIT}), plain(name)
    assert len(split.economy.types) == 2 * len(one.economy.types)
    ours, theirs = billed_equilibrium(split), billed_equilibrium(one)
    np.testing.assert_allclose(ours.net_load_kw, theirs.net_load_kw, rtol=0, atol=1e-9)
    bills = {household.name: bill for household, bill in zip(one.economy.types, theirs.bill_usd_per_day, strict=True)}
    for household, bill in zip(split.economy.types, ours.bill_usd_per_day, strict=True):
        assert bill == pytest.approx(bills[household.name.removesuffix(" under end")], abs=1e-7)


@pytest.mark.parametrize("name", COMPONENTS)
def test_households_keep_within_tight_limits_and_what_they_cut_is_told(name: str) -> None:
    found = solved({**COMPONENTS[name], **TIGHT})
    billed = billed_equilibrium(found)
    assert billed.converged
    for response, flow in zip(billed.answer.responses, billed.answer.flows, strict=True):
        assert response.outcome.net_load_kw[flow.frequency > 0].min() >= -0.4 - 1e-9
    told = found.equilibrium.envelopes  # at the rates that households decide by
    assert billed.envelopes == told
    assert market_equilibrium(found).envelopes == told
    assert max(row.curtailed_kwh for row in told) > 1.0
    solar = found.economy.types[-1].pv_kw.any() or found.economy.types[1].pv_kw.any()
    assert solar
    spilt = billed.curtailed_kwh_per_household_day
    assert sum(row.share * row.curtailed_kwh for row in told) == pytest.approx(spilt, abs=1e-9)


def test_the_day_s_peak_as_a_state_is_refused_within_limits(capsys: pytest.CaptureFixture[str]) -> None:
    sets = [word for key, value in {**STATE, **TIGHT}.items() for word in ("--set", f"{key}={value}")]
    assert main(["solve", "textbook", "--tariff", "flat", *sets]) == 2
    said = capsys.readouterr().err
    assert "demand_charge.decision = state carries the day's largest import through plans without limits" in said
    assert "give ex_ante or ignored, or leave out the envelopes" in said
    assert said.count("\n") == 1


def test_a_market_bills_components_of_homes_within_limits(capsys: pytest.CaptureFixture[str]) -> None:
    changes = {**COMPONENTS["minimum"], **TIGHT, "battery_levels": 4}
    sets = [word for key, value in changes.items() for word in ("--set", f"{key}={value}")]
    run = ["simulate", "textbook", "--tariff", "flat", "--households", "40", "--days", "2", *sets, "--json"]
    assert main(run) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["envelopes"][0]["curtailed_kwh_per_household_day"] > 1.0
    assert result["curtailed_kwh_per_household_day"] > 1.0
    assert np.min(result["net_load_kw"]) >= -0.4
