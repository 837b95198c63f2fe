"""What the finite market remembers of its days: one frozen record a day, and tidy tables of all of them."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import overload

import numpy as np
import pandas as pd

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.agents.utility import Account
from meanwatt.model.market.grid_day import GridDay, PhaseDay, freeze
from meanwatt.model.network.library.phase_data import PHASES


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DayRecord:
    """One day of the market. Means are per simulated household; axes (slot,) and (type,).

    Attributes
    ----------
    day, common_state, day_type
        Number of the day, index of its common state, name of its day type.
    net_load_kw, use_kw, stored_kwh : (slot,)
        Mean net load, mean use [kW], and mean energy in batteries at the end of the slot [kWh].
    curtailed_kw : (slot,)
        Mean of the sun that is not used. [kW]
    wholesale_usd_per_kwh, import_usd_per_kwh, export_usd_per_kwh : (slot,)
        Realised price, and rates of the default rate class before discounts. [USD/kWh]
    class_bill_usd, class_imported_kwh, class_exported_kwh : (type, cohort)
        Sums over the households of each type and cohort.
    bill_usd, imported_kwh, exported_kwh : (type,)
        The same summed over cohorts.
    class_net_load_kw : (type, cohort, slot)
        Mean net load of the households of each type and cohort; nan where there are none. [kW]
    type_net_load_kw : (type, slot)
        Mean net load of the households of each type; nan for a type without any. [kW]
    account : Account
        The utility's day.
    imv_usd_per_kwh
        Mean |change| of the wholesale price from slot to slot, from the last slot of the day before on. [USD/kWh]
    grid : GridDay or None
        The feeder, unless the market runs without.
    """

    __repr__ = short_repr

    day: int
    common_state: int
    day_type: str
    net_load_kw: Floats
    use_kw: Floats
    stored_kwh: Floats
    curtailed_kw: Floats
    wholesale_usd_per_kwh: Floats
    import_usd_per_kwh: Floats
    export_usd_per_kwh: Floats
    class_bill_usd: Floats
    class_imported_kwh: Floats
    class_exported_kwh: Floats
    class_net_load_kw: Floats
    type_net_load_kw: Floats
    account: Account
    imv_usd_per_kwh: float
    grid: GridDay | None

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        freeze(self)

    @property
    def bill_usd(self) -> Floats:
        """Bills of each type, (type,). [USD]"""
        return np.asarray(self.class_bill_usd.sum(axis=1))

    @property
    def imported_kwh(self) -> Floats:
        """Energy imported by each type, (type,). [kWh]"""
        return np.asarray(self.class_imported_kwh.sum(axis=1))

    @property
    def exported_kwh(self) -> Floats:
        """Energy exported by each type, counted positive, (type,). [kWh]"""
        return np.asarray(self.class_exported_kwh.sum(axis=1))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class History(Sequence[DayRecord]):
    """Records of consecutive days, and tables of them.

    Attributes
    ----------
    key : int
        The whole number that repeats the run; a column of every table.
    records : tuple of DayRecord
        The days.
    types : tuple of (income group, technology)
        Household types.
    behaviours : tuple of str
        Name of each cohort's behaviour; cohorts that differ only in what they learnt share a name.
    class_households : (type, cohort)
        Number of simulated households of each type and cohort.
    buses : tuple of str
        Bus names.
    branches : tuple of str
        Branch of the feeder of each household type; empty where there are none.
    """

    __repr__ = short_repr

    key: int
    types: tuple[tuple[str, str], ...]
    behaviours: tuple[str, ...]
    class_households: Ints
    buses: tuple[str, ...]
    records: tuple[DayRecord, ...] = field(default=())
    branches: tuple[str, ...] = ()

    @property
    def households(self) -> tuple[int, ...]:
        """Number of simulated households of each type, (type,)."""
        return tuple(self.class_households.sum(axis=1).tolist())

    def __len__(self) -> int:
        return len(self.records)

    @overload
    def __getitem__(self, day: int) -> DayRecord: ...
    @overload
    def __getitem__(self, day: slice) -> tuple[DayRecord, ...]: ...
    def __getitem__(self, day: int | slice) -> DayRecord | tuple[DayRecord, ...]:
        return self.records[day]

    def __iter__(self) -> Iterator[DayRecord]:
        return iter(self.records)

    def stacked(self, name: str) -> Floats:
        """One array of a record over all days, (day, …), e.g. ``stacked("net_load_kw")``: (day, slot)."""
        return np.array([getattr(record, name) for record in self.records])

    @property
    def slots(self) -> pd.DataFrame:
        """Table by (day, slot): load, price, rates and, with a feeder, its losses, loadings and lowest voltage."""
        columns = (
            "net_load_kw",
            "use_kw",
            "stored_kwh",
            "curtailed_kw",
            "wholesale_usd_per_kwh",
            "import_usd_per_kwh",
            "export_usd_per_kwh",
        )
        table = {name: self.stacked(name).ravel() for name in columns}
        if self._has_grid:
            grids = [record.grid for record in self.records if record.grid]
            for name in ("loss_kw", "line_loading", "transformer_loading"):
                table[name] = np.concatenate([getattr(grid, name) for grid in grids])
            table["min_voltage_pu"] = np.concatenate([grid.voltage_pu.min(axis=1) for grid in grids])
            table["max_voltage_pu"] = np.concatenate([grid.voltage_pu.max(axis=1) for grid in grids])
            held = [grid.inverters.held_kw for grid in grids if grid.inverters]
            table |= {"volt_watt_kw": np.concatenate(held)} if held else {}
            table |= self._phase_columns()
        return self._keyed(pd.DataFrame({**self._index("slot"), **table}))

    def _phase_columns(self) -> dict[str, Floats]:
        """Extremes of phase voltages and unbalance by (day, slot), where the feeder was solved by phase."""
        days = [found for _, found in phase_days(self.records)]
        if not days:
            return {}
        voltage = np.concatenate([found.voltage_pu.reshape(len(found.voltage_pu), -1) for found in days])
        return {
            "min_phase_voltage_pu": voltage.min(axis=1),
            "max_phase_voltage_pu": voltage.max(axis=1),
            "max_unbalance_percent": np.concatenate([found.unbalance_percent.max(axis=1) for found in days]),
        }

    @property
    def bus_slots(self) -> pd.DataFrame:
        """Table by (day, slot, bus): net load at feeder scale and voltage; no rows without a feeder."""
        grids = [record.grid for record in self.records if record.grid]
        if not grids:
            return self._keyed(pd.DataFrame({name: [] for name in ("day", "slot", "bus", "net_load_kw", "voltage_pu")}))
        load = np.array([grid.net_load_kw for grid in grids])
        voltage = np.array([grid.voltage_pu for grid in grids])
        day, slot, bus = (index.ravel() for index in np.indices(load.shape))
        table = pd.DataFrame(
            {
                "day": np.array([record.day for record in self.records])[day],
                "slot": slot,
                "bus": pd.Categorical.from_codes(bus, dtype=pd.CategoricalDtype(list(self.buses))),
                "net_load_kw": load.ravel(),
                "voltage_pu": voltage.ravel(),
            }
        )
        phases = [found for _, found in phase_days(self.records)]
        if phases:
            by_phase = np.array([found.voltage_pu for found in phases]).reshape(-1, 3)
            names = [f"voltage_{phase}_pu" for phase in PHASES]
            table[names] = by_phase
            table["unbalance_percent"] = np.array([found.unbalance_percent for found in phases]).ravel()
        return self._keyed(table)

    @property
    def type_days(self) -> pd.DataFrame:
        """Table by (day, income group, technology): households, and their bills and metered energy, summed."""
        return self._keyed(self._type_days())

    def _type_days(self) -> pd.DataFrame:
        table = {name: self.stacked(name).ravel() for name in ("bill_usd", "imported_kwh", "exported_kwh")}
        days = len(self.records)
        return pd.DataFrame(
            {
                "day": np.repeat([record.day for record in self.records], len(self.types)),
                "income_group": [group for group, _ in self.types] * days,
                "technology": [technology for _, technology in self.types] * days,
                **({"branch": list(self.branches) * days} if self.branches else {}),
                "households": np.tile(self.households, days),
                **table,
                "net_kwh": table["imported_kwh"] - table["exported_kwh"],
            }
        )

    @property
    def class_days(self) -> pd.DataFrame:
        """Table by (day, income group, technology, cohort): ``type_days`` with the cohort and its behaviour."""
        return self._keyed(self._class_days())

    def _class_days(self) -> pd.DataFrame:
        sums = ("bill_usd", "imported_kwh", "exported_kwh")
        table = {name: self.stacked(f"class_{name}").ravel() for name in sums}
        days, cohorts = len(self.records), len(self.behaviours)
        return pd.DataFrame(
            {
                "day": np.repeat([record.day for record in self.records], len(self.types) * cohorts),
                "income_group": [group for group, _ in self.types for _ in self.behaviours] * days,
                "technology": [technology for _, technology in self.types for _ in self.behaviours] * days,
                **({"branch": list(np.repeat(self.branches, cohorts)) * days} if self.branches else {}),
                "cohort": [*range(cohorts)] * len(self.types) * days,
                "behaviour": list(self.behaviours) * len(self.types) * days,
                "households": np.tile(self.class_households.ravel(), days),
                **table,
                "net_kwh": table["imported_kwh"] - table["exported_kwh"],
            }
        )

    @property
    def behaviour_days(self) -> pd.DataFrame:
        """Table by (day, behaviour): ``class_days`` summed over types and cohorts, and the mean bill."""
        table = self._class_days().drop(columns=["income_group", "technology", "branch", "cohort"], errors="ignore")
        return self._keyed(_with_mean_bill(table.groupby(["day", "behaviour"], sort=False, as_index=False).sum()))

    @property
    def group_days(self) -> pd.DataFrame:
        """Table by (day, income group): ``type_days`` summed over technologies, and the mean bill."""
        table = self._type_days().drop(columns=["technology", "branch"], errors="ignore")
        return self._keyed(_with_mean_bill(table.groupby(["day", "income_group"], sort=False, as_index=False).sum()))

    @property
    def days(self) -> pd.DataFrame:
        """Table by day: weather, the utility's account, peak, mean price, volatility, voltage band."""
        rows = [
            {
                "day": record.day,
                "common_state": record.common_state,
                "day_type": record.day_type,
                **day_summary(record, sum(self.households)),
            }
            for record in self.records
        ]
        return self._keyed(pd.DataFrame(rows))

    def _keyed(self, table: pd.DataFrame) -> pd.DataFrame:
        """A table with the run's key as its last column."""
        return table.assign(key=np.full(len(table), self.key, dtype=np.uint64))

    @property
    def _has_grid(self) -> bool:
        return any(record.grid for record in self.records)

    def _index(self, second: str) -> dict[str, list[int]]:
        count = len(self.records[0].net_load_kw) if self.records else 0
        pairs = list(itertools.product([record.day for record in self.records], range(count)))
        return {"day": [day for day, _ in pairs], second: [slot for _, slot in pairs]}


SUMMARY = (
    "net_load_peak_kw",
    "net_load_mean_kw",
    "wholesale_mean_usd_per_kwh",
    "imv_usd_per_kwh",
    "bill_usd_per_household_day",
    "surplus_usd_per_household_day",
    "min_voltage_pu",
    "max_voltage_pu",
    "loss_mean_kw",
    "hours_unsolved",
    "hours_outside_limits",
)
"""Names of the figures of ``day_summary``."""


def phase_days(records: Iterable[DayRecord]) -> Iterator[tuple[int, PhaseDay]]:
    """Number of every day whose feeder was solved by phase, and what it was."""
    for record in records:
        if record.grid is not None and record.grid.phases is not None:
            yield record.day, record.grid.phases


def day_summary(record: DayRecord, households: int) -> dict[str, float]:
    """The day in a few numbers; grid figures are nan without a feeder.

    Voltages and losses are those of the slots in which the power flow found a state, nan where there is none;
    ``hours_unsolved`` says how much of the day is missing.

    Parameters
    ----------
    households
        Number of simulated households, for money per household.
    """
    grid = record.grid
    known = grid if grid is not None and grid.solved.any() else None
    return {
        "net_load_peak_kw": float(record.net_load_kw.max()),
        "net_load_mean_kw": float(record.net_load_kw.mean()),
        "wholesale_mean_usd_per_kwh": float(record.wholesale_usd_per_kwh.mean()),
        "imv_usd_per_kwh": record.imv_usd_per_kwh,
        "bill_usd_per_household_day": record.account.revenue_usd / households,
        "surplus_usd_per_household_day": record.account.surplus_usd / households,
        "min_voltage_pu": float(known.voltage_pu[known.solved].min()) if known else np.nan,
        "max_voltage_pu": float(known.voltage_pu[known.solved].max()) if known else np.nan,
        "loss_mean_kw": float(known.loss_kw[known.solved].mean()) if known else np.nan,
        "hours_unsolved": grid.hours_unsolved if grid else np.nan,
        "hours_outside_limits": grid.hours_outside_limits if grid else np.nan,
    }


def _with_mean_bill(table: pd.DataFrame) -> pd.DataFrame:
    table["mean_bill_usd"] = table["bill_usd"] / table["households"].where(table["households"] > 0)
    return table
