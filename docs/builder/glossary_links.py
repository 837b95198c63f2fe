"""Links from the reference of the code to the rows of the glossary that explain a name."""

from collections.abc import Iterator

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

GLOSSARY = "reference/glossary"
LINKED = "reference/api"
"""Beginning of the names of the pages whose names are linked."""


def setup(app: Sphinx) -> dict[str, bool]:
    """Mark the rows as the glossary is read, and link to them when pages are put together."""
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
    """Make a link of every argument, attribute and literal that is a name of the glossary."""
    if not name.startswith(LINKED):
        return
    terms = app.env.domains.standard_domain
    for node in list(_names(page)):
        place = terms.objects.get(("term", node.astext()))
        if place is not None:
            address = app.builder.get_relative_uri(name, place[0]) + "#" + place[1]
            link = nodes.reference("", "", internal=True, refuri=address, classes=["glossary"])
            link += node.children
            node.children = []
            node += link


def _names(page: nodes.document) -> Iterator[nodes.Element]:
    for node in page.findall(nodes.Element):
        inside_link = isinstance(node.parent, nodes.reference)
        if isinstance(node, addnodes.desc_name | addnodes.literal_strong | nodes.literal) and not inside_link:
            yield node
