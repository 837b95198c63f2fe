"""The reference of the code: the face, or a floor room by room, in the words of its docstrings."""

from collections.abc import Iterable

import griffe
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from builder.code import FLOORS, NAME, code, entries, face, members, modules, place_of, results, sections, target
from builder.prose import blocks, paragraph

LISTS = {
    griffe.DocstringSectionKind.parameters: "Parameters",
    griffe.DocstringSectionKind.attributes: "Attributes",
    griffe.DocstringSectionKind.returns: "Returns",
    griffe.DocstringSectionKind.yields: "Yields",
    griffe.DocstringSectionKind.raises: "Raises",
}
"""Sections of a docstring that list names with their types."""


class CodeDirective(SphinxDirective):
    """Describe the face, or every room of a floor."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Make the sections."""
        (name,) = self.arguments
        if name == "face":
            return self._face()
        if name not in FLOORS:
            raise self.error(f"unknown part of the code {name!r}; give face, {', '.join(FLOORS)}")
        return self._floor(name)

    def _face(self) -> list[nodes.Node]:
        offered = face()
        functions = [name for name, thing in offered.items() if thing.is_function]
        returned = results()
        others = [name for name, thing in offered.items() if thing.is_class and thing not in returned]
        parts = (
            ("Functions", [(offered[name], f"{NAME}.{name}") for name in functions]),
            ("What they return", [(thing, self._offered_as(thing)) for thing in returned]),
            ("What they take and hold", [(offered[name], f"{NAME}.{name}") for name in others]),
        )
        return [self._section(title, [self._entry(thing, shown) for thing, shown in things]) for title, things in parts]

    def _floor(self, name: str) -> list[nodes.Node]:
        faced = {id(thing) for thing in (*face().values(), *results())}
        rooms: list[nodes.Node] = []
        for module in modules(code()[name]):
            described_here = [entry for entry in entries(module) if id(entry) not in faced]
            content = self._docstring(module)
            elsewhere = [entry for entry in entries(module) if id(entry) in faced]
            if elsewhere:
                text = ", ".join(f"`{entry.path}`" for entry in elsewhere)
                content.append(paragraph(f"On the page of the face: {text}."))
            content += [self._entry(entry, entry.name) for entry in described_here]
            title = module.path if module.is_init_module else module.name
            section = self._section(title, content, place=module.path)
            self._note(module.path, "module")
            self.env.domains.python_domain.note_module(module.path, module.path, "", "", deprecated=False)
            if module.is_init_module:
                rooms.append(section)
            else:
                rooms[-1] += section
        return rooms

    def _section(self, title: str, content: Iterable[nodes.Node], place: str = "") -> nodes.section:
        section = nodes.section(ids=[place or nodes.make_id(title)], names=[nodes.fully_normalize_name(title)])
        section += nodes.title(title, title)
        section.extend(content)
        return section

    def _offered_as(self, thing: griffe.Object) -> str:
        return next((f"{NAME}.{name}" for name, found in face().items() if found is thing), thing.path)

    def _entry(self, thing: griffe.Object, shown: str) -> nodes.Node:
        """A function, class, property or value with its docstring, and what a class holds."""
        kind = "class" if thing.is_class else "function" if thing.is_function else "data"
        signature = addnodes.desc_signature("", "", ids=[thing.path], _toc_name="", classes=["sig"])
        if kind == "class":
            signature += addnodes.desc_annotation("", "class ")
        signature += addnodes.desc_name(shown, shown)
        signature += self._arguments(thing)
        self._note(thing.path, kind)
        if shown.startswith(f"{NAME}.") and shown != thing.path:
            self._note(shown, kind, at=thing.path)
        content = addnodes.desc_content("", *self._docstring(thing))
        if isinstance(thing, griffe.Class):
            content.extend(self._entry(member, member.name) for member in members(thing))
        return addnodes.desc("", signature, content, domain="py", objtype=kind, desctype=kind, classes=["py", kind])

    def _arguments(self, thing: griffe.Object) -> list[nodes.Node]:
        """Arguments with their defaults, types where no list of parameters gives them, and the type of the result."""
        listed = any(section.kind is griffe.DocstringSectionKind.parameters for section in sections(thing))
        if isinstance(thing, griffe.Attribute):
            annotation = _without_final(thing.annotation)
            return [] if annotation is None else [nodes.Text(": "), *self._type(annotation)]
        if not isinstance(thing, griffe.Function | griffe.Class) or (thing.is_class and not listed):
            return []
        found: list[nodes.Node] = [nodes.Text("(")]
        for place, (mark, parameter) in enumerate(_marked(thing.parameters)):
            found.append(nodes.Text(", " * bool(place) + mark))
            if parameter is None:
                continue
            found.append(addnodes.desc_sig_name(parameter.name, parameter.name))
            annotation = None if listed else parameter.annotation
            if annotation is not None:
                found += [nodes.Text(": "), *self._type(annotation)]
            if parameter.default is not None and not mark:
                found.append(nodes.Text(f"{'=' if annotation is None else ' = '}{parameter.default}"))
        found.append(nodes.Text(")"))
        if isinstance(thing, griffe.Function) and thing.returns is not None:
            found += [nodes.Text(" → "), *self._type(thing.returns)]
        return found

    def _type(self, annotation: str | griffe.Expr) -> list[nodes.Node]:
        """A type as it is written, our own classes in it as links."""
        if isinstance(annotation, str):
            return [nodes.Text(annotation.strip("'\""))]
        found: list[nodes.Node] = []
        for part in annotation.iterate(flat=True):
            path = part.canonical_path if isinstance(part, griffe.ExprName) else ""
            thing = target(path)
            place = None if thing is None else place_of(thing)
            name = part if isinstance(part, str) else part.name if isinstance(part, griffe.ExprName) else str(part)
            if place is not None:
                found.append(self._reference(place, nodes.inline(name, name)))
            else:
                found.append(nodes.Text(name))
        return found

    def _docstring(self, thing: griffe.Object) -> list[nodes.Node]:
        found: list[nodes.Node] = []
        for section in sections(thing):
            if section.kind in LISTS:
                found += [nodes.rubric(LISTS[section.kind], LISTS[section.kind]), self._list(section.value)]
            elif section.kind is griffe.DocstringSectionKind.examples:
                found.append(nodes.rubric("Examples", "Examples"))
                for _, text in section.value:
                    found += blocks(text)
            elif section.kind is griffe.DocstringSectionKind.admonition:
                found.append(nodes.rubric(section.title or "", section.title or ""))
                found += blocks(section.value.description)
            else:
                found += blocks(str(section.value))
        return found

    def _list(self, items: Iterable[griffe.DocstringNamedElement]) -> nodes.definition_list:
        """Names with their types and what they are."""
        shown = nodes.definition_list(classes=["simple"])
        for item in items:
            term = nodes.term()
            name = getattr(item, "name", "")
            if name:
                names: list[nodes.Node] = []
                for place, one in enumerate(name.split(", ")):
                    names += [nodes.Text(", ")] * bool(place) + [addnodes.literal_strong(one, one)]
                term.extend(names)
            if item.annotation is not None:
                term.extend([nodes.Text(" : " if name else ""), *self._type(item.annotation)])
            shown += nodes.definition_list_item("", term, nodes.definition("", *blocks(item.description)))
        return shown

    def _reference(self, path: str, shown: nodes.Node) -> addnodes.pending_xref:
        return addnodes.pending_xref(
            "", shown, refdomain="py", reftype="obj", reftarget=path, refdoc=self.env.docname, refwarn=True
        )

    def _note(self, name: str, kind: str, at: str = "") -> None:
        """Make a name one that pages may link to and that is found by the search."""
        self.env.domains.python_domain.note_object(name, kind, at or name, location=self.state_machine.node)


def _without_final(annotation: str | griffe.Expr | None) -> str | griffe.Expr | None:
    """The type of a value that is marked ``Final``; None where the mark says nothing more."""
    marked = annotation.left if isinstance(annotation, griffe.ExprSubscript) else annotation
    if str(marked) != "Final":
        return annotation
    return annotation.slice if isinstance(annotation, griffe.ExprSubscript) else None


def _marked(parameters: griffe.Parameters) -> list[tuple[str, griffe.Parameter | None]]:
    """Parameters without self, with the stars and the slash that stand before and between them."""
    kinds = griffe.ParameterKind
    found: list[tuple[str, griffe.Parameter | None]] = []
    starred = False
    for parameter in parameters:
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind is kinds.keyword_only and not starred:
            found.append(("*", None))
            starred = True
        mark = {kinds.var_positional: "*", kinds.var_keyword: "**"}.get(parameter.kind, "")
        starred = starred or mark == "*"
        found.append((mark, parameter))
    return found


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive."""
    app.add_directive("reference-of-code", CodeDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
