"""Tables of days that all markets of one equilibrium share: what households do is the same in each of them."""

from collections.abc import Sequence
from typing import Final
from weakref import WeakKeyDictionary

from meanwatt.agents.behaviour.cohorts import Cohort
from meanwatt.model.market.day_tables import TablesKept
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.scenario.economy import Economy

TABLES_KEPT: Final = 16
"""Common states whose tables are kept while the policies do not change; they are quick to make and may be large."""

_SHARED: Final[WeakKeyDictionary[Equilibrium, TablesKept]] = WeakKeyDictionary()


def tables_kept(economy: Economy, cohorts: Sequence[Cohort], followed: Equilibrium | None) -> TablesKept:
    """Tables for a market's days: those of an equilibrium that everybody follows for good, or else its own.

    Parameters
    ----------
    followed
        The equilibrium that the market was given; None where its tariff may change.
    """
    own = TablesKept(
        levels=[household.levels for household in economy.types for _ in cohorts],
        shock_kernel=economy.shock_kernel,
        slot_hours=economy.slot_hours,
        most=TABLES_KEPT,
    )
    if followed is None or len(cohorts) != 1:
        return own
    policies, theirs = cohorts[0].behaviour.policies, followed.policies
    if len(policies) != len(theirs) or any(one is not other for one, other in zip(policies, theirs, strict=True)):
        return own
    return _SHARED.setdefault(followed, own)
