"""Who pays whom: it adds up as printed, to the cent, and an independent sum agrees."""

from dataclasses import replace

import numpy as np
import pytest
from compared_tariffs import PAIRS, solution

from meanwatt.analysis.dashboard.compare.money import Books, books, payers
from meanwatt.analysis.dashboard.shared.solution import Solution
from meanwatt.model.mean_field.population.population_response import energy_cost_usd_per_day

CENTS = 100 * 365 / 12


@pytest.fixture(params=PAIRS, ids="-".join)
def pair(request: pytest.FixtureRequest) -> tuple[Solution, Solution]:
    return solution(request.param[0]), solution(request.param[1])


@pytest.mark.parametrize("tariff", sorted({name for pair in PAIRS for name in pair}))
def test_the_books_add_up_and_are_those_of_the_equilibrium(tariff: str) -> None:
    found = solution(tariff)
    told, economy = books(found), found.equilibrium.economy
    assert told.revenue - told.energy - told.network == told.surplus
    billed = sum(
        household.share * float(bill)
        for household, bill in zip(economy.types, found.equilibrium.bill_usd_per_day, strict=True)
    )
    exact = {
        "revenue": billed,
        "energy": energy_cost_usd_per_day(
            economy, found.equilibrium.net_load_kw, found.equilibrium.wholesale_usd_per_kwh
        ),
        "network": economy.fixed_cost_usd_per_day,
        "surplus": found.equilibrium.surplus_usd_per_household_day,
    }
    for name, usd_per_day in exact.items():
        assert getattr(told, name) == pytest.approx(CENTS * usd_per_day, abs=1.0)


def test_a_balanced_tariff_leaves_nothing_and_a_posted_one_what_it_leaves() -> None:
    assert books(solution("rtp")).surplus == books(solution("flat")).surplus == 0
    assert books(solution("filed")).surplus > 0


def test_changes_times_shares_add_up_to_the_change_of_revenue(pair) -> None:
    rows = payers(*pair)
    assert sum(row.adds for row in rows) == books(pair[1]).revenue - books(pair[0]).revenue
    assert sum(row.share for row in rows) == pytest.approx(1, abs=1e-12)
    economy = pair[0].equilibrium.economy
    before, after = (found.equilibrium.bill_usd_per_day for found in pair)
    assert [(row.group, row.technology) for row in rows] == [(t.income_group, t.technology) for t in economy.types]
    for row, household, a, b in zip(rows, economy.types, before, after, strict=True):
        assert row.a == pytest.approx(CENTS * a, abs=0.51)
        assert row.b == pytest.approx(CENTS * b, abs=0.51)
        assert row.adds == pytest.approx(CENTS * household.share * (b - a), abs=1.01)
        assert row.share == pytest.approx(household.share, abs=1e-12)


def test_swapping_the_tariffs_flips_every_sign(pair) -> None:
    there, back = payers(*pair), payers(*reversed(pair))
    for one, other in zip(there, back, strict=True):
        assert (other.a, other.b) == (one.b, one.a)
        assert (other.difference, other.adds) == (-one.difference, -one.adds)


def test_a_tariff_against_itself_moves_nothing() -> None:
    for row in payers(solution("rtp"), solution("rtp")):
        assert (row.difference, row.adds) == (0, 0)


def test_types_of_one_kind_are_one_row_with_their_mean_bill() -> None:
    """Each type cut in two of half the share, one of which pays a dollar a day more, the other one less."""
    whole = solution("rtp")
    economy, bills = whole.equilibrium.economy, whole.equilibrium.answer.payment_usd_per_day
    halves = tuple(replace(household, share=household.share / 2) for household in economy.types for _ in range(2))
    apart = np.repeat(bills, 2) + np.tile([1.0, -1.0], len(bills))
    cut = replace(
        whole,
        equilibrium=replace(
            whole.equilibrium,
            economy=replace(economy, types=halves),
            answer=replace(whole.equilibrium.answer, payment_usd_per_day=apart),
        ),
    )
    assert payers(cut, cut) == payers(whole, whole)


def test_the_poorest_come_first_whatever_the_order_of_the_file() -> None:
    whole = solution("rtp")
    economy = whole.equilibrium.economy
    turned = replace(whole, equilibrium=replace(whole.equilibrium, economy=replace(economy, types=economy.types[::-1])))
    groups = list(dict.fromkeys(row.group for row in payers(turned, turned)))
    income = dict(zip(economy.groups, economy.group_income_usd_per_year, strict=True))
    assert groups == sorted(groups, key=lambda name: income[name])


def test_two_towns_are_not_compared() -> None:
    other = replace(solution("rtp"), equilibrium=replace(solution("rtp").equilibrium, economy=_without_batteries()))
    with pytest.raises(ValueError, match="a and b are of different towns; give solutions of one scenario"):
        payers(solution("rtp"), other)


def _without_batteries():
    economy = solution("rtp").equilibrium.economy
    return replace(economy, types=tuple(t for t in economy.types if t.battery is None))


def test_books_are_compared_by_their_numbers() -> None:
    assert books(solution("rtp")) == books(solution("two_part")) != Books(revenue=1, energy=1, network=0, surplus=0)
