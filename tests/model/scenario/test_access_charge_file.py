"""The grid-access charge as a file writes it: what is read, what is refused, what is written again."""

from pathlib import Path

import pytest
from scenarios import preset_economy, preset_tariff

from meanwatt.agents.tariff.components.access_charge import AccessCharge
from meanwatt.analysis.design.design import tariff_table
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import ScenarioError, load_scenario
from meanwatt.model.scenario.tariff_file import charge_names
from meanwatt.model.scenario.toml_text import toml_text

CHARGED = (
    "tariff.access_charge.usd_per_pv_kw_day=0.05",
    "tariff.access_charge.usd_per_household_day={pv=0.1, pv_battery=0.2}",
)


def test_a_tariff_without_the_table_or_with_one_of_zeros_charges_nothing() -> None:
    assert charge_names() == ("access_charge",)
    assert preset_tariff("textbook", "filed").standing_charges == ()
    assert preset_tariff("textbook", "filed", "tariff.access_charge.usd_per_pv_kw_day=0").standing_charges == ()


def test_the_size_of_a_roof_is_the_installed_one() -> None:
    economy = preset_economy("textbook", "pv_scale=1.5")
    for household in economy.types:
        assert household.pv_installed_kw == (1.5 * 4 if household.technology.startswith("pv") else 0.0)


@pytest.mark.parametrize("each", ["{pv=0.1, pv_battery=0.2}", "0.3"])
def test_it_survives_being_written_to_a_file(each: str, tmp_path: Path) -> None:
    third = f"tariff.access_charge.usd_per_pv_kw_day={1 / 3!r}"
    tariff = preset_tariff("textbook", "tou", third, f"tariff.access_charge.usd_per_household_day={each}")
    file = tmp_path / "copy.toml"
    file.write_text(toml_text(tariff_table(tariff, preset_economy("textbook"))), encoding="utf-8")
    again = build_tariff(load_scenario("textbook", tariff=file))
    assert len(again.standing_charges) == 1
    assert again.standing_charges == tariff.standing_charges


def test_a_scenario_that_extends_another_changes_one_number_or_replaces_the_table_of_technologies(
    tmp_path: Path,
) -> None:
    base, heir = tmp_path / "base.toml", tmp_path / "heir.toml"
    base.write_text(
        'extends = "textbook"\n[tariffs.tou.access_charge]\nusd_per_pv_kw_day = 0.05\n'
        "usd_per_household_day = { pv = 0.1 }\n",
        encoding="utf-8",
    )
    heir.write_text(
        'extends = "base.toml"\n[tariffs.tou.access_charge]\nusd_per_household_day = { pv_battery = 0.2 }\n',
        encoding="utf-8",
    )
    found = build_tariff(load_scenario(heir), "tou").standing_charges
    assert found == (AccessCharge(usd_per_pv_kw_day=0.05, usd_per_household_day={"pv_battery": 0.2}),)
    assert build_economy(load_scenario(heir)).types


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            "usd_per_pv_kw_day=1e9",
            "usd_per_pv_kw_day is 1000000000; give a number from -1000000 to 1000000 USD/kW per day",
        ),
        (
            "usd_per_household_day={pv=1e9}",
            "usd_per_household_day: pv is 1000000000; give a number from -10000000 to 10000000 USD/day",
        ),
        (
            "usd_per_household_day={pv_batery=0.1}",
            "usd_per_household_day: unknown technology 'pv_batery'; did you mean 'pv_battery'?",
        ),
        ("usd_per_household_day=true", "usd_per_household_day is True; give a number"),
        ("usd_per_pv_kw_day=few", "usd_per_pv_kw_day is 'few'; give a number"),
    ],
)
def test_what_it_cannot_be_is_refused_in_one_line(change: str, sentence: str) -> None:
    with pytest.raises(ScenarioError) as told:
        load_scenario("textbook", overrides=[f"tariff.access_charge.{change}"])
    assert str(told.value) == f"scenario textbook: tariffs.flat.access_charge.{sentence}"


def test_a_misspelt_key_gets_the_nearest() -> None:
    with pytest.raises(ScenarioError, match=r"did you mean 'tariff\.access_charge\.usd_per_pv_kw_day'\?"):
        load_scenario("textbook", overrides=["tariff.access_charge.usd_per_pv_kw=1"])
