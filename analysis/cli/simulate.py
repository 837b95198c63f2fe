"""``meanwatt simulate``: days of the finite market."""

import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meanwatt.agents.early_mesa import load_mesa
from meanwatt.agents.numerics.compile_time import compile_seconds
from meanwatt.analysis.cli.leader_options import LEADERS, Books, PriceCap, Weights
from meanwatt.analysis.cli.options import Json, Out, Scenario, Seed, Set, TariffOrClass, Threads, whole_number
from meanwatt.analysis.cli.simulate_components import components_json, solve_lived, unaware_behaviours
from meanwatt.analysis.cli.simulate_files import DayMapFile, GrowingFiles, growing_files, require_map, require_meters
from meanwatt.analysis.cli.simulate_leader import make_leader, read_leader, say_leader
from meanwatt.analysis.cli.watching import watched
from meanwatt.analysis.cli.year_option import Year, asked_days, asked_year, dates, days_after
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.ranges import HOUSEHOLDS, SEED, THREADS, WORKERS

if TYPE_CHECKING:
    from meanwatt.agents.leader.learning_leader import LearningLeader
    from meanwatt.analysis.learning.menus import Menu
    from meanwatt.analysis.simulation.simulation import Simulation
    from meanwatt.model.mean_field.equilibrium import Outcome
    from meanwatt.model.scenario.schema import Scenario as ScenarioTables


def simulate(
    scenario: Scenario,
    *,
    households: Annotated[str, typer.Option(metavar="N", help="Simulated households.")] = "1000",
    days: Annotated[
        str | None, typer.Option(metavar="D", help="Days (28, or those of --year).", show_default=False)
    ] = None,
    year: Year = None,
    seed: Seed = "0",
    behaviour: Annotated[
        str,
        typer.Option(
            metavar="NAME[=SHARE],...",
            help="equilibrium, belief, qlearning, passive, self_consumption, price_threshold or file.py:Class;"
            " several with shares: equilibrium=.5,belief=.5:cohorts=8.",
        ),
    ] = "equilibrium",
    threads: Threads = "1",
    workers: Annotated[
        str | None,
        typer.Option(
            metavar="W",
            help="Processes that hold the households, each an even part of every household type and none without any;"
            " results do not depend on it.",
        ),
    ] = None,
    leader: Annotated[
        str | None,
        typer.Option(metavar=LEADERS, help="Post tariffs, and learn from meters which is best."),
    ] = None,
    round_days: Annotated[
        str | None, typer.Option(metavar="D", help="Days for which the leader posts one (30).")
    ] = None,
    menu: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE,...", help="Tariffs that the leader chooses from: names, files, CLASS=NAME."),
    ] = None,
    by_day_type: Annotated[
        bool, typer.Option("--by-day-type", help="Let the leader post another tariff on each day type.")
    ] = False,
    weights_text: Weights = None,
    price_cap: PriceCap = None,
    books: Books = None,
    meters: Annotated[
        bool, typer.Option("--meters", help="Write every meter to --out, as impacts --meters reads it.")
    ] = False,
    geojson: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write the feeder on the last day as GeoJSON, slot by slot, for a map."),
    ] = None,
    tariff: TariffOrClass = None,
    set: Set = None,
    json: Json = False,
    out: Out = None,
) -> int:
    """Simulate days of a market of N households; with --leader, --tariff is what was in force before."""
    began = time.perf_counter()
    lived = asked_year(year)
    size: dict[str, Any] = {
        "households": whole_number("--households", households, HOUSEHOLDS, example=1000),
        "days": asked_days(days, lived, 28),
        "seed": whole_number("--seed", seed, SEED, example=1),
        "threads": whole_number("--threads", threads, THREADS, example=2),
    }
    processes = 0 if workers is None else whole_number("--workers", workers, WORKERS, example=2)
    choices = read_leader(
        leader,
        round_days=round_days,
        menu=menu,
        by_day_type=by_day_type,
        weights_text=weights_text,
        price_cap=price_cap,
        books=books,
    )
    if processes and choices is not None:
        raise ValueError("--leader and --workers are both given; a leader learns in one process, leave --workers out")
    require_meters(meters, out, processes)
    require_map(geojson)
    with watched(quiet=json) as work:
        load_mesa()
        from meanwatt.analysis.cli.inputs import read_in_year
        from meanwatt.analysis.cli.show import print_json, say_notes, say_report
        from meanwatt.analysis.output.envelopes_json import envelopes_json
        from meanwatt.analysis.simulation.bill_rules import bill_rules, composed_parts
        from meanwatt.analysis.simulation.credit_report import credits_json
        from meanwatt.model.market.behaviour_spec import needs_equilibrium, read_behaviour
        from meanwatt.model.mean_field.equilibrium import Outcome
        from meanwatt.model.progress.watch import Cancelled
        from meanwatt.model.scenario.messages import joined

        ways = read_behaviour(behaviour)
        if out is not None:
            from meanwatt.analysis.output.result_files import require_free

            require_free(out, "simulate")
        held = choices is None and not processes
        inputs = read_in_year(
            scenario,
            tariff,
            set,
            lived,
            classes=True,
            components=held,
            branches=True,
            envelopes=True,
            adders=choices is None,
        )
        if processes:
            from meanwatt.model.market.divided_market import require_divisible

            require_divisible(ways, inputs.economy, size["households"], processes, name="--workers")
        unaware = unaware_behaviours(ways)
        solved = solve_lived(
            inputs, asked=choices is not None or needs_equilibrium(ways), unaware=unaware, watch=work.watch
        )
        found, outcome, message = solved.found, solved.outcome, solved.message
        learner = known = None
        if choices is not None and found is not None:
            with suppress(Cancelled):
                learner, known = make_leader(choices, inputs.economy, found, size, work)
        files = growing_files(out, inputs.economy, size, solved.composed, several=choices is not None, meters=meters)
        files = replace(files, map=None if geojson is None else DayMapFile(geojson))
        work.new_stage(f"starting {counted(processes, 'worker')}" if processes else "simulating")
        from meanwatt.analysis.simulation.simulation import simulate as run

        done = run(
            inputs.economy,
            solved.tariff,
            equilibrium=found,
            composed=solved.composed,
            behaviour=ways,
            **size,
            leader=learner,
            known=tuple(known.equilibria.values()) if known else (),
            told=lambda day: work.show(f"day {day} of {size['days']}", day / size["days"]),
            cancelled=work.cancelled,
            workers=processes,
            statements=files.write,
            each_day=files.reads,
        )
        outcome, message = _ended(done, size, outcome, message, stopped=work.cancelled())
    result = {
        "scenario": inputs.economy.scenario.name,
        "tariff": inputs.tariff.name,
        "behaviour": behaviour,
        "outcome": outcome,
        "message": message,
        "messages": joined(
            solved.messages,
            done.messages,
            days_after(lived, size["days"]),
            files.messages,
            () if learner is None or known is None else _leader_messages(learner, known),
        ),
        **_result(done, size, inputs.economy.scenario),
        **components_json(done, inputs.economy),
        "credits": credits_json(done.credits),
        **envelopes_json(() if found is None else found.envelopes),
        "bill_rules": bill_rules(solved.tariff, composed_parts(solved.composed), unaware),
        "statements": files.statements_json(),
        "date": dates(inputs.economy.scenario, len(done.history)),
        "leader": None if learner is None or known is None else _leader_json(learner, known),
        "total_seconds": time.perf_counter() - began,
        "compile_seconds": compile_seconds(),
        "settings": {
            **inputs.given,
            "year": lived,
            "behaviour": behaviour,
            **size,
            "workers": processes,
            **(choices.settings if choices else {}),
        },
    }
    files.end_map(inputs.economy)
    if out is not None:
        tables = {} if learner is None or known is None else _leader_tables(learner, known)
        _write(out, result, done, inputs.economy.scenario.model_dump(mode="json"), tables, files)
    if json:
        print_json(result)
    else:
        _print(result)
        if result["leader"] is not None:
            say_leader(result["leader"])
        say_notes(result["messages"])
        say_report(out)
    return 0 if outcome is Outcome.CONVERGED else 1


def _ended(
    done: "Simulation", size: dict[str, Any], outcome: "Outcome", message: str, *, stopped: bool
) -> tuple["Outcome", str]:
    """How it ended, given how the equilibrium did: the code, and the sentence."""
    from meanwatt.model.mean_field.equilibrium import Outcome

    if stopped and (len(done.history) < size["days"] or done.metrics is None):
        return Outcome.CANCELLED, f"Cancelled after {len(done.history)} of {counted(size['days'], 'day')}."
    if outcome is Outcome.CONVERGED:
        message = (
            f"Simulated {counted(size['days'], 'day')} of {counted(size['households'], 'household')}. {message}".strip()
        )
    return outcome, message


def _result(done: "Simulation", size: dict[str, int], scenario: "ScenarioTables") -> dict[str, Any]:
    """The part of the JSON object that comes out of the market."""
    days = len(done.history)
    metrics = None if done.metrics is None else done.metrics.to_json()
    return {
        "households": size["households"],
        "days": days,
        "seed": size["seed"],
        "threads": size["threads"],
        "seconds": done.seconds,
        "household_days_per_second": size["households"] * days / done.seconds if done.seconds > 0 else None,
        "net_load_kw": [record.net_load_kw for record in done.history],
        "curtailed_kw": [record.curtailed_kw for record in done.history],
        "curtailed_kwh_per_household_day": done.curtailed_kwh_per_household_day,
        "unmet_trip_kwh_per_household_day": done.unmet_trip_kwh_per_household_day,
        "wholesale_usd_per_kwh": [record.wholesale_usd_per_kwh for record in done.history],
        "day_type": [record.day_type for record in done.history],
        "behaviours": done.behaviours,
        "metrics": metrics,
        "feeder": None if done.feeder is None else done.feeder.to_json(),
        "phases": None if done.phases is None else done.phases.to_json(),
        "inverters": done.inverters,
        "residents": _residents(scenario),
        "bus_groups": None if done.bus_groups is None else [group.to_json() for group in done.bus_groups],
        "losses": done.losses,
        "transformer_ageing": None if done.ageing is None else done.ageing.to_json(),
        "hours_outside_limits": [
            None if record.grid is None else record.grid.hours_outside_limits for record in done.history
        ],
        "day_digest": list(done.day_digest),
    }


def _residents(scenario: "ScenarioTables") -> dict[str, Any]:
    """Who lives where, as the scenario says."""
    table = scenario.feeder.residents
    branches = {name: list(heads) for name, heads in scenario.feeder.branches.items()}
    return table.model_dump(exclude_none=True) | {"mixed": table.is_mixed, "branches": branches}


def _leader_json(leader: "LearningLeader", menu: "Menu") -> dict[str, Any]:
    from meanwatt.analysis.learning.market_leader import leader_json

    return leader_json(leader, menu)


def _leader_messages(leader: "LearningLeader", menu: "Menu") -> tuple[str, ...]:
    from meanwatt.analysis.learning.market_leader import leader_messages

    return leader_messages(leader, menu)


def _leader_tables(leader: "LearningLeader", menu: "Menu") -> dict[str, dict[str, Any]]:
    from meanwatt.analysis.learning.market_leader import leader_tables

    return leader_tables(leader, menu)


def _write(
    out: str,
    result: dict[str, Any],
    done: "Simulation",
    scenario: dict[str, Any],
    more: dict[str, dict[str, Any]],
    files: GrowingFiles,
) -> None:
    from meanwatt.analysis.cli.simulate_tables import result_tables, rules_table
    from meanwatt.analysis.figures.results import market_figure
    from meanwatt.analysis.output.result_files import write_result
    from meanwatt.analysis.report.page import FILE, Picture, report_page
    from meanwatt.analysis.simulation.history_tables import history_tables

    manifest = {"settings": result["settings"], "seed": result["seed"], "scenario": scenario}
    picture = Picture(
        name="market",
        title="The days",
        text="Net load (left) and wholesale price (right) of every day, and their means over all days.",
        figure=market_figure(done.history),
    )
    page = report_page(
        kind=f"Finite market, behaviour {result['behaviour']}",
        title=f"{result['scenario']}, tariff {result['tariff']}",
        result=result,
        reached=result["outcome"] == "converged",
        tables=[*result_tables(result), rules_table(result)],
        pictures=[picture] if result["days"] else [],
        manifest=manifest,
    )
    write_result(
        out,
        name="simulate",
        result=result,
        manifest=manifest,
        tables={**history_tables(done.history), **more} if result["days"] else {},
        texts={FILE: page},
        written=files.end(done.history.households),
    )


def _print(result: dict[str, Any]) -> None:
    """Print the result for people."""
    from meanwatt.analysis.cli.show import say, table
    from meanwatt.analysis.cli.simulate_tables import result_tables

    speed = result["household_days_per_second"]
    say(f"{result['scenario']}, tariff {result['tariff']}: {result['message']}")
    if result["metrics"] is None:
        return
    say(f"{result['seconds']:.2f} s, {speed:,.0f} household-days per second\n")
    for one in result_tables(result):
        table(one.title, one.heads, one.rows)
