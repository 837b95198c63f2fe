"""Import and export rates by common state and slot, what makes them of a tariff's parts, and what a slot costs."""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, at_each
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.agents.numerics.short_repr import short_repr


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rates:
    """Import and export rate of every common state and slot, before discounts. Axes (c, h). [USD/kWh]

    Where there are rate classes these are the first one's, and ``by_class`` holds those of every class; else it is
    empty.
    """

    __repr__ = short_repr

    import_usd_per_kwh: Floats
    export_usd_per_kwh: Floats
    by_class: tuple["Rates", ...] = ()

    @property
    def of_classes(self) -> tuple["Rates", ...]:
        """The rates of every rate class in order; these alone where one tariff holds for all."""
        return self.by_class or (self,)


def same_rates(one: Rates, other: Rates) -> bool:
    """Whether two sets of rates are equal, number by number and class by class."""
    return (
        np.array_equal(one.import_usd_per_kwh, other.import_usd_per_kwh)
        and np.array_equal(one.export_usd_per_kwh, other.export_usd_per_kwh)
        and len(one.by_class) == len(other.by_class)
        and all(same_rates(*pair) for pair in zip(one.by_class, other.by_class, strict=True))
    )


@compiled
def import_rate(energy: float, wholesale: float, pass_through: float, adder: float) -> float:
    """r⁺ = τ + κλ + α. [USD/kWh]"""
    return energy + pass_through * wholesale + adder


@compiled
def export_rate(credit: float, wholesale: float, export_pass_through: float, bought: float, pegged: bool) -> float:
    """r⁻ = x + κ_x λ as posted; ``pegged`` to the import rate never above it. [USD/kWh]"""
    posted = credit + export_pass_through * wholesale
    return min(posted, bought) if pegged else posted


@compiled
def slot_payment(net_load: float, bought: float, sold: float, slot_hours: float) -> float:
    """`payment_usd` of numbers."""
    return slot_hours * (bought if net_load > 0.0 else sold) * net_load


@compiled
def _payment(given: Floats, out: Floats) -> None:
    for k in range(out.size):
        out[k] = slot_payment(given[0, k], given[1, k], given[2, k], given[3, k])


def payment_usd(
    net_load_kw: Floats, import_usd_per_kwh: Floats, export_usd_per_kwh: Floats, slot_hours: float
) -> Floats:
    """Slot payment Δ(r⁺ n⁺ − r⁻ n⁻); positive is paid by the household. Broadcasts. [USD]"""
    return at_each(_payment, net_load_kw, import_usd_per_kwh, export_usd_per_kwh, slot_hours)
