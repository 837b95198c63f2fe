"""Rate classes of a scenario: who has which of its tariffs, and the tariff of them all together."""

from itertools import product
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from meanwatt.model.scenario import ranges
from meanwatt.model.scenario.branches import DEFAULT
from meanwatt.model.scenario.marks import AddedLater, Form
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.tariff_file import Table, Texts
from meanwatt.model.scenario.technologies import TECHNOLOGIES, technology_shares
from meanwatt.model.scenario.values import show

if TYPE_CHECKING:
    from meanwatt.model.scenario.schema import Scenario

__all__ = ["DEFAULT", "Member", "RateClassTable", "check_rate_classes", "members_of"]

Member = tuple[str, int]
"""Technology, and place of the income group."""


LONGEST: Final = 60
"""Letters of a class's name at most."""
UNFIT: Final = '/\\.=:*?"<>|'
"""What a class's name may not hold: a design writes ``tariff_CLASS.toml``, and keys are ``rate_classes.CLASS.KEY``."""


class RateClassTable(Table):
    """``[rate_classes.NAME]``: households that share one of the scenario's tariffs; all others have the default one."""

    tariff: str
    """Name of their tariff."""
    technologies: Annotated[Texts, Form("a list of technologies in quotes; without it, or empty, all")] = Field(
        default_factory=tuple
    )
    """Technologies of the households in it."""
    income_groups: Annotated[Texts, Form("a list of income groups in quotes; without it, or empty, all")] = Field(
        default_factory=tuple
    )
    """Income groups of the households in it."""
    opt_in_share: Annotated[float | None, ranges.OPT_IN_SHARE, AddedLater()] = None
    """Share of these households that chose it; the others are in the class that holds them without it. All are in it
    unless given; ``adoption`` moves the share."""


def members_of(scenario: "Scenario") -> dict[str, frozenset[Member]]:
    """Who is in each rate class, the default one first; without rate classes everybody is in that.

    A class that households choose holds none by what they are: `opted_in` says who chose it.

    Raises
    ------
    ValueError
        In one line, if two classes hold the same households, or a name is unknown.
    """
    groups = list(scenario.income_groups)
    everybody = frozenset(product((technology.name for technology in TECHNOLOGIES), range(len(groups))))
    found: dict[str, frozenset[Member]] = {}
    owner: dict[Member, str] = {}
    for name, table in scenario.rate_classes.items():
        technologies = table.technologies or tuple(technology.name for technology in TECHNOLOGIES)
        if table.opt_in_share is not None:
            found[name] = frozenset()
            continue
        own = frozenset(product(technologies, (groups.index(group) for group in table.income_groups or groups)))
        for technology, group in sorted(own & owner.keys()):
            raise ValueError(
                f"rate_classes.{name} and rate_classes.{owner[technology, group]} both hold technology {technology} of"
                f" income group {groups[group]}; leave it out of one"
            )
        owner |= dict.fromkeys(own, name)
        found[name] = own
    return {DEFAULT: everybody - owner.keys(), **found}


def opted_in(scenario: "Scenario") -> dict[Member, tuple[str, float]]:
    """Rate class that members may choose, and the share of them that did, where there is one and it is in force.

    Raises
    ------
    ValueError
        In one line, if two such classes are open to the same households.
    """
    groups = list(scenario.income_groups)
    found: dict[Member, tuple[str, float]] = {}
    for name, table in scenario.rate_classes.items() if scenario.has_rate_classes else ():
        if table.opt_in_share is None:
            continue
        technologies = table.technologies or tuple(technology.name for technology in TECHNOLOGIES)
        for one in product(technologies, (groups.index(group) for group in table.income_groups or groups)):
            if one in found:
                raise ValueError(
                    f"rate_classes.{name} and rate_classes.{found[one][0]} are both open to technology {one[0]} of"
                    f" income group {groups[one[1]]} (opt_in_share); households choose between two classes, so leave it"
                    " out of one"
                )
            found[one] = name, table.opt_in_share
    return found


def check_rate_classes(scenario: "Scenario") -> None:
    """Raise ``ValueError``, in one line, unless every household has exactly one class, and every class households."""
    if not scenario.rate_classes:
        return
    known = [technology.name for technology in TECHNOLOGIES]
    for name, table in scenario.rate_classes.items():
        key = f"rate_classes.{name}"
        if name == DEFAULT:
            raise ValueError(
                f"{key}: that is whom no other class names, and their tariff is default_tariff; give it another name"
            )
        _require_name(name)
        if table.tariff not in scenario.tariffs:
            raise ValueError(f"{key}.tariff: {unknown('tariff', table.tariff, scenario.tariffs)}")
        if not (table.technologies or table.income_groups) and table.opt_in_share is None:
            raise ValueError(
                f"{key} names nobody; give technologies or income_groups (whom no class names has default_tariff)"
            )
        for kind, given, valid in (
            ("technology", table.technologies, known),
            ("income group", table.income_groups, list(scenario.income_groups)),
        ):
            for one in given:
                if one not in valid:
                    raise ValueError(f"{key}: {unknown(kind, one, valid)}")
    opted_in(scenario)
    _require_households(scenario, members_of(scenario))
    _require_one_rule(scenario)


def _require_name(name: str) -> None:
    """Raise ``ValueError`` for a name that no file and no key can hold."""
    if not name.strip() or len(name) > LONGEST or any(one in UNFIT or not one.isprintable() for one in name):
        raise ValueError(
            f"rate_classes: name {show(name)} would be part of keys and of files' names; give at most {LONGEST}"
            f" letters, none of {' '.join(UNFIT)}"
        )


def _require_households(scenario: "Scenario", members: dict[str, frozenset[Member]]) -> None:
    """Raise ``ValueError`` if a class holds no household type of positive share."""
    shares = [
        {name: group.share * part for name, part in technology_shares(scenario, group).items()}
        for group in scenario.income_groups.values()
    ]
    for name, own in members.items():
        if name != DEFAULT and scenario.rate_classes[name].opt_in_share is not None:
            continue
        if any(shares[group][technology] > 0 for technology, group in own):
            continue
        if name == DEFAULT:
            raise ValueError(
                f"rate_classes leave nobody to default_tariff {scenario.default_tariff}; leave out one of them, and"
                " make its tariff the default_tariff"
            )
        raise ValueError(
            f"rate_classes.{name} is empty: no household of the scenario has such a technology and income group;"
            " leave it out, or name others"
        )


def _require_one_rule(scenario: "Scenario") -> None:
    """Raise ``ValueError`` if two rules of recovery would balance one utility."""
    tariff_of = {DEFAULT: scenario.default_tariff, **{name: t.tariff for name, t in scenario.rate_classes.items()}}
    rules = {name: scenario.tariffs[tariff].recovery for name, tariff in tariff_of.items()}
    balancing = {name: rule for name, rule in rules.items() if rule != "posted"}
    for name, rule in balancing.items():
        first = next(iter(balancing))
        if rule != balancing[first]:
            raise ValueError(
                f"rate class {first} has tariff {tariff_of[first]} with recovery {balancing[first]}, {name} has"
                f" {tariff_of[name]} with {rule}, but one rule balances the utility; give both the same recovery, or"
                " posted to the one that keeps its rates"
            )
