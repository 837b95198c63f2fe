"""How credits for exports wait for later months: the metering of a filed tariff, for a tariff of a scenario."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.ratebook.ratebook import MONTHS, Metering

if TYPE_CHECKING:
    from meanwatt.agents.tariff.tariff import Tariff

CARRYING = (Metering.NET_BILLING_CARRYOVER, Metering.NET_METERING, Metering.NET_METERING_DOLLARS)
"""Rules under which something waits for later months."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditRule:
    """What is netted, what waits, and how it ends; in the words of `meanwatt.agents.tariff.ratebook.ratebook`.

    Parameters
    ----------
    metering
        ``net_billing_carryover``: what slots earn waits in dollars, and pays energy charges from the next month on.
        ``net_metering``: kWh are netted within each period of the month, a surplus waits in kWh.
        ``net_metering_dollars``: the same, and a surplus earns the posted export rate, which pays energy charges.
    true_up_month
        Month, 1 to 12, at whose end what waits is settled.
    credit_expires
        Whether dollars that are left then are lost; else they are paid out.
    year_end_usd_per_kwh
        What kWh that are left then earn. [USD/kWh]

    Raises
    ------
    ValueError
        If nothing waits under the rule, or it says how something ends that does not wait.
    """

    metering: Metering
    true_up_month: int = MONTHS
    credit_expires: bool = False
    year_end_usd_per_kwh: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what says nothing."""
        if self.metering not in CARRYING:
            raise ValueError(
                f"export.metering is {self.metering.value}, under which nothing waits; give one of"
                f" {', '.join(one.value for one in CARRYING)}"
            )
        if self.credit_expires and not self.metering.carries_usd:
            raise ValueError(
                f"export.credit_expires is true, and under export.metering {self.metering.value} kWh wait, no dollars;"
                " leave it out: year_end_usd_per_kwh says what kWh earn that are left"
            )
        if self.year_end_usd_per_kwh and self.metering.carries_usd:
            raise ValueError(
                f"export.year_end_usd_per_kwh is {self.year_end_usd_per_kwh:g}, and under export.metering"
                f" {self.metering.value} dollars wait, no kWh; leave it out: credit_expires says whether they are lost"
            )

    def to_table(self) -> dict[str, Any]:
        """Keys of ``[tariffs.NAME.export]``."""
        ends = (
            {"credit_expires": self.credit_expires}
            if self.metering.carries_usd
            else {"year_end_usd_per_kwh": self.year_end_usd_per_kwh}
        )
        return {"metering": self.metering.value, "true_up_month": self.true_up_month, **ends}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NettingPeriods:
    """Periods within which a tariff nets kWh over the month: all slots whose rates are the same.

    Parameters
    ----------
    period : (day type, slot) int
        The period of each slot.
    bought_usd_per_kwh, sold_usd_per_kwh : (period,)
        Posted import rate τ and export rate x. [USD/kWh]
    first_slot : (period,) int
        A slot that is in it on some day.
    """

    __repr__ = short_repr

    period: Ints
    bought_usd_per_kwh: Floats
    sold_usd_per_kwh: Floats
    first_slot: Ints


def netting_periods(tariff: "Tariff") -> NettingPeriods:
    """The periods of a tariff without rate classes, in the order of their import rates.

    Slots of one import rate are one; where a surplus earns the export rate, slots of one import and export rate.
    """
    energy, slots = tariff.energy_usd_per_kwh, tariff.energy_usd_per_kwh.shape[1]
    rule = tariff.credit_rule
    sold = tariff.export_usd_per_kwh if rule is not None and rule.metering.carries_usd else np.zeros_like(energy)
    pairs = np.column_stack([energy.ravel(), sold.ravel()]) + 0.0
    rates, first, period = np.unique(pairs, axis=0, return_index=True, return_inverse=True)
    return NettingPeriods(
        period=period.reshape(energy.shape).astype(np.int64),
        bought_usd_per_kwh=rates[:, 0],
        sold_usd_per_kwh=rates[:, 1],
        first_slot=(first % slots).astype(np.int64),
    )


def require_nettable(tariff: "Tariff", rule: CreditRule) -> None:
    """Raise ``ValueError``, in one line, where a tariff's months cannot be settled by a rule."""
    name, metering = f"tariff {tariff.name}", rule.metering.value
    if tariff.export_rule.value == "none":
        raise ValueError(
            f"{name}: export.metering is {metering}, and export.rule none earns no credit that could wait; give rule"
            " net_billing or net_metering, or leave metering out"
        )
    if not rule.metering.nets_by_month:
        return
    if tariff.export_rule.value != "net_metering":
        raise ValueError(
            f"{name}: export.metering {metering} nets kWh over the month at the import rate, and export.rule is"
            f" {tariff.export_rule.value}, by which households would decide; give rule net_metering, or metering"
            " net_billing_carryover"
        )
    if tariff.pass_through:
        raise ValueError(
            f"{name}: export.metering {metering} nets kWh over the month, and pass_through {tariff.pass_through:g}"
            " gives every slot a price of its own; give metering net_billing_carryover, or pass_through 0"
        )
    if tariff.export_pass_through and rule.metering.carries_usd:
        raise ValueError(
            f"{name}: export.metering {metering} nets kWh over the month, and export.pass_through"
            f" {tariff.export_pass_through:g} gives every slot's surplus a price of its own; give"
            " metering net_billing_carryover, or export.pass_through 0"
        )
