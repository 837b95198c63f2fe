"""The power flow of a series of loads as GeoJSON."""

from typing import Any

import numpy as np

from meanwatt.analysis.feeder_map.edges import loading_of
from meanwatt.analysis.feeder_map.geojson import feeder_geojson
from meanwatt.analysis.year_flow.slots_solved import SolvedSlots


def flow_geojson(done: SolvedSlots, slot_hours: float) -> dict[str, Any]:
    """Write extremes of every bus and the highest loading of every line; null where nothing was solved or is rated.

    Transformers have no value of their own: a power flow says the highest loading of them all.
    """
    solved = int(done.solved.sum())
    known = np.where(solved > 0, 1.0, np.nan)
    buses = {
        "min_voltage_pu": done.low_pu * known,
        "max_voltage_pu": done.high_pu * known,
        "mean_voltage_pu": done.sum_pu * known / max(solved, 1),
        "hours_below_limits": done.below * slot_hours,
        "hours_above_limits": done.above * slot_hours,
    }
    edges = {"max_loading_percent": 100 * known * loading_of(done.feeder, done.line_loading[None], None)[0]}
    return feeder_geojson(done.feeder, buses=buses, edges=edges, about={"slots": len(done.solved), "solved": solved})
