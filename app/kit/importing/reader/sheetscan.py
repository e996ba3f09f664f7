"""One pass over the raw XML of a sheet: cells too far away, formulas never calculated, cells holding an error."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from app.kit.importing.reader.model import Failure, Findings, Limits, index_of, letter_of

OVERLAP = 4096  # longest cell start that a chunk border may cut
SLACK = 1_000  # blank rows allowed above and between
_EMPTY = re.compile(rb"[^<>]*(?:/>|>\s*</)")
_NO_RESULT = re.compile(rb"</f>\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>|<f\s*/>\s*</c>")
_ERROR = re.compile(rb""" t=["']e["']""")  # a literal start makes the search five times as fast
_REFERENCE = re.compile(rb"""\br=["']([A-Z]{1,3})(\d{1,7})["']""")


def scan_sheet(
    chunks: Iterable[bytes],
    limits: Limits,
    findings: Findings,
    sheet: str,
    visit: Callable[[bytes], None] | None = None,
) -> None:
    """Look at a sheet's XML without building it.

    `chunks`: unpacked bytes in order; `visit` is given the same bytes cut between cells. Raises Failure: too_many_rows or
    too_many_columns at the first filled cell outside the limits; empty formatted cells may lie anywhere.
    """
    far = _far_pattern(limits)
    tail = b""
    for chunk in chunks:
        text = tail + chunk
        # everything found before the border is final; the rest is looked at again with the next chunk
        border = _border(text)
        whole, tail = text[:border], text[border:]
        _check(whole, far, limits, sheet)
        _note(whole, findings)
        if visit:
            visit(whole)
    _check(tail, far, limits, sheet)
    _note(tail, findings)
    if visit:
        visit(tail)


def _border(text: bytes) -> int:
    """Just before the last cell that begins in the text; all of it when no cell begins in its last part."""
    for mark in (b"<c ", b"<row"):
        at = text.rfind(mark, max(0, len(text) - 2**20))
        if at > 0:
            return at
    return max(0, len(text) - OVERLAP)


def _far_pattern(limits: Limits) -> re.Pattern[bytes]:
    """References that may lie outside the limits; the exact comparison follows for the few that match.

    XML can be written so that this misses a cell; then the memory limit of the process holds.
    """
    last = letter_of(limits.columns)
    columns = {1: "[A-Z]{1,3}", 2: f"(?:[{last[0]}-Z][A-Z]|[A-Z]{{3}})"}.get(len(last), "[A-Z]{3}")
    digits = len(str(limits.rows + SLACK))
    return re.compile(rf""" r=["']({columns}(?=\d)|[A-Z]{{1,3}}(?=\d{{{digits}}}))(\d{{1,7}})["']""".encode())


def _check(text: bytes, far: re.Pattern[bytes], limits: Limits, sheet: str) -> None:
    for found in far.finditer(text):
        column, row = index_of(found[1].decode()), int(found[2])
        if column < limits.columns and row <= limits.rows + SLACK:
            continue
        if _EMPTY.match(text, found.end()):
            continue
        place = {"row": row, "column": letter_of(column), "sheet": sheet}
        if column >= limits.columns:
            raise Failure("too_many_columns", limit=limits.columns, **place)
        raise Failure("too_many_rows", limit=limits.rows, **place)


def _note(text: bytes, findings: Findings) -> None:
    for code, pattern in (("formula_without_value", _NO_RESULT), ("error_value", _ERROR)):
        for found in pattern.finditer(text):
            findings.add(code, **_place(text, text.rfind(b"<c ", 0, found.start())))


def _place(text: bytes, start: int) -> dict[str, object]:
    found = _REFERENCE.search(text, max(start, 0))
    return {"row": int(found[2]), "column": found[1].decode()} if found else {}
