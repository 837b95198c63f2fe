"""A lesson in a real browser: from the list through the prediction to the answer, on a projector and on a telephone."""

import json
from pathlib import Path
from urllib.parse import urlsplit

from watching import expect

from meanwatt.analysis.dashboard.lessons.computing import revealed
from meanwatt.analysis.lessons.catalogue import LESSONS, find
from meanwatt.analysis.lessons.lesson import Guess

READING = Path(__file__).with_name("reading.js").read_text(encoding="utf-8")
KEY = "net-metering"


def readable(page) -> None:
    """Check names, contrast, headings and that nothing is wider than the window."""
    page.evaluate(READING)
    assert page.evaluate("meanwattReading.nameless()") == []
    read, faint = page.evaluate("meanwattReading.faint()")
    assert read > 20
    assert faint == []
    assert page.locator(".mw h1").count() == page.locator(".mw header").count() == page.locator(".mw main").count() == 1
    assert page.locator(".mw h2").count() >= 2
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def query(page) -> str:
    return urlsplit(page.url).query


def test_a_class_predicts_sees_the_answer_and_finds_the_prediction_after_a_reload(visit) -> None:
    found = revealed(find(KEY), progress=lambda _: None, cancelled=lambda: False)
    assert found is not None
    page = visit("lessons", ready=False)
    page.wait_for_selector(".mw-lesson-list")
    expect(page.locator(".mw-lesson-list li")).to_have_count(len(LESSONS))
    expect(page.locator(".mw-lesson-done")).to_have_count(0)
    readable(page)
    page.click(f'.mw-lesson-list li[data-key="{KEY}"] a')
    page.wait_for_selector("button:has-text('Show the answer'):not([disabled])")
    assert query(page) == f"lesson={KEY}"
    expect(page.locator(".mw-lesson-given").first).to_have_text(found.given, use_inner_text=True)
    expect(page.locator("rect.mw-pairs-b"), "the answer is not drawn").to_have_count(0)
    assert found.reading not in page.content()
    readable(page)
    before = page.locator(".mw-pairs svg[role=img]").bounding_box()
    page.click("text=Show the answer")
    page.wait_for_selector("text=Give a number from −200 to 200 first.")
    page.fill('input[name="prediction"]', "12.5")
    page.press('input[name="prediction"]', "Enter")
    page.wait_for_selector('.mw-lesson-text[data-shown="yes"]')
    assert query(page) == f"lesson={KEY}&shown=1"
    page.wait_for_selector("rect.mw-pairs-b >> nth=6")
    assert page.locator(".mw-pairs svg[role=img]").bounding_box() == before, "nothing jumps"
    expect(page.locator(".mw-pairs .mw-caption").first).to_have_text(found.reading, use_inner_text=True)
    assert page.evaluate("document.activeElement.className") == "mw-lesson-answer", "who reads by ear goes on there"
    expect(page.locator(".mw-lesson-mine").first).to_have_text("$12.5 a month", use_inner_text=True)
    expect(page.locator(".mw-lesson-found").first).to_have_text(f"${found.answer:.2f} a month", use_inner_text=True)
    away = float(found.answer) - 12.5
    expect(page.locator(".mw-lesson-compared").first).to_have_text(
        f"Your prediction was ${away:.2f} a month too low.", use_inner_text=True
    )
    page.reload()
    page.wait_for_selector(".mw-lesson-mine:has-text('$12.5 a month')")
    page.wait_for_selector("rect.mw-pairs-b >> nth=6")
    page.click(".mw-teacher summary")
    page.wait_for_selector(".mw-teacher h2:has-text('Both sides')")
    page.click(".mw-pairs summary")
    readable(page)
    page.go_back()
    page.wait_for_selector('.mw-lesson-text[data-shown="no"]')
    expect(page.locator('input[name="prediction"]').first).to_have_value("12.5")
    page.click(".mw-lesson-ways a:has-text('All lessons')")
    page.wait_for_selector(f'.mw-lesson-list li[data-key="{KEY}"] .mw-lesson-done')
    expect(page.locator(".mw-lesson-done")).to_have_count(1)

    phone = visit(
        "lessons?lesson=fixed-charge&teacher=1",
        ready=False,
        viewport={"width": 390, "height": 844},
        color_scheme="dark",
    )
    phone.wait_for_selector("button:has-text('Show the answer'):not([disabled])")
    phone.wait_for_selector(".mw-teacher h2")
    readable(phone)
    phone.click("text=The burden gap alone")
    phone.click("text=Show the answer")
    phone.wait_for_selector(".mw-lesson-compared:has-text('As you predicted.')")
    readable(phone)
    assert all(box["width"] <= 390 for box in (part.bounding_box() for part in phone.locator(".mw .mw-card").all()))
    phone.click("text=Predict again")
    phone.wait_for_selector('.mw-lesson-text[data-shown="no"]')
    expect(phone.locator("input:checked")).to_have_count(0)
    phone.click(".mw-lesson-ways a:has-text('›')")
    phone.wait_for_selector('.mw-lesson-text[data-key="duck-curve"]')
    assert query(phone) == "lesson=duck-curve&teacher=1"
    phone.wait_for_selector(".mw-day path[data-series='no batteries']")

    # every other lesson is asked, answered and drawn, and an address that is wrong is told
    for lesson in LESSONS:
        page.evaluate(f"localStorage.setItem('meanwatt:lesson:{lesson.key}', {json.dumps(guess(lesson))})")
        page.evaluate(f"window.solara.router.push('/lessons?lesson={lesson.key}&shown=1')")
        page.wait_for_selector(f'.mw-lesson-text[data-key="{lesson.key}"][data-shown="yes"]')
        expect(page.locator(".mw-lesson-compared").first).to_have_text("As you predicted.", use_inner_text=True)
        readable(page)
    page.evaluate("window.solara.router.push('/lessons?lesson=hreding')")
    page.wait_for_selector(".mw-notice:has-text(\"unknown lesson 'hreding'; did you mean 'herding'?\")")
    page.wait_for_selector(".mw-lesson-list")


def guess(lesson) -> str:
    """The answer, as a visitor would have predicted it."""
    found = revealed(lesson, progress=lambda _: None, cancelled=lambda: False)
    assert found is not None
    return f"{found.answer:.{lesson.question.digits}f}" if isinstance(lesson.question, Guess) else str(found.answer)
