"""The ranges of all numbers that a user may give, with their units, stated once.

They are wide: what a rate case, a research scenario or a stress test may hold lies well inside, in any currency. What
lies outside is a slip of the keyboard or of the unit, and would be lost in rounding or overflow in the arithmetic that
follows. The smallest positive numbers keep quotients such as 1/η or deviation²/(2 ε q0) away from both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from ``low`` to ``high``, both included; put into ``Annotated`` it checks a field of a table.

    Attributes
    ----------
    low, high
        The bounds.
    unit
        What is counted or measured; empty for a ratio.
    or_zero
        Whether 0 is allowed besides.
    whole
        Whether the numbers are whole.
    """

    low: float
    high: float
    unit: str = ""
    or_zero: bool = False
    whole: bool = False

    def holds(self, value: float) -> bool:
        """Whether a number lies in the range."""
        return self.low <= value <= self.high or (self.or_zero and value == 0)

    def bounds(self) -> str:
        """Say which numbers are allowed: ``0, or a number from 0.001 to 10``."""
        zero = "0, or " if self.or_zero else ""
        whole = "whole " if self.whole else ""
        return f"{zero}a {whole}number from {written(self.low)} to {written(self.high)}"

    def wanted(self) -> str:
        """Say what is allowed, with its unit: ``0, or a number from 0.001 to 10 kWh``."""
        return f"{self.bounds()} {self.unit}".rstrip()

    def counts(self) -> str:
        """Say what is allowed of a number of things: ``from 1 to 8 states``."""
        return self.wanted().removeprefix("a whole number ")

    def require(self, value: Any, place: str = "") -> Any:
        """Return a value whose numbers all lie in the range.

        Parameters
        ----------
        value
            None, a number, or numbers in lists and tables of any depth.
        place
            Where it stands, for the message.

        Raises
        ------
        ValueError
            In one line that begins with the place of the first number outside, or with ``is``.
        """
        if isinstance(value, Mapping):
            for name, entry in value.items():
                self.require(entry, f"{place}: {name}" if place else str(name))
        elif isinstance(value, list | tuple):
            for number, entry in enumerate(value):
                self.require(entry, f"{place}: entry {number}" if place else f"entry {number}")
        elif value is not None and not self.holds(value):
            raise ValueError(f"{place} is {written(value)}; give {self.wanted()}".lstrip())
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Check a field after its type."""
        from pydantic_core import core_schema  # slow to import, and the command line reads numbers without it

        return core_schema.no_info_after_validator_function(self.require, handler(source))


def written(value: float) -> str:
    """A number as people write it: without needless digits."""
    if isinstance(value, int) and abs(value) >= 2**63:
        return f"a number of {len(bin(value)) - 2} bits"
    plain = isinstance(value, int) or 1e-4 <= abs(value) < 1e12
    return f"{value:.12g}" if plain and abs(value) < 1e12 else str(value) if isinstance(value, int) else f"{value:g}"


SHARE: Final = Range(0, 1)
"""Shares and probabilities."""

# --- money: the largest are those of the weakest currencies and the largest customers --------------------------------

PRICE: Final = Range(-1e5, 1e5, "USD/kWh")
"""Rates, nodes and floor of the supply curve: the value of lost load is some 1e2 USD/kWh, caps of markets are 1e1."""
POSITIVE_PRICE: Final = Range(1e-6, 1e5, "USD/kWh")
COST: Final = Range(0, 1e5, "USD/kWh")
"""Wear and salvage."""
DERIVED_PRICE: Final = Range(-1e6, 1e6, "USD/kWh")
"""What a supply curve comes to at the loads of a scenario."""
COEFFICIENT: Final = Range(-1e5, 1e5, "USD/kWh per power of kW")
OPT_IN_SHARE: Final = Range(1e-6, 0.999999)
"""Of households that chose a rate class: some did, and some did not."""
WEIGHT: Final = Range(0, 1e9)
"""Of an objective in USD per household-day."""
TEMPERATURE: Final = Range(1e-6, 1e5, "USD", or_zero=True)
"""A slot's bill is some 1e-2 to 1 USD: at 1e-6 of it nobody errs, at 1e5 everybody does."""
CHARGE: Final = Range(-1e7, 1e7, "USD/day")
CHARGE_PER_KW: Final = Range(-1e6, 1e6, "USD/kW per day")
DEMAND_CHARGE: Final = Range(0, 1e6, "USD/kW per month")
DAY_DEMAND_CHARGE: Final = Range(0, 1e6, "USD/kW per day")
MONTH_SUM: Final = Range(-1e9, 1e9, "USD/month")
MONTH_ENERGY: Final = Range(1e-6, 1e9, "kWh/month")
CONTRACTED: Final = Range(0, 10)
"""Contracted load, in reference loads."""
DEMAND_PRICE: Final = Range(-1e6, 1e6, "USD/kW")
SUM: Final = Range(-1e9, 1e9, "USD")
"""Of a tariff as filed: a fixed or minimum charge."""
TAX_SHARE: Final = Range(0, 10)
WHOLESALE_MULTIPLIER: Final = Range(0, 100)
NETWORK_COST: Final = Range(0, 1e9, "USD/month")
INCOME: Final = Range(1, 1e13, "USD/yr")
CARBON: Final = Range(0, 1e6, "USD/t")
"""Estimates end at some 1e3 USD/t."""

CAPITAL: Final = Range(0, 1e6, "USD/kW")
"""Of rooftop solar installed."""
SENSITIVITY: Final = Range(1e-9, 1e3, "per 1000 USD", or_zero=True)
"""Of the log of a technology's share to its net present value."""
YEARLY_RATE: Final = Range(0, 10, "per year")
"""Of discount: people who borrow from a loan shark pay some 1e1 a year."""
YEARLY_CHANGE: Final = Range(-0.9, 1, "per year")

# --- energy and power: from a lamp to a steelworks behind one meter --------------------------------------------------


USE: Final = Range(1e-3, 1e6, "kWh/day")
LOAD: Final = Range(1e-9, 1e6, "kW", or_zero=True)
"""A household's load or solar output in a slot, all factors multiplied."""
REST: Final = Range(-1e6, 1e6, "kW")
"""Load of the rest of the system per household; nodes and clamp of the supply curve."""
EXPECTED_USE: Final = Range(1, 1e9, "kWh/yr")
LATITUDE: Final = Range(-90, 90, "degrees")
LONGITUDE: Final = Range(-180, 180, "degrees")
SKIPPED_LINES: Final = Range(0, 100, "lines", whole=True)
READING: Final = Range(-1e9, 1e9, "kWh")
"""Of a meter, in an interval."""
TIER_LIMIT: Final = Range(1e-6, 1e12)
"""Where a tier ends, in kWh, kWh/kW or kW; beyond 1e37, as some files have it, there is no end."""
ALLOWANCE: Final = Range(0, 1e6, "kWh/day")
CAPACITY: Final = Range(1e-3, 1e6, "kWh")
POWER: Final = Range(1e-3, 1e6, "kW")
PV_POWER: Final = Range(1e-3, 1e6, "kW", or_zero=True)
EFFICIENCY: Final = Range(0.01, 1)
"""The worst stores, hydrogen and back, return a third."""
EMISSIONS: Final = Range(0, 1e3, "t/MWh")
"""Lignite emits some 1.2 t/MWh."""

# --- ratios: relative to a mean or to 1 ------------------------------------------------------------------------------

SHAPE: Final = Range(1e-6, 1e6, or_zero=True)
"""Entries of a shape of which only the ratios count: loads, fixed charges."""
FACTOR: Final = Range(1e-6, 1e3, or_zero=True)
"""Multipliers of a load or a solar output."""
POSITIVE_FACTOR: Final = Range(1e-3, 1e3)
SCALE: Final = Range(1e-6, 1e3, or_zero=True)
ELASTICITY: Final = Range(1e-6, 100, or_zero=True)
"""Estimates lie between 0.01 and 2."""
DISCOUNT_PER_DAY: Final = Range(0.01, 1)
"""A year at 5 % is 0.99987 a day."""
DISCOUNT: Final = Range(0, 0.999999)
"""Share of the import rate that a group does not pay."""
CHANCE: Final = Range(1e-9, 1, or_zero=True)
"""Entries of a Markov kernel: once in three million years of days."""
GROUP_SHARE: Final = Range(1e-9, 1, or_zero=True)
"""One household in a thousand million."""

# --- tabular games ---------------------------------------------------------------------------------------------------

REWARD: Final = Range(-1e6, 1e6)
"""What a player gets in a period, in the unit of the game."""
GAME_DISCOUNT: Final = Range(0, 0.9999)
"""Weight of the next period; 0 is a player that looks no further than today."""
GAME_TEMPERATURE: Final = Range(1e-6, 1e12)
"""In the unit of the rewards: where the proven constants contract, it may be far above them."""

# --- counts ----------------------------------------------------------------------------------------------------------

MEMORY: Final = Range(0, 2, whole=True)
BATTERY_LEVELS: Final = Range(2, 1001, whole=True)
DEMAND_LEVELS: Final = Range(2, 200, "levels", whole=True)
SHOCK_LEVELS: Final = Range(1, 100, "entries", whole=True)
"""A household keeps its own in one byte."""
DAY_TYPES: Final = Range(1, 400, "entries", whole=True)
"""A type for every day of a year."""
INCOME_GROUPS: Final = Range(1, 200, "entries", whole=True)
NODES: Final = Range(2, 10_000, "entries", whole=True)
TARIFFS: Final = Range(1, 1_000, "entries", whole=True)
RATE_CLASSES: Final = Range(0, 200, "entries", whole=True)
COMMON_STATES: Final = Range(1, 2_000, "common states", whole=True)
"""Their kernel is a full matrix."""
POLICY_CELLS: Final = Range(0, 4e9, whole=True)
"""Probabilities in the policies of all types: 32 GB of them."""

TARIFF_PERIODS: Final = Range(1, 100, "entries", whole=True)
"""Periods of a tariff as filed."""
TIERS: Final = Range(1, 30, "entries", whole=True)
MONTH: Final = Range(1, 12, whole=True)
RATCHET_MONTHS: Final = Range(1, 11, whole=True)
MINUTES: Final = Range(1, 1440, "minutes", whole=True)
YEAR: Final = Range(1900, 2200, whole=True)

GAME_STATES: Final = Range(1, 8, "states", whole=True)
GAME_ACTIONS: Final = Range(1, 6, "actions", whole=True)
"""Of each player of a tabular game: what fits on a page."""

YEARS: Final = Range(1, 100, whole=True)
"""That a path of adoption is followed for."""
LIFETIME: Final = Range(1, 200, "years")
HOUSEHOLDS: Final = Range(1, 10**9, whole=True)
CALENDAR_YEAR: Final = Range(1901, 2099, whole=True)
"""Years in which the days of the week repeat after 28 years."""
DAYS: Final = Range(1, 100_000, whole=True)
"""Nearly three centuries."""
REPLICATIONS: Final = Range(1, 100_000, whole=True)
STUDY_POINTS: Final = Range(1, 1_000_000, whole=True)
SURFACE_POINTS: Final = Range(2, 20, whole=True)
"""Along each edge of a Pareto surface; every one is a search."""
WINDOW_COMBINATIONS: Final = Range(1, 10_000, "combinations", whole=True)
"""Of beginnings and widths of a family's windows; each may be a search."""
EVALUATIONS: Final = Range(1, 10_000_000, whole=True)
PORT: Final = Range(0, 65535, whole=True)
VISITORS: Final = Range(1, 10_000, whole=True)
SEED: Final = Range(0, 2**63 - 1, whole=True)
THREADS: Final = Range(1, 1024, whole=True)
WORKERS: Final = Range(0, 1024, whole=True)
PLACEMENTS: Final = Range(1, 100_000, whole=True)
"""Of the owners of a technology on a feeder."""
STEP: Final = Range(0.001, 1)
"""From one share to the next."""
SLOT_HOURS: Final = Range(1 / 3600, 24, "hours")
"""Of a series of loads: from a second to a day."""
