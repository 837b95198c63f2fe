"""A user's family of tariffs: one family for every combination of the places of its windows, a single one without.

Where the scenario has rate classes in force every member has them, too, each class as in force but for its own keys.
"""

from dataclasses import dataclass

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.model.mean_field.leader.class_family import (
    ClassFamily,
    ClassPart,
    class_files,
    names_classes,
    require_classes_in_force,
    typed_places,
)
from meanwatt.model.mean_field.leader.one_tariff_family import OwnFamily, own_family, require_member, rest_of_day
from meanwatt.model.mean_field.leader.user_family import UserFamily
from meanwatt.model.mean_field.leader.window_combinations import (
    Combination,
    WindowCombinations,
    window_combinations,
)
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.family_file import FamilyError, FamilyFile
from meanwatt.model.scenario.rate_classes import DEFAULT, members_of
from meanwatt.model.scenario.schema import Scenario


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OwnFamilies:
    """A user's family: one `UserFamily` for every combination of windows, a single one without windows.

    Attributes
    ----------
    file
        What the user wrote.
    scenario
        Whose tariffs in force the family changes.
    combinations
        Where the windows may lie; a single, empty one without windows.
    rest
        Name of the rest of the day; empty without windows.
    by_class
        What the file says of every rate class in force; of the default class alone where everybody has one tariff.
    """

    file: FamilyFile
    scenario: Scenario
    combinations: WindowCombinations
    rest: str
    by_class: dict[str, FamilyFile]

    def family(self, combination: Combination) -> UserFamily:
        """The family whose windows have their place."""
        scenario = self.scenario
        if not scenario.has_rate_classes:
            return own_family(scenario, scenario.selected_tariff, self.file, combination)
        members = members_of(scenario)
        parts = tuple(
            ClassPart(
                name=name,
                members=members[name],
                family=self._of_class(name, own, combination),
                places=typed_places(self.file, name, own),
            )
            for name, own in self.by_class.items()
        )
        return ClassFamily(
            free=tuple(self.file.free),
            low=self._bounds(0),
            high=self._bounds(1),
            windows=combination if self.file.windows else {},
            parts=parts,
        )

    def _of_class(self, name: str, own: FamilyFile, combination: Combination) -> OwnFamily:
        try:
            return own_family(self.scenario, self.base_of(name), own, combination)
        except ValueError as error:
            raise ValueError(f"rate class {name}: {str(error).removeprefix(f'{own.label}: ')}") from None

    def base_of(self, name: str) -> str:
        """Name of the tariff in force of a rate class."""
        return self.scenario.selected_tariff if name == DEFAULT else self.scenario.rate_classes[name].tariff

    def _bounds(self, end: int) -> Floats:
        return np.array([bounds[end] for bounds in self.file.free.values()])

    @property
    def first(self) -> UserFamily:
        """The family of the first combination."""
        return self.family(self.combinations.allowed[0])

    @property
    def is_single(self) -> bool:
        """Whether the windows have one place only."""
        return len(self.combinations.allowed) == 1


def own_families(economy: Economy, file: FamilyFile) -> OwnFamilies:
    """Meet a family's file with a scenario and its tariffs in force.

    Raises
    ------
    FamilyError
        In one line: a key that the tariff has not, a value out of its range, a window without a rate, a rate class that
        is not there, and the like.
    """
    scenario = economy.scenario
    try:
        if names_classes(file):
            require_classes_in_force(scenario, file)
        by_class = class_files(scenario, file) if scenario.has_rate_classes else {DEFAULT: file}
        rests = {rest_of_day(scenario, one): name for name, one in by_class.items() if one.windows}
        if len(rests) > 1:
            raise ValueError(
                f"the rest of the day is called {' and '.join(rests)} in classes {' and '.join(rests.values())}; give"
                " it one name"
            )
        combinations = WindowCombinations(allowed=({},), skipped=0)
        if file.windows:
            combinations = window_combinations(file.windows, scenario.slots_per_day)
        families = OwnFamilies(
            file=file, scenario=scenario, combinations=combinations, rest=next(iter(rests), ""), by_class=by_class
        )
        _require_corners(families)
        return families
    except FamilyError:
        raise
    except ValueError as error:
        raise FamilyError(f"{file.label}: {str(error).removeprefix(f'{file.label}: ')}") from None


def _require_corners(families: OwnFamilies) -> None:
    """Raise ``ValueError`` in one line unless both corners of the first family are tariffs."""
    family = families.first
    adders = [name for name, one in family.tables_of(family.low).items() if one.branch_adder_usd_per_kwh]
    if families.file.windows and adders:
        raise ValueError(
            f"windows are given and the tariff of class {adders[0]} has branch_adder_usd_per_kwh, which the bounds of"
            " a search for windows do not hold; give the periods in the tariff in force, and leave out [windows]"
        )
    for place in ("low", "high"):
        parameters = getattr(family, place)
        if isinstance(family, OwnFamily):
            require_member(family, parameters)
        if not isinstance(family, ClassFamily):
            continue
        for one in family.parts:
            try:
                require_member(one.family, parameters[list(one.places)])
            except ValueError as error:
                raise ValueError(f"rate class {one.name}: {error}") from None
        family.tariff(parameters)
