"""The first page in a real browser, by what its visitor sees and does."""

import csv
import io
import json
import re
import time
import urllib.request
from pathlib import Path

import pytest
from looking import colours, day, figures, in_force, line, set_range, until_day
from watching import expect

PATIENCE_S = 60
STILL_S = 1.5
"""Three days at the speed the page starts with: long enough for a run that did not stop to be seen."""


def test_a_visitor_first_sees_numbers_and_a_drawn_feeder_and_then_days_that_pass(visit) -> None:
    page = visit(calm=False, ready=False)
    page.wait_for_selector(".mw-metric")
    assert page.locator(".mw-bus").count() >= 5
    assert page.locator(".mw-panel-load path").count() >= 1
    expect(page.locator(".mw-top").first).to_contain_text(
        "1,000 homes answer tonight's price. Solid is tonight, dashed is the mean field.", use_inner_text=True
    )
    page.wait_for_selector('.mw-panel-load path[data-series="tonight"]')
    for number in (2, 3):
        # a busy browser may draw two days at once
        page.wait_for_function(f"Number(document.querySelector('.mw-clock').dataset.day) >= {number}")


def test_every_chart_is_drawn_and_can_be_read_as_a_table(visit) -> None:
    page = visit()
    page.keyboard.press("s")
    until_day(page, 1)
    for series in ("tonight", "mean field"):
        heights = {part.split()[1] for part in re.split("[ML]", line(page, series)) if part}
        assert len(heights) > 8
    fills = {bus.get_attribute("fill") for bus in page.locator(".mw-bus .mw-dot").all()}
    assert len(fills) > 8
    for chart in (".mw-day-box svg", ".mw-map-box svg", ".mw-burden-box svg"):
        assert colours(page, chart) > 20
    widths = [float(bar.get_attribute("width")) for bar in page.locator(".mw-burden-box rect.mw-bar").all()]
    assert len(widths) == 3
    assert widths == sorted(widths, reverse=True)  # the poorest pay the largest share of their income
    buses = page.locator(".mw-bus").count()
    for part, rows in ((".mw-day", 24), (".mw-map", buses), (".mw-burden", 3)):
        page.click(f"{part} summary")
        page.wait_for_selector(f"{part} tbody tr")
        expect(page.locator(f"{part} tbody tr")).to_have_count(rows)
        assert page.locator(f"{part} th[scope=col]").count() >= 4


def test_keys_steps_and_play_move_the_run_as_asked_and_nothing_else_does(visit) -> None:
    """No key works while somebody types, a step is exactly one day, and after a pause nothing moves."""
    page = visit()
    page.keyboard.press("s")
    until_day(page, 1)
    page.keyboard.press("Space")
    page.wait_for_selector("text=❚❚ Pause")
    page.keyboard.press("Space")
    page.wait_for_selector("text=▶ Play")
    page.keyboard.press("r")
    until_day(page, 0)
    page.focus('input[name="households"]')
    for key in ("s", "r", "Space"):
        page.keyboard.press(key)
    page.focus('select[name="scenario"]')
    page.keyboard.press("Shift")
    time.sleep(STILL_S)
    assert day(page) == 0
    expect(page.locator("text=▶ Play")).to_have_count(1)
    assert day(page) == 0
    assert line(page) == ""
    seen = set()
    for number in (1, 2, 3):
        page.click("text=Step one day")
        until_day(page, number)
        seen.add(line(page))
    time.sleep(STILL_S)
    assert day(page) == 3
    assert len(seen) == 3
    page.select_option('select[name="speed"]', label="10 days a second")
    page.click("text=▶ Play")
    page.wait_for_function("Number(document.querySelector('.mw-clock').dataset.day) >= 8")
    page.click("text=❚❚ Pause")
    page.wait_for_selector("text=▶ Play")
    before = day(page), line(page), page.get_attribute(".mw-map", "data-day")
    time.sleep(STILL_S)
    assert (day(page), line(page), page.get_attribute(".mw-map", "data-day")) == before


def test_a_slider_makes_a_draft_apply_makes_it_true_and_reset_keeps_it(visit) -> None:
    page = visit("?scenario=textbook")
    page.keyboard.press("s")
    until_day(page, 1)
    before = line(page, "homes pay", "tariff")
    set_range(page, "tariff.pass_through", "0.5")
    page.wait_for_selector("text=1 change not applied.")
    expect(page.locator(".mw-was").first).to_have_text("in force: 0.00", use_inner_text=True)
    expect(page.locator("text=What you see is in force.")).to_have_count(0)
    assert (day(page), line(page, "homes pay", "tariff")) == (1, before)
    assert "pass_through" not in page.url
    page.click("text=Apply")
    in_force(page)
    until_day(page, 0)
    after = line(page, "homes pay", "tariff")
    assert after != before
    assert "tariff.pass_through=0.5" in page.url
    page.keyboard.press("s")
    until_day(page, 1)
    page.click("text=Reset")
    until_day(page, 0)
    assert line(page, "homes pay", "tariff") == after
    expect(page.locator('input[name="tariff.pass_through"]').first).to_have_value("0.5")


def test_the_highlighted_button_makes_the_low_income_bill_worse_and_says_by_how_much(visit) -> None:
    page = visit()
    before = page.locator(".mw-burden-box rect.mw-before").count()
    page.click("text=What if solar earned the full price?")
    page.wait_for_selector("text=What changed")
    said = page.inner_text(".mw-notices")
    low, _, high = re.findall(r"-income bill: \$([\d.]+) → \$([\d.]+) \((.)\$([\d.]+)\)", said)
    assert (low[2], high[2]) == ("+", "−"), said
    for old, new, sign, difference in (low, high):
        assert float(new) - float(old) == pytest.approx(float(difference) * (1 if sign == "+" else -1), abs=1e-6)
    assert (before, page.locator(".mw-burden-box rect.mw-before").count()) == (0, 3)
    page.click("text=Back to the tariff before")
    page.wait_for_selector("text=What if solar earned the full price?")
    in_force(page)


def test_two_visitors_do_not_notice_each_other(visit) -> None:
    one, two = visit(), visit()
    for number in (1, 2):
        one.keyboard.press("s")
        until_day(one, number)
    set_range(one, "tariff.pass_through", "0.5")
    one.wait_for_selector("text=1 change not applied.")
    assert day(two) == 0
    expect(two.locator("text=not applied")).to_have_count(0)
    two.keyboard.press("s")
    until_day(two, 1)
    assert day(one) == 2


def test_a_link_repeats_a_run(visit) -> None:
    first = visit("?scenario=textbook&tariff=tou&households=120&seed=7&tariff.energy_usd_per_kwh.peak=0.3")
    second = visit(f"?{first.url.split('?')[1]}")
    for page in (first, second):
        for number in (1, 2, 3):
            page.keyboard.press("s")
            until_day(page, number)
        page.wait_for_selector('.mw-metric[data-key="efficiency"]:not(:has-text("being computed"))')
    assert line(first) == line(second)
    assert figures(first) == figures(second)
    assert first.inner_text(".mw-burden") == second.inner_text(".mw-burden")
    expect(first.locator(".mw-top").first).to_contain_text("120 homes answer", use_inner_text=True)


def test_a_bad_link_gives_a_sentence_and_a_page_that_works(visit) -> None:
    page = visit("?scenario=textbok&households=minus&tariff.pass_through=0.5&nonsense=1")
    said = page.inner_text(".mw-notices")
    assert "unknown scenario 'textbok'; did you mean 'textbook'?" in said
    assert "households is 'minus'; give a whole number from 10 to 100000." in said
    assert "unknown parameter 'nonsense'" in said
    expect(page.locator('input[name="tariff.pass_through"]').first).to_have_value("0.5")
    page.keyboard.press("s")
    until_day(page, 1)
    page.click("text=Dismiss")
    page.wait_for_selector(".mw-notice", state="detached")


def test_a_long_solve_shows_progress_leaves_the_page_alive_and_can_be_cancelled(visit) -> None:
    page = visit("?scenario=stress&tariff=filed")
    page.keyboard.press("s")
    until_day(page, 1)
    page.select_option('select[name="tariff"]', "flat")
    until_day(page, 0)
    in_force(page)  # from here on much sun and storage: an adder that covers the cost is searched for long
    set_range(page, "pv_share_scale", "1.5")
    page.select_option('select[name="tariff.export.rule"]', "net_metering")
    page.wait_for_selector("text=2 changes not applied.")
    page.click("text=Apply")
    page.wait_for_function("Number(document.querySelector('.mw-work progress')?.value) > 0.1")
    page.keyboard.press("s")
    until_day(page, 1)
    seed = page.input_value('input[name="seed"]')
    page.fill('input[name="seed"]', "77")  # typed while the page solves, and shows how far it is
    share = page.evaluate("document.querySelector('.mw-work progress').value")
    page.wait_for_function(f"document.querySelector('.mw-work progress').value > {share}")
    expect(page.locator('input[name="seed"]').first).to_have_value("77")
    page.fill('input[name="seed"]', seed)
    page.click("text=Cancel")
    page.wait_for_selector("text=The page still shows the tariff before.")
    expect(page.locator(".mw-work")).to_have_count(0)
    page.wait_for_selector("text=2 changes not applied.")
    assert day(page) == 1


def test_a_tariff_that_cannot_cover_the_cost_is_said_in_words(visit) -> None:
    changes = "tariff.export.rule=net_metering&pv_share_scale=3&battery_share_scale=0"
    page = visit(f"?scenario=textbook&tariff=flat&{changes}")
    page.wait_for_selector("text=No price covers the cost.")
    expect(page.locator(".mw-notices").first).to_contain_text("smallest shortfall", use_inner_text=True)
    assert "−" in figures(page)["surplus"]
    page.keyboard.press("s")
    until_day(page, 1)


def test_the_file_carries_its_parameters_and_its_days(visit) -> None:
    page = visit("?scenario=textbook&households=90&seed=4&tariff.pass_through=0.25")
    for number in (1, 2):
        page.keyboard.press("s")
        until_day(page, number)
    with page.expect_download() as download:
        page.click("text=Download the days as CSV")
    text = Path(download.value.path()).read_text(encoding="utf-8")
    head = dict(row[2:].split(": ", 1) for row in text.splitlines() if row.startswith("# "))
    assert (head["scenario"], head["households"], head["seed"], head["days"]) == ("textbook", "90", "4", "2")
    assert head["tariff.pass_through"] == "0.25"
    rows = list(csv.DictReader(io.StringIO("\n".join(row for row in text.splitlines() if not row.startswith("#")))))
    assert len(rows) == 48
    assert all(float(row["wholesale_usd_per_kwh"]) > 0 for row in rows)


def test_a_visitor_who_leaves_lets_go_of_the_run(visit, address: str) -> None:
    def kernels() -> dict[str, int]:
        with urllib.request.urlopen(f"{address}/resourcez", timeout=60) as answer:
            return json.load(answer)["kernels"]

    def settle() -> int:
        """Wait until nobody is connected and no earlier visit is still being let go of; count those kept."""
        deadline = time.monotonic() + PATIENCE_S
        seen = [kernels()]
        while seen[-1]["has_connected"] or len({found["total"] for found in seen[-10:]}) > 1 or len(seen) < 10:
            assert time.monotonic() < deadline, f"visits do not settle: {seen[-1]}"
            time.sleep(0.2)
            seen.append(kernels())
        return seen[-1]["total"]

    before = settle()
    page = visit()
    page.click("text=▶ Play")
    page.wait_for_selector('.mw-clock:not([data-day="0"])')
    assert (kernels()["has_connected"], kernels()["total"]) == (1, before + 1)
    page.goto("about:blank")
    assert settle() == before


def test_a_chosen_hour_a_refused_value_and_an_applied_one_are_each_shown_where_they_belong(visit) -> None:
    """On map and in chart; at its field, and not called in force; in bars of the mean field until a day is played."""
    page = visit()
    expect(page.locator(".mw-cursor")).to_have_count(0)
    page.locator("#mw-slot").fill("3")
    page.wait_for_selector('.mw-map[data-slot="3"]')
    assert page.inner_text(".mw-day-read").startswith("3–4 h: ")
    expect(page.locator(".mw-cursor")).to_have_count(1)
    page.click("text=worst hour")
    page.wait_for_selector(".mw-cursor", state="detached")
    page.fill('input[name="households"]', "3")
    page.keyboard.press("Tab")
    page.wait_for_selector(".mw-problem:has-text('households is 3; give a whole number from 10 to 100000.')")
    expect(page.locator('input[name="households"]').first).to_have_value("3")
    expect(page.locator(".mw-status").first).to_have_text("A value is not allowed and not used.", use_inner_text=True)
    expect(page.locator("button:has-text('Apply')")).to_be_disabled()
    page.click("button:has-text('Undo')")
    in_force(page)
    expect(page.locator('input[name="households"]').first).to_have_value("1000")
    expect(page.locator(".mw-problem")).to_have_count(0)
    bars = ".mw-burden-box rect.mw-bar-mean", ".mw-burden-box rect.mw-bar"
    assert [page.locator(bar).count() for bar in bars] == [3, 0]
    page.keyboard.press("s")
    until_day(page, 1)
    assert [page.locator(bar).count() for bar in bars] == [0, 3]
    set_range(page, "elasticity", "0.2")
    page.click("text=Apply")
    in_force(page)
    until_day(page, 0)
    assert [page.locator(bar).count() for bar in bars] == [3, 0]


def test_a_rate_on_file_survives_a_slider_moved_and_moved_back_and_no_key_is_lost_however_fast(visit) -> None:
    page = visit("?scenario=textbook")
    name = "tariff.fixed_charge_usd_per_day"
    slider, shown = page.locator(f'input[name="{name}"]'), page.locator(f'label[for="mw-{name}"] b')
    assert (slider.input_value(), shown.inner_text().strip()) == ("0.329", "0.329 $/day")
    slider.focus()
    for key, value in (("ArrowRight", "0.33"), ("ArrowRight", "0.335"), ("ArrowLeft", "0.33"), ("ArrowLeft", "0.329")):
        page.keyboard.press(key)
        page.wait_for_function(f"document.querySelector('input[name=\"{name}\"]').value === '{value}'")
    in_force(page)
    slider.fill("0.5001")
    page.wait_for_selector("text=1 change not applied.")
    assert shown.inner_text().strip() == "0.500 $/day"
    slider.fill("0.3301")
    in_force(page)
    assert shown.inner_text().strip() == "0.329 $/day"
    page.focus(f'input[name="{name}"]')
    for _ in range(40):
        page.keyboard.press("ArrowRight", delay=0)
    page.wait_for_selector("text=1 change not applied.")
    page.wait_for_timeout(1_000 * STILL_S)  # every answer has come
    expect(page.locator(f'input[name="{name}"]').first).to_have_value("0.525")  # 0.329, 0.330, then 39 steps of 0.005


def test_a_slider_that_moves_nothing_rests_and_says_why(visit) -> None:
    page = visit("?scenario=textbook&tariff=tou")
    slider = page.locator('input[name="tariff.export.pass_through"]')
    assert slider.is_enabled()
    page.select_option('select[name="tariff.export.rule"]', "net_metering")
    page.wait_for_selector("text=no effect: there is no posted credit")
    assert slider.is_disabled()
    page.click("button:has-text('Undo')")
    in_force(page)
    assert slider.is_enabled()


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 800}, {"width": 390, "height": 844}])
def test_nothing_on_the_page_moves_when_days_pass_edits_are_made_and_words_appear(visit, viewport) -> None:
    page = visit("?scenario=textbook", viewport=viewport)
    parts = [".mw-play", ".mw-metrics", ".mw-day-box", ".mw-burden-box", ".mw-map-box", ".mw-form", ".mw-form-buttons"]

    def places() -> dict[str, float]:
        code = """(parts) => {
            window.scrollTo({ top: 0, behavior: "instant" });  // the form stays in sight where the page is scrolled
            const top = (part) => document.querySelector(part).getBoundingClientRect().top;
            return Object.fromEntries(parts.map((part) => [part, Math.round(top(part) - top('.mw-page'))]));
        }"""
        return page.evaluate(code, parts)

    page.evaluate("document.fonts.ready")  # until they are there lines may be longer
    where = places()
    for number in (1, 2, 3):
        page.keyboard.press("s")
        until_day(page, number)
    assert places() == where
    set_range(page, "tariff.pass_through", "0.5")
    page.wait_for_selector("text=1 change not applied.")
    assert places() == where
    page.click("text=Apply")
    in_force(page)
    page.wait_for_selector("text=What changed")
    assert places() == where
    page.click("text=Dismiss")
    page.wait_for_selector(".mw-notice", state="detached")
    assert places() == where


def test_a_finger_reads_hours_and_explanations(visit) -> None:
    page = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    chart = page.locator(".mw-day-box svg")
    chart.tap(position={"x": chart.bounding_box()["width"] / 2, "y": 80})
    page.wait_for_selector(".mw-cursor", state="attached")
    time.sleep(STILL_S)
    assert re.match(r"1[0-9]–1[0-9] h: ", page.inner_text(".mw-day-read"))
    for card in page.locator(".mw-metric").all():
        card.locator("summary").tap()
        words = card.locator(".mw-why p")
        assert words.is_visible()
        seen = words.bounding_box()
        assert seen["x"] >= 0
        assert seen["x"] + seen["width"] <= 390
        assert len(words.inner_text()) > 20


LEAST_OPACITY = """() => {
  window.leastOpacity = 1;
  new MutationObserver(() => {
    const figures = document.querySelector(".mw-charts > .mw-stack");
    if (figures) window.leastOpacity = Math.min(window.leastOpacity, Number(getComputedStyle(figures).opacity));
  }).observe(document.body, { subtree: true, attributes: true, attributeFilter: ["class"] });
}"""
"""Keep the least opacity that the figures ever have, at whatever changes a class."""


def test_old_figures_are_dim_while_new_ones_are_found(visit) -> None:
    page = visit("?scenario=stress&tariff=filed&pv_share_scale=0.87")  # which nobody has solved before
    expect(page.locator(".mw-old")).to_have_count(0)
    page.emulate_media(reduced_motion="reduce")  # no transition: dim at once, however soon the answer comes
    page.evaluate(LEAST_OPACITY)
    page.select_option('select[name="tariff"]', "flat")
    page.wait_for_function("window.leastOpacity < 0.9")
    in_force(page)
    page.wait_for_selector(".mw-old", state="detached")
