"""A leader who learns in one running market: its menu, what it is told, what it learns, and how it is judged."""

import json
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scenarios import preset_economy, preset_tariff, solved

from meanwatt.agents.leader.bandit_leader import MenuLearner
from meanwatt.agents.leader.learning_leader import LearningLeader
from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.analysis.cli import main
from meanwatt.analysis.leader.leader_spec import LeaderSpec, default_price_cap_usd_per_kwh
from meanwatt.analysis.learning.books import BooksKind
from meanwatt.analysis.learning.environment import MeanFieldEnvironment, expected_reading
from meanwatt.analysis.learning.market_leader import (
    leader_json,
    learning_leader,
    mean_regret_usd,
    metered_score,
    recommended,
)
from meanwatt.analysis.learning.menus import Menu, default_menu, solve_menu
from meanwatt.analysis.learning.meter import MeteredObjective
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome
from meanwatt.model.progress.watch import Watch

COMMISSION = LeaderSpec(leader="commission")
HOUSEHOLDS = 200
QUICK = {"oahu": ("memory=0", "battery_levels=5")}
"""Three kinds of day."""


def in_force(preset: str = "textbook") -> Equilibrium:
    return solved(preset, "filed", *QUICK.get(preset, ()))


def utility(preset: str = "textbook") -> LeaderSpec:
    cap = default_price_cap_usd_per_kwh(in_force(preset).economy)
    return LeaderSpec(leader="utility", price_cap_usd_per_kwh=cap)


@pytest.fixture(scope="module")
def menu() -> Menu:
    return solve_menu(COMMISSION, default_menu(preset_economy("textbook"), COMMISSION), in_force())


def play(
    menu: Menu, leader: LearningLeader, days: int, behaviour: str = "equilibrium", seed: int = 0
) -> ProsumerMarket:
    found = next(iter(menu.equilibria.values()))
    market = ProsumerMarket(
        found.economy,
        households=HOUSEHOLDS,
        behaviour=behaviour,
        tariff=preset_tariff("textbook", "filed"),
        rng=seed,
        leader=leader,
        power_flow=False,
    )
    assert market.terms is not None
    for solved_already in menu.equilibria.values():
        market.terms.add(solved_already)
    for _ in range(days):
        market.step()
    market.close()
    return market


def test_the_commission_chooses_from_what_recovers_cost(menu: Menu) -> None:
    assert menu.names == ["flat", "tou", "rtp", "income_graduated"]  # two_part has the numbers of rtp
    assert all(tariff.recovery is not Recovery.POSTED for tariff in menu.tariffs)
    for choice, found in menu.equilibria.items():
        assert menu.worth_usd[choice] == COMMISSION.objective()(found)
        assert abs(found.surplus_usd_per_household_day) < 1e-6
    assert menu.regret_usd(menu.best) == 0
    assert min(menu.regret_usd((k,)) for k in range(4)) == 0


@pytest.mark.parametrize(
    "command",
    [
        "simulate textbook --leader commission --menu rtp,flat,two_part --days 1 --households 10",
        "pilot textbook --households 60 --menu rtp,flat,two_part --days 4 --pilot-days 2 --round-days 2"
        " --before-days 2",
    ],
)
def test_a_tariff_that_is_on_the_menu_under_two_names_is_told(
    menu: Menu, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert menu.messages == ()
    main([*shlex.split(command), "--json"])
    told = [text for text in json.loads(capsys.readouterr().out)["messages"] if "two_part" in text]
    assert told == [
        "two_part is the same tariff as rtp: both are on the menu, and only chance and the days on which they are"
        " posted can tell them apart."
    ]


@pytest.mark.parametrize("preset", ["textbook", "oahu"])
def test_the_utility_chooses_from_posted_rates_below_its_cap(preset: str) -> None:
    aims = utility(preset)
    tariffs = default_menu(in_force(preset).economy, aims)
    assert len(tariffs) == len({tariff.name for tariff in tariffs}) > 4
    menu = solve_menu(aims, tariffs, in_force(preset))
    for choice, found in menu.equilibria.items():
        assert found.rates.import_usd_per_kwh.max() <= aims.price_cap_usd_per_kwh + 1e-12
        assert menu.worth_usd[choice] == found.surplus_usd_per_household_day


def test_rates_above_the_cap_cost_more_than_they_earn() -> None:
    aims, filed = utility(), preset_tariff("textbook", "filed")
    rows = [
        replace(filed, name=str(rate), energy_usd_per_kwh=np.full_like(filed.energy_usd_per_kwh, rate))
        for rate in (aims.price_cap_usd_per_kwh, 0.5, 0.6)
    ]
    menu = solve_menu(aims, rows, in_force())
    assert menu.best == (0,)
    assert (np.diff(menu.worth_usd) < 0).all()
    margins = [menu.equilibria[(k,)].surplus_usd_per_household_day for k in range(3)]
    assert (np.diff(margins) > 0).all()


def test_combinations_by_day_type_are_solved_and_the_best_is_the_best_of_all() -> None:
    base = in_force("oahu")
    economy = base.economy
    tariffs = default_menu(economy, COMMISSION, by_day_type=True)[:2]
    menu = solve_menu(COMMISSION, tariffs, base, by_day_type=True)
    states = len(set(economy.common.today.tolist()))
    assert menu.worth_usd.shape == (2,) * states
    assert len(menu.equilibria) == 2**states
    alike = solve_menu(COMMISSION, tariffs, base)
    for k in range(2):
        assert menu.worth_usd[(k,) * states] == pytest.approx(alike.worth_usd[k], abs=1e-7)
    assert menu.worth_usd.max() >= alike.worth_usd.max() - 1e-7
    mixed = menu.compose(np.array([0, 1, 0][:states]))
    for day_type, element in enumerate([0, 1, 0][:states]):
        assert (mixed.energy_usd_per_kwh[day_type] == tariffs[element].energy_usd_per_kwh[day_type]).all()


def test_menus_that_cannot_be_are_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match=r"^the menu is empty; give at least one tariff$"):
        solve_menu(COMMISSION, (), in_force())
    flat = preset_tariff("oahu", "flat")
    with pytest.raises(ValueError, match=r"^tariff flat recovers cost by an adder"):
        solve_menu(COMMISSION, (flat,), in_force("oahu"), by_day_type=True)
    many = [replace(preset_tariff("oahu", "rtp"), name=str(k)) for k in range(9)]
    with pytest.raises(ValueError, match=r"^9 tariffs for each of 3 day types make 729 combinations, allowed are 256"):
        solve_menu(COMMISSION, many, in_force("oahu"), by_day_type=True)
    hopeless = replace(preset_tariff("textbook", "flat"), name="hopeless", adder_cap_usd_per_kwh=1e-6)
    with pytest.raises(ValueError, match=r"^tariff hopeless cannot be on the menu: [^\n]*$"):
        solve_menu(COMMISSION, (hopeless,), in_force())


@pytest.mark.parametrize("books", list(BooksKind))
def test_a_leader_meters_what_the_mean_field_says_its_meters_show(menu: Menu, books: BooksKind) -> None:
    """Means of many rounds against the expected reading at the levels posted; four standard errors, and batteries."""
    leader = learning_leader(menu, in_force(), households=HOUSEHOLDS, seed=1, round_days=30, books=books)
    play(menu, leader, 30 * 30)
    objective = MeteredObjective(in_force().economy, COMMISSION, expected_reading(in_force()))
    mean_field = MeanFieldEnvironment(in_force())
    errors: dict[int, list[float]] = {}
    for one in leader.rounds:
        reading = expected_reading(menu.equilibria[(int(one.choice[0]),)])
        if one.offer is not None and one.offer.adder_usd_per_kwh:
            lived = mean_field.post(one.offer, 1).reading  # an adder is scored as it was posted
            assert lived is not None
            reading = lived
        errors.setdefault(int(one.choice[0]), []).append(one.metered_usd[0] - objective.estimate(reading).value)
    often = [k for k, values in errors.items() if len(values) >= 5]
    assert often
    pooled = np.sqrt(np.mean([np.var(errors[k], ddof=1) for k in often]))
    by_chance = pooled / np.sqrt(365 / 30)  # that the year before was metered, too
    assert len(errors) == 4
    for values in errors.values():
        allowed = 4 * np.hypot(pooled / np.sqrt(len(values)), by_chance)
        carried = 0.15 * 10 * 0.10 / 30  # a round begins at another tariff's charge: batteries · kWh · USD/kWh / days
        assert np.mean(values) == pytest.approx(0.0, abs=allowed + carried)


@pytest.mark.parametrize(
    ("behaviour", "round_days", "rounds"),
    [("equilibrium", 30, 24), ("equilibrium", 1, 120), ("belief", 7, 30), ("belief", 1, 120)],
)
def test_a_leader_finds_the_best_tariff_of_its_menu_and_posts_it_ever_more(
    menu: Menu, behaviour: str, round_days: int, rounds: int
) -> None:
    leader = learning_leader(menu, in_force(), households=HOUSEHOLDS, seed=2, round_days=round_days)
    play(menu, leader, rounds * round_days, behaviour)
    assert recommended(leader) == menu.best
    lost = np.array([menu.regret_usd(one.choice) for one in leader.rounds])
    blind = np.mean([menu.regret_usd((k,)) for k in range(4)])  # posting at random
    assert lost[rounds // 2 :].mean() < 0.5 * blind
    assert mean_regret_usd(leader, menu) == pytest.approx(lost.mean())


def test_a_leader_is_shown_nothing_but_meters(menu: Menu) -> None:
    blinded = replace(menu, worth_usd=-menu.worth_usd)
    posts = []
    for shown in (menu, blinded):
        leader = learning_leader(shown, in_force(), households=HOUSEHOLDS, seed=3, round_days=2)
        play(shown, leader, 40)
        posts.append(leader.posted)
    assert posts[0] == posts[1]


def test_one_seed_is_one_run(menu: Menu) -> None:
    runs = []
    for seed in (4, 4, 5):
        leader = learning_leader(menu, in_force(), households=HOUSEHOLDS, seed=seed, round_days=1)
        market = play(menu, leader, 12, "belief", seed)
        runs.append((leader.posted, market.day_digest, leader.learner.value_usd.tolist()))
    assert str(runs[0]) == str(runs[1]) != str(runs[2])


def test_weather_that_the_tariff_in_force_never_saw_says_nothing() -> None:
    reading = expected_reading(in_force("oahu"))
    score = metered_score(in_force("oahu").economy, COMMISSION, reading.rows([0, 1]))
    assert score(reading.rows([2])) is None
    assert score(reading.rows([0, 2])) is not None


def test_before_a_round_is_over_nothing_is_recommended(menu: Menu) -> None:
    leader = learning_leader(menu, in_force(), households=HOUSEHOLDS, seed=0, round_days=30)
    play(menu, leader, 5)
    assert recommended(leader) is None
    said = leader_json(leader, menu)
    assert (
        said["recommended"] is said["regret_usd_per_household_day"] is said["mean_regret_usd_per_household_day"] is None
    )
    assert len(said["posted_tariff"]) == 5
    assert said["learned_usd_per_household_day"] == [[None] * 4]


RUN = "simulate textbook --tariff filed --households 60 --days 12 --seed 3 --round-days 3"


def say(command: str, capsys: pytest.CaptureFixture[str]) -> dict:
    assert main([*shlex.split(command), "--json"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    return json.loads(said.out)


def test_the_command_tells_what_was_posted_and_learned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    command = f"{RUN} --leader commission --menu rtp,flat --behaviour belief=.5,equilibrium=.5 --out {out}"
    said = say(command, capsys)
    leader = said["leader"]
    assert set(leader["posted_tariff"]) == {"rtp", "flat"} == set(leader["menu"])
    assert [one["tariff"][0] for one in leader["rounds"]] == leader["posted_tariff"][::3]
    assert sum(leader["learned_days"][0]) == 12
    told = [one["metered_usd_per_household_day"][0] for one in leader["rounds"]]
    replayed = MenuLearner(1, 2, stream=0)
    for one, value in zip(leader["rounds"], told, strict=True):
        replayed.update(0, leader["menu"].index(one["tariff"][0]), value, 3)
    assert leader["learned_usd_per_household_day"] == pytest.approx(replayed.value_usd, rel=1e-12)
    assert leader["learned_is"] == "the welfare gained over the tariff in force, less penalties"
    assert leader["best"] == ["rtp"]
    table = pq.read_table(out / "leader_days.parquet").to_pydict()
    assert table["tariff"] == leader["posted_tariff"]
    assert pq.read_table(out / "leader_rounds.parquet").num_rows == len(leader["rounds"]) == 4
    assert said["settings"]["round_days"] == 3


def test_the_command_posts_by_day_type(capsys: pytest.CaptureFixture[str]) -> None:
    sets = "--set memory=0 --set battery_levels=5"
    said = say(f"simulate oahu --households 40 --days 6 --leader utility --round-days 1 --by-day-type {sets}", capsys)
    leader = said["leader"]
    assert len(leader["states"]) == 3
    posted = [
        leader["rounds"][day]["tariff"][next(s for s, names in enumerate(leader["states"]) if weather in names)]
        for day, weather in enumerate(said["day_type"])
    ]
    assert posted == leader["posted_tariff"]


def test_without_a_leader_nothing_is_said_of_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert say("simulate textbook --households 20 --days 1", capsys)["leader"] is None


def test_people_get_a_table_of_what_was_learned(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(shlex.split(f"{RUN} --leader commission --menu rtp,flat")) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "The commission after 4 rounds of 3 days" in said
    assert "Recommended: rtp. Regret against rtp" in said
    assert (
        "Learned: the welfare gained over the tariff in force, less penalties, as meters tell it;"
        " mean field: the objective's level." in said
    )
    assert main(shlex.split(f"{RUN} --leader utility")) == 0
    assert "Learned: " not in capsys.readouterr().out  # both columns are levels


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            "--round-days 3",
            "--round-days belongs to a leader who learns; give --leader commission or utility or constrained or nash"
            " or rawls too",
        ),
        (
            "--by-day-type",
            "--by-day-type belongs to a leader who learns; give --leader commission or utility or constrained or nash"
            " or rawls too",
        ),
        ("--leader utilty", "unknown leader 'utilty'; did you mean 'utility'?"),
        (
            "--leader utility --round-days 0",
            "--round-days is '0'; give a whole number from 1 to 100000, e.g. 30",
        ),
        (
            "--leader utility --weights equity=1",
            "--weights belong to the commission or the constrained commission; give --leader commission or constrained,"
            " or leave them out",
        ),
        (
            "--leader commission --price-cap 0.3",
            "--price-cap belongs to the utility; give --leader utility, or leave it out",
        ),
        (
            "--leader commission --menu flat --by-day-type",
            "--menu and --by-day-type exclude each other; the menu by day type is a net of its own",
        ),
        (
            "--leader commission --menu flat,rpt",
            "scenario textbook: unknown tariff 'rpt'; did you mean 'rtp'? (or give the path of a TOML file)",
        ),
    ],
)
def test_wrong_options_are_refused_in_one_line(options: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(shlex.split(f"simulate textbook --days 1 --households 10 {options}")) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"meanwatt: {sentence}\n"


def test_a_menu_may_be_cancelled(menu: Menu) -> None:
    from meanwatt.model.progress.watch import Cancelled

    with pytest.raises(Cancelled):
        solve_menu(COMMISSION, menu.tariffs, in_force(), watch=Watch(cancelled=lambda: True))
    assert all(found.outcome is Outcome.CONVERGED for found in menu.equilibria.values())


def test_a_menu_on_which_nothing_has_an_objective_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Every tariff leaves the poorest group with nothing; it was once said that the first one has no regret."""
    poor = "income_groups.low.income_usd_per_year=300"
    status = main(["simulate", "textbook", "--leader", "nash", "--days", "2", "--set", poor, "--json"])
    shown = capsys.readouterr()
    assert (status, shown.out) == (2, "")
    assert shown.err.startswith("meanwatt: no tariff of the menu has an objective: income group low is left with -")
    assert shown.err.count("\n") == 1


def test_a_leader_who_comes_to_no_round_or_not_to_all_of_its_menu_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    short = "simulate textbook --households 20 --leader commission --menu rtp,flat,tou --books model --json"
    assert main(shlex.split(f"{short} --days 2 --round-days 3")) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["messages"] == ["The leader learned nothing: no round of 3 days was over after 2 days."]
    assert main(shlex.split(f"{short} --days 4 --round-days 2")) == 0
    said = json.loads(capsys.readouterr().out)
    (left,) = {"rtp", "flat", "tou"} - set(said["leader"]["posted_tariff"])
    assert said["messages"] == [
        f"The leader never posted some of its menu in every state, and knows nothing of it there: {left}."
    ]
    assert main(shlex.split(f"{short} --days 3 --round-days 1")) == 0
    assert json.loads(capsys.readouterr().out)["messages"] == []
