"""The constrained commission: welfare, with a limit on the burden gap and one on price volatility.

Maximising one criterion under limits on the others is the ε-constraint method [1]_. With the tariff in force as the
limit it asks for a reform that makes nothing worse. Limits are kept by an exact penalty [2]_: a learner needs a value
of a tariff that breaks them, too.

References
----------
.. [1] Y. Haimes, L. Lasdon, D. Wismer, "On a bicriterion formulation of the problems of integrated system
   identification and system optimization", IEEE Transactions on Systems, Man, and Cybernetics SMC-1(3), 296–297, 1971.
.. [2] S.-P. Han, O. Mangasarian, "Exact penalty functions in nonlinear programming", Mathematical Programming 17,
   251–269, 1979.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Final

from meanwatt.analysis.leader.objective import WELFARE_GAIN, Metered, Objective
from meanwatt.model.scenario.messages import Messages

if TYPE_CHECKING:
    from meanwatt.analysis.leader.metered_change import MeteredChange
    from meanwatt.analysis.leader.tariff_effects import TariffEffects

BURDEN_PRICE: Final = 100.0
"""Price of burden gap above its limit: a percent of income costs 1 USD per household-day. [USD per household-day]"""
VOLATILITY_PRICE: Final = 1000.0
"""Price of IMV above its limit: 0.001 USD/kWh cost 1 USD per household-day. [USD per household-day per USD/kWh]"""

BROKEN: Final = 1e-6
"""Excess over a limit below which it counts as met."""


class Constrained(Objective):
    """J = W − 100·max(0, burden gap − its limit) − 1000·max(0, IMV − its limit), subject to revenue ≥ cost.

    Limits are in shares of income and USD/kWh. One that nobody gave is 0: as small as can be.
    """

    called = "the constrained commission"
    maximises = "welfare within limits on burden gap and price volatility"
    metered_as = WELFARE_GAIN
    weights: ClassVar[Mapping[str, float]] = {"burden_gap_limit": 0.0, "imv_limit": 0.0}
    never_above_welfare = True

    def value(self, effects: "TariffEffects", weights: Mapping[str, float]) -> float:
        """Welfare less what breaks the limits. [USD per household-day]"""
        metrics = effects.metrics
        volatility = 0.0 if metrics.imv is None else metrics.imv
        return metrics.welfare_usd_per_household_day - _excess(metrics.burden_gap, volatility, weights)

    def remarks(self, effects: "TariffEffects", weights: Mapping[str, float]) -> Messages:
        """Name the limits that are broken, and what that costs in the objective."""
        metrics = effects.metrics
        broken = []
        if metrics.burden_gap > weights["burden_gap_limit"] + BROKEN:
            broken.append(f"a burden gap of {metrics.burden_gap:.4g} exceeds {_limit(weights, 'burden_gap_limit')}")
        if metrics.imv is not None and metrics.imv > weights["imv_limit"] + BROKEN:
            broken.append(f"an IMV of {metrics.imv:.4g} USD/kWh exceeds {_limit(weights, 'imv_limit')}")
        if not broken:
            return ()
        paid = _excess(metrics.burden_gap, metrics.imv or 0.0, weights)
        return (
            f"The tariff breaks what it was limited to: {' and '.join(broken)}; {paid:.4g} USD per household-day of the"
            " objective is the penalty for it.",
        )

    def metered(self, change: "MeteredChange", weights: Mapping[str, float]) -> Metered:
        """Welfare gained over the tariff in force, by the rule of a half, less the same. [USD per household-day]"""
        welfare, half_width = change.welfare_gain()
        return Metered(
            value=welfare - _excess(change.burden_gap(), change.volatility(), weights), half_width=half_width
        )


def _excess(burden_gap: float, volatility: float, limits: Mapping[str, float]) -> float:
    """What breaks the limits costs. [USD per household-day]"""
    broken = BURDEN_PRICE * max(0.0, burden_gap - limits["burden_gap_limit"])
    return broken + VOLATILITY_PRICE * max(0.0, volatility - limits["imv_limit"])


def _limit(limits: Mapping[str, float], name: str) -> str:
    return f"{name} = {limits[name]:g}"


OBJECTIVE = Constrained()
