"""``meanwatt emergence``: does a population that is told nothing reach the equilibrium?"""

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meanwatt.agents.early_mesa import load_mesa
from meanwatt.agents.numerics.compile_time import compile_seconds
from meanwatt.analysis.cli.options import Json, Out, Scenario, Seed, Set, TariffOrClass, Threads, whole_number
from meanwatt.analysis.cli.watching import watched
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.ranges import DAYS, HOUSEHOLDS, SEED, THREADS

if TYPE_CHECKING:
    from meanwatt.analysis.cli.watching import Work
    from meanwatt.analysis.emergence.emergence import Emergence
    from meanwatt.analysis.report.page import Table
    from meanwatt.model.progress.watch import Progress


def emergence(
    scenario: Scenario,
    *,
    behaviour: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME...",
            help="A population, as of simulate, e.g. belief:first_step=1:cohorts=7:stagger=7; may be repeated, one"
            " market each; belief by default.",
        ),
    ] = None,
    households: Annotated[str, typer.Option(metavar="N", help="Simulated households of each market.")] = "1000",
    days: Annotated[str, typer.Option(metavar="D", help="Days.")] = "120",
    every: Annotated[str, typer.Option(metavar="D", help="Days from one certified day to the next.")] = "7",
    seed: Seed = "0",
    threads: Threads = "1",
    tariff: TariffOrClass = None,
    set: Set = None,
    json: Json = False,
    out: Out = None,
) -> int:
    """Let households learn, and measure their beliefs, prices and tables against the equilibrium day by day."""
    began = time.perf_counter()
    size = {
        "households": whole_number("--households", households, HOUSEHOLDS, example=1000),
        "days": whole_number("--days", days, DAYS, example=120),
        "every": whole_number("--every", every, DAYS, example=7),
        "seed": whole_number("--seed", seed, SEED, example=1),
        "threads": whole_number("--threads", threads, THREADS, example=2),
    }
    populations = behaviour or ["belief"]
    runs: list[Emergence] = []
    with watched(quiet=json) as work:
        load_mesa()
        from meanwatt.analysis.cli.inputs import read
        from meanwatt.analysis.cli.show import print_json, say_notes
        from meanwatt.analysis.emergence.emergence import emergence as measure
        from meanwatt.model.market.behaviour_spec import read_behaviour
        from meanwatt.model.mean_field.equilibrium import Outcome, solve_equilibrium
        from meanwatt.model.progress.watch import Watch
        from meanwatt.model.scenario.messages import joined

        ways = [read_behaviour(text) for text in populations]
        for text, way in zip(populations, ways, strict=True):
            if any(one.strategy is not None for one in way):
                raise ValueError(
                    f"behaviour {text}: households that decide one by one have no policy table to certify; give others"
                )
        if out is not None:
            from meanwatt.analysis.output.result_files import require_free

            require_free(out, "emergence")
        inputs = read(scenario, tariff, set, classes=True, branches=True, envelopes=True)
        target = solve_equilibrium(
            inputs.economy, inputs.tariff, certify=inputs.economy.scenario.temperature_usd > 0, watch=work.watch
        )
        outcome, message = target.outcome, target.message
        for text, way in zip(populations, ways, strict=True):
            if not target.converged or work.cancelled():
                break
            work.new_stage(text)
            watch = Watch(progress=partial(_show, work, text), cancelled=work.cancelled)
            runs.append(replace(measure(target, way, **size, watch=watch), behaviour=text))
        whole = sum(run.days == size["days"] for run in runs)
        if work.cancelled() and whole < len(populations):
            of = counted(len(populations), "population")
            outcome, message = Outcome.CANCELLED, f"Cancelled after {whole} of {of}."
        runs = [run for run in runs if run.days]
    messages = joined(target.messages, *(run.messages for run in runs))
    result: dict[str, Any] = {
        "scenario": inputs.economy.scenario.name,
        "tariff": inputs.tariff.name,
        "outcome": outcome,
        "message": message,
        "messages": messages,
        "households": size["households"],
        "days": size["days"],
        "seed": size["seed"],
        "contraction": target.contraction,
        "equilibrium_usd_per_kwh": target.wholesale_usd_per_kwh,
        "exploitability_limit_usd_per_household_day": runs[0].limit_usd_per_household_day if runs else None,
        "populations": [_population(run) for run in runs],
        "seconds": time.perf_counter() - began,
        "compile_seconds": compile_seconds(),
        "settings": {**inputs.given, "behaviour": populations, **size},
    }
    if out is not None and runs:
        _write(out, result, runs, inputs.economy.scenario.model_dump(mode="json"))
    if json:
        print_json(result)
    else:
        _tables(result)
        say_notes(result["messages"])
    return 0 if outcome is Outcome.CONVERGED else 1


def _show(work: "Work", population: str, report: "Progress") -> None:
    work.show(f"{population}: {report.text}", report.fraction)


def _population(run: "Emergence") -> dict[str, Any]:
    """What is said of one population; lists by day, null where undefined."""
    from meanwatt.analysis.emergence.emergence import MEASURES
    from meanwatt.analysis.emergence.path_costs import PATH
    from meanwatt.analysis.output.strict_json import plain

    regret = run.regret
    return {
        "behaviour": run.behaviour,
        "days": run.days,
        "prices_reached": run.prices_reached,
        "verdict": run.verdict,
        "last_days": {name: plain(run.last(name)) for name in (*MEASURES, *_FLOORS)},
        **{name: plain(getattr(run, name)) for name in (*MEASURES, *_FLOORS, *PATH)},
        "path": {name: plain(float(getattr(run, name).sum())) for name in PATH},
        "regret": None
        if regret is None
        else {
            "mean_usd_per_household_day": regret.mean_usd_per_day,
            "losers_share": regret.losers_share,
            "by_income": regret.by_income,
            "by_technology": regret.by_technology,
            "by_bus": regret.by_bus,
        },
    }


_FLOORS = ("floor_error_usd_per_kwh", "floor_move_usd_per_kwh")


def _write(out: str, result: dict[str, Any], runs: list["Emergence"], scenario: dict[str, Any]) -> None:
    from meanwatt.analysis.emergence.figures import emergence_figure, last_days_figure
    from meanwatt.analysis.emergence.path_figure import path_figure
    from meanwatt.analysis.figures.glyphs import glyph_messages
    from meanwatt.analysis.figures.saved import image
    from meanwatt.analysis.output.result_files import write_result
    from meanwatt.analysis.report.page import FILE, Picture, report_page
    from meanwatt.model.scenario.messages import joined

    title = f"{result['scenario']}, tariff {result['tariff']}: what {result['households']} learning households come to"
    names = ["behaviour", "day", *(name for name in result["populations"][0] if isinstance(_first(result, name), list))]
    figures = {
        "emergence": emergence_figure(runs, title),
        "last_days": last_days_figure(runs, "Prices of the last days, by the hour"),
        "path": path_figure(runs, "The feeder on the way, and who pays for the learning"),
    }
    result["messages"] = joined(result["messages"], glyph_messages(figures.values()))
    table: dict[str, list[Any]] = {name: [] for name in names}
    for population in result["populations"]:
        table["behaviour"] += [population["behaviour"]] * population["days"]
        table["day"] += list(range(population["days"]))
        for name in names[2:]:
            table[name] += population[name]
    manifest = {"settings": result["settings"], "seed": result["seed"], "scenario": scenario}
    page = report_page(
        kind=f"Learning against the equilibrium, {result['households']} households, {result['days']} days",
        title=f"{result['scenario']}, tariff {result['tariff']}",
        result=result,
        reached=result["outcome"] == "converged",
        tables=[_last_table(result), *_path_tables(result)],
        pictures=[Picture(name=name, title=title, text=text, figure=figures[name]) for name, title, text in _PICTURES],
        manifest=manifest,
    )
    images = {f"{name}.svg": image(figure, "svg").decode() for name, figure in figures.items()}
    write_result(
        out,
        name="emergence",
        result=result,
        manifest=manifest,
        tables={"emergence": table, "regret": _regret_columns(result)},
        texts={**images, FILE: page},
    )


_PICTURES = (
    (
        "emergence",
        "Errors on the way",
        "Belief error, realised-price error and exploitability of each population, day by day. Dashed: the noise of a"
        " market that plays the equilibrium, and the equilibrium's own exploitability.",
    ),
    (
        "last_days",
        "The last days",
        "Realised wholesale prices of the last days by the hour, beside the belief and the equilibrium.",
    ),
    (
        "path",
        "The feeder on the way, and who pays",
        "Bus-hours outside the voltage limits and hours of overload, summed from the first day on; dashed: the market"
        " that plays the equilibrium on the same draws. Right: what learning adds to the bill of a home, by income and"
        " technology.",
    ),
)


def _regret_columns(result: dict[str, Any]) -> dict[str, list[Any]]:
    """What learning adds to bills, a row for every population and part of it."""
    columns: dict[str, list[Any]] = {name: [] for name in ("behaviour", "part", "name", "usd_per_household_day")}
    for population in result["populations"]:
        for part in ("by_income", "by_technology", "by_bus"):
            for name, value in (population["regret"] or {}).get(part, {}).items():
                for key, entry in zip(columns, (population["behaviour"], part, name, value), strict=True):
                    columns[key].append(entry)
    return columns


def _first(result: dict[str, Any], name: str) -> Any:
    return result["populations"][0][name]


def _tables(result: dict[str, Any]) -> None:
    """Print the result for people."""
    from meanwatt.analysis.cli.show import say, table

    say(f"{result['scenario']}, tariff {result['tariff']}: {result['message']}")
    if not result["populations"]:
        return
    for one in (_last_table(result), *_path_tables(result)):
        table(one.title, one.heads, one.rows)
    say(f"Exploitability of the equilibrium: {result['exploitability_limit_usd_per_household_day']:.4f}.")
    for number, population in enumerate(result["populations"], start=1):
        say(f"{number}. {population['verdict']}")


def _last_table(result: dict[str, Any]) -> "Table":
    """How the last days are."""
    from meanwatt.analysis.cli.show import figure
    from meanwatt.analysis.emergence.emergence import MEASURES
    from meanwatt.analysis.report.page import Table

    *shown, certified = (*MEASURES[:3], *_FLOORS, MEASURES[3])
    last = [population["last_days"] for population in result["populations"]]
    return Table(
        title="Means over the last quarter of the days, in thousandths of USD/kWh; forgone, the exploitability, in USD"
        " per household-day",
        heads=("", "belief error", "price error", "price move", "noise: error", "noise: move", "forgone"),
        rows=[
            (str(number), *(figure(_thousandths(mean[name]), 2) for name in shown), figure(mean[certified], 4))
            for number, mean in enumerate(last, start=1)
        ],
    )


def _path_tables(result: dict[str, Any]) -> "list[Table]":
    """The feeder along the way, where there is one, and what learning adds to bills."""
    from meanwatt.analysis.cli.show import figure, percent
    from meanwatt.analysis.emergence.path_costs import PATH
    from meanwatt.analysis.report.page import Table

    tables = []
    populations = list(enumerate(result["populations"], start=1))
    if populations[0][1]["path"][PATH[0]] is not None:
        tables.append(
            Table(
                title="On the feeder over all days; given: homes that play the equilibrium, on the same draws",
                heads=("", "bus-hours outside limits", "hours of overload", "given: outside", "given: overload"),
                rows=[(str(number), *(figure(one["path"][name], 0) for name in PATH)) for number, one in populations],
            )
        )
    names = [*populations[0][1]["regret"]["by_income"], *populations[0][1]["regret"]["by_technology"]]
    rows = []
    for number, one in populations:
        parts = {**one["regret"]["by_income"], **one["regret"]["by_technology"]}
        mean = one["regret"]["mean_usd_per_household_day"]
        cents = (figure(100 * value, 2) for value in (mean, *(parts[name] for name in names)))
        rows.append((str(number), *cents, percent(one["regret"]["losers_share"], 0)))
    tables.append(
        Table(
            title="What learning adds to the bill, cents per household-day, and the share of homes that pay more",
            heads=("", "all", *names, "pay more"),
            rows=rows,
        )
    )
    return tables


def _thousandths(value: float | None) -> float | None:
    return None if value is None else 1000 * value
