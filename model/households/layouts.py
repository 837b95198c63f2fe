"""Layouts of well-known household data by name, each a file of the same form that a user writes."""

from pathlib import Path
from typing import Final

from meanwatt.model.billing.meter_format import FormatTable, MeterFileError, MeterFormat, checked_meter_format
from meanwatt.model.billing.meter_format import read_meter_format as read_file
from meanwatt.model.scenario.files import is_path, read_toml
from meanwatt.model.scenario.nearest import unknown

LAYOUTS: Final = ("london", "ausgrid", "pecan", "resstock", "cer")
"""Names, each of a file in the folder ``named``."""
_FOLDER: Final = Path(__file__).parent / "named"


def layout_text(name: str) -> str:
    """A layout as it is written, with its comments: a file to begin one's own with."""
    return (_FOLDER / f"{name}.toml").read_text(encoding="utf-8")


def read_layout(source: str, *, label: str | None = None, zone: str | None = None) -> MeterFormat:
    """Read a layout by its name, or a format of a file.

    Parameters
    ----------
    label, zone
        Take the place of what it says.

    Raises
    ------
    MeterFileError
        In one line: there is no such layout or file, or it cannot be read.
    """
    if source in LAYOUTS:
        found = checked_meter_format(lambda: read_toml(_FOLDER / f"{source}.toml"), f"--format {source}")
    elif is_path(source):
        found = read_file(source)
    else:
        raise MeterFileError(f"--format: {unknown('layout', source, LAYOUTS)}, or a file that ends in .toml")
    if found.format is None:
        raise MeterFileError(f"--format {source}: has no table [format]; see docs/how_to/import_households.md")
    changes = {name: value for name, value in (("label", label), ("zone", zone)) if value is not None}
    if not changes:
        return found
    table = found.format.model_dump() | changes
    return checked_meter_format(lambda: {"format": table}, f"--format {source}")


def without_label(form: FormatTable) -> bool:
    """Whether the place of an interval comes from elsewhere than from its stamp's label."""
    return form.shape == "wide" or form.stamp_form == "day_slot"
