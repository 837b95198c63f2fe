"""Every string of the help page."""

from meanwatt.analysis.dashboard.help.sections.bills import BILLS
from meanwatt.analysis.dashboard.help.sections.challenge import CHALLENGE
from meanwatt.analysis.dashboard.help.sections.class_market import CLASS
from meanwatt.analysis.dashboard.help.sections.compare import COMPARE
from meanwatt.analysis.dashboard.help.sections.finite import FINITE
from meanwatt.analysis.dashboard.help.sections.first_steps import FIRST, KEYS, TAKE, WHAT
from meanwatt.analysis.dashboard.help.sections.hosting import HOSTING
from meanwatt.analysis.dashboard.help.sections.leader import LEADER
from meanwatt.analysis.dashboard.help.sections.learners import LEARNERS
from meanwatt.analysis.dashboard.help.sections.lessons import LESSONS
from meanwatt.analysis.dashboard.help.sections.market import MARKET
from meanwatt.analysis.dashboard.help.sections.theory import THEORY
from meanwatt.analysis.dashboard.help.sections.words import WORDS

TITLE = "Help"
CONTENTS = "On this page"

SECTIONS = (
    WHAT,
    FIRST,
    TAKE,
    KEYS,
    MARKET,
    COMPARE,
    BILLS,
    FINITE,
    HOSTING,
    LEADER,
    THEORY,
    LEARNERS,
    LESSONS,
    CHALLENGE,
    CLASS,
    WORDS,
)
"""The page from top to bottom."""


def anchors() -> tuple[str, ...]:
    """Anchors of all entries."""
    return tuple(entry.anchor for section in SECTIONS for entry in section.entries)
