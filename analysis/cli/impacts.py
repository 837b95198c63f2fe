"""``meanwatt impacts``: what customers gain and lose when one tariff takes another's place."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from meanwatt.agents.early_mesa import load_mesa
from meanwatt.analysis.cli.options import Json, Out, Set, whole_number
from meanwatt.analysis.cli.watching import watched
from meanwatt.model.scenario.ranges import DAYS, HOUSEHOLDS, SEED, THREADS

if TYPE_CHECKING:
    from meanwatt.analysis.impacts.bill_changes import BillChanges


SIMULATED: Final = ("set", "households", "days", "seed", "threads")
"""Options that have no meaning for meters of a file."""


def impacts(
    a: Annotated[
        str,
        typer.Argument(
            metavar="A",
            help="The tariff in force: one of the scenario's, or a TOML file; or one as filed, of the gallery or a"
            " file.",
            show_default=False,
        ),
    ],
    b: Annotated[str, typer.Argument(metavar="B", help="The new tariff, likewise.", show_default=False)],
    scenario: Annotated[
        str | None,
        typer.Argument(metavar="[SCENARIO]", help="Name of a preset, or a scenario's TOML file.", show_default=False),
    ] = None,
    *,
    meters: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="CSV or Parquet file of meter readings, a row for each customer and interval."
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.toml",
            help="How that file is laid out, and what customers have chosen of A and B; a file that import households"
            " wrote says the first itself.",
        ),
    ] = None,
    set: Set = None,
    households: Annotated[str | None, typer.Option(metavar="N", help="Simulated households (1000).")] = None,
    days: Annotated[str | None, typer.Option(metavar="D", help="Days to live under each tariff (365).")] = None,
    seed: Annotated[str | None, typer.Option(metavar="S", help="Key of all random draws (0).")] = None,
    threads: Annotated[str | None, typer.Option(metavar="K", help="Threads (1); results do not depend on it.")] = None,
    json: Json = False,
    out: Out = None,
) -> int:
    """Who pays more and who pays less from tariff A to tariff B, without the customers' response and with it."""
    given = {"set": set, "households": households, "days": days, "seed": seed, "threads": threads}
    if out is not None:
        from meanwatt.analysis.output.result_files import require_free

        require_free(out, "impacts")
    if meters is not None:
        if scenario is not None:
            raise ValueError(f"SCENARIO {scenario} and --meters are both given; give one of them")
        for name in SIMULATED:
            if given[name]:
                raise ValueError(f"--{name} is for a simulated population; leave it out with --meters")
        return _of_meters(a, b, meters, format, json=json, out=out)
    if scenario is None:
        raise ValueError("whose bills? give a SCENARIO, such as oahu, or --meters FILE --format FILE.toml")
    size = {
        "households": whole_number("--households", households or "1000", HOUSEHOLDS, example=1000),
        "rng": whole_number("--seed", seed or "0", SEED, example=1),
        "threads": whole_number("--threads", threads or "1", THREADS, example=2),
    }
    as_filed = [one for one in (a, b) if _is_filed(one)]
    if len(as_filed) == 1:
        raise ValueError(
            f"tariff {as_filed[0]} is one as filed and the other is not; give two as filed, or two of the scenario's"
        )
    if as_filed:
        if days is not None:
            raise ValueError("--days: tariffs as filed are billed over a whole year; leave it out")
        return _of_simulated_meters((a, b), scenario, set, format, size, json=json, out=out)
    if format is not None:
        raise ValueError("--format is for --meters FILE, and for tariffs as filed; leave it out")
    lived = whole_number("--days", days or "365", DAYS, example=365)
    return _of_scenario(a, b, scenario, set, size, lived, json=json, out=out)


def _of_scenario(
    a: str,
    b: str,
    scenario: str,
    overrides: list[str] | None,
    size: dict[str, Any],
    days: int,
    *,
    json: bool,
    out: str | None,
) -> int:
    with watched(quiet=json) as work:
        load_mesa()
        from meanwatt.analysis.cli.inputs import read
        from meanwatt.analysis.impacts.population import population_impacts
        from meanwatt.analysis.impacts.report import population_json

        before, after = read(scenario, a, overrides), read(scenario, b, overrides)
        done = population_impacts(
            before.economy,
            before.tariff,
            before.tariff if _same_table(before, after) else after.tariff,
            size=size,
            days=days,
            watch=work.watch,
            new_stage=work.new_stage,
            told=work.show,
        )
    settings = {"a": a, "b": b, "scenario": scenario, "set": before.given["set"], "days": days}
    result = {
        "a": before.tariff.name,
        "b": after.tariff.name,
        "customers_of": f"scenario {before.economy.scenario.name}",
        **population_json(done),
        "settings": settings | {"households": size["households"], "seed": size["rng"], "threads": size["threads"]},
    }
    scenario_table = before.economy.scenario.model_dump(mode="json")
    manifest = {"settings": result["settings"], "seed": size["rng"], "scenario": scenario_table}
    return _give(result, manifest, (done.without_response, done.with_response), json=json, out=out)


def _of_meters(a: str, b: str, meters: str, layout: str | None, *, json: bool, out: str | None) -> int:
    began = time.perf_counter()
    with watched(quiet=json) as work:
        from meanwatt.analysis.impacts.meters import meter_impacts, meters_json
        from meanwatt.model.billing.meter_format import read_meter_format
        from meanwatt.model.billing.readings_file import format_of
        from meanwatt.model.progress.watch import Cancelled

        form = format_of(Path(meters), None if layout is None else read_meter_format(layout))
        try:
            done = meter_impacts(a, b, Path(meters), form, told=work.show, check=work.watch.check)
        except Cancelled:
            raise ValueError(f"--meters {meters}: stopped before the end of the file; nothing is written") from None
    settings = {"a": a, "b": b, "meters": meters, "format": layout}
    result = {
        "a": a,
        "b": b,
        "customers_of": f"meters {Path(meters).name}",
        **meters_json(done),
        "seconds": time.perf_counter() - began,
        "settings": settings,
    }
    manifest = {"settings": settings, "format": form.model_dump(mode="json")}
    return _give(result, manifest, (done.changes, None), json=json, out=out, names=done.names)


def _of_simulated_meters(
    filed: tuple[str, str],
    scenario: str,
    overrides: list[str] | None,
    layout: str | None,
    size: dict[str, Any],
    *,
    json: bool,
    out: str | None,
) -> int:
    began = time.perf_counter()
    with watched(quiet=json) as work:
        load_mesa()
        from meanwatt.analysis.cli.inputs import read
        from meanwatt.analysis.impacts.report import simulated_json
        from meanwatt.analysis.impacts.simulated_meters import simulated_meters
        from meanwatt.model.billing.meter_format import MeterFormat, read_meter_format
        from meanwatt.model.progress.watch import Cancelled

        form = MeterFormat() if layout is None else read_meter_format(layout)
        inputs = read(scenario, None, overrides)
        try:
            done = simulated_meters(
                inputs.economy, inputs.tariff, filed, (form.a, form.b), size, watch=work.watch, told=work.show
            )
        except Cancelled:
            raise ValueError("stopped before the year was over; nothing is written") from None
    settings = {"a": filed[0], "b": filed[1], "scenario": scenario, "set": inputs.given["set"], "format": layout}
    result = {
        "a": filed[0],
        "b": filed[1],
        "customers_of": f"scenario {inputs.economy.scenario.name}",
        **simulated_json(done),
        "seconds": time.perf_counter() - began,
        "settings": settings | {"households": size["households"], "seed": size["rng"], "threads": size["threads"]},
    }
    manifest = {
        "settings": result["settings"],
        "seed": size["rng"],
        "scenario": inputs.economy.scenario.model_dump(mode="json"),
        "format": form.model_dump(mode="json"),
    }
    return _give(result, manifest, (done.without_response, done.with_response), json=json, out=out)


def _is_filed(tariff: str) -> bool:
    """Whether a tariff is one as filed: of the gallery, a JSON record, or a TOML file that says so."""
    from meanwatt.model.billing.ratebook_table import KIND
    from meanwatt.model.billing.tariff_gallery import gallery
    from meanwatt.model.scenario.files import FileError, is_file, read_toml

    if tariff in gallery() or tariff.lower().endswith(".json"):
        return True
    if not (tariff.lower().endswith(".toml") and is_file(tariff)):
        return False
    try:
        return bool(read_toml(Path(tariff)).get("kind") == KIND)
    except FileError:  # told in the words of whoever reads it
        return False


def _same_table(before: Any, after: Any) -> bool:
    """Whether A and B say the same, word by word."""
    one, other = (inputs.economy.scenario for inputs in (before, after))
    return bool(one.tariffs[one.selected_tariff] == other.tariffs[other.selected_tariff])


def _give(
    result: dict[str, Any],
    manifest: dict[str, Any],
    done: "tuple[BillChanges | None, BillChanges | None]",
    *,
    json: bool,
    out: str | None,
    names: tuple[str, ...] = (),
) -> int:
    """Write and print a result; return the exit status."""
    from meanwatt.analysis.cli.impacts_page import say_impacts
    from meanwatt.analysis.cli.show import print_json, say_report

    kept = None if done == (None, None) else out
    if kept is not None:
        _write(kept, result, manifest, done, names)
    if json:
        print_json(result)
    else:
        say_impacts(result)
        say_report(kept)
    return 0 if result["outcome"] == "converged" else 1


def _write(
    out: str,
    result: dict[str, Any],
    manifest: dict[str, Any],
    done: "tuple[BillChanges | None, BillChanges | None]",
    names: tuple[str, ...],
) -> None:
    from meanwatt.analysis.cli.impacts_page import impacts_report
    from meanwatt.analysis.impacts.report import impact_tables
    from meanwatt.analysis.output.result_files import write_result
    from meanwatt.analysis.report.page import FILE

    write_result(
        out,
        name="impacts",
        result=result,
        manifest=manifest,
        tables=impact_tables(*done, names={"customer": names} if names else None),
        texts={FILE: impacts_report(result, manifest, *done)},
    )
