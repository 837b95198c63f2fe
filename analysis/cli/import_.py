"""``meanwatt import``: a file of somebody else's kind as one of ours, and back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from meanwatt.analysis.cli.options import Json
from meanwatt.model.scenario.nearest import unknown

if TYPE_CHECKING:
    from meanwatt.agents.tariff.ratebook.ratebook import EnergyCharge

KINDS: Final = ("tariff",)
"""What can be imported."""
TARIFF_FILES: Final = (".toml", ".json")
"""Endings of a tariff's file: ours, and a record of OpenEI's Utility Rate Database."""


def import_(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="What the file holds: tariff.", show_default=False)],
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A tariff as filed: a JSON record of OpenEI's Utility Rate Database, or our TOML file.",
            show_default=False,
        ),
    ],
    *,
    to: Annotated[
        str,
        typer.Option(
            metavar="FILE", help="File to write; a name that ends in .toml or .json says the kind.", show_default=False
        ),
    ],
    json: Json = False,
) -> int:
    """Turn a file of another program's kind into one of ours, or back; nothing is lost on the way."""
    if kind not in KINDS:
        raise ValueError(unknown("kind", kind, KINDS))
    target = Path(to)
    if target.suffix.lower() not in TARIFF_FILES:
        raise ValueError(f"--to is {to!r}; give a file name that ends in .toml or .json")
    from meanwatt.analysis.cli.show import print_json, say, say_notes
    from meanwatt.analysis.output.result_files import require_free_file, staged_file
    from meanwatt.model.billing.ratebook_source import load_ratebook, write_ratebook

    require_free_file("--to", target)
    read = load_ratebook(file)
    messages = (*read.messages, *_ladders(read.book.energy))
    with staged_file(target) as stage:
        write_ratebook(stage, read.table)
    if json:
        print_json(
            {
                "file": str(target),
                "title": read.book.title,
                "periods": list(read.book.energy.names),
                "demand": [charge.name for charge in read.book.demand],
                "messages": messages,
                "settings": {"kind": kind, "file": file, "to": to},
            }
        )
    else:
        say(f"{target}: {read.book.title}")
        say_notes(messages)
    return 0


def _ladders(energy: "EnergyCharge") -> list[str]:
    """Say on which ladder kWh climb, which programs read differently."""
    if not energy.tiered or len(energy.names) == 1 or energy.tier_scope.value != "month":
        return []
    return [
        'The kWh of all periods climb one ladder of tiers (tier_scope = "month"); if each period has its own, write'
        ' "period".'
    ]
