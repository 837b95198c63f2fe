"""The learners' address repeats a choice, a bad part of it is told, and a mixture means what its command means."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanwatt.agents.behaviour.belief import BeliefSettings
from meanwatt.agents.behaviour.q_learning import STARTS, QSettings
from meanwatt.analysis.dashboard.learners.choice import Choice, from_query, query
from meanwatt.analysis.dashboard.learners.mixture import Mixture, behaviour_text, mixture, read_mixture, shares, written
from meanwatt.analysis.dashboard.learners.presets import CHANGES, HERD, change_of, herd_of, is_herd
from meanwatt.analysis.dashboard.learners.words import BEHAVIOURS as NAMED
from meanwatt.analysis.dashboard.shared.settings import SEEDS, Settings
from meanwatt.model.market.behaviour_spec import BEHAVIOURS, read_behaviour
from meanwatt.model.scenario.loading import presets

parts = st.dictionaries(st.sampled_from(BEHAVIOURS), st.integers(0, 100)).filter(lambda one: any(one.values()))
mixtures = st.builds(mixture, parts)


@st.composite
def choices(draw: st.DrawFn) -> Choice:
    scenario = draw(st.sampled_from(presets()))
    return Choice(
        scenario=scenario,
        tariff=draw(st.sampled_from(sorted(Settings(scenario=scenario).preset().tariffs))),
        temperature_usd=draw(st.none() | st.sampled_from([0.0, 0.0005, 0.02, 1.0])),
        battery_share_scale=draw(
            st.none() | st.floats(0, 4).map(lambda value: 0.0 if value < 1e-6 else round(value, 3))
        ),
        households=draw(st.integers(100, 20_000)),
        days=draw(st.integers(2, 720)),
        seed=draw(st.integers(*SEEDS)),
        mix=draw(mixtures),
        first_step=draw(st.sampled_from([0.01, 0.3, 1.0])),
        cohorts=draw(st.integers(1, 28)),
        stagger=draw(st.integers(1, 28)),
        belief_spread=draw(st.sampled_from([0.0, 0.2, 0.99])),
        q=QSettings(
            first_step=draw(st.sampled_from([0.3, 0.05])),
            exploration=draw(st.sampled_from([0.1, 0.0, 1.0])),
            settle_days=draw(st.sampled_from([30.0, 0.5, 365.0])),
            power=draw(st.sampled_from([0.6, 1.0])),
            shock=draw(st.booleans()),
            start=draw(st.sampled_from(STARTS)),
        ),
    )


@given(choices())
def test_an_address_gives_back_the_choice_it_was_written_from(choice: Choice) -> None:
    assert from_query(f"?{query(choice)}") == (choice, ())


def test_the_page_as_it_opens_has_an_empty_address_and_a_presets_own_value_is_no_change() -> None:
    assert query(Choice()) == ""
    assert from_query("") == (Choice(), ())
    assert from_query("temperature_usd=0.02&battery_share_scale=1") == (Choice(), ())
    assert Choice(temperature_usd=0.02).settings.changes == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("scenario=txetbook", "unknown scenario 'txetbook'; did you mean 'textbook'?"),
        ("tariff=../secret.toml", "unknown tariff '../secret.toml'; give one of"),
        ("households=99", "households is 99; give a whole number from 100 to 20000 homes"),
        ("households=1e3", "households is '1e3'; give a whole number from 100 to 20000 homes"),
        ("days=1", "days is 1; give a whole number from 2 to 720 days"),
        ("seed=-1", "seed is '-1'; give a whole number from 0 to"),
        ("stagger=29", "stagger is 29; give a whole number from 1 to 28"),
        ("first_step=0", "belief: first_step is 0.0; give a number in (0, 1], e.g. 0.5"),
        ("belief_spread=1", "belief: belief_spread is 1.0; give a number in [0, 1), e.g. 0.2"),
        ("step_spread=far", "step_spread is 'far'; give a number"),
        ("q_first_step=2", "qlearning: first_step is 2.0; give a number in (0, 1], e.g. 0.3"),
        ("q_exploration=often", "q_exploration is 'often'; give a number"),
        ("q_settle_days=inf", "qlearning: settle_days is inf; give a positive number, e.g. 30"),
        ("q_power=0.5", "qlearning: power is 0.5; give a number in (0.5, 1], e.g. 0.6"),
        ("q_shock=maybe", "q_shock is 'maybe'; give yes or no"),
        ("q_start=clever", "qlearning: start is 'clever'; give one of believed, zero"),
        ("q_memory_gb=99", "unknown parameter 'q_memory_gb'"),
        ("first_step=half", "first_step is 'half'; give a number above 0 and at most 1"),
        ("temperature_usd=nan", "temperature_usd is 'nan'; give 0, or a number from 0.0001 to 1 USD"),
        ("temperature_usd=-1", "temperature_usd is -1; give 0, or a number from 0.0001 to 1 USD"),
        ("battery_share_scale=5", "battery_share_scale is 5; give a number from 0 to 4 times today's"),
        ("mix=beleif:100", "unknown behaviour 'beleif'; did you mean 'belief'?"),
        ("mix=belief:101", "parts of belief are 101; give a whole number from 0 to 100"),
        ("mix=belief:-1", "mix has 'belief:-1'; give NAME:PARTS, e.g. belief:50,equilibrium:50"),
        ("mix=belief", "mix has 'belief'; give NAME:PARTS"),
        ("mix=belief:1,belief:2", "mix names belief twice; give each behaviour once"),
        ("mix=mine.py.Class:50", "unknown behaviour 'mine.py.Class'"),
        ("mix=belief:0", "no behaviour has a part; give one of them some, e.g. belief:100"),
        ("steps=3", "unknown parameter 'steps'"),
    ],
)
def test_a_bad_part_of_an_address_is_left_out_and_told_in_one_line(text: str, problem: str) -> None:
    choice, problems = from_query(text)
    assert choice == Choice()
    (said,) = problems
    assert said.startswith(problem)
    assert "\n" not in said


@given(mixtures)
def test_shares_are_parts_over_their_sum_and_the_command_reads_the_same_shares(mix: Mixture) -> None:
    assert read_mixture(written(mix)) == mix
    found = shares(mix)
    assert sum(found.values()) == pytest.approx(1, abs=1e-12)
    assert all(
        share == count / sum(one for _, one in mix) for share, (_, count) in zip(found.values(), mix, strict=True)
    )
    ways = read_behaviour(behaviour_text(mix, BeliefSettings()))
    assert [way.name for way in ways] == list(found)
    assert [way.share for way in ways] == pytest.approx(list(found.values()), abs=1e-8)


def test_thirty_thirty_and_sixty_parts_are_a_quarter_a_quarter_and_half() -> None:
    mix = read_mixture("passive:60, belief:30,equilibrium:30")
    assert shares(mix) == {"equilibrium": 0.25, "belief": 0.25, "passive": 0.5}
    settings = BeliefSettings(first_step=1.0, cohorts=7, stagger=7)
    text = behaviour_text(mix, settings, memory_gb=0.1)
    assert text == "equilibrium=0.25,belief=0.25:first_step=1:cohorts=7:stagger=7,passive=0.5"
    assert read_behaviour(text)[1].settings == settings


def test_settings_of_learners_are_those_that_the_command_reads_and_are_left_out_for_who_has_none() -> None:
    q = QSettings(first_step=0.2, exploration=0.05, settle_days=60, power=0.8, shock=True, start="zero")
    choice = Choice(mix=(("belief", 50), ("qlearning", 50)), belief_spread=0.2, step_spread=0.1, cohorts=4, q=q)
    belief, own_bills = read_behaviour(choice.behaviour)
    assert belief.settings == choice.belief
    assert belief.settings == BeliefSettings(cohorts=4, belief_spread=0.2, step_spread=0.1)
    assert own_bills.settings == q
    assert Choice(q=q).behaviour == "belief"
    with pytest.raises(ValueError, match="gives steps above 1"):
        Choice(first_step=1.0, step_spread=0.1)


def test_every_behaviour_that_the_command_knows_by_name_is_on_the_page() -> None:
    assert set(NAMED) == set(BEHAVIOURS)


def test_every_change_changes_one_thing_of_the_herd_and_is_known_again_at_any_size_and_seed() -> None:
    base = Choice(households=333, days=9, seed=4)
    herd = herd_of(base)
    assert is_herd(herd)
    assert change_of(herd) is None
    assert len({change.key for change in CHANGES}) == len(CHANGES) == 5
    assert sum(change.cures for change in CHANGES) == 4
    for change in CHANGES:
        changed = change.of(herd)
        differ = [name for name in Choice.__slots__ if getattr(changed, name) != getattr(herd, name)]
        assert differ == list(change.part)
        assert len(differ) == 1
        assert change_of(changed) is change
        assert not is_herd(changed)
        assert from_query(query(changed)) == (changed, ())
    assert change_of(Choice()) is None
    assert not is_herd(Choice())


def test_the_command_is_the_one_that_a_terminal_reads() -> None:
    words = shlex.split(HERD.command)
    assert words[:5] == ["meanwatt", "simulate", "textbook", "--tariff", "rtp"]
    assert words[-2:] == ["--behaviour", "belief:first_step=1:cohorts=7"]
    assert {"temperature_usd=0.002", "battery_share_scale=2"} < set(words)
