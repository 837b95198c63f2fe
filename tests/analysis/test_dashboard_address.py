"""The page's address: it repeats a run, and nobody can write into it what the page does not offer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.dashboard.address import from_query, query
from analysis.dashboard.knobs import Knob, knobs
from analysis.dashboard.settings import HOUSEHOLDS, SEEDS, Settings
from model.scenario import presets


@st.composite
def settings(draw: st.DrawFn) -> Settings:
    scenario = draw(st.sampled_from(presets()))
    tariff = draw(st.sampled_from(sorted(Settings(scenario=scenario).preset().tariffs)))
    made = Settings(
        scenario=scenario, tariff=tariff, households=draw(st.integers(*HOUSEHOLDS)), seed=draw(st.integers(*SEEDS))
    )
    for knob in draw(st.lists(st.sampled_from(knobs(made.preset())), max_size=4, unique_by=lambda knob: knob.key)):
        made = made.with_change(knob.key, draw(values(knob)), knob.default)
    return made


def values(knob: Knob) -> st.SearchStrategy:
    if knob.options:
        return st.sampled_from([value for value, _ in knob.options])
    steps = round((knob.high - knob.low) / knob.step)
    return st.integers(0, steps).map(lambda step: round(knob.low + step * knob.step, 6))


@given(settings())
def test_an_address_gives_back_the_settings_it_was_written_from(made: Settings) -> None:
    assert from_query(query(made)) == (made, ())


@given(settings())
def test_whatever_the_page_offers_makes_a_scenario(made: Settings) -> None:
    assert made.load().name == made.scenario


def test_the_default_page_has_an_empty_address() -> None:
    assert query(Settings()) == ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("scenario=oauh", "unknown scenario 'oauh'; did you mean 'oahu'?"),
        ("scenario=../secret.toml", "unknown scenario '../secret.toml'; give one of"),
        ("tariff=/etc/passwd.toml", "unknown tariff '/etc/passwd.toml'"),
        ("households=lots", "households is 'lots'; give a whole number from 10 to 20000"),
        ("households=9999999", "households is 9999999; give a whole number from 10 to 20000"),
        ("seed=-1", "seed is -1; give a whole number from 0 to 2147483647"),
        ("tariff.pass_through=2", "tariff.pass_through is '2'; give a number from 0 to 1"),
        ("tariff.pass_through=nan", "tariff.pass_through is 'nan'; give a number from 0 to 1"),
        ("tariff.recovery=magic", "tariff.recovery is 'magic'; give one of volumetric, fixed, posted"),
        ("battery_levels=100000", "unknown parameter 'battery_levels'"),
        ("tarif=flat", "unknown parameter 'tarif'; did you mean 'tariff'?"),
    ],
)
def test_a_bad_part_of_an_address_is_left_out_and_named(text: str, problem: str) -> None:
    made, problems = from_query(f"?seed=5&{text}&scenario=oahu" if "scenario" not in text else f"?{text}&seed=5")
    assert len(problems) == 1
    assert problems[0].startswith(problem)
    assert made == Settings(seed=Settings().seed if text.startswith("seed") else 5)


@given(st.text(max_size=80))
def test_no_address_whatever_stops_the_page(text: str) -> None:
    made, _ = from_query(text)
    assert made.load().name in presets()


def test_every_preset_offers_what_a_regulator_decides() -> None:
    for scenario in presets():
        keys = {knob.key for knob in knobs(Settings(scenario=scenario).preset())}
        assert {"tariff.recovery", "tariff.pass_through", "tariff.export.rule"} <= keys
        assert any(key.startswith("tariff.energy_usd_per_kwh") for key in keys)
        assert any(key.startswith("tariff.fixed_charge_usd_per_day") for key in keys)


@pytest.mark.parametrize("scenario", presets())
def test_every_default_lies_within_the_range_of_its_slider_and_every_step_shows(scenario: str) -> None:
    plain = Settings(scenario=scenario)
    for tariff in plain.preset().tariffs:
        for knob in knobs(Settings(scenario=scenario, tariff=tariff).preset()):
            assert knob.read(str(knob.default)) == knob.default
            assert knob.options or knob.show(knob.low) != knob.show(knob.low + knob.step)


def test_a_change_back_to_the_default_is_no_change() -> None:
    made = Settings().with_change("elasticity", 0.2, 0.1)
    assert made.with_change("elasticity", 0.1, 0.1) == Settings()


def test_settings_that_differ_in_the_sample_alone_share_an_equilibrium() -> None:
    assert Settings(seed=4, households=50).market_only == Settings().market_only
    assert Settings(tariff="tou").market_only != Settings().market_only


def test_settings_that_differ_in_the_tariff_alone_share_a_first_best() -> None:
    changed = Settings(tariff="tou", seed=3, changes=(("tariff.recovery", "fixed"), ("elasticity", 0.2)))
    assert changed.town == Settings(changes=(("elasticity", 0.2),))
