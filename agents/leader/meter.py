"""What a utility meters under a posted tariff: registers, rates, prices, and the bills that follow."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats, Ints, read_only, require_finite, require_shape
from meanwatt.agents.numerics.short_repr import short_repr
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

    Sums over groups are population means: registers and bills of a group are divided by all households.

    Parameters
    ----------
    tariff
        The tariff posted.
    common_state, weight : (row,)
        The weather of today and the days remembered, which everybody sees, and the share of such days.
    import_usd_per_kwh, export_usd_per_kwh : (row, group, slot)
        Rates charged, after discounts. [USD/kWh]
    imported_kw, exported_kw : (row, group, slot)
        The two registers that net billing needs, both ≥ 0. [kW per household of the population]
    wholesale_usd_per_kwh, marginal_emissions_t_per_kwh : (row, slot)
        Wholesale price, and the emission rate that the grid operator publishes. [USD/kWh], [t/kWh]
    volatility_usd_per_kwh : (row,)
        Mean |change| of the wholesale price from slot to slot. [USD/kWh]
    fixed_charge_usd_per_day, group_share : (group,)
        Fixed charge billed, and share of customers. [USD/day], [-]
    other_standing_usd_per_household_day : (group,)
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
    group_share: Floats
    network_cost_usd_per_day: float
    slot_hours: float
    other_standing_usd_per_household_day: Floats = field(default_factory=lambda: np.zeros(()))

    def __post_init__(self) -> None:
        """Keep checked, read-only copies."""
        rows, groups, slots = self.imported_kw.shape
        if self.other_standing_usd_per_household_day.ndim == 0:  # the same in every group
            every = np.full(groups, self.other_standing_usd_per_household_day)
            object.__setattr__(self, "other_standing_usd_per_household_day", every)
        shapes = {
            "weight": (rows,),
            "volatility_usd_per_kwh": (rows,),
            "group_share": (groups,),
            "fixed_charge_usd_per_day": (groups,),
            "other_standing_usd_per_household_day": (groups,),
            "wholesale_usd_per_kwh": (rows, slots),
            "marginal_emissions_t_per_kwh": (rows, slots),
            **dict.fromkeys(
                ("import_usd_per_kwh", "export_usd_per_kwh", "imported_kw", "exported_kw"), (rows, groups, slots)
            ),
        }
        for name, shape in shapes.items():
            array = read_only(getattr(self, name))
            require_shape(f"meter reading: {name}", array, shape, "of row, group and slot")
            require_finite(f"meter reading: {name}", array)
            object.__setattr__(self, name, array)
        require_shape("meter reading: common_state", self.common_state, (rows,), "(row,)")

    @property
    def net_load_kw(self) -> Floats:
        """Aggregate load of the mean household, (row, slot). [kW]"""
        return np.asarray((self.imported_kw - self.exported_kw).sum(axis=1))

    @property
    def bill_usd_per_day(self) -> Floats:
        """Bills of each group, standing charges included, over all households, (row, group). [USD per household-day]"""
        energy = self.import_usd_per_kwh * self.imported_kw - self.export_usd_per_kwh * self.exported_kw
        return np.asarray(self.slot_hours * energy.sum(axis=2) + self.standing_bill_usd_per_day)

    @property
    def standing_bill_usd_per_day(self) -> Floats:
        """What is billed to each group whatever it uses, over all households, (group,). [USD per household-day]"""
        return self.group_share * self.fixed_charge_usd_per_day + self.other_standing_usd_per_household_day

    @property
    def margin_usd_per_day(self) -> Floats:
        """Revenue less the cost of energy and network, (row,). [USD per household-day]"""
        energy = self.slot_hours * (self.wholesale_usd_per_kwh * self.net_load_kw).sum(axis=1)
        return np.asarray(self.bill_usd_per_day.sum(axis=1) - energy - self.network_cost_usd_per_day)

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
