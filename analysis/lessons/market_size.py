"""From 10 to 10,000 homes: how far a town strays from endlessly many homes."""

from statistics import median
from types import MappingProxyType

from meanwatt.analysis.lessons.case import Case
from meanwatt.analysis.lessons.figure import Dots
from meanwatt.analysis.lessons.lesson import Expected, Guess, Lesson, Notes, Revealed, Try
from meanwatt.analysis.lessons.words import number
from meanwatt.analysis.validation.expected import expected_scatter_kw2
from meanwatt.analysis.validation.replication import replicate
from meanwatt.model.progress.watch import Watch

FACTOR = "homes"
SIZES = (10, 100, 1000, 10_000)
KNOWN = 2
"""Sizes that are shown before the prediction."""
MARKETS, DAYS, SEED = 7, 7, 0
BASE = Case(tariff="rtp", beside=((FACTOR, SIZES[0]),))
WATTS = 1000


def reveal(watch: Watch) -> Revealed:
    """Draw markets of every size and measure how far each is from the mean field."""
    watch.report("endlessly many homes", 0.0)
    found = BASE.solve(watch)
    measured = []
    for place, households in enumerate(SIZES):
        row = []
        for market in range(MARKETS):
            watch.check()
            watch.report(f"{households:,} homes", (place + market / MARKETS) / len(SIZES))
            drawn = replicate(found, households, (SEED, market), DAYS, power_flow=False)
            row.append(WATTS * drawn.scatter_kw2**0.5)
        measured.append(tuple(row))
    middle = [median(row) for row in measured]
    numbers = {f"watts_{size}": value for size, value in zip(SIZES, middle, strict=True)}
    numbers |= {
        "times_smaller": middle[0] / middle[-1],
        "ten_times": (middle[0] / middle[-1]) ** (1 / (len(SIZES) - 1)),
    }
    return Revealed(
        given=(
            f"What a town of {SIZES[0]} homes draws strays from that of endlessly many by"
            f" {number(middle[0], 0)} W a home, of {SIZES[1]} homes by {number(middle[1], 0)} W: the middle one of"
            f" {MARKETS} towns each."
        ),
        figure=Dots(
            title="How far a town strays from endlessly many homes",
            unit="W a home",
            dot="one town",
            line="as chance has it: 1/√homes",
            sizes=SIZES,
            measured=tuple(measured),
            law=tuple(WATTS * expected_scatter_kw2(found, size) ** 0.5 for size in SIZES),
            known=KNOWN,
        ),
        answer=middle[-1],
        reading=reading(numbers),
        numbers=MappingProxyType(numbers),
    )


def reading(numbers: dict[str, float]) -> str:
    """Read the figure."""
    first, last = (numbers[f"watts_{size}"] for size in (SIZES[0], SIZES[-1]))
    word = "less" if last < first else "more"
    return (
        f"{SIZES[-1]:,} homes stray by {number(last, 1)} W a home, {number(max(first / last, last / first), 0)} times"
        f" {word} than {SIZES[0]} homes; √1,000 is {number((SIZES[-1] / SIZES[0]) ** 0.5, 0)}."
    )


LESSON = Lesson(
    key="market-size",
    title="From 10 to 10,000 homes",
    teaser="How many homes does it take until chance no longer counts?",
    minutes=10,
    story=(
        "Each home has its own chances: who cooks, who is away, how full the battery is. In a small town that is seen"
        " in the load of all; in a large one it cancels out.",
        "Meanwatt computes a town of endlessly many homes, the mean field, and draws towns of single homes beside it."
        " A dot is one town, simulated for a week.",
    ),
    change="Only the number of homes changes; their chances are drawn anew.",
    factor=FACTOR,
    money=False,
    base=BASE,
    variants=tuple(BASE.with_beside(FACTOR, size) for size in SIZES[1:]),
    question=Guess(
        text="By how many W a home do 10,000 homes stray?",
        unit="W",
        low=0,
        high=1000,
        digits=1,
    ),
    closing="A transformer serves ten homes, a town has ten thousand. For which of the two may a planner compute with"
    " the average home?",
    tries=(
        Try(
            page="finite",
            text="More towns of more sizes, judged by criteria stated beforehand",
            cases=(Case(tariff="rtp"),),
        ),
        Try(page="market", text="Watch a town live, its band of chance around it", cases=(Case(tariff="rtp"),)),
    ),
    notes=Notes(
        points=(
            "Coins first: everybody throws ten times and says the share of heads; then add up the class.",
            "Both axes go in steps of ten, so that 1/√N is a straight line: a hundred times the homes, a tenth of the"
            " chance.",
            "Nothing is fitted: the line follows from the mean field alone.",
            "What does not cancel out: weather, and prices to which all answer alike (lesson “The herd”).",
        ),
        expected=(
            Expected(
                name="ten_times",
                text="With ten times the homes chance shrinks by this factor (√10 is 3.2)",
                unit="×",
                digits=1,
                low=2.7,
                high=3.7,
            ),
        ),
        sources=(
            "The law of large numbers; for games in which every home answers a price that all make: J.-M. Lasry,"
            " P.-L. Lions (2007), Mean field games, Japanese Journal of Mathematics 2.",
            "Meanwatt's theory (F2) gives the line, and where it stops falling.",
        ),
    ),
    reveal=reveal,
)
