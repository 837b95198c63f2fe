"""What a lesson is made of: a story, one factor, a question to predict, and what the program finds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from meanwatt.analysis.lessons.case import Case
from meanwatt.analysis.lessons.figure import Figure
from meanwatt.model.progress.watch import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One of the answers that can be predicted."""

    key: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choose:
    """A prediction among a few answers."""

    text: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """A prediction of a number.

    Attributes
    ----------
    text, unit
        What is asked, and its unit.
    low, high, digits
        Smallest and largest number that can be meant, and decimals worth giving.
    prefix
        What stands before the number, such as the sign of a currency.
    """

    text: str
    unit: str
    low: float
    high: float
    digits: int
    prefix: str = ""


Question = Choose | Guess


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A reading that a teacher can count on; a test checks it.

    Attributes
    ----------
    name
        Of a number that the lesson finds.
    text, unit, digits
        What it is, its unit, and decimals worth showing.
    low, high
        Between which it lies, whatever is changed in the program.
    """

    name: str
    text: str
    unit: str
    digits: int
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What one side says where the matter is contested."""

    who: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """For the teacher: what to talk about, what is to be seen, where it comes from, and who disagrees."""

    points: tuple[str, ...]
    expected: tuple[Expected, ...]
    sources: tuple[str, ...]
    sides: tuple[Side, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """A link to another page with the lesson's settings.

    Attributes
    ----------
    page
        ``market``; ``compare``, which sets two tariffs of one scenario side by side; or ``finite``.
    text
        What is to be seen there.
    cases
        What is shown; two for ``compare``.
    """

    page: Literal["market", "compare", "finite"]
    text: str
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Revealed:
    """What the program finds.

    Attributes
    ----------
    given
        What is told before the prediction.
    figure
        What is drawn.
    answer
        To the question, in its unit, or the key of an option.
    reading
        One sentence that reads the figure.
    numbers
        By name, as the sentences and the teacher's notes use them.
    """

    given: str
    figure: Figure
    answer: float | str
    reading: str
    numbers: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """Ten to fifteen minutes on one phenomenon.

    Attributes
    ----------
    key
        Its name in an address.
    title, teaser, minutes
        Its name, one sentence for the list, and how long it takes.
    story
        Paragraphs before the question.
    change
        The one thing that differs, in words.
    factor
        The same as a dotted key of the scenario, or a name of `Case.beside`.
    money
        Whether bills or prices are compared: then every case recovers the same cost.
    base, variants
        What is compared; a variant differs from the base in the factor alone.
    question, closing
        What is predicted, and what the lesson ends with.
    tries
        Where to go on.
    notes
        For the teacher.
    reveal
        Computes it all; raises ``Cancelled`` when asked to stop.
    """

    key: str
    title: str
    teaser: str
    minutes: int
    story: tuple[str, ...]
    change: str
    factor: str
    money: bool
    base: Case
    variants: tuple[Case, ...]
    question: Question
    closing: str
    tries: tuple[Try, ...]
    notes: Notes
    reveal: Callable[[Watch], Revealed]
