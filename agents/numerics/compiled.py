"""Functions that numba compiles when they are first called, and not before.

A module of kernels imports without numba. The compiled code is kept in a folder, so that every process after the first
only loads it (`meanwatt.agents.numerics.kernel_cache`).
"""

from collections.abc import Callable
from functools import cached_property, update_wrapper
from typing import Any, TypeVar, overload

Function = TypeVar("Function", bound=Callable[..., Any])


class Kernel:
    """A function in the subset of Python that numba compiles; kernels may call each other.

    Attributes
    ----------
    py_func
        The function itself, in plain Python.
    options
        What numba is told beside the defaults.
    thorough
        Whether LLVM takes the time for all it can do. Kernels of numbers in plain loops gain nothing by it.
    apart
        Whether no array that the kernel writes overlaps another of its arguments. A loop of few steps then need not ask
        whether they do, which takes longer than its vector code.
    """

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        self.py_func = function
        self.thorough = bool(options.pop("thorough", False))
        self.apart = bool(options.pop("apart", False))
        self.options = options
        update_wrapper(self, function)

    @cached_property
    def dispatcher(self) -> Any:
        """Numba's object in charge, which compiles for every combination of argument types it meets."""
        from meanwatt.agents.numerics.kernel_cache import dispatcher_of

        return dispatcher_of(self, inner=False)

    @cached_property
    def inner(self) -> Any:
        """The same for calls by other kernels. They need no wrapper that takes Python's objects apart."""
        from meanwatt.agents.numerics.kernel_cache import dispatcher_of

        return dispatcher_of(self, inner=True)

    @property
    def _numba_type_(self) -> Any:  # asked by numba where one kernel names another
        return self.inner._numba_type_

    def __call__(self, *arguments: Any) -> Any:
        """Call the compiled function."""
        return self.dispatcher(*arguments)

    def __reduce__(self) -> str:
        return self.py_func.__qualname__  # pickled by name, as functions are


@overload
def compiled(function: Function, /) -> Function: ...
@overload
def compiled(function: None = None, /, **options: Any) -> Callable[[Function], Function]: ...
def compiled(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Decorate a kernel, with options of `numba.njit`, ``thorough`` and ``apart``. It runs without Python's lock."""
    if function is None:
        return lambda decorated: Kernel(decorated, options)
    return Kernel(function, options)


def is_loaded(kernel: Callable[..., Any]) -> bool:
    """Whether a kernel has been called in this process, so that calling it again costs its own time alone."""
    return isinstance(kernel, Kernel) and "dispatcher" in vars(kernel)
