"""What the templates get: plain data describing a page, built by the views and drawn by `templates/kit`.

Nothing here knows a database or a request; every text is already translated and every URL already built, so a
template only draws (architecture.md, "The one idea").
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Link:
    """A link or button. `method="post"` is drawn as a form with the CSRF token; `style` is primary, default, quiet or danger."""

    label: str
    url: str
    icon: str = ""
    style: str = "default"
    method: str = "get"
    hint: str = ""
    disabled: str = ""  # the reason, shown beside it; empty = enabled
    key: str = ""  # keyboard shortcut, e.g. "c"
    confirm: str = ""  # a question: asked in a dialog before the link is followed


@dataclass(frozen=True)
class Tab:
    label: str
    url: str
    active: bool = False
    count: str = ""
    icon: str = ""


@dataclass(frozen=True)
class Cell:
    """One value of a row. `kind` picks the macro in `templates/kit/_cells.html`.

    kinds: text, number, date, datetime, boolean, badge (tone in `tone`), dot, client (square avatar), person (circle avatar),
    relation, email, phone, url, money, tags (value = list of str), long, json, deleted (tombstone of a deleted parent),
    custom (value = Markup).
    `value` is the raw value (datetime aware in UTC), `text` what is shown, `url` where it leads, `hint` the tooltip.
    """

    kind: str
    text: str
    value: Any = None
    url: str = ""
    tone: str = ""
    hint: str = ""
    icon: str = ""


@dataclass(frozen=True)
class Column:
    name: str
    label: str
    align: str = "start"  # "end" for numbers
    sort_url: str = ""  # empty = not sortable
    sorted: str = ""  # "", "asc", "desc"


@dataclass
class Row:
    id: int
    title: str
    url: str
    cells: list[Cell]
    more: list[tuple[str, Cell]] = field(default_factory=list)  # columns behind the (+)
    links: list[Link] = field(default_factory=list)  # row menu
    selectable: bool = True
    deleted: bool = False


@dataclass(frozen=True)
class Chip:
    """A filter as a sentence: field, operator, value; `error` is shown instead of applying it."""

    field: str
    op: str
    value: str  # as in the URL
    field_label: str
    op_label: str
    value_label: str
    remove_url: str
    error: str = ""


@dataclass(frozen=True)
class Count:
    """`text` is "1,234" or "10,000+"; when not exact, `exact_url` counts exactly."""

    text: str
    exact: bool = True
    exact_url: str = ""


@dataclass(frozen=True)
class Pager:
    first: int  # 1-based number of the first row on the page, 0 when empty
    last: int
    page: int
    size: int
    prev_url: str = ""
    next_url: str = ""
    sizes: list[tuple[int, str]] = field(default_factory=list)  # (size, url)


@dataclass(frozen=True)
class Empty:
    """Empty state: what is missing, why, next step."""

    title: str
    text: str
    links: list[Link] = field(default_factory=list)


@dataclass
class ListPage:
    """`kit/list.html`."""

    name: str  # resource name, e.g. "contact"
    title: str  # "Contacts"
    icon: str
    url: str  # base URL of the list
    columns: list[Column]
    rows: list[Row]
    count: Count
    pager: Pager
    search: str = ""
    search_hint: str = ""
    tabs: list[Tab] = field(default_factory=list)
    chips: list[Chip] = field(default_factory=list)
    filter_spec: list[dict[str, Any]] = field(default_factory=list)  # for the filter editor, see kit/filters
    sorts: list[Tab] = field(default_factory=list)  # sort menu
    sort_label: str = ""
    actions: list[Link] = field(default_factory=list)  # header buttons; one has style primary
    bulk: list[Link] = field(default_factory=list)  # bulk bar; posts `ids` or `all=1` plus the filter
    more_columns: list[Column] = field(default_factory=list)
    empty: Empty | None = None
    errors: list[str] = field(default_factory=list)
    total_label: str = ""  # "1,234 contacts"


@dataclass(frozen=True)
class Fact:
    name: str
    label: str
    cell: Cell


@dataclass(frozen=True)
class Section:
    label: str
    facts: list[Fact]


@dataclass
class ShowPage:
    """`kit/show.html`: header, fact column, tabs with child lists."""

    name: str
    title: str
    icon: str
    list_label: str
    list_url: str
    sections: list[Section]
    subtitle: str = ""
    badges: list[Cell] = field(default_factory=list)
    actions: list[Link] = field(default_factory=list)
    tabs: list[Tab] = field(default_factory=list)
    children: ListPage | None = None  # the active tab, when it is a child list
    history: list[HistoryEntry] | None = None  # the active tab, when it is the history
    deleted: bool = False


@dataclass(frozen=True)
class Change:
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class HistoryEntry:
    who: str
    verb: str  # "changed", "created", "deleted", "restored"
    when: Any  # aware datetime
    changes: list[Change]
    reason: str = ""


@dataclass
class FormPage:
    """`kit/form.html`. `form` is a WTForms form; `sections` = [(label, [field names])]; errors are on the fields.

    `conflict`, when set, is drawn instead of the plain form: before, theirs and yours of each field (PLT-21).
    """

    name: str
    title: str
    icon: str
    list_label: str
    list_url: str
    form: Any
    sections: list[tuple[str, list[str]]]
    submit_label: str
    cancel_url: str
    conflict: Conflict | None = None
    multipart: bool = False


@dataclass(frozen=True)
class ConflictRow:
    name: str
    label: str
    before: str
    theirs: str
    yours: str
    theirs_raw: str
    yours_raw: str
    clash: bool  # both changed it: the user must choose


@dataclass(frozen=True)
class Conflict:
    who: str
    when: Any
    rows: list[ConflictRow]


@dataclass
class ConfirmPage:
    """`kit/confirm.html`: a dialog page for harm; works without JavaScript, opened as a dialog with it."""

    title: str
    body: list[str]
    submit: Link  # the harmful button (style danger), method post
    cancel: Link
    typed_word: str = ""  # word to type before the button is enabled
    links: list[Link] = field(default_factory=list)


@dataclass(frozen=True)
class MenuItem:
    label: str
    url: str
    icon: str
    active: bool = False
    count: str = ""


@dataclass(frozen=True)
class MenuGroup:
    label: str  # "" for the first, unlabelled group
    items: list[MenuItem]
