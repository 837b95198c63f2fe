"""Compiled kernels on disk: loaded by every process after the one that compiled them.

numba's own cache is not enough. It does not see that a function called from another module has changed, and two
processes that start at once can mix up its files. Here every compiled function is one file, written whole or not at
all, with a digest of its content. Its name is a hash of everything the machine code depends on: the bytecode of the
kernel and of all kernels it calls, the constants they read, the argument types, the options, the processor, and the
versions of Python and of the packages. What another version wrote has another name, so it is never loaded.

One process compiles at a time; the others wait and then load what it wrote.
"""

import contextlib
import gc
import hashlib
import io
import os
import pickle
import sys
import tempfile
import threading
import time
import types
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

import llvmlite
import numba
import numpy as np
from numba.core import config as numba_config
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.compiler_lock import global_compiler_lock
from numba.core.environment import Environment, lookup_environment
from numba.core.runtime.nrt import rtsys
from numba.core.serialize import dumps

from meanwatt.agents.numerics.blas import load_blas
from meanwatt.agents.numerics.compile_time import spent

PATIENCE_SECONDS: Final = 300.0
"""How long to wait for another process that compiles. Then both do, which costs time and nothing else."""
config: Any = numba_config  # its attributes are made when it is read
_WHOLE: Final = config.OPT
"""How much LLVM optimises thorough kernels where they are called from Python,"""
_LITTLE: Final = min(config.OPT, type(config.OPT)("1"))
"""and everything else. Loops are vectorised in both: without, kernels are slower by a third."""
SAID: Final = "MEANWATT_NO_CACHE_SAID"
"""Set in the environment once the missing cache has been reported, so that worker processes do not repeat it."""


class Kernel(Protocol):
    """What is to be compiled, as `meanwatt.agents.numerics.compiled` marks it."""

    py_func: Callable[..., Any]
    options: dict[str, Any]
    thorough: bool
    apart: bool

    def __hash__(self) -> int:
        """As any object; fingerprints are kept by kernel."""


def dispatcher_of(kernel: Kernel, *, inner: bool) -> Any:
    """Numba's dispatcher of a kernel, with our cache behind it: for calls from Python, or from other kernels."""
    load_blas()
    njit: Any = numba.njit
    options = {"nogil": True, "no_cfunc_wrapper": True, "no_cpython_wrapper": inner, **kernel.options}
    dispatcher = njit(**options)(kernel.py_func)
    effort = _WHOLE if kernel.thorough and not inner else _LITTLE
    dispatcher._cache = _KernelCache(kernel, {**options, "effort": str(effort)})
    if kernel.apart:
        dispatcher._compiler._customize_flags = _mark_apart
    compile_it = dispatcher.compile

    def compile_or_load(signature: Any) -> Any:
        with global_compiler_lock, _set_effort(effort):  # always before the lock between processes
            try:
                return compile_it(signature)
            except _Missing:
                with _one_process_at_a_time():
                    return compile_it(signature)

    dispatcher.compile = compile_or_load
    return dispatcher


def _mark_apart(flags: Any) -> Any:
    """Tell LLVM that what a kernel writes overlaps no other argument, as numba does for loops that run in parallel."""
    flags.noalias = True
    return flags


@contextlib.contextmanager
def _set_effort(effort: Any) -> Iterator[None]:
    """Let LLVM optimise so much."""
    before, config.OPT = config.OPT, effort
    try:
        yield
    finally:
        config.OPT = before


class _Missing(Exception):  # noqa: N818
    """A kernel has to be compiled, and nobody holds the lock yet."""


class _KernelCache(_Cache):
    """What numba's dispatcher asks for compiled code."""

    def __init__(self, kernel: Kernel, options: dict[str, Any]) -> None:
        self._kernel, self._options = kernel, options

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Compiled code of these argument types, or None."""
        rtsys.initialize(target_context)  # of a whole refresh the only part that running code needs
        rebuild: Any = CompileResult._rebuild
        path = self._path(sig, target_context.codegen())
        if path is not None:
            with contextlib.suppress(Exception):  # whatever is wrong with a file, compiling mends it
                digest, data = _split(path.read_bytes())
                if hashlib.sha256(data).digest() == digest:
                    return rebuild(target_context, *_Unpickler(io.BytesIO(data)).load())
        if not _compiling.held:
            raise _Missing
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep compiled code; a full disk or a folder that has vanished is no fault."""
        path = self._path(sig, data.codegen)
        if path is None or data.library.has_dynamic_globals:
            return
        pack: Any = dumps
        packed = pack(data._reduce())
        with contextlib.suppress(OSError):
            _write_whole(path, hashlib.sha256(packed).digest() + packed)

    def _path(self, sig: Any, codegen: Any) -> Path | None:
        folder = cache_folder()
        if folder is None:
            return None
        name = f"{self._kernel.py_func.__module__}.{self._kernel.py_func.__qualname__}"
        told = fingerprint(self._kernel), _told("options", self._options)
        parts = (*told, str(sig), _layouts(sig), codegen.magic_tuple())
        return folder / f"{name}-{_hashed(parts)}.kernel"

    @property
    def cache_path(self) -> Path | None:
        """The folder."""
        return cache_folder()

    def enable(self) -> None:
        """Do nothing: it is always on."""

    disable = flush = enable


class _Unpickler(pickle.Unpickler):
    """Reads compiled code without importing the compiler's modules that it came through."""

    def find_class(self, module: str, name: str) -> Any:
        """Resolve a name, that of the function which rebuilds environments to ours."""
        if (module, name) == ("numba.core.environment", "_rebuild_env"):
            return _rebuilt_environment
        return super().find_class(module, name)


def _rebuilt_environment(module: str, constants: list[Any], name: str) -> Any:
    """Numba's environment of a function; the globals in it serve object mode only, which no kernel uses."""
    found: Any = lookup_environment(name)  # type: ignore[no-untyped-call]
    if found is None:
        make: Any = Environment
        found = make(vars(sys.modules[module]) if module in sys.modules else {"__name__": module})
        found.consts[:] = constants
        found.env_name = name
        make._memo[name] = found
    return found


def _split(content: bytes) -> tuple[bytes, bytes]:
    """Digest and data of a file."""
    size = hashlib.sha256().digest_size
    return content[:size], content[size:]


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file under another name, then give it its own, so that nobody reads half of it."""
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


# ---------------------------------------------------------------------------------------------------------------------


class _Compiling(threading.local):
    held = False


_compiling = _Compiling()


@contextlib.contextmanager
def _one_process_at_a_time() -> Iterator[None]:
    """Hold the lock of the cache folder while compiling, and measure the time."""
    started, collecting = time.perf_counter(), gc.isenabled()
    gc.disable()  # the compiler makes millions of small objects and drops them by itself: collecting took an eighth
    _compiling.held = True
    try:
        with contextlib.ExitStack() as stack:
            folder = cache_folder()
            if folder is None:
                _say_once()
            else:
                from filelock import FileLock, Timeout

                with contextlib.suppress(Timeout, OSError, NotImplementedError):
                    stack.enter_context(FileLock(folder / "compiling.lock", timeout=PATIENCE_SECONDS))
            yield
    finally:
        _compiling.held = False
        if collecting:
            gc.enable()
        spent.append(time.perf_counter() - started)


def _say_once() -> None:
    if SAID not in os.environ:
        os.environ[SAID] = "1"
        sys.stderr.write(
            "meanwatt: no folder for compiled code can be written to, so every start compiles anew;"
            " set NUMBA_CACHE_DIR to one that can\n"
        )


@cache
def cache_folder() -> Path | None:
    """Where compiled kernels lie: below NUMBA_CACHE_DIR, or beside the package, or in the user's cache; or nowhere."""
    named = getattr(config, "CACHE_DIR", "")  # numba reads NUMBA_CACHE_DIR
    if named:
        places = [Path(named)]
    else:
        from platformdirs import user_cache_path

        places = [Path(__file__).parent / "__pycache__", user_cache_path("meanwatt", appauthor=False)]
    return first_writable(place / f"kernels-{_environment()}" for place in places)


def is_first_start() -> bool:
    """Whether nothing has been compiled yet for this environment, so that the first answer takes longer."""
    folder = cache_folder()
    return not spent and (folder is None or not any(folder.glob("*.kernel")))


def first_writable(folders: Iterator[Path]) -> Path | None:
    """The first of some folders that exists or can be made, and takes a file; None if no one does."""
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError:
            continue
        return folder
    return None


# ---------------------------------------------------------------------------------------------------------------------


def _hashed(parts: Any) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]


def _environment() -> str:
    """Hash of the versions and switches that change the machine code."""
    names = ("BOUNDSCHECK", "LOOP_VECTORIZE", "SLP_VECTORIZE")
    switches = [_WHOLE, *(getattr(config, name, None) for name in names)]
    return _hashed((sys.version, numba.__version__, llvmlite.__version__, np.__version__, [str(s) for s in switches]))


def _layouts(sig: Any) -> list[Any]:
    """Names and order of the fields of named tuples among argument types, which kernels read by name."""
    return [(str(kind.instance_class), kind.fields) for kind in sig if isinstance(kind, numba.types.NamedTuple)]


@cache
def fingerprint(kernel: Kernel) -> str:
    """Hash of a kernel, of all kernels it calls and of the constants they read.

    Raises
    ------
    TypeError
        If a kernel reads a global of a kind whose changes would go unseen.
    """
    found: dict[int, Any] = {}
    _collect(kernel.py_func, kernel, found)
    return _hashed(list(found.values()))


def _collect(function: Callable[..., Any], kernel: Any, found: dict[int, Any]) -> None:
    """Describe the function of a kernel and, after it, those it calls."""
    if id(function) in found:
        return
    code = function.__code__
    found[id(function)] = None
    told: list[Any] = []
    for name in sorted(_names(code) & function.__globals__.keys()):
        value = function.__globals__[name]
        if isinstance(getattr(value, "py_func", None), types.FunctionType):
            _collect(value.py_func, value, found)
        else:
            told.append((name, _told(name, value)))
    options = _told("options", getattr(kernel, "options", None)), getattr(kernel, "apart", False)
    found[id(function)] = (function.__qualname__, options, _code(code), function.__defaults__, told)


def _names(code: types.CodeType) -> set[str]:
    """Names that code looks up, functions inside it included."""
    inner = [_names(value) for value in code.co_consts if isinstance(value, types.CodeType)]
    return set(code.co_names).union(*inner)


def _code(code: types.CodeType) -> tuple[Any, ...]:
    """Code without what says nothing about its meaning: line numbers and paths."""
    constants = [_told("constant", value) for value in code.co_consts]
    return code.co_code, constants, code.co_names, code.co_varnames, code.co_freevars


def _told(name: str, value: Any) -> str:
    """A global that a kernel reads, in words that change when it does."""
    if isinstance(value, types.ModuleType):
        return value.__name__
    if isinstance(value, type | types.BuiltinFunctionType | np.ufunc):
        return f"{getattr(value, '__module__', '')}.{value.__name__}"
    if isinstance(value, types.FunctionType):  # not called by the kernel: it only has the name of an attribute
        return value.__qualname__
    if isinstance(value, bool | int | float | complex | str | bytes | np.generic | np.dtype | None):
        return repr(value)
    if isinstance(value, types.CodeType):
        return repr(_code(value))
    if isinstance(value, dict):
        return repr([(key, _told(name, item)) for key, item in value.items()])
    if isinstance(value, tuple):
        return repr([_told(name, item) for item in value])
    if isinstance(value, set | frozenset):
        return repr(sorted(_told(name, item) for item in value))
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{value.shape}{value.tobytes().hex()}"
    raise TypeError(f"a kernel reads {name}, a {type(value).__name__}, whose changes the cache cannot see")
