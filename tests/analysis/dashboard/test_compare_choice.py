"""The compare page's address: it repeats a choice, and a bad part of it is named and left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanwatt.analysis.dashboard.compare.choice import Choice, from_query, query
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.model.scenario.loading import presets


@st.composite
def choices(draw: st.DrawFn) -> Choice:
    scenario = draw(st.sampled_from(presets()))
    tariffs = st.sampled_from(sorted(Settings(scenario=scenario).preset().tariffs))
    return Choice(scenario=scenario, a=draw(tariffs), b=draw(tariffs))


@given(choices())
def test_an_address_gives_back_the_choice_it_was_written_from(choice: Choice) -> None:
    assert from_query(f"?{query(choice)}") == (choice, ())
    assert choice.swapped().swapped() == choice


def test_the_default_page_has_an_empty_address() -> None:
    assert query(Choice()) == ""
    assert from_query("") == (Choice(), ())


@pytest.mark.parametrize("scenario", presets())
def test_every_preset_has_the_tariffs_that_the_page_opens_with(scenario: str) -> None:
    assert Choice(scenario=scenario).scenario == scenario


def test_the_page_opens_with_two_tariffs_that_recover_the_whole_cost() -> None:
    for settings in Choice().sides:
        assert settings.preset().tariffs[settings.tariff].recovery != "posted"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("scenario=oauh", "unknown scenario 'oauh'; did you mean 'oahu'?"),
        ("scenario=../secret.toml", "unknown scenario '../secret.toml'; give one of"),
        ("a=flatt", "unknown tariff 'flatt'; did you mean 'flat'?"),
        ("b=", "unknown tariff ''"),
        ("c=flat", "unknown parameter 'c'"),
        ("tarif=flat", "unknown parameter 'tarif'"),
    ],
)
def test_a_bad_part_of_an_address_is_left_out_and_named(text: str, problem: str) -> None:
    choice, problems = from_query(f"?a=tou&{text}" if not text.startswith("a=") else text)
    assert len(problems) == 1
    assert problems[0].startswith(problem)
    assert choice == Choice(a="flat" if text.startswith("a=") else "tou")


@given(st.text(max_size=60))
def test_no_address_whatever_stops_the_page(text: str) -> None:
    choice, _ = from_query(text)
    assert choice.scenario in presets()
