"""``meanwatt tariffs``: the gallery of filed tariffs, one of them, or one as a file."""

from pathlib import Path
from typing import Annotated, Final

import typer

from meanwatt.analysis.cli.options import Json

ENDINGS: Final = (".toml", ".json", ".svg")
"""Of a file to write: ours, a record of OpenEI's Utility Rate Database, a picture."""


def tariffs(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="Show this tariff; all are listed without.", show_default=False),
    ] = None,
    *,
    toml: Annotated[bool, typer.Option("--toml", help="Print it as our TOML file, to begin your own with.")] = False,
    urdb: Annotated[
        bool, typer.Option("--urdb", help="Print it as a JSON record of OpenEI's Utility Rate Database.")
    ] = False,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write it to a file instead: .toml is ours, .json a record of OpenEI's database, .svg a picture of its"
            " rates by month and hour.",
        ),
    ] = None,
    json: Json = False,
) -> int:
    """List the filed tariffs that meanwatt bill knows by name, show one, or write one as a file."""
    asked = [
        option
        for option, given in (("--toml", toml), ("--urdb", urdb), ("--to", to is not None), ("--json", json))
        if given
    ]
    if len(asked) > 1 and set(asked) != {"--to", "--json"}:
        raise ValueError(f"{' and '.join(asked)} are given; give one of them")
    if name is None:
        if asked and asked != ["--json"]:
            raise ValueError(f"{asked[0]} needs the NAME of a tariff; meanwatt tariffs lists them")
        _list(json)
    elif to is not None:
        _write(name, Path(to), json)
    elif toml:
        from meanwatt.analysis.cli.show import say
        from meanwatt.model.billing.tariff_gallery import gallery_text

        say(gallery_text(name).rstrip("\n"))
    elif urdb:
        _print_record(name)
    else:
        _show(name, json)
    return 0


def _list(json: bool) -> None:
    from meanwatt.analysis.cli.show import print_json, say
    from meanwatt.analysis.reference.gallery import gallery_rows

    rows = gallery_rows()
    if json:
        print_json({"tariffs": rows, "messages": []})
        return
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        doubt = "; not all numbers certain" if row["status"] == "uncertain" else ""
        say(f"{row['name']:{width}}  {row['title']}; as of {row['as_of']}{doubt}")
    say("\nOne of them: meanwatt tariffs NAME. A bill under it: meanwatt bill NAME --load FILE.csv")


def _show(name: str, json: bool) -> None:
    from meanwatt.analysis.cli.show import print_json
    from meanwatt.analysis.reference.gallery import gallery_tariff, whole_tariff

    read = gallery_tariff(name)
    found = whole_tariff(name, read)
    if json:
        print_json({**found, "messages": read.messages})
        return
    from meanwatt.analysis.cli.tariffs_page import say_tariff

    say_tariff(found)


def _print_record(name: str) -> None:
    from meanwatt.analysis.cli.show import print_json
    from meanwatt.analysis.reference.gallery import gallery_tariff
    from meanwatt.model.billing.urdb_writer import record_of_table

    print_json(record_of_table(gallery_tariff(name).table))


def _write(name: str, target: Path, json: bool) -> None:
    """Write a tariff as the kind of file that its name says."""
    from meanwatt.analysis.cli.show import print_json, say
    from meanwatt.analysis.figures.tariff_picture import tariff_picture
    from meanwatt.analysis.output.result_files import require_free_file, staged_file
    from meanwatt.analysis.reference.gallery import gallery_tariff, whole_tariff
    from meanwatt.model.billing.ratebook_source import write_ratebook
    from meanwatt.model.billing.tariff_gallery import gallery_text

    ending = target.suffix.lower()
    if ending not in ENDINGS:
        raise ValueError(f"--to is {str(target)!r}; give a file name that ends in .toml, .json or .svg")
    read = gallery_tariff(name)
    require_free_file("--to", target)
    with staged_file(target) as stage:
        if ending == ".toml":
            stage.write_text(gallery_text(name), encoding="utf-8")
        elif ending == ".json":
            write_ratebook(stage, read.table)
        else:
            found = whole_tariff(name, read)
            picture = tariff_picture(found["weekday_usd_per_kwh"], f"{read.table.title}, weekdays", found["currency"])
            stage.write_text(picture, encoding="utf-8")
    if json:
        print_json({"file": str(target), "name": name, "title": read.table.title, "messages": read.messages})
    else:
        say(f"{target}: {read.table.title}")
