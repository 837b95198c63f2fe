"""Household types settled side by side: their kernels let go of the interpreter, and each has its own arrays."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from meanwatt.model.scenario.economy import Economy

Result = TypeVar("Result")

WORTH_A_THREAD = 2_000
"""Levels × common states × slots from which threads pay."""


def for_each_type(economy: Economy, settle: Callable[[int], Result]) -> list[Result]:
    """Call ``settle`` with the number of every household type; results in order, whatever the threads."""
    everybody = range(len(economy.types))
    states = max(household.levels for household in economy.types) * economy.rest_load_kw.size
    if states < WORTH_A_THREAD:
        return [settle(type_index) for type_index in everybody]
    return list(_pool(os.getpid()).map(settle, everybody))


@cache
def _pool(process: int) -> ThreadPoolExecutor:
    """Threads of a process, made when first needed."""
    return ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="household-type")
