"""Key numbers side by side: differences as printed, signs that flip, verdicts that know which way is better."""

from dataclasses import replace

import pytest
from compared_tariffs import PAIRS, solution

from meanwatt.analysis.dashboard.compare.money import books
from meanwatt.analysis.dashboard.compare.numbers import EFFICIENCY, NUMBERS, Compared, key_numbers
from meanwatt.analysis.dashboard.shared.figures import ANCHORS
from meanwatt.analysis.dashboard.shared.solution import DAYS_PER_MONTH, Benchmark, Solution

OPPOSITE = {"good": "bad", "bad": "good", "same": "same", "": ""}


def best_of(*solutions: Solution) -> Benchmark:
    """A first best a little above all of them."""
    most = max(found.metrics.welfare_usd_per_household_day for found in solutions)
    return Benchmark(welfare_usd_per_household_day=most + 0.012345)


def value(text: str) -> float:
    return float(text.replace("−", "-"))


@pytest.fixture(params=PAIRS, ids="-".join)
def pair(request: pytest.FixtureRequest) -> tuple[Solution, Solution]:
    return solution(request.param[0]), solution(request.param[1])


def test_printed_numbers_differ_by_the_printed_difference(pair) -> None:
    for entry in key_numbers(*pair, best_of(*pair)):
        a, b, moved = entry.written(entry.a), entry.written(entry.b), entry.written(entry.difference, signed=True)
        assert value(b) - value(a) == pytest.approx(value(moved), abs=1e-9), entry.figure.key
        assert moved.startswith("+") == (value(moved) > 0)
        assert entry.arrow == ("▲" if value(moved) > 0 else "▼" if value(moved) < 0 else "")


def test_printed_numbers_are_the_metrics(pair) -> None:
    best = best_of(*pair)
    told = {entry.figure.key: entry for entry in key_numbers(*pair, best)}
    for side, found in zip("ab", pair, strict=True):
        metrics = found.metrics
        exact = {
            "efficiency": DAYS_PER_MONTH
            * ((best.welfare_usd_per_household_day or 0) - metrics.welfare_usd_per_household_day),
            "gap": 100 * (max(metrics.burden.values()) - min(metrics.burden.values())),
            "suits": metrics.suits,
            "imv": metrics.imv,
            "peak": metrics.peak_to_average,
            "volts": found.voltage_pu.min(),
            "surplus": books(found).surplus / 100,
            "curtailed": DAYS_PER_MONTH * found.equilibrium.curtailed_kwh_per_household_day,
        }
        assert exact.keys() == told.keys()
        for key, number in exact.items():
            figure = told[key].figure
            printed = value(told[key].written(getattr(told[key], side)))
            assert printed == pytest.approx(number, abs=0.5001 * 10**-figure.digits), key


def test_swapping_the_tariffs_flips_every_sign_and_every_verdict(pair) -> None:
    for best in (None, best_of(*pair)):
        for one, other in zip(key_numbers(*pair, best), key_numbers(*reversed(pair), best), strict=True):
            assert (other.a, other.b) == (one.b, one.a)
            assert other.difference == -one.difference
            assert other.kind == OPPOSITE[one.kind]


def test_a_tariff_against_itself_has_zeros_and_no_arrows() -> None:
    for entry in key_numbers(solution("rtp"), solution("rtp"), best_of(solution("rtp"))):
        assert (entry.difference, entry.arrow, entry.kind, entry.verdict) == (0, "", "same", "the same")
        assert set(entry.written(entry.difference, signed=True)) <= set("0.")


def test_the_difference_of_efficiency_is_known_before_the_first_best() -> None:
    a, b = solution("flat"), solution("rtp")
    early, late = key_numbers(a, b, None)[0], key_numbers(a, b, best_of(a, b))[0]
    assert (early.a, early.b) == (None, None)
    assert early.written(early.a) == "–"
    assert early.difference == pytest.approx(late.difference, abs=1)
    assert early.kind == late.kind == "good"  # a real-time price wastes less than a flat one


def test_where_there_is_no_first_best_the_gap_stays_undefined() -> None:
    entry = key_numbers(solution("flat"), solution("rtp"), Benchmark(welfare_usd_per_household_day=None))[0]
    assert (entry.a, entry.b) == (None, None)


def test_an_undefined_number_has_a_dash_and_no_verdict() -> None:
    a = solution("rtp")
    undefined = replace(a, metrics=replace(a.metrics, suits=None))
    entry = next(entry for entry in key_numbers(a, undefined, None) if entry.figure.key == "suits")
    assert (entry.written(entry.b), entry.written(entry.difference), entry.arrow) == ("–", "–", "")
    assert (entry.kind, entry.verdict) == ("", "")


@pytest.mark.parametrize(
    ("key", "a", "b", "kind", "verdict"),
    [
        ("gap", 496, 549, "bad", "worse"),
        ("suits", -299, -254, "good", "less regressive"),
        ("volts", 926, 916, "bad", "worse"),
        ("surplus", -2136, 0, "good", "nearer 0"),
        ("surplus", 0, 300, "bad", "further from 0"),
        ("surplus", -300, 300, "same", "the same"),
    ],
)
def test_each_number_knows_which_way_is_better(key: str, a: int, b: int, kind: str, verdict: str) -> None:
    figure = next(figure for figure in NUMBERS if figure.key == key)
    entry = Compared(figure=figure, a=a, b=b, difference=b - a)
    assert (entry.kind, entry.verdict) == (kind, verdict)


def test_every_key_number_is_explained() -> None:
    assert {figure.key for figure in (EFFICIENCY, *NUMBERS)} <= ANCHORS.keys()
