"""Files of a sweep that a visitor takes home."""

import io
from typing import Any

from meanwatt.analysis.dashboard.hosting.choice import KEYS, Choice, query
from meanwatt.analysis.dashboard.hosting.swept import Swept
from meanwatt.analysis.dashboard.shared.csv_text import csv_text, release
from meanwatt.analysis.hosting.hosting_page import hosting_page
from meanwatt.analysis.hosting.report import hosting_json, hosting_tables


def csv_of(choice: Choice, swept: Swept) -> str:
    """First violations, a row for each tariff and placement: the lowest adoption that breaks each limit, or nothing."""
    table = hosting_tables(swept.plan, swept.cells)["first_violation"]
    rows = zip(*table.values(), strict=True)
    return csv_text(_head(choice), tuple(table), [["" if cell is None else cell for cell in row] for row in rows])


def parquet_of_states(choice: Choice, swept: Swept) -> bytes:
    """``states.parquet`` of ``meanwatt hosting --out``, with its settings as metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(hosting_tables(swept.plan, swept.cells)["states"])
    about = {"program": f"meanwatt {release()}", **{key: str(value) for key, value in _head(choice).items()}}
    written = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(about), written)
    return written.getvalue()


def report_of(choice: Choice, swept: Swept) -> str:
    """The report of ``meanwatt hosting --out``: the same figure, the same tables."""
    result = hosting_json(swept.plan, swept.cells) | {"seed": choice.seed}
    manifest = {"settings": _head(choice), "seed": choice.seed, "scenario": swept.plan.scenario.model_dump(mode="json")}
    return hosting_page(result, swept.plan, swept.cells, manifest)


def _head(choice: Choice) -> dict[str, Any]:
    return {**{key: getattr(choice, key) for key in KEYS}, "link": f"?{query(choice)}"}
