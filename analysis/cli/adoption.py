"""``meanwatt adoption``: who adopts solar and storage under a tariff, year by year, and where that comes to rest."""

from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meanwatt.analysis.cli.leader_options import LEADERS, LeaderOptions, PriceCap, Weights, read_leader_options
from meanwatt.analysis.cli.options import (
    Json,
    Out,
    Resume,
    Scenario,
    Set,
    TariffOrClass,
    require_out,
    whole_number,
)
from meanwatt.analysis.cli.watching import watched
from meanwatt.model.scenario.ranges import YEARS

if TYPE_CHECKING:
    from pathlib import Path

    from meanwatt.analysis.adoption.adoption import Adoption
    from meanwatt.analysis.report.page import Table

HELD = {"classes": True, "opt_in": True, "envelopes": True}
"""What adoption can hold of a scenario."""
ENDED = {"no_revenue_adequate_tariff": "no tariff covers cost", "round_limit": "round limit"}
"""How a search for a fixed point ended, where it did not converge."""


def adoption(
    scenario: Scenario,
    *,
    years: Annotated[str, typer.Option(metavar="Y", help="Years from today on.")] = "20",
    tariff: TariffOrClass = None,
    today: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help="Tariff that today's shares came about under; the scenario's default."),
    ] = None,
    leader: Annotated[
        str | None,
        typer.Option(metavar=LEADERS, help="Who posts another tariff every year; without it --tariff stays."),
    ] = None,
    weights: Weights = None,
    price_cap: PriceCap = None,
    set: Set = None,
    resume: Resume = False,
    json: Json = False,
    out: Out = None,
) -> int:
    """Follow who adopts solar and storage once a tariff (--tariff) is posted, and find shares that answer themselves.

    Keys tariff.* of --set change the tariff posted, not today's. What households reckon with is in [adoption].
    """
    count = whole_number("--years", years, YEARS, example=20)
    leads = _leads(leader, weights, price_cap)
    require_out(resume=resume, out=out)
    with watched(quiet=json) as work:
        from meanwatt.agents.tariff.rate_classes import require_one_tariff
        from meanwatt.analysis.adoption.adoption import adopt
        from meanwatt.analysis.adoption.journal import AdoptionJournal
        from meanwatt.analysis.adoption.report import adoption_json
        from meanwatt.analysis.cli.inputs import read
        from meanwatt.analysis.cli.show import print_json, say_report
        from meanwatt.model.mean_field.equilibrium import Outcome

        kept = None if out is None else _checked_journal(out, resume=resume)
        inputs = read(scenario, tariff, set, **HELD)
        others = [text for text in set or () if not text.strip().startswith("tariff.")]
        before = read(scenario, today, others, **HELD).tariff
        if leads is not None:
            require_one_tariff(inputs.tariff, "a leader")
        aims = None if leads is None else leads.aims(inputs.economy)
        opened = (
            nullcontext()
            if kept is None
            else AdoptionJournal(kept, inputs.economy, before, inputs.tariff, aims=aims, resume=resume)
        )
        with opened as journal:
            done = adopt(
                inputs.economy,
                before,
                inputs.tariff,
                years=count,
                aims=aims,
                journal=journal,
                watch=work.watch,
                new_stage=work.new_stage,
            )
    result = adoption_json(done) | {"settings": {**inputs.given, "today": today, "years": count, "leader": leader}}
    if out is not None and done.path:
        _write(out, result, done)
        if kept is not None and done.outcome is not Outcome.CANCELLED:
            kept.unlink()
    if json:
        print_json(result)
    else:
        _print(result)
        say_report(out if done.path else None)
    return 0 if done.outcome is Outcome.CONVERGED else 1


def _leads(leader: str | None, weights: str | None, price_cap: str | None) -> LeaderOptions | None:
    """Who leads; ``ValueError`` in one line if a leader's option comes without one, or is wrong."""
    if leader is not None:
        return read_leader_options(leader, weights, price_cap)
    for option, given in (("--weights", weights), ("--price-cap", price_cap)):
        if given is not None:
            raise ValueError(f"{option} is of a leader, and none is named; add --leader, or leave {option} out")
    return None


def _checked_journal(out: str, *, resume: bool) -> "Path":
    """The journal beside the result; ``ValueError`` before any work is done if either may not be written."""
    from meanwatt.analysis.adoption.journal import AdoptionJournal
    from meanwatt.analysis.output.result_files import require_free
    from meanwatt.analysis.output.run_journal import journal_beside

    require_free(out, "adoption")
    journal = journal_beside(out)
    AdoptionJournal.check(journal, resume=resume)
    return journal


def _print(result: dict[str, Any]) -> None:
    """Print the result for people."""
    from meanwatt.analysis.cli.show import say, say_notes, table

    say(f"{_what(result)}: {result['message']} ({result['seconds']:.1f} s)\n")
    for one in tables_shown(result):
        table(one.title, one.heads, one.rows)
    say_notes(result["messages"])


def _what(result: dict[str, Any]) -> str:
    """Where, and what is posted."""
    leader = result["leader"]
    return f"{result['scenario']}, {'tariff ' + result['tariff'] if leader is None else 'leader ' + leader['name']}"


def tables_shown(result: dict[str, Any]) -> "list[Table]":
    """The result for people, as far as it was reached."""
    found = []
    if result["payback_years"] is not None:
        found.append(_worth_table(result))
    if result["opt_in"] is not None and result["years"]:
        found.append(_opt_in_table(result))
    if result["years"]:
        found.append(_years_table(result))
    if result["fixed_point"]["starts"]:
        found.append(_points_table(result))
    return found


def _worth_table(result: dict[str, Any]) -> "Table":
    from meanwatt.analysis.cli.show import figure, percent
    from meanwatt.analysis.report.page import Table

    rows = []
    for g, group in enumerate(result["income_groups"]):
        for k, technology in enumerate(result["technologies"]):
            capital = float(result["capital_usd"][g][k])
            if not capital > 0:
                continue
            now, before = (part["payback_years"][g][k] for part in (result, result["today"]))
            rows.append(
                (
                    f"{group} / {technology}",
                    percent(result["share"][0][g][k], 1),
                    figure(capital, 0),
                    figure(result["saving_usd_per_year"][g][k], 0),
                    figure(result["npv_usd"][g][k], 0),
                    _years(now),
                    _years(before),
                )
            )
    return Table(
        title="What it costs and saves in year 0, USD; payback in years, without discounting",
        heads=("income / technology", "share", "cost", "saving a year", "net present value", "payback", "before"),
        rows=rows,
    )


def _opt_in_table(result: dict[str, Any]) -> "Table":
    from meanwatt.analysis.cli.show import figure, percent
    from meanwatt.analysis.report.page import Table

    found = result["opt_in"]
    last, saving = found["by_income_group"][-1], found["saving_usd_per_year"]
    return Table(
        title="Homes that chose their rate class, and what it saves in year 0, USD a year, by what they own",
        heads=("income", "year 0", f"year {result['years'][-1]}", *found["technologies"]),
        rows=[
            (
                group,
                percent(found["by_income_group"][0][g], 1),
                percent(last[g], 1),
                *("–" if saving is None or saving[g][k] != saving[g][k] else figure(saving[g][k], 0) for k in places),
            )
            for g, group in enumerate(result["income_groups"])
            for places in [range(len(found["technologies"]))]
        ],
    )


def _years(value: float) -> str:
    from meanwatt.analysis.cli.show import figure

    return "never" if value == float("inf") else figure(value, 1)


def _years_table(result: dict[str, Any]) -> "Table":
    from meanwatt.analysis.cli.show import figure, percent
    from meanwatt.analysis.report.page import Table

    last, cut = len(result["years"]) - 1, result["limit_curtailed_kwh_per_household_day"]
    shown = sorted({*range(0, last + 1, max(1, -(-last // 10))), last})
    return Table(
        title="Homes with solar and with a home battery, and what recovers the cost",
        heads=("year", "solar", "battery", "adder, USD/kWh", "surplus, USD per household-day", "peak, kW")
        + (() if cut is None else ("curtailed at limits, kWh",)),
        rows=[
            (
                str(year),
                percent(result["solar_share"][year], 1),
                percent(result["storage_share"][year], 1),
                figure(result["adder_usd_per_kwh"][year], 4),
                figure(result["surplus_usd_per_household_day"][year], 4),
                figure(result["peak_kw"][year]),
                *(() if cut is None else (figure(cut[year]),)),
            )
            for year in shown
        ],
    )


def _points_table(result: dict[str, Any]) -> "Table":
    from meanwatt.analysis.cli.show import figure, percent
    from meanwatt.analysis.report.page import Table

    return Table(
        title="Shares that answer themselves, at the costs of the last year",
        heads=("from", "ended", "solar", "battery", "adder, USD/kWh", "feedback", "equilibria"),
        rows=[
            (
                point["start"],
                ENDED.get(point["outcome"], "converged"),
                percent(point["solar_share"], 1),
                percent(point["storage_share"], 1),
                figure(point["adder_usd_per_kwh"], 4),
                figure(point["feedback"]),
                str(point["equilibria"]),
            )
            for point in result["fixed_point"]["starts"]
        ],
    )


def _write(out: str, result: dict[str, Any], done: "Adoption") -> None:
    from meanwatt.analysis.adoption.figures import adoption_figure
    from meanwatt.analysis.adoption.report import adoption_tables
    from meanwatt.analysis.output.result_files import write_result
    from meanwatt.analysis.report.page import FILE, Picture, report_page

    scenario = done.homes.economy.scenario
    manifest = {"settings": result["settings"], "scenario": scenario.model_dump(mode="json")}
    picture = Picture(
        name="adoption",
        title="Shares and recovery over the years",
        text="Left: homes of each income group with solar (solid) and with a home battery (dashed), and who chose"
        " their rate class (dotted), in per cent. Right:"
        " what balances the utility's books, or its surplus where rates are posted.",
        figure=adoption_figure(done),
    )
    page = report_page(
        kind="Adoption of solar and storage",
        title=_what(result),
        result=result,
        reached=result["outcome"] == "converged",
        tables=tables_shown(result),
        pictures=[picture],
        manifest=manifest,
    )
    write_result(
        out,
        name="adoption",
        result=result,
        manifest=manifest,
        tables=adoption_tables(done),
        texts={FILE: page},
    )
