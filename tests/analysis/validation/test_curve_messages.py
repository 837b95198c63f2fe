"""A validation says in which of its markets inverters go by their curves."""

from meanwatt.analysis.validation.messages import curve_messages
from meanwatt.model.scenario.loading import load_scenario


def test_a_study_says_where_curves_are_in_force_and_nothing_without_them() -> None:
    plain = load_scenario("textbook").feeder
    curved = load_scenario("textbook", overrides={"feeder.volt_watt.enabled": True}).feeder
    assert curve_messages(plain, ["grid", "load"]) == ()
    (said,) = curve_messages(curved, ["grid", "load"])
    assert said == (
        "feeder.volt_watt, volt_var: in force in the markets whose feeder the check grid solves; those of another"
        " memory, the leader's and the mean field run without."
    )
    (said,) = curve_messages(curved, ["load"])
    assert said == "feeder.volt_watt.enabled = true: not in force here, for this market runs without a power flow."
