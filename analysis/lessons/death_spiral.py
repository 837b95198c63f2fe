"""The death spiral: with net metering the price that covers the cost rises ever faster with solar."""

from types import MappingProxyType

from meanwatt.analysis.lessons.case import Case
from meanwatt.analysis.lessons.figure import Curves, Line, Mark
from meanwatt.analysis.lessons.lesson import Expected, Guess, Lesson, Notes, Revealed, Try
from meanwatt.analysis.lessons.words import number
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome
from meanwatt.model.progress.watch import Watch

FACTOR = "pv_share_scale"
SCALES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75)
"""Times as many solar homes as the preset has."""
KNOWN, ASKED = 1.0, 1.5
"""Up to where the price is told, and where it is asked."""
DIGITS = 1
"""Of a cent that are shown; differences are those of prices as printed."""
BASE = Case(tariff="flat", changes=(("tariff.export.rule", "net_metering"), (FACTOR, 0.0)))


def _solar_percent(found: Equilibrium) -> float:
    return 100 * sum(household.share for household in found.economy.types if household.pv_kw.any())


def reveal(watch: Watch) -> Revealed:
    """Solve the town with more and more solar homes, until no price covers the cost."""
    shares, prices = list[float](), list[float | None]()
    found: Equilibrium | None = None
    for place, scale in enumerate(SCALES):
        watch.report(f"{scale:g} times today's solar", place / len(SCALES))
        found = BASE.with_change(FACTOR, scale).solve(watch, start=found)
        shares.append(_solar_percent(found))
        if found.outcome is Outcome.NO_ADEQUATE_TARIFF:
            prices.append(None)
            break
        prices.append(round(100 * float(found.rates.import_usd_per_kwh.mean()), DIGITS))
    at = dict(zip(SCALES, prices, strict=False))
    asked, known, half = (at[scale] or 0.0 for scale in (ASKED, KNOWN, 2 * KNOWN - ASKED))
    numbers = {
        "price_without": at[0.0] or 0.0,
        "price_before": half,
        "price_known": known,
        "price_asked": asked,
        "step_before": known - half,
        "step": asked - known,
        "times_the_step": (asked - known) / (known - half),
        "share_before": shares[SCALES.index(2 * KNOWN - ASKED)],
        "share_known": shares[SCALES.index(KNOWN)],
        "share_asked": shares[SCALES.index(ASKED)],
    }
    if prices[-1] is None:
        numbers["share_without_price"] = shares[-1]
    first = tuple(price if scale <= KNOWN else None for scale, price in at.items())
    rest = tuple(price if scale >= KNOWN else None for scale, price in at.items())
    wall = Mark(x=shares[-1], text="no price covers the cost", later=True)
    return Revealed(
        given=(
            f"Without solar a kWh must cost {number(numbers['price_without'], 1)} cents. With"
            f" {number(numbers['share_before'], 0)} % of homes solar it is {number(half, 1)}, with"
            f" {number(numbers['share_known'], 0)} % {number(known, 1)} cents."
        ),
        figure=Curves(
            title="The price that covers the cost",
            x_title="homes with solar",
            x_unit="%",
            unit="cents a kWh",
            x=tuple(shares),
            lines=(
                Line(name="price that covers the cost", style="a", values=first),
                Line(name="with more solar", style="b", values=rest, later=True),
            ),
            marks=(wall,) if prices[-1] is None else (),
        ),
        answer=asked,
        reading=reading(numbers),
        numbers=MappingProxyType(numbers),
    )


def reading(numbers: dict[str, float]) -> str:
    """Read the figure."""
    known, asked = (number(numbers[name], 0) for name in ("share_known", "share_asked"))
    word = "ever faster" if numbers["step"] > numbers["step_before"] else "no faster"
    wall = ""
    if "share_without_price" in numbers:
        wall = f"; with {number(numbers['share_without_price'], 0)} % no price covers the cost at all"
    return (
        f"From {known} to {asked} % of homes with solar the price goes from {number(numbers['price_known'], 1)} to"
        f" {number(numbers['price_asked'], 1)} cents a kWh, {word}: {number(numbers['step'], 1)} cents in this step"
        f" after {number(numbers['step_before'], 1)} in the one before{wall}."
    )


LESSON = Lesson(
    key="death-spiral",
    title="The death spiral",
    teaser="Every new solar roof makes the kWh dearer for all. How fast?",
    minutes=15,
    story=(
        "A utility's wires cost the same however many kWh they carry. Here all of that cost is in the price of a kWh,"
        " one price all day.",
        "Under net metering a kWh fed in earns that price, too: the meter runs backwards. Homes with solar buy fewer"
        " kWh, so each kWh that is still bought has to carry more of the wires. And what is dearer is used less.",
    ),
    change="Only the number of homes with solar changes. Every price in the figure covers the utility's cost exactly.",
    factor=FACTOR,
    money=True,
    base=BASE,
    variants=tuple(BASE.with_change(FACTOR, scale) for scale in SCALES[1:]),
    question=Guess(
        text="How many cents must a kWh cost when 45 % of homes have solar?", unit="cents", low=0, high=500, digits=1
    ),
    closing="Which would you change first to stop the spiral: the price for exports, the price of a kWh, or a fixed"
    " charge? Who would object?",
    tries=(
        Try(
            page="market",
            text="The town with 45 % solar homes: move “Exported solar earns” and see the price fall",
            cases=(BASE.with_change(FACTOR, ASKED),),
        ),
        Try(
            page="market",
            text="One step further: the page says that no price covers the cost",
            cases=(BASE.with_change(FACTOR, SCALES[-1]),),
        ),
    ),
    notes=Notes(
        points=(
            "Draw the fraction on the board: cost to recover over kWh sold. Solar takes away from the lower part much"
            " and from the upper part little.",
            "Let students continue the points by eye first. Most draw a straight line: at 45 % it would be four cents"
            " above the last point.",
            "Two things make it bend: dividing by ever fewer kWh, and that a dearer kWh is used less.",
            "Real utilities are far from the wall: in most places a few per cent of homes have solar, and much of the"
            " price is energy that solar saves. The spiral is a warning about the tariff, not a forecast.",
        ),
        expected=(
            Expected(
                name="times_the_step",
                text="The last 15 points of solar raise the price more than the 15 before; times as much",
                unit="×",
                digits=1,
                low=1.5,
                high=10,
            ),
            Expected(
                name="price_without",
                text="Without solar the price is cost over use",
                unit="cents",
                digits=1,
                low=18.0,
                high=19.0,
            ),
            Expected(
                name="share_without_price",
                text="Share of solar homes at which no price is found",
                unit="%",
                digits=0,
                low=46,
                high=60,
            ),
        ),
        sources=(
            "N. R. Darghouth, R. H. Wiser, G. Barbose, A. D. Mills (2016), Net metering and market feedback loops,"
            " Applied Energy 162: in the United States as a whole two feedbacks nearly cancel.",
            "K. W. Costello, R. C. Hemphill (2014), Electric utilities' “death spiral”: hyperbole or reality?,"
            " The Electricity Journal 27(10).",
        ),
    ),
    reveal=reveal,
)
