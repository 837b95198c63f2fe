"""``meanwatt study gallery``: what is known of tariffs, solar and batteries, asked of the model."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from meanwatt.agents.numerics.compile_time import compile_seconds
from meanwatt.analysis.cli import quick_start
from meanwatt.analysis.cli.watching import watched

if TYPE_CHECKING:
    from meanwatt.analysis.phenomena.gallery import Shown

GALLERY: Final = "gallery"
"""The study that comes with the program; a file of this name is ``./gallery``."""


def require_gallery_options(**given: Any) -> None:
    """Raise ``ValueError`` for an option of study files."""
    for name, value in given.items():
        if value:
            option = f"--{name.replace('_', '-')}"
            raise ValueError(f"{option} goes with a study's file; the gallery takes --only, --out and --json")


def run(only: str | None, out: str | None, *, json: bool) -> int:
    """Compute the gallery, or some phenomena of it; print it, and write it where asked."""
    began = time.perf_counter()
    shown: list[Shown] = []
    with watched(quiet=json) as work:
        quick_start.over()
        from meanwatt.analysis.output.result_files import require_free
        from meanwatt.analysis.phenomena.gallery import chosen, gallery_json, run_gallery
        from meanwatt.model.progress.watch import Cancelled

        if out is not None:
            require_free(out, "study")
        phenomena = chosen([] if only is None else [key.strip() for key in only.split(",")])
        complete = True
        try:
            shown.extend(run_gallery(phenomena, work.watch))
        except Cancelled:
            complete = False
        result = gallery_json(shown, len(phenomena)) | {
            "seconds": time.perf_counter() - began,
            "compile_seconds": compile_seconds(),
            "settings": {"only": None if only is None else [one.key for one in phenomena]},
        }
    kept = out if complete else None
    if kept is not None:
        _write(kept, result, shown)
    _say(result, kept, json=json)
    return 0 if complete and not result["messages"] else 1


def _say(result: Mapping[str, Any], kept: str | None, *, json: bool) -> None:
    from meanwatt.analysis.cli.show import print_json, say, say_notes, say_report, table

    if json:
        print_json(dict(result))
        return
    say(f"{result['message']} ({result['seconds']:.1f} s)\n")
    rows = [
        (row["title"], row["verdict"], f"{sum(claim['holds'] is True for claim in row['claims'])}/{len(row['claims'])}")
        for row in result["phenomena"]
    ]
    table("What the literature expects", ("phenomenon", "verdict", "claims that hold"), rows)
    for row in result["phenomena"]:
        if row["why"]:
            say(f"{row['title']}: {row['why']}\n")
    say_notes(result["messages"])
    say_report(kept)


def _write(out: str, result: Mapping[str, Any], shown: "list[Shown]") -> None:
    from meanwatt.analysis.output.result_files import write_result
    from meanwatt.analysis.phenomena.report import gallery_page
    from meanwatt.analysis.report.page import FILE

    claims = [(row["key"], claim) for row in result["phenomena"] for claim in row["claims"]]
    manifest = {"settings": result["settings"]}
    write_result(
        out,
        name="study",
        result=result,
        manifest=manifest,
        tables={
            "claims": {
                "phenomenon": [key for key, _ in claims],
                **{
                    name: [claim[name] for _, claim in claims]
                    for name in ("text", "value", "unit", "above", "below", "holds")
                },
            }
        },
        texts={FILE: gallery_page(result, shown, manifest)},
    )
