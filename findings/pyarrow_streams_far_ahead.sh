#!/usr/bin/env bash
# pyarrow 26.0.1, streaming CSV reader (csv.open_csv).
#
# 1. A reader of which one block is taken has read 32 more ahead, with use_threads=False, too: memory is 33 times
#    block_size and not block_size, and no option changes it.
# 2. invalid_row_handler, which is to decide about rows with too many cells, is not asked where such a row is no UTF-8:
#    a traceback is printed, nothing of it can be caught, and the whole file is refused.
# Exit status 0 while this is so, 1 when it changes.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1
"$place/env/bin/python" - <<'PY'
import io
import sys
import time

import pyarrow as pa
from pyarrow import csv

BLOCK = 2**14


class Counted(io.BytesIO):
    taken = 0

    def read(self, size: int = -1) -> bytes:
        block = super().read(size)
        self.taken += len(block)
        return block


file = Counted(b"id,kwh\n" + b"abcdefg,12345\n" * 200_000)
reader = csv.open_csv(file, read_options=csv.ReadOptions(use_threads=False, block_size=BLOCK))
next(iter(reader))
time.sleep(1)
ahead = file.taken / BLOCK
print(f"one block is taken, {ahead:.0f} are read, of {len(file.getvalue()) / BLOCK:.0f}")

asked = []


def skip(row: csv.InvalidRow) -> str:
    asked.append(row.number)
    return "skip"


def rows(name: bytes) -> str:
    try:
        table = csv.read_csv(
            io.BytesIO(b"id,kwh\na,1\n" + name + b",2,3\nb,2\n"),
            read_options=csv.ReadOptions(use_threads=False),
            parse_options=csv.ParseOptions(invalid_row_handler=skip),
        )
    except pa.ArrowInvalid as error:
        return type(error).__name__
    return f"{table.num_rows} rows"


utf8, latin = rows("Müller".encode()), rows("Müller".encode("latin-1"))
print(f"a row with a cell too many: {utf8} if it is UTF-8, {latin} if it is Latin-1; the handler was asked {asked}")
sys.exit(not (ahead > 30 and utf8 == "2 rows" and latin == "ArrowInvalid" and asked == [3]))
PY
