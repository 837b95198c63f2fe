"""Docstrings as nodes: paragraphs, lists and formulas as they stand in the source."""

import re
import textwrap

from docutils import nodes


def blocks(text: str) -> list[nodes.Node]:
    """Paragraphs of a docstring; indented ones are formulas or code, those that begin with a star are lists."""
    found: list[nodes.Node] = []
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        if block.startswith((" ", ">>> ")):
            block = textwrap.dedent(block)
            found.append(nodes.literal_block(block, block, language="pycon" if block.startswith(">>> ") else "none"))
        elif re.match(r"[*-] ", block):
            items = re.split(r"\n[*-] ", block[2:])
            found.append(nodes.bullet_list("", *(nodes.list_item("", paragraph(item)) for item in items)))
        elif block.strip():
            found.append(paragraph(block))
    return found


def paragraph(text: str) -> nodes.paragraph:
    """One paragraph, code in it between single or double backticks; nothing else in a docstring is a mark."""
    found: list[nodes.Node] = []
    for place, piece in enumerate(re.split(r"(``.+?``|`[^`]+`)", " ".join(text.split()))):
        if place % 2:
            found.append(nodes.literal(piece, piece.strip("`")))
        elif piece:
            found.append(nodes.Text(piece))
    return nodes.paragraph("", "", *found)
