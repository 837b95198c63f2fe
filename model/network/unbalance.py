"""Symmetrical components of phase voltages, and how uneven they are."""

from typing import Final

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats

TURN: Final = np.exp(2j * np.pi / 3)
"""A third of a turn, usually called a."""

TO_SEQUENCES: Final = np.array([[1, 1, 1], [1, TURN, TURN**2], [1, TURN**2, TURN]]) / 3
"""From phases a, b, c to zero, positive and negative sequence."""


def sequences(voltage_pu: Floats, angle_rad: Floats) -> npt.NDArray[np.complex128]:
    """Split phase voltages into symmetrical components.

    Parameters
    ----------
    voltage_pu, angle_rad : (…, phase)
        Voltage of each phase to neutral over its nominal value, and its angle. [pu, rad]

    Returns
    -------
    (…, 3) complex
        Zero, positive and negative sequence. [pu]
    """
    phasor = np.asarray(voltage_pu) * np.exp(1j * np.asarray(angle_rad))
    return np.asarray(phasor @ TO_SEQUENCES.T)


def unbalance_percent(voltage_pu: Floats, angle_rad: Floats) -> Floats:
    """Measure the voltage unbalance factor of IEC 61000-4-30: negative over positive sequence. (…,) [%]

    Parameters
    ----------
    voltage_pu, angle_rad : (…, phase)
        As of ``sequences``.
    """
    _, positive, negative = np.moveaxis(np.abs(sequences(voltage_pu, angle_rad)), -1, 0)
    factor: Floats = 100 * negative / positive
    return factor
