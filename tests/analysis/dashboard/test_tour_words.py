"""The tour takes about two minutes, begins and ends on the first page, and goes to pages that there are."""

import re

from repository import ROOT

from meanwatt.analysis.dashboard.pages import PAGES
from meanwatt.analysis.dashboard.tour.words import STEPS


def test_the_tour_takes_two_minutes_from_the_first_page_to_the_first_page() -> None:
    assert 90 <= sum(step.seconds for step in STEPS) <= 120, "what is waited for comes on top"
    assert STEPS[0].page == STEPS[-1].page == PAGES[0].route


def test_the_tour_goes_to_pages_that_it_can_change_to_without_loading_them_anew() -> None:
    assert {step.page for step in STEPS} <= {page.route for page in PAGES if page.component is not None}


def test_a_caption_can_be_read_in_the_time_it_stands() -> None:
    for step in STEPS:
        assert len(step.text.split()) / step.seconds <= 3, step.text


def test_what_the_tour_looks_at_and_presses_is_on_its_pages() -> None:
    """By class: a button that the tour does not find is not pressed, and its caption speaks of what does not happen."""
    folder = ROOT / "analysis" / "dashboard"
    pages = "".join(
        path.read_text(encoding="utf-8") for ending in ("vue", "py") for path in folder.rglob(f"*.{ending}")
    )
    pages = pages.replace((folder / "tour" / "words.py").read_text(encoding="utf-8"), "")
    for step in STEPS:
        for selector in (step.look, step.press, step.calm):
            for name in re.findall(r"\.([a-z][\w-]*)", selector):
                assert re.search(rf"""["' ]{name}["' ]""", pages), f"{selector}: no class {name}"
            assert "title" not in selector, "a title is words, which may change"
