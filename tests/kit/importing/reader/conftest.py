"""Files written by the tests themselves, and short ways to read them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlwt

from app.kit.importing.reader import Limits, Table, UnreadableFile, parse, read_rows

CONTENT_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>'
)
RELATIONS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def xlsx_of_xml(sheet_data: str | bytes, dimension: str = "A1", **more: bytes) -> bytes:
    """A workbook with one sheet "S" whose XML rows are given as they are; `more`: further parts by name."""
    body = sheet_data if isinstance(sheet_data, bytes) else sheet_data.encode()
    head = f'<worksheet xmlns="{MAIN}"><dimension ref="{dimension}"/><sheetData>'.encode()
    parts = {
        "[Content_Types].xml": CONTENT_TYPES,
        "_rels/.rels": RELATIONS.format(
            f'<Relationship Id="a" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
        ),
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">'
        '<sheets><sheet name="S" sheetId="1" r:id="b"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": RELATIONS.format(
            f'<Relationship Id="b" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        ),
        "xl/worksheets/sheet1.xml": head + body + b"</sheetData></worksheet>",
        **more,
    }
    return zip_of(parts)


def zip_of(parts: dict[str, str | bytes]) -> bytes:
    """A deflated zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def xlsx_of(*rows: list[Any], prepare: Callable[[openpyxl.Workbook], None] | None = None) -> bytes:
    """A workbook as openpyxl writes it; `prepare` may change it before it is saved."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    if prepare:
        prepare(book)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def xls_of(*rows: list[Any], top: int = 0, left: int = 0) -> bytes:
    """A BIFF8 workbook with the rows from the given corner on."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("Old")
    for y, row in enumerate(rows, start=top):
        for x, value in enumerate(row, start=left):
            sheet.write(y, x, value)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def ods_of(*rows: list[str], manifest: str = "", attributes: str = "") -> bytes:
    """An OpenDocument spreadsheet with text cells."""
    cells = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell {attributes} office:value-type="string"><text:p>{value}</text:p></table:table-cell>'
            for value in row
        )
        + "</table:table-row>"
        for row in rows
    )
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    content = (
        f"<office:document-content {spaces}><office:body><office:spreadsheet>"
        f'<table:table table:name="T">{cells}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    namespace = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
    listed = f'<manifest:manifest xmlns:manifest="{namespace}">{manifest}</manifest:manifest>'
    return zip_of({"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": listed})


class Desk:
    """Saves bytes as an upload and parses it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def table(self, name: str, data: bytes, **options: Any) -> Table:
        path = self.folder / "upload.bin"
        path.write_bytes(data)
        target = self.folder / "rows"
        target.mkdir(exist_ok=True)
        return parse(path, filename=name, target_dir=target, **options)

    def cells(self, name: str, data: bytes, **options: Any) -> list[list[Any]]:
        """The data rows' cells."""
        return [row.cells for row in read_rows(self.table(name, data, **options).data_path)]

    def refuse(self, name: str, data: bytes, **options: Any) -> UnreadableFile:
        """The error; nothing may be left of the attempt."""
        target = self.folder / "rows"
        before = set(target.iterdir()) if target.exists() else set()
        with pytest.raises(UnreadableFile) as caught:
            self.table(name, data, **options)
        assert set(target.iterdir()) == before
        return caught.value


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def make() -> Any:
    """The file makers of this module, for tests that cannot import it."""

    class Make:
        xlsx = staticmethod(xlsx_of)
        xlsx_xml = staticmethod(xlsx_of_xml)
        xls = staticmethod(xls_of)
        ods = staticmethod(ods_of)
        zip = staticmethod(zip_of)
        limits = Limits

    return Make
