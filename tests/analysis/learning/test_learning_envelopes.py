"""Leaders who learn among households within operating envelopes: limits hold under every tariff, wide ones are none."""

import json
from typing import Any

import numpy as np
import pytest

from meanwatt.analysis.cli import main
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.analysis.learning.environment import expected_reading
from meanwatt.analysis.learning.menus import solve_menu
from meanwatt.analysis.learning.meter import MeteredObjective
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.network.located_economy import build_located_economy
from meanwatt.model.scenario.economy import build_tariff
from meanwatt.model.scenario.loading import load_scenario

LEADS = "simulate textbook --set battery_levels=4 --households 60 --days 6 --leader commission --round-days 2"
TIGHT = {"feeder.envelopes.all.export_limit_kw": 0.3, "feeder.envelopes.all.import_limit_kw": 1.1}
COMMISSION = LeaderSpec(leader="commission")
WELFARE = LeaderSpec(leader="commission", weights={"equity": 0.0, "stability": 0.0})
PRINTED: dict[tuple[str, ...], dict[str, Any]] = {}


def led(capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    """What a leader's market prints under a menu of two tariffs."""
    if more not in PRINTED:
        sets = [word for one in more for word in ("--set", one)]
        assert main([*LEADS.split(), "--menu", "flat,rtp", *sets, "--json"]) == 0
        PRINTED[more] = json.loads(capsys.readouterr().out)
    return PRINTED[more]


def test_a_leader_posts_and_learns_the_same_where_no_limit_binds(capsys: pytest.CaptureFixture[str]) -> None:
    plain, wide = led(capsys), led(capsys, "feeder.envelopes.all.export_limit_kw=1000000")
    assert plain["leader"] == wide["leader"]
    assert plain["net_load_kw"] == wide["net_load_kw"]
    assert plain["envelopes"] == []
    assert wide["envelopes"][0]["curtailed_kwh_per_household_day"] == 0.0


def test_homes_of_a_leader_curtail_at_their_limit_and_it_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    plain, tight = led(capsys), led(capsys, *(f"{key}={value}" for key, value in TIGHT.items()))
    (row,) = tight["envelopes"]
    assert row["curtailed_kwh_per_household_day"] > 0.1
    assert tight["curtailed_kwh_per_household_day"] > plain["curtailed_kwh_per_household_day"]
    assert np.min(tight["net_load_kw"]) >= -0.3
    said = "feeder.envelopes: homes keep within them under every tariff; envelopes tells of that in force."
    assert said in tight["messages"]
    assert said not in plain["messages"]


def in_force(**changes: Any) -> Equilibrium:
    asked = load_scenario("textbook", overrides={"battery_levels": 4, **changes}, tariff="filed")
    return solve_equilibrium(build_located_economy(asked), build_tariff(asked), certify=False)


def test_types_under_several_wide_envelopes_are_worth_what_one_was() -> None:
    """Households under an envelope are types of their own, in the shares that live there: sums stay."""
    split = {
        "feeder.name": "textbook_line_5",
        "feeder.envelopes.end": {"buses": ["village"], "import_limit_kw": 1e6},
    }
    values = []
    for changes in ({}, split):
        found = in_force(**changes)
        names = ("flat", "rtp")
        menu = solve_menu(
            COMMISSION, [build_tariff(found.economy.scenario, name) for name in names], found, names=names
        )
        objective = MeteredObjective(found.economy, COMMISSION, expected_reading(found))
        metered = [objective.estimate(expected_reading(one)).score for one in menu.equilibria.values()]
        values.append([*menu.worth_usd.tolist(), *metered])
    assert len(found.economy.types) > len(in_force().economy.types)
    np.testing.assert_allclose(values[1], values[0], rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["rtp", "flat"])
def test_the_rule_of_a_half_brackets_welfare_within_limits(name: str) -> None:
    """Limits do not depend on rates, so what a household gains by them is still what it draws."""
    found = in_force(**TIGHT)
    menu = solve_menu(WELFARE, [build_tariff(found.economy.scenario, name)], found, names=(name,))
    ((choice, there),) = menu.equilibria.items()
    seen = MeteredObjective(found.economy, WELFARE, expected_reading(found)).estimate(expected_reading(there))
    gained = menu.worth_usd[choice] - WELFARE.objective()(found)
    assert 0 < seen.half_width < 0.02
    assert abs(seen.value - gained) <= seen.half_width


def test_a_leader_whose_tariff_has_prices_by_branch_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    branch = ["--set", "feeder.name=textbook_line_5", "--set", "feeder.branches.far=village"]
    adder = ["--set", "tariffs.rtp.branch_adder_usd_per_kwh.far=0.02"]
    said = "tariff rtp has branch_adder_usd_per_kwh, which only solve, simulate without --leader, flow"
    for command in ("simulate textbook --leader commission", "practice textbook", "pilot textbook --leader commission"):
        assert main([*command.split(), "--tariff", "rtp", *branch, *adder]) == 2
        told = capsys.readouterr().err
        assert said in told
        assert "leave it out: branches themselves are held here" in told
        assert told.count("\n") == 1
    assert main([*LEADS.split(), "--menu", "flat,rtp", *branch, *adder]) == 2
    assert said in capsys.readouterr().err
