"""``meanwatt import tariff``: a tariff as filed as one of our files, or as a tariff of a scenario."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from meanwatt.analysis.cli.options import one_of

if TYPE_CHECKING:
    from meanwatt.agents.tariff.ratebook.ratebook import EnergyCharge
    from meanwatt.model.billing.ratebook_source import RatebookFile
    from meanwatt.model.scenario.messages import Messages

CHOICES: Final = ("territory", "discount", "export", "metering")
"""Options that have no meaning without ``--scenario``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffOptions:
    """Options of ``import tariff`` beside the file and ``--to``, as they are given."""

    scenario: str | None = None
    territory: str | None = None
    discount: str | None = None
    export: str | None = None
    metering: str | None = None

    def given(self) -> dict[str, str]:
        """Those that are given, by name."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}


def import_tariff(file: str, target: Path, options: TariffOptions, *, json: bool) -> dict[str, Any]:
    """Import a tariff; what to say of it as JSON."""
    from meanwatt.analysis.cli.show import say, say_notes
    from meanwatt.model.billing.ratebook_source import Choices, load_ratebook

    if options.scenario is None:
        for name in CHOICES:
            if name in options.given():
                raise ValueError(f"--{name} is for a tariff of a scenario; give --scenario, too, or leave it out")
        read = load_ratebook(file)
        messages: Messages = (*read.messages, *_ladders(read.book.energy))
        _write(target, read)
    else:
        if target.suffix.lower() != ".toml":
            raise ValueError(f"--to is {str(target)!r}; give a file name that ends in .toml, for a scenario's tariff")
        choices = Choices(territory=options.territory, discount=options.discount, export=options.export)
        read = load_ratebook(file, choices)
        messages = (*read.messages, *_write_for_scenario(file, target, read, options))
    if not json:
        say(f"{target}: {read.book.title}" + (f", for scenario {options.scenario}" if options.scenario else ""))
        say_notes(messages)
    return {
        "title": read.book.title,
        "periods": list(read.book.energy.names),
        "demand": [charge.name for charge in read.book.demand],
        "messages": messages,
    }


def _write(target: Path, read: "RatebookFile") -> None:
    from meanwatt.analysis.output.result_files import staged_file
    from meanwatt.model.billing.ratebook_source import write_ratebook

    with staged_file(target) as stage:
        write_ratebook(stage, read.table)


def _write_for_scenario(file: str, target: Path, read: "RatebookFile", options: TariffOptions) -> "Messages":
    """Write what the scenario can say of a tariff; what it leaves out."""
    from meanwatt.agents.tariff.ratebook.ratebook import Metering
    from meanwatt.analysis.output.result_files import staged_file
    from meanwatt.model.billing.scenario_tariff import scenario_tariff
    from meanwatt.model.scenario.economy import build_economy
    from meanwatt.model.scenario.loading import load_scenario
    from meanwatt.model.scenario.toml_text import toml_text

    rule = None
    if options.metering is not None:
        rule = Metering(one_of("--metering", options.metering, [one.value for one in Metering]))
    assert options.scenario is not None
    economy = build_economy(load_scenario(options.scenario), on_branches=True)
    try:
        found = scenario_tariff(read, economy, rule)
    except ValueError as error:
        raise ValueError(f"tariff {file} {error}") from None
    with staged_file(target) as stage:
        stage.write_text(toml_text(found.table.model_dump(exclude_defaults=True)), encoding="utf-8")
    return found.messages


def _ladders(energy: "EnergyCharge") -> list[str]:
    """Say on which ladder kWh climb, which programs read differently."""
    if not energy.tiered or len(energy.names) == 1 or energy.tier_scope.value != "month":
        return []
    return [
        'The kWh of all periods climb one ladder of tiers (tier_scope = "month"); if each period has its own, write'
        ' "period".'
    ]
