"""Edits of tariffs as hypothesis draws them."""

from hypothesis import strategies as st

from meanwatt.analysis.dashboard.compare.edits import DIGITS, HOURS, PARTS, Edits, Part
from meanwatt.analysis.dashboard.shared.own_tariff import toml_of
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.model.scenario.loading import Scenario


def _numbers(part: Part) -> st.SearchStrategy[float]:
    low, high = (round(end * part.factor * 10**DIGITS) for end in (part.low, part.high))
    return st.integers(low, high).map(lambda units: units / 10**DIGITS)


@st.composite
def edits(draw: st.DrawFn, scenario: Scenario) -> Edits:
    """Any edits that are allowed in a scenario."""
    groups = tuple(scenario.income_groups)
    own = draw(st.sampled_from(["", *scenario.tariffs]))
    found = Edits(own=toml_of(scenario.tariffs[own]) if own else "")
    for name in draw(st.sets(st.sampled_from(sorted(PARTS)))):
        part = PARTS[name]
        if part.words:
            values = [draw(st.sampled_from(part.words))]
        elif part.hourly:
            rate = _numbers(part)
            values = [tuple(draw(st.lists(rate, min_size=HOURS, max_size=HOURS)))]
        else:
            values = [draw(_numbers(part)) for _ in part.keys(groups)]
            if name == "shape":
                values[0] = max(values[0], 0.5)
        found = found.with_values(part, values, groups)
    return found


def textbook() -> Scenario:
    """The scenario of most tests."""
    return Settings(scenario="textbook").preset()
