"""What a file really is, by its first bytes and its container, whatever its name says."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile, ZipFile

from app.kit.importing.reader.model import Failure, Limits
from app.kit.importing.reader.package import Package

READABLE = {
    "xlsx": "xlsx",
    "xlsm": "xlsx",
    "xls": "xls",
    "ods": "ods",
    "csv": "text",
    "tsv": "text",
    "txt": "text",
}
"""File name ending -> what the content must be."""

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_MAGIC = (
    (b"%PDF", "pdf"),
    (b"\x89PNG", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"GIF8", "picture"),
    (b"BM", "picture"),
    (b"II*\0", "picture"),
    (b"MM\0*", "picture"),
    (b"{\\rtf", "word"),
    (b"\x1f\x8b", "archive"),
    (b"7z\xbc\xaf", "archive"),
    (b"Rar!", "archive"),
    (b"BZh", "archive"),
    (b"MZ\x90", "program"),
    (b"\x7fELF", "program"),
    (b"SQLite format 3\0", "database"),
    (b"\x09\x08\x10\0", "old_excel"),
    (b"\x09\x04\x06\0", "old_excel"),
    (b"\x09\x02\x06\0", "old_excel"),
)
_WEB = (b"<!doctype html", b"<html", b"<table", b"<head", b"<body", b"<meta", b"<script", b"<div", b"<style")
_OLE_WORD = {"WordDocument": "word", "PowerPoint Document": "slides", "__properties_version1.0": "mail"}


def extension_of(filename: str) -> str:
    """ "Clients.XLSX" -> "xlsx"; "" when the name has no ending."""
    return Path(filename.replace("\\", "/")).suffix[1:].lower()


def check_kind(path: Path, filename: str, limits: Limits) -> str:
    """The kind of a readable file: xlsx, xls, ods or text.

    Raises Failure: not_a_spreadsheet, wrong_extension, locked, broken, bomb, empty.
    """
    extension = extension_of(filename)
    kind = kind_of(path, limits)
    if kind == READABLE.get(extension):
        return kind
    if extension not in READABLE and kind not in READABLE.values():
        raise Failure("not_a_spreadsheet", kind=kind, extension=extension)
    raise Failure("wrong_extension", kind=kind, extension=extension)


def kind_of(path: Path, limits: Limits) -> str:
    """What the content is: a readable kind, or another one that a message can name, or "unknown"."""
    with path.open("rb") as file:
        head = file.read(4096)
    if not head.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise Failure("empty")
    if head.startswith(OLE):
        return _ole_kind(path)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_kind(path, limits)
    return _flat_kind(head)


def _flat_kind(head: bytes) -> str:
    for magic, kind in _MAGIC:
        if head.startswith(magic) and (len(magic) > 2 or b"\0" in head):
            return kind
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(_WEB):
        return "web"
    if start.startswith(b"<?xml"):
        return "web" if b"<html" in start else "xml"
    return "text" if looks_like_text(head) else "unknown"


def looks_like_text(head: bytes) -> bool:
    """False when more than one byte in fifty is a control character; UTF-16 and UTF-32 are known by their zero bytes."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or wide_encoding(head):
        return True
    controls = sum(byte < 32 and byte not in b"\t\n\r\f\x1a\x1b" for byte in head)
    return controls * 50 <= len(head)


def wide_encoding(head: bytes) -> str | None:
    """UTF-16 without a byte order mark: nearly all bytes at even (big-endian) or odd (little-endian) places are zero."""
    pairs = len(head) // 2
    if pairs < 2:
        return None
    even, odd = head[0 : pairs * 2 : 2].count(0), head[1 : pairs * 2 : 2].count(0)
    if odd * 10 >= pairs * 7 and even * 10 < pairs:
        return "utf-16-le"
    return "utf-16-be" if even * 10 >= pairs * 7 and odd * 10 < pairs else None


def _ole_kind(path: Path) -> str:
    """Old Excel, an encrypted package, or another Office document; the directory names its streams in UTF-16."""
    data = path.read_bytes()
    if _stream_name("EncryptedPackage") in data:
        raise Failure("locked")
    if _stream_name("Workbook") in data or _stream_name("Book") in data:
        return "xls"
    return next((kind for name, kind in _OLE_WORD.items() if _stream_name(name) in data), "unknown")


def _stream_name(name: str) -> bytes:
    return name.encode("utf-16-le") + b"\0\0"


def _zip_kind(path: Path, limits: Limits) -> str:
    try:
        with ZipFile(path) as archive:
            return Package(archive, limits).kind()
    except (BadZipFile, NotImplementedError, UnicodeDecodeError, ValueError, OSError) as error:
        raise Failure("broken") from error
