"""Linear systems that may turn out singular on the way: the answer of least squares instead of an exception.

A search that meets a singular derivative far from a solution takes the step, sees that it does not help, and takes
another. At a solution nobody solves a singular system in good faith: what is reported there is residuals.
"""

import numpy as np

from meanwatt.agents.numerics.arrays import Floats


def solved(system: Floats, right: Floats) -> Floats:
    """Solution x of system @ x = right, (n, n) and (n,) or (n, k); the one of least squares where it is singular."""
    try:
        return np.asarray(np.linalg.solve(system, right))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(system, right)[0])


def inverse(matrix: Floats) -> Floats:
    """Inverse of a matrix or of a stack of them, (…, n, n); Moore and Penrose's where one is singular."""
    try:
        return np.asarray(np.linalg.inv(matrix))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.pinv(matrix))
