"""The texts below the fields of a class: what `help` does not show, read from the source when somebody asks."""

import ast
import inspect
import sys
from functools import cache


def attribute_docstrings(owner: type) -> dict[str, str]:
    """Text below each annotated field of a class, those of its bases included, in one line each.

    A class keeps no such texts while it runs, so nothing is spent on them where nobody asks.
    """
    found: dict[str, str] = {}
    for base in reversed(owner.__mro__):
        if base.__module__ != "builtins":
            found |= _of_module(base.__module__).get(base.__qualname__, {})
    return found


@cache
def _of_module(name: str) -> dict[str, dict[str, str]]:
    """Class → field → text, of a module at its top level; nothing where there is no source."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[name]))
    except (OSError, TypeError):
        return {}
    return {node.name: _of_class(node) for node in tree.body if isinstance(node, ast.ClassDef)}


def _of_class(node: ast.ClassDef) -> dict[str, str]:
    found = {}
    for field, text in zip(node.body, node.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            value = text.value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                found[field.target.id] = " ".join(value.value.split())
    return found
