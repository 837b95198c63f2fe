"""Every metric that is undefined is explained in a sentence."""

from dataclasses import replace

import pytest
from scenarios import solved

from meanwatt.analysis.metrics.metrics import Metrics
from meanwatt.analysis.metrics.undefined import undefined_messages
from meanwatt.analysis.output.solution_json import equilibrium_metrics, solution_json

NULLS = {
    "metrics.gini and metrics.suits are null: the mean bill is 0 or less, of which nobody has a share.": {
        "gini": None,
        "suits": None,
    },
    "metrics.imv_log is null: a wholesale price is 0 or less, which has no logarithm.": {"imv_log": None},
    "metrics.peak_to_average and metrics.load_factor are null: the mean load is 0 or less.": {
        "peak_to_average": None,
        "load_factor": None,
    },
    "metrics.burden.low is null: nobody is in this income group.": {"burden": {"low": None, "high": 0.1}},
    "metrics.burden.low and metrics.burden.high are null: nobody is in these income groups.": {
        "burden": {"low": None, "high": None}
    },
}


@pytest.fixture(scope="module")
def whole() -> Metrics:
    """Every metric of a tariff, none undefined."""
    return equilibrium_metrics(solved("textbook", "flat"))


@pytest.mark.parametrize("sentence", NULLS)
def test_an_undefined_metric_is_explained(whole: Metrics, sentence: str) -> None:
    assert list(undefined_messages(replace(whole, **NULLS[sentence]))) == [sentence]


def test_defined_metrics_are_not_talked_about(whole: Metrics) -> None:
    assert list(undefined_messages(whole)) == []


def test_a_posted_tariff_that_pays_everybody_says_why_the_shares_of_bills_are_null() -> None:
    gift = ("tariff.recovery=posted", "tariff.energy_usd_per_kwh=-0.1", "tariff.fixed_charge_usd_per_day=0")
    said = solution_json(
        solved("textbook", "flat", *gift),
        exploitability=None,
        first_best=None,
        first_best_message="",
        messages=(),
        seconds=0.0,
        given={},
    )
    assert (said["lorenz"], said["metrics"]["gini"], said["metrics"]["suits"]) == (None, None, None)
    assert any(
        text.startswith("metrics.gini, metrics.suits and lorenz are null: the mean") for text in said["messages"]
    )
