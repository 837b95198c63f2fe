"""The homes of a bus and the home that is followed: what the page says of them is what the market's columns say."""

import json
from dataclasses import replace

import numpy as np
import pytest
from dashboard_fake import FakeEngine
from scenarios import WITH_VEHICLES

from meanwatt.agents.household.battery import Battery
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.analysis.dashboard.market.controller import Controller
from meanwatt.analysis.dashboard.market.engine import Engine
from meanwatt.analysis.dashboard.market.home_figure import bill_rows
from meanwatt.analysis.dashboard.market.home_reasons import Planned, cents, planned, reasons
from meanwatt.analysis.dashboard.market.homes import MOST_LISTED, Watched, homes_board, listed_homes, watched
from meanwatt.analysis.dashboard.shared.hours import hour, hours
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solution import Solution, solve
from meanwatt.model.market.home_day import HomeDay, Morning, home_day
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

POSTED = Settings(scenario="textbook", tariff="filed", households=600)
SLOTS = 24


@pytest.fixture(scope="module")
def solution() -> Solution:
    found = solve(POSTED)
    assert found is not None
    return found


@pytest.fixture
def engine(solution: Solution):
    made = Engine()
    made.adopt(solution)
    yield made
    made.close()


def market_of(solution: Solution, homes: int, days: int = 1) -> tuple[ProsumerMarket, Morning]:
    """The market that the page makes of a solution, after some days, and where homes stood before the last."""
    market = ProsumerMarket(solution.equilibrium.economy, households=homes, policies=solution.equilibrium, rng=0)
    for _ in range(days - 1):
        market.step()
    morning = Morning.of(market.population)
    market.step()
    return market, morning


def owner_of(solution: Solution, technology: str, homes: int = POSTED.households) -> tuple[int, int]:
    """Bus and id of a home with this technology."""
    market = ProsumerMarket(solution.equilibrium.economy, households=homes, policies=solution.equilibrium, rng=0)
    kind = next(k for k, own in enumerate(market.household_types) if own.technology == technology)
    household = int(market.population.first[kind + 1]) - 1
    bus = int(market.population.bus[household])
    market.close()
    return bus, household


def test_the_homes_listed_and_counted_are_those_of_the_bus_and_their_load_is_the_power_flows(
    solution: Solution,
) -> None:
    market, _ = market_of(solution, POSTED.households)
    people, grid = market.population, market.history[-1].grid
    assert grid is not None
    for bus in range(people.buses):
        board = homes_board(market, Watched(bus=bus))
        here = np.flatnonzero(people.bus == bus)
        assert sum(row["total"] for row in board["rows"]) == len(here)
        assert all(row["total"] == sum(row["counts"]) for row in board["rows"])
        assert {home["value"] for home in board["homes"]} <= set(here.tolist())
        more = len(here) - len(board["homes"])
        assert board["more"] == (f"and {more} more" if more else "")
        assert len(board["homes"]) == min(len(here), MOST_LISTED)
        if len(here):
            assert f"it draws {grid.net_load_kw[:, bus].max():.1f} kW" in board["said"].replace("−", "-")
    assert sum(int(entry["label"].split(": ")[1].split()[0]) for entry in board["buses"]) == POSTED.households
    market.close()


def test_a_long_list_has_as_many_homes_of_every_kind_and_always_the_one_that_is_followed(solution: Solution) -> None:
    market, _ = market_of(solution, 5_000)
    people = market.population
    bus = int(np.bincount(people.bus).argmax())
    here = np.flatnonzero(people.bus == bus)
    listed = listed_homes(market, Watched(bus=bus))
    assert len(listed) == MOST_LISTED < len(here)
    there = {people.type_of(int(home)) for home in here}
    assert {people.type_of(home) for home in listed} == there
    last = int(here[-2])
    assert last not in listed
    followed = listed_homes(market, watched(market, bus, last))
    assert last in followed
    assert len(followed) == MOST_LISTED
    market.close()


def test_the_page_follows_one_home_and_its_bills_add_up_to_its_account(engine: Engine, solution: Solution) -> None:
    bus, household = owner_of(solution, "pv_battery")
    engine.look(bus, household)
    assert json.loads(engine.frame().home)["reasons"] == [
        "Its day is drawn as soon as one has passed: press Step one day."
    ]
    assert engine.frame().home_chart == ""
    total = 0.0
    for number in (1, 2, 3):
        engine.step()
        market, morning = market_of(solution, POSTED.households, days=number)
        day = home_day(market, morning, household)
        total += day.bill_usd
        shown, chart = json.loads(engine.frame().home), json.loads(engine.frame().home_chart)
        assert shown["day"] == chart["day"] == number
        assert float(shown["total"].replace("−", "-").replace("$", "")) == round(day.bill_usd, 2)
        assert float(shown["to_date"].split()[0].replace("−", "-").replace("$", "")) == round(total, 2)
        drawn = {line["name"]: line["values"] for panel in chart["panels"] for line in panel["lines"]}
        agent = market.prosumer(household)
        assert drawn["net load"] == pytest.approx(agent.net_load_kw, abs=1e-4)
        assert drawn["charge"][-1] == pytest.approx(agent.stored_kwh, abs=1e-4)
        assert drawn["costs"] == pytest.approx(day.import_usd_per_kwh, abs=1e-4)
        assert len(drawn["kept is worth"]) == SLOTS
        market.close()


def test_the_same_home_is_followed_through_another_tariff_sample_and_number_of_homes(
    engine: Engine, solution: Solution
) -> None:
    bus, household = owner_of(solution, "pv")
    engine.look(bus, household)
    engine.step()
    name = json.loads(engine.frame().home)["home_title"]
    engine.adopt(solution.for_sample(replace(POSTED, households=2_000)))
    engine.step()
    other = json.loads(engine.frame().home)["home_title"]
    assert other.split(": ")[1] == name.split(": ")[1]
    assert other.split(": ")[0] != name.split(": ")[0]  # ids run on; its rank among its kind is the same
    engine.adopt(solution.for_sample(replace(POSTED, households=10)))  # where it does not live
    assert engine.frame().home == ""
    engine.adopt(solution)
    assert json.loads(engine.frame().home)["home_title"] == name


def test_what_is_not_there_is_not_looked_at(engine: Engine, solution: Solution) -> None:
    bus, household = owner_of(solution, "pv")
    for wrong in ((-1, None), (99, household), (None, household), (bus, 10**9), (bus, -1), ((bus + 1) % 5, household)):
        engine.look(*wrong)
        assert engine.frame().home == ""


def test_only_whole_numbers_from_a_browser_are_looked_at() -> None:
    engine = FakeEngine()
    controller = Controller(engine, Settings(scenario="textbook"))
    controller.look({"bus": 3, "home": 7})
    assert engine.looked == (3, 7)
    for odd in ("3", 3.5, True, [3], None):
        controller.look({"bus": odd, "home": odd})
        assert engine.looked == (None, None)


def test_a_bill_adds_up_as_printed() -> None:
    day = a_day(parts_usd={"energy": 1.004, "wholesale": 0.0, "exports": -0.236, "fixed_charge": 0.335}, bill=1.103)
    rows = bill_rows(day, 1.0)
    amounts = [float(row["amount"].replace("−", "-").replace("$", "")) for row in rows]
    assert sum(amounts) == pytest.approx(round(day.bill_usd, 2), abs=1e-9)
    assert [row["label"] for row in rows] == ["Energy charge", "Solar sold", "Fixed charge"]


BATTERY = Battery(
    capacity_kwh=10.0,
    power_limit_kw=5.0,
    charge_efficiency=1.0,
    discharge_efficiency=1.0,
    wear_usd_per_kwh=0.0,
    levels=11,
)


def a_day(
    *,
    battery: Battery | None = BATTERY,
    move: dict[int, int] | None = None,
    use_kw: float = 1.0,
    sun_kw: float = 0.0,
    parts_usd: dict[str, float] | None = None,
    bill: float = 0.0,
) -> HomeDay:
    """A day made by hand: moves by slot, use the same in all."""
    moves = np.zeros(SLOTS, dtype=np.int64)
    for slot, change in (move or {}).items():
        moves[slot] = change
    solar = np.where((np.arange(SLOTS) >= 9) & (np.arange(SLOTS) < 15), sun_kw, 0.0)
    flat, none = np.ones(SLOTS), np.zeros(SLOTS)
    household = HouseholdType(
        income_group="low",
        group=0,
        technology="pv_battery" if battery else "pv",
        share=1.0,
        income_usd_per_year=1.0,
        reference_kw=flat[None],
        pv_kw=solar[None],
        battery=battery,
        elasticity=0.1,
        flexibility=0.5,
        reference_price_usd_per_kwh=0.3,
    )
    return HomeDay(
        household=0,
        day=0,
        common_state=0,
        type=household,
        level=np.concatenate([[0], np.cumsum(moves)]),
        shock=np.zeros(SLOTS, dtype=np.int64),
        move=moves,
        net_load_kw=use_kw + moves - solar,
        reference_kw=flat,
        use_kw=use_kw * flat,
        battery_kw=moves.astype(float),
        solar_kw=solar,
        curtailed_kw=none,
        import_usd_per_kwh=0.4 * flat,
        export_usd_per_kwh=none,
        parts_usd=parts_usd or {"energy": bill},
        bill_usd=bill,
    )


PRICES = np.where((np.arange(SLOTS) >= 18) & (np.arange(SLOTS) < 20), 0.41, 0.12)


def test_the_reasons_are_the_plans_prices_and_its_worth_of_a_kwh_kept() -> None:
    plan = Planned(pay=PRICES, earn=np.full(SLOTS, 0.05), worth=np.full(SLOTS, 0.30))
    day = a_day(move={11: 1, 12: 1, 13: 1, 18: -2, 19: -1}, use_kw=3.0)
    assert reasons(day, plan, 1.0) == [
        "It charges at 11–14 h, when a kWh costs 12 ¢, and gives back at 18–20 h, when a kWh costs 41 ¢.",
        "In its plan a kWh kept is worth 30 ¢ while it charges and 30 ¢ while it gives back.",
    ]
    day = a_day(move={11: 1, 12: 1}, sun_kw=6.0)
    assert reasons(day, plan, 1.0)[0] == "It charges at 11–13 h, when a kWh sold earns 5 ¢."
    assert reasons(a_day(), plan, 1.0) == [
        "Its battery stands still: a kWh costs 12–41 ¢, and one kept is worth 30 ¢ in its plan."
    ]


def test_a_move_that_the_plan_does_not_favour_is_called_chance() -> None:
    plan = Planned(pay=PRICES, earn=np.full(SLOTS, 0.05), worth=np.full(SLOTS, 0.08))
    said = reasons(a_day(move={11: 2}, use_kw=3.0), plan, 1.0)[1]
    assert said.endswith(
        "less than the 12 ¢ it costs with losses and wear: homes choose the better move more often, not always."
    )
    dear = Planned(pay=PRICES, earn=np.full(SLOTS, 0.05), worth=np.full(SLOTS, 0.50))
    assert "Given back it brings 41 ¢" in reasons(a_day(move={11: 2, 18: -2}, use_kw=3.0), dear, 1.0)[1]


def test_a_home_without_a_battery_sells_its_sun_and_answers_the_price_by_its_use() -> None:
    nothing = np.full(SLOTS, np.nan)
    plan = Planned(pay=PRICES, earn=np.full(SLOTS, 0.05), worth=nothing)
    assert reasons(a_day(battery=None, use_kw=0.97, sun_kw=4.0), plan, 1.0) == [
        "It sells its sun at 9–15 h, when a kWh earns 5 ¢. At 18–20 h, when a kWh costs 41 ¢, it uses 3.0 % less than"
        " it would at its usual 30 ¢."
    ]
    flat = Planned(pay=np.full(SLOTS, 0.2), earn=np.full(SLOTS, 0.05), worth=nothing)
    assert reasons(a_day(battery=None, use_kw=1.1), flat, 1.0) == [
        "A kWh costs 20 ¢ all day: it uses 10 % more than it would at its usual 30 ¢."
    ]


def test_an_electric_car_is_said_to_be_on_the_road() -> None:
    scenario = load_scenario("textbook", overrides=WITH_VEHICLES)
    found = solve_equilibrium(build_economy(scenario), build_tariff(scenario, "rtp"), certify=False)
    market = ProsumerMarket(found.economy, households=200, policies=found, rng=1)
    morning = Morning.of(market.population)
    market.step()
    kind = next(k for k, own in enumerate(market.household_types) if own.technology == "ev")
    day = home_day(market, morning, int(market.population.first[kind]))
    said = reasons(day, planned(found, kind, day), market.slot_hours)
    assert said[0].startswith("Its car is on the road at 8–18 h. It ")
    assert len(said) == 2
    market.close()


def test_hours_and_cents_are_written_in_one_way() -> None:
    assert [hour(18, 1.0), hours(18, 20, 1.0), hour(23, 1.0), hour(37, 0.5)] == [
        "18–19 h",
        "18–21 h",
        "23–24 h",
        "18:30–19:00",
    ]
    assert [cents(0.123), cents(np.array([0.1, 0.2])), cents(-0.04), cents(np.array([-0.04, 0.02]))] == [
        "12 ¢",
        "10–20 ¢",
        "−4 ¢",
        "−4 to 2 ¢",
    ]


def test_the_batteries_drawn_are_the_columns_of_the_market_and_a_town_without_has_no_such_panel(
    engine: Engine, solution: Solution
) -> None:
    for number in (1, 2):
        engine.step()
        market, _ = market_of(solution, POSTED.households, days=number)
        people, types = market.population, market.household_types
        batteries = [(kind, own.battery) for kind, own in enumerate(types) if own.battery is not None]
        stored = sum(battery.level_kwh * people.level[people.of_type(kind)].sum() for kind, battery in batteries)
        holds = sum(battery.capacity_kwh * people.count[kind] for kind, battery in batteries)
        panels = {panel["key"]: panel for panel in json.loads(engine.frame().chart)["panels"]}
        drawn = {line["name"]: line["values"] for line in panels["charge"]["lines"]}
        assert drawn["tonight"][-1] == pytest.approx(100 * stored / holds, abs=1e-4)
        assert len(drawn["mean field"]) == SLOTS
        market.close()
    bare = solve(POSTED.with_change("battery_share_scale", 0.0, 1.0))
    assert bare is not None
    engine.adopt(bare)
    engine.step()
    assert "charge" not in {panel["key"] for panel in json.loads(engine.frame().chart)["panels"]}
