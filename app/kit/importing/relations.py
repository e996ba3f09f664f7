"""Relations by number or name and people by e-mail address or name: one query for a chunk's unknown ones, inside the scope."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import User
from flask_babel import gettext as _

from app.core.db import db
from app.core.mixins import ClientScoped
from app.kit import registry
from app.kit.fields import Field, in_sentence
from app.kit.importing.coerce import as_text, fold

AT_ONCE = 500  # parameters of one look-up


def slices(values: Iterable[Any]) -> Iterable[list[Any]]:
    """The values in lists that one statement can bind."""
    listed = sorted(values)
    return (listed[start : start + AT_ONCE] for start in range(0, len(listed), AT_ONCE))


class Relations:
    """What names stand for; remembers what it looked up. A row the actor may not see is as absent as an absent one."""

    def __init__(self) -> None:
        self._known: dict[tuple[type[Any], str], list[tuple[int, int | None]]] = {}
        self._people: dict[str, set[int]] | None = None

    def learn(self, field: Field, values: Iterable[Any]) -> None:
        """Look up all of a chunk's values at once."""
        if field.kind == "person":
            self._people = self._everybody() if self._people is None else self._people
            return
        target: Any = field.target
        missing = {t for t in {as_text(v) for v in values} if (target, fold(t)) not in self._known}
        for text in missing:
            self._known[target, fold(text)] = []
        for some in slices({fold(text) for text in missing}):
            self._find(target, some)

    def _find(self, target: Any, words: list[str]) -> None:
        name = _name_column(target)
        ids = [int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 10]
        owner: Any = target.client_id if issubclass(target, ClientScoped) else sa.null()
        if ids:
            for pk, of in db.session.execute(sa.select(target.id, owner).where(target.id.in_(ids))):
                self._known[target, str(pk)].append((pk, of))
        if name is not None:
            for pk, word, of in db.session.execute(sa.select(target.id, name, owner).where(name.in_(words))):
                self._known.setdefault((target, word), []).append((pk, of))

    def find(self, field: Field, value: Any, client_id: int | None) -> int:
        """The id a value stands for; ValueError when it is none or several. Learn the chunk's values first."""
        text = as_text(value)
        found = self._person(text) if field.kind == "person" else self._related(field, text, client_id)
        if len(found) == 1:
            return found.pop()
        if found:
            raise ValueError(
                _("“%(text)s” is the name of %(n)s records; give the number.", text=text[:80], n=len(found))
            )
        what = in_sentence(field.label)
        raise ValueError(_("There is no %(what)s “%(text)s”.", what=what, text=text[:80]))

    def _related(self, field: Field, text: str, client_id: int | None) -> set[int]:
        known = self._known.get((field.target, fold(text)), ())  # type: ignore[arg-type]
        return {pk for pk, of in known if of is None or client_id is None or of == client_id}

    def _person(self, text: str) -> set[int]:
        return set((self._people or {}).get(fold(text), ()))

    @staticmethod
    def _everybody() -> dict[str, set[int]]:
        users = User.__table__.c
        query = sa.select(users.id, users.email, users.username, users.first_name, users.last_name)
        words: dict[str, set[int]] = {}
        for pk, email, username, first, last in db.session.execute(query.where(users.active.is_(True))):
            for word in (email, username, f"{first or ''} {last or ''}", str(pk)):
                words.setdefault(fold(word or ""), set()).add(pk)
        words.pop("", None)
        return words


def _name_column(target: Any) -> Any:
    """What a row's name is compared in; None for a model whose rows are known by number only."""
    resource = registry.of_model(target)
    name = resource.title if resource else "name"
    mapper = sa.inspect(target)
    if f"{name}_key" in mapper.column_attrs:
        return getattr(target, f"{name}_key")
    return sa.func.lower(getattr(target, name)) if name in mapper.column_attrs else None
