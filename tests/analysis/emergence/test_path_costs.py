"""What the way costs: the feeder's hours by hand, nothing where nobody learns, and bills home by home."""

import json
import shlex
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scenarios import solved

from meanwatt.analysis.cli import main
from meanwatt.analysis.emergence.emergence import Emergence, emergence
from meanwatt.analysis.emergence.pairs import paired_markets
from meanwatt.analysis.emergence.path_costs import PATH, grid_hours, learning_regret
from meanwatt.analysis.emergence.path_figure import path_figure

SET = ("battery_levels=5", "battery_share_scale=2", "pv_share_scale=1.5")
ALIKE = "belief:first_step=1"
SIZE = {"households": 150, "days": 4, "every": 4}


def learn(behaviour: str) -> Emergence:
    return emergence(solved("textbook", "rtp", *SET, certify=True), behaviour, **SIZE)


def test_where_nobody_learns_the_way_costs_nothing() -> None:
    found = learn("equilibrium")
    assert found.bus_hours_outside_limits.tolist() == found.floor_bus_hours_outside_limits.tolist()
    assert found.overload_hours.tolist() == found.floor_overload_hours.tolist()
    regret = found.regret
    assert regret is not None
    assert (regret.mean_usd_per_day, regret.losers_share) == (0.0, 0.0)
    assert {*regret.by_income.values(), *regret.by_technology.values(), *regret.by_bus.values()} == {0.0}


def test_hours_are_those_of_voltages_and_loadings_counted_one_by_one_and_every_home_stands_beside_itself() -> None:
    target = solved("textbook", "rtp", *SET, certify=True)
    with paired_markets(target, ALIKE, households=60, key=3, power_flow=True) as (market, given):
        for _ in range(3):
            market.step()
            given.step()
            record = market.history.records[-1]
            assert record.grid is not None
            outside = sum(not 0.95 <= one <= 1.05 for one in record.grid.voltage_pu.ravel())
            over = sum(
                max(np.nan_to_num(line), np.nan_to_num(transformer)) > 1
                for line, transformer in zip(record.grid.line_loading, record.grid.transformer_loading, strict=True)
            )
            assert grid_hours(record, 1.0) == (outside, over)
        regret = learning_regret(market, given)
        more = (market.population.bill_usd - given.population.bill_usd) / 3
        assert regret.mean_usd_per_day == pytest.approx(more.mean())
        assert regret.losers_share == (more > 0).mean()
        kinds = [(one.income_group, one.technology) for one in market.household_types]
        of = [kinds[k] for k in market.population.type_index]
        for place, part in enumerate((regret.by_income, regret.by_technology)):
            for name, value in part.items():
                assert value == pytest.approx(
                    np.mean([m for m, home in zip(more, of, strict=True) if home[place] == name])
                )
            share = [sum(home[place] == name for home in of) for name in part]
            assert np.average(list(part.values()), weights=share) == pytest.approx(regret.mean_usd_per_day)
        share = [int((market.population.bus == market.history.buses.index(name)).sum()) for name in regret.by_bus]
        assert sum(share) == 60
        assert np.average(list(regret.by_bus.values()), weights=share) == pytest.approx(regret.mean_usd_per_day)
        with (
            paired_markets(target, ALIKE, households=61, key=3) as (other, _),
            pytest.raises(ValueError, match="homes"),
        ):
            learning_regret(other, given)


def test_a_herd_loads_the_feeder_more_on_the_way_than_the_equilibrium_does() -> None:
    found = learn(ALIKE)
    assert found.bus_hours_outside_limits.sum() > found.floor_bus_hours_outside_limits.sum()
    assert found.regret is not None
    figure = path_figure([found], "Title")
    drawn = figure.axes[0].lines[0].get_ydata()
    assert drawn == pytest.approx(np.cumsum(found.bus_hours_outside_limits))
    assert len(figure.axes[2].patches) == len(found.regret.by_income) + len(found.regret.by_technology)


def test_the_command_tells_the_way_in_json_tables_and_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    given = " ".join(f"--set {one}" for one in SET)
    command = (
        f"emergence textbook --tariff rtp {given} --behaviour {ALIKE} --households 40 --days 3 --every 3 --out {out}"
    )
    assert main(shlex.split(f"{command} --json")) == 0
    one = json.loads(capsys.readouterr().out)["populations"][0]
    for name in PATH:
        assert len(one[name]) == 3
        assert one["path"][name] == pytest.approx(sum(one[name]))
    assert set(one["regret"]) == {
        "mean_usd_per_household_day",
        "losers_share",
        "by_income",
        "by_technology",
        "by_bus",
    }
    written = pq.read_table(out / "emergence.parquet").to_pydict()
    assert written["overload_hours"] == one["overload_hours"]
    rows = pq.read_table(out / "regret.parquet").to_pydict()
    assert rows["usd_per_household_day"][: len(one["regret"]["by_income"])] == list(one["regret"]["by_income"].values())
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "What learning adds to the bill" in page
    assert "The feeder on the way, and who pays" in page
    assert (out / "path.svg").exists()
