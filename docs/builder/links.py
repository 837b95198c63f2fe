"""Links from names to where they are explained: of the code to its reference, and there of the glossary to its rows."""

import re
from collections.abc import Iterator

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging

from builder.code import FLOORS, NAME, place_of, target

GLOSSARY = "reference/glossary"
CODE = "reference/api"
"""Beginning of the names of the pages that describe the code."""
DOTTED = re.compile(rf"(?:{NAME}\.)?(?:{'|'.join(FLOORS)})(?:\.\w+)+|{NAME}\.\w+")
"""A name of the code, written out, with or without the name of the package."""


def setup(app: Sphinx) -> dict[str, bool]:
    """Mark the rows as the glossary is read, and link names when pages are put together."""
    app.connect("doctree-read", _mark)
    app.connect("doctree-resolved", _link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _mark(app: Sphinx, page: nodes.document) -> None:
    """Make every name in the first column of the glossary a term that other pages may link to."""
    if app.env.docname != GLOSSARY:
        return
    terms = app.env.domains.standard_domain
    for row in page.findall(nodes.row):
        first = row.children[0]
        for name in (found.astext() for found in first.findall(nodes.literal)):
            place = nodes.make_id(f"term-{name}")
            if place not in row["ids"] and ("term", name) not in terms.objects:
                row["ids"].append(place)
                terms.note_object("term", name, place, location=row)


def _link(app: Sphinx, page: nodes.document, name: str) -> None:
    """Make links of the names on a page."""
    of_code = name.startswith(CODE)
    for node in list(_names(page)):
        text = node.astext()
        if of_code and _to(app, node, name, app.env.domains.standard_domain.objects.get(("term", text)), "glossary"):
            continue
        if isinstance(node, nodes.literal) and DOTTED.fullmatch(text):
            path = text if text.startswith(f"{NAME}.") else f"{NAME}.{text}"
            thing = target(path)
            if thing is None:
                logging.getLogger(__name__).warning("%s is no name of the code", text, location=node)
                continue
            entry = app.env.domains.python_domain.objects.get(place_of(thing) or "")
            _to(app, node, name, (entry.docname, entry.node_id) if entry else None, "code")


def _to(app: Sphinx, node: nodes.Element, page: str, place: tuple[str, str] | None, style: str) -> bool:
    """Put what a node shows into a link to a place; False if there is none."""
    if place is None:
        return False
    address = f"{app.builder.get_relative_uri(page, place[0])}#{place[1]}"
    link = nodes.reference("", "", *node.children, internal=True, refuri=address, classes=[style])
    node.children = []
    node += link
    return True


def _names(page: nodes.document) -> Iterator[nodes.Element]:
    """Arguments, attributes, what is described, and code in a text, unless it is a link already."""
    for node in page.findall(nodes.Element):
        inside_link = isinstance(node.parent, nodes.reference)
        if isinstance(node, addnodes.desc_name | addnodes.literal_strong | nodes.literal) and not inside_link:
            yield node
