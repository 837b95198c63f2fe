"""A leader: an objective with its weights, its price cap, and the tariffs that it may post."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.analysis.leader.metered_change import MeteredChange
from meanwatt.analysis.leader.objective import CAP_OVER_REFERENCE, Metered, Objective
from meanwatt.analysis.leader.registry import DEFAULT, find, those
from meanwatt.analysis.leader.tariff_effects import EquilibriumEffects, MarketEffects
from meanwatt.analysis.metrics.metrics import Metrics
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.mean_field.leader.leader_problem import LeaderProblem
from meanwatt.model.mean_field.leader.parameter_family import ParameterFamily
from meanwatt.model.mean_field.leader.tariff_family import TariffFamily, tariff_family
from meanwatt.model.mean_field.leader.user_family import UserFamily
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.messages import Messages
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.ranges import WEIGHT

Judge = Callable[[Equilibrium], float]
"""Gives a number to an equilibrium."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderSpec:
    """A leader: its objective with weights, and the highest rate it may post.

    Parameters
    ----------
    leader
        Name of its objective, one of `meanwatt.analysis.leader.registry.names`.
    weights
        Weights of the objective by name; those left out have the objective's own values.
    price_cap_usd_per_kwh
        Highest import rate allowed. [USD/kWh]
    own_family
        The tariffs that the leader may post, where a user gives them; else those of `tariff_family`.

    Raises
    ------
    ValueError
        In one line, if there is no such objective or weight, a weight is out of range, the objective is no money
        that a rate above a cap could cost, or the tariffs do not recover cost as the objective asks for.
    """

    leader: str = DEFAULT
    weights: Mapping[str, float] = field(default_factory=dict)
    price_cap_usd_per_kwh: float | None = None
    own_family: UserFamily | None = None

    def __post_init__(self) -> None:
        """Fill in the weights that were left out."""
        known = self.definition.weights
        if self.weights and not known:
            raise ValueError(
                f"leader {self.leader} takes no weights, but {' and '.join(self.weights)} came; leave them out, or give"
                f" the leader {' or '.join(those(lambda one: bool(one.weights)))}"
            )
        for name, value in self.weights.items():
            if name not in known:
                raise ValueError(f"leader {self.leader}: {unknown('weight', name, known)}")
            WEIGHT.require(value, f"weight {name}")
        if self.price_cap_usd_per_kwh is not None and not self.definition.is_money:
            raise ValueError(
                f"price_cap_usd_per_kwh goes with an objective in USD; leave it out for {self.definition.called}"
            )
        if self.own_family is not None:
            self._require_recovery(self.own_family.recovery)
        object.__setattr__(self, "weights", {**known, **self.weights})

    def _require_recovery(self, recovery: Recovery) -> None:
        """Refuse tariffs that leave a shortfall to who has to recover cost, or no margin to who lives on it."""
        definition, posted = self.definition, recovery is Recovery.POSTED
        if definition.recovers_cost and posted:
            raise ValueError(
                f"the family's recovery is posted, and {definition.called} has to recover cost; give recovery ="
                ' "fixed" or "volumetric" under [fixed], or start from a tariff that has it (--tariff)'
            )
        if not definition.recovers_cost and not posted:
            raise ValueError(
                f"the family's recovery is {recovery}, which leaves {definition.called} no margin to choose; give"
                ' recovery = "posted" under [fixed], or start from a tariff that has it (--tariff)'
            )

    @property
    def definition(self) -> Objective:
        """The objective."""
        return find(self.leader)

    @property
    def recovery(self) -> Recovery:
        """How the tariffs recover cost: by the fixed charge, or not at all, or as a user's family says."""
        if self.own_family is not None:
            return self.own_family.recovery
        return Recovery.FIXED if self.definition.recovers_cost else Recovery.POSTED

    def objective(self) -> Judge:
        """What the leader maximises, in the objective's unit."""
        definition, weights = self.definition, self.weights
        return lambda found: definition.value(EquilibriumEffects(found), weights)

    def undefined(self, found: Equilibrium) -> str | None:
        """Say why the objective is undefined at an equilibrium; None where it is defined."""
        return self.definition.undefined(EquilibriumEffects(found))

    def remarks(self, found: Equilibrium) -> Messages:
        """What people should know of the objective at an equilibrium, a sentence each."""
        return self.definition.remarks(EquilibriumEffects(found), self.weights)

    def in_market(self, economy: Economy, metrics: Metrics) -> float:
        """What the leader makes of a simulated market.

        Raises
        ------
        ValueError
            If a market does not show it.
        """
        return self.definition.value(MarketEffects(economy, metrics), self.weights)

    def metered(self, change: MeteredChange) -> Metered:
        """What the leader makes of its meters."""
        return self.definition.metered(change, self.weights)

    def require_metered(self) -> None:
        """Raise ``ValueError`` in one line where no meter shows the objective."""
        if not self.definition.is_metered:
            raise ValueError(
                f"no meter shows what {self.definition.called} wants; search with full knowledge: method commitment"
            )

    def family(self, economy: Economy, in_force: Tariff | None = None) -> ParameterFamily:
        """The tariffs that the leader may post: the user's, or `usual_family`."""
        return self.usual_family(economy, in_force) if self.own_family is None else self.own_family

    def usual_family(self, economy: Economy, in_force: Tariff | None = None) -> TariffFamily:
        """The tariffs where no user gives any; the standing charges of the one in force stay, the fixed one aside."""
        kept = () if in_force is None else in_force.standing_charges
        return tariff_family(economy, self.recovery, standing_charges=kept)

    def problem(self, economy: Economy, in_force: Tariff | None = None) -> LeaderProblem:
        """The leader's problem with full knowledge of the households; ``in_force`` as for `family`."""
        return LeaderProblem(
            economy,
            self.family(economy, in_force),
            self.objective(),
            self.violation(),
            self.definition.unit,
            self.shortfall(),
        )

    def shortfall(self) -> Callable[[Equilibrium], Floats] | None:
        """By how much what the objective needs above 0 falls short; None if it is defined everywhere."""
        definition = self.definition
        if definition.is_defined_everywhere:
            return None
        return lambda found: definition.shortfall(EquilibriumEffects(found))

    def violation(self) -> Callable[[Equilibrium], Floats] | None:
        """By how much each import rate exceeds the cap, (class, c, h) in USD/kWh; None without a cap."""
        cap = self.price_cap_usd_per_kwh
        if cap is None:
            return None
        return lambda found: np.stack([one.import_usd_per_kwh for one in found.rates.of_classes]) - cap


def leader_spec_of(
    economy: Economy,
    leader: str,
    weights: Mapping[str, float] | None = None,
    price_cap_usd_per_kwh: float | None = None,
) -> LeaderSpec:
    """Specify a leader in a scenario; a price cap that it takes and nobody gave is its own multiple."""
    multiple = find(leader).cap_over_reference
    if price_cap_usd_per_kwh is None and multiple is not None:
        price_cap_usd_per_kwh = multiple * economy.scenario.reference_price_usd_per_kwh
    return LeaderSpec(leader=leader, weights=weights or {}, price_cap_usd_per_kwh=price_cap_usd_per_kwh)


def default_price_cap_usd_per_kwh(economy: Economy) -> float:
    """The price cap of the utility where none is given: 1.5 times the reference price. [USD/kWh]"""
    return CAP_OVER_REFERENCE * economy.scenario.reference_price_usd_per_kwh
