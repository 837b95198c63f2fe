"""Mutated tariffs and readings are billed, or refused in one line; nothing else comes of them."""

import copy
import json
import random
import tomllib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fuzzing import NUMBERS, OTHERS, mutant
from repository import ROOT

from meanwatt.analysis.cli import main

EXAMPLE = (ROOT / "docs" / "examples" / "ratebook.toml").read_text(encoding="utf-8")
FLAT = [[0] * 24] * 12
RECORD: dict[str, Any] = {
    "name": "all",
    "energyratestructure": [[{"rate": 0.3, "adj": 0.01, "max": 200, "sell": 0.1, "unit": "kWh"}, {"rate": 0.2}]] * 2,
    "energyweekdayschedule": [[0] * 12 + [1] * 12] * 12,
    "energyweekendschedule": FLAT,
    "demandratestructure": [[{"rate": 3, "unit": "kW"}]],
    "demandweekdayschedule": FLAT,
    "demandweekendschedule": FLAT,
    "flatdemandstructure": [[{"rate": 3, "max": 2}, {"rate": 4}]],
    "flatdemandmonths": [0] * 12,
    "flatdemandunit": "kW",
    "demandwindow": 15,
    "lookbackpercent": 0.5,
    "lookbackrange": 3,
    "lookbackmonths": [1] * 12,
    "fixedchargefirstmeter": 3,
    "fixedchargeunits": "$/day",
    "mincharge": 10,
    "minchargeunits": "$/month",
    "fueladjustmentsmonthly": [0.01] * 12,
    "dgrules": "Net Billing Hourly",
    "eiaid": None,
    "extensions": {"meanwatt": {"true_up_month": 4, "taxes": {"city": {"share": 0.1, "on": "bill"}}}},
}
READINGS = "kwh\n" + "0.5\n" * 8760
STAMPS = "start,kwh\n" + "".join(f"2023-01-{1 + row // 24:02d} {row % 24:02d}:00,1\n" for row in range(744))


def changed(value: Any, draw: random.Random) -> Any:
    """JSON with one place in it changed."""
    value = copy.deepcopy(value)
    inner, path = value, []
    while isinstance(inner, dict | list) and inner and (not path or draw.random() < 0.8):
        key: Any = draw.choice(list(inner)) if isinstance(inner, dict) else draw.randrange(len(inner))
        path.append((inner, key))
        inner = inner[key]
    holder, key = path[-1]
    what = draw.random()
    if what < 0.15:
        del holder[key]
    elif what < 0.3 and isinstance(holder, dict):
        holder[draw.choice([f"{key}s", str(key).upper(), f" {key}"])] = holder.pop(key)
    else:
        holder[key] = copy.deepcopy(draw.choice([*NUMBERS, *OTHERS, None]))
    return value


def json_text(draw: random.Random) -> bytes:
    record = RECORD
    for _ in range(draw.choice((1, 1, 2))):
        record = changed(record, draw)
    text = json.dumps(record).encode()
    if draw.random() < 0.1:
        text = text[: draw.randrange(len(text))] + bytes(draw.randrange(256) for _ in range(3))
    return text


def csv_text(draw: random.Random) -> bytes:
    text = draw.choice((READINGS, STAMPS))
    lines = text.split("\n")
    for _ in range(draw.choice((1, 2))):
        place = draw.choice((0, draw.randrange(len(lines))))
        lines[place] = draw.choice(
            ["", "x", "1e999", "-1", "1e-320", "kwh", '"', "a,b,c", "ü\0", "kwh,kwh", lines[place] * 2, "9" * 400]
        )
    return "\n".join(lines).encode()


KINDS: dict[str, Callable[[random.Random], bytes]] = {
    "tariff.json": json_text,
    "tariff.toml": lambda draw: mutant(EXAMPLE, draw),
    "load.csv": csv_text,
}


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_comes_is_billed_or_refused_in_one_line(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    draw = random.Random(len(kind))
    tomllib.loads(EXAMPLE)
    Path("load.csv").write_text(READINGS, encoding="utf-8")
    Path("solar.csv").write_text(READINGS.replace("0.5", "0.4"), encoding="utf-8")
    Path("tariff.json").write_text(json.dumps(RECORD), encoding="utf-8")
    tariff = kind if kind.startswith("tariff") else "tariff.json"
    ended = {0: 0, 2: 0}
    for number in range(60):
        content = KINDS[kind](draw)
        Path(kind).write_bytes(content)
        rule = draw.choice(["net_billing", "net_billing_carryover", "net_metering", "net_metering_dollars"])
        asked = ["bill", tariff, "--load", "load.csv", "--generation", "solar.csv", "--metering", rule, "--json"]
        if number % 3 == 0 and kind != "load.csv":
            asked = ["import", "tariff", tariff, "--to", draw.choice(["to.json", "to.toml"]), "--json"]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            status = main(asked)
        said = capsys.readouterr()
        assert status in ended, content[:2000]
        ended[status] += 1
        if status == 0:
            json.loads(said.out, parse_constant=lambda name: pytest.fail(f"{name} is no strict JSON"))
            assert said.err == ""
        else:
            assert said.out == ""
            assert said.err.count("\n") == 1
            assert "Traceback" not in said.err
    assert min(ended.values()) > (0 if kind == "load.csv" else 3)
