"""The tables under ``[feeder]``: what solar inverters do by their voltage, and what wears the transformer."""

from typing import Annotated, Final, Literal, Self

from pydantic import model_validator

from meanwatt.model.scenario.ranges import Range
from meanwatt.model.scenario.tariff_file import Table

VOLTAGE: Final = Range(0.5, 1.5, "pu")
"""A point of a curve."""
PART: Final = Range(0, 1)
"""Of a rated power."""
APPARENT: Final = Range(1, 4)
"""Rated apparent power over active power."""
AMBIENT: Final = Range(-60, 60, "°C")
"""Of the air round a transformer."""
RISE: Final = Range(1, 150, "K")
"""Of a temperature over another at rated load."""
LOSS_RATIO: Final = Range(0.1, 100)
"""Load losses over no-load losses."""
MINUTES: Final = Range(0.1, 10_000, "min")
"""A time constant."""


class VoltWattTable(Table):
    """``[feeder.volt_watt]``: the volt-watt curve of IEEE 1547-2018, which holds solar output back."""

    enabled: bool = False
    """Whether it is in force, in the finite market and in ``hosting``."""
    v1_pu: Annotated[float, VOLTAGE] = 1.06
    """Voltage at which output begins to fall. [pu]"""
    p1: Annotated[float, PART] = 1.0
    """Part of the reference power allowed there and below."""
    v2_pu: Annotated[float, VOLTAGE] = 1.10
    """Voltage at which it has fallen as far as it does. [pu]"""
    p2: Annotated[float, PART] = 0.2
    """Part of the reference power allowed there and above."""
    p2_storage: Annotated[float, PART] = 0.0
    """The same for solar of a household with a home battery, a unit that can also charge."""
    reference: Literal["rated", "available"] = "rated"
    """Reference power: installed, or what the sun gives in the slot."""

    @model_validator(mode="after")
    def _falls(self) -> Self:
        if not self.v1_pu < self.v2_pu:
            raise ValueError(f"v2_pu is {self.v2_pu:g} and v1_pu {self.v1_pu:g}; give a v2_pu above v1_pu")
        for key in ("p2", "p2_storage"):
            if getattr(self, key) > self.p1:
                raise ValueError(f"{key} is {getattr(self, key):g} and p1 {self.p1:g}; give at most p1")
        return self


class VoltVarTable(Table):
    """``[feeder.volt_var]``: the volt-var curve of IEEE 1547-2018 for the reactive power of solar inverters."""

    enabled: bool = False
    """Whether it is in force, in the finite market and in ``hosting``."""
    v1_pu: Annotated[float, VOLTAGE] = 0.92
    """Voltage at and below which all of q1 is fed in. [pu]"""
    v2_pu: Annotated[float, VOLTAGE] = 0.98
    """Voltage from which on none is fed in. [pu]"""
    v3_pu: Annotated[float, VOLTAGE] = 1.02
    """Voltage up to which none is drawn. [pu]"""
    v4_pu: Annotated[float, VOLTAGE] = 1.08
    """Voltage at and above which all of q4 is drawn. [pu]"""
    q1: Annotated[float, PART] = 0.44
    """Most reactive power fed in, part of rated apparent power."""
    q4: Annotated[float, PART] = 0.44
    """Most reactive power drawn, part of rated apparent power."""
    apparent_power_ratio: Annotated[float, APPARENT] = 1.12
    """Rated apparent power over installed active power, so large that reactive power displaces no active power."""

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if not self.v1_pu < self.v2_pu <= self.v3_pu < self.v4_pu:
            points = ", ".join(f"{getattr(self, f'v{k}_pu'):g}" for k in (1, 2, 3, 4))
            raise ValueError(f"v1_pu to v4_pu are {points}; give v1_pu < v2_pu <= v3_pu < v4_pu")
        for key in ("q1", "q4"):
            part = getattr(self, key)
            if self.apparent_power_ratio**2 * (1 - part**2) < 1:
                least = (1 - part**2) ** -0.5 if part < 1 else float("inf")
                raise ValueError(
                    f"{key} is {part:g} and apparent_power_ratio {self.apparent_power_ratio:g}, so that full output"
                    f" leaves no room for the reactive power; give an apparent_power_ratio of at least {least:.4g}, or"
                    f" a smaller {key}"
                )
        return self


class AgeingTable(Table):
    """``[feeder.ageing]``: the transformer in the loading guide IEC 60076-7; defaults: a distribution transformer."""

    ambient_celsius: Annotated[float, AMBIENT] = 20.0
    """Temperature of the air, day and night. [°C]"""
    top_oil_rise_kelvin: Annotated[float, RISE] = 55.0
    """Rise of the top oil over the air at rated load. [K]"""
    hot_spot_rise_kelvin: Annotated[float, RISE] = 23.0
    """Rise of the hottest spot of the winding over the top oil at rated load. [K]"""
    loss_ratio: Annotated[float, LOSS_RATIO] = 5.0
    """Load losses at rated load over no-load losses."""
    oil_minutes: Annotated[float, MINUTES] = 180.0
    """Time constant of the oil. [min]"""
    winding_minutes: Annotated[float, MINUTES] = 4.0
    """Time constant of the winding. [min]"""
    upgraded_paper: bool = False
    """Whether the paper is thermally upgraded: rated for 110 °C instead of 98 °C."""
