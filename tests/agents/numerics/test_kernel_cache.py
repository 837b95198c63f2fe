"""Compiled kernels on disk: several cold processes at once, code that changed, files that are broken, no folder."""

import os
import shutil
import subprocess
import sys
from ast import literal_eval
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from repository import ROOT

from meanwatt.agents.numerics import kernel_cache
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.compiled import Kernel, compiled
from meanwatt.agents.numerics.kernel_cache import fingerprint, first_writable

SMALLEST = """
import numpy as np
from meanwatt.agents.household.demand import wanted_use_kw
from meanwatt.model.scenario.supply import SupplyCurve
curve = SupplyCurve.polynomial([0.1, 0.2])
price = curve.price(np.array([0.5, 1.0]))
print(wanted_use_kw(np.ones(2), price, elasticity=0.5, flexibility=0.5, reference_price=0.2).tolist())
"""
EXPECTED = [1.0, 0.75]
FACTOR = 2.0


def started(cache: Path, code: str = SMALLEST, **environment: str) -> "subprocess.Popen[str]":
    """A process that runs code with a cache folder of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(cache), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


ASK = "from meanwatt.agents.numerics.kernel_cache import is_first_start\nprint(is_first_start())\n"


@pytest.fixture(scope="module")
def cold(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[int, str, str]]]:
    """A folder for compiled code in which three processes began at once, and how they ended and what they said."""
    folder = tmp_path_factory.mktemp("cold")
    processes = [started(folder, ASK + SMALLEST + ASK) for _ in range(3)]
    said = [process.communicate() for process in processes]
    return folder, [(process.returncode, *told) for process, told in zip(processes, said, strict=True)]


def test_three_cold_processes_at_once_leave_a_cache_that_a_fourth_one_loads(
    cold: tuple[Path, list[tuple[int, str, str]]],
) -> None:
    folder, ends = cold
    kept = {path: path.stat().st_mtime_ns for path in folder.rglob("*.kernel")}
    fourth = started(
        folder,
        SMALLEST + "from meanwatt.agents.numerics.compile_time import compile_seconds\nprint(compile_seconds())",
    )
    told, complaint = fourth.communicate()
    assert [status for status, _, _ in ends] + [fourth.returncode] == [0, 0, 0, 0], (ends, complaint)
    assert all(np.allclose(literal_eval(out.splitlines()[1]), EXPECTED, rtol=1e-12) for _, out, _ in ends), ends
    first, spent = told.splitlines()
    assert np.allclose(literal_eval(first), EXPECTED, rtol=1e-12)
    assert float(spent) == 0.0, "the fourth process compiled again"
    assert kept
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.kernel")} == kept


EVERY = """
import io
from numba.core.compiler import CompileResult
from numba.core.registry import cpu_target
from numba.core.runtime.nrt import rtsys
from meanwatt.agents.numerics.kernel_cache import _split, _Unpickler, cache_folder
context = cpu_target.target_context
rtsys.initialize(context)
files = [path for path in cache_folder().glob("*.kernel") if path.name.startswith("meanwatt.")]
for path in files:
    found = CompileResult._rebuild(context, *_Unpickler(io.BytesIO(_split(path.read_bytes())[1])).load())
    assert found.entry_point is not None
print(len(files))
"""


def test_every_kernel_compiled_on_this_machine_loads_without_the_compilers_registries() -> None:
    """Where machine code asked for a symbol that only they define, the process would end with a signal."""
    ready = subprocess.run([sys.executable, "-c", SMALLEST], cwd=ROOT, check=False)
    done = subprocess.run([sys.executable, "-c", EVERY], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ready.returncode, done.returncode) == (0, 0), done.stderr
    assert int(done.stdout) >= 2


def test_a_kernel_that_another_one_calls_is_called_from_python_too() -> None:
    @compiled
    def twice(x: float) -> float:
        return 2.0 * x

    @compiled
    def four_times(x: float) -> float:
        return twice(twice(x))

    assert four_times(1.5) == 6.0
    assert twice(1.5) == 3.0


def test_a_broken_file_is_compiled_again(cold: tuple[Path, list[tuple[int, str, str]]], tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(cold[0], folder)
    assert list(folder.rglob("*.kernel"))
    for path in folder.rglob("*.kernel"):
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
    mended = started(folder)
    told, complaint = mended.communicate()
    assert mended.returncode == 0, complaint
    assert np.allclose(literal_eval(told), EXPECTED, rtol=1e-12)
    for path in folder.rglob("*.kernel"):
        assert path.stat().st_size > 0.9 * (cold[0] / path.relative_to(folder)).stat().st_size, "written whole again"


def test_without_any_writable_folder_it_compiles_anew_and_says_so_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    process = started(tmp_path / "file" / "below")
    told, complaint = process.communicate()
    assert process.returncode == 0, complaint
    assert np.allclose(literal_eval(told), EXPECTED, rtol=1e-12)
    assert complaint.count("\n") == 1
    assert "NUMBA_CACHE_DIR" in complaint


def test_the_first_folder_that_takes_a_file_is_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    impossible, possible = tmp_path / "file" / "below", tmp_path / "new" / "deep"
    assert first_writable(iter([impossible, possible])) == possible
    assert first_writable(iter([impossible])) is None


def test_bounds_checking_has_a_folder_of_its_own(tmp_path: Path) -> None:
    code = "from meanwatt.agents.numerics.kernel_cache import cache_folder\nprint(cache_folder())"
    plain, _ = started(tmp_path, code, NUMBA_BOUNDSCHECK="0").communicate()
    checked, _ = started(tmp_path, code, NUMBA_BOUNDSCHECK="1").communicate()
    assert str(tmp_path) in plain
    assert str(tmp_path) in checked
    assert plain != checked


def test_the_first_start_is_over_once_something_is_compiled(cold: tuple[Path, list[tuple[int, str, str]]]) -> None:
    """Of three at once one at least finds nothing; of those that have compiled or loaded, everyone something."""
    folder, ends = cold
    asked = [out.splitlines() for _, out, _ in ends]
    assert "True" in {before for before, _, _ in asked}
    assert {after for _, _, after in asked} == {"False"}
    later, _ = started(folder, ASK).communicate()
    assert later.strip() == "False"


def inner(x: float) -> float:
    return FACTOR * x


def other(x: float) -> float:
    return FACTOR + x


@pytest.fixture
def fresh() -> Iterator[None]:
    fingerprint.cache_clear()
    yield
    fingerprint.cache_clear()


@pytest.mark.usefixtures("fresh")
def test_a_kernel_is_another_one_when_what_it_calls_or_reads_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of numba's own cache is the same in all three cases."""
    monkeypatch.setitem(globals(), "called", Kernel(inner, {}))

    def outer(x: float) -> float:
        return called(x) + 1.0  # noqa: F821

    before = fingerprint(Kernel(outer, {}))
    assert fingerprint(Kernel(outer, {})) == before
    assert fingerprint(Kernel(outer, {"error_model": "numpy"})) != before
    monkeypatch.setitem(globals(), "called", Kernel(other, {}))
    assert fingerprint(Kernel(outer, {})) != before
    monkeypatch.setitem(globals(), "called", Kernel(inner, {}))
    monkeypatch.setitem(globals(), "FACTOR", 3.0)
    assert fingerprint(Kernel(outer, {})) != before


@pytest.mark.usefixtures("fresh")
def test_a_global_whose_changes_would_go_unseen_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "FACTOR", object())
    with pytest.raises(TypeError, match="a kernel reads FACTOR, a object, whose changes the cache cannot see"):
        fingerprint(Kernel(inner, {}))


def test_versions_of_the_packages_are_part_of_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    before = kernel_cache._environment()
    monkeypatch.setattr(kernel_cache.numba, "__version__", "0.0")
    assert kernel_cache._environment() != before


def test_reading_a_kernel_module_does_not_load_numba() -> None:
    modules = "meanwatt.model.scenario.supply, meanwatt.agents.household.backward_induction"
    code = f"import sys, {modules}\nsys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_a_decorated_function_keeps_its_name_and_its_python() -> None:
    kernel = compiled(inner)
    assert kernel.__name__ == "inner"
    assert kernel.py_func(1.5) == 3.0


PRODUCT = """
import sys
import numpy as np
from meanwatt.agents.household.day_operator import day_operators
kernel = np.array([[[[[0.5, 0.5], [0.25, 0.75]]], [[[1.0, 0.0], [0.5, 0.5]]]]])
found = day_operators(kernel, np.ones((1, 1)), 1.0)[0]
assert np.allclose(found, kernel[0, 0, 0] @ kernel[0, 1, 0], rtol=1e-15), found
"""


def test_a_second_start_multiplies_matrices_without_all_of_scipy_linalg_and_numba(tmp_path: Path) -> None:
    import_again = """
from meanwatt.agents.numerics.compile_time import compile_seconds
assert compile_seconds() == 0.0, "the second process compiled again"
spared = ["scipy.linalg", "numpy.f2py", "numba.np.arrayobj", "numba.cpython.unicode"]
assert not [name for name in spared if name in sys.modules], sys.modules.keys()
import scipy.linalg
from scipy.linalg import cython_blas
import scipy.linalg.cython_blas as again
assert again is cython_blas and "dgemm" in cython_blas.__pyx_capi__
assert np.allclose(scipy.linalg.expm(np.zeros((2, 2))), np.eye(2))
"""
    for code in (PRODUCT, PRODUCT + import_again):
        with started(tmp_path, code) as process:
            said = process.communicate()
        assert process.returncode == 0, said


def test_matrices_are_multiplied_with_scipy_linalg_imported_before(tmp_path: Path) -> None:
    with started(tmp_path, "import scipy.linalg" + PRODUCT) as process:
        said = process.communicate()
    assert process.returncode == 0, said


@compiled
def _running_sums(numbers: Floats, out: Floats) -> None:
    for place in range(1, out.size):
        out[place] = out[place - 1] + numbers[place]


def test_whether_arrays_lie_apart_is_part_of_a_kernel() -> None:
    function = _running_sums.py_func  # type: ignore[attr-defined]
    near, apart = compiled(function), compiled(apart=True)(function)
    assert fingerprint(near) != fingerprint(apart)
    found = np.zeros((2, 9))
    for kernel, out in zip((near, apart), found, strict=True):
        kernel(np.arange(9.0), out)
    assert (found == np.arange(9.0).cumsum()).all()
