"""Zipped workbooks (.xlsx, .ods) looked at from outside: sizes, content type, far-away cells, before a library opens them.

Measured: a workbook of 1.5 kB with the cells A1 and XFD1048576 makes calamine ask for 512 GB; one of 293 kB takes 1.1 GB.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from posixpath import normpath
from xml.etree import ElementTree
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from app.kit.importing.reader.model import Failure, Limits

CHUNK = 2**18
SMALL = 10 * 2**20  # a part below this size may be packed as tightly as it likes
_LOCAL_HEADER = 30
_SHEET_TYPES = (
    b"spreadsheetml.sheet.main+xml",
    b"ms-excel.sheet.macroEnabled.main+xml",
    b"spreadsheetml.template.main+xml",
)
_ODS = b"application/vnd.oasis.opendocument.spreadsheet"
_FOLDERS = {
    "xl/workbook.bin": "xlsb",
    "word/document.xml": "word",
    "ppt/presentation.xml": "slides",
    "Index/Document.iwa": "numbers",
}


class Package:
    """One open zip archive and the limits it must keep."""

    def __init__(self, archive: ZipFile, limits: Limits) -> None:
        self.archive = archive
        self.limits = limits
        self.parts = {info.filename.replace("\\", "/").lstrip("/").lower(): info for info in archive.infolist()}
        self.unpacked = 0

    def kind(self) -> str:
        """xlsx, ods, or what else the archive is. Raises Failure: bomb, locked, broken."""
        self.check_declared()
        if "mimetype" in self.parts:
            return self._opendocument_kind()
        for name, kind in _FOLDERS.items():
            if name.lower() in self.parts:
                return kind
        if "xl/workbook.xml" not in self.parts and "[content_types].xml" not in self.parts:
            return "archive"
        types = self.read("[content_types].xml")
        if not any(known in types for known in _SHEET_TYPES):
            raise Failure("broken")
        return "xlsx"

    def _opendocument_kind(self) -> str:
        if not self.read("mimetype").startswith(_ODS):
            return "document"
        if b"encryption-data" in self.read("meta-inf/manifest.xml"):
            raise Failure("locked")
        if "content.xml" not in self.parts:
            raise Failure("broken")
        return "ods"

    def check_declared(self) -> None:
        """The archive's own words about its sizes. Raises Failure: bomb, locked."""
        infos = self.archive.infolist()
        if len(infos) > self.limits.entries or sum(info.file_size for info in infos) > self.limits.unpacked_bytes:
            raise Failure("bomb")
        for info in infos:
            if info.flag_bits & 1:
                raise Failure("locked")
            self._check_ratio(info, info.file_size)

    def check_real(self, skip: set[str]) -> None:
        """Unpack what a library would unpack, without keeping it: declared sizes may lie. `skip`: sheets not asked for."""
        for name in self.parts:
            if name.endswith((".xml", ".rels")) and name not in skip:
                for _ in self.stream(name):
                    pass

    def stream(self, name: str) -> Iterator[bytes]:
        """The unpacked bytes of a part, by its real length, at most CHUNK at a time. Raises Failure: bomb, broken."""
        info = self.parts.get(name.lower())
        if info is None:
            raise Failure("broken")
        seen = 0
        for chunk in self._inflate(info):
            seen += len(chunk)
            self._check_ratio(info, seen)
            yield chunk
        self.unpacked += seen

    def _check_ratio(self, info: ZipInfo, size: int) -> None:
        if self.unpacked + size > self.limits.unpacked_bytes:
            raise Failure("bomb")
        if size > SMALL and size > self.limits.ratio * max(1, info.compress_size):
            raise Failure("bomb")

    def _inflate(self, info: ZipInfo) -> Iterator[bytes]:
        if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise Failure("broken")
        inflate = zlib.decompressobj(-15) if info.compress_type == ZIP_DEFLATED else None
        for packed in self._packed(info):
            if inflate is None:
                yield packed
                continue
            while packed:
                try:
                    yield inflate.decompress(packed, CHUNK)
                except zlib.error as error:
                    raise Failure("broken") from error
                packed = inflate.unconsumed_tail

    def _packed(self, info: ZipInfo) -> Iterator[bytes]:
        """The part's bytes as they lie in the file, found by its local header."""
        file = self.archive.fp
        assert file is not None
        file.seek(info.header_offset)
        header = file.read(_LOCAL_HEADER)
        if len(header) < _LOCAL_HEADER or not header.startswith(b"PK\x03\x04"):
            raise Failure("broken")
        position = info.header_offset + _LOCAL_HEADER + sum(struct.unpack("<HH", header[26:30]))
        left = info.compress_size
        while left > 0:
            file.seek(position)
            data = file.read(min(left, CHUNK // 4))
            if not data:
                raise Failure("broken")
            position, left = position + len(data), left - len(data)
            yield data

    def read(self, name: str, most: int = SMALL) -> bytes:
        """A small part as a whole. Raises Failure: broken when absent, bomb when larger than `most` bytes."""
        data = b""
        for chunk in self.stream(name):
            data += chunk
            if len(data) > most:
                raise Failure("bomb")
        return data

    def sheet_parts(self) -> dict[str, str]:
        """Sheet name -> part of an xlsx, lower case. Raises Failure: broken."""
        try:
            # expat stops expanding entities early, and this process has little memory and time in any case
            book = ElementTree.fromstring(self.read("xl/workbook.xml"))  # noqa: S314
            relations = ElementTree.fromstring(self.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
        except ElementTree.ParseError as error:
            raise Failure("broken") from error
        targets = {node.get("Id"): _part(node.get("Target", "")) for node in relations}
        sheets = [node for node in book.iter() if node.tag.endswith("}sheet")]
        return {node.get("name", ""): targets[_relation(node)] for node in sheets if _relation(node) in targets}


def _relation(node: ElementTree.Element) -> str | None:
    return next((value for key, value in node.attrib.items() if key.endswith("}id")), None)


def _part(target: str) -> str:
    return normpath(target.lstrip("/") if target.startswith("/") else f"xl/{target}").lower()
