"""What a tariff does, as far as a leader may value it: at an equilibrium of the mean field, or in a market."""

from functools import cached_property
from typing import Protocol

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.metrics.metrics import Metrics
from meanwatt.analysis.output.solution_json import equilibrium_metrics
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.scenario.economy import Economy


class TariffEffects(Protocol):
    """What an objective is given to value a tariff by. Money is USD per household-day."""

    @property
    def economy(self) -> Economy:
        """Where: groups, their shares and incomes."""

    @property
    def metrics(self) -> Metrics:
        """Efficiency, equity and stability."""

    @property
    def surplus_usd_per_household_day(self) -> float:
        """Revenue less the cost of energy and network."""

    @property
    def household_surplus_usd_per_day(self) -> Floats:
        """Utility of use − wear − net bill of the mean household of each income group; nan of an empty one. (group,)"""


class EquilibriumEffects:
    """What a tariff does in the mean field, at its equilibrium or beside it to first order."""

    def __init__(self, found: Equilibrium) -> None:
        self._found = found

    @property
    def economy(self) -> Economy:
        """Where the equilibrium is."""
        return self._found.economy

    @cached_property
    def metrics(self) -> Metrics:
        """Efficiency, equity and stability."""
        return equilibrium_metrics(self._found)

    @property
    def surplus_usd_per_household_day(self) -> float:
        """Revenue less the cost of energy and network."""
        return self._found.surplus_usd_per_household_day

    @property
    def household_surplus_usd_per_day(self) -> Floats:
        """Utility of use − wear − net bill of the mean household of each income group. (group,)"""
        found, answer = self._found, self._found.answer
        own = answer.utility_usd_per_day - answer.wear_usd_per_day - found.bill_usd_per_day
        group, groups = [t.group for t in found.economy.types], len(found.economy.groups)
        share = np.bincount(group, weights=found.economy.type_share, minlength=groups)
        total = np.bincount(group, weights=found.economy.type_share * own, minlength=groups)
        return np.asarray(np.divide(total, share, out=np.full(groups, np.nan), where=share > 0))


class MarketEffects:
    """What a tariff does in a simulated market, over all its days."""

    def __init__(self, economy: Economy, metrics: Metrics) -> None:
        self._economy, self._metrics = economy, metrics

    @property
    def economy(self) -> Economy:
        """Where the market is."""
        return self._economy

    @property
    def metrics(self) -> Metrics:
        """Efficiency, equity and stability."""
        return self._metrics

    @property
    def surplus_usd_per_household_day(self) -> float:
        """Revenue less the cost of energy and network."""
        return self._metrics.surplus_usd_per_household_day

    @property
    def household_surplus_usd_per_day(self) -> Floats:
        """ValueError: a market measures the utility of use of all households together."""
        raise ValueError(
            "a simulated market does not tell the utility of use by income group; value the tariff at its equilibrium"
        )
