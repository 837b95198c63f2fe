"""Rate classes: tariffs side by side, one for each part of the customers, and one balance for the whole utility."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from meanwatt.agents.tariff.components.standing_charge import Customer
    from meanwatt.agents.tariff.tariff import RateClass, Tariff

OF_THE_WHOLE: Final = ("recovery", "adder_cap_usd_per_kwh", "classes")
"""Fields of a tariff with rate classes that are not its first class's."""


def with_classes(classes: "Sequence[RateClass]") -> "Tariff":
    """Put tariffs side by side, the default class's first.

    The rule that balances the utility is that of the classes which do not keep posted rates, its adder is searched up
    to the smallest of their caps.

    Raises
    ------
    ValueError
        If there is no class, two have one name or a member in common, their tariffs are not of one size, or two rules
        of recovery are to balance one utility.
    """
    if not classes:
        raise ValueError("there is no rate class; give at least one")
    first = classes[0].tariff
    balancing = [one for one in classes if one.tariff.recovery.value != "posted"]
    caps = [one.tariff.adder_cap_usd_per_kwh for one in balancing or classes]
    rule = (balancing or classes)[0].tariff.recovery
    return replace(first, recovery=rule, adder_cap_usd_per_kwh=min(caps), classes=tuple(classes))


def with_each_class(tariff: "Tariff", change: Callable[[int, "Tariff"], "Tariff"]) -> "Tariff":
    """Copy of a tariff in which that of every rate class, by its place, is changed; of one for all, it alone."""
    if not tariff.classes:
        return change(0, tariff)
    return with_classes([replace(one, tariff=change(place, one.tariff)) for place, one in enumerate(tariff.classes)])


def with_classes_of(tariff: "Tariff", customers: "Sequence[Customer]") -> "Tariff":
    """Copy of a tariff without the rate classes that none of these customers is in.

    One class that holds them all, wherever they live, is their one tariff. A tariff whose classes all hold somebody is
    given back as it is.
    """
    if not tariff.classes:
        return tariff
    there = {tariff.class_index(customer) for customer in customers}
    kept = [one for place, one in enumerate(tariff.classes) if place in there]
    if len(kept) == len(tariff.classes):
        return tariff
    return kept[0].tariff if len(kept) == 1 else with_classes(kept)


def called(tariff: "Tariff") -> str:
    """Name of a tariff among others; one with rate classes is not the tariff of its default class."""
    return f"{tariff.name} and rate classes" if tariff.classes else tariff.name


def require_one_tariff(tariff: "Tariff", what: str) -> None:
    """Raise ``ValueError`` where there are rate classes, for ``what`` that cannot hold them."""
    if tariff.classes:
        names = ", ".join(one.name for one in tariff.classes)
        raise ValueError(
            f"{what} knows no rate classes, and there are {names}; put everybody on one tariff, such as {tariff.name}"
        )


def require_plain(tariff: "Tariff", what: str) -> None:
    """Raise ``ValueError`` where a tariff has components (`meanwatt.agents.tariff.components.component`)."""
    names = list(dict.fromkeys(part.name for one in tariff.class_tariffs for part in one.components))
    if names:
        raise ValueError(
            f"tariff {tariff.name} has {' and '.join(names)}, which {what} cannot hold; give another tariff, or leave"
            " them out"
        )


def require_classes(tariff: "Tariff") -> None:
    """Raise ``ValueError`` unless the rate classes of a tariff fit one another, and the first is the tariff itself."""
    names: set[str] = set()
    seen: list[RateClass] = []
    for one in tariff.classes:
        shape = (one.tariff.energy_usd_per_kwh.shape, one.tariff.discount.shape)
        if shape != (tariff.energy_usd_per_kwh.shape, tariff.discount.shape) or one.tariff.classes:
            raise ValueError(f"rate class {one.name}: tariff {one.tariff.name} is not of the size of {tariff.name}")
        if one.name in names:
            raise ValueError(f"rate class {one.name} comes twice; give every name once")
        if one.tariff.recovery not in (tariff.recovery, "posted"):
            raise ValueError(
                f"rate class {one.name}: tariff {one.tariff.name} has recovery {one.tariff.recovery}, others"
                f" {tariff.recovery}; one rule balances the utility: give all the same, or posted to those that keep"
                " their rates"
            )
        for other in seen:
            apart = _apart(one.branch, other.branch) or _apart(one.envelope, other.envelope)
            if apart or one.chosen != other.chosen:
                continue
            for technology, group in sorted(one.members & other.members):
                raise ValueError(
                    f"rate class {one.name}: technology {technology} of income group number {group} has another class"
                )
        names.add(one.name)
        seen.append(one)
    if tariff.classes and not _is_first(tariff, tariff.classes[0].tariff):
        raise ValueError(
            f"tariff {tariff.name} has rate classes, and is no longer its class {tariff.classes[0].name}; change the"
            " class's tariff, and put the classes together anew"
        )


def _apart(one: str | None, other: str | None) -> bool:
    """Whether two places have nobody in common; None is any."""
    return one is not None and other is not None and one != other


def _is_first(tariff: "Tariff", first: "Tariff") -> bool:
    """Whether all fields that are the first class's are so."""
    import numpy as np  # by whoever has a tariff; a command that names this module may end before it reads one

    pairs = ((getattr(tariff, name), getattr(first, name)) for name in tariff.__slots__ if name not in OF_THE_WHOLE)
    return all(np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b for a, b in pairs)
