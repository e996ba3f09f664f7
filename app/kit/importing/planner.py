"""The plan: what would become of every row of the file, before anything is written (CON-09, BLK-01)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from flask_babel import gettext as _

from app.core.operations.states import ItemState, Plan
from app.core.security.principal import Principal
from app.kit.fields import field_of, in_sentence
from app.kit.importing import store
from app.kit.importing.drafts import DraftReader
from app.kit.importing.hooks import Draft, ImportHooks
from app.kit.importing.jsonable import from_json, to_json
from app.kit.importing.mapping import FILL, FIRST_WINS, LEAVE, ONLY_FIRST, Rules, fields_of, required, transfer_of
from app.kit.importing.matching import Matcher
from app.kit.importing.reader import Row
from app.kit.resource import Resource

CHUNK = 500
Item = dict[str, Any]
Payloads = Callable[[list[int]], dict[int, Any]]


def hooks_of(resource: Resource, actor: Principal) -> ImportHooks:
    """The feature's hooks for one run."""
    return (transfer_of(resource).prepare or ImportHooks)(actor)


def empty(value: Any) -> bool:
    """Whether a field holds nothing."""
    return value is None or value == ""


def refused_by_right(resource: Resource, actor: Principal, verb: str) -> str:
    """Why the actor may not `verb` ("add", "edit") rows; empty when they may."""
    if actor.can(verb, resource.name):
        return ""
    what = in_sentence(resource.plural)
    return (
        _("Your role may not add %(what)s.", what=what)
        if verb == "add"
        else _("Your role may not edit %(what)s.", what=what)
    )


@dataclass
class _State:
    """A record as it is going to be stored; `defaulted` are the fields of a new one that no row of the file has filled."""

    row: store.Row
    defaulted: set[str]


class Planner:
    """Plans one file. `earlier` gives the payloads of rows planned before, by position: they are not all kept in memory."""

    def __init__(self, resource: Resource, rules: Rules, actor: Principal, earlier: Payloads) -> None:
        self.resource, self.rules, self.actor = resource, rules, actor
        self._hooks = hooks_of(resource, actor)
        self._reader = DraftReader(resource, rules, self._hooks)
        self._matcher = Matcher(resource)
        self._earlier = earlier
        self._claimed: dict[str, int] = {}  # {key: position of the first row that has it}
        self._states: dict[int, _State] = {}  # first rows that later ones merge into
        self._needed = [field_of(resource.model, n, resource.labels) for n in required(resource)]
        self._keys = {field.key for field in fields_of(resource).values()} - {"client_id"}

    def plan(self, rows: Iterator[Row]) -> Iterator[list[Item]]:
        """Items of the operation, chunk by chunk. Each list must be stored before the next is asked for."""
        while chunk := list(islice(rows, CHUNK)):
            yield self._plan_chunk(chunk)

    def _plan_chunk(self, rows: Sequence[Row]) -> list[Item]:
        drafts = self._reader.read(rows)
        sound = [draft for draft in drafts if not draft.errors]
        self._matcher.match(sound)
        items: dict[int, Item] = {}
        waiting = [draft for draft in sound if not draft.errors and not self._left_alone(draft, items)]
        twins: list[tuple[Draft, int]] = []
        while waiting:
            waiting = self._plan_firsts(waiting, twins, items)
        for draft, first in self._with_states(twins, items):
            self._plan_twin(draft, first, items)
        return [items.get(draft.position) or self._error(draft) for draft in drafts]

    def _left_alone(self, draft: Draft, items: dict[int, Item]) -> bool:
        if draft.stored is None or self.rules.existing != LEAVE:
            return False
        reason = _("It exists already and is left alone.")
        payload = {"same": draft.stored["id"]}
        items[draft.position] = self._item(
            draft, Plan.SKIP, payload, target_id=draft.stored["id"], reason=("exists", reason)
        )
        return True

    # -- the first row of each record -------------------------------------------------------------------------------

    def _plan_firsts(self, drafts: list[Draft], twins: list[tuple[Draft, int]], items: dict[int, Item]) -> list[Draft]:
        """Plan the first row of each key; the rest are its twins, or come back because their first row is refused."""
        firsts, later = self._divide(drafts)
        for draft in firsts:
            self._prepare(draft)
        self._complete([draft for draft in firsts if not draft.errors])
        self._settle(firsts, items)
        refused = {draft.position for draft in firsts if draft.errors}
        twins += [(draft, first) for draft, first in later if first not in refused]
        return [draft for draft, first in later if first in refused]

    def _divide(self, drafts: list[Draft]) -> tuple[list[Draft], list[tuple[Draft, int]]]:
        """(first rows, (row, position of its first row) of the others)."""
        firsts: list[Draft] = []
        later: list[tuple[Draft, int]] = []
        local: dict[str, int] = {}
        for draft in drafts:
            claims = self._matcher.claims(draft)
            deciding = claims[: 2 if draft.stored else 1]
            holders = (self._claimed.get(claim, local.get(claim)) for claim in deciding)
            first = next((holder for holder in holders if holder is not None), None)
            if first is not None:
                later.append((draft, first))
                continue
            firsts.append(draft)
            for claim in claims:
                local.setdefault(claim, draft.position)
        return firsts, later

    def _prepare(self, draft: Draft) -> None:
        """The row as it is going to be stored."""
        new = draft.stored is None
        if new:
            self._require(draft)
        reason = refused_by_right(self.resource, self.actor, "add" if new else "edit")
        if reason:
            draft.refuse("", reason)
        own = {"client_id": draft.client_id} if draft.client_id is not None else {}
        draft.whole = {**(draft.stored or own), **(draft.values if new else self._wanted(draft))}

    def _require(self, draft: Draft) -> None:
        for field in self._needed:
            if empty(draft.values.get(field.key)):
                draft.refuse(field.name, _("%(field)s is needed.", field=field.label))

    def _wanted(self, draft: Draft) -> store.Row:
        """{attribute: new value} of what the file changes in a stored row."""
        stored, fill = draft.stored or {}, self.rules.existing == FILL
        return {k: v for k, v in self._different(draft, stored).items() if empty(stored.get(k)) or not fill}

    def _different(self, draft: Draft, row: store.Row) -> store.Row:
        """What the file says otherwise than a row."""
        return {k: v for k, v in self._own(draft).items() if self._matcher.differs(k, draft.values, row)}

    def _own(self, draft: Draft) -> store.Row:
        """What the file says, without what hooks derived from it."""
        return {name: value for name, value in draft.values.items() if name in self._keys}

    def _complete(self, drafts: Sequence[Draft]) -> None:
        if drafts:
            self._hooks.complete(drafts)

    def _settle(self, drafts: Sequence[Draft], items: dict[int, Item]) -> None:
        for draft in drafts:
            if draft.errors:
                continue
            items[draft.position] = self._planned(draft)
            for claim in self._matcher.claims(draft):
                self._claimed.setdefault(claim, draft.position)

    def _planned(self, draft: Draft) -> Item:
        if draft.stored is None:
            return self._item(draft, Plan.CREATE, {"values": to_json(self._own(draft))})
        changes = self._pairs(draft.stored, self._wanted(draft))
        kept = {k: v for k, v in self._different(draft, draft.stored).items() if k not in changes}
        payload = {"changes": changes, "kept": self._pairs(draft.stored, kept), "version": draft.stored["version"]}
        if changes:
            return self._item(draft, Plan.UPDATE, payload, row_id=draft.stored["id"])
        reason = _("Nothing changes.") if kept else _("It is stored just like this.")
        target = draft.stored["id"]
        return self._item(draft, Plan.DUPLICATE, payload, target_id=target, reason=("same", reason))

    def _pairs(self, before: store.Row, values: store.Row) -> dict[str, list[Any]]:
        old, new = to_json({k: before.get(k) for k in values}), to_json(values)
        return {k: [old[k], new[k]] for k in values if old[k] != new[k]}

    # -- further rows for the same record ---------------------------------------------------------------------------

    def _with_states(self, twins: list[tuple[Draft, int]], items: dict[int, Item]) -> list[tuple[Draft, int]]:
        """The twins in the file's order, once it is known what their first rows are going to look like."""
        twins.sort(key=lambda twin: twin[0].position)
        unknown = {first: draft for draft, first in reversed(twins) if first not in self._states}
        payloads = {first: items[first]["payload"] for first in unknown if first in items}
        far = sorted(set(unknown) - set(payloads))
        for some in store.slices(far):
            payloads |= self._earlier(some)
        for first, draft in unknown.items():
            self._states[first] = self._state(draft, payloads[first])
        return twins

    def _state(self, draft: Draft, payload: Any) -> _State:
        model: Any = self.resource.model
        if "values" in payload:
            values = from_json(model, payload["values"])
            return _State({**store.defaults(model), "client_id": draft.client_id, **values}, self._keys - set(values))
        after = {name: pair[1] for name, pair in payload["changes"].items()}
        return _State({**(draft.stored or {}), **from_json(model, after)}, set())

    def _plan_twin(self, draft: Draft, first: int, items: dict[int, Item]) -> None:
        state = self._states[first]
        new = self._merged(draft, state)
        reason = refused_by_right(self.resource, self.actor, "edit" if draft.stored else "add")
        if reason:
            draft.refuse("", reason)
        draft.whole = {**state.row, **new}
        if new and not draft.errors:
            self._complete([draft])
        if draft.errors:
            return
        payload = {"into": first, "changes": self._pairs(state.row, new)}
        target = draft.stored["id"] if draft.stored else None
        if new:
            self._states[first] = _State({**state.row, **new}, state.defaulted - set(new))
            items[draft.position] = self._item(draft, Plan.MERGE, payload, target_id=target)
        else:
            reason = _("Row %(row)s holds the same; it is used.", row=first)
            items[draft.position] = self._item(
                draft, Plan.DUPLICATE, payload, target_id=target, reason=("twin", reason)
            )

    def _merged(self, draft: Draft, state: _State) -> store.Row:
        """What a further row adds to the record: by the rule for twins, and never more than the rule for stored rows lets."""
        if self.rules.twins == ONLY_FIRST:
            return {}
        stored, fill = draft.stored or {}, self.rules.existing == FILL
        free = {k: v for k, v in self._different(draft, state.row).items() if empty(stored.get(k)) or not fill}
        if self.rules.twins != FIRST_WINS:
            return free
        return {k: v for k, v in free.items() if empty(state.row.get(k)) or k in state.defaulted}

    # -- items ------------------------------------------------------------------------------------------------------

    def _error(self, draft: Draft) -> Item:
        errors = [error.__dict__ for error in draft.errors]
        first = draft.errors[0]
        item = self._item(draft, Plan.ERROR, {"errors": errors, "values": to_json(draft.values)})
        text = " ".join(error.message for error in draft.errors)
        return item | {"state": ItemState.FAILED, "reason_code": first.field or "row", "reason": text[:500]}

    def _item(self, draft: Draft, plan: Plan, payload: Any, reason: tuple[str, Any] | None = None, **more: Any) -> Item:
        item: Item = {
            "position": draft.position,
            "entity": self.resource.model.__tablename__,
            "client_id": draft.client_id,
            "title": self._title(draft)[:200],
            "plan": plan,
            "payload": payload,
            "state": ItemState.PENDING if reason is None else ItemState.SKIPPED,
        }
        if reason is not None:
            item |= {"reason_code": reason[0], "reason": str(reason[1])[:500]}
        return item | more

    def _title(self, draft: Draft) -> str:
        for row in (draft.whole, draft.stored or {}, draft.values):
            if row.get(self.resource.title):
                return str(row[self.resource.title])
        texts = (
            value for value in (*draft.values.values(), *(e.value for e in draft.errors)) if isinstance(value, str)
        )
        return next((text for text in texts if text), "")
