"""A board of the challenge in two browsers: opened, joined by its code, and told to everybody as it changes."""

from pathlib import Path

from watching import expect

READING = Path(__file__).with_name("reading.js").read_text(encoding="utf-8")


def readable(page) -> None:
    page.evaluate(READING)
    assert page.evaluate("meanwattReading.nameless()") == []
    read, faint = page.evaluate("meanwattReading.faint()")
    assert read > 30
    assert faint == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def join(page, name: str) -> None:
    page.fill("input[name='player']", name)
    page.click(".mw-board button:has-text('Join')")


def rows(page) -> list[list[str]]:
    """Cells of the board without its first column."""
    return [row.locator("th, td").all_inner_texts()[1:] for row in page.locator(".mw-board tbody tr").all()]


def test_who_joins_a_board_by_its_code_is_seen_by_all_and_plays_on_after_a_reload(visit) -> None:
    teacher = visit("challenge", ready=False)
    teacher.click("button:has-text('Open a board')")
    teacher.wait_for_selector(".mw-board-code b")
    code = teacher.inner_text(".mw-board-code b")
    assert f"board={code}" in teacher.url

    student = visit("challenge", ready=False, viewport={"width": 390, "height": 844}, color_scheme="dark")
    student.fill("input[name='code']", "AAAAAA")
    student.click("button:has-text('Go to it')")
    student.wait_for_selector(".mw-notice:has-text('There is no board of this code on this server')")
    student.fill("input[name='code']", code.lower())
    student.press("input[name='code']", "Enter")
    student.wait_for_selector(".mw-board-code")
    join(student, "=1+1")
    student.wait_for_selector(".mw-notice:has-text('Not joined.')")
    join(student, "Ada")
    student.wait_for_selector(".mw-board:has-text('You play as Ada')")
    teacher.wait_for_selector(".mw-board tbody tr:has-text('Ada')")
    assert rows(teacher) == [["Ada", "–", "–", "–", "–", "0"]]

    student.click(".mw-draw button:has-text('Submit')")
    teacher.wait_for_selector(".mw-board tbody td:last-child:has-text('1')")
    student.wait_for_selector("header:not(:has(progress))")
    assert rows(teacher) == rows(student) == [["Ada", *student.locator(".mw-score-number").all_inner_texts(), "1"]]
    expect(student.locator(".mw-board .mw-tries-here")).to_have_count(1)
    expect(teacher.locator(".mw-board .mw-tries-here")).to_have_count(0)
    for page in (teacher, student):
        readable(page)

    student.reload()
    student.wait_for_selector(".mw-board:has-text('You play as Ada')")
    join(teacher, "ada")
    teacher.wait_for_selector(".mw-notice:has-text(\"the name 'ada' is taken on this board; give another one\")")
    assert len(rows(teacher)) == 1
