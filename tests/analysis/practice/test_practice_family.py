"""``meanwatt practice --family``: rates filed for the windows of the commitment, which is searched in the family."""

import json
import shlex
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from family_files import BARE, PEAK, TWO, best_rates, textbook_families, windows_by_hour
from scenarios import preset_economy, preset_tariff

from meanwatt.analysis.cli import main
from meanwatt.analysis.practice.practice import Practice, practice
from meanwatt.model.mean_field.equilibrium import Outcome
from meanwatt.model.mean_field.leader.window_combinations import Window
from meanwatt.model.mean_field.leader.window_search import WindowCommitment
from meanwatt.model.progress.watch import Watch

SOLAR = ("battery_share_scale=0",)


@cache
def done(text: str, *overrides: str) -> Practice:
    economy = preset_economy("textbook", *overrides)
    return practice(
        economy, preset_tariff("textbook", "flat", *overrides), families=textbook_families(text, *overrides)
    )


def use_kw(reference: np.ndarray, rate: np.ndarray | float) -> np.ndarray:
    return reference * (1 + 0.1 * (1 - rate / 0.185))


def test_rates_are_filed_at_the_marginal_cost_of_frozen_loads_in_the_windows_of_the_commitment() -> None:
    """In plain NumPy, at the load under the flat rate and its adder."""
    found = done(PEAK, *BARE)
    assert found.outcome is Outcome.CONVERGED
    assert isinstance(found.commitment, WindowCommitment)
    assert found.filing is not None
    window = windows_by_hour(found.commitment.windows)
    assert found.commitment.windows == {"peak": Window(17, 4)}
    load = use_kw(preset_economy("textbook", *BARE).mean_reference_kw[0], found.in_force.rates.import_usd_per_kwh[0])
    cost = load * (0.05 + 0.10 * load)
    filed = [cost[window == k].sum() / load[window == k].sum() for k in range(2)]
    assert found.windows.names == ("day", "peak")
    assert found.filing.rates_usd_per_kwh.tolist() == pytest.approx(filed, abs=1e-9)
    assert np.array_equal(found.windows.of_slot[0], window)
    rates = best_rates(preset_economy("textbook", *BARE).mean_reference_kw[0], window, 0.05, 0.10)
    assert found.committed_usd_per_kwh is not None
    assert found.committed_usd_per_kwh.tolist() == pytest.approx(rates.tolist(), abs=1e-5)


@pytest.mark.parametrize(("text", "overrides"), [(PEAK, BARE), (TWO, BARE), (PEAK.replace("[3, 5]", "4"), SOLAR)])
def test_the_commitment_is_no_worse_than_what_practice_files(text: str, overrides: tuple[str, ...]) -> None:
    lost = done(text, *overrides).welfare_lost_usd_per_household_day
    assert lost is not None
    assert 0.0 <= lost < 0.05


def test_a_rate_that_the_family_fixes_is_not_filed_but_kept() -> None:
    text = PEAK.replace('"energy_usd_per_kwh.day" = [0.0, 1.0]\n', "").replace(
        "pass_through = 0.0", "energy_usd_per_kwh.day = 0.123"
    )
    found = done(text, *BARE)
    assert found.filing is not None
    assert found.filing.rates_usd_per_kwh[0] == 0.123
    assert found.filing.rates_usd_per_kwh[1] != 0.123


def test_a_filed_rate_outside_the_family_is_told() -> None:
    found = done(
        PEAK.replace('peak" = [0.0, 1.0]', 'peak" = [0.0, 0.1]').replace("[15, 19], width = [3, 5]", "17, width = 4"),
        *BARE,
    )
    told = [one for one in found.messages if "lies outside the family" in one]
    assert len(told) == 1
    assert told[0].startswith("Filed rate of peak, 0.1")


def test_the_object_and_the_sentences_name_the_windows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "family.toml", tmp_path / "run"
    path.write_text(PEAK.replace("[15, 19]", "[16, 18]"), encoding="utf-8")
    given = " ".join(f"--set {one}" for one in BARE)
    assert main(shlex.split(f"practice textbook {given} --family {path} --json --out {out}")) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["family"]["windows"] == {"peak": {"start": 17, "width": 4, "hours": "17:00-21:00"}}
    assert result["windows_of"] == f"family {path}"
    assert [row["name"] for row in result["filed"]["windows"]] == ["day", "peak"]
    where = f"Windows: those of family {path} where the commitment has them, peak 17:00-21:00."
    assert where in result["messages"]
    assert "Where the windows lie" in (out / "report.html").read_text(encoding="utf-8")
    assert {"filed.toml", "commitment.toml"} <= {one.name for one in out.iterdir()}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[free]\npass_through = [0, 1]\n[fixed]\nrecovery = "fixed"\n',
            "frees no energy charge, so there are no windows to file rates for; give bounds of one under [free]",
        ),
        (
            PEAK.replace('"fixed"', '"posted"'),
            "the family's recovery is posted, and the commission has to recover cost",
        ),
        (PEAK.replace("width", "wide"), "unknown key 'windows.peak.wide'; did you mean 'windows.peak.width'?"),
    ],
)
def test_a_family_that_practice_cannot_use_is_one_line(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "family.toml"
    path.write_text(text, encoding="utf-8")
    assert main(["practice", "textbook", "--family", str(path)]) == 2
    heard = capsys.readouterr()
    assert heard.out == ""
    assert heard.err.count("\n") == 1
    assert message in heard.err


def test_a_stop_before_the_commitment_leaves_the_rest_empty() -> None:
    stages: list[str] = []
    economy = preset_economy("textbook", *BARE)
    found = practice(
        economy,
        preset_tariff("textbook", "flat", *BARE),
        families=textbook_families(PEAK, *BARE),
        watch=Watch(cancelled=lambda: "commitment" in stages),
        new_stage=stages.append,
    )
    assert found.outcome is Outcome.CANCELLED
    assert found.message == "Cancelled before the commission's commitment was found."
    assert found.filing is None
    assert found.commitment is None
