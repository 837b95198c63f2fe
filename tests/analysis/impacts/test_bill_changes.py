"""Changes of bills: shares, groups, Lorenz curves and burdens beside plain loops and laws that always hold."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanwatt.analysis.impacts.bill_changes import BillChanges, Customers, changes_json, decile_of, difference_json

INCOMES, TECHNOLOGIES = ("low", "high"), ("none", "pv", "pv_battery")
ROUNDING = 1e-12
"""Of sums in another order, relative."""


def drawn(seed: int, count: int = 47, *, income: bool = True) -> tuple[Customers, np.ndarray, np.ndarray]:
    """Customers with bills before and after, some of them negative."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 2, count)
    who = Customers(
        incomes=INCOMES,
        technologies=TECHNOLOGIES,
        income_index=group,
        technology_index=rng.integers(0, 3, count),
        income_usd_per_year=np.array([15_000.0, 90_000.0])[group] * rng.uniform(0.5, 1.5, count) if income else None,
        bought_kwh_per_year=np.round(rng.uniform(0, 40, count)) * 100,  # several buy alike
    )
    return who, rng.normal(1200, 900, count), rng.normal(1300, 800, count)


def changed(who: Customers, before: np.ndarray, after: np.ndarray) -> BillChanges:
    return BillChanges(customers=who, before_usd_per_year=before, after_usd_per_year=after)


def flat(value: object, key: str = "") -> dict[str, object]:
    """Leaves of a JSON object by their path."""
    if isinstance(value, dict):
        return {path: leaf for name, part in value.items() for path, leaf in flat(part, f"{key}.{name}").items()}
    if isinstance(value, list):
        return {path: leaf for place, part in enumerate(value) for path, leaf in flat(part, f"{key}[{place}]").items()}
    return {key: value}


@pytest.mark.parametrize("seed", range(4))
def test_everything_counted_is_what_a_plain_loop_counts(seed: int) -> None:
    who, before, after = drawn(seed)
    found = changes_json(changed(who, before, after))
    change = [b - a for a, b in zip(before, after, strict=True)]
    n = len(change)
    assert found["customers"] == n
    assert found["change_usd_per_year"]["mean"] == pytest.approx(math.fsum(change) / n, rel=ROUNDING)
    assert found["winners_share"] == sum(c <= -0.005 for c in change) / n
    assert found["losers_share"] == sum(c >= 0.005 for c in change) / n
    for row, percent in zip(found["above"], (0.05, 0.10, 0.20), strict=True):
        pairs = [(c, a) for c, a in zip(change, before, strict=True) if a > 0]
        assert row["rises_share"] == pytest.approx(sum(c > percent * a for c, a in pairs) / n)
        assert row["falls_share"] == pytest.approx(sum(c < -percent * a for c, a in pairs) / n)
    assert found["without_percentage_share"] == pytest.approx(sum(a <= 0 for a in before) / n)
    for row, line in zip(found["burden"], (0.06, 0.10), strict=True):
        was = [a / i > line for a, i in zip(before, who.income_usd_per_year, strict=True)]
        is_now = [b / i > line for b, i in zip(after, who.income_usd_per_year, strict=True)]
        assert row["share_a"] == pytest.approx(sum(was) / n)
        assert row["share_b"] == pytest.approx(sum(is_now) / n)
        assert row["crosses_up_share"] == pytest.approx(sum(y and not x for x, y in zip(was, is_now, strict=True)) / n)
        assert row["crosses_down_share"] == pytest.approx(
            sum(x and not y for x, y in zip(was, is_now, strict=True)) / n
        )
    for row in found["groups"]:
        inside = [
            k
            for k in range(n)
            if INCOMES[who.income_index[k]] == row["income"]
            and TECHNOLOGIES[who.technology_index[k]] == row["technology"]
            and who.decile[k] == row["usage_decile"]
        ]
        assert row["customers"] == len(inside) > 0
        assert row["mean_change_usd_per_year"] == pytest.approx(math.fsum(change[k] for k in inside) / len(inside))
        assert row["winners_share"] == pytest.approx(sum(change[k] < 0 for k in inside) / len(inside))


@given(st.integers(0, 10**6))
def test_the_sum_of_all_changes_is_the_change_of_revenue_in_every_split(seed: int) -> None:
    found = changes_json(changed(*drawn(seed)))
    moved = found["revenue"]["b"] - found["revenue"]["a"]
    size = abs(found["revenue"]["a"]) + abs(found["revenue"]["b"])
    for split in ("groups", "by_income_and_technology", "by_income", "by_technology", "by_usage_decile"):
        total = math.fsum(row["customers"] * row["mean_change_usd_per_year"] for row in found[split])
        assert total == pytest.approx(moved, abs=ROUNDING * size)
        assert sum(row["customers"] for row in found[split]) == found["customers"]


@given(st.integers(0, 10**6))
def test_the_order_of_customers_changes_nothing(seed: int) -> None:
    who, before, after = drawn(seed)
    order = np.random.default_rng(seed + 1).permutation(who.count)
    assert who.income_usd_per_year is not None
    mixed = Customers(
        incomes=INCOMES,
        technologies=TECHNOLOGIES,
        income_index=who.income_index[order],
        technology_index=who.technology_index[order],
        income_usd_per_year=who.income_usd_per_year[order],
        bought_kwh_per_year=who.bought_kwh_per_year[order],
    )
    one = flat(changes_json(changed(who, before, after)))
    other = flat(changes_json(changed(mixed, before[order], after[order])))
    assert one.keys() == other.keys()
    for key, value in one.items():
        close = pytest.approx(value, rel=1e-9, abs=1e-9) if isinstance(value, float) else value
        assert other[key] == close, key


def test_equal_bills_change_by_exactly_nothing() -> None:
    who, before, _ = drawn(3)
    found = changes_json(changed(who, before, before))
    assert set(found["change_usd_per_year"].values()) == {0.0}
    assert found["winners_share"] == found["losers_share"] == 0
    assert found["revenue"]["a"] == found["revenue"]["b"]
    assert found["gini"] == found["gini_a"]
    assert found["suits"] == found["suits_a"]
    assert all(row["bill_share_a"] == row["bill_share_b"] for row in found["lorenz"])
    assert all(row["crosses_up_share"] == row["crosses_down_share"] == 0 for row in found["burden"])


def test_those_who_buy_alike_are_in_one_tenth() -> None:
    assert decile_of(np.arange(100.0)).tolist() == np.repeat(np.arange(1, 11), 10).tolist()
    assert set(decile_of(np.full(7, 3.0)).tolist()) == {1}
    who, *_ = drawn(5)
    tenth: dict[float, set[int]] = {}
    for bought, decile in zip(who.bought_kwh_per_year.tolist(), who.decile.tolist(), strict=True):
        tenth.setdefault(bought, set()).add(decile)
    assert max(map(len, tenth.values())) == 1
    assert (np.diff(who.decile[np.argsort(who.bought_kwh_per_year)]) >= 0).all()


def test_lorenz_curves_run_from_nobody_to_everybody_and_enclose_gini() -> None:
    """Twice the area between the diagonal and the curve; 21 points of a curve of 4000 customers lie close to it."""
    rng = np.random.default_rng(1)
    count = 4000
    who = Customers(
        incomes=("all",),
        technologies=("all",),
        income_index=np.zeros(count, int),
        technology_index=np.zeros(count, int),
        income_usd_per_year=None,
        bought_kwh_per_year=np.ones(count),
    )
    found = changes_json(changed(who, rng.uniform(0, 1, count), rng.uniform(1, 2, count)))
    for key, name in (("bill_share_a", "gini_a"), ("bill_share_b", "gini")):
        curve = [row[key] for row in found["lorenz"]]
        assert (curve[0], curve[-1]) == (0, 1)
        area = np.trapezoid(curve, [row["population_share"] for row in found["lorenz"]])
        assert 1 - 2 * area == pytest.approx(found[name], abs=0.003)
    assert found["gini_a"] == pytest.approx(1 / 3, abs=0.01)  # of even bills from 0 on
    assert found["gini"] == pytest.approx(1 / 9, abs=0.01)  # of even bills from 1 to 2


def test_without_incomes_nothing_is_said_of_burden_and_suits() -> None:
    found = changes_json(changed(*drawn(2, income=False)))
    assert found["suits"] is None
    assert {row["share_a"] for row in found["burden"]} == {None}


def test_the_response_is_the_difference_customer_by_customer() -> None:
    who, before, after = drawn(4)
    other = after + np.random.default_rng(9).normal(0, 300, who.count)
    found = difference_json(changed(who, before, after), changed(who, before, other))
    gap = other - after
    assert found["mean_usd_per_year"] == pytest.approx(gap.mean())
    assert found["rms_usd_per_year"] == pytest.approx(np.sqrt((gap**2).mean()))
    one, two = after - before, other - before
    turned = sum((x < 0 < y) or (y < 0 < x) for x, y in zip(one, two, strict=True))
    assert found["turned_share"] == pytest.approx(turned / who.count)
    total = math.fsum(row["customers"] * row["mean_change_usd_per_year"] for row in found["groups"])
    assert total == pytest.approx(found["revenue"])


def test_bills_of_other_customers_are_refused() -> None:
    who, before, after = drawn(0)
    with pytest.raises(ValueError, match=r"after_usd_per_year has shape \(46,\)"):
        changed(who, before, after[1:])
    with pytest.raises(ValueError, match="before_usd_per_year"):
        changed(who, np.where(np.arange(who.count) == 3, np.nan, before), after)
