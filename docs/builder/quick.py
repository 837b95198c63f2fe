"""The same site in less time: what Sphinx finds anew for every page is found once."""

from functools import cache
from typing import Any

from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.search import languages
from sphinx.search.en import SearchEnglish


class RememberedStems(SearchEnglish):
    """English stems, each found once for all pages and not once a page."""

    def __init__(self, options: dict[str, str]) -> None:
        super().__init__(options)
        self.stem = cache(super().stem)


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    languages["en"] = RememberedStems
    app.connect("html-page-context", _titles_from_titles, priority=400)  # before the theme asks for its navigation
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _titles_from_titles(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Let a navigation that shows titles alone be made of them.

    Sphinx copies the headings of all pages for each page, thousands in the references, and then leaves them out.
    """
    whole = context.get("toctree")
    if whole is None:
        return
    if not hasattr(app, "title_contents"):
        app.title_contents = {name: _titles(contents) for name, contents in app.env.tocs.items()}

    def navigation(**asked: Any) -> str:
        if not asked.get("titles_only"):
            return whole(**asked)
        everything, app.env.tocs = app.env.tocs, app.title_contents
        try:
            return whole(**asked)
        finally:
            app.env.tocs = everything

    context["toctree"] = navigation


def _titles(contents: Any) -> Any:
    """Contents of a page without its headings: its title, and the pages that it lists."""
    copied = contents.deepcopy()
    for entry in copied.children:
        if len(entry) > 1:
            listed = list(entry.findall(addnodes.toctree))
            if listed:
                entry[1][:] = listed
            else:
                entry.pop(1)
    return copied
