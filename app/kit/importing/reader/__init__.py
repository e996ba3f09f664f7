"""Reads uploaded tables (.xlsx, .xls, .ods, .csv) without trusting them (CON-09, CLI-13).

`parse` opens the file in a child process with little memory and time and writes its rows to a file; `read_rows` pages
through that file. The names are looked up on first use, because the child imports this package too and must start
without Flask.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.kit.importing.reader.api import Notice, Table, UnreadableFile, parse, remove_rows
    from app.kit.importing.reader.headers import normalise_header
    from app.kit.importing.reader.model import ColumnInfo, Limits, Row, Value
    from app.kit.importing.reader.rows import read_rows
    from app.kit.importing.reader.values import text_of

_HOMES = {
    "ColumnInfo": "model",
    "Limits": "model",
    "Notice": "api",
    "Row": "model",
    "Table": "api",
    "UnreadableFile": "api",
    "Value": "model",
    "normalise_header": "headers",
    "parse": "api",
    "read_rows": "rows",
    "remove_rows": "api",
    "text_of": "values",
}

__all__ = [
    "ColumnInfo",
    "Limits",
    "Notice",
    "Row",
    "Table",
    "UnreadableFile",
    "Value",
    "normalise_header",
    "parse",
    "read_rows",
    "remove_rows",
    "text_of",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
