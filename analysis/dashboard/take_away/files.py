"""The files with which a browser takes things away from a page, be it Solara's or one of the class market."""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
STYLE: Final = FOLDER / "take_away.css"
SCRIPTS: Final = tuple(FOLDER / name for name in ("saving.js", "tables.js", "dialog.js"))
"""In the order in which they are run: each uses what those before it have made."""
