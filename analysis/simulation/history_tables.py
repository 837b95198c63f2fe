"""The days of a run as tables of a result directory."""

from typing import Any

from meanwatt.analysis.simulation.inverter_report import roof_days
from meanwatt.model.market.history import History


def history_tables(history: History) -> dict[str, dict[str, Any]]:
    """Tables of a run as columns: by slot, slot and bus, by day and type, class, behaviour or income group.

    Where curves of inverters are in force, ``roof_days`` tells what every household with solar lost.
    """
    frames = {
        "slots": history.slots,
        "bus_slots": history.bus_slots.astype({"bus": str}),
        "type_days": history.type_days,
        "class_days": history.class_days,
        "behaviour_days": history.behaviour_days,
        "group_days": history.group_days,
        "days": history.days,
    }
    if any(record.grid is not None and record.grid.inverters is not None for record in history):
        frames["roof_days"] = roof_days(history)
    return {name: {str(column): frame[column].to_numpy() for column in frame} for name, frame in frames.items()}
