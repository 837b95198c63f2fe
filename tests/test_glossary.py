"""The glossary keeps its word: every name that it explains is one of the code's."""

import ast
import re

from repository import ROOT

PAGE = (ROOT / "docs" / "reference" / "glossary.md").read_text(encoding="utf-8")


def explained() -> set[str]:
    """Identifiers in backticks in the first column; of a dotted one every part."""
    cells = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| ")][1:]
    return {part for cell in cells for name in re.findall(r"`([\w.]+)`", cell) for part in name.split(".")}


def used() -> set[str]:
    """Names of the code: variables, attributes, arguments, functions, classes, and keywords of calls."""
    found: set[str] = set()
    for floor in ("agents", "model", "analysis"):
        for path in (ROOT / floor).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                for field in ("id", "attr", "arg", "name"):
                    value = getattr(node, field, None)
                    if isinstance(value, str):
                        found.add(value)
    return found


def test_every_name_of_the_glossary_is_one_of_the_code() -> None:
    names = explained()
    assert len(names) > 50
    assert names - used() == set()
