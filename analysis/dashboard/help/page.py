"""The help page: texts alone."""
# ruff: noqa: N802 - components are named like classes, which is how they are used

from typing import Any

import solara

from meanwatt.analysis.dashboard.help import texts
from meanwatt.analysis.dashboard.shared.payload import to_json


@solara.component_vue("vue/help_text.vue")
def HelpText(payload: str) -> None:
    """All sections; the entry of the address is in view and marked."""


@solara.component
def Help() -> None:
    """Show the help."""
    with solara.v.Html(tag="div", class_="mw-page"):
        HelpText(payload=to_json(_payload()))


def _payload() -> dict[str, Any]:
    return {
        "title": texts.TITLE,
        "contents": texts.CONTENTS,
        "sections": [
            {
                "title": section.title,
                "anchor": section.title.lower().replace(" ", "-"),
                "paragraphs": section.paragraphs,
                "switch": section.switch,
                "entries": [
                    {"anchor": entry.anchor, "word": entry.word, "text": entry.text, "name": entry.name}
                    for entry in section.entries
                ],
            }
            for section in texts.SECTIONS
        ],
    }
