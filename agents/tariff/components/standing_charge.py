"""A charge that does not depend on use: it changes bills and what is left to recover, never what households do.

Such a charge adds nothing to a rate and has no derivative in prices: theorem A2 of docs/reference/theory.md. A module
of this folder is one (docs/how_to/extend_charge.md).
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Protocol


class Customer(Protocol):
    """What a standing charge may depend on: who the customer is, and what is connected."""

    @property
    def group(self) -> int:
        """Index of the income group."""

    @property
    def technology(self) -> str:
        """Name of what stands behind the meter."""

    @property
    def pv_installed_kw(self) -> float:
        """Rooftop solar installed. [kW]"""


class StandingCharge(ABC):
    """A charge that does not depend on use.

    Attributes
    ----------
    name
        Its table in a tariff file, ``[tariffs.NAME.<name>]``, and the beginning of the names of its numbers, such as
        ``<name>_usd_per_day``.
    """

    name: ClassVar[str]

    @abstractmethod
    def usd_per_day(self, customer: Customer) -> float:
        """What a customer pays; negative is received. [USD/day]"""

    @abstractmethod
    def to_table(self) -> dict[str, Any]:
        """Its table in the words of a tariff file."""
