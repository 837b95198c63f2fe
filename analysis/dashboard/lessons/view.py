"""What the page of lessons shows at one instant, as frozen text: the page is a pure function of it."""

from dataclasses import dataclass, replace
from typing import Any

from meanwatt.analysis.dashboard.lessons import words
from meanwatt.analysis.dashboard.lessons.choice import Choice, query
from meanwatt.analysis.dashboard.lessons.drawing import Kind, drawn
from meanwatt.analysis.dashboard.lessons.links import PAGES, link
from meanwatt.analysis.dashboard.lessons.things import THINGS
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.analysis.lessons.catalogue import LESSONS
from meanwatt.analysis.lessons.lesson import Guess, Lesson, Question, Revealed

ROUTE = "/lessons"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """All that is on the page.

    Attributes
    ----------
    number
        Rises with every view; an older view never replaces a newer one.
    bar, notices
        JSON for the components of the same names.
    listing
        JSON of the list of all lessons; empty in a lesson.
    text, notes
        JSON of a lesson's text and of the teacher's notes; empty in the list.
    kind, figure
        Which component draws the figure, and its JSON; None and empty while there is none.
    waiting
        Whether there is no figure yet, but will be.
    """

    number: int
    bar: str
    notices: str
    listing: str
    text: str
    notes: str
    kind: Kind | None
    figure: str
    waiting: bool


def view_of(number: int, choice: Choice, found: Revealed | None, work: Work | None, notices: str) -> View:
    """Write a view.

    Parameters
    ----------
    found
        The lesson computed; None while it is not.
    work
        The computation under way.
    """
    lesson = choice.found
    if lesson is None:
        bar = to_json(_bar(words.TITLE, words.SENTENCE, [], None))
        return View(
            number=number,
            bar=bar,
            notices=notices,
            listing=to_json(_listing(choice)),
            text="",
            notes="",
            kind=None,
            figure="",
            waiting=False,
        )
    kind, figure = (None, "") if found is None else drawn(found, choice.shown)
    return View(
        number=number,
        bar=to_json(_bar(lesson.title, words.place(LESSONS.index(lesson) + 1, lesson.minutes), _ways(choice), work)),
        notices=notices,
        listing="",
        text=to_json(_text(lesson, found, choice.shown)),
        notes=to_json(_notes(lesson, found, choice.teacher)),
        kind=kind,
        figure=figure,
        waiting=found is None and work is not None,
    )


def address(choice: Choice) -> str:
    """Where a choice is found."""
    written = query(choice)
    return f"{ROUTE}?{written}" if written else ROUTE


def _bar(title: str, sentence: str, ways: list[dict[str, str]], work: Work | None) -> dict[str, Any]:
    return {
        "title": title,
        "sentence": sentence,
        "ways": ways,
        "work": None if work is None else {"text": work.text, "fraction": round(work.fraction, 3)},
    }


def _ways(choice: Choice) -> list[dict[str, str]]:
    """Links to the list and to the lessons before and after."""
    keys = [lesson.key for lesson in LESSONS]
    here = keys.index(choice.lesson)
    plain = Choice(teacher=choice.teacher)
    ways = [{"text": words.ALL, "href": address(plain)}]
    if here > 0:
        ways.append({"text": f"‹ {LESSONS[here - 1].title}", "href": address(replace(plain, lesson=keys[here - 1]))})
    if here + 1 < len(keys):
        ways.append({"text": f"{LESSONS[here + 1].title} ›", "href": address(replace(plain, lesson=keys[here + 1]))})
    return ways


def _listing(choice: Choice) -> dict[str, Any]:
    return {
        "title": words.LIST,
        "lessons": [
            {
                "key": lesson.key,
                "title": lesson.title,
                "teaser": lesson.teaser,
                "minutes": words.minutes(lesson.minutes),
                "href": address(replace(choice, lesson=lesson.key, shown=False)),
            }
            for lesson in LESSONS
        ],
        "predicted": words.PREDICTED,
        "things_title": words.THINGS,
        "things": [
            {"text": thing.to.text, "watch": thing.watch, "href": link(thing.to), "page": PAGES[thing.to.page]}
            for thing in THINGS
        ],
    }


def _text(lesson: Lesson, found: Revealed | None, shown: bool) -> dict[str, Any]:
    return {
        "key": lesson.key,
        "story": lesson.story,
        "change": lesson.change,
        "given": "" if found is None else found.given,
        "ready": found is not None,
        "shown": shown and found is not None,
        "question": _question(lesson.question),
        "answer": _answer(lesson.question, found) if shown and found is not None else None,
        "closing": lesson.closing,
        "tries": [{"href": link(one), "text": one.text, "page": PAGES[one.page]} for one in lesson.tries],
    }


def _question(question: Question) -> dict[str, Any]:
    if isinstance(question, Guess):
        return {
            "kind": "guess",
            "text": question.text,
            "unit": question.unit,
            "prefix": question.prefix,
            "low": question.low,
            "high": question.high,
            "digits": question.digits,
        }
    options = [{"key": option.key, "text": option.text} for option in question.options]
    return {"kind": "choose", "text": question.text, "options": options}


def _answer(question: Question, found: Revealed) -> dict[str, Any]:
    """What was found, for the visitor's prediction to stand beside."""
    if isinstance(question, Guess):
        assert isinstance(found.answer, float)
        return {"value": round(found.answer, question.digits), "text": words.measured(found.answer, question)}
    text = next(option.text for option in question.options if option.key == found.answer)
    return {"value": found.answer, "text": text}


def _notes(lesson: Lesson, found: Revealed | None, is_open: bool) -> dict[str, Any]:
    notes = lesson.notes
    return {
        "title": words.NOTES,
        "open": is_open,
        "parts": [
            {"title": words.POINTS, "items": list(notes.points)},
            {
                "title": words.EXPECTED,
                "items": [words.expected(one, None if found is None else found.numbers) for one in notes.expected],
            },
            {"title": words.SIDES, "items": [f"{side.who}: {side.text}" for side in notes.sides]},
            {"title": words.SOURCES, "items": list(notes.sources)},
        ],
    }
