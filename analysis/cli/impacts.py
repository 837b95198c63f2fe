"""``meanwatt impacts``: what customers gain and lose when one tariff takes another's place."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from meanwatt.agents.early_mesa import load_mesa
from meanwatt.analysis.cli.options import Json, Out, Seed, Set, whole_number
from meanwatt.analysis.cli.watching import watched
from meanwatt.model.scenario.ranges import DAYS, HOUSEHOLDS, SEED, THREADS

if TYPE_CHECKING:
    from meanwatt.analysis.impacts.bill_changes import BillChanges
    from meanwatt.analysis.impacts.population import PopulationImpacts


def impacts(
    a: Annotated[
        str, typer.Argument(metavar="A", help="The tariff in force: a name or a TOML file.", show_default=False)
    ],
    b: Annotated[str, typer.Argument(metavar="B", help="The new tariff, likewise.", show_default=False)],
    scenario: Annotated[
        str, typer.Argument(metavar="SCENARIO", help="Name of a preset, or a scenario's TOML file.", show_default=False)
    ],
    *,
    set: Set = None,
    households: Annotated[str, typer.Option(metavar="N", help="Simulated households.")] = "1000",
    days: Annotated[str, typer.Option(metavar="D", help="Days to live under each tariff.")] = "365",
    seed: Seed = "0",
    threads: Annotated[str, typer.Option(metavar="K", help="Threads; results do not depend on it.")] = "1",
    json: Json = False,
    out: Out = None,
) -> int:
    """Who pays more and who pays less from tariff A to tariff B, without the customers' response and with it."""
    size = {
        "households": whole_number("--households", households, HOUSEHOLDS, example=1000),
        "rng": whole_number("--seed", seed, SEED, example=1),
        "threads": whole_number("--threads", threads, THREADS, example=2),
    }
    lived = whole_number("--days", days, DAYS, example=365)
    if out is not None:
        from meanwatt.analysis.output.result_files import require_free

        require_free(out)
    with watched(quiet=json) as work:
        load_mesa()
        from meanwatt.analysis.cli.inputs import read
        from meanwatt.analysis.impacts.population import population_impacts
        from meanwatt.analysis.impacts.report import population_json

        before, after = read(scenario, a, set), read(scenario, b, set)
        done = population_impacts(
            before.economy,
            before.tariff,
            before.tariff if _same_table(before, after) else after.tariff,
            size=size,
            days=lived,
            watch=work.watch,
            new_stage=work.new_stage,
            told=work.show,
        )
    settings = {"a": a, "b": b, "scenario": scenario, "set": before.given["set"], "days": lived}
    result = {
        "a": before.tariff.name,
        "b": after.tariff.name,
        "customers_of": f"scenario {before.economy.scenario.name}",
        **population_json(done),
        "settings": settings | {"households": size["households"], "seed": size["rng"], "threads": size["threads"]},
    }
    scenario_table = before.economy.scenario.model_dump(mode="json")
    manifest = {"settings": result["settings"], "seed": size["rng"], "scenario": scenario_table}
    return _give(result, manifest, done, json=json, out=out)


def _same_table(before: Any, after: Any) -> bool:
    """Whether A and B say the same, word by word."""
    one, other = (inputs.economy.scenario for inputs in (before, after))
    return bool(one.tariffs[one.selected_tariff] == other.tariffs[other.selected_tariff])


def _give(
    result: dict[str, Any], manifest: dict[str, Any], done: "PopulationImpacts", *, json: bool, out: str | None
) -> int:
    """Write and print a result; return the exit status."""
    from meanwatt.analysis.cli.impacts_page import say_impacts
    from meanwatt.analysis.cli.show import print_json, say_report

    without, with_response = done.without_response, done.with_response
    kept = None if without is None and with_response is None else out
    if kept is not None:
        _write(kept, result, manifest, without, with_response)
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
    without: "BillChanges | None",
    with_response: "BillChanges | None",
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
        tables=impact_tables(without, with_response),
        texts={FILE: impacts_report(result, manifest, without, with_response)},
    )
