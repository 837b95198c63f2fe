"""What the help page is made of: sections of entries, each with a place of its own in the address."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that is explained.

    Attributes
    ----------
    anchor
        Its place on the page: ``/help#anchor``.
    word, text
        What is explained, and how.
    name
        Its name in the code and in the project's glossary, if it has one.
    """

    anchor: str
    word: str
    text: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the page with a heading.

    Attributes
    ----------
    title, entries, paragraphs
        What stands there.
    switch
        Words of a switch that turns the single keys on or off; empty where there is none.
    """

    title: str
    entries: tuple[Entry, ...] = ()
    paragraphs: tuple[str, ...] = ()
    switch: str = ""
