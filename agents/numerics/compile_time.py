"""How long this process has compiled kernels."""

spent: list[float] = []
"""What every compilation in this process has taken, waiting for another process included. [s]"""


def compile_seconds() -> float:
    """Time that this process has spent on compiling kernels. [s]"""
    return sum(spent)
