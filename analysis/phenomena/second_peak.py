"""The second peak: cars on timers make a new peak, higher than the old one from a share on that has a closed form."""

import numpy as np

from meanwatt.analysis.lessons import second_peak as lesson
from meanwatt.analysis.lessons.case import Case
from meanwatt.analysis.phenomena.phenomenon import Claim, Finding, Panel, Phenomenon
from meanwatt.analysis.phenomena.town import Towns

SHARES = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.15)
"""Of homes with a car, in every income group."""
BASE = Case(tariff="tou", changes=(("pv_share_scale", 0.0),))
WITHIN = 0.05
"""Part of the closed form within which the share found lies: what cars do to the adder, levels of their battery."""


def _case(share: float) -> Case:
    case = BASE
    for group in ("low", "middle", "high"):
        case = case.with_change(f"income_groups.{group}.ev_share", share)
    return case


def find(towns: Towns) -> Finding:
    """Let more and more homes have a car that waits for the first cheap hour."""
    timers, spread = [], []
    for share in SHARES:
        found = towns.solve(_case(share))
        loads = {way: lesson.load_kw(found, way) for way in (lesson.TIMER, lesson.SPREAD)}
        if share == 0:
            bare = loads[lesson.TIMER]
            rate = found.rates.import_usd_per_kwh.mean(axis=0)
            peak = int(bare.argmax())
            cheap = peak + int(np.argmax(rate[peak:] < rate[peak] - lesson.SAME_USD_PER_KWH))
        timers.append(float(loads[lesson.TIMER].max()))
        spread.append(float(loads[lesson.SPREAD].max()))
        last = loads[lesson.TIMER]
    car_kw = float(last[cheap] - bare[cheap]) / SHARES[-1]
    expected = float(bare[peak] - bare[cheap]) / car_kw
    found_share = _crossing([one - float(bare[peak]) for one in timers])
    return Finding(
        claims=(
            Claim(
                text="share of cars from which the new peak exceeds the old one, over the closed form",
                value=None if found_share is None else found_share / expected,
                unit="1",
                above=1 - WITHIN,
                below=1 + WITHIN,
            ),
            Claim(
                text=f"peak with {SHARES[-1]:.0%} cars on timers over the old one",
                value=timers[-1] / float(bare[peak]),
                unit="1",
                above=1,
            ),
            Claim(
                text=f"peak with {SHARES[-1]:.0%} cars that weigh every hour over the old one",
                value=spread[-1] / float(bare[peak]),
                unit="1",
                below=1.01,
            ),
        ),
        panel=Panel(
            x_title="share of homes with a car",
            y_title="highest load [kW a household]",
            x=SHARES,
            lines={"on timers": tuple(timers), "every hour weighed": tuple(spread)},
        ),
        reading=f"On timers a new peak stands at the first cheap hour; from {expected:.1%} of"
        " homes on it is the highest.",
    )


def _crossing(excess: list[float]) -> float | None:
    """Share at which the new peak leaves the old one: the last rising piece, continued down to zero excess."""
    if excess[-1] <= excess[-2]:
        return None
    slope = (excess[-1] - excess[-2]) / (SHARES[-1] - SHARES[-2])
    return SHARES[-1] - excess[-1] / slope


PHENOMENON = Phenomenon(
    key="second-peak",
    title="The second peak",
    expected="Time of use with automation makes a new peak at the first cheap hour. It exceeds the old one once the"
    " share of cars is above (old peak − load of the cheap hour) / charging power; cars that weigh every hour make"
    " none.",
    sources=(
        "M. Bailey, D. Brown, E. Myers, B. Shaffer, F. Wolak (2024), working paper: more overloaded transformers under"
        " time of use than without, fewer under managed charging.",
    ),
    setting="textbook, time of use, no solar; cars of 7.2 kW in a growing share of all homes, charged by timer",
    find=find,
)
