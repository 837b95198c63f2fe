"""Scenarios of one's own in the app: under a name, for all visitors, and never by a path that an address gives."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from meanwatt.analysis.cli import main
from meanwatt.analysis.dashboard.bills.choice import home_names
from meanwatt.analysis.dashboard.challenge.choice import Choice as Drawn
from meanwatt.analysis.dashboard.challenge.choice import from_query as drawn_query
from meanwatt.analysis.dashboard.compare.choice import Choice, from_query, query
from meanwatt.analysis.dashboard.compare.sides import scenario_toml, side_differences, side_toml
from meanwatt.analysis.dashboard.compare.view import bar_json
from meanwatt.analysis.dashboard.hosting.choice import Choice as Swept
from meanwatt.analysis.dashboard.hosting.sweeping import plan_of
from meanwatt.analysis.dashboard.market import address
from meanwatt.analysis.dashboard.market.engine import Engine
from meanwatt.analysis.dashboard.shared.choices import scenario_options, tariff_options
from meanwatt.analysis.dashboard.shared.notices import ending
from meanwatt.analysis.dashboard.shared.own_scenarios import give, own_scenario
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solution import bill_usd_per_month, solve
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.network.located_economy import build_located_economy
from meanwatt.model.scenario.economy import build_tariff
from meanwatt.model.scenario.loading import ScenarioError, load_scenario, preset_text, presets

ISLAND = 'extends = "textbook"\ntitle = "My <b>island</b>"\nbattery_share_scale = 2.0\n'
BY_BRANCH = (
    'extends = "textbook"\nfeeder.branches.north = ["village"]\ntariffs.flat.branch_adder_usd_per_kwh.north = 0.1\n'
)
NOON = 'title = "Cheap at noon"\nrecovery = "volumetric"\nenergy_usd_per_kwh = 0.2\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "island.toml").write_text(ISLAND, encoding="utf-8")
    (tmp_path / "noon.toml").write_text(NOON, encoding="utf-8")
    (tmp_path / "secret.toml").write_text(ISLAND, encoding="utf-8")
    text = preset_text("textbook").partition("[tariffs.flat]")[0].replace('name = "textbook"\n', "")
    only = text.replace('default_tariff = "flat"', 'default_tariff = "mine"')
    (tmp_path / "bare.toml").write_text(f"{only}[tariffs.mine]\n{NOON}", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    give([])


def test_a_preset_stays_itself_and_a_file_gets_a_name_that_no_preset_has(folder: Path) -> None:
    assert own_scenario("oahu", None) == load_scenario("oahu")
    assert own_scenario("oahu", "tou").name == "oahu"
    assert (own_scenario("oahu", "noon.toml").name, own_scenario("island.toml", None).name) == ("yours_oahu", "island")
    (folder / "textbook.toml").write_text(ISLAND, encoding="utf-8")
    assert own_scenario("textbook.toml", None).name == "yours_textbook"
    assert own_scenario("oahu", "noon.toml").selected_tariff == "noon"


def test_visitors_choose_it_by_name_on_market_and_compare(folder: Path) -> None:
    give([own_scenario("island.toml", "noon.toml")])
    assert scenario_options()[-1] == {"value": "island", "label": "My <b>island</b> (yours)"}
    settings, problems = address.from_query("scenario=island&tariff=noon")
    assert (problems, settings.load().battery_share_scale) == ((), 2.0)
    assert address.query(settings) == "scenario=island&tariff=noon"
    choice, problems = from_query("scenario=island&a=noon&b.pass=50")
    assert problems == ()
    assert from_query(query(choice)) == (choice, ())
    options = json.loads(bar_json(choice, None, None))["sides"][0]["tariffs"]
    assert {"value": "noon", "label": "Cheap at noon"} in options
    again = folder / "again.toml"
    again.write_text(scenario_toml(choice), encoding="utf-8")
    assert load_scenario(again, tariff="tariff_b").tariffs["tariff_b"].pass_through == 0.5
    assert load_scenario(again).battery_share_scale == 2.0
    assert side_toml(choice, "a").startswith("# meanwatt solve SCENARIO.toml --tariff FILE\n")


def test_a_scenario_with_a_calendar_is_taken_home_with_it(folder: Path) -> None:
    (folder / "weeks.toml").write_text(
        f"{ISLAND}[calendar]\nfirst_year = 2020\n[calendar.days.weekend]\nload_factor = 1.1\n"
    )
    give([own_scenario("weeks.toml", None)])
    choice, _ = from_query("scenario=weeks")
    again = folder / "again.toml"
    again.write_text(scenario_toml(choice), encoding="utf-8")
    before, after = load_scenario("weeks.toml"), load_scenario(again)
    assert (after.calendar, after.day_types) == (before.calendar, before.day_types)
    assert list(after.day_types) == ["weekday", "weekend"]


def test_a_scenario_with_one_tariff_of_another_name_opens_on_it_everywhere(folder: Path) -> None:
    give([own_scenario("bare.toml", None)])
    settings, problems = address.from_query("scenario=bare")
    assert (settings.tariff, problems) == ("mine", ())
    assert settings.town.preset().selected_tariff == "mine"
    choice, problems = from_query("scenario=bare")
    assert (choice.a, choice.b, problems) == ("mine", "mine", ())
    assert query(choice) == "scenario=bare"
    assert Drawn(scenario="bare").preset().selected_tariff == "mine"
    assert [option["value"] for option in tariff_options(settings.preset())] == ["mine"]


@pytest.mark.parametrize(
    "name", ["secret.toml", "./secret.toml", "secret", "island.toml", "../island", "/etc/passwd", ""]
)
def test_no_address_opens_a_file(folder: Path, name: str) -> None:
    give([own_scenario("island.toml", None)])
    for read in (address.from_query, from_query):
        found, problems = read(f"scenario={name}")
        assert found.scenario in presets()
        assert len(problems) == 1
        assert problems[0].startswith(f"unknown scenario {name!r}")
    for key in ("a", "tariff"):
        read = from_query if key == "a" else address.from_query
        _, problems = read(f"scenario=island&{key}=noon.toml")
        assert problems[0].startswith("unknown tariff 'noon.toml'")


def test_a_scenario_with_prices_by_branch_lives_on_the_pages_and_where_it_cannot_a_page_is_named(folder: Path) -> None:
    (folder / "north.toml").write_text(BY_BRANCH, encoding="utf-8")
    give([own_scenario("north.toml", None)])
    engine, settings = Engine(), Settings(scenario="north", tariff="flat", households=200)
    engine.preview(settings)
    solution = engine.solve(settings, progress=lambda _: None, cancelled=lambda: False)
    assert solution is not None
    found = solve_equilibrium(
        build_located_economy(settings.load()), build_tariff(settings.load()), tolerance_usd_per_kwh=1e-6, certify=False
    )
    assert solution.bill_usd_per_month == pytest.approx(bill_usd_per_month(found), abs=1e-9)
    notices = {notice.about: notice.text for notice in engine.adopt(solution)}
    assert notices["branches"].startswith("A kWh costs 10 ¢ more on branch north than on rest; ")
    assert "branches" not in {notice.about for notice in engine.adopt(solution)}, "it is said once"
    engine.step()
    market = engine._market
    assert market is not None
    for name in ("high/pv_battery on rest", "high/pv_battery on north"):
        place = [own.name for own in market.household_types].index(name)
        household = market.population.of_type(place).start
        engine.look(int(market.population.bus[household]), household)
        paid = json.loads(engine.frame().home_chart)["panels"][-1]["lines"][0]["values"]
        rest = solution.equilibrium.rates.import_usd_per_kwh[market.history[-1].common_state]
        assert paid == pytest.approx(rest + (0.1 if "north" in name else 0.0), abs=2e-4), name
    engine.close()
    assert "high/none on north" in home_names("north")
    choice = Choice(scenario="north", a="flat", b="rtp")
    assert any(text.startswith("A kWh costs by branch: 10 ¢ more on branch north") for text in side_differences(choice))
    _, problems = drawn_query("scenario=north")
    assert "the pages Market and Compare hold branches" in problems[0]
    with pytest.raises(ValueError, match=r"of its own feeder .*, which lv_rural does not have"):
        plan_of(Swept(scenario="north"))
    assert plan_of(Swept(scenario="north", feeder="scenario")).feeder.name == "textbook_line_5"


def test_a_tariff_with_tiers_is_held_by_the_market_and_left_out_elsewhere_which_is_said(folder: Path) -> None:
    tiers = "tiers = { limits_kwh_per_month = [300], adders_usd_per_kwh = [0.0, 0.1] }"
    (folder / "tiered.toml").write_text(f"{ISLAND}[tariffs.tiered]\n{NOON}{tiers}\n", encoding="utf-8")
    give([own_scenario("tiered.toml", None)])
    settings = Settings(scenario="tiered", tariff="flat")
    assert "tiered" not in [option["value"] for option in tariff_options(settings.preset())]
    found, problems = address.from_query("scenario=tiered&tariff=tiered")
    assert (found.tariff, problems) == ("tiered", ())
    _, problems = from_query("scenario=tiered&b=tiered")
    assert problems == (
        "tariff tiered has tiers, and this page takes rates and fixed charges alone; choose one tariff here, or open"
        " it on the page Market",
    )
    solution = solve(settings)
    assert solution is not None
    (notice,) = ending(solution)
    assert notice.text == "This page takes no tiers or other components, as of tiered; the page Market does."
    assert ending(solution, whole=True) == ()
    assert own_scenario("tiered.toml", "tiered").selected_tariff == "tiered"


def test_pages_begin_with_no_tariff_that_is_left_out(folder: Path) -> None:
    tiers = "[tariffs.flat.tiers]\nlimits_kwh_per_month = [300]\nadders_usd_per_kwh = [0.0, 0.1]\n"
    (folder / "tiered.toml").write_text(f'{ISLAND}default_tariff = "rtp"\n{tiers}', encoding="utf-8")
    give([own_scenario("tiered.toml", None)])
    opened, problems = from_query("scenario=tiered")
    assert (opened.a, opened.b, problems) == ("filed", "rtp", ())
    assert Swept(scenario="tiered").tariffs == ("rtp", "filed")


def test_rate_classes_set_aside_are_said(folder: Path) -> None:
    classes = '[rate_classes.solar]\ntechnologies = ["pv", "pv_battery"]\ntariff = "flat"\n'
    (folder / "solar.toml").write_text(f"{ISLAND}{classes}", encoding="utf-8")
    give([own_scenario("solar.toml", None)])
    solution = solve(Settings(scenario="solar"))
    assert solution is not None
    said = [notice.text for notice in ending(solution)]
    wanted = "This page puts everybody on one tariff and sets rate_classes (solar) aside; the page Market holds them."
    assert said == [wanted]


def test_what_was_given_before_is_forgotten(folder: Path) -> None:
    give([own_scenario("island.toml", None)])
    give([])
    with pytest.raises(ValueError, match="unknown scenario 'island'"):
        Settings(scenario="island")
    (folder / "island.toml").write_text(ISLAND.replace("2.0", "3.0"), encoding="utf-8")
    give([own_scenario("island.toml", None)])
    assert Settings(scenario="island").load().battery_share_scale == 3.0
    assert Choice(scenario="island").sides[0].load().battery_share_scale == 3.0


def test_the_command_opens_the_app_on_what_it_is_given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Settings | None] = []

    def serve(_port: int, _open: bool, *, opening: Settings | None, **_: object) -> int:
        opened.append(opening)
        return 0

    monkeypatch.setattr("meanwatt.analysis.dashboard.server.serve", serve)
    for given in (["oahu", "--tariff", "tou"], ["island.toml"], ["island.toml", "--tariff", "noon.toml"], []):
        assert main(["app", *given, "--no-browser"]) == 0
    first, second, third, nothing = opened
    assert (first, nothing) == (Settings(scenario="oahu", tariff="tou"), None)
    assert (second, third) == (Settings(scenario="island", tariff="flat"), Settings(scenario="island", tariff="noon"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["nowhere.toml"], "scenario nowhere.toml: file not found; give the path of a TOML file"),
        (["oauh"], "scenario oauh: unknown preset 'oauh'; did you mean 'oahu'?"),
        (["oahu", "--tariff", "flt"], "scenario oahu: unknown tariff 'flt'; did you mean 'flat'?"),
        (["oahu", "--tariff", "island.toml"], "tariff island.toml: key 'extends': only a scenario file extends"),
    ],
)
def test_what_cannot_be_opened_is_said_before_anything_is_served(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: list[str], said: str
) -> None:
    monkeypatch.setattr("meanwatt.analysis.dashboard.server.serve", lambda *_, **__: pytest.fail("it served"))
    assert main(["app", *given]) == 2
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert told.err.startswith("meanwatt: ")
    assert said in told.err


def test_an_unreadable_scenario_is_a_scenario_error(folder: Path) -> None:
    with pytest.raises(ScenarioError):
        own_scenario("noon.toml", None)
