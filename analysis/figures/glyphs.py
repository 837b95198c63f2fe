"""Letters that the usual font of figures lacks: drawn in an installed font that has them, or named in one message."""

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FAMILY: Final = "font.sans-serif"
NO_LETTERS: Final = "Last Resort"
"""Begins the name of a font that has a box for every letter."""
SHOWN: Final = 10
"""Letters that a message names."""


@contextmanager
def with_all_glyphs(figure: "Figure") -> Iterator[None]:
    """Draw a figure with further fonts where the usual one lacks letters.

    Of letters that no font has `glyph_messages` tells; nothing is warned about.
    """
    from matplotlib.text import Text

    letters = _lacking([figure])
    chosen, _ = _fonts(letters)
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text) and set(letters) & set(text.get_text())]
    before = [text.get_fontfamily() for text in texts]
    try:
        for text, usual in zip(texts, before, strict=True):
            text.set_fontfamily([*usual, *chosen])
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from", category=UserWarning)
            yield
    finally:
        for text, usual in zip(texts, before, strict=True):
            text.set_fontfamily(usual)


def glyph_messages(figures: "Iterable[Figure]") -> tuple[str, ...]:
    """Say which letters of figures no installed font has; nothing where all are there."""
    _, nowhere = _fonts(_lacking(figures))
    if not nowhere:
        return ()
    letters = ", ".join(nowhere[:SHOWN]) + (" and others" if len(nowhere) > SHOWN else "")
    return (f"Figures: no installed font has {letters}, drawn as boxes; install one that does, such as Noto Sans CJK.",)


def _usual() -> tuple[str, ...]:
    """The font that figures are set in, the first that is installed of those wanted."""
    import matplotlib

    return tuple(name for name in matplotlib.rcParams[FAMILY] if name in _files())[:1]


def _lacking(figures: "Iterable[Figure]") -> str:
    """Letters of figures that their usual fonts lack, in the order of their code points."""
    from matplotlib.text import Text

    texts = (text for one in figures for text in one.findobj(Text) if isinstance(text, Text))
    found = {letter for text in texts for letter in text.get_text()}
    return "".join(sorted(letter for letter in found if not letter.isspace() and not _have(_usual(), letter)))


@cache
def _fonts(letters: str) -> tuple[tuple[str, ...], str]:
    """Installed fonts that have letters between them, fewest first, and the letters that none has."""
    chosen: list[str] = []
    left = set(letters)
    while left:
        best = max(sorted(_files()), key=lambda name: len(left & _letters(name)))
        if not left & _letters(best):
            break
        chosen.append(best)
        left -= _letters(best)
    return tuple(chosen), "".join(sorted(left))


def _have(names: tuple[str, ...], letter: str) -> bool:
    return any(letter in _letters(name) for name in names)


@cache
def _files() -> dict[str, str]:
    """File of each installed font by name, its upright normal face where there is one."""
    from matplotlib import font_manager

    known = [one for one in font_manager.fontManager.ttflist if not one.name.startswith(NO_LETTERS)]
    known.sort(key=lambda one: (one.style != "normal", str(one.weight) not in ("400", "normal")), reverse=True)
    return {one.name: one.fname for one in known}


@cache
def _letters(name: str) -> frozenset[str]:
    """Letters that a font has."""
    from matplotlib.ft2font import FT2Font

    return frozenset(map(chr, FT2Font(_files()[name]).get_charmap()))
