"""Before and now: like is compared with like, every number knows which way is better, and a pin holds."""

import json
from dataclasses import replace

import numpy as np
import pytest
from compared_tariffs import PAIRS, solution

from meanwatt.analysis.dashboard.market.baseline import NONE_YET, Baseline, baseline_board
from meanwatt.analysis.dashboard.market.day_figure import NO_DAY, apart, needs
from meanwatt.analysis.dashboard.market.engine import Engine
from meanwatt.analysis.dashboard.market.frames import dollars, frame
from meanwatt.analysis.dashboard.market.history import History
from meanwatt.analysis.dashboard.market.key_figures import CURTAILED, SIX, key_numbers, metrics_board, move
from meanwatt.analysis.dashboard.market.naming import full_name, short_name
from meanwatt.analysis.dashboard.shared.compared import Compared
from meanwatt.analysis.dashboard.shared.day_chart import POINT
from meanwatt.analysis.dashboard.shared.figures import FIGURES
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.shared.solution import Benchmark, Solution

FILED = Settings(scenario="textbook")


def best_of(*solutions: Solution) -> Benchmark:
    """A first best a little above all of them."""
    most = max(found.metrics.welfare_usd_per_household_day for found in solutions)
    return Benchmark(welfare_usd_per_household_day=most + 0.012345)


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def before(tariff: str, *, pinned: bool = False) -> Baseline:
    return Baseline(solution=solution(tariff), pinned=pinned)


def drawn(tariff: str, baseline: Baseline | None, benchmark: Benchmark | None = None) -> dict[str, dict]:
    found = frame(solution(tariff), History(), 0, before=baseline, benchmark=benchmark)
    return {name: json.loads(getattr(found, name)) for name in ("chart", "burden", "metrics", "baseline", "voltage")}


@pytest.mark.parametrize(
    ("key", "better", "worse"),
    [
        ("efficiency", -1, 1),
        ("gap", -1, 1),
        ("imv", -1, 1),
        ("peak", -1, 1),
        ("volts", 1, -1),
        ("curtailed", -1, 1),
    ],
)
def test_every_key_number_knows_which_way_is_better(key: str, better: int, worse: int) -> None:
    figure = next(figure for figure in (*SIX, CURTAILED) if figure.key == key)
    for way, verdict, kind in ((better, "better", "good"), (worse, "worse", "bad")):
        moved = move(Compared(figure=figure, a=100, b=100 + way, difference=way), "before")
        assert moved is not None
        assert (moved["verdict"], moved["kind"]) == (verdict, kind)
        assert (moved["arrow"], moved["difference"][0]) == (("▲", "+") if way > 0 else ("▼", "−"))
        assert moved["heard"].startswith("up +" if way > 0 else "down −")
        assert verdict in moved["heard"]


def test_the_surplus_is_best_at_zero() -> None:
    figure = next(figure for figure in SIX if figure.key == "surplus")
    for a, b, verdict in (
        (-70, 0, "nearer 0"),
        (0, -70, "further from 0"),
        (30, 10, "nearer 0"),
        (-7, 7, "as far from 0"),
        (7, 7, "the same"),
    ):
        moved = move(Compared(figure=figure, a=a, b=b, difference=b - a), "pinned")
        assert moved is not None
        assert moved["verdict"] == verdict


def test_all_directions_are_tested_and_no_number_is_without_one() -> None:
    assert {figure.key for figure in (*SIX, CURTAILED)} == FIGURES.keys()
    assert {figure.key: figure.aim for figure in (*SIX, CURTAILED)} == {
        "efficiency": "less",
        "gap": "less",
        "imv": "less",
        "peak": "less",
        "surplus": "zero",
        "volts": "more",
        "curtailed": "less",
    }


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_numbers_now_less_their_moves_are_the_numbers_before_as_printed(pair: tuple[str, str]) -> None:
    old, new = pair
    best = best_of(*map(solution, pair))
    here = {item["key"]: item for item in drawn(new, before(old), best)["metrics"]["items"]}
    there = {item["key"]: item for item in drawn(old, None, best)["metrics"]["items"]}
    moves = 0
    for key, item in here.items():
        assert there[key]["move"] is None
        moved = number(item["move"]["difference"] or "0")
        assert number(item["value"]) - moved == pytest.approx(number(there[key]["value"]), abs=1e-9), key
        moves += moved != 0
    assert moves >= (1 if pair == PAIRS[1] else 3)  # of two tariffs with one price only bills differ


def test_a_tariff_told_against_itself_or_another_sample_of_it_has_no_marks() -> None:
    other = solution("rtp").for_sample(replace(solution("rtp").settings, seed=5, households=50))
    shown = drawn("rtp", Baseline(solution=other, pinned=True))
    assert shown["baseline"]["text"] == "Real-time price with carbon (in force now)"
    assert all(item["move"] is None for item in shown["metrics"]["items"])
    assert all(group["before"] is None for group in shown["burden"]["groups"])
    assert all(line["style"] != "before" for panel in shown["chart"]["panels"] for line in panel["lines"])
    assert next(entry for entry in shown["chart"]["legend"] if entry["style"] == "before")["unseen"]


def test_the_efficiency_gap_moves_before_the_first_best_is_known_but_not_against_another_town() -> None:
    early = key_numbers(solution("rtp"), None, solution("flat"))[0]
    late = key_numbers(solution("rtp"), best_of(solution("rtp"), solution("flat")), solution("flat"))[0]
    assert (early.b, early.kind, late.kind) == (None, "good", "good")
    assert early.difference == pytest.approx(late.difference, abs=1)
    town = replace(solution("flat").settings, changes=(("elasticity", 0.2),))
    elsewhere = replace(solution("flat"), settings=town)
    told = key_numbers(solution("rtp"), best_of(solution("rtp"), solution("flat")), elsewhere)
    assert (told[0].difference, told[0].kind) == (None, "")
    assert told[0].b == late.b
    assert move(told[0], "before") is None
    assert all(entry.difference is not None for entry in told[1:])


@pytest.mark.parametrize(("pinned", "word"), [(False, "before"), (True, "pinned")])
def test_every_panel_and_bar_keeps_the_mean_field_before(pinned: bool, word: str) -> None:
    """Mean field against mean field, in the same weather; the market's own lines are never told against it."""
    old, new = solution("filed"), solution("rtp")
    shown = drawn("rtp", before("filed", pinned=pinned))
    lines = {panel["key"]: {line["name"]: line for line in panel["lines"]} for panel in shown["chart"]["panels"]}
    rates = old.equilibrium.rates
    for panel, name, values in (
        ("load", word, old.expected.net_load_kw[0]),
        ("price", word, old.expected.price_usd_per_kwh[0]),
        ("tariff", f"pay, {word}", rates.import_usd_per_kwh[0]),
        ("tariff", f"earn, {word}", rates.export_usd_per_kwh[0]),
    ):
        assert lines[panel][name]["style"] == "before"
        assert np.allclose(lines[panel][name]["values"], values, atol=5.1e-5)
    for panel in shown["chart"]["panels"]:
        values = [value for line in panel["lines"] for value in line["values"]]
        assert panel["axis"][0] <= min(values) <= max(values) <= panel["axis"][1]
    legend = next(entry for entry in shown["chart"]["legend"] if entry["style"] == "before")
    assert (legend["text"], legend["unseen"]) == (shown["burden"]["told"], False)
    assert word in legend["text"]
    for index, group in enumerate(shown["burden"]["groups"]):
        name = new.equilibrium.economy.groups[index]
        assert group["before"] == pytest.approx(old.metrics.burden[name], abs=1e-6)
        assert group["before_bill_usd_per_month"] == pytest.approx(old.bill_usd_per_month[index], abs=0.0051)
        assert group["moved"] == dollars(group["before_bill_usd_per_month"], group["bill_usd_per_month"])
    assert f"lowest {new.voltage_pu.min():.3f} pu, {word} {old.voltage_pu.min():.3f}." in shown["voltage"]["lowest"]
    assert (shown["baseline"]["pinned"], shown["baseline"]["word"]) == (pinned, word)
    assert shown["baseline"]["text"] == "A posted time-of-use tariff"


def test_nothing_is_told_before_there_is_anything_to_tell_against() -> None:
    assert baseline_board(None, None)["ready"] is False
    board = baseline_board(None, solution("rtp"))
    assert (board["ready"], board["text"], board["word"]) == (True, NONE_YET, "")
    assert all(item["move"] is None for item in metrics_board(solution("rtp"), History(), None, None)["items"])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [(131.6, 150.4, "+$18"), (150.4, 131.6, "−$18"), (99.6, 100.4, "±$0"), (-3.2, 2.8, "+$6"), (2.8, -3.2, "−$6")],
)
def test_bills_move_by_the_difference_of_the_dollars_beside_the_bars(old: float, new: float, words: str) -> None:
    assert dollars(old, new) == words
    plain = [int(dollars(bill).replace("−", "-").replace("$", "")) for bill in (old, new)]
    assert plain[1] - plain[0] == int(words.replace("−", "-").replace("±", "").replace("$", ""))


@pytest.mark.parametrize(
    ("load", "other", "words"),
    [
        (1.003, 1.0, "0.3 % above the mean field"),
        (0.997, 1.0, "0.3 % below the mean field"),
        (1.0004, 1.0, "as much as the mean field"),
        (0.06, 0.02, "0.04 kW above the mean field"),
        (-0.2, 0.1, "0.30 kW below the mean field"),
        (0.021, 0.02, "as much as the mean field"),
    ],
)
def test_a_load_is_told_in_percent_unless_they_would_say_nothing(load: float, other: float, words: str) -> None:
    assert apart(load, other) == words


def test_hours_and_loads_in_words() -> None:
    assert needs(1.016) == "needs 1.02 kW a home"
    assert needs(-0.2) == "feeds in 0.20 kW a home"


def test_the_caption_reads_the_highest_hour_of_the_day_with_its_numbers() -> None:
    engine = Engine()
    engine.adopt(solution("filed"))
    mean = solution("filed").expected.net_load_kw[0]
    peak = int(mean.argmax())
    assert json.loads(engine.frame().chart)["caption"] == (
        f"At {peak}–{peak + 1} h the mean field needs {mean[peak]:.2f} kW a home, the most of the day."
    )
    assert json.loads(engine.frame().chart)["note"] == f"{NO_DAY} {POINT}"
    engine.step()
    assert json.loads(engine.frame().chart)["note"] == POINT
    load = next(p for p in json.loads(engine.frame().chart)["panels"] if p["key"] == "load")
    tonight, expected = (
        next(np.array(line["values"]) for line in load["lines"] if line["name"] == name)
        for name in ("tonight", "mean field")
    )
    slot = int(tonight.argmax())
    said = json.loads(engine.frame().chart)["caption"]
    assert said.startswith(f"At {slot}–{slot + 1} h the market needs {tonight[slot]:.2f} kW a home, ")
    assert abs(tonight[slot] / expected[slot] - 1) * 100 == pytest.approx(float(said.split()[10]), abs=0.06)
    assert said.endswith("above the mean field." if tonight[slot] > expected[slot] else "below the mean field.")
    engine.adopt(solution("rtp"))
    new = solution("rtp").expected.net_load_kw[0]
    assert "what it needed before." in json.loads(engine.frame().chart)["caption"]
    assert json.loads(engine.frame().chart)["caption"].startswith(
        f"At {new.argmax()}–{new.argmax() + 1} h the mean field needs "
    )
    engine.close()


def test_a_pin_holds_through_changes_until_it_is_taken_off_and_another_scenario_clears_it() -> None:
    engine = Engine()

    def told() -> tuple[bool, str]:
        board = json.loads(engine.frame().baseline)
        return board["pinned"], board["text"]

    filed, flat, rtp = (short_name(solution(tariff).settings) for tariff in ("filed", "flat", "rtp"))
    engine.adopt(solution("filed"))
    assert told() == (False, NONE_YET)
    assert engine.adopt(solution("flat"))[0].title.startswith("What changed, ")
    assert told() == (False, filed)
    engine.pin()
    assert told() == (True, f"{flat} (in force now)")
    (said,) = engine.adopt(solution("rtp"), against=solution("filed"))
    assert said.title == "What changed from the pinned tariff, in the mean field:"
    assert told() == (True, flat)
    engine.step()
    engine.reset()
    assert told() == (True, flat)
    assert engine.adopt(solution("flat")) == ()
    engine.pin()
    assert told() == (False, rtp)
    engine.pin()
    engine.adopt(replace(solution("rtp"), settings=Settings(scenario="oahu", tariff="rtp")))
    assert told() == (False, NONE_YET)
    engine.close()


def test_names_are_made_of_what_differs_from_the_preset() -> None:
    assert short_name(FILED) == "A posted time-of-use tariff"
    one = replace(FILED, changes=(("tariff.recovery", "fixed"),))
    assert (
        short_name(one) == full_name(one) == "A posted time-of-use tariff, network cost is recovered as a fixed charge"
    )
    changes = (
        ("elasticity", 0.2),
        ("pv_share_scale", 2.0),
        ("tariff.recovery", "fixed"),
        ("tariff.export.rule", "none"),
    )
    four = replace(FILED, changes=changes)
    assert short_name(four).endswith(
        ", network cost is recovered as a fixed charge, exported solar earns nothing, 2 more changes"
    )
    for words in ("homes with solar 2.0 × today", "price elasticity of use 0.20"):
        assert words in full_name(four)
    three = replace(FILED, changes=changes[1:])
    assert short_name(three) == full_name(three)


def test_a_comparison_with_a_tariff_that_was_not_on_the_page_says_what_was() -> None:
    engine = Engine()
    engine.adopt(solution("flat"))
    (plain,) = engine.adopt(solution("filed"))
    assert "Just before" not in plain.text
    (said,) = engine.adopt(solution("rtp"), against=solution("flat"))
    paid = min(
        zip(
            solution("filed").equilibrium.economy.group_income_usd_per_year,
            solution("filed").bill_usd_per_month,
            strict=True,
        )
    )
    assert said.text.endswith(
        f"Just before, other charges were in force, under which low-income homes paid ${paid[1]:.2f}: the comparison"
        " leaves them out."
    )
    engine.close()
