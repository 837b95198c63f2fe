"""Settings of every test. The helpers beside this file, e.g. ``scenarios``, are importable because it lies here."""

import os

import pytest
from built_site import Site, built_site
from hypothesis import settings

settings.register_profile("meanwatt", deadline=None)  # a busy machine or a first compilation is no failure
settings.load_profile("meanwatt")


@pytest.fixture(autouse=True)
def _no_progress_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is a line that comes every ten seconds, where standard error is compared."""
    monkeypatch.setattr("meanwatt.model.progress.heartbeat.EVERY_SECONDS", 3600.0)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The documents as a site, built once for all processes that run tests."""
    own = tmp_path_factory.getbasetemp()
    return built_site(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)
