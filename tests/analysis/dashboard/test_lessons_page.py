"""The page of lessons: addresses, links, what is hidden until the prediction is made, and one computation for all."""
# ruff: noqa: D102 - what the fake does is what the real one does

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanwatt.analysis.dashboard.compare import choice as compare
from meanwatt.analysis.dashboard.finite import choice as finite
from meanwatt.analysis.dashboard.help import texts
from meanwatt.analysis.dashboard.lessons import computing, words
from meanwatt.analysis.dashboard.lessons.choice import Choice, from_query, query
from meanwatt.analysis.dashboard.lessons.classroom import Classroom
from meanwatt.analysis.dashboard.lessons.links import PAGES as TITLES
from meanwatt.analysis.dashboard.lessons.links import link
from meanwatt.analysis.dashboard.lessons.things import THINGS
from meanwatt.analysis.dashboard.lessons.view import ROUTE, View, view_of
from meanwatt.analysis.dashboard.market.address import from_query as market_from_query
from meanwatt.analysis.dashboard.pages import PAGES
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.analysis.lessons.case import Case
from meanwatt.analysis.lessons.catalogue import LESSONS
from meanwatt.analysis.lessons.lesson import Guess, Lesson, Revealed, Try
from meanwatt.analysis.output.solution_json import equilibrium_metrics
from meanwatt.model.mean_field.equilibrium import Equilibrium, Outcome
from meanwatt.model.progress.watch import Watch

PATIENCE_S = 60
KEYS = [lesson.key for lesson in LESSONS]
EVERY = pytest.mark.parametrize("lesson", LESSONS, ids=KEYS)


def found(lesson: Lesson) -> Revealed:
    """What a lesson finds, shared as the page shares it."""
    known = computing.revealed(lesson, progress=lambda _: None, cancelled=lambda: False)
    assert known is not None
    return known


def view(lesson: Lesson, *, shown: bool, teacher: bool = False) -> View:
    return view_of(1, Choice(lesson=lesson.key, shown=shown, teacher=teacher), found(lesson), None, "[]")


# The address


@given(st.builds(Choice, lesson=st.sampled_from(["", *KEYS]), shown=st.booleans(), teacher=st.booleans()))
def test_an_address_gives_back_the_choice_it_was_written_from(choice: Choice) -> None:
    assert from_query(f"?{query(choice)}") == (choice, ())


def test_the_list_has_an_empty_address_and_the_scenario_of_another_page_is_no_mistake() -> None:
    assert query(Choice()) == ""
    assert from_query("?scenario=oahu") == (Choice(), ())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("lesson=death-spirale", "unknown lesson 'death-spirale'; did you mean 'death-spiral'?"),
        ("lesson=../secret", "unknown lesson '../secret'; give one of"),
        ("shown=yes", "shown is 'yes'; give 1, or leave it out"),
        ("teacher=2", "teacher is '2'; give 1, or leave it out"),
        ("leson=herding", "unknown parameter 'leson'; did you mean 'lesson'?"),
    ],
)
def test_a_bad_address_is_told_in_one_sentence(text: str, problem: str) -> None:
    choice, problems = from_query(text)
    assert choice == Choice()
    assert len(problems) == 1
    assert problems[0].startswith(problem)
    (notice,) = json.loads(Classroom(text).view().notices)
    assert notice["text"].startswith(problem)


@given(st.text(max_size=60))
def test_no_address_whatever_stops_the_page(text: str) -> None:
    assert from_query(text)[0].lesson in ("", *KEYS)


# Links to the other pages


def read(of: Try) -> Case | tuple[Case, Case]:
    """What the page that is linked to makes of the link; every part of it is understood."""
    parts = urlsplit(link(of))
    assert parts.path in {page.route for page in PAGES}
    assert {page.route: page.title for page in PAGES}[parts.path] == TITLES[of.page]
    if of.page == "compare":
        pair, problems = compare.from_query(parts.query)
        read_as: Case | tuple[Case, Case] = (
            Case(scenario=pair.scenario, tariff=pair.a),
            Case(scenario=pair.scenario, tariff=pair.b),
        )
    elif of.page == "finite":
        drawn, problems = finite.from_query(parts.query)
        read_as = Case(scenario=drawn.scenario, tariff=drawn.tariff)
    else:
        settings, problems = market_from_query(parts.query)
        read_as = Case(scenario=settings.scenario, tariff=settings.tariff, changes=settings.changes)
    assert problems == ()
    return read_as


@pytest.mark.parametrize("of", [one for lesson in LESSONS for one in lesson.tries] + [one.to for one in THINGS])
def test_a_link_opens_its_page_with_the_settings_that_it_promises(of: Try) -> None:
    read_as = read(of)
    cases = read_as if isinstance(read_as, tuple) else (read_as,)
    assert [case.load() for case in cases] == [case.load() for case in of.cases]


def test_six_things_to_try_have_an_effect_that_is_seen() -> None:
    assert len(THINGS) == 6
    backwards, sun, duck, prices, charge, size = (thing.to.cases for thing in THINGS)
    plain = solved(Case(tariff="flat"))
    assert solved(*backwards).bill_usd_per_day[0] > 1.05 * plain.bill_usd_per_day[0]
    assert solved(*sun).outcome is Outcome.NO_ADEQUATE_TARIFF
    assert solved(*duck).net_load_kw.min() < -0.1
    flat, tou = (solved(case) for case in prices)
    assert equilibrium_metrics(tou).peak_to_average < equilibrium_metrics(flat).peak_to_average
    assert (tou.bill_usd_per_day > flat.bill_usd_per_day + 0.001).any()
    equal, graded = (equilibrium_metrics(solved(case, battery_levels=8)) for case in charge)
    assert graded.burden_gap < equal.burden_gap - 0.005
    assert graded.welfare_usd_per_household_day == pytest.approx(equal.welfare_usd_per_household_day, abs=1e-4)
    assert solved(*size).tariff.pass_through == 1


def solved(case: Case, **changes: float) -> Equilibrium:
    for key, value in changes.items():
        case = case.with_change(key, value)
    return case.solve(Watch())


# What is seen before and after the prediction


@EVERY
def test_the_answer_is_nowhere_on_the_page_before_the_prediction(lesson: Lesson) -> None:
    before, after = view(lesson, shown=False), view(lesson, shown=True)
    known = found(lesson)
    text, told = json.loads(before.text), json.loads(after.text)
    assert text["ready"]
    assert text["answer"] is None
    assert known.reading not in before.figure + before.text
    assert known.reading in json.loads(after.figure)["caption"]
    assert json.loads(before.figure)["caption"] == words.BEFORE
    assert told["answer"]["text"]
    if isinstance(lesson.question, Guess):
        assert told["answer"]["value"] == pytest.approx(known.answer, abs=0.5 * 10**-lesson.question.digits)
    else:
        assert told["answer"]["value"] == known.answer
    figure, whole = json.loads(before.figure), json.loads(after.figure)
    assert drawn_numbers(figure) < drawn_numbers(whole)
    if lesson.key != "market-size":
        assert axes(figure) == axes(whole), "nothing moves when the answer comes"


def drawn_numbers(figure: dict) -> int:
    """How many numbers a figure draws."""
    lines = [line for panel in figure.get("panels", [figure]) for line in panel.get("lines", [])]
    rows = [row["values"] for row in figure.get("rows", [])] + figure.get("dots", [])
    return sum(len([v for v in line["values"] if v is not None]) for line in lines) + sum(map(len, rows))


def axes(figure: dict) -> list:
    return [figure.get("axis"), figure.get("x"), *(panel["axis"] for panel in figure.get("panels", []))]


@EVERY
def test_every_axis_holds_what_is_drawn_on_it(lesson: Lesson) -> None:
    figure = json.loads(view(lesson, shown=True).figure)
    for part in figure.get("panels", [figure]):
        if "axis" not in part:
            continue
        values = [v for line in part.get("lines", []) for v in line["values"] if v is not None]
        values += [v for row in part.get("rows", []) for v in row["values"]]
        low, high = part["axis"]
        assert low <= min(values) + 1e-9
        assert max(values) <= high + 1e-9
        assert high > low


@EVERY
def test_the_teacher_reads_what_was_computed_beside_what_to_expect(lesson: Lesson) -> None:
    notes = json.loads(view(lesson, shown=False, teacher=True).notes)
    assert notes["open"]
    assert not json.loads(view(lesson, shown=False).notes)["open"]
    parts = {part["title"]: part["items"] for part in notes["parts"]}
    assert list(parts) == [words.POINTS, words.EXPECTED, words.SIDES, words.SOURCES]
    for one, line in zip(lesson.notes.expected, parts[words.EXPECTED], strict=True):
        value = found(lesson).numbers[one.name]
        assert f"{abs(value):.{one.digits}f}" in line
        assert ("−" in line.partition("(expected")[0]) == (round(value, one.digits) < 0)
        assert "expected: " in line


def test_the_list_leads_to_every_lesson_and_a_lesson_to_its_neighbours() -> None:
    listing = json.loads(view_of(1, Choice(), None, None, "[]").listing)
    assert [lesson["href"] for lesson in listing["lessons"]] == [f"{ROUTE}?lesson={key}" for key in KEYS]
    assert len(listing["things"]) == len(THINGS)
    ways = [json.loads(view(lesson, shown=False).bar)["ways"] for lesson in LESSONS]
    assert [len(way) for way in ways] == [2, *[3] * 6, 2]
    assert ways[3][1]["href"] == f"{ROUTE}?lesson={KEYS[2]}"
    assert ways[3][2]["href"] == f"{ROUTE}?lesson={KEYS[4]}"
    kept = json.loads(view(LESSONS[0], shown=True, teacher=True).bar)["ways"]
    assert kept[0]["href"] == f"{ROUTE}?teacher=1", "a teacher stays one"


def test_the_question_mark_of_a_lesson_leads_to_an_entry_of_the_help() -> None:
    links = {json.loads(view(lesson, shown=True).figure)["help"] for lesson in LESSONS}
    assert links == {"/help#read-lesson"}
    assert "read-lesson" in texts.anchors()


# Computing


@dataclass
class Stand:
    """A classroom whose computation waits for the test."""

    asked: list[str] = field(default_factory=list)
    views: list[View] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    given_up: list[str] = field(default_factory=list)
    fail: Exception | None = None

    def __post_init__(self) -> None:
        self.classroom = Classroom("", compute=self.compute)
        self.end = self.classroom.listen(self.views.append)

    def compute(
        self, lesson: Lesson, *, progress: Callable[[Work], None], cancelled: Callable[[], bool]
    ) -> Revealed | None:
        self.asked.append(lesson.key)
        progress(Work(text="Computing: half", fraction=0.5))
        while not self.gate.wait(0.005):
            if cancelled():
                self.given_up.append(lesson.key)
                return None
        if self.fail is not None:
            raise self.fail
        return found(lesson)

    def latest(self) -> View:
        return max(self.views, key=lambda one: one.number)

    def until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            assert time.monotonic() < deadline, "the condition never came true"
            time.sleep(0.005)

    def ready(self) -> bool:
        return bool(self.views) and self.latest().kind is not None


@pytest.fixture
def stand():
    made = Stand()
    yield made
    made.end()


def test_a_lesson_is_computed_once_and_showing_its_answer_computes_nothing(stand: Stand) -> None:
    stand.classroom.show("lesson=net-metering")
    stand.until(lambda: json.loads(stand.latest().bar)["work"] == {"text": "Computing: half", "fraction": 0.5})
    assert not json.loads(stand.latest().text)["ready"]
    assert stand.latest().waiting
    stand.gate.set()
    stand.until(stand.ready)
    assert json.loads(stand.latest().bar)["work"] is None
    for search, shown in (("lesson=net-metering&shown=1", True), ("lesson=net-metering", False)):
        stand.classroom.show(search)
        assert json.loads(stand.latest().text)["shown"] is shown
        assert stand.ready()
    assert stand.asked == ["net-metering"]
    stand.classroom.show("")
    assert stand.latest().listing
    assert stand.latest().text == ""


def test_who_goes_to_another_lesson_gives_up_the_one_under_way(stand: Stand) -> None:
    stand.classroom.show("lesson=leader")
    stand.until(lambda: stand.asked == ["leader"])
    stand.classroom.show("lesson=fixed-charge")
    stand.until(lambda: stand.given_up == ["leader"])
    stand.gate.set()
    stand.until(stand.ready)
    assert json.loads(stand.latest().text)["key"] == "fixed-charge"


def test_a_lesson_that_fails_is_told_and_the_page_stays(stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    stand.fail = ValueError("the sun did not rise")
    stand.gate.set()
    stand.classroom.show("lesson=leader")
    stand.until(lambda: bool(stand.views) and "the sun did not rise." in stand.latest().notices)
    assert json.loads(stand.latest().bar)["work"] is None
    assert not stand.latest().waiting
    assert caplog.records


def test_a_class_of_thirty_has_a_lesson_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computing, "_found", type(computing._found)(len(LESSONS)))
    lesson, counted = LESSONS[1], []

    def slow(watch: Watch) -> Revealed:
        counted.append(1)
        time.sleep(0.05)
        return lesson.reveal(watch)

    own, results = replace(lesson, reveal=slow), []

    def visitor() -> None:
        results.append(computing.revealed(own, progress=lambda _: None, cancelled=lambda: False))

    visitors = [threading.Thread(target=visitor) for _ in range(30)]
    for one in visitors:
        one.start()
    for one in visitors:
        one.join()
    assert counted == [1]
    assert len(results) == 30
    assert len(set(map(id, results))) == 1
    assert computing.revealed(replace(LESSONS[2]), progress=lambda _: None, cancelled=lambda: True) is None
