"""The commission: welfare less a penalty on the burden gap and one on price volatility."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from meanwatt.analysis.leader.objective import WELFARE_GAIN, Metered, Objective

if TYPE_CHECKING:
    from meanwatt.analysis.leader.metered_change import MeteredChange
    from meanwatt.analysis.leader.tariff_effects import TariffEffects


class Commission(Objective):
    """J = W − equity·(max_g EEI_g − min_g EEI_g) − stability·IMV, subject to revenue ≥ cost.

    Weights are in USD per household-day per unit of burden and per USD/kWh.
    """

    called = "the commission"
    maximises = "welfare less penalties on burden gap and price volatility"
    metered_as = WELFARE_GAIN
    weights: ClassVar[Mapping[str, float]] = {"equity": 1.0, "stability": 0.0}
    never_above_welfare = True
    pareto = True

    def value(self, effects: "TariffEffects", weights: Mapping[str, float]) -> float:
        """Welfare less penalties. [USD per household-day]"""
        metrics = effects.metrics
        volatility = 0.0 if metrics.imv is None else metrics.imv
        gap = weights["equity"] * metrics.burden_gap
        return metrics.welfare_usd_per_household_day - gap - weights["stability"] * volatility

    def metered(self, change: "MeteredChange", weights: Mapping[str, float]) -> Metered:
        """Welfare gained over the tariff in force, by the rule of a half, less penalties. [USD per household-day]"""
        welfare, half_width = change.welfare_gain()
        value = welfare - weights["equity"] * change.burden_gap() - weights["stability"] * change.volatility()
        return Metered(value=value, half_width=half_width)


OBJECTIVE = Commission()
