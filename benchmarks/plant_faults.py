"""Faults planted on purpose: whether the tests that a statement of the theory names fail when it is made false.

Every entry of ``plants.toml`` changes the mathematics in one place: a sign, a constant, a term, an assumption that is
asked for. It is written into a copy of the repository, the tests that its statement in ``docs/reference/theory.md``
names are run there, and those that fail are run once more in a copy without it, so that what fails anyway counts for
nothing. A plant is seen if at least one of them fails because of it.

    uv run python benchmarks/plant_faults.py                 # every plant, 20 minutes of processor time
    uv run python benchmarks/plant_faults.py --only C3 H2.1  # those of a statement, and the first of another
    uv run python benchmarks/plant_faults.py --list          # what is planted where, and nothing run
    uv run python benchmarks/plant_faults.py --json          # one JSON object per plant

Compiled kernels are kept in a folder of the program's own, never the repository's; their files are named by a hash of
everything that the machine code depends on, so a plant in a kernel is always compiled. The exit status is 1 if a plant
is not seen, and 2 if its old text no longer stands exactly once in its file.
"""

import argparse
import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

ROOT: Final = Path(__file__).resolve().parents[1]
PLANTS: Final = ROOT / "benchmarks" / "plants.toml"
PAGE: Final = ROOT / "docs" / "reference" / "theory.md"
PATIENCE_SECONDS: Final = 1800.0
"""How long the tests of one plant may take: a plant with which they do not end tells nothing."""
ONE_THREAD: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


class Refused(Exception):  # noqa: N818
    """What cannot be planted or run, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """One fault.

    Attributes
    ----------
    statement
        Number of the statement of the page that it makes false, such as ``C3``.
    sentence
        What is false then.
    file
        Path below the repository.
    old, new
        Text that stands exactly once in the file, and what takes its place.
    tests
        Names of those tests of the statement that it is meant for; all of them without any.
    """

    statement: str
    sentence: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...] = ()

    def planted(self) -> str:
        """Text of the file with the fault in it; `Refused` unless the old text stands there once and it parses."""
        path = ROOT / self.file
        where = f"{PLANTS.name}: the plant of {self.statement} in {self.file} ({self.sentence})"
        if not path.is_file():
            raise Refused(f"{where}: there is no such file; give a path below the repository")
        text = path.read_text(encoding="utf-8")
        if self.old == self.new or (found := text.count(self.old)) != 1:
            times = "changes nothing" if self.old == self.new else f"has its old text {found} times in the file"
            raise Refused(f"{where}: {times}; give text that stands there exactly once, and another for it")
        fresh = text.replace(self.old, self.new)
        try:
            ast.parse(fresh)
        except SyntaxError as wrong:
            raise Refused(f"{where}: line {wrong.lineno} does not parse; give Python") from None
        return fresh


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the tests of a statement said to a plant.

    Attributes
    ----------
    plant
        The fault.
    fail, pass_, broken
        Tests that fail because of it, that pass, and that fail without it, too.
    seconds
        Processor time of all this. [s]
    """

    plant: Plant
    fail: tuple[str, ...]
    pass_: tuple[str, ...]
    broken: tuple[str, ...]
    seconds: float

    def to_json(self) -> str:
        """One line."""
        told: dict[str, Any] = {
            "statement": self.plant.statement,
            "plant": self.plant.sentence,
            "file": self.plant.file,
            "seen": bool(self.fail),
            "fail": self.fail,
            "pass": self.pass_,
            "fail_without_it": self.broken,
            "processor_seconds": round(self.seconds, 1),
        }
        return json.dumps(told, ensure_ascii=False)

    def told(self) -> str:
        """Lines of the table."""
        count = len(self.fail) + len(self.pass_) + len(self.broken)
        verdict = f"{len(self.fail)} of {count} fail" if self.fail else "NOT SEEN"
        lines = [f"{self.plant.statement:<4}{verdict:<14}{self.seconds:6.0f} s  {self.plant.sentence}"]
        for word, names in (("fails", self.fail), ("passes", self.pass_), ("broken", self.broken)):
            lines += [f"        {word:<7} {name}" for name in names]
        return "\n".join(lines)


def read_plants() -> list[Plant]:
    """Plants of the file, in its order."""
    entries = tomllib.loads(PLANTS.read_text(encoding="utf-8"))["plant"]
    return [Plant(**{**entry, "tests": tuple(entry.get("tests", ()))}) for entry in entries]


def tests_for(plant: Plant, named: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Tests to run against a plant; `Refused` if its statement does not name one that it is meant for."""
    of_statement = named.get(plant.statement, ())
    strange = set(plant.tests) - {test.split("::")[1] for test in of_statement}
    if strange or not of_statement:
        missing = f"names no test {min(strange)}" if strange else "is none of its statements"
        raise Refused(f"{PLANTS.name} has a plant of {plant.statement}, and on {PAGE.name} this {missing}; give one")
    return tuple(test for test in of_statement if not plant.tests or test.split("::")[1] in plant.tests)


def named_tests() -> dict[str, tuple[str, ...]]:
    """Tests, as ``path::name``, that each statement of the page names, by its number."""
    found = {}
    for block in re.split(r"^(?=#{2,3} )", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE):
        if heading := re.match(r"### ([A-Z]\d+)\. ", block):
            tests = re.findall(r"`(tests/[\w/]+\.py::\w+)`", block.split("**Test.**", 1)[1])
            found[heading[1]] = tuple(dict.fromkeys(tests))
    return found


class Field:
    """Copies of the repository in a temporary folder, and the tests run in them."""

    def __init__(self, folder: Path, kernels: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHON"))}
        self._folder, self._number = folder, 0
        self._environment = {**kept, **ONE_THREAD, "HYPOTHESIS_PROFILE": "plants", "NUMBA_CACHE_DIR": str(kernels)}
        self._clean = self._copy("clean")
        self._passes: set[str] = set()

    def sow(self, plant: Plant, tests: Iterable[str]) -> Seen:
        """Plant a fault, run tests, and those that fail once more without it."""
        before = _processor_seconds()
        copy = self._copy("planted")
        (copy / plant.file).write_text(plant.planted(), encoding="utf-8")
        try:
            failed = self._failed(copy, tests)
        finally:
            shutil.rmtree(copy)
        asked = failed - self._passes
        broken = self._failed(self._clean, asked) if asked else set()
        self._passes |= asked - broken
        return Seen(
            plant=plant,
            fail=tuple(test for test in tests if test in failed - broken),
            pass_=tuple(test for test in tests if test not in failed),
            broken=tuple(test for test in tests if test in broken),
            seconds=_processor_seconds() - before,
        )

    def _copy(self, name: str) -> Path:
        """What is under version control, as it stands in the folder."""
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
        if listed.returncode:
            raise Refused(f"{ROOT} is no git checkout; run this in a clone, whose files it copies")
        copy = self._folder / name
        for path in filter(None, listed.stdout.split("\0")):
            target = copy / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / path).exists():
                shutil.copy2(ROOT / path, target, follow_symlinks=False)
        told = self._python(copy, "-c", "import meanwatt.model as room; print(room.__file__)").stdout
        if not Path(told.strip()).is_relative_to(copy):
            raise Refused(f"a copy of the repository imports {told.strip() or 'nothing'}; its own code is needed")
        return copy

    def _python(self, copy: Path, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run Python in a copy, so that it imports the copy's code."""
        environment = {**self._environment, "PYTHONPATH": str(copy)}
        return subprocess.run(
            [sys.executable, *words],
            cwd=copy,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def _failed(self, copy: Path, tests: Iterable[str]) -> set[str]:
        """Tests that fail in a copy; `Refused` if one did not run at all."""
        self._number += 1
        written = self._folder / f"{self._number}.xml"
        options = ("-n", "0", "-q", "-p", "no:cacheprovider", f"--junitxml={written}")
        try:
            done = self._python(copy, "-m", "pytest", *options, *sorted(tests))
        except subprocess.TimeoutExpired:
            raise Refused(f"{min(tests)} and its like run for more than {PATIENCE_SECONDS:g} s") from None
        ran, failed = set(), set()
        for case in ElementTree.parse(written).iter("testcase") if written.exists() else ():
            name = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name', '').split('[')[0]}"
            ran.add(name)
            if case.find("failure") is not None:
                failed.add(name)
        if missing := set(tests) - ran:
            last = (done.stdout.strip() or done.stderr.strip() or "nothing").splitlines()[-1]
            raise Refused(f"{sorted(missing)[0]} did not run; pytest says: {last}")
        return failed


def _processor_seconds() -> float:
    """Of all processes that were started and have ended. [s]"""
    spent = os.times()
    return spent.children_user + spent.children_system


def _place(plant: Plant, plants: list[Plant]) -> int:
    """Which of its statement's plants it is, from 0."""
    return [other for other in plants if other.statement == plant.statement].index(plant)


def _summary(shown: list[Seen], tests: dict[str, tuple[str, ...]]) -> str:
    """What all plants together came to."""
    statements = {one.plant.statement for one in shown}
    named = {test for statement in statements for test in tests[statement]}
    failing = {test for one in shown for test in one.fail}
    unseen = sum(not one.fail for one in shown)
    lines = [
        f"{len(statements)} statements, {len(shown)} plants: {len(shown) - unseen} seen, {unseen} not;"
        f" {sum(one.seconds for one in shown):.0f} s of processor time",
        f"{len(failing)} of {len(named)} named tests fail under a plant",
    ]
    lines += [f"        fails under none: {test}" for test in sorted(named - failing)]
    return "\n".join(lines)


def run(asked: argparse.Namespace) -> int:
    """Do what was asked; return the exit status."""
    tests, plants = named_tests(), read_plants()
    numbered = {plant: f"{plant.statement}.{1 + _place(plant, plants)}" for plant in plants}
    known = {plant.statement for plant in plants} | set(numbered.values())
    if strange := [number for number in asked.only or () if number not in known]:
        raise Refused(f"--only is {strange[0]}; give a statement that has a plant, or one of its plants, such as A1.2")
    if asked.only:
        plants = [plant for plant in plants if {plant.statement, numbered[plant]} & set(asked.only)]
    for plant in plants:
        plant.planted()
        tests_for(plant, tests)
    if asked.list:
        for plant in plants:
            print(f"{numbered[plant]:<6}{plant.file}: {plant.sentence}")
        return 0
    shown = []
    with tempfile.TemporaryDirectory(prefix="meanwatt-plants-") as folder:
        kernels = asked.kernels or Path(folder) / "kernels"
        kernels.mkdir(parents=True, exist_ok=True)
        field = Field(Path(folder), kernels.resolve())
        for plant in plants:
            shown.append(field.sow(plant, tests_for(plant, tests)))
            print(shown[-1].to_json() if asked.json else shown[-1].told(), flush=True)
    if not asked.json:
        print(_summary(shown, tests))
    return int(not all(one.fail for one in shown))


def main() -> None:
    """Read the options, plant, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only", nargs="+", metavar="STATEMENT", help="plants of these statements only, such as C3 or C3.1"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object per plant")
    parser.add_argument("--list", action="store_true", help="say what is planted where, and run nothing")
    parser.add_argument("--kernels", type=Path, metavar="DIR", help="keep compiled kernels here for the next run")
    try:
        status = run(parser.parse_args())
    except Refused as wrong:
        print(f"plant_faults: {wrong}", file=sys.stderr)
        status = 2
    sys.exit(status)


if __name__ == "__main__":
    main()
