"""The zero sequence of every edge of a feeder: what its data say, else one stated assumption."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Final

import networkx as nx
import numpy as np

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.model.network.library.branch import Branch, BranchKind
from meanwatt.model.network.library.phase_data import PhaseData, VectorGroup, ZeroPort
from meanwatt.model.network.library.radial import Feeder, Transformer
from meanwatt.model.scenario.messages import Messages

ASSUMED_GROUP: Final = VectorGroup.read("Dyn11")
"""Vector group of a transformer that gives none: the usual one of distribution transformers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroSequenceRule:
    """What zero-sequence impedance a line has whose data do not say.

    Four equal conductors, of which the fourth brings the current of the three back, have 4 times the impedance in the
    zero sequence that they have in the positive one: r + 3 r.

    Parameters
    ----------
    r0_per_r1, x0_per_x1
        Its resistance and reactance over those of the positive sequence.
    """

    r0_per_r1: float = 4.0
    x0_per_x1: float = 4.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ZeroSequence:
    """The zero sequence of every edge of a feeder, complete.

    Attributes
    ----------
    line_r0_ohm, line_x0_ohm, line_b0_us
        (line,) [ohm, µS]
    transformers, branches
        One of every transformer and branch, with a known impedance.
    floating
        (region,) A bus of every part of the feeder in which a current alike in all phases has no way back; nobody
        lives there.
    assumed
        How many edges of each table are assumed.
    """

    line_r0_ohm: Floats
    line_x0_ohm: Floats
    line_b0_us: Floats
    transformers: tuple[ZeroPort, ...]
    branches: tuple[ZeroPort, ...]
    floating: Ints
    assumed: Counter[str] = field(default_factory=Counter)

    def messages(self, rule: ZeroSequenceRule) -> Messages:
        """Say what is assumed, a sentence each."""
        said = []
        wires = self.assumed["line"] + self.assumed["branch"]
        if wires:
            said.append(
                f"feeder.phases: {wires} of {len(self.line_r0_ohm) + len(self.branches)} lines have no zero-sequence"
                f" data; r0 = {rule.r0_per_r1:g} r1 and x0 = {rule.x0_per_x1:g} x1 are taken (feeder.r0_per_r1,"
                " feeder.x0_per_x1)."
            )
        units = self.assumed["transformer"]
        if units:
            said.append(
                f"feeder.phases: {units} transformers give no vector group or no zero-sequence impedance;"
                f" {ASSUMED_GROUP.name} and that of the positive sequence are taken for what is missing."
            )
        return tuple(said)


def complete_zero_sequence(feeder: Feeder, rule: ZeroSequenceRule) -> ZeroSequence:
    """Complete the zero sequence of a feeder.

    Parameters
    ----------
    feeder
        The feeder; ``Feeder.phases`` has what is known.
    rule
        What is taken for lines that do not say.

    Raises
    ------
    ValueError
        In one line, if somebody lives where a current on one phase has no way back to the source.
    """
    known = feeder.phases or PhaseData.none(
        buses=len(feeder.buses),
        lines=len(feeder.line_from),
        transformers=len(feeder.transformers),
        branches=len(feeder.branches),
    )
    assumed: Counter[str] = Counter()
    missing = np.isnan(known.line_r0_ohm) | np.isnan(known.line_x0_ohm)
    if missing.any():
        assumed["line"] = int(missing.sum())
    charging = np.where(np.isnan(known.line_b0_us), feeder.line_b_us, known.line_b0_us)
    transformers = []
    for unit, port in zip(feeder.transformers, known.transformers, strict=True):
        ohm = feeder.nominal_kv[unit.to_bus] ** 2 * 1e3 / unit.kva
        r = unit.pk_kw / unit.kva * ohm
        transformers.append(_transformer(port, complex(r, np.sqrt(max((unit.uk * ohm) ** 2 - r**2, 0.0))), assumed))
    branches = [
        _branch(branch, port, rule, assumed) for branch, port in zip(feeder.branches, known.branches, strict=True)
    ]
    return ZeroSequence(
        line_r0_ohm=np.where(missing, rule.r0_per_r1 * feeder.line_r_ohm, known.line_r0_ohm),
        line_x0_ohm=np.where(missing, rule.x0_per_x1 * feeder.line_x_ohm, known.line_x0_ohm),
        line_b0_us=charging,
        transformers=tuple(transformers),
        branches=tuple(branches),
        floating=_floating(feeder, transformers, branches),
        assumed=assumed,
    )


def _transformer(port: ZeroPort | None, z_ohm: complex, assumed: Counter[str]) -> ZeroPort:
    """A transformer's zero sequence, its positive-sequence impedance given. [ohm]"""
    port = port or ZeroPort()
    if port.group is None or not port.known:
        assumed["transformer"] += 1
    group = port.group or ASSUMED_GROUP
    return port if port.known and port.group else replace(port, group=group, r_ohm=z_ohm.real, x_ohm=z_ohm.imag)


def _branch(branch: Branch, port: ZeroPort | None, rule: ZeroSequenceRule, assumed: Counter[str]) -> ZeroPort:
    if branch.kind is BranchKind.TRANSFORMER:
        return _transformer(port, complex(branch.r_ohm, branch.x_ohm), assumed)
    if port is not None and port.known:
        return port
    assumed["branch"] += 1
    return ZeroPort(
        r_ohm=rule.r0_per_r1 * branch.r_ohm,
        x_ohm=rule.x0_per_x1 * branch.x_ohm,
        g_from_us=branch.g_from_us,
        b_from_us=branch.b_from_us,
        g_to_us=branch.g_to_us,
        b_to_us=branch.b_to_us,
    )


def _floating(feeder: Feeder, transformers: list[ZeroPort], branches: list[ZeroPort]) -> Ints:
    """A bus of every region without a way back; ``ValueError`` if somebody lives there."""
    region = nx.utils.UnionFind(range(len(feeder.buses)))
    grounded = {feeder.index(feeder.source)}
    for a, b in zip(feeder.line_from.tolist(), feeder.line_to.tolist(), strict=True):
        region.union(a, b)
    units: list[Transformer | Branch] = [*feeder.transformers, *feeder.branches]
    for edge, port in zip(units, (*transformers, *branches), strict=True):
        if port.group is None or port.group.passes_zero_sequence:
            region.union(edge.from_bus, edge.to_bus)
        elif port.group.grounds_zero_sequence:
            grounded.add(edge.to_bus)
    safe = {region[bus] for bus in grounded}
    inhabited = feeder.customers > 0
    if feeder.fixed is not None:
        inhabited |= (feeder.fixed.p_kw != 0) | (feeder.fixed.q_kvar != 0)
    lost = [bus for bus in np.flatnonzero(inhabited).tolist() if region[bus] not in safe]
    if lost:
        raise ValueError(
            f"bus '{feeder.buses[lost[0]]}' has customers but no neutral: the transformer before it does not ground the"
            " zero sequence; give its vector group, as Dyn11"
        )
    return np.array(sorted({region[bus] for bus in range(len(feeder.buses))} - safe), dtype=np.int64)
