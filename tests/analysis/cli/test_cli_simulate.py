"""``meanwatt simulate``, and the utility of use that the market's meters do not show."""

import hashlib
import json
import shlex
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scenarios import preset_economy, preset_tariff, solved

from meanwatt.analysis.cli import main
from meanwatt.analysis.metrics.utility_meter import UtilityMeter, slot_utility_usd_per_hour
from meanwatt.analysis.output.solution_json import equilibrium_metrics
from meanwatt.analysis.simulation.simulation import Simulation, simulate
from meanwatt.model.market.market import ProsumerMarket

CONTRACT = {
    "messages",
    "households",
    "days",
    "seed",
    "seconds",
    "household_days_per_second",
    "net_load_kw",
    "wholesale_usd_per_kwh",
    "day_type",
    "metrics",
    "day_digest",
}
TIMES = {"seconds", "total_seconds", "compile_seconds", "household_days_per_second"}
SMALL = shlex.split("simulate textbook --tariff filed --households 60 --days 3 --seed 5 --json")


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> dict:
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert said.err == ""
    return json.loads(said.out)


def short(households: int = 60, days: int = 3, *, behaviour: str = "equilibrium", **options: object) -> Simulation:
    found = solved("textbook", "filed")
    settings = {"seed": 5, "threads": 1, **options}
    return simulate(
        found.economy,
        found.tariff,
        equilibrium=found,
        behaviour=behaviour,
        households=households,
        days=days,
        **settings,
    )


@pytest.fixture(scope="module")
def long_run() -> Simulation:
    return short(households=400, days=60)


def test_the_object_says_what_the_market_did(capsys: pytest.CaptureFixture[str]) -> None:
    said = run(SMALL, capsys)
    assert set(said) >= CONTRACT
    assert (said["households"], said["days"], said["seed"], said["outcome"]) == (60, 3, 5, "converged")
    assert np.shape(said["net_load_kw"]) == np.shape(said["wholesale_usd_per_kwh"]) == (3, 24)
    assert said["day_type"] == ["typical"] * 3
    economy = preset_economy("textbook")
    assert np.allclose(said["wholesale_usd_per_kwh"], economy.supply.price(said["net_load_kw"]), atol=1e-12)
    assert said["household_days_per_second"] == pytest.approx(60 * 3 / said["seconds"])
    assert all(len(digest) == 64 for digest in said["day_digest"])
    assert said["feeder"]["voltage_min_pu"] <= 1.0


def test_the_digest_is_of_the_meters_of_the_market(capsys: pytest.CaptureFixture[str]) -> None:
    said = run(SMALL, capsys)
    market = ProsumerMarket(policies=solved("textbook", "filed"), households=60, rng=5, power_flow=False)
    for digest in said["day_digest"]:
        market.step()
        meters = np.array([market.prosumer(i).net_load_kw * market.slot_hours for i in range(60)])
        assert hashlib.sha256(meters.astype("<f4").tobytes()).hexdigest() == digest
    market.close()


def test_runs_with_one_key_are_one_run(capsys: pytest.CaptureFixture[str]) -> None:
    one, two, threaded = run(SMALL, capsys), run(SMALL, capsys), run([*SMALL, "--threads", "2"], capsys)
    other = run([*SMALL, "--seed", "6"], capsys)
    for said in (one, two, threaded, other):
        assert said.pop("compile_seconds") >= 0  # everything may be compiled already
        for name in TIMES - {"compile_seconds"}:
            assert said.pop(name) > 0
    assert one == two
    assert threaded["day_digest"] == one["day_digest"]
    assert threaded["metrics"] == one["metrics"]
    assert set(other["day_digest"]).isdisjoint(one["day_digest"])


def test_out_holds_the_tables_of_the_days(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    said = run([*SMALL, "--out", str(out)], capsys)
    assert json.loads((out / "simulate.json").read_text()) == said
    assert json.loads((out / "manifest.json").read_text())["seed"] == 5
    slots = pq.read_table(out / "slots.parquet").to_pydict()
    assert slots["net_load_kw"] == np.ravel(said["net_load_kw"]).tolist()
    buses = pq.read_table(out / "bus_slots.parquet").to_pydict()
    assert len(buses["bus"]) == 3 * 24 * 5
    types = pq.read_table(out / "type_days.parquet").to_pydict()
    assert sum(types["households"]) == 3 * 60
    days = pq.read_table(out / "days.parquet").to_pydict()
    assert days["day"] == [0, 1, 2]
    assert "mean_bill_usd" in pq.read_table(out / "group_days.parquet").column_names


def test_people_get_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(SMALL[:-1]) == 0
    said = capsys.readouterr().out
    assert "household-days per second" in said
    assert "lowest voltage" in said


def test_households_that_learn_need_no_equilibrium_where_everything_is_posted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meanwatt.model.mean_field.equilibrium.solve_equilibrium", None)
    said = run([*SMALL, "--behaviour", "belief"], capsys)
    assert said["behaviour"] == "belief"
    assert said["days"] == 3


def test_several_behaviours_are_told_with_their_shares_and_bills(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mix = "equilibrium=.5,belief=.3:cohorts=2:stagger=2,passive=.2"
    out = tmp_path / "run"
    said = run([*SMALL, "--behaviour", mix, "--out", str(out)], capsys)
    assert set(said) >= CONTRACT
    assert said["behaviour"] == mix
    rows = {row["behaviour"]: row for row in said["behaviours"]}
    assert {name: (row["households"], row["cohorts"]) for name, row in rows.items()} == {
        "equilibrium": (30, 1),
        "belief": (18, 2),
        "passive": (12, 1),
    }
    bills = sum(row["households"] * row["bill_usd_per_household_day"] for row in rows.values()) / 60
    assert bills == pytest.approx(np.mean(pq.read_table(out / "days.parquet")["bill_usd_per_household_day"]))
    assert len(pq.read_table(out / "behaviour_days.parquet")) == 3 * 3
    assert len(pq.read_table(out / "class_days.parquet")) == 3 * 7 * 4
    assert main([*SMALL[:-1], "--behaviour", mix]) == 0
    assert "bill, passive" in capsys.readouterr().out


def test_a_cancelled_run_tells_the_days_it_has() -> None:
    days: list[int] = []
    done = short(days=9, told=days.append, cancelled=lambda: len(days) == 2)
    assert days == [1, 2]
    assert len(done.history) == len(done.day_digest) == 2
    assert done.metrics is not None
    nothing = short(cancelled=lambda: True)
    assert (nothing.metrics, nothing.feeder, len(nothing.history)) == (None, None, 0)


@pytest.mark.parametrize(
    ("name", "scatter"), [("welfare", 6e-4), ("utility", 2.5e-5), ("wear", 7.5e-5), ("surplus", 2.8e-4)]
)
def test_the_market_and_the_continuum_agree_on_money(name: str, scatter: float, long_run: Simulation) -> None:
    """``scatter`` is the standard deviation over twelve seeds of 400 households over 60 days.

    Four of them are allowed, and as much again for what is no chance: whole households of a type, and the cost of
    scatter itself (prices move with loads, so the utility pays Cov(λ, L) more than in the mean).
    """
    field = f"{name}_usd_per_household_day"
    expected = getattr(equilibrium_metrics(solved("textbook", "filed")), field)
    assert long_run.metrics is not None
    assert getattr(long_run.metrics, field) == pytest.approx(expected, abs=8 * scatter)


@pytest.mark.parametrize("behaviour", ["equilibrium", "belief"])
def test_the_meter_lives_the_same_day_as_the_market(behaviour: str) -> None:
    """States after the second run are those after the first.

    Without PV and batteries the meters give away use, hence utility, directly.
    """
    changes = ("pv_share_scale=0", "battery_share_scale=0", "slots_per_day=48")
    found = solved("textbook", "filed", *changes)
    market = ProsumerMarket(found.economy, policies=found, behaviour=behaviour, households=90, rng=3, power_flow=False)
    meter = UtilityMeter(market)
    for _ in range(3):
        meter.before()
        market.step()
        measured = meter.after()
        assert np.array_equal(meter._shadow.level, market.population.level)
        assert np.array_equal(meter._shadow.shock, market.population.shock)
        assert measured.wear_usd == 0.0
        assert measured.utility_usd == pytest.approx(_utility_by_meters(market), rel=1e-5)
    meter.close()
    market.close()


def _utility_by_meters(market: ProsumerMarket) -> float:
    """Utility of use recovered from meters, household by household: the shock is the one whose use was metered."""
    total = 0.0
    for i in range(market.households):
        home = market.prosumer(i).type
        metered = market.prosumer(i).net_load_kw
        kind = market.household_types.index(home)
        policy = market.behaviour.policies[kind]
        use = policy.use_kw[0, :, :, 0]
        shock = np.abs(use - metered[:, None]).argmin(axis=1)
        utility = slot_utility_usd_per_hour(market.economy, kind, policy.use_kw[0], 0)[:, :, 0]
        total += float(utility[np.arange(48), shock].sum()) * market.slot_hours
    return total


def test_wear_is_that_of_the_levels_moved() -> None:
    found = solved("textbook", "filed")
    market = ProsumerMarket(policies=found, households=70, rng=1, power_flow=False)
    meter = UtilityMeter(market)
    meter.before()
    market.step()
    wear = meter.after().wear_usd
    owners = [i for i in range(70) if market.prosumer(i).type.battery]
    moved = 0
    for i in owners:
        level = int(_start_level(market, i))
        moved += _levels_moved(market, i, level)
    battery = market.prosumer(owners[0]).type.battery
    assert battery is not None
    assert wear == pytest.approx(moved * battery.level_kwh * battery.wear_usd_per_kwh)
    meter.close()
    market.close()


def _start_level(market: ProsumerMarket, household: int) -> int:
    fresh = ProsumerMarket(policies=market.equilibrium, households=market.households, rng=1, power_flow=False)
    level = fresh.prosumer(household).level
    fresh.close()
    return level


def _levels_moved(market: ProsumerMarket, household: int, level: int) -> int:
    """Levels up and down of one household on day 0, from a copy of the market in which it only watches itself."""

    class Watcher:
        def __init__(self) -> None:
            self.moves: list[int] = []

        def move(self, situation: object) -> int:
            self.moves.append(situation.planned_move)
            return situation.planned_move

    twin = ProsumerMarket(policies=market.equilibrium, households=market.households, rng=1, power_flow=False)
    watcher = Watcher()
    twin.strategies[household] = watcher
    twin.step()
    twin.close()
    assert level + sum(watcher.moves) == market.population.level[household]
    return int(np.abs(watcher.moves).sum())


def test_belief_households_answer_the_tariff_they_were_given() -> None:
    economy, tariff = preset_economy("textbook"), preset_tariff("textbook", "tou", "tariff.recovery=posted")
    done = simulate(economy, tariff, equilibrium=None, behaviour="belief", households=40, days=1, seed=0)
    record = done.history[0]
    assert np.array_equal(record.import_usd_per_kwh, tariff.energy_usd_per_kwh[0])


def test_people_are_told_which_numbers_of_the_feeder_leave_hours_out(capsys: pytest.CaptureFixture[str]) -> None:
    command = shlex.split(
        "simulate textbook --tariff filed --behaviour passive --set pv_scale=40 --set battery_share_scale=0"
        " --households 50 --days 1"
    )
    said = run([*command, "--json"], capsys)
    feeder = said["feeder"]
    solved = f"{24 - feeder['hours_unsolved']:g} of 24 h"
    assert 0 < feeder["hours_unsolved"] < feeder["hours"] == 24
    assert said["messages"][0].startswith(f"Power flow: no state found in {feeder['hours_unsolved']:g} of 24 hours")
    assert main(command) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = {line.split("│")[0].strip(): line.split("│")[-1].strip() for line in lines if "│" in line}
    for name, unit in (("lowest voltage", "pu"), ("losses", "kWh"), ("outside limits", "h")):
        assert rows[name] == f"{unit}, of {solved}"
    assert rows["without a power flow"] == "h"
    assert lines[-len(said["messages"]) :] == [f"Note: {sentence}" for sentence in said["messages"]]


SUNNY_END = shlex.split(
    "--set feeder.name=lv_rural --set pv_share_scale=3 --set pv_scale=3 --set feeder.volt_watt.enabled=true"
)
"""Roofs at the end of a rural feeder that volt-watt holds back."""


def test_the_object_says_what_volt_watt_held_back_and_null_without_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    said = run([*SMALL, *SUNNY_END, "--out", str(tmp_path / "run")], capsys)
    held = said["inverters"]
    assert 0 < held["curtailed_kwh_per_household_day"] <= said["curtailed_kwh_per_household_day"]
    assert held["volt_watt"]["v1_pu"] == 1.06
    assert held["residual_pu"] <= 1e-9
    assert held["net_load_distance_kw"]["volt_watt_alone"] > 0
    assert said["transformer_ageing"]["hours"] == 72
    table = pq.read_table(tmp_path / "run" / "roof_days.parquet")
    assert sum(table["volt_watt_kwh"].to_pylist()) > 0
    plain = run(SMALL, capsys)
    assert plain["inverters"] is None
    assert plain["losses"]["bought"] is False


def test_volt_watt_in_several_processes_is_that_of_one(capsys: pytest.CaptureFixture[str]) -> None:
    one, two = (run([*SMALL, *SUNNY_END, *workers], capsys) for workers in ((), ("--workers", "2")))
    assert two["day_digest"] == one["day_digest"]
    assert two["inverters"] == one["inverters"]
    assert two["metrics"] == one["metrics"]
