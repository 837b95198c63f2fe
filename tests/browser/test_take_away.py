"""What is taken away from a page: pictures that stand alone, tables without formulas (`test_every_page` takes all)."""

import csv
import io
import re
from pathlib import Path
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest
from looking import day
from test_pages import settled
from watching import expect

from meanwatt.analysis.dashboard.shared.csv_text import release

SVG = "{http://www.w3.org/2000/svg}"
LISTED = ".mw-take-list li"
KEPT = """() => {
    const make = URL.createObjectURL;
    window.handed = [];
    URL.createObjectURL = (blob) => { window.handed.push(blob); return make.call(URL, blob); };
}"""


def opened(page) -> dict:
    """Open the dialog; what it lists: by name the buttons of each thing."""
    page.click(".mw-nav-take")
    page.wait_for_selector("dialog.mw-take[data-told]")
    return {row.locator(".mw-take-name").inner_text(): row.locator("button") for row in page.locator(LISTED).all()}


def taken(page, buttons) -> dict[str, bytes]:
    """Press every button of a thing; the files by their names."""
    files = {}
    for button in buttons.all():
        with page.expect_download() as download:
            button.click()
            page.wait_for_selector('.mw-take-status:text-matches("[.]$")')
            said = page.inner_text(".mw-take-status")
            assert said.endswith(" is saved."), said
        name = download.value.suggested_filename
        files[name] = Path(download.value.path()).read_bytes()
        assert said == f"{name} is saved."
    return files


def stands_alone(text: str) -> ElementTree.Element:
    """Check that a picture needs nothing else: neither the page's styles, nor a file, nor a script."""
    root = ElementTree.fromstring(text.encode())
    for part in root.iter():
        assert part.tag.startswith(SVG)
        assert part.tag not in (f"{SVG}script", f"{SVG}foreignObject", f"{SVG}image")
        assert not {"class", "style"} & part.attrib.keys()
        assert not any("var(" in value or name.startswith("on") for name, value in part.attrib.items())
        if part.tag == f"{SVG}text":
            assert part.get("fill")
            assert "sans-serif" in part.get("font-family", "")
    assert [part.tag for part in root[:2]] == [f"{SVG}title", f"{SVG}desc"]
    assert set(re.findall(r"url\(([^)]{5})", text)) <= {"data:", "#mw-c"}
    return root


def table(text: str) -> tuple[list[str], list[list[str]]]:
    """Comments and rows of a CSV file, which is one table, and no formula."""
    head = [line[2:] for line in text.splitlines() if line.startswith("# ")]
    rows = list(csv.reader(io.StringIO("\n".join(line for line in text.splitlines() if not line.startswith("# ")))))
    assert len(rows) > 1
    assert {len(row) for row in rows} == {len(rows[0])}
    for cell in (cell for row in rows for cell in row):
        assert not re.match(r"[=+@\t]", cell), cell
        if cell.startswith("-"):
            float(cell)
        assert cell == cell.strip()
        assert not re.search(r"−\d+(\.\d+)?$", cell), "a minus sign that no program reads"
    return head, rows


def test_cells_are_numbers_or_words_and_never_formulas(visit) -> None:
    page = visit("help", ready=False)
    opened(page)
    for text, written in {
        "=1+1": "'=1+1",
        "= utility's surplus": "'= utility's surplus",
        "+cmd|' /C calc'!A0": "'+cmd|' /C calc'!A0",
        "@SUM(A1)": "'@SUM(A1)",
        "-2+3": "'-2+3",
        "- solar": "'- solar",
        "−0.357": "-0.357",
        "-5": "-5",
        "+0.14": "0.14",
        "1,234.5": "1234.5",
        "2e-3": "2e-3",
        "–": "",
        "12 h": "12 h",
        "": "",
    }.items():
        assert page.evaluate("(text) => meanwattTables.cell(text)", text) == written
    assert page.evaluate("meanwattTables.cell('3.20 %', '% of income')") == "3.20"
    found = {"columns": ["=a", "b,c"], "rows": [['say "so"', "#1"], ["two\nlines", "−1"]]}
    text = page.evaluate("(found) => meanwattTables.csvText(found, [['link', 'x\\n=y']])", found)
    assert text == '# link: x =y\n\'=a,"b,c"\n"say ""so""","#1"\ntwo lines,-1\n'


def test_a_column_below_heads_in_two_rows_is_named_by_both(visit) -> None:
    page = visit("help", ready=False)
    opened(page)
    table = (
        "<table><thead><tr><th rowspan=2>Hour</th><th colspan=2>Import</th><th>Export</th></tr>"
        "<tr><th>energy</th><th>adder</th><th>energy</th></tr></thead>"
        "<tbody><tr><td>0</td><td>0.1</td><td>0.2</td><td>0.3</td></tr></tbody></table>"
    )
    read = """(html) => {
        const holder = document.createElement("div");
        holder.innerHTML = html;
        return meanwattTables.tableOf(holder.firstChild);
    }"""
    assert page.evaluate(read, table) == {
        "columns": ["Hour", "Import, energy", "Import, adder", "Export, energy"],
        "rows": [["0", "0.1", "0.2", "0.3"]],
    }


def test_the_numbers_of_a_table_are_those_of_the_page(visit) -> None:
    page = visit("compare?scenario=textbook&a=filed&b=rtp", ready=False)
    settled(page)
    shown = page.locator('.mw-numbers tr[data-key="gap"] td').all_inner_texts()
    body, typed = taken(page, opened(page)["Key numbers, per home"]).values()
    _, rows = table(body.decode())
    assert rows[0] == ["Number", "A", "B", "B − A", "verdict"]
    (gap,) = [row for row in rows if row[0] == "Burden gap (% of income)"]
    assert gap[1:3] == shown[:2]
    assert float(gap[3]) == pytest.approx(float(gap[2]) - float(gap[1]))
    assert gap[4] in ("better", "worse", "the same")
    (same,) = [row for row in pq.read_table(io.BytesIO(typed)).to_pylist() if row["Number"] == gap[0]]
    assert [float(same["A"]), float(same["B"]), same["verdict"]] == [*map(float, gap[1:3]), gap[4]]


def test_the_dialog_is_worked_by_keys_alone_and_gives_the_focus_back(visit) -> None:
    page = visit("?scenario=textbook", viewport={"width": 390, "height": 844})
    page.focus(".mw-nav-take")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog.mw-take[data-told]")
    assert page.evaluate("document.activeElement.closest('dialog') !== null")
    assert page.evaluate("document.querySelector('dialog').scrollWidth <= 390")
    page.keyboard.press("s")  # a key of the page does nothing in here
    page.keyboard.press("Tab")
    page.wait_for_selector(f"{LISTED} button:focus")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "meanwatt-market-key-figures.csv"
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.mw-take", state="detached")
    assert page.evaluate("document.activeElement.className").split()[-1] == "mw-nav-take"
    expect(page.locator(".mw-day details[open]")).to_have_count(0)
    page.keyboard.press("s")
    page.wait_for_selector('.mw-clock[data-day="1"]')
    assert day(page) == 1


def test_the_lines_of_python_are_those_of_the_settings_and_the_day_at_hand(visit) -> None:
    page = visit("?scenario=textbook&tariff=rtp&households=90&seed=4&tariff.pass_through=0.5")
    page.keyboard.press("s")
    page.wait_for_selector('.mw-clock[data-day="1"]')
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened(page)
    lines = page.inner_text(".mw-take pre")
    assert "overrides={'tariff.pass_through': 0.5}" in lines
    assert "meanwatt.simulate(solution, households=90, days=1, seed=4)" in lines
    page.click("text=Copy as Python")
    page.wait_for_selector(".mw-take-status:has-text('The lines are copied.')")
    assert page.evaluate("navigator.clipboard.readText()").strip() == lines.strip()


def test_a_class_takes_its_pictures_and_tables_away_without_the_key_of_the_room(visit, address: str) -> None:
    teacher = visit("class", ready=False)
    teacher.select_option('select[name="scenario"]', "textbook")
    teacher.fill('input[name="households"]', "100")
    teacher.click('button:has-text("Play alone")')
    teacher.wait_for_selector(".cm-hour")
    teacher.click("text=Live this day")
    teacher.wait_for_selector('h2:has-text("Day 1, typical: bill $")')
    teacher.wait_for_selector(".cm-hour")  # the morning after: until then the page is drawn anew
    key = teacher.url.split("#")[1]
    teacher.click(".cm-take")
    teacher.wait_for_selector("dialog.mw-take[data-told]")
    teacher.evaluate(
        KEPT
    )  # Chromium leaves out a download now and then where a page makes many: read what is handed over
    buttons = teacher.locator(f"{LISTED} button").all()
    assert len(buttons) > 4
    for button in buttons:
        button.click()
        teacher.wait_for_selector('.mw-take-status:text-matches("is saved[.]$")')
        body = teacher.evaluate("async () => await window.handed.at(-1).text()")
        assert key not in body
        ending = button.get_attribute("data-ending")
        if ending == "csv":
            head, _ = table(body)
            assert {f"program: meanwatt {release()}", f"link: {address}/class/play"} <= set(head)
            assert any(line.startswith("scenario: ") for line in head)
        elif ending == "svg":
            stands_alone(body)
