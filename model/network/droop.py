"""Power flow with inverters that answer to their own voltage, solved to the fixed point of both.

Sought is a voltage V at the inverters' buses that the power flow F reproduces when they feed in what their curves ask
for at V: V = F(p(V), q(V)). Plain iteration cycles where the feeder is weak, and damping by a fixed factor ends early
or late. Here a Newton step is taken with the slopes of the curves and the first-order answer of the voltages
(`meanwatt.model.network.sensitivity`), and accepted only if it lowers the residual; else it is halved, and at last
replaced by a damped plain step, which for falling curves lowers the residual in the norm of the inverse resistances.
A slot is solved when its residual is below the tolerance, and never for any other reason.

A power flow without the curves comes first: slots in which none acts at its voltages are solved. The others are tried
by Newton's method on the tree, loads and curves and network at once, which costs as much as two or three power flows
(`meanwatt.model.network.droop_kernel`) and knows no way back from a bad step. A power flow at what inverters then feed
in gives the residual; slots in which it is not below the tolerance are searched as above.

With one falling curve and linear branch flows the fixed point is unique: R is positive definite, so V − R p(V) is a
monotone map (M. Farivar, L. Chen, S. Low, "Equilibrium and dynamics of local voltage control in distribution systems",
IEEE CDC 2013, doi 10.1109/CDC.2013.6760555). In the AC feeder it is checked from another start, see `starts_differ_pu`.
"""

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats, Ints, require_finite, require_shape
from meanwatt.agents.numerics.short_repr import short_repr
from meanwatt.model.network.droop_sweep import curve_rows
from meanwatt.model.network.fixed_point import TOLERANCE_PU, FixedPointSearch, Start, inverse_norm
from meanwatt.model.network.inverter_curves import (
    InverterControl,
    Inverters,
    Reference,
    corner_pu,
    fed_in_kvar,
    limited_kw,
)
from meanwatt.model.network.power_flow import Method, PowerFlow, PowerFlowResult
from meanwatt.model.network.sensitivity import voltage_sensitivity

MOST_FLOWS: Final = 200
"""Power flows after which the search is given up."""
MOST_STEPS: Final = 16
"""Newton steps on the tree after which a slot is left to the search."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DroopResult:
    """State of a feeder with its inverters' curves, slot by slot.

    Attributes
    ----------
    state
        The power flow at what the inverters feed in.
    output_kw, fed_in_kvar : (slot, row)
        Active and reactive power that each row of inverters feeds in. [kW, kvar]
    residual_pu : (slot,)
        Largest difference between a voltage by which inverters went and the one that came of it; nan where no power
        flow was found. [pu]
    solved : (slot,) bool
        Whether a power flow was found and the residual is at most ``TOLERANCE_PU``.
    flows
        Power flows of all slots together that it took, in batches.
    """

    __repr__ = short_repr

    state: PowerFlowResult
    output_kw: Floats
    fed_in_kvar: Floats
    residual_pu: Floats
    solved: Bools
    flows: int


def solve_droop(
    flow: PowerFlow,
    p_kw: Floats,
    q_kvar: Floats,
    units: Inverters,
    control: InverterControl,
    *,
    start: Start = Start.FULL,
) -> DroopResult:
    """Solve power flow and curves together, all slots in batches.

    Parameters
    ----------
    flow
        The feeder.
    p_kw, q_kvar : (slot, bus)
        Power drawn with all inverters at what is available and no reactive power of theirs. [kW, kvar]
    units
        The inverters.
    control
        Their curves.
    start
        Where to begin; the answer should not depend on it.

    Raises
    ------
    ValueError
        If a shape is wrong or a number is not finite. A slot without a solution raises nothing: see ``solved``.
    """
    require_shape("available_kw", units.available_kw, (len(p_kw), len(units.bus)), "(slot, row)")
    p_kw, q_kvar = np.asarray(p_kw, dtype=float), np.asarray(q_kvar, dtype=float)
    if flow.method is Method.NEWTON_RAPHSON:
        return _searched(flow, p_kw, q_kvar, units, control, start)
    for name, power in (("p_kw", p_kw), ("q_kvar", q_kvar)):
        require_shape(name, power, (len(p_kw), len(flow.feeder.buses)), "(slot, bus)")
        require_finite(name, power)
    searches = (_without_curves, _on_the_tree, _searched) if start is Start.FULL else (_on_the_tree, _searched)
    found = searches[0](flow, p_kw, q_kvar, units, control, start)
    for search in searches[1:]:
        left = np.flatnonzero(~found.solved)
        if left.size == len(p_kw):
            found = search(flow, p_kw, q_kvar, units, control, start)
        elif left.size:
            found = _joined(found, left, search(flow, p_kw[left], q_kvar[left], units.rows(left), control, start))
    return found


def _searched(
    flow: PowerFlow, p_kw: Floats, q_kvar: Floats, units: Inverters, control: InverterControl, start: Start
) -> DroopResult:
    """Search every slot for its fixed point."""
    loop = _CurvesOnFeeder(flow, p_kw, q_kvar, units, control)
    search = FixedPointSearch(loop, slots=len(p_kw), most_flows=MOST_FLOWS)
    search.run(start)
    output, fed_in, *_ = loop.inject(np.arange(len(p_kw)), search.voltage, search.residual)
    state = PowerFlowResult(**search.state)  # type: ignore[arg-type]
    residual = search.residual_pu(state.converged)
    return DroopResult(
        state=state,
        output_kw=output,
        fed_in_kvar=fed_in,
        residual_pu=residual,
        solved=state.converged & (residual <= TOLERANCE_PU),
        flows=search.flows,
    )


def _on_the_tree(
    flow: PowerFlow, p_kw: Floats, q_kvar: Floats, units: Inverters, control: InverterControl, start: Start
) -> DroopResult:
    """Solve every slot by Newton's method on the tree, as far as it goes."""
    rows = curve_rows(units, control, _floor_pu(control) if start is Start.FLOOR else None)
    state, gone_by = flow.solve_curves(p_kw, q_kvar, rows, most_steps=MOST_STEPS)
    own = gone_by[:, units.bus]
    residual = np.abs(state.voltage_pu[:, units.bus] - own).max(axis=1, initial=0.0)
    residual[~state.converged] = np.nan
    output, fed_in = _fed_in(units, control, own)
    return DroopResult(
        state=state,
        output_kw=output,
        fed_in_kvar=fed_in,
        residual_pu=residual,
        solved=state.converged & (residual <= TOLERANCE_PU),
        flows=1,
    )


def _without_curves(
    flow: PowerFlow, p_kw: Floats, q_kvar: Floats, units: Inverters, control: InverterControl, _start: Start
) -> DroopResult:
    """Solve every slot as if there were no curves; solved are those in which none acts at the voltages found."""
    state = flow.solve_swept(p_kw, q_kvar)
    own = state.voltage_pu[:, units.bus]
    able = np.flatnonzero(~_at_rest(units, control, own))
    acts = np.zeros(len(own), dtype=bool)
    output, fed_in = _fed_in(units.rows(able), control, own[able])
    acts[able] = (output != units.available_kw[able]).any(axis=1) | (fed_in != 0.0).any(axis=1)
    solved = state.converged & ~acts
    return DroopResult(
        state=state,
        output_kw=np.array(units.available_kw),  # of the others another search says it
        fed_in_kvar=np.zeros(own.shape),
        residual_pu=np.where(solved, 0.0, np.nan),
        solved=solved,
        flows=1,
    )


def _at_rest(units: Inverters, control: InverterControl, own_pu: Floats) -> Bools:
    """Slots (slot,) in which voltages of rows, (slot, row), are where no curve asks anything of anybody."""
    low, high = control.neutral_pu
    rest = (own_pu.max(axis=1, initial=low) <= high) & (own_pu.min(axis=1, initial=high) >= low)
    watt = control.volt_watt
    if watt is not None and watt.reference is Reference.RATED:  # whose sun is above the rating is cut at any voltage
        rest &= (units.available_kw <= units.rated_kw * watt.p1).all(axis=1)
    return np.asarray(rest)


def _fed_in(units: Inverters, control: InverterControl, own_pu: Floats) -> tuple[Floats, Floats]:
    """Active and reactive power that rows feed in at voltages of theirs, (slot, row). [kW, kvar]"""
    watt, var = control.volt_watt, control.volt_var
    nothing = np.zeros(own_pu.shape)
    output = limited_kw(watt, units, own_pu, nothing)[0] if watt else units.available_kw
    return output, fed_in_kvar(var, units, own_pu, nothing)[0] if var else nothing


def _joined(found: DroopResult, slots: Ints, rest: DroopResult) -> DroopResult:
    """The one result with some of its slots from another."""

    def with_rest(values: Any, others: Any) -> Any:
        if values is None:
            return None
        both = np.array(values)
        both[slots] = others
        return both

    names = [entry.name for entry in fields(PowerFlowResult)]
    state = {name: with_rest(getattr(found.state, name), getattr(rest.state, name)) for name in names}
    names = ["output_kw", "fed_in_kvar", "residual_pu", "solved"]
    return DroopResult(
        state=PowerFlowResult(**state),
        **{name: with_rest(getattr(found, name), getattr(rest, name)) for name in names},
        flows=found.flows + rest.flows,
    )


def _floor_pu(control: InverterControl) -> float:
    """Voltage from which on both curves are at their ends. [pu]"""
    watt, var = control.volt_watt, control.volt_var
    return max(watt.v2_pu if watt else 0.0, var.v4_pu if var else 0.0)


def starts_differ_pu(
    flow: PowerFlow, p_kw: Floats, q_kvar: Floats, units: Inverters, control: InverterControl, first: DroopResult
) -> Floats:
    """Solve anew from the other start where the curves act; largest difference of a voltage, (slot,). [pu]

    Zero where they do not act, nan where one of the two searches did not end.
    """
    acts = (first.output_kw < units.available_kw).any(axis=1) | (first.fed_in_kvar != 0).any(axis=1)
    differ = np.where(first.solved, 0.0, np.nan)
    slots = np.flatnonzero(acts & first.solved)
    if slots.size:
        other = solve_droop(flow, p_kw[slots], q_kvar[slots], units.rows(slots), control, start=Start.FLOOR)
        gap = np.abs(other.state.voltage_pu - first.state.voltage_pu[slots]).max(axis=1)
        differ[slots] = np.where(other.solved, gap, np.nan)
    return differ


class _CurvesOnFeeder:
    """Curves and power flow of one batch, as a search takes them. A place is a bus with inverters."""

    def __init__(
        self, flow: PowerFlow, p_kw: Floats, q_kvar: Floats, units: Inverters, control: InverterControl
    ) -> None:
        self.flow, self.p_kw, self.q_kvar, self.units, self.control = flow, p_kw, q_kvar, units, control
        self.buses, self.place = np.unique(units.bus, return_inverse=True)
        self.answer = voltage_sensitivity(flow.feeder, self.buses)
        self.at_place = (self.place[:, None] == np.arange(len(self.buses))).astype(float)
        self.kinds = 2 if control.volt_var else 1
        self.neutral_pu, self.floor_pu = control.neutral_pu, _floor_pu(control)
        self.norm = inverse_norm(self.answer.r_pu + self.answer.x_pu * (control.volt_var is not None))

    def corner_pu(self) -> Floats:
        """Voltage above which the first curve of a place acts, (slot, place). [pu]"""
        watt, var = self.control.volt_watt, self.control.volt_var
        corner = np.full((len(self.p_kw), len(self.buses)), var.v3_pu if var else np.inf)
        if watt:
            np.minimum.at(corner.T, self.place, corner_pu(watt, self.units).T)
        return corner

    def inject(self, slots: Ints, voltage: Floats, side: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """What the rows feed in at the places' voltages: kW, kvar, and their decreases per pu; (slot, row) each."""
        units = self.units.rows(slots)
        own, towards = voltage[:, self.place], side[:, self.place]
        nothing = np.zeros(units.available_kw.shape)
        watt, var = self.control.volt_watt, self.control.volt_var
        output, watt_fall = limited_kw(watt, units, own, towards) if watt else (units.available_kw, nothing)
        fed_in, var_fall = fed_in_kvar(var, units, own, towards) if var else (nothing, nothing)
        return output, fed_in, watt_fall, var_fall

    def fed(self, slots: Ints, voltage: Floats, side: Floats) -> tuple[Floats, Floats]:
        """What is fed in at the places, and its decrease per voltage; (slot, kind · place). [kW, kvar, and per pu]"""
        output, fed_in, watt_fall, var_fall = self.inject(slots, voltage, side)
        fed = np.hstack([output @ self.at_place, fed_in @ self.at_place][: self.kinds])
        return fed, np.hstack([watt_fall @ self.at_place, var_fall @ self.at_place][: self.kinds])

    def response(self, voltage: Floats) -> Floats:
        """Voltages' first-order answer to what is fed in, (slot, place, kind · place). [pu/kW, pu/kvar]"""
        return np.concatenate(self.answer.pu_per_kw(voltage), axis=2)[:, :, : self.kinds * len(self.buses)]

    def solve(self, slots: Ints, voltage: Floats) -> tuple[PowerFlowResult, Floats]:
        """Solve the feeder with inverters at these voltages; its state, and the places' voltages that come of it."""
        output, fed_in, *_ = self.inject(slots, voltage, np.zeros(voltage.shape))
        p_kw, q_kvar = self.p_kw[slots].copy(), self.q_kvar[slots].copy()
        p_kw[:, self.buses] += (self.units.available_kw[slots] - output) @ self.at_place
        q_kvar[:, self.buses] -= fed_in @ self.at_place
        found = self.flow.solve(p_kw, q_kvar)
        return found, found.voltage_pu[:, self.buses]
