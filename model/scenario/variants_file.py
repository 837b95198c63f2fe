"""Variants of a scenario that a leader is unsure between, as people write them, and how it weighs them.

    measure = "cvar"              # or "worst", the worst case
    alpha = 0.5                   # of cvar: share of the weight, the best of it, that does not count

    [[variants]]
    name = "as it is"
    weight = 2

    [[variants]]
    name = "dear supply"
    weight = 1
    set = { "supply.coefficients" = [0.07, 0.10] }

Keys under ``set`` are those of ``--set`` less those under ``tariff``: a variant is another world, not another tariff.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from meanwatt.model.scenario.branches import branch_names
from meanwatt.model.scenario.files import FileError, TomlTable, read_toml
from meanwatt.model.scenario.loading import load_scenario
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.one_line import OneLineError
from meanwatt.model.scenario.ranges import SHARE, Range, written
from meanwatt.model.scenario.schema import Scenario
from meanwatt.model.scenario.values import finite, show

KEYS: Final = ("measure", "alpha", "variants")
VARIANT_KEYS: Final = ("name", "weight", "set")
VARIANT: Final = "variant"
WORST: Final = "worst"
CVAR: Final = "cvar"
MEASURES: Final = (WORST, CVAR)
WEIGHTS: Final = Range(1e-9, 1e9)
"""Of a variant, relative to the others."""
MOST: Final = 50
"""Variants in a file; each is a search of its own."""
OF_TARIFFS: Final = ("tariff", "tariffs", "default_tariff", "rate_classes", "rate_classes_in_force")
"""Tables and keys that say what is posted."""
SHARED: Final = ("slots_per_day", "day_types", "income_groups")
"""What a tariff's numbers are by: the same in all variants."""


class VariantsError(OneLineError):
    """Variants that cannot be used, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VariantEntry:
    """One variant of a file.

    Attributes
    ----------
    name
        What it is called.
    weight
        Share of the weight of all variants.
    overrides
        Dotted key of a scenario → value; empty for the scenario as it is.
    """

    name: str
    weight: float
    overrides: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VariantsFile:
    """What a file of variants says.

    Attributes
    ----------
    label
        Name of the file in messages.
    measure
        ``worst`` or ``cvar``.
    alpha
        Share of the weight, the best of it, that does not count: 0 is the mean of all, 1 the worst case.
    variants
        In the order of the file.
    total_weight
        Sum of the weights as given.
    """

    label: str
    measure: str
    alpha: float
    variants: tuple[VariantEntry, ...]
    total_weight: float

    def scenarios(self, scenario: Scenario) -> tuple[Scenario, ...]:
        """The variants of a scenario, in order.

        Raises
        ------
        VariantsError
            In one line: a key that it has not, a value out of its range, other day types, slots or income groups.
        """
        return tuple(self._scenario(scenario, one) for one in self.variants)

    def _scenario(self, scenario: Scenario, one: VariantEntry) -> Scenario:
        place = f"{self.label}: {variant_called(one.name)}"
        try:
            changed = load_scenario(scenario, overrides=one.overrides)
        except ValueError as error:
            raise VariantsError(f"{place}: {str(error).removeprefix(f'scenario {scenario.name}: ')}") from None
        for key in SHARED:
            before, after = (_names(getattr(each, key)) for each in (scenario, changed))
            if before != after:
                raise VariantsError(
                    f"{place}: {key} is {show(after)}, and the scenario's {show(before)}; one tariff is posted in all"
                    f" variants, so leave {key} as it is"
                )
        before, after = (list(branch_names(each)) for each in (scenario, changed))
        if before != after:
            raise VariantsError(
                f"{place}: the feeder's branches are {show(after)}, and the scenario's {show(before)}; one tariff is"
                " posted in all variants, so leave their names as they are"
            )
        return changed


def variant_called(name: str) -> str:
    """A variant in a sentence; one without a name of its own is ``variant 2`` already."""
    return name if name.startswith(f"{VARIANT} ") else f"{VARIANT} {name}"


def load_variants(path: str | Path) -> VariantsFile:
    """Read variants from a TOML file.

    Raises
    ------
    VariantsError
        In one line that names the file, the key and what is allowed.
    """
    label = f"variants {path}"
    try:
        return variants_of_table(read_toml(Path(path)), label)
    except FileError as error:
        raise VariantsError(f"{label}: {error}") from None


def variants_of_table(table: TomlTable, label: str = "variants") -> VariantsFile:
    """Check a table of variants as far as it can be without a scenario; ``VariantsError`` as for `load_variants`."""
    try:
        return _file(table, label)
    except ValueError as error:
        raise VariantsError(f"{label}: {error}") from None


def _file(table: TomlTable, label: str) -> VariantsFile:
    for key in table:
        if key not in KEYS:
            raise ValueError(unknown("key", key, KEYS))
    measure = table.get("measure", WORST)
    if measure not in MEASURES:
        raise ValueError(f"measure is {show(measure)}; give {' or '.join(map(repr, MEASURES))}")
    if measure == CVAR and "alpha" not in table:
        raise ValueError("alpha is missing, which measure 'cvar' needs; give a number from 0 (mean) to 1 (worst case)")
    if measure == WORST and "alpha" in table:
        raise ValueError("alpha goes with measure 'cvar'; leave it out, or give measure = \"cvar\"")
    alpha = finite(table.get("alpha", 1.0), "alpha")
    if not SHARE.holds(alpha):
        raise ValueError(f"alpha is {written(alpha)}; give a number from 0 (the mean) to 1 (the worst case)")
    entries = _entries(table.get("variants"))
    total = sum(one.weight for one in entries)
    return VariantsFile(
        label=label,
        measure=measure,
        alpha=alpha,
        variants=tuple(
            VariantEntry(name=one.name, weight=one.weight / total, overrides=one.overrides) for one in entries
        ),
        total_weight=total,
    )


def _entries(rows: Any) -> list[VariantEntry]:
    if rows is None:
        raise ValueError('there is no variant; give some, each as a table [[variants]] with name = "…" and weight = 1')
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise ValueError(f"variants is {show(rows)}; give a list of tables, each under [[variants]]")
    if not 1 <= len(rows) <= MOST:
        raise ValueError(f"there are {len(rows)} variants; give from 1 to {MOST}")
    entries: list[VariantEntry] = []
    for number, row in enumerate(rows, start=1):
        entry = _entry(row, number)
        if any(entry.name == other.name for other in entries):
            raise ValueError(f"variant {number}: name {show(entry.name)} comes twice; give every variant its own")
        entries.append(entry)
    return entries


def _entry(row: Mapping[str, Any], number: int) -> VariantEntry:
    place = f"{VARIANT} {number}"
    for key in row:
        if key not in VARIANT_KEYS:
            raise ValueError(f"{place}: {unknown('key', key, VARIANT_KEYS)}")
    name = row.get("name", place)
    if not isinstance(name, str) or not name.strip() or len(name) > 60:
        raise ValueError(f"{place}: name is {show(name)}; give a word or a few, at most 60 letters")
    weight = finite(row.get("weight", 1.0), f"{place}: weight")
    if not WEIGHTS.holds(weight):
        raise ValueError(f"{place}: weight is {written(weight)}; give {WEIGHTS.wanted()}, or leave the variant out")
    changes = row.get("set", {})
    if not isinstance(changes, Mapping):
        raise ValueError(f"{place}: set is {show(changes)}; give a table, e.g. set = {{ pv_scale = 2.0 }}")
    return VariantEntry(name=" ".join(name.split()), weight=weight, overrides=dict(_leaves(changes, place)))


def _leaves(table: Mapping[str, Any], place: str, inside: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and values, however the tables are nested."""
    for name, value in table.items():
        key = f"{inside}{name}"
        if key.split(".")[0] in OF_TARIFFS:
            raise ValueError(
                f"{place}: key {key!r} is the tariff's, which is the same in all variants; leave it out, or give"
                " --set or --family"
            )
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, place, f"{key}.")
        else:
            yield key, value


def _names(value: Any) -> Any:
    """The names in a table, in order, or the value itself."""
    return list(value) if isinstance(value, Mapping) else value
