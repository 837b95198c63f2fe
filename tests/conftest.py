"""Settings of every test. The helpers beside this file, e.g. ``scenarios``, are importable because it lies here."""

import gc
import os
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: idle threads of the linear algebra wait actively

import pytest
from built_site import Site, built_site
from hypothesis import Phase, settings
from long_files import LONG_FILES, QUICK, in_turns
from quick_approx import install

install()
gc.set_threshold(50_000)  # a process that has run a thousand tests holds gigabytes through which the collector looks
HERE = Path(__file__).parent
LONG = {HERE / name: place for place, name in enumerate(in_turns(LONG_FILES))}
FAST = [HERE / name for name in QUICK]

settings.register_profile("meanwatt", deadline=None)  # a busy machine or a first compilation is no failure
settings.register_profile("ci", deadline=None, derandomize=True, max_examples=50)  # the same commit, the same examples
settings.register_profile(  # for ``benchmarks/plant_faults.py``: that a test fails is enough
    "plants", deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate)
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "meanwatt"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fast", action="store_true", help="the quick part: the maths, files that are read, and names")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Not even import what ``--fast`` leaves out."""
    if not config.getoption("--fast") or collection_path.is_dir():
        return None
    everywhere = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    quick = not everywhere or any(collection_path.is_relative_to(place) for place in FAST)
    return True if collection_path in LONG or not quick else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files, those of the browser and others by turns, in every process alike."""
    items.sort(key=lambda item: LONG.get(item.path, len(LONG)))


def pytest_collection_finish() -> None:
    """Spare the collector half a million objects that stay as long as the process: half a second each full look."""
    gc.freeze()


def pytest_xdist_auto_num_workers() -> int:
    """One process more than cores, because tests of pages and of workers wait for other processes."""
    return int(os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS") or (os.cpu_count() or 1) + 1)


@pytest.fixture(autouse=True)
def _no_progress_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is a line that comes every ten seconds, where standard error is compared."""
    monkeypatch.setattr("meanwatt.model.progress.heartbeat.EVERY_SECONDS", 3600.0)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The documents as a site, built once for all processes that run tests."""
    own = tmp_path_factory.getbasetemp()
    return built_site(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)
