"""A tariff goes from page to page whole: market, Compare and leader hand it over in a link that repeats it."""

from dataclasses import replace
from urllib.parse import urlsplit

import numpy as np
import pytest

from meanwatt.analysis.dashboard.compare import choice as pair
from meanwatt.analysis.dashboard.compare.sides import market_link
from meanwatt.analysis.dashboard.leader.bar import bar_json
from meanwatt.analysis.dashboard.leader.choice import Choice as Search
from meanwatt.analysis.dashboard.leader.words import OPENS_ON
from meanwatt.analysis.dashboard.market import address
from meanwatt.analysis.dashboard.market.crossing import STAYS, compare_label, compare_link
from meanwatt.analysis.dashboard.market.view import Stage
from meanwatt.analysis.dashboard.market.wishes import chosen
from meanwatt.analysis.dashboard.shared.carried import carried
from meanwatt.analysis.dashboard.shared.own_tariff import OWN_TARIFF
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.take_away.described import describe_market
from meanwatt.model.scenario.economy import build_tariff

EDITED = Settings(scenario="textbook", tariff="rtp", changes=(("tariff.pass_through", 0.5),))
WITH_TOWN = replace(EDITED, changes=(*EDITED.changes, ("elasticity", 0.2)))


def same_terms(one: Settings, other: Settings) -> None:
    a, b = (build_tariff(settings.load()) for settings in (one, other))
    for name in ("energy_usd_per_kwh", "export_usd_per_kwh", "fixed_charge_usd_per_day", "fixed_charge_shape"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert (a.pass_through, a.export_pass_through, a.recovery, a.export_rule) == (
        b.pass_through,
        b.export_pass_through,
        b.recovery,
        b.export_rule,
    )


def opened(link: str) -> tuple[pair.Choice, tuple[str, ...]]:
    parts = urlsplit(link)
    assert parts.path == "/compare"
    return pair.from_query(parts.query)


def test_the_market_hands_a_changed_tariff_to_compare_beside_the_one_on_file_and_back() -> None:
    found, problems = opened(compare_link(EDITED))
    assert problems == ()
    assert (found.scenario, found.a) == ("textbook", "filed")
    same_terms(found.sides[1], EDITED)
    assert "pass" in found.sides[1].preset().tariffs[OWN_TARIFF].title.lower()
    back, problems = address.from_query(urlsplit(market_link(found, "b")).query)
    assert problems == ()
    same_terms(back, EDITED)


def test_a_tariff_without_changes_goes_by_its_name_and_the_one_on_file_by_its_scenario() -> None:
    assert compare_link(Settings(tariff="tou")) == "/compare?a=filed&b=tou"
    assert compare_link(Settings(scenario="textbook", tariff="rtp")) == "/compare?scenario=textbook&a=filed&b=rtp"
    assert compare_link(Settings(scenario="textbook")) == "/compare?scenario=textbook"
    assert compare_link(Settings()) == "/compare"
    assert market_link(pair.Choice(scenario="textbook", b="tou"), "b") == "/?scenario=textbook&tariff=tou"
    for settings in (Settings(tariff="tou"), Settings(scenario="textbook"), Settings()):
        assert opened(compare_link(settings))[1] == ()


def test_changes_of_the_town_stay_behind_and_the_link_says_so() -> None:
    assert carried(WITH_TOWN, "x").changes == ()
    same_terms(opened(compare_link(WITH_TOWN))[0].sides[1], EDITED)
    assert compare_label(WITH_TOWN).endswith(STAYS)
    assert not compare_label(EDITED).endswith(STAYS)


def test_the_market_keeps_a_tariff_of_another_page_until_one_of_the_scenario_is_chosen() -> None:
    own = carried(EDITED, "Mine")
    text = address.query(own)
    assert address.from_query(text) == (own, ())
    changed, problems = address.from_query(f"{text}&tariff.pass_through=0.25")
    assert problems == ()
    assert build_tariff(changed.load()).pass_through == 0.25
    stage = Stage(base=changed, draft=changed)
    kept, _ = chosen(stage, "tariff", OWN_TARIFF)
    assert kept == own
    left, _ = chosen(stage, "tariff", "flat")
    assert (left.tariff, left.own) == ("flat", "")
    said = describe_market(f"?{text}", 0)
    assert said.python == ""
    assert "was read from a file, or searched for" in said.why


def test_an_address_with_a_tariff_that_cannot_be_read_is_told_and_leaves_it_out() -> None:
    found, problems = address.from_query("scenario=textbook&file=abc")
    assert found == Settings(scenario="textbook")
    assert problems == ("it cannot be read; copy the whole link",)


@pytest.mark.parametrize(
    ("text", "look", "problem"),
    [
        ("bus=5", (5, None), None),
        ("bus=5&home=1", (5, 0), None),
        ("home=3", (None, None), None),
        ("bus=-1", (None, None), "bus is '-1'; give a whole number from 0 to 1000000"),
        ("bus=5&home=0", (5, None), "home is '0'; give a whole number from 1 to 1000000"),
        ("bus=5&home=99999999", (5, None), "home is '99999999'; give a whole number from 1 to 1000000"),
        ("bus=1000001", (None, None), "bus is '1000001'; give a whole number from 0 to 1000000"),
        ("bus=٣", (None, None), "bus is '٣'; give a whole number from 0 to 1000000"),
    ],
)
def test_an_address_holds_the_bus_and_the_home_that_are_looked_at(
    text: str, look: address.Look, problem: str | None
) -> None:
    assert address.look_of(f"?{text}") == look
    assert address.from_query(text) == (Settings(), () if problem is None else (problem,))
    if problem is None and look[0] is not None:
        assert address.query(Settings(), look=look) == text


def test_the_leaders_page_says_that_it_opens_on_the_textbook_island() -> None:
    assert OPENS_ON in bar_json(Search(), None, None)
    assert OPENS_ON not in bar_json(Search(scenario="oahu"), None, None)
