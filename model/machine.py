"""The memory of the machine: what does not fit is refused in one line, before the system ends the program."""

from contextlib import suppress
from pathlib import Path
from typing import Final

SMALL: Final = 256e6
"""Nobody looks where less is wanted. [bytes]"""
_GROUP: Final = Path("/sys/fs/cgroup")
"""Where Linux tells a container its limits."""
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
