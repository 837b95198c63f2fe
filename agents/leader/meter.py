"""What a utility meters under a posted tariff: registers, rates, prices, and the bills that follow."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats, Ints, read_only, require_finite, require_shape
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.components.standing_charge import Customer
from meanwatt.agents.tariff.rates import Rates
from meanwatt.agents.tariff.tariff import Tariff

_BY_ROW = (
    "common_state",
    "weight",
    "import_usd_per_kwh",
    "export_usd_per_kwh",
    "imported_kw",
    "exported_kw",
    "wholesale_usd_per_kwh",
    "marginal_emissions_t_per_kwh",
    "volatility_usd_per_kwh",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeterReading:
    """What the leader sees of a tariff. A row is a metered day, or a kind of day; amounts are per household.

    Meters are summed by *account*: an income group where one tariff holds for all; where rate classes are in force,
    the homes of one income group and technology, whatever class they are in. Sums over accounts are population means:
    registers and bills of an account are divided by all households.

    Parameters
    ----------
    tariff
        The tariff posted.
    customers : (account,)
        Who each account is where it is a household type; empty where accounts are income groups.
    common_state, weight : (row,)
        The weather of today and the days remembered, which everybody sees, and the share of such days.
    import_usd_per_kwh, export_usd_per_kwh : (row, account, slot)
        Rates charged, after discounts. [USD/kWh]
    imported_kw, exported_kw : (row, account, slot)
        The two registers that net billing needs, both ≥ 0. [kW per household of the population]
    wholesale_usd_per_kwh, marginal_emissions_t_per_kwh : (row, slot)
        Wholesale price, and the emission rate that the grid operator publishes. [USD/kWh], [t/kWh]
    volatility_usd_per_kwh : (row,)
        Mean |change| of the wholesale price from slot to slot. [USD/kWh]
    fixed_charge_usd_per_day, account_share : (account,)
        Fixed charge billed, and share of customers. [USD/day], [-]
    other_standing_usd_per_household_day : (account,)
        Charges beside the fixed one that do not depend on use, over all households; none unless given.
        [USD per household-day]
    network_cost_usd_per_day
        The utility's own fixed cost. [USD per household-day]
    slot_hours
        Length of a slot. [h]

    Raises
    ------
    ValueError
        If shapes disagree or a number is not finite.
    """

    __repr__ = short_repr

    tariff: Tariff
    common_state: Ints
    weight: Floats
    import_usd_per_kwh: Floats
    export_usd_per_kwh: Floats
    imported_kw: Floats
    exported_kw: Floats
    wholesale_usd_per_kwh: Floats
    marginal_emissions_t_per_kwh: Floats
    volatility_usd_per_kwh: Floats
    fixed_charge_usd_per_day: Floats
    account_share: Floats
    network_cost_usd_per_day: float
    slot_hours: float
    other_standing_usd_per_household_day: Floats = field(default_factory=lambda: np.zeros(()))
    customers: tuple[Customer, ...] = ()

    def __post_init__(self) -> None:
        """Keep checked, read-only copies."""
        rows, accounts, slots = self.imported_kw.shape
        if self.other_standing_usd_per_household_day.ndim == 0:  # the same in every account
            every = np.full(accounts, self.other_standing_usd_per_household_day)
            object.__setattr__(self, "other_standing_usd_per_household_day", every)
        shapes = {
            "weight": (rows,),
            "volatility_usd_per_kwh": (rows,),
            "account_share": (accounts,),
            "fixed_charge_usd_per_day": (accounts,),
            "other_standing_usd_per_household_day": (accounts,),
            "wholesale_usd_per_kwh": (rows, slots),
            "marginal_emissions_t_per_kwh": (rows, slots),
            **dict.fromkeys(
                ("import_usd_per_kwh", "export_usd_per_kwh", "imported_kw", "exported_kw"), (rows, accounts, slots)
            ),
        }
        for name, shape in shapes.items():
            array = read_only(getattr(self, name))
            require_shape(f"meter reading: {name}", array, shape, "of row, account and slot")
            require_finite(f"meter reading: {name}", array)
            object.__setattr__(self, name, array)
        require_shape("meter reading: common_state", self.common_state, (rows,), "(row,)")
        if self.customers and len(self.customers) != accounts:
            raise ValueError(f"meter reading: {len(self.customers)} customers came for {accounts} accounts")

    @property
    def net_load_kw(self) -> Floats:
        """Aggregate load of the mean household, (row, slot). [kW]"""
        return np.asarray((self.imported_kw - self.exported_kw).sum(axis=1))

    @property
    def bill_usd_per_day(self) -> Floats:
        """Bills of each account with standing charges, over all households. (row, account) [USD per household-day]"""
        energy = self.import_usd_per_kwh * self.imported_kw - self.export_usd_per_kwh * self.exported_kw
        return np.asarray(self.slot_hours * energy.sum(axis=2) + self.standing_bill_usd_per_day)

    @property
    def standing_bill_usd_per_day(self) -> Floats:
        """What is billed to each account whatever it uses, over all households. (account,) [USD per household-day]"""
        return self.account_share * self.fixed_charge_usd_per_day + self.other_standing_usd_per_household_day

    @property
    def margin_usd_per_day(self) -> Floats:
        """Revenue less the cost of energy and network, (row,). [USD per household-day]"""
        energy = self.slot_hours * (self.wholesale_usd_per_kwh * self.net_load_kw).sum(axis=1)
        return np.asarray(self.bill_usd_per_day.sum(axis=1) - energy - self.network_cost_usd_per_day)

    @property
    def group_share(self) -> Floats:
        """Share of customers in each income group. (group,)"""
        return self.by_group(self.account_share)

    def by_group(self, by_account: Floats) -> Floats:
        """Sums (…, group) of what is summed by account (…, account)."""
        if not self.customers:
            return by_account
        groups = len(self.tariff.discount)
        return np.asarray(by_account @ np.eye(groups)[[customer.group for customer in self.customers]])

    def by_class(self, by_account: Floats) -> Floats:
        """Sums (…, class) over the rate classes of its tariff of what is summed by account (…, account)."""
        if not self.customers:
            return np.asarray(by_account.sum(axis=-1, keepdims=True))
        classes = [self.tariff.class_index(customer) for customer in self.customers]
        return np.asarray(by_account @ np.eye(len(self.tariff.class_tariffs))[classes])

    @property
    def class_bill_usd_per_day(self) -> Floats:
        """Mean bill of a household of each rate class of its tariff; nan of an empty one. (class,) [USD/day]"""
        share, paid = self.by_class(self.account_share), self.by_class(self.weight @ self.bill_usd_per_day)
        return np.asarray(np.divide(paid, share, out=np.full(len(share), np.nan), where=share > 0))

    def own_rates(self, tariff: Tariff, posted: Rates) -> list[Rates]:
        """Rates (c, slot) of a tariff as each account would pay them, by its rate class and after its discount."""
        if not self.customers:
            return [tariff.for_group(posted, group) for group in range(len(self.account_share))]
        return [tariff.own_rates(posted, customer) for customer in self.customers]

    def charges(self, tariff: Tariff, by_payer_usd_per_day: Floats) -> Floats:
        """A tariff's charges (payer,) as each account would pay them. (account,) [USD/day]"""
        if not self.customers:
            return by_payer_usd_per_day
        return np.asarray(by_payer_usd_per_day[[tariff.payer(customer) for customer in self.customers]])

    def payer_share(self, tariff: Tariff) -> Floats:
        """Share of customers whom a tariff holds for one payer: an income group in a rate class. (payer,)"""
        if not self.customers:
            return self.account_share
        places = [tariff.payer(customer) for customer in self.customers]
        return np.bincount(places, weights=self.account_share, minlength=len(tariff.payer_shape)).astype(float)

    def other_charges(self, tariff: Tariff) -> Floats | None:
        """What charges of a tariff beside the fixed one bring in, where it is known who each account is. (account,)

        In USD per household-day; None where accounts are income groups, whose homes may pay differently.
        """
        if not self.customers:
            return None
        paid = [sum(one.usd_per_day(who) for one in tariff.of(who).standing_charges) for who in self.customers]
        return np.asarray(self.account_share * np.array(paid, dtype=float))

    def rows(self, which: npt.ArrayLike) -> "MeterReading":
        """A reading of some rows alone, their weights as shares of what is left.

        Parameters
        ----------
        which : (kept,) int
            Places of the rows.
        """
        kept: dict[str, Any] = {name: getattr(self, name)[np.asarray(which, dtype=np.int64)] for name in _BY_ROW}
        return replace(self, **{**kept, "weight": kept["weight"] / kept["weight"].sum()})


def joined(days: Sequence[MeterReading]) -> MeterReading:
    """One reading of several, all days alike; what has no rows is taken from the first.

    Raises
    ------
    ValueError
        If there is none, or they were taken under different tariffs.
    """
    if not days:
        raise ValueError("there is no reading to join; give at least one")
    for reading in days:
        if reading.tariff is not days[0].tariff:
            raise ValueError(
                f"readings were taken under {days[0].tariff.name} and under {reading.tariff.name};"
                " join those of one tariff"
            )
    rows: dict[str, Any] = {name: np.concatenate([getattr(reading, name) for reading in days]) for name in _BY_ROW}
    return replace(days[0], **{**rows, "weight": rows["weight"] / len(days)})
