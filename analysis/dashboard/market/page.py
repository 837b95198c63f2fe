"""The market page: one controller per visitor, and components that are a pure function of its latest view."""
# ruff: noqa: N802 - components are named like classes, which is how they are used

from collections.abc import Callable, Mapping
from typing import Any

import solara

from meanwatt.analysis.dashboard.market import components
from meanwatt.analysis.dashboard.market.address import from_query, look_of
from meanwatt.analysis.dashboard.market.controller import Controller
from meanwatt.analysis.dashboard.market.engine import Engine
from meanwatt.analysis.dashboard.market.protocol import Engine as EngineProtocol
from meanwatt.analysis.dashboard.market.view import Frame, View
from meanwatt.analysis.dashboard.shared.components import BillMessages, DayChart, Notices, Statement


@solara.component
def Market() -> None:
    """Show the page with the settings of its address, anew whenever its visitor goes back or forward to others."""
    search = solara.use_router().search or ""
    (number, query), set_visit = solara.use_state((0, search))

    def moved(message: Mapping[str, Any]) -> None:
        set_visit(lambda visit: (visit[0] + 1, str(message["query"])))

    Dashboard(Engine, query, moved).key(f"visit {number}")


@solara.component
def Dashboard(
    make_engine: Callable[[], EngineProtocol], search: str = "", on_moved: Callable[[Any], None] | None = None
) -> None:
    """Show the dashboard over any engine.

    Parameters
    ----------
    make_engine
        Called once for each visitor.
    search
        Query of the address to begin with.
    on_moved
        Told of another address of this page that the visitor went back or forward to.
    """
    controller = solara.use_memo(lambda: Controller(make_engine(), *from_query(search), look_of(search)), [])
    view, set_view = solara.use_state(solara.use_memo(controller.view, []))

    def newest(new: View) -> None:
        set_view(lambda old: new if new.number > old.number else old)

    solara.use_effect(lambda: controller.start(newest), [])
    Picture(view, controller, on_moved)


def _homes(frame: Frame, controller: Controller) -> None:
    """Draw the homes of a bus, and the one that is followed."""
    with solara.v.Html(
        tag="section", class_="mw-homes", attributes={"aria-label": "Homes on the feeder", "id": "mw-homes"}
    ):
        components.Homes(payload=frame.homes, event_look=controller.look)
        if frame.home:
            with solara.v.Html(tag="div", class_="mw-stack"):
                components.HomeCard(payload=frame.home)
                if frame.home_chart:
                    DayChart(payload=frame.home_chart)


def _classes(frame: Frame, old: str) -> None:
    """Draw the tables of rate classes and components, where there are any.

    They come and go with the tariff that is chosen: below the form they move nothing that is being used.
    """
    if not frame.classes.parts:
        return
    words = {"aria-label": "Rate classes and components"}
    with solara.v.Html(tag="section", class_=f"mw-classes {old}", attributes=words):
        if frame.classes.rates:
            Statement(payload=frame.classes.rates)
        Statement(payload=frame.classes.parts)
        if frame.classes.says:
            BillMessages(payload=frame.classes.says)


@solara.component
def Picture(view: View, controller: Controller, on_moved: Callable[[Any], None] | None = None) -> None:
    """Draw one view."""
    solara.Title("Meanwatt: electricity tariffs")
    frame, old = view.frame, "mw-old" if view.stale else ""
    with solara.v.Html(tag="div", class_="mw-page"):
        components.TopBar(
            payload=view.bar,
            event_arrived=controller.arrived,
            event_drive=controller.drive,
            event_choose=controller.choose,
            event_variant=controller.variant,
            event_moved=on_moved,
        )
        with solara.v.Html(tag="div", class_=old):
            components.Metrics(payload=frame.metrics)
            components.Baseline(payload=frame.baseline, event_pin=controller.pin)
        with solara.v.Html(tag="div", class_="mw-body"):
            with solara.v.Html(tag="main", class_=f"mw-charts {old}"):
                with solara.v.Html(tag="div", class_="mw-stack"):
                    DayChart(payload=frame.chart)
                with solara.v.Html(tag="div", class_="mw-stack"):
                    components.BurdenBars(payload=frame.burden)
                    components.FeederMap(
                        network=frame.network, payload=frame.voltage, homes=frame.homes, event_look=controller.look
                    )
                _homes(frame, controller)
                with solara.v.Html(tag="div", class_="mw-words"):
                    Notices(payload=view.notices, event_dismiss=controller.dismiss)
            with solara.v.Html(tag="aside", class_="mw-stack mw-side"):
                components.TariffForm(
                    payload=view.form,
                    event_edit=controller.edit,
                    event_prefer=controller.prefer,
                    event_apply=controller.apply,
                    event_undo=controller.undo,
                    event_restore=controller.restore,
                    event_cancel=controller.cancel,
                    event_choose=controller.choose,
                )
                solara.FileDownload(
                    controller.csv, "meanwatt.csv", label="Download the days as CSV", mime_type="text/csv"
                )
                solara.FileDownload(
                    controller.geojson,
                    "meanwatt-map.geojson",
                    label="Download the map as GeoJSON",
                    mime_type="application/geo+json",
                )
        _classes(frame, old)
        with solara.v.Html(
            tag="section", class_="mw-card mw-tray-card", attributes={"aria-label": "Tariffs you tried"}
        ):
            components.Tray(
                payload=view.tray,
                event_recall=controller.recall,
                event_go_back=controller.go_back,
                event_forget=controller.forget,
            )
            solara.FileDownload(
                controller.tried_csv, "meanwatt_tariffs.csv", label="Download the list as CSV", mime_type="text/csv"
            )
