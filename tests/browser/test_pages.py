"""All pages in a real browser: how one gets from one to another, what the compare page does, where help leads."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from looking import day, in_force, until_day
from watching import expect

from meanwatt.analysis.dashboard.pages import PAGES

READING = Path(__file__).with_name("reading.js").read_text(encoding="utf-8")
SOLVED = {
    "Market": ".mw-play:not([disabled])",
    "Compare": ".mw-payers",
    "Bills": ".mw-statement-statement .mw-caption",
    "Finite market": ".mw-sizes-load .mw-caption",
    "Hosting": ".mw-curves-overvoltage .mw-caption",
    "Leader": ".mw-searched .mw-caption",
    "Theory lab": ".mw-logs-errors .mw-caption",
    "Learners": ".mw-series-errors .mw-caption",
    "Lessons": ".mw-lesson-list",
    "Challenge": ".mw-draw-plot",
    "Class market": "text=Open a room, or play alone",
    "Help": ".mw-help-entry",
}
"""What is there once a page is all there."""
PAIR = "compare?scenario=textbook&a=filed&b=rtp"


def opened(page, title: str) -> None:
    """Wait until a page of this title is all there, and the navigation says so."""
    page.wait_for_selector(SOLVED[title])
    page.wait_for_selector(f'.mw-nav [aria-current="page"]:has-text("{title}")')
    assert page.locator(".mw-nav [aria-current]").count() == page.locator(".mw main").count() == 1


def go(page, title: str) -> None:
    """Follow the navigation."""
    page.click(f'.mw-nav a:has-text("{title}")')
    opened(page, title)


def query(page) -> str:
    return urlsplit(page.url).query


def settled(page) -> dict[str, str]:
    """Figures of the compare page, once both tariffs and the first best are there."""
    page.wait_for_selector(".mw-compare-top:not(:has(progress))")
    page.wait_for_selector('.mw-numbers tr[data-key="efficiency"]:not(:has-text("…"))')
    return {part: page.inner_text(part) for part in (".mw-numbers", ".mw-payers", ".mw-day", ".mw-compare-state")}


def cents(text: str) -> int:
    return round(100 * float(text.strip().replace("−", "-") or 0))


def column(page, rows: str, place: int) -> list[int]:
    """Amounts in one column of who pays whom, from the right."""
    return [cents(row.locator("td").nth(place).inner_text()) for row in page.locator(f".mw-payers {rows}").all()]


def test_every_page_opens_by_its_route_and_by_the_navigation(visit) -> None:
    page = visit("help", ready=False)
    opened(page, "Help")
    for entry in PAGES:
        go(page, entry.title)
        assert urlsplit(page.url).path == entry.route
        assert page.title().startswith("Meanwatt")
        assert page.locator(".mw h1").count() == page.locator(".mw header").count() == 1
    page.go_back()
    opened(page, PAGES[-2].title)
    page.go_forward()
    opened(page, "Help")
    page.reload()
    opened(page, "Help")


def test_who_leaves_the_market_finds_it_again_as_the_link_says(visit) -> None:
    page = visit("?scenario=textbook&households=90")
    page.select_option('select[name="tariff"]', "rtp")
    page.wait_for_function("location.search.includes('tariff=rtp')")
    in_force(page)  # else the day that is stepped may be the old tariff's, and is taken back
    link = query(page)
    page.evaluate("history.pushState(null, '', '/help')")  # on the way, while the days still pass
    page.keyboard.press("s")
    until_day(page, 1)
    assert (urlsplit(page.url).path, query(page)) == ("/help", "")
    page.go_back()
    page.click("text=▶ Play")
    page.wait_for_function("Number(document.querySelector('.mw-clock').dataset.day) > 1")  # a day may pass unseen
    go(page, "Compare")
    assert query(page) == "scenario=textbook&a=filed&b=rtp"  # it opens on the scenario and the tariff at hand
    page.keyboard.press("s")  # no key of the page left behind works
    for back in (lambda: page.go_back(), lambda: go(page, "Help"), lambda: go(page, "Market")):
        back()
        page.wait_for_selector(".mw-page")
    opened(page, "Market")
    assert query(page) == link
    expect(page.locator('select[name="tariff"]').first).to_have_value("rtp")
    expect(page.locator(".mw-top").first).to_contain_text("90 homes", use_inner_text=True)
    assert day(page) == 0
    page.select_option('select[name="tariff"]', "filed")
    page.wait_for_function("!location.search.includes('tariff=rtp')")
    page.evaluate("history.go(-2)")  # over the help, to an address of the same page
    page.wait_for_function(f"location.search === '?{link}'")
    page.wait_for_selector('select[name="tariff"] option[value="rtp"]:checked', state="attached")
    opened(page, "Market")
    page.keyboard.press("s")
    until_day(page, 1)
    assert query(page) == link


def test_two_tariffs_add_up_as_printed_react_to_a_choice_and_are_repeated_by_their_link(visit) -> None:
    page = visit(PAIR, ready=False)
    first = settled(page)
    adds_up(page)
    assert re.search(
        r"Not at equal cost recovery: A leaves the utility \$[\d.]+ .* and B \$0\.00", page.inner_text("p[role=status]")
    )
    page.select_option('select[name="b"]', "income_graduated")
    page.wait_for_function("location.search.includes('b=income_graduated')")
    page.wait_for_selector('.mw-day:has-text("B: Marginal price and a fixed charge that rises with income")')
    second = settled(page)
    adds_up(page)
    assert all(second[part] != first[part] for part in (".mw-numbers", ".mw-payers"))
    page.click("text=⇄ Swap")
    page.wait_for_selector('.mw-day:has-text("A: Marginal price and a fixed charge that rises with income")')
    settled(page)
    link = query(page)
    page.go_back()
    page.wait_for_selector('.mw-day:has-text("B: Marginal price and a fixed charge that rises with income")')
    assert settled(page) == second
    page.go_back()
    page.wait_for_selector('.mw-day:has-text("B: Real-time price with carbon")')
    assert settled(page) == first
    other = visit(f"compare?{link}", ready=False)
    settled(other)
    expect(other.locator('select[name="a"]').first).to_have_value("income_graduated")
    expect(other.locator('select[name="b"]').first).to_have_value("filed")
    assert column(other, ".mw-payer", 3) == [-moved for moved in _moved(second)]


def _moved(figures: dict[str, str]) -> list[int]:
    """The changes of bills within the text of the table."""
    rows = re.findall(r"^(?:no )?solar.*|^battery.*", figures[".mw-payers"], flags=re.MULTILINE)
    return [cents(row.split("\t")[4]) for row in rows]


def adds_up(page) -> None:
    """Check every sum of the page, in cents."""
    revenue, energy, network, surplus = column(page, ".mw-books tr", 2)
    assert sum(column(page, ".mw-payer", 5)) == revenue
    assert revenue - energy - network - surplus == 0
    for rows in (".mw-payer", ".mw-books tr"):
        shift = 1 if rows == ".mw-payer" else 0
        a, b, moved = (column(page, rows, place + shift) for place in (0, 1, 2))
        assert [after - before for before, after in zip(a, b, strict=True)] == moved


def test_a_bad_link_gives_a_sentence_and_a_tariff_against_itself_no_arrow(visit) -> None:
    page = visit("compare?scenario=textbook&a=rtp&b=rpt", ready=False)
    page.wait_for_selector(".mw-notice:has-text(\"unknown tariff 'rpt'; did you mean 'rtp'?\")")
    settled(page)
    assert {text.strip() for text in page.locator(".mw-arrow").all_inner_texts()} == {""}
    assert {text.strip() for text in page.locator(".mw-verdict").all_inner_texts()} == {"the same"}
    assert set(column(page, ".mw-payer", 5)) == {0}
    page.click("text=Dismiss")
    page.wait_for_selector(".mw-notice", state="detached")


def test_every_question_mark_leads_to_an_entry_of_the_help(visit) -> None:
    page = visit("?scenario=textbook")
    targets = page.eval_on_selector_all("a.mw-q", "links => links.map(link => link.getAttribute('href'))")
    expect(page.locator("a.mw-q:not([target=_blank])")).to_have_count(0)  # a run goes on while its visitor reads
    go(page, "Compare")
    settled(page)
    targets += page.eval_on_selector_all("a.mw-q", "links => links.map(link => link.getAttribute('href'))")
    go(page, "Finite market")
    page.wait_for_selector(".mw-sizes-gain")
    targets += page.eval_on_selector_all("a.mw-q", "links => links.map(link => link.getAttribute('href'))")
    for title, last in (("Leader", ".mw-terms"), ("Learners", ".mw-learner-numbers")):
        go(page, title)
        if title == "Leader":
            page.click(".mw-search")
        page.wait_for_selector(last)
        targets += page.eval_on_selector_all("a.mw-q", "links => links.map(link => link.getAttribute('href'))")
    assert len(targets) > 60
    go(page, "Compare")
    settled(page)
    page.click('.mw-numbers tr[data-key="imv"] a.mw-q')
    opened(page, "Help")
    assert urlsplit(page.url).fragment == "imv"
    page.wait_for_selector("#imv.mw-help-here")
    box = page.locator("#imv").bounding_box()
    assert 0 <= box["y"] < 800
    found = set(page.eval_on_selector_all("[id]", "elements => elements.map(element => element.id)"))
    for target in targets:
        path, _, anchor = target.partition("#")
        assert path == "/help"
        assert anchor in found
    page.click('.mw-help-contents a:has-text("Keys")')
    page.wait_for_function("location.hash === '#keys'")
    page.go_back()
    page.go_back()
    opened(page, "Compare")


def test_markets_are_drawn_as_they_come_judged_and_taken_home_and_a_link_repeats_them(visit) -> None:
    page = visit("finite?scenario=textbook", ready=False)
    page.wait_for_selector(".mw-sizes-load .mw-dot")
    page.select_option('select[name="markets"]', "5")
    page.wait_for_function("location.search === '?scenario=textbook&markets=5'")
    page.wait_for_function("document.querySelectorAll('.mw-sizes-load svg[role=img] .mw-dot').length === 30")
    page.wait_for_selector(".mw-sizes-gain")  # what comes last
    dots = page.locator(".mw-sizes-load svg[role=img] .mw-dot")
    heights = [float(dot.get_attribute("cy")) for dot in dots.all()]
    assert max(heights[:5]) < min(heights[-5:]), "larger markets lie lower"
    verdict = page.inner_text("p[role=status]")
    assert verdict.startswith(("Validated", "Not decided"))
    expect(page.locator(".mw-findings li")).to_have_count(8)
    page.wait_for_selector('.mw-side-floors:has-text("there is nothing to forget")')
    with page.expect_download() as taken:
        page.click("text=Download the markets as CSV")
    text = Path(taken.value.path()).read_text(encoding="utf-8")
    assert "# link: ?scenario=textbook&markets=5" in text
    assert len([line for line in text.splitlines() if line[:1].isdigit()]) == 6 * 5
    with page.expect_download() as taken:
        page.click("text=Download the report")
    assert verdict in Path(taken.value.path()).read_text(encoding="utf-8")
    again = visit("finite?scenario=textbook&markets=5", ready=False)
    again.wait_for_selector(".mw-sizes-gain")
    assert again.inner_text(".mw-sizes-load .mw-caption") == page.inner_text(".mw-sizes-load .mw-caption")
    page.fill('input[name="seed"]', "5")
    page.press('input[name="seed"]', "Enter")
    page.wait_for_function("document.querySelectorAll('.mw-sizes-load svg[role=img] .mw-dot').length < 10")
    page.fill('input[name="seed"]', "-1")  # typed while the page draws, and draws again
    page.wait_for_function("document.querySelectorAll('.mw-sizes-load svg[role=img] .mw-dot').length > 20")
    expect(page.locator('input[name="seed"]').first).to_have_value("-1")
    page.press('input[name="seed"]', "Enter")
    page.wait_for_selector("text=seed is '-1'; give a whole number, e.g. 0.")
    page.wait_for_selector(".mw-sizes-gain")


def test_pages_can_be_read_by_everybody_on_a_telephone_in_light_and_dark(visit) -> None:
    page = visit(PAIR, ready=False, viewport={"width": 390, "height": 844}, color_scheme="light")
    for title in ("Compare", "Finite market", "Help"):
        go(page, title)
        if title == "Compare":
            settled(page)
            page.click(".mw-day summary")
        elif title == "Finite market":
            page.wait_for_selector(".mw-findings")
            for summary in page.locator(".mw-sizes summary, .mw-findings summary").all():
                summary.click()
        page.evaluate(READING)
        assert page.evaluate("meanwattReading.nameless()") == []
        for scheme, to_the_other in (("light", "☾ Dark"), ("dark", "☀ Light")):
            page.wait_for_function(f"document.querySelector('#app').classList.contains('theme--{scheme}')")
            read, faint = page.evaluate("meanwattReading.faint()")
            assert read > 60
            assert faint == []
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
            cards = [part.bounding_box() for part in page.locator(".mw .mw-card").all()]
            assert all(box["width"] <= 390 for box in cards)
            page.click(f"text={to_the_other}")
