"""The memory of the machine: what does not fit is refused in one line, before the system ends the program."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

SMALL: Final = 256e6
"""Nobody looks where less is wanted. [bytes]"""
_GROUP: Final = Path("/sys/fs/cgroup")
"""Where Linux tells a container its limits."""
_STATUS: Final = Path("/proc/self/status")
"""Where Linux tells a process its own peak."""
_LIMITS: Final = (
    ("memory.max", "memory.current"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
)


def free_bytes() -> float:
    """Memory that this process can still have: of the machine, or of the container it runs in."""
    import psutil  # slow to import

    free = float(psutil.virtual_memory().available)
    for limit, used in _LIMITS:
        with suppress(OSError, ValueError):  # there is none
            free = min(free, float((_GROUP / limit).read_text()) - float((_GROUP / used).read_text()))
    return free


def peak_bytes() -> int:
    """Largest resident memory of this process so far; on Linux without its parent's.

    There ``getrusage`` does not answer the question: the peak it reports begins with that of the process that
    started this one, so a small child of a large parent looks large. [bytes]
    """
    if _STATUS.exists():
        return 1024 * int(_STATUS.read_text().split("VmHWM:")[1].split()[0])
    try:
        import resource
    except ImportError:  # Windows
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def require_room(needed: float, what: str, remedy: str) -> None:
    """Raise ``ValueError`` in one line if more memory is needed than there is.

    Parameters
    ----------
    needed
        What the arrays take at least. [bytes]
    what, remedy
        Whose arrays, and what to give instead.
    """
    if needed < SMALL:
        return
    free = free_bytes()
    if needed > free:
        raise ValueError(
            f"{what} take about {needed / 1e9:.3g} GB, {max(free, 0) / 1e9:.3g} GB are free; give {remedy}"
        )
