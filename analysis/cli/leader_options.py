"""The options that say who leads and what it wants, as ``design`` and ``simulate`` share them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from meanwatt.analysis.cli.options import number, one_of, weights
from meanwatt.analysis.leader.registry import belong, find, names
from meanwatt.model.scenario.ranges import POSITIVE_PRICE

if TYPE_CHECKING:
    from meanwatt.analysis.leader.leader_spec import LeaderSpec
    from meanwatt.model.scenario.economy import Economy

LEADERS: Final = "|".join(names())
"""All leaders, as an option shows them."""

Weights = Annotated[
    str | None,
    typer.Option(
        "--weights",
        metavar="equity=1,stability=0",
        help="Penalties of the commission, or limits of the constrained one.",
    ),
]
PriceCap = Annotated[
    str | None,
    typer.Option("--price-cap", metavar="USD", help="The utility's cap on the import rate, in USD/kWh."),
]

BOOKS: Final = ("account", "model")
"""Who may balance the books of a leader who learns, its own account first."""
Books = Annotated[
    str | None,
    typer.Option(
        "--books",
        metavar="|".join(BOOKS),
        help="Who sets a learner's adder or fixed charges: it, by its meters (account), or the solved model.",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderOptions:
    """Who leads, the weights of its objective (with those left out), and the price cap given."""

    leader: str
    weights: dict[str, float]
    price_cap_usd_per_kwh: float | None

    def aims(self, economy: "Economy") -> "LeaderSpec":
        """The leader's aims in a scenario, which knows the price cap where none is given."""
        from meanwatt.analysis.leader.leader_spec import leader_spec_of

        return leader_spec_of(economy, self.leader, self.weights, self.price_cap_usd_per_kwh)


def books_sentence(books: dict[str, Any]) -> str:
    """What is said of the books that a leader balanced itself."""
    lacking = books["shortfall_usd_per_household_day"]
    word = "short by" if lacking >= 0 else "over by"
    return (
        f"Its books, balanced by its meters, end {word} {abs(lacking):.4f} USD per household-day; the largest balance"
        f" after a round was {books['largest_balance_usd_per_household']:.2f} USD per household."
    )


def read_leader_options(leader: str, weights_text: str | None, price_cap: str | None) -> LeaderOptions:
    """Read the options; ``ValueError`` in one line if one is wrong or belongs to another leader."""
    definition = find(one_of("leader", leader, names()))
    if weights_text is not None and not definition.weights:
        raise ValueError(f"{belong('--weights', lambda one: bool(one.weights), 'belong')}, or leave them out")
    if price_cap is not None and definition.cap_over_reference is None:
        raise ValueError(f"{belong('--price-cap', lambda one: one.cap_over_reference is not None)}, or leave it out")
    given = {} if weights_text is None else weights("--weights", weights_text, definition.weights)
    return LeaderOptions(
        leader=leader,
        weights={**definition.weights, **given},
        price_cap_usd_per_kwh=None
        if price_cap is None
        else number("--price-cap", price_cap, POSITIVE_PRICE, example=0.3),
    )
