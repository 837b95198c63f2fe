"""Mesa, loaded before much else is.

When it is imported, Mesa asks `inspect` for the module of every frame of the stack, and `inspect` looks through all
modules that are loaded: 0.1 s of processor time at the start of a process, more than 1 s once numba, SciPy and Solara
are there.
"""


def load_mesa() -> None:
    """Import Mesa. Whoever is going to simulate calls it first."""
    import mesa  # noqa: F401
