"""The leader page's address: it repeats a search, and a bad part of it is named and left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanwatt.analysis.dashboard.leader.choice import CONCEPTS, MOST_EVALUATIONS, Choice, from_query, query
from meanwatt.analysis.leader.registry import find, names
from meanwatt.model.scenario.economy import build_economy
from meanwatt.model.scenario.loading import presets
from meanwatt.model.scenario.ranges import WEIGHT


@st.composite
def choices(draw: st.DrawFn) -> Choice:
    leader = draw(st.sampled_from(names()))
    objective = find(leader)
    weights = {name: draw(st.floats(WEIGHT.low, WEIGHT.high)) for name in objective.weights if draw(st.booleans())}
    cap = st.one_of(st.none(), st.floats(0.01, 2.0)) if objective.cap_over_reference else st.none()
    concepts = sorted(CONCEPTS) if objective.is_money else ["commitment", "alternating"]
    return Choice(
        scenario=draw(st.sampled_from(presets())),
        leader=leader,
        concept=draw(st.sampled_from(concepts)),
        weights=tuple(weights.items()),
        price_cap_usd_per_kwh=draw(cap),
        evaluations=draw(st.one_of(st.none(), st.integers(1, MOST_EVALUATIONS))),
        run=draw(st.booleans()),
    )


@given(choices())
def test_an_address_gives_back_the_search_it_was_written_from_to_the_last_bit(choice: Choice) -> None:
    assert from_query(f"?{query(choice)}") == (choice, ())


def test_the_page_opens_with_an_empty_address_and_nothing_searched() -> None:
    assert query(Choice()) == ""
    assert from_query("") == (Choice(), ())
    assert not Choice().run


def test_a_weight_of_the_objectives_own_is_no_part_of_the_address() -> None:
    assert Choice(weights=(("equity", 1.0),)) == Choice()
    assert query(Choice(weights=(("stability", 0.5), ("equity", 1.0)), run=True)) == "stability=0.5&run=1"


def test_another_leader_leaves_weights_behind_and_another_concept_its_count() -> None:
    choice = Choice(weights=(("equity", 5.0),), evaluations=40)
    assert query(choice, leader="utility") == "leader=utility"
    assert query(choice, concept="feedback") == "concept=feedback&equity=5"
    assert query(choice, equity="2") == "equity=2&evaluations=40"


def test_the_aims_are_those_of_the_command_and_the_cap_its_own_unless_given() -> None:
    choice = Choice(leader="utility")
    economy = build_economy(choice.settings.load())
    reference = economy.scenario.reference_price_usd_per_kwh
    assert choice.aims(economy).price_cap_usd_per_kwh == choice.cap_usd_per_kwh == pytest.approx(1.5 * reference)
    given_cap = Choice(leader="utility", price_cap_usd_per_kwh=0.2)
    assert given_cap.aims(economy).price_cap_usd_per_kwh == given_cap.cap_usd_per_kwh == 0.2
    assert Choice().aims(economy).weights == {"equity": 1.0, "stability": 0.0}
    assert Choice().cap_usd_per_kwh is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("scenario=../x.toml", "unknown scenario '../x.toml'; give one of"),
        ("leader=comission", "unknown leader 'comission'; did you mean 'commission'?"),
        ("concept=stackelberg", "unknown concept 'stackelberg'; give one of commitment, feedback, alternating"),
        ("equity=-1", "equity is -1; give a number from 0 to"),
        ("equity=nan", "equity is 'nan'; give a number, e.g. 1"),
        ("imv_limit=1", "unknown parameter 'imv_limit'"),
        ("price_cap=0.3", "the commission has no price cap; leave price_cap out"),
        ("evaluations=0", "evaluations is 0; give a whole number from 1 to 200"),
        ("evaluations=²", "evaluations is '²'; give a whole number from 1 to 200"),
        ("run=yes", "run is 'yes'; give 1, or leave it out"),
    ],
)
def test_a_bad_part_of_an_address_is_left_out_and_named(text: str, problem: str) -> None:
    choice, problems = from_query(f"?{text}")
    assert len(problems) == 1
    assert problems[0].startswith(problem)
    assert choice == Choice()


@pytest.mark.parametrize("text", ["leader=nash&concept=feedback", "concept=feedback&leader=rawls"])
def test_feedback_is_refused_where_the_objective_is_no_money(text: str) -> None:
    choice, problems = from_query(text)
    assert choice.concept == "commitment"
    assert problems[0].startswith("feedback counts what a day leaves behind in USD")


@given(st.text(max_size=60))
def test_no_address_whatever_stops_the_page(text: str) -> None:
    choice, _ = from_query(text)
    assert choice.tariffs >= 1
