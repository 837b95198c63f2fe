"""The feeder's map as a file."""

from meanwatt.analysis.dashboard.market.address import query
from meanwatt.analysis.dashboard.market.history import History
from meanwatt.analysis.dashboard.shared.csv_text import release
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.solution import Solution
from meanwatt.analysis.feeder_map.day_map import DayMap, day_geojson


def map_geojson(solution: Solution, history: History) -> str:
    """What the map shows of the latest day, hour by hour; on day 0 the voltages of the mean field's likeliest weather.

    Properties are lists with a number for every hour; see `meanwatt.analysis.feeder_map.geojson.feeder_geojson`.
    """
    settings, economy = solution.settings, solution.equilibrium.economy
    state = history.states[-1] if len(history) else int(economy.common.probability.argmax())
    voltage = solution.voltage_pu[state] if history.voltage_pu is None else history.voltage_pu
    found = DayMap(
        voltage_pu=voltage,
        phase_voltage_pu=history.phase_voltage_pu,
        unbalance_percent=history.unbalance_percent,
        held_kw=history.held_kw,
        curtailed_kw=history.curtailed_by_bus_kw,
        loading=history.loading,
    )
    about = {
        "program": f"meanwatt {release()}",
        "scenario": settings.scenario,
        "link": f"?{query(settings, whole=True)}",
        "day": len(history),
        "day_type": str(economy.common.day_types[economy.common.today[state]]),
        "slot_hours": economy.slot_hours,
    }
    return to_json(day_geojson(solution.feeder, found, about))
