"""The page of a result: how it ended, the tables that the command prints, the figures that a notebook shows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from meanwatt.analysis.figures.inline import inline_svg
from meanwatt.analysis.output.result_files import versions
from meanwatt.analysis.output.strict_json import dumps

if TYPE_CHECKING:
    from jinja2 import Template
    from matplotlib.figure import Figure

FILE: Final = "report.html"
"""Name of a report in a result's directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table for people: the first column names the rows, the others are numbers with their units."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A figure of a report.

    Attributes
    ----------
    name
        Prefix of the ids in it; unique on the page.
    title, text
        What stands above it, and the sentence below it, which is also read to those who cannot see it.
    wide
        Whether it takes the whole width.
    """

    name: str
    title: str
    text: str
    figure: "Figure"
    wide: bool = True


def report_page(
    *,
    kind: str,
    title: str,
    result: Mapping[str, Any],
    reached: bool,
    tables: Sequence[Table],
    pictures: Sequence[Picture],
    manifest: Mapping[str, Any],
) -> str:
    """Write the page; it needs nothing from elsewhere.

    Parameters
    ----------
    kind
        What was computed, in a few words.
    title
        Of what.
    result
        The command's JSON object; its ``message`` and ``messages`` are shown.
    reached
        Whether the result asked for was reached.
    manifest
        Settings, seed and scenario; versions are added.
    """
    from markupsafe import Markup

    from meanwatt.analysis.figures.glyphs import glyph_messages
    from meanwatt.model.scenario.messages import joined

    return template_of("meanwatt.analysis.report", "result.html.j2").render(
        kind=kind,
        title=title,
        message=result["message"],
        notes=joined(result["messages"], glyph_messages([one.figure for one in pictures])),
        reached=reached,
        tables=tables,
        figures=[
            {
                "title": one.title,
                "text": one.text,
                "wide": one.wide,
                "svg": Markup(inline_svg(one.figure, one.name, one.text)),
            }
            for one in pictures
        ],
        manifest=manifest_text(manifest),
    )


def template_of(package: str, name: str, filters: Mapping[str, Callable[..., str]] | None = None) -> "Template":
    """A page's template from its package, laid into the frame that all reports share."""
    from jinja2 import DictLoader, Environment, StrictUndefined

    sources = {
        file: files(where).joinpath(file).read_text(encoding="utf-8")
        for where, file in (("meanwatt.analysis.report", "base.html.j2"), (package, name))
    }
    environment = Environment(
        loader=DictLoader(sources), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= dict(filters or {})
    return environment.get_template(name)


def manifest_text(manifest: Mapping[str, Any]) -> str:
    """The manifest with the versions of what computed it."""
    return dumps({**manifest, "versions": versions()}, indent=2)
