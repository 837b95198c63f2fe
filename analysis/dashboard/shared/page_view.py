"""What every page shows at one instant has these in common."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PageView:
    """What is on a page; each page adds its own.

    Attributes
    ----------
    number
        Rises with every view; an older view never replaces a newer one.
    bar, notices
        JSON for the components of the same names.
    """

    number: int
    bar: str
    notices: str
