"""What a power flow finds: the state of a feeder slot by slot, and how it stands to voltage limits."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from meanwatt.agents.numerics.arrays import Bools, Floats
from meanwatt.agents.numerics.short_repr import short_repr


class VoltageLimits(StrEnum):
    """The band a bus voltage should stay in."""

    ANSI_C84_1 = "ansi_c84_1"
    """ANSI C84.1, range A at the service entrance: ±5 %."""
    EN_50160 = "en_50160"
    """EN 50160, ±10 % (the standard asks it of 95 % of the ten-minute means of a week)."""

    @property
    def low_pu(self) -> float:
        """Lowest voltage allowed. [pu]"""
        return 0.95 if self is VoltageLimits.ANSI_C84_1 else 0.90

    @property
    def high_pu(self) -> float:
        """Highest voltage allowed. [pu]"""
        return 1.05 if self is VoltageLimits.ANSI_C84_1 else 1.10


class PowerFlowOutcome(StrEnum):
    """How a power flow ended."""

    CONVERGED = "converged"
    SOME_SLOTS_FAILED = "some_slots_failed"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PowerFlowResult:
    """State of a feeder, slot by slot. A slot that did not converge is nan in every array and false in ``converged``.

    Parameters
    ----------
    voltage_pu, voltage_angle_rad
        (slot, bus) Voltage, relative to nominal, and its angle to the source's. [pu, rad]
    loss_kw
        (slot,) Active losses of all lines, transformers and branches. [kW]
    source_p_kw, source_q_kvar
        (slot,) Power that the source feeds in, negative when the feeder exports. [kW, kvar]
    line_current_a
        (slot, line) The larger of the currents at the two ends, of lines that are no branches. [A]
    line_loading
        (slot, line) Current over rating in the order of ``Feeder.line_names``, which ends with the lines that are
        branches: the larger of the two ends'; 0 where no rating is known.
    transformer_loading
        (slot,) Apparent power over rating of the most loaded transformer (current over rated current where it is a
        branch); None without transformers.
    converged
        (slot,) Whether the solver found a state, and not one of the lower branch of solutions, on which more power fed
        in means less voltage: see `meanwatt.model.network.upper_branch`.
    """

    __repr__ = short_repr

    voltage_pu: Floats
    voltage_angle_rad: Floats
    loss_kw: Floats
    source_p_kw: Floats
    source_q_kvar: Floats
    line_current_a: Floats
    line_loading: Floats
    transformer_loading: Floats | None
    converged: Bools

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for name in self.__slots__:
            values = getattr(self, name)
            if isinstance(values, np.ndarray):
                values.setflags(write=False)

    @property
    def outcome(self) -> PowerFlowOutcome:
        """Whether every slot converged."""
        return PowerFlowOutcome.CONVERGED if self.converged.all() else PowerFlowOutcome.SOME_SLOTS_FAILED

    @property
    def message(self) -> str:
        """The outcome in words."""
        failed = np.flatnonzero(~self.converged).tolist()
        if not failed:
            return f"all {len(self.converged)} slots converged"
        more = f" and {len(failed) - 8} more" if len(failed) > 8 else ""
        return (
            f"no state found in slots {', '.join(map(str, failed[:8]))}{more} of {len(self.converged)}:"
            " the feeder cannot carry such load or export (voltage collapse)"
        )


def hours_outside(voltage_pu: Floats, limits: VoltageLimits, slot_hours: float) -> Floats:
    """Count the hours that each bus spends outside the limits.

    Parameters
    ----------
    voltage_pu
        (slot, bus) Voltage; nan, a slot without a solution, counts as outside. [pu]
    limits
        The band allowed, its edges included.
    slot_hours
        Length of a slot. [h]

    Returns
    -------
    (bus,) float
        Hours outside. [h]
    """
    inside = (voltage_pu >= limits.low_pu) & (voltage_pu <= limits.high_pu)
    hours: Floats = (~inside).sum(axis=0) * slot_hours
    return hours
