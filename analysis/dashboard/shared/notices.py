"""Sentences above a page: what went wrong, or what changed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from meanwatt.analysis.dashboard.shared.by_branch import branch_prices
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.solution import Solution
from meanwatt.analysis.dashboard.shared.words import listed
from meanwatt.analysis.design.same_tariffs import plain_names
from meanwatt.model.mean_field.equilibrium import Outcome
from meanwatt.model.scenario.branches import REST

OF_TOWN: Final = ("components", "classes")
"""What notices are about that are the same under every tariff of a scenario."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A sentence above the page.

    Attributes
    ----------
    about
        What it speaks of; a newer notice about the same takes its place.
    kind
        How bad it is, which is said in the title too.
    title, text
        Words.
    """

    about: str
    kind: Literal["bad", "warn", "good"]
    title: str
    text: str


def notices_json(notices: Iterable[Notice]) -> str:
    """JSON of the sentences above the page."""
    return to_json(
        [{"kind": n.kind, "title": n.title, "text": n.text, "about": n.about, "closable": True} for n in notices]
    )


def sentence(said: object) -> str:
    """Make a sentence of an error or a message; the first letter stays, for it may begin the name of a key."""
    text = str(said).strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


def with_notice(notices: Sequence[Notice], new: Notice) -> tuple[Notice, ...]:
    """Notices with a new one in the place of those about the same."""
    return (*(notice for notice in notices if notice.about != new.about), new)


def failure(about: str, title: str, error: Exception) -> Notice:
    """An unforeseen error as a sentence; one that speaks to people goes without its type."""
    text = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    return Notice(about=about, kind="bad", title=title, text=sentence(text))


def ending(solution: Solution, *, whole: bool = False) -> tuple[Notice, ...]:
    """Say it, if a solve did not end well, and what a page does not draw of its tariff.

    Parameters
    ----------
    whole
        Whether the page holds rate classes and components.
    """
    beside = () if whole else _set_aside(solution)
    return (*_outcome(solution), *_by_branch(solution), *beside)


def _by_branch(solution: Solution) -> Iterator[Notice]:
    """Prices that hold on a branch alone."""
    prices = branch_prices(solution.equilibrium.tariff)
    if prices:
        text = f"A kWh costs {prices}. Rates drawn are those of {REST}; bills hold every home's own."
        yield Notice(about="branches", kind="warn", title="Prices by branch.", text=text)


def _set_aside(solution: Solution) -> Iterator[Notice]:
    """Rate classes that do not hold, and tariffs that a page leaves out."""
    scenario = solution.equilibrium.economy.scenario
    left_out = [name for name in scenario.tariffs if name not in plain_names(scenario)]
    if left_out:
        text = f"This page takes no tiers or other components, as of {listed(left_out)}; the page Market does."
        yield Notice(about="components", kind="warn", title="Tariffs left out.", text=text)
    if scenario.rate_classes:
        names = ", ".join(scenario.rate_classes)
        text = (
            f"This page puts everybody on one tariff and sets rate_classes ({names}) aside; the page Market holds them."
        )
        yield Notice(about="classes", kind="warn", title="One tariff for all.", text=text)


def _outcome(solution: Solution) -> tuple[Notice, ...]:
    equilibrium = solution.equilibrium
    if equilibrium.outcome is Outcome.NO_ADEQUATE_TARIFF:
        return (
            Notice(about="solve", kind="bad", title="No price covers the cost.", text=sentence(equilibrium.message)),
        )
    if equilibrium.outcome is not Outcome.CONVERGED:
        return (Notice(about="solve", kind="bad", title="Not converged.", text=sentence(equilibrium.message)),)
    return ()
