"""``meanwatt import``: a file of somebody else's kind as one of ours, and back."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from meanwatt.analysis.cli.import_households import HouseholdOptions, import_households
from meanwatt.analysis.cli.import_tariff import TariffOptions, import_tariff
from meanwatt.analysis.cli.options import Json, Out
from meanwatt.model.scenario.nearest import unknown

if TYPE_CHECKING:
    from meanwatt.model.network.pandapower_net.by_phase import PhaseState
    from meanwatt.model.network.pandapower_net.importer import ImportedFeeder
    from meanwatt.model.network.pandapower_net.report import Report

KINDS: Final = ("tariff", "feeder", "households")
"""What can be imported."""
ENDINGS: Final = (".toml", ".json")
"""Endings of the files that are written."""
CIRCUIT: Final = ".dss"
"""Ending of a circuit of OpenDSS."""
TAP_RULES: Final = ("file", "apply", "ignore")
"""Which tap positions of transformers count."""


def import_(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="What it is: tariff, feeder or households.", show_default=False)
    ],
    file: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="A tariff as filed: a JSON record of OpenEI's Utility Rate Database, or our TOML file. A feeder: a"
            " network that pandapower 2 or 3 saved as JSON, or a circuit of OpenDSS (.dss). Households: one or more CSV"
            " or Parquet files of meters.",
            show_default=False,
        ),
    ],
    *,
    to: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="File to write; a name that ends in .toml or .json says the kind. Of households a scenario, .toml.",
            show_default=False,
        ),
    ],
    tap: Annotated[
        str | None,
        typer.Option(
            metavar="RULE",
            help="Of a feeder: which tap positions of transformers count: file (as pandapower counts them), apply (all)"
            " or ignore (none); file without it.",
            show_default=False,
        ),
    ] = None,
    phases: Annotated[
        bool,
        typer.Option(
            "--phases",
            help="Of a feeder: keep what the file says by phase (asymmetric loads, zero sequences, vector groups), and"
            " solve its loads by phase, too.",
        ),
    ] = False,
    allow_code: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Run the circuit of OpenDSS, which is a program, if it lies in this directory or below.",
            show_default=False,
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE.toml",
            help="Of households: how the files are laid out: london, ausgrid, pecan, resstock, cer, or a file with a"
            " table \\[format].",
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(metavar="END", help="Of households: start or end, what stamps name, in place of the format's."),
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option(metavar="ZONE", help="Of households: time zone they live in, in place of the format's."),
    ] = None,
    homes: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Of households: a second file, with income and solar, a row for each home."),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="SCENARIO", help="Of households: what meters do not tell is as in this scenario (textbook)."
        ),
    ] = None,
    readings: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.parquet", help="Of households: write the readings, too, as bill and impacts read them."
        ),
    ] = None,
    scenario: Annotated[
        str | None,
        typer.Option(
            metavar="SCENARIO",
            help="Of a tariff: write a tariff of this scenario, for solve, simulate and the others: the rates by day"
            " type and hour that its households can decide by; what these leave out is told.",
        ),
    ] = None,
    territory: Annotated[
        str | None, typer.Option(metavar="NAME", help="With --scenario: territory, for a tariff with a baseline.")
    ] = None,
    discount: Annotated[
        str | None, typer.Option(metavar="NAME", help="With --scenario: one of the tariff's discounts.")
    ] = None,
    export: Annotated[
        str | None, typer.Option(metavar="NAME", help="With --scenario: one of the tariff's terms of feeding in.")
    ] = None,
    metering: Annotated[
        str | None,
        typer.Option(metavar="RULE", help="With --scenario: how feeding in is metered, as of meanwatt bill."),
    ] = None,
    out: Out = None,
    json: Json = False,
) -> int:
    """Turn a file of another program's kind into one of ours; what is lost on the way is told."""
    if kind not in KINDS:
        raise ValueError(unknown("kind", kind, KINDS))
    terms = TariffOptions(scenario=scenario, territory=territory, discount=discount, export=export, metering=metering)
    if kind != "tariff" and terms.given():
        raise ValueError(f"--{next(iter(terms.given()))} is for import tariff; leave it out")
    own = HouseholdOptions(format=format, label=label, zone=zone, homes=homes, base=base, readings=readings, out=out)
    if kind == "households":
        _require_no_feeder_options(tap, allow_code, phases=phases)
        return import_households(file, to, own, json=json)
    if own.given():
        raise ValueError(f"{own.given()[0]} is for import households; leave it out")
    if len(file) > 1:
        raise ValueError(f"FILE: {len(file)} files are given; give one {kind} at a time")
    if kind == "tariff":
        _require_no_feeder_options(tap, allow_code, phases=phases)
        return _tariff(file[0], to, terms, json=json)
    return _one_feeder(file[0], to, tap, allow_code, phases=phases, json=json)


def _target(to: str) -> Path:
    """The file to write, checked."""
    from meanwatt.analysis.output.result_files import require_free_file

    target = Path(to)
    if target.suffix.lower() not in ENDINGS:
        raise ValueError(f"--to is {to!r}; give a file name that ends in .toml or .json")
    require_free_file("--to", target)
    return target


def _require_no_feeder_options(tap: str | None, allow_code: str | None, *, phases: bool) -> None:
    """Refuse options that only a feeder has."""
    if tap is not None:
        raise ValueError(f"--tap is {tap!r}, which only import feeder takes; leave it out")
    if phases:
        raise ValueError("--phases is given, which only import feeder takes; leave it out")
    if allow_code is not None:
        raise ValueError(f"--allow-code is {allow_code!r}, which only a feeder from a .dss file takes; leave it out")


def _tariff(file: str, to: str, terms: TariffOptions, *, json: bool) -> int:
    """Import a tariff; return the exit status."""
    from meanwatt.analysis.cli.show import print_json

    target = _target(to)
    said = import_tariff(file, target, terms, json=json)
    if json:
        print_json(
            {"file": str(target), **said, "settings": {"kind": "tariff", "file": file, "to": to, **terms.given()}}
        )
    return 0


def _one_feeder(file: str, to: str, tap: str | None, allow_code: str | None, *, phases: bool, json: bool) -> int:
    """Import a feeder; return the exit status."""
    from meanwatt.analysis.cli.show import print_json

    if tap is not None and tap not in TAP_RULES:
        raise ValueError(f"--tap is {tap!r}; give file, apply or ignore")
    is_circuit = Path(file).suffix.lower() == CIRCUIT
    if phases and is_circuit:
        raise ValueError("--phases is given, but a .dss file is read as its even equivalent alone; leave it out")
    if allow_code is not None and not is_circuit:
        raise ValueError(f"--allow-code is {allow_code!r}, which only a feeder from a .dss file takes; leave it out")
    target = _target(to)
    said = _feeder(file, target, tap or "file", allow_code, phases=phases, json=json)
    if json:
        settings: dict[str, Any] = {"kind": "feeder", "file": file, "to": to, "tap": tap or "file"}
        settings |= {"phases": True} if phases else {}
        settings |= {"allow_code": allow_code} if is_circuit else {}
        print_json({"file": str(target), **said, "settings": settings})
    return 0


def _feeder(file: str, target: Path, tap: str, allow_code: str | None, *, phases: bool, json: bool) -> dict[str, Any]:
    """Import a feeder; what to say of it as JSON."""
    from pydantic import ValidationError

    from meanwatt.analysis.cli.show import say, say_notes
    from meanwatt.analysis.output.result_files import staged_file
    from meanwatt.model.network.feeder_file import table_of_feeder
    from meanwatt.model.network.opendss_circuit.importer import import_opendss
    from meanwatt.model.network.pandapower_net.importer import import_pandapower
    from meanwatt.model.network.pandapower_net.transformers import TapRule
    from meanwatt.model.scenario.feeder_file import FeederError, FeederFile, write_feeder_file
    from meanwatt.model.scenario.file_errors import one_line

    try:
        if Path(file).suffix.lower() == CIRCUIT:
            found = import_opendss(Path(file), allow_code, TapRule(tap))
        else:
            found = import_pandapower(Path(file), TapRule(tap), phases=phases)
        table = table_of_feeder(found.feeder)
    except ValidationError as error:  # more than a feeder file may hold
        raise FeederError(f"feeder {file}: {one_line(error, FeederFile)}") from None
    except ValueError as error:
        raise FeederError(f"feeder {file}: {error}") from None
    with staged_file(target) as stage:
        write_feeder_file(stage, table)
    if not json:
        say(_summary(target, found))
        if found.by_phase is not None:
            say(_by_phase(found.by_phase))
        _say_report(found.report)
        say_notes(found.report.messages)
    state, report = found.state, found.report
    loading = state.max_transformer_loading
    return {
        "title": found.feeder.name,
        "buses": found.buses,
        "customers": int(found.feeder.customers.sum()),
        "min_voltage_pu": state.min_voltage_pu,
        "max_voltage_pu": state.max_voltage_pu,
        "loss_kw": state.loss_kw,
        "max_transformer_loading_percent": None if loading is None else 100 * loading,
        "max_line_loading_percent": None if state.max_line_loading is None else 100 * state.max_line_loading,
        "taken": dict(report.taken),
        "approximated": dict(report.approximated),
        "refused": dict(report.refused),
        "not_in_service": dict(report.not_in_service),
        "not_supplied": dict(report.not_supplied),
        "messages": report.messages,
        "by_phase": None if found.by_phase is None else asdict(found.by_phase),
    } | ({} if found.engine is None else {"opendss": found.engine})


def _by_phase(state: "PhaseState") -> str:
    """One line: the state by phase at the loads of the file."""
    loading = state.max_transformer_loading
    carried = "" if loading is None else f", transformer's most loaded phase at {100 * loading:.1f} %"
    return (
        f"By phase {state.min_phase_voltage_pu:.4f} to {state.max_phase_voltage_pu:.4f} pu, unbalance at most"
        f" {state.max_unbalance_percent:.3f} %, losses {state.loss_kw:.4g} kW{carried}"
    )


def _summary(target: Path, found: "ImportedFeeder") -> str:
    """One line: what was written, and its state at the loads of the file."""
    state, feeder = found.state, found.feeder
    loading = state.max_transformer_loading
    carried = "" if loading is None else f", transformer at {100 * loading:.1f} %"
    if state.max_line_loading is not None:
        carried += f", line at {100 * state.max_line_loading:.1f} %"
    return (
        f"{target}: {found.buses} buses, {int(feeder.customers.sum())} customers with {feeder.p_kw.sum():.5g} kW;"
        f" at the loads of the file {state.min_voltage_pu:.4f} to {state.max_voltage_pu:.4f} pu, losses"
        f" {state.loss_kw:.4g} kW{carried}"
    )


def _say_report(report: "Report") -> None:
    """A table of what became of the rows of the file, by table."""
    from meanwatt.analysis.cli.show import table

    parts = (report.taken, report.approximated, report.refused, report.not_in_service, report.not_supplied)
    names = list(dict.fromkeys(name for part in parts for name in part))
    heads = ("rows of", "taken", "approximated", "refused", "out of service", "not supplied")
    table("", heads, [(name, *(str(part[name]) if part[name] else "–" for part in parts)) for name in names])
