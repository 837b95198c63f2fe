"""Who gets in: keys that nobody guesses, a short code that few may try, and names that are safe to show."""

import re
import secrets
import time
import unicodedata
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

CODE_LETTERS: Final = "ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without I, L and O, which are read as digits or as one another."""
CODE_LENGTH: Final = 6
KEY_BYTES: Final = 16
"""128 random bits."""
TRIES: Final = 12
"""Wrong codes that one address may try within `TRY_SECONDS`; a class behind one address joins with right ones."""
TRY_SECONDS: Final = 60.0
ADDRESSES: Final = 4096
"""Addresses whose wrong codes are remembered; the one unheard of for longest goes."""
LONGEST_NAME: Final = 20
_INVISIBLE: Final = frozenset("\u115f\u1160\u3164\uffa0")
"""Letters, says Unicode, that show nothing."""


def new_key() -> str:
    """A key for a teacher or a student."""
    return secrets.token_urlsafe(KEY_BYTES)


def new_code() -> str:
    """A code to be read from a screen and typed."""
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))


def read_code(text: object) -> str | None:
    """The code that was typed, whatever its case and spaces; None if it is none."""
    letters = re.sub(r"[\s\-]", "", text).upper() if isinstance(text, str) and len(text) <= 4 * CODE_LENGTH else ""
    return letters if len(letters) == CODE_LENGTH and set(letters) <= set(CODE_LETTERS) else None


def read_name(text: object) -> str:
    """A student's name as it is shown.

    It begins with a letter or a digit, so that no spreadsheet takes it for a formula.

    Raises
    ------
    ValueError
        In one line, if it cannot be used.
    """
    name = " ".join(unicodedata.normalize("NFKC", text).split()) if isinstance(text, str) else ""
    if not (0 < len(name) <= LONGEST_NAME and name[0].isalnum() and all(map(_may_stand, name))):
        raise ValueError(
            f"name is {name[: 2 * LONGEST_NAME]!r}; give 1 to {LONGEST_NAME} letters, digits, spaces, dots or hyphens,"
            " the first a letter or a digit"
        )
    return name


def _may_stand(letter: str) -> bool:
    """Whether a name may have this: letters and what combines with them, digits, and few signs."""
    return letter not in _INVISIBLE and (unicodedata.category(letter)[0] in "LMN" or letter in " .'-_")


class Doorkeeper:
    """Counts wrong codes by address, and lets nobody try on who has had too many.

    Parameters
    ----------
    clock
        Seconds that pass; for tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def may_try(self, address: str) -> bool:
        """Whether an address has tries left."""
        wrong = self._wrong.get(address, deque())
        while wrong and self._clock() - wrong[0] > TRY_SECONDS:
            wrong.popleft()
        return len(wrong) < TRIES

    def was_wrong(self, address: str) -> None:
        """Count a wrong code."""
        self._wrong.setdefault(address, deque(maxlen=TRIES)).append(self._clock())
        self._wrong.move_to_end(address)
        while len(self._wrong) > ADDRESSES:
            self._wrong.popitem(last=False)
