"""How simulated households come to their policies, and what they learn from a day."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol, runtime_checkable

import numpy as np

from meanwatt.agents.behaviour.offer import Offer
from meanwatt.agents.household.best_response import Response, best_response
from meanwatt.agents.household.decision_problem import DecisionProblem
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.rates import Rates, same_rates
from meanwatt.agents.tariff.tariff import rates


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DaySeen:
    """What everybody knows once a day is over.

    Attributes
    ----------
    day, common_state
        Number of the day, from 0, and its common state.
    wholesale_usd_per_kwh : (slot,)
        The realised wholesale price. [USD/kWh]
    net_load_kw : (slot,)
        The realised mean net load per household. [kW]
    rates : Rates or None
        The import and export rate of its slots, (1, slot), before discounts; the market always gives them.
    """

    __repr__ = short_repr

    day: int
    common_state: int
    wholesale_usd_per_kwh: Floats
    net_load_kw: Floats
    rates: Rates | None = None


@runtime_checkable
class Behaviour(Protocol):
    """What the market asks of its households' way of deciding.

    ``policies`` may change only inside ``learn``, and must then be another object: the market prepares a sequence of
    policies once and recognises it by identity.
    """

    @property
    def name(self) -> str:
        """What to call it."""

    @property
    def policies(self) -> Sequence[PolicyTable]:
        """Policy of each household type, in force now."""

    def learn(self, seen: DaySeen) -> None:
        """Take in the day that is over."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Situation:
    """What one household knows when it chooses its move for a slot. Arrays are read-only.

    Attributes
    ----------
    day, common_state, slot
        Where in time: number of the day from 0, index of its common state, slot of the day.
    level, shock
        Its own state: charge of its battery in levels from 0 (empty), state of its load.
    moves : (j,) int
        Level changes that are open to it: they keep it on the grid and within the power limit. Ascending; negative
        discharges, 0 stands still, positive charges. Without a battery: [0].
    net_load_kw : (j,)
        Net load that goes with each of them; negative is sold. [kW]
    planned_move
        What the policy in force, with the household's own draw, would do.
    levels
        Number of levels of its battery; 1 without.
    draw
        A random number of its own for this slot, uniform in [0, 1): the same in every run with the same key.
    import_usd_per_kwh, export_usd_per_kwh : (slot,)
        The rates that it expects of the day's slots, its discount applied: those the tariff makes of the wholesale
        prices that came on the last day of the same common state, at first of those of reference demand. Exact where
        the tariff passes no wholesale price on. [USD/kWh]
    """

    __repr__ = short_repr

    day: int
    common_state: int
    slot: int
    level: int
    shock: int
    moves: Ints
    net_load_kw: Floats
    planned_move: int
    levels: int = 1
    draw: float = 0.0
    import_usd_per_kwh: Floats = field(default_factory=lambda: np.zeros(0))
    export_usd_per_kwh: Floats = field(default_factory=lambda: np.zeros(0))

    @property
    def charge(self) -> float:
        """State of charge in [0, 1]; 0 without a battery."""
        return self.level / max(self.levels - 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DayLived:
    """What one household knows of its own day once the bill has come. Arrays are (slot,) and read-only.

    Attributes
    ----------
    day, common_state
        Which day.
    level, shock, move : int
        Its charge and shock at the beginning of each slot, and what it did.
    net_load_kw
        Metered net load; negative is sold. [kW]
    import_usd_per_kwh, export_usd_per_kwh
        Rates on the bill, its discount applied. [USD/kWh]
    payment_usd
        What each slot cost, negative what it earned; without standing charges. [USD]
    bill_usd
        The day's bill, standing charges included. [USD]
    """

    __repr__ = short_repr

    day: int
    common_state: int
    level: Ints
    shock: Ints
    move: Ints
    net_load_kw: Floats
    import_usd_per_kwh: Floats
    export_usd_per_kwh: Floats
    payment_usd: Floats
    bill_usd: float


class Strategy(Protocol):
    """One household that decides for itself: a student's idea, a human player, a learner.

    Each household has an object of its own. It may also have a method ``learn(lived: DayLived) -> None``, called after
    every day. ``meanwatt.model.market.strategy_check.check_strategy`` tells what is wrong with one.
    """

    def move(self, situation: Situation) -> int:
        """Choose one of ``situation.moves``."""


class FixedBehaviour:
    """Households that are given their policies and keep them, such as those of the mean-field equilibrium.

    Parameters
    ----------
    policies
        One per household type.
    name
        What to call it.
    """

    def __init__(self, policies: Sequence[PolicyTable], *, name: str = "equilibrium") -> None:
        self.name = name
        self.policies: Sequence[PolicyTable] = tuple(policies)

    def learn(self, seen: DaySeen) -> None:
        """Learn nothing."""


class Stagger(NamedTuple):
    """On which days new policies answer what was learned: those ≡ ``phase`` modulo ``every``."""

    every: int = 1
    phase: int = 0

    def due(self, day: int) -> bool:
        """Whether this is one of them."""
        return (day - self.phase) % self.every == 0


EVERY_DAY: Final = Stagger()


class BeliefBehaviour:
    """Belief learning: respond to the prices one believes in, then move the belief towards those that came.

    All households see the same prices, so they share one belief λ[c, h]. After day t in common state c

        λ[c] ← λ[c] + δ0 (t + 1)^(−1/2) (realised λ − λ[c]),

    and the belief about other states stays. The responses are exact best responses at the scenario's temperature to
    the rates that the tariff makes of the belief.

    Parameters
    ----------
    types
        Household types.
    offer
        The tariff posted, and its volumetric adder.
    today : (c,)
        Day type of each common state.
    problem
        Chances and preferences.
    belief_usd_per_kwh : (c, h)
        The wholesale price believed in before the first day. [USD/kWh]
    first_step
        δ0 in (0, 1].
    stagger
        The belief moves every day; it is answered with new policies on these.
    name
        What to call it.

    References
    ----------
    Z. Feng, A. L. Liu, arXiv 2503.07984: households that learn the price from what they see of it.
    """

    def __init__(
        self,
        *,
        types: Sequence[HouseholdType],
        offer: Offer,
        today: Ints,
        problem: DecisionProblem,
        belief_usd_per_kwh: Floats,
        first_step: float = 0.5,
        stagger: Stagger = EVERY_DAY,
        name: str = "belief",
    ) -> None:
        if not 0 < first_step <= 1:
            raise ValueError(f"first_step is {first_step}; give a number in (0, 1]")
        if stagger.every < 1:
            raise ValueError(f"stagger.every is {stagger.every}; give a whole number of at least 1")
        self.name = name
        self.stagger = stagger
        self.types = tuple(types)
        self.tariff, self.adder_usd_per_kwh = offer.tariff, offer.adder_usd_per_kwh
        self.today = today
        self.problem = problem
        self.first_step = first_step
        self.belief_usd_per_kwh: Floats = np.array(belief_usd_per_kwh)
        self._responses: tuple[Response, ...] | None = None
        self._posted: Rates | None = None
        self.policies: Sequence[PolicyTable] = ()
        self._respond()

    def learn(self, seen: DaySeen) -> None:
        """Move the belief about today's common state towards today's prices; respond to it if tomorrow is due."""
        step = self.first_step / np.sqrt(seen.day + 1)
        belief = self.belief_usd_per_kwh[seen.common_state]
        belief += step * (seen.wholesale_usd_per_kwh - belief)
        if self.stagger.due(seen.day + 1):
            self._respond()

    def observe_offer(self, offer: Offer) -> None:
        """Respond to the belief under another tariff, at once whatever the stagger; the same one brings nothing new."""
        if offer.tariff is self.tariff and offer.adder_usd_per_kwh == self.adder_usd_per_kwh:
            return
        if not offer.tariff.same_for_payers(self.tariff):
            self._posted = None  # the same rates mean other things to a group whose discount has changed
        self.tariff, self.adder_usd_per_kwh = offer.tariff, offer.adder_usd_per_kwh
        self._respond()

    def _respond(self) -> None:
        posted = rates(self.tariff, self.today, self.belief_usd_per_kwh, self.adder_usd_per_kwh)
        if self._posted and same_rates(posted, self._posted):
            return
        before, self._posted = self._responses, posted
        self._responses = tuple(
            best_response(
                household,
                self.tariff.own_rates(posted, household),
                self.problem,
                start=before[type_index] if before else None,
            )
            for type_index, household in enumerate(self.types)
        )
        self.policies = tuple(response.policy for response in self._responses)
