"""``meanwatt validate``: the finite market against the continuum, for growing numbers of households."""

import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from meanwatt.agents.early_mesa import load_mesa
from meanwatt.agents.numerics.compile_time import compile_seconds
from meanwatt.agents.tariff.rate_classes import called
from meanwatt.analysis.cli.options import (
    Json,
    Out,
    Scenario,
    Scheduler,
    Seed,
    Set,
    Tariff,
    one_of,
    whole_number,
    whole_numbers,
)
from meanwatt.analysis.cli.watching import watched
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.ranges import DAYS, HOUSEHOLDS, MEMORY, REPLICATIONS, SEED

if TYPE_CHECKING:
    from meanwatt.analysis.validation import Validation

NAMES: Final = ("aggregate", "state", "exploitability", "emergence", "leader", "grid")
"""The checks (those of `meanwatt.analysis.validation.criteria`, which is slow to import)."""


def validate(
    scenario: Scenario,
    *,
    households: Annotated[
        str, typer.Option(metavar="N,N,…", help="Numbers of simulated households.")
    ] = "30,100,300,1000,3000,10000",
    replications: Annotated[str, typer.Option(metavar="R", help="Markets of each size.")] = "20",
    days: Annotated[str, typer.Option(metavar="D", help="Days of each market.")] = "28",
    seed: Seed = "0",
    checks: Annotated[
        str, typer.Option(metavar="NAME,NAME,…", help=f"Which checks to run: all, or some of {', '.join(NAMES)}.")
    ] = "all",
    memory: Annotated[
        str | None, typer.Option(metavar="M,M,…", help="Also measure the floor with these memories, e.g. 0,1,2.")
    ] = None,
    scheduler: Scheduler = None,
    tariff: Tariff = None,
    set: Set = None,
    json: Json = False,
    out: Out = None,
) -> int:
    """Compare finite markets with the mean field."""
    began = time.perf_counter()
    sizes = whole_numbers("--households", households, HOUSEHOLDS, example="30,100,300")
    wanted = _checks(checks)
    memories = () if memory is None else whole_numbers("--memory", memory, MEMORY, example="0,1,2")
    size: dict[str, Any] = {
        "replications": whole_number("--replications", replications, REPLICATIONS, example=20),
        "days": whole_number("--days", days, DAYS, example=28),
        "seed": whole_number("--seed", seed, SEED, example=1),
    }
    with watched(quiet=json) as work:
        load_mesa()
        from meanwatt.analysis.cli.inputs import read
        from meanwatt.analysis.cli.show import print_json, say_notes, say_report
        from meanwatt.analysis.validation.as_json import validation_json
        from meanwatt.analysis.validation.lived import solve_validated
        from meanwatt.analysis.validation.messages import curve_messages, phase_messages, validation_messages
        from meanwatt.model.mean_field.equilibrium import Outcome
        from meanwatt.model.progress.watch import Cancelled
        from meanwatt.model.scenario.messages import joined

        if out is not None:
            from meanwatt.analysis.output.result_files import require_free

            require_free(out, "validate")
        inputs = read(scenario, tariff, set, classes=True, components=True, branches=True, envelopes=True)
        assumed = phase_messages(inputs.economy, wanted)
        lived = solve_validated(inputs.economy, inputs.tariff, wanted, everything="all" in checks, watch=work.watch)
        found, wanted = lived.found, lived.checks
        outcome, message, done = found.outcome, found.message, None
        if outcome is not Outcome.CANCELLED:
            from meanwatt.analysis.validation import Sample
            from meanwatt.analysis.validation import validate as run

            work.new_stage("simulating")
            try:
                done = run(
                    found,
                    Sample(households=sizes, **size),
                    checks=wanted,
                    memory=memories,
                    scheduler=scheduler,
                    watch=work.watch,
                )
            except Cancelled:
                outcome, message = Outcome.CANCELLED, "Cancelled before all markets were simulated."
    result = {
        "scenario": inputs.economy.scenario.name,
        "title": inputs.economy.scenario.title,
        "tariff": called(inputs.tariff),
        "outcome": outcome,
        "message": message,
        "messages": joined(
            found.messages,
            lived.messages,
            curve_messages(inputs.economy.scenario.feeder, wanted),
            assumed,
            () if done is None else validation_messages(done, wanted),
        ),
        "households": sizes,
        **validation_json(done, lived.limit_usd_per_household_day, len(sizes)),
        **size,
        "seconds": time.perf_counter() - began,
        "compile_seconds": compile_seconds(),
        "settings": {**inputs.given, "households": sizes, **size, "checks": wanted, "memory": memories},
    }
    if out is not None and done is not None:
        _write(out, done, result, inputs.economy.scenario.model_dump(mode="json"))
    if json:
        print_json(result)
    else:
        _tables(result)
        say_notes(result["messages"])
        say_report(out if done is not None else None)
    return 0 if outcome is Outcome.CONVERGED else 1


def _checks(text: str) -> tuple[str, ...]:
    """Read the names of checks; ``ValueError`` in one line with the nearest one."""
    given = [part.strip() for part in text.split(",") if part.strip()]
    if "all" in given or not given:
        return NAMES
    for name in given:
        one_of("--checks", name, ("all", *NAMES))
    return tuple(name for name in NAMES if name in given)


def _write(out: str, checks: "Validation", result: dict[str, Any], scenario: dict[str, Any]) -> None:
    from meanwatt.analysis.output.result_files import write_result
    from meanwatt.analysis.validation.as_json import validation_tables
    from meanwatt.analysis.validation.report import report_html

    manifest = {"settings": result["settings"], "seed": result["seed"], "scenario": scenario}
    write_result(
        out,
        name="validate",
        result=result,
        manifest=manifest,
        tables=validation_tables(checks),
        texts={"report.html": report_html(checks, result, manifest)},
    )


def _class_table(classes: list[dict[str, Any]]) -> None:
    """Print the net load of every rate class; nothing where one tariff holds for all."""
    from meanwatt.analysis.cli.show import figure, table

    if not classes:
        return
    rows = [
        (row["name"], f"{size:,}", f"{own:,}", figure(rms, 4), figure(expected, 4))
        for row in classes
        for size, own, rms, expected in zip(
            row["sizes"], row["households"], row["scatter_rms_kw"], row["expected_scatter_rms_kw"], strict=True
        )
    ]
    table(
        "Net load of each rate class about the mean field's, per household of the class",
        ("class", "N", "of the class", "RMS kW", "independent kW"),
        rows,
    )


def _tables(result: dict[str, Any]) -> None:
    """Print the result for people."""
    from meanwatt.analysis.cli.show import figure, say, table

    say(f"{result['scenario']}, tariff {result['tariff']}: {result['message']} ({result['seconds']:.1f} s)")
    if result["rms_net_load_kw"][0] is None:
        return
    say("")
    rows = zip(
        result["households"],
        result["rms_net_load_kw"],
        result["rms_low"],
        result["rms_high"],
        result["composition_error_kw"],
        result["wasserstein_soc_kwh"],
        result["exploitability_usd_per_household_day"],
        strict=True,
    )
    table(
        "Net load, states of charge and what a deviator gains;"
        f" {counted(result['replications'], 'market')} of each size",
        ("N", "RMS kW", "95 %", "rounding kW", "W1 kWh", "gain USD/day"),
        [
            (
                f"{count:,}",
                figure(rms, 4),
                "–" if low is None else f"{figure(low, 4)}–{figure(high, 4)}",
                figure(rounding, 4),
                figure(distance, 3),
                figure(gain, 5),
            )
            for count, rms, low, high, rounding, distance, gain in rows
        ],
    )
    if result["slope"] is not None:
        say(
            f"RMS falls as N to the power {figure(result['slope'])}"
            f" (95 % {figure(result['slope_low'])} to {figure(result['slope_high'])}; −0.5 for independent households)."
        )
    if result["scatter_floor_kw"] is not None:
        say(f"Floor: {result['scatter_floor_kw']:.4f} kW." if result["scatter_floor_kw"] else "No floor.")
    _class_table(result["rate_classes"])
    for row in result["memory"]:
        floor, ratio = row["scatter"]["floor"], row["ratio"]
        say(
            f"Memory {row['memory']}: floor {figure(floor, 5)} kW, by the law at least"
            f" {figure(row['closure_error_kw'], 5)} kW; the largest market is {figure(ratio['value'])} times"
            f" as far as independent households (95 % {figure(ratio['low'])} to {figure(ratio['high'])})."
        )
    say("")
    say("Criteria, stated beforehand:")
    for row in result["findings"]:
        say(f"  {row['status']:>14}  {row['title']}: {row['sentence']}")
    say("")
    say(result["verdict"])
