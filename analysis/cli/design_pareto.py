"""``meanwatt design --pareto``: its options, its search, and what it says."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from meanwatt.agents.tariff.rate_classes import called
from meanwatt.analysis.cli.options import whole_number
from meanwatt.analysis.leader.registry import belong, find
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.ranges import SURFACE_POINTS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from meanwatt.analysis.cli.watching import Work
    from meanwatt.analysis.design.design import Design
    from meanwatt.analysis.leader.leader_spec import LeaderSpec
    from meanwatt.analysis.pareto.surface import Surface
    from meanwatt.analysis.report.page import Picture, Table
    from meanwatt.model.mean_field.equilibrium import Equilibrium
    from meanwatt.model.mean_field.first_best import FirstBest
    from meanwatt.model.scenario.economy import Economy

COMPARED: Final = ("filed", "flat", "tou", "rtp")
"""Tariffs of the scenario that are drawn beside the one in force."""
FAIR: Final = ("nash", "rawls")
"""Leaders whose objective every tariff beside the surface is valued by, too."""
BALANCED_USD: Final = 1e-6
"""Surplus or shortfall that is none. [USD per household-day]"""


def read_points(pareto: bool, points: str | None, leader: str) -> int | None:
    """Points along each edge of the surface; None without ``--pareto``; ``ValueError`` in one line."""
    if not pareto:
        if points is not None:
            raise ValueError("--points belongs to --pareto; give --pareto too, or leave it out")
        return None
    if not find(leader).pareto:
        raise ValueError(f"{belong('--pareto', lambda one: one.pareto)}, or leave it out")
    from meanwatt.analysis.pareto.surface import POINTS

    return POINTS if points is None else whole_number("--points", points, SURFACE_POINTS, example=POINTS)


def require_surface(economy: "Economy") -> None:
    """Refuse, before a long search, a scenario without slopes or without first best; ``ValueError`` in one line."""
    if not economy.scenario.temperature_usd > 0:
        raise ValueError("--pareto needs a temperature above 0; give --set temperature_usd=0.005, or leave it out")
    if economy.one_day is not None:
        raise ValueError("--pareto measures the gap to a first best of days without end; leave out one_day")
    try:
        economy.supply.shifted_by_carbon(economy.carbon_usd_per_t)
    except ValueError as error:
        raise ValueError(f"--pareto measures the gap to a first best, and there is none: {error}") from None


def find_surface(
    done: "Design", aims: "LeaderSpec", economy: "Economy", first_best: "FirstBest", points: int, work: "Work"
) -> "Surface":
    """The surface with the tariff in force, the scenario's own and the designed one beside it.

    The family recovers its cost to the cent. A tariff in force that does not is held against it twice: as it is, and
    balanced, with its surplus returned or its shortfall charged in equal parts, which changes nobody's behaviour.

    Raises
    ------
    Cancelled
        If stopped before the tariffs beside it were solved.
    """
    from meanwatt.analysis.design.balanced import balanced
    from meanwatt.analysis.pareto.surface import pareto_surface
    from meanwatt.analysis.pareto.survey import criteria_of

    welfare = first_best.welfare_usd_per_household_day
    in_force = done.baseline
    name, surplus = called(in_force.tariff), in_force.surplus_usd_per_household_day
    beside = list(_beside(done, economy, work))
    tariffs = {called(found.tariff): criteria_of(found, welfare) for found in beside}
    rivals = [name]
    if abs(surplus) > BALANCED_USD:
        rivals.append(f"{name}, balanced")
        tariffs[rivals[-1]] = criteria_of(balanced(in_force), welfare)
    surface = pareto_surface(
        economy,
        tariffs,
        rivals,
        first_best_welfare=welfare,
        family=aims.family(economy, in_force.tariff),
        points=points,
        watch=work.watch,
    )
    return replace(surface, objectives={called(found.tariff): _fairness(found) for found in beside})


def _fairness(found: "Equilibrium") -> dict[str, float | None]:
    """Nash welfare and minus the highest burden at an equilibrium, by leader; None where undefined."""
    from math import isfinite

    from meanwatt.analysis.leader.leader_spec import LeaderSpec

    worth = {name: LeaderSpec(leader=name).objective()(found) for name in FAIR}
    return {name: value if isfinite(value) else None for name, value in worth.items()}


def _beside(done: "Design", economy: "Economy", work: "Work") -> Iterator["Equilibrium"]:
    """Equilibria of the tariff in force, of the scenario's own that settle, and of the designed one."""
    from meanwatt.model.mean_field.components.posted import PostedSolver
    from meanwatt.model.mean_field.equilibrium import Outcome
    from meanwatt.model.progress.watch import Cancelled
    from meanwatt.model.scenario.economy import build_tariff

    yield done.baseline
    for name in COMPARED:
        if name in economy.scenario.tariffs and name != called(done.baseline.tariff):
            tariff = build_tariff(economy.scenario, name, components=True)
            found = PostedSolver()(economy, tariff, certify=False, watch=work.watch)
            if found.outcome is Outcome.CANCELLED:
                raise Cancelled
            if found.outcome is Outcome.CONVERGED:
                yield found
    if done.commitment is not None:
        yield done.commitment.equilibrium


def pareto_files(surface: "Surface | None", scenario: str) -> tuple[dict[str, Any], dict[str, str], tuple[str, ...]]:
    """Tables and texts for the result directory, and what is said of them."""
    if surface is None:
        return {}, {}, ()
    from meanwatt.analysis.figures.glyphs import glyph_messages
    from meanwatt.analysis.figures.saved import image
    from meanwatt.analysis.pareto.report import pareto_columns

    figure = _figure(surface, scenario)
    tables, texts = {"pareto": pareto_columns(surface)}, {"pareto.svg": image(figure, "svg").decode()}
    return tables, texts, glyph_messages([figure])


def _figure(surface: "Surface", scenario: str) -> "Figure":
    from meanwatt.analysis.pareto.figures import pareto_figure

    return pareto_figure(surface, f"{scenario}: efficiency, equity and stability of tariffs")


def pareto_picture(surface: "Surface", scenario: str) -> "Picture":
    """The surface in a report."""
    from meanwatt.analysis.report.page import Picture

    return Picture(
        name="pareto",
        title="Efficiency, equity, stability",
        text="Tariffs of the Pareto surface and those beside it, two criteria at a time: gap to the first best, burden"
        " gap, price volatility. Lower is better everywhere.",
        figure=_figure(surface, scenario),
    )


def say_pareto(pareto: dict[str, Any] | None) -> None:
    """Print the surface for people."""
    from meanwatt.analysis.cli.show import say, table

    if pareto is None:
        return
    for one in pareto_tables(pareto):
        table(one.title, one.heads, one.rows)
    say(pareto["verdict"] or "Stopped before the tariff in force was put to the test.")


def pareto_tables(pareto: dict[str, Any]) -> "list[Table]":
    """The surface, and what a Nash and a Rawlsian leader make of the tariffs beside it."""
    from meanwatt.analysis.cli.show import figure, percent
    from meanwatt.analysis.report.page import Table

    rows = [
        (name, figure(worth["nash"], 5), "–" if worth["rawls"] is None else percent(-worth["rawls"]))
        for name, worth in pareto["objectives"].items()
    ]
    fair = Table(
        title="The same tariffs by Nash welfare and by the highest burden of an income group (Rawls)",
        heads=("", "Nash welfare, ln(USD/household-day)", "highest burden"),
        rows=rows,
    )
    return [pareto_table(pareto), *([fair] if rows else [])]


def pareto_table(pareto: dict[str, Any]) -> "Table":
    """The tariffs of interest on and beside the surface."""
    from meanwatt.analysis.cli.show import figure, percent
    from meanwatt.analysis.report.page import Table

    rows = {
        f"{name}{' (in force)' * (name == pareto['filed']['tariff'])}": row for name, row in pareto["tariffs"].items()
    }
    for name, contest in pareto["contests"].items():
        rows[f"{'beats' if contest['beaten'] else 'best compromise with'} {name}"] = contest["tariff"]
    if pareto["knee"] is not None:
        rows["knee"] = pareto["knee"]
    return Table(
        title=f"Efficiency, equity, stability: {counted(len(pareto['points']), 'tariff')} on the Pareto surface",
        heads=("", "gap to first best, USD/household-day", "burden gap", "IMV, USD/kWh"),
        rows=[
            (
                name,
                figure(row["efficiency_gap_usd_per_household_day"], 4),
                percent(row["burden_gap"]),
                figure(row["imv"], 5),
            )
            for name, row in rows.items()
        ],
    )
