"""What a page shows, read off its address: the settings that every file names, and the same numbers in Python."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from meanwatt.analysis.dashboard.bills import choice as bills
from meanwatt.analysis.dashboard.challenge import choice as challenge
from meanwatt.analysis.dashboard.compare import choice as compare
from meanwatt.analysis.dashboard.compare.sides import SIDES
from meanwatt.analysis.dashboard.finite import choice as finite
from meanwatt.analysis.dashboard.hosting import choice as hosting
from meanwatt.analysis.dashboard.leader import choice as leader
from meanwatt.analysis.dashboard.learners import choice as learners
from meanwatt.analysis.dashboard.lessons import choice as lessons
from meanwatt.analysis.dashboard.market import address as market
from meanwatt.analysis.dashboard.take_away.bill_lines import bill_lines
from meanwatt.analysis.dashboard.take_away.lines import call, one_call, one_tariff, solve_call, two_tariffs
from meanwatt.analysis.dashboard.theory import choice as theory
from meanwatt.analysis.leader.registry import find
from meanwatt.model.scenario.loading import presets

NO_LINES: Final = "No function of “import meanwatt” gives the numbers of this page."
FROM_FILE: Final = (
    "was read from a file, or searched for. Download it, and give the file to meanwatt.solve as its tariff."
)
OWN: Final = "The scenario is one that this server was started with; give its file to meanwatt.solve."
MOST_DAYS: Final = 3 * 365
"""Days that the market page plays at most."""
CHECKS: Final = ("aggregate", "state", "exploitability")
"""Of ``meanwatt validate``, as the page of finite markets makes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What is said of a page.

    Attributes
    ----------
    settings
        Name and value of all that its numbers depend on.
    python
        Lines that give its numbers; empty if nothing public does.
    why
        Why there are no lines.
    """

    settings: tuple[tuple[str, str], ...] = ()
    python: str = ""
    why: str = ""


Describe = Callable[[str, int], Described]
"""Reads what is said of a page off the query of its address, and the number of days that it has played."""


def describe_market(search: str, days: int) -> Described:
    """The market page; the days are those that it stands at."""
    settings, _ = market.from_query(search)
    if settings.own:
        return Described(settings=_named(settings, "scenario", "households", "seed"), why=f"The tariff {FROM_FILE}")
    solve = solve_call(settings.scenario, settings.tariff, dict(settings.changes))
    days = min(days, MOST_DAYS)
    simulate = call("meanwatt.simulate", households=settings.households, days=days, seed=settings.seed)
    simulate = simulate.replace("(", "(solution, ", 1)
    found = Described(
        settings=(
            *_named(settings, "scenario", "tariff", "households", "seed"),
            *((key, _text(value)) for key, value in settings.changes),
            ("days", str(days)),
        ),
        python=one_tariff(solve, simulate if days > 0 else ""),
    )
    return _runs_anywhere(settings.scenario, found)


def describe_compare(search: str, _: int) -> Described:
    """The page of comparisons."""
    choice, _problems = compare.from_query(search)
    edited = [(side.upper(), one) for side, one in zip(SIDES, choice.sides, strict=True)]
    settings = (
        ("scenario", choice.scenario),
        ("tariff A", choice.a),
        ("tariff B", choice.b),
        *((f"{side} {key}", _text(value)) for side, one in edited for key, value in one.changes),
    )
    from_file = [side for side, one in edited if one.own]
    if from_file:
        return Described(settings=settings, why=f"Tariff {from_file[0]} {FROM_FILE}")
    solves = [solve_call(one.scenario, one.tariff, dict(one.changes)) for _, one in edited]
    return _runs_anywhere(choice.scenario, Described(settings=settings, python=two_tariffs(solves)))


def describe_bills(search: str, _: int) -> Described:
    """The page of bills; files that are open in a tab are named, and not looked for."""
    choice, _problems = bills.from_query(search)
    home = ("load", "solar", "year", "tz") if choice.load else ("scenario",)
    settings = (
        ("tariff", choice.tariff_name),
        *_named(choice, *home),
        *(() if choice.load else (("home", choice.home_name),)),
        *((key, getattr(choice, key)) for key in bills.OF_TARIFF),
    )
    said = Described(settings=tuple(pair for pair in settings if pair[1]), python=bill_lines(choice))
    return said if choice.load else _runs_anywhere(choice.scenario, said)


def describe_finite(search: str, _: int) -> Described:
    """The page of finite markets."""
    choice, _problems = finite.from_query(search)
    made = call(
        "meanwatt.validate",
        choice.scenario,
        tariff=choice.tariff,
        households=finite.SIZES,
        replications=choice.markets,
        days=finite.DAYS,
        seed=choice.seed,
        checks=CHECKS,
    )
    lines = one_call("study", made, "study.verdict", "study.to_frame()")
    settings = _named(choice, "scenario", "tariff", "markets", "seed")
    return _runs_anywhere(choice.scenario, Described(settings=settings, python=lines))


def describe_hosting(search: str, _: int) -> Described:
    """The page of hosting capacity."""
    choice, _problems = hosting.from_query(search)
    parts = ("scenario", "feeder", *hosting.NAMES, *hosting.NUMBERS, "seed")
    tariffs = ", ".join((*choice.tariffs, *(["designed"] if choice.designed else [])))
    return Described(settings=(*_named(choice, *parts), ("tariffs", tariffs)), why=NO_LINES)


def describe_leader(search: str, _: int) -> Described:
    """The leader's page: lines where a tariff is searched for by commitment, as ``meanwatt.design`` does."""
    choice, _problems = leader.from_query(search)
    settings = (
        *_named(choice, "scenario", "leader", "concept"),
        *((name, _text(choice.weight(name))) for name in find(choice.leader).weights),
    )
    if not choice.run:
        return Described(
            settings=settings,
            python=one_tariff(solve_call(choice.scenario, choice.settings.tariff, {})),
        )
    if not choice.commits:
        return Described(settings=settings, why=f"meanwatt.design commits; nothing public plays “{choice.concept}”.")
    made = call(
        "meanwatt.design",
        choice.scenario,
        leader=choice.leader,
        weights=dict(choice.weights),
        price_cap_usd_per_kwh=choice.price_cap_usd_per_kwh,
        evaluations=choice.evaluations,
    )
    return Described(settings=settings, python=one_call("found", made, "found", "found.to_toml()", "found.to_frame()"))


def describe_learners(search: str, _: int) -> Described:
    """The learners' page."""
    choice, _problems = learners.from_query(search)
    made = call(
        "meanwatt.simulate",
        choice.scenario,
        tariff=choice.tariff,
        overrides=dict(choice.settings.changes),
        households=choice.households,
        days=choice.days,
        seed=choice.seed,
        behaviour=choice.behaviour,
    )
    changes = tuple((key, _text(value)) for key, value in choice.settings.changes)
    return Described(
        settings=(
            *_named(choice, "scenario", "tariff", "households", "days", "seed"),
            ("behaviour", choice.behaviour),
            *changes,
        ),
        python=one_call("market", made, "market.simulation.metrics", "market.to_frame()"),
    )


def describe_theory(search: str, _: int) -> Described:
    """The theory lab."""
    choice, _problems = theory.from_query(search)
    discount = choice.named.game.discount_leader
    return Described(
        settings=(*_named(choice, "game", "concept", "temperature"), ("discount", _text(discount))), why=NO_LINES
    )


def describe_lessons(search: str, _: int) -> Described:
    """The lessons."""
    choice, _problems = lessons.from_query(search)
    return Described(settings=(("lesson", choice.lesson),) if choice.lesson else (), why=NO_LINES)


def describe_challenge(search: str, _: int) -> Described:
    """The challenge."""
    choice, _problems = challenge.from_query(search)
    drawing = choice.drawing
    drawn = () if drawing is None else (("rates, USD/kWh", " ".join(f"{r:g}" for r in drawing.rates_usd_per_kwh)),)
    return Described(settings=(("scenario", choice.scenario), *drawn), why=NO_LINES)


def _runs_anywhere(scenario: str, found: Described) -> Described:
    """What is said of a page, without lines that need a scenario which only this server knows by its name."""
    return found if scenario in presets() else replace(found, python="", why=OWN)


def _named(choice: object, *names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, _text(getattr(choice, name))) for name in names)


def _text(value: Any) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)
