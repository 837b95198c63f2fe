"""A leader who balances its books by its meters: forecast, true-up, what is scored, and what it may look at."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scenarios import preset_tariff, small_economy, small_tariff, solved

from meanwatt.agents.behaviour.offer import Offer
from meanwatt.agents.leader.learning_leader import LearningLeader
from meanwatt.agents.leader.meter import MeterReading
from meanwatt.agents.tariff.tariff import ExportRule, Recovery, Tariff, rates
from meanwatt.analysis.cli import main
from meanwatt.analysis.design.design import DesignProblem
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.analysis.learning.books import Balance, BooksKind, MeteredBooks, books_kind
from meanwatt.analysis.learning.campaign import Learned, finite_market, learning_search, try_tariffs
from meanwatt.analysis.learning.environment import Environment, MeanFieldEnvironment, Posted, expected_reading
from meanwatt.analysis.learning.journal import Journal
from meanwatt.analysis.learning.learners import LEARNERS
from meanwatt.analysis.learning.market_leader import metered_score
from meanwatt.analysis.learning.meter import MeteredObjective
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.scenario.economy import Economy

AIMS = LeaderSpec(leader="commission", weights={"equity": 5.0, "stability": 1.0})
DAYS = 30
QUICK_OAHU = ("oahu", ("memory=0", "battery_levels=5"))
"""Three kinds of day."""


def in_force(preset: str, overrides: Sequence[str] = ()) -> Equilibrium:
    return solved(preset, "filed", *overrides)


def rounds(books: MeteredBooks, environment: Environment, tariffs: Sequence[Tariff]) -> list[tuple[Offer, Any, Any]]:
    """Post tariffs one after the other; the offer, the reading, and what is scored of each."""
    lived = []
    for tariff in tariffs:
        offer = books.offer(tariff, DAYS)
        reading = environment.post(offer, 1).reading
        assert reading is not None
        lived.append((offer, reading, books.close(reading, DAYS)))
    return lived


def family_members(economy: Economy, count: int) -> list[Tariff]:
    family, rng = AIMS.family(economy), np.random.default_rng(7)
    return [family.tariff(family.at(rng.random(len(family.free)))) for _ in range(count)]


# Laws


@pytest.mark.parametrize(("preset", "overrides"), [("textbook", ()), QUICK_OAHU])
@pytest.mark.parametrize("name", ["rtp", "income_graduated"])
def test_under_a_fixed_charge_the_account_scores_as_the_model_does(
    preset: str, overrides: tuple[str, ...], name: str
) -> None:
    """With the meters of the mean field at once; and the level posted settles at the equilibrium's."""
    base, found = in_force(preset, overrides), solved(preset, name, *overrides)
    before = expected_reading(base)
    objective = MeteredObjective(base.economy, AIMS, before)
    by_model = objective.estimate(expected_reading(found))
    books = MeteredBooks(base.economy, before)
    lived = rounds(books, MeanFieldEnvironment(base), [found.tariff] * 3)
    for _, _, scored in lived:
        assert objective.estimate(scored).score == pytest.approx(by_model.score, abs=1e-9)
    first, last = (offer.fixed_charge_usd_per_day for offer, *_ in (lived[0], lived[-1]))
    assert np.abs(first - found.fixed_charge_usd_per_day).max() > 1e-3  # loads in force are not those of the tariff
    assert last == pytest.approx(found.fixed_charge_usd_per_day, abs=1e-8)


@pytest.mark.parametrize("name", ["rtp", "flat"])
def test_the_balance_returns_to_nothing_when_a_tariff_is_posted_again(name: str) -> None:
    base, tariff = in_force("textbook"), preset_tariff("textbook", name)
    books, environment = MeteredBooks(base.economy, expected_reading(base)), MeanFieldEnvironment(base)
    balances = []
    for _ in range(3 if name == "rtp" else 12):
        ((offer, reading, scored),) = rounds(books, environment, [tariff])
        balances.append(abs(books.balance.usd))
    assert books.balance.largest_usd == max(balances) == balances[0] > 1e-2
    assert books.balance.days == len(balances) * DAYS
    assert balances[-1] < 1e-6
    if name == "rtp":  # an adder moves households, and so the next forecast; a fixed charge does not
        assert max(balances[1:]) < 1e-6
    else:
        assert offer.adder_usd_per_kwh == pytest.approx(solved("textbook", "flat").adder_usd_per_kwh, abs=1e-8)
        assert scored is reading  # a tariff with an adder is scored as it was posted


@pytest.mark.parametrize("days", [1, 7, 30, 90])
def test_the_balance_is_bounded_by_the_errors_of_the_forecasts(days: int) -> None:
    """The balance is b' = (1 − d/max(d, T))·b + d·e, so |b| ≤ max(d, T)·max|e|: whatever is posted after what."""
    base = in_force("textbook")
    books, alone = (MeteredBooks(base.economy, expected_reading(base)) for _ in range(2))
    environment, shares, errors = MeanFieldEnvironment(base), base.economy.group_share, []
    for tariff in family_members(base.economy, 8):
        alone.balance = Balance()  # forecasts without a true-up
        forecast = float(shares @ alone.offer(tariff, days).fixed_charge_usd_per_day)
        offer = books.offer(tariff, days)
        reading = environment.post(offer, 1).reading
        assert reading is not None
        for one in (books, alone):
            one.close(reading, days)
        needed = float(shares @ offer.fixed_charge_usd_per_day - reading.weight @ reading.margin_usd_per_day)
        errors.append(abs(forecast - needed))
        assert abs(books.balance.usd) <= max(days, 30) * max(errors) + 1e-12
    assert max(errors) > 0.01


# Hand cases


def forecast_by_hand(tariff: Tariff, reading: MeterReading, today: np.ndarray) -> float:
    """Cost less energy revenue of new rates at the loads of a reading, in plain loops. [USD per household-day]"""
    posted, total = rates(tariff, today[reading.common_state], reading.wholesale_usd_per_kwh, 0.0), 0.0
    rows, groups, slots = reading.imported_kw.shape
    for row in range(rows):
        for h in range(slots):
            cost = revenue = 0.0
            for g in range(groups):
                bought = (1 - tariff.discount[g]) * posted.import_usd_per_kwh[row, h]
                revenue += bought * reading.imported_kw[row, g, h]
                revenue -= posted.export_usd_per_kwh[row, h] * reading.exported_kw[row, g, h]
                net_kw = reading.imported_kw[row, g, h] - reading.exported_kw[row, g, h]
                cost += reading.wholesale_usd_per_kwh[row, h] * net_kw
            total += reading.weight[row] * reading.slot_hours * (cost - revenue)
    return total + reading.network_cost_usd_per_day


def test_a_level_is_the_forecast_at_the_loads_last_metered_and_the_true_up() -> None:
    base = in_force(*QUICK_OAHU)
    before, today = expected_reading(base), base.economy.common.today
    books, environment, last = MeteredBooks(base.economy, before), MeanFieldEnvironment(base), before
    shares = base.economy.group_share
    for tariff in family_members(base.economy, 3):
        wanted = forecast_by_hand(tariff, last, today) - books.balance.usd / DAYS
        ((offer, reading, _),) = rounds(books, environment, [tariff])
        assert shares @ offer.fixed_charge_usd_per_day == pytest.approx(wanted, abs=1e-12)
        ratio = offer.fixed_charge_usd_per_day / tariff.fixed_charge_shape
        assert ratio == pytest.approx(np.full(len(ratio), ratio[0]))
        last = reading


def test_a_kind_of_day_that_was_not_met_keeps_the_loads_it_had() -> None:
    base = in_force(*QUICK_OAHU)
    before, tariff = expected_reading(base), preset_tariff("oahu", "rtp")
    whole, partly = (MeteredBooks(base.economy, before) for _ in range(2))
    seen = expected_reading(solved("oahu", "tou", *QUICK_OAHU[1]))
    whole.close(seen, DAYS)
    for state in range(3):
        partly.close(seen.rows([state]), 1)
    levels = [books.offer(tariff, 10**9).fixed_charge_usd_per_day for books in (whole, partly)]
    assert levels[0] == pytest.approx(levels[1], abs=1e-6)


def small_reading(tariff: Tariff, economy: Economy, imported: float, exported: float) -> MeterReading:
    found = solve_equilibrium(economy, replace(tariff, recovery=Recovery.POSTED))
    reading = expected_reading(found)
    return replace(
        reading,
        imported_kw=np.full_like(reading.imported_kw, imported),
        exported_kw=np.full_like(reading.exported_kw, exported),
    )


@pytest.mark.parametrize(
    ("rule", "capped", "imported", "exported"),
    [
        (ExportRule.NET_BILLING, False, 0.5, 0.1),
        (ExportRule.NET_BILLING, True, 0.5, 0.2),
        (ExportRule.NET_METERING, False, 0.5, 0.2),
        (ExportRule.NONE, False, 0.3, 0.3),
    ],
)
def test_an_adder_balances_the_books_at_the_loads_last_metered(
    rule: ExportRule, capped: bool, imported: float, exported: float
) -> None:
    economy = small_economy()
    tariff = small_tariff(
        economy,
        recovery=Recovery.VOLUMETRIC,
        export_rule=rule,
        capped_at_import=capped,
        export_usd_per_kwh=np.full((3, 3), 0.06),
        pass_through=0.0,
        export_pass_through=0.0,
        discount=np.array([0.3, 0.0]),
    )
    reading = small_reading(tariff, economy, imported, exported)
    adder = MeteredBooks(economy, reading).offer(tariff, DAYS).adder_usd_per_kwh
    assert 0 < adder < tariff.adder_cap_usd_per_kwh
    posted = rates(tariff, economy.common.today[reading.common_state], reading.wholesale_usd_per_kwh, adder)
    own = [tariff.for_group(posted, group) for group in range(2)]
    billed = replace(
        reading,
        tariff=tariff,
        import_usd_per_kwh=np.stack([one.import_usd_per_kwh for one in own], axis=1),
        export_usd_per_kwh=np.stack([one.export_usd_per_kwh for one in own], axis=1),
    )
    assert billed.weight @ billed.margin_usd_per_day == pytest.approx(0.0, abs=1e-12)


def test_an_adder_stays_between_nothing_and_its_cap() -> None:
    economy = small_economy()
    tariff = small_tariff(economy, recovery=Recovery.VOLUMETRIC, adder_cap_usd_per_kwh=0.5, pass_through=0.0)
    rich = replace(tariff, energy_usd_per_kwh=np.full((3, 3), 5.0))
    metering = replace(tariff, export_rule=ExportRule.NET_METERING)
    for one, loads, adder in ((rich, (0.5, 0.0), 0.0), (tariff, (1e-3, 0.0), 0.5), (metering, (0.1, 0.11), 0.5)):
        books = MeteredBooks(economy, small_reading(tariff, economy, *loads))
        assert books.offer(one, DAYS).adder_usd_per_kwh == adder


def test_a_tariff_that_posts_its_charges_is_not_booked() -> None:
    base = in_force("textbook")
    books = MeteredBooks(base.economy, expected_reading(base))
    ((offer, reading, scored),) = rounds(books, MeanFieldEnvironment(base), [base.tariff])
    assert scored is reading
    assert (offer.fixed_charge_usd_per_day == base.tariff.fixed_charge_usd_per_day).all()
    assert books.balance == Balance()
    assert books.balance.to_json(BooksKind.ACCOUNT) == {
        "kind": "account",
        "shortfall_usd_per_household_day": None,
        "largest_balance_usd_per_household": None,
    }


def test_a_shortfall_is_what_the_days_booked_lack() -> None:
    balance = Balance().after(-0.2, 10).after(0.1, 30).after(-0.1, 20)
    assert balance.usd == pytest.approx(-1.0)
    assert balance.shortfall_usd_per_household_day == pytest.approx(1 / 60)
    assert balance.largest_usd == pytest.approx(2.0)


def test_unknown_books_are_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match=r"^unknown books 'acount'; did you mean 'account'\?$"):
        books_kind("acount")


# What the leader may look at


class Guarded:
    """Something with a few attributes; to look at another one is an error."""

    def __init__(self, of: Any, allowed: str) -> None:
        self._of, self._allowed = of, allowed.split()

    def __getattr__(self, name: str) -> Any:
        if name not in self._allowed:
            raise AssertionError(f"the leader looked at {name}")
        return getattr(self._of, name)


PUBLIC = "common group_income_usd_per_year carbon_usd_per_t scenario group_share fixed_cost_usd_per_day groups slots"
"""The climate and calendar, the census, the price of carbon, and the leader's own tariffs, customers and network."""


def blind(economy: Economy) -> Any:
    return Guarded(economy, PUBLIC)


class MetersOnly(Environment):
    """An environment of which only readings come back."""

    def __init__(self, behind: MeanFieldEnvironment) -> None:
        self._behind = behind

    @property
    def settings(self) -> dict[str, Any]:  # noqa: D102
        return self._behind.settings

    @property
    def trial_days(self) -> int:  # noqa: D102
        return self._behind.trial_days

    def in_force(self) -> MeterReading:  # noqa: D102
        return self._behind.in_force()

    def post(self, tariff: Tariff | Offer, trial: int) -> Posted:  # noqa: D102
        assert isinstance(tariff, Offer)
        assert tariff.policies is None
        return Posted(reading=self._behind.post(tariff, trial).reading, truth=None)


def test_a_learner_is_handed_meters_and_public_facts_alone() -> None:
    base = in_force("textbook")
    whole = DesignProblem(economy=base.economy, aims=AIMS, baseline=base)
    seen = replace(whole, economy=blind(base.economy), baseline=Guarded(base, "tariff"))
    blindfold, open_eyed = (
        try_tariffs(problem, environment, method="softmax", evaluations=8, seed=0)
        for problem, environment in (
            (seen, MetersOnly(MeanFieldEnvironment(base))),
            (whole, MeanFieldEnvironment(base)),
        )
    )
    assert [(one.unit, one.told, one.books) for one in blindfold] == [
        (one.unit, one.told, one.books) for one in open_eyed
    ]


def test_a_leader_in_a_market_is_handed_meters_and_public_facts_alone() -> None:
    base = in_force("textbook")
    economy, before = base.economy, expected_reading(base)
    menu = [preset_tariff("textbook", name) for name in ("rtp", "flat", "income_graduated")]
    score, books = metered_score(blind(economy), AIMS, before), MeteredBooks(blind(economy), before)
    leader = LearningLeader(menu, score, round_days=2, rng=1, books=books)
    market = ProsumerMarket(
        economy, households=50, behaviour="belief", tariff=base.tariff, rng=1, leader=leader, power_flow=False
    )
    for _ in range(10):
        market.step()
    market.close()
    assert len(leader.rounds) == 5
    for one in leader.rounds:
        assert one.offer is not None
        assert one.offer.policies is None
    assert leader.rounds[-1].balance_usd == books.balance.usd != 0.0


# In the market


def test_the_market_bills_what_the_leader_posted() -> None:
    """The account of the utility is that of the leader's books, which see bills and prices alone."""
    base = in_force("textbook")
    books = MeteredBooks(base.economy, expected_reading(base))
    menu = [preset_tariff("textbook", name) for name in ("rtp", "flat")]
    leader = LearningLeader(menu, lambda reading: 0.0, round_days=3, books=books)
    market = ProsumerMarket(base.economy, households=40, tariff=base.tariff, rng=2, leader=leader, power_flow=False)
    for _ in range(12):
        market.step()
    market.close()
    booked = market.utility.account.surplus_usd / market.households
    assert books.balance.usd == pytest.approx(booked, abs=1e-4)  # bills are kept in single precision
    assert {one.offer.tariff.name for one in leader.rounds if one.offer} == {"rtp", "flat"}


# The record


def problem(aims: LeaderSpec = AIMS) -> DesignProblem:
    base = in_force("textbook")
    return DesignProblem(economy=base.economy, aims=aims, baseline=base)


def test_without_an_account_a_learner_is_told_what_the_model_balances() -> None:
    """Bit for bit the loop that asks, solves the tariff with its charges, meters and tells."""
    base, learner = in_force("textbook"), LEARNERS["softmax"](5, 9, 3)
    family, objective = (
        AIMS.family(base.economy, base.tariff),
        MeteredObjective(base.economy, AIMS, expected_reading(base)),
    )
    told = []
    for _ in range(9):
        unit = learner.ask()
        found = solve_equilibrium(base.economy, family.tariff(family.at(unit)), start=base, certify=False)
        told.append(objective.estimate(expected_reading(found)).score)
        learner.tell(unit, told[-1])
    tried = try_tariffs(
        problem(), MeanFieldEnvironment(base), method="softmax", evaluations=9, seed=3, books=BooksKind.MODEL
    )
    assert [one.told for one in tried] == told
    assert {one.books for one in tried} == {None}


def learned(path: Path, given: DesignProblem, *, resume: bool = False, books: BooksKind = BooksKind.ACCOUNT) -> Learned:
    search = learning_search(
        "softmax",
        environment=finite_market(households=30, days=2, seed=1),
        evaluations=7,
        journal=path,
        resume=resume,
        books=books,
    )
    found = search(given)
    assert isinstance(found, Learned)
    return found


def test_an_account_goes_on_from_any_trial_to_the_last_bit(tmp_path: Path) -> None:
    """In markets of two days, which leave loads of other kinds of day in the books, trial by trial."""
    base = in_force(*QUICK_OAHU)
    given, path = DesignProblem(economy=base.economy, aims=AIMS, baseline=base), tmp_path / "run.jsonl"
    whole = learned(path, given)
    lines = path.read_bytes().splitlines(keepends=True)
    met = [json.loads(line)["books"]["metered"]["common_state"] for line in lines[1:]]
    assert len({str(states) for states in met}) > 1
    for kept in (2, 6):
        path.write_bytes(b"".join(lines[:kept]))
        again = learned(path, given, resume=True)
        assert (again.tried, again.balance, again.objective) == (whole.tried, whole.balance, whole.objective)
        assert path.read_bytes() == b"".join(lines)


def test_a_journal_of_before_goes_on_with_the_model_and_is_refused_with_an_account(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    learned(path, problem(), books=BooksKind.MODEL)
    lines = path.read_bytes().splitlines(keepends=True)
    assert not any(b"books" in line for line in lines)  # as journals were written before there were books
    path.write_bytes(b"".join(lines[:4]))
    with pytest.raises(ValueError, match=r'its books is null, now it is "account"; give the settings of that run'):
        learned(path, problem(), resume=True)
    learned(path, problem(), books=BooksKind.MODEL, resume=True)
    assert path.read_bytes() == b"".join(lines)


def test_a_utility_that_posts_everything_learns_the_same_with_either(tmp_path: Path) -> None:
    margin = LeaderSpec(leader="utility", price_cap_usd_per_kwh=0.3)
    runs = [
        try_tariffs(
            problem(margin), MeanFieldEnvironment(in_force("textbook")), method="cma", evaluations=1, seed=0, books=kind
        )
        for kind in BooksKind
    ]
    assert runs[0] == runs[1]


def test_a_trial_without_an_equilibrium_is_not_booked(tmp_path: Path) -> None:
    class Unsettled(MeanFieldEnvironment):
        def post(self, tariff: Tariff | Offer, trial: int) -> Posted:
            posted = super().post(tariff, trial)
            return posted if trial % 2 else replace(posted, reading=None)

    with Journal(tmp_path / "run.jsonl", {}, resume=False) as journal:
        tried = try_tariffs(
            problem(), Unsettled(in_force("textbook")), method="cma", evaluations=4, seed=0, journal=journal
        )
    days = [one.books["days"] for one in tried if one.books]
    assert days == [30, 30, 60, 60]


# The commands


def say(command: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main([*shlex.split(command), "--json"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    return dict(json.loads(said.out))


def test_the_design_is_that_of_the_balanced_level_and_the_books_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    command = "design textbook --leader commission --method softmax --evaluations 8 --no-cold"
    account, model = (say(f"{command} --books {kind}", capsys) for kind in BooksKind)
    assert model["books"] == {
        "kind": "model",
        "shortfall_usd_per_household_day": None,
        "largest_balance_usd_per_household": None,
    }
    assert account["books"]["kind"] == account["settings"]["books"] == "account"
    assert account["books"]["largest_balance_usd_per_household"] > 0
    assert account["objective"] == pytest.approx(model["objective"], abs=1e-9)
    assert account["metrics"]["surplus_usd_per_household_day"] == pytest.approx(0.0, abs=1e-9)
    assert account["tariff"] == model["tariff"]
    main(shlex.split("design textbook --leader commission --evaluations 2 --no-cold --json"))
    assert json.loads(capsys.readouterr().out)["books"] is None


RUN = "simulate textbook --leader commission --menu rtp,flat --tariff filed --households 40 --days 6 --round-days 2"


def test_a_simulated_leader_tells_its_books(capsys: pytest.CaptureFixture[str]) -> None:
    account, model = (say(f"{RUN} --books {kind}", capsys)["leader"] for kind in BooksKind)
    assert model["books"]["kind"] == "model"
    assert {one["balance_usd_per_household"] for one in model["rounds"]} == {None}
    balances = [abs(one["balance_usd_per_household"]) for one in account["rounds"]]
    assert account["books"]["largest_balance_usd_per_household"] == max(balances) > 0
    lacking = -account["rounds"][-1]["balance_usd_per_household"] / 6
    assert account["books"]["shortfall_usd_per_household_day"] == pytest.approx(lacking)
    assert main(shlex.split(RUN)) == 0
    assert "Its books, balanced by its meters, end " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (
            "design textbook --leader commission --books model",
            "--books belongs to the methods that learn; give --method",
        ),
        (
            "design textbook --leader commission --method cma --books modle",
            "unknown books 'modle'; did you mean 'model'?",
        ),
        ("simulate textbook --books model", "--books belongs to a leader who learns; give --leader commission"),
        ("simulate textbook --leader utility --books none", "unknown books 'none'"),
    ],
)
def test_books_that_do_not_fit_are_told_in_one_line(
    command: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(shlex.split(command)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"meanwatt: {line}")
    assert said.err.count("\n") == 1
