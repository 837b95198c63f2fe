"""Books that are balanced in equal parts."""

import numpy as np
import pytest

from meanwatt.analysis.design.balanced import balanced
from meanwatt.analysis.output.solution_json import equilibrium_metrics
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario


@pytest.mark.parametrize("scenario", ["textbook", "oahu"])
def test_what_the_utility_kept_or_lacked_is_on_every_bill_alike_and_on_no_other_account(scenario: str) -> None:
    preset = load_scenario(scenario, tariff="filed")
    found = solve_equilibrium(build_economy(preset), build_tariff(preset), certify=False)
    level = balanced(found)
    assert abs(found.surplus_usd_per_household_day) > 0.01
    moved = level.bill_usd_per_day - found.bill_usd_per_day
    assert moved == pytest.approx(np.full_like(moved, -found.surplus_usd_per_household_day))
    before, after = equilibrium_metrics(found), equilibrium_metrics(level)
    assert before.surplus_usd_per_household_day == pytest.approx(found.surplus_usd_per_household_day, abs=1e-9)
    assert level.surplus_usd_per_household_day == 0
    assert after.surplus_usd_per_household_day == pytest.approx(0, abs=1e-9)
    assert after.welfare_usd_per_household_day == before.welfare_usd_per_household_day
