"""Few customers are billed without compiled kernels here, whatever tests ran before: the two ways check each other."""

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def _few_without_kernels() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("meanwatt.agents.tariff.ratebook.meter.is_loaded", lambda _: False)
        yield
