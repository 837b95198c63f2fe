"""Several behaviours in one market: shares, cohorts, draws, bills, staggered beliefs, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from scenarios import preset_economy, solved

from meanwatt.agents.behaviour.belief import BeliefSettings
from meanwatt.agents.behaviour.cohorts import Mixture
from meanwatt.agents.behaviour.protocol import BeliefBehaviour, FixedBehaviour, Situation
from meanwatt.agents.numerics.randomness import key_from
from meanwatt.analysis.metrics.utility_meter import UtilityMeter
from meanwatt.model.market.behaviour_spec import read_behaviour
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium
from meanwatt.model.mean_field.solvers.price_fixed_point import first_guess
from meanwatt.model.scenario.economy import Economy, build_economy

MIX = {"equilibrium": 0.5, "belief": 0.3, "passive": 0.2}


@pytest.fixture(scope="module")
def rtp() -> Equilibrium:
    return solved("textbook", "rtp")


@pytest.fixture(scope="module")
def weathered() -> Economy:
    """Two kinds of days remembered for one day: four common states."""
    base = preset_economy("textbook").scenario
    plain = base.day_types["typical"].model_dump()
    days = {"sunny": plain, "cloudy": plain | {"pv_factor": 0.2, "rest_load_kw": 0.3}}
    table = base.model_dump() | {"day_types": days, "day_type_kernel": [[0.7, 0.3], [0.4, 0.6]], "memory": 1}
    return build_economy(type(base).model_validate(table))


class Hoarder:
    """Charges whenever it can."""

    def move(self, situation: Situation) -> int:
        """Take the highest move."""
        return int(situation.moves[-1])


def run(
    found: Equilibrium, behaviour: object, *, days: int = 3, households: int = 300, **options: object
) -> ProsumerMarket:
    settings = {"rng": 4, "power_flow": False, **options}
    market = ProsumerMarket(
        found.economy,
        policies=found,
        behaviour=behaviour,  # type: ignore[arg-type]
        households=households,
        **settings,  # type: ignore[arg-type]
    )
    for _ in range(days):
        market.step()
    market.close()
    return market


@pytest.mark.parametrize("name", ["equilibrium", "belief", "passive", "self_consumption"])
def test_a_share_of_everybody_is_that_behaviours_market(name: str, rtp: Equilibrium) -> None:
    alone = run(rtp, name)
    for other in ({name: 1.0}, {name: 1, "price_threshold": 0.0}, f"{name}=1"):
        market = run(rtp, other)
        assert market.day_digest == alone.day_digest
        assert market.behaviour.name == name
        assert (market.population.bill_usd == alone.population.bill_usd).all()


def test_the_same_policies_in_two_cohorts_change_no_bit(rtp: Equilibrium) -> None:
    """A cohort changes no draw: same places, same starts, same moves, whatever the shares."""
    twin = FixedBehaviour(rtp.policies, name="twin")
    alone, mixed = run(rtp, "equilibrium"), run(rtp, {"equilibrium": 0.37, twin: 0.63})
    assert mixed.population.class_count.min() > 0
    assert mixed.day_digest == alone.day_digest
    for column in ("bus", "level", "shock", "energy_kwh", "bill_usd"):
        assert (getattr(mixed.population, column) == getattr(alone.population, column)).all()
    for name in ("net_load_kw", "use_kw", "stored_kwh", "wholesale_usd_per_kwh"):
        assert (mixed.history.stacked(name) == alone.history.stacked(name)).all()
    for name in ("bill_usd", "type_net_load_kw"):  # sums of other parts
        assert mixed.history.stacked(name) == pytest.approx(alone.history.stacked(name), rel=1e-12)


def test_households_of_a_fixed_behaviour_keep_their_meters_in_any_company(rtp: Equilibrium) -> None:
    one, other = run(rtp, MIX), run(rtp, {"equilibrium": 0.5, "price_threshold": 0.5})
    for kind in range(one.population.types):
        few = one.population.of_class(kind, 0)
        many = other.population.of_class(kind, 0)
        count = min(few.stop - few.start, many.stop - many.start)
        ours, theirs = one.population.energy_kwh[few][:count], other.population.energy_kwh[many][:count]
        assert count > 2
        assert (ours == theirs).all()


def test_a_mixtures_bills_add_up(rtp: Equilibrium) -> None:
    market = run(rtp, MIX, days=4)
    history, bills = market.history, market.population.bill_usd
    by_behaviour, by_class, by_type = history.behaviour_days, history.class_days, history.type_days
    assert list(by_behaviour["behaviour"][:3]) == ["equilibrium", "belief", "passive"]
    assert by_behaviour.groupby("day")["households"].sum().tolist() == [300] * 4
    for name in ("bill_usd", "imported_kwh", "exported_kwh", "net_kwh"):
        assert by_behaviour[name].sum() == pytest.approx(by_type[name].sum(), rel=1e-12)
    assert by_behaviour["bill_usd"].sum() == pytest.approx(market.utility.account.revenue_usd, rel=1e-12)
    assert len(by_class) == 4 * len(market.household_types) * 3
    for cohort in range(3):
        rows = np.concatenate([range(300)[market.population.of_class(k, cohort)] for k in range(7)]).astype(int)
        assert by_class.loc[by_class["cohort"] == cohort, "bill_usd"].sum() == pytest.approx(bills[rows].sum())
    loads = history[-1].class_net_load_kw * market.population.class_count[:, :, None]
    assert np.nansum(loads, axis=(0, 1)) / 300 == pytest.approx(history[-1].net_load_kw, rel=1e-9)


def test_every_cohort_goes_by_its_own_policies(rtp: Equilibrium) -> None:
    """Passive batteries stand still, the others' do not."""
    market = ProsumerMarket(rtp.economy, policies=rtp, behaviour=MIX, households=600, power_flow=False)
    before = market.population.level.copy()
    market.step()
    moved = market.population.level != before
    still, lively = 0, 0
    for kind, household in enumerate(market.household_types):
        if household.battery:
            still += moved[market.population.of_class(kind, 2)].sum()
            lively += moved[market.population.of_class(kind, 0)].sum()
    assert (still, lively > 10) == (0, True)
    assert isinstance(market.behaviour, Mixture)
    assert len(market.behaviour.policies) == 7 * 3
    assert market.behaviour.policies[1] is market.cohorts[1].behaviour.policies[0]
    assert [cohort.name for cohort in market.cohorts] == list(MIX)
    assert market.prosumer(599).behaviour == "passive"
    assert market.prosumer(0).behaviour == "equilibrium"
    market.close()


def test_a_mixtures_bits_do_not_depend_on_the_threads(rtp: Equilibrium) -> None:
    behaviour = {"equilibrium": 0.5, BeliefSettings(cohorts=3, stagger=2, belief_spread=0.3): 0.4, Hoarder: 0.1}
    small = [run(rtp, behaviour, days=3, threads=threads) for threads in (1, 2)]
    large = [run(rtp, MIX, days=1, threads=threads, households=30_000) for threads in (1, 2)]
    for one, two in (small, large):
        assert one.day_digest == two.day_digest
        assert (one.population.bill_usd == two.population.bill_usd).all()


def test_the_python_path_and_the_kernel_agree_in_a_mixture(rtp: Equilibrium) -> None:
    class Obedient:
        def move(self, situation: Situation) -> int:
            return situation.planned_move

    plain = run(rtp, MIX, days=2, households=60)
    watched = ProsumerMarket(rtp.economy, policies=rtp, behaviour=MIX, households=60, rng=4, power_flow=False)
    watched.strategies.update({household: Obedient() for household in range(60)})
    watched.step()
    watched.step()
    assert watched.day_digest == plain.day_digest
    assert (watched.history.stacked("class_bill_usd") == plain.history.stacked("class_bill_usd")).all()
    watched.close()


def test_a_class_by_share_is_that_class_given_to_each_household(rtp: Equilibrium) -> None:
    by_share = run(rtp, {"equilibrium": 0.8, Hoarder: 0.2}, days=2, households=100)
    one_by_one = ProsumerMarket(rtp.economy, policies=rtp, households=100, rng=4, power_flow=False)
    people = by_share.population
    hoarders = [i for i in range(100) if people.class_of(i) % people.cohorts == 1]
    assert len(hoarders) == 20
    assert sorted(by_share.strategies) == hoarders
    one_by_one.strategies.update({household: Hoarder() for household in hoarders})
    one_by_one.step()
    one_by_one.step()
    assert one_by_one.day_digest == by_share.day_digest
    assert len({id(strategy) for strategy in by_share.strategies.values()}) == 20
    one_by_one.close()


def test_an_object_is_copied_for_every_household(rtp: Equilibrium) -> None:
    pattern = Hoarder()
    market = run(rtp, {pattern: 1.0}, days=0, households=5)
    assert pattern not in market.strategies.values()
    assert len(set(map(id, market.strategies.values()))) == 5


def test_the_meter_of_utility_lives_the_mixtures_day(rtp: Equilibrium) -> None:
    market = ProsumerMarket(rtp.economy, policies=rtp, behaviour=MIX, households=90, rng=3, power_flow=False)
    meter = UtilityMeter(market)
    meter.before()
    market.step()
    measured = meter.after()
    assert np.array_equal(meter._shadow.level, market.population.level)
    assert np.array_equal(meter._shadow.shock, market.population.shock)
    assert measured.wear_usd > 0
    meter.close()
    market.close()


def test_each_belief_moves_by_its_own_step_towards_what_came_and_nothing_else(weathered: Economy) -> None:
    """Learners see the day's common state and prices, not what other cohorts believe, nor other states' prices."""
    settings = BeliefSettings(cohorts=3, stagger=2, belief_spread=0.2, step_spread=0.5, first_step=0.6)
    market = ProsumerMarket(
        weathered, households=40, tariff="rtp", behaviour={settings: 0.75, "passive": 0.25}, rng=3, power_flow=False
    )
    starts = settings.starts(first_guess(weathered), key_from(3))
    beliefs = [belief.copy() for belief, _ in starts]
    for day in range(6):
        market.step()
        record = market.history[-1]
        for cohort, (_, step), belief in zip(market.cohorts, starts, beliefs, strict=False):
            now = belief[record.common_state]
            now += step / np.sqrt(day + 1) * (record.wholesale_usd_per_kwh - now)
            assert isinstance(cohort.behaviour, BeliefBehaviour)
            assert cohort.behaviour.belief_usd_per_kwh == pytest.approx(belief, rel=1e-14)
    market.close()


def test_cohorts_answer_their_beliefs_on_their_own_days_only(rtp: Equilibrium) -> None:
    market = ProsumerMarket(
        rtp.economy, policies=rtp, behaviour="belief:cohorts=4:stagger=3", households=40, power_flow=False
    )
    for day in range(1, 8):
        before = [cohort.behaviour.policies for cohort in market.cohorts]
        market.step()  # day number day − 1; what is learnt serves day number day
        changed = [new.behaviour.policies is not old for new, old in zip(market.cohorts, before, strict=True)]
        assert changed == [(day - cohort) % 3 == 0 for cohort in range(4)]
    market.close()


def test_beliefs_and_steps_spread_as_far_as_they_were_told_and_are_the_keys_own() -> None:
    guess = np.full((2, 24), 0.1)
    settings = BeliefSettings(cohorts=50, belief_spread=0.4, step_spread=0.25, first_step=0.8)
    starts = settings.starts(guess, 7)
    ratios = np.array([belief / guess for belief, _ in starts])
    steps = np.array([step for _, step in starts]) / 0.8
    for drawn, spread in ((ratios, 0.4), (steps, 0.25)):
        assert np.abs(drawn - 1).max() <= spread
        # mean and variance of a uniform law, four standard errors of 50 draws or more
        assert abs(drawn.mean() - 1) < 4 * spread / np.sqrt(3 * drawn.size)
        assert drawn.var() == pytest.approx(spread**2 / 3, rel=4 * np.sqrt(0.8 / drawn.size))
    again, other, second = (settings.starts(guess, *path) for path in ((7, 0), (8, 0), (7, 1)))
    assert all((a[0] == b[0]).all() and a[1] == b[1] for a, b in zip(starts, again, strict=True))
    for strangers in (other, second):
        assert not any((a[0] == b[0]).any() or a[1] == b[1] for a, b in zip(starts, strangers, strict=True))
    alike = BeliefSettings(cohorts=3).starts(guess, 7)
    assert all((belief == guess).all() and step == 0.5 for belief, step in alike)


@pytest.mark.parametrize(
    ("text", "names", "shares"),
    [
        ("belief", ["belief"], [1.0]),
        ("equilibrium=.5,belief=.3,passive=.2", ["equilibrium", "belief", "passive"], [0.5, 0.3, 0.2]),
        (" belief = 0.25 : cohorts = 8 , passive = 0.75 ", ["belief", "passive"], [0.25, 0.75]),
        ("belief=.5,belief=.5:stagger=7", ["belief", "belief 2"], [0.5, 0.5]),
        ("belief=1,passive=0", ["belief"], [1.0]),
    ],
)
def test_a_text_names_behaviours_shares_and_settings(text: str, names: list[str], shares: list[float]) -> None:
    ways = read_behaviour(text)
    assert [way.name for way in ways] == names
    assert [way.share for way in ways] == pytest.approx(shares)
    assert read_behaviour(ways) is ways


def test_settings_of_a_text_are_those_of_the_object() -> None:
    (way,) = read_behaviour("belief:cohorts=8:stagger=7:first_step=.25:belief_spread=.1")
    assert way.settings == BeliefSettings(cohorts=8, stagger=7, first_step=0.25, belief_spread=0.1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("equilibrium=.5,belief=.4", "shares of behaviour sum to 0.9; give shares that sum to 1, e.g. equilibrium=0.5"),
        ({"equilibrium": 0.5, "belief": 0.6}, "shares of behaviour sum to 1.1; give shares that sum to 1"),
        ("equilibrium=.5,belief", "behaviour 'belief' has no share; give e.g. belief=0.5"),
        ("equilibrium=.5,,belief=.5", "has no share; give e.g. belief=0.5"),
        ("equilibrium=half", "share of behaviour equilibrium is 'half'; give a number from 0 to 1, e.g. 0.5"),
        ("belief=-1,passive=2", "share of behaviour belief is '-1'; give a number from 0 to 1"),
        ({"belief": None}, "share of behaviour belief is None; give a number from 0 to 1"),
        ("equilibrum=.5,belief=.5", "unknown behaviour 'equilibrum'; did you mean 'equilibrium'?"),
        ({}, "behaviour names nothing; give e.g. equilibrium=0.5,belief=0.5"),
        ("passive:cohorts=2", "behaviour passive takes no settings, but got 'cohorts=2'; leave it out"),
        ("belief:cohort=2", "unknown setting of belief 'cohort'; did you mean 'cohorts'?"),
        ("belief:cohorts", "belief: 'cohorts' is no setting; give each once, as cohorts=VALUE"),
        ("belief:cohorts=2:cohorts=3", "belief: 'cohorts=3' is no setting; give each once, as cohorts=VALUE"),
        ("belief:cohorts=many", "belief: cohorts is 'many'; give a whole number"),
        ("belief:cohorts=0", "belief: cohorts is 0; give a whole number from 1 to 1000"),
        ("belief:stagger=0", "belief: stagger is 0; give a whole number from 1 to 1000"),
        ("belief:first_step=0", "belief: first_step is 0.0; give a number in (0, 1], e.g. 0.5"),
        ("belief:belief_spread=1", "belief: belief_spread is 1.0; give a number in [0, 1), e.g. 0.2"),
        ("belief:first_step=.9:step_spread=.2", "belief: first_step 0.9 with step_spread 0.2 gives steps above 1;"),
        ("qlearning:shock=maybe", "qlearning: shock is 'maybe'; give yes or no"),
        ("qlearning:start=best", "qlearning: start is 'best'; give one of believed, zero"),
        ("nowhere.module:Mine=1", "behaviour nowhere.module cannot be imported: ModuleNotFoundError: No module named"),
        ("nowhere/mine.py:Mine", "behaviour nowhere/mine.py: file not found"),
        ("nowhere/mine.py=1", "behaviour 'nowhere/mine.py' names no class; give nowhere/mine.py:ClassName"),
        ("meanwatt.agents.prosumer:Prosmer", "behaviour meanwatt.agents.prosumer: unknown class 'Prosmer'"),
        (dict, "behaviour is <class 'dict'>; give one of equilibrium, belief, qlearning,"),
        (lambda: 3, "strategy <lambda> makes a int without move(situation); write that method"),
    ],
)
def test_what_makes_no_mixture_is_refused_in_one_line(given: object, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_behaviour(given)  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_strategy_that_needs_arguments_asks_for_a_function() -> None:
    class Picky:
        def __init__(self, taste: int) -> None:
            self.taste = taste

        def move(self, situation: Situation) -> int:
            return 0

    with pytest.raises(ValueError, match=r"strategy Picky cannot be made without arguments .* lambda: Picky\(\.\.\.\)"):
        read_behaviour(Picky)
    (way,) = read_behaviour(lambda: Picky(3))  # type: ignore[arg-type]
    assert way.strategy is not None
    assert way.strategy().taste == 3  # type: ignore[attr-defined]


def test_a_class_is_found_in_a_file(tmp_path: Path, rtp: Equilibrium) -> None:
    file = tmp_path / "mine.py"
    file.write_text("class Hoarder:\n    def move(self, situation):\n        return situation.moves[-1]\n")
    named = run(rtp, f"equilibrium=.8,{file}:Hoarder=.2", days=1, households=50)
    assert named.day_digest == run(rtp, {"equilibrium": 0.8, Hoarder: 0.2}, days=1, households=50).day_digest
    assert named.history.behaviours == ("equilibrium", "Hoarder")
    file.write_text("1 / 0\n")
    with pytest.raises(ValueError, match=r"mine\.py cannot be imported: ZeroDivisionError: division by zero"):
        read_behaviour(f"{file}:Hoarder")
