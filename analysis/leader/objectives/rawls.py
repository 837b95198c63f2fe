"""Rawls: a tariff is as good as it is to the income group that it burdens most."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from meanwatt.analysis.leader.objective import Metered, Objective

if TYPE_CHECKING:
    from meanwatt.analysis.leader.metered_change import MeteredChange
    from meanwatt.analysis.leader.tariff_effects import TariffEffects


class Rawls(Objective):
    """J = −max_g EEI_g, the highest energy burden (net bills over income) of an income group; revenue ≥ cost.

    It is a difference principle in burdens: of what the tariff is worth beyond the bill it knows nothing.
    """

    called = "the Rawlsian leader"
    maximises = "minus the highest energy burden of an income group"
    unit = "share of income"
    key = "share_of_income"
    pareto = True

    def value(self, effects: "TariffEffects", weights: Mapping[str, float]) -> float:
        """Minus the highest burden. [-]"""
        return -max(burden for burden in effects.metrics.burden.values() if burden is not None)

    def metered(self, change: "MeteredChange", weights: Mapping[str, float]) -> Metered:
        """The same: bills are metered, and mean incomes of groups are public. [-]"""
        return Metered(value=-float(change.burden().max()))


OBJECTIVE = Rawls()
