"""``meanwatt app``: the browser app on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from meanwatt.analysis.cli import quick_start
from meanwatt.analysis.cli.options import whole_number
from meanwatt.model.scenario.ranges import PORT, VISITORS


def app(
    *,
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
    if file is not None:
        RoomStore(file).close()  # what cannot be used is said now, and not to a class
    return serve(number, not no_browser, host=host, names=allow_host or (), rooms=file, visitors=most, demo=demo)
