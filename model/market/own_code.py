"""Classes of the user's own: ``package.module:ClassName`` or ``file.py:ClassName``. To import one runs its code."""

import importlib
import importlib.util
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from meanwatt.agents.behaviour.own_code_error import Finding, OwnCodeError
from meanwatt.model.scenario.nearest import unknown

Load = Callable[[str, Sequence[str]], Any]
"""Takes a module or file and what stood after it between colons (one class name), and gives the class."""


def pieces(text: str) -> list[str]:
    """Cut a text at its colons, except after a drive's letter: ``C:/mine.py:Mine`` has two pieces."""
    return re.split(r"(?<!^[A-Za-z]):|:(?![/\\])", text.strip())


def is_reference(name: str) -> bool:
    """Whether a name means a module or a file."""
    return re.search(r"[./\\]", name.partition("=")[0]) is not None


def import_class(place: str, rest: Sequence[str]) -> Any:
    """Import a class from a module, or from a file that ends in .py.

    Raises
    ------
    ValueError
        In one line, if there is no such file, module or class, or its code raises.
    """
    if len(rest) != 1:
        raise ValueError(f"behaviour {':'.join([place, *rest])!r} names no class; give {place}:ClassName")
    try:
        if place.endswith(".py"):
            spec = importlib.util.spec_from_file_location(Path(place).stem, place)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
        else:
            module = importlib.import_module(place)
    except FileNotFoundError:
        raise ValueError(f"behaviour {place}: file not found") from None
    except Exception as error:
        said = " ".join(str(error).split())
        raise ValueError(f"behaviour {place} cannot be imported: {type(error).__name__}: {said}") from None
    if not hasattr(module, rest[0]):
        raise ValueError(f"behaviour {place}: {unknown('class', rest[0], _classes(module))}")
    return getattr(module, rest[0])


@contextmanager
def told(of: object, method: str, household: int) -> Iterator[None]:
    """Say in an `OwnCodeError` whose code raised, and what."""
    try:
        yield
    except Finding:
        raise
    except Exception as error:
        said = " ".join(str(error).split())
        raise OwnCodeError(
            f"household {household}: {type(of).__name__}.{method} raised {type(error).__name__}: {said}"
        ) from error


def _classes(module: Any) -> list[str]:
    return [name for name, value in vars(module).items() if isinstance(value, type) and hasattr(value, "move")]
