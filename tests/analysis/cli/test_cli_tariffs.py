"""``meanwatt tariffs``: the list, one tariff, its files, and a bill that takes it by name."""

import json
import shlex
import tomllib
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from repository import ROOT

from meanwatt.analysis.cli import main
from meanwatt.analysis.figures.tariff_picture import COLOURS, DEAREST, LEAST_CONTRAST, colour_of, contrast, ink_on
from meanwatt.model.billing.ratebook_source import load_ratebook
from meanwatt.model.billing.tariff_gallery import gallery, gallery_text

HOURS = 8760


def said(arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(shlex.split(arguments)) == 0
    found = capsys.readouterr()
    assert found.err == ""
    return found.out


def as_json(arguments: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    text = said(f"{arguments} --json", capsys)
    assert text.count("\n") == 1
    found = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no strict JSON"))
    assert isinstance(found, dict)
    return found


def refused(arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(shlex.split(arguments)) == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.count("\n") == 1
    return found.err.removeprefix("meanwatt: ").strip()


def test_the_list_has_a_line_for_every_tariff_with_its_date_and_its_doubt(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said("tariffs", capsys).splitlines()
    rows = as_json("tariffs", capsys)["tariffs"]
    assert [row["name"] for row in rows] == list(gallery())
    for row, line in zip(rows, lines, strict=False):
        assert line.startswith(f"{row['name']} ")
        assert f"; as of {row['as_of']}" in line
        assert line.endswith("; not all numbers certain") == (row["status"] == "uncertain")


@pytest.mark.parametrize("name", gallery())
def test_a_tariff_is_shown_whole_to_people_and_to_programs(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    raw = tomllib.loads(gallery_text(name))
    found = as_json(f"tariffs {name}", capsys)
    assert found["messages"] == []
    for key in ("title", "as_of", "source", "status"):
        assert found[key] == raw[key]
    for key in ("uncertain", "fixed", "discounts", "exports"):
        assert found[key] == raw.get(key, {})
    for key in ("weekday_usd_per_kwh", "weekend_usd_per_kwh", "weekday_period", "weekend_period"):
        assert [len(row) for row in found[key]] == [24] * 12
    people = said(f"tariffs {name}", capsys)
    rates = {tier["usd_per_kwh"] for period in raw["energy"]["periods"].values() for tier in period["tiers"]}
    assert all(f"{rate:g}" in people for rate in rates)
    assert raw["source"] in people
    assert people.count("Note: Not certain, ") == len(raw.get("uncertain", {}))


def test_the_rates_of_an_hour_are_those_of_its_period(capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json("tariffs sce_tou_d_prime", capsys)
    assert found["weekday_usd_per_kwh"][6][18] == 0.5637
    assert found["weekend_usd_per_kwh"][6][18] == 0.3813
    assert found["weekday_usd_per_kwh"][6][12] == 0.2632
    assert found["weekday_usd_per_kwh"][0][18] == 0.5334
    people = " ".join(said("tariffs sce_tou_d_prime", capsys).split())
    assert "weekdays Jun–Sep 16–21 h │ 0.5637" in people
    assert "Jun–Sep 21–16 h │ 0.2632" in people


@pytest.mark.parametrize("name", gallery())
def test_a_tariff_printed_or_written_as_a_file_is_the_same_tariff(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ours = load_ratebook(name).table
    Path("printed.toml").write_text(said(f"tariffs {name} --toml", capsys), encoding="utf-8")
    Path("printed.json").write_text(said(f"tariffs {name} --urdb", capsys), encoding="utf-8")
    assert as_json(f"tariffs {name} --to written.toml", capsys)["file"] == "written.toml"
    assert said(f"tariffs {name} --to written.json", capsys) == f"written.json: {ours.title}\n"
    assert load_ratebook("printed.toml").table == ours
    assert Path("written.toml").read_text(encoding="utf-8") == Path("printed.toml").read_text(encoding="utf-8")
    assert json.loads(Path("written.json").read_text("utf-8")) == json.loads(Path("printed.json").read_text("utf-8"))


@pytest.mark.parametrize("name", gallery())
def test_a_picture_shows_every_hour_of_every_month_once_in_the_colour_of_its_price(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "picture.svg"
    said(f"tariffs {name} --to {target}", capsys)
    assert target.stat().st_size < 15_000
    found = as_json(f"tariffs {name}", capsys)
    root = ElementTree.parse(target).getroot()
    fields = root.findall("{*}g/{*}rect")
    left, top = (min(float(field.attrib[side]) for field in fields) for side in ("x", "y"))
    wide = (max(float(field.attrib["x"]) + float(field.attrib["width"]) for field in fields) - left) / 24
    high = (max(float(field.attrib["y"]) + float(field.attrib["height"]) for field in fields) - top) / 12
    seen = {}
    for field in fields:
        x, y, width, height = (float(field.attrib[side]) for side in ("x", "y", "width", "height"))
        for month in range(round((y - top) / high), round((y + height - top) / high)):
            for hour in range(round((x - left) / wide), round((x + width - left) / wide)):
                assert (month, hour) not in seen
                seen[month, hour] = field.attrib["fill"]
    assert len(seen) == 12 * 24
    for (month, hour), fill in seen.items():
        assert fill == "#{:02x}{:02x}{:02x}".format(*colour_of(found["weekday_usd_per_kwh"][month][hour]))


def test_a_price_can_be_read_on_its_colour_and_a_dearer_one_is_darker() -> None:
    ink = {"#000": (0, 0, 0), "#fff": (255, 255, 255)}
    shades = [colour_of(DEAREST * step / 200) for step in range(201)]
    assert all(contrast(shade, ink[ink_on(shade)]) >= LEAST_CONTRAST for shade in shades)
    against_black = [contrast(shade, (0, 0, 0)) for shade in shades]
    assert against_black == sorted(against_black, reverse=True)
    assert colour_of(-1.0) == COLOURS[0][1]
    assert colour_of(9.0) == COLOURS[-1][1]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with readings of a house that uses 1 kW, and of its roof."""
    monkeypatch.chdir(tmp_path)
    Path("load.csv").write_text("kwh\n" + "1\n" * HOURS, encoding="utf-8")
    day = "".join("3\n" if 10 <= hour < 14 else "0\n" for hour in range(24))
    Path("solar.csv").write_text("kwh\n" + day * 365, encoding="utf-8")
    Path("wholesale.csv").write_text("usd_per_kwh\n" + "0.1\n" * HOURS, encoding="utf-8")
    return tmp_path


def test_a_bill_takes_a_tariff_by_name_and_says_where_its_rates_are_from(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = as_json("bill pge_e1 --load load.csv --discount CARE", capsys)
    energy = HOURS * 0.40702 - 365 * 9.8 * 0.08141
    assert found["discount"] == "CARE"
    assert found["discount_usd"] == pytest.approx(-0.35 * energy)
    assert found["fixed_usd"] == pytest.approx(365 * 0.19713)
    assert found["annual_usd"] == pytest.approx(0.65 * energy + 365 * 0.19713)
    said_of = "\n".join(found["messages"])
    assert "The tariff's rates are as of 2026-03-01 from PG&E tariff book, Advice 7846-E" in said_of
    assert "Not certain, baseline.kwh_per_day.X: one allowance was read" in said_of
    assert "Discount CARE exempts the wildfire fund charge and components like it, whose rate the file does" in said_of
    assert "exports." not in said_of  # nothing is fed in
    assert found["settings"]["tariff"] == "pge_e1"


def test_a_bill_takes_the_terms_of_feeding_in_that_are_chosen(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both = "bill pge_e_elec --load load.csv --generation solar.csv"
    by_hour = as_json(both, capsys)
    assert by_hour["metering"] == "net_billing"
    assert by_hour["export_credit_usd"] == pytest.approx(-365 * 2 * (0.042 + 0.041 + 0.040 + 0.038))
    assert any(line.startswith("Not certain, exports.net_billing.usd_per_kwh: ") for line in by_hour["messages"])
    assert not any("exports.net_metering" in line for line in by_hour["messages"])
    retail = as_json(f"{both} --export net_metering", capsys)
    assert retail["metering"] == "net_metering_dollars"
    assert retail["annual_usd"] < by_hour["annual_usd"] < as_json(f"{both} --export none", capsys)["annual_usd"]
    line = refused(f"{both} --metering net_metering", capsys)
    assert line.startswith(
        "--metering net_metering: kWh are netted over the month, and what feeding in earns under 'net_billing' goes by"
        " the hour; choose other terms with --export, one of net_billing, net_metering, buy_all_sell_all, none"
    )
    line = refused("bill heco_r --load load.csv --generation solar.csv", capsys)
    assert line == ("--generation needs --export, one of customer_grid_supply_plus, smart_export, none, or --metering")


def test_what_expires_at_a_true_up_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json("bill heco_shift_and_save --load load.csv --generation solar.csv", capsys)
    december = 31 * 8 * 0.135
    assert f"Credits of {december:.2f} USD are left at the true-up in month 12 and expire." in found["messages"]


def test_a_bill_in_another_currency_says_so_everywhere(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = as_json("bill ofgem_cap --load load.csv", capsys)
    assert found["currency"] == "GBP"
    assert "All sums are in GBP, although names such as annual_usd say usd." in found["messages"]
    people = said("bill ofgem_cap --load load.csv", capsys)
    assert "To pay over these months: 2504.19 GBP." in people
    assert "USD" not in people


def test_a_dynamic_tariff_takes_wholesale_prices_and_its_energy_adds_up(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = as_json("bill octopus_agile --load load.csv --wholesale wholesale.csv", capsys)
    assert found["annual_usd"] == pytest.approx(365 * (21 * 0.22 + 3 * 0.34))
    assert sum(row["usd"] for row in found["energy"]) == pytest.approx(found["energy_usd"])
    assert refused("bill octopus_agile --load load.csv", capsys) == (
        "tariff octopus_agile follows a wholesale price; give --wholesale FILE.csv, a column usd_per_kwh, one an"
        " interval, in GBP"
    )
    line = refused("bill heco_r --load load.csv --wholesale wholesale.csv", capsys)
    assert line == "tariff heco_r follows no wholesale price; leave --wholesale out"


REFUSED = {
    "tariffs pge_e2": "unknown tariff 'pge_e2'; did you mean 'pge_e1'?",
    "tariffs --toml": "--toml needs the NAME of a tariff; meanwatt tariffs lists them",
    "tariffs --to one.toml": "--to needs the NAME of a tariff; meanwatt tariffs lists them",
    "tariffs heco_r --toml --urdb": "--toml and --urdb are given; give one of them",
    "tariffs heco_r --toml --json": "--toml and --json are given; give one of them",
    "tariffs heco_r --to one.csv": "--to is 'one.csv'; give a file name that ends in .toml, .json or .svg",
    "tariffs heco_r --to none/one.toml": "--to none/one.toml: its directory does not exist",
    "bill heco_shift --load load.csv": "unknown tariff 'heco_shift'; did you mean 'heco_shift_and_save'? A file is"
    " named with its ending, .toml or .json.",
    "bill ./heco_r --load load.csv": "tariff ./heco_r: file not found; give the path of a tariff as filed",
    "bill heco_r --load load.csv --discount CARE": "tariff heco_r: has no discounts; leave --discount out",
    "bill pge_e1 --load load.csv --export nem": "tariff pge_e1: unknown export 'nem'",
}


@pytest.mark.parametrize("arguments", REFUSED)
def test_what_cannot_be_done_is_one_line_and_nothing_is_written(
    arguments: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(folder.iterdir())
    assert refused(arguments, capsys).startswith(REFUSED[arguments])
    assert sorted(folder.iterdir()) == before


def test_the_page_of_the_documents_has_a_picture_and_the_rates_of_every_tariff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    from builder.generated import generated

    page = generated((ROOT / "docs" / "reference" / "gallery.md").read_text(encoding="utf-8"))
    assert len(page) < 150_000
    for name in gallery():
        part = page.partition(f"## `{name}`\n")[2].partition("\n## ")[0]
        raw = tomllib.loads(gallery_text(name))
        energy = raw["energy"]
        assert part.count("<svg ") == 1 + (energy.get("weekend", energy["weekday"]) != energy["weekday"])
        for period, entry in energy["periods"].items():
            assert f"| `{period}` |" in part
            assert f"| {entry['tiers'][0]['usd_per_kwh']:g} |" in part
        assert all(f"* `{key}`: " in part for key in raw.get("uncertain", {}))
