"""Half of a short command is its start: what is not needed then waits."""

import gc
import sys


def begin() -> None:
    """Postpone garbage collection while modules are loaded: nothing becomes garbage then, but everything is searched.

    The compiler imports ``coverage`` where a developer has it installed, though only to measure itself; it is told
    that there is none, unless a measurement is under way.
    """
    gc.disable()
    sys.modules.setdefault("coverage", None)  # type: ignore[arg-type]


def over() -> None:
    """Let garbage be collected again, what was loaded so far left out."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
