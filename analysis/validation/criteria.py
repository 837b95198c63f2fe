"""Pass criteria, stated before anything is measured.

A criterion comes from theory: the value that the law predicts, and a margin of practical equivalence around it. It
passes if the whole 95 % interval lies within the margin, fails if the whole interval lies outside, and is undecided in
between: then more replications or days would tell. A chance of 5 % of a wrong judgement per criterion remains.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from meanwatt.analysis.validation.judgements import (
    CALM_RATIO,
    EXPLOITABILITY_MARGIN,
    LOSS_SHARE,
    SIZE_MARGIN,
    SLOPE_MARGIN,
    beliefs_arrive,
    class_size,
    exploitability_cold,
    exploitability_sign,
    exploitability_slope,
    grid_slope,
    leader_loss,
    load_floor,
    load_size,
    load_slope,
    prices_calm,
    state_size,
    state_slope,
)
from meanwatt.analysis.validation.result import Validation
from meanwatt.analysis.validation.verdict import Finding, Status

CHECKS: Final = ("aggregate", "state", "exploitability", "emergence", "leader", "grid")
"""The six checks."""
_GRID_WHY: Final = (
    "The feeder's state is a smooth function of its loads, so its error falls as theirs, N^(−1/2); rounding of types"
    " and of places on the buses falls as 1/N and makes it steeper among few households."
)
_HALF: Final = f"95 % interval of the slope within −1/2 ± {SLOPE_MARGIN}"
_SIZE: Final = f"measured over expected within 1 ± {SIZE_MARGIN}, the whole 95 % interval"


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One line of the table of criteria.

    Attributes
    ----------
    key, check
        Its own name, and the check it belongs to.
    title
        What is measured.
    criterion, why
        When it passes, and the theory behind that.
    judge
        Gives status and sentence.
    of_classes
        Whether it is about rate classes, and left out where one tariff holds for all.
    """

    key: str
    check: str
    title: str
    criterion: str
    why: str
    judge: Callable[[Validation], tuple[Status, str]]
    of_classes: bool = False


CRITERIA: Final = (
    Criterion(
        key="load_slope",
        check="aggregate",
        title="pace of the net load error",
        criterion=_HALF,
        why="Given the common state households are independent: the variance of their mean is that of one over N, for N"
        " corrected for the rounding of the types.",
        judge=load_slope,
    ),
    Criterion(
        key="load_size",
        check="aggregate",
        title="size of the net load error",
        criterion=_SIZE,
        why="The variance of one household of each type follows from the equilibrium; nothing is fitted.",
        judge=load_size,
    ),
    Criterion(
        key="class_size",
        check="aggregate",
        title="size of each rate class's net load error",
        criterion=f"{_SIZE}, for every rate class",
        why="Households of a class are independent of one another and of the other classes, given the common state.",
        judge=class_size,
        of_classes=True,
    ),
    Criterion(
        key="load_floor",
        check="aggregate",
        title="floor of the net load error",
        criterion="95 % interval of f² in RMS² = a²/N + f² not above 0",
        why="The continuum's law remembers the last day types only; what older ones leave behind is common to all.",
        judge=load_floor,
    ),
    Criterion(
        key="state_slope",
        check="state",
        title="pace of the state-of-charge distance",
        criterion=_HALF,
        why="An empirical law on a line is N^(−1/2) from its own in Wasserstein-1 distance (Fournier, Guillin 2015).",
        judge=state_slope,
    ),
    Criterion(
        key="state_size",
        check="state",
        title="size of the state-of-charge distance",
        criterion=_SIZE,
        why="Owners at or below a level are a sum of binomials, whose mean absolute deviation is known exactly.",
        judge=state_size,
    ),
    Criterion(
        key="exploitability_bounds",
        check="exploitability",
        title="bounds of the exploitability",
        criterion="ε_N ≥ 0, and ε_∞ ≤ η·T·Σ w ln|A|",
        why="A best reply is no worse than the policy; the softmax bound holds at every fixed point.",
        judge=exploitability_sign,
    ),
    Criterion(
        key="exploitability_slope",
        check="exploitability",
        title="pace of |ε_N − ε_∞|",
        criterion=f"slope within −1 ± {EXPLOITABILITY_MARGIN}, −2 without batteries; expectations, so no interval",
        why="One household's share of the load and the variance of the others' mean are both of the order 1/N. A choice"
        " of moves loses in proportion to it, use at an interior optimum to its square.",
        judge=exploitability_slope,
    ),
    Criterion(
        key="exploitability_cold",
        check="exploitability",
        title="exploitability as the temperature falls",
        criterion="ε_∞(η) ≤ η·T·Σ w ln|A| at every temperature, and less at the last than at the first",
        why="Softmax policies approach best replies as their temperature goes to zero.",
        judge=exploitability_cold,
    ),
    Criterion(
        key="beliefs_arrive",
        check="emergence",
        title="beliefs of learners",
        criterion="error in the last quarter below what chance moves a day's prices by (95 % intervals apart)",
        why="Averaging prices with steps δ0·t^(−1/2) forgets the first belief and averages chance away.",
        judge=beliefs_arrive,
    ),
    Criterion(
        key="prices_calm",
        check="emergence",
        title="prices that learners make",
        criterion=f"error at most {CALM_RATIO} times that of given households, the whole 95 % interval",
        why="Beliefs can be right while prices chatter, where the price map is no contraction; so both are measured.",
        judge=prices_calm,
    ),
    Criterion(
        key="leader_loss",
        check="leader",
        title="the leader's loss",
        criterion=f"95 % interval of the loss in the largest market below {LOSS_SHARE:.0%} of the gain over the tariff"
        " in force",
        why="The loss is at most twice the largest gap between the leader's objective in the market and in the mean"
        " field, which vanishes.",
        judge=leader_loss,
    ),
    *(
        Criterion(
            key=f"grid_{name}",
            check="grid",
            title=title,
            criterion=f"whole 95 % interval of the slope at or below −1/2 + {SLOPE_MARGIN}",
            why=_GRID_WHY,
            judge=grid_slope(name, title),
        )
        for name, title in (
            ("voltage", "voltages"),
            ("loading", "highest loading"),
            ("loss", "losses"),
        )
    ),
)


"""The criteria, in the order of the checks."""


def judge(result: Validation, checks: Collection[str]) -> tuple[Finding, ...]:
    """Judge the criteria of the checks asked for."""
    found = []
    for one in CRITERIA:
        if one.check in checks and (result.classes or not one.of_classes):
            status, sentence = one.judge(result)
            found.append(
                Finding(
                    key=one.key,
                    check=one.check,
                    title=one.title,
                    criterion=one.criterion,
                    why=one.why,
                    status=status,
                    sentence=sentence,
                )
            )
    return tuple(found)
