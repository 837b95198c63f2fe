"""Hosting capacity: placements are nested, the sweep agrees with voltages by hand, answers are order statistics."""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenarios import solved

from meanwatt.agents.numerics.randomness import key_from
from meanwatt.analysis.hosting.adoption import (
    Swept,
    adoption_levels,
    owner_shares,
    present_shares,
    require_adoptable,
    scenario_at,
)
from meanwatt.analysis.hosting.first_violation import (
    compared,
    first_violation,
    measured,
    percentiles,
    violation_share,
    violations,
)
from meanwatt.analysis.hosting.judged import judge
from meanwatt.analysis.hosting.placements import Incomes, home_technology, place_homes, type_counts
from meanwatt.analysis.hosting.report import hosting_json
from meanwatt.analysis.hosting.stress import MEASURES, worst_state
from meanwatt.analysis.hosting.sweep import Cell, HostingPlan, Neighbourhood, mean_loads, sweep
from meanwatt.model.mean_field.equilibrium import Outcome
from meanwatt.model.network.feeder import Feeder, feeder_from_graph
from meanwatt.model.network.power_flow import PowerFlow, VoltageLimits
from meanwatt.model.scenario.economy import build_economy
from meanwatt.model.scenario.loading import load_scenario
from meanwatt.model.scenario.schema import Scenario
from meanwatt.model.scenario.technologies import TECHNOLOGIES, technology_shares

GROUPS = ("low", "middle", "high")
STIFF = ("flexibility=0", "battery_levels=5", *(f"income_groups.{g}.storage_share_of_pv=0" for g in GROUPS))
"""Households that use what they always use, and store nothing: a home's day is known by hand."""
EQUAL = tuple(f"income_groups.{g}.{key}" for g in GROUPS for key in ("pv_share=0.3", "use_factor=1"))
"""One kind of household, three times."""
EXPORT_KW = 4 * 0.6 - 0.5
"""What a textbook home with 4 kW of panels sells from 10 to 14 o'clock."""
EVENING_KW = 1.0
KVAR_PER_KW = np.tan(np.arccos(0.95))


@cache
def textbook(*overrides: str, tariff: str = "filed") -> Scenario:
    return load_scenario("textbook", overrides=overrides, tariff=tariff)


def two_buses(homes: int, r_ohm: float, x_ohm: float = 0.0) -> Feeder:
    graph = nx.Graph(name="two_buses")
    graph.add_node("grid", nominal_kv=0.4, source_voltage_pu=1.0)
    graph.add_node("homes", nominal_kv=0.4, p_kw=float(homes), customers=homes)
    graph.add_edge("grid", "homes", r_ohm=r_ohm, x_ohm=x_ohm)
    return feeder_from_graph(graph)


def street(impedance: float = 1.0, kva: float = 60.0) -> Feeder:
    """Sixteen homes on two cables behind a transformer."""
    graph = nx.Graph(name="street")
    graph.add_node("grid", nominal_kv=20.0, source_voltage_pu=1.0)
    graph.add_node("station", nominal_kv=0.4)
    graph.add_edge("grid", "station", kva=kva, uk=0.04, pk_kw=0.01 * kva)
    for cable in "ab":
        before = "station"
        for number in range(8):
            graph.add_node(f"{cable}{number}", nominal_kv=0.4, p_kw=1.0, customers=1)
            r_ohm, x_ohm = 0.12 * impedance, 0.04 * impedance
            graph.add_edge(before, f"{cable}{number}", r_ohm=r_ohm, x_ohm=x_ohm, rating_a=120.0)
            before = f"{cable}{number}"
    return feeder_from_graph(graph)


def plan_of(feeder: Feeder, scenario: Scenario | None = None, **changes: object) -> HostingPlan:
    settings = {
        "feeder": feeder,
        "scenarios": {"filed": textbook(*STIFF) if scenario is None else scenario},
        "levels": adoption_levels(0.25),
        "placements": 6,
        "key": key_from(3),
    }
    return HostingPlan(**settings | changes)  # type: ignore[arg-type]


@cache
def street_cells(impedance: float = 1.0, kva: float = 60.0) -> tuple[HostingPlan, tuple[Cell, ...]]:
    plan = plan_of(street(impedance, kva), levels=adoption_levels(0.125))
    return plan, tuple(sweep(plan))


def two_bus_voltage(p_kw: float, q_kvar: float, r_ohm: float, x_ohm: float) -> float:
    """Upper root of v⁴ + v²·(2(r·p + x·q) − 1) + (r² + x²)(p² + q²) = 0, all in per unit of 1 MVA and 0.4 kV."""
    r, x, p, q = r_ohm / 0.16, x_ohm / 0.16, p_kw / 1000, q_kvar / 1000
    b, c = 2 * (r * p + x * q) - 1, (r * r + x * x) * (p * p + q * q)
    return float(np.sqrt((-b + np.sqrt(b * b - 4 * c)) / 2))


@pytest.mark.parametrize(("r_ohm", "x_ohm"), [(0.09, 0.0), (0.09, 0.03), (0.2, 0.1)])
def test_on_two_buses_the_first_violation_is_the_one_by_hand(r_ohm: float, x_ohm: float) -> None:
    homes = 60
    scenario = textbook(*STIFF, *EQUAL)
    plan = plan_of(two_buses(homes, r_ohm, x_ohm), scenario, levels=adoption_levels(0.05), placements=2)
    table = measured(plan, list(sweep(plan)), "filed")
    by_hand = []
    for level in plan.levels:
        owners = 3 * np.floor(level * homes / 3 + 0.5)  # of each group's twenty homes
        noon_kw = 0.5 * homes - 4 * 0.6 * owners
        high = two_bus_voltage(noon_kw, 0.5 * homes * KVAR_PER_KW, r_ohm, x_ohm)
        night = two_bus_voltage(0.5 * homes, 0.5 * homes * KVAR_PER_KW, r_ohm, x_ohm)
        by_hand.append(max(high, night, 1.0))  # 1 at the source
    for placement in range(2):  # all homes are on one bus
        assert table["max_voltage_pu"][:, placement] == pytest.approx(by_hand, abs=1e-9)
    low = two_bus_voltage(EVENING_KW * homes, EVENING_KW * homes * KVAR_PER_KW, r_ohm, x_ohm)
    assert table["min_voltage_pu"] == pytest.approx(np.full(table["min_voltage_pu"].shape, low), abs=1e-9)
    first = first_violation(plan.levels, violations(plan, table)["overvoltage"])
    expected = next((level for level, v in zip(plan.levels, by_hand, strict=True) if v > 1.05), np.inf)
    assert first.tolist() == [expected, expected]
    assert 0 < expected < np.inf


def test_doubling_the_impedance_of_all_lines_never_raises_hosting() -> None:
    firsts = []
    for impedance in (0.5, 1.0, 2.0, 4.0):
        plan, cells = street_cells(impedance)
        firsts.append(judge(plan, cells)[0].first)
    for stiff, weak in pairwise(firsts):
        for kind in ("overvoltage", "undervoltage"):
            assert (weak[kind] <= stiff[kind]).all()
    assert (firsts[-1]["overvoltage"] < firsts[0]["overvoltage"]).all()


def test_more_adoption_raises_the_highest_voltage_of_households_that_do_not_respond() -> None:
    plan, cells = street_cells()
    highest = measured(plan, cells, "filed")["max_voltage_pu"]
    assert (np.diff(highest, axis=0) >= -1e-12).all()
    assert (highest[-1] > highest[0] + 0.01).all()


def test_an_overloaded_feeder_is_in_violation_at_zero_and_says_so() -> None:
    plan, cells = street_cells(1.0, 12.0)  # sixteen homes of 1 kW in the evening, behind 12 kVA
    said = hosting_json(plan, cells)
    assert said["first_violation"]["transformer"] == {"p5": 0.0, "p50": 0.0, "p95": 0.0}
    assert said["tariffs"][0]["violation_share"]["transformer"][0] == 1.0
    assert (
        "tariff filed: transformer is violated at adoption 0 already, in 100% of placements; the first violation of"
        " that kind says nothing about what is swept."
    ) in said["messages"]


def test_a_load_that_no_state_carries_is_a_kind_of_its_own() -> None:
    feeder = two_buses(10, 0.5)
    draw = np.zeros((2, 2))
    draw[1, 1] = 500.0
    worst = worst_state(PowerFlow(feeder), np.zeros((2, 2)), draw)
    assert worst.unsolved_slots == 1
    assert worst.max_voltage_pu == worst.min_voltage_pu == pytest.approx(1.0, abs=1e-12)
    assert np.isnan(worst.line_loading)  # no line is rated
    assert np.isnan(worst.transformer_loading)
    plan = plan_of(feeder, levels=(0.0, 1.0), placements=1)
    cell = Cell(
        tariff="filed",
        level=0,
        outcome=Outcome.CONVERGED,
        message="",
        measured={name: np.array([getattr(worst, name)]) for name in MEASURES},
    )
    broken = violations(plan, measured(plan, [cell], "filed"))
    assert broken["no_state"][0] == broken["any"][0] == 1
    assert broken["overvoltage"][0] == 0
    assert np.isnan(broken["transformer"]).all()
    assert np.isnan(broken["any"][1])  # never computed
    assert violation_share(broken["any"]) == [1.0, None]


def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads() -> None:
    plan = plan_of(street(), levels=(0.0, 0.5, 1.0), placements=7)
    one, three = (list(sweep(replace(plan, threads=threads))) for threads in (1, 3))
    for a, b in zip(one, three, strict=True):
        assert (a.tariff, a.level, a.message) == (b.tariff, b.level, b.message)
        for name in MEASURES:
            assert np.array_equal(a.measured[name], b.measured[name], equal_nan=True)
    other = list(sweep(replace(plan, key=key_from(4))))
    assert not np.array_equal(one[1].measured["max_voltage_pu"], other[1].measured["max_voltage_pu"])


def test_more_placements_keep_the_earlier_ones() -> None:
    plan = plan_of(street(), levels=(0.0, 0.5, 1.0), placements=3)
    few, many = (list(sweep(replace(plan, placements=count))) for count in (3, 8))
    for a, b in zip(few, many, strict=True):
        for name in MEASURES:
            assert np.array_equal(a.measured[name], b.measured[name][:3], equal_nan=True)


def test_a_sweep_goes_on_where_it_stopped() -> None:
    plan = plan_of(street(), levels=(0.0, 0.5, 1.0), placements=2)
    whole = list(sweep(plan))
    rest = list(sweep(plan, whole[:2]))
    assert [cell.level for cell in rest] == [2]
    assert np.array_equal(rest[0].measured["max_voltage_pu"], whole[2].measured["max_voltage_pu"])


@given(
    st.lists(st.floats(0, 1), min_size=3, max_size=3),
    st.lists(st.floats(0.05, 1), min_size=3, max_size=3),
    st.lists(st.floats(0, 1), min_size=2, max_size=2),
)
def test_shares_of_owners_average_to_the_adoption_and_never_fall(
    present: list[float], weight: list[float], adoption: list[float]
) -> None:
    own = np.where(np.array(present) < 1e-6, 0.0, present)
    share = np.array(weight) / sum(weight)
    low, high = (owner_shares(level, share, own) for level in sorted(adoption))
    for level, shares in zip(sorted(adoption), (low, high), strict=True):
        assert share @ shares == pytest.approx(level, abs=1e-9)
        assert ((shares >= 0) & (shares <= 1)).all()
    assert (low <= high + 1e-12).all()


def test_today_s_adoption_gives_today_s_shares_and_scenario() -> None:
    scenario = load_scenario("oahu")
    share, present = present_shares(scenario, Swept.SOLAR)
    assert owner_shares(float(share @ present), share, present) == pytest.approx(present, abs=1e-12)
    again = scenario_at(scenario, Swept.SOLAR, float(share @ present))
    for name, group in scenario.income_groups.items():
        assert technology_shares(again, again.income_groups[name]) == pytest.approx(technology_shares(scenario, group))


def test_levels_run_from_none_to_all() -> None:
    assert adoption_levels(0.25) == (0.0, 0.25, 0.5, 0.75, 1.0)
    assert adoption_levels(0.3) == (0.0, 0.3, 0.6, 0.9, 1.0)
    assert adoption_levels(1.0) == (0.0, 1.0)
    assert len(adoption_levels(0.001)) == 1001


@pytest.mark.parametrize("swept", Swept)
def test_placements_are_nested_and_as_full_as_the_shares_say(swept: Swept) -> None:
    scenario = load_scenario(
        "oahu",
        overrides=[f"income_groups.{g}.{key}" for g in GROUPS for key in ("ev_share=0.2", "battery_only_share=0.1")],
    )
    customers = np.array([0, 7, 1, 40, 52])
    share = present_shares(scenario, swept)[0]
    solar = np.array([technology.solar for technology in TECHNOLOGIES])
    car = np.array([technology.levels_key == "ev.levels" for technology in TECHNOLOGIES])
    owns = solar if swept is Swept.SOLAR else car
    for placement in range(3):
        homes = place_homes(customers, share, key_from(1), placement)
        assert np.array_equal(np.bincount(homes.bus, minlength=5), customers)
        before = np.zeros(100, dtype=bool)
        for level in adoption_levels(0.1):
            at = scenario_at(scenario, swept, level)
            technology = home_technology(homes, at)
            now = owns[technology]
            assert (now >= before).all()
            before = now
            for index, (name, group) in enumerate(at.income_groups.items()):
                there = homes.group == index
                if swept is Swept.SOLAR:
                    owners = solar[technology[there]].sum()
                    assert abs(owners - group.pv_share * there.sum()) <= 0.5 + 1e-9, (name, level)
            types = build_economy(at).types
            assert type_counts(homes, at, types, 5).sum(axis=0).tolist() == customers.tolist()
            assert (type_counts(homes, at, types, 5).sum(axis=1) >= 0).all()


def test_over_placements_every_technology_is_as_frequent_as_its_share() -> None:
    scenario = load_scenario(
        "oahu",
        overrides=[f"income_groups.{g}.{key}" for g in GROUPS for key in ("ev_share=0.3", "battery_only_share=0.2")],
    )
    customers, share = np.full(4, 10), present_shares(scenario, Swept.SOLAR)[0]
    runs, counts = 400, np.zeros((3, len(TECHNOLOGIES)))
    for placement in range(runs):
        homes = place_homes(customers, share, key_from(2), placement)
        np.add.at(counts, (homes.group, home_technology(homes, scenario)), 1 / runs)
    for index, group in enumerate(scenario.income_groups.values()):
        there = counts[index].sum()
        own = technology_shares(scenario, group)
        solar = [technology.solar for technology in TECHNOLOGIES]
        rounded = np.floor(group.pv_share * there + 0.5) / there  # whole owners
        wanted = np.array([*own.values()]) * np.where(
            solar, rounded / group.pv_share, (1 - rounded) / (1 - group.pv_share)
        )
        # below four standard errors of independent draws, which sequences that spread evenly do not reach
        assert counts[index] == pytest.approx(wanted * there, abs=4 * np.sqrt(there / 4 / runs))


def test_a_home_keeps_its_battery_when_others_adopt() -> None:
    scenario = load_scenario("oahu")
    homes = place_homes(np.full(10, 20), present_shares(scenario, Swept.SOLAR)[0], key_from(9), 0)
    names = np.array([technology.name for technology in TECHNOLOGIES])
    at = [names[home_technology(homes, scenario_at(scenario, Swept.SOLAR, level))] for level in (0.3, 0.6, 1.0)]
    for fewer, more in pairwise(at):
        for name in ("pv", "pv_battery"):
            assert (more[fewer == name] == name).all()
    assert (at[-1] == "pv_battery").mean() == pytest.approx(0.35, abs=0.02)


def test_homes_stand_anywhere_alike() -> None:
    """Over placements every home adopts first, tenth and last about equally often: a chi-squared of 19 degrees."""
    draws = np.array([place_homes(np.full(4, 5), np.ones(1), key_from(5), k).solar_draw for k in range(2000)])
    first = np.bincount(draws.argmin(axis=1), minlength=20)
    chi_squared = ((first - 100.0) ** 2 / 100.0).sum()
    assert chi_squared < 43.8  # exceeded by chance once in a thousand


def test_the_rich_live_at_the_end_that_is_asked_for_and_adopt_at_random() -> None:
    scenario = textbook(*STIFF)
    share = present_shares(scenario, Swept.SOLAR)[0]
    at_end = {}
    for incomes in Incomes:
        plan = plan_of(two_cable := street(), scenario, incomes=incomes, placements=40)
        away = np.array([int(name[1:]) if name[1:].isdigit() else -1 for name in two_cable.buses])
        drawn = Neighbourhood(plan).placements
        groups = np.array([homes.group for homes in drawn])
        assert (np.sort(groups, axis=1) == np.sort(groups[0])).all()  # as many of each everywhere
        distance = np.array([[away[homes.bus[homes.group == g]].mean() for g in range(3)] for homes in drawn])
        at_end[incomes] = distance.mean(axis=0)
        if incomes is not Incomes.MIXED:
            sign = 1 if incomes is Incomes.FAR else -1
            assert (np.diff(sign * distance, axis=1) > 0).all()
            first = [homes.bus[np.argmin(np.where(homes.group == 2, homes.solar_draw, 2.0))] for homes in drawn]
            assert len(set(first)) > 3  # the first of the rich to adopt
    assert np.ptp(at_end[Incomes.MIXED]) < 1
    assert share.sum() == pytest.approx(1.0)


def test_a_rich_end_that_adopts_first_breaks_limits_earlier_than_a_rich_beginning() -> None:
    """Rich homes own more panels today: at the weak end of a cable they raise its voltage more."""
    first = {}
    for incomes in (Incomes.FAR, Incomes.NEAR):
        plan = plan_of(street(1.5), incomes=incomes, levels=adoption_levels(0.1))
        first[incomes] = judge(plan, list(sweep(plan)))[0].first["overvoltage"]
    assert (first[Incomes.FAR] <= first[Incomes.NEAR]).all()
    assert (first[Incomes.FAR] < first[Incomes.NEAR]).any()


def test_mean_loads_are_those_of_the_equilibrium() -> None:
    found = solved("textbook", "filed", "battery_levels=5")
    use, net = mean_loads(found)
    share = found.economy.type_share
    assert np.sort(net @ share) == pytest.approx(np.unique(found.net_load_kw), abs=1e-12)
    assert len(use) <= 24
    stiff = solved("textbook", "filed", *STIFF)
    use, net = mean_loads(stiff)
    rows = {tuple(np.round(row, 9)) for row in np.hstack([use, net])}
    expected = {
        tuple(np.round([*(t.reference_kw[0, h] for t in stiff.economy.types), *stiff.type_net_load_kw[:, 0, h]], 9))
        for h in range(24)
    }
    assert rows == expected


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_percentiles_are_the_order_statistics_of_numpy(values: list[float]) -> None:
    found = percentiles(np.array(values))
    for p in (5, 50, 95):
        assert found[f"p{p}"] == np.percentile(values, p, method="inverted_cdf")


def test_placements_without_a_violation_come_last() -> None:
    assert percentiles(np.array([0.2, np.inf, 0.4, np.inf])) == {"p5": 0.2, "p50": 0.4, "p95": None}
    assert percentiles(np.array([np.inf])) == {"p5": None, "p50": None, "p95": None}


def test_a_first_violation_is_found_though_it_goes_away_again() -> None:
    broken = np.array([[0, 0, np.nan], [1, 0, 0], [0, 0, 1.0]])
    assert first_violation((0.0, 0.5, 1.0), broken).tolist() == [0.5, np.inf, 1.0]


def test_tariffs_are_compared_placement_by_placement() -> None:
    first, reference = np.array([0.5, np.inf, 0.2, 0.4]), np.array([0.4, 0.9, 0.2, 0.6])
    said = compared(first, reference, (0.0, 1.0))
    assert said == {"later": 2, "same": 1, "earlier": 1, "gain": pytest.approx(0.05)}
    never = np.full(4, np.inf)
    assert compared(never, never, (0.0, 1.0)) == {"later": 0, "same": 4, "earlier": 0, "gain": None}


def test_a_level_without_an_equilibrium_is_left_out_and_told() -> None:
    plan, cells = street_cells()
    lost = [
        replace(cell, outcome=Outcome.NO_ADEQUATE_TARIFF, message="No tariff.", measured={}) if cell.level > 6 else cell
        for cell in cells
    ]
    said = hosting_json(plan, lost)
    assert said["outcome"] == Outcome.NO_ADEQUATE_TARIFF
    assert said["message"] == "2 of 9 levels have no equilibrium to judge the feeder by."
    assert "tariff filed: left out at adoption 88%, 100%, for there is no equilibrium: No tariff." in said["messages"]
    row = said["tariffs"][0]
    assert row["violation_share"]["any"][7:] == [None, None]
    assert row["max_voltage_pu"]["p50"][7:] == [None, None]
    assert row["outcome"][7:] == [Outcome.NO_ADEQUATE_TARIFF] * 2
    broken_off = hosting_json(plan, cells[:4])
    assert broken_off["outcome"] == Outcome.CANCELLED
    assert broken_off["message"] == "Cancelled after 4 of 9 equilibria."
    assert broken_off["tariffs"][0]["outcome"][4:] == [None] * 5


def test_cars_draw_more_in_the_evening_the_more_there_are() -> None:
    scenario = textbook(*STIFF, "ev.levels=10", *(f"income_groups.{g}.ev_share=0.1" for g in GROUPS))
    plan = plan_of(street(2.0), scenario, levels=(0.0, 0.5, 1.0), placements=2, swept=Swept.CARS)
    table = measured(plan, list(sweep(plan)), "filed")
    assert (np.diff(table["min_voltage_pu"], axis=0) < 0).all()
    assert (np.diff(table["transformer_loading"], axis=0) > 0).all()


def test_limits_are_those_of_the_scenario() -> None:
    assert plan_of(street()).limits is VoltageLimits.ANSI_C84_1
    wide = plan_of(street(), textbook(*STIFF, "feeder.limits=en_50160"))
    assert wide.limits is VoltageLimits.EN_50160
    plan, cells = street_cells(2.0)
    strict, loose = (
        judge(replace(plan, scenarios=one.scenarios), cells)[0].first["overvoltage"] for one in (plan, wide)
    )
    assert (strict <= loose).all()
    assert (strict < loose).any()


def test_panels_without_a_size_cannot_be_swept() -> None:
    with pytest.raises(ValueError, match=r"income_groups\.low\.pv_kw is 0, and a sweep of adoption reaches everybody"):
        require_adoptable(textbook("income_groups.low.pv_kw=0"), Swept.SOLAR)
    with pytest.raises(ValueError, match="pv_scale is 0, so panels give nothing"):
        require_adoptable(textbook("pv_scale=0"), Swept.SOLAR)
    require_adoptable(textbook("pv_scale=0"), Swept.CARS)


def test_a_feeder_of_too_many_homes_is_refused() -> None:
    with pytest.raises(ValueError, match="feeder two_buses has 200001 customers; homes are placed one by one"):
        plan_of(two_buses(200_001, 0.1))
