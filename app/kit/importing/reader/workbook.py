"""Workbooks (.xlsx, .xls, .ods) through calamine, after the container was checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
    load_workbook,
)

from app.kit.importing.reader.model import Failure, Findings, Limits, Line, Source, Value, letter_of
from app.kit.importing.reader.package import Package
from app.kit.importing.reader.padding import Padding
from app.kit.importing.reader.sheetscan import scan_sheet
from app.kit.importing.reader.values import clean


def open_workbook(path: Path, sheet: str | None, limits: Limits, findings: Findings) -> Source:
    """The chosen sheet, or the first visible one that holds anything. `path` must end with the kind: calamine goes by it.

    Raises Failure: locked, broken, bomb, unknown_sheet, empty, too_many_rows, too_many_columns.
    """
    kind = path.suffix[1:]
    if kind == "xls":
        return _choose(_load(path), sheet, findings, None)
    try:
        with ZipFile(path) as archive:
            package = Package(archive, limits)
            parts = package.sheet_parts() if kind == "xlsx" else {}
            package.check_real(skip=set(parts.values()))
            scan = _Scan(package, parts, limits, findings)
            return _choose(_load(path), sheet, findings, scan)
    except (BadZipFile, NotImplementedError) as error:
        raise Failure("broken") from error


class _Scan:
    """Looks at a sheet's part before calamine does."""

    def __init__(self, package: Package, parts: dict[str, str], limits: Limits, findings: Findings) -> None:
        self.package, self.parts, self.limits, self.findings = package, parts, limits, findings
        self.padding = Padding(package)

    def __call__(self, name: str) -> None:
        part = self.parts.get(name, "")
        if part in self.package.parts:
            scan_sheet(self.package.stream(part), self.limits, self.findings, name, self.padding.look_at)


def _load(path: Path) -> CalamineWorkbook:
    try:
        return load_workbook(str(path))
    except PasswordError as error:
        raise Failure("locked") from error
    except CalamineError as error:
        raise Failure("broken") from error


def _choose(book: CalamineWorkbook, wanted: str | None, findings: Findings, scan: _Scan | None) -> Source:
    names = [meta.name for meta in book.sheets_metadata if meta.typ == SheetTypeEnum.WorkSheet]
    visible = [m.name for m in book.sheets_metadata if m.name in names and m.visible == SheetVisibleEnum.Visible]
    if wanted is not None and wanted not in names:
        raise Failure("unknown_sheet", sheet=wanted, sheets=names)
    for name in [wanted] if wanted is not None else visible or names:
        if scan:
            scan(name)
        sheet = _sheet(book, name)
        if sheet.start is not None and sheet.height:
            return _source(sheet, names, visible, findings, scan.padding if scan else None)
    raise Failure("empty", sheet=wanted if wanted is not None else ", ".join(visible or names))


def _sheet(book: CalamineWorkbook, name: str) -> CalamineSheet:
    try:
        return book.get_sheet_by_name(name)
    except CalamineError as error:
        raise Failure("broken", sheet=name) from error


def _source(
    sheet: CalamineSheet, names: list[str], visible: list[str], findings: Findings, padding: Padding | None
) -> Source:
    others = [other for other in visible if other != sheet.name]
    if others:
        findings.add("other_sheets", sheet=sheet.name, sheets=others)
    _note_merged(sheet, findings)
    return Source(lines=_lines(sheet, padding), sheets=names, sheet=sheet.name)


def _note_merged(sheet: CalamineSheet, findings: Findings) -> None:
    for (row, column), _ in sheet.merged_cell_ranges or []:
        findings.add("merged_cells", row=row + 1, column=letter_of(column))


def _lines(sheet: CalamineSheet, padding: Padding | None) -> Iterator[Line]:
    """Rows with their real numbers; calamine gives the blank rows above the data, but not the blank columns left of it."""
    margin: list[Value] = [None] * (sheet.start or (0, 0))[1]
    for number, row in enumerate(sheet.iter_rows(), start=1):
        cells: list[Value] = [*margin, *[None if value == "" else clean(value) for value in row]]
        if padding:
            padding.apply(number, cells)
        yield Line(number, cells)
