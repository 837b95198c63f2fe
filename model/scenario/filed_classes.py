"""The rate classes that utilities have filed, for the presets that stand for a real place: who is on which tariff."""

import functools
from typing import Any, Final

from meanwatt.model.scenario.files import TomlTable, read_toml
from meanwatt.model.scenario.reading import PRESETS, checked_tariff

FILED_CLASSES: Final = "filed_classes"
"""What is asked for in the place of a tariff's name."""
_FOLDER: Final = PRESETS / FILED_CLASSES


def has_filed_classes(name: str) -> bool:
    """Whether a preset has filed rate classes; False for what is no preset."""
    return name in _known()


@functools.cache
def _known() -> frozenset[str]:
    return frozenset(path.stem for path in _FOLDER.glob("*.toml"))


def with_filed_classes(table: TomlTable) -> TomlTable:
    """Keys that put a preset, written out as a table, on its filed rate classes; nothing where it has none.

    Returns
    -------
    dict
        ``default_tariff``, ``tariffs`` with those that the classes bring, ``rate_classes`` and
        ``rate_classes_in_force``.
    """
    name = str(table["name"])
    if not has_filed_classes(name):
        return {}
    found: dict[str, Any] = read_toml(_FOLDER / f"{name}.toml")
    brought = {key: checked_tariff(own).model_dump() for key, own in found["tariffs"].items()}
    classes = {
        key: {"technologies": (), "income_groups": (), "opt_in_share": None, **own}
        for key, own in found["rate_classes"].items()
    }
    return {
        "default_tariff": found["default_tariff"],
        "tariffs": {**table["tariffs"], **brought},
        "rate_classes": classes,
        "rate_classes_in_force": True,
    }
