"""Which phase each home of a feeder is on: as its data say, else drawn by a seed."""

from typing import Final

import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.randomness import Purpose, children, key_from, stream
from meanwatt.model.network.library.phase_data import PHASES
from meanwatt.model.network.library.radial import Feeder
from meanwatt.model.scenario.messages import Messages

MOST_KV: Final = 1.0
"""Highest nominal voltage at which a home is on one phase. [kV]"""
MOST_DRAWN: Final = 1_000_000
"""Most customers whose phase is drawn."""


def customers_by_phase(feeder: Feeder, seed: int) -> Ints:
    """Give every customer of a feeder its phase.

    Parameters
    ----------
    feeder
        The feeder; ``Feeder.phases`` says of some or all customers which phase they are on.
    seed
        Draws the phase of the others, each alike. A home's draw depends on seed, bus and its number there alone.

    Returns
    -------
    (bus, 4) int
        Customers on phase a, b and c, and on all three.

    Raises
    ------
    ValueError
        In one line, if customers live above 1 kV, or there are too many to draw.
    """
    high = (feeder.customers > 0) & (feeder.nominal_kv > MOST_KV)
    if high.any():
        bus = int(np.argmax(high))
        raise ValueError(
            f"feeder.phases is \"one\" but bus '{feeder.buses[bus]}' has customers at {feeder.nominal_kv[bus]:g} kV;"
            f' give a low-voltage feeder (up to {MOST_KV:g} kV), e.g. feeder.name = "lv_four_wire", or feeder.phases ='
            ' "three"'
        )
    found = np.zeros((len(feeder.buses), 4), dtype=np.int64)
    if feeder.phases is not None:
        found[:, :3], found[:, 3] = feeder.phases.customers, feeder.phases.three_phase
    unknown = feeder.customers - found.sum(axis=1)
    if unknown.sum() > MOST_DRAWN:
        raise ValueError(
            f'feeder.phases is "one" and the phase of {int(unknown.sum())} customers is not known; give at most'
            f' {MOST_DRAWN} of them, or feeder.phases = "three"'
        )
    state = stream(key_from(seed), Purpose.PHASE)
    for bus in np.flatnonzero(unknown).tolist():
        words = children(stream(state, bus), int(unknown[bus]))
        found[bus, :3] += np.bincount((words % np.uint64(3)).astype(np.int64), minlength=3)
    return found


def phase_share(customers: Ints) -> Floats:
    """Part of what the homes of each bus draw that is drawn from each phase, (bus, phase); rows sum to one.

    Homes that a file of residents puts on a bus without customers draw from all phases alike.

    Parameters
    ----------
    customers : (bus, 4)
        Customers on phase a, b and c, and on all three.
    """
    total = customers.sum(axis=1, keepdims=True)
    return np.asarray(np.where(total > 0, (customers[:, :3] + customers[:, 3:] / 3) / np.maximum(total, 1), 1 / 3))


def homes_messages(feeder: Feeder, by_phase: Ints, seed: int) -> Messages:
    """Say how many phases are drawn, and how many homes are on which."""
    known = 0 if feeder.phases is None else int(feeder.phases.customers.sum() + feeder.phases.three_phase.sum())
    total = int(by_phase.sum())
    if known == total:
        return ()
    counts = ", ".join(f"{count} on {name}" for count, name in zip(by_phase.sum(axis=0).tolist(), PHASES, strict=False))
    return (
        f"feeder.phases: the phase of {total - known} of {total} homes is not in the feeder's data and drawn"
        f" (feeder.phase_seed = {seed}); in all {counts}.",
    )
