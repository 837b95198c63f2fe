"""A leader who learns inside one running market: what it is told, and how well it did."""

from typing import Any, Final

import numpy as np

from meanwatt.agents.behaviour.offer import Offer
from meanwatt.agents.leader.learning_leader import LearningLeader, Round, Score
from meanwatt.agents.leader.meter import MeterReading
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.analysis.learning.books import Balance, BooksKind, MeteredBooks
from meanwatt.analysis.learning.environment import DAYS_IN_FORCE, metered_reading
from meanwatt.analysis.learning.menus import Menu
from meanwatt.analysis.learning.meter import MeteredObjective
from meanwatt.analysis.output.strict_json import plain
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.scenario.counted import counted
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.envelopes import limits_load
from meanwatt.model.scenario.messages import Messages

ROUND_DAYS: Final = 30
"""Days of a round by default."""


def metered_score(economy: Economy, aims: LeaderSpec, before: MeterReading) -> Score:
    """What a leader is told of a tariff: its objective by the meters, beside the tariff in force.

    A tariff metered only in weather that never came under the tariff in force scores nothing.

    Parameters
    ----------
    economy
        Read for what is public alone, see `meanwatt.analysis.leader.metered_change.MeteredChange`.
    before
        The reading of the tariff in force.
    """
    objective = MeteredObjective(economy, aims, before)
    known = np.unique(before.common_state)

    def score(reading: MeterReading) -> float | None:
        if not np.isin(reading.common_state, known).any():
            return None
        return objective.estimate(reading).score

    return score


def learning_leader(
    menu: Menu,
    in_force: Equilibrium,
    *,
    households: int,
    seed: int,
    round_days: int = ROUND_DAYS,
    books: BooksKind = BooksKind.ACCOUNT,
) -> LearningLeader:
    """A leader of a market of ``households`` who learns a menu from meters alone.

    The tariff in force was metered for ``DAYS_IN_FORCE`` days in a market of as many households, before the first
    round.

    Parameters
    ----------
    menu
        Solved for its judge; the leader uses its tariffs alone.
    in_force
        Equilibrium at the tariff in force before the first day.
    seed
        Key of its draws, and of the year before.
    books
        Who balances the books: the leader, by its meters, or the solved model.
    """
    before = metered_reading(in_force, households=households, days=DAYS_IN_FORCE, key=(seed, DAYS_IN_FORCE))
    return LearningLeader(
        menu.tariffs,
        metered_score(in_force.economy, menu.aims, before),
        books=MeteredBooks(in_force.economy, before) if books is BooksKind.ACCOUNT else None,
        round_days=round_days,
        state=menu.state,
        compose=menu.compose,
        rng=seed,
    )


def recommended(leader: LearningLeader) -> tuple[int, ...] | None:
    """The element of the highest Q in each state; None before every state has learned something."""
    values = leader.learner.value_usd
    if np.isnan(values).all(axis=1).any():
        return None
    return tuple(int(k) for k in np.nanargmax(values, axis=1))


def leader_json(leader: LearningLeader, menu: Menu) -> dict[str, Any]:
    """The object ``leader`` of ``simulate --json``; values in the unit of the objective, which ends their names."""
    learner, chosen, unit = leader.learner, recommended(leader), menu.aims.definition.key
    common = menu.economy.common
    states = range(int(menu.state.max()) + 1)
    days = [sorted({common.day_types[d] for d in common.today[menu.state == s]}) for s in states]
    return {
        "leader": menu.aims.leader,
        "round_days": leader.round_days,
        "states": days if len(states) > 1 else ["all"],
        "menu": menu.names,
        f"worth_{unit}": menu.worth_usd,
        "best": _names(menu, menu.best),
        "recommended": None if chosen is None else _names(menu, chosen),
        f"regret_{unit}": None if chosen is None else menu.regret_usd(chosen),
        f"mean_regret_{unit}": mean_regret_usd(leader, menu),
        "learned_is": menu.aims.definition.metered_as,
        f"learned_{unit}": plain(learner.value_usd),
        "learned_days": learner.days,
        "posted_tariff": [menu.names[k] for k in leader.posted],
        "books": books_json(leader),
        "rounds": [_round_json(one, menu) for one in leader.rounds],
    }


def books_json(leader: LearningLeader) -> dict[str, Any]:
    """The object ``books``: who balances them, and how far they were out."""
    if isinstance(leader.books, MeteredBooks):
        return leader.books.balance.to_json(BooksKind.ACCOUNT)
    return Balance().to_json(BooksKind.MODEL)


def mean_regret_usd(leader: LearningLeader, menu: Menu) -> float | None:
    """Mean over the rounds that are over of the regret of what was posted. [USD per household-day]"""
    lost = [menu.regret_usd(one.choice) for one in leader.rounds]
    return float(np.mean(lost)) if lost else None


def leader_messages(leader: LearningLeader, menu: Menu) -> Messages:
    """What is to be known of a menu, and what a leader did not get to in the days there were, a sentence each."""
    known = menu.messages
    if limits_load(menu.economy.types):
        known = (
            *known,
            "feeder.envelopes: homes keep within them under every tariff; envelopes tells of that in force.",
        )
    if not leader.rounds:
        return (
            *known,
            f"The leader learned nothing: no round of {counted(leader.round_days, 'day')} was over after"
            f" {counted(len(leader.posted), 'day')}.",
        )
    untried = np.isnan(leader.learner.value_usd).any(axis=0)
    if untried.any():
        names = ", ".join(np.array(menu.names)[untried])
        untold = f"The leader never posted some of its menu in every state, and knows nothing of it there: {names}."
        return (*known, untold)
    return known


def leader_tables(leader: LearningLeader, menu: Menu) -> dict[str, dict[str, Any]]:
    """Tables for a result directory: the tariff posted by day, and rounds by state of the leader."""
    unit = menu.aims.definition.key
    pairs = [(one, s) for one in leader.rounds for s in range(len(one.choice))]
    return {
        "leader_days": {
            "day": list(range(len(leader.posted))),
            "tariff": [menu.names[k] for k in leader.posted],
        },
        "leader_rounds": {
            "round": [one.number for one, _ in pairs],
            "first_day": [one.first_day for one, _ in pairs],
            "state": [s for _, s in pairs],
            "tariff": [menu.names[one.choice[s]] for one, s in pairs],
            "temperature_usd": [plain(one.temperature_usd[s]) for one, s in pairs],
            f"metered_{unit}": [plain(one.metered_usd[s]) for one, s in pairs],
            f"regret_{unit}": [menu.regret_usd(one.choice) for one, _ in pairs],
            **({} if leader.books is None else {"balance_usd_per_household": [one.balance_usd for one, _ in pairs]}),
        },
    }


def _round_json(one: Round, menu: Menu) -> dict[str, Any]:
    unit = menu.aims.definition.key
    return {
        "round": one.number,
        "first_day": one.first_day,
        "tariff": _names(menu, one.choice),
        "temperature_usd": plain(one.temperature_usd),
        f"metered_{unit}": plain(one.metered_usd),
        f"regret_{unit}": menu.regret_usd(one.choice),
        "adder_usd_per_kwh": None if one.offer is None else one.offer.adder_usd_per_kwh,
        "fixed_charge_usd_per_day": None if one.offer is None else _by_group(menu, one.offer, 0),
        "rate_classes": [
            {
                "name": name,
                "bill_usd_per_day": plain(bill),
                "fixed_charge_usd_per_day": None if one.offer is None else _by_group(menu, one.offer, place),
            }
            for place, (name, bill) in enumerate(one.class_bill_usd_per_day.items())
        ],
        "balance_usd_per_household": one.balance_usd,
    }


def _by_group(menu: Menu, offer: Offer, place: int) -> dict[str, float]:
    """Fixed charges of a rate class, by income group. [USD/day]"""
    groups = menu.economy.groups
    charges = offer.fixed_charge_usd_per_day[place * len(groups) :][: len(groups)]
    return dict(zip(groups, charges.tolist(), strict=True))


def _names(menu: Menu, choice: Any) -> list[str]:
    return [menu.names[int(k)] for k in choice]
