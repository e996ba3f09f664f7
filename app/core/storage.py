"""Files on disk, outside of anything a web server serves: random names, checked content (reliability.md).

They live under STEWARD_HOME/files; only a view that has loaded the row through its scope hands one out.
"""

from __future__ import annotations

import secrets
from io import BytesIO
from pathlib import Path
from typing import IO

from flask import current_app
from flask_babel import gettext as _
from PIL import Image, UnidentifiedImageError

from app.core import events
from app.core.errors import DomainError

LARGEST_IMAGE = 5 * 1024 * 1024  # bytes
LARGEST_SIDE = 512  # pixels, of what is kept
MOST_PIXELS = 40_000_000  # of what is read: a small file can claim a huge picture
FORMATS = ("PNG", "JPEG", "GIF", "WEBP")


class BadFile(DomainError):
    """An upload that is not what it should be."""


def folder() -> Path:
    """Where files are kept, made on first use."""
    path = Path(current_app.config["STEWARD_HOME"]) / "files"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def read_image(stream: IO[bytes]) -> bytes:
    """Check a picture by its content and draw it anew as a PNG of at most 512 × 512 pixels, which leaves behind whatever
    else the file held. Raises BadFile for what is no picture (PNG, JPEG, GIF or WebP), or one too large.
    """
    data = stream.read(LARGEST_IMAGE + 1)
    if len(data) > LARGEST_IMAGE:
        raise BadFile(_("The picture is larger than 5 MB."))
    picture, drawn = _opened(data), BytesIO()
    picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    picture.save(drawn, "PNG")
    return drawn.getvalue()


def save(data: bytes, ending: str) -> str:
    """Keep `data` under a random name, which is returned; gone again when the transaction is rolled back."""
    name = f"{secrets.token_hex(16)}.{ending}"
    path = folder() / name
    path.write_bytes(data)
    events.after_rollback(lambda: path.unlink(missing_ok=True))
    return name


def _opened(data: bytes) -> Image.Image:
    try:
        picture = Image.open(BytesIO(data), formats=FORMATS)
        if picture.width * picture.height > MOST_PIXELS:
            raise BadFile(_("The picture has too many pixels."))
        return picture.convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise BadFile(_("This is not a picture. Choose a PNG, JPEG, GIF or WebP file.")) from None


def path_of(name: str) -> Path | None:
    """The stored file of that name; None when there is none, or the name is no name we gave."""
    if not name or not name.replace(".", "", 1).isalnum():
        return None
    path = folder() / name
    return path if path.is_file() else None
