"""Lessons change one thing, at equal cost recovery, and what a teacher counts on comes out."""

import math
import re
from collections.abc import Mapping
from functools import cache

import numpy as np
import pytest

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.lessons import (
    death_spiral,
    fixed_charge,
    herding,
    leader,
    market_size,
    net_metering,
    second_peak,
    storage,
)
from meanwatt.analysis.lessons.case import Case
from meanwatt.analysis.lessons.catalogue import LESSONS, find
from meanwatt.analysis.lessons.figure import Bars, Curves, DayLines, Dots
from meanwatt.analysis.lessons.lesson import Choose, Guess, Lesson, Revealed
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome, solve_equilibrium
from meanwatt.model.progress.watch import Cancelled, Progress, Watch
from meanwatt.model.scenario.economy import Economy, build_economy

DAYS_PER_MONTH = 365 / 12
EVERY = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.key)


@cache
def revealed(key: str) -> Revealed:
    return find(key).reveal(Watch())


@cache
def solved(case: Case) -> Equilibrium:
    return case.solve(Watch())


@cache
def economy_of(case: Case) -> Economy:
    return build_economy(case.load())


def facts(case: Case) -> dict[str, object]:
    """All that a case says, by dotted name: its scenario, of whose tariffs the selected one, and what lies beside."""

    def leaves(table: object, place: str) -> dict[str, object]:
        if isinstance(table, Mapping):
            return {
                key: leaf for name, inner in table.items() for key, leaf in leaves(inner, f"{place}.{name}").items()
            }
        return {place.removeprefix("."): table}

    scenario = case.load()
    said = scenario.model_dump(exclude={"default_tariff"})
    said["tariff"] = said.pop("tariffs")[scenario.selected_tariff]
    said["tariff"].pop("title")
    return leaves(said, "") | dict(case.beside)


@EVERY
def test_a_lesson_differs_from_its_base_in_its_factor_alone(lesson: Lesson) -> None:
    base = facts(lesson.base)
    assert len(base) > 60
    assert lesson.variants
    for variant in lesson.variants:
        other = facts(variant)
        differing = {key for key in base.keys() | other.keys() if base.get(key) != other.get(key)}
        assert differing
        assert {key for key in differing if key != lesson.factor and not key.startswith(f"{lesson.factor}.")} == set()


@EVERY
def test_where_money_is_compared_every_case_recovers_the_same_cost(lesson: Lesson) -> None:
    posted = lesson.base.load().tariffs[lesson.base.load().selected_tariff].recovery
    if not lesson.money:
        assert lesson.question.text.count("$") == lesson.question.text.count("cent") == 0
        return
    assert posted in ("volumetric", "fixed")
    assert solved(lesson.base).outcome is Outcome.CONVERGED
    found = [solved(case) for case in (lesson.base, *lesson.variants)]
    covered = [one for one in found if one.outcome is not Outcome.NO_ADEQUATE_TARIFF]
    assert len(covered) >= 2
    for one in covered:
        revenue = float(one.economy.type_share @ one.bill_usd_per_day)
        load = one.net_load_kw
        energy = one.economy.slot_hours * float(
            (one.economy.common.probability[:, None] * one.wholesale_usd_per_kwh * load).sum()
        )
        assert revenue - energy - one.economy.fixed_cost_usd_per_day == pytest.approx(0, abs=1e-6)


@EVERY
def test_what_a_teacher_counts_on_comes_out(lesson: Lesson) -> None:
    numbers = revealed(lesson.key).numbers
    assert lesson.notes.expected
    for one in lesson.notes.expected:
        assert one.low < one.high or one.name == "hours_later"
        assert one.low <= numbers[one.name] <= one.high, one.name
    assert any(one.low > 0 or one.high <= 0 for one in lesson.notes.expected), "no reading says a direction"


@EVERY
def test_the_answer_is_one_that_can_be_predicted(lesson: Lesson) -> None:
    question, found = lesson.question, revealed(lesson.key)
    if isinstance(question, Guess):
        assert isinstance(found.answer, float)
        assert question.low <= found.answer <= question.high
        assert any(found.answer == pytest.approx(value) for value in found.numbers.values())
    else:
        assert isinstance(question, Choose)
        keys = [option.key for option in question.options]
        assert 3 <= len(keys) == len(set(keys)) <= 4
        assert found.answer in keys


@EVERY
def test_every_number_of_a_sentence_is_one_that_was_found(lesson: Lesson) -> None:
    found = revealed(lesson.key)
    known = {abs(value) for value in found.numbers.values()} | {100 * abs(1 - found.numbers.get("ratio", 1.0))}
    known |= {100 * abs(value) for value in found.numbers.values() if abs(value) <= 1}
    told = f"{found.given} {found.reading}"
    if lesson.key == "market-size":
        known |= {*market_size.SIZES, market_size.MARKETS, 1000.0, 1000**0.5, 1.0}
    if lesson.key == "second-peak":
        told = re.sub(r"\d\d:00", "", told)
    tokens = re.findall(r"\d[\d,]*(?:\.\d+)?", told)
    assert len(tokens) >= 3
    for token in tokens:
        plain = token.replace(",", "").rstrip(".")
        digits = len(plain.partition(".")[2])
        assert any(f"{value:.{digits}f}" == plain for value in known), f"{token} in: {told}"


@pytest.mark.parametrize(
    ("module", "turned", "before", "after"),
    [
        (death_spiral, {"step": 3.0}, "ever faster", "no faster"),
        (net_metering, {"poor_change": -3.0}, "without solar pays $17.02 a month more", "$3.00 a month less"),
        (net_metering, {"price_after": 1.0}, "the kWh rises", "the kWh falls"),
        (fixed_charge, {"gap_after": 9.0}, "burden gap falls", "burden gap rises"),
        (fixed_charge, {"welfare_change": -2.0}, "nobody uses", "welfare changes by −$2.00"),
        (storage, {"peak_after": 2.0}, "highest load falls", "highest load rises"),
        (storage, {"climb_after": 5.0}, "three hours falls", "three hours rises"),
        (second_peak, {"ratio": 1.2}, "below the old one", "20 % above the old one"),
        (herding, {"jump_all": 0.1}, "never settle", "settle as well"),
        (market_size, {"watts_10000": 500.0}, "times less", "times more"),
        (leader, {"got": 0.5}, "and lost $2.97", "and gained $0.50"),
        (leader, {"more_use": -4.0}, "% more from the grid", "4 % less from the grid"),
    ],
)
def test_the_words_of_a_sentence_turn_with_the_numbers(
    module, turned: dict[str, float], before: str, after: str
) -> None:
    numbers = dict(revealed(module.LESSON.key).numbers)
    assert before in module.reading(numbers)
    sentence = module.reading(numbers | turned)
    assert before not in sentence
    assert after in sentence


@pytest.mark.parametrize(
    ("module", "turned", "answer"),
    [
        (fixed_charge, {"gap_change": 0.0}, "neither"),
        (fixed_charge, {"welfare_change": 1.0}, "both"),
        (fixed_charge, {"gap_change": 0.0, "welfare_change": 1.0}, "waste"),
        (second_peak, {"ratio": 1.0}, "higher"),
        (second_peak, {"ratio": 0.5}, "half"),
        (second_peak, {"ratio": 0.3}, "gone"),
        (herding, {"jump_all": 0.2, "all_from_rest": 0.1}, "sooner"),
        (herding, {"jump_all": 0.2, "all_from_rest": 3.0}, "elsewhere"),
        (leader, {"got": 0.7}, "as_hoped"),
        (leader, {"got": 0.3}, "half"),
    ],
)
def test_the_answer_turns_with_the_numbers(module, turned: dict[str, float], answer: str) -> None:
    numbers = dict(revealed(module.LESSON.key).numbers)
    keys = [option.key for option in module.LESSON.question.options]
    assert module.answer(numbers) != answer
    assert module.answer(numbers | turned) == answer
    assert answer in keys


@EVERY
def test_a_lesson_has_all_that_a_teacher_needs(lesson: Lesson) -> None:
    notes = lesson.notes
    assert 10 <= lesson.minutes <= 15
    assert len(notes.points) >= 3
    assert notes.sources
    assert lesson.closing.endswith("?")
    assert lesson.tries
    texts = [lesson.title, lesson.teaser, *lesson.story, lesson.change, lesson.question.text, *notes.points]
    assert all(text == text.strip() and "  " not in text for text in texts)
    assert all(text.endswith((".", "?")) for text in [*lesson.story, lesson.change, *notes.points, *notes.sources])
    if lesson.key in ("net-metering", "fixed-charge"):
        assert len(notes.sides) == 2


@EVERY
def test_a_figure_holds_what_it_draws(lesson: Lesson) -> None:
    figure = revealed(lesson.key).figure
    if isinstance(figure, Curves):
        assert all(len(line.values) == len(figure.x) or line.values[-1] is None for line in figure.lines)
        assert list(figure.x) == sorted(figure.x)
        assert {line.later for line in figure.lines} == {False, True}
    elif isinstance(figure, DayLines):
        assert all(len(line.values) == figure.economy.slots for line in figure.lines)
        assert {line.later for line in figure.lines} == {False, True}
    elif isinstance(figure, Dots):
        assert len(figure.sizes) == len(figure.measured) == len(figure.law) > figure.known > 0
    else:
        assert isinstance(figure, Bars)
        assert len(figure.pairs) >= 3


@EVERY
def test_a_lesson_stops_when_asked_and_says_how_far_it_is(lesson: Lesson) -> None:
    told: list[Progress] = []
    with pytest.raises(Cancelled):
        lesson.reveal(Watch(progress=told.append, cancelled=lambda: bool(told)))
    assert told
    assert all(report.fraction is not None and 0 <= report.fraction < 1 for report in told)


def test_keys_are_words_of_an_address_and_a_wrong_one_is_told_with_the_nearest() -> None:
    keys = [lesson.key for lesson in LESSONS]
    assert len(keys) == len(set(keys)) == 8
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", key) for key in keys)
    with pytest.raises(ValueError, match="unknown lesson 'net-meterin'; did you mean 'net-metering'"):
        find("net-meterin")


# Independent reckonings


def plain_break_even(scale: float) -> float | None:
    """Smallest net-metered price that covers the cost if nobody has a battery; use falls with it on a straight line."""
    economy = economy_of(death_spiral.BASE.with_change(death_spiral.FACTOR, scale))
    for price in np.arange(0.1, 2.0, 0.001):
        load = np.zeros(economy.slots)
        for kind in economy.types:
            answer = 1 + kind.elasticity * (1 - price / kind.reference_price_usd_per_kwh)
            load += kind.share * (kind.reference_kw[0] * np.clip(answer, 0.5, 1.5) - kind.pv_kw[0])
        if (price - economy.supply.price(load)) @ load >= economy.fixed_cost_usd_per_day:
            return float(price)
    return None


def test_the_spiral_is_that_of_a_reckoning_on_the_back_of_an_envelope() -> None:
    figure = revealed("death-spiral").figure
    assert isinstance(figure, Curves)
    before, after = (line.values for line in figure.lines)
    prices = [a if a is not None else b for a, b in zip(before, after, strict=True)]
    plain = [plain_break_even(scale) for scale in death_spiral.SCALES]
    assert prices[-1] is plain[-1] is None
    assert [one / 100 for one in prices[:-1]] == pytest.approx(plain[:-1], rel=0.04)  # batteries move a little
    assert (np.diff(prices[:-1], 2) > 0.3).all(), "convex"
    assert figure.x[0] == 0
    assert figure.marks[0].x == figure.x[-1]


def test_a_bill_without_a_roof_is_price_times_use_and_what_one_home_gains_another_pays() -> None:
    numbers = revealed("net-metering").numbers
    found = [solved(case) for case in (net_metering.BASE, net_metering.METERED)]
    kind = found[0].economy.types[0]
    assert (kind.income_group, kind.technology) == ("low", "none")
    for one, name in zip(found, ("before", "after"), strict=True):
        price = float(one.rates.import_usd_per_kwh[0, 0])
        used = kind.reference_kw[0].sum() * (1 + 0.1 * (1 - price / kind.reference_price_usd_per_kwh))
        assert numbers[f"poor_{name}"] == pytest.approx(DAYS_PER_MONTH * price * used, abs=0.006)
        assert numbers[f"price_{name}"] == pytest.approx(100 * price)
    share = 0.01 * numbers["share_with_solar"]
    moved = (1 - share) * numbers["without_solar"] + share * numbers["with_solar"]
    energy = [DAYS_PER_MONTH * float((one.wholesale_usd_per_kwh * one.net_load_kw).sum()) for one in found]
    assert moved == pytest.approx(energy[1] - energy[0], abs=0.02), "all bills change by the cost of energy alone"
    assert numbers["all_homes"] == pytest.approx(moved)


def test_by_income_bills_change_by_the_charge_and_nothing_else() -> None:
    equal, graded = solved(fixed_charge.BASE), solved(fixed_charge.BY_INCOME)
    assert equal.net_load_kw == pytest.approx(graded.net_load_kw, abs=1e-5)
    charges = DAYS_PER_MONTH * graded.fixed_charge_usd_per_day
    assert charges / charges[0] == pytest.approx([1, 2, 4])
    numbers = revealed("fixed-charge").numbers
    assert charges.mean() == pytest.approx(numbers["charge"], abs=1e-3), "three groups of one size"
    moved = graded.bill_usd_per_day - equal.bill_usd_per_day
    group = [kind.group for kind in equal.economy.types]
    assert moved == pytest.approx((graded.fixed_charge_usd_per_day - equal.fixed_charge_usd_per_day)[group], abs=1e-5)
    income = equal.economy.group_income_usd_per_year / 365
    low, high = numbers["charge_low"] - numbers["charge"], numbers["charge_high"] - numbers["charge"]
    by_hand = 100 * (low / income[0] - high / income[2]) / DAYS_PER_MONTH
    assert numbers["gap_change"] == pytest.approx(by_hand, abs=1e-3)


def test_the_duck_without_batteries_is_demand_less_sun_and_batteries_give_back_what_losses_leave() -> None:
    economy, lines = economy_of(storage.BASE), revealed("duck-curve").figure
    assert isinstance(lines, DayLines)
    without, with_batteries = (np.array(line.values) for line in lines.lines)
    demand, sun = (np.zeros(economy.slots) for _ in range(2))
    for kind in economy.types:
        demand += kind.share * kind.reference_kw[0]
        sun += kind.share * kind.pv_kw[0]
    # use answers by a tenth of the price's distance from p0, which is at most all of it below and half of it above
    assert (np.abs(without - (demand - sun)) <= 0.1 * demand + 1e-9).all()
    assert without.argmax() in (17, 18, 19, 20)
    assert np.roll(without, -3)[15] - without[15] > 0
    lost = with_batteries.sum() - without.sum()
    assert lost > 0, "losses"
    moved = np.maximum(without - with_batteries, 0).sum()
    assert 0.02 * moved < lost < 0.35 * moved, "a round trip loses a tenth; cheaper noons are used a little more"
    assert storage.steepest_climb_kw(np.array([1.0, 3.0, 2.0, 0.0]), 1) == 2.0
    assert storage.steepest_climb_kw(np.array([3.0, 2.0, 1.0, 0.0]), 1) == 3.0, "the day goes round"


def test_the_second_peak_is_as_high_as_the_chargers_are_strong() -> None:
    figure = revealed("second-peak").figure
    assert isinstance(figure, DayLines)
    at_once, timers, _ = (np.array(line.values) for line in figure.lines)
    economy = figure.economy
    owners = sum(kind.share for kind in economy.types if kind.technology in ("ev", "pv_ev"))
    ev = second_peak.BASE.load().ev
    level_kw = ev.capacity_kwh / (ev.levels - 1) / ev.round_trip_efficiency**0.5  # at the meter, in an hour
    power = level_kw * math.floor(ev.power_limit_kw / level_kw)
    assert timers[21] - at_once[21] == pytest.approx(owners * power, rel=0.01)
    assert (at_once.argmax(), timers.argmax()) == (ev.return_hour, 21)
    story = " ".join(second_peak.LESSON.story)
    assert f"{ev.power_limit_kw:g} kW" in story
    assert f"{ev.trip_kwh:g} kWh" in story
    assert f"{ev.return_hour:.0f} h" in story
    assert second_peak.BASE.with_beside("cars", "spread").load() == second_peak.BASE.load()


def test_cars_that_follow_the_equilibrium_bring_back_its_load() -> None:
    found = solved(second_peak.BASE)
    expected = found.economy.common.probability @ found.net_load_kw
    assert second_peak.load_kw(found, second_peak.SPREAD) == pytest.approx(expected, abs=1e-6)


def test_the_herd_swings_where_its_step_times_the_slope_is_above_two() -> None:
    """Near rest an error of the price is multiplied by 1 − s(1 + ρ) a day, s being the part that plans anew."""
    found = solved(herding.BASE)
    steepness = solve_equilibrium(found.economy, found.tariff, start=found).contraction
    assert steepness is not None
    for part, settles in ((herding.FEW, True), (herding.ALL, False), (0.5, True)):
        assert (abs(1 - part * (1 + steepness)) < 1) == settles
        prices, _ = herding.days(found, part, Watch())
        error = float(np.abs(prices[-1] - found.wholesale_usd_per_kwh[0]).max())
        assert (error < 1e-3) == settles


def test_towns_stray_as_independent_homes_do() -> None:
    figure = revealed("market-size").figure
    assert isinstance(figure, Dots)
    for dots, law in zip(figure.measured, figure.law, strict=True):
        assert np.sqrt(np.mean(np.square(dots))) == pytest.approx(law, rel=0.25)
    assert len({dot for dots in figure.measured for dot in dots}) == len(figure.sizes) * market_size.MARKETS


def test_with_frozen_loads_only_the_burden_gap_moves_and_in_a_straight_line() -> None:
    figure = revealed("leader").figure
    assert isinstance(figure, Curves)
    expected, got = (np.array(line.values) for line in figure.lines)
    assert np.diff(expected, 2) == pytest.approx(0, abs=1e-9)
    today = figure.x.index(100 * leader.TODAY)
    assert (expected[today], got[today]) == pytest.approx((0, 0), abs=1e-6)
    assert (np.diff(got, 2) < 0).all(), "concave: one best price"
    assert leader.PRICES[int(got.argmax())] == leader.BEST
    at_best = solved(leader.BASE.with_change(leader.PRICE, leader.BEST))
    assert got.max() == pytest.approx(DAYS_PER_MONTH * (score(at_best) - score(solved(leader.BASE))), abs=1e-4)


def score(found: Equilibrium) -> float:
    """Welfare less one dollar a day for each whole of income in the burden gap, from bills and loads."""
    economy = found.economy
    share, bills = economy.type_share, found.bill_usd_per_day
    utility = float(share @ (found.answer.utility_usd_per_day - found.answer.wear_usd_per_day))
    load: Floats = found.net_load_kw[0]
    fuel = float((0.05 * load + 0.05 * load**2).sum())
    carbon = 50 * 0.5e-3 * float(load.sum())
    welfare = utility - fuel - carbon - economy.fixed_cost_usd_per_day
    group = np.array([kind.group for kind in economy.types])
    burdens = [
        float(share[group == g] @ bills[group == g]) / share[group == g].sum() * 365 / income
        for g, income in enumerate(economy.group_income_usd_per_year)
    ]
    return welfare - (max(burdens) - min(burdens))
