"""The methods of ``meanwatt design``: which there are, what options each takes, and the search that each makes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from meanwatt.agents.tariff.rate_classes import require_one_tariff, require_plain
from meanwatt.analysis.cli.leader_options import BOOKS
from meanwatt.analysis.cli.options import one_of, require_out, whole_number
from meanwatt.analysis.leader.registry import find
from meanwatt.model.scenario import ranges

if TYPE_CHECKING:
    from meanwatt.agents.tariff.tariff import Tariff
    from meanwatt.analysis.design.design import Search
    from meanwatt.model.mean_field.leader.own_family import OwnFamilies
    from meanwatt.model.scenario.economy import Economy

LEARNING: Final = ("policy_iteration", "softmax", "cma", "optuna", "response_matrix")
"""Methods that see meters and not households."""
METHODS: Final = ("commitment", "feedback", "alternating", *LEARNING)
ENVIRONMENTS: Final = ("mean_field", "market")
EVALUATIONS: Final = {"commitment": 100, "feedback": 30, "alternating": 30, **dict.fromkeys(LEARNING, 150)}
"""Tariffs tried by default: by a learner in all, by a leader who revises round by round one a round, else from each
starting point at most."""
HOUSEHOLDS: Final = 1000
DAYS: Final = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Options of the methods, read.

    Attributes
    ----------
    evaluations
        Tariffs to try, see `EVALUATIONS`.
    against, households, days, seed
        Where a learner posts its tariffs, and the key of its draws and the market's.
    journal, resume
        Record of a long search, a learner's trials e.g., and whether to go on from it.
    books
        Who balances a learner's books, one of ``BOOKS``.
    anneal
        Whether the commitment is searched for cold households.
    """

    method: str
    evaluations: int
    against: str
    households: int
    days: int
    seed: int
    journal: Path | None
    resume: bool
    books: str
    anneal: bool = False

    @property
    def settings(self) -> dict[str, str | int]:
        """What fixes the result of a learner, for the record; nothing for other methods."""
        if self.method not in LEARNING:
            return {}
        market = {"households": self.households, "days": self.days} if self.against == "market" else {}
        return {"against": self.against, "seed": self.seed, "books": self.books, **market}


def _commitment(choices: Choices) -> "Search":
    if choices.anneal:
        from meanwatt.analysis.design.anneal import anneal_search

        return anneal_search(choices.evaluations)
    from meanwatt.analysis.design.design import commitment_search

    return commitment_search(choices.evaluations)


def _concept(choices: Choices) -> "Search":
    from meanwatt.analysis.design.design import concept_search

    return concept_search(choices.method, choices.evaluations)


def _learning(choices: Choices) -> "Search":
    from meanwatt.analysis.learning.books import BooksKind
    from meanwatt.analysis.learning.campaign import finite_market, learning_search, mean_field
    from meanwatt.analysis.learning.journal import Journal
    from meanwatt.analysis.learning.learners import require_package

    require_package(choices.method)
    if choices.journal is not None:
        Journal.check(choices.journal, resume=choices.resume)
    market = finite_market(households=choices.households, days=choices.days, seed=choices.seed)
    return learning_search(
        choices.method,
        environment=market if choices.against == "market" else mean_field(),
        evaluations=choices.evaluations,
        seed=choices.seed,
        journal=choices.journal,
        resume=choices.resume,
        books=BooksKind(choices.books),
    )


SEARCHES: Final[dict[str, Callable[[Choices], "Search"]]] = {
    "commitment": _commitment,
    "feedback": _concept,
    "alternating": _concept,
    **dict.fromkeys(LEARNING, _learning),
}
"""How each method makes its search."""


def concept(method: str) -> str:
    """The solution concept that a method computes: its own, or the commitment that learners look for too."""
    return method if method in ("feedback", "alternating") else "commitment"


def require_method(method: str, leader: str) -> None:
    """Refuse a method that a leader's objective does not allow; ``ValueError`` in one line."""
    objective = find(leader)
    if method == "feedback" and not objective.is_money:
        raise ValueError(
            f"--method feedback counts what a day leaves behind in USD, and the objective of {objective.called} is in"
            f" {objective.unit}; give --method commitment"
        )
    if method in LEARNING and not objective.is_metered:
        raise ValueError(
            f"--method {method} learns from meters, and no meter shows what {objective.called} wants;"
            " give --method commitment"
        )


def require_plain_method(
    in_force: "Tariff", families: "OwnFamilies | None", choices: "Choices", *, pareto: bool
) -> None:
    """Refuse rate classes and components, in force or in a family, where something asked for knows none.

    Raises
    ------
    ValueError
        In one line.
    """
    for tariff in (in_force, *([] if families is None else [families.first.tariff(families.first.high)])):
        if choices.method != "commitment":
            if choices.method not in LEARNING:
                require_one_tariff(tariff, f"--method {choices.method}")
            require_plain(tariff, f"--method {choices.method}")
        for option, given in (("--anneal", choices.anneal), ("--pareto", pareto)):
            if given:
                require_plain(tariff, option)


def require_warm(economy: "Economy", choices: "Choices") -> None:
    """Refuse to cool households within operating envelopes; ``ValueError`` in one line."""
    from meanwatt.model.scenario.envelopes import limits_load

    if choices.anneal and limits_load(economy.types):
        raise ValueError(
            "--anneal lowers the temperature to 0, and feeder.envelopes are held at one above 0; leave one of them out"
        )


def read_choices(
    method: str,
    evaluations: str | None,
    learners: dict[str, str | bool | None],
    out: str | None,
    anneal: bool = False,
    *,
    robust: bool = False,
    family: bool = False,
) -> Choices:
    """Read the options of the methods; ``ValueError`` in one line where one does not belong to the method.

    A robust design and a search over a family's windows, which are long like those of learners, have a journal, too.
    """
    if anneal and method != "commitment":
        raise ValueError(
            f"--anneal searches with full knowledge of the households, and --method {method} does not;"
            " give --method commitment, or leave it out"
        )
    long = robust or (family and method == "commitment" and not anneal)
    if method not in LEARNING:
        for name, value in learners.items():
            if value and not (long and name == "resume"):
                raise ValueError(f"--{name} belongs to the methods that learn; give --method softmax, or leave it out")
    against = one_of("environment", str(learners["against"] or ENVIRONMENTS[0]), ENVIRONMENTS)
    if against != "market":
        for name in ("households", "days"):
            if learners[name] is not None:
                raise ValueError(f"--{name} belongs to the finite market; give --against market, or leave it out")
    require_out(resume=bool(learners["resume"]), out=out)

    from meanwatt.analysis.output.run_journal import journal_beside

    def whole(name: str, text: object, default: int, allowed: ranges.Range) -> int:
        return default if text is None else whole_number(f"--{name}", str(text), allowed, example=default or 1)

    return Choices(
        method=method,
        evaluations=whole("evaluations", evaluations, EVALUATIONS[method], ranges.EVALUATIONS),
        against=against,
        households=whole("households", learners["households"], HOUSEHOLDS, ranges.HOUSEHOLDS),
        days=whole("days", learners["days"], DAYS, ranges.DAYS),
        seed=whole("seed", learners["seed"], 0, ranges.SEED),
        journal=None if out is None or not (long or method in LEARNING) else journal_beside(out),
        resume=bool(learners["resume"]),
        books=one_of("books", str(learners["books"] or BOOKS[0]), BOOKS),
        anneal=anneal,
    )
