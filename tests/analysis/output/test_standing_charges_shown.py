"""Charges that do not depend on use in results: JSON, tables, exported games, designs, and how one is added."""

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest
from pydantic import Field
from repository import ROOT
from scenarios import preset_economy, preset_tariff, solved

from meanwatt.agents.tariff.components.access_charge import AccessCharge
from meanwatt.analysis.cli import main
from meanwatt.analysis.design.design import design, design_messages
from meanwatt.analysis.environments.leader import LeaderEnv
from meanwatt.analysis.leader.leader_spec import LeaderSpec, leader_spec_of
from meanwatt.analysis.leader.registry import names
from meanwatt.analysis.learning.environment import expected_reading
from meanwatt.analysis.learning.menus import default_menu
from meanwatt.analysis.learning.meter import MeteredObjective
from meanwatt.analysis.output.export import game_arrays
from meanwatt.analysis.output.solution_json import group_rows, solution_tables, standing_revenue
from meanwatt.analysis.study.measure import measure
from meanwatt.analysis.study.task import Task
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.scenario import ranges, tariff_file
from meanwatt.model.scenario.loading import load_scenario
from meanwatt.model.scenario.tariff_file import TariffTable, charge_names

COARSE = "battery_levels=5"
CHARGED = (
    "tariff.access_charge.usd_per_pv_kw_day=0.05",
    "tariff.access_charge.usd_per_household_day={pv=0.1, pv_battery=0.2}",
)
PAID = {"pv": 4 * 0.05 + 0.1, "pv_battery": 4 * 0.05 + 0.2}
SET = " ".join(f"--set '{text}'" for text in (COARSE, *CHARGED))


def revenue_by_hand() -> float:
    return sum(t.share * PAID.get(t.technology, 0.0) for t in preset_economy("textbook", COARSE).types)


def test_solve_prints_the_part_of_every_bill_and_the_revenue(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(shlex.split(f"solve textbook --tariff tou --certify none --json {SET}")) == 0
    said = json.loads(capsys.readouterr().out)
    for row in said["groups"]:
        assert row["access_charge_usd_per_day"] == pytest.approx(PAID.get(row["technology"], 0.0))
        assert row["fixed_charge_usd_per_day"] == said["fixed_charge_usd_per_day"][row["income"]]
    assert said["access_charge_revenue_usd_per_household_day"] == pytest.approx(revenue_by_hand())
    assert main(shlex.split(f"solve textbook --tariff tou --certify none {SET}")) == 0
    row = rf"access charge, revenue\s+│ +{revenue_by_hand():.3f} │ +USD per household-day"
    assert re.search(row, capsys.readouterr().out)


def test_without_the_charge_its_numbers_are_zero() -> None:
    found = solved("textbook", "tou", COARSE)
    assert {row["access_charge_usd_per_day"] for row in group_rows(found)} == {0.0}
    assert standing_revenue(found) == {"access_charge_revenue_usd_per_household_day": 0.0}
    assert not game_arrays(found)["access_charge_usd_per_day"].any()


def test_exported_games_and_tables_hold_the_charge_by_type() -> None:
    found = solved("textbook", "tou", COARSE, *CHARGED)
    expected = [PAID.get(household.technology, 0.0) for household in found.economy.types]
    arrays, types = game_arrays(found), solution_tables(found)["types"]
    np.testing.assert_allclose(arrays["access_charge_usd_per_day"], expected)
    np.testing.assert_allclose(types["access_charge_usd_per_day"], expected)
    energy = found.answer.payment_usd_per_day
    standing = arrays["fixed_charge_usd_per_day"] + arrays["access_charge_usd_per_day"]
    np.testing.assert_allclose(365 * (energy + standing), types["bill_usd_per_year"], atol=1e-9)


def test_a_study_measures_the_revenue_of_the_charge() -> None:
    scenario = load_scenario("textbook", overrides=[COARSE, *CHARGED])
    row = measure(
        Task(
            number=0,
            identity="one",
            point=0,
            measure="solve",
            scenario_json=scenario.model_dump_json(),
            households=None,
            replication=None,
            seed=0,
            days=1,
            behaviour="equilibrium",
        )
    )
    assert row["access_charge_revenue_usd_per_household_day"] == pytest.approx(revenue_by_hand())


# --- leaders ---------------------------------------------------------------------------------------------------------


def test_a_design_keeps_the_charge_of_the_tariff_in_force_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    command = f"design textbook --leader commission --tariff tou --evaluations 4 --no-cold --json --out {out} {SET}"
    main(shlex.split(command))
    said = json.loads(capsys.readouterr().out)
    assert (
        "tariff.access_charge of tou is kept by every tariff tried; the search does not change it." in said["messages"]
    )
    assert said["tariff"]["access_charge"] == {
        "usd_per_pv_kw_day": 0.05,
        "usd_per_household_day": {"pv": 0.1, "pv_battery": 0.2},
    }
    assert said["metrics"]["surplus_usd_per_household_day"] == pytest.approx(0.0, abs=1e-9)
    assert main(["solve", "textbook", "--set", COARSE, "--tariff", str(out / "tariff.toml"), "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["metrics"]["burden_gap"] == pytest.approx(said["metrics"]["burden_gap"], abs=1e-8)
    assert [row["access_charge_usd_per_day"] for row in again["groups"]] == [
        row["access_charge_usd_per_day"] for row in said["groups"]
    ]


@pytest.mark.parametrize("name", names())
def test_every_leader_keeps_it(name: str) -> None:
    economy, in_force = preset_economy("textbook", COARSE), preset_tariff("textbook", "tou", *CHARGED)
    aims = leader_spec_of(economy, name)
    family = aims.family(economy, in_force)
    assert family.tariff(family.low).standing_charges == in_force.standing_charges
    found = design(economy, in_force, aims, evaluations_per_start=2)
    assert found.commitment is not None
    assert found.commitment.tariff.standing_charges == in_force.standing_charges
    kept = [said for said in design_messages(found, aims) if "is kept by every tariff tried" in said]
    assert kept == ["tariff.access_charge of tou is kept by every tariff tried; the search does not change it."]
    env = LeaderEnv(economy, leader=name, tariff=in_force)
    assert env.family.standing_charges == in_force.standing_charges


def test_a_posted_menu_keeps_it_too() -> None:
    economy, in_force = preset_economy("textbook", COARSE), preset_tariff("textbook", "tou", *CHARGED)
    menu = default_menu(economy, leader_spec_of(economy, "utility"), in_force)
    assert all(tariff.standing_charges == in_force.standing_charges for tariff in menu)


@pytest.mark.parametrize("name", ["commission", "nash"])
def test_what_the_charge_alone_changes_is_metered_as_it_is(name: str) -> None:
    """Between a tariff without and with the charge, posted, nobody moves, and nothing is estimated."""
    posted = "tariff.recovery=posted"
    old, new = solved("textbook", "tou", COARSE, posted), solved("textbook", "tou", COARSE, posted, *CHARGED)
    aims = LeaderSpec(leader=name)
    seen = MeteredObjective(old.economy, aims, expected_reading(old)).estimate(expected_reading(new))
    assert seen.half_width == pytest.approx(0.0, abs=1e-12)
    before = MeteredObjective(old.economy, aims, expected_reading(old)).estimate(expected_reading(old)).value
    gained = aims.objective()(new) - aims.objective()(old)
    assert abs(gained) > 1e-5
    exact = {"abs": 1e-12} if name == "commission" else {"rel": 0.02}  # Nash welfare: but for the worth of the use
    assert seen.value - before == pytest.approx(gained, **exact)


# --- adding one ------------------------------------------------------------------------------------------------------

PAGE = next((ROOT / "docs").rglob("extend_charge.md")).read_text(encoding="utf-8")
COMPONENT, TABLE, LINE = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


def test_a_charge_is_added_by_its_module_and_its_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's code, in two namespaces that stand for its two files."""
    component: dict[str, object] = {"__name__": "meter_charge"}
    exec(compile(COMPONENT, "meter_charge.py", "exec"), component)
    words = dict(vars(tariff_file)) | {"MeterCharge": component["MeterCharge"], "Annotated": Annotated}
    exec(compile(TABLE, "tariff_file.py", "exec"), words)
    field, annotation, default = re.fullmatch(r"\s*(\w+): (\w+) = (.+)\n", LINE).groups()
    table = type(
        "TariffTable",
        (TariffTable,),
        {
            "__module__": __name__,
            "__annotations__": {field: words[annotation]},
            field: eval(default, words | {"Field": Field}),
        },
    )
    assert charge_names(table) == ("access_charge", "meter_charge")
    read = table.model_validate(
        {
            "recovery": "fixed",
            "energy_usd_per_kwh": 0.2,
            "meter_charge": {"usd_per_solar_home_day": 0.25},
            "access_charge": {"usd_per_pv_kw_day": 0.05},
        }
    )
    access, meter = read.standing_charges()
    assert access == AccessCharge(usd_per_pv_kw_day=0.05)
    assert meter.to_table() == {"usd_per_solar_home_day": 0.25}
    with pytest.raises(ValueError, match="give a number from -10000000 to 10000000 USD/day"):
        table.model_validate(
            {"recovery": "fixed", "energy_usd_per_kwh": 0.2, "meter_charge": {"usd_per_solar_home_day": 1e9}}
        )
    assert ranges.CHARGE.holds(0.25)

    economy, tariff = preset_economy("textbook", COARSE), preset_tariff("textbook", "tou")
    found = solve_equilibrium(economy, replace(tariff, standing_charges=(meter,)), certify=False)
    solar = np.array([household.pv_installed_kw > 0 for household in economy.types])
    np.testing.assert_array_equal(game_arrays(found)["meter_charge_usd_per_day"], np.where(solar, 0.25, 0.0))
    assert {"meter_charge_usd_per_day", "access_charge_usd_per_day"} <= group_rows(found)[0].keys()
    revenue = standing_revenue(found)["meter_charge_revenue_usd_per_household_day"]
    assert revenue == pytest.approx(0.25 * float(economy.type_share @ solar))
