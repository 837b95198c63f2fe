"""Counts that tell a wrong convention: readings at night, at noon, on clock changes, one after the other."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats, Ints
from meanwatt.model.billing.meter_format import OWN_OFFSET, FormatTable
from meanwatt.model.billing.meter_intervals import Intervals
from meanwatt.model.households.homes import HomeColumns
from meanwatt.model.households.sun import after_solar_noon, sun_elevation
from meanwatt.model.households.zone_clock import transitions, wall_minutes

DAY: Final = 1440
DARK_DEGREES: Final = -6.0
"""Height of the sun at the end of civil twilight."""
DARK_HOURS: Final = (23, 3)
"""From and to where no place is given: dark on the wall's clock in all inhabited places but the far north in summer."""
THRESHOLD: Final = 0.03
"""Of a home's largest output: from here on it counts as generating."""
STUCK_MINUTES: Final = DAY
MOST_KW: Final = 50.0
"""Mean power of an interval that no home draws."""


@dataclass(slots=True)
class Tallies:
    """Counts over all homes; see `meanwatt.model.households.checks` for what they mean.

    Attributes
    ----------
    homes
        Homes by what was found of them.
    intervals
        Intervals by what was found of them.
    steps
        Minutes from one reading to the next, by how often.
    noon
        Minutes after solar noon at which the middle of a home's generation lies: with and without summer time.
    skipped, doubled
        On clock changes: homes with readings around, and homes with readings in the hour itself.
    lengths
        On days of 23 and 25 hours: homes with readings, and homes with as many as the day has intervals.
    dark_kwh, generated_kwh
        Generation in the dark, and all of it. [kWh]
    """

    homes: Counter[str] = field(default_factory=Counter)
    intervals: Counter[str] = field(default_factory=Counter)
    steps: Counter[int] = field(default_factory=Counter)
    noon: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    skipped: Counter[str] = field(default_factory=Counter)
    doubled: Counter[str] = field(default_factory=Counter)
    lengths: Counter[str] = field(default_factory=Counter)
    dark_kwh: float = 0.0
    generated_kwh: float = 0.0

    def add(self, part: Intervals, homes: HomeColumns, form: FormatTable) -> None:
        """Count a part's homes."""
        if not len(part.code):
            return
        self.homes["homes"] += int((homes.read > 0).sum())
        self._steps(part, form)
        self._whole_days(homes, form)
        self._clock_changes(part, form)
        self._values(part, homes, form)
        if part.channel_kwh is not None:
            self.homes["totals"] += _with_total(part.channel_kwh)
        dark = self._dark(part, form)
        self._signs(part, homes, dark, form)
        if part.generation_kwh is not None:
            self._sun(part, homes, dark, form)
            self._clipped(part, homes, form)

    def _steps(self, part: Intervals, form: FormatTable) -> None:
        same = np.diff(part.code) == 0
        step, times = np.unique(np.diff(part.minute)[same], return_counts=True)
        for one, count in zip(step[:1000].tolist(), times[:1000].tolist(), strict=True):
            self.steps[one] += count
        if len(self.steps) > 5000:
            self.steps = Counter(dict(self.steps.most_common(1000)))
        gaps = np.diff(part.minute)[same] // form.minutes - 1
        self.intervals["missing"] += int(gaps.sum())
        self.intervals["read"] += len(part.code)
        self.homes["with gaps"] += len(np.unique(part.code[1:][same][gaps > 0]))

    def _whole_days(self, homes: HomeColumns, form: FormatTable) -> None:
        """Where the first reading begins, and the last one ends, in the day of the file's clock."""
        clock = form.zone if form.stamps == OWN_OFFSET else form.stamps
        there = homes.read > 0
        begins = wall_minutes(homes.first[there], clock) % DAY
        ends = wall_minutes(homes.end[there], clock) % DAY
        for name, minute in (("whole days", 0), ("early by one", DAY - form.minutes), ("late by one", form.minutes)):
            self.homes[name] += int(((begins == minute) & (ends == minute)).sum())

    def _clock_changes(self, part: Intervals, form: FormatTable) -> None:
        """On days on which the customers' clock changes: who has readings in the hour that is skipped or doubled."""
        at, offsets = transitions(form.zone)
        low, high = int(part.minute.min()), int(part.minute.max())
        fixed = form.stamps not in (OWN_OFFSET, form.zone)
        shown = wall_minutes(part.minute, form.stamps) if fixed else part.minute
        for place in np.flatnonzero((at[1:] > low) & (at[1:] < high)).tolist():
            when, before, after = int(at[place + 1]), int(offsets[place]), int(offsets[place + 1])
            span = abs(after - before)
            if form.within_day == "elapsed":
                self._day_length(part, when, before, after, form)
                continue
            if after > before and fixed:  # the hour that a clock on the wall would not show
                begin = when + before
                self._count(self.skipped, part.code, shown, begin, span)
            elif after < before and not fixed:  # the hour that it shows for the second time
                self._count(self.doubled, part.code, part.minute, when, span)

    def _day_length(self, part: Intervals, when: int, before: int, after: int, form: FormatTable) -> None:
        """Homes whose readings of a day of 23 or 25 hours are as many as its intervals."""
        begin = when + before - (when + before) % DAY - before
        end = begin + DAY - (after - before)
        within = part.code[(part.minute >= begin) & (part.minute < end)]
        found = np.bincount(within, minlength=len(part.names))
        self.lengths["around"] += int((found > 0).sum())
        self.lengths["inside"] += int((found == (end - begin) // form.minutes).sum())

    @staticmethod
    def _count(counts: Counter[str], code: Ints, clock: Ints, begin: int, span: int) -> None:
        around = np.intersect1d(
            code[(clock >= begin - span) & (clock < begin)], code[(clock >= begin + span) & (clock < begin + 2 * span)]
        )
        inside = np.intersect1d(code[(clock >= begin) & (clock < begin + span)], around)
        counts["around"] += len(around)
        counts["inside"] += len(inside)

    def _values(self, part: Intervals, homes: HomeColumns, form: FormatTable) -> None:
        """Registers that only rise, values that stand still, and powers that no home draws."""
        count = len(part.names)
        same = np.diff(part.code) == 0
        change, code = np.diff(part.load_kwh)[same], part.code[1:][same]
        pairs = np.maximum(np.bincount(code, minlength=count), 1)
        falls = np.bincount(code, change < 0, minlength=count) / pairs
        moves = np.bincount(code, np.abs(change), minlength=count) / pairs
        mean_kwh = homes.kwh_per_year / 8766 * form.minutes / 60
        self.homes["registers"] += int(((falls < 0.01) & (moves > 0) & (mean_kwh > 20 * moves)).sum())
        still = np.zeros(len(part.code), dtype=bool)
        still[1:] = same & (np.diff(part.load_kwh) == 0) & (part.load_kwh[1:] > 0)
        breaks = np.flatnonzero(~still)
        runs = np.diff(np.append(breaks, len(still)))
        long = part.code[breaks[runs * form.minutes >= STUCK_MINUTES]]
        self.homes["stuck"] += len(np.unique(long))
        self.intervals["huge"] += int((part.load_kwh > MOST_KW * form.minutes / 60).sum())
        self.homes["vacant"] += int(homes.vacant.sum())

    @staticmethod
    def _dark(part: Intervals, form: FormatTable) -> Bools:
        """Which intervals lie wholly in the dark."""
        if form.latitude is not None and form.longitude is not None:
            ends = (part.minute, part.minute + form.minutes)
            heights = [sun_elevation(end, form.latitude, form.longitude) for end in ends]
            return np.maximum(*heights) < DARK_DEGREES
        hour = (wall_minutes(part.minute, form.zone) % DAY) / 60
        return (hour >= DARK_HOURS[0]) | (hour + form.minutes / 60 <= DARK_HOURS[1])

    def _signs(self, part: Intervals, homes: HomeColumns, dark: Bools, form: FormatTable) -> None:
        """Who draws less than nothing in the dark, or uses less than nothing."""
        count = len(part.names)
        nights = np.maximum(np.bincount(part.code, dark, minlength=count), 1)
        if part.net_kwh is not None:
            below = np.bincount(part.code, dark & (part.net_kwh < 0), minlength=count) / nights
            self.homes["nets"] += int((homes.least_kw < 0).sum())
            self.homes["fed in by night"] += int(((below > 0.5) & (homes.least_kw < 0)).sum())
        if part.generation_kwh is not None:
            negative = np.bincount(part.code, part.load_kwh < -0.02 * form.minutes / 60, minlength=count)
            self.homes["use below 0"] += int((negative > 0.02 * homes.read).sum())
            total = np.bincount(part.code, part.generation_kwh, minlength=count)
            self.homes["generation below 0"] += int((total < -10 * form.minutes / 60).sum())
            never = homes.solar & (homes.least_kw >= 0) & (homes.generation_kwh_per_year > 0.3 * homes.kwh_per_year)
            if part.net_kwh is not None:
                self.homes["never feeds in"] += int(never.sum())
                self.homes["could feed in"] += int(homes.solar.sum())

    def _clipped(self, part: Intervals, homes: HomeColumns, form: FormatTable) -> None:
        """Homes with solar whose use is exactly 0 by day and not by night: it is what is drawn, not what is used."""
        if part.net_kwh is not None:
            return
        count = len(part.names)
        hour = (wall_minutes(part.minute, form.zone) % DAY) // 60
        nothing = part.load_kwh <= 0
        share = []
        for span in ((hour >= 10) & (hour < 15), (hour >= 0) & (hour < 5)):
            all_of = np.maximum(np.bincount(part.code, span, minlength=count), 1)
            share.append(np.bincount(part.code, span & nothing, minlength=count) / all_of)
        self.homes["solar"] += int(homes.solar.sum())
        self.homes["clipped"] += int((homes.solar & (share[0] > 0.1) & (share[1] < 0.1 * share[0])).sum())

    def _sun(self, part: Intervals, homes: HomeColumns, dark: Bools, form: FormatTable) -> None:
        """Generation in the dark, and the middle of each day's generation against the sun's noon."""
        assert part.generation_kwh is not None
        output = np.maximum(part.generation_kwh, 0.0)
        self.dark_kwh += float(output[dark].sum())
        self.generated_kwh += float(output.sum())
        least = THRESHOLD * homes.peak_generation_kw[part.code] * form.minutes / 60
        runs = np.flatnonzero((output > least) & homes.solar[part.code])
        if not len(runs):
            return
        code, minute = part.code[runs], part.minute[runs]
        wall = wall_minutes(minute, form.zone)
        new = np.ones(len(runs), dtype=bool)
        new[1:] = (np.diff(code) != 0) | (np.diff(wall // DAY) != 0)
        starts = np.flatnonzero(new)
        ends = np.append(starts[1:], len(runs)) - 1
        begin, end = minute[starts], minute[ends] + form.minutes
        middle, whole = (begin + end) // 2, (end - begin >= 5 * 60) & (end - begin <= 18 * 60)
        after = self._after_noon(middle[whole], form)
        offset = wall[starts][whole] - begin[whole]
        standard = int(transitions(form.zone)[1].min()) if not len(offset) else int(offset.min())
        self._medians(code[starts][whole], after, offset > standard)

    def _medians(self, code: Ints, after: Floats, summer: Bools) -> None:
        for one in np.unique(code).tolist():
            for place, mask in enumerate((summer, ~summer)):
                found = after[(code == one) & mask]
                if len(found) >= 5:
                    self.noon[place].append(float(np.median(found)))

    @staticmethod
    def _after_noon(middle: Ints, form: FormatTable) -> Floats:
        """Minutes after solar noon; without a place after 12:00 of the zone's standard time."""
        if form.longitude is not None:
            return after_solar_noon(middle, form.longitude)
        _, offsets = transitions(form.zone)
        return np.asarray((middle + int(offsets[-1])) % DAY - DAY / 2, dtype=float)


def _with_total(channel_kwh: Floats) -> int:
    """Homes one of whose channels is the sum of the other ones. (home, channel)"""
    whole = channel_kwh.sum(axis=1, keepdims=True)
    total = (np.abs(2 * channel_kwh - whole) < 0.005 * channel_kwh).any(axis=1)
    return int((total & ((channel_kwh > 0).sum(axis=1) > 1)).sum())
