"""``meanwatt practice``: what usual rate design files and predicts, against the equilibrium."""

from typing import TYPE_CHECKING, Any

from meanwatt.analysis.cli.family_option import Family, read_families
from meanwatt.analysis.cli.options import Json, Out, Scenario, Set, Tariff
from meanwatt.analysis.cli.watching import watched

if TYPE_CHECKING:
    from meanwatt.analysis.cli.inputs import Inputs
    from meanwatt.analysis.practice.practice import Practice
    from meanwatt.analysis.report.page import Table


def practice(
    scenario: Scenario,
    *,
    family: Family = None,
    tariff: Tariff = None,
    set: Set = None,
    json: Json = False,
    out: Out = None,
) -> int:
    """File the tariff that usual rate design makes of the one in force (--tariff), and see what households do."""
    with watched(quiet=json) as work:
        from meanwatt.analysis.cli.inputs import read
        from meanwatt.analysis.cli.show import print_json, say_report
        from meanwatt.analysis.practice.practice import practice as run
        from meanwatt.analysis.practice.report import practice_json
        from meanwatt.model.mean_field.equilibrium import Outcome

        if out is not None:
            from meanwatt.analysis.output.result_files import require_free

            require_free(out, "practice")
        inputs = read(scenario, tariff, set, classes=True, components=True, branches=True, envelopes=True, adders=False)
        families = read_families(family, inputs.economy)
        done = run(inputs.economy, inputs.tariff, families=families, watch=work.watch, new_stage=work.new_stage)
    result = practice_json(done) | {"settings": inputs.given | ({} if family is None else {"family": family})}
    kept = None if done.filing is None else out
    if kept is not None:
        _write(kept, result, done, inputs)
    if json:
        print_json(result)
    else:
        _print(result)
        say_report(kept)
    return 0 if done.outcome is Outcome.CONVERGED else 1


def _print(result: dict[str, Any]) -> None:
    """Print the result for people."""
    from meanwatt.analysis.cli.show import say, say_notes, table

    say(f"{result['scenario']}, tariff {result['tariff']} in force: {result['message']} ({result['seconds']:.1f} s)\n")
    if result["filed"] is not None:
        for one in practice_tables_shown(result):
            table(one.title, one.heads, one.rows)
    say_notes(result["messages"])


def practice_tables_shown(result: dict[str, Any]) -> "list[Table]":
    """The result for people; a tariff is filed."""
    from meanwatt.analysis.cli.envelope_tables import envelope_tables

    return [_rates_table(result), _day_table(result), _bills_table(result), *envelope_tables(result["envelopes"])]


def _rates_table(result: dict[str, Any]) -> "Table":
    from meanwatt.analysis.cli.show import figure
    from meanwatt.analysis.report.page import Table

    filed, best = result["filed"], result["commitment"]
    committed = [None] * len(filed["windows"]) if best is None else [row["usd_per_kwh"] for row in best["windows"]]
    charges = _charge_rows(filed)
    committed_charges = [None] * len(charges) if best is None else [charge for _, charge in _charge_rows(best)]
    return Table(
        title="Rates and fixed charges",
        heads=("", "filed", "committed", "unit"),
        rows=[
            *(
                (row["name"], figure(row["usd_per_kwh"], 4), figure(rate, 4), "USD/kWh")
                for row, rate in zip(filed["windows"], committed, strict=True)
            ),
            *(
                (f"fixed charge, {payer}", figure(charge), figure(other), "USD/day")
                for (payer, charge), other in zip(charges, committed_charges, strict=True)
            ),
        ],
    )


def _charge_rows(part: dict[str, Any]) -> list[tuple[str, float]]:
    """Who pays a fixed charge of its own, and how much: income groups, of every rate class where there are several."""
    rows = part["rate_classes"]
    return [
        (f"{group} (class {row['name']})" if len(rows) > 1 else group, charge)
        for row in rows
        for group, charge in row["fixed_charge_usd_per_day"].items()
    ]


def _day_table(result: dict[str, Any]) -> "Table":
    from meanwatt.analysis.cli.show import figure
    from meanwatt.analysis.report.page import Table

    parts = (result["in_force"], result["filed"]["predicted"], result["equilibrium"], result["commitment"])
    error = result["error"] or {}
    rows = (
        ("peak net load, kW", "peak_kw", 3),
        ("revenue", "revenue_usd_per_household_day", 4),
        ("utility's surplus", "surplus_usd_per_household_day", 4),
        ("welfare", "welfare_usd_per_household_day", 4),
    )
    shown = [
        (label, *(figure((part or {}).get(key), digits) for part in parts), figure(error.get(key), digits))
        for label, key, digits in rows
    ]
    apart = ("net load, rms, kW", "–", "–", "–", "–", figure(error.get("net_load_rms_kw")))
    return Table(
        title="The day, USD per household-day unless said; found: the equilibrium under the filed tariff",
        heads=("", "in force", "predicted", "found", "committed", "error"),
        rows=[*shown, apart],
    )


def _bills_table(result: dict[str, Any]) -> "Table":
    from meanwatt.analysis.cli.envelope_tables import type_names
    from meanwatt.analysis.cli.show import figure, percent
    from meanwatt.analysis.report.page import Table

    parts = (result["filed"]["predicted"], result["equilibrium"], result["commitment"], result["error"])

    def bill(part: dict[str, Any] | None, place: int) -> str:
        return figure(None if part is None else part["groups"][place]["bill_usd_per_year"], 1)

    groups = result["filed"]["predicted"]["groups"]
    return Table(
        title="Bills, USD a year; error: predicted less found",
        heads=("income / technology", "share", "predicted", "found", "committed", "error"),
        rows=[
            (
                name,
                percent(row["share"], 1),
                *(bill(part, place) for part in parts),
            )
            for place, (name, row) in enumerate(zip(type_names(groups), groups, strict=True))
        ],
    )


def _write(out: str, result: dict[str, Any], done: "Practice", inputs: "Inputs") -> None:
    from meanwatt.analysis.design.designed_classes import tariff_files
    from meanwatt.analysis.design.window_figure import window_pictures
    from meanwatt.analysis.output.result_files import write_result
    from meanwatt.analysis.practice.figures import practice_figure
    from meanwatt.analysis.practice.report import TITLES, practice_tables
    from meanwatt.analysis.report.page import FILE, Picture, report_page
    from meanwatt.model.mean_field.leader.leader_problem import UNIT

    manifest = {"settings": result["settings"], "scenario": inputs.economy.scenario.model_dump(mode="json")}
    picture = Picture(
        name="practice",
        title="Predicted and found",
        text="Left: mean net load of a household under the tariff in force, as usual practice predicts it under the"
        " filed one, and at the equilibrium under that. Right: energy charge filed, and the commission's commitment for"
        " the same windows. All expected over the weather.",
        figure=practice_figure(done),
    )
    page = report_page(
        kind="Usual rate-design practice against the equilibrium",
        title=f"{result['scenario']}, tariff {result['tariff']} in force",
        result=result,
        reached=result["outcome"] == "converged",
        tables=practice_tables_shown(result),
        pictures=[picture, *window_pictures(done.commitment, UNIT)],
        manifest=manifest,
    )
    tariffs = {"filed": done.filing, "commitment": done.commitment}
    write_result(
        out,
        name="practice",
        result=result,
        manifest=manifest,
        tables=practice_tables(done),
        texts={FILE: page}
        | {
            file: text
            for name, part in tariffs.items()
            if part is not None
            for file, text in tariff_files(part.tariff, inputs.economy, name, TITLES[name]).items()
        },
    )
