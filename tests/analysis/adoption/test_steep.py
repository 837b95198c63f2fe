"""Shares that answer themselves where a dollar moves a whole group."""

import numpy as np
import pytest

from meanwatt.analysis.adoption.fixed_point import fixed_point
from meanwatt.analysis.adoption.homes import homes_of
from meanwatt.analysis.adoption.market import AdoptionMarket, fit
from meanwatt.model.mean_field.equilibrium import Outcome
from meanwatt.model.progress.watch import Watch
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

STEEPEST = 200.0


def test_the_point_is_found_and_is_the_logit_of_its_own_bills() -> None:
    """Solar alone, so that one number per group answers; checked with the logit in plain NumPy."""
    changes = {"battery_share_scale": 0, "adoption.sensitivity_per_kusd": STEEPEST}
    scenario = load_scenario("textbook", overrides=changes, tariff="rtp")
    homes, watch = homes_of(build_economy(scenario)), Watch()
    before = build_tariff(load_scenario("textbook", overrides=changes))
    today = AdoptionMarket(homes, before, homes.by_group("subsidy_share_today"), watch).at(homes.today)
    market = AdoptionMarket(homes, build_tariff(scenario), homes.by_group("subsidy_share"), watch)
    constants = fit(homes, today)
    point = fixed_point(market, constants, "none")
    assert point.outcome is Outcome.CONVERGED
    first = point.standing.share
    found = market.at(first)
    names = [technology.name for technology in homes.technologies]
    none, solar = names.index("none"), names.index("pv")
    for group in np.flatnonzero(homes.today[:, solar] > 0):
        gain = found.worth.npv_usd[group, solar] - today.worth.npv_usd[group, solar]
        odds = homes.today[group, solar] / homes.today[group, none] * np.exp(STEEPEST * gain / 1000)
        assert first[group, solar] == pytest.approx(odds / (1 + odds), abs=5e-3)
    inside = (first > 0.01) & (first < 0.99) & (homes.today > 0)
    gains = np.abs(found.worth.npv_usd - today.worth.npv_usd)[inside]
    assert gains.max(initial=0.0) < 50.0  # who is of two minds gains next to nothing
    assert np.abs(first - homes.today).max() > 0.05
