"""What a search needs of a family of tariffs that a user wrote, with one tariff for all or with rate classes."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.model.mean_field.leader.parameter_family import ParameterFamily
from meanwatt.model.mean_field.leader.window_combinations import Combination
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.tariff_file import TariffTable

if TYPE_CHECKING:
    from meanwatt.model.mean_field.leader.one_tariff_family import OwnFamily


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UserFamily(ParameterFamily):
    """Tariffs as those in force, but for keys that are free and keys that are given; the windows have their place.

    Attributes
    ----------
    windows
        Place of every window; empty where the periods of the tariffs in force stay.
    """

    windows: Combination

    @property
    @abstractmethod
    def recovery(self) -> Recovery:
        """What balances revenue and cost in every member."""

    @property
    @abstractmethod
    def in_force(self) -> Floats:
        """Free parameters as in the tariffs in force, their lower bounds where these have none. (free,)"""

    @property
    @abstractmethod
    def each_class(self) -> "dict[str, OwnFamily]":
        """The family of every rate class, by name, the default one first."""

    @abstractmethod
    def energy_usd_per_kwh(self, parameters: Mapping[str, float]) -> Floats:
        """Energy charge of every rate group, class after class, in a member whose free parameters are given by name."""

    @abstractmethod
    def of(self, household: HouseholdType) -> "OwnFamily":
        """The family of the one tariff that a household has."""

    @abstractmethod
    def tables_of(self, parameters: Floats) -> dict[str, TariffTable]:
        """The tariff of every rate class in a member, as tariff files write them, the default class's first."""

    @abstractmethod
    def at_marginal_cost(self, economy: Economy, load_kw: Floats, cost_usd_per_kwh: Floats) -> Floats:
        """Parameters whose energy charges are the load-weighted marginal costs of their slots. (free,)

        Parameters
        ----------
        load_kw, cost_usd_per_kwh : (c, h)
            Use of the average household, and the social marginal cost.
        """
