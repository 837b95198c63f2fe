"""Docstrings as nodes: paragraphs, lists and formulas as they stand in the source, names between backticks as links."""

import re
import textwrap
from collections.abc import Callable

from docutils import nodes

Link = Callable[[str], nodes.Node | None]
"""Name between single backticks → its link; None where it is no name of ours."""


def blocks(text: str, link: Link) -> list[nodes.Node]:
    """Paragraphs of a docstring; indented ones are formulas or code, those that begin with a star are lists."""
    found: list[nodes.Node] = []
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        if block.startswith((" ", ">>> ")):
            block = textwrap.dedent(block)
            found.append(nodes.literal_block(block, block, language="pycon" if block.startswith(">>> ") else "none"))
        elif re.match(r"[*-] ", block):
            items = re.split(r"\n[*-] ", block[2:])
            found.append(nodes.bullet_list("", *(nodes.list_item("", paragraph(item, link)) for item in items)))
        elif block.strip():
            found.append(paragraph(block, link))
    return found


def paragraph(text: str, link: Link) -> nodes.paragraph:
    """One paragraph."""
    return nodes.paragraph("", "", *inline(" ".join(text.split()), link))


def inline(text: str, link: Link) -> list[nodes.Node]:
    """Text with code and names between backticks; nothing else in a docstring is a mark."""
    found: list[nodes.Node] = []
    for place, piece in enumerate(re.split(r"(``.+?``|`[^`]+`)", text)):
        if place % 2 == 0:
            if piece:
                found.append(nodes.Text(piece))
        else:
            name = piece.strip("`")
            found.append((None if piece.startswith("``") else link(name)) or nodes.literal(name, name))
    return found
