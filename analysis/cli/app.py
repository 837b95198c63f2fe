"""``meanwatt app``: the browser app on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meanwatt.analysis.cli import quick_start
from meanwatt.analysis.cli.options import Tariff, whole_number
from meanwatt.model.scenario.ranges import PORT, VISITORS

if TYPE_CHECKING:
    from meanwatt.analysis.dashboard.shared.settings import Settings
    from meanwatt.model.scenario.loading import Scenario


def app(
    scenario: Annotated[
        str | None,
        typer.Argument(
            metavar="[SCENARIO]", help="Open on this preset, or a scenario's TOML file.", show_default=False
        ),
    ] = None,
    *,
    tariff: Tariff = None,
    port: Annotated[str, typer.Option(metavar="P", help="Port to listen on; 0 takes any free one.")] = "8765",
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen at; 0.0.0.0 lets other machines in.")
    ] = "localhost",
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Also answer to this name, e.g. a proxy's; may be repeated."),
    ] = None,
    rooms: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="SQLite file of the class market's rooms; by default in your data folder."),
    ] = None,
    visitors: Annotated[
        str, typer.Option(metavar="N", help="Pages open at a time, but for the class market's; about 10 MB each.")
    ] = "100",
    demo: Annotated[bool, typer.Option("--demo", help="Play a tour of two minutes; any key or click ends it.")] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser window.")] = False,
) -> int:
    """Open the app in a browser; it runs on this machine until Ctrl-C."""
    number = whole_number("--port", port, PORT, example=8765)
    most = whole_number("--visitors", visitors, VISITORS, example=100)
    quick_start.over()
    from meanwatt.analysis.classroom.store import RoomStore
    from meanwatt.analysis.dashboard.server import serve

    file = Path(rooms) if rooms is not None else None
    opening = _opening(scenario, tariff)  # what cannot be used is said now, and not to a visitor
    if file is not None:
        RoomStore(file).close()  # nor to a class
    return serve(
        number,
        not no_browser,
        host=host,
        names=allow_host or (),
        rooms=file,
        opening=opening,
        visitors=most,
        demo=demo,
    )


def _opening(scenario: str | None, tariff: str | None) -> "Settings | None":
    """What the app opens with; a scenario or tariff of a file gets a name that visitors can choose."""
    from meanwatt.analysis.dashboard.shared.own_scenarios import give, own_scenario
    from meanwatt.analysis.dashboard.shared.settings import LANDING_SCENARIO, Settings
    from meanwatt.model.scenario.loading import presets

    if scenario is None and tariff is None:
        return None
    found = own_scenario(LANDING_SCENARIO if scenario is None else scenario, tariff)
    give([] if found.name in presets() else [found])
    return Settings(scenario=found.name, tariff=_in_force(found))


def _in_force(found: "Scenario") -> str:
    """What a scenario's tariff in force, or its rate classes, are chosen by."""
    from meanwatt.analysis.dashboard.shared.class_tariffs import class_choice

    return (class_choice(found) if found.has_rate_classes else "") or found.selected_tariff
