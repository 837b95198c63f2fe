"""``meanwatt.design``: the tariff that a leader commits to, beside the one that it would replace."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from meanwatt.agents.tariff.rate_classes import called
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.analysis.design.design import (
    EVALUATIONS_PER_START,
    Design,
    Search,
    baseline_name,
    commitment_search,
    design_messages,
)
from meanwatt.analysis.design.design import design as run
from meanwatt.analysis.design.designed_classes import tariff_files
from meanwatt.analysis.leader.leader_spec import LeaderSpec, leader_spec_of
from meanwatt.analysis.leader.registry import DEFAULT, find, names, those
from meanwatt.analysis.learning.books import BooksKind, books_kind
from meanwatt.analysis.learning.campaign import EVALUATIONS, Learned, learning_search
from meanwatt.analysis.learning.learners import LEARNERS, require_package
from meanwatt.analysis.notebook.arguments import one_of, weight, whole
from meanwatt.analysis.notebook.game import Overrides, game, require_kinds
from meanwatt.analysis.notebook.html import as_html
from meanwatt.analysis.progress_bar import shown_progress
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import Economy, require_unlimited
from meanwatt.model.scenario.loading import Scenario
from meanwatt.model.scenario.ranges import EVALUATIONS as EVALUATION_RANGE
from meanwatt.model.scenario.ranges import SEED

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True, eq=False)
class Designed:
    """A search for a leader's tariff and what it found.

    Attributes
    ----------
    design
        The tariff in force and the best one found, each with its equilibrium, and every trial.
    aims
        What the leader wants.
    """

    design: Design
    aims: LeaderSpec

    @property
    def tariff(self) -> Tariff:
        """The tariff found; ValueError where the search ended without one."""
        if self.design.commitment is None:
            raise ValueError(f"no tariff was found: {self.design.message}")
        return self.design.commitment.tariff

    def to_toml(self) -> str:
        """The tariff found as a tariff file; rate classes as the file of a scenario that has them in force."""
        return list(tariff_files(self.tariff, self.design.baseline.economy).values())[-1]

    def to_frame(self) -> pd.DataFrame:
        """A row per tariff tried: its parameters and the leader's objective. [USD per household-day]"""
        found = self.design.commitment
        if found is None:
            return pd.DataFrame()
        rows = [
            {**dict(zip(found.parameters, trial.parameters.tolist(), strict=True)), "objective": trial.objective}
            for trial in found.trials
        ]
        return pd.DataFrame(rows)

    def plot(self) -> "Figure":
        """Draw net load and import rate before and after."""
        from meanwatt.analysis.figures.results import design_figure

        commitment = self.design.commitment
        return design_figure(self.design.baseline, None if commitment is None else commitment.equilibrium)

    def rows(self) -> list[tuple[str, str]]:
        """Key numbers for people."""
        design, unit = self.design, self.aims.definition.unit
        before, commitment = design.baseline_objective, design.commitment
        rows = [("leader", self.aims.leader), ("outcome", design.message)]
        if before is not None:
            rows.append((f"objective at {called(design.baseline.tariff)}", f"{before:.4f} {unit}"))
        if commitment is not None:
            rows.append(("objective at the tariff found", f"{commitment.objective:.4f} {unit}"))
            rows += [(name, f"{value:.4f}") for name, value in commitment.parameters.items()]
        if isinstance(commitment, Learned) and commitment.balance.shortfall_usd_per_household_day is not None:
            lacking, largest = commitment.balance.shortfall_usd_per_household_day, commitment.balance.largest_usd
            rows.append(("shortfall of the leader's books", f"{lacking:.4f} USD per household-day"))
            rows.append(("largest balance of its books", f"{largest:.2f} USD per household"))
        rows += [("note", sentence) for sentence in design_messages(design, self.aims)]
        return rows

    def __repr__(self) -> str:
        found = "no tariff" if self.design.commitment is None else f"objective {self.design.commitment.objective:.4f}"
        return f"Designed({self.design.baseline.economy.scenario.name!r}, {self.aims.leader}: {found})"

    def _repr_html_(self) -> str:
        return as_html(self.rows(), self.plot(), "Net load and import rate before and after")


def design(
    scenario: str | Path | Scenario | Economy,
    *,
    leader: str = DEFAULT,
    tariff: str | Path | Tariff | None = None,
    overrides: Overrides = (),
    equity: float | None = None,
    stability: float | None = None,
    weights: Mapping[str, float] | None = None,
    price_cap_usd_per_kwh: float | None = None,
    method: str = "commitment",
    evaluations: int | None = None,
    seed: int = 0,
    books: str | None = None,
    progress: bool | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Designed:
    """Find the tariff that a leader commits to.

    Parameters
    ----------
    scenario, overrides
        As for `meanwatt.solve`.
    leader
        ``commission`` (welfare less penalties), ``constrained`` (welfare within limits on burden gap and volatility),
        ``utility`` (surplus under a price cap), ``nash`` (Nash welfare), ``rawls`` (minus the highest burden), or
        another objective of `meanwatt.analysis.leader.objectives`.
    tariff
        The tariff in force, which the found one is compared with; by default the filed one where there is one.
    equity, stability
        The commission's penalties of burden gap and price volatility; by default 1 and 0.
    weights
        The same by name, for an objective that has others.
    price_cap_usd_per_kwh
        The utility's cap on the import rate; by default 1.5 times the reference price.
    method
        ``commitment``, which knows the households, or one that learns from the meters of the mean field: ``softmax``,
        ``cma`` or ``optuna``.
    evaluations
        Tariffs tried: by a learner in all (150), else from each start at most (100).
    seed
        Key of a learner's draws.
    books
        Who balances a learner's books: ``account`` (the default), the leader itself by its meters, or ``model``, the
        solved model; see `meanwatt.analysis.learning.books`.
    progress, cancelled
        As for `meanwatt.solve`.

    Raises
    ------
    ValueError
        In one line, if something is not allowed, or no tariff of the family meets the cap.
    """
    definition = find(one_of("leader", leader, names()))
    given = {name: value for name, value in (("equity", equity), ("stability", stability)) if value is not None}
    if given and not given.keys() <= definition.weights.keys():
        owners = " or ".join(f"leader={name!r}" for name in those(lambda one: given.keys() <= one.weights.keys()))
        raise ValueError(f"equity and stability go with {owners}; leave them out for {definition.called}")
    weighed = {name: weight(name, value) for name, value in {**given, **(weights or {})}.items()}
    if price_cap_usd_per_kwh is not None and not weight("price_cap_usd_per_kwh", price_cap_usd_per_kwh) > 0:
        raise ValueError(f"price_cap_usd_per_kwh is {price_cap_usd_per_kwh!r}; give a number greater than 0")
    if price_cap_usd_per_kwh is not None and definition.cap_over_reference is None:
        owners = " or ".join(f"leader={name!r}" for name in those(lambda one: one.cap_over_reference is not None))
        raise ValueError(f"price_cap_usd_per_kwh goes with {owners}; leave it out for {definition.called}")
    require_kinds(scenario, tariff, overrides)
    if tariff is None and not any(key.startswith("default_tariff") for key in overrides):
        tariff = baseline_name(scenario)
    search = _search(method, evaluations, seed, books)
    economy, terms = game(scenario, tariff, overrides)
    require_unlimited(economy.scenario)
    aims = leader_spec_of(economy, leader, weighed, price_cap_usd_per_kwh)
    with shown_progress("designing", shown=progress) as tell:
        done = run(
            economy,
            terms,
            aims,
            search=search,
            watch=Watch(progress=lambda report: tell(report.text, report.fraction), cancelled=cancelled),
        )
    return Designed(design=done, aims=aims)


def _search(method: str, evaluations: int | None, seed: int, books: str | None) -> Search:
    """The search of a method; ``ValueError`` in one line where something does not go with it."""
    learns = one_of("method", method, ("commitment", *LEARNERS)) in LEARNERS
    usual = EVALUATIONS if learns else EVALUATIONS_PER_START
    tariffs = usual if evaluations is None else whole("evaluations", evaluations, EVALUATION_RANGE)
    if not learns:
        if books is not None:
            raise ValueError("books go with a method that learns; give method='softmax', or leave them out")
        return commitment_search(tariffs)
    require_package(method)
    kind = BooksKind.ACCOUNT if books is None else books_kind(books)
    return learning_search(method, evaluations=tariffs, seed=whole("seed", seed, SEED), books=kind)
