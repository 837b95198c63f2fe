"""``meanwatt.validate``: the finite market against its mean field, judged by criteria stated beforehand."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.analysis.notebook.arguments import some_of, whole, wholes
from meanwatt.analysis.notebook.game import Overrides
from meanwatt.analysis.notebook.html import as_html
from meanwatt.analysis.notebook.solution import Solution, equilibrium_of
from meanwatt.analysis.progress_bar import shown_progress
from meanwatt.analysis.validation import CHECKS, Sample, Validation, verdict
from meanwatt.analysis.validation import validate as run
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.loading import Scenario
from meanwatt.model.scenario.ranges import DAYS, HOUSEHOLDS, REPLICATIONS, SEED

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True, eq=False)
class Validated:
    """What the checks found.

    Attributes
    ----------
    equilibrium
        What the households played.
    validation
        Every measurement with its interval.
    """

    equilibrium: Equilibrium
    validation: Validation

    @property
    def verdict(self) -> str:
        """All criteria in one sentence."""
        return verdict(self.validation.findings)[1]

    def to_frame(self) -> pd.DataFrame:
        """A row per criterion: check, title, criterion, status and the sentence that says why."""
        names = ("check", "title", "criterion", "status", "sentence")
        rows = [{name: str(getattr(finding, name)) for name in names} for finding in self.validation.findings]
        return pd.DataFrame(rows, columns=list(names))

    def plot(self) -> "Figure":
        """Draw the net load's error over the number of households, beside what sampling makes of it."""
        from meanwatt.analysis.validation.figures import figures

        return figures(self.validation)["load"][0]

    def rows(self) -> list[tuple[str, str]]:
        """Verdict and criteria for people."""
        return [
            ("verdict", self.verdict),
            *((f"{one.title}: {one.status}", one.sentence) for one in self.validation.findings),
        ]

    def __repr__(self) -> str:
        return f"Validated({self.equilibrium.economy.scenario.name!r}: {self.verdict})"

    def _repr_html_(self) -> str:
        return as_html(self.rows(), self.plot(), "Error of the net load over the number of households")


def validate(
    scenario: str | Path | Scenario | Economy | Solution | Equilibrium,
    *,
    tariff: str | Path | Tariff | None = None,
    overrides: Overrides = (),
    households: Sequence[int] = (30, 100, 300, 1000),
    replications: int = 20,
    days: int = 28,
    seed: int = 0,
    checks: Collection[str] = CHECKS,
    progress: bool | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Validated:
    """Compare finite markets of several sizes with their mean field.

    Parameters
    ----------
    scenario, tariff, overrides
        As for `meanwatt.simulate`.
    households, replications, days, seed
        Sizes N, markets of each, their length, and the key of all draws. The checks of emergence and of the leader have
        sizes and days of their own.
    checks
        Which of `meanwatt.analysis.validation.CHECKS`.
    progress, cancelled
        As for `meanwatt.solve`; a validation that is cancelled raises ``Cancelled``.

    Raises
    ------
    ValueError
        In one line, if something is not allowed, or the equilibrium is not reached.
    """
    sizes = wholes("households", households, HOUSEHOLDS)
    replications, days = whole("replications", replications, REPLICATIONS), whole("days", days, DAYS)
    seed, checks = whole("seed", seed, SEED), some_of("checks", checks, CHECKS)
    with shown_progress("solving", shown=progress) as tell:
        found = equilibrium_of(scenario, tariff, overrides, tell, cancelled)
        done = run(
            found,
            Sample(households=sizes, replications=replications, days=days, seed=seed),
            checks=checks,
            watch=Watch(progress=lambda report: tell(report.text, report.fraction), cancelled=cancelled),
        )
    return Validated(equilibrium=found, validation=done)
