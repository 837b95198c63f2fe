"""The class market in real browsers: a teacher, two students, a server that is killed in the middle of a day."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from looking import colours
from page_server import PageServer
from watching import PATIENCE_MS, expect, watch

ABSENT = ("ERR_CONNECTION", "WebSocket connection to", "ERR_EMPTY_RESPONSE")
"""What a browser says of a server that is away."""

NAMED = "[...document.querySelectorAll('input, select')].every((one) => one.labels.length || one.ariaLabel)"
"""Whether every control says what it is for."""


@pytest.fixture
def server(browser, tmp_path: Path) -> Iterator[PageServer]:
    started = PageServer(tmp_path)
    yield started
    started.close()


def test_a_class_plays_and_a_killed_server_comes_back_with_every_plan(browser, server: PageServer) -> None:
    address, wrong, contexts = server.address, [], []

    def visitor(path: str, **options):
        context = browser.new_context(
            **{"viewport": {"width": 1280, "height": 720}, "accept_downloads": True} | options
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on("dialog", lambda asked: asked.accept())
        watch(page, wrong, lambda url: url.split("/")[2].startswith("localhost:") or url.startswith(("data:", "blob:")))
        page.goto(address + path)
        return page

    teacher = visitor("/")
    teacher.click('.mw-nav a:has-text("Class market")')  # from a page of the app to one without it
    teacher.wait_for_selector("text=Open a room, or play alone")
    expect(teacher.locator('.mw-nav [aria-current="page"]')).to_have_text("Class market", use_inner_text=True)
    teacher.select_option('select[name="scenario"]', "textbook")
    teacher.select_option('select[name="tariff"]', "filed")
    teacher.fill('input[name="households"]', "200")
    teacher.click('button:has-text("Open a room")')
    code = teacher.inner_text(".cm-code")
    assert re.fullmatch("[A-Z]{6}", code)
    teacher.wait_for_selector("text=Day 1: 0 of 0 plans are in")
    assert "only browsers on this computer" in teacher.inner_text("[aria-label='How to join']").lower()

    ada = visitor(
        f"/class?code={code.lower()}", viewport={"width": 390, "height": 844}, color_scheme="dark", has_touch=True
    )
    ben = visitor("/class")
    ben.fill('input[name="code"]', "QQQQQQ" if code != "QQQQQQ" else "ZZZZZZ")
    ben.fill('input[name="name"]', "<b>Ben")
    ben.click('button:has-text("Join")')
    ben.wait_for_selector("text=There is no room of this code")
    ben.fill('input[name="code"]', code)
    ben.click('button:has-text("Join")')
    ben.wait_for_selector("text=give 1 to 20 letters")
    for page, name in ((ada, "Ada"), (ben, "Ben")):
        page.fill('input[name="name"]', name)
        page.click('button:has-text("Join")')
        page.wait_for_selector(".cm-hour")
        expect(page.locator(".cm-hour")).to_have_count(24)
    ada.tap('label:has-text("store sun")')
    for hour in range(9, 14):
        ada.tap(f'.cm-hour[data-slot="{hour}"]')
    ben.check('input[value="u"]')  # by keyboard
    ben.focus('.cm-hour[data-slot="18"]')
    ben.keyboard.press("Enter")
    expect(ben.locator('.cm-hour[data-slot="18"]').first).to_have_attribute("aria-label", "18 h: cover use")
    box = [ben.locator(f'.cm-hour[data-slot="{hour}"]').bounding_box() for hour in (19, 22)]
    ben.mouse.move(box[0]["x"] + 5, box[0]["y"] + 20)
    ben.mouse.down()
    ben.mouse.move(box[1]["x"] + 5, box[1]["y"] + 20, steps=30)
    ben.mouse.up()
    expect(ben.locator('.cm-hour[data-wish="u"]')).to_have_count(5)
    ada.tap("text=Send plan")
    ada.wait_for_selector("text=Your plan is in")
    teacher.wait_for_selector("text=Day 1: 1 of 2 plans are in")

    known = len(wrong)
    server.kill()
    for page in (teacher, ada, ben):
        page.wait_for_selector("text=The connection is lost")
    server.start()
    for page in (teacher, ada, ben):
        page.wait_for_selector(".cm-lost", state="hidden")
    assert all(any(word in said for word in ABSENT) for said in wrong[known:]), wrong[known:]
    del wrong[known:]
    teacher.wait_for_selector("text=Day 1: 1 of 2 plans are in")
    expect(ada.locator('.cm-hour[data-wish="s"]')).to_have_count(5)
    expect(ben.locator('.cm-hour[data-wish="u"]')).to_have_count(5)  # what was not sent yet is not lost either

    teacher.click("text=Live the day")
    ada.wait_for_selector('h2:has-text("Day 1, typical: bill $")')
    expect(ada.locator('[aria-label="The day that is over"]').first).not_to_contain_text(
        "autopilot", use_inner_text=True
    )
    ben.wait_for_selector("text=No plan came from you, so the autopilot played")
    teacher.wait_for_selector(".mw-caption")
    assert colours(teacher, 'svg[aria-label="Mean net load of the class\'s homes"]') > 10
    expect(teacher.locator(".cm-leaders li")).to_have_count(2)
    ada.tap("text=As last time")
    expect(ada.locator('.cm-hour[data-wish="s"]')).to_have_count(5)
    ada.goto(f"{address}/class")  # the window is closed, and the student comes back
    ada.tap(f"text=Ada in {code}")
    ada.wait_for_selector('h2:has-text("Day 1, typical: bill $")')
    for page in (ada, ben, teacher):
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert page.locator("h1").count() == page.locator("main").count() == 1
        assert page.evaluate(
            "[...document.querySelectorAll('input, select')].every((one) => one.labels.length || one.ariaLabel)"
        )
    assert ada.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 21, 27)"

    with teacher.expect_download() as download:
        teacher.click("text=Download the table")
    rows = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert [row.split(",")[4] for row in rows if row.startswith("1,filed,1,")] == ["Ada", "Ben"]
    teacher.select_option('select[aria-label="tariff of the next game"]', "rtp")
    teacher.click("text=Play again with this tariff")
    ada.wait_for_selector("text=Real-time price")
    ada.wait_for_selector(".cm-hour")
    teacher.click('[aria-label="Take Ben out"]')
    ben.wait_for_selector("text=you were taken out of it")
    teacher.click("text=Close the room")
    ada.wait_for_selector("text=This room is closed")

    ada.goto(f"{address}/class")
    expect(ada.locator("text=Go on as")).to_have_count(0)

    alone = visitor("/class")
    alone.select_option('select[name="scenario"]', "textbook")
    alone.click('button:has-text("Play alone")')
    alone.wait_for_selector(".cm-hour")
    alone.click("text=Live this day")
    alone.wait_for_selector('h2:has-text("Day 1, typical: bill $")')
    for context in contexts:
        context.close()
    assert wrong == []


def test_a_plan_that_was_sent_in_one_window_is_seen_in_the_other_one(visit) -> None:
    teacher = visit("class", ready=False)
    teacher.select_option('select[name="scenario"]', "textbook")
    teacher.fill('input[name="households"]', "200")
    teacher.click('button:has-text("Open a room")')
    code = teacher.inner_text(".cm-code")
    first = visit(f"class?code={code}", ready=False)
    first.fill('input[name="name"]', "Ada")
    first.click('button:has-text("Join")')
    first.wait_for_selector(".cm-hour")
    second = first.context.new_page()
    second.goto(first.url)
    second.wait_for_selector(".cm-hour")
    first.check('input[value="u"]')
    first.click('.cm-hour[data-slot="18"]')
    first.click("text=Send plan")
    second.wait_for_selector('.cm-hour[data-slot="18"][data-wish="u"]')
    expect(second.locator(".mw-primary").first).to_have_text("Plan is in", use_inner_text=True)
    second.check('input[value="s"]')
    second.click('.cm-hour[data-slot="10"]')  # begun here, and not sent
    first.click('.cm-hour[data-slot="19"]')
    first.click("text=Send changed plan")
    first.wait_for_selector("text=Plan is in")
    second.wait_for_selector("text=Your plan is in")
    expect(second.locator('.cm-hour[data-slot="10"]').first, "what was begun here stays").to_have_attribute(
        "data-wish", "s"
    )
    expect(second.locator(".mw-primary").first).to_have_text("Send changed plan", use_inner_text=True)
