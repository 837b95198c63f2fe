"""What a leader sees: one counts on the answer to its tariff, the other takes loads as given."""

from types import MappingProxyType

import numpy as np

from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.analysis.lessons.case import Case
from meanwatt.analysis.lessons.figure import Curves, Line, Mark
from meanwatt.analysis.lessons.lesson import Choose, Expected, Lesson, Notes, Option, Revealed, Try
from meanwatt.analysis.lessons.words import dollars, number
from meanwatt.model.mean_field.leader.concepts import frozen
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import DAYS_PER_MONTH

FACTOR = "leader"
COUNTS_ON_IT, TAKES_AS_GIVEN = "counts on the answer", "takes loads as given"
PRICE = "tariff.energy_usd_per_kwh"
PRICES = tuple(round(0.02 * step, 2) for step in range(16))
"""Tariffs that the leader may post, by the price of a kWh. [USD/kWh]"""
TODAY = 0.18
"""In force; near the price that covers all cost. [USD/kWh]"""
BEST = 0.12
"""What a visitor is sent to try; a test compares it with what is found. [USD/kWh]"""
BASE = Case(
    tariff="income_graduated",
    changes=(
        ("tariff.pass_through", 0.0),
        ("tariff.export.pass_through", 0.0),
        ("tariff.export.usd_per_kwh", 0.0),
        (PRICE, TODAY),
    ),
    beside=((FACTOR, COUNTS_ON_IT),),
)
AIMS = LeaderSpec(leader="commission")
HALF = 0.5


def reveal(watch: Watch) -> Revealed:
    """Value every price as it turns out, and as a leader expects who takes today's loads as given."""
    judge = AIMS.objective()
    watch.report("the tariff in force", 0.0)
    today = BASE.solve(watch)
    score = judge(today)
    got, expected, use = [], [], []
    found = today
    for place, price in enumerate(PRICES):
        watch.report(f"{number(100 * price, 0)} cents a kWh", (1 + place) / (1 + len(PRICES)))
        found = BASE.with_change(PRICE, price).solve(watch, start=found)
        got.append(DAYS_PER_MONTH * (judge(found) - score))
        expected.append(DAYS_PER_MONTH * (judge(frozen(today, found.tariff)) - score))
        use.append(float((found.economy.common.probability @ found.net_load_kw).sum()))
    naive, wise = int(np.argmax(expected)), int(np.argmax(got))
    load = float((today.economy.common.probability @ today.net_load_kw).sum())
    numbers = {
        "naive_price": 100 * PRICES[naive],
        "hoped": expected[naive],
        "got": got[naive],
        "wise_price": 100 * PRICES[wise],
        "wise_got": got[wise],
        "more_use": 100 * (use[naive] / load - 1),
        "today": 100 * TODAY,
    }
    return Revealed(
        given=(
            f"Today a kWh costs {number(numbers['today'], 0)} cents. Against today's loads the leader finds"
            f" {number(numbers['naive_price'], 0)} cents best: it expects to"
            f" gain {dollars(numbers['hoped'])} a home and month, by its own measure. It posts that price."
        ),
        figure=Curves(
            title="What a price is worth to the leader, against today",
            x_title="price of a kWh",
            x_unit="cents",
            unit="$ a home and month",
            x=tuple(100 * price for price in PRICES),
            lines=(
                Line(name="expected, if nobody answers", style="a", values=tuple(expected)),
                Line(name="as homes answer", style="b", values=tuple(got), later=True),
            ),
            marks=(Mark(x=100 * TODAY, text="today"),),
            digits=2,
        ),
        answer=answer(numbers),
        reading=reading(numbers),
        numbers=MappingProxyType(numbers),
    )


def answer(numbers: dict[str, float]) -> str:
    """Which of the answers the numbers say."""
    if numbers["got"] < 0:
        return "worse"
    return "as_hoped" if numbers["got"] > (1 + HALF) / 2 * numbers["hoped"] else "half"


def reading(numbers: dict[str, float]) -> str:
    """Read the figure."""
    got = f"{'gained' if numbers['got'] >= 0 else 'lost'} {dollars(abs(numbers['got']))}"
    use = f"{number(abs(numbers['more_use']), 0)} % {'more' if numbers['more_use'] >= 0 else 'less'}"
    return (
        f"At {number(numbers['naive_price'], 0)} cents the leader hoped to gain {dollars(numbers['hoped'])} a home"
        f" and month and {got}, for homes draw {use} from the grid; a leader who counts on the answer posts"
        f" {number(numbers['wise_price'], 0)} cents and gains {dollars(numbers['wise_got'])}."
    )


LESSON = Lesson(
    key="leader",
    title="What a leader sees",
    teaser="A regulator finds the best price for today's loads, and posts it. Then homes answer.",
    minutes=15,
    story=(
        "A commission sets the price of a kWh. What the price does not cover comes in by a fixed charge that rises with"
        " income, so that the utility always covers its cost.",
        "It wants little waste and a small burden gap. A lower price shifts cost into the charge by income: burdens"
        " become more equal. What it overlooks: a cheaper kWh is used more.",
    ),
    change="Only what the leader counts on changes: loads that stay as they are, or homes that answer.",
    factor=FACTOR,
    money=True,
    base=BASE,
    variants=(BASE.with_beside(FACTOR, TAKES_AS_GIVEN),),
    question=Choose(
        text="What does the leader get at that price?",
        options=(
            Option(key="as_hoped", text="About what it expected"),
            Option(key="half", text="Some of it, but less"),
            Option(key="worse", text="Less than today"),
        ),
    ),
    closing="The leader sees the new loads and finds the best price for those. Does it come back to where it should"
    " have gone? Who else in public life decides like that?",
    tries=(
        Try(
            page="market",
            text="The price of the leader who takes loads as given",
            cases=(BASE.with_change(PRICE, 0.0),),
        ),
        Try(
            page="market",
            text="The price of the leader who counts on the answer",
            cases=(BASE.with_change(PRICE, BEST),),
        ),
    ),
    notes=Notes(
        points=(
            "The leader who moves first and knows how the others will answer is Stackelberg's; the other one answers"
            " loads that are no longer there once it has answered them.",
            "Where both lines touch, at today's price, both leaders are right. The further from today, the more the"
            " one is wrong.",
            "The score is welfare less one dollar a day for each whole of income in the burden gap; other weights move"
            " the best price, not the lesson.",
            "Let students find by hand, on the page Market, the price with the smallest efficiency gap.",
        ),
        expected=(
            Expected(
                name="hoped",
                text="What the leader hopes for is above today",
                unit="$ a home and month",
                digits=2,
                low=0.1,
                high=10,
            ),
            Expected(
                name="got",
                text="What it gets is below today",
                unit="$ a home and month",
                digits=2,
                low=-20,
                high=-0.1,
            ),
            Expected(
                name="wise_got",
                text="Who counts on the answer gains",
                unit="$ a home and month",
                digits=2,
                low=0.1,
                high=10,
            ),
        ),
        sources=(
            "H. von Stackelberg (1934), Marktform und Gleichgewicht: the leader who knows how the follower answers.",
            "M. Simaan, J. B. Cruz (1973), On the Stackelberg strategy in nonzero-sum games, Journal of Optimization"
            " Theory and Applications 11(5).",
        ),
    ),
    reveal=reveal,
)
