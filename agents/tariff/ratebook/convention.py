"""Where tariff books and NREL's System Advisor Model (SAM) bill differently."""

from dataclasses import dataclass, fields
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """How a bill is drawn up where the two differ; as it stands, as tariff books say.

    Parameters
    ----------
    even_months
        Charges by day and year are a twelfth of 365 days in every month, not the days of the month.
    minimum_after_credits
        A minimum charge is what the bill after credits, at least 0, lacks of it, and is added to it; in tariff books
        it is what the charges before credits lack.
    surplus_by_clock
        A surplus of kWh goes to the period that the next month has at midnight, 5, 11 or 17 o'clock of a weekday, the
        first of these hours at which the surplus's own period is in force, and is lost where there is none; in tariff
        books it goes to the same period, or if the next month has not got it, to the one at the same hour.
    negative_lost
        Energy charges below 0 (from negative rates) are 0 where kWh are netted, and a negative credit (from negative
        sell rates) is lost at the true-up; in tariff books both are settled.
    """

    even_months: bool = False
    minimum_after_credits: bool = False
    surplus_by_clock: bool = False
    negative_lost: bool = False


TARIFF_BOOK: Final = Convention()
"""As tariff books say."""
SAM: Final = Convention(**{one.name: True for one in fields(Convention)})
"""As PySAM 7.1.1 (nrel-pysam, ``Utilityrate5``) bills, but for its defects."""
