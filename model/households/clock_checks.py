"""Checks of time: stamps, the clock they follow, and which end of an interval they name."""

from typing import Final

import numpy as np

from meanwatt.model.households.check import Check, Checker, Status, refused, share_of
from meanwatt.model.households.survey import Survey
from meanwatt.model.scenario.counted import counted

NOON_MINUTES: Final = 12.0
"""How far the middle of generation may be from solar noon, besides half an interval: roofs do not all look south."""
NOON_WITHOUT_PLACE: Final = 100.0
"""The same where the format gives no place."""
OFF_GRID: Final = "begins or ends there"
TWICE: Final = "another reading of this interval"
CLOCK_SKIPS: Final = "never shows this time"


def _duplicates(survey: Survey) -> Check:
    same, other = survey.intake.repeated, refused(survey, TWICE)
    share = share_of(same + other, survey.tallies.intervals["read"])
    status: Status = "wrong" if share_of(other, survey.tallies.intervals["read"]) > 0.01 else "look" if share else "ok"
    return Check(
        name="duplicates",
        status=status,
        seen=f"{counted(same, 'row')} say again what another row says; {other} contradict another row.",
        mend="Check the clock, and whether the customer's column tells meters apart." if status == "wrong" else "",
    )


def _gaps(survey: Survey) -> Check:
    missing, read = survey.tallies.intervals["missing"], survey.tallies.intervals["read"]
    share = share_of(missing, missing + read)
    return Check(
        name="gaps",
        status="look" if share > 0.001 else "ok",
        seen=f"{counted(missing, 'interval')} between a home's first and last are missing ({100 * share:.2f} %), in"
        f" {counted(survey.tallies.homes['with gaps'], 'home')}; means are over what is there.",
    )


def _interval(survey: Survey) -> Check:
    minutes, steps = survey.form.minutes, survey.tallies.steps
    most = steps.most_common(1)[0][0] if steps else minutes
    off, read = refused(survey, OFF_GRID), survey.tallies.intervals["read"]
    if most != minutes:
        return Check(
            name="interval",
            status="wrong",
            seen=f"Most readings are {most} min apart; the format says {minutes}.",
            mend=f"minutes = {most}",
        )
    if share_of(off, off + read) > 0.05:
        return Check(
            name="interval",
            status="wrong",
            seen=f"{100 * off / (off + read):.0f} % of the stamps are not those of intervals of {minutes} min.",
            mend="Give minutes as far as stamps are apart, and the clock of the stamps.",
        )
    return Check(name="interval", status="ok", seen=f"Readings are {minutes} min apart.")


def _whole_days(survey: Survey) -> Check:
    homes, form = survey.tallies.homes, survey.form
    early, late, whole = homes["early by one"], homes["late by one"], homes["whole days"]
    said = f"{whole} of {counted(homes['homes'], 'home')} begin and end at midnight"
    if max(early, late) > max(whole, homes["homes"] // 2):
        to = "start" if early > late else "end"
        by = "before" if early > late else "after"
        mend = f'label = "{to}"' if to != form.label else "Check the clock of the stamps."
        return Check(
            name="whole_days",
            status="wrong",
            seen=f"{max(early, late)} of {counted(homes['homes'], 'home')} begin and end one interval {by} midnight.",
            mend=mend,
        )
    return Check(name="whole_days", status="ok" if whole > homes["homes"] // 2 else "none", seen=f"{said}.")


def _clock_changes(survey: Survey) -> Check:
    tallies, form = survey.tallies, survey.form
    never = refused(survey, CLOCK_SKIPS)
    skipped, doubled = tallies.skipped, tallies.doubled
    if never:
        return Check(
            name="clock_changes",
            status="wrong",
            seen=f"{counted(never, 'row')} have a time that the clock of {form.stamps} skips in spring.",
            mend='The clock of the stamps may be one without changes, such as stamps = "UTC" or "Etc/GMT+5".',
        )
    if skipped["around"] and share_of(skipped["inside"], skipped["around"]) < 0.5:
        return Check(
            name="clock_changes",
            status="wrong",
            seen=f"{skipped['around'] - skipped['inside']} of {skipped['around']} times a home has no reading in the"
            f" hour that the clock of {form.zone} skips in spring, though stamps are {form.stamps}.",
            mend=f'stamps = "{form.zone}"',
        )
    if doubled["around"] and share_of(doubled["inside"], doubled["around"]) < 0.5:
        if form.shape == "wide":
            return Check(
                name="clock_changes",
                status="look",
                seen="A wide file has no columns for the hour that comes twice in autumn; its second time is missing.",
            )
        return Check(
            name="clock_changes",
            status="wrong",
            seen=f"{doubled['around'] - doubled['inside']} of {doubled['around']} times a home has no reading in the"
            f" second of the two hours that the clock of {form.zone} shows in autumn.",
            mend="The clock of the stamps may be one without changes.",
        )
    lengths = tallies.lengths
    if lengths["around"] and share_of(lengths["inside"], lengths["around"]) < 0.5:
        return Check(
            name="clock_changes",
            status="wrong",
            seen=f"{lengths['around'] - lengths['inside']} of {lengths['around']} times a home has not as many readings"
            " on a day of 23 or 25 hours as the day has intervals.",
            mend='within_day = "wall", where every day has the same numbers of intervals.',
        )
    seen = skipped["around"] + doubled["around"] + lengths["around"]
    return Check(
        name="clock_changes",
        status="ok" if seen else "none",
        seen=f"{counted(seen, 'clock change')} of homes look as they should."
        if seen
        else "No clock change lies in the readings that stamps of this kind can be checked by.",
    )


def _solar_noon(survey: Survey) -> Check:
    form = survey.form
    medians = [float(np.median(one)) if one else None for one in survey.tallies.noon]
    known = [one for one in medians if one is not None]
    if not known:
        return Check(name="solar_noon", status="none", seen="Nothing is generated that could show the sun's noon.")
    place = form.longitude is not None
    limit = NOON_MINUTES if form.minutes <= 15 else 0.4 * form.minutes
    limit = max(limit, NOON_MINUTES) if place else NOON_WITHOUT_PLACE
    word = "solar noon" if place else "noon of standard time (no latitude and longitude are given)"
    said = " and ".join(
        f"{value:+.0f} min {'in summer time' if number == 0 else 'in standard time'}"
        for number, value in enumerate(medians)
        if value is not None
    )
    seen = f"The middle of generation is {said} from {word}."
    if len(known) == 2 and abs(known[0] - known[1]) > 40:
        return Check(
            name="solar_noon",
            status="wrong",
            seen=seen,
            mend="Summer and winter differ by the hour of the clock change: stamps is the zone where it should be a"
            " clock without changes, or the other way about.",
        )
    shift = float(np.mean(known))
    if abs(shift) <= limit:
        return Check(name="solar_noon", status="ok", seen=seen)
    if abs(abs(shift) - form.minutes) < 0.5 * form.minutes + 1 and place:
        to = "end" if shift > 0 else "start"
        mend = f'label = "{to}"' if to != form.label else "Shift the clock of the stamps by an interval."
    else:
        mend = f"The clock of the stamps ({form.stamps}) is off by some {shift / 60:+.1f} h."
    return Check(name="solar_noon", status="wrong", seen=seen, mend=mend)


def _solar_at_night(survey: Survey) -> Check:
    tallies = survey.tallies
    if not tallies.generated_kwh:
        return Check(name="solar_at_night", status="none", seen="Nothing is generated.")
    share = tallies.dark_kwh / tallies.generated_kwh
    return Check(
        name="solar_at_night",
        status="wrong" if share > 0.01 else "look" if share > 0.001 else "ok",
        seen=f"{100 * share:.2f} % of all generation is in the dark.",
        mend="The clock of the stamps, or the column, is another one." if share > 0.01 else "",
    )


def _year(survey: Survey) -> Check:
    months = {day.month for day in survey.days.dates()}
    whole = len(months) == 12
    return Check(
        name="year",
        status="ok" if whole else "look",
        seen="Every month of the year has readings."
        if whole
        else f"Only {counted(len(months), 'month')} of the year have readings; a year's use is scaled from them.",
    )


CLOCK_CHECKS: Final[tuple[Checker, ...]] = (
    _duplicates,
    _gaps,
    _interval,
    _whole_days,
    _clock_changes,
    _solar_noon,
    _solar_at_night,
    _year,
)
"""In the order in which they are told."""
