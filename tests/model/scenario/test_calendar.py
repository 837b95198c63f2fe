"""A scenario's calendar: dates by the standard library, chains by counting, and what may not be written."""

import datetime
import itertools
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from repository import ROOT

from meanwatt.analysis.cli import main
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.scenario.calendar_days import MONTHS, Calendar, days_of, season_of_month
from meanwatt.model.scenario.calendar_file import holidays_of
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import ScenarioError, load_scenario
from meanwatt.model.scenario.messages import scenario_messages
from meanwatt.model.scenario.weather import stationary_law

Write = Callable[[str], Path]
WEEKS = """
extends = "textbook"
battery_levels = 11
[calendar]
first_year = 2019
last_year = 2024
holidays = ["12-25", "2021-07-05"]
weather_kernel = [[0.7, 0.3], [0.4, 0.6]]
[calendar.seasons]
dry = ["apr-sep"]
wet = ["oct-mar"]
[calendar.days.weekend]
load_factor = 1.2
[calendar.weather.sunny]
pv_factor = {dry = 1.1, wet = 0.9}
[calendar.weather.grey]
pv_factor = 0.4
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str) -> Path:
        path = tmp_path / "weeks.toml"
        path.write_text(text)
        return path

    return written


def plain_kind(day: datetime.date) -> str:
    """Season and class of a day of `WEEKS`, by the standard library."""
    off = day.weekday() >= 5 or (day.month, day.day) == (12, 25) or day == datetime.date(2021, 7, 5)
    return f"{'dry' if 4 <= day.month <= 9 else 'wet'}_{'weekend' if off else 'weekday'}"


def plain_days(first: int, last: int) -> list[datetime.date]:
    begin = datetime.date(first, 1, 1)
    return [begin + datetime.timedelta(days=k) for k in range((datetime.date(last, 12, 31) - begin).days + 1)]


def test_the_chain_is_that_of_the_days_counted_times_that_of_the_weather(write: Write) -> None:
    scenario = load_scenario(write(WEEKS))
    kinds = ["dry_weekday", "dry_weekend", "wet_weekday", "wet_weekend"]
    order = ["wet_weekday", "wet_weekend", "dry_weekday", "dry_weekend"]  # the year begins in the wet season
    assert list(scenario.day_types) == [f"{kind}_{sky}" for kind in order for sky in ("sunny", "grey")]
    days = [plain_kind(day) for day in plain_days(2019, 2024)]
    pairs, seen = Counter(itertools.pairwise(days)), Counter(days[:-1])
    sky = {("sunny", "sunny"): 0.7, ("sunny", "grey"): 0.3, ("grey", "sunny"): 0.4, ("grey", "grey"): 0.6}
    kernel = scenario.day_type_kernel_array()
    names = list(scenario.day_types)
    for i, now in enumerate(names):
        for j, then in enumerate(names):
            (kind, today), (coming, tomorrow) = now.rsplit("_", 1), then.rsplit("_", 1)
            assert kernel[i, j] == pytest.approx(pairs[kind, coming] / seen[kind] * sky[today, tomorrow], abs=1e-14)
    law = dict(zip(names, stationary_law(kernel), strict=True))
    for kind in kinds:  # the chain stays in each kind as long as the years do, but for where they begin and end
        share = sum(probability for name, probability in law.items() if name.startswith(kind))
        assert share == pytest.approx(days.count(kind) / len(days), abs=2 / 365)
        assert law[f"{kind}_sunny"] / share == pytest.approx(4 / 7, abs=1e-12)


def test_a_day_type_has_the_factors_of_its_season_class_and_weather(write: Write) -> None:
    table = load_scenario(write(WEEKS)).day_types
    assert {name: (day.pv_factor, day.load_factor) for name, day in table.items() if "wet" in name} == {
        "wet_weekday_sunny": (0.9, 1.0),
        "wet_weekday_grey": (0.4, 1.0),
        "wet_weekend_sunny": (0.9, 1.2),
        "wet_weekend_grey": (0.4, 1.2),
    }
    hours = "\n".join([WEEKS, "load_factor = [" + ", ".join(["1", "2"] * 12) + "]"])
    day = load_scenario(write(hours)).day_types["dry_weekend_grey"]
    assert day.load_factor == pytest.approx([1.2, 2.4] * 12)
    assert (day.season, day.day_class) == ("dry", "weekend")


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ("{weekday = 0.3, weekend = 0.1}", {"weekday": 0.3, "weekend": 0.1}),
        ("{weekday = {dry = 0.3, wet = 0.2}, weekend = 0.1}", {"dry_weekday": 0.3, "wet_weekday": 0.2, "weekend": 0.1}),
        ("{dry = {weekday = 0.3, weekend = 0.2}, wet = 0.1}", {"dry_weekday": 0.3, "dry_weekend": 0.2, "wet": 0.1}),
        (
            "{dry = 0.3, wet = 0.1, winter = 9, wet_weekend_grey = 0.05}",
            {"wet_weekend_grey": 0.05, "dry": 0.3, "wet": 0.1},
        ),
    ],
)
def test_rates_by_season_and_class_reach_the_days_they_name(
    write: Write, rates: str, expected: dict[str, float]
) -> None:
    scenario = load_scenario(write(WEEKS), overrides=[f"tariff.energy_usd_per_kwh={rates}"])
    posted = build_tariff(scenario).energy_usd_per_kwh
    for row, name in zip(posted, scenario.day_types, strict=True):
        value = next(rate for part, rate in expected.items() if part in name)
        assert row.tolist() == [value] * 24
    unused = "tariff.energy_usd_per_kwh: no day is in season winter; what is given there is not used."
    assert (unused in scenario_messages(scenario)) == ("winter" in rates)


def test_a_market_lives_the_days_of_the_year_and_draws_the_weather_by_its_own_kernel(write: Write) -> None:
    scenario = load_scenario(write(WEEKS.replace("[calendar]\n", "memory = 1\n[calendar]\nyear = 2021\n")))
    economy = build_economy(scenario)
    found = solve_equilibrium(economy, build_tariff(scenario), certify=False)
    market = ProsumerMarket(economy, policies=found, households=20, rng=3, power_flow=False)
    for _ in range(370):
        market.step()
    lived = [record.day_type for record in market.history]
    kinds = [plain_kind(day) for day in plain_days(2021, 2021)]
    assert [name.rsplit("_", 1)[0] for name in lived[:365]] == kinds
    skies = [name.rsplit("_", 1)[1] for name in lived[:365]]
    sunny_after = {sky: [b == "sunny" for a, b in itertools.pairwise(skies) if a == sky] for sky in set(skies)}
    for sky, probability in (("sunny", 0.7), ("grey", 0.4)):
        drawn = sunny_after[sky]
        spread = (probability * (1 - probability) / len(drawn)) ** 0.5
        assert abs(np.mean(drawn) - probability) < 4 * spread
    again = ProsumerMarket(economy, policies=found, households=20, rng=3, power_flow=False, threads=2)
    again.step()
    assert again.day_digest == market.day_digest[:1]
    for one in (market, again):
        one.close()


def test_a_year_in_which_days_follow_as_in_none_that_was_counted_is_refused(write: Write) -> None:
    text = WEEKS.replace("first_year = 2019\nlast_year = 2024", "first_year = 2019\nlast_year = 2019\nyear = 2023")
    scenario = load_scenario(write(text))
    with pytest.raises(
        ValueError, match=r"^scenario weeks: calendar.year is 2023, in which dry_weekend follows wet_w"
    ) as told:
        ProsumerMarket(scenario, households=20)
    assert str(told.value).endswith("on 2023-04-01, as never in 2019 to 2019; count more years")


def test_what_a_calendar_approximates_and_days_beyond_its_year_are_said(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(WEEKS)
    chain = (
        "calendar: 8 day types follow one another at random, as often as in 2019 to 2024; how long a season or weekend"
        " lasts is right on average."
    )
    assert chain in scenario_messages(load_scenario(path))
    command = ["simulate", str(path), "--households", "20", "--json", "--year", "2023"]
    assert main([*command, "--days", "366"]) == 0
    said = json.loads(capsys.readouterr().out)
    after = "--days 366: those after 31 December 2023 are drawn, as often as in the years of the calendar."
    assert {chain, after} <= set(said["messages"])
    assert (said["days"], len(said["date"]), said["date"][-1]) == (366, 365, "2023-12-31")
    assert main([*command, "--days", "2"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert after not in said["messages"]
    assert said["date"] == ["2023-01-01", "2023-01-02"]
    assert main(["simulate", "textbook", "--year", "2027"]) == 2
    assert capsys.readouterr().err == (
        "meanwatt: --year 2027: scenario textbook has no calendar; write one into its file, see"
        " docs/how_to/calendar.md\n"
    )


def test_official_holidays_are_weekend() -> None:
    christmas, new_year = (np.datetime64(day) for day in ("2026-12-25", "2027-01-01"))
    found = holidays_of("US-HI", 2026, 2027)
    assert {christmas, new_year, np.datetime64("2026-06-11")} <= found  # King Kamehameha's day, of Hawaii alone
    assert np.datetime64("2026-06-11") not in holidays_of("US", 2026, 2027)
    assert holidays_of("", 2026, 2027) == frozenset()
    assert holidays_of(("02-29",), 2023, 2024) == {np.datetime64("2024-02-29")}


@given(
    year=st.integers(1901, 2099),
    weekend=st.sets(st.integers(0, 6)),
    cut=st.tuples(st.integers(0, 11), st.integers(0, 11)).filter(lambda cut: cut[0] != cut[1]),
)
def test_dates_are_sorted_as_the_standard_library_does(year: int, weekend: set[int], cut: tuple[int, int]) -> None:
    first, second = cut
    spans = {
        "a": [f"{MONTHS[first]}-{MONTHS[(second - 1) % 12]}"],
        "b": [f"{MONTHS[second]}-{MONTHS[(first - 1) % 12]}"],
    }
    calendar = Calendar(season_of_month=season_of_month(spans), weekend=frozenset(weekend), holidays=frozenset())
    kinds = calendar.kind_of(days_of(year, year))
    a_months = {(first + k) % 12 for k in range((second - first) % 12)}
    for day, kind in zip(plain_days(year, year), kinds.tolist(), strict=True):
        wanted = ("a" if day.month - 1 in a_months else "b", "weekend" if day.weekday() in weekend else "weekday")
        assert calendar.kinds[kind] == wanted


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("apr-sep", "apr-sept"), 'calendar.seasons.dry holds \'apr-sept\'; give months as "jul" or "jun-sep"'),
        (("oct-mar", "oct-feb"), "calendar.seasons leave out mar; give every month a season"),
        (("oct-mar", "sep-mar"), "calendar.seasons dry and wet both hold sep; give each month to one season"),
        (("last_year = 2024", "last_year = 2018"), "calendar.last_year is 2018; give 2019 (first_year) to 2074"),
        (
            ("first_year = 2019", "first_year = 1819"),
            "calendar.first_year is 1819; give a whole number from 1901 to 2099",
        ),
        (('"12-25"', '"13-25"'), 'calendar.holidays hold \'13-25\'; give dates as "2027-12-24" or "12-24"'),
        (('["12-25", "2021-07-05"]', '"ZZ"'), "calendar.holidays: unknown country 'ZZ'"),
        (('["12-25", "2021-07-05"]', '"US-HW"'), "calendar.holidays: unknown part of US 'HW'"),
        (
            ("[0.4, 0.6]", "[0.4, 0.7]"),
            "calendar.weather_kernel row grey sums to 1.1; give probabilities that sum to 1",
        ),
        (
            (", [0.4, 0.6]]", "]"),
            "calendar.weather_kernel has 1 rows; give 2 x 2 numbers, a row for each of sunny, grey",
        ),
        (("{dry = 1.1, wet = 0.9}", "{dry = 1.1}"), "calendar.weather.sunny.pv_factor gives nothing for season wet"),
        (
            ("{dry = 1.1, wet", "{dry = 1.1, wett"),
            "calendar.weather.sunny.pv_factor: unknown season 'wett'; did you mean 'wet'?",
        ),
        (("days.weekend", "days.sunday"), "calendar.days: unknown class of days 'sunday'"),
        (
            ("[calendar]", '[calendar]\nweekend = ["sunday"]'),
            "calendar.weekend: unknown day 'sunday'; did you mean 'sun'?",
        ),
        (
            ("[calendar]", "day_type_kernel = [[1.0]]\n[calendar]"),
            "calendar and day_type_kernel are both given; leave one out",
        ),
        (
            ("[calendar]", "[calendar]\nweekends = 1"),
            "unknown key 'calendar.weekends'; did you mean 'calendar.weekend'?",
        ),
    ],
)
def test_a_slip_in_a_calendar_is_told_in_one_line(write: Write, change: tuple[str, str], told: str) -> None:
    assert change[0] in WEEKS
    with pytest.raises(ScenarioError) as refused:
        load_scenario(write(WEEKS.replace(change[0], change[1], 1)))
    text = str(refused.value).partition("weeks.toml: ")[2]
    assert text.startswith(told)
    assert "\n" not in text


@pytest.mark.parametrize(
    ("override", "told"),
    [
        (
            "day_types.wet_weekday_grey.pv_factor=0.5",
            "key 'day_types.wet_weekday_grey.pv_factor' is made by the calendar",
        ),
        (
            "tariff.energy_usd_per_kwh={weekday = 0.3}",
            "tariffs.flat.energy_usd_per_kwh gives no rate for day type wet_weekend_s",
        ),
        (
            "tariff.energy_usd_per_kwh={weekday = 0.3, dry = 0.2, wet = 0.1}",
            "tariffs.flat.energy_usd_per_kwh gives wet and weekday, and day type wet_weekday_sunny is both",
        ),
        (
            "tariff.energy_usd_per_kwh={dry = 0.3, wet = 0.2, wetter = 1}",
            "tariffs.flat.energy_usd_per_kwh: unknown name 'wetter'",
        ),
    ],
)
def test_what_a_calendar_makes_is_not_set_and_rates_must_be_one_for_each_day(
    write: Write, override: str, told: str
) -> None:
    with pytest.raises(ScenarioError) as refused:
        load_scenario(write(WEEKS), overrides=[override])
    assert told in str(refused.value)


def test_a_key_of_the_calendar_can_be_set_and_a_file_may_write_its_days_out_again(write: Write) -> None:
    path = write(WEEKS)
    shorter = load_scenario(path, overrides=["calendar.last_year=2020", "calendar.weather.grey.pv_factor=0.3"])
    assert shorter.day_types["dry_weekday_grey"].pv_factor == 0.3
    given = {"calendar": load_scenario(path).model_dump()["calendar"], "calendar.last_year": 2021}
    assert load_scenario("textbook", overrides=given).calendar.last_year == 2021
    assert given["calendar"]["last_year"] == 2024, "what was given stays as it was"
    plain = path.with_name("plain.toml")
    plain.write_text('extends = "weeks.toml"\nday_type_kernel = [[1.0]]\n[day_types.all]\npv_factor = 1.0\n')
    assert list(load_scenario(plain).day_types) == ["all"]
    assert load_scenario(plain).calendar is None
    with pytest.raises(ScenarioError, match="goes into a calendar, which the scenario has not; write it in a file"):
        load_scenario("textbook", overrides=["calendar.year=2027"])


def test_a_scenario_without_weekends_and_seasons_has_its_weather_alone(write: Write) -> None:
    one = load_scenario(
        write('extends = "textbook"\n[calendar]\nweekend = []\n[calendar.weather.fine]\npv_factor = 1.0\n')
    )
    assert list(one.day_types) == ["fine"]
    assert one.day_type_kernel == ((1.0,),)
    assert one.day_types["fine"].day_class is None


def test_the_example_of_the_guide_solves_and_lives_a_leap_year(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how_to" / "calendar.md").read_text()
    file = tmp_path / "oahu_weeks.toml"
    file.write_text(page.split("```toml\n")[1].split("```")[0])
    scenario = load_scenario(file, tariff="weekly")
    assert len(scenario.day_types) == 12
    command = ["simulate", str(file), "--tariff", "weekly", "--year", "2028", "--households", "30", "--days", "3"]
    assert main([*command, "--set", "battery_levels=11"]) == 0
