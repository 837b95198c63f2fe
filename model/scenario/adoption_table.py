"""What households reckon with who decide on solar and storage: costs, lifetimes, discounting, subsidies."""

from typing import Annotated

from meanwatt.model.scenario import ranges
from meanwatt.model.scenario.marks import AddedLater
from meanwatt.model.scenario.tariff_file import ByGroup, Table

DECIDING_SHARE = ranges.Range(1e-6, 1, "per year")
"""Who never decides again has no path."""


class AdoptionTable(Table):
    """``[adoption]``: what households reckon with who decide on solar and storage; only ``adoption`` reads it."""

    solar_usd_per_kw: Annotated[float, ranges.CAPITAL] = 4200.0
    """Rooftop solar installed, before subsidy; default: US median of 2023 (LBNL, Tracking the Sun). [USD/kW]"""
    battery_usd_per_kwh: Annotated[float, ranges.COST] = 1000.0
    """Home battery installed, before subsidy; default: an assumption, near a Powerwall's 13000 USD. [USD/kWh]"""
    solar_lifetime_years: Annotated[float, ranges.LIFETIME] = 25.0
    """After which panels are replaced; default: an assumption, as their warranties. [years]"""
    battery_lifetime_years: Annotated[float, ranges.LIFETIME] = 10.0
    """After which a home battery is replaced; default: an assumption, as its warranty. [years]"""
    discount_rate_per_year: Annotated[ByGroup, ranges.YEARLY_RATE] = 0.15
    """Real, of the deciding household; default: 15 % of adopters in Flanders (De Groote, Verboven 2019). [per year]"""
    subsidy_share_today: Annotated[ByGroup, ranges.SHARE] = 0.0
    """Share of the capital cost that others paid when today's shares came about."""
    subsidy_share: Annotated[ByGroup, ranges.SHARE] = 0.0
    """Share of the capital cost that others pay from now on."""
    cost_change_per_year: Annotated[float, ranges.YEARLY_CHANGE] = 0.0
    """By which both capital costs change each year, -0.03 is a fall of 3 %; default: an assumption. [per year]"""
    sensitivity_per_kusd: Annotated[float, ranges.SENSITIVITY] = 0.2
    """Change of the log of a share per 1000 USD of net present value; default: ten per cent more installations for
    470 USD (Hughes, Podolefsky 2015). [per 1000 USD]"""
    deciding_share_per_year: Annotated[float, DECIDING_SHARE] = 0.05
    """Share of the households with nothing to replace that decide in a year; default: an assumption. [per year]"""
    rate_choice_years: Annotated[float, ranges.LIFETIME, AddedLater()] = 1.0
    """Years of bills by which households weigh a rate class that they may choose; default: an assumption. [years]"""
    floor_share: Annotated[float, ranges.GROUP_SHARE] = 0.0
    """Share that a technology which nobody in an income group owns today is taken to have; 0 leaves it at 0."""


BY_GROUP = ("discount_rate_per_year", "subsidy_share_today", "subsidy_share")
"""Its keys that may be tables by income group."""
