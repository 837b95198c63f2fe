"""A rate class whose credits wait: which slots it nets together, and where a surplus goes in the next month."""

from dataclasses import dataclass, field

from meanwatt.agents.numerics.arrays import Ints
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.credit_rule import CreditRule, NettingPeriods, netting_periods
from meanwatt.agents.tariff.ratebook.credit_step import surplus_goes_to
from meanwatt.agents.tariff.tariff import Tariff


@dataclass(slots=True, kw_only=True, eq=False)
class CreditClass:
    """A rate class whose credits wait.

    Attributes
    ----------
    tariff, rule
        Of the class.
    periods
        Those it nets within; None where it nets nothing over the month.
    before, now
        Period of each slot on the first weekday and on the first day of a weekend or holiday, of the month before and
        of this one; None where no such day came.
    met
        Periods that were in force on some day of this month.
    """

    __repr__ = short_repr

    tariff: Tariff
    rule: CreditRule
    periods: NettingPeriods | None
    before: tuple[Ints, Ints] | None = None
    now: list[Ints | None] = field(default_factory=lambda: [None, None])
    met: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, tariff: Tariff) -> "CreditClass | None":
        """Of a class's tariff; None where its credits count at once."""
        rule = tariff.credit_rule
        if rule is None:
            return None
        periods = netting_periods(tariff) if rule.metering.nets_by_month else None
        return cls(tariff=tariff, rule=rule, periods=periods)

    def see(self, day_type: int, *, weekend: bool) -> Ints | None:
        """Period of each slot of a day; None where nothing is netted over the month."""
        if self.periods is None:
            return None
        today: Ints = self.periods.period[day_type]
        if self.now[weekend] is None:
            self.now[weekend] = today
        self.met.update(today.tolist())
        return today

    def goes_to(self) -> dict[int, int]:
        """Period → period that its surplus goes to in the month that ends; none in the first month.

        It goes to itself where that was in force, else to the one at the same hour.
        """
        if self.before is None or self.periods is None:
            return {}
        now = _both(self.now)
        by_hour = surplus_goes_to(self.before, now)
        return {
            period: period if period in self.met else by_hour.get(period, int(now[0][slot]))
            for period, slot in enumerate(self.periods.first_slot.tolist())
        }

    def end_month(self) -> None:
        """Begin another month."""
        if self.periods is not None:
            self.before = _both(self.now)
        self.now, self.met = [None, None], set()


def _both(days: list[Ints | None]) -> tuple[Ints, Ints]:
    """Weekdays and weekends; of a kind that did not come, those of the other."""
    weekday, weekend = days
    first = weekday if weekday is not None else weekend
    assert first is not None
    return first, weekend if weekend is not None else first
