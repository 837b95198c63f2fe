"""Networks written by hand as pandapower saves them, and a plain power flow to hold against their import."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Tables = dict[str, list[dict[str, Any]]]


def village() -> Tables:
    """A transformer and three buses at 400 V in a row, the middle one with a spur."""
    return {
        "bus": [{"name": None, "vn_kv": kv, "in_service": True} for kv in (20.0, 0.4, 0.4, 0.4, 0.4)],
        "ext_grid": [{"bus": 0, "vm_pu": 1.01, "in_service": True, "s_sc_max_mva": 80.0}],
        "trafo": [
            {
                "hv_bus": 0, "lv_bus": 1, "sn_mva": 0.25, "vn_hv_kv": 20.0, "vn_lv_kv": 0.4, "vk_percent": 6.0,
                "vkr_percent": 1.44, "pfe_kw": 0.8, "i0_percent": 1.2, "shift_degree": 150.0, "tap_side": "hv",
                "tap_neutral": 0, "tap_step_percent": 2.5, "tap_step_degree": None, "tap_pos": 0,
                "tap_changer_type": "Ratio", "parallel": 1, "df": 1.0, "in_service": True,
            }
        ],
        "line": [line(1, 2, 0.2), line(2, 3, 0.3), line(2, 4, 0.25)],
        "load": [load(2, 0.03), load(3, 0.05), load(4, 0.02)],
    }  # fmt: skip


def line(a: int, b: int, km: float, **values: Any) -> dict[str, Any]:
    """A row of ``line``."""
    row = {
        "from_bus": a, "to_bus": b, "length_km": km, "r_ohm_per_km": 0.208, "x_ohm_per_km": 0.08,
        "c_nf_per_km": 40_000.0, "g_us_per_km": 0.0, "max_i_ka": 0.27, "df": 1.0, "parallel": 1, "in_service": True,
    }  # fmt: skip
    return {**row, **values}


def load(bus: int, p_mw: float, **values: Any) -> dict[str, Any]:
    """A row of ``load``."""
    row = {"name": None, "bus": bus, "p_mw": p_mw, "q_mvar": 0.3 * p_mw, "scaling": 1.0, "in_service": True}
    return {**row, **values}


def saved(tables: Mapping[str, Sequence[Mapping[str, Any]]], **entries: Any) -> str:
    """The text of a file: tables as texts in the layout "split", in an object of pandapower's."""
    content: dict[str, Any] = {"f_hz": 50.0, "sn_mva": 1.0, "name": "", "version": "3.5.6", "format_version": "3.3.0"}
    for name, rows in tables.items():
        columns = list(dict.fromkeys(key for row in rows for key in row))
        split = {
            "columns": columns,
            "index": list(range(len(rows))),
            "data": [[row.get(key) for key in columns] for row in rows],
        }
        frame = {"_module": "pandas.core.frame", "_class": "DataFrame", "orient": "split"}
        content[name] = frame | {"_object": json.dumps(split)}
    content |= entries
    return json.dumps({"_module": "pandapower.auxiliary", "_class": "pandapowerNet", "_object": content})


def save(folder: Path, tables: Mapping[str, Sequence[Mapping[str, Any]]], **entries: Any) -> Path:
    """Write such a file."""
    file = folder / "net.json"
    file.write_text(saved(tables, **entries), encoding="utf-8")
    return file


@dataclass
class PlainGrid:
    """A grid in volts, siemens and watts, every transformer with the inner point of its T model as a bus."""

    kv: list[float]
    source_pu: float = 1.01
    branches: list[tuple[str, int, int, complex, complex, float]] = field(default_factory=list)
    power: dict[int, complex] = field(default_factory=dict)
    current: dict[int, complex] = field(default_factory=dict)
    shunt: dict[int, complex] = field(default_factory=dict)
    inner: set[int] = field(default_factory=set)
    rated: list[tuple[int, int, float, int]] = field(default_factory=list)

    def branch(self, kind: str, a: int, b: int, z: complex, y: complex = 0j, ratio: float = 1.0) -> int:
        """Ideal transformer at a, then z, half of y at either end of it."""
        self.branches.append((kind, a, b, z, y, ratio))
        return len(self.branches) - 1

    def line(self, a: int, b: int, km: float, *, y_per_km: complex = 2j * np.pi * 50 * 40e-6, times: int = 1) -> None:
        """A line as `line` writes it."""
        self.branch("line", a, b, (0.208 + 0.08j) * km / times, y_per_km * km * times)

    def bus(self, kv: float, *, inner: bool = False) -> int:
        """One more bus."""
        self.kv.append(kv)
        if inner:
            self.inner.add(len(self.kv) - 1)
        return len(self.kv) - 1

    def transformer(
        self, a: int, b: int, hv: float = 20.0, lv: float = 0.4, *, mva: float = 0.25, times: int = 1, df: float = 1.0
    ) -> None:
        """The transformer of `village` with these tapped voltages: leakage halved about an inner bus with the iron."""
        z_abs, r = 0.06 / mva * lv**2, 0.0144 / mva * lv**2
        z = (r + 1j * np.sqrt(z_abs**2 - r**2)) / times
        no_load, iron = 0.012 * mva, 0.8e-3
        y = (iron - 1j * np.sqrt(no_load**2 - iron**2)) / lv**2 * times
        middle = self.bus(self.kv[b], inner=True)
        first = self.branch("trafo", a, middle, z / 2, ratio=hv / lv)
        self.branch("iron", middle, middle, 1.0, y)
        second = self.branch("trafo", middle, b, z / 2)
        rated = 1e6 * mva * times * df / np.sqrt(3)
        self.rated += [(first, 0, rated / 20e3, a), (second, 1, rated / 400.0, b)]

    def draw(self, bus: int, mva: complex, **shares: float) -> None:
        """A load, of which shares are at constant current and impedance."""
        z, i = shares.get("z", 0.0), shares.get("i", 0.0)
        for there, share in ((self.power, 1 - z - i), (self.current, i), (self.shunt, z)):
            there[bus] = there.get(bus, 0j) + share * mva * 1e6

    def solve(self) -> tuple[float, float, float, float]:
        """Lowest and highest voltage [pu], losses of lines and transformers [kW], highest loading of a transformer."""
        n = len(self.kv)
        volt = np.array(self.kv) * 1e3
        admittance = np.zeros((n, n), dtype=complex)
        for kind, a, b, z, y, ratio in self.branches:
            if kind == "iron":
                admittance[a, a] += y
                continue
            admittance[a, a] += (1 / z + y / 2) / ratio**2
            admittance[b, b] += 1 / z + y / 2
            admittance[a, b] -= 1 / z / ratio
            admittance[b, a] -= 1 / z / ratio
        for bus, power in self.shunt.items():
            admittance[bus, bus] += np.conj(power) / volt[bus] ** 2
        used = [bus for bus in range(1, n) if abs(admittance[bus]).sum() > 0]
        u = volt * self.source_pu + 0j
        inverse = np.linalg.inv(admittance[np.ix_(used, used)])
        for _ in range(200):
            into = np.zeros(n, dtype=complex)
            for bus, power in self.power.items():
                into[bus] -= np.conj(power / u[bus])
            for bus, power in self.current.items():
                into[bus] -= np.conj(power * abs(u[bus]) / volt[bus] / u[bus])
            u[used] = inverse @ (into - admittance[:, 0] * u[0])[used]
        loss = 0.0
        for kind, a, b, z, y, ratio in self.branches:
            if kind == "iron":
                loss += abs(u[a]) ** 2 * y.real
            elif kind != "switch":
                through = (u[a] / ratio - u[b]) / z
                loss += abs(through) ** 2 * z.real + (abs(u[a] / ratio) ** 2 + abs(u[b]) ** 2) * y.real / 2
        loading = []
        for place, end, rated, _ in self.rated:
            _, a, b, z, _, ratio = self.branches[place]
            through = abs((u[a] / ratio - u[b]) / z) / (1 if end else ratio)  # line-to-line volts over ohms: root 3 A
            loading.append(through / np.sqrt(3) / rated)
        seen = [bus for bus in [0, *used] if bus not in self.inner]
        pu = abs(u[seen]) / volt[seen]
        return float(pu.min()), float(pu.max()), loss / 1e3, max(loading)


def plain_village() -> PlainGrid:
    """The same as `village`."""
    grid = PlainGrid([20.0, 0.4, 0.4, 0.4, 0.4])
    grid.transformer(0, 1)
    for a, b, km in ((1, 2, 0.2), (2, 3, 0.3), (2, 4, 0.25)):
        grid.line(a, b, km)
    for bus, mw in ((2, 0.03), (3, 0.05), (4, 0.02)):
        grid.draw(bus, mw + 0.3j * mw)
    return grid
