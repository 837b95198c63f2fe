"""What the page of learners says."""

import math
from collections.abc import Sequence
from typing import Final

from meanwatt.analysis.dashboard.learners.choice import Choice
from meanwatt.analysis.dashboard.learners.presets import Change
from meanwatt.analysis.dashboard.learners.run import Run
from meanwatt.analysis.dashboard.learners.sums import Sums
from meanwatt.analysis.dashboard.shared.figures import number
from meanwatt.analysis.emergence.emergence import NEAR
from meanwatt.model.scenario.counted import counted

TITLE: Final = "Learners and the equilibrium"
SENTENCE: Final = "Do homes that are told nothing reach the equilibrium?"
TURN: Final = "Waiting for a turn"
IDLE: Final = "Nothing of this is simulated yet."
WAITING: Final = "The equilibrium is being solved; then the first day is lived."
BEHAVIOURS: Final = {
    "equilibrium": "Follow the equilibrium",
    "belief": "Learn prices (belief)",
    "qlearning": "Learn from own bills (Q-learning)",
    "self_consumption": "Use own sun first",
    "price_threshold": "Charge when rates are low",
    "passive": "Leave the battery alone",
}
"""Names of behaviours for people."""
SETTINGS: Final = {
    "belief_spread": ("Spread of beliefs", 0.0, 0.99),
    "step_spread": ("Spread of steps", 0.0, 0.99),
    "q_first_step": ("First step", 0.001, 1.0),
    "q_exploration": ("Exploration", 0.0, 1.0),
    "q_settle_days": ("Settling, days", 1.0, 10_000.0),
    "q_power": ("Power", 0.51, 1.0),
    "q_shock": ("Tells shocks apart", 0.0, 0.0),
    "q_start": ("Begins with", 0.0, 0.0),
}
"""Names of learners' settings, and the ends of those that are numbers."""
OPTIONS: Final = {"believed": "a first guess", "zero": "nothing"}
SCALED: Final = (
    "Shares are parts over the sum of all parts, so that they add up to 100 %: 30, 30 and 60 parts are 25 %, 25 % and"
    " 50 %. Every kind of home is divided alike."
)
CHANGED: Final = "Changed: press Simulate."
IN_FORCE: Final = "This is what is simulated."
HERD: Final = "Show a herd"
HERD_TITLE: Final = "The herd, and what cures it"
HERD_TEXT: Final = (
    "Nearly greedy homes, three in ten with a battery, all answer the same belief on the same day. Each other button"
    " changes one thing."
)
SAME_DAYS: Final = "The same days on the command line (“Copy link” above repeats this page):"
NO_BELIEF: Final = "nobody here believes a price"
CENTS: Final = "cents/kWh"


def go_on_label(days: int) -> str:
    """On the button that asks for as many days again, or as many as are left."""
    return f"Go on for {counted(days, 'more day')}"


def finish_label(run: Run) -> str:
    """On the button that goes on where somebody stopped."""
    return f"Go on to day {run.choice.days}"


def verdict(run: Run, sums: Sums) -> str:
    """What became of the learners so far."""
    days = len(run.days)
    times = f"{number(sums.error / sums.floor_error, 1)} times the noise" if sums.floor_error > 0 else "without noise"
    prices = f"prices are {number(sums.error, 2)} {CENTS} from the equilibrium's, {times}"
    if sums.ended == "reached":
        return f"After {days} days: reached; {prices}."
    if sums.ended == "herding":
        return f"After {days} days: a herd; beliefs are only {number(sums.belief, 2)} {CENTS} off, but {prices}."
    return f"After {days} days: not reached; {prices}."


def error_caption(run: Run, sums: Sums, herd: Sums | None) -> str:
    """Read the errors by day."""
    believed = (
        f"{NO_BELIEF}; prices are"
        if math.isnan(sums.belief)
        else f"beliefs are {number(sums.belief, 2)} {CENTS} off and prices"
    )
    floor = number(sums.floor_error, 2)
    least = f"the same market with everybody at the equilibrium is {floor} off by sampling error alone"
    before = f" The herd is {number(herd.error, 2)} off." if herd else ""
    judged = (
        f"Up to {NEAR:g} times that counts as reached."
        if sums.ended == "reached"
        else (f"Reached would be at most {number(NEAR * sums.floor_error, 2)}.")
    )
    return f"Last {_days(sums)}: {believed} {number(sums.error, 2)}; {least}. {judged}{before}"


def _days(sums: Sums) -> str:
    return "day" if sums.days == 1 else f"{sums.days} days"


def hours_caption(days: tuple[int, ...], widest_hour: int, widest: float, rest: float) -> str:
    """Read prices by hour: where the days shown differ most.

    Parameters
    ----------
    days
        Numbers of the days shown, from 1.
    widest_hour, widest
        The slot in which their prices differ most, and by how much. [cents/kWh]
    rest
        The equilibrium's price there. [cents/kWh]
    """
    if len(days) < 2:
        return "One day so far; with more days of the same weather their prices can be compared."
    named = f"{', '.join(map(str, days[:-1]))} and {days[-1]}"
    return (
        f"Days {named} have the same weather. Their prices differ most at hour {widest_hour}, by {number(widest, 1)}"
        f" {CENTS}; the equilibrium's is {number(rest, 1)} there."
    )


def load_caption(day: int, slot_hour: int, gap_kw: float, rms_kw: float) -> str:
    """Read the last day's net load: where it is farthest from the mean field.

    Parameters
    ----------
    slot_hour, gap_kw
        The hour, and the market less the mean field there. [kW per home]
    rms_kw
        Root mean square over the day. [kW per home]
    """
    way = "above" if gap_kw > 0 else "below"
    return (
        f"Day {day}: at hour {slot_hour} the market lies {number(abs(gap_kw), 2)} kW a home {way} the mean field, over"
        f" the day {number(rms_kw, 3)} kW (root mean square)."
    )


def volts_caption(
    daily: Sequence[float], floor_hours: float, lowest: tuple[float, float], limits: tuple[float, float]
) -> str:
    """Read the hours outside the limits.

    Parameters
    ----------
    daily, floor_hours
        Summed over buses: of the learners, day by day; of the equilibrium, all days. [h]
    lowest
        Lowest voltage of both. [pu]
    limits
        What is allowed. [pu]
    """
    hours = math.fsum(daily)
    band = f"{number(limits[0], 2)} to {number(limits[1], 2)} pu"
    volts = f"the lowest voltage was {number(lowest[0], 3)} pu, at the equilibrium {number(lowest[1], 3)}"
    if hours == floor_hours == 0:
        return f"No bus left the limits of {band}; {volts}."
    path = ""
    if hours > floor_hours == 0:
        path = " The place of rest is within the limits; the path is not."
    outside = [day for day, one in enumerate(daily, start=1) if one > 0]
    if outside:
        path = f" Days outside: {len(outside)} of {len(daily)}, the last one day {outside[-1]}.{path}"
    return (
        f"All days together: {hours:,.0f} h outside {band}, summed over buses, and {floor_hours:,.0f} h"
        f" with everybody at the equilibrium; {volts}.{path}"
    )


def change_caption(change: Change, before: Sums, after: Sums) -> str:
    """Say what a change of the herd did to the prices."""
    fall, nearer = after.move / before.move, after.error / before.error
    jumps = f"From day to day prices moved by {number(before.move, 2)} {CENTS}, now by {number(after.move, 2)}"
    errors = f"from the equilibrium's by {number(before.error, 2)}, now by {number(after.error, 2)}"
    if abs(after.move - before.move) < math.hypot(before.move_noise, after.move_noise):  # False of nan
        return f"{jumps}; {errors}: no clear change, the days of one market differ by more."
    if not change.cures:
        worse = "the herd is louder" if fall > 1 else "the herd is no louder"
        return f"{jumps}; {errors}: {worse}."
    if fall >= 1:
        return f"{jumps}; {errors}: no cure here."
    if after.ended == "reached":
        return f"{jumps}; {errors}: cured, only sampling error is left."
    if nearer > 0.5:
        return f"{jumps}; {errors}: the jumps are calmed, the distance is not. Those who wait act on old prices."
    return f"{jumps}; {errors}: calmer, not yet at rest."


def bill_label(behaviour: str) -> str:
    """Name of the mean bill of those who decide in one way."""
    name = BEHAVIOURS.get(behaviour, behaviour)
    return f"Mean bill: {name[0].lower()}{name[1:]}"


def table_caption(sums: Sums, run: Run) -> str:
    """Say what is compared."""
    return (
        f"{run.choice.households:,} homes; the same homes, weather and chances in every column. Means of the last"
        f" {_days(sums)} of {len(run.days)}; voltages of all days."
    )


def file_name(choice: Choice) -> str:
    """Name of the file to take home."""
    return f"meanwatt-{choice.scenario}-{choice.tariff}-learners.csv"
