"""``meanwatt solve``: the followers' mean-field equilibrium at a tariff, with its certificates and metrics."""

import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from meanwatt.analysis.cli.options import Json, Out, Scenario, Set, TariffOrClass, one_of
from meanwatt.analysis.cli.watching import watched

LEVELS: Final = ("none", "quick", "full")
"""Ways of certifying, as `meanwatt.analysis.certificates.Certify` names them."""

REVENUE: Final = "_revenue_usd_per_household_day"
"""How the names of what a charge brings end in the result."""

if TYPE_CHECKING:
    from meanwatt.analysis.certificates import Certified
    from meanwatt.analysis.cli.inputs import Inputs
    from meanwatt.analysis.report.page import Table


def solve(
    scenario: Scenario,
    *,
    tariff: TariffOrClass = None,
    set: Set = None,
    certify: Annotated[
        str,
        typer.Option(
            metavar="LEVEL",
            help="What is certified of the answer: none, quick (exploitability, contraction), or full (random starts"
            " and the first best, too).",
        ),
    ] = "full",
    solver: Annotated[
        str,
        typer.Option(
            metavar="METHOD",
            help="How the prices are found: auto (the method that promises most, then the others), or one by itself:"
            " newton, anderson, picard (undamped), frank_wolfe or mixed_plans (both temperature 0).",
        ),
    ] = "auto",
    json: Json = False,
    out: Out = None,
) -> int:
    """Solve the equilibrium of a scenario's households at a tariff."""
    began = time.perf_counter()
    with watched(quiet=json) as work:
        one_of("--certify", certify, LEVELS)
        from meanwatt.analysis.certificates import Certify, solve_certified
        from meanwatt.analysis.cli.inputs import read
        from meanwatt.analysis.cli.show import print_json, say_report
        from meanwatt.analysis.output.solution_json import solution_json

        if out is not None:
            from meanwatt.analysis.output.result_files import require_free

            require_free(out, "solve")
        inputs = read(scenario, tariff, set, classes=True, components=True, branches=True, envelopes=True, opt_in=True)
        given = {**inputs.given, "certify": certify, "solver": solver}
        done = solve_certified(
            inputs.economy,
            inputs.tariff,
            Certify(certify),
            solver=solver,
            option="--certify ",
            watch=work.watch,
            new_stage=work.new_stage,
        )
        result = solution_json(
            done.equilibrium,
            exploitability=done.exploitability_usd_per_household_day,
            first_best=done.first_best,
            first_best_message=done.first_best_message,
            messages=done.messages,
            seconds=time.perf_counter() - began,
            given=given,
        )
        if done.composed is not None:
            from meanwatt.analysis.output.components_json import with_components

            result = with_components(result, done.composed)
    result["solver"] = solver
    if done.cancelled and result["converged"]:
        message = f"Cancelled: the equilibrium is solved, its certificates are not complete. {done.first_best_message}"
        result |= {"outcome": "cancelled", "converged": False, "message": message}
    if out is not None:
        _write(out, result, done, inputs)
    if json:
        print_json(result)
    else:
        _print(result)
        say_report(out)
    return 0 if result["converged"] else 1


def _write(out: str, result: dict[str, Any], done: "Certified", inputs: "Inputs") -> None:
    from meanwatt.analysis.figures.results import solution_figure
    from meanwatt.analysis.output.components_json import tables_with_components
    from meanwatt.analysis.output.result_files import write_result
    from meanwatt.analysis.output.solution_json import solution_tables
    from meanwatt.analysis.report.page import FILE, Picture, report_page
    from meanwatt.model.mean_field.components.settled import base_equilibrium

    composed = done.composed
    equilibrium = base_equilibrium(composed) if composed else done.equilibrium
    manifest = {"settings": result["settings"], "scenario": inputs.economy.scenario.model_dump(mode="json")}
    picture = Picture(
        name="solution",
        title="The day",
        text="Left: mean net load of a household, over the weather. Right: import rate, wholesale price and export"
        " credit, expected over the weather.",
        figure=solution_figure(equilibrium),
    )
    page = report_page(
        kind="Mean-field equilibrium at a tariff",
        title=f"{result['scenario']}, tariff {result['tariff']}",
        result=result,
        reached=result["converged"],
        tables=_tables(result),
        pictures=[picture],
        manifest=manifest,
    )
    write_result(
        out,
        name="solve",
        result=result,
        manifest=manifest,
        tables=tables_with_components(result, composed) if composed else solution_tables(equilibrium),
        texts={FILE: page},
    )


def _print(result: dict[str, Any]) -> None:
    """Print the result for people."""
    from meanwatt.analysis.cli.show import say, say_notes, table

    say(f"{result['scenario']}, tariff {result['tariff']}: {result['message']} ({result['seconds']:.1f} s)\n")
    for one in _tables(result):
        table(one.title, one.heads, one.rows)
    say(f"Uniqueness: {result['uniqueness']}.")
    say_notes(result["messages"])


def _tables(result: dict[str, Any]) -> list["Table"]:
    """The result for people."""
    from meanwatt.analysis.cli.envelope_tables import envelope_tables, type_names
    from meanwatt.analysis.cli.show import curtailed_row, figure, percent, unmet_row
    from meanwatt.analysis.report.page import Table

    metrics = result["metrics"]
    of_class = f" of class {result['rate_classes'][0]['name']}" if len(result["rate_classes"]) > 1 else ""
    return [
        Table(
            title="Households",
            heads=("income / technology", "share", "bill USD/yr", "of income", "for others USD/yr"),
            rows=[
                (
                    name,
                    percent(row["share"], 1),
                    figure(row["bill_usd_per_year"], 0),
                    percent(row["burden"]),
                    figure(row["bill_alignment_usd_per_year"], 0),
                )
                for name, row in zip(type_names(result["groups"]), result["groups"], strict=True)
            ],
        ),
        *envelope_tables(result["envelopes"]),
        *_class_tables(result),
        *_component_tables(result),
        Table(
            title="Metrics",
            heads=("", "value", "unit"),
            rows=[
                ("welfare", figure(metrics["welfare_usd_per_household_day"]), "USD per household-day"),
                (
                    "gap to first best",
                    figure(metrics["efficiency_gap_usd_per_household_day"], 4),
                    "USD per household-day",
                ),
                ("utility's surplus", figure(metrics["surplus_usd_per_household_day"]), "USD per household-day"),
                (f"volumetric adder{of_class}", figure(result["adder_usd_per_kwh"], 4), "USD/kWh"),
                *(
                    (f"fixed charge{of_class}, {group}", figure(value), "USD/day")
                    for group, value in result["fixed_charge_usd_per_day"].items()
                ),
                *_standing_rows(result),
                ("burden gap", percent(metrics["burden_gap"]), "of income"),
                ("Gini index of bills", figure(metrics["gini"]), ""),
                ("Suits index", figure(metrics["suits"]), "negative is regressive"),
                ("mean wholesale price", figure(metrics["mean_wholesale_usd_per_kwh"], 4), "USD/kWh"),
                ("price volatility (IMV)", figure(metrics["imv"], 4), "USD/kWh per slot"),
                ("peak to average", figure(metrics["peak_to_average"], 2), ""),
                *curtailed_row(result["curtailed_kwh_per_household_day"]),
                *unmet_row(result["unmet_trip_kwh_per_household_day"]),
                ("exploitability", figure(result["exploitability_usd_per_household_day"], 4), "USD per household-day"),
                ("contraction", figure(result["contraction"], 2), "below 1: plain iteration settles"),
            ],
        ),
    ]


def _class_tables(result: dict[str, Any]) -> list["Table"]:
    """The rate classes, where there are several: their tariff, share, mean rates and charges."""
    from meanwatt.analysis.cli.show import figure, percent
    from meanwatt.analysis.report.page import Table

    classes = result["rate_classes"]
    if len(classes) < 2:
        return []
    chance = [state["probability"] for state in result["common_states"]]

    def mean(rates: Any) -> str:
        return figure(sum(p * float(sum(row)) / len(row) for p, row in zip(chance, rates, strict=True)), 4)

    return [
        Table(
            title="Rate classes",
            heads=("class", "tariff", "share", "mean import USD/kWh", "mean export USD/kWh", "adder", "fixed USD/day"),
            rows=[
                (
                    row["name"],
                    row["tariff"],
                    percent(row["share"], 1),
                    mean(row["import_usd_per_kwh"]),
                    mean(row["export_usd_per_kwh"]),
                    figure(row["adder_usd_per_kwh"], 4),
                    ", ".join(figure(value) for value in row["fixed_charge_usd_per_day"].values()),
                )
                for row in classes
            ],
        )
    ]


def _component_tables(result: dict[str, Any]) -> list["Table"]:
    """What every component of the tariff comes to, by household type; none where it has no components."""
    from meanwatt.analysis.cli.envelope_tables import standing
    from meanwatt.analysis.cli.show import figure
    from meanwatt.analysis.report.page import Table

    rows = [
        (
            f"{row['component'].replace('_', ' ')}, {row['tariff']}",
            f"{one['income']} / {one['technology']}" + standing(one),
            figure(one["usd_per_month"], 2),
            ", ".join(figure(season["month_kwh"], 0) for season in one.get("seasons", [])),
            ", ".join(figure(season["perceived_adder_usd_per_kwh"], 4) for season in one.get("seasons", [])),
            figure(one.get("expected_peak_kw"), 2),
        )
        for row in result.get("components", [])
        for one in row["households"]
    ]
    if not rows:
        return []
    heads = ("component", "income / technology", "USD/month", "month kWh", "adder seen USD/kWh", "peak kW")
    return [Table(title="Components", heads=heads, rows=rows)]


def _standing_rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Rows of the charges beside the fixed one that do not depend on use; none where nobody pays any."""
    from meanwatt.analysis.cli.show import figure

    return [
        (f"{key.removesuffix(REVENUE).replace('_', ' ')}, revenue", figure(value), "USD per household-day")
        for key, value in result.items()
        if key.endswith(REVENUE) and value
    ]
