"""What a phenomenon is made of: the sign that the literature expects, what the model finds, and the verdict."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from meanwatt.analysis.phenomena.town import Towns


class Verdict(StrEnum):
    """How what is found stands to what is expected."""

    AS_EXPECTED = "as expected"
    IN_PART = "in part"
    OTHERWISE = "otherwise"
    NOT_DETERMINED = "not determined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One number that the literature puts on one side of a bound.

    Attributes
    ----------
    text
        What the number is, e.g. ``oahu: welfare, two-part less flat``.
    value
        What the model finds; None where a case has no equilibrium.
    unit
        Of the value and the bounds.
    above, below
        It is expected to lie strictly above, and strictly below; None for no bound.
    """

    text: str
    value: float | None
    unit: str
    above: float | None = None
    below: float | None = None

    @property
    def holds(self) -> bool | None:
        """Whether the value lies where it is expected; None without a value."""
        if self.value is None:
            return None
        return (self.above is None or self.value > self.above) and (self.below is None or self.value < self.below)

    @property
    def expected(self) -> str:
        """The bounds in words."""
        bounds = (("above", self.above), ("below", self.below))
        return " and ".join(f"{side} {bound:g}" for side, bound in bounds if bound is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Lines over numbers, or bars over names.

    Attributes
    ----------
    x_title, y_title
        Of the axes, with units.
    x
        Strictly ascending numbers, or names.
    lines
        Values over ``x`` by name; None where there is none.
    """

    x_title: str
    y_title: str
    x: tuple[float, ...] | tuple[str, ...]
    lines: Mapping[str, tuple[float | None, ...]]

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn: a number twice, a line that is too short."""
        if any(len(values) != len(self.x) for values in self.lines.values()):
            raise ValueError(f"a line of {list(self.lines)} has not as many values as x")
        if not self.bars and any(not before < after for before, after in pairwise(map(float, self.x))):
            raise ValueError(f"x does not ascend: {self.x}")

    @property
    def bars(self) -> bool:
        """Whether the horizontal axis has names."""
        return isinstance(self.x[0], str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the model finds.

    Attributes
    ----------
    claims
        At least one.
    panel
        What is drawn.
    reading
        One sentence that reads the panel.
    """

    claims: tuple[Claim, ...]
    panel: Panel
    reading: str

    @property
    def verdict(self) -> Verdict:
        """Over all claims: one without a value leaves the phenomenon open."""
        held = [claim.holds for claim in self.claims]
        if None in held:
            return Verdict.NOT_DETERMINED
        return Verdict.AS_EXPECTED if all(held) else Verdict.IN_PART if any(held) else Verdict.OTHERWISE


@dataclass(frozen=True, slots=True, kw_only=True)
class Phenomenon:
    """One row of the gallery.

    Attributes
    ----------
    key
        Its name on the command line.
    title, expected
        Its name, and what the literature expects, in a sentence.
    sources
        Where that comes from.
    setting
        What is compared, so that it can be repeated.
    why
        What to know where the model says otherwise; it is shown then only.
    find
        Computes it; raises ``Cancelled`` when asked to stop.
    """

    key: str
    title: str
    expected: str
    sources: tuple[str, ...]
    setting: str
    why: str = ""
    find: Callable[[Towns], Finding]
