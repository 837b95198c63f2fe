"""Every feature of a circuit of OpenDSS counts: with it the state is the engine's own of all phases, and not without.

Where the phases differ no single voltage is the engine's; there losses, mean drops and what is said are held instead.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from written_circuit import circuit, run_here

from meanwatt.model.network.feeder_file import feeder_of_table, table_of_feeder
from meanwatt.model.network.opendss_circuit.importer import feeder_of_circuit
from meanwatt.model.network.pandapower_net.importer import ImportedFeeder
from meanwatt.model.network.power_flow import solve_power_flow

TOLERANCE = 3e-9
"""The engine stops once no voltage moves by more than 1e-9; losses of 1 to 10 kW follow it."""
LEAST_EFFECT = 1e-5
"""What a feature must change, relatively, to be seen."""
TAIL = "new load.tail bus1=tail kv=.4 kw=10 kvar=2"
"""A home behind whatever a feature adds between the spur and the bus `tail`."""
BASES = "set voltagebases=[20 10 .4]\ncalcvoltagebases\n"

EVEN: dict[str, tuple[str, ...]] = {
    "line_by_linecode": ("new line.d bus1=spur bus2=tail linecode=cable length=.1 units=km", TAIL),
    "line_in_miles_of_a_linecode_in_km": ("new line.d bus1=spur bus2=tail linecode=cable length=.1 units=mi", TAIL),
    "line_in_feet": ("new line.d bus1=spur bus2=tail linecode=cable length=300 units=ft", TAIL),
    "line_by_sequences": ("new line.d bus1=spur bus2=tail r1=.05 x1=.02 r0=.2 x0=.09 c1=300 c0=100", TAIL),
    "line_by_matrices": (
        "new line.d bus1=spur bus2=tail rmatrix=(.3|.05 .3|.05 .05 .3) xmatrix=(.4|.1 .4|.1 .1 .4)"
        " cmatrix=(900|-20 900|-20 -20 900) length=.1 units=km",
        TAIL,
    ),
    "line_of_wires_on_a_pole": (
        "new wiredata.acsr gmrac=.0255 gmrunits=ft rac=.306 runits=mi radius=.36 radunits=in normamps=530",
        "new linegeometry.pole nconds=3 nphases=3 cond=1 wire=acsr x=0 h=9 units=m cond=2 wire=acsr x=.5 h=9.866"
        " units=m cond=3 wire=acsr x=1 h=9 units=m",
        "new line.d bus1=spur bus2=tail geometry=pole length=.1 units=km",
        TAIL,
    ),
    "phases_that_change_places": ("new line.d bus1=spur.1.2.3 bus2=tail.3.1.2 linecode=cable length=.1 units=km", TAIL),
    "four_wires": (
        "new line.d bus1=spur.1.2.3.4 bus2=tail.1.2.3.4 phases=4 rmatrix=(.3|.1 .3|.1 .1 .3|.1 .1 .1 .3)"
        " xmatrix=(.3|.1 .3|.1 .1 .3|.1 .1 .1 .3) cmatrix=(0|0 0|0 0 0|0 0 0 0) length=.1 units=km",
        "new reactor.earth bus1=spur.4 bus2=spur.0 phases=1 r=.1 x=0",
        "new load.tail bus1=tail.1.2.3.4 kv=.4 kw=10 kvar=2",
    ),
    "parallel_lines": ("new line.d bus1=main bus2=street linecode=cable length=.4 units=km",),
    "closed_switch": ("new line.d bus1=spur bus2=tail switch=yes", TAIL),
    "line_open_at_its_far_end": ("edit line.b c1=9000", "open line.b 2"),
    "line_open_at_both_ends": ("open line.b 1", "open line.b 2"),
    "ring_that_an_open_end_opens": ("new line.d bus1=end bus2=spur r1=.02 x1=.01 c1=90000 c0=90000", "open line.d 1"),
    "line_disabled": ("disable line.b",),
    "series_reactor": ("new reactor.d bus1=spur bus2=tail r=.01 x=.05", TAIL),
    "series_capacitor": ("new capacitor.d bus1=spur bus2=tail kv=.4 kvar=5000", TAIL),
    "capacitor": ("new capacitor.d bus1=end kv=.4 kvar=30",),
    "capacitor_between_phases": ("new capacitor.d bus1=end kv=.4 kvar=20 conn=delta",),
    "capacitor_with_a_step_off": ("new capacitor.d bus1=end kv=.4 numsteps=3 kvar=(9 9 9) states=(1 1 0)",),
    "shunt_reactor": ("new reactor.d bus1=end kv=.4 kvar=25",),
    "tap_on_the_low_side": ("edit transformer.station wdg=2 tap=1.025",),
    "tap_on_the_high_side": ("edit transformer.station wdg=1 tap=.95",),
    "tap_that_a_regulator_has_found": (
        "new regcontrol.r transformer=station winding=2 vreg=240 band=2 ptratio=1",
        "set controlmode=static",
        "solve",
    ),
    "transformer_of_no_vector_group": (
        "new transformer.d buses=(grid mv) conns=(wye wye) kvs=(20 10) kvas=(400 400) xhl=5",
        "new load.tail bus1=mv kv=10 kw=300 kvar=60",
    ),
    "transformer_open_at_its_low_side": (
        "new transformer.d buses=(grid mv) conns=(wye wye) kvs=(20 10) kvas=(400 400) xhl=5 %noloadloss=.9",
        "open transformer.d 2",
    ),
    "three_windings": (
        "new transformer.d windings=3 buses=(grid mv tail) conns=(wye wye delta) kvs=(20 10 .4) kvas=(600 600 200)"
        " xhl=6 xht=9 xlt=7 %rs=(.5 .6 .7) taps=(1 1.02 .97) %noloadloss=.2 %imag=.8",
        "new load.mv bus1=mv kv=10 kw=300 kvar=40",
        TAIL,
    ),
    "autotransformer": (
        "new autotrans.d phases=3 windings=2 buses=(grid mv) kvs=(20 10) kvas=(500 500) xhx=5 %rs=(.5 .5)",
        "new load.mv bus1=mv kv=10 kw=200 kvar=10",
    ),
    "bank_of_three": tuple(
        f"new transformer.d{k} phases=1 buses=(grid.{k} mv.{k}) kvs=(11.547 5.7735) kvas=(90 90) xhl=4 taps=(1 1.03)\n"
        f"new load.d{k} bus1=mv.{k} phases=1 kv=5.77 kw=70 kvar=20"
        for k in (1, 2, 3)
    ),
    "stiff_source": ("edit vsource.source mvasc3=20000 mvasc1=20000",),
    "source_voltage": ("edit vsource.source pu=1.04",),
    "source_at_an_angle": ("edit vsource.source angle=-47 pu=1.02",),
    "load_by_power_factor": ("edit load.home2 kw=50 pf=.8",),
    "leading_load": ("edit load.home2 kw=50 pf=-.9",),
    "load_by_kva": ("new load.d bus1=end kv=.4 kva=30 pf=.9",),
    "load_by_allocation": ("new load.d bus1=end kv=.4 xfkva=60 allocationfactor=.4 pf=.9",),
    "load_multiplier": ("set loadmult=1.3",),
    "fixed_load": ("edit load.home2 status=fixed", "set loadmult=1.3"),
    "load_disabled": ("disable load.home2",),
    "even_loads_of_one_phase": tuple(f"new load.d{k} bus1=end.{k} phases=1 kv=.23 kw=4 kvar=1" for k in (1, 2, 3)),
    "even_loads_between_phases": tuple(
        f"new load.d{k} bus1=end.{k}.{k % 3 + 1} phases=1 conn=delta kv=.4 kw=4 kvar=1" for k in (1, 2, 3)
    ),
    "even_laterals_of_one_phase": tuple(
        f"new line.d{k} bus1=spur.{k} bus2=tail.{k} phases=1 r1=.03 x1=.01 r0=.03 x0=.01 c1=0 c0=0\n"
        f"new load.d{k} bus1=tail.{k} phases=1 kv=.23 kw=4 kvar=1"
        for k in (1, 2, 3)
    ),
    "generator": ("new generator.d bus1=spur kv=.4 kw=40 pf=.98",),
    "pv_system": ("new pvsystem.d bus1=spur kv=.4 kva=40 pmpp=30 irradiance=.7",),
    "pv_system_below_its_cut_in": (
        "new pvsystem.d bus1=spur kv=.4 kva=40 pmpp=30 irradiance=.1",
        "edit load.home1 kw=31",
    ),
    "linecode_of_another_frequency": (
        "new linecode.fifty nphases=3 r1=.2 x1=.4 r0=.8 x0=.3 c1=260 c0=120 units=km basefreq=50",
        "new line.d bus1=spur bus2=tail linecode=fifty length=.1 units=km",
        TAIL,
    ),
}
"""Circuits whose phases are alike: the positive sequence is all there is."""


def imported(folder: Path, *more: str, bases: str = BASES, tap: str = "file") -> tuple[ImportedFeeder, Any]:
    content = run_here(folder, circuit(*more, bases=bases), tap)
    return feeder_of_circuit(content), content


def numbers(found: ImportedFeeder) -> list[float]:
    return [found.state.min_voltage_pu, found.state.max_voltage_pu, found.state.loss_kw]


def engine(content: Any) -> list[float]:
    assert content["solution"]["converged"]
    return [content["solution"][key] for key in ("min_voltage_pu", "max_voltage_pu", "loss_kw")]


@pytest.mark.parametrize("name", EVEN)
def test_a_feature_counts_as_in_the_engine_and_is_missed_when_lost(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found, content = imported(tmp_path, *EVEN[name])
    np.testing.assert_allclose(numbers(found), engine(content), rtol=TOLERANCE)
    lost = np.array(numbers(imported(tmp_path)[0]))
    assert (abs(lost / np.array(numbers(found)) - 1) > LEAST_EFFECT).any()
    again = feeder_of_table(table_of_feeder(found.feeder))
    one, two = (solve_power_flow(feeder, feeder.p_kw[None], feeder.q_kvar[None]) for feeder in (found.feeder, again))
    np.testing.assert_array_equal(one.voltage_pu, two.voltage_pu)


STIFF = """clear
new circuit.stiff basekv=.4 pu=1.02 bus1=grid mvasc3=1e9 mvasc1=1e9
new load.other bus1=grid kv=.4 kw=1 kvar=0
"""
"""A source that no current moves, so that one phase does not see another."""
FEW: dict[str, tuple[str, ...]] = {
    "lateral_of_one_phase": (
        "new line.d bus1=grid.2 bus2=tail.2 phases=1 r1=.3 x1=.1 r0=.3 x0=.1 c1=900 c0=900 length=.1",
        "new load.d bus1=tail.2 phases=1 kv=.23 kw=9 kvar=2",
    ),
    "lateral_of_two_phases": (
        "new line.d bus1=grid.3.1 bus2=tail.3.1 phases=2 r1=.3 x1=.1 r0=.3 x0=.1 c1=900 c0=900 length=.1",
        "new load.d bus1=tail.3 phases=1 kv=.23 kw=9 kvar=2",
        "new load.e bus1=tail.1 phases=1 kv=.23 kw=9 kvar=2",
    ),
    "transformer_of_one_phase": (
        "new transformer.d phases=1 buses=(grid.2 tail.2) kvs=(.23094 .11547) kvas=(20 20) xhl=4 taps=(1 1.02)"
        " %noloadloss=.5 %imag=1",
        "new load.d bus1=tail.2 phases=1 kv=.115 kw=9 kvar=2",
    ),
    "transformer_between_two_phases": (
        "new transformer.d phases=1 buses=(grid.2.3 tail.1.0) kvs=(.4 .11547) kvas=(20 20) xhl=4 taps=(1 1.02)",
        "new load.d bus1=tail.1 phases=1 kv=.115 kw=9 kvar=2",
    ),
    "transformer_with_a_tapped_middle": (
        "new transformer.d phases=1 windings=3 buses=(grid.1 tail.1.0 tail.0.2) kvs=(.23094 .12 .12) kvas=(25 25 25)"
        " xhl=2 xht=2 xlt=1.3 %noloadloss=.4",
        "new load.d bus1=tail.1.2 phases=1 kv=.24 kw=10 kvar=3",
        "new line.d bus1=tail.1.2 bus2=house.1.2 phases=2 r1=.1 x1=.05 r0=.1 x0=.05 c1=0 c0=0",
        "new load.e bus1=house.1.2 phases=1 kv=.24 kw=4 kvar=1",
    ),
}
"""What lies on one or two phases, alone behind a source that stays even."""


@pytest.mark.parametrize("name", FEW)
def test_what_lies_on_few_phases_has_the_same_losses_and_voltages_when_spread_over_three(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    content = run_here(
        tmp_path, circuit(*FEW[name], base=STIFF, bases="set voltagebases=[.4 .2 .2078461]\ncalcvoltagebases\n")
    )
    found = feeder_of_circuit(content)
    tolerance = 1e-5 if name == "transformer_with_a_tapped_middle" else 3e-8  # its halves differ; the source gives
    np.testing.assert_allclose(numbers(found), engine(content), rtol=tolerance)
    assert sum(found.report.approximated.values()) == len(FEW[name])


def test_the_engines_own_positive_sequence_is_ours_where_all_elements_have_three_phases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found, _ = imported(
        tmp_path,
        *EVEN["line_by_matrices"],
        *EVEN["tap_on_the_low_side"],
        "new load.one bus1=end.2 phases=1 kv=.23 kw=6 kvar=1",
        "new capacitor.k bus1=end kv=.4 kvar=20",
    )
    import opendssdirect

    from meanwatt.model.network.opendss_circuit import engine as child

    opendssdirect.Text.Command("makeposseq")
    solution = child.solved(opendssdirect)
    np.testing.assert_allclose(numbers(found), engine({"solution": solution}), rtol=TOLERANCE)
    assert found.report.approximated == {"Load": 1}


def test_uneven_lines_count_by_their_mean_and_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    uneven = "new line.d bus1=spur bus2=tail rmatrix=(.3|.05 .33|.02 .08 .27) xmatrix=(.4|.1 .44|.07 .13 .36) length=.1"
    even = "new line.d bus1=spur bus2=tail rmatrix=(.3|.05 .3|.05 .05 .3) xmatrix=(.4|.1 .4|.1 .1 .4) length=.1"
    first, second = imported(tmp_path, uneven, TAIL)[0], imported(tmp_path, even, TAIL)[0]
    np.testing.assert_allclose(numbers(first), numbers(second), rtol=1e-12)
    assert (first.report.approximated, second.report.approximated) == ({"Line": 1}, {})
    assert any(said.startswith("Line d: its phases differ") for said in first.report.messages)


@pytest.mark.parametrize(("model", "called"), [(2, "constant impedance"), (5, "constant current"), (8, "a mixture")])
def test_loads_of_every_model_are_constant_power_and_named(
    model: int, called: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found, content = imported(tmp_path, f"edit load.home2 model={model} zipv=(.3 .3 .4 .3 .3 .4 .6)")
    assert found.state == imported(tmp_path)[0].state
    np.testing.assert_allclose(numbers(found), engine(content), rtol=TOLERANCE)
    assert found.report.approximated == {"Load": 1}
    assert any(said.startswith(f"Load home2: {called}") for said in found.report.messages)


def test_a_load_below_its_limit_stays_constant_power(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found, _ = imported(tmp_path, "edit load.home2 kw=90")  # below .95 pu the engine would make an impedance of it
    assert found.state.min_voltage_pu < 0.92
    rest = feeder_power(found)
    assert rest == pytest.approx(30 + 90 + 20 + found.state.loss_kw, rel=1e-9)
    assert any("below vminpu (up to 0.95 pu)" in said for said in found.report.messages)


def feeder_power(found: ImportedFeeder) -> float:
    """Power that leaves the source's bus. [kW]"""
    feeder = found.feeder
    result = solve_power_flow(feeder, feeder.p_kw[None], feeder.q_kvar[None])
    source = feeder.branches[-1]  # behind which nothing is lost that counts
    current = abs(complex(result.source_p_kw[0], result.source_q_kvar[0])) / 1.01 / 20 / 3**0.5
    return float(result.source_p_kw[0]) - 3e-3 * current**2 * source.r_ohm


def test_regulators_of_one_phase_each_are_one_transformer_at_their_mean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bank = [
        said.replace("taps=(1 1.03)", f"taps=(1 {1.01 + 0.02 * k})") for k, said in enumerate(EVEN["bank_of_three"])
    ]
    found, content = imported(tmp_path, *bank)
    whole, _ = imported(
        tmp_path, *EVEN["bank_of_three"]
    )  # the mean of 1.01, 1.03, 1.05 is 1.03, of their inverses nearly
    np.testing.assert_allclose(numbers(found), numbers(whole), rtol=5e-4)
    assert content["solution"]["max_voltage_pu"] > found.state.max_voltage_pu + 0.01
    assert any("one transformer in each phase, with ratios 1.9048 to 1.9802" in said for said in found.report.messages)


def test_taps_can_be_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found, _ = imported(tmp_path, *EVEN["tap_on_the_low_side"], tap="ignore")
    assert found.state == imported(tmp_path)[0].state


def test_every_class_of_the_circuit_is_in_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found, content = imported(
        tmp_path,
        "new storage.s bus1=spur kv=.4 kwrated=10 kwhrated=20 state=charging",
        "new generator.g bus1=spur kv=.4 kw=5",
        "new generator.v bus1=spur kv=.4 kw=5 model=3",
        "new pvsystem.p bus1=spur kv=.4 kva=10 pmpp=10",
        "new capacitor.k bus1=end kv=.4 kvar=9",
        "new regcontrol.r transformer=station winding=2 vreg=230 band=3 ptratio=1",
        "new capcontrol.c capacitor=k element=line.b type=voltage onsetting=200 offsetting=260 ptratio=1",
        "new invcontrol.i mode=voltwatt",
        "new monitor.m element=line.b mode=0",
        "new energymeter.e element=line.a",
        "new isource.i bus1=end amps=3",
        "new fuse.f monitoredobj=line.b",
        "new line.off bus1=spur bus2=away linecode=cable length=.1 units=km enabled=no",
        "new line.far bus1=far bus2=away linecode=cable length=.1 units=km",
        "new load.far bus1=away kv=.4 kw=7",
    )
    report = found.report
    parts = (report.taken, report.approximated, report.refused, report.not_in_service, report.not_supplied)
    counted = {name: [part[name] for part in parts] for part in parts for name in part}
    assert counted == {
        "Bus": [5, 0, 0, 0, 2],
        "Vsource": [1, 0, 0, 0, 0],
        "Transformer": [1, 0, 0, 0, 0],
        "Line": [3, 0, 0, 1, 1],
        "Load": [3, 0, 0, 0, 1],
        "Capacitor": [1, 0, 0, 0, 0],
        "Generator": [1, 0, 1, 0, 0],
        "PVSystem": [1, 0, 0, 0, 0],
        "RegControl": [0, 1, 0, 0, 0],
        "CapControl": [0, 1, 0, 0, 0],
        "Fuse": [0, 1, 0, 0, 0],
        **{name: [0, 0, 1, 0, 0] for name in ("Storage", "InvControl", "Monitor", "EnergyMeter", "Isource")},
    }
    assert {element["class"] for element in content["elements"]} | {"Bus"} == counted.keys()
    assert sum(sum(part.values()) for part in parts) == len(content["elements"]) + 7
    np.testing.assert_allclose(numbers(found), engine(content), rtol=TOLERANCE)
    assert "2 buses (far, away) are not fed by the source and left out, with 7 kW of load." in report.messages


REFUSED = {
    "new line.m bus1=end bus2=spur linecode=cable length=.1": (
        "the feeder has a loop: end - street - spur - end; open one edge of it, for a feeder is radial"
    ),
    "new vsource.two bus1=end basekv=.4": (
        "has two sources, Vsource source at bus grid and Vsource two at bus end; disable one of them"
    ),
    "disable load.home1\ndisable load.home2\nedit load.home3 kw=-5": (
        "has no enabled Load above 0 kW that the source feeds; a feeder needs customers"
    ),
    "edit transformer.station wdg=2 tap=0": (
        "Transformer station has a winding of 0 kV with its tap; give kv and tap above 0"
    ),
    "edit reactor.earth r=nan": "Reactor earth has a value that is no number; mend it",
    "edit load.home1 kw=nan": "Load home1 has no number for kw; give one",
}


@pytest.mark.parametrize("more", REFUSED)
def test_what_is_no_feeder_is_one_line(more: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError) as caught:
        imported(tmp_path, "new reactor.earth bus1=end.4 bus2=end.0 phases=1 r=1 x=0", more)
    assert str(caught.value) == REFUSED[more]


def test_lines_without_a_rating_have_the_engines_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found, _ = imported(
        tmp_path,
        "new line.d bus1=spur bus2=tail r1=.1 x1=.1",
        TAIL,
        "new line.e bus1=tail.1 bus2=one.1 phases=1 r1=.1 x1=.1 normamps=90",
        "new load.one bus1=one.1 phases=1 kv=.23 kw=1",
    )
    rated = dict(zip(found.feeder.line_names, found.feeder.line_rating_a, strict=True))
    assert (rated["main-street"], rated["spur-tail"], rated["tail-one"]) == pytest.approx((270, 400, 90 / 3))
    assert "1 lines have no normamps; they are rated 400 A, as OpenDSS takes them." in found.report.messages


def test_customers_are_counted_as_the_circuit_counts_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found, _ = imported(tmp_path, "edit load.home2 numcust=7", "new load.in bus1=end kv=.4 kw=-3")
    assert found.feeder.customers.tolist() == [0, 0, 1, 7, 1, 0]
    assert found.feeder.fixed is not None
    assert found.feeder.fixed.p_kw.tolist() == pytest.approx([0, 0, 0, -3, 0, 0])


def test_places_of_buses_come_along_wherever_the_file_gives_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "places.csv").write_text("Grid, 4.5, 50.25\nstreet, 4.625, 50.5\nend -1e10 3\nnowhere, 1, 2\n")
    text = circuit(bases=f'{BASES}buscoords "{tmp_path / "places.csv"}"\n')
    found = feeder_of_circuit(run_here(tmp_path, text))
    assert found.feeder.position is not None
    at = dict(zip(found.feeder.buses, found.feeder.position.tolist(), strict=True))
    assert (at["grid"], at["street"]) == ([4.5, 50.25], [4.625, 50.5])
    assert np.isnan([at["main"], at["spur"], at["end"], at["source of grid"]]).all()
    assert found.report.messages.count(
        "bus end: the place is no point with two numbers; a map puts the bus between its neighbours."
    ) == 1  # fmt: skip
    assert feeder_of_circuit(run_here(tmp_path, circuit(bases=BASES))).feeder.position is None


def test_a_switch_as_published_feeders_have_it_counts_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of 1e-7 ohm at 4.16 kV is below what a feeder's line may have, and no voltage tells."""
    monkeypatch.chdir(tmp_path)
    station = (
        "new transformer.mv buses=(grid mv) conns=(delta wye) kvs=(20 4.16) kvas=(900 900) xhl=6",
        "new line.sw bus1=mv bus2=behind switch=y r1=1e-4 r0=1e-4 x1=0 x0=0 c1=0 c0=0",
        "new load.mv bus1=behind kv=4.16 kw=300 kvar=60",
    )
    content = run_here(tmp_path, circuit(*station, bases="set voltagebases=[20 4.16 .4]\ncalcvoltagebases\n"))
    found = feeder_of_circuit(content)
    assert found.state.min_voltage_pu == pytest.approx(content["solution"]["min_voltage_pu"], abs=1e-8)
    assert any(
        message.startswith("Line sw: has hardly any impedance, so it has the least")
        for message in found.report.messages
    )
