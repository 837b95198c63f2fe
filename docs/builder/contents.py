"""Contents of the site: a page is in it where the front page links to it, under that part's heading, in that order."""

import re

from sphinx.application import Sphinx

FRONT = "index"


def contents(front: str) -> str:
    """Hidden tables of contents, one for each part of the front page that lists pages."""
    parts = re.split(r"^## (.+)$", front, flags=re.MULTILINE)[1:]
    trees = []
    for heading, text in zip(parts[::2], parts[1::2], strict=True):
        pages = re.findall(r"^\* \[[^\]]+\]\(([\w/]+)\.md\)", text, flags=re.MULTILINE)
        if pages:
            trees.append("\n".join(["```{toctree}", ":hidden:", f":caption: {heading}", "", *pages, "```", ""]))
    return "\n".join(trees)


def setup(app: Sphinx) -> dict[str, bool]:
    """Add them to the front page as it is read; on a git host it stays a plain list."""

    def read(_: Sphinx, page: str, source: list[str]) -> None:
        if page == FRONT:
            source[0] += "\n" + contents(source[0])

    app.connect("source-read", read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
