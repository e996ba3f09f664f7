"""Column names of uploaded tables."""

from __future__ import annotations

import re
import unicodedata

_REMARK = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NOT_WORD = re.compile(r"[\W_]+")
_E_WORD = re.compile(r"\be (?=mails?\b)")


def normalise_header(text: str) -> str:
    """A column name reduced to what matters for matching: "E-Mail_Address (required) *" -> "email address" (CON-09).

    Case, accents, punctuation, remarks in brackets and CamelCase are evened out. Empty when nothing readable is left.
    """
    bare = _REMARK.sub(" ", text) if _REMARK.sub("", text).strip() else text
    split = _HUMP.sub(" ", bare)
    plain = "".join(c for c in unicodedata.normalize("NFKD", split) if not unicodedata.combining(c))
    return _E_WORD.sub("e", _NOT_WORD.sub(" ", plain.casefold()).strip())


def label_of(text: str) -> str:
    """A header cell as one line of text."""
    return " ".join(text.split())
