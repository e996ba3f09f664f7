"""Parsing an upload, seen from the application: start the child, judge how it ended, put its findings into words."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from flask_babel import LazyString

from app.kit.importing.reader import messages
from app.kit.importing.reader.model import ColumnInfo, Limits
from app.kit.importing.reader.rows import index_path

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[4]
CHILD = "app.kit.importing.reader.child"
DEFAULT_LIMITS = Limits()
_GRACE = 2.0  # seconds the parent waits longer than the child allows itself
_TIME_SIGNALS = (signal.SIGALRM, signal.SIGXCPU)
_MEMORY_SIGNALS = (signal.SIGABRT, signal.SIGKILL)  # a failed allocation in Rust aborts; the kernel kills


class UnreadableFile(Exception):
    """The upload cannot be read. `code` and `params` may be stored; `message` is translated when it is shown.

    Codes: empty, not_a_spreadsheet, wrong_extension, locked, too_large, too_many_rows, too_many_columns, bomb, no_rows,
    unknown_sheet, unknown_encoding, open_quote, broken, timeout, memory, failed (a fault of ours).
    """

    def __init__(
        self,
        code: str,
        message: str | LazyString | None = None,
        sheet: str | None = None,
        row: int | None = None,
        column: str | None = None,
        params: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(code)
        self.code, self.sheet, self.row, self.column = code, sheet, row, column
        self.params = params or {}
        self.message = message if message is not None else messages.failure_text(code, self.params)

    def __str__(self) -> str:
        return str(self.message)


@dataclass(frozen=True)
class Notice:
    """Something to tell about a file that was read. `row` and `column` are the first place, None when it has none."""

    code: str
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """The text in the language of whoever asks."""
        return str(messages.notice_text(self.code, self.params))

    @property
    def row(self) -> int | None:
        """Number of the row in the file."""
        return self.params.get("row")

    @property
    def column(self) -> str | None:
        """Letter of the column."""
        return self.params.get("column")


@dataclass(frozen=True)
class Table:
    """A parsed upload. `rows` counts the data rows in `data_path` (see `read_rows`); `header_row` is None without a header.

    `sheets` are all worksheets, hidden ones too, and `sheet` the one read; both are empty for text files, for which
    `encoding` and `separator` say how they were read.
    """

    sheets: list[str]
    sheet: str | None
    columns: list[ColumnInfo]
    rows: int
    header_row: int | None
    encoding: str | None
    separator: str | None
    warnings: list[Notice]
    data_path: Path


def parse(
    path: Path | str,
    *,
    filename: str,
    target_dir: Path | str,
    sheet: str | None = None,
    has_header: bool = True,
    encoding: str | None = None,
    separator: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Table:
    """Read the file at `path`, uploaded as `filename`, into a row file in `target_dir` (CON-09, CLI-13).

    Parameters: `sheet` a worksheet's name (None: the first visible one that holds anything); `has_header` whether the first
    row names the columns; `encoding` and `separator` override what is detected in text files; `limits` what it may cost.
    The caller removes the rows with the upload (`remove_rows`).
    Raises UnreadableFile, and nothing else for any content of the file. OSError when `path` or `target_dir` is not there.
    """
    path, output = Path(path).resolve(), Path(target_dir).resolve() / f"rows-{uuid4().hex}.jsonl"
    if not output.parent.is_dir():
        raise NotADirectoryError(output.parent)
    if path.stat().st_size > limits.file_bytes:
        raise UnreadableFile("too_large", params={"limit": limits.file_bytes})
    request = {
        "path": str(path),
        "filename": filename,
        "output": str(output),
        "sheet": sheet,
        "has_header": has_header,
        "encoding": encoding,
        "separator": separator,
        "limits": asdict(limits),
    }
    try:
        return _table(_ask_child(request, limits), output)
    except BaseException:
        for left in output.parent.glob(f"{output.stem}.*"):  # rows, index, the child's link to the upload
            left.unlink(missing_ok=True)
        raise


def remove_rows(data_path: Path | str) -> None:
    """Remove a row file and its index; nothing happens when they are gone."""
    for path in (Path(data_path), index_path(Path(data_path))):
        path.unlink(missing_ok=True)


def _ask_child(request: dict[str, Any], limits: Limits) -> dict[str, Any]:
    child = subprocess.Popen(
        [sys.executable, "-s", "-m", CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=_bare_environment(),
        start_new_session=True,
    )
    try:
        out, err = child.communicate(json.dumps(request).encode(), timeout=limits.seconds + _GRACE)
    except subprocess.TimeoutExpired as error:
        raise UnreadableFile("timeout") from error
    finally:
        if child.poll() is None:
            child.kill()
            child.communicate()
    return _answer(child.returncode, out, err)


def _bare_environment() -> dict[str, str]:
    """No secret of ours is in reach of whatever a forged file may set loose."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TZ") if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", "PYTHONUTF8": "1"}


def _answer(status: int, out: bytes, err: bytes) -> dict[str, Any]:
    if status != 0:
        log.warning("parser of an upload ended with status %s: %s", status, err[-2000:].decode(errors="replace"))
        raise UnreadableFile(_code_of(status, err))
    answer: dict[str, Any] = json.loads(out)
    if "failure" not in answer:
        return answer
    if "detail" in answer:
        log.warning("parser of an upload: %s", answer["detail"])
    params = answer["params"]
    raise UnreadableFile(answer["failure"], None, params.get("sheet"), params.get("row"), params.get("column"), params)


def _code_of(status: int, err: bytes) -> str:
    if -status in _TIME_SIGNALS:
        return "timeout"
    if -status in _MEMORY_SIGNALS or b"MemoryError" in err or b"memory allocation" in err:
        return "memory"
    return "broken" if status < 0 else "failed"


def _table(answer: dict[str, Any], output: Path) -> Table:
    columns = [
        ColumnInfo(**{**column, "name": column["name"] or str(messages.unnamed(column["letter"]))})
        for column in answer["columns"]
    ]
    notices = [Notice(notice.pop("code"), notice) for notice in answer.pop("notices")]
    return Table(**{**answer, "columns": columns, "warnings": notices, "data_path": output})
