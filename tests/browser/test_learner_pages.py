"""The page of learners in a real browser: a herd, a cure, a mixture, more days, on a projector and on a telephone."""

from pathlib import Path
from urllib.parse import urlsplit

from watching import expect

from meanwatt.analysis.dashboard.learners.choice import Choice, from_query, query
from meanwatt.analysis.dashboard.learners.presets import CHANGES, HERD

READING = Path(__file__).with_name("reading.js").read_text(encoding="utf-8")
STEP = CHANGES[0].of(HERD)


def readable(page) -> None:
    """Check names, contrast, headings and that nothing is wider than the window."""
    page.evaluate(READING)
    assert page.evaluate("meanwattReading.nameless()") == []
    read, faint = page.evaluate("meanwattReading.faint()")
    assert read > 60
    assert faint == []
    assert page.locator(".mw h1").count() == page.locator(".mw header").count() == page.locator(".mw main").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def lived(page, days: int, ended: str = "") -> None:
    """Wait until all days are there, and what became of them."""
    page.wait_for_selector(f'p[role=status][data-ended{f"={ended!r}" if ended else ""}]:has-text("After {days} days")')


def drawn(page, style: str = "a") -> int:
    """Days in the figure of errors."""
    return page.locator(f".mw-series-errors path.mw-line-{style}").get_attribute("d").count(" ")


def asked(page) -> Choice:
    choice, problems = from_query(urlsplit(page.url).query)
    assert problems == ()
    return choice


def test_a_run_is_stopped_mixed_and_taken_home_and_a_herd_is_shown_and_cured(visit) -> None:
    page = visit("learners?households=20000&days=720", ready=False)
    page.wait_for_selector('progress[aria-label^="Day "]')
    page.wait_for_selector(".mw-series-errors")
    page.click("button:has-text('Stop')")
    page.wait_for_selector("button:has-text('Go on to day 720')")

    # the form sends everything together, and shares follow the parts
    page.fill('input[name="households"]', "100")
    page.fill('input[name="days"]', "6")
    page.fill('input[name="mix-equilibrium"]', "100")
    page.locator('input[type="range"][aria-label="Leave the battery alone, parts"]').fill("50")
    expect(page.locator('.mw-learner-share[data-key="belief"]').first).to_have_text("40 %", use_inner_text=True)
    expect(page.locator('.mw-learner-share[data-key="passive"]').first).to_have_text("20 %", use_inner_text=True)
    page.wait_for_selector("text=Changed: press Simulate.")
    page.click(".mw-learner-form button")
    lived(page, 6)
    mixed = asked(page)
    assert mixed.mix == (("equilibrium", 100), ("belief", 100), ("passive", 50))
    assert (mixed.households, mixed.days) == (100, 6)
    expect(page.locator('.mw-numbers tr[data-key="bill-passive"]')).to_have_count(1)
    page.click("text=Go on for 6 more days")
    lived(page, 12)
    assert drawn(page) == 12
    expect(page.locator(".mw-learner-command").first).to_have_text(asked(page).command, use_inner_text=True)
    with page.expect_download() as taken:
        page.click("text=Download the days as CSV")
    text = Path(taken.value.path()).read_text(encoding="utf-8")
    assert f"# link: ?{query(asked(page))}" in text
    assert len([line for line in text.splitlines() if line[:1].isdigit()]) == 12
    expect(page.locator(".mw-herd-read")).to_have_count(0)

    page.click('.mw-herd a[data-key="herd"]')
    lived(page, 28, "herding")
    assert asked(page) == HERD
    expect(page.locator('[data-series="day 3"]')).to_have_count(1)
    page.click('.mw-herd a[data-key="step"]')
    lived(page, 28, "reached")
    assert asked(page) == STEP
    page.wait_for_selector(".mw-herd-number")
    before, after = page.inner_text(".mw-herd-number").replace("becomes", "").split("→")
    assert float(after) < float(before) / 2
    expect(page.locator(".mw-series-errors path.mw-line-plain"), "the herd is drawn beside it").to_have_count(1)
    readable(page)
    page.go_back()
    lived(page, 28, "herding")

    size = {"width": 390, "height": 844}
    phone = visit(f"learners?{query(STEP)}", ready=False, viewport=size, color_scheme="dark")
    lived(phone, 28, "reached")
    phone.wait_for_function("document.querySelector('#app').classList.contains('theme--dark')")
    for summary in phone.locator(".mw summary").all():
        summary.click()
    readable(phone)
    assert all(box["width"] <= 390 for box in (part.bounding_box() for part in phone.locator(".mw .mw-card").all()))
    phone.click(".mw-nav button:has-text('Light')")
    phone.wait_for_function("document.querySelector('#app').classList.contains('theme--light')")
    readable(phone)


def test_spreads_and_the_settings_of_q_learners_are_fields_of_the_form(visit) -> None:
    page = visit("learners?households=100&days=2", ready=False)
    lived(page, 2)
    expect(page.locator('[name="q_exploration"]'), "nobody learns from own bills").to_have_count(0)
    page.fill('input[name="mix-qlearning"]', "100")
    page.fill('input[name="q_exploration"]', "0.3")
    page.select_option('select[name="q_start"]', "zero")
    page.fill('input[name="cohorts"]', "2")
    page.fill('input[name="belief_spread"]', "0.2")
    readable(page)
    page.click(".mw-learner-form button")
    page.wait_for_selector(".mw-learner-command:has-text('exploration=0.3')")
    lived(page, 2)
    choice = asked(page)
    assert (choice.q.exploration, choice.q.start, choice.belief_spread, choice.cohorts) == (0.3, "zero", 0.2, 2)
    expect(page.locator(".mw-learner-command").first).to_have_text(choice.command, use_inner_text=True)
    page.fill('input[name="belief_spread"]', "0.3")
    page.fill('input[name="first_step"]', "1")
    page.fill('input[name="step_spread"]', "0.5")
    page.click(".mw-learner-form button")
    page.wait_for_selector("text=gives steps above 1")
