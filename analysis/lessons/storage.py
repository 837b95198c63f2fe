"""The duck: solar hollows out midday, the evening climbs, and batteries fill the one from the other."""

from types import MappingProxyType

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.lessons.case import Case
from meanwatt.analysis.lessons.figure import DayLines, Line
from meanwatt.analysis.lessons.lesson import Expected, Guess, Lesson, Notes, Revealed, Try
from meanwatt.analysis.lessons.words import goes, number
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.progress.watch import Watch

FACTOR = "battery_share_scale"
BASE = Case(tariff="rtp", changes=(("pv_share_scale", 2.0), (FACTOR, 0.0)))
STORED = BASE.with_change(FACTOR, 2.0)
CLIMB_HOURS = 3


def mean_load_kw(found: Equilibrium) -> Floats:
    """Net load of the average home over the hours, expected over the weather. (h,) [kW]"""
    return np.asarray(found.economy.common.probability @ found.net_load_kw)


def steepest_climb_kw(load_kw: Floats, slots: int) -> float:
    """Largest rise within so many slots, the day going round. [kW]"""
    return float(max((np.roll(load_kw, -slots) - load_kw).max(), 0.0))


def reveal(watch: Watch) -> Revealed:
    """Solve the sunny town without a battery, and with one in every solar home."""
    watch.report("without batteries", 0.0)
    before = BASE.solve(watch)
    watch.report("with batteries", 0.5)
    after = STORED.solve(watch)
    loads = [mean_load_kw(found) for found in (before, after)]
    slots = round(CLIMB_HOURS / before.economy.slot_hours)
    climbs = [steepest_climb_kw(load, slots) for load in loads]
    numbers = {
        "peak_before": float(loads[0].max()),
        "peak_after": float(loads[1].max()),
        "peak_change": float(loads[1].max() - loads[0].max()),
        "belly_before": float(loads[0].min()),
        "belly_after": float(loads[1].min()),
        "belly_change": float(loads[1].min() - loads[0].min()),
        "climb_before": climbs[0],
        "climb_after": climbs[1],
        "climb_change": climbs[1] - climbs[0],
        "owners": 100 * sum(household.share for household in after.economy.types if household.battery is not None),
    }
    return Revealed(
        given=(
            f"Without batteries the average home draws {number(numbers['peak_before'], 2)} kW at the evening's highest,"
            f" and feeds in {number(-numbers['belly_before'], 2)} kW at noon. {number(numbers['owners'], 0)} % of homes"
            " have solar; now each of them gets a battery."
        ),
        figure=DayLines(
            economy=before.economy,
            title="The day of the average home: the duck",
            unit="kW a home, from the grid",
            lines=(
                Line(name="no batteries", style="a", values=tuple(loads[0].tolist())),
                Line(name="a battery in every solar home", style="b", values=tuple(loads[1].tolist()), later=True),
            ),
        ),
        answer=numbers["peak_after"],
        reading=reading(numbers),
        numbers=MappingProxyType(numbers),
    )


def reading(numbers: dict[str, float]) -> str:
    """Read the figure."""
    return (
        f"With batteries the evening's highest load {goes(numbers['peak_before'], numbers['peak_after'])} from"
        f" {number(numbers['peak_before'], 2)} to {number(numbers['peak_after'], 2)} kW, noon goes from"
        f" {number(numbers['belly_before'], 2)} to {number(numbers['belly_after'], 2)} kW, and the steepest climb in"
        f" three hours {goes(numbers['climb_before'], numbers['climb_after'])} from"
        f" {number(numbers['climb_before'], 2)} to {number(numbers['climb_after'], 2)} kW."
    )


LESSON = Lesson(
    key="duck-curve",
    title="The duck and the batteries",
    teaser="Much sun at noon, a steep climb at dusk. What do batteries do that only look at prices?",
    minutes=10,
    story=(
        "With much solar the load of a day looks like a duck: a belly at noon, a neck in the evening. Power plants"
        " have to climb the neck within hours.",
        "Here homes pay the price of every hour: cheap at noon, dear in the evening. Nobody commands the batteries;"
        " each earns for its own home what it can.",
    ),
    change="Only the batteries are new: one of 10 kWh in every home with solar.",
    factor=FACTOR,
    money=False,
    base=BASE,
    variants=(STORED,),
    question=Guess(
        text="How many kW does the average home then draw at the evening's highest?",
        unit="kW",
        low=-5,
        high=10,
        digits=2,
    ),
    closing="Why do batteries not flatten the day altogether? What does a battery owner earn with the last kWh moved?",
    tries=(
        Try(page="market", text="This town without batteries", cases=(BASE,)),
        Try(page="market", text="And with one in every solar home: press Play", cases=(STORED,)),
    ),
    notes=Notes(
        points=(
            "Draw the duck by hand first: demand less sun, hour by hour.",
            "Batteries stop where moving one more kWh no longer pays: losses and wear eat what is left of the price"
            " difference. That is why the belly is filled and the day still not flat.",
            "California's grid operator met climbs of 14.4 GW in three hours in 2018 and of 17.3 GW in 2021.",
        ),
        expected=(
            Expected(name="peak_change", text="The evening falls", unit="kW", digits=2, low=-1.5, high=-0.1),
            Expected(name="belly_change", text="The belly fills", unit="kW", digits=2, low=0.1, high=1.5),
            Expected(name="climb_change", text="The climb is less steep", unit="kW", digits=2, low=-2, high=-0.1),
        ),
        sources=(
            "California Independent System Operator (2016), What the duck curve tells us about managing a green grid.",
            "P. Denholm, M. O'Connell, G. Brinkman, J. Jorgenson (2015), Overgeneration from solar energy in"
            " California: a field guide to the duck chart, NREL/TP-6A20-65023.",
        ),
    ),
    reveal=reveal,
)
