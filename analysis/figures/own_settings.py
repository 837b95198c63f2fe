"""Settings of Matplotlib while one figure is drawn. They are the whole process's, so that threads take turns."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

_TURN: Final = threading.RLock()


@contextmanager
def own_settings(settings: dict[Any, Any]) -> Iterator[None]:
    """Draw with these settings; afterwards they are what they were, whoever else draws.

    ``matplotlib.rc_context`` alone puts back what it found: of two threads whose blocks overlap, the second one finds
    the settings of the first one, and leaves them to the process for ever. Nor does it put anything back once Solara
    keeps settings by visitor: Matplotlib 3.11 writes them where Solara does not look
    (``findings/solara_rc_context.sh``).
    """
    import matplotlib

    with _TURN:
        before = {name: matplotlib.rcParams[name] for name in settings}
        try:
            matplotlib.rcParams.update(settings)
            yield
        finally:
            matplotlib.rcParams.update(before)
