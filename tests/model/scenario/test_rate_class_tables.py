"""``[rate_classes]`` of a scenario: who is in which class, what is refused, and what ``--tariff`` changes."""

from pathlib import Path

import pytest

from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.model.scenario.economy import build_economy, build_rate_classes, build_tariff
from meanwatt.model.scenario.identity import identifying_table
from meanwatt.model.scenario.loading import Scenario, ScenarioError, load_scenario, with_tariff
from meanwatt.model.scenario.messages import scenario_messages

SOLAR = {"solar": {"tariff": "rtp", "technologies": ["pv", "pv_battery"]}}
SAME_RULE = {"tariffs.rtp.recovery": "volumetric"}


def with_classes(classes: dict[str, object], **more: object) -> Scenario:
    return load_scenario("textbook", overrides={**SAME_RULE, "rate_classes": classes, **more})


def test_every_household_type_has_one_class_and_whom_none_names_has_the_default_tariff() -> None:
    scenario = with_classes(SOLAR)
    tariff = build_rate_classes(scenario)
    assert [(one.name, one.tariff.name) for one in tariff.classes] == [("default", "flat"), ("solar", "rtp")]
    assert tariff.recovery is Recovery.VOLUMETRIC
    assert tariff.name == "flat"
    of = {household.technology: tariff.of(household).name for household in build_economy(scenario).types}
    assert of == {"none": "flat", "pv": "rtp", "pv_battery": "rtp"}


def test_a_class_may_be_an_income_group_or_a_technology_within_one() -> None:
    scenario = with_classes(
        {
            "low_income": {"tariff": "tou", "income_groups": ["low"]},
            "rich_solar": {"tariff": "rtp", "technologies": ["pv", "pv_battery"], "income_groups": ["high"]},
        }
    )
    tariff = build_rate_classes(scenario)
    of = {household.name: tariff.of(household).name for household in build_economy(scenario).types}
    assert of["low/none"] == "tou"
    assert of["high/pv"] == of["high/pv_battery"] == "rtp"
    assert of["middle/pv"] == of["high/none"] == "flat"


def test_without_classes_there_is_one_tariff_and_studies_of_before_can_be_resumed() -> None:
    scenario = load_scenario("textbook")
    assert not scenario.has_rate_classes
    assert build_rate_classes(scenario).classes == ()
    assert not {"rate_classes", "rate_classes_in_force"} & set(identifying_table(scenario))
    assert "rate_classes" in identifying_table(with_classes(SOLAR))


REFUSED = {
    "two classes hold the same households": (
        {**SOLAR, "rich": {"tariff": "tou", "income_groups": ["high"]}},
        "rate_classes.rich and rate_classes.solar both hold technology pv of income group high; leave it out of one",
    ),
    "an unknown tariff": (
        {"solar": {"tariff": "rpt", "technologies": ["pv"]}},
        "rate_classes.solar.tariff: unknown tariff 'rpt'; did you mean 'rtp'?",
    ),
    "an unknown technology": (
        {"solar": {"tariff": "rtp", "technologies": ["pv_batery"]}},
        "rate_classes.solar: unknown technology 'pv_batery'; did you mean 'pv_battery'?",
    ),
    "an unknown income group": (
        {"solar": {"tariff": "rtp", "income_groups": ["middl"]}},
        "rate_classes.solar: unknown income group 'middl'; did you mean 'middle'?",
    ),
    "nobody is named": (
        {"solar": {"tariff": "rtp"}},
        "rate_classes.solar names nobody; give technologies or income_groups (whom no class names has default_tariff)",
    ),
    "no household is so": (
        {"cars": {"tariff": "rtp", "technologies": ["ev"]}},
        "rate_classes.cars is empty: no household of the scenario has such a technology and income group; leave it"
        " out, or name others",
    ),
    "nobody is left": (
        {"all": {"tariff": "rtp", "income_groups": ["low", "middle", "high"]}},
        "rate_classes leave nobody to default_tariff flat; leave out one of them, and make its tariff the"
        " default_tariff",
    ),
    "the default class is named": (
        {"default": {"tariff": "rtp", "technologies": ["pv"]}},
        "rate_classes.default: that is whom no other class names, and their tariff is default_tariff; give it another"
        " name",
    ),
    "a name that is no file's": (
        {"../solar": {"tariff": "rtp", "technologies": ["pv"]}},
        "rate_classes: name '../solar' would be part of keys and of files' names; give at most 60 letters, none of"
        ' / \\ . = : * ? " < > |',
    ),
    "two rules of recovery": (
        {"solar": {"tariff": "two_part", "technologies": ["pv"]}},
        "rate class default has tariff flat with recovery volumetric, solar has two_part with fixed, but one rule"
        " balances the utility; give both the same recovery, or posted to the one that keeps its rates",
    ),
    "an unknown key": (
        {"solar": {"tariff": "rtp", "technology": ["pv"]}},
        "unknown key 'rate_classes.solar.technology'; did you mean 'rate_classes.solar.technologies'?",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_partition_of_the_households_is_refused_in_one_line(case: str) -> None:
    classes, message = REFUSED[case]
    with pytest.raises(ScenarioError) as caught:
        with_classes(classes)
    assert str(caught.value) == f"scenario textbook: {message}"


def test_a_class_that_keeps_posted_rates_goes_with_any_rule() -> None:
    tariff = build_rate_classes(with_classes({"solar": {"tariff": "filed", "technologies": ["pv"]}}))
    assert tariff.recovery is Recovery.VOLUMETRIC
    assert [one.tariff.recovery.value for one in tariff.classes] == ["volumetric", "posted"]


def test_a_tariff_asked_for_by_name_is_everybodys_and_the_scenario_says_so() -> None:
    for scenario in (
        load_scenario(with_classes(SOLAR), tariff="tou"),
        load_scenario(with_classes(SOLAR), overrides={"default_tariff": "tou"}),
    ):
        assert build_rate_classes(scenario).classes == ()
        assert build_tariff(scenario).name == "tou"
        assert scenario_messages(scenario) == (
            "rate_classes_in_force = false: everybody has tariff tou, and solar of rate_classes set aside; --tariff"
            " CLASS=NAME changes one class alone.",
        )


def test_a_tariff_asked_for_by_class_is_that_classs_alone(tmp_path: Path) -> None:
    scenario = load_scenario(with_classes(SOLAR), tariff="solar=tou")
    assert [one.tariff.name for one in build_rate_classes(scenario).classes] == ["flat", "tou"]
    scenario = load_scenario(with_classes(SOLAR), tariff="default = tou")
    assert [one.tariff.name for one in build_rate_classes(scenario).classes] == ["tou", "rtp"]
    assert scenario_messages(scenario) == ()
    own = tmp_path / "own.toml"
    own.write_text('recovery = "volumetric"\nenergy_usd_per_kwh = 0.1\n')
    scenario = load_scenario(with_classes(SOLAR), tariff=f"solar={own}")
    assert [one.tariff.name for one in build_rate_classes(scenario).classes] == ["flat", "own"]


def test_a_tariff_for_a_class_that_there_is_not_is_refused_in_one_line() -> None:
    with pytest.raises(ScenarioError, match=r"unknown rate class 'sola'; did you mean 'solar'\?"):
        load_scenario(with_classes(SOLAR), tariff="sola=tou")
    with pytest.raises(ScenarioError, match=r"unknown tariff 'tuo'; did you mean 'tou'\? \(or give the path"):
        load_scenario(with_classes(SOLAR), tariff="solar=tuo")
    with pytest.raises(ScenarioError, match="tariff solar=tou names a rate class, and there is none; give tou"):
        load_scenario("textbook", tariff="solar=tou")


def test_who_knows_one_tariff_alone_refuses_classes_in_one_line() -> None:
    with pytest.raises(ScenarioError) as caught:
        build_tariff(with_classes(SOLAR))
    assert str(caught.value) == (
        "scenario textbook has rate_classes (solar), and here one tariff holds for all;"
        " put everybody on one tariff, e.g. --tariff flat"
    )
    assert build_tariff(with_classes(SOLAR), "tou").name == "tou"


def test_a_tariff_that_takes_the_place_of_one_holds_for_everybody() -> None:
    scenario = with_classes(SOLAR)
    drawn = with_tariff(scenario, "drawn", scenario.tariffs["tou"])
    assert not drawn.has_rate_classes
    assert build_tariff(drawn).name == "drawn"
    assert [text for text in scenario_messages(drawn) if "everybody has tariff drawn" in text]
    assert with_tariff(load_scenario("textbook"), "drawn", scenario.tariffs["tou"]).rate_classes_in_force
