"""The utility: its own margin, under a cap on the import rate."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from meanwatt.analysis.leader.objective import CAP_OVER_REFERENCE, Metered, Objective

if TYPE_CHECKING:
    from meanwatt.analysis.leader.metered_change import MeteredChange
    from meanwatt.analysis.leader.tariff_effects import TariffEffects


class Utility(Objective):
    """J = revenue − cost, subject to every r⁺ ≤ cap; it posts its fixed charge itself."""

    called = "the utility"
    maximises = "its margin, revenue less cost"
    recovers_cost = False
    cap_over_reference = CAP_OVER_REFERENCE

    def value(self, effects: "TariffEffects", weights: Mapping[str, float]) -> float:
        """Revenue less the cost of energy and network. [USD per household-day]"""
        return effects.surplus_usd_per_household_day

    def metered(self, change: "MeteredChange", weights: Mapping[str, float]) -> Metered:
        """The same, which is all money. [USD per household-day]"""
        return Metered(value=change.margin_usd_per_day())


OBJECTIVE = Utility()
