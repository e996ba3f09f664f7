"""Which column of the file fills which field: what can be filled, what a heading suggests, what is missing (CON-09)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from flask_babel import LazyString
from flask_babel import gettext as _

from app.core.mixins import ClientScoped
from app.kit.fields import Field, field_of
from app.kit.importing.coerce import as_text, coerce, fold, in_every_language
from app.kit.importing.reader import normalise_header
from app.kit.resource import Resource, Transfer

FILL, OVERWRITE, LEAVE = "fill", "overwrite", "leave"
LAST, FIRST_WINS, ONLY_FIRST = "last", "fill", "first"
DAY_FIRST, MONTH_FIRST = "dmy", "mdy"


@dataclass(frozen=True)
class Column:
    """A column of the file. `index` addresses a row's cells, `letter` is what a spreadsheet calls it."""

    index: int
    letter: str
    name: str
    samples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rules:
    """What the user decided. `columns` maps a column's index to a field; `client_id` is the client of all rows.

    `existing`: fill | overwrite | leave, what happens to a row that exists. `twins`: last | fill | first, what becomes of
    several rows for one record. `dates`: dmy | mdy.
    """

    columns: Mapping[int, str]
    client_id: int | None = None
    existing: str = FILL
    twins: str = LAST
    dates: str = DAY_FIRST

    def to_json(self) -> dict[str, Any]:
        """For the operation's settings."""
        return {**self.__dict__, "columns": {str(index): name for index, name in self.columns.items()}}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Rules:
        """The reverse."""
        rules = cls(**{**stored, "columns": {}})
        return replace(rules, columns={int(index): name for index, name in stored["columns"].items()})

    def column_of(self, name: str) -> int | None:
        """The column that fills a field."""
        return next((index for index, field in self.columns.items() if field == name), None)


def transfer_of(resource: Resource) -> Transfer:
    """The resource's declaration; LookupError when it cannot be imported."""
    if resource.transfer is None:
        raise LookupError(f"{resource.name} cannot be imported")
    return resource.transfer


def client_scoped(resource: Resource) -> bool:
    """Whether each row belongs to a client."""
    return issubclass(resource.model, ClientScoped)


def fields_of(resource: Resource) -> dict[str, Field]:
    """Every field a file may fill, the client first where rows have one."""
    transfer = transfer_of(resource)
    names = (*transfer.columns, *getattr(transfer.prepare, "columns", ()))
    if client_scoped(resource):
        names = ("client", *(name for name in names if name != "client"))
    return _told_apart(resource, {name: field_of(resource.model, name, resource.labels) for name in names})


def _told_apart(resource: Resource, fields: dict[str, Field]) -> dict[str, Field]:
    """Fields that share a label with another get their section's before it: "Billing address: Street"."""
    labels = [str(field.label) for field in fields.values()]
    sections = {name: section.label for section in resource.form for name in section.names}
    return {
        name: replace(field, label=_within(sections[name], field.label))
        if labels.count(str(field.label)) > 1 and name in sections and fold(str(field.label)) != name.replace("_", " ")
        else field
        for name, field in fields.items()
    }


def _within(section: Any, label: Any) -> LazyString:
    return LazyString(lambda: f"{section}: {label}")


def required(resource: Resource) -> tuple[str, ...]:
    """The fields without which no row can be made; the client is asked for apart."""
    return tuple(name for name in transfer_of(resource).required if name != "client")


def key_columns(resource: Resource) -> list[tuple[str, str]]:
    """(field, attribute that is compared) for each field that finds an existing row, in their order.

    A column `<field>_key` or `<field>_e164` beside the field holds the form in which two values are the same.
    """
    found, known = [], sa.inspect(resource.model).column_attrs
    for name in transfer_of(resource).key:
        attribute = next((a for a in (f"{name}_key", f"{name}_e164") if a in known), field_of(resource.model, name).key)
        found.append((name, attribute))
    return found


def suggest(resource: Resource, columns: Sequence[Column]) -> dict[int, str]:
    """{column index: field} by heading: name, label in any language, alias. Each field goes to its first column."""
    words = _headings(resource)
    found: dict[int, str] = {}
    for column in columns:
        name = words.get(normalise_header(column.name))
        if name is not None and name not in found.values():
            found[column.index] = name
    return found


def _headings(resource: Resource) -> dict[str, str]:
    """{normalised heading: field}. Names and labels win over aliases."""
    words: dict[str, str] = {}
    fields = fields_of(resource)
    for name, field in fields.items():
        for heading in (name, *in_every_language(field.label)):
            words.setdefault(normalise_header(heading.replace("_", " ")), name)
    for name, aliases in transfer_of(resource).aliases.items():
        for heading in aliases:
            words.setdefault(normalise_header(heading), name)
    words.pop("", None)
    return words


def missing(resource: Resource, rules: Rules) -> str:
    """Why no plan can be made of this mapping; empty when it can."""
    fields, mapped = fields_of(resource), list(rules.columns.values())
    twice = next((name for name in mapped if mapped.count(name) > 1), None)
    if twice is not None:
        return _("Two columns go to “%(field)s”. Choose one of them.", field=fields[twice].label)
    absent = [str(fields[name].label) for name in required(resource) if name not in mapped]
    if absent:
        return _("Choose the column for: %(fields)s.", fields=", ".join(absent))
    if not set(mapped) - {"client"}:
        return _("Choose a field for at least one column.")
    if client_scoped(resource) and rules.client_id is None and "client" not in mapped:
        return _("Choose the client the rows belong to, or the column that names it.")
    return ""


def check_column(field: Field, values: Sequence[Any], dates: str) -> tuple[int, int]:
    """(values that can be read, values that cannot) of a sample without empty ones."""
    bad = 0
    for value in values:
        try:
            coerce(field, value, dates=dates)
        except ValueError:
            bad += 1
    return len(values) - bad, bad


def sample_text(values: Sequence[Any]) -> str:
    """A few values on one line."""
    return " · ".join(as_text(value) for value in values if value is not None)
