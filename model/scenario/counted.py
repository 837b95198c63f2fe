"""A number of things in words."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """Put a number before its noun, ``1 evaluation`` or ``2 evaluations``.

    Parameters
    ----------
    noun
        In the singular.
    plural
        Where it is more than the noun with an s.
    """
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
