"""The theory lab has the numbers of ``meanwatt game``, and its sentences and figures follow from them."""

import csv
import io
import json

import numpy as np
import pytest

from meanwatt.analysis.cli import main
from meanwatt.analysis.dashboard.help import texts
from meanwatt.analysis.dashboard.shared.memo import Memo
from meanwatt.analysis.dashboard.theory import solving, words
from meanwatt.analysis.dashboard.theory.choice import CONCEPTS, Choice
from meanwatt.analysis.dashboard.theory.laboratory import Laboratory
from meanwatt.analysis.dashboard.theory.solving import at_temperature, over_temperature
from meanwatt.analysis.dashboard.theory.take_home import csv_of
from meanwatt.analysis.dashboard.theory.view import errors_json, figures
from meanwatt.analysis.tabular.report import solution_json
from meanwatt.analysis.tabular.solution import GameSolution
from meanwatt.model.tabular.game_file import game_text, games

PATIENCE_S = 30.0


def solved(choice: Choice, solve=at_temperature) -> GameSolution:
    found = solve(choice, progress=lambda work: None, cancelled=lambda: False)
    assert found is not None
    return found


def commanded(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> dict:
    main(["game", *arguments, "--json"])
    return json.loads(capsys.readouterr().out)


def written(solution: GameSolution) -> dict:
    """The command's object, as JSON reads it back."""

    def plain(value: object) -> object:
        return value.tolist() if isinstance(value, np.ndarray) else str(value)

    return json.loads(json.dumps(solution_json(solution), default=plain))


def drawn(choice: Choice) -> dict[str, dict]:
    found = figures(choice, solved(choice))
    return {name: json.loads(getattr(found, name)) for name in found.__slots__}


@pytest.mark.parametrize("name", games())
def test_the_page_has_the_numbers_of_the_command(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = commanded([name, "--temperature", "0.6"], capsys)
    mine = written(solved(Choice(game=name)))
    assert {key: said[key] for key in mine} == mine
    values = drawn(Choice(game=name))["values"]["rows"]
    there = [c for c in CONCEPTS if said["concepts"][c]["leader_objective"] is not None]
    for row, concept in zip(values, there, strict=False):
        one = said["concepts"][concept]
        assert row["values"] == pytest.approx([one["leader_objective"], one["follower_objective"]], abs=1e-12)
    assert len(values) == len(there) + (said["softmax"]["temperatures"][0]["outcome"] == "converged")


def test_a_discount_of_ones_own_gives_what_the_command_makes_of_such_a_file(
    tmp_path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = game_text("defection")
    assert "discount = 0.9\n" in text
    file = tmp_path / "mine.toml"
    file.write_text(text.replace("discount = 0.9\n", "discount = 0.6\n"), encoding="utf-8")
    said = commanded([str(file), "--temperature", "0.2"], capsys)
    mine = written(solved(Choice(game="defection", discount=0.6, temperature=0.2)))
    assert {key: said[key] for key in mine if key != "game"} == {key: mine[key] for key in mine if key != "game"}
    plain = written(solved(Choice(game="defection", temperature=0.2)))
    assert plain["concepts"] != mine["concepts"]


def test_the_curve_is_what_the_command_finds_at_the_same_temperatures(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every third of its temperatures, both ends among them."""
    some = solving.GRID[::3]
    assert (some[0], some[-1]) == (solving.GRID[0], solving.GRID[-1])
    monkeypatch.setattr(solving, "GRID", some)
    monkeypatch.setattr(solving, "_solutions", Memo(96))  # the whole curve of other tests is not this one
    said = commanded(["defection", "--temperature", ",".join(map(str, some))], capsys)["softmax"]["temperatures"]
    assert len(said) == len(some)
    choice = Choice(game="defection", temperature=0.3)
    chart = json.loads(errors_json(choice, solved(choice), solved(choice, over_temperature)))
    assert chart["x"] == [row["temperature"] for row in reversed(said)]
    names = ("promise_error", "promise_error_bound", "stackelberg_error", "stackelberg_error_bound")
    for line, name in zip(chart["lines"], names, strict=True):
        assert line["values"] == [row[name] for row in reversed(said)]
    for error, bound in (chart["lines"][:2], chart["lines"][2:]):
        assert all(e <= b + 1e-6 for e, b in zip(error["values"], bound["values"], strict=True))
    (mark,) = chart["marks"]
    at_hand = solved(choice).errors
    assert at_hand is not None
    assert [dot["y"] for dot in mark["dots"]] == [
        float(row[0]) for row in (at_hand.promise, at_hand.promise_bound, at_hand.turns, at_hand.turns_bound)
    ]


def test_the_distance_lies_below_the_certified_line_where_the_condition_holds() -> None:
    chart = drawn(Choice(temperature=0.6))["contraction"]
    distance, bound = chart["lines"]
    assert bound["name"] == "at most, proven: factor 0.694", "1/(4 η²) for matching pennies, by hand"
    for near, most in zip(distance["values"], bound["values"], strict=True):
        assert near is None or near <= most
    assert "The theorem's condition holds" in chart["caption"]


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (Choice(temperature=0.4), ("condition does not hold", "below 1 from η = 0.5 on", "It cycles")),
        (Choice(game="defection", temperature=1.1), ("condition does not hold", "evidence, no proof", "came to rest")),
        (Choice(game="defection", temperature=0.2), ("does not hold", "nothing is certified", "came to rest")),
        (Choice(game="lottery"), ("certified factor is 0", "does not answer the other")),
    ],
)
def test_it_is_said_plainly_where_the_theorem_does_not_speak(choice: Choice, said: tuple[str, ...]) -> None:
    chart = drawn(choice)["contraction"]
    assert all(part in chart["caption"] for part in said)
    assert not any("proven" in line["name"] for line in chart["lines"])


def test_where_nothing_exists_it_is_said_and_nothing_is_drawn() -> None:
    parts = drawn(Choice(game="defection", concept="feedback"))
    assert parts["table"]["caption"] == (
        "Feedback, pure: none exists. Each of the 16 pairs of pure policies was tried."
    )
    assert {row["concept"] for row in parts["table"]["rows"]} == {"Softmax in turn, η = 0.6"}
    assert "Feedback, pure" not in [row["name"] for row in parts["values"]["rows"]]
    assert "Feedback, pure: none exists." in parts["values"]["caption"]
    assert not any(mark["chosen"] for panel in parts["maps"]["panels"] for mark in panel["marks"])
    pure = drawn(Choice(game="defection", concept="commitment"))["table"]
    assert "does not separate" in pure["notes"][0]
    assert pure["rows"][0]["cells"] == ["grid", "low", "stay", "20.000", "−20.000"], "the worked example"


@pytest.mark.parametrize("name", games())
def test_every_built_in_game_has_maps_on_which_the_iteration_ends_where_they_cross(name: str) -> None:
    maps = drawn(Choice(game=name, temperature=3.0))["maps"]
    assert maps["panels"]
    for panel in maps["panels"]:
        if maps["kind"] == "triangle":
            assert len(panel["cells"]) == 6 * panel["side"] ** 2
            assert len(panel["corners"]) == 3
            continue
        right, up = panel["meet"]
        for line in panel["lines"]:
            other, own = (right, up) if line["who"] == "follower" else (up, right)
            assert np.interp(other, *zip(*line["soft"], strict=True)) == pytest.approx(own, abs=2e-3)
            assert all(0 <= value <= 1 for pair in line["soft"] for value in pair)


def test_the_table_to_take_home_holds_every_policy_and_says_what_it_is_of() -> None:
    choice = Choice(game="defection", discount=0.8, temperature=0.5)
    found = solved(choice)
    text = csv_of(choice, found)
    assert "# link: ?game=defection&discount=0.8&temperature=0.5\n" in text
    rows = list(csv.DictReader(io.StringIO("".join(line for line in text.splitlines(True) if line[0] != "#"))))
    assert {row["concept"] for row in rows} == {*CONCEPTS, "softmax"}
    sums: dict[tuple[str, ...], float] = {}
    for row in rows:
        if row["state"]:
            key = (row["concept"], row["state"], row["player"])
            sums[key] = sums.get(key, 0.0) + float(row["probability"])
    assert all(total == pytest.approx(1.0) for total in sums.values())
    best = found.concepts["commitment_mixed"].equilibrium
    assert best is not None
    (value,) = {
        row["value"]
        for row in rows
        if (row["concept"], row["player"]) == ("commitment_mixed", "utility") and row["state"] == "grid"
    }
    assert float(value) == pytest.approx(best.leader_value[0])


def test_every_question_mark_of_the_page_is_answered() -> None:
    for name, part in drawn(Choice()).items():
        assert part["help"].removeprefix("/help#") in texts.anchors(), name
    for one in json.loads(Laboratory("").view().bar)["choices"]:
        assert one["help"].removeprefix("/help#") in texts.anchors()


def test_small_numbers_are_written_for_people() -> None:
    assert [words.said(x) for x in (-1.5, 0.0, 1e-12, 0.25, -2.34e-5)] == ["−1.5", "0", "0", "0.25", "−2.3·10⁻⁵"]
