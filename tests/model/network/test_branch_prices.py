"""Adders on branches of the feeder: nobody's where they are 0, everybody's where they are equal, money kept."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from family_files import families_of

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.analysis.cli import main
from meanwatt.analysis.dashboard.shared.own_scenarios import own_scenario
from meanwatt.analysis.design.design import tariff_table
from meanwatt.analysis.hosting.adoption import Swept
from meanwatt.analysis.hosting.placements import type_counts
from meanwatt.analysis.hosting.sweep import HostingPlan, Neighbourhood, scenario_at
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.mean_field.first_best import solve_first_best
from meanwatt.model.mean_field.leader.equilibrium_tangent import equilibrium_tangent, predicted
from meanwatt.model.network.feeder_file import scenario_feeder
from meanwatt.model.network.located_economy import build_located_economy
from meanwatt.model.network.residents import branch_of_bus, places_of_buses
from meanwatt.model.scenario.economy import Economy, build_economy, build_rate_classes, tariff_of_table
from meanwatt.model.scenario.family_file import FamilyError
from meanwatt.model.scenario.loading import Scenario, load_scenario
from meanwatt.model.scenario.tariff_file import TariffTable

SMALL: dict[str, Any] = {"feeder.name": "lv_rural", "battery_levels": 4}
FAR = {"feeder.branches": {"far": ["1-12", "2-12"], "end": "1-18"}}
FINE: dict[str, Any] = {"certify": False, "tolerance_usd_per_kwh": 1e-10}
ADDER = "tariff.branch_adder_usd_per_kwh"


def town(tariff: str = "flat", **changes: Any) -> Scenario:
    return load_scenario("textbook", overrides={**SMALL, **FAR, **changes}, tariff=tariff)


@cache
def plain(tariff: str, energy: float | None = None, credit: float = 0.04) -> Equilibrium:
    changes = {**SMALL} if energy is None else {**SMALL, **uniform(energy, credit)}
    scenario = load_scenario("textbook", overrides=changes, tariff=tariff)
    return solve_equilibrium(build_economy(scenario), build_rate_classes(scenario), **FINE)


def uniform(energy: float, credit: float) -> dict[str, Any]:
    return {
        "tariff.energy_usd_per_kwh": energy,
        "tariff.export": {"rule": "net_billing", "usd_per_kwh": credit},
    }


def solved(scenario: Scenario) -> Equilibrium:
    return solve_equilibrium(build_located_economy(scenario), build_rate_classes(scenario), **FINE)


def by_group(found: Equilibrium, values: Floats) -> Floats:
    """Sums over household types of each income group and technology, weighted by their shares."""
    keys = sorted({(one.group, one.technology) for one in found.economy.types})
    place = [keys.index((one.group, one.technology)) for one in found.economy.types]
    return np.bincount(place, weights=found.economy.type_share * values)


def require_same(found: Equilibrium, other: Equilibrium) -> None:
    assert np.allclose(found.wholesale_usd_per_kwh, other.wholesale_usd_per_kwh, atol=1e-8)
    assert np.allclose(found.net_load_kw, other.net_load_kw, atol=1e-7)
    assert by_group(found, found.bill_usd_per_day) == pytest.approx(by_group(other, other.bill_usd_per_day), abs=1e-7)


@pytest.mark.parametrize("tariff", ["flat", "rtp"])
def test_an_adder_of_zero_everywhere_changes_nothing(tariff: str) -> None:
    found = solved(town(tariff, **{f"{ADDER}.rest": 0.0, f"{ADDER}.far": 0.0, f"{ADDER}.end": 0.0}))
    assert len(found.tariff.classes) == 3
    require_same(found, plain(tariff))
    assert found.adder_usd_per_kwh == pytest.approx(plain(tariff).adder_usd_per_kwh, abs=1e-7)


def test_branches_without_adders_change_nothing_either() -> None:
    found = solved(town())
    assert found.tariff.classes == ()
    assert len(found.economy.types) == 3 * len(plain("flat").economy.types)
    assert found.economy.type_share.sum() == pytest.approx(1)
    require_same(found, plain("flat"))
    assert "7 household types on 3 branches (rest, far, end) are 21 types" in " ".join(found.messages)


def test_equal_adders_on_all_branches_are_a_uniform_adder() -> None:
    equal = {f"{ADDER}.{name}": 0.03 for name in ("rest", "far", "end")}
    found = solved(town("flat", **uniform(0.1, 0.04), **equal))
    require_same(found, plain("flat", 0.13, 0.07))
    # volumetric recovery gives back what the adder takes: imports cost what they did without it
    assert found.adder_usd_per_kwh == pytest.approx(plain("flat", 0.1, 0.07).adder_usd_per_kwh - 0.03, abs=1e-6)


def test_households_use_less_where_it_costs_more_and_money_is_kept() -> None:
    found = solved(town("flat", **uniform(0.1, 0.04), **{f"{ADDER}.far": 0.05}))
    even = plain("flat", 0.1, 0.04)
    rates = {
        one.name: rate.import_usd_per_kwh for one, rate in zip(found.tariff.classes, found.rates.by_class, strict=True)
    }
    assert np.allclose(rates["far"] - rates["rest"], 0.05)
    assert np.allclose(rates["end"], rates["rest"])
    load = {
        (one.income_group, one.technology, one.branch): row.mean()
        for one, row in zip(found.economy.types, found.type_net_load_kw, strict=True)
    }
    for income, technology, branch in load:
        if branch == "far" and technology == "none":
            assert load[income, technology, "far"] < load[income, technology, "rest"] - 1e-4
            assert load[income, technology, "end"] == pytest.approx(load[income, technology, "rest"])
    # one balance for the utility: what far households pay more the others pay less
    assert found.adder_usd_per_kwh < even.adder_usd_per_kwh
    economy = found.economy
    cost = economy.fixed_cost_usd_per_day + float(
        (economy.common.probability @ (found.wholesale_usd_per_kwh * found.net_load_kw)).sum() * economy.slot_hours
    )
    assert float(economy.type_share @ found.bill_usd_per_day) == pytest.approx(cost, abs=1e-6)


def test_the_first_best_knows_no_branches() -> None:
    scenario = load_scenario("textbook", overrides=SMALL)
    whole, divided = solve_first_best(build_economy(scenario)), solve_first_best(build_located_economy(town()))
    gap = whole.duality_gap_usd + divided.duality_gap_usd
    assert divided.welfare_usd_per_household_day == pytest.approx(whole.welfare_usd_per_household_day, abs=gap + 1e-9)


def test_every_home_pays_the_rates_of_the_branch_it_stands_on() -> None:
    scenario = town("flat", **{"tariff.recovery": "posted"}, **uniform(0.1, 0.04), **{f"{ADDER}.far": 0.05})
    economy = build_located_economy(scenario)
    market = ProsumerMarket(
        economy, tariff=build_rate_classes(scenario), households=120, behaviour="passive", rng=1, power_flow=False
    )
    market.step()
    of_bus = branch_of_bus(scenario, market.feeder)
    names = ("rest", "far", "end")
    for kind, household in enumerate(economy.types):
        here = market.population.bus[market.population.of_type(kind)]
        assert {names[number] for number in of_bus[here].tolist()} <= {household.branch}
    record = market.history[0]
    adder = np.array([0.05 if household.branch == "far" else 0.0 for household in economy.types])
    expected = (0.1 + adder) * record.imported_kwh - (0.04 + adder) * record.exported_kwh
    assert record.bill_usd == pytest.approx(expected, abs=1e-6)
    assert record.account.revenue_usd == pytest.approx(float(record.bill_usd.sum()))


def test_a_branch_reaches_as_far_as_the_next_one_behind() -> None:
    scenario = town()
    feeder = scenario_feeder(scenario.feeder, peak_reference_kw=1.0)
    of_bus = dict(zip(feeder.buses, branch_of_bus(scenario, feeder).tolist(), strict=True))
    assert [of_bus[bus] for bus in ("grid", "1-10", "1-12", "1-12a", "1-17", "1-18", "1-21a")] == [0, 0, 1, 1, 1, 2, 2]
    assert [of_bus[bus] for bus in ("2-10", "2-12", "2-17", "3-14")] == [0, 1, 1, 0]


def test_classes_on_branches_are_classes_of_their_own() -> None:
    solar = {"rate_classes": {"solar": {"tariff": "tou", "technologies": ["pv", "pv_battery"]}}}
    adders = {"tariffs.tou.branch_adder_usd_per_kwh.far": 0.1, "tariffs.flat.branch_adder_usd_per_kwh.end": 0.2}
    scenario = load_scenario("textbook", overrides={**SMALL, **FAR, **solar, "default_tariff": "flat"})
    scenario = load_scenario(scenario, overrides=adders)
    scenario = load_scenario(scenario, overrides={"rate_classes_in_force": True})
    tariff = build_rate_classes(scenario)
    names = [f"{name} on {branch}" for name in ("default", "solar") for branch in ("rest", "far", "end")]
    assert [one.name for one in tariff.classes] == names
    economy = build_located_economy(scenario)
    for household in economy.types:
        own = "solar" if household.technology.startswith("pv") else "default"
        assert names[tariff.class_index(household)] == f"{own} on {household.branch}"


FAMILY = """
[free]
energy_usd_per_kwh = [0.05, 0.3]
"branch_adder_usd_per_kwh.far" = [-0.1, 0.2]
"branch_adder_usd_per_kwh.end.typical" = [-0.2, 0.0]
"""


def family_economy() -> Economy:
    return build_located_economy(town("flat", **uniform(0.1, 0.04)))


def test_adders_are_free_parameters_of_a_family_within_their_bounds() -> None:
    economy = family_economy()
    family = families_of(economy, FAMILY)
    member = family.first.tariff(np.array([0.2, 0.5, -0.1]))
    rest, far, end = member.class_tariffs
    assert np.allclose(rest.energy_usd_per_kwh, 0.2)
    assert np.allclose(far.energy_usd_per_kwh, 0.2 + 0.2)  # clipped to the bound
    assert np.allclose(far.export_usd_per_kwh, 0.04 + 0.2)
    assert np.allclose(end.energy_usd_per_kwh, 0.2 - 0.1)
    saved = TariffTable.model_validate(tariff_table(member, economy))
    again = tariff_of_table(economy.scenario, "again", saved)
    assert [one.branch for one in again.classes] == ["rest", "far", "end"]
    for mine, theirs in zip(member.class_tariffs, again.class_tariffs, strict=True):
        assert np.allclose(mine.energy_usd_per_kwh, theirs.energy_usd_per_kwh, atol=1e-11)
        assert np.allclose(mine.export_usd_per_kwh, theirs.export_usd_per_kwh, atol=1e-11)


def test_the_equilibrium_moves_with_an_adder_as_its_derivative_says() -> None:
    economy = family_economy()
    family = families_of(economy, '[free]\n"branch_adder_usd_per_kwh.far" = [-0.1, 0.2]\n').first

    def at(unit: Floats) -> Tariff:
        return family.tariff(family.at(unit))

    here, step = np.array([0.4]), 1e-4
    found = solve_equilibrium(economy, at(here), **FINE)
    ahead = predicted(found, equilibrium_tangent(found, at, here), np.array([1.0]))
    up, down = (solve_equilibrium(economy, at(here + sign * step), start=found, **FINE) for sign in (1, -1))
    slope = (up.net_load_kw - down.net_load_kw) / (2 * step)
    told = ahead.net_load_kw - found.net_load_kw
    assert np.abs(slope).max() > 1e-4
    assert np.abs(slope - told).max() < 1e-3 * np.abs(slope).max() + 1e-6
    bills = (up.bill_usd_per_day - down.bill_usd_per_day) / (2 * step)
    assert np.abs(bills - (ahead.bill_usd_per_day - found.bill_usd_per_day)).max() < 1e-3 * np.abs(bills).max()


def test_windows_and_adders_are_not_searched_together() -> None:
    economy = build_located_economy(town("flat", **{f"{ADDER}.far": 0.1}))
    with pytest.raises(FamilyError, match="windows are given and the tariff of class default has branch_adder"):
        families_of(
            economy,
            "[free]\nenergy_usd_per_kwh.peak = [0.0, 1.0]\nenergy_usd_per_kwh.base = [0.0, 1.0]\n"
            "[windows]\npeak = { start = [15, 19], width = 3 }\n",
        )


def test_hosting_counts_every_home_on_its_branch() -> None:
    scenario = town("flat", **{f"{ADDER}.far": 0.1, "income_groups.low.pv_kw": 3})
    feeder = scenario_feeder(scenario.feeder, peak_reference_kw=1.0)
    plan = HostingPlan(feeder=feeder, scenarios={"flat": scenario}, levels=(0.0, 0.5, 1.0), placements=2, key=3)
    of_bus = branch_of_bus(scenario, feeder)
    grown = scenario_at(scenario, Swept.SOLAR, 0.5)
    economy = build_located_economy(grown)
    for homes in Neighbourhood(plan).placements:
        count = type_counts(homes, grown, economy.types, len(feeder.buses), places_of_buses(scenario, feeder))
        assert count.sum(axis=0).tolist() == feeder.customers.tolist()
        for row, household in zip(count, economy.types, strict=True):
            assert set(of_bus[row > 0].tolist()) <= {("rest", "far", "end").index(household.branch)}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "rest": ({"feeder.branches": {"rest": "1-12"}}, "feeder.branches.rest: that is whom no other branch names"),
    "twice": (
        {"feeder.branches": {"a": "1-12", "b": ["1-12"]}},
        "feeder.branches.b and feeder.branches.a both begin at bus 1-12",
    ),
    "many": (
        {"feeder.branches": {f"b{number}": f"1-{number:02d}" for number in range(21)}},
        "feeder.branches has 21 entries; give at most 20",
    ),
    "none": ({"feeder.branches": {"a": []}}, "feeder.branches.a is []; give a bus"),
    "bus": ({"feeder.branches": {"a": "1-99"}}, "feeder 'lv_rural' has no bus '1-99'; did you mean"),
    "all": ({"feeder.branches": {"a": "grid"}}, "feeder.branches hold every customer of lv_rural"),
    "nobody": (
        {"feeder.branches": {"a": "grid", "b": ["1-01", "2-01", "3-01", "4-01"]}},
        "feeder.branches hold every customer",
    ),
    "adder": ({**FAR, f"{ADDER}.fax": 0.1}, "tariffs.flat.branch_adder_usd_per_kwh: unknown branch 'fax'"),
    "without": ({f"{ADDER}.far": 0.1}, "tariffs.flat.branch_adder_usd_per_kwh.far: the scenario has no branches"),
    "number": ({**FAR, f"{ADDER}.far": "dear"}, "branch_adder_usd_per_kwh.far is 'dear'"),
    "range": ({**FAR, f"{ADDER}.far": 1e9}, "branch_adder_usd_per_kwh"),
    "periods": ({**FAR, f"{ADDER}.far": {"noon": 0.1}}, "branch_adder_usd_per_kwh.far"),
    "tiers": (
        {**FAR, f"{ADDER}.far": 0.1, "tariff.minimum_bill.usd_per_month": 5},
        "tariffs.flat has branch_adder_usd_per_kwh and minimum_bill",
    ),
}


@pytest.mark.parametrize(("changes", "said"), REFUSED.values(), ids=REFUSED)
def test_branches_that_make_no_sense_are_refused_in_a_line(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=r"^scenario |^feeder ") as error:
        build_located_economy(load_scenario("textbook", overrides={**SMALL, **changes}, tariff="flat"))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_commands_that_cannot_hold_branches_say_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    given = ["--set", "feeder.name=lv_rural", "--set", "feeder.branches.far=1-12"]
    path = tmp_path / "own.toml"
    path.write_text('extends = "textbook"\n[feeder]\nname = "lv_rural"\nbranches = { far = "1-12" }\n')
    assert list(own_scenario(str(path), None).feeder.branches) == ["far"], "the app holds them"
    assert main(["impacts", "flat", "tou", "textbook", *given]) == 2
    said = capsys.readouterr().err
    assert "has feeder.branches (far), which only solve, simulate, pilot, practice, flow, emergence" in said
    assert said.count("\n") == 1
    more = ["--set", "tariff.branch_adder_usd_per_kwh.far=0.02", "--set", "battery_levels=4"]
    assert main(["solve", "textbook", *given, *more, "--certify", "none", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in result["rate_classes"]] == ["rest", "far"]
    assert {row["branch"] for row in result["groups"]} == {"rest", "far"}
