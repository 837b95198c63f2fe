"""How full batteries are: the market's mean lies where the mean field and its band say."""

import numpy as np
import pytest

from meanwatt.analysis.simulation.charge import TENTHS, expect_charge
from meanwatt.analysis.simulation.expectation import DEVIATIONS
from meanwatt.model.market.home_day import Morning
from meanwatt.model.market.levels_lived import levels_lived
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

HOMES, DAYS = 4_000, 12
SIGMAS = 5.0


def found(**overrides: float) -> Equilibrium:
    scenario = load_scenario("oahu", tariff="filed", overrides=overrides)
    economy = build_economy(scenario)
    return solve_equilibrium(economy, build_tariff(scenario), tolerance_usd_per_kwh=1e-5, certify=False)


def test_the_markets_batteries_are_as_full_as_the_mean_field_says_up_to_sampling_and_as_scattered() -> None:
    """At the end of each hour; the size of the deviations is that of the band, where it is not tiny."""
    equilibrium = found()
    charge = expect_charge(equilibrium)
    assert charge is not None
    market = ProsumerMarket(equilibrium.economy, households=HOMES, policies=equilibrium, rng=4, power_flow=False)
    capacity = [own.battery.capacity_kwh if own.battery else 0.0 for own in market.household_types]
    holds = float(market.population.count @ np.array(capacity)) / HOMES
    apart = []
    for _ in range(DAYS):
        market.step()
        record = market.history[-1]
        spread = charge.spread[record.common_state] / np.sqrt(HOMES)
        off = record.stored_kwh / holds - charge.share[record.common_state]
        wide = charge.spread[record.common_state] > 0.05
        apart.append((off / spread)[wide])
    scaled = np.concatenate(apart)
    assert np.abs(scaled).max() < SIGMAS
    assert 0.5 < np.sqrt(np.mean(scaled**2)) < 1.6  # hours of one night are not independent
    market.close()


def test_the_band_narrows_with_the_root_of_the_homes_and_stays_between_empty_and_full() -> None:
    charge = expect_charge(found())
    assert charge is not None
    low, high = charge.band(10)
    assert (low >= 0).all()
    assert (high <= 1).all()
    narrow, wide = (np.subtract(*charge.band(homes)[::-1]) for homes in (400, 100))
    inside = (charge.band(100)[0] > 0) & (charge.band(100)[1] < 1)
    assert inside.sum() > 10
    assert 2 * narrow[inside] == pytest.approx(wide[inside], rel=1e-9)
    assert wide[inside] == pytest.approx(2 * DEVIATIONS * charge.spread[inside] / 10, rel=1e-9)


def test_the_share_at_midnight_is_that_of_the_laws_of_the_morning() -> None:
    """What the mean field has in its batteries after the last hour, over the weather, it has before the first."""
    equilibrium = found()
    charge = expect_charge(equilibrium)
    assert charge is not None
    economy = equilibrium.economy
    stored = sum(
        own.share * own.battery.level_kwh * np.einsum("cez,e->c", law[:, 0], np.arange(own.levels))
        for own, law in zip(economy.types, equilibrium.laws, strict=True)
        if own.battery is not None
    )
    probability = economy.common.probability
    assert probability @ charge.share[:, -1] == pytest.approx(probability @ (stored / charge.capacity_kwh), abs=1e-6)


def test_a_town_without_batteries_has_no_charge() -> None:
    assert expect_charge(found(battery_share_scale=0.0)) is None


def test_a_tenth_of_the_markets_batteries_is_emptier_and_fuller_than_the_mean_fields_tenths() -> None:
    """Shares of the homes at or below the tenths, each within binomial error of the law's, which has atoms."""
    equilibrium = found()
    charge = expect_charge(equilibrium)
    assert charge is not None
    market = ProsumerMarket(equilibrium.economy, households=HOMES, policies=equilibrium, rng=6, power_flow=False)
    morning = Morning.of(market.population)
    market.step()
    kinds = [kind for kind, own in enumerate(market.household_types) if own.battery is not None]
    full = np.concatenate(
        [levels_lived(market, morning, kind) / (market.household_types[kind].levels - 1) for kind in kinds], axis=1
    )
    low, high = charge.tenths[:, market.common_state]
    error = SIGMAS * 0.5 / np.sqrt(full.shape[1])
    for ends, tenth in ((low, TENTHS[0]), (high, TENTHS[1])):
        below, upto = (full < ends[:, None] - 1e-9).mean(axis=1), (full <= ends[:, None] + 1e-9).mean(axis=1)
        assert (below < tenth + error).all()
        assert (upto > tenth - error).all()
    assert (high - low).max() > 0.1  # there is something to tell
    market.close()
