"""Where pandapower itself counts a tap or a load otherwise than its file says: told, with what it does."""

from collections.abc import Callable, Iterable
from typing import Final

from meanwatt.model.network.pandapower_net.characteristics import entry
from meanwatt.model.network.pandapower_net.feeder_build import FeederState
from meanwatt.model.network.pandapower_net.injections import CONSTANT_POWER, Shares, load_shares
from meanwatt.model.network.pandapower_net.net_json import Net, Row
from meanwatt.model.network.pandapower_net.report import NAMED, Report
from meanwatt.model.network.pandapower_net.transformers import ignored_taps, turned_tap

DRAWING: Final = ("sgen", "asymmetric_load", "asymmetric_sgen", "motor", "ward")
"""Tables beside ``load`` whose power pandapower lets vary as the loads of the bus do."""


def say_taps(net: Net, state: FeederState, report: Report, applied: Callable[[], FeederState]) -> None:
    """Say which taps pandapower does not count, or counts the wrong way, and what they would make if applied."""
    rows = [row for table in ("trafo", "trafo3w") for row in net.rows(table)]
    ignored = [row for row in rows if ignored_taps(net, row)]
    turned = [row for row in rows if turned_tap(net, row)]
    if not ignored and not turned:
        return
    other = applied()
    effect = (
        f"with --tap apply voltages go from {other.min_voltage_pu:.4f} to {other.max_voltage_pu:.4f} pu"
        f" instead of {state.min_voltage_pu:.4f} to {state.max_voltage_pu:.4f} pu."
    )
    if ignored:
        report.note(
            f"{_named(ignored)}: tap_pos is off neutral but pandapower does not count it, for tap_changer_type or"
            f" tap_neutral is empty or, at a star point, tap_step_degree; {effect}"
        )
    if turned:
        report.note(
            f"{_named(turned)}: pandapower 2 counts a tap at the star point the wrong way where tap_step_degree is"
            f" empty, and so do the numbers here; {effect}"
        )


def say_tables(net: Net, report: Report) -> None:
    """Say which transformers take values from a table by their tap that pandapower 2 does not read."""
    rows = [
        row
        for table in ("trafo", "trafo3w")
        if not net.has_column(table, "tap_changer_type")
        for row in net.rows(table)
        if entry(net, row) is not None
    ]
    if rows:
        report.note(
            f"{_named(rows)}: tap_dependency_table is true; pandapower 2, whose file this is, does not read the table,"
            " and pandapower 3 does, as the numbers here."
        )


def say_shares(net: Net, report: Report) -> None:
    """Say at which buses pandapower, 2.x and 3.x, mixes the shares of loads that vary with the voltage."""
    at: dict[int, set[Shares]] = {}
    for table in ("load", *DRAWING):
        for row in net.rows(table):
            if row.flag("in_service"):
                at.setdefault(row.whole("bus"), set()).add(load_shares(row) if table == "load" else CONSTANT_POWER)
    mixed = [bus for bus, shares in at.items() if len(shares) > 1]
    if mixed:
        report.note(
            f"bus {_named(mixed)}: pandapower lets all that such a bus draws vary by the plain mean of its loads'"
            " const_z and const_i percentages; here every load has its own."
        )


def _named(rows: Iterable[Row | int]) -> str:
    names = list(map(str, rows))
    return ", ".join(names[:NAMED]) + (" and more" if len(names) > NAMED else "")
