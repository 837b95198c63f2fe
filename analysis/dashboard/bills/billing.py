"""Computing the bill of a choice: what visitors share is lived once, and what one opens is read as data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.analysis.dashboard.bills.choice import Choice
from meanwatt.analysis.dashboard.shared.memo import Memo
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solved import SOLVES, Work
from meanwatt.analysis.dashboard.shared.time_left import TimeLeft
from meanwatt.analysis.dashboard.shared.town import town_of
from meanwatt.analysis.dashboard.shared.turns import Turns
from meanwatt.analysis.impacts.home_meters import HomeMeters, bill_home, home_meters
from meanwatt.model.billing.customer import Asked, CustomerBill, bill_readings
from meanwatt.model.billing.ratebook_source import Choices, RatebookFile, load_ratebook, ratebook_of_text
from meanwatt.model.billing.readings import Readings, energy_of_text, rates_of_text
from meanwatt.model.mean_field.components.settled import billed_equilibrium, market_equilibrium
from meanwatt.model.mean_field.components.solving import Composed, solve_composed
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.progress.watch import Cancelled, Progress, Watch
from meanwatt.model.scenario.economy import build_rate_classes

MOST_BYTES: Final = {"tariff_file": 2**20, "load": 4 * 2**20, "solar": 4 * 2**20, "wholesale": 4 * 2**20}
"""Largest files that a visitor opens: a leap year of five-minute readings with time stamps fits. [bytes]"""
SOLVING_SHARE: Final = 0.4
"""Share of the progress that the solve fills; the rest are the days."""
HALF_WAY: Final = 12
"""Evaluations after which the solve's share stands at one half."""
_readings: Final = Turns()
"""One visitor's files at a time are read in the whole server: they take a core."""
_years: Memo[Settings, "HomeYear"] = Memo(12)

Files = Mapping[str, tuple[str, str]]
"""Name and text of each file that a visitor has open, by part of the choice."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HomeYear:
    """A year of a scenario's homes, and the bills that they expect.

    Attributes
    ----------
    equilibrium
        The continuum at rest; rates, charges and bills are those posted, components in the bills.
    composed
        Where a tariff has components: the equilibrium by what households see of them.
    meters
        What they drew.
    """

    __repr__ = short_repr

    equilibrium: Equilibrium
    composed: Composed | None
    meters: HomeMeters


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Billed:
    """A home's bill.

    Attributes
    ----------
    choice
        What was chosen, with what the tariff makes of what was left open.
    read
        The tariff.
    bill
        None where the tariff alone could be read.
    year
        What the home lives under, and what it expects to pay there; None of readings from a file.
    """

    __repr__ = short_repr

    choice: Choice
    read: RatebookFile
    bill: CustomerBill | None = None
    year: HomeYear | None = None


def read_tariff(choice: Choice, files: Files) -> Billed:
    """Read the tariff of a choice, and settle what the choice leaves open; ValueError in one line."""

    def read(choices: Choices) -> RatebookFile:
        if choice.tariff_file:
            return ratebook_of_text(*files["tariff_file"], choices)
        return load_ratebook(choice.tariff, choices)

    plain = read(Choices())
    settled = settled_choice(choice, plain)
    chosen = Choices(
        territory=settled.territory or None, discount=settled.discount or None, export=settled.export or None
    )
    return Billed(choice=settled, read=plain if chosen == Choices() else read(chosen))


def settled_choice(choice: Choice, read: RatebookFile) -> Choice:
    """A choice in which nothing is open that the tariff needs: its own terms, or else the first that it has."""
    table = read.table
    territory, export, metering = choice.territory, choice.export, choice.metering
    if not territory and table.baseline is not None and read.book.baseline is not None:
        territory = read.book.baseline.territory or next(iter(table.baseline.kwh_per_day))
    if not export and not metering and read.book.metering is None:
        export = next(iter(table.exports), "")
        metering = "" if export else "net_billing"
    return replace(choice, territory=territory, export=export, metering=metering)


def billed(
    choice: Choice,
    files: Files,
    *,
    show: Callable[[Billed], None],
    progress: Callable[[Work], None],
    cancelled: Callable[[], bool],
) -> Billed | None:
    """Bill the home of a choice; None if cancelled.

    Parameters
    ----------
    files
        What the choice names by `meanwatt.analysis.dashboard.bills.choice.FILES`.
    show
        Told the tariff once it is read.

    Raises
    ------
    ValueError
        In one line: a file, or what is chosen of it, cannot be used.
    """
    found = read_tariff(choice, files)
    show(found)
    settled, year = found.choice, None
    if choice.load:
        with _readings.turn(cancelled, lambda text: progress(Work(text=text, fraction=0.0))) as mine:
            if not mine:
                return None
            progress(Work(text=f"Reading {choice.load}", fraction=0.1))
            bill = _bill_files(settled, found.read, files)
    else:
        year = home_year(choice.settings, progress=progress, cancelled=cancelled)
        if year is None:
            return None
        bill = bill_home(
            year.meters,
            choice.home_name,
            tariff=choice.tariff_name,
            read=found.read,
            prices=_prices(choice, files),
            **{key: getattr(settled, key) or None for key in ("territory", "discount", "export", "metering")},
        )
    said = _settled(choice, settled, feeds=bool(bill.bill.fed_kwh.any()))
    return replace(found, bill=replace(bill, messages=(*said, *bill.messages)), year=year)


def _bill_files(choice: Choice, read: RatebookFile, files: Files) -> CustomerBill:
    load = energy_of_text(*files["load"])
    generation = energy_of_text(*files["solar"]) if choice.solar else None
    return bill_readings(asked(choice), read, load, generation, wholesale=_prices(choice, files))


def _prices(choice: Choice, files: Files) -> Readings | None:
    """Wholesale prices of the file that is open, if one is."""
    return rates_of_text(*files["wholesale"]) if choice.wholesale else None


def asked(choice: Choice) -> Asked:
    """The same for ``meanwatt bill``, with the files' names."""
    return Asked(
        tariff=choice.tariff_name,
        load=choice.load,
        clock=choice.clock,
        generation=choice.solar or None,
        metering=choice.metering or None,
        territory=choice.territory or None,
        discount=choice.discount or None,
        export=choice.export or None,
        wholesale=choice.wholesale or None,
    )


def _settled(choice: Choice, settled: Choice, *, feeds: bool) -> tuple[str, ...]:
    """What was settled in the visitor's place, a sentence each."""
    names = {"territory": "Territory"} | ({"export": "Feeding in", "metering": "Metering"} if feeds else {})
    return tuple(
        f"{word} {getattr(settled, key)} is taken, the first there is; choose another above."
        for key, word in names.items()
        if getattr(settled, key) != getattr(choice, key)
    )


def home_year(
    settings: Settings, *, progress: Callable[[Work], None], cancelled: Callable[[], bool]
) -> HomeYear | None:
    """A year of the homes of a scenario, or find it lived already; None if cancelled.

    Raises
    ------
    ValueError
        In one line, if the scenario's tariff has no equilibrium.
    """
    with _years.turn(settings, cancelled) as mine:
        known = _years.get(settings)
        if known is None and mine:
            with SOLVES.turn(cancelled, lambda text: progress(Work(text=text, fraction=0.0))) as go:
                known = _lived(settings, progress, cancelled) if go else None
            if known is not None:
                _years.put(settings, known)
    return known


def _lived(settings: Settings, progress: Callable[[Work], None], cancelled: Callable[[], bool]) -> HomeYear | None:
    def solving(report: Progress) -> None:
        share = report.fraction or report.evaluations / (report.evaluations + HALF_WAY)
        progress(Work(text=f"Solving: {report.stage}", fraction=SOLVING_SHARE * share))

    left = TimeLeft()

    def living(text: str, share: float) -> None:
        said = f"Living a year: {text}{left.said('year', share)}"
        progress(Work(text=said, fraction=SOLVING_SHARE + (1 - SOLVING_SHARE) * share))

    scenario = settings.load()
    watch = Watch(progress=solving, cancelled=cancelled)
    tariff, composed = build_rate_classes(scenario, components=True), None
    if tariff.has_components:
        composed = solve_composed(town_of(scenario), tariff, certify=False, watch=watch)
        found, lived = billed_equilibrium(composed), market_equilibrium(composed)
    else:
        found = lived = solve_equilibrium(town_of(scenario), tariff, certify=False, watch=watch)
    if found.outcome is Outcome.CANCELLED:
        return None
    if found.outcome is not Outcome.CONVERGED:
        raise ValueError(found.message)
    try:
        meters = home_meters(lived, watch=watch.silent(), told=living)
        return HomeYear(equilibrium=found, composed=composed, meters=meters)
    except Cancelled:
        return None
