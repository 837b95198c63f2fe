"""Adoption from today's shares on: what households own year by year, and which shares answer themselves."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.rate_classes import called
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.analysis.adoption.fixed_point import (
    APART,
    LED_APART,
    LED_SHARES,
    STARTS,
    FixedPoint,
    fixed_point,
    largest_difference,
)
from meanwatt.analysis.adoption.homes import Homes, homes_of
from meanwatt.analysis.adoption.leader import YearlyLeader
from meanwatt.analysis.adoption.market import AdoptionMarket, Constants, Standing, fit
from meanwatt.analysis.adoption.path import cost_factor, path
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.model.mean_field.equilibrium import Outcome
from meanwatt.model.progress.watch import Cancelled, Watch
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.messages import Messages, joined, scenario_messages

if TYPE_CHECKING:
    from meanwatt.analysis.adoption.journal import AdoptionJournal


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Adoption:
    """Who adopts solar and storage under a tariff.

    Attributes
    ----------
    homes
        Who decides.
    before, posted
        Tariff in force today, and the one that is posted from now on.
    aims
        Of the leader who posts another tariff every year; None where ``posted`` stays.
    years
        Asked for; ``path`` is shorter where it ended before.
    today
        The market under the tariff in force today; None if it was stopped before.
    path
        The market of every year, today's shares first, under the tariff posted.
    points
        Where the search for shares that answer themselves ended, from each start; costs are those of the last year.
    outcome, message
        How it ended.
    """

    __repr__ = short_repr

    homes: Homes
    before: Tariff
    posted: Tariff
    years: int
    aims: LeaderSpec | None
    today: Standing | None
    path: tuple[Standing, ...]
    points: tuple[FixedPoint, ...]
    seconds: float
    outcome: Outcome
    message: str

    @property
    def apart(self) -> float | None:
        """Largest difference between shares of the fixed points found; None where fewer than two were."""
        return largest_difference(list(self.points))

    @property
    def apart_limit(self) -> float:
        """How far shares of the points may differ that are one point."""
        return APART if self.aims is None else LED_APART

    @property
    def messages(self) -> Messages:
        """What is assumed, kept or not found, a sentence each."""
        first = self.path[0].messages if self.path else ()
        return joined(scenario_messages(self.homes.economy.scenario), first, _messages(self))


def adopt(
    economy: Economy,
    before: Tariff,
    posted: Tariff,
    *,
    years: int,
    aims: LeaderSpec | None = None,
    journal: "AdoptionJournal | None" = None,
    watch: Watch | None = None,
    new_stage: Callable[[str], None] = lambda _: None,
) -> Adoption:
    """Follow adoption for some years, and search for shares that answer themselves.

    Parameters
    ----------
    economy
        With today's shares.
    before
        Tariff in force today, at which the logit's constants are fitted.
    posted
        Tariff from now on.
    years
        At least 1.
    aims
        Of a leader who posts another tariff every year, at the shares of that year, and at those of a fixed point.
    journal
        Of the years; those on record are taken from it.
    watch
        Told what is done, and asked whether to stop, which ends it with outcome ``cancelled``.
    new_stage
        Told what is done next.

    Returns
    -------
    Adoption
        Always; parts that were not reached are None or empty, and ``outcome`` says why.
    """
    began = time.perf_counter()
    watch = watch or Watch()
    homes = homes_of(economy)
    today: Standing | None = None
    walked = [] if journal is None else list(journal.parts)[: years + 1]
    points: list[FixedPoint] = []
    with suppress(Cancelled):
        new_stage(f"today, tariff {called(before)}")
        today = AdoptionMarket(homes, before, homes.by_group("subsidy_share_today"), watch).at(homes.today)
        if today.worth is not None:
            constants = fit(homes, today)
            leader = None if aims is None else YearlyLeader(aims, posted, _last_parameters(walked))
            market = AdoptionMarket(homes, posted, homes.by_group("subsidy_share"), watch, leader)
            _walk(market, constants, years, walked, journal, new_stage)
            for start in STARTS:
                new_stage(f"fixed point from {start}")
                if aims is not None:  # whose tariff is to depend on the shares alone
                    market = replace(market, leader=YearlyLeader(aims, posted, {}, anew=True))
                points.append(fixed_point(market, constants, start, cost_factor(homes, years)))
    outcome, message = _ended(homes, today, walked, points, years, missing=len(STARTS) - len(points))
    return Adoption(
        homes=homes,
        before=before,
        posted=posted,
        years=years,
        aims=aims,
        today=today,
        path=tuple(walked),
        points=tuple(points),
        seconds=time.perf_counter() - began,
        outcome=outcome,
        message=message,
    )


def _walk(
    market: AdoptionMarket,
    constants: Constants,
    years: int,
    walked: list[Standing],
    journal: "AdoptionJournal | None",
    new_stage: Callable[[str], None],
) -> None:
    """Go on with the path, on record year by year."""
    new_stage(f"path, tariff {called(market.tariff)}")
    if walked and walked[-1].outcome is not Outcome.CONVERGED:
        return
    for found in path(market, constants, years, walked):
        if journal is not None:
            journal.append(found)
        walked.append(found)


def _last_parameters(walked: list[Standing]) -> dict[str, float]:
    """Parameters of the tariff that a leader posted last; empty before the first."""
    return dict(walked[-1].parameters or {}) if walked else {}


def _ended(
    homes: Homes,
    today: Standing | None,
    walked: list[Standing],
    points: list[FixedPoint],
    years: int,
    *,
    missing: int,
) -> tuple[Outcome, str]:
    """How it ended, and the sentence."""
    if today is not None and today.worth is None:
        return today.outcome, f"Today: {today.message}"
    last = walked[-1] if walked else None
    if last is not None and last.outcome is Outcome.NO_ADEQUATE_TARIFF:
        return last.outcome, (
            f"The path ends in year {len(walked) - 1}, with solar on {100 * homes.solar_share(last.share):.1f} % of"
            f" homes. {last.message}"
        )
    if last is not None and last.outcome is not Outcome.CONVERGED:
        return last.outcome, f"Year {len(walked) - 1}: {last.message}"
    if len(walked) <= years or missing:
        done = f"after year {len(walked) - 1} of {years}" if walked else "before the first year was solved"
        return Outcome.CANCELLED, f"Cancelled {done}, with {len(points)} of {len(STARTS)} fixed points searched."
    assert last is not None
    first = walked[0].share
    told = (
        f"In {years} years solar goes from {100 * homes.solar_share(first):.1f} to"
        f" {100 * homes.solar_share(last.share):.1f} % of homes, home batteries from"
        f" {100 * homes.storage_share(first):.1f} to {100 * homes.storage_share(last.share):.1f} %."
    )
    limited = [point.start for point in points if point.outcome is Outcome.ROUND_LIMIT]
    if limited:
        return Outcome.ROUND_LIMIT, f"{told} Fixed point from {', '.join(limited)}: not converged."
    if homes.chosen.any():
        told += (
            f" Those who chose their rate class go from {100 * homes.opted_share(first):.1f} to"
            f" {100 * homes.opted_share(last.share):.1f} %."
        )
    return Outcome.CONVERGED, told


def _messages(done: Adoption) -> list[str]:
    """What is assumed, kept, or not found."""
    homes = done.homes
    table = homes.economy.scenario.adoption
    sentences = [
        f"Constants of the logit: fitted to today's shares under tariff {called(done.before)}, at today's costs and"
        " subsidies. Households expect a year's saving to last for the life of what they buy."
    ]
    named = [[one.name for one in tariff.class_tariffs] for tariff in (done.before, done.posted)]
    changed = named[0] != named[1] or table.subsidy_share != table.subsidy_share_today
    if done.aims is None and not changed and not table.cost_change_per_year and done.path and _at_rest(done):
        sentences.append(
            f"Tariff {called(done.posted)} is in force today, and neither costs nor subsidies change, so today's shares"
            " are at rest: give another --tariff, or adoption.subsidy_share or adoption.cost_change_per_year."
        )
    names = homes.names
    idle = [
        f"{group}/{names[k]}"
        for g, group in enumerate(homes.economy.groups)
        for k in range(len(names))
        if homes.today[g, k] == 0 and homes.offered[g, k]
    ]
    if idle and table.floor_share == 0:
        sentences.append(
            f"Nobody owns {', '.join(idle)} today, so nobody ever does; adoption.floor_share gives such technologies"
            " a first share."
        )
    sentences += _about_choice(homes)
    if homes.pools.any():
        sentences.append("Electric vehicles are kept: their owners decide on solar alone.")
    if done.aims is not None:
        sentences.append(
            f"Leader {done.aims.leader}: posts the tariff that is best for it at each year's shares, without looking"
            f" beyond the year. At a fixed point its tariff is the best for the shares, and these answer it to"
            f" {LED_SHARES:g}: its rates are known to its search's precision, so no feedback is told, and points"
            f" within {LED_APART:g} of one another are one."
        )
    elif done.posted.recovery is Recovery.POSTED and done.path:
        sentences.append(
            f"Tariff {called(done.posted)} is posted: rates stay, and the utility's surplus goes from"
            f" {done.path[0].surplus_usd_per_household_day:.4f} to"
            f" {done.path[-1].surplus_usd_per_household_day:.4f} USD per household-day."
        )
    for point in done.points:
        if point.outcome is not Outcome.CONVERGED:
            sentences.append(f"Fixed point from {point.start}: {point.message}")
        elif point.way < 1:
            sentences.append(
                f"Fixed point from {point.start}: begun at {point.way:g} of the way from today's shares, since no"
                " tariff covers the cost further on."
            )
        if point.feedback is not None and point.feedback > 1:
            sentences.append(
                f"Fixed point from {point.start}: not stable, a push of one home grows to {point.feedback:.2f}."
            )
    apart = done.apart
    if apart is not None and apart > done.apart_limit:
        sentences.append(f"Fixed points differ with the start, by up to {apart:.3f} in a share: history decides.")
    return sentences


def _about_choice(homes: Homes) -> list[str]:
    """How rate classes are chosen; nothing where nobody may."""
    classes, table = homes.economy.scenario.rate_classes.items(), homes.economy.scenario.adoption
    if not homes.chosen.any():
        return []
    names = ", ".join(name for name, one in classes if one.opt_in_share is not None)
    return [
        f"Rate class {names} is chosen by the same logit, by the difference of bills over adoption.rate_choice_years ="
        f" {table.rate_choice_years:g}; who decides in a year decides on it and on what it owns together."
    ]


def _at_rest(done: Adoption) -> bool:
    """Whether the shares of the last year are today's."""
    return bool(abs(done.path[-1].share - done.path[0].share).max() < APART)
