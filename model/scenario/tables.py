"""The tables of a scenario file, each with the rules it must keep by itself."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from meanwatt.agents.household.decision_problem import OneDay
from meanwatt.model.scenario import ranges
from meanwatt.model.scenario.envelope_table import EnvelopeTable, bus_list
from meanwatt.model.scenario.inverter_tables import AgeingTable, VoltVarTable, VoltWattTable
from meanwatt.model.scenario.marks import AddedLater, CheckedLater, Entries, Form
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.residents_table import ResidentsTable
from meanwatt.model.scenario.supply import SupplyCurve
from meanwatt.model.scenario.tariff_file import Matrix, NumberOrList, Row, Table
from meanwatt.model.scenario.values import show

SUM_TOLERANCE = 1e-6  # shares and probabilities are written with a few decimals; they are rescaled afterwards

ZERO_PER_POSITIVE = ranges.Range(0.01, 100)
"""A zero-sequence impedance over one of the positive sequence."""
PHASE_SEED = ranges.Range(0, 2**32 - 1, whole=True)
"""Seed of the phases of homes."""
HOUR = ranges.Range(0, 23.99, "h")
"""Of the day, after midnight."""


class DayTypeTable(Table):
    """``[day_types.NAME]``: a kind of day, the same for everybody."""

    pv_factor: Annotated[NumberOrList, ranges.FACTOR]
    """Solar output relative to a clear day."""
    load_factor: Annotated[NumberOrList, ranges.FACTOR] = 1.0
    """Reference demand relative to the mean day."""
    season: str | None = None
    """Season the day belongs to; a tariff may name it."""
    rest_load_kw: Annotated[NumberOrList, ranges.REST] = 0.0
    """Load of the rest of the system per household; negative for foreign renewables. [kW]"""
    day_class: Annotated[Literal["weekday", "weekend"] | None, AddedLater()] = None
    """Class of the day; a tariff may name it."""


class ShockTable(Table):
    """``[shock]``: the household's own chance, a Markov chain over slots, multiplying its demand."""

    levels: Annotated[Row, ranges.FACTOR, Entries(ranges.SHOCK_LEVELS)]
    """Multipliers with mean one. (z,)"""
    kernel: Annotated[Matrix, CheckedLater(ranges.CHANCE)]
    """Transition probabilities from slot to slot. (z, z')"""


class LoadTable(Table):
    """``[load]``: demand at the reference price."""

    use_kwh_per_day: Annotated[float, ranges.USE]
    """Mean use of a household without PV, over the income groups. [kWh/day]"""
    shape: Annotated[NumberOrList, ranges.SHAPE]
    """Shape of the day, normalised to mean one."""
    adopter_multiplier: Annotated[float, ranges.POSITIVE_FACTOR] = 1.0
    """Use of a household with PV over that of one without in the same group."""


class PvTable(Table):
    """``[pv]``: rooftop solar."""

    shape_kw_per_kw: Annotated[NumberOrList, ranges.FACTOR]
    """Output on a clear day per kW installed. [kW/kW]"""
    curtailable: bool = True
    """Whether inverters may use less than the sun gives."""


class BatteryTable(Table):
    """``[battery]``: one model of battery for all."""

    capacity_kwh: Annotated[float, ranges.CAPACITY]
    """Usable energy. [kWh]"""
    power_limit_kw: Annotated[float, ranges.POWER]
    """Largest grid-side power. [kW]"""
    round_trip_efficiency: Annotated[float, ranges.EFFICIENCY]
    """Energy out over energy in; half the loss on either way."""
    wear_usd_per_kwh: Annotated[float, ranges.COST] = 0.0
    """Battery wear per kWh moved in the cell. [USD/kWh]"""


class EvTable(Table):
    """``[ev]``: one model of electric vehicle for all, with its daily trip."""

    capacity_kwh: Annotated[float, ranges.CAPACITY] = 60.0
    """Usable energy. [kWh]"""
    power_limit_kw: Annotated[float, ranges.POWER] = 7.2
    """Largest grid-side power of the charger. [kW]"""
    round_trip_efficiency: Annotated[float, ranges.EFFICIENCY] = 0.88
    """Energy out over energy in; half the loss on either way."""
    wear_usd_per_kwh: Annotated[float, ranges.COST] = 0.0
    """Per kWh moved in the cell while plugged in. [USD/kWh]"""
    levels: Annotated[int, ranges.BATTERY_LEVELS] = 28
    """States of charge, empty and full included."""
    departure_hour: Annotated[float, HOUR] = 8.0
    """When it leaves, on an edge of a slot. [h after midnight]"""
    return_hour: Annotated[float, HOUR] = 18.0
    """When it is plugged in again; before the departure: on the next day. [h after midnight]"""
    trip_kwh: Annotated[float, ranges.CAPACITY] = 9.0
    """Energy in the cell that a day's trip takes. [kWh]"""
    unmet_usd_per_kwh: Annotated[float, ranges.COST] = 0.6
    """Price of energy that the trip needs and the battery lacks: public charging. [USD/kWh]"""
    vehicle_to_grid: bool = False
    """Whether it may give energy to the house and the grid."""


class IncomeGroupTable(Table):
    """``[income_groups.NAME]``: a class of households."""

    share: Annotated[float, ranges.GROUP_SHARE]
    """Share of all households."""
    income_usd_per_year: Annotated[float, ranges.INCOME]
    """Gross income. [USD/yr]"""
    use_factor: Annotated[float, ranges.POSITIVE_FACTOR]
    """Use over the mean, PV left aside."""
    shape: Annotated[NumberOrList | None, ranges.SHAPE, AddedLater()] = None
    """Shape of the group's day, normalised to mean one, in place of ``load.shape``."""
    pv_share: Annotated[float, ranges.GROUP_SHARE] = 0.0
    """Share of the group with PV."""
    pv_kw: Annotated[float, ranges.PV_POWER] = 0.0
    """Size of a PV system. [kW]"""
    storage_share_of_pv: Annotated[float, ranges.GROUP_SHARE] = 0.0
    """Share of the group's PV owners with a battery."""
    battery_only_share: Annotated[float, ranges.GROUP_SHARE] = 0.0
    """Share of the group's households without PV that own a battery."""
    ev_share: Annotated[float, ranges.GROUP_SHARE, AddedLater()] = 0.0
    """Share of the group's households without a home battery that own an electric vehicle."""


class SupplyTable(Table):
    """``[supply]``: marginal cost over the net load per household."""

    kind: Literal["polynomial", "piecewise"]
    """``polynomial`` takes ``coefficients``; ``piecewise`` takes ``net_load_kw`` and ``usd_per_kwh``."""
    coefficients: Annotated[Row | None, ranges.COEFFICIENT] = None
    """Constant first, up to cubic."""
    clamp_below_kw: Annotated[float | None, ranges.REST] = None
    """Below this load the price is held. [kW]"""
    floor_usd_per_kwh: Annotated[float | None, ranges.PRICE] = None
    """Or: the price under which the curve does not go. [USD/kWh]"""
    net_load_kw: Annotated[Row | None, ranges.REST, Entries(ranges.NODES)] = None
    """Nodes, ascending. [kW]"""
    usd_per_kwh: Annotated[Row | None, ranges.PRICE] = None
    """Prices at the nodes, never falling. [USD/kWh]"""
    emissions_t_per_mwh: Annotated[NumberOrList, ranges.EMISSIONS] = 0.0
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

    usd_per_t: Annotated[float, ranges.CARBON] = 0.0
    """Social cost of carbon. [USD/t]"""


Heads = Annotated[tuple[str, ...], BeforeValidator(bus_list), Form("a bus, or a list of buses")]
"""Buses where a branch of the feeder begins."""


class FeederTable(Table):
    """``[feeder]``: the wires."""

    name: Literal["baran_wu_33", "textbook_line_5", "lv_rural", "lv_semiurban", "lv_four_wire"] | None = None
    """Which network; this or ``file``."""
    file: Annotated[str | None, AddedLater()] = None
    """A network in a file of its own, relative to the scenario's file; ``meanwatt import feeder`` writes one."""
    sha256: Annotated[str | None, AddedLater()] = None
    """What the SHA-256 of that file must be; filled in where it is not given."""
    limits: Literal["ansi_c84_1", "en_50160"] = "ansi_c84_1"
    """Voltage band: 5 % or 10 % about the nominal."""
    phases: Annotated[Literal["three", "one"], AddedLater()] = "three"
    """Whether every home draws from all three phases alike or, on a low-voltage feeder, from one; a power flow by phase
    then stands beside the balanced one, and prices, bills and behaviour stay as they are."""
    phase_seed: Annotated[int, PHASE_SEED, AddedLater()] = 0
    """Draws the phase of customers whose feeder does not say it."""
    r0_per_r1: Annotated[float, ZERO_PER_POSITIVE, AddedLater()] = 4.0
    """Zero-sequence over positive-sequence resistance of lines without zero-sequence data."""
    x0_per_x1: Annotated[float, ZERO_PER_POSITIVE, AddedLater()] = 4.0
    """Zero-sequence over positive-sequence reactance of lines without zero-sequence data."""
    losses_bought: Annotated[bool, AddedLater()] = False
    """Whether the utility also buys the feeder's losses, in the finite market, at the wholesale price."""
    volt_watt: Annotated[VoltWattTable, AddedLater()] = Field(default_factory=VoltWattTable)
    volt_var: Annotated[VoltVarTable, AddedLater()] = Field(default_factory=VoltVarTable)
    ageing: Annotated[AgeingTable, AddedLater()] = Field(default_factory=AgeingTable)
    residents: Annotated[ResidentsTable, AddedLater()] = Field(default_factory=ResidentsTable)
    branches: Annotated[dict[str, Heads], AddedLater()] = Field(default_factory=dict)
    """Branch → the bus, or buses, where it begins; it reaches as far as the next branch behind. On each of them
    households are types of their own, and tariffs may have a ``branch_adder_usd_per_kwh``."""
    envelopes: Annotated[dict[str, EnvelopeTable], AddedLater()] = Field(default_factory=dict)
    """Limits on what households draw from the grid and feed into it, by name of the envelope."""

    @model_validator(mode="after")
    def _one_network(self) -> Self:
        if self.name is not None and self.file is not None:
            raise ValueError("name and file are both given; leave one out")
        if self.name is None and self.file is None:
            raise ValueError("neither name nor file is given; name a network or its file")
        if self.sha256 is not None and self.file is None:
            raise ValueError("sha256 is given without a file; leave it out")
        return self


class ReferenceTable(Table):
    """``[reference]``: numbers kept for reports and lessons; no equation of the model reads them."""

    value_of_lost_load_usd_per_kwh: Annotated[float | None, ranges.COST] = None
    """What a household would pay to avoid an outage. [USD/kWh]"""
    average_emissions_t_per_mwh: Annotated[float | None, ranges.EMISSIONS] = None
    """Of all generation; the model uses the marginal emissions of ``[supply]``. [t/MWh]"""
    tou_elasticity_without_technology: Annotated[float | None, ranges.ELASTICITY] = None
    """Magnitude under time-of-use rates, by hand."""
    tou_elasticity_with_technology: Annotated[float | None, ranges.ELASTICITY] = None
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

    charge: Annotated[
        str | Row, BeforeValidator(_charge), Form("uniform, empty or full, or a list of a probability a level")
    ] = "uniform"
    """Law of the batteries' level before the first slot: uniform, empty or full, or one probability a level."""
    salvage_usd_per_kwh: Annotated[float, ranges.COST] = 0.0
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
