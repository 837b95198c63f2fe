"""The glossary keeps its word: every name that it explains is one of the code's, and everyday words stay away."""

import ast
import re
from functools import cache
from pathlib import Path

from repository import ROOT

FLOORS = ("agents", "model", "analysis")
PAGE = (ROOT / "docs" / "reference" / "glossary.md").read_text(encoding="utf-8")

EVERYDAY = {
    "aims_of": "leader_spec_of",
    "Aims": "LeaderSpec",
    "books_slope": "recovery_slope",
    "BooksSlope": "RecoverySlope",
    "HOPELESS": "FLOOR_QUANTILE",
    "Judged": "EvaluatedTariff",
    "Lived": "MarketDay",
    "own_way": "strategy_replay",
    "OwnWay": "StrategyReplay",
    "Rest": "EngineStopped",
    "Way": "BehaviourSpec, ColdMethod",
}
"""Everyday names, and the ones that took their place."""

GONE = frozenset(("Around", "bring_outcomes", "GLANCE", "LONG_SHOT", "NEVER", "Quest", "ROUGHEST", "Sees", "settle_in"))
"""Names that went without one."""

EVERYDAY_MODULES = {
    "agent_path": "strategy_replay",
    "aims": "leader_spec",
    "answer": "population_response",
    "by_slot": "stepwise_day",
    "clearing": "market_clearing",
    "endless_plans": "stationary_plans",
    "evening": "day_settlement",
    "exact": "frank_wolfe",
    "following": "tariff_follower",
    "joint": "joint_recovery",
    "menu": "epsilon_net",
    "outlook": "decision_problem",
    "simplex": "simplex_qp",
    "ways": "behaviour_spec",
}
"""Modules that were renamed alike."""


def explained() -> set[str]:
    """Identifiers in backticks in the first column; of a dotted one every part."""
    cells = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| ")][1:]
    return {part for cell in cells for name in re.findall(r"`([\w.]+)`", cell) for part in name.split(".")}


@cache
def nodes() -> list[tuple[Path, ast.AST]]:
    """Every node of the code, and its file."""
    files = (path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))
    return [(path, node) for path in files for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]


@cache
def used() -> frozenset[str]:
    """Names of the code: variables, attributes, arguments, functions, classes, and keywords of calls."""
    values = (getattr(node, field, None) for _, node in nodes() for field in ("id", "attr", "arg", "name"))
    return frozenset(value for value in values if isinstance(value, str))


def test_every_name_of_the_glossary_is_one_of_the_code() -> None:
    names = explained()
    assert len(names) > 50
    assert names - used() == set()


def test_an_everyday_name_does_not_come_back() -> None:
    assert used() & (EVERYDAY.keys() | GONE) == set()
    modules = {path.stem for floor in FLOORS for path in (ROOT / floor).rglob("*.py")}
    assert modules & EVERYDAY_MODULES.keys() == set()
    assert modules > set(EVERYDAY_MODULES.values())


def test_a_number_of_a_type_or_class_is_called_so_and_not_kind() -> None:
    """``kind`` stays for what a file or a choice calls so: a word, never the place in an array."""
    counted = ("enumerate", "range")
    for path, node in nodes():
        if isinstance(node, ast.arg):
            name, told, numbers = ast.Name(node.arg), node.annotation or ast.Constant(None), ("int", "Ints")
        elif isinstance(node, ast.AnnAssign):
            name, told, numbers = node.target, node.annotation, ("int", "Ints")
        elif isinstance(node, ast.For | ast.comprehension) and isinstance(node.iter, ast.Call):
            name = node.target.elts[0] if isinstance(node.target, ast.Tuple) else node.target
            told, numbers = node.iter.func, counted
        else:
            continue
        called = ast.unparse(name) in ("kind", "self.kind")
        assert not (called and ast.unparse(told) in numbers), f"{path.name}: {ast.unparse(node)[:60]}"
