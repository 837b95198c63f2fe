"""The gallery: filed tariffs that come with the program, a TOML file each in the folder ``gallery``."""

import re
from functools import cache
from pathlib import Path
from typing import Final

from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.one_line import OneLineError

GALLERY: Final = Path(__file__).parent / "gallery"


class GalleryError(OneLineError):
    """No tariff of this name, in one line."""


@cache  # pages ask at every message, and the files come with the program
def gallery() -> tuple[str, ...]:
    """Names of the tariffs, in the order of the alphabet."""
    return tuple(sorted(path.stem for path in GALLERY.glob("*.toml")))


def gallery_file(name: str) -> Path:
    """The file of a tariff; ``GalleryError`` with the nearest name if there is none."""
    names = gallery()
    if name not in names:
        raise GalleryError(unknown("tariff", name, names))
    return GALLERY / f"{name}.toml"


def gallery_text(name: str) -> str:
    """A tariff as it is written, with its comments; ``GalleryError`` if there is none of this name."""
    return gallery_file(name).read_text(encoding="utf-8")


def file_of(source: str | Path) -> Path:
    """The file that is meant: a path where it is written as one (with a folder or an ending), else one of the gallery.

    Raises
    ------
    GalleryError
        In one line with the nearest name, where it is no path and no tariff of the gallery.
    """
    if isinstance(source, Path) or re.search(r"[/\\]|\.\w+$", source):
        return Path(source)
    if source in gallery():
        return gallery_file(source)
    raise GalleryError(f"{unknown('tariff', source, gallery())} A file is named with its ending, .toml or .json.")
