"""Net metering shifts cost: what solar homes earn, homes without solar pay."""

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.lessons.case import Case
from meanwatt.analysis.lessons.figure import Bars, Pair
from meanwatt.analysis.lessons.lesson import Expected, Guess, Lesson, Notes, Revealed, Side, Try
from meanwatt.analysis.lessons.words import dollars, goes, homes, more, number
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import DAYS_PER_MONTH

FACTOR = "tariff.export.rule"
BASE = Case(tariff="flat", changes=((FACTOR, "net_billing"),))
METERED = BASE.with_change(FACTOR, "net_metering")


def reveal(watch: Watch) -> Revealed:
    """Solve the flat tariff with exports paid what they save, and with exports paid the full price."""
    watch.report("exports earn what they save", 0.0)
    before = BASE.solve(watch)
    watch.report("exports earn the full price", 0.5)
    after = METERED.solve(watch, start=before)
    bills = [np.round(DAYS_PER_MONTH * found.bill_usd_per_day, 2) for found in (before, after)]
    names = [homes(household) for household in before.economy.types]
    poor, rich = names.index("low, no solar"), names.index("high, solar")
    without = np.array([not household.pv_kw.any() for household in before.economy.types])
    share, change = before.economy.type_share, bills[1] - bills[0]
    numbers = {
        "poor_before": float(bills[0][poor]),
        "poor_after": float(bills[1][poor]),
        "poor_change": float(change[poor]),
        "rich_change": float(change[rich]),
        "price_before": _cents(before),
        "price_after": _cents(after),
        "without_solar": float(share[without] @ change[without] / share[without].sum()),
        "with_solar": float(share[~without] @ change[~without] / share[~without].sum()),
        "all_homes": float(share @ change),
        "share_with_solar": 100 * float(share[~without].sum()),
    }
    return Revealed(
        given=(
            "When exports earn what they save the utility, a low-income home without solar pays"
            f" {dollars(numbers['poor_before'])} a month. {number(numbers['share_with_solar'], 0)} % of homes have"
            " solar."
        ),
        figure=Bars(
            title="Bills by income and roof",
            unit="$ a month",
            names=("exports earn what they save", "exports earn the full price"),
            pairs=_pairs(names, bills),
        ),
        answer=numbers["poor_change"],
        reading=reading(numbers),
        numbers=MappingProxyType(numbers),
    )


def _cents(found: Equilibrium) -> float:
    return 100 * float(found.rates.import_usd_per_kwh.mean())


def _pairs(names: Sequence[str], bills: Sequence[Floats]) -> tuple[Pair, ...]:
    return tuple(Pair(name=name, a=float(a), b=float(b)) for name, a, b in zip(names, *bills, strict=True))


def reading(numbers: dict[str, float]) -> str:
    """Read the figure."""
    poor, rich = (
        more(numbers[name], f"{dollars(abs(numbers[name]))} a month") for name in ("poor_change", "rich_change")
    )
    return (
        f"Under net metering a low-income home without solar pays {poor} and a high-income home with solar {rich}: the"
        f" kWh {goes(numbers['price_before'], numbers['price_after'])} from {number(numbers['price_before'], 1)} to"
        f" {number(numbers['price_after'], 1)} cents, so that the utility covers the same cost."
    )


LESSON = Lesson(
    key="net-metering",
    title="Who pays for net metering?",
    teaser="The neighbours' roofs feed in at the full price. What does that do to a bill without a roof?",
    minutes=15,
    story=(
        "A home with solar sells at noon what it does not use. What is that kWh worth? The utility saves the energy"
        " it need not buy, but not the wires.",
        "Under net billing the home earns what the utility saves. Under net metering it earns the full price of a"
        " kWh, wires included. In both towns the utility covers its cost and keeps nothing.",
    ),
    change="Only what an exported kWh earns changes.",
    factor=FACTOR,
    money=True,
    base=BASE,
    variants=(METERED,),
    question=Guess(
        text="How many dollars a month more does a low-income home without solar pay under net metering? If it pays"
        " less, give a number below 0.",
        prefix="$",
        unit="a month",
        low=-200,
        high=200,
        digits=2,
    ),
    closing="Is it unfair if those who have no roof of their own pay more, when the roofs also save fuel and carbon?"
    " What would you need to know to decide?",
    tries=(
        Try(page="market", text="This town under net metering: press Play, and change the rule", cases=(METERED,)),
        Try(
            page="market",
            text="And with no solar at all: is the low-income bill higher or lower?",
            cases=(BASE.with_change("pv_share_scale", 0.0),),
        ),
    ),
    notes=Notes(
        points=(
            "Ask first where the solar homes' money comes from: the utility keeps nothing in either town.",
            "Weigh the bars by how many such homes there are: what all pay more together is small beside what is"
            " shifted. It is the cost of energy: batteries no longer have a reason to keep the noon's sun for the"
            " evening.",
            "Who has a roof? In this town nobody of low income. That is why the shift runs from poor to rich; where"
            " roofs are spread evenly it would run from tenants to owners.",
            "What is left out: cleaner air, wires that need not be built, and jobs. They are what the debate is about.",
        ),
        expected=(
            Expected(
                name="without_solar",
                text="Homes without solar pay more",
                unit="$ a month",
                digits=2,
                low=1,
                high=60,
            ),
            Expected(
                name="with_solar",
                text="Homes with solar pay less",
                unit="$ a month",
                digits=2,
                low=-120,
                high=-1,
            ),
            Expected(
                name="all_homes",
                text="All homes together: what energy costs more, for batteries rest",
                unit="$ a month",
                digits=2,
                low=0,
                high=8,
            ),
        ),
        sources=(
            "S. Borenstein (2021), Rooftop solar inequity, Energy Institute at Haas: in California a solar home saves"
            " 20–30 cents a kWh and its utility 7–9.",
            "California Public Advocates Office: 3.4 billion dollars a year shifted in 2021, 8.5 billion in 2024.",
            "M.Cubed (2024), for the California Solar & Storage Association: a net saving of 2.3 billion in 2024.",
            "Y. Chen, M. Tanaka, R. Takashima (2022), Energy expenditure incidence in the presence of prosumers, IEEE"
            " Transactions on Power Systems 37(2).",
        ),
        sides=(
            Side(
                who="There is a shift",
                text="Retail prices hold the cost of wires and programmes that an exported kWh does not save. Those who"
                " cannot put up panels make up the difference (Borenstein; Public Advocates Office).",
            ),
            Side(
                who="There is none, or a small one",
                text="What a roof supplies to its own home is no cost to the utility, as little as saving energy is;"
                " wires are not fixed for ever, and local solar saves new ones. For 2024 the California Solar &"
                " Storage Association's consultants count 2.3 billion dollars saved by all customers (M.Cubed).",
            ),
        ),
    ),
    reveal=reveal,
)
