"""What a user's own code brought to a stop, and its finding where it was only checked."""


class OwnCodeError(Exception):
    """The user's own code raised; one line says whose, in which method, and what. Its own exception is the cause."""


class Finding(Exception):  # noqa: N818 - of a checker, and no error of the program
    """Ends a check of the user's own code."""
