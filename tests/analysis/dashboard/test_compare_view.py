"""What the compare page writes: figures that add up as printed, and sentences that read them."""

import json
import re

import numpy as np
import pytest
from compared_tariffs import PAIRS, solution

from meanwatt.analysis.cli.show import percent
from meanwatt.analysis.dashboard.compare import words
from meanwatt.analysis.dashboard.compare.choice import Choice
from meanwatt.analysis.dashboard.compare.money import Books, Payer, books
from meanwatt.analysis.dashboard.compare.view import bar_json, figures
from meanwatt.analysis.dashboard.shared.mean_day import mean_day
from meanwatt.analysis.dashboard.shared.solved import Work

BALANCED = Books(revenue=17000, energy=8000, network=9000, surplus=0)
SHORT = Books(revenue=15000, energy=8100, network=9000, surplus=-2100)


def parsed(a: str, b: str) -> dict[str, dict]:
    choice = Choice(scenario="textbook", a=a, b=b)
    written = figures(choice, solution(a), solution(b), None)
    return {name: json.loads(getattr(written, name)) for name in ("numbers", "payers", "day")}


def cents(text: str) -> int:
    return round(100 * float(text.replace("−", "-").replace("\u2060", "").replace("$", "")))


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_the_money_of_the_page_adds_up_as_printed(a: str, b: str) -> None:
    table = parsed(a, b)["payers"]
    rows = [row for group in table["groups"] for row in group["rows"]]
    lines = {line["key"]: line for line in table["books"]}
    assert sum(cents(row["adds"]) for row in rows) == cents(lines["revenue"]["difference"])
    shares = [household.share for household in solution(a).equilibrium.economy.types]
    # as `meanwatt solve` prints them
    assert sorted(f"{row['share']} %" for row in rows) == sorted(percent(share, 1) for share in shares)
    for row in (*rows, *table["books"]):
        assert cents(row["b"]) - cents(row["a"]) == cents(row["difference"])
    for column in ("a", "b", "difference"):
        revenue, energy, network, surplus = (cents(lines[key][column]) for key in lines)
        assert revenue - energy - network - surplus == 0
    assert max(abs(row["bar"]) for row in rows) == 1
    assert all(np.sign(row["bar"]) == np.sign(cents(row["difference"])) for row in rows)


def test_the_lines_are_the_day_expected_over_the_weather() -> None:
    sides = solution("filed", "oahu"), solution("rtp", "oahu")
    chart = json.loads(figures(Choice(a="filed", b="rtp"), *sides, None).day)
    for name, side in zip("AB", sides, strict=True):
        found = side.equilibrium
        assert len(found.economy.common.probability) > 1
        probability = found.economy.common.probability
        for panel, values in zip(chart["panels"], (found.net_load_kw, found.rates.import_usd_per_kwh), strict=True):
            line = next(line for line in panel["lines"] if line["name"] == name)
            expected = [sum(p * row[h] for p, row in zip(probability, values, strict=True)) for h in range(24)]
            assert line["values"] == pytest.approx(expected, abs=1e-4)
            assert panel["axis"][0] <= min(line["values"]) <= max(line["values"]) <= panel["axis"][1]


def test_a_tariff_against_itself_says_so_everywhere() -> None:
    written = parsed("rtp", "two_part")
    assert written["numbers"]["caption"] == "A and B have the same numbers."
    assert written["payers"]["caption"] == "From A to B nobody's bill changes; all homes together pay the same."
    assert written["day"]["caption"] == "Net load and rate are the same at every hour."


def test_captions_read_the_numbers_printed_beside_them() -> None:
    written = parsed("filed", "rtp")
    said = written["numbers"]["caption"]
    gap = next(row for row in written["numbers"]["rows"] if row["key"] == "gap")
    assert f"the burden gap goes from {gap['a']} to {gap['b']} % of income." in said
    better = re.findall(r"better than A on (.*) and worse on (.*);", said)[0]
    for row in written["numbers"]["rows"]:
        name = row["label"] if row["key"] == "suits" else row["label"][0].lower() + row["label"][1:]
        assert (name in better[0], name in better[1]) == (row["kind"] == "good", row["kind"] == "bad")
    rows = [(group["name"], row) for group in written["payers"]["groups"] for row in group["rows"]]
    most, least = (pick(rows, key=lambda entry: cents(entry[1]["difference"])) for pick in (max, min))
    told = written["payers"]["caption"].replace("\u2060", "")
    for (group, row), verb in ((most, "rises most"), (least, "falls most")):
        sign, amount = row["difference"][0], row["difference"][1:]
        homes = f"{group.replace(' ', '-').lower()} homes with {row['name']} ({sign}${amount} a month)"
        assert f"{verb} for {homes}" in told


def test_the_caption_of_the_day_names_the_hour_in_which_the_loads_differ_most() -> None:
    a, b = solution("filed"), solution("rtp")
    said = words.day_caption(a, b)
    first, second = mean_day(a.equilibrium), mean_day(b.equilibrium)
    slot = int(np.abs(first.net_load_kw - second.net_load_kw).argmax())
    assert said.startswith(f"At {slot}–{slot + 1} h, where the days differ most, the mean home draws")
    assert f"{first.net_load_kw[slot]:.2f} kW under A and {second.net_load_kw[slot]:.2f} kW under B" in said


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        (BALANCED, BALANCED, "Equal cost recovery: under A and under B the utility covers its cost."),
        (SHORT, SHORT, "Equal cost recovery: under A and under B the utility is left with −$21.00 per home and month."),
        (
            SHORT,
            BALANCED,
            "Not at equal cost recovery: A leaves the utility −$21.00 per home and month and B $0.00, so that the"
            " average bill under B is $21.00 higher for that reason alone.",
        ),
        (
            BALANCED,
            SHORT,
            "Not at equal cost recovery: A leaves the utility $0.00 per home and month and B −$21.00, so that the"
            " average bill under B is $21.00 lower for that reason alone.",
        ),
    ],
)
def test_whether_cost_recovery_is_equal_is_one_sentence(a: Books, b: Books, said: str) -> None:
    assert words.recovery_sentence(a, b).replace("\u2060", "") == said


def payer(technology: str, a: int, b: int) -> Payer:
    return Payer(group="low", technology=technology, share=0.5, a=a, b=b, adds=(b - a) // 2)


FREE, POOR = payer("none", 0, 0), "low-income homes with"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ((payer("none", 0, 300), FREE), f"no bill falls, and it rises most for {POOR} no solar (+$3.00 a month)"),
        ((payer("none", 300, 0), FREE), f"no bill rises, and it falls most for {POOR} no solar (−$3.00 a month)"),
        (
            (payer("heat_pump", 0, 300), payer("pv_ev", 200, 0)),
            f"the bill rises most for {POOR} heat pump (+$3.00 a month) and falls most for {POOR} solar + electric car"
            " (−$2.00 a month)",
        ),
    ],
)
def test_the_caption_of_the_bills_says_who_wins_and_who_loses(rows: tuple[Payer, ...], said: str) -> None:
    told = words.payers_caption(rows, SHORT, BALANCED).replace("\u2060", "")
    where = "$20.00 more a month: the utility's energy cost per home is $1.00 lower, its surplus per home $21.00 higher"
    assert told == f"From A to B {said}; the average home pays {where}."


def test_unequal_recovery_is_marked_only_beside_figures_of_the_choice() -> None:
    choice = Choice(scenario="textbook", a="filed", b="rtp")
    written = figures(choice, solution("filed"), solution("rtp"), None)
    told = json.loads(bar_json(choice, None, written))
    assert told["unequal"]
    assert told["recovery"] == words.recovery_sentence(books(solution("filed")), books(solution("rtp")))
    working = json.loads(bar_json(choice, Work(text="Tariff A. Solving", fraction=0.25), written))
    assert (working["unequal"], working["work"]) == (False, {"text": "Tariff A. Solving", "fraction": 0.25})
    assert json.loads(bar_json(choice, None, None))["recovery"] == ""


def test_a_figure_without_bills_that_move_has_bars_of_no_length() -> None:
    rows = [row for group in parsed("rtp", "two_part")["payers"]["groups"] for row in group["rows"]]
    assert {row["bar"] for row in rows} == {0}


def test_the_efficiency_gap_is_being_computed_until_it_is_known() -> None:
    row = parsed("flat", "rtp")["numbers"]["rows"][0]
    assert (row["key"], row["a"], row["b"]) == ("efficiency", "…", "…")
    assert row["difference"].startswith("−")


def test_how_each_solve_ended_and_recovered_is_said() -> None:
    said = {entry["key"]: (entry["a"], entry["b"]) for entry in parsed("filed", "flat")["numbers"]["words"]}
    assert said["equilibrium"] == ("solved", "solved")
    assert said["cost-recovery"][0] == "rates as posted"
    assert said["cost-recovery"][1].startswith("adder ")
    assert {*words.OUTCOMES} == {*type(solution("rtp").equilibrium.outcome)}


def test_payers_and_numbers_speak_of_the_same_surplus() -> None:
    written = parsed("filed", "rtp")
    row = next(row for row in written["numbers"]["rows"] if row["key"] == "surplus")
    line = next(line for line in written["payers"]["books"] if line["key"] == "surplus")
    assert (row["a"], row["b"], row["difference"]) == (line["a"], line["b"], line["difference"])
