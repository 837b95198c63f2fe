"""Parts of pages that are written from the code while the site is built.

A page says where by a comment, ``<!-- generated: NAME ARGUMENT -->``, which a git host does not show.
"""

import re
from collections.abc import Callable, Mapping

from sphinx.application import Sphinx

from builder.command_tables import command_tables
from builder.file_tables import file_tables
from builder.gallery_pages import gallery_pages

PARTS: Mapping[str, Callable[[str], str]] = {
    "commands": command_tables,
    "keys": file_tables,
    "gallery": gallery_pages,
    "code": lambda part: f"```{{reference-of-code}} {part}\n```",
}
"""Name → Markdown by argument."""
MARK = re.compile(r"^<!-- generated: (\w+) ?(\w*) -->$", flags=re.MULTILINE)


def generated(page: str) -> str:
    """The text of a page with its generated parts; KeyError if one has no name of `PARTS`."""
    return MARK.sub(lambda found: PARTS[found[1]](found[2]), page)


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the parts as a page is read."""

    def read(_: Sphinx, page: str, source: list[str]) -> None:
        source[0] = generated(source[0])

    app.connect("source-read", read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
