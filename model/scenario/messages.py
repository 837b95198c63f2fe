"""Sentences about what is not done exactly as asked: capped, rounded, approximated, set aside, skipped.

Every result carries them as ``messages``, and every command prints them. A sentence names the key, its value, what came
of it and, where there is one, the remedy.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from meanwatt.agents.household.battery import Battery, attainable_kw, keeps_power, nearest_levels, reached_kw
from meanwatt.agents.numerics.arrays import Ints
from meanwatt.agents.tariff.components.standing_charge import Customer
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.scenario.ranges import BATTERY_LEVELS
from meanwatt.model.scenario.rate_tables import unused_seasons
from meanwatt.model.scenario.schema import Scenario
from meanwatt.model.scenario.technologies import SCALED_SHARES, technologies_owned

Messages = tuple[str, ...]


def joined(*parts: Iterable[str]) -> Messages:
    """All sentences in order, each once."""
    return tuple(dict.fromkeys(sentence for part in parts for sentence in part))


def scenario_messages(scenario: Scenario) -> Messages:
    """What a scenario asks for and does not get."""
    return joined(
        classes_set_aside(scenario),
        _capped_shares(scenario),
        _lost_power(scenario),
        _calendar(scenario),
        _unused_seasons(scenario),
    )


def rounding_messages(names: Iterable[str], share: Iterable[float], count: Ints) -> Messages:
    """Who is left out once the households of a market are whole numbers.

    Parameters
    ----------
    names, share
        Household types, or behaviours, and their shares of the population.
    count
        Simulated households of each.
    """
    rows = zip(names, share, count.tolist(), strict=True)
    nobody = dict.fromkeys(f"{name} ({100 * part:.2g} %)" for name, part, there in rows if not there)
    if not nobody:
        return ()
    total = int(count.sum())
    return (
        f"households = {total}: rounded to whole households, nobody is {_listed([*nobody], 'or')}; give more of them.",
    )


def unpaid_messages(tariff: Tariff, customers: Sequence[Customer]) -> Messages:
    """Standing charges that nobody pays."""
    return tuple(
        f"tariff.{charge.name}: no household of the scenario pays it, for none has what it is charged on."
        for own in tariff.class_tariffs
        for charge in own.standing_charges
        if not any(charge.usd_per_day(customer) for customer in customers if tariff.of(customer) is own)
    )


def waiting_messages(tariff: Tariff) -> Messages:
    """Credits that wait for later months, which no decision and no expected bill knows."""
    return tuple(
        f"tariff {own.name}, export.metering = {own.credit_rule.metering.value}: households decide, and expected bills"
        f" are told, as if every slot's credit counted at once at {_at(own)}; simulate settles every home's own months."
        for own in tariff.class_tariffs
        if own.credit_rule is not None
    )


def _at(own: Tariff) -> str:
    """Rate at which households count what they feed in."""
    return "its import rate" if own.export_rule.value == "net_metering" else "its export rate"


def classes_set_aside(scenario: Scenario, compared: tuple[str, str] | None = None) -> Messages:
    """A sentence on rate classes that do not hold; none where they do.

    Parameters
    ----------
    compared
        Names of the tariffs A and B that everybody has, one after the other; without them there is one.
    """
    if not scenario.rate_classes or scenario.rate_classes_in_force:
        return ()
    tariff, mend = f"tariff {scenario.selected_tariff}", "--tariff CLASS=NAME changes one class alone"
    if compared is not None:
        tariff = f"tariff {compared[0]} under A and tariff {compared[1]} under B"
        mend = "A and B are for everybody"
    classes = _listed([*scenario.rate_classes], "and")
    return (f"rate_classes_in_force = false: everybody has {tariff}, and {classes} of rate_classes set aside; {mend}.",)


def _capped_shares(scenario: Scenario) -> Iterator[str]:
    """Shares that a scale would lift above everybody."""
    for scale, share, whom in SCALED_SHARES:
        factor = getattr(scenario, scale)
        capped = [name for name, group in scenario.income_groups.items() if factor * getattr(group, share) > 1]
        if capped:
            yield f"{scale} = {factor:g}: the share {whom} is capped at 1 in income group {_listed(capped, 'and')}."


def _calendar(scenario: Scenario) -> Iterator[str]:
    """How the calendar enters the weather's chain."""
    calendar = scenario.calendar
    if calendar is not None:
        yield (
            f"calendar: {len(scenario.day_types)} day types follow one another at random, as often as in"
            f" {calendar.first_year} to {calendar.last_year}; how long a season or weekend lasts is right on average."
        )
        if calendar.year is not None:
            yield (
                f"calendar.year = {calendar.year}: a market lives the {len(calendar.year_kinds())} days of that year"
                " from 1 January on, weekends and holidays in their places, and only the weather is drawn."
            )


def _unused_seasons(scenario: Scenario) -> Iterator[str]:
    """Seasons of the tariff in force that no day of the scenario has."""
    tariff = scenario.tariffs[scenario.selected_tariff]
    days = (*scenario.day_types, *scenario.seasons)
    for key, form in (
        ("energy_usd_per_kwh", tariff.energy_usd_per_kwh),
        ("export.usd_per_kwh", tariff.export.usd_per_kwh),
    ):
        names = [name for name in unused_seasons(form, days) if name not in tariff.periods]
        if names:
            yield f"tariff.{key}: no day is in season {_listed(names, 'or')}; what is given there is not used."


def _lost_power(scenario: Scenario) -> Iterator[str]:
    """Battery power that the grid of levels does not hold."""
    stores = {t.levels_key: t.storage for t in technologies_owned(scenario) if t.storage}
    for key, of_scenario in stores.items():
        yield from _lost_by(key, of_scenario(scenario), scenario.slot_hours)


def _lost_by(key: str, battery: Battery, hours: float) -> Iterator[str]:
    """Power of one battery that its levels do not hold."""
    if keeps_power(battery, hours):
        return
    charge, discharge = (
        f"{reached:.3g} of {attainable:.3g} kW"
        for reached, attainable in zip(reached_kw(battery, hours), attainable_kw(battery, hours), strict=True)
    )
    better = nearest_levels(battery, hours, most=int(BATTERY_LEVELS.high))
    remedy = f"no number of levels up to {int(BATTERY_LEVELS.high)} does better than 98 %"
    if better is not None:
        now = reached_kw(replace(battery, levels=better), hours)
        reached = f"{now[0]:.3g} kW" if battery.charges_only else f"{now[0]:.3g} and {now[1]:.3g} kW"
        remedy = f"{better} levels would reach {reached}"
    both = f"charging reaches {charge}" + ("" if battery.charges_only else f" and discharging {discharge}")
    yield f"{key} = {battery.levels}: {both}; {remedy}."


def _listed(names: Sequence[str], word: str) -> str:
    """Names as a sentence lists them."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"
