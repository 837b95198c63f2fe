"""Operating envelopes in equilibrium, market and results: limits hold, prices stay unique, all that is cut is told."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plain_game import respond

from meanwatt.analysis.cli import main
from meanwatt.analysis.dashboard.shared.own_scenarios import own_scenario
from meanwatt.analysis.finite_game.deviation import finite_exploitability_usd_per_day
from meanwatt.analysis.hosting.adoption import Swept
from meanwatt.analysis.hosting.placements import type_counts
from meanwatt.analysis.hosting.sweep import HostingPlan, Neighbourhood, scenario_at
from meanwatt.analysis.output.export import game_arrays
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.certificates import agreement
from meanwatt.model.mean_field.derivatives.population_sensitivity import net_load_slope
from meanwatt.model.mean_field.envelope_levels import hours_too_coarse
from meanwatt.model.mean_field.envelope_outcome import by_envelope, envelope_sentences
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.mean_field.population.population_response import population_response
from meanwatt.model.mean_field.population.type_stack import stack_types
from meanwatt.model.network.feeder_file import scenario_feeder
from meanwatt.model.network.located_economy import build_located_economy
from meanwatt.model.network.residents import place_residents, places_of_buses
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import build_rate_classes
from meanwatt.model.scenario.loading import Scenario, load_scenario

SMALL: dict[str, Any] = {"battery_levels": 4}
LINE = {"feeder.name": "textbook_line_5"}
EVERYBODY = {"feeder.envelopes.all.export_limit_kw": 0.4, "feeder.envelopes.all.import_limit_kw": 1.1}


def town(tariff: str = "rtp", **changes: Any) -> Scenario:
    return load_scenario("textbook", overrides={**SMALL, **changes}, tariff=tariff)


def solved(scenario: Scenario) -> Equilibrium:
    return solve_equilibrium(build_located_economy(scenario), build_rate_classes(scenario), certify=False)


@cache
def limited() -> Equilibrium:
    """Everybody within limits, at the real-time price, with a battery whose steps are smaller than these."""
    return solved(town(**EVERYBODY, battery_levels=16))


def split_line() -> dict[str, Any]:
    """Two envelopes on the five-bus line: one on a bus, one on whom no other names."""
    buses = scenario_feeder(town(**LINE).feeder, peak_reference_kw=1.0)
    last = buses.buses[int(np.flatnonzero(buses.customers)[-1])]
    return {
        **LINE,
        "feeder.envelopes.end": {"buses": [last], "export_limit_kw": 0.2},
        "feeder.envelopes.others": {"import_limit_kw": {"typical": [1.5] * 12 + [2.0] * 12}},
    }


def test_wide_limits_change_no_price() -> None:
    plain, wide = solved(town()), solved(town(**{"feeder.envelopes.all.export_limit_kw": 1e6}))
    assert np.array_equal(plain.wholesale_usd_per_kwh, wide.wholesale_usd_per_kwh)
    assert np.array_equal(plain.bill_usd_per_day, wide.bill_usd_per_day)
    assert "feeder.envelopes.all: its limits change nothing" in " ".join(wide.messages)


def test_energy_that_is_only_rounding_is_told_as_none() -> None:
    (row,) = by_envelope(limited().envelopes)
    assert row.curtailed_kwh > 1e-3
    (said,) = envelope_sentences([replace(row, held_back_kwh=2.3e-20, violation_kwh=0.0)])
    assert "are curtailed and 0 kWh of load held back;" in said
    (said,) = envelope_sentences([replace(row, held_back_kwh=0.0123, violation_kwh=0.0)])
    assert "and 0.0123 kWh of load held back;" in said


def test_no_household_passes_its_limits_in_any_state_that_occurs() -> None:
    found = limited()
    assert found.converged
    for household, response, flow in zip(found.economy.types, found.answer.responses, found.answer.flows, strict=True):
        net = response.outcome.net_load_kw[flow.frequency > 0]
        assert net.min() >= -0.4 - 1e-9
        if household.battery is not None:  # whose battery covers what is above the limit
            assert net.max() <= 1.1 + 1e-9


def test_what_cannot_be_cut_passes_the_meter_and_is_told() -> None:
    """Without flexibility and battery: exactly the fixed load above the limit, and the sun above it and load."""
    none = {"elasticity": 0.0, "battery_share_scale": 0.0}
    found = solved(town("flat", **none, **EVERYBODY))
    economy, hours = found.economy, found.economy.slot_hours
    chance = economy.common.probability[:, None, None] * economy.shock_probability
    missed = spilt = 0.0
    for household in economy.types:
        load = household.reference_kw[:, :, None] * economy.shock_levels
        net = load - household.pv_kw[:, :, None]
        missed += household.share * hours * float((chance * np.maximum(net - 1.1, 0)).sum())
        spilt += household.share * hours * float((chance * np.maximum(-0.4 - net, 0)).sum())
    assert missed > 0
    assert spilt > 0
    (row,) = by_envelope(found.envelopes)
    assert row.share == pytest.approx(1)
    assert row.violation_kwh == pytest.approx(missed)
    assert row.curtailed_kwh == pytest.approx(spilt)
    assert row.held_back_kwh == 0
    assert found.curtailed_kwh_per_household_day == pytest.approx(spilt)
    said = " ".join(found.messages)
    assert "feeder.envelopes.all: the limits do not hold all that cannot be cut" in said
    assert f"{missed:.3g} kWh per household-day pass the meter beyond them; give a higher import_limit_kw" in said
    assert "pv.curtailable = true" not in said  # it is the limit that curtails


def test_a_tighter_limit_curtails_more_and_every_export_limit_is_kept() -> None:
    loose, tight = (
        by_envelope(solved(town(**{"feeder.envelopes.all.export_limit_kw": limit})).envelopes)[0] for limit in (1, 0)
    )
    assert 0 < loose.curtailed_kwh < tight.curtailed_kwh
    assert loose.violation_kwh == tight.violation_kwh == 0  # curtailing keeps every export limit
    assert tight.export_hours > loose.export_hours > 0


def test_the_price_within_limits_is_unique_by_theorem_u_and_random_starts_find_it() -> None:
    found = limited()
    assert found.uniqueness == "unique by Theorem U"
    said = agreement(found.economy, found.tariff, found.answer, Watch(), 3)
    assert said.startswith("3 random starts agree to ")
    assert float(said.split()[5]) < 1e-6


def test_the_derivative_within_limits_is_that_of_finite_differences_and_symmetric() -> None:
    found = limited()
    slope = net_load_slope(found.economy, found.tariff, found.answer)
    size = found.wholesale_usd_per_kwh.size
    assert np.allclose(slope, slope.T, atol=1e-7 * np.abs(slope).max())  # one probability for both day types
    rng, step = np.random.default_rng(0), 1e-6
    way = rng.normal(size=found.wholesale_usd_per_kwh.shape)
    ends = [
        population_response(
            found.economy, found.tariff, found.wholesale_usd_per_kwh + sign * step * way, 0.0, start=found.answer
        )
        for sign in (1, -1)
    ]
    moved = (ends[0].net_load_kw - ends[1].net_load_kw) / (2 * step)
    assert moved.ravel() == pytest.approx(slope @ way.reshape(size), rel=1e-3, abs=1e-3 * np.abs(moved).max())


def test_exploitability_stays_within_the_softmax_bound() -> None:
    found = limited()
    assert 0 <= found.exploitability_usd_per_household_day <= found.softmax_bound_usd_per_household_day


def test_a_price_that_rests_at_zero_clears_within_limits_too() -> None:
    """So much sun that a kWh sold earns nothing at noon: households part, some of them at the limit."""
    sunny = {"pv_scale": 3.0, "pv_share_scale": 2.5, "supply.coefficients": [-0.02, 0.1], "battery_share_scale": 0.0}
    found = solved(town(**sunny, **{"feeder.envelopes.all.export_limit_kw": 0.8}))
    assert found.converged
    assert found.exploitability_usd_per_household_day <= 1e-8
    assert (np.abs(found.rates.export_usd_per_kwh) < 1e-7).any()
    least = np.inf
    for response, flow in zip(found.answer.responses, found.answer.flows, strict=True):
        plans = response.outcome.plans
        lived = (flow.frequency > 0)[..., None] & (plans.share > 0)
        least = min(least, float(plans.net_load_kw[lived].min()))
    assert least == pytest.approx(-0.8, abs=1e-9)
    (row,) = by_envelope(found.envelopes)
    assert 0 < row.curtailed_kwh < found.curtailed_kwh_per_household_day  # the rest is curtailed at a rate of zero


def test_households_under_an_envelope_are_types_of_their_own_and_live_there() -> None:
    scenario = town(**split_line())
    economy = build_located_economy(scenario)
    feeder = scenario_feeder(scenario.feeder, peak_reference_kw=economy.peak_reference_kw)
    places, of_bus = places_of_buses(scenario, feeder)
    assert set(places) == {("", "end"), ("", "others")}
    assert economy.type_share.sum() == pytest.approx(1)
    for household, row in zip(economy.types, place_residents(scenario, economy.types, feeder).share, strict=True):
        assert {places[number] for number in of_bus[row > 0].tolist()} == {household.place}
    others = next(one.envelope for one in economy.types if one.place[1] == "others")
    assert others is not None
    assert sorted(set(others.import_limit_kw.ravel().tolist())) == [1.5, 2.0]
    assert np.isinf(others.export_limit_kw).all()
    assert "7 household types under 2 envelopes (end, others) are 14 types" in " ".join(solved(scenario).messages)


def test_hosting_counts_every_home_under_its_envelope() -> None:
    scenario = town("flat", **split_line(), **{"income_groups.low.pv_kw": 3})
    feeder = scenario_feeder(scenario.feeder, peak_reference_kw=1.0)
    plan = HostingPlan(feeder=feeder, scenarios={"flat": scenario}, levels=(0.0, 1.0), placements=1, key=3)
    grown = scenario_at(scenario, Swept.SOLAR, 0.5)
    economy, (places, of_bus) = build_located_economy(grown), places_of_buses(scenario, feeder)
    (homes,) = Neighbourhood(plan).placements
    count = type_counts(homes, grown, economy.types, len(feeder.buses), (places, of_bus))
    assert count.sum(axis=0).tolist() == feeder.customers.tolist()
    for row, household in zip(count, economy.types, strict=True):
        assert {places[number] for number in of_bus[row > 0].tolist()} <= {household.place}


def test_hosting_says_that_homes_keep_within_limits(capsys: pytest.CaptureFixture[str]) -> None:
    limit = ["--set", "feeder.envelopes.all.export_limit_kw=0.5", "--set", "battery_levels=4"]
    assert main(["hosting", "lv_rural", "textbook", "--step", "1", "--placements", "1", "--json", *limit]) == 0
    said = " ".join(json.loads(capsys.readouterr().out)["messages"])
    assert "feeder.envelopes (all): homes keep within these limits at every level" in said


def test_no_home_of_a_market_passes_its_limits() -> None:
    found = limited()
    market = ProsumerMarket(found.economy, policies=found, households=300, rng=1, power_flow=False)
    market.step()
    met = market.population.energy_kwh / found.economy.slot_hours
    assert met.min() == pytest.approx(-0.4, abs=1e-6)
    batteries = [k for k, one in enumerate(found.economy.types) if one.battery is not None]
    ids = np.isin(market.population.type_index, batteries)
    assert ids.any()
    assert met[ids].max() <= 1.1 + 1e-6
    assert "feeder.envelopes: 7 household types" in " ".join(market.messages)


def test_households_that_believe_their_own_prices_keep_within_their_limits() -> None:
    found = limited()
    market = ProsumerMarket(found.economy, policies=found, households=200, rng=1, power_flow=False, behaviour="belief")
    for _ in range(2):
        market.step()
        assert market.population.energy_kwh.min() / found.economy.slot_hours >= -0.4 - 1e-6


def test_a_leader_designs_for_households_within_limits_and_tells_the_gap(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--set", "battery_levels=4", "--set", "feeder.envelopes.all.export_limit_kw=1", "--evaluations", "2"]
    main(["design", "textbook", "--leader", "commission", *given, "--json"])
    result = json.loads(capsys.readouterr().out)
    for side in (result, result["baseline"]):
        assert side["metrics"]["efficiency_gap_usd_per_household_day"] >= -1e-5
    assert result["objective"] >= result["baseline"]["objective"] - 1e-9
    assert "No objective among cold households: feeder.envelopes are held at the" in " ".join(result["messages"])


def test_choices_within_limits_follow_from_the_exported_rewards_less_what_is_barred() -> None:
    """Backward induction in plain numpy; without what is barred it finds other choices."""
    game = game_arrays(limited())
    within = {**game, "reward": game["reward"] - game["barred_usd"]}
    stored = np.flatnonzero(game["levels"] > 1).tolist()
    assert (game["barred_usd"] > 0).any()
    for kind in stored:
        lived = np.s_[:, :, : game["levels"][kind]]
        policy = respond(within, kind, float(game["temperature"]))[1]
        np.testing.assert_allclose(policy[lived], game["policy"][kind][lived], rtol=0, atol=1e-6)
    assert np.abs(respond(game, stored[0], float(game["temperature"]))[1] - game["policy"][stored[0]]).max() > 0.1
    assert "barred_usd" not in game_arrays(solved(town()))


def test_levels_too_coarse_for_a_limit_are_told_and_finer_ones_are_not() -> None:
    """Half a kilowatt-hour of charging fits where five do not; the hours are counted by a plain loop."""
    hours = {}
    for levels in (4, 61):
        found = solved(town(**{"feeder.envelopes.all.import_limit_kw": 1.2}, battery_levels=levels))
        told = [one for one in found.messages if "does not fit into it" in one]
        hours[levels] = hours_too_coarse(found.economy, found.answer, _with_battery(found))[0]
        assert len(told) == (1 if hours[levels] > 1 else 0)
        if told:
            assert told[0].startswith("feeder.envelopes.all.import_limit_kw: in ")
            assert told[0].endswith("so batteries stand still where less would fit; give more battery_levels.")
    coarse = solved(town(**{"feeder.envelopes.all.import_limit_kw": 1.2}, battery_levels=4))
    economy, counted = coarse.economy, 0.0
    household = economy.types[_with_battery(coarse)]
    assert household.battery is not None
    step_kw = household.battery.level_kwh / household.battery.charge_efficiency / economy.slot_hours
    for slot in range(household.reference_kw.shape[1]):
        for shock, chance in zip(economy.shock_levels, economy.shock_probability, strict=True):
            least = household.reference_kw[0, slot] * shock * (1 - household.flexibility)
            rest = least - household.pv_kw[0, slot]
            counted += chance * economy.slot_hours * bool(rest <= 1.2 < rest + step_kw)
    assert hours[4] == pytest.approx(counted)
    assert hours[61] < 1 < hours[4]


def _with_battery(found: Equilibrium) -> int:
    return next(k for k, one in enumerate(found.economy.types) if one.battery is not None)


def test_who_cannot_hold_limits_says_so_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = limited()
    for refused, said in (
        (lambda: finite_exploitability_usd_per_day(found, 10), "is not held to feeder.envelopes here"),
        (lambda: stack_types(found.economy), "feeder.envelopes are held at a temperature above 0"),
        (
            lambda: ProsumerMarket(found.economy, policies=found, households=30, rng=1, behaviour="passive"),
            "behaviour passive knows nothing of feeder.envelopes; give equilibrium or belief, who plan within them, or",
        ),
    ):
        with pytest.raises(ValueError, match=said) as error:
            refused()
        assert "\n" not in str(error.value)
    path = tmp_path / "own.toml"
    path.write_text('extends = "textbook"\n[feeder.envelopes.all]\nexport_limit_kw = 1\n')
    with pytest.raises(ValueError, match=r"own has feeder\.envelopes \(all\), which only solve, simulate"):
        own_scenario(str(path), None)
    limit = ["--set", "feeder.envelopes.all.export_limit_kw=1"]
    assert main(["impacts", "flat", "tou", "textbook", *limit]) == 2
    err = capsys.readouterr().err
    assert "has feeder.envelopes (all), which only solve, simulate, pilot, practice, adoption, flow" in err
    assert err.count("\n") == 1
    assert main(["design", "textbook", *limit, "--leader", "commission", "--anneal"]) == 2
    assert "--anneal lowers the temperature to 0, and feeder.envelopes are held" in capsys.readouterr().err
    assert main(["validate", "textbook", *limit, "--checks", "exploitability", "--households", "30"]) == 2
    assert "--checks exploitability is none of a scenario with feeder.envelopes" in capsys.readouterr().err


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({"all": {"buses": ["2"]}}, "feeder.envelopes.all has neither import_limit_kw nor export_limit_kw"),
    "both": ({"all": {"buses": ["2"], "branch": "far", "export_limit_kw": 1}}, "has buses and branch; leave one out"),
    "branch": ({"all": {"branch": "far", "export_limit_kw": 1}}, "the scenario has no feeder.branches; give buses"),
    "negative": ({"all": {"export_limit_kw": -1}}, "export_limit_kw is -1; give a number from 0 to 1000000 kW"),
    "word": ({"all": {"export_limit_kw": "small"}}, "export_limit_kw is 'small'"),
    "length": ({"all": {"export_limit_kw": [1, 2]}}, "feeder.envelopes.all.export_limit_kw has 2 entries; give 24"),
    "day": ({"all": {"export_limit_kw": {"sunny": 1}}}, "export_limit_kw: unknown name 'sunny'; give one of typical"),
    "twice": (
        {"a": {"export_limit_kw": 1}, "b": {"import_limit_kw": 1}},
        "feeder.envelopes.b and feeder.envelopes.a both hold whom no other envelope names; give buses, each once",
    ),
    "bus": ({"all": {"buses": ["99"], "export_limit_kw": 1}}, "has no bus '99'"),
    "nowhere": ({"all": {"buses": [], "export_limit_kw": 1}}, "all.buses is an empty list; name a bus, or leave it"),
    "again": ({"all": {"buses": ["2", "2"], "export_limit_kw": 1}}, "all.buses has a bus twice; give each once"),
    "name": ({"none": {"export_limit_kw": 1}}, "feeder.envelopes.none: that is what messages call whom no envelope"),
    "empty": ({"all": {"buses": ["substation"], "export_limit_kw": 1}}, "feeder.envelopes.all has no customers on"),
}


@pytest.mark.parametrize(("envelopes", "said"), REFUSED.values(), ids=REFUSED)
def test_envelopes_that_make_no_sense_are_refused_in_a_line(envelopes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=r"^scenario |^feeder ") as error:
        build_located_economy(town(**LINE, **{"feeder.envelopes": envelopes}))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pv.curtailable": False}, "export_limit_kw is kept by curtailing, and pv.curtailable is false"),
        ({"temperature_usd": 0}, "are held at a temperature above 0, and temperature_usd is 0"),
    ],
)
def test_what_the_limits_need_is_asked_for_in_a_line(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=r"^scenario ") as error:
        town(**EVERYBODY, **changes)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_solve_and_simulate_print_what_envelopes_do(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["textbook", "--tariff", "rtp", "--set", "battery_levels=4"]
    given += ["--set", "feeder.envelopes.all={ export_limit_kw = 0.4, import_limit_kw = 1.1 }", "--json"]
    assert main(["solve", *given, "--certify", "none"]) == 0
    result = json.loads(capsys.readouterr().out)
    (row,) = result["envelopes"]
    assert [one["income"] for one in row["groups"]] == ["low", "middle", "high"]
    mean = sum(one["share"] * one["curtailed_kwh_per_household_day"] for one in row["groups"])
    assert row["curtailed_kwh_per_household_day"] == pytest.approx(mean)
    assert row["groups"][0]["curtailed_share_of_solar"] is None
    assert {one["envelope"] for one in result["groups"]} == {"all"}
    assert result["envelope_violation_kwh_per_household_day"] == pytest.approx(row["violation_kwh_per_household_day"])
    assert main(["simulate", *given, "--households", "50", "--days", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["envelopes"] == result["envelopes"]
