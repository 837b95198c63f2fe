"""The report of a study: what is drawn and tabled are the rows' own means."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from web_page import WebPage, asks_for_nothing

from meanwatt.analysis.cli import main
from meanwatt.analysis.cli.study_page import study_report
from meanwatt.analysis.study.effects import effects, layout_of, solved_rows

STUDY = """
title = "Storage <b>&</b> peaks"
scenario = "textbook"
measure = "simulate"
households = [20, 40]
replications = 2
days = 1
[set]
battery_levels = 11
[grid]
tariff = ["tou", "flat"]
battery_share_scale = [2.0, 0.5]
"""


def rows(**columns: object) -> pd.DataFrame:
    table = pd.DataFrame(columns)
    return table.assign(outcome="converged", point=0, replication=0, households=None)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("page")
    (directory / "study.toml").write_text(STUDY)
    assert main(["study", str(directory / "study.toml"), "--workers", "0", "--out", str(directory / "out")]) == 0
    return directory


def test_the_page_of_a_study_shows_the_means_of_its_rows_and_asks_for_nothing(written: Path) -> None:
    text = (written / "out" / "report.html").read_text(encoding="utf-8")
    asks_for_nothing(text)
    page, table = WebPage(text), pd.read_parquet(written / "out" / "results.parquet")
    assert "Storage &lt;b&gt;&amp;&lt;/b&gt; peaks" in text
    assert page.cells[page.cells.index("converged") + 1] == "16"
    for tariff, scale in (("tou", 0.5), ("tou", 2.0), ("flat", 0.5), ("flat", 2.0)):
        at = table[(table["tariff"] == tariff) & (table["battery_share_scale"] == scale)]
        assert f"{at['peak_to_average'].sum() / 4:.4g}" in page.cells
    assert "Means over households and replications; bars from the lowest to the highest value." in text


def test_a_study_that_is_complete_writes_its_page_again_and_says_where_it_is(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["study", str(written / "study.toml"), "--workers", "0", "--out", str(written / "out"), "--resume"]
    page = written / "out" / "report.html"
    before = page.read_bytes()
    page.unlink()
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["found"] == 16
    assert WebPage(page.read_text()).cells == WebPage(before.decode()).cells
    assert main(command) == 0
    assert capsys.readouterr().out.rstrip().endswith(f"Report: {page}")


def test_a_study_of_which_no_row_has_numbers_has_a_page_that_says_so() -> None:
    table = rows(a=[1.0, 2.0]).assign(outcome=["refused", "failed"])
    told = {"measure": "solve", "outcome": "complete", "refused": 1, "failed": 1, "message": "m", "messages": []}
    text = study_report(told | {"settings": {}}, table, "title", ("a",))
    assert WebPage(text).cells == ["outcome", "rows", "refused", "1", "failed", "1"]
    assert "<svg" not in text
    assert 'class="verdict fail"' in text


def test_a_table_that_is_cut_says_how_many_places_there_are() -> None:
    table = rows(a=np.arange(70.0), imv=np.arange(70.0))
    told = {"measure": "solve", "outcome": "complete", "refused": 0, "failed": 0, "message": "m", "messages": []}
    text = study_report(told | {"settings": {}}, table, "title", ("a",))
    assert "Means (the first 60 of 70 places; all rows are in results.parquet)" in text


def test_rows_without_numbers_are_left_out_of_the_means() -> None:
    table = rows(a=[1.0, 1.0, 2.0, 2.0], imv=[1.0, 3.0, 5.0, None])
    table.loc[1, "outcome"] = "failed"
    found = effects(solved_rows(table), layout_of(table, ["a"]), "imv")
    assert found[["at", "mean", "rows"]].to_numpy().tolist() == [[1.0, 1.0, 1], [2.0, 5.0, 1]]


def test_the_axis_is_the_number_with_most_values_and_lines_are_few() -> None:
    many = np.linspace(0.0, 1.0, 12)
    table = rows(tariff=["flat", "tou"] * 6, a=many, b=many.round(), c=["x"] * 12, imv=many)
    layout = layout_of(table, ["tariff", "a", "b", "c"])
    assert (layout.along, layout.lines, layout.pooled) == ("a", "tariff", ("b",))
    assert layout_of(table.assign(households=10), []).along == "households"
    assert layout_of(table, []).along == "point"
    alone = layout_of(table, ["tariff", "c"])
    assert (alone.along, alone.lines, alone.pooled) == ("tariff", None, ())


def test_means_are_between_the_lowest_and_the_highest_and_count_every_row() -> None:
    draw = np.random.default_rng(3)
    table = rows(
        a=draw.integers(0, 4, 60), b=draw.integers(0, 3, 60), tariff=draw.choice(["u", "v"], 60), imv=draw.random(60)
    )
    found = effects(table, layout_of(table, ["a", "b", "tariff"]), "imv")
    assert (found["low"] <= found["mean"]).all()
    assert (found["mean"] <= found["high"]).all()
    assert found["rows"].sum() == 60
    assert np.isclose((found["mean"] * found["rows"]).sum(), table["imv"].sum())


def test_names_along_the_axis_stay_in_the_order_of_the_file() -> None:
    table = rows(tariff=["tou", "flat", "rtp"], imv=[1.0, 2.0, 3.0])
    found = effects(table, layout_of(table, ["tariff"]), "imv")
    assert found["at"].tolist() == ["tou", "flat", "rtp"]
