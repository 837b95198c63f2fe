"""Loads, generators and shunts of a pandapower network, summed by bus: customers, and what belongs to none."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from meanwatt.model.network.pandapower_net.characteristics import entry, lacks_entry
from meanwatt.model.network.pandapower_net.net_json import Net, Row
from meanwatt.model.network.pandapower_net.report import Report
from meanwatt.model.network.pandapower_net.topology import Topology
from meanwatt.model.scenario.files import FileError

PHASES: Final = ("a", "b", "c")
UNEVEN: Final = "summed over its phases; the voltages of the phases differ, and are told only with --phases"
BETWEEN: Final = "lies between phases; its share of each is that of balanced voltages"
AHEAD: Final = complex(0.5, -1 / math.sqrt(12))
"""Share of a load between two phases that the leading one gives, at balanced voltages: V_a / (V_a − V_b)."""
Shares = tuple[complex, complex]
"""Of active and reactive power, as the parts of a complex number: at constant impedance, and at constant current."""
CONSTANT_POWER: Final[Shares] = (0j, 0j)
VARIES: Final = "varies with the voltage: as it does in the numbers here, but in a market customers draw constant power"


@dataclass(slots=True)
class BusLoad:
    """What one bus draws; complex powers in kW and kvar.

    Attributes
    ----------
    customers, drawn
        Rows of load that draw active power, and their sum at nominal voltage.
    drawn_current, drawn_shunt
        The part of that sum at constant current and at constant impedance.
    power, current, shunt
        What belongs to no customer: at constant power, current and impedance.
    on_phase, three_phase
        Customers of whom the file says that they are on one phase, by phase, and on several.
    drawn_by_phase, power_by_phase
        The part of ``drawn`` and of ``power`` that the file gives by phase.
    """

    customers: int = 0
    drawn: complex = 0j
    drawn_current: complex = 0j
    drawn_shunt: complex = 0j
    power: complex = 0j
    current: complex = 0j
    shunt: complex = 0j
    three_phase: int = 0
    on_phase: list[int] = field(default_factory=lambda: [0, 0, 0])
    drawn_by_phase: list[complex] = field(default_factory=lambda: [0j, 0j, 0j])
    power_by_phase: list[complex] = field(default_factory=lambda: [0j, 0j, 0j])


@dataclass(slots=True)
class Injections:
    """Loads of a network by the root of their bus, for the roots that are supplied."""

    net: Net
    topology: Topology
    report: Report
    supplied: set[int]
    by_phase: bool = False
    """Whether loads by phase are kept so, not only summed."""
    at: dict[int, BusLoad] = field(default_factory=dict)
    dropped_kw: float = 0.0
    """Load at buses that no source feeds. [kW]"""

    def __post_init__(self) -> None:
        """Read every table of loads."""
        readers: dict[str, Callable[[Row, BusLoad], None]] = {
            "load": self._load,
            "asymmetric_load": self._asymmetric_load,
            "sgen": self._sgen,
            "asymmetric_sgen": self._asymmetric_sgen,
            "motor": self._motor,
            "ward": self._ward,
            "shunt": self._shunt,
        }
        for table, reader in readers.items():
            for row, there in self._rows(table):
                reader(row, there)
        set_aside = 0.0
        for row, _ in self._rows("storage"):
            set_aside += _power(row).real
            self.report.refuse(row, "storage is set aside; households have batteries of their own")
        if set_aside:
            self.report.note(f"The storage set aside draws {set_aside:g} kW, which a power flow of pandapower counts.")

    def _rows(self, table: str) -> Iterator[tuple[Row, BusLoad]]:
        for row in self.net.rows(table):
            bus = self.topology.bus_of(row)
            if not row.flag("in_service") or bus not in self.topology.kv:
                self.report.not_in_service[table] += 1
            elif self.topology.root(bus) not in self.supplied:
                self.report.not_supplied[table] += 1
                if table == "load":
                    self.dropped_kw += _power(row).real
                elif table == "asymmetric_load":
                    self.dropped_kw += sum(_phases(row)).real
            else:
                yield row, self.at.setdefault(self.topology.root(bus), BusLoad())

    def _load(self, row: Row, there: BusLoad) -> None:
        total, at_current, at_shunt = _power(row), _share(row, "i"), _share(row, "z")
        for part in ("real", "imag"):
            if getattr(at_current, part) + getattr(at_shunt, part) > 1 + 1e-9:
                raise FileError(f"{row} has const_z and const_i of more than 100 % together; give at most 100 %")
        current = complex(total.real * at_current.real, total.imag * at_current.imag)
        shunt = complex(total.real * at_shunt.real, total.imag * at_shunt.imag)
        if total.real > 0:
            there.customers += 1
            there.drawn += total
            there.drawn_current += current
            there.drawn_shunt += shunt
        else:
            there.power += total - current - shunt
            there.current += current
            there.shunt += shunt
        if total.real > 0 and (current or shunt):
            self.report.approximate(row, VARIES)
        else:
            self.report.take(row)

    def _asymmetric_load(self, row: Row, there: BusLoad) -> None:
        phases = _phases(row)
        total = sum(phases)
        if total.real > 0:
            there.customers += 1
            there.drawn += total
            _add(there.drawn_by_phase, phases)
            drawn = [place for place, part in enumerate(phases) if part != 0]
            if len(drawn) == 1:
                there.on_phase[drawn[0]] += 1
            else:
                there.three_phase += 1
        else:
            there.power += total
            _add(there.power_by_phase, phases)
        self._say_phases(row)

    def _sgen(self, row: Row, there: BusLoad) -> None:
        there.power -= _power(row)
        self.report.take(row)

    def _asymmetric_sgen(self, row: Row, there: BusLoad) -> None:
        phases = [-part for part in _phases(row)]
        there.power += sum(phases)
        _add(there.power_by_phase, phases)
        self._say_phases(row)

    def _say_phases(self, row: Row) -> None:
        if not self.by_phase:
            self.report.approximate(row, UNEVEN)
        elif row.word("type") == "delta":
            self.report.approximate(row, BETWEEN)
        else:
            self.report.take(row)

    def _motor(self, row: Row, there: BusLoad) -> None:
        drawn = row.number("pn_mech_mw") / row.positive("efficiency_percent", 100.0) * 1e5
        p_kw = drawn * row.number("loading_percent", 100.0) / 100 * row.number("scaling", 1.0)
        cos_phi = row.positive("cos_phi")
        if cos_phi > 1:
            raise FileError(f"{row} has cos_phi {cos_phi:g}; give a number in (0, 1]")
        there.power += complex(p_kw, p_kw * (1 / cos_phi**2 - 1) ** 0.5)
        self.report.take(row)

    def _ward(self, row: Row, there: BusLoad) -> None:
        there.power += 1e3 * complex(row.number("ps_mw"), row.number("qs_mvar"))
        there.shunt += 1e3 * complex(row.number("pz_mw"), row.number("qz_mvar"))
        self.report.take(row)

    def _shunt(self, row: Row, there: BusLoad) -> None:
        kv = self.topology.kv[row.whole("bus")]
        tabled, lacking = entry(self.net, row), lacks_entry(self.net, row)
        power = complex((tabled or row).number("p_mw"), (tabled or row).number("q_mvar"))
        steps = 1.0 if tabled else row.number("step", 1.0)
        there.shunt += 1e3 * steps * (kv / row.positive("vn_kv", kv)) ** 2 * power
        if lacking:
            self.report.approximate(row, lacking)
        else:
            self.report.take(row)


def _power(row: Row) -> complex:
    """Power of a row at nominal voltage, scaled. [kW, kvar]"""
    return 1e3 * row.number("scaling", 1.0) * complex(row.number("p_mw"), row.number("q_mvar", 0.0))


def _phases(row: Row) -> list[complex]:
    """Power that a row draws from every phase, scaled; of a delta at balanced voltages. [kW, kvar]"""
    scale = 1e3 * row.number("scaling", 1.0)
    parts = [scale * complex(row.number(f"p_{phase}_mw", 0.0), row.number(f"q_{phase}_mvar", 0.0)) for phase in PHASES]
    if row.word("type") == "delta":  # part k lies between phase k and the next
        return [part * AHEAD + parts[place - 1] * AHEAD.conjugate() for place, part in enumerate(parts)]
    return parts


def _add(sums: list[complex], parts: list[complex]) -> None:
    for place, part in enumerate(parts):
        sums[place] += part


def load_shares(row: Row) -> Shares:
    """How the power of a load varies with the voltage: its shares at constant impedance, and at constant current."""
    return _share(row, "z"), _share(row, "i")


def _share(row: Row, form: str) -> complex:
    """Share of active and reactive power at constant impedance (z) or current (i), in the names of 3.x or of 2.x."""
    both = row.number(f"const_{form}_percent", 0.0)
    p, q = (row.number(f"const_{form}_{part}_percent", both) / 100 for part in "pq")
    if not (0 <= p <= 1 and 0 <= q <= 1):
        raise FileError(f"{row} has a const_{form} percentage outside [0, 100]; give one within")
    return complex(p, q)
