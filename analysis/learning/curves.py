"""Learning curves: regret against the commitment after every tariff tried, with a band over seeds."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd

from meanwatt.analysis.design.design import DesignProblem, commitment_search
from meanwatt.analysis.learning.books import BooksKind
from meanwatt.analysis.learning.campaign import (
    EVALUATIONS,
    MakeEnvironment,
    mean_field,
    recommended_objectives,
    try_tariffs,
)
from meanwatt.analysis.learning.journal import Tried
from meanwatt.model.mean_field.leader.commitment import Commitment
from meanwatt.model.progress.watch import Cancelled

BAND = (0.1, 0.9)
"""Quantiles over seeds that bound a band."""


def regret(learned: Commitment, commitment: Commitment) -> float:
    """Mean-field objective of the commitment less that of the tariff recommended. [USD per household-day]

    Negative where the learner found a better tariff than the search with full knowledge.
    """
    return commitment.objective - learned.objective


def learning_curves(
    problem: DesignProblem,
    *,
    methods: Sequence[str] = ("softmax", "cma", "optuna"),
    seeds: Sequence[int] = range(5),
    evaluations: int = EVALUATIONS,
    environment: Callable[[int], MakeEnvironment] = lambda seed: mean_field(),
    commitment: Commitment | None = None,
    books: BooksKind = BooksKind.ACCOUNT,
) -> pd.DataFrame:
    """Let every method learn once with every seed.

    Parameters
    ----------
    problem
        Its watch is told after every run, and asked between tariffs whether to stop, which raises ``Cancelled``.
    environment
        Makes an environment from a seed, e.g. ``lambda seed: finite_market(households=500, seed=seed)``.
    commitment
        What regret is measured against; searched for with full knowledge if not given.
    books
        As for `meanwatt.analysis.learning.campaign.learning_search`.

    Returns
    -------
    DataFrame
        A row for each ``method``, ``seed`` and ``evaluation`` (1, 2, …) with, in USD per household-day: ``metered`` and
        ``objective`` of the tariff tried, nan where it brought no equilibrium; ``recommended_objective`` of the tariff
        recommended by then and its ``regret``, nan before one met the cap. All but ``metered`` are of the mean field.
    """
    silent = replace(problem, watch=problem.watch.silent())
    best = commitment_search()(silent) if commitment is None else commitment
    frames = list[pd.DataFrame]()
    runs = len(methods) * len(seeds)
    for method in methods:
        for seed in seeds:
            where = environment(seed)(problem.baseline)
            tried = try_tariffs(silent, where, method=method, evaluations=evaluations, seed=seed, books=books)
            if len(tried) < evaluations:
                raise Cancelled
            frames.append(curve(tried, best).assign(method=method, seed=seed))
            problem.watch.report(f"learning curves, run {len(frames)} of {runs}", len(frames) / runs)
    columns = ["method", "seed", "evaluation", "metered", "objective", "recommended_objective", "regret"]
    return pd.concat(frames, ignore_index=True)[columns]


def curve(tried: Sequence[Tried], commitment: Commitment) -> pd.DataFrame:
    """Learning curve of one run; columns as in `learning_curves`."""
    recommended = pd.Series(recommended_objectives(tried), dtype=float)
    return pd.DataFrame(
        {
            "evaluation": [one.trial for one in tried],
            "metered": pd.Series([one.metered for one in tried], dtype=float),
            "objective": pd.Series([one.objective for one in tried], dtype=float),
            "recommended_objective": recommended,
            "regret": commitment.objective - recommended,
        }
    )


def regret_band(curves: pd.DataFrame, quantiles: tuple[float, float] = BAND) -> pd.DataFrame:
    """Median of the regret over seeds and the band between two quantiles, by ``method`` and ``evaluation``.

    A run without a tariff that met the cap yet counts as infinitely bad, so a band may be infinite at its beginning.
    """
    filled = curves.assign(regret=curves["regret"].fillna(float("inf")))
    groups = filled.groupby(["method", "evaluation"], sort=False)["regret"]
    low, high = quantiles
    return pd.DataFrame(
        {
            "low": groups.quantile(low, interpolation="lower"),
            "median": groups.quantile(0.5, interpolation="higher"),
            "high": groups.quantile(high, interpolation="higher"),
        }
    ).reset_index()
