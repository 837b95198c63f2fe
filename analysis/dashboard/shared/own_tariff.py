"""A tariff that a visitor brings along: read as data from a file's text, and carried by an address, bounded in size."""

import base64
import binascii
import zlib
from typing import Final

from meanwatt.model.scenario.loading import TariffTable, tariff_of_text
from meanwatt.model.scenario.toml_text import toml_text

OWN_TARIFF: Final = "from_file"
"""Name of a visitor's tariff among those of the scenario."""
MOST_BYTES: Final = 64 * 2**10
"""Longest text of a tariff that is read. [bytes]"""
MOST_IN_LINK: Final = 4000
"""Longest form of a tariff that goes into an address; programs that pass links on cut what is much longer."""
_TOO_LONG: Final = f"the tariff is longer than {MOST_BYTES // 1024} kB; give a TOML file with one tariff"


def read_tariff(text: str) -> TariffTable:
    """The tariff in the text of a TOML file.

    Raises
    ------
    ValueError
        In one line: it is too long, not TOML, or holds no tariff.
    """
    if len(text.encode("utf-8", errors="replace")) > MOST_BYTES:
        raise ValueError(_TOO_LONG)
    return tariff_of_text(text.removeprefix("\ufeff"))


def toml_of(table: TariffTable) -> str:
    """A tariff as the text of a file for ``--tariff FILE``: what differs from the defaults, numbers with all digits."""
    return toml_text(table.model_dump(exclude_defaults=True))


def packed(text: str) -> str:
    """The text of `toml_of` in letters that an address holds.

    Raises
    ------
    ValueError
        In one line, if it is too long for an address.
    """
    found = base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")
    if len(found) > MOST_IN_LINK:
        raise ValueError(
            f"the tariff takes {len(found)} letters of the link, which holds {MOST_IN_LINK}; open it with"
            " meanwatt app SCENARIO --tariff FILE"
        )
    return found


def unpacked(letters: str) -> str:
    """The text that was packed; ValueError in one line if the letters are cut off, changed or too many."""
    if len(letters) > MOST_IN_LINK:
        raise ValueError(f"it has {len(letters)} letters; give at most {MOST_IN_LINK}")
    try:
        content = base64.b64decode(letters + "=" * (-len(letters) % 4), altchars=b"-_", validate=True)
        opened = zlib.decompressobj()
        text = opened.decompress(content, MOST_BYTES)  # a few bytes may stand for gigabytes
        if not opened.eof:
            raise ValueError
        return text.decode()
    except (binascii.Error, zlib.error, UnicodeError, ValueError):
        raise ValueError("it cannot be read; copy the whole link") from None
