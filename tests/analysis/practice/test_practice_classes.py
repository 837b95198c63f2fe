"""Usual practice where rate classes are in force: windows, rates and books class by class."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from meanwatt.analysis.cli import main
from meanwatt.analysis.practice.filing import Filing, file_tariff, predict
from meanwatt.analysis.practice.practice import practice
from meanwatt.analysis.practice.windows import windows_in_force, windows_of
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.scenario.economy import build_economy, build_rate_classes
from meanwatt.model.scenario.loading import load_scenario

SOLAR = ["pv", "pv_battery"]


@cache
def in_force(tariff: str | None, default: str = "tou") -> Equilibrium:
    """The textbook where solar homes are a class with a tariff; without one there is no class."""
    classes = {} if tariff is None else {"rate_classes": {"solar": {"tariff": tariff, "technologies": SOLAR}}}
    changes = {"battery_levels": 4, "default_tariff": default, **classes}
    scenario = load_scenario("textbook", overrides=changes)
    return solve_equilibrium(build_economy(scenario), build_rate_classes(scenario), certify=False)


def filed(found: Equilibrium) -> Filing:
    return file_tariff(found, windows_in_force(found.economy, found.tariff))


def test_rates_of_two_classes_with_one_tariff_average_to_those_of_everybody() -> None:
    """Weighted by what meters sold; the loads frozen are the same, and so is what the fixed charge has to cover."""
    apart, together = in_force("tou"), in_force(None)
    parts, whole = filed(apart), filed(together)
    assert windows_in_force(apart.economy, apart.tariff).names[:2] == ("default overnight", "default day")
    sold, paid = parts.imports_kwh_per_day.reshape(2, 3), parts.rates_usd_per_kwh.reshape(2, 3)
    assert sold.sum(axis=0) == pytest.approx(whole.imports_kwh_per_day, rel=1e-6)
    assert (sold * paid).sum(axis=0) / sold.sum(axis=0) == pytest.approx(whole.rates_usd_per_kwh, rel=1e-6)
    assert abs(paid[0] - paid[1]).max() > 1e-3
    charges = parts.tariff.payer_charge_usd_per_day
    assert charges == pytest.approx(np.tile(whole.tariff.fixed_charge_usd_per_day, 2), rel=1e-6)


def test_frozen_books_balance_over_all_classes_and_charges_keep_their_proportions() -> None:
    found = in_force("filed", "income_graduated")
    filing = filed(found)
    assert filing.frozen.surplus_usd_per_household_day == pytest.approx(0, abs=1e-12)
    default, solar = filing.tariff.class_tariffs
    shape = found.tariff.fixed_charge_shape
    level = default.fixed_charge_usd_per_day / shape
    assert level == pytest.approx(level[0])
    assert solar.fixed_charge_usd_per_day == pytest.approx(level[0])  # the filed tariff's shape is 1 for all
    assert {one.recovery for one in filing.tariff.class_tariffs} == {"posted"}


def test_without_elasticity_every_type_pays_its_own_classs_rates_for_what_it_used() -> None:
    found = in_force("tou", "flat")
    filing = filed(found)
    frozen = predict(found, filing.tariff, elasticity=0.0)
    assert np.allclose(frozen.type_net_load_kw, found.type_net_load_kw, atol=1e-12)
    hours = found.economy.slot_hours
    for k, one in enumerate(found.economy.types):
        if one.technology != "none":
            continue
        own = filing.tariff.of(one)
        load, chance = found.type_net_load_kw[k], found.economy.common.probability
        paid = float(chance @ (load * own.energy_usd_per_kwh[found.economy.common.today]).sum(axis=1)) * hours
        assert frozen.bill_usd_per_day[k] == pytest.approx(paid + own.fixed_charge_usd_per_day[one.group], rel=1e-12)


def test_the_commitment_is_no_worse_than_what_is_filed_for_the_classes() -> None:
    found = in_force("tou", "flat")
    done = practice(found.economy, found.tariff)
    assert done.welfare_lost_usd_per_household_day is not None
    assert done.welfare_lost_usd_per_household_day > 0
    assert [one.name for one in done.commitment.tariff.classes] == ["default", "solar"]
    assert done.windows.taken_from == "tou (class default), tou (class solar)"
    assert windows_of(found.economy, "tou").names == tuple(
        name.removeprefix("solar ") for name in done.windows.names[3:]
    )


def test_the_files_of_both_tariffs_solve_to_what_was_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given, out = tmp_path / "classes.toml", tmp_path / "out"
    given.write_text(
        'extends = "textbook"\nbattery_levels = 4\n[rate_classes.solar]\ntariff = "tou"\n'
        'technologies = ["pv", "pv_battery"]\n'
    )
    assert main(["practice", str(given), "--json", "--out", str(out)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["tariff"] == "flat and rate classes"
    assert [row["name"] for row in said["filed"]["rate_classes"]] == ["default", "solar"]
    for name, part in (("filed", "equilibrium"), ("commitment", "commitment")):
        assert main(["solve", str(out / f"{name}_scenario.toml"), "--json", "--certify", "none"]) == 0
        again = json.loads(capsys.readouterr().out)
        assert again["metrics"]["welfare_usd_per_household_day"] == pytest.approx(
            said[part]["welfare_usd_per_household_day"], abs=1e-8
        )
        bills = [row["bill_usd_per_year"] for row in said[part]["groups"]]
        assert [row["bill_usd_per_year"] for row in again["groups"]] == pytest.approx(bills, abs=1e-4)
    assert main(["practice", str(given)]) == 0
    assert "fixed charge, low (class solar)" in capsys.readouterr().out
