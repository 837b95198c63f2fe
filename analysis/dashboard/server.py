"""Serving the page: settings of the web framework first, then the framework, then a warm start."""

import contextlib
import logging
import os
import socket
import sys
import threading
import time
import warnings
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path

from meanwatt.agents.early_mesa import load_mesa
from meanwatt.analysis.dashboard.serving.addresses import links
from meanwatt.analysis.dashboard.serving.kernels import SolaraKernels
from meanwatt.analysis.dashboard.serving.not_found import OwnNotFound
from meanwatt.analysis.dashboard.serving.own_origin import EVERY_ADDRESS, App, OwnOrigin
from meanwatt.analysis.dashboard.serving.visitors import MOST_VISITORS, Visitors
from meanwatt.analysis.dashboard.shared.settings import Settings
from meanwatt.analysis.dashboard.tour.words import ADDRESS

HOST = "localhost"
ENVIRONMENT = {
    "SOLARA_APP": "meanwatt.analysis.dashboard.pages",
    "SOLARA_MODE": "production",  # otherwise every page loads a frame from another host
    "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "False",  # on by default
    "SOLARA_THEME_SHOW_BANNER": "False",
    "SOLARA_THEME_TITLE": "Meanwatt",
    "SOLARA_THEME_LOADER": "plain",
    "MEANWATT_PLAIN_PAGES": "yes",  # the class market is served beside Solara's pages, and listed among them
    "SOLARA_KERNEL_CULL_TIMEOUT": "10m",  # a play loop that lost its tab runs until then; 24 h by default
}
"""What the web framework and the pages must know before they are imported; what the caller has set already is kept."""

WEBSOCKET_BYTES = 2**24
"""Longest message of a browser."""
VISITOR_SECONDS = 10.0
"""What a visitor who is there already has to himself, before the warm start goes on with what can come later."""

logger = logging.getLogger(__name__)


def serve(
    port: int,
    open_browser: bool,
    *,
    host: str = HOST,
    names: Sequence[str] = (),
    rooms: Path | None = None,
    opening: Settings | None = None,
    visitors: int = MOST_VISITORS,
    demo: bool = False,
) -> int:
    """Serve the page until interrupted.

    Parameters
    ----------
    port
        Port to listen on; 0 takes a free one.
    open_browser
        Whether to open a browser window once the page answers.
    host
        Address to listen at: this machine alone by default, ``0.0.0.0`` for everybody who reaches it.
    names
        Further names that the page may be asked for by, see `meanwatt.analysis.dashboard.serving.own_origin`.
    rooms
        File of the class market's rooms; by default one in the user's folder for data. It is made with the first room.
    opening
        What the browser opens with; the scenario of the landing page by default.
    visitors
        Pages that may be open at a time; those of the class market do not count.
    demo
        Whether the browser window plays a tour of the pages.

    Returns
    -------
    int
        0 after an orderly end, 2 if the port or the address cannot be used.
    """
    try:
        port = _free_port(host, port)
    except socket.gaierror as error:
        sys.stderr.write(
            f"meanwatt: --host is {host!r}, no address of this machine ({error.strerror}); give {HOST}, or"
            f" {EVERY_ADDRESS[0]} for everybody who reaches it\n"
        )
        return 2
    except OSError as error:
        sys.stderr.write(f"meanwatt: port {port} cannot be used ({error.strerror}); give another one, or 0 for any\n")
        return 2
    prepare()
    load_mesa()
    import uvicorn

    place = HOST if host in EVERY_ADDRESS else f"[{host}]" if ":" in host else host
    elsewhere = links(host, port, names)
    config = uvicorn.Config(
        OwnOrigin(_application(elsewhere, rooms, visitors), host, names),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=2,
        ws_max_size=WEBSOCKET_BYTES,
    )
    server = uvicorn.Server(config)
    url = f"http://{place}:{port}"
    shown = url + _path(opening)
    first = url + ADDRESS if demo else shown
    threading.Thread(target=_announce, args=(server, shown, elsewhere, first, open_browser), daemon=True).start()
    threading.Thread(target=warm_up, args=(lambda: server.should_exit, opening), daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):  # how the server hands on Ctrl+C after an orderly end
        server.run()
    return 0


def _application(elsewhere: Sequence[str], rooms: Path | None, visitors: int) -> App:
    """Solara's pages and those of the class market, as one application."""
    from solara.server.starlette import app

    from meanwatt.analysis.classroom.rooms import Rooms
    from meanwatt.analysis.classroom.store import RoomStore
    from meanwatt.analysis.dashboard.classroom.application import ClassMarket
    from meanwatt.analysis.dashboard.pages import PAGES
    from meanwatt.analysis.dashboard.serving.beside import Beside
    from meanwatt.analysis.dashboard.serving.tables import ROOT, tables

    warnings.filterwarnings("ignore", message="Cookies with samesite=none")  # of plain http: it takes the stricter kind
    pages = Visitors(app, SolaraKernels(), visitors)
    listed = [(page.route, page.title) for page in PAGES]
    market = ClassMarket(lambda changed: Rooms(RoomStore(rooms or rooms_file()), changed), elsewhere)
    plain = Beside(pages, tables(), root=ROOT)
    return OwnNotFound(Beside(plain, market.application(listed), market.close), listed)


def rooms_file() -> Path:
    """Where the class market's rooms are kept unless told otherwise."""
    from platformdirs import user_data_path

    return user_data_path("meanwatt") / "rooms.sqlite3"


def prepare() -> None:
    """Set the environment of the web framework; what is set already stays."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def _path(opening: Settings | None) -> str:
    """Where the market page opens with these settings; empty for those that it opens with anyway."""
    from meanwatt.analysis.dashboard.market.address import query

    written = "" if opening is None else query(opening)
    return f"/?{written}" if written else ""


def warm_up(ended: Callable[[], bool], opening: Settings | None = None) -> None:
    """Solve the landing page once, so that compiled code is loaded before the first visitor asks.

    Once the server has ``ended`` it stops, and what then goes wrong, as threads are no longer started, is no fault.
    """
    from meanwatt.analysis.dashboard.market.engine import Engine

    engine = Engine()
    try:
        solution = engine.solve(opening or Settings(), progress=lambda _: None, cancelled=ended)
        if solution is not None:
            engine.adopt(solution)
            engine.step()
            _wait(ended, VISITOR_SECONDS)
            engine.refine(solution, cancelled=ended)
    except Exception:  # the visitor's own solve will say it on the page
        if not ended():
            logger.exception("the warm start failed")
    finally:
        engine.close()


def _wait(ended: Callable[[], bool], seconds: float) -> None:
    """Wait, but no longer than until the server ends."""
    ends = time.monotonic() + seconds
    while not ended() and time.monotonic() < ends:
        time.sleep(0.05)


def _announce(server: object, url: str, elsewhere: Sequence[str], first: str, open_browser: bool) -> None:
    """Print the addresses, and open the page that comes first, once it answers."""
    while not getattr(server, "started", False):
        if getattr(server, "should_exit", False):
            return
        time.sleep(0.05)
    print(f"Meanwatt runs at {url} (stop with Ctrl+C)", flush=True)  # noqa: T201 - the command's output
    if first != url:
        print(f"The tour plays at {first}", flush=True)  # noqa: T201
    if elsewhere:
        import segno

        print(  # noqa: T201
            f"Other machines reach it at {' or '.join(elsewhere)}. Whoever does can open every page and make this"
            " machine compute, but neither read nor write its files.",
            flush=True,
        )
        segno.make(elsewhere[0], micro=False).terminal(compact=True)
    if open_browser:
        webbrowser.open(first)


def _free_port(host: str, port: int) -> int:
    """Port asked for if it is free, or any free one for 0; OSError if it is taken."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        return int(probe.getsockname()[1])
