"""Behaviours side by side: cohorts of one population, each with a share and a way of deciding."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from meanwatt.agents.behaviour.offer import Offer
from meanwatt.agents.behaviour.protocol import Behaviour, DaySeen, Strategy
from meanwatt.agents.behaviour.tariff_follower import FollowsTariff
from meanwatt.agents.household.policy_table import PolicyTable


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cohort:
    """Households of every type that decide in one way.

    Attributes
    ----------
    share
        Share of every household type, in (0, 1].
    behaviour
        What gives them their policies and learns with them. ``cohort.behaviour.policies[θ]`` is the policy table in
        force of type θ; a belief learner's ``cohort.behaviour.belief_usd_per_kwh`` its belief (c, h).
    strategy
        Makes the strategy of each of its households, which then decide one by one; None where the policies decide.
    """

    share: float
    behaviour: Behaviour
    strategy: Callable[[], Strategy] | None = None

    @property
    def name(self) -> str:
        """Name of the behaviour; several cohorts may share it."""
        return self.behaviour.name


class Mixture:
    """Several cohorts as one behaviour of the market.

    ``policies`` has one entry for each class, type by type and within a type cohort by cohort, as the population is
    ordered. It is another object only after a cohort has changed its policies.

    Parameters
    ----------
    cohorts
        At least one; their shares sum to one.
    """

    def __init__(self, cohorts: Sequence[Cohort]) -> None:
        self.cohorts = tuple(cohorts)
        self._parts: tuple[Sequence[PolicyTable], ...] = ()
        self._policies: tuple[PolicyTable, ...] = ()

    @property
    def name(self) -> str:
        """Behaviours and their shares, e.g. ``equilibrium=0.5,belief=0.5``."""
        total: dict[str, float] = {}
        for cohort in self.cohorts:
            total[cohort.name] = total.get(cohort.name, 0.0) + cohort.share
        return ",".join(f"{name}={share:.6g}" for name, share in total.items())

    @property
    def policies(self) -> Sequence[PolicyTable]:
        """Policy of each class, in force now."""
        parts = tuple(cohort.behaviour.policies for cohort in self.cohorts)
        if len(parts) != len(self._parts) or any(a is not b for a, b in zip(parts, self._parts, strict=True)):
            self._parts = parts
            self._policies = tuple(policy for of_type in zip(*parts, strict=True) for policy in of_type)
        return self._policies

    def observe_offer(self, offer: Offer) -> None:
        """Let every cohort that can answer the tariff of the day that begins."""
        for cohort in self.cohorts:
            if isinstance(cohort.behaviour, FollowsTariff):
                cohort.behaviour.observe_offer(offer)

    def learn(self, seen: DaySeen) -> None:
        """Let every cohort take in the day that is over."""
        for cohort in self.cohorts:
            cohort.behaviour.learn(seen)


class Follower:
    """Households who go by what others learn: in several parts of one market everybody sees the same prices.

    Parameters
    ----------
    first
        The behaviour that does learn.
    """

    def __init__(self, first: Behaviour) -> None:
        self._first = first

    @property
    def name(self) -> str:
        """What the others are called."""
        return self._first.name

    @property
    def policies(self) -> Sequence[PolicyTable]:
        """What the others go by now."""
        return self._first.policies

    def learn(self, seen: DaySeen) -> None:
        """Learn nothing; the others do."""
