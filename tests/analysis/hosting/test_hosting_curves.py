"""Hosting with inverters that answer to their voltage: the level by hand, never earlier than without, off as before."""

from dataclasses import replace
from itertools import product

import networkx as nx
import numpy as np
import pytest
from scenarios import solved
from scipy.optimize import brentq

from meanwatt.agents.numerics.randomness import key_from
from meanwatt.analysis.hosting import stress
from meanwatt.analysis.hosting.adoption import adoption_levels
from meanwatt.analysis.hosting.curves_report import curves_named
from meanwatt.analysis.hosting.figures import hosting_figure
from meanwatt.analysis.hosting.first_violation import measured
from meanwatt.analysis.hosting.judged import judge
from meanwatt.analysis.hosting.report import hosting_json, hosting_tables
from meanwatt.analysis.hosting.stress import CURTAILED, MEASURES, worst_state, worst_state_with_curves
from meanwatt.analysis.hosting.sweep import HostingPlan, mean_loads, solar_loads, sweep
from meanwatt.model.network import droop
from meanwatt.model.network.feeder import Feeder, feeder_from_graph
from meanwatt.model.network.inverter_curves import InverterControl, Inverters, VoltWatt
from meanwatt.model.network.power_flow import Method, PowerFlow
from meanwatt.model.scenario.loading import load_scenario

GROUPS = ("low", "middle", "high")
STIFF = (
    "flexibility=0",
    "battery_levels=5",
    *(f"income_groups.{g}.{key}" for g in GROUPS for key in ("storage_share_of_pv=0", "pv_share=0.3", "use_factor=1")),
)
"""One kind of household that uses what it always uses, and stores nothing: 4 kW of panels, .5 kW of use at noon."""
WATT = ("feeder.volt_watt.enabled=true", "feeder.volt_watt.v1_pu=1.02", "feeder.volt_watt.v2_pu=1.06")
VAR = ("feeder.volt_var.enabled=true",)
HOMES = 60
SUN = {0.6: 4, 0.45: 2, 0.3: 2, 0.15: 2}
"""Hours a day with such a part of the installed power."""
KVAR_PER_KW = np.tan(np.arccos(0.95))


def two_buses(r_ohm: float, x_ohm: float) -> Feeder:
    graph = nx.Graph(name="two_buses")
    graph.add_node("grid", nominal_kv=0.4, source_voltage_pu=1.0)
    graph.add_node("homes", nominal_kv=0.4, p_kw=float(HOMES), customers=HOMES)
    graph.add_edge("grid", "homes", r_ohm=r_ohm, x_ohm=x_ohm, rating_a=400.0)
    return feeder_from_graph(graph)


def plan_of(r_ohm: float, x_ohm: float, *overrides: str, step: float = 0.05) -> HostingPlan:
    return HostingPlan(
        feeder=two_buses(r_ohm, x_ohm),
        scenarios={"filed": load_scenario("textbook", overrides=(*STIFF, *overrides), tariff="filed")},
        levels=adoption_levels(step),
        placements=2,
        key=key_from(3),
    )


def voltage_pu(p_kw: float, q_kvar: float, r_ohm: float, x_ohm: float) -> float:
    """Upper root of V⁴ + V²·(2(r·p + x·q) − 1) + (r² + x²)(p² + q²) = 0 for power drawn."""
    r, x, p, q = r_ohm / 0.16, x_ohm / 0.16, p_kw / 1e3, q_kvar / 1e3
    half = 0.5 - r * p - x * q
    return float(np.sqrt(half + np.sqrt(half**2 - (r**2 + x**2) * (p**2 + q**2))))


def held_back_by_hand(owners: float, part: float, r_ohm: float, x_ohm: float) -> tuple[float, float]:
    """Voltage under a sun of such a part and what inverters hold back, by bracketing. [pu, kW]"""
    use_kw, rated_kw = 0.5 * HOMES, 4 * owners

    def at(output_kw: float) -> float:
        return voltage_pu(use_kw - output_kw, use_kw * KVAR_PER_KW, r_ohm, x_ohm)

    def gap(output_kw: float) -> float:
        limit_kw = rated_kw * float(np.clip(1 - 0.8 * (at(output_kw) - 1.02) / 0.04, 0.2, 1))
        return min(part * rated_kw, limit_kw) - output_kw

    output_kw = brentq(gap, 0.0, part * rated_kw, xtol=1e-12) if owners else 0.0
    return at(output_kw), part * rated_kw - output_kw


@pytest.mark.parametrize(("r_ohm", "x_ohm"), [(0.09, 0.0), (0.09, 0.03), (0.12, 0.05)])
def test_on_two_buses_the_first_violation_with_volt_watt_is_where_brentq_finds_the_curve_cut(
    r_ohm: float, x_ohm: float
) -> None:
    plan = plan_of(r_ohm, x_ohm, *WATT)
    cells = list(sweep(plan))
    table = measured(plan, cells, "filed")
    owners = [3 * np.floor(level * HOMES / 3 + 0.5) for level in plan.levels]  # of each group's twenty homes
    by_hand = [[held_back_by_hand(n, part, r_ohm, x_ohm) for part in SUN] for n in owners]
    highest = [max(1.0, *(voltage for voltage, _ in slots)) for slots in by_hand]
    held_kw = np.array([[held for _, held in slots] for slots in by_hand])
    curtailed = held_kw @ list(SUN.values()) / HOMES
    for placement in range(2):
        assert table["max_voltage_pu_with_curves"][:, placement] == pytest.approx(highest, abs=2e-9)
        assert table[CURTAILED][:, placement] == pytest.approx(curtailed, abs=1e-6)
    assert curtailed[-1] > 0.5
    one = judge(plan, cells)[0]
    assert one.with_curves is not None
    expected = next((level for level, v in zip(plan.levels, highest, strict=True) if v > 1.05), np.inf)
    assert one.with_curves.first["overvoltage"].tolist() == [expected, expected]
    assert (one.first["overvoltage"] < expected).all()


@pytest.mark.parametrize(("r_ohm", "x_ohm"), [*product((0.06, 0.15, 0.4), (0.0, 0.06))])
@pytest.mark.parametrize("curves", [WATT, VAR, (*WATT, *VAR)], ids=["watt", "var", "both"])
def test_curves_never_make_the_overvoltage_come_earlier(r_ohm: float, x_ohm: float, curves: tuple[str, ...]) -> None:
    plan = plan_of(r_ohm, x_ohm, *curves, step=0.25)
    one = judge(plan, list(sweep(plan)))[0]
    assert one.with_curves is not None
    assert (one.with_curves.first["overvoltage"] >= one.first["overvoltage"]).all()
    assert (one.with_curves.table["max_voltage_pu"] <= one.table["max_voltage_pu"] + 1e-8).all()
    assert (one.table[CURTAILED] >= 0).all()


def test_what_is_found_without_curves_is_the_same_to_the_bit_whether_they_are_asked_for_or_not() -> None:
    off, on = plan_of(0.09, 0.03, step=0.5), plan_of(0.09, 0.03, *WATT, *VAR, step=0.5)
    plain, curved = list(sweep(off)), list(sweep(on))
    for a, b in zip(plain, curved, strict=True):
        assert tuple(a.measured) == MEASURES
        assert tuple(b.measured) == on.measures
        for name in MEASURES:
            assert np.array_equal(a.measured[name], b.measured[name], equal_nan=True)
    without, said = hosting_json(off, plain), hosting_json(on, curved)
    assert without["volt_watt"] is None
    assert repr(said["tariffs"]) == repr(without["tariffs"])
    assert said["first_violation"] == said["volt_watt"]["first_violation_without"] == without["first_violation"]
    assert set(hosting_tables(off, plain)["first_violation"]) == {"tariff", "placement", *stress.KINDS, "any"}


def test_the_object_has_the_curves_and_first_violations_beside_each_other() -> None:
    plan = plan_of(0.13, 0.0, *WATT, step=0.25)
    cells = list(sweep(plan))
    said = hosting_json(plan, cells)["volt_watt"]
    assert said["volt_watt"]["v1_pu"] == 1.02
    assert said["volt_var"] is None
    assert curves_named(said) == "volt-watt"
    row = said["tariffs"][0]
    for name in ("first_violation", "first_violation_without", CURTAILED):
        assert said[name] == row[name]
    assert row["first_violation_without"]["overvoltage"] == {"p5": 0.75, "p50": 0.75, "p95": 0.75}
    assert row["first_violation"]["overvoltage"] == {"p5": 1.0, "p50": 1.0, "p95": 1.0}
    assert row["beside_without"]["overvoltage"] == {"later": 2, "same": 0, "earlier": 0, "gain": 0.25}
    assert len(row[CURTAILED]["p50"]) == 5
    assert row[CURTAILED]["p50"][0] == 0
    tables = hosting_tables(plan, cells)
    assert tables["first_violation"]["overvoltage_with_curves"] == [1.0, 1.0]
    assert len(tables["states"][CURTAILED]) == 10


def roof(available_kw: list[float]) -> Inverters:
    """Solar at the second bus, rated at the first slot's output."""
    return Inverters(
        bus=np.array([1]),
        rated_kw=np.array(available_kw[:1]),
        available_kw=np.array(available_kw)[:, None],
        can_charge=np.array([False]),
    )


def test_slots_in_which_curves_and_voltages_do_not_agree_are_no_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search is broken off early: what is not solved is never shown as a voltage, nor as energy held back."""
    monkeypatch.setattr(droop, "MOST_FLOWS", 1)
    monkeypatch.setattr(droop, "MOST_STEPS", 1)
    net_kw = np.array([[0.0, -100.0], [0.0, -1.0]])
    flow, control = PowerFlow(two_buses(0.2, 0.05)), InverterControl(volt_watt=VoltWatt())
    worst, held_kw = worst_state_with_curves(flow, np.zeros((2, 2)), net_kw, roof([100.0, 1.0]), control)
    assert worst.unsolved_slots == 1
    assert held_kw.tolist() == [0.0, 0.0]
    assert worst.max_voltage_pu == pytest.approx(voltage_pu(-1.0, 0.0, 0.2, 0.05), abs=1e-8)


def test_export_whose_power_flow_ends_on_the_lower_branch_is_no_state_and_volt_watt_finds_one() -> None:
    flow = PowerFlow(two_buses(1.5, 0.1), method=Method.NEWTON_RAPHSON)
    net_kw, nothing = np.array([[0.0, -200.0]]), np.zeros((1, 2))
    plain = worst_state(flow, nothing, net_kw)
    assert plain.unsolved_slots == 1
    assert np.isnan(plain.max_voltage_pu)
    control = InverterControl(volt_watt=VoltWatt())
    curved, held_kw = worst_state_with_curves(flow, nothing, net_kw, roof([200.0]), control)
    assert curved.unsolved_slots == 0
    assert curved.max_voltage_pu == pytest.approx(voltage_pu(-40.0, 0.0, 1.5, 0.1), abs=1e-9)
    assert held_kw == pytest.approx([160.0], abs=1e-6)


def test_levels_whose_curves_have_no_answer_are_told() -> None:
    plan = plan_of(0.09, 0.0, *WATT, step=0.5)
    cells = list(sweep(plan))
    lost = cells[1].measured | {"unsolved_slots_with_curves": np.array([0.0, 2.0])}
    told = hosting_json(plan, [cells[0], replace(cells[1], measured=lost), cells[2]])
    assert (
        "tariff filed: with feeder.volt_watt, volt_var some slots have no state that agrees with the curves at"
        " adoption 50%; they count as no_state, and nothing is held back in them."
    ) in told["messages"]
    assert told["volt_watt"]["first_violation"]["no_state"]["p5"] == 0.5
    assert told["volt_watt"]["first_violation_without"]["no_state"]["p5"] is None


def test_loads_with_sun_are_those_without_and_last_a_day() -> None:
    found = solved("textbook", "filed", "battery_levels=5")
    loads, (use_kw, net_load_kw) = solar_loads(found), mean_loads(found)
    economy = found.economy
    assert np.array_equal(np.unique(loads.net_load_kw, axis=0), np.unique(net_load_kw, axis=0))
    assert np.array_equal(np.unique(loads.use_kw, axis=0), np.unique(use_kw, axis=0))
    assert loads.hours_per_day.sum() == pytest.approx(24.0, abs=1e-12)
    sun = np.stack([one.pv_kw for one in economy.types])
    daily = np.einsum("t,c,tch->", economy.type_share, economy.common.probability, sun) * economy.slot_hours
    lost = found.curtailed_kwh_per_household_day
    assert loads.hours_per_day @ loads.sun_kw @ economy.type_share == pytest.approx(daily - lost, abs=1e-9)


def test_the_figure_draws_what_the_curves_leave_dashed_beside_the_solid_line_without() -> None:
    plan = plan_of(0.13, 0.0, *WATT, step=0.25)
    judged = judge(plan, list(sweep(plan)))
    panel = hosting_figure(plan, judged).axes[0]
    without, curved = panel.get_lines()
    assert [line.get_linestyle() for line in (without, curved)] == ["-", "--"]
    assert [text.get_text() for text in panel.get_legend().get_texts()] == ["filed, without", "filed, with curves"]
    assert np.asarray(without.get_ydata()).tolist() == [0, 0, 0, 100, 100]
    assert np.asarray(curved.get_ydata()).tolist() == [0, 0, 0, 0, 100]
