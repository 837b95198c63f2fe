"""The safeguarded search for voltages that inverters' curves and a power flow agree on, all slots side by side.

A Newton step has the slopes of the curves and the network's first-order answer in it. It is taken only if it lowers the
residual, in the norm of the inverse impedances; else it is halved, and at last replaced by a damped plain step. A slot
ends when its residual is below the tolerance, never because steps got small.
"""

from dataclasses import fields
from enum import StrEnum
from typing import Any, Final, Protocol

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats, Ints

TOLERANCE_PU: Final = 1e-9
"""Largest residual of a solved slot. [pu]"""
NEWTON_TRIES: Final = 4
"""Halvings of a Newton step before the plain step takes its place."""
MOST_TRIES: Final = 24
"""Halvings of one step after which a slot is given up."""
_DECREASE: Final = 1e-4
_BLUR: Final = 1e-3
_LEAST_STEP: Final = 1e-6


class Start(StrEnum):
    """Where the search begins."""

    FULL = "full"
    """Nobody is held back; the first power flow is that without the curves."""
    FLOOR = "floor"
    """Everybody is held back as far as the curves go."""


class CurvesOnNetwork(Protocol):
    """Curves and a power flow. A place is a voltage that inverters go by; a kind is active or reactive power.

    Attributes
    ----------
    neutral_pu
        Voltages between which no curve asks for anything. [pu]
    floor_pu
        Voltage from which on all curves are at their ends. [pu]
    norm : (place, place)
        Symmetric and positive: by it residuals are weighed.
    """

    neutral_pu: tuple[float, float]
    floor_pu: float
    norm: Floats

    def corner_pu(self) -> Floats:
        """Voltage above which the first curve of a place acts, (slot, place). [pu]"""

    def fed(self, slots: Ints, voltage: Floats, side: Floats) -> tuple[Floats, Floats]:
        """What is fed in at the places' voltages, and its decrease per voltage, (slot, kind · place) each.

        At a corner of a curve its slope is the one beyond it where ``side`` is positive.
        """

    def response(self, voltage: Floats) -> Floats:
        """Voltages' first-order answer to what is fed in, (slot, place, kind · place)."""

    def solve(self, slots: Ints, voltage: Floats) -> tuple[Any, Floats]:
        """Solve some slots with what is fed in at these voltages.

        Returns the state, a data class with ``converged``, and the places' voltages that come of it.
        """


def inverse_norm(impedance: Floats) -> Floats:
    """Inverse of a matrix of shared impedances (place, place), blurred where two places are one."""
    blur = max(_BLUR * float(np.max(np.diag(impedance), initial=0.0)), 1e-12)
    return np.asarray(np.linalg.inv(impedance + blur * np.eye(len(impedance))))


class FixedPointSearch:
    """The slots of one batch, each on its own way. Arrays are (slot, place).

    Parameters
    ----------
    loop
        Curves and power flow.
    slots
        Their number.
    most_flows
        Power flows after which the search is given up.

    Attributes
    ----------
    voltage, residual : (slot, place)
        Voltages by which inverters went, and how far those that came of them are above. [pu]
    state
        Columns of the states last accepted, or last tried where none was.
    flows
        Power flows so far.
    """

    def __init__(self, loop: CurvesOnNetwork, *, slots: int, most_flows: int) -> None:
        self._loop, self._most_flows = loop, most_flows
        shape = slots, len(loop.norm)
        self.voltage, self.residual = np.ones(shape), np.full(shape, np.nan)
        self.state: dict[str, Floats | None] = {}
        self.flows = 0
        self._direction, self._reproduced = np.zeros(shape), np.zeros(shape)
        self._merit, self._length = np.full(slots, np.inf), np.ones(slots)
        self._tries: Ints = np.zeros(slots, dtype=np.int64)
        self._open, self._known = np.zeros(slots, dtype=bool), np.zeros(slots, dtype=bool)
        self._fed, self._response = np.empty((slots, 0)), np.empty((*shape, 0))

    def run(self, start: Start) -> None:
        """Search from a start until every slot ends or is given up."""
        self._begin(start)
        while self._open.any() and self.flows < self._most_flows:
            self._step()

    def residual_pu(self, converged: Bools) -> Floats:
        """Largest residual of each slot, (slot,); nan where there is no state. [pu]"""
        largest = np.abs(self.residual).max(axis=1, initial=0.0)
        largest[~converged] = np.nan
        return np.asarray(largest)

    def _begin(self, start: Start) -> None:
        """Solve every slot at its start; where full output has no state, or one on the lower branch, at the floor."""
        loop, everything = self._loop, np.arange(len(self.voltage))
        low, high = loop.neutral_pu
        if start is Start.FULL and low <= high:
            reproduced, found = self._flow(everything, np.full(self.voltage.shape, np.clip(1.0, low, high)))
            corner = loop.corner_pu()
            self._accept(everything[found], np.clip(reproduced, low, corner)[found], reproduced[found])
            everything = everything[~found]
        if everything.size:
            floor = np.full((everything.size, self.voltage.shape[1]), loop.floor_pu)
            reproduced, found = self._flow(everything, floor)
            self._accept(everything[found], floor[found], reproduced[found])

    def _step(self) -> None:
        """Try one step in every open slot."""
        slots = np.flatnonzero(self._open)
        tried = self.voltage[slots] + self._length[slots, None] * self._direction[slots]
        before = {name: None if values is None else values[slots].copy() for name, values in self.state.items()}
        reproduced, found = self._flow(slots, tried)
        residual = reproduced - tried
        merit = np.where(found, self._weighed(residual), np.inf)
        close = np.abs(residual).max(axis=1, initial=0.0) <= TOLERANCE_PU
        better = found & (close | (merit < (1 - _DECREASE * self._length[slots]) * self._merit[slots]))
        self._accept(slots[better], tried[better], reproduced[better])
        for name, values in self.state.items():
            kept = before[name]
            if values is not None and kept is not None:
                values[slots[~better]] = kept[~better]
        worse = slots[~better]
        self._tries[worse] += 1
        self._length[worse] /= 2
        plain = worse[self._tries[worse] == NEWTON_TRIES]
        self._direction[plain], self._length[plain] = self.residual[plain], 0.25
        self._open[worse[self._tries[worse] > MOST_TRIES]] = False

    def _flow(self, slots: Ints, voltage: Floats) -> tuple[Floats, Bools]:
        """Solve slots at these voltages; those that come of it, and where a state holds."""
        found, reproduced = self._loop.solve(slots, voltage)
        self.flows += 1
        for entry in fields(found):
            values = getattr(found, entry.name)
            kept = self.state.setdefault(entry.name, None if values is None else values.copy())
            if kept is not None:
                kept[slots] = values
        return reproduced, found.converged

    def _accept(self, slots: Ints, voltage: Floats, reproduced: Floats) -> None:
        """Take a point as the new one of these slots, and look where to go from there."""
        residual = reproduced - voltage
        self.voltage[slots], self.residual[slots], self._merit[slots] = voltage, residual, self._weighed(residual)
        self._open[slots] = np.abs(residual).max(axis=1, initial=0.0) > TOLERANCE_PU
        self._tries[slots], self._length[slots] = 0, 1.0
        going = slots[self._open[slots]]
        if not going.size:
            return
        fed, fall = self._loop.fed(going, self.voltage[going], self.residual[going])
        self._learn(going, fed, reproduced[self._open[slots]])
        slope = self._response[going] * fall[:, None, :]
        places = self.voltage.shape[1]
        matrix = np.eye(places) + slope.reshape(*slope.shape[:2], -1, places).sum(axis=2)
        self._direction[going] = np.linalg.solve(matrix, self.residual[going][..., None])[..., 0]

    def _learn(self, slots: Ints, fed: Floats, reproduced: Floats) -> None:
        """Mend the voltages' answer to power fed in by what it was in the last step.

        The least change that agrees with the step: C. G. Broyden, "A class of methods for solving nonlinear
        simultaneous equations", Mathematics of Computation 19, 1965, doi 10.1090/S0025-5718-1965-0198670-6. Only the
        network's answer is learnt, which is smooth; the curves' slopes, which jump, are known.
        """
        if not self._fed.size:
            self._fed = np.zeros((len(self.voltage), fed.shape[1]))
            self._response = np.zeros((*self.voltage.shape, fed.shape[1]))
        fresh = ~self._known[slots]
        self._response[slots[fresh]] = self._loop.response(reproduced[fresh])
        step = fed - self._fed[slots]
        square = (step**2).sum(axis=1)
        moved = ~fresh & (square > (_LEAST_STEP * (1 + np.abs(fed).max(axis=1, initial=0.0))) ** 2)
        at, step = slots[moved], step[moved]
        missed = reproduced[moved] - self._reproduced[at] - np.einsum("spk,sk->sp", self._response[at], step)
        self._response[at] += missed[:, :, None] * (step / square[moved, None])[:, None, :]
        self._known[slots], self._fed[slots], self._reproduced[slots] = True, fed, reproduced

    def _weighed(self, residual: Floats) -> Floats:
        """Square of the residual in the loop's norm, (slot,)."""
        return np.asarray(np.einsum("si,ij,sj->s", residual, self._loop.norm, residual))
