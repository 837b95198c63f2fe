"""A feeder file holds a feeder to the last bit, and a scenario that names one runs on it."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from saved_net import save, village

from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.network.feeder import FEEDERS, Feeder, build_feeder
from meanwatt.model.network.feeder_file import feeder_of_table, scenario_feeder, table_of_feeder
from meanwatt.model.network.library.branch import FIXED, Branch, BranchKind
from meanwatt.model.network.library.layout import tidy_tree
from meanwatt.model.network.library.phase_data import PhaseData
from meanwatt.model.network.pandapower_net.importer import import_pandapower
from meanwatt.model.network.power_flow import solve_power_flow
from meanwatt.model.scenario.economy import build_economy
from meanwatt.model.scenario.feeder_file import read_feeder_file, write_feeder_file
from meanwatt.model.scenario.identity import identifying_table
from meanwatt.model.scenario.loading import load_scenario

ARRAYS = ("nominal_kv", "p_kw", "q_kvar", "customers", "line_from", "line_to", "line_r_ohm", "line_x_ohm", "line_b_us")


def assert_same(one: Feeder, two: Feeder) -> None:
    for name in (*ARRAYS, "line_rating_a"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    for name in ("name", "buses", "source", "source_voltage_pu", "transformers", "branches"):
        assert getattr(one, name) == getattr(two, name)
    assert (one.fixed is None) == (two.fixed is None)
    if one.fixed is not None:
        for name in FIXED:
            np.testing.assert_array_equal(getattr(one.fixed, name), getattr(two.fixed, name))
    assert (one.phases is None) == (two.phases is None)
    for field in fields(PhaseData) if one.phases is not None else ():
        np.testing.assert_array_equal(getattr(one.phases, field.name), getattr(two.phases, field.name))


def imported(folder: Path) -> Feeder:
    """A feeder with a branch, a shunt and a generator."""
    tables = village()
    tables["shunt"] = [{"bus": 3, "p_mw": 0.001, "q_mvar": -0.02, "vn_kv": None, "step": 1, "in_service": True}]
    tables["sgen"] = [{"bus": 4, "p_mw": 0.01, "q_mvar": 0.0, "scaling": 1.0, "in_service": True}]
    return import_pandapower(save(folder, tables)).feeder


@pytest.mark.parametrize("ending", ["toml", "json"])
@pytest.mark.parametrize("name", [*FEEDERS, "imported"])
def test_a_file_holds_a_feeder_to_the_last_bit(name: str, ending: str, tmp_path: Path) -> None:
    feeder = imported(tmp_path) if name == "imported" else build_feeder(name, peak_reference_kw=1.4)
    file = tmp_path / f"feeder.{ending}"
    write_feeder_file(file, table_of_feeder(feeder))
    assert_same(feeder_of_table(read_feeder_file(file)[0]), feeder)


@pytest.fixture
def scenario_file(tmp_path: Path) -> Path:
    """A scenario beside its feeder's file."""
    (tmp_path / "wires").mkdir()
    write_feeder_file(tmp_path / "wires" / "village.toml", table_of_feeder(imported(tmp_path)))
    file = tmp_path / "mine.toml"
    file.write_text('extends = "textbook"\n[feeder]\nfile = "wires/village.toml"\n', encoding="utf-8")
    return file


def test_a_scenario_takes_its_feeder_from_a_file_beside_its_own(
    scenario_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    scenario = load_scenario(scenario_file)
    assert (scenario.feeder.name, scenario.feeder.limits) == (None, load_scenario("textbook").feeder.limits)
    economy = build_economy(scenario)
    feeder = scenario_feeder(scenario.feeder, peak_reference_kw=economy.peak_reference_kw)
    assert_same(feeder, imported(tmp_path))
    assert load_scenario(scenario, overrides=["memory=1"]).feeder == scenario.feeder
    named = load_scenario(scenario, overrides=["feeder.name=lv_rural"]).feeder
    assert (named.name, named.file, named.sha256) == ("lv_rural", None, None)
    monkeypatch.chdir(tmp_path)
    assert load_scenario("textbook", overrides=["feeder.file=wires/village.toml"]).feeder == scenario.feeder


def test_a_scenario_that_extends_one_with_a_file_may_name_a_network_of_ours(scenario_file: Path) -> None:
    child = scenario_file.with_name("child.toml")
    child.write_text('extends = "./mine.toml"\n[feeder]\nname = "lv_rural"\n', encoding="utf-8")
    assert load_scenario(child).feeder.name == "lv_rural"
    child.write_text('extends = "./mine.toml"\nmemory = 1\n', encoding="utf-8")
    assert load_scenario(child).feeder == load_scenario(scenario_file).feeder


def test_presets_are_identified_as_before_there_were_files() -> None:
    feeder: dict[str, Any] = identifying_table(load_scenario("textbook"))["feeder"]
    assert set(feeder) == {"name", "limits"}


def test_a_market_runs_on_the_feeder_of_a_file(scenario_file: Path, tmp_path: Path) -> None:
    market = ProsumerMarket(scenario_file, households=40, rng=1)
    market.step()
    feeder = imported(tmp_path)
    assert market.feeder.buses == feeder.buses
    assert market.power_flow is not None
    result = market.power_flow.result
    assert result is not None
    assert result.converged.all()
    assert result.transformer_loading is not None
    assert market.feeder.has_transformer
    assert set(np.unique(market.census.bus)) <= set(np.flatnonzero(feeder.customers).tolist())
    place = tidy_tree(feeder)
    assert len({tuple(spot) for spot in place.tolist()}) == len(feeder.buses)


def test_customers_that_a_file_does_not_count_follow_from_the_peak(tmp_path: Path) -> None:
    file = tmp_path / "feeder.toml"
    file.write_text(TWO_BUSES.replace("customers = 3, ", ""), encoding="utf-8")
    table = read_feeder_file(file)[0]
    assert feeder_of_table(table, peak_reference_kw=2.0).customers.tolist() == [0, 5]
    with pytest.raises(ValueError, match=r"^bus 'b' has no customers; give customers=<number>$"):
        feeder_of_table(table)


TWO_BUSES = """\
kind = "feeder"
source = "a"
buses = [{ name = "a", nominal_kv = 0.4 }, { name = "b", nominal_kv = 0.4, customers = 3, p_kw = 10.0 }]
lines = [{ from_bus = "a", to_bus = "b", r_ohm = 0.1, x_ohm = 0.05 }]
"""
REFUSED = {
    ('kind = "feeder"', 'kind = "fedder"'): 'holds no kind = "feeder", which begins a feeder file',
    ("r_ohm = 0.1", "r_ohm = -0.1"): "lines.0.r_ohm is -0.1; give a number from 0 to ",
    ("r_ohm = 0.1", "rohm = 0.1"): "unknown key 'lines.0.rohm'; did you mean 'lines.0.r_ohm'? (and 1 more)",
    ("nominal_kv = 0.4 }", 'nominal_kv = "0.4" }'): "buses.0.nominal_kv is '0.4'; give a number",
    ('to_bus = "b"', 'to_bus = "c"'): ("an edge 'a'-'c' names bus 'c', which is not among buses; did you mean 'b'?"),
    ('source = "a"', 'source = "z"'): "feeder 'feeder' has no bus 'z'; did you mean 'b'?",
    ('to_bus = "b"', 'to_bus = "a"'): ("the feeder has a loop: a - a; open one edge of it, for a feeder is radial"),
    ("customers = 3", "customers = 0"): (
        "feeder 'feeder' has no customers; give a bus customers >= 1 or a smaller peak_reference_kw"
    ),
    ("lines = [", "lines = {"): "not valid TOML: ",
}


@pytest.mark.parametrize("change", REFUSED, ids=range(len(REFUSED)))
def test_a_feeder_file_that_is_wrong_is_one_line(change: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "feeder.toml").write_text(TWO_BUSES.replace(*change), encoding="utf-8")
    file = tmp_path / "mine.toml"
    file.write_text('extends = "textbook"\n[feeder]\nfile = "feeder.toml"\n', encoding="utf-8")
    with pytest.raises(ValueError) as refused:
        scenario_feeder(load_scenario(file).feeder, peak_reference_kw=1.0)
    said = str(refused.value)
    assert "\n" not in said
    assert said.partition("feeder.toml: ")[2].startswith(REFUSED[change])


def test_the_tables_of_a_scenario_name_one_network(scenario_file: Path) -> None:
    (scenario_file.with_name("net.json")).write_text('{"_object": {}}', encoding="utf-8")
    for feeder, said in {
        'name = "lv_rural"\nfile = "wires/village.toml"': "feeder: name and file are both given; leave one out",
        'file = "wires/town.toml"': "town.toml: file not found; give the path of a feeder file, as `meanwatt import",
        "file = 3": "feeder.file is 3; give a text in quotes",
        'file = "net.json"': "begins a feeder file; turn it into one with `meanwatt import feeder`",
        f'file = "wires/village.toml"\nsha256 = "{64 * "0"}"': "feeder.sha256 is not that of ",
    }.items():
        scenario_file.write_text(f'extends = "textbook"\n[feeder]\n{feeder}\n', encoding="utf-8")
        with pytest.raises(ValueError, match=re.escape(said)):
            load_scenario(scenario_file)


def test_a_file_that_changes_under_a_scenario_is_told(scenario_file: Path) -> None:
    scenario = load_scenario(scenario_file)
    (scenario_file.parent / "wires" / "village.toml").write_text(TWO_BUSES, encoding="utf-8")
    with pytest.raises(ValueError, match=r"village.toml: has changed since the scenario was read; read the scenario"):
        scenario_feeder(scenario.feeder, peak_reference_kw=1.0)


def test_parallel_branches_share_the_current_and_no_graph_holds_them() -> None:
    branch = Branch(kind=BranchKind.TRANSFORMER, from_bus=1, to_bus=0, r_ohm=0.01, x_ohm=0.03, rating_to_a=50.0)
    none = np.zeros(0)
    feeder = Feeder(
        name="two",
        buses=("a", "b"),
        source="a",
        source_voltage_pu=1.0,
        nominal_kv=np.array([0.4, 0.4]),
        p_kw=np.array([0.0, 40.0]),
        q_kvar=np.zeros(2),
        customers=np.array([0, 10]),
        line_from=none,
        line_to=none,
        line_r_ohm=none,
        line_x_ohm=none,
        line_b_us=none,
        line_rating_a=none,
        branches=(branch, branch),
    )
    result = solve_power_flow(feeder, feeder.p_kw[None], feeder.q_kvar[None])
    ampere = 40e3 / (np.sqrt(3) * 400 * result.voltage_pu[0, 1])
    assert result.transformer_loading is not None
    np.testing.assert_allclose(result.transformer_loading, ampere / 2 / 50, rtol=1e-9)
    np.testing.assert_allclose(result.loss_kw, 3 * 0.005 * ampere**2 / 1e3, rtol=1e-9)
    np.testing.assert_allclose(result.source_p_kw, 40 + result.loss_kw, rtol=1e-12)
    with pytest.raises(ValueError, match=r"^feeder 'two' has branches, fixed loads or parallel lines, which no graph"):
        _ = feeder.graph


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"r_ohm": 0.0, "x_ohm": 0.0}, "impedance r_ohm and x_ohm are both 0; make its two buses one"),
        ({"r_ohm": float("nan")}, "impedance r_ohm is nan; give a number"),
        ({"turns": 0.0}, "impedance turns is 0.0; give a positive number, 1 for nominal"),
        ({"rating_to_a": 0.0}, "impedance rating_to_a is 0.0; give a positive current"),
    ],
)
def test_a_branch_that_is_none_is_refused(values: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError) as refused:
        Branch(**{"kind": BranchKind.IMPEDANCE, "from_bus": 0, "to_bus": 1, "r_ohm": 1.0, "x_ohm": 1.0} | values)  # type: ignore[arg-type]
    assert str(refused.value) == said
