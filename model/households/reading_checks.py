"""Checks of what is read: unit, sign, registers, gross and net, parts beside totals."""

from typing import Final

import numpy as np

from meanwatt.model.households.check import Check, Checker, refused, share_of
from meanwatt.model.households.survey import Survey
from meanwatt.model.scenario.counted import counted

LEAST_KWH, MOST_KWH = 500.0, 30_000.0
"""What a home uses in a year."""
YIELD: Final = (500.0, 2_300.0)
"""Generation in a year for each kW installed. [kWh/kW]"""
_FACTORS: Final = (1000.0, 60.0, 12.0, 4.0, 2.0, 1 / 2, 1 / 4, 1 / 12, 1 / 60, 1 / 1000)
PARTS: Final = ("car", "air", "heat", "cool", "kitchen", "oven", "dryer", "furnace", "refrigerator", "hot_water",
                "appliance", "lighting", "plug", "fan", "pump", "pool", "end_use", "intensity")  # fmt: skip
"""Words in the names of columns that are parts of a total."""
NO_USE: Final = "what is used is at least 0"


def _unit(survey: Survey) -> Check:
    homes, form = survey.homes, survey.form
    lived = homes.kwh_per_year[~homes.vacant]
    lived = lived[np.isfinite(lived)]
    if not len(lived):
        return Check(name="unit", status="none", seen="No home uses anything.")
    mean = float(lived.mean())
    if mean <= 0:
        return Check(name="unit", status="none", seen="Homes feed in as much as they draw; their use is not read.")
    low, high = form.expected_kwh_per_year or (LEAST_KWH, MOST_KWH)
    seen = f"Homes use {mean:,.0f} kWh a year on average"
    word = _other_unit(survey)
    if word:
        return Check(name="unit", status="wrong", seen=f"{seen}; {word}", mend="Give the unit of the column.")
    if not low <= mean <= high:
        middle = float(np.sqrt(low * high))
        factor = min(_FACTORS, key=lambda one: abs(np.log(mean * one / middle)))
        return Check(
            name="unit",
            status="wrong",
            seen=f"{seen}; expected is {low:,.0f} to {high:,.0f}.",
            mend=f"Readings may have to be multiplied by {factor:g}: check unit ({form.unit}) and minutes"
            f" ({form.minutes}).",
        )
    outside = int(((lived < LEAST_KWH) | (lived > MOST_KWH)).sum())
    huge = survey.tallies.intervals["huge"]
    return Check(
        name="unit",
        status="look" if outside > 0.1 * len(lived) or huge else "ok",
        seen=f"{seen}; {counted(outside, 'home')} outside 500 to 30,000 kWh, {counted(huge, 'interval')} above 50 kW.",
    )


def _other_unit(survey: Survey) -> str:
    """What the name of the column says against the unit; empty where it says nothing."""
    form = survey.form
    name = form.use or form.net or ""
    words = {part.lower() for part in "".join(c if c.isalpha() else " " for c in name).split()}
    named = [unit for unit in ("kWh", "Wh", "kW", "W") if unit.lower() in words]
    return (
        f"column {name!r} speaks of {named[0]}, the format of {form.unit}." if named and form.unit not in named else ""
    )


def _solar_unit(survey: Survey) -> Check:
    homes = survey.homes
    known = homes.solar & np.isfinite(homes.installed_kw) & (homes.installed_kw > 0)
    if not known.any():
        return Check(name="solar_unit", status="none", seen="No home with solar says how much is installed.")
    per_kw = float(np.median(homes.generation_kwh_per_year[known] / homes.installed_kw[known]))
    seen = f"Solar yields {per_kw:,.0f} kWh a year for each kW installed (median)"
    if YIELD[0] <= per_kw <= YIELD[1]:
        return Check(name="solar_unit", status="ok", seen=f"{seen}.")
    return Check(
        name="solar_unit",
        status="wrong",
        seen=f"{seen}; {YIELD[0]:,.0f} to {YIELD[1]:,.0f} is what roofs yield.",
        mend=f"Check unit ({survey.form.unit}), minutes and the column of what is installed.",
    )


def _sign(survey: Survey) -> Check:
    homes, form = survey.tallies.homes, survey.form
    if homes["generation below 0"]:
        return Check(
            name="sign",
            status="wrong",
            seen=f"{counted(homes['generation below 0'], 'home')} generate less than nothing in sum.",
            mend=f'generation_sign = "{"negative" if form.generation_sign == "positive" else "positive"}"',
        )
    flipped = share_of(homes["fed in by night"], homes["nets"]) > 0.3 and homes["nets"]
    below = homes["use below 0"] and "net" in form.roles
    if flipped or below:
        what = (
            f"{homes['fed in by night']} of {homes['nets']} homes that feed in do so most of the night."
            if flipped
            else f"{counted(homes['use below 0'], 'home')} use less than nothing: net and generation do not add up."
        )
        other = "fed_in_positive" if form.sign == "drawn_positive" else "drawn_positive"
        return Check(name="sign", status="wrong", seen=what, mend=f'sign = "{other}"')
    negative = refused(survey, NO_USE)
    if share_of(negative, negative + survey.tallies.intervals["read"]) > 0.2:
        return Check(
            name="sign",
            status="wrong",
            seen=f"{counted(negative, 'row')} of use are below 0.",
            mend="The column may hold what is fed in as positive, or net readings: net and sign.",
        )
    return Check(name="sign", status="ok", seen="Use and generation have the signs that the format says.")


def _register(survey: Survey) -> Check:
    count = survey.tallies.homes["registers"]
    if not count:
        return Check(name="register", status="ok", seen="Readings rise and fall, as those of intervals do.")
    return Check(
        name="register",
        status="wrong",
        seen=f"Readings of {counted(count, 'home')} only rise: the states of a register, not the energy of intervals.",
        mend="Subtract each reading from the next one.",
    )


def _gross_or_net(survey: Survey) -> Check:
    homes, form = survey.tallies.homes, survey.form
    negative = refused(survey, NO_USE)
    if "use" in form.roles and negative:
        return Check(
            name="gross_or_net",
            status="wrong" if negative > 0.01 * survey.tallies.intervals["read"] else "look",
            seen=f"{counted(negative, 'row')} of use are below 0, which only net readings are.",
            mend="net = … in place of use = …",
        )
    if homes["clipped"] > 0.5 * homes["solar"]:
        return Check(
            name="gross_or_net",
            status="wrong",
            seen=f"{homes['clipped']} of {homes['solar']} homes with solar use exactly nothing at midday, and not by"
            " night: the column holds what is drawn.",
            mend="Give the column of the use, or net readings as net.",
        )
    if homes["never feeds in"] > 0.5 * homes["could feed in"]:
        return Check(
            name="gross_or_net",
            status="wrong",
            seen=f"{homes['never feeds in']} of {homes['could feed in']} homes with solar never feed in, whatever they"
            " generate: the column of net readings holds the use.",
            mend="use = … in place of net = …",
        )
    return Check(name="gross_or_net", status="ok", seen="Nothing speaks against what the format says is read.")


def _channels(survey: Survey) -> Check:
    parts = [name for name in survey.unread if any(word in name.lower() for word in PARTS)]
    doubled = survey.tallies.homes["totals"]
    if doubled:
        return Check(
            name="channels",
            status="wrong",
            seen=f"In {counted(doubled, 'home')} a channel is the sum of the other ones: use is counted twice.",
            mend='Give the total, or its parts, as "ignore".',
        )
    if not parts:
        return Check(name="channels", status="ok", seen="No column looks like a part of another one.")
    names = ", ".join(parts[:5]) + (", …" if len(parts) > 5 else "")
    return Check(
        name="channels",
        status="look",
        seen=f"Not read, for their names are of parts of a total: {names}.",
    )


def _stuck(survey: Survey) -> Check:
    count = survey.tallies.homes["stuck"]
    return Check(
        name="stuck",
        status="look" if count else "ok",
        seen=f"{counted(count, 'home')} have the same reading above 0 for a day or longer.",
    )


def _vacant(survey: Survey) -> Check:
    count = survey.tallies.homes["vacant"]
    return Check(
        name="vacant",
        status="look" if count else "ok",
        seen=f"{counted(count, 'home')} use nothing or have an income of 0; they are not part of the scenario.",
    )


READING_CHECKS: Final[tuple[Checker, ...]] = (
    _unit,
    _solar_unit,
    _sign,
    _register,
    _gross_or_net,
    _channels,
    _stuck,
    _vacant,
)
"""In the order in which they are told."""
