"""Every page enlarged, as axe-core judges it by WCAG 2.2 (A and AA) in light and dark, still, and what it gives away.

A page is opened once for all of that: opening costs more than what is asked.
"""

import io
import re
from collections.abc import Iterator
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest
from PIL import Image
from test_pages import SOLVED, settled
from test_take_away import SVG, stands_alone, table, taken
from test_take_away import opened as listed
from watching import PATIENCE_MS, expect, watch

from meanwatt.analysis.dashboard.pages import PAGES
from meanwatt.analysis.dashboard.shared.csv_text import release

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
OPTIONS = {"runOnly": list(RULES), "resultTypes": ["violations"]}
QUERIES = {
    "Market": "?scenario=textbook&tariff=rtp&seed=4&nonsense=1",  # a notice stands on it, too
    "Compare": "compare?scenario=textbook&a=filed&b=rtp",
    "Bills": "bills?scenario=textbook&tariff=pge_e_tou_c",
    "Finite market": "finite?scenario=textbook&markets=5",
    "Hosting": "hosting?scenario=textbook&placements=10&step=25",
    "Leader": "leader?evaluations=5&run=1",
    "Learners": "learners?days=4&households=100",
}
LAST = {
    "Compare": '.mw-numbers tr[data-key="efficiency"]:not(:has-text("…"))',
    "Finite market": ".mw-sizes-gain",
    "Hosting": ".mw-files",
    "Leader": ".mw-files",
    "Learners": ".mw-learner-files",
}
"""What comes last on pages that go on computing."""

THINGS = {
    "Market": ("24 hours", "Burden: share of income paid for electricity", "Key figures", "Tariffs you tried"),
    "Compare": ("Key numbers, per home", "The mean day", "Who pays whom"),
    "Bills": ("Statement by month", "What the bill is made of", "The tariff, All days"),
    "Finite market": ("Distance of the net load from the mean field",),
    "Hosting": ("Placements with voltage too high", "Highest voltage, median over placements"),
    "Leader": ("The search", "Key numbers, per home", "Rates by the hour, mean of all weathers"),
    "Theory lab": ("What each answers the other", "The solved game"),
    "Learners": ("How far from the equilibrium, day by day", "Key numbers"),
    "Challenge": ("Your tariff",),
}
"""Some of what a page must offer."""
NAMED = {
    "Market": ("tariff: rtp", "seed: 4", "scenario: textbook"),
    "Compare": ("tariff A: filed", "tariff B: rtp", "scenario: textbook"),
    "Bills": ("tariff: heco_shift_and_save", "scenario: textbook", "home: middle/pv_battery"),
    "Finite market": ("tariff: rtp", "seed: 0", "scenario: textbook"),
    "Hosting": ("scenario: textbook", "feeder: lv_rural", "placements: 10", "seed: 0"),
    "Learners": ("tariff: rtp", "seed: 0", "scenario: textbook"),
    "Leader": ("scenario: textbook",),
}
ANOTHER = {"Bills": "bills?scenario=textbook", "Lessons": "lessons?lesson=fixed-charge&shown=1"}
"""Where there is more to take away."""
HOSTED = ("http", "https", "ws", "wss")
SCREEN = {"width": 1280, "height": 800}
ENLARGED = {"width": 1280, "height": 720}
SWITCH = {"dark": "☾ Dark", "light": "☀ Light"}
"""Schemes of colours, and what the switch to each says."""
MOVES = """() => [...document.querySelectorAll('.mw, .mw *')].map((one) => getComputedStyle(one))
    .filter((style) => style.transitionDuration.split(', ').some((time) => parseFloat(time) > 0)
        && style.transitionProperty !== 'none' || style.animationName !== 'none').length"""
TOO_WIDE = """() => [...document.querySelectorAll('.mw *')]
    .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
    .filter((one) => !one.closest('[class*=scroll], .mw-tray-list, .mw-nav ul, svg, table, pre, .mw-only-heard'))
    .map((one) => one.outerHTML.slice(0, 90))"""
"""What reaches beyond the window, but for what scrolls by itself."""


def violations(page) -> list[str]:
    """What axe finds, a line each: rule, where, and why. The page must stand still while it looks."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    found = axe.Axe().run(page, options=OPTIONS).response["violations"]
    return [f"{one['id']}: {node['target']}: {node['failureSummary']}" for one in found for node in one["nodes"]]


def unfold(page) -> None:
    """Open whatever hides something."""
    page.eval_on_selector_all("details", "all => all.filter((one) => !one.name).forEach((one) => { one.open = true; })")
    page.wait_for_function(
        "[...document.querySelectorAll('details')].every((one) => one.querySelector('summary').innerText !=="
        " 'Show as table' || one.querySelector('table') || !one.getBoundingClientRect().width)"
    )


def turned(page, title: str, scheme: str) -> None:
    """Give a page the colours of a scheme, by its own switch."""
    if title == "Class market":  # takes its colours when it is opened
        page.evaluate("(scheme) => localStorage.setItem(':solara:theme.variant', JSON.stringify(scheme))", scheme)
        page.reload()
        page.wait_for_selector(SOLVED[title])
        return
    here = f"document.querySelector('#app').classList.contains('theme--{scheme}')"
    if not page.evaluate(here):
        page.click(f"text={SWITCH[scheme]}")
    page.wait_for_function(here)


@pytest.fixture(scope="module")
def tab(browser, address: str) -> Iterator:
    """One tab for all pages, watched; reduced motion, so that nothing fades while it is looked at."""
    context, wrong = browser.new_context(viewport=SCREEN, color_scheme="light", reduced_motion="reduce"), []
    context.set_default_timeout(PATIENCE_MS)
    page, host = context.new_page(), urlsplit(address).netloc
    watch(page, wrong, lambda url: urlsplit(url).scheme not in HOSTED or urlsplit(url).netloc == host)
    yield page
    context.close()
    assert wrong == []


@pytest.fixture(scope="module", params=PAGES, ids=lambda entry: entry.title)
def opened(request: pytest.FixtureRequest, tab, address: str) -> tuple:
    """A page of the list with all that it computes, and its title: opened once for all that is asked of it."""
    title = request.param.title
    tab.goto(f"{address}/{QUERIES.get(title, request.param.route.removeprefix('/'))}")
    tab.wait_for_selector(SOLVED[title])
    if title in LAST:
        tab.wait_for_selector(LAST[title])
    return tab, title


def test_an_enlarged_page_needs_no_sideways_scroll(opened) -> None:
    """Enlarged to 200 % and 400 %, as a reader with weak eyes has it."""
    page, _ = opened
    for percent in (200, 400):
        size = {name: pixels * 100 // percent for name, pixels in ENLARGED.items()}
        page.set_viewport_size(size)
        page.wait_for_function(f"({TOO_WIDE})().length === 0")  # charts measure anew
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.set_viewport_size(SCREEN)


def test_every_figure_and_table_of_a_page_is_a_file_that_says_what_it_is_of(opened, address: str) -> None:
    page, title = opened
    if title == "Class market":  # has a test of its own
        return
    address_before = page.url
    if title in ANOTHER:
        page.goto(f"{address}/{ANOTHER[title]}")
        page.wait_for_selector(SOLVED[title] if title != "Lessons" else ".mw-lesson svg[role=img]")
    turned(page, title, "dark")
    if title == "Leader":
        page.wait_for_selector(LAST["Compare"])
    if title == "Compare":
        settled(page)
    things = listed(page)
    assert set(THINGS.get(title, ())) <= things.keys()
    if title == "Help":
        assert things == {}
        expect(page.locator(".mw-take").first).to_contain_text("no figure and no table", use_inner_text=True)
    shown = page.locator(".mw section svg[role=img], .mw form svg[role=group], .mw-map svg[role=group]").count()
    pictures = 0
    for name, buttons in things.items():
        files = taken(page, buttons)
        svg = next((body for called, body in files.items() if called.endswith(".svg")), None)
        for called, body in files.items():
            assert re.fullmatch(r"meanwatt-[a-z-]+-[a-z0-9-]+\.(svg|png|csv|parquet)", called)
            if called.endswith(".csv"):
                head, rows = table(body.decode())
            elif called.endswith(".parquet"):
                found = pq.read_table(io.BytesIO(body))
                head = [f"{key.decode()}: {value.decode()}" for key, value in found.schema.metadata.items()]
                assert (found.num_rows, found.num_columns) == (len(rows) - 1, len(rows[0])), "as in the CSV before it"
            elif called.endswith(".svg"):
                root = stands_alone(body.decode())
                head = root[1].text.splitlines()
                assert root[0].text == name
                assert root.find(f"{SVG}rect").get("fill") == "rgb(26, 34, 43)"  # the card as it is seen, dark
                pictures += 1
            else:
                picture = Image.open(io.BytesIO(body))
                head = picture.text["Description"].splitlines()
                size = ElementTree.fromstring(svg)
                assert picture.size == (2 * float(size.get("width")), 2 * float(size.get("height")))
                assert picture.convert("RGB").getpixel((2, 2)) == (26, 34, 43)
                assert len(picture.convert("RGB").getcolors(2**24)) > 20
            about = {f"program: meanwatt {release()}", f"page: {title}", f"link: {page.url}", *NAMED.get(title, ())}
            assert about <= set(head), called
    assert pictures == shown
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.mw-take", state="detached")
    if title in ANOTHER:
        page.goto(address_before)
        page.wait_for_selector(SOLVED[title])


@pytest.mark.parametrize("scheme", SWITCH)
def test_axe_finds_nothing_on_a_page(opened, scheme: str) -> None:
    page, title = opened
    turned(page, title, scheme)
    unfold(page)
    assert violations(page) == []


def test_axe_finds_nothing_in_the_dialog_on_the_projector_and_in_a_lesson(tab, address: str) -> None:
    page = tab
    page.goto(f"{address}/lessons?lesson=fixed-charge&shown=1&teacher=1")
    page.wait_for_selector(".mw-lesson svg[role=img]")
    for scheme in SWITCH:
        turned(page, "Lessons", scheme)
        unfold(page)
        assert violations(page) == []
    page.goto(f"{address}/compare?scenario=textbook&a=filed&b=rtp")
    page.wait_for_selector(LAST["Compare"])
    for scheme in SWITCH:
        turned(page, "Compare", scheme)
        page.click(".mw-nav-take")
        page.wait_for_selector("dialog.mw-take[data-told]")
        assert violations(page) == []
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog.mw-take", state="detached")
        page.keyboard.press("p")
        page.wait_for_selector("html.mw-projector")
        assert violations(page) == []
        page.keyboard.press("p")
        page.wait_for_selector("html.mw-projector", state="detached")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_pages_of_a_class(browser, address: str, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    teacher = context.new_page()
    teacher.goto(f"{address}/class")
    teacher.select_option('select[name="scenario"]', "textbook")
    teacher.fill('input[name="households"]', "100")
    teacher.click('button:has-text("Open a room")')
    code = teacher.inner_text(".cm-code")
    teacher.wait_for_selector("text=Day 1: 0 of 0 plans are in")
    student = context.new_page()
    student.goto(f"{address}/class?code={code}")
    student.fill('input[name="name"]', "Ada")
    student.click('button:has-text("Join")')
    student.wait_for_selector(".cm-hour")
    for page in (teacher, student):
        assert violations(page) == []
    student.click("text=Send plan")
    teacher.wait_for_selector("text=Day 1: 1 of 1 plans are in")
    teacher.click("text=Live the day")
    teacher.wait_for_selector(".mw-caption")
    student.wait_for_selector('h2:has-text("Day 1, typical: bill $")')
    for page in (teacher, student):
        unfold(page)
        assert violations(page) == []
    context.close()


def test_axe_would_find_a_fault(tab, address: str) -> None:
    page = tab
    page.goto(f"{address}/help")
    page.wait_for_selector(SOLVED["Help"])
    turned(page, "Help", "light")
    page.evaluate("document.querySelector('.mw h1').style.color = '#dddddd'")
    page.evaluate("document.querySelector('.mw-nav-take').replaceChildren()")
    page.evaluate("document.querySelector('.mw-nav-take').removeAttribute('title')")
    assert {found.split(":")[0] for found in violations(page)} == {"color-contrast", "button-name"}


def test_who_asks_for_less_motion_sees_none(tab, address: str) -> None:
    page = tab
    page.goto(f"{address}/compare?scenario=textbook")
    page.wait_for_selector(SOLVED["Compare"])
    moving = {}
    for asked in ("reduce", "no-preference"):
        page.emulate_media(reduced_motion=asked)
        moving[asked] = page.evaluate(MOVES)
    page.emulate_media(reduced_motion="reduce")
    assert moving["reduce"] == 0
    assert moving["no-preference"] > 0
