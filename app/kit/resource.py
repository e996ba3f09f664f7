"""The declaration of an entity: everything a user expects of it follows from one `Resource` (PLT-01, architecture.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Text = Any  # str or a lazy translation of one

CRUD = ("see", "add", "edit", "delete", "restore", "export", "import", "bulk")


class Section:
    """A labelled group of fields on forms and record pages."""

    def __init__(self, label: Text, *names: str) -> None:
        self.label = label
        self.names = names

    def __repr__(self) -> str:
        return f"Section({self.names})"


@dataclass(frozen=True)
class Service:
    """The feature's own verbs where writing is more than storing; None = the generic one of `kit/writes`.

    create(values, *, actor) -> row; update(row, values, *, actor); delete(row, *, actor); restore(row, *, actor).
    `values` maps attribute names to values; a relation arrives as its foreign key ("client_id": 3). No commit inside.
    """

    create: Callable[..., Any] | None = None
    update: Callable[..., None] | None = None
    delete: Callable[..., None] | None = None
    restore: Callable[..., None] | None = None


@dataclass(frozen=True)
class Trash:
    """Deletion is soft; `cascade` names relationships whose rows go along and come back together."""

    cascade: tuple[str, ...] = ()


@dataclass(frozen=True)
class RowAction:
    """A verb on one or many rows: `run(row, *, actor)` returns what to tell the user. Permission: `can_<name>`."""

    name: str
    label: Text
    run: Callable[..., str]
    icon: str = ""
    shown: Callable[[Any], bool] | None = None  # offered for this row
    confirm: Text = ""
    bulk: bool = True


@dataclass(frozen=True)
class Transfer:
    """What import and export may carry. `key` = fields that find an existing row within its client."""

    columns: tuple[str, ...]
    key: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # field: other headings it is known by
    prepare: Callable[..., Any] | None = None  # the feature's own import hook, see kit/importing


@dataclass
class Resource:
    """One entity. Names are attribute names of `model`, checked at start-up by `kit/checks`."""

    model: type[Any]
    name: str  # singular, snake case: permission and API name
    area: str  # menu group
    label: Text
    plural: Text
    url: str
    list: tuple[str, ...]
    form: tuple[Section, ...] = ()
    icon: str = "table"
    search: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    sort: str = "-id"
    title: str = "name"  # the column that names a row
    show: tuple[Section, ...] | None = None
    more: tuple[str, ...] = ()  # columns behind the (+)
    labels: Mapping[str, Text] = field(default_factory=dict)
    help: Mapping[str, Text] = field(default_factory=dict)
    readonly: tuple[str, ...] = ()  # form fields that are only set when adding
    unique: tuple[tuple[str, ...], ...] = ()
    rights: Mapping[str, str] = field(default_factory=dict)  # role: "see add edit"
    actions: tuple[RowAction, ...] = ()
    service: Service = field(default_factory=Service)
    trash: Trash | None = field(default_factory=Trash)
    transfer: Transfer | None = None
    parent: str | tuple[str, ...] = ""  # relationships under which rows appear as a tab on the other's page
    order: int = 100  # place in menu and tabs
    menu: bool = True
    writable: bool = True  # False: rows are made by the product, not by hand
    empty: tuple[Text, Text] | None = None  # (what is missing, what to do)
    view: type[Any] | None = None  # replaces kit.views.ResourceView
    api: type[Any] | None = None  # replaces kit.api.ResourceApi

    def verbs(self) -> tuple[str, ...]:
        """The actions a role can be given for this entity, in the order of the matrix."""
        basic = ["see"]
        if self.writable:
            basic += ["add", "edit", "bulk"]
        if self.writable and self.trash is not None:
            basic += ["delete", "restore"]
        if self.transfer:
            basic += ["export", "import"]
        ordered = [verb for verb in CRUD if verb in basic]
        return (*ordered, *(action.name for action in self.actions))

    def parents(self) -> tuple[str, ...]:
        """The relationships whose pages have a tab with these rows."""
        return (self.parent,) if isinstance(self.parent, str) and self.parent else tuple(self.parent)

    def field_names(self) -> tuple[str, ...]:
        """Every form field, in order."""
        return tuple(name for section in self.form for name in section.names)


@dataclass(frozen=True)
class Feature:
    """What one feature package contributes; found in its `manifest.py`."""

    name: str
    resources: tuple[Resource, ...] = ()
    views: tuple[type[Any], ...] = ()
    commands: tuple[Any, ...] = ()
    setup: Callable[..., None] | None = None  # once per application, before views are made
    menu: tuple[Any, ...] = ()  # kit.menus.Entry
    rights: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)  # role: (("can_see", "trash"), …)
