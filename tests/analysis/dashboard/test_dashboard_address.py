"""The page's address: it repeats a run, and nobody can write into it what the page does not offer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanwatt.agents.tariff.tariff import rates
from meanwatt.analysis.dashboard.market.address import from_query, query
from meanwatt.analysis.dashboard.market.knobs import Knob, knobs, without_effect
from meanwatt.analysis.dashboard.shared.choices import tariff_options
from meanwatt.analysis.dashboard.shared.settings import HOUSEHOLDS, SEEDS, Settings
from meanwatt.analysis.design.same_tariffs import twins
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario, presets


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
        ("households=lots", "households is 'lots'; give a whole number from 10 to 100000"),
        ("households=9999999", "households is 9999999; give a whole number from 10 to 100000"),
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


@pytest.mark.parametrize("scenario", presets())
def test_a_value_on_file_is_shown_as_it_is_though_it_lies_between_the_steps(scenario: str) -> None:
    for knob in knobs(Settings(scenario=scenario).preset()):
        if not knob.options:
            assert float(knob.show(knob.default).split()[0]) == pytest.approx(knob.default, abs=5e-6)
    filed = {knob.key: knob for knob in knobs(Settings(scenario="textbook").preset())}
    assert filed["tariff.fixed_charge_usd_per_day"].show(0.329) == "0.329 $/day"


RULES = ("net_metering", "net_billing", "none")


@pytest.mark.parametrize("scenario", presets())
@pytest.mark.parametrize("recovery", ["volumetric", "fixed", "posted"])
@pytest.mark.parametrize("rule", RULES)
def test_a_parameter_is_idle_exactly_if_it_moves_neither_rates_nor_charges_nor_homes(
    scenario: str, recovery: str, rule: str
) -> None:
    base = Settings(scenario=scenario, changes=(("tariff.recovery", recovery), ("tariff.export.rule", rule)))
    offered = knobs(base.preset())
    idle = without_effect(offered, base)
    met = _what_households_meet(base)
    for knob in offered:
        if knob.options:
            continue
        for value in (knob.low, knob.high):
            if value != knob.default:
                moved = _what_households_meet(base.with_change(knob.key, value, knob.default))
                assert (moved == met) == (knob.key in idle), (knob.key, value)


def test_where_no_home_has_solar_export_and_storage_are_idle() -> None:
    base = Settings(scenario="textbook", changes=(("pv_share_scale", 0.0),))
    idle = without_effect(knobs(base.preset()), base)
    access = "tariff.access_charge.usd_per_pv_kw_day"
    assert {key for key in idle if not key.startswith("tariff.export")} == {"battery_share_scale", access}
    assert "tariff.export.rule" in idle


def test_electric_cars_and_the_grid_access_charge_have_a_slider_where_it_moves_something() -> None:
    charge = "tariff.access_charge.usd_per_household_day"
    plain, roofs = "ev_share_scale", "tariff.access_charge.usd_per_pv_kw_day"
    cars = load_scenario("textbook", overrides=["income_groups.high.ev_share=0.25", f"{charge}.pv=0.2"])
    offered = {knob.key: knob for knob in knobs(cars)}
    assert offered[plain].high == 4.0, "at which every home has one"
    assert offered[f"{charge}.pv"].default == 0.2
    assert roofs in offered
    bare = load_scenario("textbook", overrides={f"income_groups.{name}.pv_share": 0.0 for name in cars.income_groups})
    assert not {plain, roofs, charge} & {knob.key for knob in knobs(bare)}


def _what_households_meet(settings: Settings) -> list[bytes]:
    """Types, elasticity, rates at some wholesale prices and posted charges, to the last bit."""
    scenario = settings.load()
    economy, tariff = build_economy(scenario), build_tariff(scenario)
    today = economy.common.today
    wholesale = np.linspace(0.05, 0.3, economy.slots * len(today)).reshape(len(today), economy.slots)
    posted = rates(tariff, today, wholesale, 0.0)
    charge = () if scenario.tariffs[scenario.selected_tariff].recovery == "fixed" else tariff.fixed_charge_usd_per_day
    shares = [(kind.income_group, kind.technology, kind.share) for kind in economy.types]
    paid = [one.usd_per_day(kind) for one in tariff.standing_charges for kind in economy.types]
    parts = (posted.import_usd_per_kwh, posted.export_usd_per_kwh, charge, shares, scenario.elasticity, paid)
    return [np.asarray(part).tobytes() for part in parts]


def test_two_tariffs_with_the_same_numbers_are_named_as_such() -> None:
    scenario = Settings().preset()
    assert twins(scenario) == {"two_part": "rtp"}  # both recover the network cost as an equal fixed charge
    labels = {option["value"]: option["label"] for option in tariff_options(scenario)}
    assert labels["two_part"].endswith("(same numbers as Real-time price with carbon)")
    assert "same numbers" not in labels["rtp"]
    shape = {"low": 0.5, "middle": 1.0, "high": 1.0}
    other = load_scenario("oahu", tariff="two_part", overrides={"tariff.fixed_charge_shape": shape})
    assert twins(other) == {}
