"""Settings of every test. The helpers beside this file, e.g. ``scenarios``, are importable because it lies here."""

import pytest
from hypothesis import settings

settings.register_profile("meanwatt", deadline=None)  # a busy machine or a first compilation is no failure
settings.load_profile("meanwatt")


@pytest.fixture(autouse=True)
def _no_progress_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is a line that comes every ten seconds, where standard error is compared."""
    monkeypatch.setattr("meanwatt.model.progress.heartbeat.EVERY_SECONDS", 3600.0)
