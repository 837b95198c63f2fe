"""A circuit as the engine's child process has written it down, made ready for sums over phases."""

import cmath
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from meanwatt.model.scenario.files import FileError

Complexes = npt.NDArray[np.complex128]

LEAST_VOLTAGE: Final = 0.1
"""A node with less of its bus's voltage than this, without loads, is a neutral."""
STEP: Final = math.radians(30.0)
"""Phases of a grid differ by multiples of this; a transformer's vector group turns them by such."""
NEAR: Final = math.radians(5.0)
"""So near to a multiple, an angle is taken for it: what is left is made by charging and iron."""
NEUTRAL: Final = 4
"""Nodes from this number on are neutrals where nothing tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """An element of a circuit.

    Attributes
    ----------
    table, index
        Its class and its name; so a report names it.
    buses, nodes
        Bus of every terminal, and the nodes of its conductors there; node 0 is the ground.
    opened
        For every terminal, which of its phases are open.
    admittance : (conductor of all terminals, the same)
        Primitive admittance matrix. [S]
    values
        What else the child has written of it.
    """

    table: str
    index: str
    enabled: bool
    phases: int
    buses: tuple[str, ...]
    nodes: tuple[tuple[int, ...], ...]
    opened: tuple[tuple[bool, ...], ...]
    admittance: Complexes
    values: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.table} {self.index}"

    @property
    def sites(self) -> tuple[str, ...]:
        """Its buses, each once, without terminals that are all ground."""
        pairs = zip(self.buses, self.nodes, strict=True)
        return tuple(dict.fromkeys(bus for bus, nodes in pairs if any(nodes)))

    def bus_of(self, terminal: int, conductor: int) -> str:
        """Bus of a conductor: the series winding of an autotransformer ends at the bus of its second terminal."""
        ends_there = self.table == "AutoTrans" and terminal == 0 and conductor >= self.phases
        return self.buses[1 if ends_there else terminal]

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> "Element":
        """Read what the child has written of an element."""
        flat = np.array(entry.get("yprim", ()), dtype=float)
        if not np.isfinite(flat).all():
            name = f"{entry['class']} {entry['name']}"
            raise FileError(f"{name} has admittances that are no numbers; mend its impedances")
        size = math.isqrt(len(flat) // 2)
        return cls(
            table=entry["class"],
            index=entry["name"],
            enabled=entry["enabled"],
            phases=entry.get("phases", 0),
            buses=tuple(entry.get("buses", ())),
            nodes=tuple(map(tuple, entry.get("nodes", ()))),
            opened=tuple(map(tuple, entry.get("open", ()))),
            admittance=(flat[0::2] + 1j * flat[1::2]).reshape(size, size),  # symmetric: rows or columns are one
            values=entry,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bus:
    """A bus of a circuit.

    Attributes
    ----------
    kv
        Nominal voltage between phases. [kV]
    turns
        Phasor of every node, of size 1, where the bus's positive-sequence voltage is at angle 0; 0 for a neutral.
    volt
        Size of the voltage without loads, phase to ground. [V]
    """

    name: str
    kv: float
    turns: Mapping[int, complex]
    volt: float


def read_buses(entries: list[Mapping[str, Any]], source_angle: float) -> dict[str, Bus]:
    """Buses by name; what phase a node is tells its voltage without loads, not its number.

    Parameters
    ----------
    entries
        As the child has written them: nodes, and their voltages without loads.
    source_angle
        Angle of the source. [rad]
    """
    buses = {}
    for entry in entries:
        flat = np.array(entry["volt"])
        volts = (flat[0::2] + 1j * flat[1::2]) * cmath.exp(-1j * source_angle)
        if not np.isfinite(volts).all():
            raise FileError(f"has no voltage at bus {entry['name']} even without loads; mend the impedances there")
        highest = float(abs(volts).max(initial=0.0))
        turns = {node: _turn(node, complex(volt), highest) for node, volt in zip(entry["nodes"], volts, strict=True)}
        buses[entry["name"]] = Bus(
            name=entry["name"], kv=entry["kv_base"] * math.sqrt(3.0), turns={0: 0j, **turns}, volt=highest
        )
    return buses


def _turn(node: int, volt: complex, highest: float) -> complex:
    if highest < 1e-3:  # not fed
        return cmath.rect(1.0, -(node - 1) * 4 * STEP) if node < NEUTRAL else 0j
    if abs(volt) < LEAST_VOLTAGE * highest:
        return 0j
    angle = cmath.phase(volt)
    step = round(angle / STEP) * STEP
    return cmath.rect(1.0, step if abs(angle - step) < NEAR else angle)
