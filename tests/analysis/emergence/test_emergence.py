"""Populations that are told nothing: what they come to, and the herd of those who think alike."""

import json
import shlex
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scenarios import small_economy, small_tariff

from meanwatt.agents.behaviour.protocol import BeliefBehaviour
from meanwatt.analysis.cli import main
from meanwatt.analysis.emergence.emergence import (
    MEASURES,
    Emergence,
    belief_error_usd_per_kwh,
    certify,
    emergence,
    price_move_usd_per_kwh,
    tables_in_force,
)
from meanwatt.analysis.emergence.figures import emergence_figure, last_days_figure
from meanwatt.analysis.figures.saved import image
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.mean_field.induced_play import follow
from meanwatt.model.progress.watch import Watch

ALIKE = "belief:first_step=1"
HOUSEHOLDS, DAYS = 2000, 120


@cache
def target(temperature_usd: float, memory: int = 0) -> Equilibrium:
    """One kind of day in four slots, everybody with a battery, real-time prices."""
    economy = small_economy(
        slots=4,
        levels=4,
        battery_share=1.0,
        elasticity=0.0,
        weather=np.array([[1.0]]) if memory == 0 else np.array([[0.5, 0.5], [0.5, 0.5]]),
        temperature_usd=temperature_usd,
    )
    found = solve_equilibrium(economy, small_tariff(economy))
    assert found.converged
    return found


@cache
def learn(behaviour: str, temperature_usd: float = 0.0, days: int = DAYS) -> Emergence:
    return emergence(target(temperature_usd), behaviour, households=HOUSEHOLDS, days=days, every=20)


def quarters(values: np.ndarray) -> np.ndarray:
    return np.nanmean(values.reshape(4, -1), axis=1)


def test_greedy_households_who_think_alike_herd_while_their_beliefs_come_right() -> None:
    """The step falls, so beliefs average over the chatter; the moves answer the belief's sign, so prices jump on."""
    found = learn(ALIKE)
    belief, move = quarters(found.belief_error_usd_per_kwh), quarters(found.price_move_usd_per_kwh)
    assert belief[3] < 0.25 * belief[0]
    noise = found.last("floor_move_usd_per_kwh")
    assert (move > 15 * noise).all()  # bounded away from the noise, in every quarter
    assert move[3] > 0.5 * move[1]
    assert not found.prices_reached
    assert "herding" in found.verdict
    assert found.last("exploitability_usd_per_household_day") > 100 * max(found.limit_usd_per_household_day, 1e-5)


def test_softened_households_come_to_the_equilibrium() -> None:
    found = learn(ALIKE, 0.05)
    assert found.target.contraction is not None
    assert found.target.contraction < 1
    assert found.prices_reached
    # both markets see the same draws; what is left is how differently policies a hair apart carry the noise
    assert found.last("price_error_usd_per_kwh") == pytest.approx(found.last("floor_error_usd_per_kwh"), rel=0.1)
    assert found.last("exploitability_usd_per_household_day") == pytest.approx(
        found.limit_usd_per_household_day, rel=0.02
    )
    assert "reached" in found.verdict


def test_a_falling_step_calms_the_herd_once_it_is_below_two_over_one_plus_the_contraction() -> None:
    """Near the equilibrium belief errors are multiplied by 1 − step·(1 + ρ): stable from day ((1 + ρ)/2)² on."""
    found = learn(ALIKE, 0.0005)
    assert found.target.contraction is not None
    calm = ((1 + found.target.contraction) / 2) ** 2
    assert 20 < calm < 60
    error, noise = found.price_error_usd_per_kwh, found.last("floor_error_usd_per_kwh")
    assert error[: int(calm / 2)].mean() > 8 * noise
    assert error[int(2 * calm) :].mean() < 1.5 * noise


def test_staggered_answers_calm_the_prices() -> None:
    """Of eight cohorts one answers a day: the largest move is an eighth of the herd's, and the mean far below it."""
    alike, staggered = learn(ALIKE), learn("belief:first_step=1:cohorts=8:stagger=8")
    assert staggered.last("price_move_usd_per_kwh") < 0.25 * alike.last("price_move_usd_per_kwh")
    assert staggered.last("price_error_usd_per_kwh") < 0.6 * alike.last("price_error_usd_per_kwh")


def test_greedy_households_of_different_beliefs_are_calm_until_they_come_to_agree() -> None:
    """Different steps spread beliefs over the kink, so that not all jump at once; as beliefs meet, the herd is back."""
    alike, different = learn(ALIKE), learn("belief:cohorts=12:step_spread=.9")
    early = slice(1, 15)
    assert different.price_error_usd_per_kwh[early].mean() < 0.4 * alike.price_error_usd_per_kwh[early].mean()
    spread = quarters(different.belief_error_usd_per_kwh)
    assert (np.diff(spread) < 0).all()
    assert quarters(different.price_move_usd_per_kwh)[3] > 2 * quarters(different.price_move_usd_per_kwh)[0]


def test_different_households_with_a_little_softness_stay_calm() -> None:
    assert learn("belief:cohorts=12:step_spread=.9", 0.0005).prices_reached


def test_the_equilibrium_is_its_own_floor_and_limit() -> None:
    found = emergence(target(0.05), "equilibrium", households=300, days=6, every=2)
    np.testing.assert_array_equal(found.price_error_usd_per_kwh, found.floor_error_usd_per_kwh)
    np.testing.assert_array_equal(found.price_move_usd_per_kwh, found.floor_move_usd_per_kwh)
    certified = found.exploitability_usd_per_household_day
    assert np.isfinite(certified).tolist() == [True, False, True, False, True, True]
    assert certified[::2] == pytest.approx(found.limit_usd_per_household_day, abs=1e-8)
    assert np.isnan(found.belief_error_usd_per_kwh).all()
    assert np.isnan(found.last("belief_error_usd_per_kwh"))
    assert np.isnan(found.believed_usd_per_kwh).all()


def test_households_that_learn_from_their_bills_are_measured_without_beliefs() -> None:
    found = emergence(target(0.05), "qlearning", households=60, days=8, every=4)
    assert np.isnan(found.belief_error_usd_per_kwh).all()
    assert (found.exploitability_usd_per_household_day[[0, 4, 7]] > 0).all()
    assert np.isfinite(found.price_error_usd_per_kwh).all()


def test_tables_of_q_learners_are_those_of_a_spread_of_households() -> None:
    found = target(0.05)
    market = ProsumerMarket(
        found.economy, households=60, policies=found, behaviour="qlearning=.5,equilibrium=.5", power_flow=False
    )
    market.step()
    tables, share = tables_in_force(market)
    assert share.sum() == pytest.approx(1.0)
    assert share[-1] == 0.5
    assert tables[-1] is market.cohorts[1].behaviour.policies
    learner = market.learners[0]
    ids = range(60)[market.population.of_class(0, 0)]
    np.testing.assert_array_equal(tables[0][0].probability, learner.policy_of(ids[0]).probability)
    everybody = [[learner.policy_of(k)] for k in ids]
    assert len(everybody) >= len(tables) - 1
    market.close()


def test_the_belief_error_is_weighted_by_weather_and_by_share() -> None:
    truth = np.zeros((2, 3))
    one, two = np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]), np.array([[0.0, 0.0, 0.0], [3.0, 0.0, 0.0]])
    chance = np.array([0.25, 0.75])
    assert belief_error_usd_per_kwh([(1.0, one)], truth, chance) == pytest.approx(np.sqrt(0.25))
    assert belief_error_usd_per_kwh([(1.0, two)], truth, chance) == pytest.approx(np.sqrt(0.75 * 3))
    both = belief_error_usd_per_kwh([(0.2, one), (0.6, two)], truth, chance)  # a fifth plays the equilibrium
    assert both == pytest.approx(np.sqrt((0.2 * 0.25 + 0.6 * 2.25) / 0.8))
    assert np.isnan(belief_error_usd_per_kwh([], truth, chance))


def test_the_price_moves_from_one_day_to_the_next_of_the_same_weather() -> None:
    found = target(0.05, memory=1)
    market = ProsumerMarket(found.economy, households=50, policies=found, rng=2, power_flow=False)
    last: dict[int, np.ndarray] = {}
    for _ in range(12):
        market.step()
        record = market.history[-1]
        moved = price_move_usd_per_kwh(market.history.records)
        before = last.get(record.common_state)
        if before is None:
            assert np.isnan(moved)
        else:
            assert moved == pytest.approx(np.sqrt(np.mean((record.wholesale_usd_per_kwh - before) ** 2)))
        last[record.common_state] = record.wholesale_usd_per_kwh
    assert len(last) == 2
    market.close()


def test_a_days_measures_are_of_that_day() -> None:
    found = target(0.05)
    run = emergence(found, "belief:cohorts=2:belief_spread=.3", households=200, days=3, every=1, seed=5)
    market = ProsumerMarket(
        found.economy,
        households=200,
        policies=found,
        behaviour="belief:cohorts=2:belief_spread=.3",
        rng=5,
        power_flow=False,
    )
    for day in range(3):
        beliefs = [c.behaviour.belief_usd_per_kwh.copy() for c in market.cohorts]
        assert all(isinstance(c.behaviour, BeliefBehaviour) for c in market.cohorts)
        error = np.sqrt(np.mean([(b - found.wholesale_usd_per_kwh) ** 2 for b in beliefs]))
        assert run.belief_error_usd_per_kwh[day] == pytest.approx(error)
        np.testing.assert_allclose(run.believed_usd_per_kwh[day], np.mean(beliefs, axis=0)[0], rtol=1e-12)
        tables = [c.behaviour.policies for c in market.cohorts]
        expected = follow(found.economy, found.tariff, 0.0, tables, np.array([0.5, 0.5]))
        certified = certify(market, found)
        assert certified.exploitability_usd_per_household_day == pytest.approx(
            expected.exploitability_usd_per_household_day, abs=1e-9
        )
        assert run.exploitability_usd_per_household_day[day] == pytest.approx(
            expected.exploitability_usd_per_household_day, abs=1e-9
        )
        market.step()
        np.testing.assert_array_equal(run.wholesale_usd_per_kwh[day], market.history[-1].wholesale_usd_per_kwh)
    market.close()


def test_one_seed_is_one_run_and_a_cancelled_one_is_its_beginning() -> None:
    def run(**options: object) -> Emergence:
        return emergence(target(0.05), ALIKE, households=100, days=6, every=3, **options)

    whole, again, other = run(seed=1), run(seed=1), run(seed=2)
    for name in MEASURES:
        np.testing.assert_array_equal(getattr(whole, name), getattr(again, name))
    assert (whole.price_error_usd_per_kwh != other.price_error_usd_per_kwh).any()
    days: list[float] = []
    watch = Watch(progress=lambda report: days.append(report.fraction), cancelled=lambda: len(days) == 4)
    part = run(seed=1, watch=watch)
    assert part.days == 4
    assert days == [1 / 6, 2 / 6, 3 / 6, 4 / 6]
    np.testing.assert_array_equal(part.price_error_usd_per_kwh, whole.price_error_usd_per_kwh[:4])


def test_what_cannot_be_measured_is_refused_in_one_line() -> None:
    class Lazy:
        def move(self, situation: object) -> int:
            """Stand still."""
            return 0

    with pytest.raises(ValueError, match=r"^households that decide one by one have no policy table to certify"):
        emergence(target(0.05), Lazy, households=10, days=1)
    lost = replace(target(0.05), outcome=Outcome.ROUND_LIMIT, message="Still moving.")
    with pytest.raises(ValueError, match=r"^tariff small has no equilibrium to compare with: Still moving\.$"):
        emergence(lost, ALIKE, households=10, days=1)


def test_figures_draw_every_population() -> None:
    runs = [learn(ALIKE), learn("belief:cohorts=12:step_spread=.9")]
    figure = emergence_figure(runs, "Title")
    assert [panel.get_yscale() for panel in figure.axes] == ["log"] * 3
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [run.behaviour for run in runs]
    drawn = figure.axes[0].lines[0].get_ydata()
    np.testing.assert_array_equal(drawn, runs[0].belief_error_usd_per_kwh)
    days = last_days_figure(runs, "Title")
    assert len(days.axes) == 2
    assert image(figure, "png").startswith(b"\x89PNG")
    assert image(emergence_figure(runs, "T"), "svg") == image(emergence_figure(runs, "T"), "svg")
    empty = emergence_figure([emergence(target(0.05), "equilibrium", households=20, days=2)], "Title")
    assert any(text.get_text() == "nobody believes anything" for text in empty.axes[0].texts)


RUN = "emergence textbook --tariff rtp --set battery_levels=5 --households 60 --days 5 --every 2"


def test_the_command_measures_several_populations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    assert main(shlex.split(f"{RUN} --behaviour {ALIKE} --behaviour qlearning --json --out {out}")) == 0
    said = capsys.readouterr()
    assert said.err == ""
    found = json.loads(said.out)
    assert found["compile_seconds"] >= 0
    assert (found["scenario"], found["tariff"], found["outcome"]) == ("textbook", "rtp", "converged")
    believing, billed = found["populations"]
    assert (believing["behaviour"], billed["behaviour"]) == (ALIKE, "qlearning")
    assert len(believing["belief_error_usd_per_kwh"]) == 5
    assert billed["belief_error_usd_per_kwh"] == [None] * 5
    assert billed["last_days"]["belief_error_usd_per_kwh"] is None
    assert [value is None for value in believing["exploitability_usd_per_household_day"]] == [False, True] * 2 + [False]
    assert found["exploitability_limit_usd_per_household_day"] > 0
    assert (out / "emergence.svg").read_text().startswith("<?xml")
    assert (out / "last_days.svg").exists()
    table = pq.read_table(out / "emergence.parquet").to_pydict()
    assert table["behaviour"] == [ALIKE] * 5 + ["qlearning"] * 5
    assert table["price_error_usd_per_kwh"][:5] == believing["price_error_usd_per_kwh"]
    assert json.loads((out / "emergence.json").read_text()) == found


def test_people_get_a_table_and_a_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(shlex.split(RUN)) == 0
    said = capsys.readouterr().out
    assert "Exploitability of the equilibrium" in said
    assert "1. belief: " in said


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--behaviour beleif", "unknown behaviour 'beleif'; did you mean 'belief'?"),
        ("--every 0", "--every is '0'; give a whole number from 1 to 100000, e.g. 7"),
        ("--days x", "--days is 'x'; give a whole number from 1 to 100000, e.g. 120"),
        (
            "--tariff rpt",
            "scenario textbook: unknown tariff 'rpt'; did you mean 'rtp'? (or give the path of a TOML file)",
        ),
    ],
)
def test_wrong_options_are_refused_in_one_line(options: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(shlex.split(f"emergence textbook {options}")) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"meanwatt: {sentence}\n"
