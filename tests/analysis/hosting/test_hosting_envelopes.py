"""What homes within operating envelopes curtail in a sweep, at their limits and for prices below zero apart."""

from typing import Any

import numpy as np
import pytest

from meanwatt.analysis.hosting.adoption import Swept
from meanwatt.analysis.hosting.figures import hosting_figure
from meanwatt.analysis.hosting.judged import judge
from meanwatt.analysis.hosting.report import hosting_json, hosting_tables
from meanwatt.analysis.hosting.shown_tables import hosting_tables_shown
from meanwatt.analysis.hosting.stress import ENVELOPE_MEASURES, LIMIT_CURTAILED, PRICE_CURTAILED
from meanwatt.analysis.hosting.sweep import Cell, HostingPlan, scenario_at, sweep
from meanwatt.model.mean_field.envelope_outcome import curtailed_kwh_by_type
from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.network.feeder_file import scenario_feeder
from meanwatt.model.network.located_economy import build_located_economy
from meanwatt.model.scenario.economy import build_tariff
from meanwatt.model.scenario.loading import Scenario, load_scenario

LIMIT = {"feeder.envelopes.all.export_limit_kw": 0.4}
SUNNY = {"pv_scale": 1.5, "supply.coefficients": [-0.02, 0.1]}
"""So much sun that a kWh sold earns nothing at noon."""


def town(**changes: Any) -> Scenario:
    small = {"feeder.name": "textbook_line_5", "battery_share_scale": 0.0, "income_groups.low.pv_kw": 3}
    return load_scenario("textbook", overrides={**small, **changes}, tariff="rtp")


def swept(scenario: Scenario) -> tuple[HostingPlan, list[Cell]]:
    feeder = scenario_feeder(scenario.feeder, peak_reference_kw=1.0)
    plan = HostingPlan(feeder=feeder, scenarios={"rtp": scenario}, levels=(0.0, 0.5, 1.0), placements=2, key=3)
    return plan, list(sweep(plan))


@pytest.fixture(scope="module")
def sunny() -> tuple[HostingPlan, list[Cell]]:
    return swept(town(**SUNNY, **LIMIT))


def test_what_limits_and_prices_curtail_is_all_that_is_curtailed() -> None:
    scenario = scenario_at(town(**SUNNY, **LIMIT), Swept.SOLAR, 1.0)
    found = solve_equilibrium(build_located_economy(scenario), build_tariff(scenario), certify=False)
    by_type = curtailed_kwh_by_type(found.economy, found.tariff, found.answer)
    assert (by_type @ found.economy.type_share).sum() == pytest.approx(found.curtailed_kwh_per_household_day)
    limit, price = by_type @ found.economy.type_share
    assert min(limit, price) > 0.01
    loose = solve_equilibrium(
        build_located_economy(scenario_at(town(**SUNNY, **dict.fromkeys(LIMIT, 1e5)), Swept.SOLAR, 1.0)),
        build_tariff(scenario),
        certify=False,
    )
    assert (curtailed_kwh_by_type(loose.economy, loose.tariff, loose.answer)[0] == 0).all()


def test_a_sweep_tells_both_by_level_in_json_table_and_figure(sunny: tuple[HostingPlan, list[Cell]]) -> None:
    plan, cells = sunny
    result = hosting_json(plan, cells)
    told = result["envelopes"]
    assert told["names"] == ["all"]
    assert told["tariffs"][0][LIMIT_CURTAILED] == told[LIMIT_CURTAILED]
    assert told[LIMIT_CURTAILED]["p50"][0] == 0  # nobody has solar
    both = [told[LIMIT_CURTAILED]["p50"][level] + told[PRICE_CURTAILED]["p50"][level] for level in range(3)]
    assert both[0] < both[1] < both[2]
    assert told[PRICE_CURTAILED]["p50"][1] == 0 < told[PRICE_CURTAILED]["p50"][2]
    table = next(one for one in hosting_tables_shown(result) if one.title.startswith("Curtailed at an envelope's"))
    assert table.heads == ("adoption", "rtp, envelope", "rtp, price")
    assert table.rows[0] == ("0 %", "0.0000", "0.0000")
    assert table.rows[2][1] == f"{told[LIMIT_CURTAILED]['p50'][2]:.4f}"
    titles = [axes.get_title(loc="left") for axes in hosting_figure(plan, judge(plan, cells)).axes]
    assert "curtailed at an envelope's limit [kWh per household-day]" in titles
    assert "curtailed for prices below 0 [kWh per household-day]" in titles
    assert set(ENVELOPE_MEASURES) < set(hosting_tables(plan, cells)["states"])


def test_a_placement_curtails_what_its_own_homes_do(sunny: tuple[HostingPlan, list[Cell]]) -> None:
    """All homes have solar at the last level, and groups of one kind of panel: placements are alike."""
    _, cells = sunny
    last = cells[-1].measured
    for name in ENVELOPE_MEASURES:
        assert np.isfinite(last[name]).all()
        assert np.ptp(last[name]) <= 0.1 * last[name].mean()


def test_without_envelopes_a_sweep_has_none_of_it() -> None:
    plan, cells = swept(town())
    assert hosting_json(plan, cells)["envelopes"] is None
    assert not set(ENVELOPE_MEASURES) & set(plan.measures)
    assert not any(one.title.startswith("Curtailed") for one in hosting_tables_shown(hosting_json(plan, cells)))
