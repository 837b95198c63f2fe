"""Faults planted to try the tests of the theory: each still fits the code, and no statement goes without one."""

import importlib.util
import subprocess
import sys
from dataclasses import replace

import pytest
from repository import ROOT

PROGRAM = ROOT / "benchmarks" / "plant_faults.py"
spec = importlib.util.spec_from_file_location("plant_faults", PROGRAM)
assert spec is not None
assert spec.loader is not None
plant_faults = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = plant_faults
spec.loader.exec_module(plant_faults)

PLANTS = plant_faults.read_plants()


def test_every_statement_has_a_plant_and_names_tests() -> None:
    tests = plant_faults.named_tests()
    assert len(tests) >= 25
    assert all(tests.values())
    assert {plant.statement for plant in PLANTS} == set(tests)
    assert all(plant_faults.tests_for(plant, tests) for plant in PLANTS)
    with pytest.raises(plant_faults.Refused, match="names no test test_of_nothing; give one"):
        plant_faults.tests_for(replace(PLANTS[0], tests=("test_of_nothing",)), tests)


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: f"{plant.statement}-{plant.file}")
def test_a_plant_stands_exactly_once_in_its_file_and_leaves_python(plant: "plant_faults.Plant") -> None:
    """And in the mathematics: in what the statement is about, not in its tests."""
    assert plant.file.split("/")[0] in {"agents", "model", "analysis"}
    assert plant.sentence.endswith(".")
    assert plant.planted() != (ROOT / plant.file).read_text(encoding="utf-8")
    assert "raise" not in plant.new.split()


def test_plants_come_in_the_order_of_the_page_and_none_twice() -> None:
    order = list(plant_faults.named_tests())
    places = [order.index(plant.statement) for plant in PLANTS]
    assert places == sorted(places)
    assert len({(plant.statement, plant.file, plant.new) for plant in PLANTS}) == len(PLANTS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"old": "no such text"}, "has its old text 0 times"),
        ({"old": "return"}, "times in the file"),
        ({"file": "agents/none.py"}, "there is no such file"),
        ({"new": "return ("}, "does not parse"),
        ({"new": "return min(max(free, if_buying), if_selling)"}, "changes nothing"),
    ],
)
def test_a_plant_that_no_longer_fits_is_refused_in_one_line(change: dict[str, str], said: str) -> None:
    sound = {
        "statement": "A1",
        "sentence": "All sun is used.",
        "file": "agents/household/demand.py",
        "old": "return min(max(free, if_buying), if_selling)",
        "new": "return max(free, if_buying)",
    }
    assert "return max(free, if_buying)" in plant_faults.Plant(**sound).planted()
    with pytest.raises(plant_faults.Refused, match=said) as refused:
        plant_faults.Plant(**{**sound, **change}).planted()
    assert "\n" not in str(refused.value)


def test_what_is_planted_can_be_listed_and_a_strange_statement_is_refused() -> None:
    def said(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([sys.executable, str(PROGRAM), *words], capture_output=True, text=True, check=False)

    listed = said("--list", "--only", "A1")
    assert listed.returncode == 0
    assert len(listed.stdout.splitlines()) == sum(plant.statement == "A1" for plant in PLANTS)
    refused = said("--only", "Z9")
    assert refused.returncode == 2
    assert refused.stderr.startswith("plant_faults: --only is Z9; give a statement")
    assert len(refused.stderr.splitlines()) == 1
