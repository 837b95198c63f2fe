"""The scenario made of readings says what the readings say, and names what they do not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import household_files as files
import numpy as np
import pytest

from meanwatt.model.billing.meter_format import FormatTable
from meanwatt.model.households.layouts import read_layout
from meanwatt.model.households.made_scenario import MadeScenario
from meanwatt.model.households.scenario_table import make_scenario
from meanwatt.model.households.scenario_text import scenario_text
from meanwatt.model.households.survey import survey_households
from meanwatt.model.scenario.economy import Economy, build_economy
from meanwatt.model.scenario.identity import identifying_table
from meanwatt.model.scenario.loading import ScenarioError, load_scenario


def layout(name: str, **changes: Any) -> FormatTable:
    form = read_layout(name).format
    assert form is not None
    return FormatTable.model_validate(form.model_dump() | changes)


def made_of(path: Path | list[Path], form: FormatTable, base: str = "textbook", **beside: Any) -> MadeScenario:
    found = survey_households(path if isinstance(path, list) else [path], form, **beside)
    return make_scenario(found, name="mine", title="Mine", base=base)


def economy_of(made: MadeScenario, folder: Path) -> Economy:
    file = folder / "mine.toml"
    file.write_text(scenario_text(made, base="textbook", source="m.csv"), encoding="utf-8")
    return build_economy(load_scenario(file))


def by_hour(data: files.Truth, values: np.ndarray) -> np.ndarray:
    """Mean power by hour on the wall of the mean home. [kW]"""
    hour = data.local.hour.to_numpy()
    return np.array([values[:, hour == one].mean() for one in range(24)]) * 60 / data.minutes


@pytest.fixture(scope="module")
def britain(tmp_path_factory: pytest.TempPathFactory) -> tuple[files.Truth, MadeScenario, Economy]:
    data = files.truth(homes=4, groups=("Affluent", "Adversity"))
    folder = tmp_path_factory.mktemp("britain")
    made = made_of(files.london(folder / "m.csv", data), layout("london"))
    return data, made, economy_of(made, folder)


def test_use_and_shape_of_each_group_are_those_of_its_homes(
    britain: tuple[files.Truth, MadeScenario, Economy],
) -> None:
    data, made, _ = britain
    groups = made.table["income_groups"]
    assert list(groups) == ["Adversity", "Affluent"]  # by income
    for name, group in groups.items():
        mine = np.array(data.groups) == name
        mean_kw = by_hour(data, data.use[mine])
        assert group["share"] == mine.mean()
        use = made.table["load"]["use_kwh_per_day"] * group["use_factor"]
        assert use == pytest.approx(mean_kw.sum(), rel=2e-3)  # a leap year's February counts 28.25 days
        assert group["shape"] == pytest.approx(mean_kw / mean_kw.mean(), rel=5e-3, abs=1e-3)
    assert groups["Affluent"]["income_usd_per_year"] == 120_000
    assert sum(group["share"] * group["use_factor"] for group in groups.values()) == pytest.approx(1.0, abs=1e-5)


def test_seasons_and_days_of_the_week_are_in_the_proportion_of_the_readings(
    britain: tuple[files.Truth, MadeScenario, Economy],
) -> None:
    data, made, _ = britain
    calendar = made.table["calendar"]
    month, weekend = data.local.month.to_numpy(), data.local.day_of_week.to_numpy() >= 5
    factor = calendar["weather"]["every_day"]["load_factor"]
    summer = np.isin(month, [4, 5, 6, 7, 8, 9])
    for mask, found in (
        (summer, factor["summer"]),
        (~summer, factor["winter"]),
        (~weekend, calendar["days"]["weekday"]["load_factor"]),
        (weekend, calendar["days"]["weekend"]["load_factor"]),
    ):
        assert np.mean(found) == pytest.approx(data.use[:, mask].mean() / data.use.mean(), rel=0.02)


def test_the_economy_uses_as_much_as_the_homes_did(britain: tuple[files.Truth, MadeScenario, Economy]) -> None:
    data, _, economy = britain
    per_day = data.use.sum() / len(data.names) / 365
    assert economy.mean_use_kwh_per_day == pytest.approx(per_day, rel=0.01)
    assert {one.technology for one in economy.types} == {"none"}
    shapes = [one.reference_kw.mean(axis=0) for one in economy.types]
    assert shapes[0].argmax() != shapes[1].argmax()  # morning and evening


def test_a_homes_own_chance_has_mean_one_and_moves_on(britain: tuple[files.Truth, MadeScenario, Economy]) -> None:
    _, made, economy = britain
    levels, kernel = np.array(made.table["shock"]["levels"]), np.array(made.table["shock"]["kernel"])
    assert economy.shock_probability @ levels == pytest.approx(1.0, abs=1e-9)
    assert kernel.sum(axis=1) == pytest.approx(1.0, abs=1e-12)
    assert np.ptp(kernel, axis=0).max() < 0.05  # these homes draw every half-hour anew
    assert (np.diff(levels) > 0.2).all()


def test_what_meters_do_not_tell_is_named(britain: tuple[files.Truth, MadeScenario, Economy]) -> None:
    _, made, _ = britain
    said = " ".join(made.messages)
    for part in (
        "elasticity, batteries' model, supply curve, feeder, network cost, tariffs",
        "nobody owns one; income_groups.NAME.storage_share_of_pv",
        "Generation is not read: nobody has solar",
        "Incomes of Adversity, Affluent are those that the format gives, not readings.",
        "flexibility is the base's (0.5)",
        "Tariff income_graduated of textbook is left out",
        "Holidays are not told apart",
    ):
        assert part in said
    assert "flexibility" not in made.measured
    text = scenario_text(made, base="textbook", source="m.csv")
    assert "# as in textbook\n[supply]" in text
    assert "# measured: shares, use, shape and solar of the homes of each group\n[income_groups]" in text


@pytest.fixture(scope="module")
def australia(tmp_path_factory: pytest.TempPathFactory) -> tuple[files.Truth, MadeScenario, Economy]:
    data = files.truth(
        "Australia/Sydney", first="2012-07-01", groups=("all",), homes=4, solar_every=2, kwh_per_year=4500
    )
    folder = tmp_path_factory.mktemp("australia")
    made = made_of(files.ausgrid(folder / "m.csv", data), layout("ausgrid"))
    return data, made, economy_of(made, folder)


def test_solar_has_the_share_size_and_yearly_output_of_the_homes(
    australia: tuple[files.Truth, MadeScenario, Economy],
) -> None:
    data, made, economy = australia
    group = made.table["income_groups"]["all"]
    owners = data.installed_kw > 0
    assert (group["pv_share"], group["pv_kw"]) == (owners.mean(), data.installed_kw[owners].mean())
    solar = next(one for one in economy.types if one.technology == "pv")
    per_year = 365.25 * economy.common.probability @ solar.pv_kw.sum(axis=1)
    assert per_year == pytest.approx(data.solar[owners].sum(axis=1).mean(), rel=0.04)
    assert made.table["calendar"]["seasons"]["summer"] == ["oct-mar"]
    factor = {name: one["pv_factor"] for name, one in made.table["calendar"]["weather"].items()}
    assert factor["clear"]["summer"] > factor["clear"]["winter"] > factor["cloudy"]["winter"]


def test_the_weather_follows_itself_as_it_was_drawn(australia: tuple[files.Truth, MadeScenario, Economy]) -> None:
    """Drawn anew every day with .5, .3, .2: rows of the kernel are these, to three standard errors."""
    _, made, _ = australia
    kernel = np.array(made.table["calendar"]["weather_kernel"])
    law = np.array([0.5, 0.3, 0.2])
    for row, share in zip(kernel, law, strict=True):
        assert row == pytest.approx(law, abs=3 * np.sqrt(0.25 / (365 * share)))


def test_flexibility_is_what_is_controlled_where_a_channel_says_so(
    australia: tuple[files.Truth, MadeScenario, Economy],
) -> None:
    data, made, _ = australia
    lost = data.local.duplicated()
    use = (data.use + data.controlled)[:, ~lost].sum()
    assert made.table["flexibility"] == pytest.approx(data.controlled[:, ~lost].sum() / use, rel=1e-3)
    assert made.measured["flexibility"]


def test_owners_of_solar_and_others_add_up_to_the_use_of_all(
    australia: tuple[files.Truth, MadeScenario, Economy],
) -> None:
    data, _, economy = australia
    lost = data.local.duplicated()
    per_day = (data.use + data.controlled)[:, ~lost].mean() * 48
    assert economy.mean_use_kwh_per_day == pytest.approx(per_day, rel=0.02)


def test_a_vehicles_charging_is_a_trip_and_no_use(tmp_path: Path) -> None:
    data = files.truth("America/Chicago", 15, first="2018-05-01", months=1, groups=("all",), homes=2)
    car = np.zeros_like(data.use)
    car[0, (data.local.hour >= 1) & (data.local.hour < 4)] = 3.0 * 0.25
    path = files.pecan(tmp_path / "m.csv", replace(data, use=data.use + car), vehicle=car)
    made = made_of(path, layout("pecan"))
    group = made.table["income_groups"]["all"]
    assert group["ev_share"] == 0.5
    assert made.table["ev"]["trip_kwh"] == pytest.approx(9.0 * 0.88**0.5, rel=1e-3)
    assert made.table["load"]["use_kwh_per_day"] == pytest.approx(data.use.sum() / 2 / 31, rel=1e-3)
    assert "2018" not in str(made.table["calendar"])
    economy_of(made, tmp_path)


def test_incomes_of_a_second_file_make_thirds_and_a_vacant_home_does_not_count(tmp_path: Path) -> None:
    data = files.truth("America/New_York", 15, first="2018-05-01", months=1, homes=3)
    paths, homes = files.resstock(tmp_path / "rs", data)
    made = made_of(paths, layout("resstock"), homes_file=homes)
    incomes = {name: group["income_usd_per_year"] for name, group in made.table["income_groups"].items()}
    assert incomes == {"low": 18_000, "middle": 60_000, "high": 150_000}
    assert "income_graduated" in made.table["tariffs"]
    import pandas as pd

    about = pd.read_parquet(homes)
    about.loc[0, "in.representative_income"] = 0.0
    about.to_parquet(homes, index=False)
    left = made_of(paths, layout("resstock"), homes_file=homes).table["income_groups"]
    assert sum(group["share"] for group in left.values()) == 1.0
    assert 150_000 not in [group["income_usd_per_year"] for group in left.values()]


def test_net_readings_alone_tell_no_use_of_homes_that_feed_in(tmp_path: Path) -> None:
    data = files.truth("America/Chicago", 15, first="2018-05-01", months=1, groups=("all",), homes=2, solar_every=2)
    path = files.pecan(tmp_path / "m.csv", data)
    made = made_of(path, layout("pecan", generation=None, vehicle=None, optional=()))
    assert made.table["load"]["use_kwh_per_day"] == pytest.approx(data.use[1].sum() / 31, rel=1e-3)
    assert made.table["income_groups"]["all"]["pv_share"] == 0.5
    assert any("Readings are net" in said for said in made.messages)


def test_a_groups_own_shape_is_that_of_its_homes_alone() -> None:
    plain = build_economy(load_scenario("textbook"))
    shaped = build_economy(load_scenario("textbook", overrides={"income_groups.low.shape": [2.0] * 12 + [1.0] * 12}))
    for one, other in zip(plain.types, shaped.types, strict=True):
        if one.income_group == "low":
            assert other.reference_kw.mean() == pytest.approx(one.reference_kw.mean(), rel=1e-12)
            assert other.reference_kw[:, 0] == pytest.approx(2 * other.reference_kw[:, -1], rel=1e-12)
        else:
            assert (other.reference_kw == one.reference_kw).all()
    assert "shape" not in identifying_table(load_scenario("textbook"))["income_groups"]["low"]
    with pytest.raises(ScenarioError, match=r"income_groups.low.shape is zero all day"):
        load_scenario("textbook", overrides={"income_groups.low.shape": [0.0] * 24})
    with pytest.raises(ScenarioError, match=r"income_groups.low.shape has 23 entries"):
        load_scenario("textbook", overrides={"income_groups.low.shape": [1.0] * 23})
