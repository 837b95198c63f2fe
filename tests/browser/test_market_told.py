"""The page Market in a real browser: a change told against what was before, and what was tried kept and found again."""

import csv
import io
from pathlib import Path

from looking import in_force, set_range, until_day
from watching import expect

READING = Path(__file__).with_name("reading.js").read_text(encoding="utf-8")
MARKS = {
    ".mw-panel-load path.mw-line-before": 1,
    ".mw-panel-price path.mw-line-before": 1,
    ".mw-panel-tariff path.mw-line-before": 2,
    ".mw-burden-box .mw-before-tick": 3,
}
"""How many marks of what was before are on the page Market."""
KEPT = "localStorage.getItem('meanwatt:tried:textbook')"


def marks(page) -> list[int]:
    return [page.locator(mark).count() for mark in MARKS]


def moves(page) -> list[str]:
    """What every key figure says of its move, as it is seen."""
    return [move.inner_text() for move in page.locator(".mw-moved > span[aria-hidden]").all()]


def rows(page, count: int) -> None:
    page.wait_for_selector(f'.mw-tray[data-rows="{count}"]')


def stands_out(page) -> None:
    page.evaluate(READING)
    assert page.evaluate("meanwattReading.nameless()") == []
    read, faint = page.evaluate("meanwattReading.faint()")
    assert read > 100
    assert faint == []


def test_a_change_is_told_against_what_was_before_or_pinned_and_the_browser_keeps_what_was_tried(visit) -> None:
    page = visit("?scenario=textbook")
    assert (marks(page), moves(page)) == ([0] * len(MARKS), [])
    assert page.inner_text(".mw-day .mw-caption").endswith("the most of the day.")
    set_range(page, "tariff.pass_through", "0.5")
    page.wait_for_selector("text=1 change not applied.")
    page.click("text=Apply")
    in_force(page)
    page.wait_for_selector(".mw-base-text:has-text('before: A posted time-of-use tariff')")
    assert marks(page) == list(MARKS.values())
    said = moves(page)
    assert len(said) == 6
    assert sum(move[0] in "▲▼" and move.split()[1][0] in "+−" for move in said) >= 3
    assert all(any(word in move for word in ("better", "worse", "the same", "0")) for move in said)
    stands_out(page)
    page.click("button:has-text('Pin')")
    page.wait_for_selector(".mw-base-text:has-text('wholesale price passed on 0.50 (in force now)')")
    assert (marks(page), moves(page)) == ([0] * len(MARKS), [])
    page.select_option('select[name="tariff"]', "rtp")
    page.wait_for_selector(".mw-day-key:has-text('mean field, pinned')")
    in_force(page)
    page.wait_for_selector(".mw-panel-load path.mw-line-before", state="attached")  # it is solved: day 0 begins
    page.wait_for_selector('.mw-metrics[data-day="0"]')
    page.keyboard.press("s")
    until_day(page, 1)
    assert marks(page) == list(MARKS.values())
    expect(page.locator(".mw-day .mw-caption").first).to_contain_text(" the market needs ", use_inner_text=True)
    rows(page, 3)
    page.focus(".mw-tray tbody tr:last-child .mw-tray-name")
    page.keyboard.press("Enter")
    page.wait_for_function("location.search === '?scenario=textbook'")
    in_force(page)
    page.wait_for_selector(".mw-tray tbody tr:last-child [aria-current]")
    expect(page.locator("button:has-text('Unpin')")).to_have_count(1)
    page.click("text=☾ Dark")
    page.wait_for_selector("#app.theme--dark")
    stands_out(page)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.reload()
    page.wait_for_selector(".mw-play:not([disabled])")
    rows(page, 3)
    assert moves(page) == []
    with page.expect_download() as download:
        page.click("text=Download the list as CSV")
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert "# scenario: textbook" in lines
    assert "# link: ?scenario=textbook&tariff=filed&households=1000&seed=0" in lines
    plain = "\n".join(line for line in lines if not line.startswith("#"))
    assert [row["tariff"] for row in csv.DictReader(io.StringIO(plain))] == [
        "A posted time-of-use tariff",
        "A posted time-of-use tariff, wholesale price passed on 0.50",
        "Real-time price with carbon",
    ]
    assert "tariff=rtp" in page.evaluate(KEPT)
    page.click("text=Clear the list")
    rows(page, 1)
    page.wait_for_function(f"!{KEPT}.includes('tariff=rtp')")
