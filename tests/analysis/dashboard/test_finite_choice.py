"""The finite page's address: it repeats a choice, and a bad part of it is named and left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanwatt.analysis.dashboard.finite.choice import MARKETS, SIZES, Choice, from_query, query
from meanwatt.analysis.dashboard.finite.drawing import sample_of
from meanwatt.analysis.dashboard.shared.settings import SEEDS, Settings
from meanwatt.model.scenario.loading import presets


@st.composite
def choices(draw: st.DrawFn) -> Choice:
    scenario = draw(st.sampled_from(presets()))
    tariffs = st.sampled_from(sorted(Settings(scenario=scenario).preset().tariffs))
    return Choice(
        scenario=scenario,
        tariff=draw(tariffs),
        markets=draw(st.sampled_from(MARKETS)),
        seed=draw(st.integers(*SEEDS)),
    )


@given(choices())
def test_an_address_gives_back_the_choice_it_was_written_from(choice: Choice) -> None:
    assert from_query(f"?{query(choice)}") == (choice, ())


def test_the_default_page_has_an_empty_address_on_every_preset() -> None:
    assert query(Choice()) == ""
    assert from_query("") == (Choice(), ())
    for scenario in presets():
        assert Choice(scenario=scenario).scenario == scenario


def test_a_part_asked_for_takes_the_place_of_the_choices_own_and_is_judged_by_who_reads_it() -> None:
    choice = Choice(scenario="textbook", markets=20)
    assert query(choice, markets="5") == "scenario=textbook&markets=5"
    assert query(choice, scenario="oahu") == "markets=20"
    read, problems = from_query(query(choice, seed="-1"))
    assert read == choice
    assert problems == ("seed is '-1'; give a whole number, e.g. 0",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("scenario=oauh", "unknown scenario 'oauh'; did you mean 'oahu'?"),
        ("tariff=../secret.toml", "unknown tariff '../secret.toml'; give one of"),
        ("markets=7", "markets is 7; give one of 5, 10, 20, 40"),
        ("markets=²", "markets is '²'; give a whole number, e.g. 10"),
        ("seed=99999999999", "seed is '99999999999'; give a whole number, e.g. 0"),
        ("seed=2147483648", "seed is 2147483648; give a whole number from 0 to 2147483647"),
        ("homes=3", "unknown parameter 'homes'"),
    ],
)
def test_a_bad_part_of_an_address_is_left_out_and_named(text: str, problem: str) -> None:
    choice, problems = from_query(f"?{text}")
    assert len(problems) == 1
    assert problems[0].startswith(problem)
    assert choice == Choice()


@given(st.text(max_size=60))
def test_no_address_whatever_stops_the_page(text: str) -> None:
    choice, _ = from_query(text)
    assert sample_of(choice).households == SIZES
