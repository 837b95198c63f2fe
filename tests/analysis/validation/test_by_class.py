"""The net load of every rate class among finitely many households."""

import json
from pathlib import Path

import numpy as np
import pytest
from rate_class_worlds import WORLDS
from scenarios import small_economy

from meanwatt.analysis.cli import main
from meanwatt.analysis.validation.by_class import class_loads
from meanwatt.analysis.validation.expected import expected_scatter_kw2
from meanwatt.analysis.validation.replication import Replication, replicate
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium

CLASSES = """
extends = "textbook"
battery_levels = 4
[tariffs.rtp]
recovery = "volumetric"
[rate_classes.solar]
tariff = "rtp"
technologies = ["pv", "pv_battery"]
"""


def solved() -> Equilibrium:
    economy = small_economy()
    return solve_equilibrium(economy, WORLDS["two shares of the price"](economy), certify=False)


def test_expected_scatter_of_all_is_that_of_the_classes_by_their_share_of_households() -> None:
    """Classes are independent given the common state: variances of their parts of the mean add up."""
    found = solved()
    blank = Replication(mean_square_kw2=1.0, scatter_kw2=1.0, wasserstein_soc_kwh=None, class_scatter_kw2=(1.0, 1.0))
    for size in (7, 40, 1000):
        loads = class_loads(found, (size,), [[blank, blank]], 0)
        assert sum(one.households[0] for one in loads) == size
        parts = sum((one.households[0] / size) ** 2 * one.expected_kw[0] ** 2 for one in loads)
        assert parts == pytest.approx(expected_scatter_kw2(found, size), rel=1e-12)


def test_the_scatter_of_classes_adds_up_to_that_of_the_market_on_average() -> None:
    """Cross terms are of mean zero; over 40 markets their mean is small beside the sum of squares."""
    found, size = solved(), 20
    runs = [replicate(found, size, (3, r), 4) for r in range(40)]
    (first, second) = class_loads(found, (size,), [runs], 0)
    together = np.mean([run.scatter_kw2 for run in runs])
    parts = sum((one.households[0] / size) ** 2 * one.rms[0].value ** 2 for one in (first, second))
    assert parts == pytest.approx(together, rel=0.2)
    for one in (first, second):
        assert 0.8 < one.ratio.value < 1.25


def test_a_class_without_households_in_a_small_market_is_left_out_there() -> None:
    found = solved()
    few = replicate(found, 1, (0, 0), 2)
    assert np.isnan(few.class_scatter_kw2).sum() == 1
    many = replicate(found, 10, (0, 0), 2)
    loads = class_loads(found, (1, 10), [[few, few], [many, many]], 0)
    assert sorted(len(one.sizes) for one in loads) == [1, 2]


def test_validate_judges_every_class_and_leaves_the_row_out_without(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = tmp_path / "classes.toml"
    given.write_text(CLASSES)
    small = ("--households", "20,60", "--replications", "3", "--days", "3", "--checks", "aggregate,exploitability")
    assert main(["validate", str(given), *small, "--json", "--out", str(tmp_path / "out")]) == 0
    assert "Net load of each rate class" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    result = json.loads(capsys.readouterr().out)
    assert result["tariff"] == "flat and rate classes"
    assert [row["name"] for row in result["rate_classes"]] == ["default", "solar"]
    assert [sum(pair) for pair in zip(*(row["households"] for row in result["rate_classes"]), strict=True)] == [20, 60]
    assert "class_size" in [row["key"] for row in result["findings"]]
    assert main(["validate", str(given), *small, "--tariff", "flat", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["rate_classes"] == []
    assert "class_size" not in [row["key"] for row in result["findings"]]
    assert main(["validate", str(given), *small]) == 0
    assert "Net load of each rate class" in capsys.readouterr().out
