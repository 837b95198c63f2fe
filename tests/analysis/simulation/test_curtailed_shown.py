"""Curtailed solar output is shown where there is any, and nothing speaks of it where there is none."""

import csv
import io
import json
import shlex
from dataclasses import replace

import numpy as np
import pytest
from scenarios import preset_economy, preset_tariff

from meanwatt.analysis.cli import main
from meanwatt.analysis.dashboard.market.engine import Engine
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solution import solve
from meanwatt.analysis.output.solution_json import solution_tables
from meanwatt.analysis.simulation.simulation import simulate
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.network.feeder import build_feeder

COSTLY = "tariff.export.usd_per_kwh=-0.02"
"""Exports that cost two cents: all sun beyond a home's own use is held back."""
WORDS = "curtailed solar output"
POSTED = Settings(scenario="textbook", tariff="filed", households=200)


@pytest.fixture(scope="module")
def found() -> Equilibrium:
    return solve_equilibrium(preset_economy("textbook"), preset_tariff("textbook", "filed", COSTLY), certify=False)


def spilt_kw(found: Equilibrium) -> np.ndarray:
    """Sun less what use and batteries take of it, from policies and laws. (c, h)"""
    total = np.zeros_like(found.net_load_kw)
    for household, law, policy in zip(found.economy.types, found.laws, found.policies, strict=True):
        frequency = np.einsum("chez,chezj->chzj", law, policy.probability)
        level = 0.0
        if household.battery:
            into, out_of = household.battery.charge_efficiency, household.battery.discharge_efficiency
            kwh = household.battery.level_kwh * policy.moves
            level = np.where(kwh > 0, kwh / into, kwh * out_of) / found.economy.slot_hours
        sun = household.pv_kw[:, :, None, None]
        total += household.share * (frequency * (sun + policy.net_load_kw - policy.use_kw - level)).sum(axis=(2, 3))
    return total


def test_the_solution_adds_up_what_is_curtailed(found: Equilibrium) -> None:
    assert found.curtailed_kw == pytest.approx(spilt_kw(found), abs=1e-9)
    by_state = found.curtailed_kw.sum(axis=1) * found.economy.slot_hours
    kwh = float(found.economy.common.probability @ by_state)
    assert kwh > 1.0
    assert found.curtailed_kwh_per_household_day == pytest.approx(kwh, rel=1e-12)
    assert solution_tables(found)["slots"]["curtailed_kw"].tolist() == found.curtailed_kw.ravel().tolist()
    plain = solve_equilibrium(found.economy, preset_tariff("textbook", "filed"), certify=False)
    assert plain.curtailed_kwh_per_household_day == 0.0


@pytest.mark.parametrize("set_", [f" --set {COSTLY}", ""])
def test_people_read_what_is_curtailed_of_a_solution(set_: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(shlex.split(f"solve textbook --tariff filed --certify none{set_}")) == 0
    said = capsys.readouterr().out
    assert (WORDS in said) == bool(set_)
    assert main(shlex.split(f"solve textbook --tariff filed --certify none --json{set_}")) == 0
    kwh = json.loads(capsys.readouterr().out)["curtailed_kwh_per_household_day"]
    if set_:
        assert any(WORDS in line and f"{kwh:.3f}" in line for line in said.splitlines())
    else:
        assert kwh == 0.0


@pytest.mark.parametrize("set_", [f" --set {COSTLY}", ""])
def test_people_read_what_is_curtailed_of_a_market(set_: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = f"simulate textbook --tariff filed --households 60 --days 2{set_}"
    assert main(shlex.split(command)) == 0
    said = capsys.readouterr().out
    assert (WORDS in said) == bool(set_)
    assert main(shlex.split(f"{command} --json")) == 0
    result = json.loads(capsys.readouterr().out)
    assert np.shape(result["curtailed_kw"]) == (2, 24)
    kwh = result["curtailed_kwh_per_household_day"]
    assert kwh == pytest.approx(np.sum(result["curtailed_kw"]) / 2, rel=1e-12)
    assert (kwh > 1.0) == bool(set_)
    assert (kwh == 0.0) == (not set_)


def test_the_feeder_holds_back_what_all_its_customers_do(found: Equilibrium) -> None:
    run = simulate(
        found.economy, found.tariff, equilibrium=found, behaviour="equilibrium", households=60, days=2, seed=1
    )
    feeder = build_feeder("textbook_line_5", peak_reference_kw=found.economy.peak_reference_kw)
    per_home = run.history.stacked("curtailed_kw").sum() * found.economy.slot_hours
    assert run.feeder is not None
    assert run.feeder.curtailed_kwh == pytest.approx(per_home * feeder.customers.sum(), rel=1e-12)
    assert run.curtailed_kwh_per_household_day == pytest.approx(found.curtailed_kwh_per_household_day, rel=0.1)


def shown(settings: Settings) -> tuple[dict, dict, list[dict[str, str]]]:
    """Chart and key figures on day 2, and the rows of the file."""
    solution = solve(settings)
    assert solution is not None
    engine = Engine()
    engine.adopt(solution)
    engine.step()
    engine.step()
    frame, text = engine.frame(), engine.csv()
    engine.close()
    rows = csv.DictReader(io.StringIO("".join(line for line in text.splitlines(True) if not line.startswith("#"))))
    return json.loads(frame.chart), json.loads(frame.metrics), list(rows)


def test_the_page_shows_the_curtailed_day_beside_the_load(found: Equilibrium) -> None:
    chart, metrics, rows = shown(replace(POSTED, changes=(("tariff.export.usd_per_kwh", -0.02),)))
    assert [panel["key"] for panel in chart["panels"]] == ["load", "curtailed", "charge", "price", "tariff"]
    panel = chart["panels"][1]
    lines = {line["name"]: np.array(line["values"]) for line in panel["lines"]}
    assert lines["mean field"] == pytest.approx(found.curtailed_kw[0], abs=6e-5)
    assert lines["tonight"] == pytest.approx(found.curtailed_kw[0], abs=0.1)
    assert len(panel["trail"]) == 1
    assert panel["axis"][0] == 0
    assert panel["axis"][1] >= max(values.max() for values in lines.values())
    within = (np.array(panel["low"]) <= lines["tonight"]) & (lines["tonight"] <= panel["high"])
    assert within.mean() >= 0.8  # two standard deviations, of hours that go together
    item = next(item for item in metrics["items"] if item["key"] == "curtailed")
    assert float(item["value"]) == pytest.approx(found.curtailed_kwh_per_household_day, abs=0.005)
    assert item["beside"] == f"tonight {lines['tonight'].sum():.2f}"
    last = [float(row["curtailed_kw"]) for row in rows if row["day"] == "2"]
    assert last == pytest.approx(lines["tonight"], abs=6e-5)


def test_an_ordinary_page_has_nothing_more() -> None:
    chart, metrics, rows = shown(POSTED)
    assert [panel["key"] for panel in chart["panels"]] == ["load", "charge", "price", "tariff"]
    assert "curtailed" not in {item["key"] for item in metrics["items"]}
    assert {row["curtailed_kw"] for row in rows} == {"0.000000"}
