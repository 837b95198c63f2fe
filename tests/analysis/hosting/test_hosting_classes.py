"""Hosting capacity under rate classes: every home draws what its own class's rates make of it, at every level."""

from collections.abc import Mapping
from functools import cache

import networkx as nx
import numpy as np
import pytest

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.randomness import key_from
from meanwatt.analysis.hosting.adoption import Swept, empty_classes, owner_shares, present_shares, scenario_at
from meanwatt.analysis.hosting.placements import home_technology
from meanwatt.analysis.hosting.report import hosting_json
from meanwatt.analysis.hosting.stress import MEASURES, worst_state
from meanwatt.analysis.hosting.sweep import Cell, HostingPlan, Neighbourhood, sweep
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.network.feeder import Feeder, feeder_from_graph
from meanwatt.model.network.power_flow import PowerFlow
from meanwatt.model.scenario.economy import build_economy, build_rate_classes
from meanwatt.model.scenario.loading import ScenarioError, load_scenario
from meanwatt.model.scenario.schema import Scenario
from meanwatt.model.scenario.technologies import TECHNOLOGIES

GROUPS = ("low", "middle", "high")
SMALL = {
    "battery_levels": 4,
    "tariffs.rtp.recovery": "volumetric",
    "carbon.usd_per_t": 0.0,
    **{f"income_groups.{group}.storage_share_of_pv": 0.0 for group in GROUPS},
    **{f"income_groups.{group}.pv_share": 0.3 for group in GROUPS},
}
SOLAR = {"tariff": "rtp", "technologies": ["pv", "pv_battery"]}
LEVELS = (0.0, 0.5, 1.0)


def with_solar_class(changes: Mapping[str, object], default: str = "flat") -> Scenario:
    """The textbook, its solar homes in a class of their own."""
    scenario = load_scenario("textbook", overrides=SMALL, tariff=default)
    whole = scenario.model_dump() | {"rate_classes": {"solar": {**SOLAR, **changes}}}
    return load_scenario(Scenario.model_validate(whole))


def street(homes: int = 8) -> Feeder:
    graph = nx.Graph(name="street")
    graph.add_node("grid", nominal_kv=0.4, source_voltage_pu=1.0)
    before = "grid"
    for number in range(homes):
        graph.add_node(f"home{number}", nominal_kv=0.4, p_kw=1.0, customers=1)
        graph.add_edge(before, f"home{number}", r_ohm=0.05, x_ohm=0.01, rating_a=100.0)
        before = f"home{number}"
    return feeder_from_graph(graph)


@cache
def plan() -> HostingPlan:
    parted = with_solar_class({})
    return HostingPlan(
        feeder=street(),
        scenarios={
            "classes": parted,
            "alike": with_solar_class({}, default="rtp"),
            "flat": load_scenario(parted, tariff="flat"),
            "rtp": load_scenario(parted, tariff="rtp"),
        },
        levels=LEVELS,
        placements=2,
        key=key_from(5),
    )


@cache
def swept() -> dict[tuple[str, int], Cell]:
    return {(cell.tariff, cell.level): cell for cell in sweep(plan())}


def alike(one: Cell, other: Cell) -> bool:
    return all(np.array_equal(one.measured[name], other.measured[name], equal_nan=True) for name in MEASURES)


def test_every_level_has_an_equilibrium_whoever_is_there() -> None:
    assert {cell.outcome for cell in swept().values()} == {Outcome.CONVERGED}


def test_a_class_with_everybodys_tariff_gives_the_sweep_without_classes_bit_for_bit() -> None:
    for level in range(len(LEVELS)):
        assert alike(swept()["alike", level], swept()["rtp", level])


def test_where_one_class_holds_everybody_its_tariff_is_the_one_tariff() -> None:
    last = len(LEVELS) - 1
    assert alike(swept()["classes", 0], swept()["flat", 0])
    assert alike(swept()["classes", last], swept()["rtp", last])
    assert not alike(swept()["classes", 1], swept()["flat", 1])
    assert not alike(swept()["classes", 1], swept()["rtp", 1])


@cache
def written_out() -> Equilibrium:
    """Half of every income group owns solar, and the classes hold: what `solve` makes of such a file."""
    scenario = load_scenario(
        plan().scenarios["classes"], overrides={f"income_groups.{group}.pv_share": 0.5 for group in GROUPS}
    )
    return solve_equilibrium(build_economy(scenario), build_rate_classes(scenario), certify=False)


def home_loads(found: Equilibrium, placement: int) -> Floats:
    """Net load of every bus in every common state and slot, home by home, (c, h, bus). [kW]"""
    economy, asked = found.economy, plan()
    homes = Neighbourhood(asked).placements[placement]
    technology = home_technology(homes, scenario_at(asked.scenario, Swept.SOLAR, 0.5))
    kw = np.zeros((len(economy.common.probability), economy.slots, len(asked.feeder.buses)))
    for home, bus in enumerate(homes.bus):
        for place, own in enumerate(economy.types):
            if (own.technology, own.group) == (TECHNOLOGIES[technology[home]].name, homes.group[home]):
                kw[:, :, bus] += found.type_net_load_kw[place]
    return kw


@pytest.mark.parametrize("placement", [0, 1])
def test_voltages_are_those_of_homes_that_each_follow_their_own_class(placement: int) -> None:
    """Slot by slot and home by home from the equilibrium of the scenario written out; reactive power of use beside."""
    found, flow = written_out(), PowerFlow(plan().feeder)
    use_kw = home_loads(found, placement)
    sun = {(own.technology, own.group): own.pv_kw for own in found.economy.types}
    homes = Neighbourhood(plan()).placements[placement]
    technology = home_technology(homes, scenario_at(plan().scenario, Swept.SOLAR, 0.5))
    net_kw = use_kw.copy()
    for home, bus in enumerate(homes.bus):
        use_kw[:, :, bus] += sun[TECHNOLOGIES[technology[home]].name, int(homes.group[home])]
    occurs = found.economy.common.probability > 0
    buses = use_kw.shape[2]
    worst = worst_state(flow, use_kw[occurs].reshape(-1, buses), net_kw[occurs].reshape(-1, buses))
    cell = swept()["classes", 1]
    for name in ("max_voltage_pu", "min_voltage_pu", "line_loading"):
        assert cell.measured[name][placement] == pytest.approx(getattr(worst, name), abs=1e-9)


def test_shares_of_the_level_are_those_written_out() -> None:
    share, present = present_shares(plan().scenario, Swept.SOLAR)
    assert owner_shares(0.5, share, present) == pytest.approx(np.full(3, 0.5), abs=1e-15)


def test_classes_without_homes_are_named_and_the_object_says_who_has_what() -> None:
    told = hosting_json(plan(), list(swept().values()))
    rows = {row["tariff"]: row["rate_classes"] for row in told["tariffs"]}
    assert rows["classes"] == [{"name": "default", "tariff": "flat"}, {"name": "solar", "tariff": "rtp"}]
    assert rows["flat"] == [{"name": "default", "tariff": "flat"}]
    for text in (
        "tariff classes: rate class default holds nobody at adoption 100%, and is left out there: the other classes"
        " alone balance the utility.",
        "tariff classes: rate class solar holds nobody at adoption 0%, and is left out there: the other classes alone"
        " balance the utility.",
    ):
        assert text in told["messages"]
    assert not any("tariff flat: rate class" in text for text in told["messages"])
    assert empty_classes(plan().scenarios["classes"], Swept.SOLAR, 0.5) == ()
    assert empty_classes(plan().scenarios["rtp"], Swept.SOLAR, 0.0) == ()


def test_homes_that_choose_their_class_are_refused_in_one_line() -> None:
    chosen = with_solar_class({"opt_in_share": 0.2})
    with pytest.raises(
        ScenarioError, match=r"rate_classes\.solar has an opt_in_share, which only solve, adoption and allot"
    ):
        HostingPlan(feeder=street(), scenarios={"chosen": chosen}, levels=LEVELS, placements=1, key=key_from(1))
