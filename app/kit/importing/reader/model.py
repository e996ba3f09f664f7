"""What parent and child process both know; standard library only, so that the child starts fast."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

Value = str | int | float | bool | date | datetime | time | None
"""One cell. Text is trimmed and never empty (None instead); a number without fraction is an int."""


@dataclass(frozen=True)
class Limits:
    """How much one file may cost.

    Parameters: `file_bytes` size of the upload; `unpacked_bytes` all parts of a zipped workbook together; `ratio` unpacked to
    packed size of a part above 10 MB; `entries` parts in the zip; `rows` data rows; `columns`; `cell_chars` characters in one
    CSV cell; `seconds` of wall clock; `cpu_seconds`; `memory_bytes` address space of the child; `output_bytes` of the row file.
    """

    file_bytes: int = 50 * 2**20
    unpacked_bytes: int = 512 * 2**20
    ratio: int = 200
    entries: int = 5_000
    rows: int = 200_000
    columns: int = 200
    cell_chars: int = 1_000_000
    seconds: float = 60.0
    cpu_seconds: int = 60
    memory_bytes: int = 2**30
    output_bytes: int = 2**30


@dataclass(frozen=True)
class ColumnInfo:
    """A column that holds anything. `index` counts from 0 and addresses `Row.cells`; `letter` is the sheet's own name of it.

    `name` is the header's text, or "Column C" when it has none; `samples` are the first different values as text.
    """

    index: int
    letter: str
    name: str
    samples: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Row:
    """A data row. `index` counts data rows from 0; `number` is the row's number in the file as a spreadsheet shows it, from 1."""

    index: int
    number: int
    cells: list[Value]


@dataclass(frozen=True)
class Line:
    """A row as its format yields it. `width` is the number of cells it was written with, 0 where the format has no such thing."""

    number: int
    cells: list[Value]
    width: int = 0


@dataclass
class Findings:
    """What is worth telling besides the rows: code -> parameters, the first place and a count."""

    notices: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, code: str, **params: Any) -> None:
        """Keep the first occurrence's parameters and count all of them."""
        kept = self.notices.setdefault(code, {**params, "count": 0})
        kept["count"] += 1

    def as_list(self) -> list[dict[str, Any]]:
        """The notices in the order found, each with its code."""
        return [{"code": code, **params} for code, params in self.notices.items()]


@dataclass
class Source:
    """An opened file: its rows are still to be read."""

    lines: Iterator[Line]
    sheets: list[str] = field(default_factory=list)
    sheet: str | None = None
    encoding: str | None = None
    separator: str | None = None


class Failure(Exception):
    """The child's way to say what is wrong; the parent turns code and parameters into text."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


def letter_of(index: int) -> str:
    """The spreadsheet's name of a column: 0 -> A, 25 -> Z, 26 -> AA."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(65 + rest) + name
    return name


def index_of(letters: str) -> int:
    """The reverse of `letter_of`: A -> 0, XFD -> 16383."""
    index = 0
    for letter in letters.upper():
        index = index * 26 + ord(letter) - 64
    return index - 1
