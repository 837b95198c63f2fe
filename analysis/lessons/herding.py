"""Herding: homes that all answer yesterday's price chase each other from hour to hour."""

from types import MappingProxyType

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.emergence.naive_days import naive_days
from meanwatt.analysis.lessons.case import Case
from meanwatt.analysis.lessons.figure import Curves, Line
from meanwatt.analysis.lessons.lesson import Choose, Expected, Lesson, Notes, Option, Revealed, Try
from meanwatt.analysis.lessons.words import number
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.progress.watch import Watch

FACTOR = "part of the homes that plan anew each morning"
FEW, ALL = 0.1, 1.0
BASE = Case(tariff="rtp", changes=(("battery_share_scale", 2.0),), beside=((FACTOR, FEW),))
EVERYBODY = BASE.with_beside(FACTOR, ALL)
DAYS = 28
WEEK = 7
NOON_HOUR = 12
CALM_CENTS = 0.5
"""Changes of the noon price from day to day below which a week counts as calm."""


def reveal(watch: Watch) -> Revealed:
    """Let one home in ten, and let all homes, plan each morning for the prices of the day before."""
    watch.report("where prices rest", 0.0)
    found = BASE.solve(watch)
    slot = round(NOON_HOUR / found.economy.slot_hours)
    noon, loads = {}, {}
    for place, part in enumerate((FEW, ALL)):
        watch.report(f"{number(100 * part, 0)} % of homes plan anew each morning", (1 + place) / 3)
        price, loads[part] = days(found, part, watch)
        noon[part] = 100 * price[:, slot]
    chance = found.economy.common.probability
    rest = 100 * float(chance @ found.wholesale_usd_per_kwh[:, slot])
    jumps = {part: float(np.abs(np.diff(line)).max(initial=0.0, where=_last_week())) for part, line in noon.items()}
    numbers = {
        "jump_few": jumps[FEW],
        "jump_all": jumps[ALL],
        "rest": rest,
        "all_from_rest": abs(float(noon[ALL][-1]) - rest),
        "peak_few": float(loads[FEW][-WEEK:].max()),
        "peak_all": float(loads[ALL][-WEEK:].max()),
        "times_the_peak": float(loads[ALL][-WEEK:].max() / loads[FEW][-WEEK:].max()),
    }
    few, everybody = (tuple(noon[part].tolist()) for part in (FEW, ALL))
    return Revealed(
        given=(
            f"If one home in ten plans anew each morning, the price at noon settles at {number(rest, 1)} cents a kWh"
            f" and the highest load at {number(numbers['peak_few'], 2)} kW a home."
        ),
        figure=Curves(
            title="The price at noon, day by day",
            x_title="day",
            x_unit="",
            unit="cents a kWh",
            x=tuple(float(day) for day in range(1, DAYS + 1)),
            lines=(
                Line(name="one home in ten plans anew each morning", style="a", values=few),
                Line(name="all homes do", style="b", values=everybody, later=True),
            ),
        ),
        answer=answer(numbers),
        reading=reading(numbers),
        numbers=MappingProxyType(numbers),
    )


def _last_week() -> np.ndarray:
    """Which of the steps from one day to the next end in the last week."""
    return np.arange(1, DAYS) >= DAYS - WEEK


def days(found: Equilibrium, part: float, watch: Watch) -> tuple[Floats, Floats]:
    """Prices (day, h), expected over the weather, and highest load (day,) of such days. [USD/kWh, kW]"""
    prices, loads = naive_days(found, part, DAYS, watch)
    return np.asarray(found.economy.common.probability @ prices), loads.max(axis=(1, 2))


def answer(numbers: dict[str, float]) -> str:
    """Which of the answers the numbers say."""
    if numbers["jump_all"] > max(CALM_CENTS, 2 * numbers["jump_few"]):
        return "never"
    return "sooner" if numbers["all_from_rest"] <= CALM_CENTS else "elsewhere"


def reading(numbers: dict[str, float]) -> str:
    """Read the figure."""
    ends = "never settle" if answer(numbers) == "never" else "settle as well"
    return (
        f"If all homes answer yesterday's price, prices {ends}: in the last week noon jumps by up to"
        f" {number(numbers['jump_all'], 1)} cents from one day to the next instead of"
        f" {number(numbers['jump_few'], 1)}, and the highest load is {number(numbers['peak_all'], 2)} kW a home instead"
        f" of {number(numbers['peak_few'], 2)}."
    )


LESSON = Lesson(
    key="herding",
    title="The herd",
    teaser="Everybody charges where it was cheap yesterday. Where is it cheap today?",
    minutes=15,
    story=(
        "Homes with batteries see yesterday's prices and plan for the same prices today: charge where it was cheap,"
        " sell where it was dear. So do all the others.",
        "If only a few plan anew each morning, prices move little and the plan is good. The figure shows the price at"
        " noon, day by day.",
    ),
    change="Only how many homes plan anew each morning changes: one in ten, or all.",
    factor=FACTOR,
    money=False,
    base=BASE,
    variants=(EVERYBODY,),
    question=Choose(
        text="Now all homes plan anew each morning. What does the price at noon do?",
        options=(
            Option(key="sooner", text="It settles at the same price, only sooner"),
            Option(key="elsewhere", text="It settles at another price"),
            Option(key="never", text="It never settles: up one day, down the next"),
        ),
    ),
    closing="Nobody made a mistake: each plan was best for the prices it was made for. What would you tell the homes so"
    " that the herd calms down?",
    tries=(
        Try(
            page="market",
            text="Where it comes to rest if homes foresee each other: the same town in equilibrium",
            cases=(BASE,),
        ),
        Try(
            page="market",
            text="With fewer batteries the herd is smaller",
            cases=(BASE.with_change("battery_share_scale", 1.0),),
        ),
    ),
    notes=Notes(
        points=(
            "Play it: everybody writes down the hour in which to charge, having seen where it was empty in the round"
            " before. Three rounds are enough.",
            "At rest several hours are nearly as cheap. A herd cannot spread over them: whichever was cheapest"
            " yesterday is filled by all.",
            "Cures to be found by the class: answer in turns, move by small steps, average over many days, or publish"
            " a forecast that counts on the answers.",
            "In a terminal: meanwatt emergence textbook --tariff rtp --behaviour belief:first_step=1 measures learners"
            " in a market of single homes.",
        ),
        expected=(
            Expected(
                name="jump_all",
                text="All homes: largest jump of the noon price in the last week",
                unit="cents",
                digits=1,
                low=5,
                high=60,
            ),
            Expected(
                name="jump_few",
                text="One home in ten: the same",
                unit="cents",
                digits=2,
                low=0,
                high=CALM_CENTS,
            ),
            Expected(
                name="times_the_peak",
                text="Highest load of the herd over that of the others",
                unit="×",
                digits=1,
                low=1.5,
                high=6,
            ),
        ),
        sources=(
            "M. Roozbehani, M. A. Dahleh, S. K. Mitter (2012), Volatility of power grids under real-time pricing, IEEE"
            " Transactions on Power Systems 27(4).",
            "arXiv 2201.08303: demand that is synchronised by prices.",
        ),
    ),
    reveal=reveal,
)
