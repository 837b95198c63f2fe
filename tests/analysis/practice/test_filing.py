"""What usual practice files and predicts, beside plain loops and the closed form of welfare-best window rates."""

from functools import cache

import numpy as np
import pytest
from scenarios import preset_economy, preset_tariff, solved

from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.analysis.practice.filing import Filing, file_tariff, predict, social_marginal_cost
from meanwatt.analysis.practice.practice import Practice, practice, welfare
from meanwatt.analysis.practice.windows import windows_of
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium

SHAPE = np.array(
    [1.0, 0.7, 0.6, 0.5, 0.5, 0.6, 0.9, 1.3] + [1.0, 0.8, 0.7, 0.9] * 2 + [1.2, 1.6, 2.2, 2.5, 1.9, 1.7, 1.4, 1.1]
)
"""A load shape that is uneven inside every window."""
BARE = ("battery_share_scale=0", "pv_share_scale=0", f"load.shape={SHAPE.tolist()}", "carbon.usd_per_t=0")
"""No battery, no solar, no carbon: the textbook of the closed form."""
SMALL = "battery_levels=5"
KINK = (
    "tariff.export.usd_per_kwh=0.15",
    "tariff.export.capped_at_import=true",
    "income_groups.high.pv_kw=4.065",
)
"""At 7 h some use exactly what the sun gives, and the filed rate cuts what exports earn."""
INELASTIC = ("elasticity=0", "battery_share_scale=0")
WINDOW = np.array([0] * 9 + [1] * 8 + [2] * 4 + [0] * 3)
"""The textbook's periods by the hour: overnight, day, peak."""


@cache
def filed(preset: str, tariff: str, *overrides: str) -> tuple[Equilibrium, Filing]:
    in_force = solved(preset, tariff, *overrides)
    return in_force, file_tariff(in_force, windows_of(in_force.economy, tariff))


@cache
def done(preset: str, tariff: str, *overrides: str) -> Practice:
    return practice(preset_economy(preset, *overrides), preset_tariff(preset, tariff, *overrides))


def by_window(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted means over the textbook's windows."""
    return np.array([(values * weight)[k == WINDOW].sum() / weight[k == WINDOW].sum() for k in range(3)])


def textbook_use(rate: np.ndarray, elasticity: float = 0.1) -> np.ndarray:
    """Mean use by hour: 14 kWh a day in the shape, bent by the rate around 0.185 USD/kWh. [kW]"""
    return 14 / 24 * SHAPE / SHAPE.mean() * (1 + elasticity * (1 - rate / 0.185))


def test_the_first_step_is_the_use_weighted_marginal_cost_of_the_frozen_loads() -> None:
    """In plain NumPy: 5 cents and 10 more for each kW, at what households use under 8, 16 and 24 cents."""
    _, found = filed("textbook", "filed", *BARE)
    use = textbook_use(np.array([0.16, 0.08, 0.24])[WINDOW])
    assert found.rates_usd_per_kwh == pytest.approx(by_window(0.05 + 0.10 * use, use), abs=1e-9)
    fixed = 30 * 12 / 365  # of which energy at the margin pays the generators' cost alone
    assert found.tariff.fixed_charge_usd_per_day == pytest.approx([fixed] * 3, abs=1e-9)
    predicted = use * (1 - 0.1 * (found.rates_usd_per_kwh[WINDOW] - np.array([0.16, 0.08, 0.24])[WINDOW]) / 0.185)
    assert found.predicted.net_load_kw[0] == pytest.approx(predicted, abs=1e-9)


def test_carbon_adds_its_price_to_every_rate() -> None:
    """50 USD/t times 0.5 t/MWh; as much less is left to the fixed charge."""
    _, without = filed("textbook", "filed", *BARE)
    _, found = filed("textbook", "filed", *BARE[:3])
    assert found.rates_usd_per_kwh == pytest.approx(without.rates_usd_per_kwh + 0.025, abs=1e-9)
    returned = 0.025 * found.imports_kwh_per_day.sum()
    charges = without.tariff.fixed_charge_usd_per_day - returned
    assert found.tariff.fixed_charge_usd_per_day == pytest.approx(charges, abs=1e-9)


@pytest.mark.parametrize(("given", "carbon"), [(BARE, 0.0), (BARE[:3], 0.025)])
def test_practice_repeated_to_its_own_fixed_point_is_the_commitment(given: tuple[str, ...], carbon: float) -> None:
    """Without storage the welfare-best rates of given windows are Σ q0·s(q) / Σ q0, s with carbon if it has a price."""
    economy = preset_economy("textbook", *given)
    found, windows = solved("textbook", "filed", *given), windows_of(economy, "filed")
    for _ in range(12):
        filing = file_tariff(found, windows)
        found = solve_equilibrium(economy, filing.tariff, certify=False)
    rates = np.full(3, 0.15)
    for _ in range(60):
        rates = by_window(0.05 + carbon + 0.10 * textbook_use(rates[WINDOW]), SHAPE)
    assert filing.rates_usd_per_kwh == pytest.approx(rates, abs=1e-9)
    best = done("textbook", "filed", *given)
    assert best.commitment is not None
    # the search stops at a gain of 1e-7 USD, and welfare bends by Σ ε q0 / p0 ≥ 1 a window: √(2e-7) USD/kWh
    assert best.committed_usd_per_kwh == pytest.approx(rates, abs=5e-4)
    assert best.commitment.objective == pytest.approx(welfare(found), abs=1e-6)
    assert best.commitment.objective <= welfare(found) + 1e-9


@pytest.mark.parametrize("tariff", ["filed", "flat", "rtp"])
def test_where_nobody_can_react_the_prediction_is_the_equilibrium_and_nothing_is_lost(tariff: str) -> None:
    found = done("textbook", tariff, *INELASTIC)
    assert found.filing is not None
    assert found.equilibrium is not None
    said, happens = found.filing.predicted, found.equilibrium
    assert said.net_load_kw == pytest.approx(happens.net_load_kw, abs=1e-9)
    assert said.type_net_load_kw == pytest.approx(happens.type_net_load_kw, abs=1e-9)
    assert said.bill_usd_per_day == pytest.approx(happens.bill_usd_per_day, abs=1e-8)
    assert said.surplus_usd_per_household_day == pytest.approx(happens.surplus_usd_per_household_day, abs=1e-8)
    assert found.welfare_lost_usd_per_household_day == pytest.approx(0.0, abs=1e-9)


def test_without_storage_the_prediction_is_off_by_the_square_of_the_elasticity() -> None:
    """One step from frozen use, in place of the reference: a quarter of the error at half the elasticity."""
    errors = []
    for elasticity in (0.1, 0.05, 0.025):
        own = (*BARE, f"elasticity={elasticity}")
        _, filing = filed("textbook", "filed", *own)
        happens = solve_equilibrium(preset_economy("textbook", *own), filing.tariff, certify=False)
        errors.append(np.abs(filing.predicted.net_load_kw - happens.net_load_kw).max())
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(4.0, rel=0.05)


@pytest.mark.parametrize(("preset", "tariff"), [("textbook", "flat"), ("textbook", "filed"), ("california", "filed")])
def test_filed_rates_bring_what_the_energy_sold_costs_at_the_margin_and_the_charge_the_rest(
    preset: str, tariff: str
) -> None:
    in_force, found = filed(preset, tariff, SMALL)
    economy = in_force.economy
    imports = sum(
        one.share * (flow.frequency * answer.outcome.imported_kw).sum(axis=(2, 3))
        for one, answer, flow in zip(economy.types, in_force.answer.responses, in_force.answer.flows, strict=True)
    )
    weight = economy.common.probability[:, None] * economy.slot_hours
    cost = float((weight * imports * social_marginal_cost(in_force)).sum())
    assert float(found.rates_usd_per_kwh @ found.imports_kwh_per_day) == pytest.approx(cost, rel=1e-12)
    assert found.imports_kwh_per_day.sum() == pytest.approx((weight * imports).sum(), rel=1e-12)
    assert found.frozen.surplus_usd_per_household_day == pytest.approx(0.0, abs=1e-12)
    assert np.array_equal(found.frozen.net_load_kw, in_force.net_load_kw)
    assert found.tariff.recovery is Recovery.POSTED


@pytest.mark.parametrize(("given", "at_zero"), [((), False), (KINK, True)])
def test_the_prediction_is_the_sum_over_all_households_states_and_moves(given: tuple[str, ...], at_zero: bool) -> None:
    """In plain loops over law and policy table, with batteries and solar; who neither buys nor sells does not move."""
    in_force, found = filed("textbook", "filed", SMALL, *given)
    seen_at_zero = False
    economy, tariff = in_force.economy, found.tariff
    old = in_force.rates.import_usd_per_kwh[0], in_force.rates.export_usd_per_kwh[0]
    for k, household in enumerate(economy.types):
        policy, law = in_force.policies[k], in_force.laws[k]
        for h in (7, 12, 18):
            load = 0.0
            bought = (tariff.energy_usd_per_kwh[0, h] - old[0][h]) / 0.185
            credit = tariff.export_usd_per_kwh[0, h]
            earns = min(credit, tariff.energy_usd_per_kwh[0, h]) if tariff.capped_at_import else credit
            sold = (earns - old[1][h]) / 0.185
            for e, z in np.ndindex(law.shape[2:]):
                for j in range(policy.moves.size):
                    net, use = policy.net_load_kw[0, h, z, j], policy.use_kw[0, h, z, j]
                    seen_at_zero |= net == 0 and law[0, h, e, z] * policy.probability[0, h, e, z, j] > 0.01
                    step = bought if net > 0 else sold if net < 0 else 0.0
                    load += (
                        law[0, h, e, z] * policy.probability[0, h, e, z, j] * (net - household.elasticity * use * step)
                    )
            assert found.predicted.type_net_load_kw[k, 0, h] == pytest.approx(load, abs=1e-9)
    assert seen_at_zero == at_zero


def test_a_step_that_would_take_use_below_nothing_stops_there_and_says_so() -> None:
    in_force, found = filed("textbook", "filed", *BARE)
    assert not found.predicted.floored
    far = predict(in_force, found.tariff, elasticity=1e3)
    assert far.floored
    assert far.net_load_kw.min() == 0.0


def test_own_rates_after_a_discount_move_use() -> None:
    """California's low-income households pay 65 % of the rate, and of its change."""
    in_force, found = filed("california", "filed", SMALL)
    economy = in_force.economy
    apart = found.tariff.energy_usd_per_kwh[economy.common.today] - in_force.rates.import_usd_per_kwh
    for k, household in enumerate(economy.types):
        if household.technology == "none":
            kept = 0.65 if household.income_group == "low" else 1.0
            step = 1 - household.elasticity * kept * apart / household.reference_price_usd_per_kwh
            assert found.predicted.type_net_load_kw[k] == pytest.approx(in_force.type_net_load_kw[k] * step, rel=1e-12)


def test_fixed_charges_keep_the_proportions_that_are_in_force() -> None:
    """California posts 6.00, 12.08 and 24.15 USD a month; the textbook's graduated tariff has a shape alone."""
    _, posted = filed("california", "filed", SMALL)
    charge = posted.tariff.fixed_charge_usd_per_day
    assert charge / charge[1] == pytest.approx(np.array([0.19713, 0.39688, 0.79343]) / 0.39688, rel=1e-12)
    _, shaped = filed("textbook", "income_graduated", SMALL)
    charge = shaped.tariff.fixed_charge_usd_per_day
    assert charge / charge[0] == pytest.approx([1.0, 2.0, 4.0], rel=1e-12)
