"""The second peak: cars that wait for the cheap hours all begin at once."""

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np

from meanwatt.agents.behaviour.rules import rule_policies
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.lessons.case import Case
from meanwatt.analysis.lessons.figure import DayLines, Line
from meanwatt.analysis.lessons.lesson import Choose, Expected, Lesson, Notes, Option, Revealed, Try
from meanwatt.analysis.lessons.words import clock, number
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.mean_field.induced_play import follow
from meanwatt.model.mean_field.population.game import Game
from meanwatt.model.mean_field.population.population_response import decision_problem
from meanwatt.model.progress.watch import Watch

FACTOR = "cars"
AT_ONCE, TIMER, SPREAD = "as soon as they come home", "timers", "every hour weighed"
RULES = {AT_ONCE: "passive", TIMER: "price_threshold"}
"""Rules of thumb by which cars are charged; without one they follow the equilibrium."""
BASE = Case(
    tariff="tou",
    changes=(
        ("income_groups.low.ev_share", 0.1),
        ("income_groups.middle.ev_share", 0.3),
        ("income_groups.high.ev_share", 0.5),
    ),
    beside=((FACTOR, AT_ONCE),),
)
CARS = ("ev", "pv_ev")
SAME_USD_PER_KWH = 1e-6
HIGHER, LATER, HALF = 1.0, 0.75, 0.4
"""New peak over the old one, from which it is called so."""


def reveal(watch: Watch) -> Revealed:
    """Let the cars charge at once, by a timer, and as each car gains most; all else answers the same tariff."""
    watch.report("the town under its tariff", 0.0)
    found = BASE.solve(watch)
    loads = {}
    for place, way in enumerate((AT_ONCE, TIMER, SPREAD), start=1):
        watch.report(f"cars: {way}", place / 4)
        loads[way] = load_kw(found, way)
    hours = found.economy.slot_hours
    slots = {way: int(load.argmax()) for way, load in loads.items()}
    rate = found.rates.import_usd_per_kwh.mean(axis=0)
    cheap = slots[AT_ONCE] + int(np.argmax(rate[slots[AT_ONCE] :] < rate[slots[AT_ONCE]] - SAME_USD_PER_KWH))
    numbers = {
        "peak_before": float(loads[AT_ONCE].max()),
        "peak_after": float(loads[TIMER].max()),
        "peak_spread": float(loads[SPREAD].max()),
        "ratio": float(loads[TIMER].max() / loads[AT_ONCE].max()),
        "over_spread": float(loads[TIMER].max() / loads[SPREAD].max()),
        "slot_before": float(slots[AT_ONCE]),
        "slot_after": float(slots[TIMER]),
        "hours_later": hours * float(slots[TIMER] - slots[AT_ONCE]),
        "slot_hours": hours,
        "owners": 100 * sum(household.share for household in found.economy.types if household.technology in CARS),
    }
    return Revealed(
        given=(
            f"{number(numbers['owners'], 0)} % of homes have an electric car. Charged as soon as it comes home, the"
            f" town's highest load is {number(numbers['peak_before'], 2)} kW a home, at"
            f" {clock(slots[AT_ONCE], hours)}. The cheap night begins at {clock(cheap, hours)}."
        ),
        figure=DayLines(
            economy=found.economy,
            title="The day of the average home, cars included",
            unit="kW a home, from the grid",
            lines=(
                Line(name="cars charge when they come home", style="a", values=tuple(loads[AT_ONCE].tolist())),
                Line(name="cars on timers", style="b", values=tuple(loads[TIMER].tolist()), later=True),
                Line(
                    name="cars that weigh every hour", style="plain", values=tuple(loads[SPREAD].tolist()), later=True
                ),
            ),
        ),
        answer=answer(numbers),
        reading=reading(numbers),
        numbers=MappingProxyType(numbers),
    )


def load_kw(found: Equilibrium, way: str) -> Floats:
    """Mean net load (h,) if all cars are charged in one way, and all other homes keep to the equilibrium. [kW]"""
    economy = found.economy
    game = Game(economy, found.tariff)
    posted = game.posted_rates(found.wholesale_usd_per_kwh, found.adder_usd_per_kwh)
    tables: Sequence[PolicyTable] = found.policies
    if way in RULES:
        own = [game.own_rates(posted, type_index) for type_index in range(len(economy.types))]
        ruled = rule_policies(RULES[way], economy.types, own, decision_problem(economy))
        tables = [
            rule if household.technology in CARS else kept
            for household, rule, kept in zip(economy.types, ruled, found.policies, strict=True)
        ]
    midnight = [law[:, 0] for law in found.laws]
    followed = follow(economy, found.tariff, found.adder_usd_per_kwh, [tables], np.ones(1), laws=midnight)
    return np.asarray(economy.common.probability @ followed.net_load_kw)


def answer(numbers: dict[str, float]) -> str:
    """Which of the answers the numbers say."""
    ratio = numbers["ratio"]
    return "higher" if ratio >= HIGHER else "late" if ratio >= LATER else "half" if ratio >= HALF else "gone"


def reading(numbers: dict[str, float]) -> str:
    """Read the figure."""
    percent = number(100 * abs(1 - numbers["ratio"]), 0)
    after = clock(round(numbers["slot_after"]), numbers["slot_hours"])
    return (
        f"On timers the highest load is {number(numbers['peak_after'], 2)} kW at {after}, {percent} %"
        f" {'below' if numbers['ratio'] < 1 else 'above'} the old one and only"
        f" {number(numbers['hours_later'], 0)} hours later, for all cars begin at once; cars that weigh every hour"
        f" spread over the night, and the highest load is {number(numbers['peak_spread'], 2)} kW."
    )


LESSON = Lesson(
    key="second-peak",
    title="The second peak",
    teaser="All electric cars wait for the cheap hours. Is the peak gone?",
    minutes=10,
    story=(
        "Under a time-of-use tariff the evening is dear and the night is cheap. Some homes of this town have a"
        " battery, which answers the tariff; others have an electric car that comes home at 18 h and needs 9 kWh.",
        "A car draws up to 7.2 kW, as much as seven homes in the evening. A timer is set once: charge from the first"
        " cheap hour on.",
    ),
    change="Only when the cars begin to charge changes: at once, or by timer.",
    factor=FACTOR,
    money=False,
    base=BASE,
    variants=(BASE.with_beside(FACTOR, TIMER), BASE.with_beside(FACTOR, SPREAD)),
    question=Choose(
        text="With a timer in every garage, how high is the town's highest load?",
        options=(
            Option(key="gone", text="Less than half: the peak is gone"),
            Option(key="half", text="About half to three quarters"),
            Option(key="late", text="Nearly as high, at another hour"),
            Option(key="higher", text="As high, or higher"),
        ),
    ),
    closing="What would you post instead: other hours for every street, a price that follows the load, or a charge on"
    " the highest kW?",
    tries=(
        Try(
            page="compare",
            text="The town's batteries under one price and under time of use",
            cases=(Case(tariff="flat"), Case(tariff="tou")),
        ),
        Try(
            page="market",
            text="Time of use with twice the batteries",
            cases=(Case(tariff="tou", changes=(("battery_share_scale", 2.0),)),),
        ),
    ),
    notes=Notes(
        points=(
            "Let the class stand up as they choose an hour to charge. All who set a timer stand up at nine.",
            "It is power that counts, not energy: the same kWh, drawn one after the other, would hardly be seen.",
            "In the model all cars come home at the same hour, which makes both peaks sharper than in a real town.",
            "The pages Market and Compare know no cars; batteries show the same there.",
        ),
        expected=(
            Expected(
                name="hours_later",
                text="The new peak stands at the first cheap hour; hours after the old one",
                unit="h",
                digits=0,
                low=3,
                high=3,
            ),
            Expected(
                name="ratio",
                text="New peak over old one",
                unit="×",
                digits=2,
                low=0.75,
                high=1.25,
            ),
            Expected(
                name="over_spread",
                text="New peak over that of cars which spread",
                unit="×",
                digits=2,
                low=1.5,
                high=5,
            ),
        ),
        sources=(
            "M. Bailey, D. Brown, E. Myers, B. Shaffer, F. Wolak (2024), working paper of a field experiment with"
            " electric cars: under time-of-use prices more transformers were overloaded than without them, under"
            " managed charging fewer.",
        ),
    ),
    reveal=reveal,
)
