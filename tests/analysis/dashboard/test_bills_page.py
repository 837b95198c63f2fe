"""The page of bills: numbers are those of ``meanwatt bill``, files are data, and what is refused is a sentence."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from classed_scenarios import given as given_scenario
from classed_scenarios import solved
from hypothesis import given, settings
from hypothesis import strategies as st

from meanwatt.analysis.cli import main
from meanwatt.analysis.dashboard.bills import billing
from meanwatt.analysis.dashboard.bills.biller import Biller
from meanwatt.analysis.dashboard.bills.choice import Choice, from_query, moved, query
from meanwatt.analysis.dashboard.bills.view import _lived as lived_boards
from meanwatt.analysis.dashboard.bills.words import begun, on_page
from meanwatt.analysis.dashboard.help import texts
from meanwatt.analysis.dashboard.shared.help_link import help_link
from meanwatt.analysis.dashboard.shared.own_scenarios import give
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.take_away.described import describe_bills
from meanwatt.model.billing.tariff_gallery import gallery_text

TEXTBOOK = "scenario=textbook"


def computed(search: str, files: dict[str, tuple[str, str]] | None = None) -> Biller:
    """A visitor's bill at an address, computed here and now."""
    biller = Biller("")
    for part, (name, text) in (files or {}).items():
        assert biller.opened({"part": part, "name": name, "text": text}) == {part: name}
    stop = biller._begin(search)
    biller._compute(biller.choice, stop)
    return biller


def statement(biller: Biller) -> dict[str, list[float]]:
    """Columns of the statement, without their sums."""
    shown = biller.view().figures
    assert shown is not None
    table = json.loads(shown.statement)
    columns = zip(*(row[1:] for row in table["rows"]), strict=True)
    return {
        head: [float(cell.replace("−", "-")) for cell in column]
        for head, column in zip(table["heads"][1:], columns, strict=True)
    }


def said(biller: Biller) -> list[str]:
    return [one["text"] for one in json.loads(biller.view().notices)]


def a_year(seed: int, most: float) -> str:
    kwh = np.random.default_rng(seed).uniform(0, most, 8760).round(3)
    return "kwh\n" + "\n".join(f"{one:g}" for one in kwh) + "\n"


def test_numbers_are_those_of_meanwatt_bill(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    load, solar, tariff = a_year(1, 2.0), a_year(2, 3.0), gallery_text("pge_e_tou_c")
    for name, text in (("mine.toml", tariff), ("load.csv", load), ("sun.csv", solar)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    chosen = {"territory": "X", "discount": "CARE", "export": "net_billing", "year": "2026"}
    given = [item for key, value in chosen.items() for item in (f"--{key}", value)]
    files = {"--load": "load.csv", "--generation": "sun.csv"}
    paths = [item for key, name in files.items() for item in (key, str(tmp_path / name))]
    assert main(["bill", str(tmp_path / "mine.toml"), *paths, *given, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    address = query(Choice(tariff_file="mine.toml", load="load.csv", solar="sun.csv", **chosen))
    page = computed(
        address, {"tariff_file": ("mine.toml", tariff), "load": ("load.csv", load), "solar": ("sun.csv", solar)}
    )
    shown = statement(page)
    assert said(page) == []
    for head, digits, values in (
        ("bill, USD", 2, found["monthly_usd"]),
        ("peak kW", 2, found["peak_kw"]),
        ("kWh sold", 1, found["fed_kwh"]),
        ("discount, USD", 2, found["months"]["discount_usd"]),
        ("credit, USD", 2, found["months"]["export_credit_usd"]),
    ):
        assert shown[head] == pytest.approx(values, abs=0.5001 * 10**-digits), head
    figures = page.view().figures
    bars = json.loads(figures.bars)
    assert bars["bills"] == pytest.approx(found["monthly_usd"], abs=1e-6)
    assert np.sum([part["values"] for part in bars["parts"]], axis=0) == pytest.approx(bars["bills"], abs=1e-5)
    told = json.loads(figures.messages)["texts"]
    assert [on_page(text.replace(f"{tmp_path}/", "")) for text in found["messages"]] == told


def prices(rows: int) -> str:
    usd = np.random.default_rng(3).uniform(-0.05, 0.4, rows).round(4)
    return "usd_per_kwh\n" + "\n".join(f"{one:g}" for one in usd) + "\n"


def test_a_tariff_that_follows_the_market_is_billed_by_prices_that_are_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    load, spot = a_year(1, 2.0), prices(8760)
    for name, text in (("load.csv", load), ("spot.csv", spot)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    paths = [item for key in ("load", "spot") for item in (f"--{key}", str(tmp_path / f"{key}.csv"))]
    paths[2] = "--wholesale"
    assert main(["bill", "octopus_agile", *paths, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    address = "tariff=octopus_agile&load=load.csv"
    without = computed(address, {"load": ("load.csv", load)})
    (asked_for,) = said(without)
    assert "follows a wholesale price; open a file of these prices, a column usd_per_kwh" in asked_for
    assert '"wholesale"' in without.view().bar
    page = computed(f"{address}&wholesale=spot.csv", {"load": ("load.csv", load), "wholesale": ("spot.csv", spot)})
    assert said(page) == []
    assert statement(page)["bill, GBP"] == pytest.approx(found["monthly_usd"], abs=0.005001)
    for wrong, problem in (("usd_per_kwh\n1\n", "spot.csv: 1 rows; give 8760"), ("kwh\n1\n", "spot.csv: ")):
        refused = computed(
            f"{address}&wholesale=spot.csv", {"load": ("load.csv", load), "wholesale": ("spot.csv", wrong)}
        )
        assert problem in said(refused)[0]
    flat = computed(f"{TEXTBOOK}&tariff=pge_e1&load=load.csv&wholesale=spot.csv", page._files)
    assert "follows no wholesale price; close the file of wholesale prices" in said(flat)[0]
    assert moved(page.choice, "tariff", "pge_e1")["wholesale"] == ""


def test_a_home_of_a_scenario_is_billed_by_prices_as_lines_of_python_bill_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, spot = f"{TEXTBOOK}&tariff=octopus_agile&home=low/none&wholesale=spot.csv", prices(8760)
    page = computed(address, {"wholesale": ("spot.csv", spot)})
    (tmp_path / "spot.csv").write_text(spot, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(compile(describe_bills(address, 0).python, "lines", "exec"), names)
    assert page._found is not None
    np.testing.assert_array_equal(names["found"].bill.monthly_usd, page._found.bill.bill.monthly_usd)


def test_lines_of_python_give_the_bill_of_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    address = f"{TEXTBOOK}&tariff=pge_e_tou_c&home=high/pv"
    names: dict = {}
    exec(compile(describe_bills(address, 0).python, "lines", "exec"), names)
    page = computed(address)
    assert page._found is not None
    np.testing.assert_array_equal(names["found"].bill.monthly_usd, page._found.bill.bill.monthly_usd)
    assert json.loads(page.view().figures.messages)["texts"][0].startswith("Territory X is taken")
    assert f"{float(names['found'].bill.annual_usd[0])} in all" in capsys.readouterr().out


def test_equal_requests_share_one_year_of_the_homes(monkeypatch: pytest.MonkeyPatch) -> None:
    lived = []
    wait = threading.Event()

    def year(settings: Settings, *_: object) -> str:
        lived.append(settings)
        wait.wait(5)
        return "meters"

    monkeypatch.setattr(billing, "_lived", year)
    monkeypatch.setattr(billing, "_years", billing.Memo(2))
    found = []

    def ask() -> None:
        found.append(billing.home_year(Settings(scenario="textbook"), progress=print, cancelled=lambda: False))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for one in threads:
        one.start()
    wait.set()
    for one in threads:
        one.join()
    assert (found, len(lived)) == (["meters"] * 3, 1)


@pytest.mark.parametrize(
    ("part", "name", "text", "problem"),
    [
        ("load", "a.txt", "kwh\n1\n", "'a.txt' is no name of a file here; open one that ends in .csv."),
        ("tariff_file", "a.toml", "#" * (2**20 + 1), "a.toml is larger than 1 MB, and is not read."),
        ("tariff_file", "", "", "'?' is no name of a file here; open one that ends in .json or .toml."),
    ],
)
def test_a_file_that_is_no_tariff_and_no_reading_by_name_or_size_is_not_read(
    part: str, name: str, text: str, problem: str
) -> None:
    biller = Biller(TEXTBOOK)
    assert biller.opened({"part": part, "name": name, "text": text}) is None
    assert said(biller) == [problem]
    assert biller._files == {}


@pytest.mark.parametrize(
    ("part", "name", "text", "problem"),
    [
        ("tariff_file", "a.json", "{", "Tariff a.json: not valid JSON: "),
        (
            "tariff_file",
            "a.toml",
            'recovery = "posted"\n',
            'Tariff a.toml: holds no kind = "ratebook", which begins a tariff as filed; this one is a tariff of a'
            " scenario, which the page Market opens.",
        ),
        ("load", "a.csv", "kwh\n1\n-2\n", "a.csv: line 3"),
        ("load", "a.csv", "kwh\n1\n2\n", "a.csv: 2 rows; a year of 365 days has 8760 hours"),
        ("load", "a.csv", "start,kwh\n2026-01-01 00:00,1\n2026-01-01 01:00,1\n", "a time zone"),
    ],
)
def test_a_file_that_cannot_be_billed_is_refused_in_a_sentence_and_the_tariff_stays(
    part: str, name: str, text: str, problem: str
) -> None:
    page = computed(f"{TEXTBOOK}&{part}={name}", {part: (name, text)})
    (told,) = said(page)
    assert problem in told
    assert "--" not in told
    view = page.view()
    assert (view.waiting, view.old) == (False, False)
    assert (view.figures is None) == (part == "tariff_file")
    assert view.figures is None or view.figures.statement == ""


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(["a.json", "a.toml"]), st.text(max_size=200) | st.binary(max_size=200).map(repr))
def test_whatever_a_tariff_file_holds_the_page_has_a_sentence(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"^tariff a\.\w+: [^\n]+$"):
        billing.read_tariff(Choice(tariff_file=name), {"tariff_file": (name, text)})


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("tariff=pge_e2", "unknown tariff 'pge_e2'; did you mean 'pge_e1'?"),
        ("scenario=textbook&home=low/pw", "unknown home 'low/pw'; did you mean "),
        ("tariff_file=/etc/passwd.toml", "'/etc/passwd.toml' is no name of a file here"),
        ("metering=gross", "unknown metering 'gross'"),
        ("year=12", "year is '12'; give a whole number from 1900 to 2200, or sam"),
        ("tz=Mars", "unknown --tz 'Mars'"),
        ("export=" + "x" * 81, "give at most 80 letters in one line"),
        ("nonsense=1", "unknown parameter 'nonsense'"),
    ],
)
def test_a_part_of_an_address_that_cannot_be_used_is_left_out_and_told(address: str, problem: str) -> None:
    choice, problems = from_query(address)
    assert len(problems) == 1
    assert problem in problems[0]
    assert query(choice) == query(from_query(query(choice))[0])


def test_a_link_does_not_hold_a_file() -> None:
    biller = Biller(f"{TEXTBOOK}&load=a.csv&solar=b.csv")
    assert query(biller.choice) == TEXTBOOK
    assert "A link does not hold the file 'a.csv'; open it again." in said(biller)[0]


def test_who_changes_the_tariff_leaves_its_terms_behind() -> None:
    choice = Choice(scenario="textbook", home="high/pv", tariff="pge_e1", territory="X", export="net_billing")
    assert query(choice, moved(choice, "tariff", "aps_r3")) == "scenario=textbook&home=high%2Fpv&tariff=aps_r3"
    assert query(choice, moved(choice, "tariff_file", "a.json")) == (
        "scenario=textbook&home=high%2Fpv&tariff=pge_e1&tariff_file=a.json"
    )
    assert "home" not in query(choice, moved(choice, "scenario", "unheard"))


def test_every_question_mark_leads_to_an_entry() -> None:
    page = computed(TEXTBOOK)
    view = page.view()
    shown = " ".join([view.bar, *(getattr(view.figures, name) for name in view.figures.__slots__)])
    for anchor in ("bill-tariff", "bill-home", "bill-metering", "read-statement", "read-filed-rates"):
        assert f'"{help_link(anchor)}"' in shown
        assert anchor in texts.anchors()


def test_a_home_lives_under_rate_classes_and_its_expected_bill_is_split_by_component(tmp_path: Path) -> None:
    scenario = given_scenario(tmp_path)
    assert scenario.has_rate_classes
    try:
        choice, problems = from_query("scenario=mine&home=low/none")
        assert (problems, choice.settings.tariff) == ((), "rate_classes")
        year = billing.HomeYear(equilibrium=solved().equilibrium, composed=solved().composed, meters=None)  # type: ignore[arg-type]
        shown = lived_boards(billing.Billed(choice=choice, read=None, year=year))  # type: ignore[arg-type]
        table = json.loads(shown["lived"])
        assert table["heads"][1:] == ["This home", "Others", "Solar"]
        names = [row[0] for row in table["rows"]]
        assert {"Access", "Tiers", "Demand charge", "Subscription"} <= set(names)
        for column in range(1, 4):
            cells = [float(row[column].replace("−", "-")) for row in table["rows"]]
            assert sum(cells) == pytest.approx(float(table["foot"][column]), abs=1e-9)
        texts = json.loads(shown["lived_says"])["texts"]
        assert any(text.startswith("Demand charge: households do not see it when they decide") for text in texts)
        assert "under mine's own rate classes" in table["caption"]
        assert query(Choice(scenario="mine", lived="flat")) == "scenario=mine&lived=flat"
        assert from_query("scenario=mine&lived=dear")[1][0].startswith("unknown tariff 'dear'")
        assert moved(choice, "lived", "flat") == {"lived": "flat"}
    finally:
        give([])


def test_a_refusal_begins_with_a_large_letter_unless_it_names_a_part_of_the_address() -> None:
    assert begun("unknown tariff 'pge_e2'; did you mean 'pge_e1'?").startswith("Unknown tariff")
    assert begun("a link does not hold the file 'a.csv'") == "A link does not hold the file 'a.csv'"
    for kept in ("year is '12'", "'x.txt' is no name of a file here", "tariff_file is 3"):
        assert begun(kept) == kept
