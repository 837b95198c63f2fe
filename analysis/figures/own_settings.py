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
    the settings of the first one, and leaves them to the process for ever.
    """
    import matplotlib

    with _TURN, matplotlib.rc_context(settings):
        yield
