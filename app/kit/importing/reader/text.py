"""Text tables (.csv, .tsv, .txt): encoding and separator found, quoting checked, every cell kept as the text it is.

RFC 4180 with the liberties real files take: other separators, other line ends, NUL bytes, uneven rows. Nothing is made a
number or a date here: leading zeros and phone numbers must survive.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from app.kit.importing.reader.encodings import find_encoding
from app.kit.importing.reader.model import Failure, Findings, Limits, Line, Source
from app.kit.importing.reader.values import clean_text

SEPARATORS = (",", ";", "\t", "|")
PROBE_CHARS = 64 * 1024
PROBE_ROWS = 50


def open_text(path: Path, encoding: str | None, separator: str | None, limits: Limits, findings: Findings) -> Source:
    """A text table. `encoding` and `separator` are found when None.

    Raises Failure: not_a_spreadsheet, and while the lines are read broken (with the row).
    """
    encoding = find_encoding(path, encoding, findings)
    probe = _probe(path, encoding)
    hint, skip = _hint(probe)
    separator = separator or hint or find_separator(probe)
    lines = _lines(path, encoding, separator, skip, limits, findings)
    return Source(lines=lines, encoding=encoding, separator=separator)


def _open(path: Path, encoding: str) -> io.TextIOWrapper:
    # "cp1252" has five bytes without meaning; "mixed" is registered by the module encodings
    errors = "mixed" if encoding in ("utf-8", "utf-8-sig") else "replace"
    return path.open(encoding=encoding, errors=errors, newline="")


def _probe(path: Path, encoding: str) -> str:
    with _open(path, encoding) as file:
        text = file.read(PROBE_CHARS)
        return text if len(text) < PROBE_CHARS else text + file.readline(PROBE_CHARS)


def _hint(probe: str) -> tuple[str | None, int]:
    """Excel's own first line "sep=;" and how many lines to skip for it."""
    first = probe.split("\n", 1)[0].strip("\r\ufeff ")
    if len(first) == 5 and first.lower().startswith("sep=") and first[4] in SEPARATORS:
        return first[4], 1
    return None, 0


def find_separator(probe: str) -> str:
    """The separator that cuts most rows into the same number of cells, and into more than one; "," when none does."""
    return max(SEPARATORS, key=lambda separator: _fitness(probe, separator))


def _fitness(probe: str, separator: str) -> tuple[float, int]:
    try:
        reader = csv.reader(io.StringIO(probe, newline=""), delimiter=separator)
        widths = [len(row) for row in islice(reader, PROBE_ROWS) if row]
    except csv.Error:
        return 0.0, 0
    if not widths:
        return 0.0, 0
    cells, times = Counter(widths).most_common(1)[0]
    return (times / len(widths), cells) if cells > 1 else (0.0, max(widths))


class _Feed:
    """Hands lines to the csv reader and remembers those of the row being read, to tell an unclosed quotation mark."""

    def __init__(self, file: io.TextIOWrapper, findings: Findings) -> None:
        self.file, self.findings = file, findings
        self.held: list[str] = []
        self.row = 1

    def __iter__(self) -> Iterator[str]:
        for line in self.file:
            if "\0" in line:
                self.findings.add("nul_bytes", row=self.row)
                line = line.replace("\0", "")
            self.held.append(line)
            yield line

    def next_row(self) -> None:
        self.row += 1
        self.held.clear()


def _lines(path: Path, encoding: str, separator: str, skip: int, limits: Limits, findings: Findings) -> Iterator[Line]:
    csv.field_size_limit(limits.cell_chars)
    with _open(path, encoding) as file:
        for _ in range(skip):
            file.readline()
        feed = _Feed(file, findings)
        feed.row += skip
        try:
            yield from _rows(feed, separator)
        except csv.Error as error:
            raise Failure("open_quote", row=feed.row) from error


def _rows(feed: _Feed, separator: str) -> Iterator[Line]:
    for cells in csv.reader(iter(feed), delimiter=separator):
        if len(feed.held) > 1 and _left_open(feed.held, separator):
            raise Failure("open_quote", row=feed.row)
        yield Line(feed.row, [clean_text(cell) for cell in cells], len(cells))
        feed.next_row()


def _left_open(lines: list[str], separator: str) -> bool:
    """Whether the row ended only because the file did."""
    try:
        for _ in csv.reader(lines, delimiter=separator, strict=True):
            pass
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False
