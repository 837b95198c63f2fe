"""What a student and a teacher see of a room: plain values, made anew whenever something has changed.

A student sees the own home and the class's sums, never another student's plan; keys are in no view.
"""

import functools
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.classroom.game import HomeDay, Round
from meanwatt.analysis.classroom.home_plan import WORDS
from meanwatt.analysis.classroom.room import GamePlayed, Room
from meanwatt.analysis.simulation.expectation import DEVIATIONS
from meanwatt.model.scenario.loading import Scenario, load_scenario

DIGITS: Final = 4
LEADERS: Final = 10
"""Names on the leaderboard."""
Place = dict[str, int]
COLUMNS: Final = (
    "game",
    "tariff",
    "day",
    "day_type",
    "name",
    "income_group",
    "pv_kw",
    "battery_kwh",
    "autopilot",
    "plan",
    "bill_usd",
    "saved_usd",
    "possible_usd",
    "score",
)
"""Of the table that a teacher takes home: a row for each student and round."""


def student_view(room: Room, seat: int, places: Mapping[str, Place] | None = None) -> dict[str, Any]:
    """What one student sees.

    Parameters
    ----------
    places
        `places_of` the room, where several students are shown what they see; by default they are worked out.
    """
    with room.lock:
        view = _common(room)
        played = room.now
        row = room.seats[seat]
        view |= {"name": row.name, "seat": seat, "plan": room.coming.get(seat), "wishes": _wishes()}
        if not room.ready or played.game is None:
            return view
        income, pv_kw, battery_kwh = played.game.home(seat)
        morning = played.game.morning(seat)
        view["home"] = {"income_group": income, "pv_kw": _short(pv_kw), "battery_kwh": _short(battery_kwh)}
        view["morning"] = {
            "day": morning.day,
            "day_type": morning.day_type,
            "import_usd_per_kwh": _list(morning.import_usd_per_kwh),
            "export_usd_per_kwh": _list(morning.export_usd_per_kwh),
            "pv_kw": _list(morning.pv_kw),
            "reference_kw": _list(morning.reference_kw),
            "charge": _short(morning.charge),
        }
        bill, saved, possible = played.totals(seat)
        view["total"] = {"bill_usd": _cents(bill), "saved_usd": _cents(saved), "possible_usd": _cents(possible)}
        view["score"] = _whole(played.score(seat))
        view["place"] = (places_of(room) if places is None else places).get(row.name)
        last = played.rounds[-1] if played.rounds else None
        if last is not None and seat in last.homes:
            letters = played.plans[-1].get(seat)
            view["last"] = {"day": last.day, "day_type": last.day_type, "plan": letters, **_home(last.homes[seat])}
        return view


def counts(room: Room) -> dict[str, int]:
    """How many are in a room, and how many of them have sent a plan."""
    present = set(room.present())
    return {"present": len(present), "planned": len(set(room.coming) & present)}


def own_plan(room: Room, seat: int) -> dict[str, Any]:
    """The plan that a student has sent for the round to come, for all windows of the same seat."""
    with room.lock:
        return {"round": len(room.now.rounds), "plan": room.coming.get(seat)}


def teacher_view(room: Room) -> dict[str, Any]:
    """What the teacher sees, and the class on the projector."""
    with room.lock:
        view = _common(room)
        played = room.now
        view["code"] = room.row.code
        view["warning"] = room.warning
        view["students"] = [_student(room, row.seat, row.name) for row in room.seats if not row.removed]
        view["leaders"] = [
            {"place": place, "name": name, "score": _whole(value)} for place, name, value in _ranking(room)[:LEADERS]
        ]
        view["tariffs"] = _tariffs(played.terms.scenario)
        view["seats"] = played.game.seats if played.game else None
        view["removed"] = sum(row.removed for row in room.seats)
        view["rounds"] = [_round_line(done) for done in played.rounds]
        if played.rounds:
            view["last"] = _round(played.rounds[-1])
        view["games"] = [
            {"tariff": game.terms.tariff, "rounds": len(game.rounds), "score": _whole(_class_score(game))}
            for game in room.games
        ]
        return view


def table(room: Room) -> list[tuple[Any, ...]]:
    """Rows of `COLUMNS`, by game, round and seat."""
    with room.lock:
        names = {row.seat: row.name for row in room.seats}
        rows: list[tuple[Any, ...]] = []
        for number, played in enumerate(room.games):
            for done, letters in zip(played.rounds, played.plans, strict=True):
                for seat, day in done.homes.items():
                    assert played.game is not None
                    rows.append(
                        (
                            number + 1,
                            played.terms.tariff,
                            done.day + 1,
                            done.day_type,
                            names[seat],
                            *played.game.home(seat),
                            day.autopilot,
                            letters.get(seat, ""),
                            round(day.bill_usd, DIGITS),
                            round(day.saved_usd, DIGITS),
                            round(day.possible_usd, DIGITS),
                            "" if day.score is None else round(day.score, 1),
                        )
                    )
        return rows


def herd_sentence(done: Round, slot_hours: float) -> str:
    """What the class did, in a sentence that reads the figure."""
    if not done.homes:
        return ""
    slot = done.herd_slot
    if slot is None:
        return (
            "The class did what so many homes that decide for themselves do: it is nowhere outside the band of the"
            " mean field."
        )
    class_kw, expected = float(done.class_kw[slot]), float(done.class_expected_kw[slot])
    half = DEVIATIONS * float(done.class_spread_kw[slot])
    more = "more" if class_kw > expected else "less"
    took = "drew" if class_kw >= 0 else "fed in"
    return (
        f"A herd: at {slot * slot_hours:g} h the class {took} {abs(class_kw):.2f} kW a home,"
        f" {abs(class_kw - expected):.2f} kW {more} net load than such homes in the mean field; homes that decide for"
        f" themselves stay within {half:.2f} kW of it, 19 times of 20."
    )


def _common(room: Room) -> dict[str, Any]:
    """What everybody sees."""
    played = room.now
    scenario = _preset(played.terms.scenario)
    return {
        "ready": room.ready,
        "stage": room.stage,
        "failure": room.failure,
        "solo": room.row.solo,
        "scenario": {"name": played.terms.scenario, "title": scenario.title or played.terms.scenario},
        "tariff": dict(_tariffs(played.terms.scenario))[played.terms.tariff],
        "households": played.terms.households,
        "game": len(room.games),
        "round": len(played.rounds),
        "over": played.over,
        "frozen": room.row.frozen,
        "seconds": room.row.seconds,
        "seconds_left": None if room.ends_at is None else max(round(room.ends_at - time.monotonic(), 1), 0.0),
        "note": room.row.note,
        **counts(room),
    }


def _student(room: Room, seat: int, name: str) -> dict[str, Any]:
    last = room.now.rounds[-1].homes.get(seat) if room.now.rounds else None
    return {
        "seat": seat,
        "name": name,
        "planned": seat in room.coming,
        "autopilot": last is not None and last.autopilot,
        "last_score": _whole(last.score) if last else None,
        "score": _whole(room.now.score(seat)),
    }


def _ranking(room: Room) -> list[tuple[int, str, float]]:
    """Place, name and score of the students who have one; equal scores as shown share a place."""
    known = [(row.name, room.now.score(row.seat)) for row in room.seats if not row.removed]
    scored = sorted(((name, value) for name, value in known if value is not None), key=lambda pair: -round(pair[1]))
    first: dict[int, int] = {}
    for number, (_, value) in enumerate(scored, start=1):
        first.setdefault(round(value), number)
    return [(first[round(value)], name, value) for name, value in scored]


def places_of(room: Room) -> dict[str, Place]:
    """Place among how many, by name, of the students who have a score."""
    with room.lock:
        ranking = _ranking(room)
    return {name: {"place": place, "of": len(ranking)} for place, name, _ in ranking}


def _class_score(played: GamePlayed) -> float | None:
    """Mean score of everybody who has one."""
    seats = sorted({seat for done in played.rounds for seat in done.homes})
    scores = [value for value in map(played.score, seats) if value is not None]
    return sum(scores) / len(scores) if scores else None


def _round_line(done: Round) -> dict[str, Any]:
    scores = [home.score for home in done.homes.values() if home.score is not None]
    return {
        "day": done.day,
        "day_type": done.day_type,
        "score": _whole(sum(scores) / len(scores)) if scores else None,
        "autopilots": sum(home.autopilot for home in done.homes.values()),
        "students": len(done.homes),
    }


def _round(done: Round) -> dict[str, Any]:
    slot_hours = 24 / len(done.market_kw)
    half = DEVIATIONS * done.class_spread_kw
    return {
        **_round_line(done),
        "wholesale_usd_per_kwh": _list(done.wholesale_usd_per_kwh),
        "market_kw": _list(done.market_kw),
        "mean_field_kw": _list(done.mean_field_kw),
        "class_kw": _list(done.class_kw),
        "class_expected_kw": _list(done.class_expected_kw),
        "class_low_kw": _list(done.class_expected_kw - half),
        "class_high_kw": _list(done.class_expected_kw + half),
        "sentence": herd_sentence(done, slot_hours),
    }


def _home(day: HomeDay) -> dict[str, Any]:
    return {
        "autopilot": day.autopilot,
        "import_usd_per_kwh": _list(day.import_usd_per_kwh),
        "export_usd_per_kwh": _list(day.export_usd_per_kwh),
        "net_load_kw": _list(day.net_load_kw),
        "charge": _list(day.charge),
        "best_charge": _list(day.best_charge),
        "bill_usd": _cents(day.bill_usd),
        "saved_usd": _cents(day.saved_usd),
        "possible_usd": _cents(day.possible_usd),
        "score": _whole(day.score),
    }


def _wishes() -> list[dict[str, str]]:
    return [{"letter": wish.value, "word": word} for wish, word in WORDS.items()]


def _tariffs(scenario: str) -> list[tuple[str, str]]:
    """Name and title of a scenario's tariffs."""
    return [(name, tariff.title or name) for name, tariff in _preset(scenario).tariffs.items()]


@functools.lru_cache
def _preset(name: str) -> Scenario:
    """A preset, read once: it is frozen."""
    return load_scenario(name)


def _list(values: Floats) -> list[float]:
    return [_short(value) for value in values.tolist()]


def _short(value: float) -> float:
    return round(float(value), DIGITS)


def _cents(value: float) -> float:
    return round(value, 2)


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def titles(names: Sequence[str]) -> list[dict[str, Any]]:
    """Scenarios to choose from, with their tariffs and the one in force."""
    return [
        {
            "name": name,
            "title": _preset(name).title or name,
            "tariffs": _tariffs(name),
            "default": _preset(name).default_tariff,
        }
        for name in names
    ]
