"""``meanwatt flow``: loads slot by slot on a feeder, slots without a state, one line for what is wrong."""

import json
import shlex
import tracemalloc
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from meanwatt.analysis.cli import main
from meanwatt.analysis.cli.year_option import stamps
from meanwatt.analysis.year_flow.figures import by_hour
from meanwatt.analysis.year_flow.loads_file import LoadBlock
from meanwatt.analysis.year_flow.slots_solved import SLOT_COLUMNS, solve_slots
from meanwatt.model.network.feeder import build_feeder, feeder_from_graph
from meanwatt.model.network.feeder_file import table_of_feeder
from meanwatt.model.network.power_flow import Method, PowerFlow, VoltageLimits
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.feeder_file import write_feeder_file

HOMES = ["home1", "home2", "home3"]
DAYS = 3


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a feeder of three homes and three days of loads, of which one hour cannot be carried."""
    monkeypatch.chdir(tmp_path)
    graph = nx.Graph(name="lane")
    graph.add_node("grid", nominal_kv=0.4, source_voltage_pu=1.02)
    before = "grid"
    for home in HOMES:
        graph.add_node(home, nominal_kv=0.4, p_kw=2.0, q_kvar=0.5, customers=1)
        graph.add_edge(before, home, r_ohm=0.1, x_ohm=0.05, rating_a=40.0)
        before = home
    write_feeder_file(tmp_path / "lane.toml", table_of_feeder(feeder_from_graph(graph)))
    loads().to_csv(tmp_path / "loads.csv", index=False)
    return tmp_path


def loads() -> pd.DataFrame:
    """Draw and feed in; home3 alone has a column of its own order, home2 none."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"time": pd.date_range("2025-03-01", periods=24 * DAYS, freq="h").strftime("%Y-%m-%d %H:%M")})
    return table.assign(home3=rng.uniform(-20, 10, 24 * DAYS).round(3), home1=rng.uniform(0, 5, 24 * DAYS).round(3))


def said(arguments: str, capsys: pytest.CaptureFixture[str], *, status: int = 0) -> dict[str, Any]:
    assert main([*shlex.split(arguments), "--json"]) == status
    heard = capsys.readouterr()
    assert heard.err == ""
    assert heard.out.count("\n") == 1
    found: dict[str, Any] = json.loads(heard.out)
    return found


def test_every_number_is_that_of_the_referee_s_power_flow(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = said("flow lane.toml --loads loads.csv --out run", capsys)
    p_kw = np.zeros((24 * DAYS, 4))
    p_kw[:, [3, 1]] = loads()[["home3", "home1"]]
    feeder = feeder_of(folder)
    wanted = PowerFlow(feeder, method=Method.NEWTON_RAPHSON).solve(p_kw, np.maximum(p_kw, 0) * 0.25)
    voltage = wanted.voltage_pu
    assert found["outcome"] == "converged"
    assert (found["buses"], found["slots"], found["slot_hours"]) == (4, 24 * DAYS, 1.0)
    low, high = np.unravel_index(voltage.argmin(), voltage.shape), np.unravel_index(voltage.argmax(), voltage.shape)
    for name, (slot, bus) in (("min", low), ("max", high)):
        stamp = loads().time[slot]
        assert found["voltage"][f"{name}_pu"] == {
            "value": pytest.approx(voltage[slot, bus]),
            "slot": slot,
            "time": stamp,
        }
        assert found["voltage"][f"{name}_bus"] == feeder.buses[bus]
    below, above = voltage < 0.95, voltage > 1.05
    assert found["voltage"]["hours_outside"] == (below | above).any(axis=1).sum()
    assert found["voltage"]["hours_outside"] > 0
    assert found["voltage"]["bus_hours_above"] == above.sum() > 0
    assert found["voltage"]["bus_hours_below"] == below.sum()
    assert found["energy"]["loss_kwh"] == pytest.approx(wanted.loss_kw.sum())
    assert found["energy"]["imported_kwh"] == pytest.approx(np.maximum(wanted.source_p_kw, 0).sum())
    balance = found["energy"]["imported_kwh"] - found["energy"]["exported_kwh"]
    assert balance == pytest.approx(found["energy"]["net_load_kwh"] + found["energy"]["loss_kwh"])
    assert found["lines"]["max_loading_percent"] == pytest.approx(100 * wanted.line_loading.max())
    assert found["lines"]["hours_above_rating"] == (wanted.line_loading > 1).any(axis=1).sum()
    assert found["transformers"]["max_loading_percent"] is None
    assert "Slots are 1 h long, as the first two time stamps say." in found["messages"]
    assert "2 of the 4 buses have no column, and no load but what the feeder fixes." in found["messages"]
    table = pq.read_table("run/voltages.parquet").to_pandas()
    assert list(table.columns) == ["slot", "time", *feeder.buses]
    np.testing.assert_allclose(table[list(feeder.buses)], voltage, rtol=1e-7)
    buses = pq.read_table("run/buses.parquet").to_pandas()
    np.testing.assert_allclose(buses.mean_voltage_pu, voltage.mean(axis=0), rtol=1e-12)
    assert {path.name for path in Path("run").iterdir()} == {
        *("flow.json", "manifest.json", "report.html"),
        *(f"{name}.parquet" for name in ("slots", "buses", "lines", "voltages")),
    }
    page = Path("run/report.html").read_text(encoding="utf-8")
    assert "highest voltage [pu]" in page
    assert json.loads(Path("run/flow.json").read_text(encoding="utf-8")) == found


def feeder_of(folder: Path) -> Any:
    from meanwatt.analysis.cli.flow import named_feeder

    return named_feeder(str(folder / "lane.toml"))


def test_a_slot_without_a_state_is_named_and_in_no_sum(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = loads()
    without = table.drop(index=30)
    table.loc[30, "home3"] = 5000.0
    table.to_csv("collapse.csv", index=False)
    without.to_csv("without.csv", index=False)
    found = said("flow lane.toml --loads collapse.csv --out run", capsys, status=1)
    assert found["outcome"] == "some_slots_failed"
    assert found["unsolved_slots"] == [{"slot": 30, "time": table.time[30]}]
    assert found["hours_unsolved"] == 1.0
    assert found["message"] == (
        f"no state found in 1 of 72 slots (30 at {table.time[30]}): the feeder cannot carry such load or export"
        " (voltage collapse); they are in no sum, extreme or count of hours"
    )
    other = said("flow lane.toml --loads without.csv --slot-hours 1", capsys)
    for name in ("voltage", "energy", "lines"):
        for key, value in other[name].items():
            ours = found[name][key]
            if isinstance(value, dict):
                value, ours = value["value"], ours["value"]
            assert ours == (value if isinstance(value, str) else pytest.approx(value, rel=1e-12)), key
    assert np.isnan(pq.read_table("run/voltages.parquet").to_pandas().loc[30, "home3"])
    assert pq.read_table("run/slots.parquet").column("solved").to_pylist().count(False) == 1


def test_parquet_with_times_and_a_file_of_kvar_give_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = said("flow lane.toml --loads loads.csv", capsys)
    table = loads().assign(time=lambda each: pd.to_datetime(each.time)).set_index("time")
    table.to_parquet("loads.parquet")
    reactive = np.maximum(table, 0) * 0.25
    reactive.reset_index(drop=True).to_csv("kvar.csv", index=False)
    found = said("flow lane.toml --loads loads.parquet --reactive kvar.csv --limits en_50160", capsys)
    assert found["energy"] == {
        key: pytest.approx(value, rel=1e-9) if isinstance(value, float) else {**value, "time": f"{value['time']}:00"}
        for key, value in plain["energy"].items()
    }
    assert found["limits"] == {"name": "en_50160", "low_pu": 0.9, "high_pu": 1.1}
    assert not any("Reactive" in said for said in found["messages"])


def test_blocks_change_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from meanwatt.analysis.year_flow import loads_file

    whole = said("flow lane.toml --loads loads.csv", capsys)
    monkeypatch.setattr(loads_file, "BLOCK_ROWS", 7)
    pieces = said("flow lane.toml --loads loads.csv", capsys)
    for name in ("voltage", "energy", "lines", "unsolved_slots"):
        assert pieces[name] == whole[name]


def test_a_request_to_stop_is_heard_after_a_block_and_nothing_is_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from meanwatt.analysis.year_flow import loads_file

    monkeypatch.setattr(loads_file, "BLOCK_ROWS", 10)
    monkeypatch.setattr(Watch, "stopped", True)
    found = said("flow lane.toml --loads loads.csv --out run", capsys, status=1)
    assert (found["outcome"], found["slots"]) == ("cancelled", 10)
    assert found["message"] == "stopped on request after 10 slots"
    assert sorted(path.name for path in folder.iterdir()) == ["lane.toml", "loads.csv"]


def test_people_get_a_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(shlex.split("flow lane.toml --loads loads.csv")) == 0
    heard = capsys.readouterr().out
    assert "lane, 4 buses: all 72 slots solved" in heard
    assert "highest voltage, pu" in heard


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("home1,home9\n1,2\n", "unknown bus 'home9'; did you mean 'home1'? (a column is a bus, or time)"),
        ("home1,home1\n1,2\n", "column 'home1' comes twice; give every bus one column"),
        ("home1,home2\n1,2\n3,\n", "line 3, column 'home2' is empty; give a number from -1e+09 to 1e+09 in every cell"),
        ("home1\n1\nmuch\n", "line 3, column 'home1' is 'much'; give a number"),
        ("home1\n1\nnan\n", "line 3, column 'home1' is 'nan'; give a number"),
        ("home1\n1e12\n", "line 2, column 'home1' is '1e12'; give a number"),
        ("home1\n", "holds a heading and no slots; give a row for each slot"),
        ("home1;home2\n1;2\n", "line 1 has semicolons and no comma; save the file with commas between cells"),
        ("time\n2025-01-01\n", "has no column of a bus; give a column for each bus that draws power"),
        ("home1,home2\n1,2,3\n", "CSV parse error: Row #2: Expected 2 columns, got 3: 1,2,3"),
        ("", "has no column of a bus"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line(
    text: str, line: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("bad.csv").write_text(text, encoding="utf-8")
    assert main(shlex.split("flow lane.toml --loads bad.csv --out run")) == 2
    heard = capsys.readouterr()
    assert heard.out == ""
    assert heard.err.count("\n") == 1
    assert f"--loads bad.csv: {line}" in heard.err
    assert not Path("run").exists()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("lane.toml --loads gone.csv", "--loads gone.csv: file not found; give the path of a CSV or Parquet file"),
        ("lane.toml --loads lane.toml", "--loads lane.toml: ends in '.toml'; give a CSV or Parquet file"),
        ("lv_rura --loads loads.csv", "unknown feeder 'lv_rura'; did you mean 'lv_rural'? (or give the path of a"),
        ("lane.toml --loads loads.csv --slot-hours 0", "--slot-hours is '0'; give a number"),
        ("lane.toml --loads loads.csv --limits ansi", "unknown --limits 'ansi'; did you mean 'ansi_c84_1'?"),
        ("lane.toml --loads loads.csv --reactive short.csv", "--reactive has 2 slots, --loads more; give as many"),
        ("lane.toml --loads short.csv --reactive loads.csv", "--reactive has more slots than the 2 of --loads"),
        ("lane.toml --loads no.parquet", "--loads no.parquet: is no Parquet file"),
        ("lane.toml --loads text.parquet", "--loads text.parquet: row 2, column 'home1' is 'x'; give a number"),
        ("lane.toml --loads flags.parquet", "--loads flags.parquet: column 'home1' holds bool; give numbers"),
        ("lane.toml --loads gap.parquet", "--loads gap.parquet: row 1, column 'home1' is empty; give a number"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    arguments: str, line: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("short.csv").write_text("home1\n1\n2\n", encoding="utf-8")
    Path("no.parquet").write_text("home1\n1\n", encoding="utf-8")
    for name, values in (("text", ["1", "x"]), ("flags", [True, False]), ("gap", [None, 1.0])):
        pd.DataFrame({"home1": values}).to_parquet(f"{name}.parquet", index=False)
    assert main(shlex.split(f"flow {arguments} --out run")) == 2
    heard = capsys.readouterr()
    assert heard.out == ""
    assert heard.err.count("\n") == 1
    assert line in heard.err
    assert not Path("run").exists()


def test_bytes_drawn_at_random_are_refused_in_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(4)
    for number in range(24):
        ending = (".csv", ".parquet")[number % 2]
        whole = b"time,home1,home2\n2025-01-01 00:00,1,2\n2025-01-01 01:00,3,4\n"
        content = bytearray(whole if number % 3 else rng.bytes(80))
        for place in rng.integers(0, len(content), 4):
            content[place] = rng.integers(0, 256)
        Path(f"drawn{ending}").write_bytes(bytes(content))
        status = main(["flow", "lane.toml", "--loads", f"drawn{ending}"])
        heard = capsys.readouterr()
        assert status in (0, 2)
        assert (heard.err.count("\n"), heard.out == "") == ((1, True) if status else (0, False)), bytes(content)


def test_days_are_columns_of_hours_and_slots_that_make_no_days_are_no_map() -> None:
    values = np.arange(50.0)
    found = by_hour(values, 1.0)
    assert found is not None
    assert found.shape == (24, 3)
    assert found[:, 1].tolist() == values[24:48].tolist()
    assert np.isnan(found[2:, 2]).all()
    assert by_hour(values, 0.7) is None
    assert by_hour(values[:30], 1.0) is None


def test_a_feeder_that_carries_nothing_at_all_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("all.csv").write_text("home3\n" + "9000\n" * 130, encoding="utf-8")
    found = said("flow lane.toml --loads all.csv", capsys, status=1)
    assert (found["solved_slots"], len(found["unsolved_slots"])) == (0, 100)
    assert found["voltage"]["min_pu"] is found["voltage"]["min_bus"] is found["lines"]["max_loading_percent"] is None
    assert found["energy"]["loss_kwh"] == 0


def test_a_scenario_s_days_are_told_as_simulate_tells_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    town = "textbook --tariff flat --set feeder.name=textbook_line_5 --set battery_levels=4 --days 2 --seed 3"
    flow = said(f"flow {town} --households 40 --geojson {tmp_path / 'map.json'} --out {tmp_path / 'run'}", capsys)
    days = said(f"simulate {town} --households 40", capsys)["feeder"]
    assert (flow["slots"], flow["slot_hours"]) == (48, 1.0)
    assert flow["voltage"]["min_pu"]["value"] == days["voltage_min_pu"]
    assert flow["voltage"]["max_pu"]["value"] == days["voltage_max_pu"]
    assert flow["lines"]["max_loading_percent"] == pytest.approx(100 * days["line_loading_max"])
    assert flow["energy"]["loss_kwh"] == pytest.approx(days["loss_kwh"])
    assert flow["messages"][0].startswith("Loads are those of a market: 40 simulated households on 2 days, for ")
    assert pq.read_table(tmp_path / "run" / "voltages.parquet").num_rows == 48
    assert json.loads((tmp_path / "map.json").read_text(encoding="utf-8"))["slots"] == 48
    assert flow["settings"]["households"] == 40


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            "lv_rural",
            "lv_rural is a feeder, which needs --loads FILE; without it give a scenario, whose market loads its",
        ),
        ("textbook --reactive x.csv", "--reactive belongs to a file of loads; give --loads FILE, or leave it out"),
        (
            "lv_rural --loads x.csv --days 2",
            "--days belongs to a scenario's market, and --loads gives loads of a file;",
        ),
        ("textbook --days 0", "--days is '0'; give a whole number from 1"),
    ],
)
def test_options_of_a_file_and_of_a_market_do_not_mix(
    arguments: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["flow", *shlex.split(arguments)]) == 2
    err = capsys.readouterr().err
    assert line in err
    assert err.count("\n") == 1


def test_memory_does_not_grow_with_the_slots_but_for_a_few_numbers_each() -> None:
    """Ten times the blocks, no more memory but what is kept of a slot; the voltages of a block are 40 times that."""
    feeder = build_feeder("lv_rural", peak_reference_kw=1.0)
    rows, buses = 64, len(feeder.buses)

    def most_bytes(blocks: int) -> int:
        power = np.full((rows, buses), 0.3)
        given = (LoadBlock(times=(), power=power, share=(k + 1) / blocks) for k in range(blocks))
        tracemalloc.start()
        try:
            solve_slots(feeder, given, None, limits=VoltageLimits.ANSI_C84_1, watch=Watch())
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    most_bytes(2)  # compiles
    kept = rows * (8 * len(SLOT_COLUMNS) + 1)
    more = most_bytes(40) - most_bytes(4)
    assert more <= 36 * (kept + 1500)  # and the two arrays that hold them
    assert rows * buses * 8 > 10 * kept


CALENDAR = """
extends = "textbook"
battery_levels = 4
battery_share_scale = 0.0
[feeder]
name = "textbook_line_5"
[calendar]
[calendar.days.weekend]
load_factor = 1.1
"""


def test_a_market_s_year_has_real_time_stamps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = tmp_path / "own.toml"
    own.write_text(CALENDAR)
    asked = f"{own} --tariff flat --year 2028 --households 8"
    year = said(f"flow {asked} --out {tmp_path / 'run'}", capsys)
    assert year["slots"] == 24 * 366
    assert year["settings"]["year"] == 2028
    for table in ("slots", "voltages"):
        times = pq.read_table(tmp_path / "run" / f"{table}.parquet")["time"].to_pylist()
        expected = pd.date_range("2028-01-01", periods=24 * 366, freq="h").strftime("%Y-%m-%d %H:%M")
        assert times == expected.tolist()
    lowest = year["voltage"]["min_pu"]
    assert lowest["time"] == expected[lowest["slot"]]
    few = said(f"flow {asked} --days 3", capsys)
    assert few["slots"] == 72
    lived = said(f"simulate {asked} --days 3", capsys)
    assert few["voltage"]["min_pu"]["value"] == lived["feeder"]["voltage_min_pu"]
    assert few["voltage"]["min_pu"]["time"].startswith(lived["date"][few["voltage"]["min_pu"]["slot"] // 24])


def test_days_after_a_year_have_no_date_and_a_year_needs_a_calendar(capsys: pytest.CaptureFixture[str]) -> None:
    dates = ["2027-12-30", "2027-12-31"]
    assert stamps(dates, 1, 4, 0.25) == tuple(f"2027-12-31 00:{minute:02d}" for minute in (0, 15, 30, 45))
    assert stamps(dates, 2, 2, 12.0) == ("", "")
    assert stamps(None, 0, 24, 1.0) == ()
    assert main(shlex.split("flow textbook --year 2028")) == 2
    told = capsys.readouterr().err
    assert "--year 2028: scenario textbook has no calendar; write one into its file" in told
    assert main(shlex.split("flow lv_rural --loads x.csv --year 2028")) == 2
    assert "--year belongs to a scenario's market, and --loads gives loads of a file" in capsys.readouterr().err


def test_a_market_s_flow_says_that_it_tells_the_balanced_state_of_homes_on_one_phase(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = "flow textbook --set feeder.name=lv_four_wire --set battery_levels=5"
    plain, phased = said(asked, capsys), said(f"{asked} --set feeder.phases=one", capsys)
    (told,) = [one for one in phased["messages"] if "balanced" in one]
    assert told.startswith('feeder.phases = "one": ')
    assert told not in plain["messages"]
    assert phased["voltage"] == plain["voltage"]
