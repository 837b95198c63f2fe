"""What became of the credits of a market's homes: earned, used, paid out, lost, and still held."""

from dataclasses import dataclass, field

from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.credit_rule import CreditRule

DAYS_PER_YEAR = 365
STOCKS = ("credit_carried_usd", "credit_carried_kwh")
"""Columns of a statement that tell what waits at a month's end; the others of its credits tell what the month did."""


@dataclass(slots=True, kw_only=True, eq=False)
class CreditRow:
    """The credits of a rate class over all months settled.

    Earned = used + paid out + forfeited + held, in dollars; earned = used + ended + held where kWh wait.

    Attributes
    ----------
    name, rule
        Of the class, or of the one tariff.
    households, days, true_ups, part_days
        Its homes, the days settled, how many true-ups they met, and how many days of a last month that did not end.
    flows
        Column of a statement → its sum over homes and months. [USD], [kWh]
    held
        `STOCKS` → what waits at the end, all homes together. [USD], [kWh]
    liability_usd
        What the utility owes for it: dollars as they stand, kWh at the import rate of their period. [USD]
    above_slotwise_usd
        What the bills of all homes came to above those that count every slot's credit at once. [USD]
    """

    __repr__ = short_repr

    name: str
    rule: CreditRule
    households: int
    days: int = 0
    true_ups: int = 0
    part_days: int = 0
    flows: dict[str, float] = field(default_factory=dict)
    held: dict[str, float] = field(default_factory=dict)
    liability_usd: float = 0.0
    above_slotwise_usd: float = 0.0

    def begin_month(self) -> None:
        """What waits is told anew each month."""
        self.held, self.liability_usd = {}, 0.0

    def add(self, name: str, amount: float) -> None:
        """Add some homes' column of a month."""
        sums = self.held if name in STOCKS else self.flows
        sums[name] = sums.get(name, 0.0) + amount

    def per_year(self, amount: float) -> float | None:
        """An amount of all homes and days per household and 365 days; None where there are none."""
        shared = self.households * self.days
        return amount * DAYS_PER_YEAR / shared if shared else None

    def per_household(self, amount: float) -> float | None:
        """An amount of all homes per household; None where there are none."""
        return amount / self.households if self.households else None
