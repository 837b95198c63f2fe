"""What the leader posts: a tariff, the rates it makes at given wholesale prices, and the bill."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints, at_each, read_only, require_finite, require_shape
from meanwatt.agents.numerics.compiled import compiled
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.tariff.components.component import Component
from meanwatt.agents.tariff.components.standing_charge import Customer, StandingCharge
from meanwatt.agents.tariff.credit_rule import CreditRule, require_nettable
from meanwatt.agents.tariff.rate_classes import require_classes
from meanwatt.agents.tariff.rates import Rates, export_rate, import_rate

FIXED_CHARGE = "fixed_charge"
"""Name of the fixed charge among the standing charges."""


class Recovery(StrEnum):
    """Which part of the tariff balances revenue and cost."""

    VOLUMETRIC = "volumetric"
    """The adder α on every kWh."""
    FIXED = "fixed"
    """The level of the fixed charges, their shape by income given."""
    POSTED = "posted"
    """Nothing: the surplus or shortfall is reported."""


class ExportRule(StrEnum):
    """How exported energy is credited."""

    NET_METERING = "net_metering"
    NET_BILLING = "net_billing"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RateClass:
    """Customers who share a tariff.

    Attributes
    ----------
    name
        Of the class.
    tariff
        What they pay, one tariff for all of them.
    members
        Technology and index of the income group of every household type in it.
    branch
        The branch of the feeder that they live on; None for any.
    chosen
        The class that they chose, where this is a part of those who did; empty for all others.
    envelope
        The operating envelope that they are under, empty for none; None for any.
    """

    __repr__ = short_repr

    name: str
    tariff: "Tariff"
    members: frozenset[tuple[str, int]]
    branch: str | None = None
    chosen: str = ""
    envelope: str | None = None

    def holds(self, customer: Customer) -> bool:
        """Whether a customer is in it: by choice, or by what it is."""
        chosen = getattr(customer, "rate_class", "")
        if chosen and not self.chosen:
            return bool(chosen == self.name)
        if chosen != self.chosen or (customer.technology, customer.group) not in self.members:
            return False
        if self.envelope is not None and self.envelope != getattr(customer, "place", ("", ""))[1]:
            return False
        return self.branch is None or self.branch == getattr(customer, "branch", "")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tariff:
    """Time-varying rates, export credit, fixed charges and the rule that recovers the network's cost.

    Parameters
    ----------
    energy_usd_per_kwh : (day type, slot)
        Energy charge τ by time of use; it may depend on the day type (critical-peak pricing). [USD/kWh]
    export_usd_per_kwh : (day type, slot)
        Posted part x of the export credit, for net billing. [USD/kWh]
    pass_through, export_pass_through
        Shares κ in [0, 1] and κ_x in [0, 1] of the wholesale price in the import and the export rate.
    fixed_charge_usd_per_day : (group,)
        Posted fixed charge F after discount; with recovery ``fixed`` its level comes out of the solution. [USD/day]
    fixed_charge_shape : (group,)
        Multipliers of the level with recovery ``fixed``; ≥ 0, not all zero.
    discount : (group,)
        Share d of the import rate that the group does not pay, in [0, 1).
    adder_cap_usd_per_kwh
        Where the search for a volumetric adder gives up. [USD/kWh]
    capped_at_import
        Whether exports never earn more than imports cost; without it the posted credit is paid, whatever it is.
    standing_charges
        Charges that do not depend on use, beside the fixed charge; after discount, too.
    components
        Tiers, demand charge, minimum bill, subscription, funding of discounts: what is known only once households have
        answered. `meanwatt.model.mean_field.components.solving` solves a tariff that has any.
    classes
        Rate classes, where not everybody has the same tariff (`with_classes`): all other fields are then those of the
        first class, but for ``recovery``, the rule that balances the whole utility, and the cap of its adder. Empty
        where one tariff holds for all.
    periods : (slot,)
        Name of the period that each slot belongs to, which statements tell energy by; empty where there is none.
    credit_rule
        How credits for exports wait for later months; None where each slot's credit counts at once. A market bills by
        it (`meanwatt.model.market.credit_bills`); rates, and what households decide by, know nothing of it.

    Raises
    ------
    ValueError
        If shapes disagree, a number lies outside its range, two standing charges have one name, a class does not fit
        the others, or the months cannot be settled so.
    """

    __repr__ = short_repr

    name: str
    energy_usd_per_kwh: Floats
    export_usd_per_kwh: Floats
    pass_through: float
    export_pass_through: float
    export_rule: ExportRule
    recovery: Recovery
    fixed_charge_usd_per_day: Floats
    fixed_charge_shape: Floats
    discount: Floats
    adder_cap_usd_per_kwh: float = 2.0
    capped_at_import: bool = False
    standing_charges: tuple[StandingCharge, ...] = ()
    components: tuple[Component, ...] = ()
    classes: tuple[RateClass, ...] = ()
    periods: tuple[str, ...] = ()
    credit_rule: CreditRule | None = None

    def __post_init__(self) -> None:
        """Keep checked, read-only copies."""
        for name in (
            "energy_usd_per_kwh",
            "export_usd_per_kwh",
            "fixed_charge_usd_per_day",
            "fixed_charge_shape",
            "discount",
        ):
            array = read_only(getattr(self, name))
            require_finite(f"tariff {self.name}: {name}", array)
            object.__setattr__(self, name, array)
        require_shape(
            f"tariff {self.name}: export_usd_per_kwh",
            self.export_usd_per_kwh,
            self.energy_usd_per_kwh.shape,
            "(day type, slot)",
        )
        groups = self.fixed_charge_usd_per_day.shape
        for name in ("fixed_charge_shape", "discount"):
            require_shape(f"tariff {self.name}: {name}", getattr(self, name), groups, "(income group,)")
        for name in ("pass_through", "export_pass_through"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f"tariff {self.name}: {name} is {value}; give a share in [0, 1]")
        if not ((self.discount >= 0) & (self.discount < 1)).all():
            raise ValueError(f"tariff {self.name}: discount is {self.discount.tolist()}; give shares in [0, 1)")
        if not ((self.fixed_charge_shape >= 0).all() and self.fixed_charge_shape.any()):
            raise ValueError(
                f"tariff {self.name}: fixed_charge_shape is {self.fixed_charge_shape.tolist()};"
                " give numbers >= 0, at least one positive"
            )
        if not self.adder_cap_usd_per_kwh > 0:
            raise ValueError(
                f"tariff {self.name}: adder_cap_usd_per_kwh is {self.adder_cap_usd_per_kwh}; give a positive number"
            )
        names = [FIXED_CHARGE, *(charge.name for charge in self.standing_charges)]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ValueError(f"tariff {self.name}: the standing charge {twice[0]} comes twice; give every name once")
        if self.credit_rule is not None:
            require_nettable(self, self.credit_rule)
        require_classes(self)

    @property
    def export_pegged(self) -> bool:
        """Whether the import rate bounds what exports earn: under net metering, and where the tariff says so."""
        return self.capped_at_import or self.export_rule is ExportRule.NET_METERING

    @property
    def has_components(self) -> bool:
        """Whether anybody's tariff has a component."""
        return any(one.components for one in self.class_tariffs)

    @property
    def class_tariffs(self) -> tuple["Tariff", ...]:
        """The tariff of every rate class in order; this one alone where it holds for all."""
        return tuple(one.tariff for one in self.classes) or (self,)

    @property
    def carries_credits(self) -> bool:
        """Whether credits of anybody's exports wait for later months."""
        return any(one.credit_rule is not None for one in self.class_tariffs)

    def class_index(self, customer: Customer) -> int:
        """Place of a customer's rate class; 0 where one tariff holds for all.

        Raises
        ------
        ValueError
            If no class holds the customer.
        """
        for place, one in enumerate(self.classes):
            if one.holds(customer):
                return place
        if self.classes:
            raise ValueError(
                f"no rate class holds households with technology {customer.technology} in income group number"
                f" {customer.group}; name them in one"
            )
        return 0

    def of(self, customer: Customer) -> "Tariff":
        """The one tariff that a customer has."""
        return self.class_tariffs[self.class_index(customer)]

    def payer(self, customer: Customer) -> int:
        """Place of a customer in arrays (payer,) of charges: income groups, class after class."""
        return self.class_index(customer) * len(self.discount) + customer.group

    def kept_share(self, customer: Customer) -> float:
        """Part 1 − d of its class's import rate that a customer pays."""
        return 1 - float(self.of(customer).discount[customer.group])

    def bears_adder(self, index: int) -> bool:
        """Whether the adder is charged to a rate class: to all, but those that keep posted rates among others."""
        return not self.classes or self.classes[index].tariff.recovery is self.recovery

    @property
    def payer_charge_usd_per_day(self) -> Floats:
        """Posted fixed charge of every class and income group. (payer,) [USD/day]"""
        return self._by_payer("fixed_charge_usd_per_day")

    @property
    def held_charge_usd_per_day(self) -> Floats:
        """The same, 0 where recovery ``fixed`` is to find the charge. (payer,) [USD/day]"""
        held = [tariff.recovery is not Recovery.FIXED for tariff in self.class_tariffs]
        return np.asarray(self.payer_charge_usd_per_day * np.repeat(held, len(self.discount)))

    @property
    def payer_shape(self) -> Floats:
        """Multipliers of the level that recovery ``fixed`` finds, 0 in classes that keep posted charges. (payer,)"""
        if not self.classes:
            return self.fixed_charge_shape
        levelled = [tariff.recovery is Recovery.FIXED for tariff in self.class_tariffs]
        return np.asarray(self._by_payer("fixed_charge_shape") * np.repeat(levelled, len(self.discount)))

    def _by_payer(self, name: str) -> Floats:
        if not self.classes:
            return np.asarray(getattr(self, name))
        return np.concatenate([getattr(tariff, name) for tariff in self.class_tariffs])

    def same_for_payers(self, other: "Tariff") -> bool:
        """Whether posted rates mean the same to every customer as under another tariff."""
        mine, theirs = self.class_tariffs, other.class_tariffs
        return _members(self) == _members(other) and all(
            np.array_equal(one.discount, another.discount)
            and one.export_rule is another.export_rule
            and one.capped_at_import == another.capped_at_import
            for one, another in zip(mine, theirs, strict=True)
        )

    def standing_parts_usd_per_day(
        self, fixed_charge_usd_per_day: Floats, customers: Sequence[Customer]
    ) -> dict[str, Floats]:
        """What each customer pays whatever it uses, by name of the charge: the fixed charge (payer,), then the others.

        Returns
        -------
        dict
            (customer,) each; 0 where a customer's class has no charge of the name. [USD/day]
        """
        fixed = fixed_charge_usd_per_day[[self.payer(customer) for customer in customers]]
        own = [
            {charge.name: charge.usd_per_day(customer) for charge in self.of(customer).standing_charges}
            for customer in customers
        ]
        names = dict.fromkeys(charge.name for tariff in self.class_tariffs for charge in tariff.standing_charges)
        return {FIXED_CHARGE: fixed, **{name: np.array([paid.get(name, 0.0) for paid in own]) for name in names}}

    def standing_usd_per_day(self, fixed_charge_usd_per_day: Floats, customers: Sequence[Customer]) -> Floats:
        """What each customer pays whatever it uses, all standing charges together. (customer,) [USD/day]"""
        fixed, *others = self.standing_parts_usd_per_day(fixed_charge_usd_per_day, customers).values()
        return np.asarray(sum(others, fixed))

    def own_rates(self, posted: Rates, customer: Customer) -> Rates:
        """Posted rates as a customer pays them, by its class and its income group."""
        if not self.classes:
            return self.for_group(posted, customer.group)
        place = self.class_index(customer)
        return self.classes[place].tariff.for_group(posted.by_class[place], customer.group)

    def for_group(self, posted: Rates, group: int) -> Rates:
        """Rates of an income group: import (1 − d)·r⁺, export as posted; under net metering the group's own r⁺.

        Raises
        ------
        ValueError
            If the tariff has rate classes, where a group alone has no rates.
        """
        if self.classes:
            raise ValueError(f"tariff {self.name} has rate classes; ask for the rates of a customer")
        bought = (1 - float(self.discount[group])) * posted.import_usd_per_kwh
        if self.export_rule is ExportRule.NET_METERING:
            return Rates(import_usd_per_kwh=bought, export_usd_per_kwh=bought)
        sold = posted.export_usd_per_kwh
        return Rates(
            import_usd_per_kwh=bought, export_usd_per_kwh=np.minimum(sold, bought) if self.capped_at_import else sold
        )


def _members(tariff: Tariff) -> list[tuple[frozenset[tuple[str, int]], str | None, str, str | None]]:
    """Who is in each rate class."""
    return [(one.members, one.branch, one.chosen, one.envelope) for one in tariff.classes]


@compiled
def _import(given: Floats, out: Floats) -> None:
    for k in range(out.size):
        out[k] = import_rate(given[0, k], given[1, k], given[2, k], given[3, k])


@compiled
def _export(given: Floats, out: Floats) -> None:
    for k in range(out.size):
        out[k] = export_rate(given[0, k], given[1, k], given[2, k], given[3, k], given[4, k] > 0.0)


def export_credit(tariff: Tariff, today: Ints) -> tuple[Floats, float]:
    """Posted part x (c, h) [USD/kWh] and pass-through κ_x of the export credit before a cap, by the tariff's rule.

    Under net metering x is infinite: the import rate, to which it is pegged, is what exports earn.
    """
    posted = tariff.export_usd_per_kwh[today]
    if tariff.export_rule is ExportRule.NET_METERING:
        return np.full_like(posted, np.inf), 0.0
    if tariff.export_rule is ExportRule.NET_BILLING:
        return posted, float(tariff.export_pass_through)
    return np.zeros_like(posted), 0.0


def rates(tariff: Tariff, today: Ints, wholesale_usd_per_kwh: Floats, adder_usd_per_kwh: float) -> Rates:
    """Import rate r⁺ = τ + κλ + α, and export rate r⁻ by the tariff's rule.

    Parameters
    ----------
    today : (c,) int
        Day type of each common state.
    wholesale_usd_per_kwh : (c, h)
        Wholesale price λ. [USD/kWh]
    adder_usd_per_kwh
        Volumetric adder α. [USD/kWh]
    """
    if tariff.classes:
        each = tuple(
            rates(one.tariff, today, wholesale_usd_per_kwh, adder_usd_per_kwh if tariff.bears_adder(place) else 0.0)
            for place, one in enumerate(tariff.classes)
        )
        first = each[0]
        return Rates(
            import_usd_per_kwh=first.import_usd_per_kwh, export_usd_per_kwh=first.export_usd_per_kwh, by_class=each
        )
    energy = tariff.energy_usd_per_kwh[today]
    credit, passed = export_credit(tariff, today)
    bought = at_each(_import, energy, wholesale_usd_per_kwh, tariff.pass_through, adder_usd_per_kwh)
    sold = at_each(_export, credit, wholesale_usd_per_kwh, passed, bought, float(tariff.export_pegged))
    return Rates(import_usd_per_kwh=bought, export_usd_per_kwh=sold)
