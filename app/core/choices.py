"""Choices: enumerations whose members know their label and their tone."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Self


class Choice(StrEnum):
    """A stored value with what a user sees: `label` (lazy text) and `tone` (ok, warn, bad, info, merge or neutral).

    Declared as `OPEN = "open", _l("Open"), "ok"`; the tone may be left out.
    """

    label: Any
    tone: str

    def __new__(cls, value: str, label: Any = None, tone: str = "neutral") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = value if label is None else label
        member.tone = tone
        return member
