"""A feeder in a file of its own, TOML or JSON: what ``feeder.file`` of a scenario names."""

import hashlib
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from meanwatt.model.scenario.file_errors import one_line
from meanwatt.model.scenario.files import FileError, parse_toml, read_text, require_shallow
from meanwatt.model.scenario.marks import AddedLater
from meanwatt.model.scenario.one_line import OneLineError
from meanwatt.model.scenario.ranges import Range
from meanwatt.model.scenario.tariff_file import Row, Table
from meanwatt.model.scenario.toml_text import toml_rows, toml_text

KIND: Final = "feeder"
"""Value of the key ``kind`` that begins such a file."""
WANTED: Final = "a feeder file, as `meanwatt import feeder` writes it"
MOST_BUSES: Final = 20_000
"""Most buses, and most lines, of a feeder."""
MOST_BYTES: Final = 16 * 2**20
"""Largest file that is read. [bytes]"""

KILOVOLT: Final = Range(0.01, 2000, "kV")
"""A nominal voltage."""
SOURCE: Final = Range(0.1, 2, "pu")
"""The voltage that the source holds."""
CUSTOMERS: Final = Range(0, 10_000_000, whole=True)
"""Customers of a bus."""
DRAWN: Final = Range(0, 1e9)
"""A power that is drawn or lost, in kW or kvar."""
FED_OR_DRAWN: Final = Range(-1e9, 1e9)
"""A power in either direction, in kW or kvar."""
OHM: Final = Range(0, 1e9, "ohm")
"""Part of a line's impedance."""
CHARGING: Final = Range(0, 1e9, "µS")
"""Susceptance of a line."""
AMPERE: Final = Range(1e-6, 1e12, "A")
"""A rated current."""
RATED: Final = Range(1e-3, 1e9, "kVA")
"""Rated power of a transformer."""
SHORT_CIRCUIT: Final = Range(1e-6, 0.999)
"""A short-circuit voltage, a fraction."""
NO_LOAD: Final = Range(0, 0.999)
"""A no-load current, a fraction."""
TURNS: Final = Range(1e-3, 1000)
"""A ratio over the nominal one."""
PLACE: Final = Range(-1e9, 1e9)
"""A coordinate of a bus."""
ANY: Final = Range(-1e12, 1e12)
"""Part of a two-port, in ohm or µS."""


class FeederError(OneLineError):
    """A feeder file that cannot be used, in one line."""


def _rows(value: object) -> object:
    """Check the number of rows of a list of tables."""
    if isinstance(value, list | tuple) and len(value) > MOST_BUSES:
        raise ValueError(f"has {len(value)} entries; give at most {MOST_BUSES}")
    return tuple(value) if isinstance(value, list) else value


Rows = BeforeValidator(_rows)
"""A list of tables, of bounded length."""


def _three(value: tuple[float, ...] | None) -> tuple[float, ...] | None:
    """Check that there is one entry a phase."""
    if value is not None and len(value) != 3:
        raise ValueError(f"has {len(value)} entries; give three, of phases a, b and c")
    return value


ByPhase = AfterValidator(_three)
"""One entry for each of the phases a, b and c."""


class BusTable(Table):
    """One of the buses."""

    name: str = Field(min_length=1, max_length=200)
    """Its name, there once."""
    nominal_kv: Annotated[float, KILOVOLT]
    """Nominal line-to-line voltage. [kV]"""
    customers: Annotated[int | None, CUSTOMERS] = None
    """Metered customers; without it, as many as make its load at the scenario's peak per household."""
    p_kw: Annotated[float, DRAWN] = 0.0
    """Peak of the customers. [kW]"""
    q_kvar: Annotated[float | None, DRAWN] = None
    """Reactive power at that peak; power factor .95 without it. [kvar]"""
    fixed_kw: Annotated[float, FED_OR_DRAWN] = 0.0
    """Constant load of no customer, negative if it feeds in. [kW]"""
    fixed_kvar: Annotated[float, FED_OR_DRAWN] = 0.0
    """Its reactive power. [kvar]"""
    current_kw: Annotated[float, FED_OR_DRAWN] = 0.0
    """The same at constant current, at nominal voltage. [kW]"""
    current_kvar: Annotated[float, FED_OR_DRAWN] = 0.0
    """Its reactive power. [kvar]"""
    shunt_kw: Annotated[float, FED_OR_DRAWN] = 0.0
    """The same at constant impedance, at nominal voltage. [kW]"""
    shunt_kvar: Annotated[float, FED_OR_DRAWN] = 0.0
    """Its reactive power; negative for a capacitor. [kvar]"""
    phase_customers: Annotated[Row | None, CUSTOMERS, ByPhase, AddedLater()] = None
    """Customers known to be on one phase, of phases a, b and c; the others are drawn. Needs ``customers``."""
    three_phase_customers: Annotated[int, CUSTOMERS, AddedLater()] = 0
    """Customers known to be on all three phases. Needs ``customers``."""
    phase_fixed_kw: Annotated[Row | None, FED_OR_DRAWN, ByPhase, AddedLater()] = None
    """The part of ``fixed_kw`` that is known by phase. [kW]"""
    phase_fixed_kvar: Annotated[Row | None, FED_OR_DRAWN, ByPhase, AddedLater()] = None
    """The part of ``fixed_kvar`` that is known by phase. [kvar]"""
    x: Annotated[float | None, PLACE, AddedLater()] = None
    """Where it stands on a map: its longitude in degrees, or x of any plane. Goes with ``y``."""
    y: Annotated[float | None, PLACE, AddedLater()] = None
    """Its latitude in degrees, or y of that plane."""

    @model_validator(mode="after")
    def _whole_place(self) -> Self:
        if (self.x is None) != (self.y is None):
            raise ValueError(f"bus '{self.name[:40]}' has only one of x and y; give both, or neither")
        return self


class EdgeTable(Table):
    """What lies between two buses."""

    from_bus: str
    """Name of one bus."""
    to_bus: str
    """Name of the other."""


class LineTable(EdgeTable):
    """One of the lines."""

    r_ohm: Annotated[float, OHM]
    """Resistance. [ohm]"""
    x_ohm: Annotated[float, OHM]
    """Reactance. [ohm]"""
    b_us: Annotated[float, CHARGING] = 0.0
    """Charging susceptance of the whole line. [µS]"""
    rating_a: Annotated[float | None, AMPERE] = None
    """Current it may carry for long; unknown without it. [A]"""
    r0_ohm: Annotated[float | None, OHM, AddedLater()] = None
    """Zero-sequence resistance, the way back included; by the scenario's ``feeder.r0_per_r1`` without it. [ohm]"""
    x0_ohm: Annotated[float | None, OHM, AddedLater()] = None
    """Zero-sequence reactance; by ``feeder.x0_per_x1`` without it. [ohm]"""
    b0_us: Annotated[float | None, CHARGING, AddedLater()] = None
    """Zero-sequence charging; that of the positive sequence without it. [µS]"""


class TransformerTable(EdgeTable):
    """One of the transformers."""

    kva: Annotated[float, RATED]
    """Rated power. [kVA]"""
    uk: Annotated[float, SHORT_CIRCUIT]
    """Short-circuit voltage, a fraction: .04 for 4 %."""
    pk_kw: Annotated[float, DRAWN]
    """Copper losses at rated current. [kW]"""
    turns: Annotated[float, TURNS] = 1.0
    """Ratio at ``from_bus``, the side of the source, over the nominal one."""
    p0_kw: Annotated[float, DRAWN] = 0.0
    """Iron losses. [kW]"""
    i0: Annotated[float, NO_LOAD] = 0.0
    """No-load current, a fraction of the rated one."""
    vector_group: Annotated[str | None, AddedLater()] = None
    """Windings at ``from_bus`` and ``to_bus`` and clock, as in IEC 60076-1; Dyn11 without it."""
    r0_ohm: Annotated[float | None, ANY, AddedLater()] = None
    """Zero-sequence resistance from ``to_bus`` to ground, or through a YNyn; the positive one without it. [ohm]"""
    x0_ohm: Annotated[float | None, ANY, AddedLater()] = None
    """Zero-sequence reactance likewise. [ohm]"""


class BranchTable(EdgeTable):
    """One of the branches: any two-port, as of a transformer's T model."""

    kind: Literal["line", "transformer", "impedance"]
    """What it stands for."""
    r_ohm: Annotated[float, ANY]
    """Series resistance, seen from ``to_bus``. [ohm]"""
    x_ohm: Annotated[float, ANY]
    """Series reactance, seen from ``to_bus``. [ohm]"""
    turns: Annotated[float, TURNS] = 1.0
    """Ratio of an ideal transformer at ``from_bus``, over that of the nominal voltages."""
    g_from_us: Annotated[float, ANY] = 0.0
    """Conductance to ground at ``from_bus``. [µS]"""
    b_from_us: Annotated[float, ANY] = 0.0
    """Susceptance to ground at ``from_bus``. [µS]"""
    g_to_us: Annotated[float, ANY] = 0.0
    """Conductance to ground at ``to_bus``. [µS]"""
    b_to_us: Annotated[float, ANY] = 0.0
    """Susceptance to ground at ``to_bus``. [µS]"""
    rating_from_a: Annotated[float | None, AMPERE] = None
    """Current at ``from_bus`` that it may carry for long; unknown without it. [A]"""
    rating_to_a: Annotated[float | None, AMPERE] = None
    """Current at ``to_bus`` that it may carry for long; unknown without it. [A]"""
    vector_group: Annotated[str | None, AddedLater()] = None
    """Of a transformer: windings at ``from_bus`` and ``to_bus`` and clock; Dyn11 without it."""
    r0_ohm: Annotated[float | None, ANY, AddedLater()] = None
    """Zero-sequence resistance seen from ``to_bus``; of a Dyn or Yzn from there to ground. [ohm]"""
    x0_ohm: Annotated[float | None, ANY, AddedLater()] = None
    """Zero-sequence reactance likewise. [ohm]"""
    g0_from_us: Annotated[float, ANY, AddedLater()] = 0.0
    """Zero-sequence conductance to ground at ``from_bus``; counts with ``r0_ohm`` and ``x0_ohm``. [µS]"""
    b0_from_us: Annotated[float, ANY, AddedLater()] = 0.0
    """Zero-sequence susceptance there. [µS]"""
    g0_to_us: Annotated[float, ANY, AddedLater()] = 0.0
    """Zero-sequence conductance to ground at ``to_bus``. [µS]"""
    b0_to_us: Annotated[float, ANY, AddedLater()] = 0.0
    """Zero-sequence susceptance there. [µS]"""


class FeederFile(Table):
    """A feeder file. Lines, transformers and branches join the buses into one tree; parallel ones are allowed."""

    kind: Literal["feeder"]
    """Always ``feeder``."""
    name: str = Field(default="feeder", min_length=1, max_length=200)
    """What to call it."""
    source: str
    """Name of the bus that the grid above feeds."""
    source_voltage_pu: Annotated[float, SOURCE] = 1.0
    """Voltage held there. [pu]"""
    buses: Annotated[tuple[BusTable, ...], Rows] = Field(min_length=1)
    """All buses."""
    lines: Annotated[tuple[LineTable, ...], Rows] = ()
    """Cables and overhead lines."""
    transformers: Annotated[tuple[TransformerTable, ...], Rows] = ()
    """Transformers by their nameplate."""
    branches: Annotated[tuple[BranchTable, ...], Rows] = ()
    """Any other two-port."""


def read_feeder_file(path: str | Path) -> tuple[FeederFile, str]:
    """Read a feeder file.

    Returns
    -------
    FeederFile, str
        What it says, and the SHA-256 of its text.

    Raises
    ------
    FeederError
        In one line that names the file, the key, the value and what is allowed. Whether the buses make a tree is
        checked when the feeder is built.
    """
    file = Path(path)
    try:
        text = read_text(file, WANTED, MOST_BYTES)
        content = _json(text) if file.suffix.lower() == ".json" else _toml(text)
        if not isinstance(content, dict) or content.get("kind") != KIND:
            more = "; turn it into one with `meanwatt import feeder`" if _is_net(content) else ""
            raise FileError(f'holds no kind = "{KIND}", which begins a feeder file{more}')
        table = FeederFile.model_validate(content)
    except ValidationError as error:
        raise FeederError(f"feeder {path}: {one_line(error, FeederFile)}") from None
    except ValueError as error:
        raise FeederError(f"feeder {path}: {error}") from None
    return table, hashlib.sha256(text.encode()).hexdigest()


def write_feeder_file(path: Path, table: FeederFile) -> None:
    """Write a feeder file as JSON or TOML, by the ending of its name; what has its default is left out."""
    content = table.model_dump(exclude_defaults=True)
    if path.suffix.lower() == ".json":
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    else:
        head = {key: value for key, value in content.items() if not isinstance(value, Sequence) or value == str(value)}
        rows = [(key, value) for key, value in content.items() if key not in head]
        text = toml_text(head) + "".join("\n" + toml_rows(key, value) for key, value in rows)
    path.write_text(text, encoding="utf-8")


def _json(text: str) -> Any:
    try:
        content = json.loads(text)
    except RecursionError:
        raise FileError("has lists or objects inside one another too deep; give a flatter one") from None
    except json.JSONDecodeError as error:
        raise FileError(f"not valid JSON: {error.msg} in line {error.lineno}, column {error.colno}") from None
    except ValueError as error:  # Python reads no whole number of more than some thousand digits
        raise FileError(f"not valid JSON: {str(error).partition(';')[0]}") from None
    if not _is_net(content):
        require_shallow(content)
    return content


def _toml(text: str) -> Any:
    try:
        return parse_toml(text)
    except tomllib.TOMLDecodeError as error:
        raise FileError(f"not valid TOML: {' '.join(str(error).split())}") from None


def _is_net(content: Any) -> bool:
    return isinstance(content, dict) and "_object" in content
