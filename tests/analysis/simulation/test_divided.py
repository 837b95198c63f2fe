"""One market in parts: bit for bit the undivided one, on any number of workers, whichever of them die."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from scenarios import preset_economy, preset_tariff, real_time, solved, toy

from meanwatt.agents.behaviour.protocol import Situation
from meanwatt.analysis.cli import main
from meanwatt.analysis.metrics.utility_meter import UtilitySums
from meanwatt.analysis.simulation.meter_stream import MeterStream
from meanwatt.analysis.simulation.part_process import PartProcess
from meanwatt.analysis.simulation.part_processes import PartProcesses
from meanwatt.analysis.simulation.part_worker import work
from meanwatt.analysis.simulation.simulation import Simulation, simulate
from meanwatt.analysis.workers import WorkersLostError
from meanwatt.model.market.behaviour_spec import read_behaviour
from meanwatt.model.market.divided_market import require_divisible
from meanwatt.model.market.population import Population
from meanwatt.model.market.q_tables import LivedClass
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.scenario.economy import build_economy
from meanwatt.model.scenario.loading import load_scenario

MIX = "equilibrium=.4,belief=.2:cohorts=2:stagger=2,qlearning=.2,passive=.2"
TIMES = ("seconds", "total_seconds", "compile_seconds", "household_days_per_second")


class PartThread(PartProcess):
    """A part on a thread of this process, behind the same pipes: it starts at once."""

    def start(self) -> None:
        """Start a thread."""
        self.orders, theirs = Pipe()
        self.meters, source = Pipe()
        self._source = theirs, source
        threading.Thread(target=work, args=(theirs, source), daemon=True).start()

    def die(self) -> None:
        """Break the pipes off, as the end of a process does."""
        for pipe in (self.orders, self.meters):
            with socket.socket(fileno=os.dup(pipe.fileno())) as end:
                end.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """Let it end."""
        if hasattr(self, "_source"):
            self.die()
            for pipe in (self.orders, self.meters):
                pipe.close()
            del self._source


@pytest.fixture
def in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meanwatt.analysis.simulation.part_processes.PartProcess", PartThread)


def run(found: Equilibrium | None = None, **options: Any) -> Simulation:
    found = found or solved("textbook", "tou")
    settings = {"behaviour": MIX, "households": 301, "days": 3, "seed": 5}
    return simulate(found.economy, found.tariff, equilibrium=found, **settings | options)


@pytest.fixture(scope="module")
def whole() -> Simulation:
    return run()


def require_equal(one: Simulation, other: Simulation) -> None:
    """Everything but the time and what is told of it, bit for bit."""
    assert one.day_digest == other.day_digest
    assert one.metrics == other.metrics
    assert one.feeder == other.feeder
    assert one.behaviours == other.behaviours
    assert one.curtailed_kwh_per_household_day == other.curtailed_kwh_per_household_day
    for table in ("slots", "bus_slots", "class_days", "days"):
        assert getattr(one.history, table).equals(getattr(other.history, table)), table


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_a_market_in_parts_is_the_undivided_one(in_threads: None, whole: Simulation, workers: int) -> None:
    """Households that follow the equilibrium, learn prices, learn from their bills, and follow a rule."""
    divided = run(workers=workers)
    require_equal(divided, whole)
    assert divided.messages == whole.messages
    assert whole.metrics is not None
    assert whole.metrics.wear_usd_per_household_day > 0


def test_households_that_part_between_plans_may_live_in_parts(in_threads: None) -> None:
    economy = toy(0.02, rest_kw=-0.11)
    found = solve_equilibrium(economy, real_time(economy, credit=0.1))
    assert any(policy.split is not None and policy.split.parts.any() for policy in found.policies)
    require_equal(run(found, behaviour="equilibrium", workers=3), run(found, behaviour="equilibrium"))


def test_a_market_without_equilibrium_and_power_flow_may_live_in_parts(in_threads: None) -> None:
    found = solved("textbook", "tou")
    settings: dict[str, Any] = {"equilibrium": None, "behaviour": "belief", "households": 50, "days": 2, "seed": 1}
    one, other = (
        simulate(found.economy, found.tariff, power_flow=False, workers=workers, **settings) for workers in (0, 3)
    )
    require_equal(one, other)
    assert one.feeder is None


def test_vehicles_may_live_in_parts(in_threads: None) -> None:
    """What their trips lack depends on the mean of a class, also of those that learn from their bills."""
    shares = [f"income_groups.{group}.ev_share=0.5" for group in ("low", "middle", "high")]
    economy = preset_economy("textbook", *shares, "ev.trip_kwh=25", "ev.power_limit_kw=2", "ev.levels=33")
    settings: dict[str, Any] = {"behaviour": "passive=.5,qlearning=.5", "households": 90, "days": 2, "seed": 1}
    one, other = (
        simulate(economy, preset_tariff("textbook", "filed"), equilibrium=None, workers=workers, **settings)
        for workers in (0, 3)
    )
    require_equal(one, other)
    assert one.unmet_trip_kwh_per_household_day
    assert one.unmet_trip_kwh_per_household_day == other.unmet_trip_kwh_per_household_day


@pytest.fixture(scope="module")
def curtailed() -> Simulation:
    return in_the_sun()


def in_the_sun(workers: int = 0) -> Simulation:
    """Two days of homes at the end of a feeder with so much sun that volt-watt and volt-var act; some learn."""
    changes = {"feeder.name": "lv_rural", "pv_share_scale": 3.0, "pv_scale": 6.0}
    changes |= {f"feeder.{curve}.enabled": True for curve in ("volt_watt", "volt_var")}
    economy = build_economy(load_scenario("textbook", overrides=changes, tariff="filed"))
    settings: dict[str, Any] = {"behaviour": "passive=.5,belief=.3,qlearning=.2", "households": 99, "seed": 3}
    tariff = preset_tariff("textbook", "filed")
    return simulate(economy, tariff, equilibrium=None, workers=workers, days=2, **settings)


def require_same_roofs(one: Simulation, other: Simulation) -> None:
    require_equal(one, other)
    assert one.inverters == other.inverters
    for first, second in zip(one.history, other.history, strict=True):
        assert first.grid is not None
        assert second.grid is not None
        for name in ("voltage_pu", "net_load_kw", "loss_kw"):
            assert np.array_equal(getattr(first.grid, name), getattr(second.grid, name))


@pytest.mark.parametrize("workers", [1, 3])
def test_homes_whose_inverters_answer_to_voltages_may_live_in_parts(
    in_threads: None, curtailed: Simulation, workers: int
) -> None:
    """The voltages come of the sums of all parts, and every part takes what is held back off its own meters."""
    assert curtailed.inverters is not None
    assert curtailed.inverters["curtailed_kwh_per_household_day"] > 0.1
    divided = in_the_sun(workers)
    require_same_roofs(divided, curtailed)
    assert divided.messages == curtailed.messages


@pytest.mark.parametrize("event", ["hold_back", "evening", "meters"])
def test_a_lost_part_holds_back_again_what_it_held_back(
    in_threads: None, curtailed: Simulation, monkeypatch: pytest.MonkeyPatch, event: str
) -> None:
    """Wherever the second day stood, the first one is lived anew with what was held back on it."""
    times: list[str] = []

    def strikes(parts: PartProcesses, happened: str) -> int | None:
        if happened != event or len(parts._past) < 1:
            return None
        times.append(happened)
        return 1 if len(times) == 1 else None

    fault(monkeypatch, strikes)
    divided = in_the_sun(2)
    require_same_roofs(divided, curtailed)
    (told,) = set(divided.messages) - set(curtailed.messages)
    assert told.startswith("Worker 2 of 2 was lost on day 1 ")


def test_households_of_a_class_stand_in_the_order_of_ids_when_parts_are_put_together() -> None:
    """What Q-learners enjoyed is summed household by household: the order makes the last bits."""

    def part(learnt: dict[int, list[float]]) -> UtilitySums:
        one, two = np.ones((3, 1), dtype=int), np.ones((3, 2, 1), dtype=int)
        by_class = {
            number: LivedClass(utility_usd=np.array(usd), wear_usd=-np.array(usd), discharged=np.ones(1, dtype=int))
            for number, usd in learnt.items()
        }
        return UtilitySums(utility_quanta=two, charged=one, discharged=one, count=one[:, 0], learnt=(by_class,))

    total = part({0: [1.0, 2.0]}) + part({0: [3.0], 2: [4.0]}) + part({2: [5.0]})
    (found,) = total.learnt
    assert {number: own.utility_usd.tolist() for number, own in found.items()} == {0: [1.0, 2.0, 3.0], 2: [4.0, 5.0]}
    assert {number: own.wear_usd.tolist() for number, own in found.items()} == {0: [-1.0, -2.0, -3.0], 2: [-4.0, -5.0]}
    assert total.count.tolist() == [3, 3, 3]
    assert total.discharged.tolist() == [[3], [3], [3]]


# --- workers that die ---------------------------------------------------------------------------------------------


def fault(monkeypatch: pytest.MonkeyPatch, strikes: Callable[[PartProcesses, str], int | None]) -> None:
    """Let the worker of a part die before an order is given to all, or when a piece of meters has been read."""
    order, read = PartProcesses._order, PartProcesses._read_meters

    def struck(parts: PartProcesses, event: str) -> None:
        victim = strikes(parts, event)
        if victim is not None:
            parts._parts[victim].die()

    def with_fault(parts: PartProcesses, name: str, *arguments: Any) -> None:
        struck(parts, name)
        order(parts, name, *arguments)

    def read_with_fault(parts: PartProcesses, part: PartProcess) -> None:
        read(parts, part)
        struck(parts, "meters")

    monkeypatch.setattr(PartProcesses, "_order", with_fault)
    monkeypatch.setattr(PartProcesses, "_read_meters", read_with_fault)


@pytest.mark.parametrize("event", ["morning", "evening", "measure", "bills", "meters"])
@pytest.mark.parametrize("victim", [0, 1])
def test_a_lost_part_is_recomputed_wherever_its_day_stood(
    in_threads: None, whole: Simulation, monkeypatch: pytest.MonkeyPatch, event: str, victim: int
) -> None:
    """Also in the middle of its meters, of which the digest has taken in the first types'."""
    times: list[str] = []

    def strikes(parts: PartProcesses, happened: str) -> int | None:
        if happened != event or len(parts._past) < 1:
            return None
        times.append(happened)
        return victim if len(times) == (4 if event == "meters" else 1) else None

    fault(monkeypatch, strikes)
    divided = run(workers=2)
    require_equal(divided, whole)
    (told,) = set(divided.messages) - set(whole.messages)
    assert told.startswith(f"Worker {victim + 1} of 2 was lost on day ")
    assert told.endswith("and started again; its part was recomputed from the seed, results are the same.")


@pytest.fixture(scope="module")
def many() -> Simulation:
    return run(households=12_000)


@pytest.mark.parametrize("victim", [0, 2])
def test_a_part_that_is_lost_when_all_but_its_meters_are_known_is_recomputed(
    in_threads: None, many: Simulation, monkeypatch: pytest.MonkeyPatch, victim: int
) -> None:
    """Of so many households a pipe does not hold the meters; they are read when the day is settled, or not at all."""
    answers, digest, turn = PartProcesses._answers, PartProcesses.hexdigest, MeterStream.turn
    waiting: list[PartProcesses] = []

    def waited(parts: PartProcesses) -> Any:
        waiting.append(parts)
        found = answers(parts)
        waiting.clear()
        return found

    def killed(parts: PartProcesses) -> str:
        if len(parts._past) == 1 and not parts.messages:
            parts._parts[victim].die()
        return digest(parts)

    monkeypatch.setattr(PartProcesses, "_answers", waited)
    monkeypatch.setattr(PartProcesses, "hexdigest", killed)
    monkeypatch.setattr(MeterStream, "turn", property(lambda stream: None if waiting else turn.fget(stream)))
    divided = run(workers=3, households=12_000)
    require_equal(divided, many)
    assert divided.messages[-1].startswith(f"Worker {victim + 1} of 3 was lost on day 1 ")


def test_a_part_whose_workers_die_again_and_again_ends_the_run_in_one_line(
    in_threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    days: list[int] = []
    fault(monkeypatch, lambda parts, happened: 1 if happened == "morning" and len(parts._past) < 3 else None)
    with pytest.raises(WorkersLostError, match=r"^worker 2 of 2 was lost 3 times, for want of memory or because"):
        run(workers=2, told=days.append)
    assert days == [1, 2]


def test_an_error_of_a_part_is_told_as_it_was(in_threads: None) -> None:
    """The tables of all parts count, as without workers."""
    told = []
    for workers in (0, 2):
        with pytest.raises(ValueError, match=r"^qlearning: tables of 45 households with batteries take") as refused:
            run(behaviour="qlearning:memory_gb=1e-5", workers=workers)
        told.append(str(refused.value))
    assert told[0] == told[1]


# --- requests to stop ---------------------------------------------------------------------------------------------


def test_a_request_to_stop_between_two_days_keeps_the_metrics(in_threads: None, whole: Simulation) -> None:
    days: list[int] = []
    stopped = run(workers=2, told=days.append, cancelled=lambda: len(days) == 2)
    assert stopped.day_digest == whole.day_digest[:2]
    assert stopped.metrics == run(days=2).metrics


def test_a_day_that_does_not_end_soon_is_broken_off(
    in_threads: None, whole: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    answers = PartProcesses._answers

    def slow(parts: PartProcesses) -> Any:
        if len(parts._past) == 1:
            asked.append(time.monotonic())
            while True:
                parts._look()
                time.sleep(0.01)
        return answers(parts)

    monkeypatch.setattr(PartProcesses, "_answers", slow)
    stopped = run(workers=2, cancelled=lambda: bool(asked))
    assert time.monotonic() - asked[0] < 2
    assert stopped.day_digest == whole.day_digest[:1]
    assert stopped.metrics is None
    assert stopped.messages[-1] == "Metrics are left out: the day that was broken off may stand on some bills."


# --- refusals -----------------------------------------------------------------------------------------------------


class StandsStill:
    """A strategy."""

    def move(self, situation: Situation) -> int:
        """No move."""
        return 0


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (
            {"behaviour": StandsStill},
            r"behaviour StandsStill is code of your own, .*; leave workers out, or give one of",
        ),
        (
            {"households": 3},
            r"workers is 4 for 3 households, and some worker would have none: each takes an even part of every"
            r" household type; give at most 1, or more households$",
        ),
        (
            {"leader": object()},
            r"leader and workers are both given; a leader learns in one process, leave workers out$",
        ),
    ],
)
def test_what_cannot_be_divided_is_refused_in_one_line(options: dict[str, Any], line: str) -> None:
    with pytest.raises(ValueError, match=f"^{line}"):
        run(workers=4, **options)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("--workers two", "--workers is 'two'; give a whole number from 0 to 1024, e.g. 2"),
        ("--workers 2 --leader commission", "--leader and --workers are both given; a leader learns in one process, "),
        (
            "--workers 8 --households 9",
            "--workers is 8 for 9 households, and some worker would have none: each takes an even part of every"
            " household type; give at most ",
        ),
    ],
)
def test_the_command_refuses_before_it_solves(
    options: str, line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meanwatt.model.mean_field.equilibrium.solve_equilibrium", None)
    assert main(["simulate", "textbook", "--json", *options.split()]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"meanwatt: {line}")
    assert said.err.count("\n") == 1


def test_the_most_workers_that_are_named_are_the_most() -> None:
    economy = solved("textbook", "tou").economy
    for households in (1, 9, 40):
        with pytest.raises(ValueError, match="give at most") as refused:
            require_divisible(read_behaviour("belief"), economy, households, 1024)
        most = int(str(refused.value).rpartition("give at most ")[2].partition(",")[0])

        def least(parts: int, households: int = households) -> int:
            columns = {"share": economy.type_share, "customers": np.ones(1, dtype=int), "slots": 1, "key": 0}
            return min(
                Population(households=households, part=part, parts=parts, **columns).households for part in range(parts)
            )

        assert least(most) > 0
        assert all(least(parts) == 0 for parts in range(most + 1, households + 1))


# --- real processes -----------------------------------------------------------------------------------------------


def test_the_command_gives_the_same_object_and_files_although_a_worker_is_killed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes, one of them killed in the middle of a day."""
    command = f"simulate textbook --tariff tou --households 301 --days 3 --seed 5 --json --behaviour {MIX}".split()
    killed: list[int] = []
    settle = PartProcesses.settle

    def kill(parts: PartProcesses, net_load_kw: Any) -> None:
        if len(parts._past) == 1 and not killed:
            killed.append(parts._parts[1]._process.pid)
            os.kill(killed[0], signal.SIGKILL)
        settle(parts, net_load_kw)

    monkeypatch.setattr(PartProcesses, "settle", kill)
    said = []
    for more in ("--out here", "--out there --workers 2"):
        option, place, *rest = more.split()
        assert main([*command, option, str(tmp_path / place), *rest]) == 0
        said.append(json.loads(capsys.readouterr().out))
    here, there = said
    assert killed
    assert [there["settings"].pop("workers"), here["settings"].pop("workers")] == [2, 0]
    (told,) = set(there.pop("messages")) - set(here.pop("messages"))
    assert told.startswith("Worker 2 of 2 was lost on day 1 and started again;")
    for time_taken in TIMES:
        assert here.pop(time_taken) >= 0
        assert there.pop(time_taken) >= 0
    assert here == there
    names = [sorted(path.name for path in (tmp_path / place).iterdir()) for place in ("here", "there")]
    assert names[0] == names[1]
    for name in [name for name in names[0] if name.endswith(".parquet")]:
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes(), name


def test_whoever_is_asked_to_stop_leaves_no_process_behind() -> None:
    """Ctrl-C goes to all processes of a terminal, SIGTERM and SIGKILL to one; the workers may be at their beginning."""
    command = "import sys; from meanwatt.analysis.cli import main; sys.exit(main())"
    arguments = [
        "simulate",
        "textbook",
        "--tariff",
        "tou",
        "--days",
        "100000",
        "--households",
        "20000",
        "--workers",
        "2",
        "--json",
    ]
    ends = {
        signal.SIGINT: (1, ""),
        signal.SIGTERM: (1, "meanwatt: terminated\n"),
        signal.SIGKILL: (-signal.SIGKILL, ""),
    }
    started = {
        number: subprocess.Popen(
            [sys.executable, "-c", command, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        for number in ends
    }
    for number, process in started.items():
        workers: list[psutil.Process] = []
        while len(workers) < 2:
            assert process.poll() is None
            children = psutil.Process(process.pid).children(recursive=True)
            workers = [child for child in children if "spawn_main" in " ".join(child.cmdline())]
            time.sleep(0.02)
        asked = time.monotonic()
        os.killpg(process.pid, number) if number == signal.SIGINT else os.kill(process.pid, number)
        _, left = psutil.wait_procs(workers, timeout=20)
        assert not left
        assert time.monotonic() - asked < 10  # two seconds on a quiet machine
        _, said = process.communicate(timeout=20)
        assert (process.returncode, said) == ends[number]
