"""``meanwatt hosting``: how much solar a feeder holds under each of several tariffs."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from meanwatt.agents.numerics.compile_time import compile_seconds
from meanwatt.analysis.cli import quick_start
from meanwatt.analysis.cli.options import (
    Json,
    Out,
    Resume,
    Seed,
    Set,
    Threads,
    number,
    one_of,
    require_out,
    whole_number,
)
from meanwatt.analysis.cli.watching import watched
from meanwatt.model.scenario.ranges import PLACEMENTS, SEED, STEP, THREADS

if TYPE_CHECKING:
    from meanwatt.analysis.cli.watching import Work
    from meanwatt.analysis.hosting.sweep import Cell, HostingPlan
    from meanwatt.model.scenario.schema import Scenario as ScenarioTables

SWEPT: Final = ("solar", "cars")
"""What may be adopted, as `meanwatt.analysis.hosting.adoption.Swept` names it."""
INCOMES: Final = ("mixed", "far", "near", "clustered")
"""Where income groups live, as `meanwatt.model.scenario.residents_table.ResidentsTable` names it."""
MOST_TARIFFS: Final = 20
"""Most tariffs of one sweep."""


def hosting(
    feeder: Annotated[
        str,
        typer.Argument(
            metavar="FEEDER", help="Name of a feeder, or a feeder file as of import feeder.", show_default=False
        ),
    ],
    scenario: Annotated[
        str, typer.Argument(metavar="SCENARIO", help="Name of a preset, or a scenario's TOML file.")
    ] = "oahu",
    *,
    tariff: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|FILE",
            help="One of the scenario's tariffs, or a tariff's TOML file, e.g. a design's; may be repeated, the first"
            " one is what the others are compared with. CLASS=NAME is that of one rate class alone; without this option"
            " the scenario's own, with its rate classes.",
        ),
    ] = None,
    swept: Annotated[
        str, typer.Option("--sweep", metavar="WHAT", help="What homes adopt: solar, or cars (electric vehicles).")
    ] = "solar",
    incomes: Annotated[
        str | None,
        typer.Option(
            metavar="WHERE",
            help="Where income groups live, in the place of the scenario's feeder.residents: mixed, the richer far from"
            " the source (far) or near, or clustered by branch.",
        ),
    ] = None,
    placements: Annotated[str, typer.Option(metavar="P", help="Random placements of the owners on the feeder.")] = "50",
    step: Annotated[str, typer.Option(metavar="SHARE", help="From one level of adoption to the next.")] = "0.1",
    seed: Seed = "0",
    threads: Threads = "1",
    set: Set = None,
    resume: Resume = False,
    json: Json = False,
    out: Out = None,
) -> int:
    """Raise the adoption of solar on a feeder under each tariff, and say when its limits are first broken."""
    began = time.perf_counter()
    size = {
        "placements": whole_number("--placements", placements, PLACEMENTS, example=50),
        "step": number("--step", step, STEP, example=0.1),
        "seed": whole_number("--seed", seed, SEED, example=1),
    }
    workers = whole_number("--threads", threads, THREADS, example=2)
    one_of("--sweep", swept, SWEPT)
    if incomes is not None:
        one_of("--incomes", incomes, INCOMES)
    require_out(resume=resume, out=out)
    given: dict[str, Any] = {
        "feeder": feeder,
        "scenario": scenario,
        "tariff": tariff,
        "set": list(set or ()),
        "sweep": swept,
    }
    given |= {"incomes": incomes, **size}
    with watched(quiet=json) as work:
        from meanwatt.analysis.cli.show import print_json, say_report
        from meanwatt.analysis.hosting.report import hosting_json

        journal = None if out is None else _checked_journal(out, resume=resume)
        plan = _plan(given, workers)
        cells = _cells(plan, journal, work, resume=resume)
        result = hosting_json(plan, cells) | {
            "seed": size["seed"],
            "seconds": time.perf_counter() - began,
            "compile_seconds": compile_seconds(),
            "settings": given | {"incomes": plan.residence},
        }
    done = result["outcome"] == "converged"
    kept = out if len(cells) == len(plan.cells) else None
    if kept is not None:
        _write(kept, result, plan, cells)
        if journal is not None:
            journal.unlink()
    if json:
        print_json(result)
    else:
        _print(result)
        say_report(kept)
    return 0 if done else 1


def _checked_journal(out: str, *, resume: bool) -> Path:
    """The journal beside the result; ``ValueError`` before any work is done if either may not be written."""
    from meanwatt.analysis.hosting.hosting_journal import HostingJournal
    from meanwatt.analysis.output.result_files import require_free
    from meanwatt.analysis.output.run_journal import journal_beside

    require_free(out, "hosting")
    journal = journal_beside(out)
    HostingJournal.check(journal, resume=resume)
    return journal


def _plan(given: dict[str, Any], threads: int) -> "HostingPlan":
    """What is swept, from what was typed; ``ValueError`` in one line."""
    from meanwatt.agents.numerics.randomness import key_from
    from meanwatt.analysis.hosting.adoption import Swept, adoption_levels, in_force
    from meanwatt.analysis.hosting.sweep import HostingPlan
    from meanwatt.model.network.feeder_file import scenario_feeder
    from meanwatt.model.network.located_economy import build_located_economy

    quick_start.over()
    names = given["tariff"] or [None]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"--tariff {name} is given twice; give every tariff once")
    if len(names) > MOST_TARIFFS:
        raise ValueError(f"--tariff is given {len(names)} times; give at most {MOST_TARIFFS}")
    loaded = [_scenario(given, name) for name in names]
    economy = build_located_economy(loaded[0])
    shown = _shown([name or in_force(one) for name, one in zip(names, loaded, strict=True)])
    return HostingPlan(
        feeder=scenario_feeder(loaded[0].feeder, peak_reference_kw=economy.peak_reference_kw),
        scenarios=dict(zip(shown, loaded, strict=True)),
        levels=adoption_levels(given["step"]),
        placements=given["placements"],
        key=key_from(given["seed"]),
        swept=Swept(given["sweep"]),
        threads=threads,
    )


def _shown(tariffs: list[str]) -> list[str]:
    """Tariffs as they are shown: of a file its folder and name, where that tells them apart."""
    short = ["/".join(Path(name).parts[-2:]) for name in tariffs]
    return short if len(dict.fromkeys(short)) == len(short) else tariffs


def _scenario(given: dict[str, Any], tariff: str | None) -> "ScenarioTables":
    """The scenario with its feeder and the tariff asked for, or its own and its rate classes."""
    from meanwatt.model.network.feeder import FEEDERS
    from meanwatt.model.scenario.economy import build_rate_classes
    from meanwatt.model.scenario.files import is_file, is_path
    from meanwatt.model.scenario.loading import load_scenario
    from meanwatt.model.scenario.nearest import unknown

    feeder = given["feeder"]
    of_file = feeder not in FEEDERS
    if of_file and not (is_path(feeder) or feeder.endswith(".json") or is_file(feeder)):
        raise ValueError(f"{unknown('feeder', feeder, FEEDERS)} (or give the path of a feeder file)")
    loaded = load_scenario(given["scenario"], overrides=given["set"], tariff=tariff)
    build_rate_classes(loaded)  # components are refused before any work
    changes = {f"feeder.{'file' if of_file else 'name'}": feeder}
    if given["incomes"] is not None:
        changes["feeder.residents.incomes"] = given["incomes"]
    return load_scenario(loaded, overrides=changes)


def _cells(plan: "HostingPlan", journal: Path | None, work: "Work", *, resume: bool) -> "list[Cell]":
    """Sweep but for what is on record; fewer cells than planned if asked to stop."""
    from contextlib import nullcontext

    from meanwatt.analysis.hosting.hosting_journal import HostingJournal
    from meanwatt.analysis.hosting.sweep import sweep
    from meanwatt.model.progress.watch import Cancelled

    kept = nullcontext() if journal is None else HostingJournal(journal, plan, resume=resume)
    with kept as record:
        cells = [] if record is None else list(record.parts)
        try:
            for cell in sweep(plan, cells, work.watch):
                if record is not None:
                    record.append(cell)
                cells.append(cell)
        except Cancelled:
            pass
    return cells


def _print(result: dict[str, Any]) -> None:
    """Print the result for people."""
    from meanwatt.analysis.cli.show import say, say_notes, table
    from meanwatt.analysis.hosting.shown_tables import hosting_tables_shown

    say(f"{result['feeder']}, {result['scenario']}: {result['message']} ({result['seconds']:.1f} s)\n")
    for one in hosting_tables_shown(result):
        table(one.title, one.heads, one.rows)
    say_notes(result["messages"])


def _write(out: str, result: dict[str, Any], plan: "HostingPlan", cells: "list[Cell]") -> None:
    from meanwatt.analysis.hosting.hosting_page import hosting_page
    from meanwatt.analysis.hosting.report import hosting_tables
    from meanwatt.analysis.output.result_files import write_result
    from meanwatt.analysis.report.page import FILE

    manifest = {
        "settings": result["settings"],
        "seed": result["seed"],
        "scenario": plan.scenario.model_dump(mode="json"),
    }
    write_result(
        out,
        name="hosting",
        result=result,
        manifest=manifest,
        tables=hosting_tables(plan, cells),
        texts={FILE: hosting_page(result, plan, cells, manifest)},
    )
