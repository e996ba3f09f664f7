"""The row file: one JSON array per data row, and beside it an index of byte offsets, so that any page is one seek away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from app.kit.importing.reader.model import Row, Value
from app.kit.importing.reader.values import decode, encode

STEP = 256  # rows between two remembered offsets

_encode_row = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=encode).encode


def index_path(path: Path) -> Path:
    """Where the index of a row file lies."""
    return path.with_name(path.name + ".index")


class RowWriter:
    """Writes a row file; `close(width)` writes the index."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self._offsets: list[int] = []
        self._position = 0
        self._file = path.open("wb", buffering=2**18)

    def add(self, number: int, cells: list[Value]) -> None:
        """Append one row; `number` is its number in the uploaded file."""
        if self.rows % STEP == 0:
            self._offsets.append(self._position)
        # a lone surrogate cannot be stored anywhere; it becomes a question mark
        data = _encode_row([number, cells]).encode("utf-8", "replace") + b"\n"
        self._file.write(data)
        self._position += len(data)
        self.rows += 1

    def finish(self, width: int) -> None:
        """Write the index; without it the row file does not count as complete."""
        self._file.flush()
        index = {"rows": self.rows, "width": width, "step": STEP, "offsets": self._offsets}
        index_path(self.path).write_text(json.dumps(index), encoding="utf-8")

    def __enter__(self) -> RowWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def read_rows(path: Path | str, start: int = 0, count: int | None = None) -> Iterator[Row]:
    """Data rows `start` to `start + count` (counted from 0; all when None) of the row file `Table.data_path`, streamed.

    Every row's cells are filled up to the width of the table. Rows beyond the end are simply not there.
    Raises FileNotFoundError when the file is gone and ValueError when `start` or `count` is negative.
    """
    if start < 0 or (count is not None and count < 0):
        raise ValueError("start and count must not be negative")
    path = Path(path)
    index = json.loads(index_path(path).read_text(encoding="utf-8"))
    stop = index["rows"] if count is None else min(index["rows"], start + count)
    return _stream(path, index, start, stop)


def _stream(path: Path, index: dict[str, Any], start: int, stop: int) -> Iterator[Row]:
    if start >= stop:
        return
    step = index["step"]
    with path.open("rb") as file:
        file.seek(index["offsets"][start // step])
        for position in range(start // step * step, stop):
            line = file.readline()
            if position >= start:
                yield _row(position, line, index["width"])


def _row(position: int, line: bytes, width: int) -> Row:
    number, stored = json.loads(line)
    cells: list[Value] = [decode(cell) if isinstance(cell, dict) else cell for cell in stored]
    cells.extend([None] * (width - len(cells)))
    return Row(position, number, cells)
