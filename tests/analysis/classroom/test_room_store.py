"""The file of the rooms: what was accepted survives a kill, keys are not in it, foreign files are left alone."""

import signal
import sqlite3
import subprocess
import sys

import pytest

from meanwatt.analysis.classroom.admission import new_key
from meanwatt.analysis.classroom.store import RoomStore, Terms

TERMS = Terms(scenario="textbook", tariff="flat", households=100, key=7)

WRITES_FOR_EVER = """
import itertools, sys
from meanwatt.analysis.classroom.store import RoomStore, Terms
store = RoomStore(sys.argv[1])
room = store.add_room(code="ABCDEF", key="k", seconds=0, solo=False,
                      terms=Terms(scenario="textbook", tariff="flat", households=100, key=7))
for seat in range(5):
    store.add_seat(room, name=f"S{seat}", token=f"t{seat}")
for number in itertools.count():
    for seat in range(5):
        store.put_plan(room, 0, number, seat, f"{number}")
        print("plan", number, seat, flush=True)
    store.close_round(room, 0, number, [0, 1, 2, 3, 4])
    print("round", number, flush=True)
"""


def test_what_was_acknowledged_is_there_after_a_kill(tmp_path) -> None:
    """The process is killed in the middle of its writing; all that it had said was done is there, and nothing torn."""
    path = tmp_path / "rooms.db"
    process = subprocess.Popen([sys.executable, "-c", WRITES_FOR_EVER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = [process.stdout.readline().split() for _ in range(40)]
    process.send_signal(signal.SIGKILL)
    said += [line.split() for line in process.stdout.read().splitlines()]
    process.wait()
    process.stdout.close()
    assert process.returncode == -signal.SIGKILL
    complete = [words for words in said if len(words) == {"plan": 3, "round": 2}.get(words[0] if words else "", -1)]
    store = RoomStore(path)
    played = store.played(1, 0)
    for words in complete:
        if words[0] == "plan":
            assert store.plans(1, 0, int(words[1]))[int(words[2])] == words[1]
        else:
            assert played[int(words[1])] == [0, 1, 2, 3, 4]
    rounds = sum(words[0] == "round" for words in complete)
    assert rounds <= len(played) <= rounds + 1
    store.close()


def test_no_key_is_in_the_file(tmp_path) -> None:
    path = tmp_path / "rooms.db"
    store, key, token = RoomStore(path), new_key(), new_key()
    room = store.add_room(code="ABCDEF", key=key, seconds=0, solo=False, terms=TERMS)
    store.add_seat(room, name="Ada", token=token)
    assert (store.room_of_key(key), store.seat_of_token(token)) == (room, (room, 0))
    assert (store.room_of_key(token), store.seat_of_token(key)) == (None, None)
    store.close()
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"ABCDEF" in written
    assert key.encode() not in written
    assert token.encode() not in written


def test_a_round_is_closed_once_and_takes_no_plan_afterwards() -> None:
    store = RoomStore(":memory:")
    room = store.add_room(code="ABCDEF", key="k", seconds=0, solo=False, terms=TERMS)
    assert store.put_plan(room, 0, 0, 0, "a")
    assert store.put_plan(room, 0, 0, 0, "b")
    assert store.close_round(room, 0, 0, [0]) == {0: "b"}
    assert store.close_round(room, 0, 0, [0, 1]) == {0: "b"}
    assert not store.put_plan(room, 0, 0, 0, "c")
    assert store.plans(room, 0, 0) == {0: "b"}
    assert store.played(room, 0) == [[0]]
    store.close()


def test_a_code_belongs_to_one_room_and_a_room_takes_all_with_it() -> None:
    store = RoomStore(":memory:")
    room = store.add_room(code="ABCDEF", key="k", seconds=0, solo=False, terms=TERMS)
    with pytest.raises(FileExistsError):
        store.add_room(code="ABCDEF", key="l", seconds=0, solo=False, terms=TERMS)
    store.add_seat(room, name="Ada", token="t")
    store.put_plan(room, 0, 0, 0, "a")
    assert store.add_game(room, TERMS) == 1
    store.drop_room(room)
    assert store.rooms() == store.seats(room) == store.games(room) == []
    assert store.plans(room, 0, 0) == {}
    assert store.seat_of_token("t") is None
    assert store.add_room(code="ABCDEF", key="k", seconds=0, solo=False, terms=TERMS) > room  # no number comes again
    store.close()


def test_two_servers_do_not_share_a_file_and_a_disk_that_refuses_is_said_in_words(tmp_path) -> None:
    store = RoomStore(tmp_path / "rooms.db")
    with pytest.raises(ValueError, match=r"rooms\.db is in use by another server; name another file"):
        RoomStore(tmp_path / "rooms.db")
    room = store.add_room(code="ABCDEF", key="k", seconds=0, solo=False, terms=TERMS)
    store._file.execute("PRAGMA query_only = ON")
    with pytest.raises(ValueError, match=r"^The rooms' file cannot be written \(.*\); nothing was changed\.$"):
        store.put_plan(room, 0, 0, 0, "a")
    store._file.execute("PRAGMA query_only = OFF")
    assert store.plans(room, 0, 0) == {}
    assert store.put_plan(room, 0, 0, 0, "b")
    store.close()
    RoomStore(tmp_path / "rooms.db").close()


def test_a_file_of_something_else_is_refused_in_one_line_and_not_touched(tmp_path) -> None:
    foreign, text, later = tmp_path / "foreign.db", tmp_path / "notes.txt", tmp_path / "later.db"
    with sqlite3.connect(foreign) as other:
        other.execute("CREATE TABLE mine (a)")
    other.close()
    text.write_text("not a database at all, but long enough to be read as one\n" * 40, encoding="utf-8")
    RoomStore(later).close()
    with sqlite3.connect(later) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    for path, sentence in (
        (foreign, "is a database of something else; name another file"),
        (text, "cannot be used (file is not a database); name a file in a folder of your own"),
        (later, "was written by another version of Meanwatt (format 99, here 1); name another file"),
        (tmp_path, "cannot be used (unable to open database file); name a file in a folder of your own"),
    ):
        before = path.read_bytes() if path.is_file() else None
        with pytest.raises(ValueError, match=r"^rooms: [^\n]*$") as refused:
            RoomStore(path)
        assert str(refused.value).endswith(sentence)
        assert before is None or path.read_bytes() == before


def test_a_file_that_is_deleted_while_the_server_runs_is_written_again_whole(tmp_path) -> None:
    path = tmp_path / "rooms.db"
    store = RoomStore(path)
    room = store.add_room(code="ABCDEF", key="k", seconds=0, solo=False, terms=TERMS)
    seats = [store.add_seat(room, name=name, token=name) for name in ("Ada", "Ben")]
    store.put_plan(room, 0, 0, seats[0], "before")
    assert store.warning == ""
    path.unlink()
    store.put_plan(room, 0, 0, seats[1], "after")
    assert store.warning.startswith("The rooms' file was deleted while the program ran. A new one has been written")
    assert store.plans(room, 0, 0) == {0: "before", 1: "after"}
    with pytest.raises(ValueError, match="in use by another server"):
        RoomStore(path)
    store.close()
    assert [found.name for found in tmp_path.iterdir()] == ["rooms.db"]
    again = RoomStore(path)
    assert again.plans(room, 0, 0) == {0: "before", 1: "after"}
    assert again.seat_of_token("Ada") == (room, 0)
    again.close()


def test_a_file_that_is_replaced_while_the_server_runs_is_left_alone_and_the_rooms_go_on_beside_it(tmp_path) -> None:
    path = tmp_path / "rooms.db"
    (tmp_path / "rooms-kept.db").write_text("somebody's")
    other = RoomStore(tmp_path / "other.db")
    other.add_room(code="QWERTY", key="q", seconds=0, solo=False, terms=TERMS)
    other.close()
    store = RoomStore(path)
    room = store.add_room(code="ABCDEF", key="k", seconds=0, solo=False, terms=TERMS)
    seat = store.add_seat(room, name="Ada", token="t")
    store.put_plan(room, 0, 0, seat, "before")
    (tmp_path / "other.db").replace(path)
    there = path.read_bytes()
    store.put_plan(room, 0, 0, seat, "after")
    kept = tmp_path / "rooms-kept2.db"
    assert store.warning == (
        f"The rooms' file was replaced by another one while the program ran. What was in it goes on in {kept}; nothing"
        " is lost, and the other file is left as it is. End the program before you exchange its file."
    )
    store.put_plan(room, 0, 0, seat, "later")  # told and moved once
    store.close()
    assert path.read_bytes() == there
    assert sorted(found.name for found in tmp_path.iterdir()) == ["rooms-kept.db", "rooms-kept2.db", "rooms.db"]
    again = RoomStore(kept)
    assert again.plans(room, 0, 0) == {0: "later"}
    again.close()
    foreign = RoomStore(path)
    assert foreign.room(1).code == "QWERTY"
    foreign.close()


@pytest.mark.parametrize("left", ["an older backup", "half of it", "nothing", "something else"])
def test_a_file_that_is_written_over_while_the_server_runs_is_made_whole_and_nothing_is_lost(tmp_path, left) -> None:
    path = tmp_path / "rooms.db"
    store = RoomStore(path)
    room = store.add_room(code="ABCDEF", key="k", seconds=0, solo=False, terms=TERMS)
    store.close()
    backup = path.read_bytes()
    store = RoomStore(path)
    seats = [store.add_seat(room, name=f"S{number}", token=f"t{number}") for number in range(3)]
    store._file.execute("PRAGMA wal_autocheckpoint = 20")  # some of it is in the journal, some in the file
    for number in range(20):
        for seat in seats:
            store.put_plan(room, 0, number, seat, "s" * 24)
    content = path.read_bytes()
    half = content[: len(content) // 2]
    over = {"an older backup": backup, "half of it": half, "nothing": b""}.get(left, b"Dear Ada")
    with path.open("r+b") as file:
        file.truncate()
        file.write(over)
    assert len(store.seats(room)) == 3, "what is read does not hang on the file"
    assert store.warning == ""
    store.put_plan(room, 0, 20, seats[0], "after")
    other = tmp_path / "rooms-other.db"
    kept = f", and what was written over it is kept in {other}" if over else ""
    assert store.warning == (
        "The rooms' file was overwritten by another program while this one ran. It has been written again with all that"
        f" was in it; nothing is lost{kept}. End the program before you exchange its file: {path}"
    )
    store.put_plan(room, 0, 21, seats[0], "later")  # told and written once
    store.close()
    assert sorted(found.name for found in tmp_path.iterdir()) == [*(["rooms-other.db"] if over else []), "rooms.db"]
    assert not over or other.read_bytes() == over
    again = RoomStore(path)
    assert [again.plans(room, 0, number) for number in range(20)] == [dict.fromkeys(seats, "s" * 24)] * 20
    assert (again.plans(room, 0, 20), again.plans(room, 0, 21)) == ({seats[0]: "after"}, {seats[0]: "later"})
    again.close()


def test_a_file_that_is_written_over_after_the_last_word_is_whole_when_the_server_has_ended(tmp_path) -> None:
    path = tmp_path / "rooms.db"
    store = RoomStore(path)
    room = store.add_room(code="ABCDEF", key="k", seconds=0, solo=False, terms=TERMS)
    path.write_bytes(b"Dear Ada")
    store.close()
    again = RoomStore(path)
    assert again.room(room).code == "ABCDEF"
    again.close()


def test_what_the_disk_refuses_is_not_remembered_either(tmp_path) -> None:
    store = RoomStore(tmp_path / "rooms.db")
    room = store.add_room(code="ABCDEF", key="k", seconds=0, solo=False, terms=TERMS)
    store._file.execute("PRAGMA query_only = ON")
    with pytest.raises(ValueError, match=r"file cannot be written .*; nothing was changed"):
        store.add_seat(room, name="Ada", token="t")
    assert store.seats(room) == []
    store._file.execute("PRAGMA query_only = OFF")
    with pytest.raises(FileExistsError):
        store.add_room(code="ABCDEF", key="other", seconds=0, solo=False, terms=TERMS)
    assert store.add_seat(room, name="Ada", token="t") == 0
    store.close()


def test_a_file_that_is_deleted_after_the_last_word_is_there_when_the_server_has_ended(tmp_path) -> None:
    path = tmp_path / "folder" / "rooms.db"
    store = RoomStore(path)
    room = store.add_room(code="ABCDEF", key="k", seconds=0, solo=False, terms=TERMS)
    for found in path.parent.iterdir():
        found.unlink()
    path.parent.rmdir()
    store.close()
    again = RoomStore(path)
    assert again.room(room).code == "ABCDEF"
    again.close()


def test_a_deleted_file_for_which_there_is_no_place_is_said_in_words_and_nothing_is_lost(tmp_path) -> None:
    path = tmp_path / "folder" / "rooms.db"
    store = RoomStore(path)
    room = store.add_room(code="ABCDEF", key="k", seconds=0, solo=False, terms=TERMS)
    for found in path.parent.iterdir():
        found.unlink()
    path.parent.rmdir()
    path.parent.write_text("a file where the folder was")
    with pytest.raises(ValueError, match=r"file was deleted, and no new one can be written to .*nothing was"):
        store.add_seat(room, name="Ada", token="t")
    assert store.seats(room) == []
    path.parent.unlink()
    assert store.add_seat(room, name="Ada", token="t") == 0
    store.close()
