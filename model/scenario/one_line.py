"""Errors in one line, whatever the names in them hold."""


def in_one_line(text: str) -> str:
    """Write a text without line breaks, runs of blanks, or letters that cannot be shown."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in " ".join(text.split()))


class OneLineError(ValueError):
    """What is wrong with what somebody gave, in one line."""

    def __init__(self, message: str) -> None:
        super().__init__(in_one_line(message))
