"""What a solution says of credits capped, sun not used, laws and values not settled, and when it says nothing."""

from dataclasses import replace

import numpy as np
import pytest
from scenarios import small_economy, small_tariff

from meanwatt.model.mean_field.equilibrium import solve_equilibrium
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.supply import SupplyCurve


def sunny() -> Economy:
    """Prices below zero whenever more than a little sun is exported."""
    economy = small_economy(weather=np.ones((1, 1)), temperature_usd=0.02)
    return replace(economy, supply=SupplyCurve.polynomial([-0.15, 0.3]))


def test_a_cap_that_binds_is_said_with_where_and_by_how_much() -> None:
    economy = small_economy(weather=np.ones((1, 1)))
    credit = np.array([[0.05, 0.02, 0.0]])  # imports cost the wholesale price and two cents
    tariff = small_tariff(economy, export_usd_per_kwh=credit, capped_at_import=True)
    found = solve_equilibrium(economy, tariff, certify=False)
    (said,) = [one for one in found.messages if "capped_at_import" in one]
    assert said == (
        "tariff.export.capped_at_import = true: the posted export credit is cut to the import rate in 1 of 3 slots,"
        " by up to 0.03 USD/kWh; false pays it as posted."
    )
    assert found.rates.export_usd_per_kwh[0, 0] == found.rates.import_usd_per_kwh[0, 0]


def test_a_discount_makes_a_cap_bind_for_its_group_and_a_credit_that_is_paid_is_not_mentioned() -> None:
    economy = small_economy(weather=np.ones((1, 1)))
    settings = {"export_usd_per_kwh": np.full((1, 3), 0.02), "discount": np.array([0.5, 0.0])}
    capped = solve_equilibrium(economy, small_tariff(economy, **settings, capped_at_import=True), certify=False)
    assert any("in 3 of 3 slots" in one for one in capped.messages)
    paid = solve_equilibrium(economy, small_tariff(economy, **settings), certify=False)
    assert not any("capped" in one for one in paid.messages)


def test_curtailed_solar_output_is_what_the_balance_of_every_household_lacks() -> None:
    """Load = use + battery − sun + curtailed; the sentence gives its day and its share of the sun."""
    economy = sunny()
    found = solve_equilibrium(economy, small_tariff(economy, energy_usd_per_kwh=np.zeros((1, 3))), certify=False)
    forced = replace(economy, types=tuple(replace(one, curtailable=False) for one in economy.types))
    unused = np.zeros_like(found.net_load_kw)
    for k, (household, response, flow) in enumerate(
        zip(economy.types, found.answer.responses, found.answer.flows, strict=True)
    ):
        outcome = response.outcome
        battery = np.zeros(outcome.moves.size)
        if household.battery is not None:
            charge = outcome.moves * household.battery.level_kwh / economy.slot_hours
            battery = np.where(charge > 0, charge / 0.95, charge * 0.9)
        spilt = household.pv_kw[:, :, None, None] - (outcome.use_kw + battery - outcome.net_load_kw)
        unused += economy.type_share[k] * (flow.frequency * spilt).sum(axis=(2, 3))
    assert unused.max() > 0.01
    assert found.curtailed_kw == pytest.approx(unused, abs=1e-9)
    sun = sum(one.share * one.pv_kw for one in economy.types).sum() * economy.slot_hours
    kwh = found.curtailed_kw.sum() * economy.slot_hours
    assert any(
        one.startswith(
            f"pv.curtailable = true: inverters hold back {kwh:.3g} kWh per household-day, {kwh / sun:.2%} of"
        )
        for one in found.messages
    )
    without = solve_equilibrium(forced, small_tariff(forced, energy_usd_per_kwh=np.zeros((1, 3))), certify=False)
    assert not without.curtailed_kw.any()
    assert not any("curtailable" in one for one in without.messages)


def test_a_law_or_values_left_unsettled_are_said_with_how_far_and_why() -> None:
    economy = small_economy(weather=np.ones((1, 1)), temperature_usd=0.02)
    found = solve_equilibrium(economy, small_tariff(economy), certify=False)
    where = next(k for k, household in enumerate(economy.types) if household.battery is not None)
    name, states = economy.types[where].name, found.laws[where][:, 0].size
    assert not any("battery_levels, memory" in one for one in found.messages)

    def said(*, defect: float = 0.0, converged: bool = True, span_usd: float = 0.0) -> list[str]:
        flows, responses = list(found.answer.flows), list(found.answer.responses)
        flows[where] = replace(flows[where], defect=defect)
        responses[where] = replace(responses[where], converged=converged, span_usd=span_usd)
        answer = replace(found.answer, flows=tuple(flows), responses=tuple(responses))
        return [one for one in replace(found, answer=answer).messages if "battery_levels, memory" in one]

    assert said(defect=2e-3) == [
        f"battery_levels, memory: where households of type {name} come to rest is known to about 2.0e-03 of them only,"
        f" {states} midnight states are too many for a linear system and their days mix slowly; fewer of either, or a"
        " higher temperature_usd, help."
    ]
    assert said(converged=False, span_usd=3e-5) == [
        f"battery_levels, memory: what households of type {name} gain is known to 3.0e-05 USD/day only, plans on"
        f" {states} midnight states did not settle; fewer of either, or discount_per_day below 1, help."
    ]
    assert not said(defect=1e-9)
    assert not said(converged=False, span_usd=1e-12)
