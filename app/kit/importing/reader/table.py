"""Lines of any format -> header, columns and the row file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from app.kit.importing.reader.headers import label_of
from app.kit.importing.reader.model import Failure, Findings, Limits, Line, Value, letter_of
from app.kit.importing.reader.rows import RowWriter
from app.kit.importing.reader.values import EXACT, text_of

LOOKAHEAD = 20  # rows looked at to find the header below a title
SAMPLES = 5
SAMPLE_CHARS = 80
SAMPLE_ROWS = 1_000  # after so many rows one value of a column is sample enough
ROWS_NAMED = 5  # uneven rows named in the notice


@dataclass
class Tabulator:
    """Consumes lines once, writes the data rows and remembers what the columns hold."""

    writer: RowWriter
    findings: Findings
    limits: Limits
    sheet: str | None
    header: Line | None = None
    width: int = 0
    expected: int = 0
    samples: dict[int, dict[str, None]] = field(default_factory=dict)
    wanted: set[int] = field(default_factory=set)  # columns still without enough samples
    uneven: list[int] = field(default_factory=list)

    def run(self, lines: Iterator[Line], has_header: bool) -> None:
        """Write all rows. Raises Failure: empty, no_rows, too_many_rows, too_many_columns."""
        filled = (_trimmed(line) for line in lines)
        filled = (line for line in filled if line.cells)
        first = list(islice(filled, LOOKAHEAD))
        if not first:
            raise Failure("empty", sheet=self.sheet)
        if has_header:
            first = self._take_header(first)
        else:
            self.expected = first[0].width
        self._write(chain(first, filled))
        if not self.writer.rows:
            raise Failure("no_rows", sheet=self.sheet)

    def _take_header(self, first: list[Line]) -> list[Line]:
        at = _header_position(first)
        self.header = first[at]
        self.expected = self.header.width
        self._widen(self.header)
        if at:
            self.findings.add("rows_above_header", row=self.header.number)
        return first[at + 1 :]

    def _write(self, lines: Iterable[Line]) -> None:
        for line in lines:
            if self.writer.rows >= self.limits.rows:
                raise Failure("too_many_rows", limit=self.limits.rows, row=line.number, sheet=self.sheet)
            self._widen(line)
            if line.width != self.expected:
                self._note_uneven(line)
            self._look_at(line)
            self.writer.add(line.number, line.cells)

    def _check_columns(self, line: Line) -> None:
        if len(line.cells) > self.limits.columns:
            column = letter_of(len(line.cells) - 1)
            raise Failure(
                "too_many_columns", limit=self.limits.columns, row=line.number, column=column, sheet=self.sheet
            )

    def _note_uneven(self, line: Line) -> None:
        longer, named = line.width > self.expected, len(self.header.cells) if self.header else self.expected
        if (longer and len(line.cells) <= self.expected) or named <= line.width < self.expected:
            return  # they differ only in separators at the end of the line
        if len(self.uneven) < ROWS_NAMED:
            self.uneven.append(line.number)
        self.findings.add("uneven_rows", row=line.number, cells=line.width, expected=self.expected, rows=self.uneven)

    def _look_at(self, line: Line) -> None:
        cells = line.cells
        for index in [index for index in self.wanted if index < len(cells)]:
            if cells[index] is not None:
                self._sample(index, text_of(cells[index])[:SAMPLE_CHARS])
        for index, value in enumerate(cells):
            if type(value) is int and abs(value) >= EXACT:
                self.findings.add("long_number", row=line.number, column=letter_of(index))

    def _sample(self, index: int, text: str) -> None:
        seen = self.samples.setdefault(index, {})
        seen[text] = None
        if len(seen) == SAMPLES or self.writer.rows > SAMPLE_ROWS:
            self.wanted.discard(index)

    def _widen(self, line: Line) -> None:
        if len(line.cells) > self.width:
            self._check_columns(line)
            self.wanted.update(range(self.width, len(line.cells)))
            self.width = len(line.cells)

    def columns(self) -> list[dict[str, Any]]:
        """The columns that have a name or a value; an unnamed one has name ""."""
        names = [label_of(text_of(value)) for value in self.header.cells] if self.header else []
        names += [""] * (self.width - len(names))
        kept = [index for index in range(self.width) if names[index] or index in self.samples]
        self._note_names({index: names[index] for index in kept})
        return [
            {
                "index": index,
                "letter": letter_of(index),
                "name": names[index],
                "samples": list(self.samples.get(index, ())),
            }
            for index in kept
        ]

    def _note_names(self, names: dict[int, str]) -> None:
        seen: set[str] = set()
        for index, name in names.items():
            if not name and self.header:
                self.findings.add("unnamed_column", column=letter_of(index))
            if name and name.casefold() in seen:
                self.findings.add("duplicate_header", name=name, column=letter_of(index))
            seen.add(name.casefold())


def _trimmed(line: Line) -> Line:
    cells: list[Value] = line.cells
    while cells and cells[-1] is None:
        cells.pop()
    return line


def _header_position(lines: list[Line]) -> int:
    """0, unless the table begins with a title: a lone cell above rows of three cells and more."""
    filled = [sum(cell is not None for cell in line.cells) for line in lines]
    if filled[0] > 1 or max(filled) < 3:
        return 0
    return next(at for at, count in enumerate(filled) if count > 1 and 2 * count >= max(filled))
