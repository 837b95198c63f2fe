"""A day of a market on its feeder as GeoJSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.analysis.feeder_map.edges import edge_loading
from meanwatt.analysis.feeder_map.geojson import feeder_geojson
from meanwatt.model.network.feeder import Feeder

if TYPE_CHECKING:
    from meanwatt.model.market.grid import MarketGrid
    from meanwatt.model.market.grid_day import GridDay


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DayMap:
    """What a map of a day shows; None for what there is nothing of.

    Attributes
    ----------
    voltage_pu : (slot, bus)
        Voltage. [pu]
    phase_voltage_pu, unbalance_percent : (slot, bus, phase), (slot, bus)
        Where homes are on one phase each. [pu], [%]
    held_kw : (slot, bus)
        What volt-watt held back. [kW]
    curtailed_kw : (slot, bus)
        What homes curtailed for its price or to keep within an envelope. [kW]
    loading : (slot, edge)
        Of the edges of `meanwatt.analysis.feeder_map.edges.map_edges`, 1 being the rating.
    """

    __repr__ = short_repr

    voltage_pu: Floats
    phase_voltage_pu: Floats | None = None
    unbalance_percent: Floats | None = None
    held_kw: Floats | None = None
    curtailed_kw: Floats | None = None
    loading: Floats | None = None


def map_of_day(feeder: Feeder, day: "GridDay", grid: "MarketGrid") -> DayMap:
    """What the map of a market's latest day shows, whose grid this is."""
    by_phase = day.phases
    return DayMap(
        voltage_pu=day.voltage_pu,
        phase_voltage_pu=None if by_phase is None else by_phase.voltage_pu,
        unbalance_percent=None if by_phase is None else by_phase.unbalance_percent,
        held_kw=grid.held_by_bus_kw,
        curtailed_kw=grid.curtailed_by_bus_kw,
        loading=None if grid.result is None else edge_loading(feeder, grid.result),
    )


def day_geojson(feeder: Feeder, found: DayMap, about: Mapping[str, Any]) -> dict[str, Any]:
    """Write what is known of a day, a list with a number for every slot as each property."""
    buses = {"voltage_pu": found.voltage_pu.T}
    if found.phase_voltage_pu is not None and found.unbalance_percent is not None:
        buses |= {f"voltage_{name}_pu": found.phase_voltage_pu[:, :, k].T for k, name in enumerate("abc")}
        buses["unbalance_percent"] = found.unbalance_percent.T
    if found.held_kw is not None:
        buses["held_back_kw"] = found.held_kw.T
    if found.curtailed_kw is not None:
        buses["curtailed_kw"] = found.curtailed_kw.T
    edges = {} if found.loading is None else {"loading_percent": 100 * found.loading.T}
    return feeder_geojson(feeder, buses=buses, edges=edges, about=about)
