"""The house's order: imports point only downward."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
LAYERS = ("agents", "model", "analysis", "app")


def test_imports_point_only_downward() -> None:
    seen = 0
    for height, layer in enumerate(LAYERS):
        for path in [*ROOT.glob(f"{layer}.py"), *ROOT.glob(f"{layer}/**/*.py")]:
            nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
            names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
            names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
            assert not {name.split(".")[0] for name in names} & set(LAYERS), f"{path}: import from meanwatt"
            upward = {name.split(".")[1] for name in names if name.startswith("meanwatt.")} & set(LAYERS[height + 1 :])
            assert not upward, f"{path} imports {upward}: move what they share into {layer}/"
            seen += 1
    assert seen > 30
