"""The house's order: imports point only downward, and nowhere in a circle."""

import ast
from functools import cache
from pathlib import Path

import networkx as nx
from repository import ROOT

LAYERS = ("agents", "model", "analysis", "app")
FILES = {
    "meanwatt." + ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for layer in LAYERS[:-1]
    for path in (ROOT / layer).rglob("*.py")
}
"""Every module and its file."""


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes(path: Path, *, for_types_too: bool = True) -> list[ast.AST]:
    """Nodes of a file; without what only a type checker reads, if so asked."""
    found: list[ast.AST] = []

    def walk(node: ast.AST) -> None:
        if not for_types_too and isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return
        found.append(node)
        for child in ast.iter_child_nodes(node):
            walk(child)

    walk(parsed(path))
    return found


@cache
def imports(path: Path, *, for_types_too: bool = True) -> set[str]:
    """Names of modules, or of what is in them, that a file imports anywhere."""
    found: set[str] = set()
    for node in nodes(path, for_types_too=for_types_too):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            below = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= below & FILES.keys() or {node.module or ""}
    return found


def arrows(*, for_types_too: bool) -> nx.DiGraph:
    """Which module imports which, at the top or inside a function."""
    graph = nx.DiGraph()
    graph.add_nodes_from(FILES)
    for module, path in FILES.items():
        names = imports(path, for_types_too=for_types_too)
        graph.add_edges_from((module, name) for name in names & FILES.keys() if name != module)
    return graph


def room(module: str) -> str:
    """The package a module lies in; of one that lies on a floor, the floor."""
    return module if FILES[module].name == "__init__.py" else module.rpartition(".")[0]


def circles(graph: nx.DiGraph) -> list[list[str]]:
    return [sorted(part) for part in nx.strongly_connected_components(graph) if len(part) > 1]


def test_imports_point_only_downward() -> None:
    seen = 0
    for height, layer in enumerate(LAYERS):
        for path in [*ROOT.glob(f"{layer}.py"), *ROOT.glob(f"{layer}/**/*.py")]:
            names = imports(path)
            assert not {name.split(".")[0] for name in names} & set(LAYERS), f"{path}: import from meanwatt"
            assert "meanwatt" not in names, f"{path}: the face is for users; import from the room itself"
            upward = {name.split(".")[1] for name in names if name.startswith("meanwatt.")} & set(LAYERS[height + 1 :])
            assert not upward, f"{path} imports {upward}: move what they share into {layer}/"
            seen += 1
    assert seen > 200


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = arrows(for_types_too=False)
    assert graph.number_of_edges() > 800
    assert circles(graph) == []


def test_rooms_are_stacked() -> None:
    """Between packages there is no circle either, types included: each can be read without the ones above it."""
    graph = arrows(for_types_too=True)
    between = nx.DiGraph((room(a), room(b)) for a, b in graph.edges if room(a) != room(b))
    assert between.number_of_nodes() > 12
    assert circles(between) == []
