"""Variants as people write them: shares, keys of the world alone, and faults in one line."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meanwatt.model.scenario.files import parse_toml
from meanwatt.model.scenario.loading import load_scenario
from meanwatt.model.scenario.variants_file import VariantsError, load_variants, variants_of_table

TWO = """
measure = "cvar"
alpha = 0.25
[[variants]]
name = "as it is"
weight = 3
[[variants]]
name = "sunny"
set = { pv_scale = 2.0, supply.emissions_t_per_mwh = 0.4 }
"""


def test_weights_count_as_shares_and_overrides_as_keys_of_the_scenario() -> None:
    file = variants_of_table(parse_toml(TWO))
    assert (file.measure, file.alpha, file.total_weight) == ("cvar", 0.25, 4.0)
    assert [one.weight for one in file.variants] == [0.75, 0.25]
    assert file.variants[1].overrides == {"pv_scale": 2.0, "supply.emissions_t_per_mwh": 0.4}
    scenario = load_scenario("textbook", tariff="tou")
    as_it_is, sunny = file.scenarios(scenario)
    assert as_it_is == scenario
    assert (sunny.pv_scale, sunny.supply.emissions_t_per_mwh, sunny.selected_tariff) == (2.0, 0.4, "tou")


def test_the_worst_case_is_what_is_measured_unless_another_is_named() -> None:
    file = variants_of_table({"variants": [{}, {"name": "b"}]})
    assert (file.measure, file.alpha) == ("worst", 1.0)
    assert [one.name for one in file.variants] == ["variant 1", "b"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("measure", "mesure", "unknown key 'mesure'; did you mean 'measure'?"),
        ('"cvar"', '"mean"', "measure is 'mean'; give 'worst' or 'cvar'"),
        ("alpha = 0.25\n", "", "alpha is missing, which measure 'cvar' needs; give a number from 0 (mean) to 1"),
        ('"cvar"', '"worst"', "alpha goes with measure 'cvar'; leave it out, or give measure = \"cvar\""),
        ("0.25", "1.5", "alpha is 1.5; give a number from 0 (the mean) to 1 (the worst case)"),
        ("0.25", "nan", "alpha is nan; give a finite number"),
        ("0.25", "true", "alpha is True; give a number"),
        ("weight = 3", "weight = 0", "variant 1: weight is 0; give a number from 1e-09 to 1000000000, or leave"),
        ("weight = 3", "wait = 3", "variant 1: unknown key 'wait'; did you mean 'weight'?"),
        ('"sunny"', '"as it is"', "variant 2: name 'as it is' comes twice; give every variant its own"),
        ('"sunny"', '" "', "variant 2: name is ' '; give a word or a few"),
        ("pv_scale", "rate_classes_in_force", "variant 2: key 'rate_classes_in_force' is the tariff's, which is the"),
        ("pv_scale", "tariff.recovery", "variant 2: key 'tariff' is the tariff's, which is the same in all variants;"),
        ("set = {", "set = 3 # {", "variant 2: set is 3; give a table"),
        ("[[variants]]", "[variants]", "not valid TOML: "),
    ],
)
def test_a_fault_is_one_line(old: str, new: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "v.toml"
    path.write_text(TWO.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(VariantsError) as refused:
        load_variants(path)
    assert str(refused.value).startswith(f"variants {path}: {message}")
    assert "\n" not in str(refused.value)


def test_no_variants_are_refused_and_too_many() -> None:
    for table, message in (
        ({}, r"there is no variant; give some"),
        ({"variants": []}, r"there are 0 variants; give from 1 to 50"),
        ({"variants": [{"name": str(k)} for k in range(51)]}, r"there are 51 variants; give from 1 to 50"),
        ({"variants": {"a": 1}}, r"variants is \{'a': 1\}; give a list of tables"),
    ):
        with pytest.raises(VariantsError, match=message):
            variants_of_table(table)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"pv_scal": 2.0}, "variant odd: unknown key 'pv_scal'; did you mean 'pv_scale'?"),
        ({"pv_scale": -1.0}, "variant odd: pv_scale is -1; give 0, or a number from 1e-06 to 1000"),
        ({"slots_per_day": 48}, "variant odd: "),
        ({"supply": {"coefficients": "dear"}}, "variant odd: "),
    ],
)
def test_a_variant_that_the_scenario_cannot_be_is_one_line(overrides: dict, message: str) -> None:
    file = variants_of_table({"variants": [{"name": "odd", "set": overrides}]}, "variants v.toml")
    with pytest.raises(VariantsError) as refused:
        file.scenarios(load_scenario("textbook"))
    assert str(refused.value).startswith(f"variants v.toml: {message}")
    assert "\n" not in str(refused.value)


def test_one_tariff_needs_the_same_slots() -> None:
    halves = {"slots_per_day": 48, "load.shape": [1.0] * 48, "pv.shape_kw_per_kw": [0.0] * 48}
    file = variants_of_table({"variants": [{"name": "odd", "set": halves}]}, "variants v.toml")
    with pytest.raises(
        VariantsError, match=r"^variants v.toml: variant odd: slots_per_day is 48, and the scenario's 24"
    ):
        file.scenarios(load_scenario("textbook"))


def test_one_tariff_needs_branches_of_the_same_names() -> None:
    table = {"variants": [{"set": {"feeder": {"branches": {"far": "1-08"}}}}]}
    said = r"^variants v.toml: variant 1: the feeder's branches are \['rest', 'far'\], and the scenario's \[\]; one"
    with pytest.raises(VariantsError, match=said):  # and a variant without a name is not called "variant variant 1"
        variants_of_table(table, "variants v.toml").scenarios(load_scenario("textbook"))


SIMPLE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40)
@given(
    st.dictionaries(st.sampled_from(["measure", "alpha", "variants", "x"]), SIMPLE, max_size=4)
    | st.fixed_dictionaries(
        {"variants": st.lists(st.dictionaries(st.sampled_from(["name", "weight", "set"]), SIMPLE), max_size=3)}
    )
)
def test_whatever_comes_it_is_read_or_refused_in_one_line(table: dict) -> None:
    scenario = load_scenario("textbook")
    said = ""
    try:
        variants_of_table(table).scenarios(scenario)
    except VariantsError as refused:
        said = str(refused)
    assert "\n" not in said
