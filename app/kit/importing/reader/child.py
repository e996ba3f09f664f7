"""The process that opens a stranger's file: `python -m app.kit.importing.reader.child`.

Request as JSON on stdin, summary or failure as JSON on stdout, rows into the file the request names. It limits itself
before it looks at anything, so that neither a forged file nor a fault in a parser reaches the process that waits for it.
"""

from __future__ import annotations

import errno
import json
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.kit.importing.reader.model import Failure, Findings, Limits, Source

_OURS = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EIO,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOENT,
}


@dataclass(frozen=True)
class Request:
    """What the parent asks for; see `api.parse`."""

    path: str
    filename: str
    output: str
    sheet: str | None
    has_header: bool
    encoding: str | None
    separator: str | None
    limits: dict[str, Any]


def restrain(limits: Limits) -> None:
    """Memory, processor and wall-clock time, file size and core dumps of this process; none can be raised again."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, limits.seconds)  # ends this process even when its parent is gone
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for kind, limit in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, limits.output_bytes),
    ):
        _, hard = resource.getrlimit(kind)
        most = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (most, most))


def read(request: Request, limits: Limits) -> dict[str, Any]:
    """Parse the file and write its rows; the summary. Raises Failure."""
    # imported here, after the limits hold
    from app.kit.importing.reader.rows import RowWriter
    from app.kit.importing.reader.table import Tabulator

    findings = Findings()
    source = _open(request, limits, findings)
    with RowWriter(Path(request.output)) as writer:
        table = Tabulator(writer, findings, limits, source.sheet)
        table.run(source.lines, request.has_header)
        columns = table.columns()
        writer.finish(table.width)
    return {
        "sheets": source.sheets,
        "sheet": source.sheet,
        "header_row": table.header.number if table.header else None,
        "columns": columns,
        "rows": writer.rows,
        "encoding": source.encoding,
        "separator": source.separator,
        "notices": findings.as_list(),
    }


def _open(request: Request, limits: Limits, findings: Findings) -> Source:
    from app.kit.importing.reader.sniff import check_kind

    path = Path(request.path)
    if path.stat().st_size > limits.file_bytes:
        raise Failure("too_large", limit=limits.file_bytes)
    kind = check_kind(path, request.filename, limits)
    if kind == "text":
        from app.kit.importing.reader.text import open_text

        return open_text(path, request.encoding, request.separator, limits, findings)
    from app.kit.importing.reader.workbook import open_workbook

    named = Path(request.output).with_suffix(f".{kind}")
    named.symlink_to(path)
    try:
        return open_workbook(named, request.sheet, limits, findings)
    finally:
        named.unlink()


def answer(request: Request, limits: Limits) -> dict[str, Any]:
    """The summary, or what went wrong as {"failure": code, "params": {...}}."""
    try:
        return read(request, limits)
    except Failure as failure:
        return {"failure": failure.code, "params": failure.params}
    except MemoryError:
        return {"failure": "memory", "params": {}}
    except OSError as error:
        return {"failure": _code_of(error), "params": {"limit": limits.file_bytes}, "detail": repr(error)}
    except BaseException as error:  # a panic of a parser written in Rust is no Exception
        return {"failure": "broken", "params": {}, "detail": repr(error)}


def _code_of(error: OSError) -> str:
    """Only what the machine refuses is a fault of ours; a forged offset ends in EINVAL."""
    if error.errno == errno.EFBIG:
        return "too_large"
    return "failed" if error.errno in _OURS else "broken"


def main() -> None:
    """Serve one request and end."""
    request = Request(**json.load(sys.stdin))
    limits = Limits(**request.limits)
    restrain(limits)
    json.dump(answer(request, limits), sys.stdout)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
