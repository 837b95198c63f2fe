"""The bill page's own Vue components. Each takes its data as one JSON string and reports what its visitor does."""
# ruff: noqa: N802 - components are named like classes, which is how they are used

import solara

from meanwatt.analysis.dashboard.shared.components import Event
from meanwatt.analysis.dashboard.shared.vue_component import component_vue


@solara.component_vue("vue/bills_bar.vue")
def BillsBar(
    payload: str,
    event_choose: Event | None = None,
    event_read: Event | None = None,
    event_again: Event | None = None,
    event_cancel: Event | None = None,
) -> None:
    """Tariff, home, and what a customer chooses of a tariff; files to open; how far it is."""


@component_vue("vue/month_bars.vue", "measured", "ticks")
def MonthBars(payload: str) -> None:
    """Parts of the bill on top of each other, a bar for each month."""


@solara.component_vue("vue/rate_picture.vue")
def RatePicture(payload: str) -> None:
    """What a kWh costs by month and hour, and the charges beside energy."""
