# ruff: noqa: T201
"""The end of a feeder with and without volt-watt: ``uv run python docs/examples/volt_watt.py`` prints and draws it.

The same 99 homes live the same 28 days on the rural feeder three times: without curves, with volt-watt, and with
volt-watt and volt-var. So much solar is more than the preset has: three times the share, twice the size.
"""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import meanwatt
from meanwatt.analysis.notebook.simulated import SimulatedMarket
from meanwatt.model.network.feeder_file import scenario_feeder
from meanwatt.model.network.sensitivity import voltage_sensitivity

IMAGE = Path(__file__).parents[1] / "images" / "volt_watt.png"
SUNNY = {"feeder.name": "lv_rural", "pv_share_scale": 3.0, "pv_scale": 2.0}
RUNS = {
    "without": {},
    "volt-watt": {"feeder.volt_watt.enabled": True},
    "volt-watt and volt-var": {"feeder.volt_watt.enabled": True, "feeder.volt_var.enabled": True},
}
COLORS = {"without": "#d55e00", "volt-watt": "#0072b2", "volt-watt and volt-var": "#009e73"}


def run(changes: dict[str, Any]) -> SimulatedMarket:
    """Twenty-eight days under the tariff as filed."""
    return meanwatt.simulate(
        "oahu", tariff="filed", overrides={**SUNNY, **changes}, households=99, days=28, seed=0, progress=False
    )


def row(name: str, market: SimulatedMarket) -> str:
    """The run in one line of a table."""
    done = market.simulation
    found, compared = done.inverters, market.compare()
    assert done.feeder is not None
    assert done.ageing is not None
    held = found["curtailed_kwh_per_household_day"] if found else 0.0
    share = found["curtailed_share_of_solar"] if found else 0.0
    most = found["most_curtailed_household"]["share_of_solar"] if found and found["most_curtailed_household"] else 0.0
    return (
        f"| {name} | {done.feeder.voltage_max_pu:.4f} | {done.feeder.hours_above_limit:.0f} | {held:.3f} | "
        f"{100 * share:.2f} | {100 * most:.1f} | {done.feeder.transformer_loading_max:.2f} | "
        f"{done.feeder.hours_transformer_overloaded:.0f} | {done.ageing.relative_ageing:.2f} | "
        f"{compared.net_load_error_kw:.4f} |"
    )


def ohm_to(market: SimulatedMarket) -> np.ndarray:
    """Resistance of the way from the source to every bus, transformer included. [% on 100 kVA]"""
    economy = market.equilibrium.economy
    feeder = scenario_feeder(economy.scenario.feeder, peak_reference_kw=economy.peak_reference_kw)
    return np.diag(voltage_sensitivity(feeder, np.arange(len(feeder.buses))).r_pu) * 10


def draw(markets: dict[str, SimulatedMarket]) -> None:
    """Voltage at the farthest bus over the hours (left), and what each home loses over how far it is (right)."""
    plain = markets["without"]
    far = ohm_to(plain)
    end = int(np.argmax(far))
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.6), layout="constrained")
    for name, market in markets.items():
        voltage = np.array([record.grid.voltage_pu[:, end] for record in market.simulation.history if record.grid])
        left.plot(np.arange(24) + 0.5, voltage.max(axis=0), color=COLORS[name], label=name, lw=2)
        left.plot(np.arange(24) + 0.5, voltage.mean(axis=0), color=COLORS[name], lw=1, ls=":")
    for level, text in ((1.05, "limit 1.05"), (1.06, "v1 1.06")):
        left.axhline(level, color="#555555", lw=0.8, ls="--")
        left.annotate(text, (23.8, level), va="bottom", ha="right", fontsize=9, color="#555555")
    history = markets["volt-watt"].simulation.history
    days = [record.grid.inverters for record in history if record.grid and record.grid.inverters]
    held, sun = sum(day.held_kwh for day in days), sum(day.available_kwh for day in days)
    kind, bus = np.nonzero(sun)
    battery = np.array([technology == "pv_battery" for _, technology in history.types])[kind]
    for chosen, mark, text in ((battery, "o", "can charge: down to 0"), (~battery, "^", "solar alone: down to 20 %")):
        lost = 100 * held[kind, bus] / sun[kind, bus]
        right.plot(far[bus][chosen], lost[chosen], mark, ms=6, alpha=0.7, color=COLORS["volt-watt"], label=text)
        right.lines[-1].set_markerfacecolor("white" if mark == "^" else COLORS["volt-watt"])
    right.legend(frameon=False, loc="upper left")
    left.set(
        xlabel="hour of the day", ylabel="voltage at the end of the feeder, pu", xticks=range(0, 25, 6), xlim=(0, 24)
    )
    left.set_title("Highest of 28 days (solid), mean (dotted)", fontsize=11)
    left.legend(frameon=False, loc="upper left")
    right.set(xlabel="resistance from the source to the home, % on 100 kVA", ylabel="solar output lost, %")
    right.set_title("Volt-watt: every home with solar, over the 28 days", fontsize=11)
    for panel in (left, right):
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(alpha=0.25)
    figure.savefig(IMAGE, dpi=100)


def by_technology(market: SimulatedMarket) -> None:
    """What each type of home loses."""
    found = market.simulation.inverters
    assert found is not None
    for one in found["curtailed_kwh_by_type"]:
        print(
            f"{one['income']}/{one['technology']}: {one['kwh_per_household_day']:.3f} kWh a day,"
            f" {100 * one['share_of_solar']:.2f} % of {one['households']} homes' sun"
        )
    print("most:", found["most_curtailed_household"])
    print("distance:", found["net_load_distance_kw"], "residual:", found["residual_pu"], found["starts_differ_pu"])


if __name__ == "__main__":
    done = {name: run(changes) for name, changes in RUNS.items()}
    for name, market in done.items():
        print(row(name, market))
    by_technology(done["volt-watt"])
    draw(done)
