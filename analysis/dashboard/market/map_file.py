"""The feeder's map as a file."""

from meanwatt.analysis.dashboard.market.address import query
from meanwatt.analysis.dashboard.market.history import History
from meanwatt.analysis.dashboard.shared.csv_text import release
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.solution import Solution
from meanwatt.analysis.feeder_map.geojson import feeder_geojson


def map_geojson(solution: Solution, history: History) -> str:
    """What the map shows of the latest day, hour by hour; on day 0 the voltages of the mean field's likeliest weather.

    Properties are lists with a number for every hour; see `meanwatt.analysis.feeder_map.geojson.feeder_geojson`.
    """
    settings, economy = solution.settings, solution.equilibrium.economy
    state = history.states[-1] if len(history) else int(economy.common.probability.argmax())
    voltage = solution.voltage_pu[state] if history.voltage_pu is None else history.voltage_pu
    buses = {"voltage_pu": voltage.T}
    if history.phase_voltage_pu is not None and history.unbalance_percent is not None:
        buses |= {f"voltage_{name}_pu": history.phase_voltage_pu[:, :, k].T for k, name in enumerate("abc")}
        buses["unbalance_percent"] = history.unbalance_percent.T
    if history.held_kw is not None:
        buses["held_back_kw"] = history.held_kw.T
    edges = {} if history.loading is None else {"loading_percent": 100 * history.loading.T}
    about = {
        "program": f"meanwatt {release()}",
        "scenario": settings.scenario,
        "link": f"?{query(settings, whole=True)}",
        "day": len(history),
        "day_type": str(economy.common.day_types[economy.common.today[state]]),
        "slot_hours": economy.slot_hours,
    }
    return to_json(feeder_geojson(solution.feeder, buses=buses, edges=edges, about=about))
