"""What the wizard's templates get; see the head of each in templates/importing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from app.kit.pages import Cell, Change, Count, Empty, Link, Pager
from app.kit.progress import Progress


@dataclass(frozen=True)
class Step:
    """One of the four steps; `state` is done, current or todo."""

    label: str
    state: str
    url: str = ""


@dataclass(frozen=True)
class Recent:
    """An import of before."""

    title: str
    text: str
    url: str
    badge: Cell | None = None


@dataclass(frozen=True)
class ImportColumn:
    """A column of the file and where it goes."""

    letter: str
    header: str
    samples: str
    name: str
    choice: str
    tone: str = ""
    check: str = ""
    open: bool = False
    values: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class FieldChoice:
    """A field a column may go to."""

    value: str
    label: str
    required: bool = False
    hint: str = ""


@dataclass(frozen=True)
class Option:
    """One way of a rule."""

    value: str
    label: str
    hint: str = ""
    checked: bool = False


@dataclass(frozen=True)
class RuleGroup:
    """A rule chosen by radio buttons."""

    name: str
    label: str
    options: list[Option]


@dataclass(frozen=True)
class RuleSelect:
    """A rule chosen from a list; `remote` is where the choices are searched when there are many."""

    name: str
    label: str
    choice: str
    choices: list[tuple[str, str]]
    remote: str = ""


@dataclass(frozen=True)
class Tile:
    """A count that opens its rows."""

    label: str
    count: str
    hint: str
    icon: str
    tone: str
    url: str
    active: bool = False


@dataclass(frozen=True)
class Usage:
    """How full a limit is."""

    label: str
    percent: int
    used: str
    limit: str
    tone: str
    url: str = ""


@dataclass(frozen=True)
class PlanRow:
    """One row of the file and what becomes of it."""

    number: int
    outcome: Cell
    title: str
    subtitle: str = ""
    note: str = ""
    url: str = ""
    client: str = ""
    text: str = ""
    changes: list[Change] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    decision: str = ""


@dataclass
class WizardPage:
    """The frame of every step."""

    title: str
    steps: list[Step]
    cancel_url: str
    file_name: str = ""
    errors: list[str] = field(default_factory=list)


@dataclass
class UploadPage(WizardPage):
    """importing/upload.html."""

    action: str = ""
    form: Any = None
    accept: str = ""
    limits: str = ""
    templates: list[Link] = field(default_factory=list)
    recent: list[Recent] = field(default_factory=list)


@dataclass
class ColumnsPage(WizardPage):
    """importing/columns.html."""

    headline: str = ""
    intro: str = ""
    action: str = ""
    columns: list[ImportColumn] = field(default_factory=list)
    fields: list[FieldChoice] = field(default_factory=list)
    rules: list[RuleGroup] = field(default_factory=list)
    selects: list[RuleSelect] = field(default_factory=list)
    note: str = ""
    blocked: str = ""
    submit_label: str = ""
    back_url: str = ""
    back_label: str = ""


@dataclass
class PlanPage(WizardPage):
    """importing/plan.html."""

    headline: str = ""
    intro: str = ""
    usage: Usage | None = None
    tiles: list[Tile] = field(default_factory=list)
    search: str = ""
    search_hint: str = ""
    url: str = ""
    downloads: list[Link] = field(default_factory=list)
    rows: list[PlanRow] = field(default_factory=list)
    pager: Pager | None = None
    count: Count | None = None
    total_label: str = ""
    empty: Empty | None = None
    action: str = ""
    token: str = ""
    submit_label: str = ""
    blocked: str = ""
    back_url: str = ""
    back_label: str = ""
    footnote: str = ""


@dataclass
class RunPage(WizardPage):
    """importing/run.html."""

    progress: Progress | None = None
    tiles: list[Tile] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
