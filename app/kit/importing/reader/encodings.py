"""The character encoding of a text file."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from app.kit.importing.reader.model import Failure, Findings
from app.kit.importing.reader.sniff import looks_like_text, wide_encoding

CHUNK = 2**18
SAMPLE = 20_000  # bytes of lines with accents shown to the detector
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH = re.compile(rb"[\x80-\xff]")
_ACCENTED_LINE = re.compile(rb"[^\r\n]*[\x80-\xff][^\r\n]*")
_NO_WINDOWS = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_WORD = re.compile(r"\w+")


def _decode_stray(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are no UTF-8 inside a UTF-8 file come from a Windows program."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("mixed", _decode_stray)


def find_encoding(path: Path, given: str | None, findings: Findings) -> str:
    """`given` when it is one; else by byte order mark, by being valid UTF-8, or by likelihood (then noted in `findings`).

    Raises Failure: unknown_encoding, not_a_spreadsheet.
    """
    if given:
        return _known(given)
    with path.open("rb") as file:
        head = file.read(4096)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None) or wide_encoding(head)
    if marked:
        return marked
    if not looks_like_text(head):
        raise Failure("not_a_spreadsheet", kind="unknown", extension="")
    return "utf-8" if _is_utf8(path) else _guess(path, findings)


def _known(name: str) -> str:
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError) as error:
        raise Failure("unknown_encoding", encoding=name) from error
    if not info._is_text_encoding:  # type: ignore[attr-defined]  # base64 and the like are codecs too
        raise Failure("unknown_encoding", encoding=name)
    return info.name


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _guess(path: Path, findings: Findings) -> str:
    data = path.read_bytes()
    sequences = _SEQUENCE.findall(data)
    strays = len(_HIGH.findall(data)) - sum(map(len, sequences))
    if len(sequences) > strays:
        findings.add("mixed_encoding", bytes=strays)
        return "utf-8"
    sample = b"\n".join(_ACCENTED_LINE.findall(data))[:SAMPLE]
    name = _western(data, sample) or _by_statistics(sample)
    findings.add("guessed_encoding", encoding=name)
    return name


def _western(data: bytes, sample: bytes) -> str | None:
    """Windows-1252 or Latin-1, when the accented words are mostly plain letters; a wrong guess would make them mostly accents."""
    name = "latin-1" if _NO_WINDOWS.search(data) else "cp1252"
    words = [word for word in _WORD.findall(sample.decode(name, "replace")) if not word.isascii()]
    accents = sum(not letter.isascii() for word in words for letter in word)
    return name if accents * 2 < sum(map(len, words)) or not words else None


def _by_statistics(sample: bytes) -> str:
    from charset_normalizer import from_bytes  # costs more to load than most files to read

    best = from_bytes(sample).best()
    return best.encoding if best else "cp1252"
