"""The market draws the plans between which households part, and counts the sun that is not used."""

from dataclasses import replace

import numpy as np
import pytest
from scenarios import WEATHER, small_economy, small_household, small_tariff

from meanwatt.agents.behaviour.protocol import Situation
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.stepwise_day import DayBySlot
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.supply import SupplyCurve


class Follows:
    """A household that makes the planned move in Python."""

    def move(self, situation: Situation) -> int:
        """The plan's own move."""
        return situation.planned_move


@pytest.fixture(scope="module")
def toy() -> Equilibrium:
    """Credits ten cents above imports: of households with as much sun as load 94 % buy and 6 % sell."""
    base = small_economy(weather=np.ones((1, 1)), temperature_usd=0.02)
    home = small_household(
        1,
        base.slots,
        technology="pv",
        battery=None,
        elasticity=0.5,
        flexibility=0.9,
        reference_kw=np.ones((1, base.slots)),
        pv_kw=np.ones((1, base.slots)),
    )
    economy = replace(
        base,
        types=(home,),
        rest_load_kw=np.full((1, base.slots), -0.11),
        shock_levels=np.ones(1),
        shock_kernel=np.ones((1, 1)),
        shock_probability=np.ones(1),
        supply=SupplyCurve.polynomial([0.15, 0.3]),
    )
    tariff = small_tariff(economy, energy_usd_per_kwh=np.zeros((1, 3)), export_usd_per_kwh=np.full((1, 3), 0.1))
    return solve_equilibrium(economy, tariff)


@pytest.fixture(scope="module")
def parting() -> Equilibrium:
    """Households with and without batteries, sun curtailed and credits above imports, three kinds of weather."""
    economy = replace(small_economy(temperature_usd=0.02), supply=SupplyCurve.polynomial([-0.1, 0.2]))
    credit = np.full((len(WEATHER), economy.slots), 0.2)
    return solve_equilibrium(economy, small_tariff(economy, export_usd_per_kwh=credit), certify=False)


@pytest.fixture(scope="module")
def calm() -> Equilibrium:
    """The same in one kind of weather, so that nothing but the number of households keeps a market from its limit."""
    economy = small_economy(weather=np.ones((1, 1)), temperature_usd=0.02, seed=3)
    economy = replace(economy, supply=SupplyCurve.polynomial([-0.1, 0.3]))
    credit = np.full((1, economy.slots), 0.15)
    return solve_equilibrium(economy, small_tariff(economy, export_usd_per_kwh=credit), certify=False)


def expected_curtailed_kw(found: Equilibrium) -> np.ndarray:
    """Mean sun not used, (c, h)."""
    total = np.zeros_like(found.net_load_kw)
    for household, response, flow in zip(found.economy.types, found.answer.responses, found.answer.flows, strict=True):
        if response.outcome.curtailed_kw is not None:
            total += household.share * (flow.frequency * response.outcome.curtailed_kw).sum(axis=(2, 3))
    return total


def test_households_at_a_tie_follow_either_plan_as_often_as_the_market_needs(toy: Equilibrium) -> None:
    market = ProsumerMarket(toy.economy, policies=toy, tariff=toy.tariff, households=20_000, power_flow=False, rng=1)
    market.step()
    load_kw = market.population.energy_kwh / market.slot_hours
    assert np.abs(np.abs(load_kw) - 0.125).max() <= 1e-6
    buying = (load_kw > 0).mean()
    assert buying == pytest.approx(0.94, abs=5 * np.sqrt(0.94 * 0.06 / load_kw.size))
    assert market.history[-1].wholesale_usd_per_kwh == pytest.approx(0.15, abs=0.3 * 5 * 0.06 / np.sqrt(20_000))


def test_the_error_of_the_market_falls_with_its_size_where_households_part(calm: Equilibrium) -> None:
    assert any(policy.split is not None and policy.split.parts.any() for policy in calm.policies)
    errors = []
    for households in (100, 10_000):
        market = ProsumerMarket(
            calm.economy, policies=calm, tariff=calm.tariff, households=households, power_flow=False, rng=1
        )
        square = []
        for _ in range(20):
            market.step()
            record = market.history[-1]
            square.append((record.net_load_kw - calm.net_load_kw[record.common_state]) ** 2)
        errors.append(float(np.sqrt(np.mean(square))))
    assert errors[1] < errors[0] / 3  # a tenth, by the square root of the number


def test_the_market_curtails_what_the_continuum_does_and_its_use_adds_up(calm: Equilibrium) -> None:
    expected = expected_curtailed_kw(calm)
    assert expected.max() > 0.01
    market = ProsumerMarket(calm.economy, policies=calm, tariff=calm.tariff, households=10_000, power_flow=False, rng=1)
    for _ in range(6):
        market.step()
        record = market.history[-1]
        assert record.curtailed_kw == pytest.approx(expected[record.common_state], abs=0.02)
    assert (market.history.slots["curtailed_kw"] >= 0).all()
    last = market.history[-1].common_state
    use = sum(
        t.share * (f.frequency * r.outcome.use_kw).sum(axis=(2, 3))
        for t, r, f in zip(calm.economy.types, calm.answer.responses, calm.answer.flows, strict=True)
    )
    assert market.history[-1].use_kw == pytest.approx(use[last], abs=0.02)


def test_households_who_follow_in_python_draw_the_same_plans_as_the_kernel(parting: Equilibrium) -> None:
    markets = [
        ProsumerMarket(parting.economy, policies=parting, tariff=parting.tariff, households=60, power_flow=False, rng=1)
        for _ in range(2)
    ]
    for household in range(0, 60, 2):
        markets[1].strategies[household] = Follows()
    for _ in range(6):
        for market in markets:
            market.step()
        assert markets[0].day_digest == markets[1].day_digest
        one, other = (market.history[-1] for market in markets)
        assert (one.curtailed_kw == other.curtailed_kw).all()
        assert (one.use_kw == other.use_kw).all()
        assert (one.bill_usd == other.bill_usd).all()


def test_a_day_by_slots_meets_the_same_plans(parting: Equilibrium) -> None:
    markets = [
        ProsumerMarket(parting.economy, policies=parting, tariff=parting.tariff, households=40, power_flow=False, rng=1)
        for _ in range(2)
    ]
    for _ in range(4):
        markets[0].step()
        day = DayBySlot(markets[1], [3, 17, 39], np.zeros(parting.economy.slots))
        readings = []
        while not day.over:
            settled = day.play([situation.planned_move for situation in day.situations])
            readings.append(settled.energy_kwh)
        assert markets[0].day_digest == markets[1].day_digest
        assert np.transpose(readings) == pytest.approx(markets[0].population.energy_kwh[[3, 17, 39]])


def test_other_moves_go_with_plans_drawn_by_their_shares(parting: Equilibrium) -> None:
    """A household that always stands still follows each plan for it as often as the share says."""

    class Stands:
        def move(self, situation: Situation) -> int:
            return 0

    market = ProsumerMarket(
        parting.economy, policies=parting, tariff=parting.tariff, households=400, power_flow=False, rng=1
    )
    for household in range(400):
        market.strategies[household] = Stands()
    seen: dict[tuple[int, int, int, int], list[float]] = {}
    for _ in range(25):
        market.step()
        assert market.strategy_replay is not None
        for household, (_, shock, _) in market.strategy_replay.paths.items():
            kind = market.population.type_of(household)
            for h, z in enumerate(shock):
                key = (kind, market.common_state, h, int(z))
                seen.setdefault(key, []).append(float(market.population.energy_kwh[household, h]))
    checked = 0
    for (kind, c, h, z), readings in seen.items():
        policy = parting.policies[kind]
        j = int(np.flatnonzero(policy.moves == 0)[0])
        if policy.split is None or not policy.split.parts[c, h, z, j] or len(readings) < 200:
            continue
        checked += 1
        spread = float(np.ptp(policy.split.net_load_kw[c, h, z, j])) * market.slot_hours
        mean = policy.net_load_kw[c, h, z, j] * market.slot_hours
        assert np.mean(readings) == pytest.approx(mean, abs=5 * spread / np.sqrt(len(readings)))
    assert checked
    economy: Economy = market.economy
    assert economy is parting.economy
