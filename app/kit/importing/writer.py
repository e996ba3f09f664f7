"""A confirmed chunk of the plan becomes rows: rights, scope and versions are asked again, then a few statements write all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from app.core.db import db
from app.core.operations.handlers import Item, Outcome, done, failed
from app.core.operations.models import OperationItem
from app.core.operations.states import Plan
from app.core.security.principal import Principal
from app.kit import writes
from app.kit.fields import field_of, in_sentence, title_of
from app.kit.importing import store
from app.kit.importing.hooks import Draft
from app.kit.importing.jsonable import from_json, to_json, value_of
from app.kit.importing.mapping import client_scoped
from app.kit.importing.matching import Matcher
from app.kit.importing.planner import hooks_of, refused_by_right
from app.kit.resource import Resource

ITEM: Any = OperationItem.__table__


class Writer:
    """Writes one chunk for one operation. Outcomes are collected by item id.

    `written` maps positions to the ids of rows written so far: when a chunk is tried row by row, the results of its
    earlier rows are not in the database yet.
    """

    def __init__(self, resource: Resource, operation_id: int, actor: Principal, written: dict[int, int]) -> None:
        self.resource, self.operation_id, self.actor = resource, operation_id, actor
        self._model: Any = resource.model
        self._hooks = hooks_of(resource, actor)
        self._matcher = Matcher(resource)
        self._bulk = self._hooks.bulk
        self._outcomes: dict[int, Outcome] = {}
        self._rows = written
        self._here: set[int] = set()

    def run(self, items: Sequence[Item]) -> list[Outcome]:
        """Write the items; one outcome each, in their order."""
        self._here = {item.position for item in items}
        for position in self._here:
            self._rows.pop(position, None)  # left by a try that was taken back
        self._check_rights(items)
        self._check_clients(items)
        self._create(self._open(items, Plan.CREATE))
        self._update(self._open(items, Plan.UPDATE))
        self._merge(self._open(items, Plan.MERGE))
        return [self._outcomes[item.id] for item in items]

    def _open(self, items: Sequence[Item], plan: Plan) -> list[Item]:
        return [item for item in items if item.plan == plan and item.id not in self._outcomes]

    def _fail(self, item: Item, code: str, reason: Any) -> None:
        self._outcomes[item.id] = failed(code, reason)

    def _what(self) -> str:
        return in_sentence(self.resource.label)

    def _check_rights(self, items: Sequence[Item]) -> None:
        for item in items:
            adds = item.plan == Plan.CREATE or (item.plan == Plan.MERGE and item.target_id is None)
            reason = refused_by_right(self.resource, self.actor, "add" if adds else "edit")
            if reason:
                self._fail(item, "right", reason)

    def _check_clients(self, items: Sequence[Item]) -> None:
        """A client that is gone, or out of the actor's reach by now."""
        if not client_scoped(self.resource):
            return
        target: Any = field_of(self._model, "client").target
        reached = store.reachable(target, {item.client_id for item in items if item.client_id is not None})
        for item in items:
            if item.client_id not in reached and item.id not in self._outcomes:
                self._fail(item, "client", _("This client does not exist."))

    # -- new rows ---------------------------------------------------------------------------------------------------

    def _create(self, items: list[Item]) -> None:
        drafts = [self._new(item) for item in items]
        self._hooks.read(drafts)
        self._matcher.match(drafts)
        for item, draft in zip(items, drafts, strict=True):
            if draft.stored is not None or draft.errors:
                title = draft.stored.get(self.resource.title) if draft.stored else ""
                self._fail(
                    item, "changed", _("Changed since the plan: %(title)s has been added meanwhile.", title=title)
                )
        pairs = self._still_open(zip(items, drafts, strict=True))
        for _item, draft in pairs:
            own = {"client_id": draft.client_id} if draft.client_id is not None else {}
            draft.whole = {**own, **draft.values}
        pairs = self._without_refused(pairs)
        pairs = self._with_room(pairs)
        (self._insert if self._bulk else self._create_by_service)(pairs)

    def _new(self, item: Item) -> Draft:
        return Draft(item.position, from_json(self._model, item.payload["values"]), item.client_id)

    def _still_open(self, pairs: Any) -> list[tuple[Item, Draft]]:
        return [(item, draft) for item, draft in pairs if item.id not in self._outcomes]

    def _without_refused(self, pairs: list[tuple[Item, Draft]]) -> list[tuple[Item, Draft]]:
        if pairs:
            self._hooks.complete([draft for _item, draft in pairs])
        for item, draft in pairs:
            if draft.errors:
                self._fail(item, draft.errors[0].field or "row", " ".join(error.message for error in draft.errors))
        return self._still_open(pairs)

    def _with_room(self, pairs: list[tuple[Item, Draft]]) -> list[tuple[Item, Draft]]:
        """Nothing goes beyond a limit: then none of the chunk's rows for that client is made (CLI-20)."""
        by_client: dict[int, int] = {}
        for item, _draft in pairs:
            if item.client_id is not None:
                by_client[item.client_id] = by_client.get(item.client_id, 0) + 1
        full = {c: room for c, n in by_client.items() for room in self._hooks.room({c: n}) if room.full}
        for item, _draft in pairs:
            if item.client_id in full:
                room = full[item.client_id]
                self._fail(
                    item, "limit", _("%(name)s would exceed its limit of %(limit)s.", name=room.label, limit=room.limit)
                )
        return self._still_open(pairs)

    def _insert(self, pairs: list[tuple[Item, Draft]]) -> None:
        if not pairs:
            return
        ids = store.insert(self.resource, [draft.whole for _item, draft in pairs], self.actor)
        for (item, draft), pk in zip(pairs, ids, strict=True):
            self._rows[item.position] = pk
            self._outcomes[item.id] = done(
                row_id=pk, title=str(draft.whole.get(self.resource.title) or "")[:200] or None
            )

    def _create_by_service(self, pairs: list[tuple[Item, Draft]]) -> None:
        create = self.resource.service.create or (lambda values, *, actor: self._model(**values))
        made = []
        for item, draft in pairs:
            own = {"client_id": draft.client_id} if draft.client_id is not None else {}
            row = create({**own, **draft.values}, actor=self.actor)
            db.session.add(row)
            writes.check_unique(self.resource, row)
            made.append((item, row))
        db.session.flush()
        for item, row in made:
            self._rows[item.position] = row.id
            self._outcomes[item.id] = done(row_id=row.id, title=title_of(row)[:200])

    # -- rows that exist --------------------------------------------------------------------------------------------

    def _update(self, items: list[Item]) -> None:
        stored = store.rows_by_id(self._model, {item.row_id for item in items if item.row_id}, lock=True)
        pairs = []
        for item in items:
            row = stored.get(item.row_id or 0)
            if row is None:
                self._fail(item, "changed", _("Changed since the plan: this %(what)s is gone.", what=self._what()))
            elif row["version"] != item.payload["version"]:
                self._fail(
                    item, "changed", _("Changed since the plan: somebody saved this %(what)s.", what=self._what())
                )
            else:
                pairs.append((item, self._changed(item, row, row)))
        self._write_changes([(draft, [item]) for item, draft in self._without_refused(pairs)])

    def _changed(self, item: Item, row: store.Row, state: store.Row) -> Draft:
        after = {name: value_of(self._model, name, pair[1]) for name, pair in item.payload["changes"].items()}
        return Draft(item.position, after, item.client_id, stored=row, whole={**state, **after})

    def _write_changes(self, groups: list[tuple[Draft, list[Item]]]) -> None:
        """Each draft's `whole` replaces its stored row; the items are what leads there, one after the other."""
        changes = [(draft.stored or {}, store.difference(draft.stored or {}, draft.whole)) for draft, _items in groups]
        real = [(row, new) for row, new in changes if new]
        (self._update_rows if self._bulk else self._update_by_service)(real)
        for (draft, items), (row, new) in zip(groups, changes, strict=True):
            for item in items:
                self._note(item, row, new, last=item is items[-1], title=draft.whole.get(self.resource.title))

    def _note(self, item: Item, row: store.Row, new: store.Row, *, last: bool, title: Any) -> None:
        """The images of an item are its own fields, and with the last one of a row also what follows from them."""
        pairs = item.payload["changes"]
        before = {name: pair[0] for name, pair in pairs.items()}
        after = {name: pair[1] for name, pair in pairs.items()}
        if last:
            before = to_json({name: row.get(name) for name in new if name not in before}) | before
            after = to_json({name: value for name, value in new.items() if name not in after}) | after
        more = {} if item.plan == Plan.UPDATE else {"target_id": row["id"]}
        self._rows[item.position] = row["id"]
        self._outcomes[item.id] = done(before=before, after=after, title=str(title or "")[:200] or None, **more)

    def _update_rows(self, changes: list[tuple[store.Row, store.Row]]) -> None:
        if changes:
            store.update(self.resource, changes, self.actor)

    def _update_by_service(self, changes: list[tuple[store.Row, store.Row]]) -> None:
        """Through the feature's own verb, with the derived columns left to it."""
        ids = [row["id"] for row, _new in changes]
        query = sa.select(self._model).where(self._model.id.in_(ids)).execution_options(populate_existing=True)
        objects = {obj.id: obj for obj in db.session.scalars(query)} if ids else {}
        for row, new in changes:
            obj = objects[row["id"]]
            if self.resource.service.update:
                self.resource.service.update(obj, dict(new), actor=self.actor)
            else:
                for name, value in new.items():
                    setattr(obj, name, value)
            writes.check_unique(self.resource, obj)
        db.session.flush()

    # -- further rows for one record ----------------------------------------------------------------------------------

    def _merge(self, items: list[Item]) -> None:
        targets = self._targets(items)
        stored = store.rows_by_id(self._model, set(targets.values()), lock=True)
        groups: dict[int, tuple[Draft, list[Item]]] = {}
        for item in items:
            row = stored.get(targets.get(item.position, 0))
            if row is None:
                first = item.payload["into"]
                self._fail(item, "first", _("Row %(row)s, which it belongs to, was not imported.", row=first))
                continue
            draft, led = groups.setdefault(
                row["id"], (Draft(item.position, {}, item.client_id, stored=row, whole=dict(row)), [])
            )
            if self._moved(item, draft.whole):
                self._fail(
                    item, "changed", _("Changed since the plan: somebody saved this %(what)s.", what=self._what())
                )
                continue
            draft.values |= {
                name: value_of(self._model, name, pair[1]) for name, pair in item.payload["changes"].items()
            }
            draft.whole |= draft.values
            led.append(item)
        self._write_groups([group for group in groups.values() if group[1]])

    def _write_groups(self, groups: list[tuple[Draft, list[Item]]]) -> None:
        sound = {draft.position: items for draft, items in groups}
        if groups:
            self._hooks.complete([draft for draft, _items in groups])
        for draft, _items in groups:
            if draft.errors:
                for item in sound.pop(draft.position):
                    self._fail(item, draft.errors[0].field or "row", " ".join(e.message for e in draft.errors))
        self._write_changes([(draft, items) for draft, items in groups if draft.position in sound])

    def _moved(self, item: Item, state: store.Row) -> bool:
        """Whether the record is no longer what the plan saw. A row this import has just made holds what the service gave it."""
        if item.target_id is None and state["version"] == 1:
            return False
        return any(to_json({name: state.get(name)})[name] != pair[0] for name, pair in item.payload["changes"].items())

    def _targets(self, items: list[Item]) -> dict[int, int]:
        """{position: id of the row it goes into}, known from this chunk or from the first row's result."""
        far = {item.payload["into"] for item in items} - set(self._rows) - self._here
        known = dict(self._rows)
        for some in store.slices(far):
            mine = (ITEM.c.operation_id == self.operation_id) & ITEM.c.position.in_(some) & (ITEM.c.state != "failed")
            for position, row_id, target_id in db.session.execute(
                sa.select(ITEM.c.position, ITEM.c.row_id, ITEM.c.target_id).where(mine)
            ):
                if row_id or target_id:
                    known[position] = row_id or target_id
        return {item.position: known[item.payload["into"]] for item in items if item.payload["into"] in known}
