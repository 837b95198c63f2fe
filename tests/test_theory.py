"""The page on theory keeps its word: every statement is complete, its code and its tests exist."""

import re
from importlib import import_module

import pytest
from repository import ROOT

REFERENCE = ROOT / "docs" / "reference"
PAGE = (REFERENCE / "theory.md").read_text(encoding="utf-8")
PARTS = ("Statement", "Assumptions", "Proof", "Where", "Not", "Test")
CODE = r"`((?:agents|model|analysis)(?:\.\w+)+)`"
TEST = r"`(tests/[\w/]+\.py)::(\w+)`"


def statements() -> dict[str, dict[str, str]]:
    """Parts of every statement by heading; a statement ends where the next heading of any level begins."""
    found = {}
    for block in re.split(r"^(?=#{2,3} )", PAGE, flags=re.MULTILINE):
        if block.startswith("### "):
            heading, body = block[4:].split("\n", 1)
            pieces = re.split(r"^\*\*(\w+)\.\*\*\s", body, flags=re.MULTILINE)
            found[heading] = dict(zip(pieces[1::2], pieces[2::2], strict=True))
            assert len(found[heading]) == len(pieces) // 2, f"{heading}: a part comes twice"
    return found


STATEMENTS = statements()


def resolves(path: str) -> bool:
    """Whether a dotted path below `meanwatt` names a module or something in one."""
    names = ["meanwatt", *path.split(".")]
    for depth in range(len(names), 0, -1):
        try:
            here: object = import_module(".".join(names[:depth]))
        except ModuleNotFoundError:
            continue
        for name in names[depth:]:
            if name not in dir(here):
                return False
            here = getattr(here, name)
        return True
    return False


def test_the_page_has_its_statements() -> None:
    assert len(STATEMENTS) >= 25
    numbers = [heading.split(".")[0] for heading in STATEMENTS]
    assert all(re.fullmatch(r"[A-Z][1-9]\d?\. .+", heading) for heading in STATEMENTS)
    assert numbers == sorted(set(numbers), key=lambda number: (number[0], int(number[1:])))


@pytest.mark.parametrize("heading", STATEMENTS)
def test_every_statement_has_all_its_parts_names_code_and_is_tested(heading: str) -> None:
    parts = STATEMENTS[heading]
    assert tuple(parts) == PARTS
    assert all(text.strip() for text in parts.values())
    assert re.search(CODE, parts["Where"]), "name what uses it, as `model.module.name`"
    assert re.search(TEST, parts["Test"]), "name a test, as `tests/path.py::test_name`"


@pytest.mark.parametrize("path", sorted(set(re.findall(CODE, PAGE))))
def test_every_name_of_the_code_exists(path: str) -> None:
    assert resolves(path)


@pytest.mark.parametrize(("path", "name"), sorted(set(re.findall(TEST, PAGE))))
def test_every_test_named_exists(path: str, name: str) -> None:
    assert re.search(rf"^def {name}\(", (ROOT / path).read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_what_looks_like_a_test_or_code_is_checked() -> None:
    """No reference escapes the patterns above by a slip of the pen."""
    ticked = re.findall(r"`([^`]+)`", PAGE)
    slips = [t for t in ticked if ("tests/" in t or "::" in t) and not re.fullmatch(TEST, f"`{t}`")]
    slips += [t for t in ticked if re.match(r"(agents|model|analysis)\.", t) and not re.fullmatch(CODE, f"`{t}`")]
    assert not slips


def test_statements_cited_by_number_and_pages_linked_exist() -> None:
    numbers = {heading.split(".")[0] for heading in STATEMENTS}
    assert set(re.findall(r"\b([A-H]\d)\b", PAGE)) <= numbers
    links = re.findall(r"\]\(([^)#:]+)\)", PAGE)
    assert links
    assert not [link for link in links if not (REFERENCE / link).exists()]
    sections = {re.sub(r"\W+", "-", title.lower()) for title in re.findall(r"^## (.+)$", PAGE, flags=re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) == sections


def test_every_theorem_tested_for_this_page_is_on_it() -> None:
    written = re.findall(r"^def (test_\w+)", (ROOT / "tests" / "test_theorems.py").read_text(encoding="utf-8"), re.M)
    assert set(written) <= {name for _, name in re.findall(TEST, PAGE)}
