"""What every objective of a leader states about itself.

Objectives are the modules of `meanwatt.analysis.leader.objectives`. To add one, put a file there that defines
``OBJECTIVE``; nothing else has to know it (docs/how_to/extend_objective.md).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.scenario.messages import Messages

if TYPE_CHECKING:
    from meanwatt.analysis.leader.metered_change import MeteredChange
    from meanwatt.analysis.leader.tariff_effects import TariffEffects

USD: Final = "USD per household-day"
"""Unit of an objective that is money."""
CAP_OVER_REFERENCE: Final = 1.5
"""Cap on the import rate, as a multiple of the scenario's reference price, where nobody gives another."""
LEVEL: Final = "the objective's level"
GAIN: Final = "the gain over the tariff in force"
WELFARE_GAIN: Final = "the welfare gained over the tariff in force, less penalties"
"""What meters tell of an objective."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered:
    """An objective as far as meters tell it, in the objective's unit.

    Attributes
    ----------
    value
        Its level, or what it gained over the tariff in force; finite, and of the same kind for every tariff. Where the
        objective is undefined, a number below every defined one, the lower the further away that is.
    half_width
        Half the bracket of the part that is estimated and not metered.
    feasible
        Whether the objective is defined at this tariff.
    """

    value: float
    half_width: float = 0.0
    feasible: bool = True


class Objective(ABC):
    """An objective of a leader, to be maximised.

    A subclass sets the attributes and defines `value`; `metered` where meters show it; `undefined` and `shortfall` if
    it is not defined everywhere. `value` is a function of prices, loads, bills, utility, wear and charges, which a
    search differentiates along the exact derivatives of these; at a kink, such as that of a maximum over groups, it
    gets the slope of one side.

    Attributes
    ----------
    called
        Who it is, as messages say it.
    maximises
        The objective in a few words, with the sign that makes it large where the leader is content.
    unit, key
        Unit for people, and the words with which the names of such numbers end in JSON.
    metered_as
        What `metered` tells, in ``unit``: its level, as `value` does, or in words what else.
    recovers_cost
        Whether the fixed charge is set so that revenue covers cost; without, the leader posts it.
    weights
        Names of the weights it takes and their values unless given, each at least 0; empty: it takes none.
    cap_over_reference
        Cap on the import rate unless given, as a multiple of the scenario's reference price; None: it takes none.
    never_above_welfare
        Whether its value is at most welfare, in USD per household-day, whatever the weights: what bounds welfare
        bounds it, too, and a search over windows may leave out what cannot win.
    pareto
        Whether it weighs efficiency and equity, so that its tariff belongs beside the Pareto surface.
    """

    called: ClassVar[str]
    maximises: ClassVar[str]
    unit: ClassVar[str] = USD
    key: ClassVar[str] = "usd_per_household_day"
    metered_as: ClassVar[str] = LEVEL
    recovers_cost: ClassVar[bool] = True
    weights: ClassVar[Mapping[str, float]] = {}
    cap_over_reference: ClassVar[float | None] = None
    never_above_welfare: ClassVar[bool] = False
    pareto: ClassVar[bool] = False

    @abstractmethod
    def value(self, effects: "TariffEffects", weights: Mapping[str, float]) -> float:
        """Value what a tariff does, in ``unit``; −inf where the objective is undefined."""

    def shortfall(self, effects: "TariffEffects") -> Floats:
        """By how much what the objective needs above 0 falls short, as an array: defined where all are below 0.

        Only of an objective that is not defined everywhere. A search makes the largest small where it starts undefined.
        """
        raise NotImplementedError(self.called)

    def undefined(self, effects: "TariffEffects") -> str | None:
        """Say why the objective is undefined there; None where it is defined."""
        return None

    def remarks(self, effects: "TariffEffects", weights: Mapping[str, float]) -> Messages:
        """What people should know of the value there, a sentence each."""
        return ()

    def metered(self, change: "MeteredChange", weights: Mapping[str, float]) -> Metered:
        """Value what meters show of a tariff beside the one in force."""
        raise NotImplementedError(self.called)

    @property
    def is_defined_everywhere(self) -> bool:
        """Whether the objective has a value at every tariff."""
        return type(self).shortfall is Objective.shortfall

    @property
    def is_metered(self) -> bool:
        """Whether meters show the objective."""
        return type(self).metered is not Objective.metered

    @property
    def is_money(self) -> bool:
        """Whether the objective is in USD per household-day."""
        return self.unit == USD
