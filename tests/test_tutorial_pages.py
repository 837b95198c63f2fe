"""The first tutorial and the how-to on files keep their word: commands and Python print what the pages say."""

import json
import re
import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib as mpl
import pytest
from repository import ROOT

from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.analysis.cli import main
from meanwatt.model.scenario.economy import build_economy, build_rate_classes
from meanwatt.model.scenario.loading import load_scenario

DOCS = ROOT / "docs"
TUTORIAL = (DOCS / "tutorial" / "first_market.md").read_text(encoding="utf-8")
HOW_TO = (DOCS / "how_to" / "own_scenario.md").read_text(encoding="utf-8")
VEHICLES = (DOCS / "how_to" / "electric_vehicles.md").read_text(encoding="utf-8")
CLASSES = (DOCS / "how_to" / "rate_classes.md").read_text(encoding="utf-8")


def blocks(page: str) -> list[tuple[str, str]]:
    """Language and text of every fenced block."""
    return re.findall(r"^```(\w*)\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a reader's own, with the files that the pages tell to save."""
    monkeypatch.chdir(tmp_path)
    for page in (TUTORIAL, HOW_TO, VEHICLES, CLASSES):
        for name, text in re.findall(r"Save this as `([\w.]+)`.*?```toml\n(.*?)```", page, flags=re.DOTALL):
            (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_the_python_of_the_tutorial_prints_what_it_says(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = blocks(TUTORIAL)
    named: dict[str, Any] = {}
    ran = 0
    for place, (language, text) in enumerate(page):
        if language == "python":
            exec(compile(text, "first_market.md", "exec"), named)
            assert page[place + 1] == ("text", capsys.readouterr().out)
            ran += 1
    assert ran == 5
    drawn, shown = (mpl.image.imread(path) for path in (folder / "noon.png", DOCS / "images" / "first_market.png"))
    assert drawn.shape == shown.shape


def test_the_first_command_of_the_tutorial_prints_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    page = blocks(TUTORIAL)
    (place,) = (place for place, (_, text) in enumerate(page) if text.startswith("uv run meanwatt solve"))
    assert main(shlex.split(page[place][1])[3:]) == 0
    printed = {line.rstrip() for line in capsys.readouterr().out.splitlines()}
    assert len(page[place + 1][1].splitlines()) == 12
    assert set(page[place + 1][1].splitlines()) <= printed


def test_the_scenario_and_the_tariff_of_the_how_to_say_what_it_says(folder: Path) -> None:
    island = load_scenario("island.toml", tariff="tou")
    oahu = load_scenario("oahu")
    assert (island.battery_share_scale, island.battery.capacity_kwh) == (2.0, 10)
    assert island.battery.power_limit_kw == oahu.battery.power_limit_kw
    assert island.selected_tariff == "tou"
    assert load_scenario("textbook", tariff="noon.toml").tariffs["noon"].title == "Cheap at noon"
    python = [text for language, text in blocks(HOW_TO) if language == "python"]
    assert len(python) == 2
    for text in python:  # as arguments go in; what comes out is tested elsewhere, and takes seconds
        named: dict[str, Any] = {"meanwatt": SimpleNamespace(solve=load_scenario)}
        exec(compile(text, "own_scenario.md", "exec"), named)
        assert (named["solution"].battery_share_scale, named["solution"].selected_tariff) == (2.0, "tou")


def test_a_mistake_is_the_line_that_the_how_to_shows(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command, line = next(
        (text, after)
        for (_, text), (language, after) in zip(blocks(HOW_TO), blocks(HOW_TO)[1:], strict=False)
        if language == "text"
    )
    assert main(shlex.split(command)[3:]) == 2
    assert capsys.readouterr().err == line


def test_the_street_with_vehicles_has_the_peaks_that_its_page_prints(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \| (\d+) h \| (\S+) \| (\S+) \|$", VEHICLES, flags=re.MULTILINE)
    assert len(rows) == 3
    for tariff, peak_kw, hour, peak_to_average, gap in rows:
        assert main(["solve", "ev_street.toml", "--tariff", tariff, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        load, metrics = found["net_load_kw"][0], found["metrics"]
        assert (max(load), load.index(max(load))) == (pytest.approx(float(peak_kw), abs=5e-4), int(hour))
        assert metrics["peak_to_average"] == pytest.approx(float(peak_to_average), abs=5e-3)
        assert metrics["efficiency_gap_usd_per_household_day"] == pytest.approx(float(gap), abs=5e-4)


def test_who_pays_for_the_class_for_solar_is_what_its_page_prints(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    number = r" (\S+) \|"
    rows = re.findall(rf"^\| (nobody|homes with solar|everybody) \|{5 * number}$", CLASSES, flags=re.MULTILINE)
    options = {"nobody": ["--tariff", "flat"], "homes with solar": [], "everybody": ["--tariff", "rtp"]}
    assert [row[0] for row in rows] == list(options)
    for who, adder, none, pv, pv_battery, gap in rows:
        assert main(["solve", "solar_class.toml", *options[who], "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        bills = {row["technology"]: row["bill_usd_per_year"] for row in found["groups"] if row["income"] == "middle"}
        assert found["adder_usd_per_kwh"] == pytest.approx(float(adder), abs=5e-5)
        for technology, bill in (("none", none), ("pv", pv), ("pv_battery", pv_battery)):
            assert bills[technology] == pytest.approx(float(bill), abs=0.5)
        assert found["metrics"]["efficiency_gap_usd_per_household_day"] == pytest.approx(float(gap), abs=5e-5)


@pytest.mark.parametrize("name", ["california", "oahu"])
def test_the_filed_classes_put_solar_homes_on_the_presets_filed_tariff_and_the_others_on_another(name: str) -> None:
    scenario = load_scenario(DOCS / "examples" / f"{name}_filed_classes.toml")
    tariff = build_rate_classes(scenario)
    assert tariff.recovery is Recovery.POSTED
    for household in build_economy(scenario).types:
        assert (tariff.of(household).name == "filed") == (household.technology != "none")
        assert tariff.of(household).energy_usd_per_kwh.min() > 0.1
