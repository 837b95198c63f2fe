"""The help page: every place that the pages point at is there, and its names are those of the glossary."""

import json
import re

from compared_tariffs import solution
from repository import ROOT

from meanwatt.analysis.dashboard.compare.choice import Choice
from meanwatt.analysis.dashboard.compare.view import figures
from meanwatt.analysis.dashboard.help import texts
from meanwatt.analysis.dashboard.market import frames
from meanwatt.analysis.dashboard.market.history import History
from meanwatt.analysis.dashboard.pages import PAGES
from meanwatt.analysis.dashboard.shared.figures import ANCHORS
from meanwatt.analysis.dashboard.shared.help_link import HELP, help_link

PLACES = [*texts.anchors(), *(section.title.lower().replace(" ", "-") for section in texts.SECTIONS)]


def links(value: object) -> set[str]:
    """Every link to the help page within some data."""
    return set(re.findall(rf"{HELP}#[\w-]*", json.dumps(value)))


def test_every_place_is_one_place() -> None:
    assert len(PLACES) == len(set(PLACES))
    assert all(re.fullmatch(r"[a-z0-9-]+", place) for place in PLACES)


def test_every_link_of_the_pages_leads_to_an_entry() -> None:
    choice = Choice(scenario="textbook", a="filed", b="rtp")
    compared = figures(choice, solution("filed"), solution("rtp"), None)
    day = frames.frame(solution("filed"), History(), 0, before=None, benchmark=None)
    used = set()
    for shown in (compared, day):
        for name in shown.__slots__:
            used |= links(getattr(shown, name))
    assert used >= {help_link(anchor) for anchor in ("imv", "suits", "pu", "sqrt-n", "mean-field", "read-payers")}
    assert used <= {help_link(anchor) for anchor in texts.anchors()}
    assert set(ANCHORS.values()) <= set(texts.anchors())


def test_the_help_page_is_where_the_links_point() -> None:
    assert HELP in {page.route for page in PAGES}


def test_what_this_is_takes_three_sentences_and_the_keys_are_four() -> None:
    assert len(texts.WHAT.paragraphs) == 3
    assert len(texts.KEYS.entries) == 4


def test_words_are_in_order_and_end_as_sentences() -> None:
    words = [entry.anchor for entry in texts.WORDS.entries]
    assert words == sorted(words)
    assert all(entry.text.endswith(".") for section in texts.SECTIONS for entry in section.entries)


def test_names_of_the_code_are_those_of_the_glossary() -> None:
    (glossary,) = (ROOT / "docs").rglob("glossary.md")
    explained = set(re.findall(r"`([\w.]+)`", glossary.read_text(encoding="utf-8")))
    named = {entry.name for section in texts.SECTIONS for entry in section.entries if entry.name}
    assert len(named) >= 10
    assert named <= explained
