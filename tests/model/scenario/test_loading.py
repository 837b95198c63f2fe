"""Scenario files: what they may say, and the one line that tells what is wrong with them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from meanwatt.agents.household.battery import moves
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import PRESETS, Scenario, ScenarioError, load_scenario, load_tariff, presets
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.rate_tables import period_of_minute, rate_table, slot_values

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a TOML file and return its path."""

    def to(text: str, name: str = "mine.toml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return to


def error_of(source: str | Path, **arguments: object) -> str:
    """Text of the error, checked to be one line that names the scenario or the tariff file."""
    with pytest.raises(ScenarioError) as caught:
        load_scenario(source, **arguments)  # type: ignore[arg-type]
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith((f"scenario {source}: ", "scenario ", "tariff "))
    return text.partition(": ")[2]


# --- what a file may say -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", presets())
def test_a_scenario_comes_back_from_json_and_from_its_own_table(name: str) -> None:
    scenario = load_scenario(name)
    assert Scenario.model_validate_json(scenario.model_dump_json()) == scenario
    assert Scenario.model_validate(scenario.model_dump()) == scenario
    assert load_scenario(scenario) is scenario


def test_a_scenario_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_scenario("textbook").memory = 1  # type: ignore[misc]


def test_a_preset_given_as_a_file_is_the_preset() -> None:
    assert load_scenario(PRESETS / "oahu.toml") == load_scenario("oahu")
    assert load_scenario(str(PRESETS / "oahu.toml")) == load_scenario("oahu")


def test_what_is_changed_in_a_preset_that_was_loaded_changes_no_other_one() -> None:
    before = load_scenario("oahu").model_dump()
    mine = load_scenario("oahu")
    mine.tariffs["mine"] = mine.tariffs.pop("tou")
    mine.tariffs["filed"].periods.clear()
    changed = load_scenario("oahu", overrides=["tariff.pass_through=0.5", "feeder.volt_var.enabled=true"], tariff="tou")
    assert changed.tariffs["tou"].pass_through == 0.5
    assert load_scenario("oahu").model_dump() == before == load_scenario(PRESETS / "oahu.toml").model_dump()


def test_a_file_changes_what_it_says_and_keeps_the_rest(write: Write) -> None:
    mine = load_scenario(write('extends = "oahu"\nmemory = 2\n[income_groups.low]\npv_share = 0.5\n'))
    oahu = load_scenario("oahu")
    expected = oahu.model_dump()
    expected["memory"], expected["name"] = 2, "mine"
    expected["income_groups"]["low"]["pv_share"] = 0.5
    assert mine.model_dump() == expected


def test_the_name_of_a_file_without_one_is_safe_in_paths(write: Write) -> None:
    assert load_scenario(write('extends = "oahu"', "my island (2).toml")).name == "my_island_2_"


def test_chains_of_files_are_followed_from_the_folder_of_each(write: Write, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    write('extends = "textbook"\nelasticity = 0.2\nmemory = 2', "base.toml")
    leaf = write('extends = "../base.toml"\nmemory = 1', "deep/leaf.toml")
    scenario = load_scenario(leaf)
    assert (scenario.elasticity, scenario.memory, scenario.name) == (0.2, 1, "leaf")


def test_a_file_may_add_a_tariff_and_alter_another(write: Write) -> None:
    mine = load_scenario(
        write(
            'extends = "oahu"\ndefault_tariff = "cheap"\n'
            '[tariffs.cheap]\nrecovery = "posted"\nenergy_usd_per_kwh = 0.1\n'
            "[tariffs.filed.energy_usd_per_kwh]\npeak = 0.6\n"
        )
    )
    assert set(mine.tariffs) == {*load_scenario("oahu").tariffs, "cheap"}
    assert mine.tariffs["filed"].energy_usd_per_kwh == {"day": 0.17, "peak": 0.6, "overnight": 0.35}
    assert (build_tariff(mine).energy_usd_per_kwh == 0.1).all()


def test_a_file_with_periods_of_its_own_replaces_those_of_the_parent(write: Write) -> None:
    mine = load_scenario(
        write(
            'extends = "oahu"\n[tariffs.filed]\n'
            'periods = {on = ["16-21"], off = ["21-16"]}\nenergy_usd_per_kwh = {on = 0.5, off = 0.2}\n'
            "[tariffs.filed.export]\nusd_per_kwh = 0.1\n"
        )
    )
    rates = build_tariff(mine).energy_usd_per_kwh
    assert rates[0, [0, 15, 16, 20, 21]].tolist() == [0.2, 0.2, 0.5, 0.5, 0.2]


def test_a_supply_curve_of_another_kind_replaces_the_parents(write: Write) -> None:
    text = (
        'extends = "oahu"\n[supply]\nkind = "piecewise"\nnet_load_kw = [0.0, 1.0]\nusd_per_kwh = [0.1, 0.3]\n'
        "emissions_t_per_mwh = [0.5]"
    )
    supply = build_economy(load_scenario(write(text))).supply
    assert supply.price(0.5) == pytest.approx(0.2, rel=1e-12)
    assert supply.marginal_emissions_t_per_kwh(0.5) == pytest.approx(5e-4, rel=1e-12)


def test_overrides_use_dotted_keys_and_toml_values() -> None:
    scenario = load_scenario(
        "oahu",
        overrides=[
            "memory=2",
            " elasticity = .2 ",
            "value_rule=boltzmann",
            'feeder.name="lv_rural"',
            "income_groups.low.share=0.2",
            "income_groups.high.share=0.4",
            "shock.levels=[0.5, 1.0, 1.5]",
            "reference.value_of_lost_load_usd_per_kwh=7",
        ],
    )
    assert (scenario.memory, scenario.elasticity, scenario.value_rule) == (2, 0.2, "boltzmann")
    assert (scenario.feeder.name, scenario.shock.levels) == ("lv_rural", (0.5, 1.0, 1.5))
    assert scenario.income_groups["high"].share == 0.4
    assert scenario.reference.value_of_lost_load_usd_per_kwh == 7


def test_a_mapping_of_overrides_does_the_same_as_their_texts() -> None:
    texts = ["memory=0", "tariff.recovery=fixed", "tariff.export.pass_through=0.5"]
    values = {"memory": 0, "tariff.recovery": "fixed", "tariff.export.pass_through": 0.5}
    assert load_scenario("oahu", overrides=texts) == load_scenario("oahu", overrides=values)


@pytest.mark.parametrize("way", ["argument", "override"])
def test_tariff_overrides_act_on_the_tariff_in_force_and_on_no_other(way: str) -> None:
    overrides = ["tariff.pass_through=0.5", "tariff.export.rule=net_metering"]
    if way == "argument":
        scenario = load_scenario("oahu", overrides=overrides, tariff="tou")
    else:
        scenario = load_scenario("oahu", overrides=[*overrides, "default_tariff=tou"])
    assert scenario.selected_tariff == "tou"
    assert (scenario.tariffs["tou"].pass_through, scenario.tariffs["tou"].export.rule) == (0.5, "net_metering")
    base = load_scenario("oahu")
    for name in base.tariffs.keys() - {"tou"}:
        assert scenario.tariffs[name] == base.tariffs[name]


def test_loading_leaves_the_scenario_it_started_from_alone() -> None:
    base = load_scenario("textbook")
    before = base.model_dump_json()
    changed = load_scenario(base, overrides=["tariff.recovery=fixed", "income_groups.low.pv_kw=9"], tariff="tou")
    assert changed.tariffs["tou"].recovery == "fixed"
    assert base.model_dump_json() == before
    assert load_scenario("textbook") == base


@pytest.mark.parametrize(
    "key",
    [
        "temperature_usd",
        "discount_per_day",
        "memory",
        "tariff.recovery",
        "tariff.export.rule",
        "tariff.pass_through",
        "tariff.export.pass_through",
        "pv_scale",
        "pv_share_scale",
        "battery_share_scale",
        "elasticity",
        "battery_levels",
    ],
)
@pytest.mark.parametrize("name", presets())
def test_the_guaranteed_keys_can_be_set_in_every_preset(name: str, key: str) -> None:
    value = {"tariff.recovery": "fixed", "tariff.export.rule": "none", "battery_levels": 31, "memory": 2}.get(key, 0.75)
    scenario = load_scenario(name, overrides=[f"{key}={value}"])
    place: object = scenario.tariffs[scenario.selected_tariff] if key.startswith("tariff.") else scenario
    for part in key.removeprefix("tariff.").split("."):
        place = getattr(place, part)
    assert place == value


def test_a_tariff_file_becomes_the_tariff_in_force(write: Write) -> None:
    text = (
        'title = "Mine"\nrecovery = "posted"\nperiods = {night = ["21-9"], day = ["9-21"]}\n'
        "energy_usd_per_kwh = {night = 0.1, day = 0.2}\nfixed_charge_usd_per_day = {low = 0, middle = 1, high = 2}\n"
        '[export]\nrule = "none"\n'
    )
    path = write(text, "mine.toml")
    assert load_tariff(path).title == "Mine"
    for tariff in (path, str(path)):
        scenario = load_scenario("oahu", tariff=tariff, overrides=["tariff.pass_through=0.25"])
        assert scenario.selected_tariff == "mine"
        built = build_tariff(scenario)
        assert built.energy_usd_per_kwh[2, [8, 9]].tolist() == [0.1, 0.2]
        assert built.fixed_charge_usd_per_day.tolist() == [0, 1, 2]
        assert (built.pass_through, built.export_rule, built.name) == (0.25, "none", "mine")


# --- periods and lists ---------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 1439), min_size=1, max_size=6, unique=True), st.data())
def test_periods_that_share_out_a_day_are_found_at_every_minute(cuts: list[int], data: st.DataObject) -> None:
    cuts = sorted(cuts)
    spans, owner = {}, {}
    for start, end in zip(cuts, [*cuts[1:], cuts[0]], strict=True):
        name = data.draw(st.sampled_from(["a", "b", "c"]))
        texts = [f"{start // 60}:{start % 60:02d}-{end // 60}:{end % 60:02d}"] if start != end else ["0-24"]
        spans.setdefault(name, []).extend(texts)
        owner[start] = name
    minutes = period_of_minute(spans)
    for minute in range(1440):
        start = max((cut for cut in cuts if cut <= minute), default=cuts[-1])
        assert minutes[minute] == owner[start]


@given(st.sampled_from([24, 48, 96]), st.lists(st.floats(-9, 9), min_size=24, max_size=24))
def test_an_hourly_list_holds_inside_its_hours(slots: int, values: list[float]) -> None:
    spread = slot_values(values, slots, "list")
    assert spread.shape == (slots,)
    assert spread.reshape(24, -1).max(axis=1).tolist() == values
    assert spread.reshape(24, -1).min(axis=1).tolist() == values


def test_a_list_may_have_one_entry_for_each_slot() -> None:
    assert slot_values(list(range(96)), 96, "list").tolist() == list(range(96))


def test_the_forms_of_a_rate_agree() -> None:
    frame = {
        "key": "energy",
        "periods": {"on": ["16-21"], "off": ["21-16"]},
        "day_types": ("sun", "rain"),
        "seasons": ("dry", "wet"),
        "slots": 24,
    }
    by_period = {"on": 0.5, "off": 0.2}
    listed = [0.2] * 16 + [0.5] * 5 + [0.2] * 3
    table = rate_table(by_period, **frame)  # type: ignore[arg-type]
    for same in (
        listed,
        {"sun": listed, "rain": by_period},
        {"dry": by_period, "wet": listed},
        {"sun": listed, "wet": by_period},
    ):
        assert (rate_table(same, **frame) == table).all()  # type: ignore[arg-type]
    assert table.shape == (2, 24)
    assert (rate_table(0.3, **frame) == np.full((2, 24), 0.3)).all()  # type: ignore[arg-type]


# --- one entry of what may be a table ------------------------------------------------------------------------------

ENTRIES = {
    "tariff.access_charge.usd_per_household_day.pv=0.1": "tariff.access_charge.usd_per_household_day={pv=0.1}",
    "tariff.fixed_charge_usd_per_day.low=0.1": "tariff.fixed_charge_usd_per_day={low=0.1,middle=0.0,high=0.0}",
    "tariff.fixed_charge_shape.low=0.5": "tariff.fixed_charge_shape={low=0.5,middle=1,high=1}",
    "tariff.discount.low=0.2": "tariff.discount={low=0.2,middle=0,high=0}",
    "tariff.energy_usd_per_kwh.cloudy=0.4": "tariff.energy_usd_per_kwh={clear=0.35,partly=0.35,cloudy=0.4}",
    "tariff.export.usd_per_kwh.clear=0.05": "tariff.export.usd_per_kwh={clear=0.05,partly=0.1,cloudy=0.1}",
    "tariffs.rtp.discount.low=0.2": "tariffs.rtp.discount={low=0.2,middle=0,high=0}",
    "tariffs.flat.fixed_charge_usd_per_day.low=0.1": "tariff.fixed_charge_usd_per_day={low=0.1,middle=0,high=0}",
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_dotted_key_sets_one_entry_of_a_value_for_all_and_the_others_keep_it(entry: str) -> None:
    plain = ["tariff.energy_usd_per_kwh=0.35", "tariff.export.usd_per_kwh=0.1"]
    plain += [f"tariff.{key}=0" for key in ("fixed_charge_usd_per_day", "discount")]
    one, whole = (load_scenario("oahu", tariff="flat", overrides=[*plain, text]) for text in (entry, ENTRIES[entry]))
    assert one == whole


def test_entries_are_set_one_after_the_other() -> None:
    keys = [f"tariff.access_charge.usd_per_household_day.{name}" for name in ("pv", "pv_battery")]
    for first in ("", "=0.3", "={none=0.3}"):
        given = [f"tariff.access_charge.usd_per_household_day{first}"] * bool(first)
        found = load_scenario("oahu", overrides=[*given, f"{keys[0]}=0.1", f"{keys[1]}=0.2"])
        charge = found.tariffs[found.selected_tariff].access_charge.usd_per_household_day
        assert isinstance(charge, dict)
        assert (charge["pv"], charge["pv_battery"], charge.get("none", 0.0)) == (0.1, 0.2, 0.3 * bool(first))


def test_an_entry_by_period_needs_one_value_a_period_and_reaches_into_a_day_type() -> None:
    spans = 'tariff.periods={day=["8-20"],night=["20-8"]}'
    found = load_scenario(
        "oahu", tariff="flat", overrides=[spans, "tariff.energy_usd_per_kwh=0.3", "tariff.energy_usd_per_kwh.day=0.4"]
    )
    assert found.tariffs["flat"].energy_usd_per_kwh == {"day": 0.4, "night": 0.3}
    inside = ["tariff.energy_usd_per_kwh.cloudy=0.3", "tariff.energy_usd_per_kwh.cloudy.day=0.4"]
    found = load_scenario("oahu", tariff="flat", overrides=[spans, "tariff.energy_usd_per_kwh=0.2", *inside])
    assert found.tariffs["flat"].energy_usd_per_kwh == {
        "clear": 0.2,
        "partly": 0.2,
        "cloudy": {"day": 0.4, "night": 0.3},
    }


def test_only_scenario_files_extend(write: Write) -> None:
    own = 'extends = "flat"\nrecovery = "fixed"\nenergy_usd_per_kwh = 0.2\n'
    told = "only a scenario file extends another, at its top; write this table out whole"
    with pytest.raises(ScenarioError, match=rf"mine.toml: key 'extends': {told}$"):
        load_tariff(write(own))
    assert error_of(write(f'extends = "oahu"\n[tariffs.mine]\n{own}')) == f"key 'tariffs.mine.extends': {told}"


def test_a_name_with_a_line_break_makes_one_line_all_the_same() -> None:
    for arguments in ({"source": "a\nb"}, {"source": "oahu", "tariff": "a\u2028b"}, {"source": "a\x07b.toml"}):
        with pytest.raises(ScenarioError) as caught:
            load_scenario(**arguments)  # type: ignore[arg-type]
        assert str(caught.value).isprintable()


# --- what is wrong, in one line ------------------------------------------------------------------------------------

WRONG = {
    "temperatur_usd=1": "unknown key 'temperatur_usd'; did you mean 'temperature_usd'?",
    "battery.capacity_mwh=1": "unknown key 'battery.capacity_mwh'; did you mean 'battery.capacity_kwh'?",
    "income_groups.lo.share=1": "unknown key 'income_groups.lo.share'; did you mean 'income_groups.low.share'?",
    "tariff.recoverry=fixed": "unknown key 'tariff.recoverry'; did you mean 'tariff.recovery'?",
    "tariff.export.rul=none": "unknown key 'tariff.export.rul'; did you mean 'tariff.export.rule'?",
    "tarif.recovery=fixed": "unknown key 'tarif.recovery'; did you mean 'tariff.recovery'?",
    "tariff.fixed_charge_usd_per_day.poor=1": (
        "unknown key 'tariff.fixed_charge_usd_per_day.poor'; did you mean 'tariff.fixed_charge_usd_per_day.low'?"
    ),
    "tariff.access_charge.usd_per_household_day.pvv=1": (
        "unknown key 'tariff.access_charge.usd_per_household_day.pvv';"
        " did you mean 'tariff.access_charge.usd_per_household_day.pv'?"
    ),
    "tariff.pass_through.low=1": (
        "key 'tariff.pass_through.low' goes into tariff.pass_through, which is not a table; drop .low"
    ),
    "memory.x=1": "key 'memory.x' goes into memory, which is not a table; drop .x",
    "tariff=flat": "key 'tariff' is a table; name one of its keys, e.g. tariff.recovery",
    "default_tariff=flt": "unknown tariff 'flt'; did you mean 'flat'? (or give the path of a TOML file)",
    "memory": "override 'memory' is not of the form key=value, e.g. memory=1",
    "memory=": "override 'memory=' is not of the form key=value, e.g. memory=1",
    "=1": "override '=1' is not of the form key=value, e.g. memory=1",
    "memory=[1": "override 'memory=[1' has no TOML value; give a number, a word or a list",
    "memory=1\npv_scale=2": (
        "override 'memory=1\\npv_scale=2' holds more than one value; give one override for each key"
    ),
    "memory=3": "memory is 3; give 0, 1 or 2",
    "memory=two": "memory is 'two'; give 0, 1 or 2",
    "memory=1.0": "memory is 1.0; give a whole number",
    "memory=true": "memory is True; give a whole number",
    "slots_per_day=25": "slots_per_day is 25; give 24, 48 or 96",
    "value_rule=softmax": "value_rule is 'softmax'; give entropy or boltzmann",
    "temperature_usd=-1": "temperature_usd is -1; give 0, or a number from 1e-06 to 100000 USD",
    "temperature_usd=nan": "temperature_usd is nan; give a finite number",
    "temperature_usd=-inf": "temperature_usd is -inf; give a finite number",
    "temperature_usd='0.1'": "temperature_usd is '0.1'; give a number",
    "temperature_usd=true": "temperature_usd is True; give a number",
    "discount_per_day=0": "discount_per_day is 0; give a number from 0.01 to 1",
    "elasticity=-0.1": "elasticity is -0.1; give 0, or a number from 1e-06 to 100",
    "flexibility=1.5": "flexibility is 1.5; give a number from 0 to 1",
    "battery_levels=1": "battery_levels is 1; give a whole number from 2 to 1001",
    "battery_levels=3.5": "battery_levels is 3.5; give a whole number",
    "battery_levels=2": (
        "battery_levels is 2: a level is 13.5 kWh, more than the battery can charge in a slot (4.74 kWh); "
        "give 4 or more"
    ),
    "battery.capacity_kwh=-1": "battery.capacity_kwh is -1; give a number from 0.001 to 1000000 kWh",
    "battery.power_limit_kw=0": "battery.power_limit_kw is 0; give a number from 0.001 to 1000000 kW",
    "battery.round_trip_efficiency=1.1": ("battery.round_trip_efficiency is 1.1; give a number from 0.01 to 1"),
    "one_day=1": "one_day is 1; give a table",
    "one_day.charg=full": "unknown key 'one_day.charg'; did you mean 'one_day.charge'?",
    "one_day.charge=half": "one_day.charge: unknown charge 'half'; give one of uniform, empty, full",
    "one_day.charge=3": "one_day.charge is 3; give uniform, empty or full, or a probability a level",
    "one_day.salvage_usd_per_kwh=-1": "one_day.salvage_usd_per_kwh is -1; give a number from 0 to 100000 USD/kWh",
    "one_day.charge=[0.5, 0.5]": (
        "one_day.charge is [0.5, 0.5]; give 27 probabilities that sum to 1, one a battery level,"
        " or uniform, empty or full"
    ),
    "one_day.charge=[]": (
        "one_day.charge is []; give 27 probabilities that sum to 1, one a battery level, or uniform, empty or full"
    ),
    "name=a/b": "name is 'a/b'; give a short name of letters, digits, dots, dashes and underlines",
    "title=3": "title is 3; give a text in quotes",
    "day_types=3": "day_types is 3; give a table",
    "tariffs.flat=1": "tariffs.flat is 1; give a table",
    "income_groups.low.share=0.4": "income_groups shares sum to 1.1; give shares that sum to 1",
    "income_groups.low.pv_share=1.2": "income_groups.low.pv_share is 1.2; give 0, or a number from 1e-09 to 1",
    "day_type_kernel=[[1]]": "day_type_kernel is 1 x 1 numbers; give 3 x 3, a row for each of clear, partly, cloudy",
    "day_type_kernel=[[1,0],[1],[1,0,0]]": (
        "day_type_kernel is 3 x 1 or 2 or 3 numbers; give 3 x 3, a row for each of clear, partly, cloudy"
    ),
    "day_type_kernel=[[0.5,0.5,0.1],[1,0,0],[1,0,0]]": (
        "day_type_kernel row clear sums to 1.1; give probabilities that sum to 1"
    ),
    "day_type_kernel=[[1,0,0],[2,-1,0],[1,0,0]]": (
        "day_type_kernel row partly holds 2; give probabilities between 0 and 1"
    ),
    "day_type_kernel=[[1,0,nan],[1,0,0],[1,0,0]]": "day_type_kernel.0.2 is nan; give a finite number",
    "day_type_kernel=[[1,0,0],[0,1,0],[0,0,1]]": (
        "day_type_kernel falls apart into groups of states that never meet; give a kernel in which one of "
        "them can be reached from everywhere"
    ),
    "shock.kernel=[[0.5,0.25,0.2],[0.25,0.5,0.25],[0.25,0.25,0.5]]": (
        "shock.kernel row 0.8 sums to 0.95; give probabilities that sum to 1"
    ),
    "shock.levels=[0.8,1.0,1.3]": "shock.levels have mean 1.03333 under their stationary law; give levels with mean 1",
    "shock.levels=[-1.0,1.0,3.0]": "shock.levels: entry 0 is -1; give 0, or a number from 1e-06 to 1000",
    "shock.levels=[1.0]": "shock.kernel is 3 x 3 numbers; give 1 x 1, a row for each of 1",
    "supply.coefficients=[1,-1]": (
        "supply curve falls with load near -0.111 kW; give a curve that never falls (clamp_below_kw holds the"
        " price constant below a load)"
    ),
    "supply.floor_usd_per_kwh=0.1": "supply: clamp_below_kw and floor_usd_per_kwh are both given; give one of them",
    "supply.kind=cubic": "supply.kind is 'cubic'; give polynomial or piecewise",
    "supply.kind=piecewise": "key 'supply.net_load_kw' is missing; kind 'piecewise' needs it",
    "supply.net_load_kw=[1,2]": (
        "key 'supply.net_load_kw' does not go with kind 'polynomial'; drop it or change the kind"
    ),
    "supply.emissions_t_per_mwh=[1,2]": (
        "supply: emissions_t_per_mwh has 2 numbers; give one, a polynomial has one segment"
    ),
    "supply.emissions_t_per_mwh=-1": "supply.emissions_t_per_mwh is -1; give a number from 0 to 1000 t/MWh",
    "carbon.usd_per_t=-1": "carbon.usd_per_t is -1; give a number from 0 to 1000000 USD/t",
    "feeder.name=lv_rurl": "feeder.name is 'lv_rurl'; give baran_wu_33, textbook_line_5, lv_rural, lv_semiurban or"
    " lv_four_wire",
    "load.shape=[1,2,3]": "load.shape has 3 entries; give 24, or one number",
    "load.shape=0": "load.shape is zero all day; give at least one positive number",
    "load.shape='flat'": "load.shape is 'flat'; give a number",
    "pv.shape_kw_per_kw=[1,2,nan]": "pv.shape_kw_per_kw: entry 2 is nan; give a finite number",
    "pv.shape_kw_per_kw=-1": "pv.shape_kw_per_kw is -1; give 0, or a number from 1e-06 to 1000",
    "day_types.clear.pv_factor=-1": "day_types.clear.pv_factor is -1; give 0, or a number from 1e-06 to 1000",
    "day_types.clear.rest_load_kw=[1,2]": "day_types.clear.rest_load_kw has 2 entries; give 24, or one number",
    "tariff.recovery=volumetrc": "tariffs.filed.recovery is 'volumetrc'; give volumetric, fixed or posted",
    "tariff.pass_through=1.5": "tariffs.filed.pass_through is 1.5; give a number from 0 to 1",
    "tariff.adder_cap_usd_per_kwh=0": (
        "tariffs.filed.adder_cap_usd_per_kwh is 0; give a number from 1e-06 to 100000 USD/kWh"
    ),
    "tariff.energy_usd_per_kwh=[1,2]": "tariffs.filed.energy_usd_per_kwh has 2 entries; give 24, or one number",
    "tariff.energy_usd_per_kwh=cheap": "tariffs.filed.energy_usd_per_kwh is 'cheap'; give a number",
    "tariff.energy_usd_per_kwh=[1,inf]": "tariffs.filed.energy_usd_per_kwh: entry 1 is inf; give a finite number",
    "tariff.energy_usd_per_kwh={}": (
        "tariffs.filed.energy_usd_per_kwh is an empty table; give a number, a list, or a table by period, day"
        " type or season"
    ),
    "tariff.energy_usd_per_kwh={peak=1}": (
        "tariffs.filed.energy_usd_per_kwh gives no rate for period day; give one for every period"
    ),
    "tariff.energy_usd_per_kwh={peak=1,day=2,overnite=3}": (
        "tariffs.filed.energy_usd_per_kwh: unknown name 'overnite'; did you mean 'overnight'?"
    ),
    "tariff.energy_usd_per_kwh={peak=[1],day=2,overnight=3}": (
        "tariffs.filed.energy_usd_per_kwh.peak is [1.0]; give one number for a period"
    ),
    "tariff.energy_usd_per_kwh={clear=1,cloudy=2}": (
        "tariffs.filed.energy_usd_per_kwh gives no rate for day type partly; give one for every day type"
    ),
    "tariff.energy_usd_per_kwh={clear=1,peak=2}": (
        "tariffs.filed.energy_usd_per_kwh mixes the day type, season or class clear with the period peak; give a "
        "table by day type, season or class, and in it one by period"
    ),
    "tariff.energy_usd_per_kwh={clear={peak=nan}}": (
        "tariffs.filed.energy_usd_per_kwh: clear: peak is nan; give a finite number"
    ),
    "tariff.periods={day=['9-17'], peak=['16-21'], overnight=['21-9']}": (
        "tariffs.filed: periods day and peak overlap at 16:00; give each hour to one period"
    ),
    "tariff.periods={day=['9-17'], peak=['17-20'], overnight=['21-9']}": (
        "tariffs.filed: periods leave a gap at 20:00; cover the day from 0 to 24 hours"
    ),
    "tariff.periods={day=['9-17'], peak=['17-25'], overnight=['21-9']}": (
        'tariffs.filed: periods.peak holds \'17-25\'; give hours as "17-21" or "9:30-17"'
    ),
    "tariff.periods={day=['9-17'], peak=['17-17'], overnight=['21-9']}": (
        "tariffs.filed: periods.peak holds '17-17', an empty span; give \"0-24\" for the whole day"
    ),
    "tariff.periods={day=['9:30-17'], peak=['17-21'], overnight=['21-9:30']}": (
        "tariffs.filed: periods change at 9:30, inside a slot of 60 minutes; move the boundary or raise slots_per_day"
    ),
    "tariff.periods={clear=['0-24']}": (
        "tariffs.filed.periods.clear has the name of a day type, season or class; rename it"
    ),
    "tariff.periods.peak='17-21'": "tariffs.filed.periods.peak is '17-21'; give a list",
    "tariff.discount={low=0.3}": (
        "tariffs.filed.discount gives nothing for income group middle; give a number for every group"
    ),
    "tariff.discount={lo=0.5,middle=0,high=0}": (
        "tariffs.filed.discount: unknown income group 'lo'; did you mean 'low'?"
    ),
    "tariff.discount=1": "tariffs.filed.discount is 1; give a number from 0 to 0.999999",
    "tariff.fixed_charge_shape=0": (
        "tariffs.filed.fixed_charge_shape is [0.0, 0.0, 0.0]; give at least one positive number"
    ),
    "tariff.fixed_charge_usd_per_day={low='x'}": "tariffs.filed.fixed_charge_usd_per_day: low is 'x'; give a number",
}


@pytest.mark.parametrize("override", WRONG)
def test_a_wrong_override_is_told_in_one_line(override: str) -> None:
    assert error_of("oahu", overrides=[override]) == WRONG[override]


@pytest.mark.parametrize("law", [[0.5, 0.5, 0.5, 0.0], [1.5, -0.5, 0.0, 0.0]])
def test_a_charge_that_is_no_law_is_told_in_one_line(law: list[float]) -> None:
    assert error_of("oahu", overrides=["battery_levels=4", f"one_day.charge={law}"]) == (
        f"one_day.charge is {law}; give 4 probabilities that sum to 1, one a battery level, or uniform, empty or full"
    )


def test_a_single_day_has_no_discount_to_another() -> None:
    text = error_of("oahu", overrides=["one_day.charge=full", "discount_per_day=0.9"])
    assert text == "discount_per_day is 0.9, but a game of one_day has no other day; give 1"


def test_a_single_day_may_stand_in_a_file_and_comes_back(write: Write) -> None:
    mine = load_scenario(
        write(
            'extends = "oahu"\nbattery_levels = 4\n[one_day]\ncharge = [0.1, 0.2, 0.3, 0.4]\nsalvage_usd_per_kwh = 0.2'
        )
    )
    assert mine.one_day is not None
    assert mine.one_day.charge == (0.1, 0.2, 0.3, 0.4)
    assert Scenario.model_validate_json(mine.model_dump_json()) == mine
    assert load_scenario(mine, overrides=["one_day.charge=empty"]).one_day.salvage_usd_per_kwh == 0.2
    assert load_scenario(write('extends = "oahu"\n[one_day]\n')).one_day.charge == "uniform"


@pytest.mark.parametrize(("slots", "fewest"), [(24, 4), (48, 7), (96, 13)])
def test_the_fewest_levels_are_those_at_which_a_battery_can_charge(slots: int, fewest: int) -> None:
    # 13.5 kWh in steps of at most 5 kW · √0.9 for a slot: 2.85, 5.69 and 11.4 steps
    def battery_moves(levels: int) -> list[int]:
        economy = build_economy(load_scenario("oahu", overrides=[f"slots_per_day={slots}", f"battery_levels={levels}"]))
        battery = next(household.battery for household in economy.types if household.battery)
        return moves(battery, economy.slot_hours).tolist()

    assert battery_moves(fewest)[-1] == 1
    text = error_of("oahu", overrides=[f"slots_per_day={slots}", f"battery_levels={fewest - 1}"])
    assert text.endswith(f"give {fewest} or more")


def test_more_than_one_mistake_is_counted_and_the_misspelling_told_first(write: Write) -> None:
    path = write('extends = "oahu"\nmemory = 7\n[battery]\ncapacity_kw = 3\nwear_usd_per_kwh = nan\n')
    assert error_of(path) == "unknown key 'battery.capacity_kw'; did you mean 'battery.capacity_kwh'? (and 2 more)"


def test_an_unknown_preset_is_answered_with_the_nearest() -> None:
    assert error_of("ohau") == "unknown preset 'ohau'; did you mean 'oahu'? (or give the path of a TOML file)"
    assert error_of("zzz").startswith("unknown preset 'zzz'; give one of textbook, oahu, california, stress")


def test_a_missing_file_is_told_from_a_misspelt_preset(tmp_path: Path) -> None:
    assert error_of("mine.toml") == "file not found; give the path of a TOML file"
    assert error_of(tmp_path / "oahu") == "file not found; give the path of a TOML file"
    assert error_of(tmp_path) == "is a directory, not a file; give the path of a TOML file"


def test_a_slip_in_the_toml_is_told_with_its_line(write: Write) -> None:
    assert error_of(write('extends = "oahu"\nmemory = = 2')) == "not valid TOML: Invalid value (at line 2, column 10)"
    assert "at the end of the document, line 2" in error_of(write('extends = "oahu"\nmemory = [1,'))


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "latin.toml"
    path.write_bytes("title = 'Oʻahu é'".encode() + b"\xff")
    assert error_of(path).startswith("not UTF-8 text at byte ")


def test_an_incomplete_scenario_names_what_is_missing(write: Write) -> None:
    assert error_of(write("memory = 1")).startswith("key 'reference_price_usd_per_kwh' is missing; add it (and ")


def test_files_that_extend_each_other_in_a_circle_are_refused(write: Write) -> None:
    write('extends = "b.toml"', "a.toml")
    write('extends = "a.toml"', "b.toml")
    start = write('extends = "a.toml"', "c.toml")
    assert error_of(start) == "extends runs in a circle, c -> a -> b -> a; end the chain at a preset"
    assert error_of(write('extends = "d.toml"', "d.toml")).startswith("extends runs in a circle, d -> d;")


def test_a_parent_that_is_not_there_is_named(write: Write) -> None:
    path = write('extends = "gone.toml"')
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert str(caught.value) == f"scenario {path} (extends gone.toml): file not found; give the path of a TOML file"
    assert error_of(write('extends = "ohau"')).startswith("unknown preset 'ohau'; did you mean 'oahu'?")
    assert error_of(write("extends = 3")).startswith("extends is 3; give the name of a preset")


def test_a_key_misspelt_as_extends_is_recognised(write: Write) -> None:
    assert error_of(write('extend = "oahu"')).startswith("unknown key 'extend'; did you mean 'extends'?")


def test_wrong_tariffs_are_told_by_name_or_by_file(write: Write) -> None:
    assert error_of("oahu", tariff="rpt").startswith("unknown tariff 'rpt'; did you mean 'rtp'?")
    assert error_of("oahu", tariff="gone.toml") == "file not found; give the path of a TOML file"
    both = error_of("oahu", tariff="flat", overrides=["default_tariff=tou"])
    assert both == "tariff flat and default_tariff are both given; give one of them"
    wrong_key = write('recovery = "fixed"\nenergy = 1', "mine.toml")
    with pytest.raises(ScenarioError) as caught:
        load_tariff(wrong_key)
    assert (
        str(caught.value)
        == f"tariff {wrong_key}: unknown key 'energy'; did you mean 'energy_usd_per_kwh'? (and 1 more)"
    )
    misfit = write('recovery = "fixed"\nenergy_usd_per_kwh = {dry = 0.1}', "mine.toml")
    assert error_of("oahu", tariff=misfit).startswith(
        "tariffs.mine.energy_usd_per_kwh: unknown name 'dry'; give one of"
    )


def test_a_scenario_error_is_a_value_error() -> None:
    assert issubclass(ScenarioError, ValueError)


@given(st.text(min_size=1, max_size=20), st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=20))
def test_the_answer_to_an_unknown_name_always_holds_a_valid_one(name: str, valid: list[str]) -> None:
    answer = unknown("key", name, valid)
    assert any(repr(candidate) in answer or candidate in answer.partition("; ")[2] for candidate in valid)


def test_a_name_that_is_off_by_one_letter_finds_its_way_back() -> None:
    names = list(Scenario.model_fields)
    for name in names:
        assert f"did you mean {name!r}?" in unknown("key", name[:-1] + "x", names)
