"""``meanwatt validate``: the finite market against the continuum, for growing numbers of households."""

import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from analysis.cli.options import Json, Out, Scenario, Seed, Set, Tariff, whole_number, whole_numbers
from analysis.cli.watching import watched

if TYPE_CHECKING:
    from analysis.validation import Validation
    from model.mean_field.equilibrium import Equilibrium

BY_SIZE: Final = (
    "rms_net_load_kw",
    "rms_low",
    "rms_high",
    "scatter_rms_kw",
    "wasserstein_soc_kwh",
    "exploitability_usd_per_household_day",
    "composition_error_kw",
)
"""Keys with one entry per number of households."""
ROUNDING_MATTERS: Final = 0.3
"""Part of the RMS from which the error of rounding the types is pointed out."""


def validate(
    scenario: Scenario,
    *,
    households: Annotated[
        str, typer.Option(metavar="N,N,…", help="Numbers of simulated households.")
    ] = "30,100,300,1000,3000,10000",
    replications: Annotated[str, typer.Option(metavar="R", help="Markets of each size.")] = "20",
    days: Annotated[str, typer.Option(metavar="D", help="Days of each market.")] = "28",
    seed: Seed = "0",
    scheduler: Annotated[str | None, typer.Option(metavar="ADDR", help="Address of a running dask scheduler.")] = None,
    tariff: Tariff = None,
    set: Set = None,
    json: Json = False,
    out: Out = None,
) -> int:
    """Compare finite markets with the mean field."""
    began = time.perf_counter()
    sizes = whole_numbers("--households", households, least=1, example="30,100,300")
    size = {
        "replications": whole_number("--replications", replications, least=1, example=20),
        "days": whole_number("--days", days, least=1, example=28),
        "seed": whole_number("--seed", seed, least=0, example=1),
    }
    with watched(quiet=json) as work:
        from analysis.cli.inputs import read
        from analysis.cli.show import print_json
        from model.mean_field.equilibrium import Outcome, solve_equilibrium
        from model.mean_field.watch import Cancelled

        if out is not None:
            from analysis.output import require_free

            require_free(out)
        inputs = read(scenario, tariff, set)
        found = solve_equilibrium(
            inputs.economy, inputs.tariff, certify=False, progress=work.progress, cancelled=work.cancelled
        )
        outcome, message, checks = found.outcome, found.message, None
        if outcome is not Outcome.CANCELLED:
            from analysis.validation import validate as run

            work.new_stage("simulating")
            try:
                checks = run(
                    found,
                    households=sizes,
                    **size,
                    scheduler=scheduler,
                    told=work.show,
                    cancelled=work.cancelled,
                )
            except Cancelled:
                outcome, message = Outcome.CANCELLED, "Cancelled before all markets were simulated."
    result = {
        "scenario": inputs.economy.scenario.name,
        "tariff": inputs.tariff.name,
        "outcome": outcome,
        "message": message,
        "households": sizes,
        **_result(found, checks, len(sizes)),
        **size,
        "seconds": time.perf_counter() - began,
        "settings": {**inputs.given, "households": sizes, **size},
    }
    if out is not None and checks is not None:
        _write(out, result, inputs.economy.scenario.model_dump(mode="json"))
    if json:
        print_json(result)
    else:
        _tables(result)
    return 0 if outcome is Outcome.CONVERGED else 1


def _result(found: "Equilibrium", checks: "Validation | None", sizes: int) -> dict[str, Any]:
    """The part of the JSON object that the checks give; null where they did not come to an end."""
    limit = found.exploitability_usd_per_household_day
    if checks is None:
        nothing = [None] * sizes
        return {
            **dict.fromkeys(BY_SIZE, nothing),
            **dict.fromkeys(("slope", "slope_low", "slope_high", "floor_kw", "exploitability_slope")),
            "exploitability_limit_usd_per_household_day": limit,
        }
    load, scatter = checks.load, checks.scatter
    squared = load.floor_squared
    return {
        "rms_net_load_kw": [rms.value for rms in load.rms],
        "rms_low": [rms.low for rms in load.rms],
        "rms_high": [rms.high for rms in load.rms],
        "slope": load.slope.value,
        "slope_low": load.slope.low,
        "slope_high": load.slope.high,
        "floor_kw": load.floor,
        "floor_squared_kw2": squared.value,
        "floor_squared_low": squared.low,
        "floor_squared_high": squared.high,
        "scatter_rms_kw": [rms.value for rms in scatter.rms],
        "scatter_slope": scatter.slope.value,
        "scatter_slope_low": scatter.slope.low,
        "scatter_slope_high": scatter.slope.high,
        "wasserstein_soc_kwh": checks.wasserstein_soc_kwh,
        "exploitability_usd_per_household_day": checks.exploitability_usd_per_household_day,
        "exploitability_limit_usd_per_household_day": limit,
        "exploitability_slope": checks.exploitability_slope,
        "composition_error_kw": checks.composition_error_kw,
    }


def _write(out: str, result: dict[str, Any], scenario: dict[str, Any]) -> None:
    from analysis.output import write_result

    write_result(
        out,
        name="validate",
        result=result,
        manifest={"settings": result["settings"], "seed": result["seed"], "scenario": scenario},
        tables={"sizes": {name: list(result[name]) for name in ("households", *BY_SIZE)}},
    )


def _tables(result: dict[str, Any]) -> None:
    """Print the result for people."""
    from analysis.cli.show import figure, say, table

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
        f"Net load, states of charge and what a deviator gains; {result['replications']} markets of each size",
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
        if max(result["composition_error_kw"]) > ROUNDING_MATTERS * max(result["rms_net_load_kw"]):
            say(
                "Rounding the types to whole households is a large part of the error of the smallest market;"
                f" without it the power is {figure(result['scatter_slope'])}."
            )
    if result["floor_kw"] is not None:
        say(f"Floor: {result['floor_kw']:.4f} kW." if result["floor_kw"] else "No floor.")
    if result["exploitability_slope"] is not None:
        limit = result["exploitability_limit_usd_per_household_day"]
        say(
            f"Exploitability approaches {limit:.5f} USD per household-day"
            f" as N to the power {result['exploitability_slope']:.3f}."
        )
