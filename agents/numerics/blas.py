"""The matrix products of compiled kernels: SciPy's BLAS, without the rest of `scipy.linalg`.

numba takes ``np.dot`` from the extension module `scipy.linalg.cython_blas`. Importing it by name brings all of
`scipy.linalg` and `numpy.f2py`, a tenth of the processor time of a small solve.
"""

import contextlib
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

NAME = "scipy.linalg.cython_blas"


def load_blas() -> None:
    """Put the extension module where numba's import finds it; if that fails, numba imports it as ever.

    `scipy.linalg` can still be imported, before or after. Only ``import scipy.linalg.cython_blas`` then sets no
    attribute of `scipy.linalg`; ``from scipy.linalg import cython_blas`` works.
    """
    if NAME in sys.modules or "scipy.linalg" in sys.modules:
        return
    with contextlib.suppress(Exception):
        import scipy

        stem = Path(scipy.__file__).parent / "linalg" / "cython_blas"
        files = (stem.with_name(stem.name + suffix) for suffix in EXTENSION_SUFFIXES)
        spec = spec_from_file_location(NAME, next(file for file in files if file.is_file()))
        if spec is not None and spec.loader is not None:
            module = module_from_spec(spec)
            spec.loader.exec_module(module)
            sys.modules[NAME] = module
