"""Q-learning on bills: what it converges to, what a table may learn from a day, start and settings."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scenarios import SHOCK, small_decision_problem, small_household, small_rates

from meanwatt.agents.behaviour.q_learning import (
    GAIN_SHARE,
    QSettings,
    Values,
    believed_values,
    learn_day,
    live_day,
    policy_of_values,
)
from meanwatt.agents.household.best_response import Response, respond
from meanwatt.agents.household.decision_problem import DecisionProblem, ValueRule
from meanwatt.agents.household.policy_table import PolicyTable
from meanwatt.agents.household.slot_outcome import slot_outcome
from meanwatt.agents.household.storage import every_move, feasible
from meanwatt.agents.numerics.arrays import Bools, Floats, Ints
from meanwatt.model.market.day_tables import alias_table
from meanwatt.model.mean_field.population.flow import stationary_flow
from meanwatt.model.scenario.weather import common_states

KEY = np.uint64(99)
SLOTS = 4
CHAIN = np.array([[0.6, 0.4], [0.3, 0.7]])
"""Two kinds of days."""


def choice_of(value: Floats | Values) -> tuple[Ints, Floats]:
    """The choice among all moves of tables (household, c, h, e, z, j), as the kernels take it."""
    choice = every_move(value.shape[2], value.shape[5])
    return choice.bounds, choice.given


RULES = [(0.0, ValueRule.ENTROPY), (0.05, ValueRule.ENTROPY), (0.05, ValueRule.BOLTZMANN)]


def horizon(temperature: float, rule: ValueRule, discount: float, *, shocks: bool, weather: Floats) -> DecisionProblem:
    plain = small_decision_problem(temperature, discount=discount, rule=rule, slots=SLOTS, weather=weather)
    if shocks:
        return plain
    one = np.ones(1)
    return replace(plain, shock_levels=one, shock_kernel=np.ones((1, 1)), shock_probability=one)


@dataclass
class Home:
    """A few alike households at rates that never change, with tables of their own."""

    problem: DecisionProblem
    settings: QSettings
    people: int = 4

    def __post_init__(self) -> None:
        states = len(self.problem.common_kernel)
        household = small_household(states, SLOTS)
        rates = small_rates(states, SLOTS)
        self.outcome = slot_outcome(household, rates, self.problem.shock_levels, 24 / SLOTS)
        self.response: Response = respond(self.outcome, household.levels, self.problem)
        shocks = self.problem.shock_levels.size if self.settings.shock else 1
        shape = (self.people, states, SLOTS, household.levels, shocks, self.outcome.moves.size)
        self.value: Values = np.zeros(shape, dtype=np.float32)
        self.gain = np.zeros(self.people)
        self.level, self.shock = np.zeros(self.people, np.int16), np.zeros(self.people, np.int8)
        self.energy = np.zeros((self.people, SLOTS), np.float32)
        self.moved, self.met = np.zeros((self.people, SLOTS), np.int16), np.zeros((self.people, SLOTS), np.int8)
        self.weather = np.random.default_rng(5)
        self.today = 0

    def believe(self) -> Floats:
        """Start from the best response's values; return them."""
        exact = believed_values(self.response, self.problem, shock=self.settings.shock)
        self.value[:] = exact
        if self.problem.discount_per_day == 1.0:
            self.gain[:] = self.response.gain_usd_per_day / SLOTS
        return exact

    def live(self, days: int) -> None:
        """Live and learn, day by day."""
        readings = (self.outcome.net_load_kw * 24 / SLOTS).astype(np.float32)
        shock_alias, reward = alias_table(self.problem.shock_kernel), self.outcome.reward_usd
        horizon = self.problem
        average = horizon.discount_per_day == 1.0
        soft = horizon.value_rule is ValueRule.ENTROPY and horizon.temperature_usd > 0
        path = (self.moved, self.met, int(self.outcome.moves[0]))
        columns = (self.level, self.shock, self.energy)
        for day in range(days):
            step, exploration = self.settings.schedule(day)
            now, chances = (day, self.today, 0), (horizon.temperature_usd, exploration)
            tables = (self.value, readings[self.today], choice_of(self.value), shock_alias)
            live_day(0, self.people, now, chances, KEY, *tables, columns, path)
            chain = horizon.common_kernel[self.today]
            tomorrow = int(self.weather.choice(len(chain), p=chain))
            rule = (
                step,
                average * GAIN_SHARE / SLOTS,
                horizon.discount_per_day ** (1 / SLOTS),
                horizon.temperature_usd,
                soft,
            )
            states = (self.today, tomorrow)
            learnt = (self.value, self.gain, reward[self.today], choice_of(self.value))
            learn_day(0, self.people, states, rule, *learnt, columns[:2], path)
            self.today = tomorrow

    @property
    def allowed(self) -> Bools:
        """Feasible moves, (e, 1, j)."""
        return feasible(self.value.shape[3], self.outcome.moves)[:, None, :]

    def policy(self, value: Floats | Values) -> PolicyTable:
        """What a table says to do."""
        chance = policy_of_values(
            value, self.outcome.moves, self.problem.temperature_usd, self.problem.shock_levels.size
        )
        return replace(self.response.policy, probability=chance)

    def earned_usd(self, policy: PolicyTable) -> float:
        """Average reward per day of a policy, without entropy."""
        backward = common_states(tuple("ab"[: len(self.problem.common_kernel)]), self.problem.common_kernel, 0).backward
        horizon = self.problem
        flow = stationary_flow(policy, horizon.shock_kernel, horizon.shock_probability, backward)
        weight = flow.frequency * horizon.common_probability[:, None, None, None]
        return float((weight * self.outcome.reward_usd).sum())


@pytest.mark.parametrize(("temperature", "rule"), RULES)
@pytest.mark.parametrize("discount", [1.0, 0.9])
def test_the_values_of_the_best_response_are_what_learning_stands_still_at(
    temperature: float, rule: ValueRule, discount: float
) -> None:
    """Without chance every error is zero up to float32: 2⁻²⁴ of values below 40 USD, some thousand roundings."""
    problem = horizon(temperature, rule, discount, shocks=False, weather=np.ones((1, 1)))
    home = Home(problem, QSettings(first_step=0.5, exploration=1.0, settle_days=1e6))
    exact = home.believe()
    home.live(300)
    assert np.abs((home.value - exact)[:, :, :, home.allowed]).max() < 1e-4
    assert home.gain == pytest.approx(home.gain[0], abs=1e-5)


@pytest.mark.parametrize(("temperature", "rule"), RULES)
@pytest.mark.parametrize("discount", [1.0, 0.9])
def test_believed_values_obey_bellmans_equation(temperature: float, rule: ValueRule, discount: float) -> None:
    """Slot by slot and over midnight, with weather and shocks, in plain loops."""
    problem = horizon(temperature, rule, discount, shocks=True, weather=CHAIN)
    home = Home(problem, QSettings(shock=True))
    value = believed_values(home.response, problem, shock=True)
    allowed = np.broadcast_to(home.allowed, value.shape[2:])
    top = np.where(allowed, value, -np.inf)
    best = top.max(axis=-1)
    if rule is ValueRule.ENTROPY and temperature > 0:
        best = best + temperature * np.log(np.exp((top - best[..., None]) / temperature).sum(axis=-1))
    gain = home.response.gain_usd_per_day / SLOTS if discount == 1 else 0.0
    for c in range(2):
        for h in range(SLOTS):
            for e in range(4):
                for z in range(2):
                    for j in np.flatnonzero(allowed[e, z]):
                        to = e + home.outcome.moves[j]
                        later = best[c, h + 1, to] if h + 1 < SLOTS else np.tensordot(CHAIN[c], best[:, 0, to], axes=1)
                        ahead = discount ** (1 / SLOTS) * float(SHOCK[z] @ later)
                        expected = home.outcome.reward_usd[c, h, z, j] - gain + ahead
                        assert value[c, h, e, z, j] == pytest.approx(expected, abs=1e-8)


def test_a_learner_that_knows_nothing_comes_to_the_best_responses_gain() -> None:
    """At constant prices, from zero. Values within d of the exact ones up to a constant lose at most 2·T·d a day.

    Acting by values that are each off by d costs no more than 2d a slot (Singh and Yee 1994, without discount).
    """
    home = Home(
        horizon(0.0, ValueRule.ENTROPY, 1.0, shocks=True, weather=np.ones((1, 1))),
        QSettings(shock=True, first_step=0.5, exploration=1.0, settle_days=300, start="zero"),
        people=3,
    )
    exact = believed_values(home.response, home.problem, shock=True)
    home.live(10_000)
    best = home.response.gain_usd_per_day
    for value, gain in zip(home.value, home.gain, strict=True):
        off = (value - exact)[:, :, np.broadcast_to(home.allowed, exact.shape[2:])]
        distance = float(np.ptp(off)) / 2
        lost = best - home.earned_usd(home.policy(value))
        assert -1e-9 <= lost <= 2 * SLOTS * distance
        assert distance < 0.25
        assert lost < 0.01 * best
        assert gain * SLOTS == pytest.approx(best, rel=0.02)


def test_a_discounted_soft_learner_comes_to_the_best_responses_policy() -> None:
    """Without chance, from zero, in every state."""
    problem = horizon(0.2, ValueRule.ENTROPY, 0.5, shocks=False, weather=np.ones((1, 1)))
    home = Home(problem, QSettings(first_step=0.5, exploration=1.0, settle_days=1_000), people=2)
    home.live(8_000)
    exact = home.response.policy.probability
    for value in home.value:
        assert 0.5 * np.abs(home.policy(value).probability - exact).sum(axis=-1).max() < 0.01


def test_a_day_teaches_only_about_the_moves_made_that_day() -> None:
    home = Home(horizon(0.05, ValueRule.ENTROPY, 1.0, shocks=True, weather=CHAIN), QSettings(shock=True))
    home.believe()
    home.live(5)
    before, level, today = home.value.copy(), home.level.copy(), home.today
    home.live(1)
    lowest = int(home.outcome.moves[0])
    for i in range(home.people):
        expected, e = set(), int(level[i])
        for h in range(SLOTS):
            expected.add((today, h, e, int(home.met[i, h]), int(home.moved[i, h])))
            e += int(home.moved[i, h]) + lowest
        changed = {tuple(place) for place in np.argwhere(home.value[i] != before[i]).tolist()}
        assert changed <= expected
        assert len(changed) >= SLOTS - 1


def test_one_step_by_hand() -> None:
    """One day of two slots from an empty battery of two levels, α = 1/2, κ = 0, δ^(1/T) = 1/2, best moves.

    Moves −1, 0, 1 in columns 0, 1, 2. The household charged, then discharged; the rewards were −3 and 5. Back to
    front: the last slot reached level 0, tomorrow's slot 0, worth max(Q[0], Q[1]) there = max(2, 4), its own Q was 1:
    1 + ½(5 + ½·4 − 1) = 4. The first slot reached level 1 in slot 1, where the moves down and stay are now worth 4
    and 7; its own Q was 4: 4 + ½(−3 + ½·7 − 4) = 2.25.
    """
    value = np.zeros((1, 1, 2, 2, 1, 3), dtype=np.float32)
    value[0, 0, 0, 0, 0] = [99, 2, 4]  # the first is off the grid
    value[0, 0, 1, 1, 0] = [1, 7, 99]
    reward = np.zeros((2, 1, 3))
    reward[0, 0, 2], reward[1, 0, 0] = -3.0, 5.0
    columns = (np.zeros(1, np.int16), np.zeros(1, np.int8))
    path = (np.array([[2, 0]], np.int16), np.zeros((1, 2), np.int8), -1)
    gain = np.zeros(1)
    learn_day(0, 1, (0, 0), (0.5, 0.0, 0.5, 0.0, False), value, gain, reward, choice_of(value), columns, path)
    assert value[0, 0, 1, 1, 0].tolist() == [4, 7, 99]
    assert value[0, 0, 0, 0, 0].tolist() == [99, 2, 2.25]
    assert gain[0] == 0


def test_within_a_day_the_weather_is_todays_and_after_it_tomorrows() -> None:
    """α = 1, δ = 1, one level, one move: what is learnt is the reward and the value ahead, in slot 1, then in 0."""
    value = np.array([[10.0, 20.0], [30.0, 40.0]], dtype=np.float32).reshape(1, 2, 2, 1, 1, 1)  # (c, h)
    reward = np.array([[1.0], [2.0]])[:, :, None]
    columns = (np.zeros(1, np.int16), np.zeros(1, np.int8))
    path = (np.zeros((1, 2), np.int16), np.zeros((1, 2), np.int8), 0)
    learn_day(0, 1, (0, 1), (1.0, 0.0, 1.0, 0.0, False), value, np.zeros(1), reward, choice_of(value), columns, path)
    assert value.ravel().tolist() == [1 + 2 + 30, 2 + 30, 30, 40]


def test_moves_come_as_often_as_softmax_and_exploration_say() -> None:
    """First move of 20,000 households: four standard errors of each share."""
    temperature, people = 0.3, 20_000
    home = Home(
        horizon(temperature, ValueRule.ENTROPY, 1.0, shocks=True, weather=np.ones((1, 1))),
        QSettings(shock=True, exploration=0.4),
        people=people,
    )
    home.believe()
    home.level[:] = 1
    soft = home.policy(home.value[0]).probability[0, 0, 1, 0]
    home.live(1)
    first = np.bincount(home.moved[:, 0], minlength=home.outcome.moves.size) / people
    allowed = home.allowed[1, 0]
    expected = 0.6 * soft + 0.4 * allowed / allowed.sum()
    assert (first[~allowed] == 0).all()
    assert (np.abs(first - expected) < 4 * np.sqrt(expected * (1 - expected) / people) + 1e-12).all()


def test_steps_and_exploration_fall_together() -> None:
    settings = QSettings(first_step=0.4, exploration=0.2, settle_days=10, power=1.0)
    assert settings.schedule(0) == (0.4, 0.2)
    assert settings.schedule(10) == pytest.approx((0.2, 0.1))
    assert settings.schedule(90) == pytest.approx((0.04, 0.02))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"first_step": 0.0}, r"qlearning: first_step is 0\.0; give a number in \(0, 1\], e\.g\. 0\.3"),
        ({"exploration": 1.5}, r"qlearning: exploration is 1\.5; give a number in \[0, 1\], e\.g\. 0\.1"),
        ({"power": 0.5}, r"qlearning: power is 0\.5; give a number in \(0\.5, 1\], e\.g\. 0\.6"),
        ({"settle_days": 0.0}, r"qlearning: settle_days is 0\.0; give a positive number, e\.g\. 30"),
        ({"memory_gb": float("nan")}, r"qlearning: memory_gb is nan; give a positive number, e\.g\. 1"),
        ({"start": "best"}, r"qlearning: start is 'best'; give one of believed, zero"),
    ],
)
def test_settings_outside_their_range_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        QSettings(**settings)  # type: ignore[arg-type]
