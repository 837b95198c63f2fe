"""Three things that a leader may count on, one after the other: what each brings it, and how each ends."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from meanwatt.analysis.dashboard.leader.choice import CONCEPTS, Choice
from meanwatt.analysis.dashboard.leader.searching import searched
from meanwatt.analysis.dashboard.leader.sighted import Sighted
from meanwatt.analysis.dashboard.shared.solved import Work


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Concept:
    """What became of one concept.

    Attributes
    ----------
    name
        One of `CONCEPTS`.
    seen
        Its search; None where there is none (yet).
    refused
        Why there is none for this leader or in this town; empty otherwise.
    """

    name: str
    seen: Sighted | None = None
    refused: str = ""


Concepts = tuple[Concept, ...]
"""One for each of `CONCEPTS`, in that order."""
UNASKED: Concepts = tuple(Concept(name=name) for name in CONCEPTS)


def under(choice: Choice, concept: str) -> Choice:
    """The same leader with another concept; tariffs asked for stay with the concept that they were counted for."""
    evaluations = choice.evaluations if concept == choice.concept else None
    return replace(choice.search, concept=concept, evaluations=evaluations)


def compared_concepts(
    choice: Choice,
    *,
    show: Callable[[Concepts], None],
    progress: Callable[[Work], None],
    cancelled: Callable[[], bool],
) -> Concepts:
    """Search under every concept, or find it searched for already.

    Parameters
    ----------
    show
        Told after each concept.
    cancelled
        Whether to stop; the concept under way keeps what it has.
    """
    found = list(UNASKED)
    for place, name in enumerate(CONCEPTS):
        if cancelled():
            break

        def told(work: Work, place: int = place, name: str = name) -> None:
            text = f"{name.capitalize()}, {place + 1} of {len(CONCEPTS)}: {work.text}"
            progress(Work(text=text, fraction=(place + work.fraction) / len(CONCEPTS)))

        try:
            seen = searched(under(choice, name), show=lambda _: None, progress=told, cancelled=cancelled)
        except ValueError as error:  # this leader, or this town, knows no such tariff: that is a result
            found[place] = Concept(name=name, refused=str(error))
        else:
            found[place] = Concept(name=name, seen=seen)
        show(tuple(found))
    return tuple(found)
