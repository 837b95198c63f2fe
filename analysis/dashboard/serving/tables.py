"""Answers a table of a page, sent as CSV, with the same table as a Parquet file; nothing of it is kept."""

import asyncio
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from meanwatt.analysis.dashboard.take_away.parquet import parquet_of

ROOT: Final = "/take-away"
MOST_BYTES: Final = 4 * 2**20
"""Longest table that is read. [bytes]"""
PARQUET: Final = "application/vnd.apache.parquet"


def tables() -> Starlette:
    """The application; its one address is asked by the dialog “Take away”."""
    return Starlette(routes=[Route(f"{ROOT}/parquet", _parquet, methods=["POST"])])


async def _parquet(request: Request) -> Response:
    """The table as a file, or JSON that says why there is none: a browser writes an error for a bad status."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            return JSONResponse({"refused": f"the table is longer than {MOST_BYTES // 2**20} MB; take it as CSV"})
    try:
        return Response(await asyncio.to_thread(parquet_of, body.decode()), media_type=PARQUET)
    except ValueError as error:  # a UnicodeDecodeError, too
        return JSONResponse({"refused": str(error)})
