"""``meanwatt study``: one measurement over many scenarios, sizes and replications, on many processes or machines."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meanwatt.agents.numerics.compile_time import compile_seconds
from meanwatt.analysis.cli import quick_start, study_gallery
from meanwatt.analysis.cli.options import Json, Scheduler, whole_number
from meanwatt.analysis.cli.watching import watched
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.ranges import WORKERS

if TYPE_CHECKING:
    from meanwatt.analysis.study.plan import Plan
    from meanwatt.analysis.study.run import StudyRun


def study(
    file: Annotated[
        str,
        typer.Argument(
            metavar="STUDY.toml|gallery",
            help="The study's file; or gallery: twelve known phenomena, each with its expected sign and a verdict.",
            show_default=False,
        ),
    ],
    *,
    scheduler: Scheduler = None,
    workers: Annotated[
        str | None, typer.Option(metavar="K", help="Processes on this machine; 0 works without. By default one a core.")
    ] = None,
    allow_code: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Directory whose Python files the study's behaviour may name; they are run."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep the results that are there; do the rest, and again what failed.")
    ] = False,
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Where results are kept; else the file's name without .toml."),
    ] = None,
    only: Annotated[
        str | None, typer.Option(metavar="KEY,…", help="Of the gallery these phenomena; by default all.")
    ] = None,
    json: Json = False,
) -> int:
    """Run a study on all cores, or on the workers of a dask cluster."""
    began = time.perf_counter()
    if file == study_gallery.GALLERY:
        study_gallery.require_gallery_options(
            scheduler=scheduler, workers=workers, allow_code=allow_code, resume=resume
        )
        return study_gallery.run(only, out, json=json)
    if only is not None:
        raise ValueError(f"--only chooses phenomena of the gallery; {file} is a study of its own, leave --only out")
    count = whole_number("--workers", workers, WORKERS, example=2) if workers else os.cpu_count() or 1
    if workers and scheduler:
        raise ValueError("--workers and --scheduler are both given; a scheduler has its own, leave --workers out")
    with watched(quiet=json) as work:
        quick_start.over()
        from meanwatt.analysis.study.plan import plan_study
        from meanwatt.analysis.study.run import run_study

        plan = plan_study(file, allow_code=allow_code)
        directory = Path(out or plan.name)
        if out is None and directory.is_file():
            raise ValueError(f"--out is missing and {directory} is a file; give --out DIR")
        work.show(f"starting {counted(len(plan.tasks), 'task')}", None)
        done = run_study(
            plan,
            directory,
            scheduler=scheduler,
            workers=0 if scheduler else count,
            resume=resume,
            told=work.show,
            cancelled=work.cancelled,
        )
    _say(plan, done, directory, json=json, seconds=time.perf_counter() - began, scheduler=scheduler)
    return 0 if done.complete else 1


def _say(plan: "Plan", done: "StudyRun", directory: Path, *, json: bool, seconds: float, scheduler: str | None) -> None:
    """Print the result; what went wrong also goes to standard error."""
    from meanwatt.analysis.cli.show import print_json, say, say_notes, say_report, warn

    result = _result(plan, done, directory, seconds, scheduler)
    title = plan.file.title or plan.name
    if done.table is not None:
        _write_report(result, done.table, title, plan.keys)

    if json:
        print_json(result)
    elif done.table is not None:
        say(f"{title}: {done.message} ({seconds:.1f} s)")
        say_notes(result["messages"])
        say_report(str(directory))
    if done.table is None:
        warn(f"meanwatt: {done.message}")


def _write_report(result: dict[str, Any], table: Path, title: str, keys: tuple[str, ...]) -> None:
    """Write the page beside the table."""
    import pandas as pd

    from meanwatt.analysis.cli.study_page import study_report
    from meanwatt.analysis.report.page import FILE
    from meanwatt.analysis.study.directory import write_whole

    page = study_report(result, pd.read_parquet(table), title, keys)
    write_whole(table.with_name(FILE), page.encode("utf-8"))


def _result(plan: "Plan", done: "StudyRun", directory: Path, seconds: float, scheduler: str | None) -> dict[str, Any]:
    from meanwatt.model.scenario.messages import joined

    return {
        "study": plan.name,
        "outcome": done.outcome,
        "message": done.message,
        "messages": joined(plan.messages, done.messages),
        "measure": plan.file.measure,
        "points": len(plan.points),
        "keys": list(plan.keys),
        "tasks": done.tasks,
        "found": done.found,
        "done": done.done,
        "refused": done.refused,
        "failed": done.failed,
        "not_converged": done.not_converged,
        "directory": directory,
        "table": done.table,
        "seed": plan.file.seed,
        "seconds": seconds,
        "compile_seconds": compile_seconds(),  # of this process, not of its workers
        "settings": {**plan.file.model_dump(mode="json"), "scheduler": scheduler},
    }
