"""Mutated scenario, tariff and study files, read and lived in one process; run as a program it prints what it found.

``python tests/fuzzing.py MUTANTS SOLVED`` reads so many files from a fixed seed, and solves and simulates so many of
the valid ones on a very small game. Run it with ``NUMBA_BOUNDSCHECK=1``.
"""

import contextlib
import copy
import io
import json
import random
import sys
import tempfile
import time
import tomllib
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

SCENARIO = """
extends = "textbook"
battery_levels = 5
temperature_usd = 0.05
elasticity = 0.1
flexibility = 0.5
discount_per_day = 1.0
value_rule = "entropy"
memory = 1
pv_scale = 1.0
pv_share_scale = 1.0
battery_share_scale = 1.0
fixed_cost_usd_per_month = 30
reference_price_usd_per_kwh = 0.185
day_type_kernel = [[0.6, 0.4], [0.5, 0.5]]
default_tariff = "flat"
[day_types.sun]
pv_factor = 1.0
load_factor = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1.2, 1.2, 1.2, 1.2, 1, 1, 1]
season = "dry"
[day_types.typical]
pv_factor = 0.4
rest_load_kw = 0.1
[shock]
levels = [0.8, 1.2]
kernel = [[0.5, 0.5], [0.5, 0.5]]
[load]
use_kwh_per_day = 14
adopter_multiplier = 1.1
[battery]
capacity_kwh = 10
power_limit_kw = 5
round_trip_efficiency = 0.9
wear_usd_per_kwh = 0.03
[income_groups.low]
share = 0.5
income_usd_per_year = 20000
use_factor = 0.9
pv_share = 0.2
pv_kw = 4
storage_share_of_pv = 0.5
battery_only_share = 0.1
[income_groups.middle]
share = 0.5
[income_groups.high]
share = 0.0
[supply]
kind = "piecewise"
net_load_kw = [-1.0, 0.5, 2.0]
usd_per_kwh = [0.0, 0.1, 0.4]
emissions_t_per_mwh = [0.4, 0.6]
[carbon]
usd_per_t = 50
[feeder]
name = "textbook_line_5"
"""
TARIFF = """
recovery = "posted"
pass_through = 0.5
adder_cap_usd_per_kwh = 2.0
periods = { day = ["9-17"], peak = ["17-21"], overnight = ["21-9"] }
energy_usd_per_kwh = { day = 0.07, overnight = 0.14, peak = 0.21 }
fixed_charge_usd_per_day = { low = 0.1, middle = 0.2, high = 0.3 }
fixed_charge_shape = { low = 0.5, middle = 1.0, high = 2.0 }
discount = { low = 0.2, middle = 0.0, high = 0.0 }
[export]
rule = "net_billing"
pass_through = 0.5
usd_per_kwh = [0, 0, 0, 0, 0, 0, 0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0, 0, 0, 0, 0, 0, 0]
"""
STUDY = """
scenario = "textbook"
tariff = "flat"
measure = "simulate"
households = [10, 20]
replications = 2
days = 2
seed = 3
behaviour = "passive"
[set]
battery_levels = 5
tariff.recovery = "posted"
[grid]
pv_scale = [1.0, 0.5]
[latin_hypercube]
points = 2
range.elasticity = [0.1, 0.2]
range.pv_share_scale = [0.5, 2.0, "log"]
"""
NUMBERS: list[Any] = [float("nan"), float("inf"), -float("inf"), -1, 0, 1, 2, 3, -0.5, 0.5, 1e-310, 5e-324, 1e-12, 1e-6]
NUMBERS += [1e3, 1e6, 1e12, 1e20, 1e160, 1.7e308, -1e160, 2**31, 2**63, 2**64, 10**400, 1e5, -1e5, 1e-3]
OTHERS: list[Any] = ["", "flat", "typical", "a\0b", "ünï\u2028code", "x" * 300, True, [], {}, [[]], [[[[]]]], ["9-17"]]
OTHERS += [{"a": 1}, {"low": 0.1}, [0.1] * 24, [0.1] * 23, [0.1] * 96, [0] * 24, [1e160] * 24, -1]
FACTORS = [0.0, 1e-3, 0.5, 0.9, 1.1, 1.5, 2, 10, 1e3, 1e9, -1]
TOLD_EVERY = 3
"""Of the refused files, the share that the command line is asked about, too."""
MOST_EVALUATIONS = 12
LARGEST_GAME = 2e6
"""Bytes of the policies of a game that is solved here."""


def written(value: Any) -> str:
    """A value as TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(key))} = {written(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value)
    return str(value).lower() if isinstance(value, bool | float) else str(value)


def mutant(text: str, draw: random.Random) -> bytes:
    """A file with one to three mistakes, or changes that are none."""
    table = tomllib.loads(text)
    for _ in range(draw.choice((1, 1, 1, 2))):
        _change(table, draw)
    changed = "\n".join(f"{json.dumps(str(key))} = {written(value)}" for key, value in table.items())
    content = changed.encode()
    if draw.random() < 0.15:
        content = draw.choice(TEXT_CHANGES)(content, draw)
    return content


TEXT_CHANGES: list[Callable[[bytes, random.Random], bytes]] = [
    lambda text, draw: text[: draw.randrange(len(text))],
    lambda text, draw: b"\xef\xbb\xbf" + text,
    lambda text, draw: text + b"\n" + text.split(b"\n")[0],
    lambda text, draw: text.replace(b"=", b"= =", 1),
    lambda text, draw: text + bytes(draw.randrange(256) for _ in range(5)),
    lambda text, draw: text + b"\nx = " + b"[" * 3_000 + b"]" * 3_000,
    lambda text, draw: text + b"\nx" + b".x" * 3_000 + b" = 1",
    lambda text, draw: text.replace(b"0.", b"0.0e", 3),
]


def _change(table: dict[str, Any], draw: random.Random) -> None:
    """Change one entry somewhere in a table."""
    inner, key = table, draw.choice(list(table))
    while isinstance(inner[key], dict) and inner[key] and draw.random() < 0.9:
        inner = inner[key]
        key = draw.choice(list(inner))
    value, what = inner[key], draw.random()
    if what < 0.06:
        del inner[key]
    elif what < 0.1:
        inner[draw.choice([key[1:], key + "x", key.upper(), "ü" + key, key + ".x"])] = inner.pop(key)
    elif what < 0.25:
        inner[key] = copy.deepcopy(draw.choice(OTHERS))
    elif isinstance(value, list) and value:
        _change_list(value, draw)
    elif isinstance(value, bool) or not isinstance(value, int | float) or what < 0.45:
        inner[key] = draw.choice(NUMBERS)
    else:
        inner[key] = value * draw.choice(FACTORS)


def _change_list(value: list[Any], draw: random.Random) -> None:
    place, what = draw.randrange(len(value)), draw.random()
    if isinstance(value[place], list) and value[place] and what < 0.7:
        _change_list(value[place], draw)
    elif what < 0.15:
        del value[place]
    elif what < 0.3:
        value.insert(place, copy.deepcopy(value[place]))
    elif what < 0.4:
        value[place] = copy.deepcopy(draw.choice(OTHERS))
    else:
        value[place] = draw.choice(NUMBERS)


def read_and_live(kind: str, file: Path, small: Path, solve: bool) -> str:
    """Read a file as the command line would, live in what it says; return what came of it.

    Raises
    ------
    ValueError
        The one line that refuses it.
    """
    from meanwatt.agents.tariff.tariff import Recovery
    from meanwatt.analysis.study.plan import plan_study
    from meanwatt.analysis.study.plan_file import load_study
    from meanwatt.model.market.market import ProsumerMarket
    from meanwatt.model.mean_field.equilibrium import Outcome, solve_equilibrium
    from meanwatt.model.progress.watch import Watch
    from meanwatt.model.scenario.economy import build_economy, build_tariff
    from meanwatt.model.scenario.limits import policy_bytes
    from meanwatt.model.scenario.loading import load_scenario

    if kind == "study":
        if load_study(file).tasks <= 40:
            plan_study(file)
        return "read"
    scenario = load_scenario(small, tariff=file) if kind == "tariff" else load_scenario(file)
    if policy_bytes(scenario) > LARGEST_GAME:
        return "read"
    economy, tariff = build_economy(scenario), build_tariff(scenario)
    if not solve:
        return "read"
    asked = 0

    def enough() -> bool:
        nonlocal asked
        asked += 1
        return asked > MOST_EVALUATIONS

    found = solve_equilibrium(economy, tariff, certify=False, watch=Watch(cancelled=enough))
    if economy.one_day is None:
        learns = found.outcome is not Outcome.CONVERGED and tariff.recovery is Recovery.POSTED
        if learns or found.outcome is Outcome.CONVERGED:
            behaviour = "passive=.5,qlearning=.5" if learns else "equilibrium"
            market = ProsumerMarket(
                economy,
                households=20,
                policies=None if learns else found,
                tariff=tariff if learns else None,
                behaviour=behaviour,
                rng=1,
            )
            market.step()
            return "lived"
    return "solved"


def main(mutants: int, solved: int) -> dict[str, Any]:
    """Read so many mutants and live in so many of the valid ones."""
    from meanwatt.analysis.cli import main as command
    from meanwatt.model.progress.machine import peak_bytes

    draw, counts, faults = random.Random(20_260_101), dict.fromkeys(("refused", "read", "solved", "lived"), 0), []
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small.toml"
        small.write_text(SCENARIO, encoding="utf-8")
        for number in range(mutants):
            kind = draw.choices(("scenario", "tariff", "study"), (4, 2, 1))[0]
            content = mutant({"scenario": SCENARIO, "tariff": TARIFF, "study": STUDY}[kind], draw)
            file = Path(folder) / f"{kind}.toml"
            file.write_bytes(content)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error", RuntimeWarning)
                    ended = read_and_live(kind, file, small, counts["solved"] + counts["lived"] < solved)
            except ValueError:
                ended = "refused"
                if number % TOLD_EVERY:
                    counts[ended] += 1
                    continue
                said = io.StringIO()
                asked = {
                    "scenario": ["export", str(file), "--to", str(Path(folder) / "game.npz")],
                    "tariff": ["export", str(small), "--tariff", str(file), "--to", str(Path(folder) / "game.npz")],
                    "study": ["study", str(file), "--out", str(Path(folder) / "out")],
                }[kind]
                try:
                    with contextlib.redirect_stderr(said):
                        status = command(asked)
                    if status != 2 or len(said.getvalue().splitlines()) != 1:
                        faults.append(
                            f"{number} {kind}: status {status}, {said.getvalue()!r}\n{content.decode('latin')}"
                        )
                except BaseException:
                    faults.append(f"{number} {kind}: {traceback.format_exc()}\n{content.decode('latin')}")
            except BaseException:
                ended = "refused"
                faults.append(f"{number} {kind}: {traceback.format_exc()}\n{content.decode('latin')}")
            counts[ended] += 1
    return {
        **counts,
        "faults": faults,
        "peak_gb": peak_bytes() / 1e9,
        "processor_seconds": time.process_time(),
    }


if __name__ == "__main__":
    print(json.dumps(main(*map(int, sys.argv[1:]))))  # noqa: T201
