"""``meanwatt allot``: who is allotted the residual, who pays for a shift, by which rate a class pays its cost."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from meanwatt.analysis.cli.options import Json, Out, Scenario, Set, TariffOrClass, number
from meanwatt.analysis.cli.watching import watched
from meanwatt.model.scenario.ranges import POSITIVE_PRICE

if TYPE_CHECKING:
    from meanwatt.analysis.allotment.allot import Allotment
    from meanwatt.analysis.cli.inputs import Inputs
    from meanwatt.analysis.report.page import Table


def allot(
    scenario: Scenario,
    *,
    tariff: TariffOrClass = None,
    set: Set = None,
    shift: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE", help="What shifts load, as a change of the scenario; may be repeated, as --set."
        ),
    ] = None,
    to: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="The tariff that shifts load, beside or instead of --shift.")
    ] = None,
    cap: Annotated[str, typer.Option(metavar="USD/kWh", help="Highest default rate.")] = "2",
    json: Json = False,
    out: Out = None,
) -> int:
    """Allot what nobody's load causes: per customer, per kWh, equi-proportionally; frozen or adjusting after a shift.

    With --shift or --to every home's cost before and after is set side by side. Classes get the one rate that pays
    their allocated cost, or the reason why no rate does.
    """
    highest = number("--cap", cap, POSITIVE_PRICE, example=2.0)
    with watched(quiet=json) as work:
        from meanwatt.analysis.allotment.allot import allot as run
        from meanwatt.analysis.allotment.report import allotment_json
        from meanwatt.analysis.cli.inputs import read
        from meanwatt.analysis.cli.show import print_json, say_report
        from meanwatt.model.mean_field.equilibrium import Outcome

        if out is not None:
            from meanwatt.analysis.output.result_files import require_free

            require_free(out, "allot")
        held = dict.fromkeys(("classes", "components", "branches", "opt_in"), True)
        inputs = read(scenario, tariff, set, **held)
        changed = None
        if shift or to is not None:
            later = read(scenario, tariff if to is None else to, [*(set or ()), *(shift or ())], **held)
            changed = (later.economy, later.tariff)
        done = run(
            inputs.economy,
            inputs.tariff,
            changed,
            cap_usd_per_kwh=highest,
            watch=work.watch,
            new_stage=work.new_stage,
        )
    settings = {**inputs.given, "shift": list(shift or ()), "to": to, "cap": highest}
    result = allotment_json(done) | {"settings": settings}
    reached = done.outcome is Outcome.CONVERGED
    kept = out if reached else None
    if kept is not None:
        _write(kept, result, done, inputs)
    if json:
        print_json(result)
    else:
        _print(result)
        say_report(kept)
    return 0 if reached else 1


def _print(result: dict[str, Any]) -> None:
    """Print the result for people."""
    from meanwatt.analysis.cli.show import say, say_notes, table

    say(f"{_what(result)}: {result['message']} ({result['seconds']:.1f} s)\n")
    for one in tables_shown(result):
        table(one.title, one.heads, one.rows)
    say_notes(result["messages"])


def _what(result: dict[str, Any]) -> str:
    """Where, and under which tariff."""
    after = result["tariff_after"]
    turned = "" if after in (None, result["tariff"]) else f", then {after}"
    return f"{result['scenario']}, tariff {result['tariff']}{turned}"


def tables_shown(result: dict[str, Any]) -> "list[Table]":
    """The result for people; none where no equilibrium was reached."""
    if not result["homes"]:
        return []
    shifts = [_shift_table(result)] if result["homes"][0]["shift"] is not None else []
    return [_allotted_table(result), *shifts, _rates_table(result)]


def _cents(value: float | None) -> str:
    from meanwatt.analysis.cli.show import figure

    return figure(None if value is None else 100 * value, 1)


def _allotted_table(result: dict[str, Any]) -> "Table":
    from meanwatt.analysis.cli.show import figure, percent
    from meanwatt.analysis.report.page import Table

    residual = _cents(result["residual_usd_per_household_day"])
    return Table(
        title=f"The residual of {residual} cents per household-day, allotted; cents a day, own cost at the margin",
        heads=(
            "home",
            "share",
            "kWh bought",
            "own cost",
            *(word.replace("_", " ") for word in result["allotters"]),
        ),
        rows=[
            (
                row["name"],
                percent(row["share"], 1),
                figure(row["before"]["imported_kwh_per_day"], 2),
                _cents(row["before"]["own_marginal_cost_usd_per_day"]),
                *(_cents(row["before"]["allotted_usd_per_day"][one]) for one in result["allotters"]),
            )
            for row in result["homes"]
        ],
    )


def _shift_table(result: dict[str, Any]) -> "Table":
    from meanwatt.analysis.report.page import Table

    def added(row: dict[str, Any], allotter: str, key: str) -> str:
        found = row["shift"][allotter]
        return _cents(None if found is None else found[key])

    adjusting = [one for one in result["allotters"] if one != "per_customer"]
    return Table(
        title="What the shift adds to a home's cost, cents a day; per customer, adjusting is as frozen",
        heads=("home", "frozen", *(f"adjusting, {one.replace('_', ' ')}" for one in adjusting)),
        rows=[
            (
                row["name"],
                added(row, "per_customer", "frozen_usd_per_day"),
                *(added(row, one, "adjusting_usd_per_day") for one in adjusting),
            )
            for row in result["homes"]
        ],
    )


def _rates_table(result: dict[str, Any]) -> "Table":
    from meanwatt.analysis.report.page import Table

    rows: dict[tuple[str, str], dict[str, str]] = {}
    for one in result["default_rates"]:
        rows.setdefault((one["level"], one["name"]), {})[one["allotter"]] = _rate(one)
    return Table(
        title="The one rate by which a class pays its marginal cost and its part of the residual, USD/kWh",
        heads=("class", "of", *(word.replace("_", " ") for word in result["allotters"])),
        rows=[
            (name, level.replace("_", " "), *(found[one] for one in result["allotters"]))
            for (level, name), found in rows.items()
        ],
    )


def _rate(one: dict[str, Any]) -> str:
    """A rate, or why there is none."""
    from meanwatt.analysis.cli.show import figure

    return figure(one["usd_per_kwh"], 4) if one["reason"] is None else f"none: {one['reason'].replace('_', ' ')}"


def _write(out: str, result: dict[str, Any], done: "Allotment", inputs: "Inputs") -> None:
    from meanwatt.analysis.allotment.figures import allotment_figure
    from meanwatt.analysis.allotment.report import allotment_tables
    from meanwatt.analysis.output.result_files import write_result
    from meanwatt.analysis.report.page import FILE, Picture, report_page

    manifest = {"settings": result["settings"], "scenario": inputs.economy.scenario.model_dump(mode="json")}
    right = (
        "the one rate by which a household type pays what it is allotted, where there is one"
        if done.shift is None
        else "what the shift of load adds to each home's cost, with allotments frozen and adjusting; positive pays more"
    )
    picture = Picture(
        name="allotment",
        title="Who bears the residual",
        text=f"Left: what each home is allotted of the residual, by allotter. Right: {right}.",
        figure=allotment_figure(done),
    )
    page = report_page(
        kind="Residual cost, allotted",
        title=_what(result),
        result=result,
        reached=result["outcome"] == "converged",
        tables=tables_shown(result),
        pictures=[picture],
        manifest=manifest,
    )
    write_result(out, name="allot", result=result, manifest=manifest, tables=allotment_tables(done), texts={FILE: page})
