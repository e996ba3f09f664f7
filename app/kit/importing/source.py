"""The uploaded file: kept under STEWARD_HOME with a random name, read by the reader's child process (CON-09)."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from flask import current_app
from flask_babel import gettext as _

from app.core.errors import Missing
from app.kit.importing import reader
from app.kit.importing.mapping import Column

LIMITS = reader.Limits(file_bytes=64 * 2**20, rows=200_000)
ACCEPT = ".xlsx,.xls,.ods,.csv"
KEPT = 30 * 86_400.0  # seconds
_OURS = re.compile(r"^[a-z]+-[0-9a-f]{32}\.[a-z]+$")


class Upload(Protocol):
    """What a web framework hands over."""

    filename: str | None

    def save(self, dst: Any, buffer_size: int = ...) -> None:
        """Write the content to a path."""


@dataclass(frozen=True)
class Source:
    """A file that was read. `upload` and `rows` are names inside the folder of uploads."""

    name: str
    upload: str
    rows: str
    count: int
    columns: tuple[Column, ...]
    sheet: str | None = None
    header_row: int | None = None
    notices: tuple[tuple[str, dict[str, Any]], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """For the operation's settings."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Source:
        """The reverse."""
        columns = tuple(Column(**{**c, "samples": tuple(c["samples"])}) for c in stored["columns"])
        notices = tuple((code, params) for code, params in stored["notices"])
        return cls(**{**stored, "columns": columns, "notices": notices})

    def read(self, start: int = 0, count: int | None = None) -> Iterator[reader.Row]:
        """Data rows; Missing when the file has been cleared away."""
        try:
            return reader.read_rows(_inside(self.rows), start, count)
        except FileNotFoundError:
            raise Missing(_("The uploaded file has been cleared away. Upload it again.")) from None

    def remarks(self) -> list[str]:
        """What is worth knowing about the file, in the reader's language."""
        return [reader.Notice(code, params).message for code, params in self.notices]


def folder() -> Path:
    """Where uploads lie; readable by the server alone."""
    path = Path(current_app.config["STEWARD_HOME"]) / "uploads"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _inside(name: str) -> Path:
    if not _OURS.match(name):
        raise FileNotFoundError(name)
    return folder() / name


def shown_name(name: str | None) -> str:
    """A file's name as it may be shown: no folder, no control characters, 120 characters at most."""
    last = re.split(r"[\\/]", name or "")[-1]
    return "".join(c for c in last if c.isprintable()).strip()[-120:] or "file"


def take(upload: Upload) -> Source:
    """Keep an upload and read it. Raises UnreadableFile, and keeps nothing then."""
    path = folder() / f"upload-{secrets.token_hex(16)}.bin"
    try:
        upload.save(path)
        path.chmod(0o600)
        return _read(path, shown_name(upload.filename))
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def take_path(given: Path) -> Source:
    """The same for a file on this machine; it stays where it is."""
    path = folder() / f"upload-{secrets.token_hex(16)}.bin"
    if given.stat().st_size > LIMITS.file_bytes:
        raise reader.UnreadableFile("too_large", params={"limit": LIMITS.file_bytes})
    try:
        path.write_bytes(given.read_bytes())
        path.chmod(0o600)
        return _read(path, shown_name(given.name))
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _read(path: Path, name: str) -> Source:
    table = reader.parse(path, filename=name, target_dir=path.parent, limits=LIMITS)
    return Source(
        name=name,
        upload=path.name,
        rows=table.data_path.name,
        count=table.rows,
        columns=tuple(Column(c.index, c.letter, c.name, tuple(c.samples[:5])) for c in table.columns),
        sheet=table.sheet,
        header_row=table.header_row,
        notices=tuple((notice.code, notice.params) for notice in table.warnings),
    )


def clear_away(older_than: float = KEPT) -> int:
    """Remove files nobody touched for so many seconds; how many."""
    old = [path for path in folder().iterdir() if time.time() - path.stat().st_mtime > older_than]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def remove(stored: dict[str, Any]) -> None:
    """Remove a file and its rows; nothing happens when they are gone."""
    source = Source.from_json(stored)
    _inside(source.upload).unlink(missing_ok=True)
    reader.remove_rows(_inside(source.rows))
