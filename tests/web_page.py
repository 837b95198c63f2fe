"""A web page as a test reads it: tags, ids, references, and that it needs nothing from elsewhere."""

import html.parser
import re


class WebPage(html.parser.HTMLParser):
    """Collects ids, references, figures, and the cells of tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.references: list[str] = []
        self.labels: list[str] = []
        self.tags: list[str] = []
        self.cells: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Look at a tag."""
        self.tags.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")
        for name, value in attributes:
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src", "xlink:href", "data", "action"):
                self.references.append(value or "")
            if tag == "svg" and name == "aria-label":
                self.labels.append(value or "")

    def handle_data(self, data: str) -> None:
        """Look at a text."""
        if self.tags and self.tags[-1] in ("td", "th"):
            self.cells[-1] += data.strip()


def asks_for_nothing(text: str) -> None:
    """Check that a page needs nothing from elsewhere, and that what it refers to is in it once."""
    page = WebPage(text)
    assert "script" not in page.tags
    assert all(reference.startswith(("#", "data:,")) for reference in page.references)
    assert {reference[1:] for reference in page.references if reference.startswith("#")} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert "@import" not in text
    assert set(re.findall(r"url\((.)", text)) <= {"#"}
    assert not re.search(r"https?://", text.split("<pre>")[0])
