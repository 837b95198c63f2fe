"""``meanwatt.solve``: the equilibrium at a tariff, as a result that shows itself."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.analysis.certificates import Certify, solve_certified
from meanwatt.analysis.notebook.arguments import figure, one_of
from meanwatt.analysis.notebook.game import Overrides, game
from meanwatt.analysis.notebook.html import as_html
from meanwatt.analysis.output.solution_json import group_rows, solution_json, solution_tables
from meanwatt.analysis.progress_bar import shown_progress
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.loading import Scenario

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True, eq=False)
class Solution:
    """A solved tariff.

    Attributes
    ----------
    equilibrium
        The continuum of households at rest.
    summary
        What ``meanwatt solve --json`` prints, its lists as arrays (`meanwatt.analysis.output.strict_json.dumps` writes
        them): metrics, groups, certificates; None where it was not asked for.
    """

    equilibrium: Equilibrium
    summary: dict[str, Any]

    @property
    def economy(self) -> Economy:
        """The scenario as arrays."""
        return self.equilibrium.economy

    @property
    def metrics(self) -> dict[str, Any]:
        """Efficiency, equity and stability by name, see `meanwatt.analysis.metrics.metrics`."""
        metrics: dict[str, Any] = self.summary["metrics"]
        return metrics

    @property
    def converged(self) -> bool:
        """Whether it is an equilibrium; if not, ``summary["message"]`` says what it is."""
        return bool(self.summary["converged"])

    @cached_property
    def groups(self) -> pd.DataFrame:
        """Share, yearly bill [USD] and energy burden of every household type."""
        return pd.DataFrame(group_rows(self.equilibrium))

    def to_frame(self) -> pd.DataFrame:
        """Prices [USD/kWh], rates and net load [kW per household], a row per common state and slot."""
        return pd.DataFrame(solution_tables(self.equilibrium)["slots"])

    def plot(self) -> "Figure":
        """Draw net load and rates over the day."""
        from meanwatt.analysis.figures.results import solution_figure

        return solution_figure(self.equilibrium)

    def rows(self) -> list[tuple[str, str]]:
        """Key numbers for people."""
        metrics = self.metrics
        return [
            ("scenario, tariff", f"{self.summary['scenario']}, {self.summary['tariff']}"),
            ("outcome", str(self.summary["message"])),
            ("welfare", figure(metrics["welfare_usd_per_household_day"], 3, "USD per household-day")),
            ("mean wholesale price", figure(metrics["mean_wholesale_usd_per_kwh"], 4, "USD/kWh")),
            ("adder", figure(self.summary["adder_usd_per_kwh"], 4, "USD/kWh")),
            ("burden gap", figure(100 * metrics["burden_gap"], 2, "% of income")),
            ("peak to average", figure(metrics["peak_to_average"], 2)),
        ]

    def __repr__(self) -> str:
        return (
            f"Solution({self.summary['scenario']!r}, tariff {self.summary['tariff']!r}, {self.summary['outcome']},"
            f" welfare {self.metrics['welfare_usd_per_household_day']:.3f} USD per household-day)"
        )

    def _repr_html_(self) -> str:
        return as_html(self.rows(), self.plot(), "Net load and rates over the day")


def solve(
    scenario: str | Path | Scenario | Economy,
    *,
    tariff: str | Path | Tariff | None = None,
    overrides: Overrides = (),
    certify: str = "quick",
    solver: str = "auto",
    progress: bool | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Solution:
    """Solve the households' mean-field equilibrium at a tariff.

    Parameters
    ----------
    scenario
        Name of a preset, path of a TOML file, scenario or economy.
    tariff
        Name of one of the scenario's tariffs, path of a TOML file, or tariff, for everybody; ``CLASS=TARIFF`` for one
        rate class. By default what is in force.
    overrides
        Changes to the scenario, such as ``{"memory": 1}`` or ``["tariff.recovery=fixed"]``.
    certify
        ``none``, ``quick`` (exploitability and contraction) or ``full`` (random starts and the first best, too).
    solver
        How the prices are found: ``auto``, or one of ``meanwatt.model.mean_field.solvers.methods.METHODS`` by name.
    progress
        Whether to show a bar; by default in a notebook and in a terminal.
    cancelled
        Asked at every step; answering True ends the solve, with outcome ``cancelled``.

    Raises
    ------
    ValueError
        In one line, if a name, a file or a change is not allowed.
    """
    one_of("certify", certify, tuple(Certify))
    economy, terms = game(scenario, tariff, overrides)
    with shown_progress("solving", shown=progress) as tell:
        done = solve_certified(
            economy,
            terms,
            Certify(certify),
            solver=solver,
            watch=Watch(progress=lambda report: tell(report.text, report.fraction), cancelled=cancelled),
            new_stage=lambda stage: tell(stage, None),
        )
    summary = solution_json(
        done.equilibrium,
        exploitability=done.exploitability_usd_per_household_day,
        first_best=done.first_best,
        first_best_message=done.first_best_message,
        messages=done.messages,
        seconds=done.equilibrium.seconds,
        given={"certify": certify, "solver": solver},
    )
    return Solution(equilibrium=done.equilibrium, summary=summary)


def equilibrium_of(
    scenario: "str | Path | Scenario | Economy | Solution | Equilibrium",
    tariff: str | Path | Tariff | None,
    overrides: Overrides,
    tell: Callable[[str, float | None], None],
    cancelled: Callable[[], bool] | None,
) -> Equilibrium:
    """The equilibrium of a solution, or of what `solve` takes, which is then solved without certificates.

    Raises
    ------
    ValueError
        If a solution is to be changed, or the equilibrium is not reached.
    """
    if isinstance(scenario, Solution | Equilibrium):
        if tariff is not None or overrides:
            raise ValueError("a solution has its tariff and its scenario; give a scenario to change them")
        found = scenario.equilibrium if isinstance(scenario, Solution) else scenario
    else:
        found = solve_equilibrium(
            *game(scenario, tariff, overrides),
            certify=False,
            watch=Watch(progress=lambda report: tell(report.text, report.fraction), cancelled=cancelled),
        )
    if found.outcome is not Outcome.CONVERGED:
        raise ValueError(f"no equilibrium to go on from: {found.message}")
    return found
