"""A page's table as Parquet: the cells of its CSV with types, what it is of, and a refusal in words of what is none."""

import asyncio
import io
import json
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanwatt.analysis.dashboard.serving import tables
from meanwatt.analysis.dashboard.serving.beside import Beside
from meanwatt.analysis.dashboard.take_away.parquet import parquet_of

CSV = (
    "# program: meanwatt 1\n# link: http://localhost/?a=b: c\n"
    "group,a ($),days,verdict,a ($),,\n"
    "low,-1.5,3,better,'=1+1,1,\n"
    '"middle, and ""others""",,4,,'
    "'-x,2,\n"
)


def read(text: str) -> Any:
    return pq.read_table(io.BytesIO(parquet_of(text)))


def test_columns_have_types_names_of_their_own_and_the_lines_in_front_are_metadata() -> None:
    found = read(CSV)
    assert found.column_names == ["group", "a ($)", "days", "verdict", "a ($) (2)", "column 6", "column 7"]
    assert found.to_pydict() == {
        "group": ["low", 'middle, and "others"'],
        "a ($)": [-1.5, None],
        "days": [3, 4],
        "verdict": ["better", None],
        "a ($) (2)": ["=1+1", "-x"],  # no spreadsheet reads it as a formula, so that its guard is gone
        "column 6": [1, 2],
        "column 7": [None, None],
    }
    assert [str(field.type) for field in found.schema][:3] == ["string", "double", "int64"]
    assert found.schema.metadata == {b"program": b"meanwatt 1", b"link": b"http://localhost/?a=b: c"}
    assert pd.read_parquet(io.BytesIO(parquet_of(CSV)))["days"].sum() == 7


@given(st.lists(st.tuples(st.integers(-(10**17), 10**17), st.floats(allow_nan=False, allow_infinity=False))))
def test_numbers_come_back_as_they_were_written(rows: list[tuple[int, float]]) -> None:
    text = "# page: Market\nwhole,number\n" + "".join(f"{whole},{number!r}\n" for whole, number in rows)
    found = read(text).to_pydict()
    assert found == {"whole": [whole for whole, _ in rows], "number": [number for _, number in rows]}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "there is no table"),
        ("# page: Market\n", "there is no table"),
        ("a,b\n1\n", "row 1 has 1 cells; give 2, one for each column"),
        ("a\n" + "1\n" * 200_001, "the table has 200001 cells; give at most 200000"),
        (f'a\n"{"x" * 140_000}"\n', "the table cannot be read"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as refused:
        parquet_of(text)
    assert "\n" not in str(refused.value)


def asked(path: str, body: bytes = b"") -> tuple[str, bytes]:
    """Kind and content of what the server answers."""
    sent: list[Any] = []

    async def rest(scope: Any, _: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    app = Beside(rest, tables.tables(), root=tables.ROOT)
    scope = {"type": "http", "method": "POST", "path": path, "headers": [], "query_string": b"", "root_path": ""}
    asyncio.run(app(scope, receive, send))
    assert sent[0]["status"] == 200
    kind = dict(sent[0]["headers"]).get(b"content-type", b"").decode()
    return kind, b"".join(part.get("body", b"") for part in sent[1:])


def refused(body: bytes) -> str:
    kind, said = asked("/take-away/parquet", body)
    assert kind == "application/json"
    return str(json.loads(said)["refused"])


def test_the_server_answers_a_table_with_its_file_or_says_why_not_and_passes_on_all_else() -> None:
    assert asked("/take-away/parquet", CSV.encode()) == (tables.PARQUET, parquet_of(CSV))
    assert refused(b"\xff").startswith("'utf-8' codec can't decode")
    assert refused(b"a,b\n1\n").startswith("row 1 has 1 cells")
    assert refused(b"x" * (tables.MOST_BYTES + 1)) == "the table is longer than 4 MB; take it as CSV"
    for path in ("/take-away-not", "/class", "/"):
        assert asked(path) == ("", path.encode())
