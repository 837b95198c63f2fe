"""What runs in the child process: OpenDSS reads a circuit and writes it down as data.

A script of its own that needs nothing of Meanwatt: ``python engine.py FILE OUT TAPS MEMORY FILE_SIZE SECONDS``. What it
writes is the circuit as the file leaves it, with loads, generators and PV systems at constant power, and the engine's
own solution of all phases.
"""

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

CONSTANT_POWER = "vminpu=0 vmaxpu=1000"
"""Limits of voltage between which a power stays what it is; .95 and 1.05 or 1.1 by default."""
MODELLED = frozenset(
    {"line", "transformer", "autotrans", "reactor", "capacitor", "fault", "vsource", "load", "generator", "pvsystem"}
)
"""Classes that a feeder can hold; other elements are switched off before the engine solves."""
INJECTING = ("Load", "Generator", "PVSystem")
"""Classes that draw or feed in a power."""
DARK_PU = 0.1
"""A node below this voltage is fed by nobody: an open end, or an island. [pu]"""
ALL = 1
"""Flag of the engine: every property, not only those that were given."""
HOLDS_A_VOLTAGE = 3
"""Model of a generator that regulates its voltage."""


def run(file: str, tap: str) -> dict[str, Any]:
    """Read a circuit and say all of it."""
    import opendssdirect as dss

    dss.Basic.AllowForms(False)
    dss.Basic.AllowEditor(False)
    dss.Basic.AllowChangeDir(False)
    dss.Basic.AllowDOScmd(False)
    dss.Basic.DataPath(str(Path.cwd()))
    dss.Text.Command("clear")
    dss.Text.Command(f'redirect "{file}"')  # not `compile`, which writes results beside the file
    if dss.Basic.NumCircuits() != 1:
        raise ValueError(f"makes {dss.Basic.NumCircuits()} circuits; give a file that makes one")
    dss.Text.Command("set mode=snapshot")
    dss.Text.Command("set controlmode=off")
    if tap == "ignore":
        _neutral_taps(dss)
    dss.Solution.Solve()  # what was edited since the last solve is in no admittance matrix before
    elements = _elements(dss)
    _at_constant_power(dss, elements)
    bases = _voltage_bases(dss)
    found: dict[str, Any] = {
        "version": dss.Basic.Version().split(";")[0].split(" based on")[0],
        "name": dss.Circuit.Name(),
        "bases_made": bases,
        "load_multiplier": dss.Solution.LoadMult(),
        "elements": elements,
        "buses": _buses(dss),
    }
    dark = {
        bus["name"]
        for bus in found["buses"]
        if max(map(abs, bus["volt"]), default=0.0) < DARK_PU * bus["kv_base"] * 1e3
    }
    drawing = [element for element in elements if element["class"] in INJECTING and element["enabled"]]
    for element in drawing:
        element["power_kw"] = None
        if element["buses"][0] in dark:  # at no voltage no current makes a power
            dss.Text.Command(f"disable {_full(element)}")
    found["solution"] = solved(dss)
    for element in drawing:
        if found["solution"]["converged"] and element["buses"][0] not in dark:
            element["power_kw"] = _power(dss, element)
    return found


def _full(element: dict[str, Any]) -> str:
    return f'"{element["class"]}.{element["name"]}"'


def _neutral_taps(dss: Any) -> None:
    for name in dss.Transformers.AllNames():
        dss.Transformers.Name(name)
        for winding in range(1, dss.Transformers.NumWindings() + 1):
            dss.Transformers.Wdg(winding)
            dss.Transformers.Tap(1.0)


def _elements(dss: Any) -> list[dict[str, Any]]:
    """Every element of a circuit, those switched off included, in the order of the classes."""
    found = []
    names = {name.lower() for name in dss.Circuit.AllElementNames()}
    for class_name in dss.Basic.Classes():
        dss.Circuit.SetActiveClass(class_name)
        for name in dss.ActiveClass.AllNames():
            full = f"{class_name}.{name}"
            if name.lower() == "none" or full.lower() not in names:
                continue
            dss.Circuit.SetActiveElement(full)
            found.append(_element(dss, class_name, name))
    return found


def _element(dss: Any, class_name: str, name: str) -> dict[str, Any]:
    element = dss.CktElement
    entry: dict[str, Any] = {"class": class_name, "name": name, "enabled": bool(element.Enabled())}
    entry["given"] = _properties(dss, f"{class_name} {name}")
    if not entry["enabled"] or class_name.lower() not in MODELLED:
        return entry
    terminals, conductors = element.NumTerminals(), element.NumConductors()
    nodes = [int(node) for node in element.NodeOrder()]
    entry |= {
        "phases": int(element.NumPhases()),
        "buses": [bus.split(".")[0].lower() for bus in element.BusNames()],
        "nodes": [nodes[place * conductors : (place + 1) * conductors] for place in range(terminals)],
        "open": [
            [bool(element.IsOpen(terminal + 1, phase + 1)) for phase in range(element.NumPhases())]
            for terminal in range(terminals)
        ],
    }
    if class_name in INJECTING:
        _read_injection(dss, entry)
        return entry
    entry["yprim"] = [float(value) for value in element.YPrim()]
    if class_name == "Line":
        entry["normal_amps"] = float(element.NormalAmps())
        entry["rated"] = _is_rated(dss, entry["given"])
    elif class_name in ("Transformer", "AutoTrans"):
        everything = _properties(dss, f"{class_name} {name}", ALL)
        entry["windings"] = {key: everything[key] for key in ("kv", "kva", "tap", "conn")}
    elif class_name == "Vsource":
        everything = _properties(dss, f"{class_name} {name}", ALL)
        entry["source"] = {key: float(everything[key]) for key in ("basekv", "pu", "angle")}
    return entry


def _is_rated(dss: Any, given: dict[str, Any]) -> bool:
    """Whether somebody gave a line its rated current; else it has the engine's 400 A."""
    if {"normamps", "geometry", "ratings", "wires", "cncables", "tscables", "spacing"} & given.keys():
        return True
    code = given.get("linecode")
    if not code:
        return False
    dss.LineCodes.Name(code)
    return "normamps" in _properties(dss, f"linecode {code}")


def _properties(dss: Any, name: str, which: int = 0) -> dict[str, Any]:
    """Properties of the active element: those that were given, or all."""
    try:
        found = json.loads(dss.Element.ToJSON(which))
    except json.JSONDecodeError:  # the engine writes nan as no JSON does
        raise ValueError(f"{name} has a value that is no number; mend it") from None
    return {key.lower(): value for key, value in found.items()}


def _read_injection(dss: Any, entry: dict[str, Any]) -> None:
    everything = _properties(dss, f"{entry['class']} {entry['name']}", ALL)
    entry["model"] = int(everything.get("model", 1))
    if entry["class"] == "Load":
        entry["base_kw"] = [_number(entry, everything, "kw"), _number(entry, everything, "kvar")]
        entry["customers"] = int(_number(entry, everything, "numcust"))
        entry["fixed"] = str(everything.get("status", "variable")).lower().startswith("fix")
        entry["limits_pu"] = [_number(entry, everything, "vminpu"), _number(entry, everything, "vmaxpu")]


def _number(entry: dict[str, Any], everything: dict[str, Any], key: str) -> float:
    value = everything.get(key)
    if not isinstance(value, int | float):
        raise ValueError(f"{entry['class']} {entry['name']} has no number for {key}; give one")
    return float(value)


def _at_constant_power(dss: Any, elements: list[dict[str, Any]]) -> None:
    """Set what draws or feeds in a power to just that, and switch off what no feeder holds."""
    for element in elements:
        full = _full(element)
        holds = element["class"] == "Generator" and element.get("model") == HOLDS_A_VOLTAGE
        is_device = element["enabled"] and (element["class"].lower() not in MODELLED or holds)
        if is_device and not element["class"].endswith(("Control", "Monitor", "Meter", "Sensor")):
            dss.Text.Command(f"disable {full}")
        elif element["class"] == "Load":
            dss.Text.Command(f"edit {full} model=1 vlowpu=0 {CONSTANT_POWER}")
        elif element["class"] in INJECTING:
            dss.Text.Command(f"edit {full} model=1 {CONSTANT_POWER}")


def _voltage_bases(dss: Any) -> bool:
    """Give buses their nominal voltages if the file does not; whether that was needed."""
    made = False
    if not any(_base(dss, bus) for bus in dss.Circuit.AllBusNames()):
        volts = {dss.Vsources.BasekV() if dss.Vsources.First() else 1.0}
        for name in dss.Transformers.AllNames():
            dss.Transformers.Name(name)
            phases = dss.CktElement.NumPhases()
            for winding in range(1, dss.Transformers.NumWindings() + 1):
                dss.Transformers.Wdg(winding)
                volts.add(dss.Transformers.kV() * (1.0 if phases > 1 or dss.Transformers.IsDelta() else 3**0.5))
        dss.Text.Command(f"set voltagebases=[{' '.join(f'{kv:.9g}' for kv in sorted(volts))}]")
        made = True
        dss.Text.Command("calcvoltagebases")
    return made


def _base(dss: Any, bus: str) -> float:
    dss.Circuit.SetActiveBus(bus)
    return float(dss.Bus.kVBase())


def _buses(dss: Any) -> list[dict[str, Any]]:
    """Nominal voltages, places, and the phasors of all nodes without a load, which say what phase a node is."""
    dss.Text.Command("makebuslist")
    known: dict[str, dict[str, Any]] = {}
    for bus in dss.Circuit.AllBusNames():
        dss.Circuit.SetActiveBus(bus)
        nodes = [int(node) for node in dss.Bus.Nodes()]
        volt = [0.0] * (2 * len(nodes))
        known[bus.lower()] = {"name": bus.lower(), "kv_base": float(dss.Bus.kVBase()), "nodes": nodes, "volt": volt}
        if dss.Bus.Coorddefined():
            known[bus.lower()]["place"] = [float(dss.Bus.X()), float(dss.Bus.Y())]
    drawing = [
        f'"{class_name}.{name}"'
        for class_name in INJECTING
        for name in _names(dss, class_name)
        if dss.Circuit.SetActiveElement(f"{class_name}.{name}") >= 0 and dss.CktElement.Enabled()
    ]
    for full in drawing:
        dss.Text.Command(f"disable {full}")
    dss.Solution.Solve()
    for bus in dss.Circuit.AllBusNames():
        dss.Circuit.SetActiveBus(bus)
        entry = known[bus.lower()]
        flat = dss.Bus.Voltages()
        volts = {node: flat[2 * place : 2 * place + 2] for place, node in enumerate(dss.Bus.Nodes())}
        entry["volt"] = [float(part) for node in entry["nodes"] for part in volts.get(node, (0.0, 0.0))]
    for full in drawing:
        dss.Text.Command(f"enable {full}")
    return list(known.values())


def _names(dss: Any, class_name: str) -> list[str]:
    dss.Circuit.SetActiveClass(class_name)
    return [name for name in dss.ActiveClass.AllNames() if name.lower() != "none"]


def _power(dss: Any, element: dict[str, Any]) -> list[float]:
    """Power drawn at all terminals. [kW, kvar]"""
    dss.Circuit.SetActiveElement(f"{element['class']}.{element['name']}")
    powers = dss.CktElement.Powers()
    return [float(sum(powers[0::2])), float(sum(powers[1::2]))]


def solved(dss: Any) -> dict[str, Any]:
    """The engine's own answer: voltages of the phases, losses of lines and transformers."""
    dss.Text.Command("set tolerance=1e-9")
    dss.Text.Command("set maxiterations=1000")
    dss.Solution.Solve()
    if not dss.Solution.Converged():
        return {"converged": False, "min_voltage_pu": None, "max_voltage_pu": None, "loss_kw": None}
    volts = []
    for bus in dss.Circuit.AllBusNames():
        dss.Circuit.SetActiveBus(bus)
        volt = dss.Bus.puVmagAngle()[0::2] if dss.Bus.kVBase() > 0 else []
        volts += [float(v) for node, v in zip(dss.Bus.Nodes(), volt, strict=False) if node <= 3 and v > DARK_PU]
    loss = 0.0
    for class_name in ("Line", "Transformer", "AutoTrans"):
        for name in _names(dss, class_name):
            if dss.Circuit.SetActiveElement(f"{class_name}.{name}") >= 0 and dss.CktElement.Enabled():
                loss += float(dss.CktElement.Losses()[0]) / 1e3
    return {
        "converged": True,
        "min_voltage_pu": min(volts, default=None),
        "max_voltage_pu": max(volts, default=None),
        "loss_kw": loss,
    }


def bound(memory_bytes: int, file_bytes: int, seconds: int) -> None:
    """Limit this process before the engine is loaded, where the system can: Windows cannot."""
    try:
        import resource
    except ImportError:
        return
    for which, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # a lower limit stands already
            resource.setrlimit(which, (most, most))


def main() -> int:
    """Write the circuit, or the reason why there is none."""
    file, out, tap = sys.argv[1:4]
    answer: dict[str, Any]
    bound(*map(int, sys.argv[4:7]))
    try:
        answer = {"circuit": run(file, tap)}
    except MemoryError:
        answer = {"error": "fills the memory that it may take"}
    except ImportError as error:
        answer = {"error": f"opendssdirect.py cannot be loaded: {' '.join(str(error).split())}"}
    except ValueError as error:  # our own words
        answer = {"error": str(error)}
    except Exception as error:  # whatever the engine says of the file
        said = error.args[-1] if error.args else error
        answer = {"error": f"OpenDSS says: {' '.join(str(said).split())}"}
    Path(out).write_text(json.dumps(answer), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
