"""Where a word is explained."""

HELP = "/help"


def help_link(anchor: str) -> str:
    """Address of an entry of the help page; tests check that it exists."""
    return f"{HELP}#{anchor}"
