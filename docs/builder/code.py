"""The code of the house as a tree that can be read without running it: names, arguments, types, docstrings."""

import logging
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import griffe

ROOT = Path(__file__).parents[2]
NAME = "meanwatt"
FLOORS = ("agents", "model", "analysis")
APART = (f"{NAME}.analysis.cli", f"{NAME}.analysis.dashboard")
"""Programs for people, not for programs."""

Found = griffe.Object | griffe.Alias


@cache
def code() -> griffe.Module:
    """The package, with its floors from where they lie in the sources."""
    logging.getLogger("griffe").setLevel(logging.ERROR)  # of shapes that stand in the place of types
    loader = griffe.GriffeLoader(search_paths=[ROOT], docstring_parser=griffe.Parser.numpy)
    package = loader.load(NAME)
    assert isinstance(package, griffe.Module)
    for floor in FLOORS:
        package.set_member(floor, loader.load(floor))
    return package


def modules(inside: griffe.Module) -> Iterator[griffe.Module]:
    """A package, its modules, and those of the packages in it, each package before what it holds."""
    yield inside
    below = [found for found in inside.members.values() if isinstance(found, griffe.Module) and found.path not in APART]
    for found in sorted(below, key=lambda module: (module.is_init_module, module.name)):
        yield from modules(found)


def entries(inside: griffe.Module | griffe.Class) -> list[griffe.Object]:
    """What a module or class defines for others: functions and classes, and values that are explained."""
    found = [member for member in inside.members.values() if isinstance(member, griffe.Object)]
    public = [member for member in found if not member.name.startswith("_") and not member.is_module]
    return [member for member in public if member.has_docstring or (member.is_class or member.is_function)]


def members(inside: griffe.Class) -> list[griffe.Object]:
    """Entries of a class that the lists of its docstring do not explain."""
    told = {
        name
        for section in sections(inside)
        if section.kind in (griffe.DocstringSectionKind.parameters, griffe.DocstringSectionKind.attributes)
        for item in section.value
        for name in item.name.split(", ")
    }
    return [member for member in entries(inside) if member.name not in told]


def sections(thing: griffe.Object) -> list[griffe.DocstringSection]:
    """Parts of a docstring; none without one."""
    return thing.docstring.parsed if thing.docstring is not None else []


def face() -> dict[str, griffe.Object]:
    """What `import meanwatt` offers, by name, in the order of its list."""
    offered = {}
    for name in code().exports or ():
        found = code()[str(name)]
        offered[str(name)] = found.final_target if isinstance(found, griffe.Alias) else found
    return offered


def results() -> list[griffe.Class]:
    """Classes of the analysis that functions of the face return, and those that these return in turn."""
    found: list[griffe.Class] = []
    waiting = [thing for thing in face().values() if isinstance(thing, griffe.Function)]
    for function in waiting:
        result = target(function.returns.canonical_path if isinstance(function.returns, griffe.Expr) else "")
        if isinstance(result, griffe.Class) and result not in found and result.path.startswith(f"{NAME}.analysis."):
            found.append(result)
            waiting += [member for member in entries(result) if isinstance(member, griffe.Function)]
    return found


@cache
def described() -> frozenset[str]:
    """Paths of everything that has a place in the reference of the code."""
    paths = {NAME}
    for floor in FLOORS:
        for module in modules(code()[floor]):
            paths.add(module.path)
            for entry in entries(module):
                paths.add(entry.path)
                if isinstance(entry, griffe.Class):
                    paths |= {member.path for member in members(entry)}
    return frozenset(paths)


def place_of(thing: griffe.Object) -> str | None:
    """Path of the entry of the reference that explains something: its own, or of the class whose docstring does."""
    if thing.path in described():
        return thing.path
    return thing.parent.path if thing.parent is not None and thing.parent.path in described() else None


def target(path: str) -> griffe.Object | None:
    """What a dotted name stands for, wherever it is defined; None if it is nothing of ours."""
    if path.partition(".")[0] != NAME:
        return None
    try:
        found: Found = code()[path.removeprefix(f"{NAME}.")] if path != NAME else code()
        return found.final_target if isinstance(found, griffe.Alias) else found
    except (KeyError, griffe.AliasResolutionError):
        return None
