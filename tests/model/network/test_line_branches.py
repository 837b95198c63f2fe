"""A line that only a general two-port can hold is loaded, and may be overloaded, like any other."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from saved_net import save, village

from meanwatt.analysis.hosting.stress import violated, worst_state
from meanwatt.model.network.library.branch import Branch, BranchKind
from meanwatt.model.network.library.radial import Feeder
from meanwatt.model.network.pandapower_net.importer import import_pandapower
from meanwatt.model.network.power_flow import PowerFlow, VoltageLimits, solve_power_flow


def plain_and_branched(folder: Path) -> tuple[Feeder, Feeder]:
    """The village, and the same with all lines as branches, the last the other way round."""
    tables = village()
    for row in tables["line"]:
        row["max_i_ka"] = 0.1
    feeder = import_pandapower(save(folder, tables)).feeder
    ends = list(zip(feeder.line_from.tolist(), feeder.line_to.tolist(), strict=True))
    lines = [
        Branch(
            kind=BranchKind.LINE,
            from_bus=b if line == len(ends) - 1 else a,
            to_bus=a if line == len(ends) - 1 else b,
            r_ohm=feeder.line_r_ohm[line],
            x_ohm=feeder.line_x_ohm[line],
            b_from_us=feeder.line_b_us[line] / 2,
            b_to_us=feeder.line_b_us[line] / 2,
            rating_from_a=feeder.line_rating_a[line],
            rating_to_a=feeder.line_rating_a[line],
        )
        for line, (a, b) in enumerate(ends)
    ]
    none = np.zeros(0)
    branched = replace(
        feeder,
        branches=(lines[0], *feeder.branches, *lines[1:]),
        **{name: none.astype(np.int64) for name in ("line_from", "line_to")},
        **dict.fromkeys(("line_r_ohm", "line_x_ohm", "line_b_us", "line_rating_a"), none),
    )
    return feeder, branched


def test_a_line_as_a_branch_has_the_loading_of_the_plain_line(tmp_path: Path) -> None:
    plain, branched = plain_and_branched(tmp_path)
    scale = np.array([[1.0], [0.3], [-1.2]])
    one, two = (solve_power_flow(feeder, scale * feeder.p_kw, scale * feeder.q_kvar) for feeder in (plain, branched))
    np.testing.assert_allclose(two.line_loading, one.line_loading, rtol=1e-9)
    assert one.line_loading.min() > 0.01
    assert branched.line_names == plain.line_names
    assert branched.rated_lines.all()
    assert two.line_current_a.shape == (3, 0)


def test_an_overload_of_such_a_line_is_one_of_hosting(tmp_path: Path) -> None:
    _, branched = plain_and_branched(tmp_path)
    p_kw = np.array([[0.0, 0.0, 0.0, 90.0, 0.0], [0.0, 0.0, 0.0, 20.0, 0.0]])
    found = [worst_state(PowerFlow(branched, slots=1), row[None], row[None]).line_loading for row in p_kw]
    limits = VoltageLimits.EN_50160
    assert [float(violated("line", {"line_loading": np.array(one)}, limits)) for one in found] == [1.0, 0.0]


def test_the_import_tells_the_loading_of_a_line_that_leaks(tmp_path: Path) -> None:
    tables = village()
    plain = import_pandapower(save(tmp_path, tables)).state.max_line_loading
    tables["line"][0]["g_us_per_km"] = 1e-6
    leaking = import_pandapower(save(tmp_path, tables))
    assert len(leaking.feeder.line_branches) == 1
    assert leaking.state.max_line_loading == pytest.approx(plain, rel=1e-9)
    for row in tables["line"]:
        row["max_i_ka"] = 0.0
    assert import_pandapower(save(tmp_path, tables)).state.max_line_loading is None
