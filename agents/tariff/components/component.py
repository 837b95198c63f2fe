"""A component of a tariff whose amount depends on the month, on prices or on what others pay.

Unlike a standing charge (`standing_charge.py`) it is not known before households have answered: how it enters what they
decide is an approximation, named in every result, and bills are exact
(`meanwatt.model.market.component_bills`).
"""

from typing import Any, ClassVar, Final

DAYS_PER_MONTH: Final = 365 / 12
"""Length of the month that limits, demand charges and minimum bills are for. [days]"""


class Component:
    """A component of a tariff beside its rates and its standing charges.

    Attributes
    ----------
    name
        Its table in a tariff file, ``[tariffs.NAME.<name>]``, and the beginning of the names of its numbers.
    """

    name: ClassVar[str]

    def to_table(self) -> dict[str, Any]:
        """Its table in the words of a tariff file."""
        raise NotImplementedError
