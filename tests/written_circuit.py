"""Small circuits of OpenDSS, and the engine run in this process on them."""

from pathlib import Path
from typing import Any

import pytest

BASE = """clear
new circuit.village basekv=20 pu=1.01 bus1=grid mvasc3=200 mvasc1=180
new linecode.cable nphases=3 r1=.208 x1=.08 r0=.8 x0=.3 c1=260 c0=120 units=km normamps=270
new transformer.station buses=(grid main) conns=(delta wye) kvs=(20 .4) kvas=(250 250) xhl=5.8 %rs=(.7 .8)
~ %noloadloss=.3 %imag=1.1
new line.a bus1=main bus2=street linecode=cable length=.2 units=km
new line.b bus1=street bus2=end linecode=cable length=.3 units=km
new line.c bus1=street bus2=spur linecode=cable length=.25 units=km
new load.home1 bus1=street kv=.4 kw=30 kvar=9
new load.home2 bus1=end kv=.4 kw=50 kvar=15
new load.home3 bus1=spur kv=.4 kw=20 kvar=6
"""
"""A transformer, three cables and three homes."""
BASES = "set voltagebases=[20 .4]\ncalcvoltagebases\n"
"""What a circuit ends with."""


def circuit(*more: str, base: str = BASE, bases: str = BASES) -> str:
    """The text of a circuit: the base, and lines of its own before the nominal voltages are set."""
    return base + "\n".join(more) + "\n" + bases


def written(folder: Path, text: str, name: str = "circuit.dss") -> Path:
    """Write a circuit."""
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def run_here(folder: Path, text: str, tap: str = "file") -> Any:
    """What the engine says of a circuit, without a child process; skips without it."""
    pytest.importorskip("opendssdirect", reason="opendssdirect.py is not installed: `uv sync`")
    from meanwatt.model.network.opendss_circuit import engine

    return engine.run(str(written(folder, text)), tap)
