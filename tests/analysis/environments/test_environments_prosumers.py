"""Prosumers as agents: the market's own physics and bills, the official checkers, seeds, and what is refused."""

import copy
import pickle
import re
from typing import Any

import numpy as np
import pytest
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test
from scenarios import solved

from meanwatt.agents.household.battery import grid_power_kw
from meanwatt.agents.household.household_type import HouseholdType
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.analysis.environments import ProsumersEnv
from meanwatt.analysis.environments.prosumers import env as one_at_a_time
from meanwatt.analysis.environments.prosumers import parallel_env
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.scenario.economy import Economy, build_economy
from meanwatt.model.scenario.loading import load_scenario

Infos = dict[str, dict[str, Any]]


def small(**settings: Any) -> ProsumersEnv:
    """Three agents of 40 households whose tariff is posted: nothing is solved."""
    return ProsumersEnv(
        **{"prosumers": 3, "households": 40, "days": 2, "tariff": "filed", "behaviour": "passive"} | settings
    )


def follow_the_plan(env: ProsumersEnv, infos: Infos) -> list[Infos]:
    """Play an episode as the market's behaviour would; return the infos of every step."""
    seen = []
    while env.agents:
        *_, infos = env.step({agent: infos[agent]["planned_action"] for agent in env.agents})
        seen.append(infos)
    return seen


def play_at_random(env: ProsumersEnv, seed: int) -> tuple[list[dict[str, float]], list[Infos], Infos]:
    """Play an episode with open actions drawn uniformly; return rewards and infos by step, and the first infos."""
    rng = np.random.default_rng(seed)
    observations, first = env.reset(seed=seed)
    rewards, infos = [], []
    while env.agents:
        actions = {a: int(rng.choice(np.flatnonzero(observations[a]["action_mask"]))) for a in env.agents}
        observations, reward, _, _, info = env.step(actions)
        rewards.append(reward)
        infos.append(info)
    return rewards, infos, first


@pytest.fixture(scope="module")
def weathered() -> Economy:
    """Two kinds of days, remembered for one day: four common states."""
    base = load_scenario("textbook")
    plain = base.day_types["typical"].model_dump()
    days = {"sunny": plain | {"rest_load_kw": -0.1}, "cloudy": plain | {"pv_factor": 0.2, "rest_load_kw": 0.3}}
    table = base.model_dump() | {"day_types": days, "day_type_kernel": [[0.7, 0.3], [0.4, 0.6]], "memory": 1}
    return build_economy(type(base).model_validate(table))


@pytest.mark.parametrize("prosumers", [4, 15])
def test_playing_the_equilibrium_gives_the_meters_of_the_market_bit_for_bit(prosumers: int) -> None:
    """With a few agents beside the kernel's households, and with every battery owner as an agent."""
    found = solved("textbook", "flat")
    env = ProsumersEnv(found.economy, prosumers=prosumers, households=100, days=3)
    _, infos = env.reset(seed=5)
    follow_the_plan(env, infos)
    market = ProsumerMarket(found.economy, households=100, behaviour="equilibrium", rng=5, power_flow=False)
    for _ in range(3):
        market.step()
    assert env.market.day_digest == market.day_digest
    assert (env.market.population.bill_usd == market.population.bill_usd).all()
    for name in ("net_load_kw", "wholesale_usd_per_kwh", "stored_kwh"):
        assert (env.market.history.stacked(name) == market.history.stacked(name)).all()


def test_drawing_from_the_policy_table_by_ones_own_generator_gives_the_markets_law() -> None:
    """Mean net load of 15 agents over 40 days against the mean field's, slot by slot, within 4.5 standard errors.

    Days of one household are correlated through its charge, so the error is taken from the 15 · 8 means over 5 days.
    """
    found = solved("textbook", "flat")
    env = ProsumersEnv(found.economy, prosumers=15, households=100, days=40)
    _, infos = env.reset(seed=3)
    people, rng = env.market.population, np.random.default_rng(8)
    kinds = [people.type_of(household) for household in env.household.values()]
    energy = []
    while env.agents:
        actions = {
            agent: int(rng.choice(len(row), p=row))
            for agent, kind in zip(env.agents, kinds, strict=True)
            for row in [_row(found.policies[kind], infos[agent])]
        }
        *_, infos = env.step(actions)
        energy.append([info["energy_kwh"] for info in infos.values()])
    load = np.array(energy).reshape(8, 5, 24, 15).mean(axis=1)
    expected = np.array([found.type_net_load_kw[kind, 0] for kind in kinds]).T
    off = load - expected
    error = off.std(axis=(0, 2), ddof=1) / np.sqrt(off.shape[0] * off.shape[2])
    assert (np.abs(off.mean(axis=(0, 2))) < 4.5 * error).all()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
@pytest.mark.parametrize("behaviour", ["equilibrium", "belief=.5,passive=.5"])
def test_a_copy_in_the_middle_of_a_day_plays_on_bit_for_bit(behaviour: str, copied: Any) -> None:
    """As vector environments in processes of their own need it."""
    env = ProsumersEnv(solved("textbook", "flat").economy, prosumers=3, households=60, days=2, behaviour=behaviour)
    env.reset(seed=5)
    for _ in range(30):  # into the second day
        *_, infos = env.step(dict.fromkeys(env.agents, 4))
    twin = copied(env)
    one, other = follow_the_plan(env, infos), follow_the_plan(twin, copied(infos))
    assert [sorted(seen) for seen in one] == [sorted(seen) for seen in other]
    for mine, theirs in zip(one, other, strict=True):
        for agent in mine:
            assert all(np.array_equal(mine[agent][name], theirs[agent][name]) for name in mine[agent])
    assert twin.market.day_digest == env.market.day_digest
    twin.reset(seed=6)
    env.close()
    twin.close()


def _row(policy: PolicyTable, info: dict[str, Any]) -> np.ndarray:
    return np.asarray(policy.probability[info["common_state"], info["slot"], info["level"], info["shock"]])


def test_payments_add_up_to_the_markets_bills_whatever_is_played(weathered: Economy) -> None:
    env = ProsumersEnv(weathered, tariff="rtp", behaviour="passive", prosumers=6, households=60, days=2)
    _, infos, _ = play_at_random(env, 2)
    market = env.market
    groups = [market.household_types[market.population.type_of(i)].group for i in env.household.values()]
    fixed = market.utility.fixed_charge_usd_per_day[groups]
    for agent, charge, household in zip(env.possible_agents, fixed, env.household.values(), strict=True):
        days = np.array([info[agent]["payment_usd"] for info in infos]).reshape(2, 24).sum(axis=1)
        bills = [info[agent]["bill_usd"] for info in infos if "bill_usd" in info[agent]]
        assert days + charge == pytest.approx(bills, rel=1e-9)
        assert sum(bills) == pytest.approx(market.population.bill_usd[household], rel=1e-12)
        meter = [info[agent]["energy_kwh"] for info in infos[24:]]
        assert (market.population.energy_kwh[household] == np.float32(meter)).all()
    prices = np.array([info["prosumer_0"]["wholesale_usd_per_kwh"] for info in infos]).reshape(2, 24)
    assert prices == pytest.approx(market.history.stacked("wholesale_usd_per_kwh"), rel=1e-9)


def test_a_reward_is_utility_less_wear_less_payment_worked_out_from_the_meter(weathered: Economy) -> None:
    """Use follows from the meter, the sun and the move; U(q) = p0[(q − q0) − (q − q0)²/(2εq0)]."""
    env = ProsumersEnv(weathered, tariff="rtp", behaviour="passive", prosumers=5, households=60, days=3)
    rewards, infos, first = play_at_random(env, 4)
    market = env.market
    before = [first, *infos[:-1]]
    for agent, household in env.household.items():
        own = market.household_types[market.population.type_of(household)]
        assert own.battery is not None
        for reward, at, info in zip(rewards, before, infos, strict=True):
            c, h = at[agent]["common_state"], at[agent]["slot"]
            move = np.array([info[agent]["move"]])
            battery_kw = float(grid_power_kw(own.battery, move, 1.0)[0])
            use = info[agent]["energy_kwh"] + own.pv_kw[c, h] - battery_kw
            reference = own.reference_kw[c, h] * weathered.shock_levels[at[agent]["shock"]]
            more = use - reference
            worth = own.reference_price_usd_per_kwh * (more - more**2 / (2 * own.elasticity * reference))
            wear = abs(move[0]) * own.battery.level_kwh * own.battery.wear_usd_per_kwh
            assert reward[agent] == pytest.approx(worth - wear - info[agent]["payment_usd"], abs=1e-6)


def _worth_usd(
    home: HouseholdType, reference_kw: float, use_kw: Any, net_kw: Any, bought: float, sold: float
) -> np.ndarray:
    """Utility of an hour's use less what is paid for its net load."""
    more = use_kw - reference_kw
    enjoyed = home.reference_price_usd_per_kwh * (more - more**2 / (2 * home.elasticity * reference_kw))
    return np.asarray(enjoyed - bought * np.maximum(net_kw, 0) + sold * np.maximum(-net_kw, 0))


@pytest.mark.parametrize("curtailable", [True, False])
@pytest.mark.parametrize(("bought", "sold"), [(0.2, -0.02), (-0.03, -0.05), (-0.03, 0.05), (0.1, 0.15)])
def test_no_use_and_no_curtailment_on_a_grid_brings_an_agent_more(
    bought: float, sold: float, curtailable: bool
) -> None:
    """Rates are posted, so that what comes is what was planned with; curtailed sun is neither used nor paid for."""
    rates = {"tariff.energy_usd_per_kwh": bought, "tariff.export.usd_per_kwh": sold, "pv.curtailable": curtailable}
    env = small(days=1, overrides=rates)
    rewards, infos, first = play_at_random(env, 3)
    spilt = 0.0
    for agent, household in env.household.items():
        own = env.market.household_types[env.market.population.type_of(household)]
        assert own.battery is not None
        for reward, at, info in zip(rewards, [first, *infos[:-1]], infos, strict=True):
            c, h, seen = at[agent]["common_state"], at[agent]["slot"], info[agent]
            move = np.array([seen["move"]])
            battery_kw = float(grid_power_kw(own.battery, move, 1.0)[0])
            reference = own.reference_kw[c, h] * env.market.economy.shock_levels[at[agent]["shock"]]
            sun = own.pv_kw[c, h]
            width = own.flexibility * reference
            use = np.linspace(reference - width, reference + width, 801)[:, None]
            used = np.linspace(0.0, sun, 401)[None] if curtailable else np.full((1, 1), sun)
            most = _worth_usd(own, reference, use, use + battery_kw - used, bought, sold).max()
            spilt += seen["curtailed_kwh"]
            assert 0 <= seen["curtailed_kwh"] <= sun + 1e-9
            taken = seen["energy_kwh"] - battery_kw + sun - seen["curtailed_kwh"]
            got = reward[agent] + seen["wear_usd"]
            by_hand = _worth_usd(own, reference, taken, seen["energy_kwh"], bought, sold)
            assert got == pytest.approx(float(by_hand), abs=1e-6)
            assert most - 1e-6 <= got <= most + 0.3 * sun / 400 + 1e-4
    assert (spilt > 0) == (curtailable and min(bought, sold) < 0)
    env.close()


def test_moves_lead_from_level_to_level_and_the_masked_ones_stop_at_the_ends() -> None:
    env = small(days=1)
    _, infos = env.reset(seed=1)
    level = {agent: infos[agent]["level"] for agent in env.agents}
    full, top = False, env.market.economy.scenario.battery_levels - 1
    while env.agents:
        *_, infos = env.step({agent: int(env.action_space(agent).n) - 1 for agent in env.agents})
        for agent, info in infos.items():
            level[agent] += info["move"]
            assert info["level"] == level[agent]
            open_moves = env.moves(agent)[info["action_mask"] == 1]
            assert level[agent] + open_moves.max() <= top
            assert level[agent] + open_moves.min() >= 0
            full |= info["move"] < env.moves(agent)[-1]
    assert full
    assert set(level.values()) == {top}
    assert all(env.market.population.level[household] == top for household in env.household.values())


def test_weather_prices_and_rates_are_observed_as_named(weathered: Economy) -> None:
    env = ProsumersEnv(weathered, tariff="rtp", behaviour="passive", prosumers=2, households=50, days=8)
    observations, infos = env.reset(seed=9)
    names = env.observation_names
    days: list[int] = []
    previous = np.full(24, np.nan)
    while env.agents:
        for agent in env.agents:
            vector = observations[agent]["observation"]
            assert len(vector) == len(names) == 3 + 4 + 3 * 24
            seen = dict(zip(names, vector, strict=True))
            assert seen["slot"] == pytest.approx(infos[agent]["slot"] / 24)
            assert seen["charge"] == pytest.approx(infos[agent]["level"] / (weathered.scenario.battery_levels - 1))
            assert seen["shock"] == pytest.approx(weathered.shock_levels[infos[agent]["shock"]])
            assert seen[f"common_state_{infos[agent]['common_state']}"] == 1
            assert vector[3:7].sum() == 1
            price = np.array([seen[f"wholesale_{h}"] for h in range(24)])
            bought = np.array([seen[f"import_{h}"] for h in range(24)])
            assert bought == pytest.approx(price + 0.025 + env.market.utility.adder_usd_per_kwh, rel=1e-5)
            if infos[agent]["slot"] == 0 and infos[agent]["day"] > 0:
                assert price == pytest.approx(env.market.history[-1].wholesale_usd_per_kwh, rel=1e-5)
            elif infos[agent]["slot"] > 0:
                assert (price[infos[agent]["slot"] :] == previous[infos[agent]["slot"] :]).all()
        previous = price
        if infos["prosumer_0"]["slot"] == 0:
            days.append(infos["prosumer_0"]["common_state"])
        observations, *_, infos = env.step({agent: infos[agent]["planned_action"] for agent in env.agents})
    assert days == [record.common_state for record in env.market.history]
    assert len(set(days)) > 2


def test_all_agents_are_truncated_together_after_the_last_day() -> None:
    env = small()
    env.reset(seed=0)
    steps = 0
    while env.agents:
        observations, rewards, terminated, truncated, infos = env.step(dict.fromkeys(env.agents, 10))
        steps += 1
        assert set(observations) == set(rewards) == set(terminated) == set(infos) == set(env.possible_agents)
        assert not any(terminated.values())
        assert set(truncated.values()) == {steps == 48}
    assert steps == 48
    with pytest.raises(ValueError, match=r"no episode is running; call reset\(\) first"):
        env.step({})


def test_the_official_parallel_checkers_are_satisfied(capsys: pytest.CaptureFixture[str]) -> None:
    parallel_api_test(small(), num_cycles=60)
    parallel_seed_test(small, num_cycles=60)
    assert "Passed Parallel API test" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore:Observation")  # it would rather have a Box than a Dict with a mask
def test_the_official_checker_of_agents_in_turn_is_satisfied(capsys: pytest.CaptureFixture[str]) -> None:
    api_test(one_at_a_time(prosumers=2, households=40, days=1, tariff="filed", behaviour="passive"), num_cycles=60)
    assert "Passed API test" in capsys.readouterr().out


def test_a_seed_fixes_an_episode_and_those_after_it() -> None:
    one, two = small(days=1), parallel_env(prosumers=3, households=40, days=1, tariff="filed", behaviour="passive")

    def digests(env: ProsumersEnv, seed: int | None) -> list[str]:
        _, infos = env.reset(seed=seed)
        follow_the_plan(env, infos)
        return env.market.day_digest

    first = [digests(one, seed) for seed in (7, None, None, 7, 8)]
    assert [digests(two, seed) for seed in (7, None)] == first[:2]
    assert first[3] == first[0]
    assert len({text for (text,) in first}) == 4


def test_agents_are_battery_owners_spread_over_the_types() -> None:
    env = small(prosumers=4, households=100)
    owners = [env.market.household_types[env.market.population.type_of(i)] for i in env.household.values()]
    assert all(owner.battery for owner in owners)
    assert {owner.income_group for owner in owners} == {"middle", "high"}
    fewer = small(overrides={"battery_levels": 5})
    assert all(fewer.action_space(agent).n == len(fewer.moves(agent)) <= 9 for agent in fewer.possible_agents)


def test_overrides_of_the_tariff_act_on_the_one_that_is_named() -> None:
    """The scenario's own default is `flat`: the key must not land there."""
    env = ProsumersEnv(households=40, prosumers=2, tariff="rtp", overrides={"tariff.pass_through": 0.5})
    assert env.market.equilibrium is not None
    assert env.market.equilibrium.tariff.name == "rtp"
    assert env.market.equilibrium.tariff.pass_through == 0.5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prosumers": 0}, r"prosumers is 0; give a whole number from 1 to 1000000000, e\.g\. 8"),
        (
            {"prosumers": 7},
            r"prosumers is 7, but of 40 households 6 have a battery; give fewer prosumers or more house",
        ),
        ({"days": 0}, r"days is 0; give a whole number from 1 to 100000"),
        ({"scenario": "textbok"}, r"textbok.*did you mean.*textbook"),
        ({"behaviour": "pasive"}, r"unknown behaviour 'pasive'; did you mean 'passive'\?"),
        ({"overrides": {"elasticty": 1}}, r"elasticty.*elasticity"),
    ],
)
def test_settings_that_make_no_environment_are_refused_in_one_line(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        small(**settings)
    assert "\n" not in str(refused.value)


def test_actions_that_are_none_are_refused_and_nothing_happens() -> None:
    env = small()
    _, infos = env.reset(seed=1)
    good = {agent: infos[agent]["planned_action"] for agent in env.agents}
    with pytest.raises(ValueError, match=r"prosumer_1 has no action; give one for each of env\.agents"):
        env.step({"prosumer_0": 3, "prosumer_2": 3})
    for action in (20, -1, 1.0, None, "3"):
        message = rf"prosumer_2 took action {action!r}; give a whole number from 0 to 19"
        with pytest.raises(ValueError, match=re.escape(message)):
            env.step(good | {"prosumer_2": action})
    with pytest.raises(ValueError, match=r"prosumer_9 is no agent; give an action for each of env\.agents"):
        env.step(good | {"prosumer_9": 0})
    *_, after = env.step(good)
    assert all(info["slot"] == 1 for info in after.values())
