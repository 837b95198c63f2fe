"""Meanwatt: design electricity tariffs, in the mean-field equilibrium and in the finite market beside it.

Everything is imported from here: ``meanwatt.agents`` (who acts), ``meanwatt.model`` (where) and ``meanwatt.analysis``
(what we learn). In an installation these rooms lie in this folder, in a clone beside it.
"""

from pathlib import Path

_here = Path(__file__).parent
if not (_here / "agents").is_dir():
    __path__.append(str(_here.parent))
