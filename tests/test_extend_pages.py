"""Recipes of the how-to pages on extending: executed as they are written."""

import re
import sys
import types
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from repository import ROOT
from scenarios import small_economy, small_tariff

from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.mean_field.first_best import solve_first_best
from meanwatt.model.mean_field.solvers import methods
from meanwatt.model.scenario import household_types, limits, technologies
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario


def recipe(page: str) -> list[str]:
    """The Python blocks of a page."""
    text = (ROOT / "docs" / "how_to" / page).read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def test_a_storage_with_moves_by_the_slot_goes_through_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps to its hours in every state; and marginal-cost pricing is the first best at temperature 0."""
    module, entry = recipe("extend_technology.md")
    made = types.ModuleType("off_peak_battery")
    monkeypatch.setitem(sys.modules, made.__name__, made)
    exec(compile(module, "off_peak_battery.py", "exec"), made.__dict__)
    named: dict[str, Any] = {**vars(technologies), **vars(made)}
    exec(compile(entry, "technologies.py", "exec"), named)
    known = tuple(named["off_peak"] if t.name == "battery" else t for t in technologies.TECHNOLOGIES)
    for place in (technologies, household_types, limits):
        monkeypatch.setattr(place, "TECHNOLOGIES", known)
    changes = {"temperature_usd": 0.0, "battery.wear_usd_per_kwh": 0.0, "pv_share_scale": 0.0, "battery_levels": 7}
    owners = {f"income_groups.{group}.battery_only_share": 0.5 for group in ("low", "middle", "high")}
    economy = build_economy(load_scenario("textbook", overrides={**changes, **owners}))
    found = solve_equilibrium(economy, build_tariff(economy.scenario, "rtp"), certify=False)
    assert found.converged
    night = np.r_[22:24, 0:6]
    day = np.setdiff1d(np.arange(24), night)
    for household, policy in zip(economy.types, found.policies, strict=True):
        if household.battery:
            assert type(household.battery).__name__ == "OffPeakBattery"
            up, down = (policy.probability[..., sign * policy.moves > 0].sum(axis=-1) for sign in (1, -1))
            assert up[:, night].max() > 0.2
            assert (down[:, night] == 0).all()
            assert (up[:, day] == 0).all()
    best = solve_first_best(economy)
    assert best.wholesale_usd_per_kwh == pytest.approx(found.wholesale_usd_per_kwh, abs=1e-3)
    free = solve_equilibrium(
        replace(
            economy,
            types=tuple(
                replace(t, battery=technologies.battery_of(economy.scenario)) if t.battery else t for t in economy.types
            ),
        ),
        found.tariff,
        certify=False,
    )
    assert solve_first_best(free.economy).social_cost_usd_per_household_day <= best.social_cost_usd_per_household_day


def test_a_solver_goes_through_the_door_and_finds_the_same_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = recipe("extend_solver.md")
    named: dict[str, Any] = dict(vars(methods))
    exec(compile(code, "methods.py", "exec"), named)
    monkeypatch.setattr(methods, "METHODS", (*methods.METHODS, named["HYBRID"]))
    economy = small_economy(temperature_usd=0.005, battery_share=1.0)
    tariff = small_tariff(economy)
    by_hybrid, automatic = (
        solve_equilibrium(economy, tariff, solver=name, certify=False) for name in ("hybrid", "auto")
    )
    assert by_hybrid.converged
    assert by_hybrid.wholesale_usd_per_kwh == pytest.approx(automatic.wholesale_usd_per_kwh, abs=1e-6)
    with pytest.raises(ValueError, match=r"^solver is 'hybrid', which needs temperature_usd above 0; give 'auto'$"):
        solve_equilibrium(small_economy(temperature_usd=0.0), tariff, solver="hybrid", certify=False)


def test_every_recipe_is_in_the_list_of_doors() -> None:
    page = (ROOT / "docs" / "how_to" / "extend.md").read_text(encoding="utf-8")
    written = {path.name for path in (ROOT / "docs" / "how_to").glob("extend_*.md")}
    assert written <= set(re.findall(r"\((extend_\w+\.md)\)", page))
