"""The tables of a scenario file and the rules they must keep."""

from typing import Annotated, Literal

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from agents.arrays import Floats
from agents.outlook import OneDay
from model.nearest import unknown
from model.supply import SupplyCurve
from model.tariff_file import (
    Matrix,
    NumberOrList,
    Row,
    Table,
    TariffTable,
    group_values,
    period_of_slot,
    rate_table,
    show,
    slot_values,
    whole,
)
from model.weather import checked_kernel, common_states, stationary_law

SUM_TOLERANCE = 1e-6  # shares and probabilities are written with a few decimals; they are rescaled afterwards


class DayTypeTable(Table):
    """``[day_types.NAME]``: a kind of day, the same for everybody."""

    pv_factor: NumberOrList
    """Solar output relative to a clear day."""
    load_factor: NumberOrList = 1.0
    """Reference demand relative to the mean day."""
    season: str | None = None
    """Season the day belongs to; a tariff may name it."""
    rest_load_kw: NumberOrList = 0.0
    """Load of the rest of the system per household; negative for foreign renewables. [kW]"""


class ShockTable(Table):
    """``[shock]``: the household's own chance, a Markov chain over slots, multiplying its demand."""

    levels: Row
    """Multipliers with mean one. (z,)"""
    kernel: Matrix
    """Transition probabilities from slot to slot. (z, z')"""


class LoadTable(Table):
    """``[load]``: demand at the reference price."""

    use_kwh_per_day: float = Field(gt=0)
    """Mean use of a household without PV, over the income groups. [kWh/day]"""
    shape: NumberOrList
    """Shape of the day, normalised to mean one."""
    adopter_multiplier: float = Field(default=1.0, gt=0)
    """Use of a household with PV over that of one without in the same group."""


class PvTable(Table):
    """``[pv]``: rooftop solar."""

    shape_kw_per_kw: NumberOrList
    """Output on a clear day per kW installed."""


class BatteryTable(Table):
    """``[battery]``: one model of battery for all."""

    capacity_kwh: float = Field(gt=0)
    """Usable energy. [kWh]"""
    power_limit_kw: float = Field(gt=0)
    """Largest grid-side power. [kW]"""
    round_trip_efficiency: float = Field(gt=0, le=1)
    """Energy out over energy in; half the loss on either way."""
    wear_usd_per_kwh: float = Field(default=0.0, ge=0)
    """Per kWh moved in the cell. [USD/kWh]"""


class IncomeGroupTable(Table):
    """``[income_groups.NAME]``: a class of households."""

    share: float = Field(ge=0, le=1)
    """Of all households."""
    income_usd_per_year: float = Field(gt=0)
    """Gross income. [USD/yr]"""
    use_factor: float = Field(gt=0)
    """Use over the mean, PV left aside."""
    pv_share: float = Field(default=0.0, ge=0, le=1)
    """Share of the group with PV."""
    pv_kw: float = Field(default=0.0, ge=0)
    """Size of a PV system. [kW]"""
    storage_share_of_pv: float = Field(default=0.0, ge=0, le=1)
    """Share of the group's PV owners with a battery."""
    battery_only_share: float = Field(default=0.0, ge=0, le=1)
    """Share of the group's households without PV that own a battery."""


class SupplyTable(Table):
    """``[supply]``: marginal cost over the net load per household."""

    kind: Literal["polynomial", "piecewise"]
    """polynomial takes coefficients; piecewise takes net_load_kw and usd_per_kwh."""
    coefficients: Row | None = None
    """Constant first, up to cubic."""
    clamp_below_kw: float | None = None
    """Below this load the price is held. [kW]"""
    floor_usd_per_kwh: float | None = None
    """Or: the price under which the curve does not go. [USD/kWh]"""
    net_load_kw: Row | None = None
    """Nodes, ascending. [kW]"""
    usd_per_kwh: Row | None = None
    """Prices at the nodes, never falling. [USD/kWh]"""
    emissions_t_per_mwh: NumberOrList = 0.0
    """Marginal emissions, one number or one a segment. [t/MWh]"""

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> "SupplyTable":
        polynomial = ("coefficients", "clamp_below_kw", "floor_usd_per_kwh")
        piecewise = ("net_load_kw", "usd_per_kwh")
        needs, foreign = (polynomial[:1], piecewise) if self.kind == "polynomial" else (piecewise, polynomial)
        for key in needs:
            if getattr(self, key) is None:
                raise ValueError(f"key 'supply.{key}' is missing; kind {self.kind!r} needs it")
        for key in foreign:
            if getattr(self, key) is not None:
                raise ValueError(f"key 'supply.{key}' does not go with kind {self.kind!r}; drop it or change the kind")
        self.curve()
        return self

    def curve(self) -> SupplyCurve:
        """Supply curve of this table; ValueError if it falls anywhere."""
        tonnes = np.asarray(self.emissions_t_per_mwh) / 1000
        if self.kind == "piecewise":
            assert self.net_load_kw is not None
            assert self.usd_per_kwh is not None
            return SupplyCurve.piecewise_linear(self.net_load_kw, self.usd_per_kwh, emissions_t_per_kwh=tonnes)
        if tonnes.size != 1:
            raise ValueError(f"emissions_t_per_mwh has {tonnes.size} numbers; give one, a polynomial has one segment")
        assert self.coefficients is not None
        return SupplyCurve.polynomial(
            self.coefficients,
            clamp_below_kw=self.clamp_below_kw,
            floor_usd_per_kwh=self.floor_usd_per_kwh,
            emissions_t_per_kwh=tonnes.item(),
        )


class CarbonTable(Table):
    """``[carbon]``: harm of a tonne."""

    usd_per_t: float = Field(default=0.0, ge=0)
    """Social cost of carbon. [USD/t]"""


class FeederTable(Table):
    """``[feeder]``: the wires."""

    name: Literal["baran_wu_33", "textbook_line_5", "lv_rural", "lv_semiurban"]
    """Which network."""
    limits: Literal["ansi_c84_1", "en_50160"] = "ansi_c84_1"
    """Voltage band: 5 % or 10 % about the nominal."""


class ReferenceTable(Table):
    """``[reference]``: numbers kept for reports and lessons; no equation of the model reads them."""

    value_of_lost_load_usd_per_kwh: float | None = Field(default=None, ge=0)
    """What a household would pay to avoid an outage. [USD/kWh]"""
    average_emissions_t_per_mwh: float | None = Field(default=None, ge=0)
    """Of all generation; the model uses the marginal emissions of ``[supply]``. [t/MWh]"""
    tou_elasticity_without_technology: float | None = Field(default=None, ge=0)
    """Magnitude under time-of-use rates, by hand."""
    tou_elasticity_with_technology: float | None = Field(default=None, ge=0)
    """Magnitude under time-of-use rates, with a controller."""


def _charge(value: object) -> object:
    """Refuse what is neither a name nor a row of numbers."""
    numbers = isinstance(value, list | tuple) and all(
        isinstance(entry, int | float) and not isinstance(entry, bool) and np.isfinite(entry) for entry in value
    )
    if not (numbers or isinstance(value, str)):
        raise ValueError(f"is {show(value)}; give uniform, empty or full, or a probability a level")
    return value


class OneDayTable(Table):
    """``[one_day]``: a game of a single day in place of the stationary one."""

    charge: Annotated[str | Row, BeforeValidator(_charge)] = "uniform"
    """Law of the batteries' level before the first slot: uniform, empty or full, or one probability a level."""
    salvage_usd_per_kwh: float = Field(default=0.0, ge=0)
    """Worth of energy still stored after the last slot. [USD/kWh]"""

    def game(self, levels: int) -> OneDay:
        """The single day of a battery with this many levels; ValueError if the law does not fit."""
        named = {"uniform": np.full(levels, 1 / levels), "empty": np.eye(levels)[0], "full": np.eye(levels)[-1]}
        if isinstance(self.charge, str):
            if self.charge not in named:
                raise ValueError(f"one_day.charge: {unknown('charge', self.charge, named)}")
            law = named[self.charge]
        else:
            law = np.array(self.charge)
            if law.shape != (levels,) or (law < 0).any() or abs(law.sum() - 1) > SUM_TOLERANCE:
                raise ValueError(
                    f"one_day.charge is {law.tolist()}; give {levels} probabilities that sum to 1, one a battery level,"
                    " or uniform, empty or full"
                )
            law /= law.sum()
        return OneDay(charge_law=law, salvage_usd_per_kwh=self.salvage_usd_per_kwh)


class Scenario(Table):
    """One validated scenario: all that a run is made from, as the file says it.

    `model.economy.build_economy` turns it into arrays. Load one with `model.scenario.load_scenario`.
    """

    name: str = Field(pattern=r"^[\w.-]+$")
    """Short name, used in file names and messages."""
    title: str = ""
    """Name for people."""
    slots_per_day: Annotated[Literal[24, 48, 96], BeforeValidator(whole)] = 24
    """Slots of a day."""
    memory: Annotated[Literal[0, 1, 2], BeforeValidator(whole)] = 0
    """Past day types on which the mean field is conditioned."""
    temperature_usd: float = Field(default=0.02, ge=0)
    """Temperature η of the softmax choice. [USD per slot]"""
    discount_per_day: float = Field(default=1.0, gt=0, le=1)
    """Discount δ; 1 is the average-per-day criterion."""
    value_rule: Literal["entropy", "boltzmann"] = "entropy"
    """What a softmax household believes its future to be worth."""
    elasticity: float = Field(default=0.1, ge=0)
    """Magnitude ε of the own-price elasticity."""
    flexibility: float = Field(default=0.5, ge=0, le=1)
    """Largest relative change f of use."""
    reference_price_usd_per_kwh: float = Field(gt=0)
    """Price p0 at which demand is the reference demand: the flat price that breaks even without PV. [USD/kWh]"""
    battery_levels: int = Field(default=21, ge=2, le=1001)
    """States of charge of a battery, empty and full included."""
    pv_scale: float = Field(default=1.0, ge=0)
    """Multiplies the kW of every PV system."""
    pv_share_scale: float = Field(default=1.0, ge=0)
    """Multiplies every group's share with PV, capped at 1."""
    battery_share_scale: float = Field(default=1.0, ge=0)
    """Multiplies both storage shares, each capped at 1."""
    fixed_cost_usd_per_month: float = Field(ge=0)
    """Network cost K of a household. [USD/month]"""
    default_tariff: str
    """Tariff in force unless another is asked for."""
    day_types: dict[str, DayTypeTable] = Field(min_length=1)
    """Day types ω by name."""
    day_type_kernel: Matrix
    """P(tomorrow | today), rows and columns in the order of the day types."""
    shock: ShockTable
    load: LoadTable
    pv: PvTable
    battery: BatteryTable
    income_groups: dict[str, IncomeGroupTable] = Field(min_length=1)
    """Income groups by name, poorest first."""
    supply: SupplyTable
    carbon: CarbonTable = Field(default_factory=CarbonTable)
    feeder: FeederTable
    reference: ReferenceTable = Field(default_factory=ReferenceTable)
    tariffs: dict[str, TariffTable] = Field(min_length=1)
    """Tariffs by name."""
    one_day: OneDayTable | None = None
    """A game of a single day; without it days go on for ever."""

    @property
    def selected_tariff(self) -> str:
        """Name of the tariff in force."""
        return self.default_tariff

    @property
    def slot_hours(self) -> float:
        """Length of a slot. [h]"""
        return 24 / self.slots_per_day

    @property
    def seasons(self) -> tuple[str | None, ...]:
        """Season of each day type, (ω,)."""
        return tuple(table.season for table in self.day_types.values())

    @model_validator(mode="after")
    def _keeps_the_rules_between_tables(self) -> "Scenario":
        self._check_shares()
        self._check_chains()
        self._check_slots()
        self._check_battery()
        self._check_one_day()
        for name, tariff in self.tariffs.items():
            self.check_tariff(name, tariff)
        if self.default_tariff not in self.tariffs:
            raise ValueError(f"default_tariff: {unknown('tariff', self.default_tariff, self.tariffs)}")
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
        if levels.size == 0 or (levels < 0).any():
            raise ValueError(f"shock.levels is {levels.tolist()}; give one or more numbers, 0 or more each")
        law = self.shock_law()
        mean = float(law @ levels)
        if abs(mean - 1) > SUM_TOLERANCE:
            raise ValueError(f"shock.levels have mean {mean:.6g} under their stationary law; give levels with mean 1")

    def _check_slots(self) -> None:
        """Raise ValueError unless every list has one entry a slot or an hour and makes sense."""
        for key, value in (("load.shape", self.load.shape), ("pv.shape_kw_per_kw", self.pv.shape_kw_per_kw)):
            if (slot_values(value, self.slots_per_day, key) < 0).any():
                raise ValueError(f"{key} holds {np.min(value):g}; give numbers, 0 or more each")
        if not np.any(np.asarray(self.load.shape) > 0):
            raise ValueError("load.shape is zero all day; give at least one positive number")
        for name, table in self.day_types.items():
            slot_values(table.rest_load_kw, self.slots_per_day, f"day_types.{name}.rest_load_kw")
            for field in ("pv_factor", "load_factor"):
                key = f"day_types.{name}.{field}"
                if (slot_values(getattr(table, field), self.slots_per_day, key) < 0).any():
                    raise ValueError(f"{key} is negative; give 0 or more")

    def _check_battery(self) -> None:
        """Raise ValueError if the levels are so far apart that the battery cannot move from one to the next."""
        battery = self.battery
        reach_kwh = battery.power_limit_kw * self.slot_hours * battery.round_trip_efficiency**0.5
        fewest = int(np.ceil(battery.capacity_kwh / reach_kwh * (1 - 1e-9))) + 1
        if self.battery_levels < fewest:
            step_kwh = battery.capacity_kwh / (self.battery_levels - 1)
            raise ValueError(
                f"battery_levels is {self.battery_levels}: a level is {step_kwh:.3g} kWh, more than the battery can"
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
            if period in self.day_types or period in self.seasons:
                raise ValueError(f"{key}.periods.{period} has the name of a day type or season; rename it")
        if tariff.periods:
            try:
                period_of_slot(tariff.periods, self.slots_per_day)
            except ValueError as error:
                raise ValueError(f"{key}: {error}") from None
        for place, form in (
            ("energy_usd_per_kwh", tariff.energy_usd_per_kwh),
            ("export.usd_per_kwh", tariff.export.usd_per_kwh),
        ):
            rate_table(
                form,
                key=f"{key}.{place}",
                periods=tariff.periods,
                day_types=tuple(self.day_types),
                seasons=self.seasons,
                slots=self.slots_per_day,
            )
        groups = tuple(self.income_groups)
        group_values(tariff.fixed_charge_usd_per_day, groups, f"{key}.fixed_charge_usd_per_day")
        shape = group_values(tariff.fixed_charge_shape, groups, f"{key}.fixed_charge_shape")
        if (shape < 0).any() or not shape.any():
            raise ValueError(
                f"{key}.fixed_charge_shape is {shape.tolist()}; give numbers, 0 or more, at least one positive"
            )
        discount = group_values(tariff.discount, groups, f"{key}.discount")
        if not ((discount >= 0) & (discount < 1)).all():
            raise ValueError(f"{key}.discount is {discount.tolist()}; give shares from 0 up to, not including, 1")

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
    return checked_kernel(matrix, key=key, rows=names)
