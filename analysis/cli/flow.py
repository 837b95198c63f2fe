"""``meanwatt flow``: the power flow of a feeder for a series of loads, such as a year of hours, or for a market's."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from meanwatt.agents.numerics.compile_time import compile_seconds
from meanwatt.analysis.cli import quick_start
from meanwatt.analysis.cli.flow_market import market_slots, require_one_source
from meanwatt.analysis.cli.options import Json, Out, Set, TariffOrClass, number, one_of
from meanwatt.analysis.cli.watching import watched
from meanwatt.analysis.cli.year_option import Year
from meanwatt.model.scenario.ranges import SLOT_HOURS

if TYPE_CHECKING:
    from meanwatt.analysis.year_flow.slots_solved import SolvedSlots
    from meanwatt.model.network.feeder import Feeder
    from meanwatt.model.scenario.messages import Messages

LIMITS: Final = ("ansi_c84_1", "en_50160")
"""Bands of voltage, as `meanwatt.model.network.power_flow.VoltageLimits` names them."""


def flow(
    feeder: Annotated[
        str,
        typer.Argument(
            metavar="FEEDER|SCENARIO",
            help="With --loads a feeder's name, or a feeder file as of import feeder; without it a scenario, whose"
            " market loads its feeder.",
            show_default=False,
        ),
    ],
    *,
    loads: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="CSV or Parquet file: a row for each slot, a column of kW for each bus (negative feeds in), perhaps"
            " one of time.",
        ),
    ] = None,
    reactive: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="The same of kvar; without it each bus draws by its reference load, or at power factor .95.",
        ),
    ] = None,
    slot_hours: Annotated[
        str | None,
        typer.Option(metavar="H", help="Length of a slot; without it what the time stamps say, else 1."),
    ] = None,
    limits: Annotated[
        str, typer.Option(metavar="NAME", help="Band of voltages: ansi_c84_1 (±5 %) or en_50160 (±10 %).")
    ] = "ansi_c84_1",
    geojson: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write each bus's extremes and each line's loading as GeoJSON, for a map."),
    ] = None,
    households: Annotated[
        str | None, typer.Option(metavar="N", help="Households of the scenario's market; without it the customers.")
    ] = None,
    days: Annotated[str | None, typer.Option(metavar="D", help="Days that it lives (1, or those of --year).")] = None,
    year: Year = None,
    seed: Annotated[str | None, typer.Option(metavar="S", help="Key of its random draws (0).")] = None,
    tariff: TariffOrClass = None,
    set: Set = None,
    json: Json = False,
    out: Out = None,
) -> int:
    """Solve the AC power flow of a feeder for a file of loads, such as a year of hours, or for a scenario's days."""
    began = time.perf_counter()
    market = {"households": households, "days": days, "year": year, "seed": seed, "tariff": tariff, "set": set}
    require_one_source(loads, market | {"reactive": reactive, "slot_hours": slot_hours}, feeder)
    hours = None if slot_hours is None else number("--slot-hours", slot_hours, SLOT_HOURS, example=0.25)
    one_of("--limits", limits, LIMITS)
    if out is not None:
        from meanwatt.analysis.output.result_files import require_free

        require_free(out, "flow")
    if geojson is not None:
        from meanwatt.analysis.output.result_files import require_free_file

        require_free_file("--geojson", geojson)
    asked: dict[str, Any] = {"feeder": feeder, "loads": loads, "reactive": reactive, "slot_hours": hours}
    asked |= {"limits": limits}
    with watched(quiet=json) as work, _voltages(out) as voltages:
        from meanwatt.analysis.cli.show import print_json, say_report
        from meanwatt.analysis.year_flow.report import Given, flow_json, slot_hours_of

        quick_start.over()
        told: Messages = ()
        if loads is None:
            done, length, size, told = market_slots(feeder, market, limits, voltages, work)
            asked = {"scenario": feeder, "tariff": tariff, "set": list(set or ()), "limits": limits, **size}
            stopped = work.cancelled()
            given = Given(slot_hours=length, from_stamps=False, reactive=True, without=0, cancelled=stopped)
        else:
            done, without = _solved(asked, voltages, work.watch)
            stamped = slot_hours_of(tuple(done.times[:2]))
            given = Given(
                slot_hours=hours or stamped or 1.0,
                from_stamps=hours is None and stamped is not None,
                reactive=reactive is not None,
                without=without,
                cancelled=work.watch.stopped,
            )
        result = flow_json(done, given)
        result |= {
            "messages": [*result["messages"], *told],
            "seconds": time.perf_counter() - began,
            "compile_seconds": compile_seconds(),
            "settings": asked,
        }
        kept = None if given.cancelled else out
        if kept is not None and voltages is not None:
            _write(kept, result, done, voltages)
        if geojson is not None and not given.cancelled:
            _write_map(geojson, done, result["slot_hours"])
    if json:
        print_json(result)
    else:
        _print(result)
        say_report(kept)
    return 0 if result["outcome"] == "converged" else 1


def named_feeder(name: str) -> "Feeder":
    """A feeder that comes with the model, or that of a file; ``ValueError`` in one line."""
    from meanwatt.model.network.feeder import FEEDERS, build_feeder
    from meanwatt.model.network.feeder_file import scenario_feeder
    from meanwatt.model.scenario.files import is_file, is_path
    from meanwatt.model.scenario.nearest import unknown
    from meanwatt.model.scenario.tables import FeederTable

    if name in FEEDERS:
        return build_feeder(name, peak_reference_kw=1.0)
    if not (is_path(name) or name.endswith((".json", ".toml")) or is_file(name)):
        raise ValueError(f"{unknown('feeder', name, FEEDERS)} (or give the path of a feeder file)")
    return scenario_feeder(FeederTable(name=None, file=name), peak_reference_kw=1.0)


def _write_map(file: str, done: "SolvedSlots", slot_hours: float) -> None:
    from meanwatt.analysis.output.result_files import staged_file
    from meanwatt.analysis.output.strict_json import dumps
    from meanwatt.analysis.year_flow.flow_map import flow_geojson

    with staged_file(file) as stage:
        stage.write_text(dumps(flow_geojson(done, slot_hours)) + "\n", encoding="utf-8")


@contextmanager
def _voltages(out: str | None) -> "Iterator[Path | None]":
    """A file beside the result to write voltages to, which goes if it is not moved away."""
    if out is None:
        yield None
        return
    folder = Path(out).absolute().parent
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".flow-", dir=folder, ignore_cleanup_errors=True) as scratch:
        yield Path(scratch) / "voltages.parquet"


def _solved(asked: dict[str, Any], voltages: Path | None, watch: Any) -> "tuple[SolvedSlots, int]":
    """Solve all slots of the files; with how many buses have no column."""
    from contextlib import closing, nullcontext

    from meanwatt.analysis.year_flow.loads_file import LoadsFile
    from meanwatt.analysis.year_flow.slots_solved import solve_slots
    from meanwatt.analysis.year_flow.voltages_file import VoltagesFile
    from meanwatt.model.network.power_flow import VoltageLimits

    feeder = named_feeder(asked["feeder"])
    active = LoadsFile("--loads", asked["loads"], feeder.buses)
    reactive = None if asked["reactive"] is None else LoadsFile("--reactive", asked["reactive"], feeder.buses)
    kept = nullcontext() if voltages is None else closing(VoltagesFile(voltages, feeder.buses))
    with kept as file:
        done = solve_slots(
            feeder,
            active.blocks(),
            None if reactive is None else reactive.blocks(),
            limits=VoltageLimits(asked["limits"]),
            watch=watch,
            written=None if file is None else file.add,
        )
    return done, active.without


def _shown(result: dict[str, Any]) -> Any:
    """The table for people."""
    from meanwatt.analysis.cli.show import figure
    from meanwatt.analysis.report.page import Table

    voltage, energy, lines, units = (result[name] for name in ("voltage", "energy", "lines", "transformers"))

    def at(found: dict[str, Any] | None, digits: int) -> tuple[str, str]:
        if found is None:
            return "–", ""
        return figure(found["value"], digits), f"slot {found['slot']}" + (f", {found['time']}" if found["time"] else "")

    def row(name: str, found: dict[str, Any] | None, digits: int, where: str | None = None) -> tuple[str, str, str]:
        value, slot = at(found, digits)
        return name, value, ", ".join(filter(None, (where and f"bus {where}", slot)))

    rows = [
        row("lowest voltage, pu", voltage["min_pu"], 4, voltage["min_bus"]),
        row("highest voltage, pu", voltage["max_pu"], 4, voltage["max_bus"]),
        ("hours outside the limits at some bus", figure(voltage["hours_outside"], 1), ""),
        ("buses ever outside", str(voltage["buses_outside"]), ""),
        row("most drawn from the source, kW", energy["max_source_kw"], 1),
        row("least, negative where it feeds back, kW", energy["min_source_kw"], 1),
        ("net load, kWh", figure(energy["net_load_kwh"], 0), ""),
        ("losses, kWh", figure(energy["loss_kwh"], 1), ""),
        ("highest line loading, %", figure(lines["max_loading_percent"], 1), lines["line"] or ""),
        ("hours with a line above its rating", figure(lines["hours_above_rating"], 1), ""),
        ("highest transformer loading, %", figure(units["max_loading_percent"], 1), ""),
        ("hours with a transformer above its rating", figure(units["hours_above_rating"], 1), ""),
        ("hours without a state", figure(result["hours_unsolved"], 1), ""),
    ]
    return Table(title="Over all slots that were solved", heads=("", "value", "where and when"), rows=rows)


def _print(result: dict[str, Any]) -> None:
    from meanwatt.analysis.cli.show import say, say_notes, table

    say(f"{result['feeder']}, {result['buses']} buses: {result['message']} ({result['seconds']:.1f} s)\n")
    one = _shown(result)
    table(one.title, one.heads, one.rows)
    say_notes(result["messages"])


def _write(out: str, result: dict[str, Any], done: "SolvedSlots", voltages: Path) -> None:
    from meanwatt.analysis.output.result_files import write_result
    from meanwatt.analysis.report.page import FILE, Picture, report_page
    from meanwatt.analysis.year_flow.figures import flow_figure
    from meanwatt.analysis.year_flow.report import flow_tables

    manifest = {"settings": result["settings"]}
    picture = Picture(
        name="flow",
        title="Voltages and loadings",
        text="Lowest and highest voltage of any bus by day and hour, where slots make days, and how much of the time"
        " voltages and loadings are above a value. Slots without a state are blank. Dotted: limits and ratings.",
        figure=flow_figure(done, result["slot_hours"]),
    )
    page = report_page(
        kind="Power flow of a series of loads",
        title=f"{result['feeder']}, {result['slots']} slots",
        result=result,
        reached=result["outcome"] == "converged",
        tables=[_shown(result)],
        pictures=[picture],
        manifest=manifest,
    )
    write_result(
        out,
        name="flow",
        result=result,
        manifest=manifest,
        tables=flow_tables(done, result["slot_hours"]),
        texts={FILE: page},
        written={voltages.name: voltages},
    )
