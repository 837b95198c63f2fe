"""The market page's own Vue components. Each takes its data as one JSON string and reports what its visitor does."""
# ruff: noqa: N802 - components are named like classes, which is how they are used

import solara

from meanwatt.analysis.dashboard.shared.components import Event
from meanwatt.analysis.dashboard.shared.vue_component import component_vue


@solara.component_vue("vue/top_bar.vue")
def TopBar(
    payload: str,
    event_arrived: Event | None = None,
    event_drive: Event | None = None,
    event_choose: Event | None = None,
    event_variant: Event | None = None,
    event_moved: Event | None = None,
) -> None:
    """Name, sentence, scenario, the run's buttons and keys, and the address."""


@solara.component_vue("vue/metrics.vue")
def Metrics(payload: str) -> None:
    """Key figures with their units."""


@solara.component_vue("vue/baseline.vue")
def Baseline(payload: str, event_pin: Event | None = None) -> None:
    """What changes are told against, and the button that pins it."""


@solara.component_vue("vue/tray.vue")
def Tray(
    payload: str,
    event_recall: Event | None = None,
    event_go_back: Event | None = None,
    event_forget: Event | None = None,
) -> None:
    """The tariffs tried, which the visitor's browser keeps."""


@component_vue("vue/feeder_map.vue", "measured", "pointed")
def FeederMap(network: str, payload: str, homes: str, event_look: Event | None = None) -> None:
    """The feeder, coloured by voltage at one hour; a bus can be chosen on it."""


@solara.component_vue("vue/homes.vue")
def Homes(payload: str, event_look: Event | None = None) -> None:
    """The homes of one bus."""


@solara.component_vue("vue/home_card.vue")
def HomeCard(payload: str) -> None:
    """The home that is followed: its reasons and its bill."""


@component_vue("vue/burden_bars.vue", "measured")
def BurdenBars(payload: str) -> None:
    """Share of income paid for electricity, by income group."""


@solara.component_vue("vue/tariff_form.vue")
def TariffForm(
    payload: str,
    event_edit: Event | None = None,
    event_prefer: Event | None = None,
    event_apply: Event | None = None,
    event_undo: Event | None = None,
    event_restore: Event | None = None,
    event_cancel: Event | None = None,
    event_choose: Event | None = None,
) -> None:
    """Everything that can be set: it acts at once, or is a draft until it is applied."""
