"""Rooms: who gets in, what is taken and refused, the clock, and what a restart finds."""

import csv
import io
import json
import threading

import pytest
from class_rooms import DAY, SMALL, make_rooms, ready, solve, wait_for

from meanwatt.analysis.classroom.admission import (
    CODE_LETTERS,
    TRIES,
    TRY_SECONDS,
    Doorkeeper,
    new_code,
    new_key,
    read_code,
    read_name,
)
from meanwatt.analysis.classroom.room import MOST_ROUNDS, RefusedError, Room
from meanwatt.analysis.classroom.rooms import MOST_ROOMS, Rooms
from meanwatt.analysis.classroom.views import COLUMNS, student_view, table, teacher_view
from meanwatt.analysis.dashboard.shared.csv_text import csv_text
from meanwatt.model.mean_field.equilibrium import Equilibrium


def opened(rooms: Rooms, **given: object) -> tuple[Room, str, str]:
    """A room that is ready, its teacher's key, and its code."""
    found = rooms.open(SMALL | given)
    room = rooms.of_teacher(found.key)
    assert room is not None
    return ready(room), found.key, found.code


@pytest.fixture
def rooms() -> Rooms:
    made = make_rooms()
    yield made
    made.close()


def test_a_plan_counts_if_it_came_before_the_day_was_lived_and_who_has_none_is_played(rooms: Rooms) -> None:
    room, _, code = opened(rooms)
    tokens = [rooms.join(code, name, "here")[1] for name in ("Ada", "Ben")]
    assert rooms.of_student(tokens[1]) == (room, 1)
    room.submit(0, 0, "r" * 24)
    room.submit(0, 0, DAY)  # the last one counts
    room.advance()
    homes = room.now.rounds[0].homes
    assert (homes[0].autopilot, homes[1].autopilot) == (False, True)
    assert room.now.plans == [{0: DAY}]
    with pytest.raises(RefusedError, match="This day is over; plan the next one"):
        room.submit(0, 0, DAY)
    with pytest.raises(RefusedError, match="give 24 letters"):
        room.submit(0, 1, "r" * 23)
    assert room.coming == {}


def test_a_day_that_two_windows_end_at_once_is_lived_once(rooms: Rooms) -> None:
    room, _, code = opened(rooms)
    rooms.join(code, "Ada", "here")
    threads = [threading.Thread(target=room.advance, args=(0,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(room.now.rounds) == 1
    room.advance(7)
    assert len(room.now.rounds) == 1


def test_nobody_waits_for_an_empty_room_and_the_first_day_needs_somebody(rooms: Rooms) -> None:
    room, _, code = opened(rooms)
    with pytest.raises(RefusedError, match="Nobody has joined yet"):
        room.advance()
    rooms.join(code, "Ada", "here")
    room.remove(0)
    with pytest.raises(RefusedError, match="Nobody has joined yet"):
        room.advance()


def test_codes_are_forgiving_to_read_and_hard_to_guess(rooms: Rooms) -> None:
    room, _, code = opened(rooms)
    assert rooms.join(f" {code[:3].lower()} {code[3:]}", "Ada", "here")[0] is room
    assert set(new_code()) <= set(CODE_LETTERS)
    assert {read_code(text) for text in ("", "ABCDE", "ABCDEI", "ABC-DEF1", None, 5, "A" * 10_000)} == {None}
    for _ in range(TRIES):
        with pytest.raises(RefusedError, match="There is no room of this code"):
            rooms.join("AAAAAA" if code != "AAAAAA" else "BBBBBB", "Eve", "elsewhere")
    with pytest.raises(RefusedError, match="Too many wrong codes from this address; wait a minute"):
        rooms.join(code, "Eve", "elsewhere")
    rooms.join(code, "Ben", "here")  # others get in
    assert len({new_key() for _ in range(100)}) == 100


def test_who_has_tried_too_often_may_try_again_after_a_minute() -> None:
    now = [0.0]
    door = Doorkeeper(lambda: now[0])
    for _ in range(TRIES):
        assert door.may_try("a")
        door.was_wrong("a")
    assert not door.may_try("a")
    assert door.may_try("b")
    now[0] = TRY_SECONDS + 1
    assert door.may_try("a")


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "\u3164",
        "\u0301a",
        "a\ud800",
        "=1+1",
        "+x",
        "-x",
        "@x",
        "<b>",
        "a" * 21,
        "a\n\x00b",
        "_x",
        None,
        3,
        "a,b",
        'a"',
    ],
)
def test_a_name_is_refused_that_a_page_or_a_spreadsheet_could_take_for_something_else(name: object) -> None:
    with pytest.raises(ValueError, match=r"^name is .*; give 1 to 20 letters"):
        read_name(name)


@pytest.mark.parametrize("name", ["Ada", "Žofie 2", "李雷", "हिन्दी", "O'Neill", "J. R.", "a-b", "  two   spaces "])
def test_names_of_many_languages_are_taken(name: str) -> None:
    assert read_name(name) == " ".join(name.split())


def test_two_students_do_not_share_a_name_and_a_full_room_is_full(rooms: Rooms) -> None:
    room, _, code = opened(rooms, households=100)
    rooms.join(code, "Ada", "here")
    with pytest.raises(RefusedError, match="Somebody here is called ada already"):
        rooms.join(code, "ada", "here")
    with pytest.raises(RefusedError, match="Somebody here is called Ada already"):
        rooms.join(code, "\uff21\uff44\uff41", "here")  # the same in wide letters
    assert room.now.game is not None
    for number in range(1, room.now.game.seats):
        rooms.join(code, f"S{number}", "here")
    with pytest.raises(RefusedError, match="This room is full: every home with a battery has a student"):
        rooms.join(code, "Last", "here")
    assert teacher_view(room)["removed"] == 0
    room.remove(1)
    seats = room.now.game.seats
    said = f"This room is full: 1 of its {seats} homes with a battery were those of students who were taken out"
    with pytest.raises(RefusedError, match=said):
        rooms.join(code, "Last", "here")
    assert teacher_view(room)["removed"] == 1


def test_the_clock_ends_a_day_by_itself_and_stands_still_while_frozen(rooms: Rooms) -> None:
    room, _, code = opened(rooms, seconds=1)
    rooms.join(code, "Ada", "here")
    room.set_frozen(True)
    with pytest.raises(RefusedError, match="The teacher has stopped the clock"):
        room.submit(0, 0, DAY)
    assert room.ends_at is None
    assert not room.advance_if_due()
    room.set_frozen(False)
    wait_for(room.advance_if_due)
    assert len(room.now.rounds) == 1
    assert not room.advance_if_due()  # the next day has a second of its own
    room.ends_at = 0.0
    assert not room.advance_if_due(watched=False)  # all have gone to lunch
    assert room.ends_at > 0
    room.set_seconds(0)
    assert room.ends_at is None


def test_the_first_day_has_its_whole_time_from_the_first_student_on(rooms: Rooms) -> None:
    room, _, code = opened(rooms, seconds=600)
    room.ends_at = 0.0
    assert not room.advance_if_due()  # nobody is there, and time begins again
    room.ends_at = 0.0
    rooms.join(code, "Ada", "here")
    assert not room.advance_if_due()
    began = room.ends_at
    rooms.join(code, "Ben", "here")
    assert room.ends_at == began
    room.ends_at = 0.0
    assert room.advance_if_due()


def test_a_student_alone_lives_the_day_with_the_plan_and_nobody_joins(rooms: Rooms) -> None:
    found = rooms.open(SMALL | {"solo": True})
    assert found.token is not None
    room, seat = rooms.of_student(found.token)
    ready(room)
    room.submit(seat, 0, DAY)
    assert len(room.now.rounds) == 1
    with pytest.raises(RefusedError, match="There is no room of this code"):
        rooms.join(found.code, "Eve", "here")


def test_a_game_that_is_over_stays_so_and_another_one_differs_in_the_tariff_alone(rooms: Rooms) -> None:
    room, _, code = opened(rooms)
    rooms.join(code, "Ada", "here")
    room.submit(0, 0, DAY)
    room.advance()
    room.end()
    for refused in (room.advance, lambda: room.submit(0, 1, DAY)):
        with pytest.raises(RefusedError, match="This game is over"):
            refused()
    before = room.now.terms
    room.again(rooms.read_terms({"tariff": "rtp"}, before))
    rooms.prepare(room)
    ready(room)
    after = room.now.terms
    assert (after.scenario, after.households, after.key) == (before.scenario, before.households, before.key)
    assert (before.tariff, after.tariff) == ("filed", "rtp")
    room.submit(0, 0, DAY)
    room.advance()
    one, two = (game.rounds[0] for game in room.games)
    assert one.homes[0].charge[0] in [level / 19 for level in range(20)]
    assert one.day_type == two.day_type
    assert [len(game.rounds) for game in room.games] == [1, 1]


def test_a_restart_finds_the_same_day_no_plan_lost_and_none_doubled(tmp_path) -> None:
    rooms = make_rooms(tmp_path / "rooms.db")
    room, key, code = opened(rooms)
    tokens = [rooms.join(code, name, "here")[1] for name in ("Ada", "Ben")]
    room.submit(0, 0, DAY)
    room.advance()
    rooms.join(code, "Cyd", "here")
    room.advance()
    room.submit(1, 2, DAY)
    room.set_note("Think of the evening")
    before = teacher_view(room), [student_view(room, seat) for seat in range(3)], table(room)
    rooms.close()

    again = make_rooms(tmp_path / "rooms.db")
    found = again.of_teacher(key)
    assert found is not None
    ready(found)
    assert (teacher_view(found), [student_view(found, seat) for seat in range(3)], table(found)) == before
    assert found.coming == {1: DAY}
    assert again.of_student(tokens[0]) == (found, 0)
    found.advance()
    assert [home.autopilot for home in found.now.rounds[2].homes.values()] == [True, False, True]
    again.close()


def test_a_day_that_was_closed_but_not_shown_is_lived_after_a_restart(tmp_path) -> None:
    """The process ended between the two: the plans count, and none comes in."""
    rooms = make_rooms(tmp_path / "rooms.db")
    room, key, code = opened(rooms)
    rooms.join(code, "Ada", "here")
    room.submit(0, 0, DAY)
    assert room._store.close_round(1, 0, 0, [0]) == {0: DAY}
    with pytest.raises(RefusedError, match="This day is over"):
        room.submit(0, 0, "r" * 24)
    rooms.close()
    again = make_rooms(tmp_path / "rooms.db")
    found = ready(again.of_teacher(key))
    assert found.now.plans == [{0: DAY}]
    again.close()


def test_no_view_holds_a_key_or_another_students_plan(rooms: Rooms) -> None:
    room, key, code = opened(rooms)
    tokens = [rooms.join(code, name, "here")[1] for name in ("Ada", "Ben")]
    room.submit(0, 0, DAY)
    views = [teacher_view(room), student_view(room, 0), student_view(room, 1)]
    room.advance()
    views += [teacher_view(room), student_view(room, 0), student_view(room, 1)]
    for view in views:
        text = json.dumps(view, allow_nan=False)
        assert not any(secret in text for secret in (key, *tokens))
    assert views[1]["plan"] == DAY
    for of_ben in (views[2], views[5]):
        assert DAY not in json.dumps(of_ben)
        assert "Ada" not in json.dumps(of_ben)
    assert "code" not in views[1]
    assert views[4]["last"]["plan"] == DAY


def test_the_table_has_a_row_for_each_student_and_day_and_sums_to_what_is_shown(rooms: Rooms) -> None:
    room, _, code = opened(rooms)
    for name in ("Ada", "Ben"):
        rooms.join(code, name, "here")
    for day in range(3):
        room.submit(0, day, DAY)
        room.advance()
    text = csv_text({"scenario": "textbook"}, COLUMNS, table(room))
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(io.StringIO("\n".join(lines))))
    assert [(row["day"], row["name"], row["autopilot"]) for row in rows] == [
        (str(day), name, flag) for day in (1, 2, 3) for name, flag in (("Ada", "False"), ("Ben", "True"))
    ]
    ada = [row for row in rows if row["name"] == "Ada"]
    total = student_view(room, 0)["total"]
    assert sum(float(row["bill_usd"]) for row in ada) == pytest.approx(total["bill_usd"], abs=0.006)
    saved, possible = (sum(float(row[name]) for row in ada) for name in ("saved_usd", "possible_usd"))
    assert student_view(room, 0)["score"] == pytest.approx(100 * saved / possible, abs=0.6)


def test_places_are_shared_by_equal_scores(rooms: Rooms) -> None:
    room, _, code = opened(rooms)
    for name in ("Ada", "Ben", "Cyd", "Dot"):
        rooms.join(code, name, "here")
    room.submit(0, 0, "r" * 24)
    room.submit(1, 0, "r" * 24)
    room.advance()
    leaders = teacher_view(room)["leaders"]
    assert sorted(one["name"] for one in leaders[2:]) == ["Ada", "Ben"]
    assert [one["score"] for one in leaders[2:]] == [0, 0]
    assert [one["place"] for one in leaders[2:]] == [3, 3]
    assert student_view(room, 1)["place"] == {"place": 3, "of": 4}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"scenario": "textbok"}, "unknown scenario 'textbok'; did you mean 'textbook'?"),
        ({"scenario": "../etc/passwd"}, "unknown scenario"),
        ({"tariff": "nothing"}, "unknown tariff 'nothing'"),
        ({"households": 99}, "households is 99; give a whole number from 100 to 20000"),
        ({"households": True}, "households is True; give a whole number from 100 to 20000"),
        ({"households": 1e9}, "households is 1000000000.0; give a whole number from 100 to 20000"),
        ({"seconds": -1}, "seconds is -1; give a whole number from 0 to 3600"),
        ({"seconds": "5"}, "seconds is 5; give a whole number from 0 to 3600"),
    ],
)
def test_a_room_on_what_is_not_allowed_is_refused_in_one_line(rooms: Rooms, given: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]*$") as refused:
        rooms.open(SMALL | given)
    assert str(refused.value).startswith(sentence)
    assert rooms.awake() == []


def test_a_market_that_cannot_be_made_is_said_to_all_who_wait(rooms: Rooms) -> None:
    def fails(terms: object, progress: object) -> Equilibrium:
        raise ValueError("no revenue-adequate tariff")

    made = make_rooms(solve=fails)
    room, _, code = opened(made)
    assert teacher_view(room)["failure"] == "no revenue-adequate tariff"
    with pytest.raises(RefusedError, match="no revenue-adequate tariff"):
        made.join(code, "Ada", "here")
    made.close()


def test_a_game_whose_market_cannot_be_made_is_followed_by_one_that_can() -> None:
    def fails(terms, progress) -> Equilibrium:
        if terms.tariff == "tou":
            raise ValueError("no revenue-adequate tariff")
        return solve(terms, progress)

    made = make_rooms(solve=fails)
    room, _, code = opened(made, tariff="tou")
    assert room.failure == "no revenue-adequate tariff"
    room.again(made.read_terms({"tariff": "filed"}, room.now.terms))
    made.prepare(room)
    ready(room)
    assert room.failure is None
    made.join(code, "Ada", "here")
    with pytest.raises(RefusedError, match="This game has just begun"):
        room.again(room.now.terms)
    room.advance()
    assert len(table(room)) == 1
    made.close()


def test_rooms_are_bounded_closed_and_forgotten(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meanwatt.analysis.classroom.rooms.MOST_ROOMS", 2)
    first, key, code = opened(rooms)
    opened(rooms)
    with pytest.raises(RefusedError, match="2 rooms are open already; close one first"):
        rooms.open(SMALL)
    rooms.drop(first.number)
    assert rooms.of_teacher(key) is None
    with pytest.raises(RefusedError, match="There is no room of this code"):
        rooms.join(code, "Ada", "here")
    opened(rooms)
    monkeypatch.setattr("meanwatt.analysis.classroom.rooms.KEPT_DAYS", -1)
    opened(rooms)  # both others have been left alone for longer than that
    assert len(rooms.awake()) == 1
    assert MOST_ROOMS > 2


def test_a_game_has_an_end_even_if_nobody_ends_it(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_ROUNDS >= 30
    monkeypatch.setattr("meanwatt.analysis.classroom.room.MOST_ROUNDS", 2)
    room, _, code = opened(rooms)
    rooms.join(code, "Ada", "here")
    room.advance()
    room.advance()
    assert room.now.over
    with pytest.raises(RefusedError, match="This game is over; begin another one"):
        room.advance()
    with pytest.raises(RefusedError, match="This game is over"):
        room.submit(0, 2, DAY)


def test_what_is_shown_is_told_and_solved_once_for_all_rooms() -> None:
    told, solves = [], []

    def counting(terms, progress) -> Equilibrium:
        solves.append(terms.tariff)
        return solve(terms, progress)

    rooms = make_rooms(changed=lambda room, news: told.append(room), solve=counting)
    first, _, code = opened(rooms)
    opened(rooms)
    assert solves == ["filed"]
    told.clear()
    for act in (
        lambda: rooms.join(code, "Ada", "here"),
        lambda: first.submit(0, 0, DAY),
        first.advance,
        lambda: first.set_note("Hello"),
        first.end,
        lambda: rooms.drop(first.number),
    ):
        act()
        assert told, "nobody was told"
        told.clear()
    rooms.close()
