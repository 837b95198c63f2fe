"""``meanwatt app``: the browser app on this machine."""

from typing import Annotated

import typer

from meanwatt.analysis.cli import quick_start
from meanwatt.analysis.cli.options import whole_number
from meanwatt.model.scenario.ranges import PORT


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
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser window.")] = False,
) -> int:
    """Open the app in a browser; it runs on this machine until Ctrl-C."""
    number = whole_number("--port", port, PORT, example=8765)
    quick_start.over()
    from meanwatt.analysis.dashboard.server import serve

    return serve(number, not no_browser, host=host, names=allow_host or ())
