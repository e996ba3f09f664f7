"""What a feature may add to its imports: `Transfer(prepare=ContactImport)` names a subclass of `ImportHooks`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from app.core.security.principal import Principal


@dataclass(frozen=True)
class CellError:
    """What is wrong with one value of the file; `field` is "" for what concerns the whole row."""

    field: str
    message: str
    value: str = ""


@dataclass
class Draft:
    """One row of the file on its way into the database.

    `values` holds what the file fills, by attribute name (a relation as its foreign key); `stored` the whole row that
    exists already, None for a new one; `whole` the row as it is going to be stored. `position` is the row's number in
    the file.
    """

    position: int
    values: dict[str, Any]
    client_id: int | None = None
    stored: dict[str, Any] | None = None
    whole: dict[str, Any] = field(default_factory=dict)
    errors: list[CellError] = field(default_factory=list)
    payload: Any = None  # what the plan noted about the row, when it runs

    def refuse(self, name: str, message: Any, value: Any = "") -> None:
        """Note what is wrong with the row, beside the field `name`."""
        self.errors.append(CellError(name, str(message), str(value)[:200]))


@dataclass(frozen=True)
class Room:
    """How full a limit would be: `used` of `limit` after the import; `label` names what is limited."""

    label: str
    used: int
    limit: int

    @property
    def full(self) -> bool:
        """Whether the import would go beyond the limit."""
        return self.used > self.limit


class ImportHooks:
    """One object per run, so that it may keep what it looked up. Everything is called with a chunk of rows at once.

    With `bulk`, `complete` takes the place of the resource's service, and rows are written by statements over many rows;
    otherwise the service writes them and `complete` only foresees what it would refuse.
    """

    bulk: ClassVar[bool] = False
    columns: ClassVar[tuple[str, ...]] = ()  # fields that only imports fill, beside those of `Transfer.columns`

    def __init__(self, actor: Principal) -> None:
        self.actor = actor

    def read(self, drafts: Sequence[Draft]) -> None:
        """Before existing rows are looked up: split, join or derive `values`. Reading twice changes nothing more."""

    def complete(self, drafts: Sequence[Draft]) -> None:
        """Derive what depends on the `whole` row, and refuse rows that cannot be stored."""

    def room(self, created: Mapping[int, int]) -> list[Room]:
        """Limits after creating so many rows for each client ({client id: rows}), the fullest first."""
        del created
        return []
