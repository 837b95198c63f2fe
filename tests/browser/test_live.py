"""A form that acts at once, in a real browser: while a slider is dragged; and what waits for Apply else."""

from looking import figures, in_force, set_range
from watching import expect

NAME = "tariff.fixed_charge_usd_per_day"
SLIDER = f'input[name="{NAME}"]'


def test_a_dragged_slider_moves_the_figures_before_it_is_let_go_and_one_undo_goes_back(visit) -> None:
    page = visit("?scenario=textbook", at_once=True)
    page.wait_for_selector('.mw-form-foot[data-live="yes"]')
    before, slider = figures(page), page.locator(SLIDER)
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.11 * box["width"], middle)
    page.mouse.down()
    for share in (0.2, 0.3, 0.5):
        page.mouse.move(box["x"] + share * box["width"], middle, steps=3)
    page.wait_for_selector(".mw-status:has-text('Following your slider.')")
    gap = before["gap"].split()[2]
    page.wait_for_function(f"!document.querySelector('[data-key=\"gap\"] dd b').innerText.includes('{gap}')")
    assert NAME not in page.url  # it is no place to come back to yet
    page.mouse.up()
    page.wait_for_function(f"location.search.includes('{NAME}')")
    in_force(page)
    page.wait_for_selector("text=What changed")
    page.wait_for_selector('.mw-tray[data-rows="2"]')  # where it began and where it ended
    after = figures(page)
    assert after["gap"] != before["gap"]
    page.click("button:has-text('Undo')")
    page.wait_for_function("location.search === '?scenario=textbook'")
    in_force(page)
    assert figures(page)["gap"].split()[2] == gap
    expect(page.locator("button:has-text('Undo')")).to_be_disabled()


def test_letting_go_ends_in_the_state_that_apply_ends_in(visit) -> None:
    dragged, applied = visit("?scenario=textbook", at_once=True), visit("?scenario=textbook")
    dragged.wait_for_selector('.mw-form-foot[data-live="yes"]')
    for page in (dragged, applied):
        set_range(page, NAME, "0.6")
    applied.wait_for_selector("text=1 change not applied.")
    applied.click("text=Apply")
    for page in (dragged, applied):
        page.wait_for_function(f"location.search.includes('{NAME}=0.6')")
        in_force(page)
        page.wait_for_selector('.mw-metric[data-key="efficiency"]:not(:has-text("being computed"))')
    assert figures(dragged) == figures(applied)
    assert dragged.inner_text(".mw-burden") == applied.inner_text(".mw-burden")


def test_held_keys_act_and_a_browser_keeps_what_its_visitor_chose(visit) -> None:
    page = visit("?scenario=textbook", at_once=True)
    page.wait_for_selector('.mw-form-foot[data-live="yes"]')
    page.focus(SLIDER)
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(f"location.search.includes('{NAME}=0.34')")
    in_force(page)
    page.locator('input[name="at_once"]').uncheck()
    page.wait_for_selector("text=Changes wait for Apply, as you chose.")
    page.focus(SLIDER)
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("text=1 change not applied.")
    page.reload()
    page.wait_for_selector(".mw-play:not([disabled])")
    page.wait_for_selector("text=Changes wait for Apply, as you chose.")
    expect(page.locator('input[name="at_once"]')).not_to_be_checked()


def test_who_chose_nothing_is_told_how_long_a_solve_takes_and_what_waits(visit) -> None:
    page = visit("?scenario=textbook", at_once=None)
    page.wait_for_function("/a solve takes \\d/.test(document.querySelector('#mw-rule').innerText)")
    live = page.get_attribute(".mw-form-foot", "data-live") == "yes"
    assert live == ("Apply is not needed." in page.inner_text("#mw-rule"))
    assert live == page.locator('input[name="at_once"]').is_checked()
