"""One home's day is what the market's meters and accounts say of it, and its reasons are those of its plan."""

import numpy as np
import pytest

from meanwatt.agents.behaviour.protocol import Situation
from meanwatt.agents.household.stored_worth import stored_worth_usd_per_kwh, value_ahead_usd
from meanwatt.agents.numerics.softmax import softmax
from meanwatt.model.market.home_day import HomeDay, Morning, home_day
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.mean_field.population.population_response import decision_problem
from meanwatt.model.network.located_economy import build_located_economy
from meanwatt.model.scenario.economy import build_tariff
from meanwatt.model.scenario.loading import load_scenario


class StandsStill:
    """A household that leaves its battery alone wherever it may."""

    def move(self, now: Situation) -> int:
        """Stand still."""
        return 0 if 0 in now.moves else now.planned_move


DAYS = 3
HOMES = 300
SINGLE_PRECISION = 2.0**-23


BY_BRANCH = {"feeder.branches.north": ["village"], "tariff.branch_adder_usd_per_kwh.north": 0.1}


@pytest.fixture(scope="module", params=["oahu", "california", "textbook"])
def found(request: pytest.FixtureRequest) -> Equilibrium:
    textbook = request.param == "textbook"
    scenario = load_scenario(
        request.param, tariff="flat" if textbook else "filed", overrides=BY_BRANCH if textbook else {}
    )
    economy = build_located_economy(scenario)
    return solve_equilibrium(economy, build_tariff(scenario), tolerance_usd_per_kwh=1e-5, certify=False)


def lived(found: Equilibrium, *, days: int = DAYS) -> tuple[ProsumerMarket, Morning, np.ndarray]:
    """A market after some days, where households stood before the last one, and their accounts then."""
    market = ProsumerMarket(found.economy, households=HOMES, policies=found, rng=(3, 1))
    for _ in range(days - 1):
        market.step()
    morning, before = Morning.of(market.population), market.population.bill_usd.copy()
    market.step()
    return market, morning, before


def some(market: ProsumerMarket) -> list[int]:
    """The first and the last household of every type."""
    people = market.population
    rows = [people.of_type(kind) for kind in range(people.types)]
    return [at for row in rows if row.start < row.stop for at in (row.start, row.stop - 1)]


def test_a_homes_day_is_what_its_meter_its_account_and_its_agent_say_to_the_bit(found: Equilibrium) -> None:
    market, morning, before = lived(found)
    for household in some(market):
        day, agent = home_day(market, morning, household), market.prosumer(household)
        assert np.array_equal(day.net_load_kw, agent.net_load_kw)
        assert (day.level[0], day.level[-1]) == (morning.level[household], agent.level)
        assert before[household] + day.bill_usd == agent.bill_usd_to_date
        assert (day.type, day.stored_kwh[-1]) == (agent.type, agent.stored_kwh)
        assert sum(day.parts_usd.values()) == pytest.approx(day.bill_usd, abs=1e-12)
    market.close()


def test_net_load_is_use_and_battery_less_the_sun_that_is_used_and_the_charge_stays_on_the_grid(
    found: Equilibrium,
) -> None:
    market, morning, _ = lived(found)
    for household in some(market):
        day = home_day(market, morning, household)
        behind = day.use_kw + day.battery_kw - (day.solar_kw - day.curtailed_kw)
        size = np.abs(day.net_load_kw).max()
        assert day.net_load_kw == pytest.approx(behind, abs=SINGLE_PRECISION * size)
        assert np.array_equal(np.diff(day.level), day.move)
        assert 0 <= day.level.min() <= day.level.max() < max(day.type.levels, 1)
    market.close()


def test_the_homes_of_a_bus_add_up_to_its_load_in_the_power_flow(found: Equilibrium) -> None:
    market, _, _ = lived(found)
    people, grid = market.population, market.history[-1].grid
    assert grid is not None
    assert market.power_flow is not None
    for bus in range(people.buses):
        homes = np.flatnonzero(people.bus == bus)
        load = people.energy_kwh[homes].sum(axis=0, dtype=np.float64) / market.slot_hours
        carried = grid.net_load_kw[:, bus]
        assert load * market.power_flow.customers_per_household == pytest.approx(carried, abs=1e-6)
    market.close()


def test_all_homes_bills_add_up_to_the_utilitys_revenue(found: Equilibrium) -> None:
    market, morning, _ = lived(found, days=1)
    days: list[HomeDay] = [home_day(market, morning, household) for household in range(HOMES)]
    assert sum(day.bill_usd for day in days) == pytest.approx(market.history[-1].account.revenue_usd, abs=1e-6)
    market.close()


def test_the_worth_of_a_kwh_kept_and_the_reward_make_the_policy(found: Equilibrium) -> None:
    """π = softmax((r + value ahead) / η): the values that the worth is the slope of are those it plans by."""
    ahead_of = decision_problem(found.economy)
    for household, response in zip(found.economy.types, found.answer.responses, strict=True):
        if household.battery is None:
            assert stored_worth_usd_per_kwh(response, ahead_of).shape[-1] == 0
            continue
        ahead, moves = value_ahead_usd(response, ahead_of), response.policy.moves
        target = np.arange(household.levels)[:, None] + moves
        inside = (target >= 0) & (target < household.levels)
        chosen = household.storage_day(found.economy.slot_hours).choice.chosen
        worth = ahead[..., np.clip(target, 0, household.levels - 1)]  # (c, h, z, e, j)
        q = response.outcome.valued_usd[:, :, :, None] + worth
        q = np.where(inside & response.policy.open_moves[None, :, None], q, -np.inf).swapaxes(2, 3)
        planned = softmax(q[:, chosen], ahead_of.temperature_usd)
        assert planned == pytest.approx(response.policy.probability[:, chosen], abs=1e-6)
        slope = stored_worth_usd_per_kwh(response, ahead_of)
        assert slope * household.battery.level_kwh == pytest.approx(np.diff(ahead, axis=-1), abs=1e-12)


def test_a_home_that_is_not_there_or_has_no_day_is_refused_in_one_line(found: Equilibrium) -> None:
    market = ProsumerMarket(found.economy, households=HOMES, policies=found, rng=5)
    morning = Morning.of(market.population)
    with pytest.raises(ValueError, match=r"no day has been simulated yet; call step\(\) first"):
        home_day(market, morning, 0)
    market.step()
    with pytest.raises(ValueError, match=f"household is {HOMES}; give an id from 0 to {HOMES - 1}"):
        home_day(market, morning, HOMES)
    owner = int(np.flatnonzero(market.population.level)[0])
    market.prosumer(owner).strategy = StandsStill()
    morning = Morning.of(market.population)
    market.step()
    with pytest.raises(ValueError, match=f"household {owner} did not follow its policy on day 1; ask its strategy"):
        home_day(market, morning, owner)
    market.close()
