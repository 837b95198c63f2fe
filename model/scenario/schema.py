"""A scenario: all tables of its file together, and the rules that hold between them."""

from typing import Annotated, Literal

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.scenario import ranges
from meanwatt.model.scenario.adoption_table import BY_GROUP, AdoptionTable
from meanwatt.model.scenario.branches import check_branches
from meanwatt.model.scenario.calendar_file import CalendarTable
from meanwatt.model.scenario.envelopes import check_envelopes
from meanwatt.model.scenario.limits import require_counts, require_physical, require_size
from meanwatt.model.scenario.marks import AddedLater, CheckedLater, Entries
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.rate_classes import RateClassTable, check_rate_classes
from meanwatt.model.scenario.rate_tables import (
    group_values,
    period_of_slot,
    rate_table,
    slot_values,
    slots_within,
)
from meanwatt.model.scenario.tables import (
    SUM_TOLERANCE,
    BatteryTable,
    CarbonTable,
    DayTypeTable,
    EvTable,
    FeederTable,
    IncomeGroupTable,
    LoadTable,
    OneDayTable,
    PvTable,
    ReferenceTable,
    ShockTable,
    SupplyTable,
)
from meanwatt.model.scenario.tariff_file import Matrix, Table, TariffTable, whole
from meanwatt.model.scenario.technologies import ownership
from meanwatt.model.scenario.weather import checked_kernel, common_states, stationary_law

HOUR_TOLERANCE = 1e-9
"""An hour this near to the edge of a slot, in slots, lies on it."""


class Scenario(Table):
    """One validated scenario: all that a run is made from, as the file says it.

    `meanwatt.model.scenario.economy.build_economy` turns it into arrays. Load one with
    `meanwatt.model.scenario.loading.load_scenario`.
    """

    name: str = Field(pattern=r"^[\w.-]+$")
    """Short name, used in file names and messages."""
    title: str = ""
    """Name for people."""
    slots_per_day: Annotated[Literal[24, 48, 96], BeforeValidator(whole)] = 24
    """Slots of a day."""
    memory: Annotated[Literal[0, 1, 2], BeforeValidator(whole)] = 0
    """Past day types, and tariffs drawn on those days, on which the mean field is conditioned."""
    temperature_usd: Annotated[float, ranges.TEMPERATURE] = 0.02
    """Temperature η of the softmax choice. [USD per slot]"""
    discount_per_day: Annotated[float, ranges.DISCOUNT_PER_DAY] = 1.0
    """Discount δ; 1 is the average-per-day criterion."""
    value_rule: Literal["entropy", "boltzmann"] = "entropy"
    """What a softmax household believes its future to be worth."""
    elasticity: Annotated[float, ranges.ELASTICITY] = 0.1
    """Magnitude ε of the own-price elasticity."""
    flexibility: Annotated[float, ranges.SHARE] = 0.5
    """Largest relative change f of use."""
    reference_price_usd_per_kwh: Annotated[float, ranges.POSITIVE_PRICE]
    """Price p0 at which demand is the reference demand: the flat price that breaks even without PV. [USD/kWh]"""
    battery_levels: Annotated[int, ranges.BATTERY_LEVELS] = 21
    """States of charge of a battery, empty and full included."""
    pv_scale: Annotated[float, ranges.SCALE] = 1.0
    """Multiplies the kW of every PV system."""
    pv_share_scale: Annotated[float, ranges.SCALE] = 1.0
    """Multiplies every group's share with PV, capped at 1."""
    battery_share_scale: Annotated[float, ranges.SCALE] = 1.0
    """Multiplies both storage shares, each capped at 1."""
    ev_share_scale: Annotated[float, ranges.SCALE, AddedLater()] = 1.0
    """Multiplies every group's share with an electric vehicle, capped at 1."""
    fixed_cost_usd_per_month: Annotated[float, ranges.NETWORK_COST]
    """Network cost K of a household. [USD/month]"""
    default_tariff: str
    """Tariff in force unless another is asked for."""
    day_types: Annotated[dict[str, DayTypeTable], Entries(ranges.DAY_TYPES)] = Field(min_length=1)
    """Day types ω by name."""
    day_type_kernel: Annotated[Matrix, CheckedLater(ranges.CHANCE)]
    """P(tomorrow | today), rows and columns in the order of the day types."""
    shock: ShockTable
    load: LoadTable
    pv: PvTable
    battery: BatteryTable
    ev: Annotated[EvTable, AddedLater()] = Field(default_factory=EvTable)
    income_groups: Annotated[dict[str, IncomeGroupTable], Entries(ranges.INCOME_GROUPS)] = Field(min_length=1)
    """Income groups by name, poorest first."""
    supply: SupplyTable
    carbon: CarbonTable = Field(default_factory=CarbonTable)
    feeder: FeederTable
    reference: ReferenceTable = Field(default_factory=ReferenceTable)
    tariffs: Annotated[dict[str, TariffTable], Entries(ranges.TARIFFS)] = Field(min_length=1)
    """Tariffs by name; their keys are those of a tariff file."""
    calendar: Annotated[CalendarTable | None, AddedLater()] = None
    """Calendar that day types and their chain are made from; without it they are written out."""
    rate_classes: Annotated[dict[str, RateClassTable], Entries(ranges.RATE_CLASSES), AddedLater()] = Field(
        default_factory=dict
    )
    """Who has another tariff than the default one, by name of the rate class."""
    rate_classes_in_force: Annotated[bool, AddedLater()] = True
    """Whether rate classes hold; else everybody has the default tariff."""
    adoption: Annotated[AdoptionTable, AddedLater()] = Field(default_factory=AdoptionTable)
    one_day: OneDayTable | None = None
    """A game of a single day; without it days go on for ever."""

    @property
    def selected_tariff(self) -> str:
        """Name of the tariff in force."""
        return self.default_tariff

    @property
    def has_rate_classes(self) -> bool:
        """Whether not everybody has the tariff in force."""
        return self.rate_classes_in_force and bool(self.rate_classes)

    @property
    def slot_hours(self) -> float:
        """Length of a slot. [h]"""
        return 24 / self.slots_per_day

    @property
    def seasons(self) -> tuple[str | None, ...]:
        """Season of each day type, (ω,)."""
        return tuple(table.season for table in self.day_types.values())

    @property
    def day_classes(self) -> tuple[str | None, ...]:
        """Class of each day type, weekday or weekend, (ω,)."""
        return tuple(table.day_class for table in self.day_types.values())

    @model_validator(mode="after")
    def _keeps_the_rules_between_tables(self) -> "Scenario":
        require_counts(self)
        self._check_shares()
        self._check_chains()
        self._check_slots()
        self._check_vehicle()
        require_physical(self)
        self._check_battery()
        require_size(self)
        self._check_one_day()
        for name, tariff in self.tariffs.items():
            self.check_tariff(name, tariff)
        if self.default_tariff not in self.tariffs:
            raise ValueError(f"default_tariff: {unknown('tariff', self.default_tariff, self.tariffs)}")
        if self.has_rate_classes:
            check_rate_classes(self)
        check_branches(self)
        check_envelopes(self)
        for key in BY_GROUP:
            group_values(getattr(self.adoption, key), tuple(self.income_groups), f"adoption.{key}")
        return self

    def _check_shares(self) -> None:
        """Raise ValueError unless the income groups are all of the population."""
        total = sum(group.share for group in self.income_groups.values())
        if abs(total - 1) > SUM_TOLERANCE:
            raise ValueError(f"income_groups shares sum to {total:.6g}; give shares that sum to 1")

    def _check_chains(self) -> None:
        """Raise ValueError unless the two kernels are Markov kernels with one stationary law, shocks of mean one."""
        common_states(tuple(self.day_types), self.day_type_kernel_array(), self.memory)
        levels = np.array(self.shock.levels)
        if levels.size == 0:
            raise ValueError("shock.levels is []; give one or more numbers")
        law = self.shock_law()
        mean = float(law @ levels)
        if abs(mean - 1) > SUM_TOLERANCE:
            raise ValueError(f"shock.levels have mean {mean:.6g} under their stationary law; give levels with mean 1")

    def _check_slots(self) -> None:
        """Raise ValueError unless every list has one entry a slot or an hour and makes sense."""
        for key, value in (("load.shape", self.load.shape), ("pv.shape_kw_per_kw", self.pv.shape_kw_per_kw)):
            slot_values(value, self.slots_per_day, key)
        if not np.any(np.asarray(self.load.shape) > 0):
            raise ValueError("load.shape is zero all day; give at least one positive number")
        for name, group in self.income_groups.items():
            if group.shape is not None:
                slot_values(group.shape, self.slots_per_day, f"income_groups.{name}.shape")
                if not np.any(np.asarray(group.shape) > 0):
                    raise ValueError(f"income_groups.{name}.shape is zero all day; give at least one positive number")
        for name, table in self.day_types.items():
            for field in ("pv_factor", "load_factor", "rest_load_kw"):
                slot_values(getattr(table, field), self.slots_per_day, f"day_types.{name}.{field}")

    def _check_battery(self) -> None:
        """Raise ValueError if the levels are so far apart that the battery cannot move from one to the next."""
        self._check_levels("battery", self.battery, "battery_levels", self.battery_levels)

    def _check_vehicle(self) -> None:
        """Raise ValueError unless the electric vehicle, if somebody owns one, can charge and keeps to the slots."""
        if not any(group.share > 0 and ownership(self, group).ev > 0 for group in self.income_groups.values()):
            return
        self._check_levels("ev", self.ev, "ev.levels", self.ev.levels)
        for key in ("departure_hour", "return_hour"):
            hour = getattr(self.ev, key)
            if abs(hour / self.slot_hours - round(hour / self.slot_hours)) > HOUR_TOLERANCE:
                raise ValueError(
                    f"ev.{key} is {hour:.12g}, within a slot of {self.slot_hours:g} h; give a multiple of it below 24"
                )
        if self.ev.departure_hour == self.ev.return_hour:
            raise ValueError(f"ev.return_hour is {self.ev.return_hour:g}, as ev.departure_hour; give another hour")
        if self.ev.trip_kwh > self.ev.capacity_kwh:
            raise ValueError(
                f"ev.trip_kwh is {self.ev.trip_kwh:g}, more than ev.capacity_kwh ({self.ev.capacity_kwh:g} kWh); give"
                " at most that"
            )
        if self.one_day is not None:
            raise ValueError(
                "one_day is given, and income_groups own electric vehicles (ev_share), whose trips follow one another;"
                " leave out one_day, or set ev_share_scale = 0"
            )

    def _check_levels(self, what: str, table: BatteryTable | EvTable, key: str, levels: int) -> None:
        """Raise ValueError if the levels of a battery are farther apart than it can charge in a slot."""
        reach_kwh = table.power_limit_kw * self.slot_hours * table.round_trip_efficiency**0.5
        fewest = int(np.ceil(table.capacity_kwh / reach_kwh * (1 - 1e-9))) + 1
        if fewest > ranges.BATTERY_LEVELS.high:
            raise ValueError(
                f"{what}.capacity_kwh is {table.capacity_kwh:g}, {fewest - 1:.4g} times what the battery can charge"
                f" in a slot ({reach_kwh:.3g} kWh); give at most {ranges.BATTERY_LEVELS.high - 1} times, or a larger"
                f" {what}.power_limit_kw"
            )
        if levels < fewest:
            step_kwh = table.capacity_kwh / (levels - 1)
            raise ValueError(
                f"{key} is {levels}: a level is {step_kwh:.3g} kWh, more than the battery can"
                f" charge in a slot ({reach_kwh:.3g} kWh); give {fewest} or more"
            )

    def _check_one_day(self) -> None:
        """Raise ValueError unless a single day is well posed."""
        if self.one_day is None:
            return
        self.one_day.game(self.battery_levels)
        if self.discount_per_day != 1.0:
            raise ValueError(
                f"discount_per_day is {self.discount_per_day:g}, but a game of one_day has no other day; give 1"
            )

    def check_tariff(self, name: str, tariff: TariffTable) -> None:
        """Raise ValueError unless a tariff fits this scenario's day types, slots and income groups."""
        key = f"tariffs.{name}"
        for period in tariff.periods:
            if period in (*self.day_types, *self.seasons, *self.day_classes):
                raise ValueError(f"{key}.periods.{period} has the name of a day type, season or class; rename it")
        if tariff.periods:
            try:
                period_of_slot(tariff.periods, self.slots_per_day)
            except ValueError as error:
                raise ValueError(f"{key}: {error}") from None
        for place, form in (
            ("energy_usd_per_kwh", tariff.energy_usd_per_kwh),
            ("export.usd_per_kwh", tariff.export.usd_per_kwh),
            ("subscription.usd_per_kwh", tariff.subscription.usd_per_kwh),
        ):
            rate_table(
                form,
                key=f"{key}.{place}",
                periods=tariff.periods,
                day_types=tuple(self.day_types),
                seasons=self.seasons,
                classes=self.day_classes,
                slots=self.slots_per_day,
            )
        self._check_branch_adders(key, tariff)
        try:
            slots_within(tariff.demand_charge.window, self.slots_per_day)
        except ValueError as error:
            raise ValueError(f"{key}.demand_charge.{error}") from None
        groups = tuple(self.income_groups)
        group_values(tariff.fixed_charge_usd_per_day, groups, f"{key}.fixed_charge_usd_per_day")
        shape = group_values(tariff.fixed_charge_shape, groups, f"{key}.fixed_charge_shape")
        share = np.array([group.share for group in self.income_groups.values()])
        if tariff.recovery == "fixed" and shape.any() and not shape @ share > 0:
            raise ValueError(
                f"{key}.fixed_charge_shape is {shape.tolist()}, positive only where income_groups have share 0: nobody"
                " pays the fixed charge that recovers the cost; give a positive number to a group with households"
            )
        if not shape.any():
            raise ValueError(f"{key}.fixed_charge_shape is {shape.tolist()}; give at least one positive number")
        group_values(tariff.discount, groups, f"{key}.discount")

    def _check_branch_adders(self, key: str, tariff: TariffTable) -> None:
        """Raise ValueError unless adders by branch fit day types and slots."""
        for branch, form in tariff.branch_adder_usd_per_kwh.items():
            ranges.PRICE.require(form, f"{key}.branch_adder_usd_per_kwh.{branch}")
            rate_table(
                form,
                key=f"{key}.branch_adder_usd_per_kwh.{branch}",
                periods=tariff.periods,
                day_types=tuple(self.day_types),
                seasons=self.seasons,
                classes=self.day_classes,
                slots=self.slots_per_day,
            )

    def day_type_kernel_array(self) -> Floats:
        """Kernel of the day types, (ω, ω'); ValueError if rows differ in length."""
        return _square(self.day_type_kernel, "day_type_kernel", tuple(self.day_types))

    def shock_law(self) -> Floats:
        """Stationary law of the shock, (z,)."""
        return stationary_law(self.shock_kernel_array(), key="shock.kernel")

    def shock_kernel_array(self) -> Floats:
        """Kernel of the shock, (z, z'); ValueError unless there is one row for each level."""
        levels = tuple(f"{level:g}" for level in self.shock.levels)
        return _square(self.shock.kernel, "shock.kernel", levels)


def _square(matrix: tuple[tuple[float, ...], ...], key: str, names: tuple[str, ...]) -> Floats:
    """Checked Markov kernel over the named states; ValueError names the row."""
    lengths = {len(row) for row in matrix}
    if len(matrix) != len(names) or lengths != {len(names)}:
        given = f"{len(matrix)} x {' or '.join(str(length) for length in sorted(lengths)) or 0}"
        raise ValueError(
            f"{key} is {given} numbers; give {len(names)} x {len(names)}, a row for each of {', '.join(names)}"
        )
    kernel = checked_kernel(matrix, key=key, rows=names)
    for name, row in zip(names, matrix, strict=True):
        ranges.CHANCE.require(row, f"{key} row {name}")
    return kernel
