"""What no single element of a circuit tells: limits, ratings, load shapes, and the engine's own answer."""

from collections.abc import Mapping
from typing import Any

from meanwatt.model.network.opendss_circuit.circuit import Element
from meanwatt.model.network.pandapower_net.report import Report


def say_notes(content: Mapping[str, Any], elements: list[Element], report: Report) -> None:
    """Say what no single element tells: limits, ratings, load shapes, and the engine's own answers."""
    running = [element for element in elements if element.enabled]
    loads = [element for element in running if element.table == "Load"]
    limited = [load for load in loads if load.values["model"] == 1 and load.values["limits_pu"][0] > 0]
    if limited:
        low = max(load.values["limits_pu"][0] for load in limited)
        report.note(
            f"Loads are constant power at any voltage: OpenDSS makes impedances of {len(limited)} of them below vminpu"
            f" (up to {low:g} pu) and above vmaxpu."
        )
    if any({"daily", "yearly", "duty"} & load.values["given"].keys() for load in loads):
        report.note("Load shapes are not read: a scenario's households bring their own days.")
    unrated = sum(element.table == "Line" and not element.values["rated"] for element in running)
    if unrated:
        report.note(f"{unrated} lines have no normamps; they are rated 400 A, as OpenDSS takes them.")
    if content["bases_made"]:
        report.note("The file sets no voltagebases; nominal voltages are those of its source and transformers.")
    if any(element.table in ("RegControl", "CapControl") for element in running):
        report.note("Taps and capacitors are as the file leaves them: a solve in it lets its controls act, then.")
    report.note(f"OpenDSS itself, loads at constant power: {_said(content['solution'])} over all phases.")


def _said(solution: Mapping[str, Any]) -> str:
    if not solution["converged"] or solution["min_voltage_pu"] is None:
        return "no state"
    return (
        f"{solution['min_voltage_pu']:.4f} to {solution['max_voltage_pu']:.4f} pu and losses of"
        f" {solution['loss_kw']:.4g} kW"
    )
