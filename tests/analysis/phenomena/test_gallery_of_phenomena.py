"""The gallery of phenomena: verdicts follow from numbers, and every number can be had again without it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from web_page import WebPage, asks_for_nothing

from meanwatt.analysis.cli import main
from meanwatt.analysis.emergence.naive_days import naive_days
from meanwatt.analysis.lessons.case import Case
from meanwatt.analysis.phenomena import second_peak
from meanwatt.analysis.phenomena.catalogue import PHENOMENA
from meanwatt.analysis.phenomena.gallery import gallery_json, run_gallery
from meanwatt.analysis.phenomena.phenomenon import Claim, Finding, Panel, Verdict
from meanwatt.analysis.phenomena.report import gallery_page
from meanwatt.analysis.phenomena.town import Towns
from meanwatt.model.mean_field.population.population_response import induced_wholesale, population_response
from meanwatt.model.progress.watch import Cancelled, Watch

COARSE = (("battery_levels", 6),)
QUICK = ("second-peak", "herding")


def finding(*values: float | None) -> Finding:
    """Claims of values that are expected between 0 and 1."""
    return Finding(
        claims=tuple(Claim(text="x", value=value, unit="1", above=0, below=1) for value in values),
        panel=Panel(x_title="", y_title="", x=(0.0, 1.0), lines={"a": (0.0, None)}),
        reading="",
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("gallery") / "out"
    assert main(["study", "gallery", "--only", ",".join(QUICK), "--out", str(out)]) == 0
    return out


def refused(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    assert main(["study", *args]) == 2
    told = capsys.readouterr()
    assert not told.out
    return told.err.strip()


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ((0.5, 0.1), Verdict.AS_EXPECTED),
        ((0.5, 0.0), Verdict.IN_PART),
        ((0.0, 1.0), Verdict.OTHERWISE),
        ((0.5, None), Verdict.NOT_DETERMINED),
    ],
)
def test_a_verdict_is_as_expected_only_if_every_number_lies_strictly_within_its_bounds(
    values: tuple[float | None, ...], verdict: Verdict
) -> None:
    assert finding(*values).verdict is verdict


def test_every_phenomenon_has_a_key_an_expectation_a_source_and_a_setting() -> None:
    keys = [one.key for one in PHENOMENA]
    assert len(set(keys)) == len(keys) == 12
    for one in PHENOMENA:
        assert one.expected.endswith(".")
        assert one.sources
        assert one.setting


def test_the_command_prints_writes_and_tables_the_same_numbers(written: Path) -> None:
    result = json.loads((written / "study.json").read_text())
    assert [row["key"] for row in result["phenomena"]] == list(QUICK)
    assert result["verdicts"] == {"as expected": 2, "in part": 0, "otherwise": 0, "not determined": 0}
    table = pd.read_parquet(written / "claims.parquet")
    assert list(table["value"]) == [claim["value"] for row in result["phenomena"] for claim in row["claims"]]
    page = (written / "report.html").read_text(encoding="utf-8")
    asks_for_nothing(page)
    assert f"{table['value'][0]:.3g}" in WebPage(page).cells


def test_the_share_of_cars_at_the_second_peak_is_that_of_the_loads_without_cars(written: Path) -> None:
    row = json.loads((written / "study.json").read_text())["phenomena"][0]
    bare = second_peak.lesson.load_kw(second_peak._case(0.0).solve(Watch()), second_peak.lesson.TIMER)
    share = (bare.max() - bare[21]) / 7.2  # old peak, first cheap hour, charging power
    timers = dict(zip(row["figure"]["x"], row["figure"]["lines"]["on timers"], strict=True))
    below, above = max(x for x in timers if x < share), min(x for x in timers if x > share)
    assert timers[below] == pytest.approx(bare.max(), rel=0.01)
    assert timers[above] > 1.05 * bare.max()


def test_where_the_model_disagrees_the_reason_is_told_and_nowhere_else() -> None:
    told = replace(PHENOMENA[0], why="Because.", find=lambda towns: finding(2.0))
    held = replace(told, key="held", find=lambda towns: finding(0.5))
    shown = list(run_gallery([told, held], Watch()))
    result = gallery_json(shown, 2)
    assert [row["why"] for row in result["phenomena"]] == ["Because.", None]
    assert result["message"] == "2 phenomena: 1 as expected, 1 otherwise."
    assert gallery_page(result, shown, {}).count("Because.") == 1


def test_a_case_without_an_equilibrium_leaves_its_phenomenon_open_and_the_others_go_on() -> None:
    def fails(towns: Towns) -> Finding:
        raise ValueError("no equilibrium")

    shown = list(
        run_gallery([replace(PHENOMENA[0], find=fails), replace(PHENOMENA[1], find=lambda _: finding(0.5))], Watch())
    )
    result = gallery_json(shown, 2)
    assert [one.verdict for one in shown] == [Verdict.NOT_DETERMINED, Verdict.AS_EXPECTED]
    assert result["messages"] == ["death-spiral: no equilibrium"]
    assert gallery_page(result, shown, {}).count("not determined") == 2


def test_a_panel_whose_numbers_do_not_ascend_is_refused() -> None:
    with pytest.raises(ValueError, match="x does not ascend"):
        Panel(x_title="", y_title="", x=(0.0, 0.0), lines={"a": (1.0, 2.0)})


def test_a_gallery_that_is_stopped_stops_within_its_phenomenon() -> None:
    with pytest.raises(Cancelled):
        list(run_gallery(PHENOMENA[-1:], Watch(cancelled=lambda: True)))


def test_who_asks_for_what_the_gallery_lacks_is_told_what_it_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "gallery", "--only", "herd") == (
        "meanwatt: --only: unknown phenomenon 'herd'; did you mean 'herding'?"
    )
    assert refused(capsys, "gallery", "--resume") == (
        "meanwatt: --resume goes with a study's file; the gallery takes --only, --out and --json"
    )
    assert refused(capsys, "mine.toml", "--only", "herding") == (
        "meanwatt: --only chooses phenomena of the gallery; mine.toml is a study of its own, leave --only out"
    )


def test_homes_that_never_plan_anew_keep_to_their_load_and_all_of_them_answer_the_day_before() -> None:
    found = Case(tariff="rtp", changes=COARSE).solve(Watch())
    _, still = naive_days(found, 0.0, 3, Watch())
    assert np.array_equal(still[0], still[2])
    prices, loads = naive_days(found, 1.0, 3, Watch())
    for day in (0, 1):
        np.testing.assert_allclose(prices[day], induced_wholesale(found.economy, loads[day]))
        expected = population_response(found.economy, found.tariff, prices[day], found.adder_usd_per_kwh).net_load_kw
        np.testing.assert_allclose(loads[day + 1], expected, atol=1e-9)
