"""The teacher's page as a slide: joining, the day and the scores, large; seats of who was taken out are told."""

import pytest

SMALL = ".mw-nav, .cm-list, .cm-form, .cm-quiet, .cm label, .cm input, .cm select, .cm figure details"


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 720}, {"width": 1920, "height": 1080}])
def test_the_room_fits_a_projector_and_its_day_is_lived_from_the_slide(visit, viewport) -> None:
    teacher = visit("class", ready=False, viewport=viewport)
    teacher.on("dialog", lambda asked: asked.accept())
    teacher.select_option('select[name="scenario"]', "textbook")
    teacher.fill('input[name="households"]', "200")
    teacher.click('button:has-text("Open a room")')
    code = teacher.inner_text(".cm-code")
    for name in ("Ada", "Ben"):
        student = visit(f"class?code={code}", ready=False)
        student.fill('input[name="name"]', name)
        student.click('button:has-text("Join")')
        student.wait_for_selector(".cm-hour")
    teacher.wait_for_selector("text=0 of 2 plans are in")
    teacher.click('[aria-label="Take Ben out"]')
    teacher.wait_for_selector("text=1 seat is of students who were taken out")
    teacher.locator("h1").click()
    teacher.keyboard.press("p")
    teacher.wait_for_selector("html.mw-projector")
    teacher.click("text=Live the day")
    teacher.wait_for_selector(".mw-caption")
    assert [one for one in teacher.locator(SMALL).all() if one.is_visible()] == []
    for part in (".cm-code", ".cm-leaders li", "figure svg", ".mw-caption", ".cm-unslide"):
        box = teacher.locator(f"{part} >> visible=true").first.bounding_box()
        assert box["x"] >= 0, part
        assert box["x"] + box["width"] <= viewport["width"], part
        assert box["y"] + box["height"] <= viewport["height"], part
    assert teacher.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    scale = viewport["width"] / 1280
    assert teacher.locator(".cm-code").bounding_box()["height"] >= 60 * scale
    teacher.reload()
    teacher.wait_for_selector("html.mw-projector")  # this browser keeps it
    teacher.click("text=Leave the projector")
    teacher.wait_for_selector(".cm-list li")
    assert teacher.locator(".cm-unslide").is_hidden()
