"""Feeders from and to the tables of feeder files, and the feeder that a scenario names."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from meanwatt.model.network.feeder import build_feeder
from meanwatt.model.network.library.branch import FIXED, Branch, BranchKind, FixedLoad
from meanwatt.model.network.library.phase_keys import branch_keys, bus_keys, line_keys, transformer_keys
from meanwatt.model.network.library.radial import KVAR_PER_KW, Feeder, Transformer, nearest, position_keys
from meanwatt.model.network.phase_table import phase_data_of
from meanwatt.model.scenario.feeder_file import (
    BranchTable,
    BusTable,
    EdgeTable,
    FeederError,
    FeederFile,
    LineTable,
    TransformerTable,
    read_feeder_file,
)
from meanwatt.model.scenario.tables import FeederTable

FIXED_KEYS = dict(zip(FIXED, ("fixed_kw", "fixed_kvar", *FIXED[2:]), strict=True))
"""Key of the file for every array of a fixed load."""


def scenario_feeder(table: FeederTable, *, peak_reference_kw: float) -> Feeder:
    """Build the feeder that a scenario names, one of ours or that of a file.

    Parameters
    ----------
    table
        The scenario's ``[feeder]``.
    peak_reference_kw
        Largest population-mean reference load of the scenario; that many kW of a bus make a customer where a file does
        not count them. [kW per household]

    Raises
    ------
    ValueError
        In one line, if the file is not what it was when the scenario was read, or its buses make no tree.
    """
    if table.file is None:
        return _feeder_of_ours(str(table.name), peak_reference_kw)
    content, digest = read_feeder_file(table.file)
    if table.sha256 not in (None, digest):
        raise FeederError(f"feeder {table.file}: has changed since the scenario was read; read the scenario again")
    try:
        return feeder_of_table(content, peak_reference_kw=peak_reference_kw)
    except ValueError as error:
        raise FeederError(f"feeder {table.file}: {error}") from None


@lru_cache(maxsize=16)
def _feeder_of_ours(name: str, peak_reference_kw: float) -> Feeder:
    """One of ours, which is the same for every market of an economy: a feeder cannot be changed."""
    return build_feeder(name, peak_reference_kw=peak_reference_kw)


def feeder_of_table(table: FeederFile, *, peak_reference_kw: float | None = None) -> Feeder:
    """Build the feeder of a file's table.

    Parameters
    ----------
    table
        What the file says.
    peak_reference_kw
        That many kW of a bus make a customer where the file does not count them. [kW]

    Raises
    ------
    ValueError
        In one line, if an edge names no bus, a bus with load has neither customers nor a peak to count them by, or
        the buses make no tree.
    """
    position = {bus.name: place for place, bus in enumerate(table.buses)}
    ends = [_ends(edge, position) for edge in table.lines]
    return Feeder(
        name=table.name,
        buses=tuple(bus.name for bus in table.buses),
        source=table.source,
        source_voltage_pu=table.source_voltage_pu,
        nominal_kv=np.array([bus.nominal_kv for bus in table.buses]),
        p_kw=np.array([bus.p_kw for bus in table.buses]),
        q_kvar=np.array([bus.p_kw * KVAR_PER_KW if bus.q_kvar is None else bus.q_kvar for bus in table.buses]),
        customers=np.array([_customers(bus, peak_reference_kw) for bus in table.buses], dtype=np.int64),
        line_from=np.array([a for a, _ in ends], dtype=np.int64),
        line_to=np.array([b for _, b in ends], dtype=np.int64),
        line_r_ohm=np.array([line.r_ohm for line in table.lines]),
        line_x_ohm=np.array([line.x_ohm for line in table.lines]),
        line_b_us=np.array([line.b_us for line in table.lines]),
        line_rating_a=np.array([line.rating_a or math.inf for line in table.lines]),
        transformers=tuple(_transformer(unit, position) for unit in table.transformers),
        branches=tuple(_branch(unit, position) for unit in table.branches),
        fixed=FixedLoad(
            **{name: np.array([getattr(bus, key) for bus in table.buses]) for name, key in FIXED_KEYS.items()}
        )
        or None,
        phases=phase_data_of(table),
        position=np.array([[math.nan if one is None else one for one in (bus.x, bus.y)] for bus in table.buses]),
    )


def table_of_feeder(feeder: Feeder) -> FeederFile:
    """What a file says of a feeder."""
    fixed = feeder.fixed or FixedLoad.none(len(feeder.buses))
    return FeederFile(
        kind="feeder",
        name=feeder.name[:200],
        source=feeder.source,
        source_voltage_pu=float(feeder.source_voltage_pu),
        buses=tuple(
            BusTable(
                name=name,
                nominal_kv=float(feeder.nominal_kv[bus]),
                customers=int(feeder.customers[bus]) if feeder.p_kw[bus] or feeder.customers[bus] else None,
                p_kw=float(feeder.p_kw[bus]),
                q_kvar=float(feeder.q_kvar[bus]) if feeder.p_kw[bus] else None,
                **_fixed_keys(fixed, bus),
                **position_keys(feeder.position, bus),
                **bus_keys(feeder.phases, bus),
            )
            for bus, name in enumerate(feeder.buses)
        ),
        lines=tuple(
            LineTable(
                from_bus=feeder.buses[a],
                to_bus=feeder.buses[b],
                r_ohm=float(feeder.line_r_ohm[line]),
                x_ohm=float(feeder.line_x_ohm[line]),
                b_us=float(feeder.line_b_us[line]),
                rating_a=_known(float(feeder.line_rating_a[line])),
                **line_keys(feeder.phases, line),
            )
            for line, (a, b) in enumerate(zip(feeder.line_from.tolist(), feeder.line_to.tolist(), strict=True))
        ),
        transformers=tuple(
            _transformer_table(unit, feeder.buses).model_copy(update=transformer_keys(feeder.phases, place))
            for place, unit in enumerate(feeder.transformers)
        ),
        branches=tuple(
            _branch_table(branch, feeder.buses).model_copy(update=branch_keys(feeder.phases, place))
            for place, branch in enumerate(feeder.branches)
        ),
    )


def _fixed_keys(fixed: FixedLoad, bus: int) -> dict[str, Any]:
    return {key: float(getattr(fixed, name)[bus]) for name, key in FIXED_KEYS.items()}


def _customers(bus: BusTable, peak_reference_kw: float | None) -> int:
    if bus.customers is not None:
        return bus.customers
    if bus.p_kw == 0:
        return 0
    if peak_reference_kw is None:
        raise ValueError(f"bus '{bus.name}' has no customers; give customers=<number>")
    return round(bus.p_kw / peak_reference_kw)


def _ends(edge: EdgeTable, position: dict[str, int]) -> tuple[int, int]:
    for bus in (edge.from_bus, edge.to_bus):
        if bus not in position:
            raise ValueError(
                f"an edge '{edge.from_bus}'-'{edge.to_bus}' names bus '{bus}', which is not among buses;"
                f" did you mean '{nearest(bus, list(position))}'?"
            )
    return position[edge.from_bus], position[edge.to_bus]


def _transformer(unit: TransformerTable, position: dict[str, int]) -> Transformer:
    a, b = _ends(unit, position)
    return Transformer(
        from_bus=a,
        to_bus=b,
        kva=unit.kva,
        uk=unit.uk,
        pk_kw=unit.pk_kw,
        turns=unit.turns,
        p0_kw=unit.p0_kw,
        i0=unit.i0,
    )


def _branch(unit: BranchTable, position: dict[str, int]) -> Branch:
    a, b = _ends(unit, position)
    return Branch(
        kind=BranchKind(unit.kind),
        from_bus=a,
        to_bus=b,
        r_ohm=unit.r_ohm,
        x_ohm=unit.x_ohm,
        turns=unit.turns,
        g_from_us=unit.g_from_us,
        b_from_us=unit.b_from_us,
        g_to_us=unit.g_to_us,
        b_to_us=unit.b_to_us,
        rating_from_a=unit.rating_from_a or math.inf,
        rating_to_a=unit.rating_to_a or math.inf,
    )


def _transformer_table(unit: Transformer, buses: Sequence[str]) -> TransformerTable:
    return TransformerTable(
        from_bus=buses[unit.from_bus],
        to_bus=buses[unit.to_bus],
        kva=unit.kva,
        uk=unit.uk,
        pk_kw=unit.pk_kw,
        turns=unit.turns,
        p0_kw=unit.p0_kw,
        i0=unit.i0,
    )


def _branch_table(branch: Branch, buses: Sequence[str]) -> BranchTable:
    return BranchTable(
        kind=branch.kind.value,
        from_bus=buses[branch.from_bus],
        to_bus=buses[branch.to_bus],
        r_ohm=branch.r_ohm,
        x_ohm=branch.x_ohm,
        turns=branch.turns,
        g_from_us=branch.g_from_us,
        b_from_us=branch.b_from_us,
        g_to_us=branch.g_to_us,
        b_to_us=branch.b_to_us,
        rating_from_a=_known(branch.rating_from_a),
        rating_to_a=_known(branch.rating_to_a),
    )


def _known(rating_a: float) -> float | None:
    """A rating; None where it is unknown."""
    return rating_a if math.isfinite(rating_a) else None
