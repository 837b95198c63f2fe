"""The curves under ``[feeder]``: what is refused, in which words; scenarios without them are what they were."""

import pytest

from meanwatt.model.scenario.identity import identifying_table
from meanwatt.model.scenario.loading import ScenarioError, load_scenario


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"feeder.volt_watt.v2_pu": 1.05},
            "feeder.volt_watt: v2_pu is 1.05 and v1_pu 1.06; give a v2_pu above v1_pu",
        ),
        ({"feeder.volt_watt.p1": 0.1}, "feeder.volt_watt: p2 is 0.2 and p1 0.1; give at most p1"),
        (
            {"feeder.volt_watt.p1": 0.5, "feeder.volt_watt.p2_storage": 0.6},
            "feeder.volt_watt: p2_storage is 0.6 and p1 0.5; give at most p1",
        ),
        (
            {"feeder.volt_var.v3_pu": 0.97},
            "feeder.volt_var: v1_pu to v4_pu are 0.92, 0.98, 0.97, 1.08; give v1_pu < v2_pu <= v3_pu < v4_pu",
        ),
        (
            {"feeder.volt_var.q4": 0.6},
            "feeder.volt_var: q4 is 0.6 and apparent_power_ratio 1.12, so that full output leaves no room for the"
            " reactive power; give an apparent_power_ratio of at least 1.25, or a smaller q4",
        ),
        ({"feeder.volt_watt.enabled": "yes"}, "feeder.volt_watt.enabled is 'yes'; give true or false"),
        ({"feeder.volt_watt.v3_pu": 1.2}, "feeder.volt_watt"),
        ({"feeder.volt_watt.reference": "nameplate"}, "feeder.volt_watt.reference"),
    ],
)
def test_curves_that_make_no_sense_are_refused_in_one_line(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario("textbook", overrides=changes)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_scenario_without_curves_is_identified_as_before_them_and_one_with_them_is_another() -> None:
    plain = identifying_table(load_scenario("textbook"))
    assert set(plain["feeder"]) == {"name", "limits"}
    curved = identifying_table(load_scenario("textbook", overrides={"feeder.volt_watt.enabled": True}))
    assert curved["feeder"]["volt_watt"]["enabled"] is True
