"""The leader's environment: rewards by its meters, worlds that are the model's own, checkers, seeds, refusals."""

import copy
import pickle
import re
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from scenarios import preset_economy, preset_tariff, solved

from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.analysis.environments import LEADER_ID, LeaderEnv, register
from meanwatt.analysis.leader.leader_spec import LeaderSpec, default_price_cap_usd_per_kwh
from meanwatt.analysis.learning.environment import MeanFieldEnvironment, Posted
from meanwatt.analysis.learning.meter import MeteredObjective
from meanwatt.model.mean_field.equilibrium import solve_equilibrium

MODEST = np.array([0.3, 0.5, 0.5, 0.1, 0.5], dtype=np.float32)
"""Mean energy charge 11 cents, half the spread, export credit 9 cents, little pass-through: below the utility's cap."""


def small_market(leader: str = "utility", **settings: Any) -> LeaderEnv:
    return LeaderEnv(
        preset_economy("textbook"),
        **{"leader": leader, "world": "market", "households": 60, "rounds": 3, "round_days": 4} | settings,
    )


def named(env: LeaderEnv, observation: np.ndarray, prefix: str) -> np.ndarray:
    """Numbers of an observation whose names begin with a prefix."""
    return np.array([x for name, x in zip(env.observation_names, observation, strict=True) if name.startswith(prefix)])


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
@pytest.mark.parametrize("behaviour", ["equilibrium", "belief"])
def test_a_copy_in_the_middle_of_an_episode_goes_on_bit_for_bit(behaviour: str, copied: Any) -> None:
    env = small_market(behaviour=behaviour, round_days=2)
    env.reset(seed=2)
    env.step(MODEST)
    twin = copied(env)
    for _ in range(2):
        one, other = env.step(MODEST + 0.1), twin.step(MODEST + 0.1)
        assert np.array_equal(one[0], other[0])
        assert one[1:] == other[1:]
    assert env.market is not None
    assert twin.market is not None
    assert twin.market.day_digest == env.market.day_digest
    env.close()
    twin.close()


@pytest.mark.parametrize("leader", ["commission", "utility"])
@pytest.mark.parametrize("world", ["mean_field", "market"])
def test_the_official_checker_is_satisfied(leader: str, world: str) -> None:
    register()
    settings = {"households": 60, "rounds": 3, "round_days": 2}
    check_env(gymnasium.make(LEADER_ID, scenario="textbook", leader=leader, world=world, **settings).unwrapped)


def test_registering_twice_is_as_good_as_once() -> None:
    register()
    register()
    env = gymnasium.make(LEADER_ID, leader="utility", rounds=2, overrides={"battery_levels": 11})
    assert env.observation_space.contains(env.reset(seed=1)[0])


def test_the_utilitys_reward_in_the_mean_field_is_its_true_margin() -> None:
    env = LeaderEnv(preset_economy("textbook"), leader="utility")
    env.reset(seed=0)
    _, reward, _, _, info = env.step(MODEST)
    truth = solve_equilibrium(env.in_force.economy, env.family.tariff(env.family.at(MODEST.astype(float))))
    assert info["violation_usd_per_kwh"] < 0
    assert reward == pytest.approx(truth.surplus_usd_per_household_day, abs=1e-8)
    assert env.judge(MODEST) == pytest.approx(reward, abs=1e-8)


def test_rates_above_the_cap_cost_the_utility_more_than_they_earn() -> None:
    """1.25 times the metered imports times the excess, off the margin."""
    env = LeaderEnv(preset_economy("textbook"), leader="utility")
    env.reset(seed=0)
    observation, reward, _, _, info = env.step(np.array([1.0, 0.0, 0.5, 0.0, 0.5], dtype=np.float32))
    assert info["violation_usd_per_kwh"] == pytest.approx(2 * 0.185 - 1.5 * 0.185)
    fine = 1.25 * named(env, observation, "imported").sum() * info["violation_usd_per_kwh"]
    assert reward == pytest.approx(named(env, observation, "margin")[0] - fine, abs=1e-5)


def test_the_commissions_reward_is_what_the_learners_of_a_campaign_are_told() -> None:
    base = solved("textbook", "flat")
    env = LeaderEnv(base.economy, leader="commission", equity=2.0, stability=1.0)
    env.reset(seed=0)
    _, reward, *_, info = env.step(MODEST)
    there = MeanFieldEnvironment(base)
    objective = MeteredObjective(
        base.economy, LeaderSpec(leader="commission", weights={"equity": 2.0, "stability": 1.0}), there.in_force()
    )
    reading = there.post(env.family.tariff(env.family.at(MODEST.astype(float))), 1).reading
    assert reading is not None
    estimate = objective.estimate(reading)
    assert reward == pytest.approx(estimate.score, abs=1e-8)
    assert info["half_width_usd"] == pytest.approx(estimate.half_width, abs=1e-8)


def test_what_is_observed_first_are_the_meters_of_the_tariff_in_force() -> None:
    base = solved("textbook", "flat")
    env = LeaderEnv(base.economy, leader="commission")
    observation, info = env.reset(seed=0)
    load = named(env, observation, "imported_kw") - named(env, observation, "exported_kw")
    assert load == pytest.approx(base.net_load_kw[0], abs=1e-6)
    assert named(env, observation, "wholesale") == pytest.approx(base.wholesale_usd_per_kwh[0], abs=1e-6)
    assert named(env, observation, "import_usd") == pytest.approx(base.rates.import_usd_per_kwh[0], abs=1e-6)
    assert named(env, observation, "margin")[0] == pytest.approx(base.surplus_usd_per_household_day, abs=1e-6)
    groups = np.array([household.group for household in base.economy.types])
    for group, bill in enumerate(named(env, observation, "bill")):
        own = groups == group
        mean = np.average(base.bill_usd_per_day[own], weights=base.economy.type_share[own])
        assert bill == pytest.approx(mean, abs=1e-6)
    assert info["outcome"] == "metered"


def test_rounds_of_a_running_market_are_its_days_under_the_tariffs_posted() -> None:
    env = small_market(behaviour="belief")
    env.reset(seed=3)
    market = env.market
    assert market is not None
    for number, shift in enumerate((0.0, 0.1, -0.1), start=1):
        before = market.utility.account
        observation, reward, _, truncated, info = env.step(MODEST + np.float32(shift))
        assert env.market is market
        assert market.day == 4 * number
        assert truncated == (number == 3)
        earned = market.utility.account.surplus_usd - before.surplus_usd
        assert named(env, observation, "margin")[0] == pytest.approx(earned / (60 * 4), abs=1e-5)
        assert reward == pytest.approx(earned / (60 * 4), abs=1e-5)
        posted = env.family.tariff(env.family.at((MODEST + np.float32(shift)).astype(float)))
        assert (market.utility.tariff.energy_usd_per_kwh == posted.energy_usd_per_kwh).all()
        load = market.history.stacked("net_load_kw")[-4:].mean(axis=0)
        seen = named(env, observation, "imported_kw") - named(env, observation, "exported_kw")
        assert seen == pytest.approx(load, abs=1e-5)
        assert info["days"] == 4
    with pytest.raises(ValueError, match=r"no episode is running; call reset\(\) first"):
        env.step(MODEST)


def test_a_running_market_stands_still_where_a_tariff_cannot_be_posted(monkeypatch: pytest.MonkeyPatch) -> None:
    env = small_market()
    env.reset(seed=3)
    market = env.market
    assert market is not None

    def refuse(tariff: Tariff) -> None:
        raise ValueError(f"tariff {tariff.name} cannot be posted")

    with monkeypatch.context() as patch:
        patch.setattr(market.terms, "of", refuse)
        *_, info = env.step(MODEST)
    assert info["outcome"] == "no_equilibrium"
    assert market.day == 0
    *_, info = env.step(MODEST)
    assert (info["outcome"], market.day) == ("metered", 4)


def test_a_large_market_earns_what_the_continuum_does() -> None:
    """Six rounds under one tariff, each a draw of the margin: their mean within 4.5 standard errors of the truth."""
    env = small_market(households=3000, rounds=6, round_days=5)
    env.reset(seed=2)
    margins = np.array([env.step(MODEST)[1] for _ in range(6)])
    error = margins.std(ddof=1) / np.sqrt(6)
    assert abs(margins.mean() - env.judge(MODEST)) < 4.5 * error < 0.02


def test_a_seed_fixes_what_the_meters_of_a_market_read_and_the_continuum_needs_none() -> None:
    def episode(env: LeaderEnv, seed: int | None) -> list[tuple[bytes, float]]:
        env.reset(seed=seed)
        return [(seen.tobytes(), reward) for seen, reward, *_ in (env.step(MODEST) for _ in range(env.rounds))]

    one, two = small_market(), small_market()
    first, later = episode(one, 4), episode(one, None)
    assert episode(two, 4) == first
    assert episode(two, None) == later != first
    assert episode(one, 5) not in (first, later)
    still = LeaderEnv(preset_economy("textbook"), leader="utility", rounds=2)
    assert episode(still, 1) == episode(still, 2)


def test_a_tariff_without_equilibrium_brings_the_worst_reward_so_far_less_one(monkeypatch: pytest.MonkeyPatch) -> None:
    env = LeaderEnv(preset_economy("textbook"), leader="utility", rounds=4)
    env.reset(seed=0)
    _, worst, *_ = env.step(np.zeros(5, dtype=np.float32))  # electricity for nothing
    seen, reward, *_ = env.step(MODEST)
    assert worst < reward
    monkeypatch.setattr(env._environment, "post", lambda tariff, trial: Posted(reading=None, truth=None))
    for expected in (worst - 1, worst - 2):
        again, punished, _, _, info = env.step(MODEST)
        assert info["outcome"] == "no_equilibrium"
        assert (again == seen).all()
        assert punished == pytest.approx(expected, abs=1e-6)


def test_weather_never_seen_under_the_tariff_in_force_teaches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    env = small_market()
    env.reset(seed=0)
    _, reward, *_ = env.step(MODEST)
    monkeypatch.setattr(env, "_known", np.array([7]))
    _, again, _, _, info = env.step(MODEST + np.float32(0.1))
    assert info["outcome"] == "unknown_weather"
    assert again == reward


def test_the_judge_knows_the_cap() -> None:
    env = LeaderEnv(preset_economy("textbook"), leader="utility")
    assert env.aims.price_cap_usd_per_kwh == default_price_cap_usd_per_kwh(env.in_force.economy)
    assert env.judge(np.ones(5)) == -np.inf


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"leader": "comission"}, r"unknown leader 'comission'; did you mean 'commission'\?"),
        ({"world": "markt"}, r"unknown world 'markt'; did you mean 'market'\?"),
        ({"rounds": 0}, r"rounds is 0; give a whole number from 1 to 10000000, e\.g\. 12"),
        ({"round_days": 1.5}, r"round_days is 1\.5; give a whole number"),
        ({"tariff": "flt"}, r"unknown tariff 'flt'; did you mean 'flat'\?"),
        ({"scenario": "oahoo"}, r"oahoo.*did you mean.*oahu"),
    ],
)
def test_settings_that_make_no_environment_are_refused_in_one_line(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        LeaderEnv(**settings)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ([0.5, 0.5], r"action is \[0\.5, 0\.5\]"),
        ([0.5, np.nan, 0.5, 0.5, 0.5], r"action is \[0\.5, nan, 0\.5, 0\.5, 0\.5\]"),
        ([0.5, 1.25, 0.5, 0.5, 0.5], r"action is \[0\.5, 1\.25, 0\.5, 0\.5, 0\.5\]"),
        ([0.5, 0.5, 0.5, 0.5, -1e-6], r"action is \[0\.5, 0\.5, 0\.5, 0\.5, -1e-06\]"),
        (1.0, r"action is 1\.0"),
        (None, r"action is None"),
        ("half", r"action is 'half'"),
        ([[0.5], [0.5, 0.5]], r"action is \[\[0\.5\], \[0\.5, 0\.5\]\]"),
    ],
)
def test_an_action_that_is_no_point_of_the_cube_is_refused_and_no_round_is_spent(action: Any, said: str) -> None:
    env = LeaderEnv(preset_economy("textbook"), leader="utility", rounds=1)
    env.reset(seed=0)
    message = said + r"; give 5 numbers in \[0, 1\]: energy_usd_per_kwh, tou_spread, export_credit"
    for ask in (env.step, env.judge):
        with pytest.raises(ValueError, match=message) as refused:
            ask(action)
        assert "\n" not in str(refused.value)
    *_, truncated, info = env.step(np.ones(5, dtype=np.float32))
    assert truncated
    assert info["outcome"] == "metered"


def test_overrides_of_the_tariff_act_on_the_one_that_is_named() -> None:
    """The scenario's own default is `flat`: the key must not land there."""
    env = LeaderEnv("textbook", tariff="rtp", overrides={"tariff.pass_through": 0.5})
    assert env.in_force.tariff.name == "rtp"
    assert env.in_force.tariff.pass_through == 0.5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"scenario": preset_economy("textbook"), "overrides": {"memory": 1}},
            "overrides are memory but the scenario is an Economy, which is built already; override the Scenario before",
        ),
        (
            {"tariff": preset_tariff("textbook", "tou"), "overrides": {"memory": 0, "tariff.pass_through": 0.5}},
            "overrides are tariff.pass_through but tariff tou is a Tariff, which is built already; give its name or",
        ),
    ],
)
def test_overrides_that_could_act_on_nothing_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        LeaderEnv(**settings)


def test_a_commission_that_balances_its_books_is_rewarded_as_by_the_model() -> None:
    """In the mean field to rounding, whatever was posted before; what it bills is its own level."""
    own, models = (LeaderEnv(preset_economy("textbook"), books=books, rounds=3) for books in ("account", "model"))
    for env in (own, models):
        env.reset(seed=0)
    margins = []
    for action in (MODEST, MODEST + 0.2, MODEST):
        (seen, reward, *_, info), (_, expected, *_, other) = own.step(action), models.step(action)
        assert reward == pytest.approx(expected, abs=1e-9)
        assert "balance_usd" not in other
        margins.append(named(own, seen, "margin")[0])
    assert info["balance_usd"] == pytest.approx(30 * sum(margins), abs=1e-4)
    assert abs(margins[0]) > 1e-3
    own.reset(seed=0)
    assert own.step(MODEST)[4]["balance_usd"] == pytest.approx(30 * margins[0], abs=1e-4)


def test_a_copy_takes_the_leaders_books_along() -> None:
    env = small_market("commission", round_days=2)
    env.reset(seed=3)
    env.step(MODEST)
    twin = copy.deepcopy(env)
    for _ in range(2):
        one, other = env.step(MODEST), twin.step(MODEST)
        assert np.array_equal(one[0], other[0])
        assert one[1:] == other[1:]
        assert one[4]["balance_usd"] != 0
    env.close()
    twin.close()


def test_unknown_books_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^unknown books 'modell'; did you mean 'model'\?$"):
        LeaderEnv(preset_economy("textbook"), books="modell")
