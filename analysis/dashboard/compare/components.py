"""The compare page's own Vue components. Each takes its data as one JSON string and reports what its visitor does."""
# ruff: noqa: N802 - components are named like classes, which is how they are used

import solara

from meanwatt.analysis.dashboard.shared.components import Event


@solara.component_vue("vue/compare_bar.vue")
def CompareBar(
    payload: str, event_choose: Event | None = None, event_swap: Event | None = None, event_balance: Event | None = None
) -> None:
    """Scenario, both tariffs, how far the solves are, and the sentence about cost recovery."""


@solara.component_vue("vue/payer_table.vue")
def PayerTable(payload: str) -> None:
    """Bills by income and technology, and the utility's books."""


@solara.component_vue("vue/side_card.vue")
def SideCard(
    payload: str, event_toggle: Event | None = None, event_discard: Event | None = None, event_read: Event | None = None
) -> None:
    """What a side's tariff posts; it opens the form below it, and reads a file in the tariff's place."""


@solara.component_vue("vue/term_list.vue")
def TermList(payload: str) -> None:
    """How the terms of both tariffs differ, a sentence each."""


@solara.component_vue("vue/bill_table.vue")
def BillTable(payload: str) -> None:
    """What the bills of every kind of home are made of."""
