"""Step 2: which column goes to which field, and what to do with what exists already (sheet 05a)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import format_decimal
from flask_babel import gettext as _

from app.core.db import db
from app.core.operations.models import Operation
from app.features.imports.frame import base_url, frame
from app.features.imports.pages import (
    ColumnsPage,
    FieldChoice,
    ImportColumn,
    Option,
    RuleGroup,
    RuleSelect,
)
from app.kit import registry
from app.kit.fields import Field
from app.kit.forms import lookup_url
from app.kit.importing import mapping
from app.kit.importing.flow import rules_of, source_of
from app.kit.importing.mapping import Column, Rules, check_column, client_scoped, fields_of, missing, required
from app.kit.importing.relations import Relations
from app.kit.importing.report import sample
from app.kit.resource import Resource

LISTED = 50  # clients in a plain list; more are searched
CHECKED = 500  # rows


def posted_rules(operation: Operation, form: Mapping[str, Any]) -> Rules:
    """The rules as the form says them; what it does not name stays as it was, what nobody offers counts as not chosen."""
    resource, before = registry.get(operation.resource), rules_of(operation)
    fields = fields_of(resource)
    chosen = {column.index: form.get(f"map_{column.index}", "") for column in source_of(operation).columns}
    client = form.get("client", "")
    return Rules(
        columns={index: name for index, name in chosen.items() if name in fields},
        client_id=int(client) if client.isascii() and client.isdigit() and len(client) < 10 else None,
        existing=_one_of(form.get("existing"), before.existing, (mapping.FILL, mapping.OVERWRITE, mapping.LEAVE)),
        twins=_one_of(form.get("twins"), before.twins, (mapping.LAST, mapping.FIRST_WINS, mapping.ONLY_FIRST)),
        dates=_one_of(form.get("dates"), before.dates, (mapping.DAY_FIRST, mapping.MONTH_FIRST)),
    )


def _one_of(value: Any, default: str, known: Sequence[str]) -> str:
    return value if value in known else default


def build(operation: Operation, errors: Sequence[str] = ()) -> ColumnsPage:
    """The page of the saved mapping."""
    resource, rules, source = registry.get(operation.resource), rules_of(operation), source_of(operation)
    columns = _columns(operation, resource, rules)
    count = len(columns)
    return ColumnsPage(
        **vars(frame(operation, "columns", errors)),
        headline=_("Match %(n)s columns to fields", n=count),
        intro=_intro(source.sheet, source.count, source.header_row, len(rules.columns), count),
        action=f"{base_url(operation)}/columns",
        columns=columns,
        fields=_choices(resource),
        rules=[_existing(resource, rules)],
        selects=_selects(resource, rules),
        note=" ".join(
            [_("Nothing is written yet. The next step shows what would happen to each row."), *source.remarks()]
        ),
        blocked=missing(resource, rules),
        submit_label=_("Show the plan"),
        back_url=f"/imports/new?resource={resource.name}",
        back_label=_("Back to file"),
    )


def _intro(sheet: str | None, rows: int, header_row: int | None, matched: int, count: int) -> str:
    parts = [_("%(n)s matched, %(left)s left out.", n=matched, left=count - matched)]
    if sheet:
        parts.append(_("Sheet %(sheet)s.", sheet=sheet))
    parts.append(_("%(n)s rows.", n=format_decimal(rows)))
    if header_row is not None:
        parts.append(_("Headings in row %(n)s.", n=header_row))
    return " ".join(parts)


def _columns(operation: Operation, resource: Resource, rules: Rules) -> list[ImportColumn]:
    fields, rows = fields_of(resource), sample(operation, CHECKED)
    relations = Relations()
    return [
        _column(column, rules, fields, [row[column.index] for row in rows], relations)
        for column in source_of(operation).columns
    ]


def _column(
    column: Column, rules: Rules, fields: dict[str, Field], values: Sequence[Any], relations: Relations
) -> ImportColumn:
    name = rules.columns.get(column.index, "")
    filled = [value for value in values if value is not None]
    tone, text = _check(fields[name], filled, rules, relations) if name else ("", "")
    return ImportColumn(
        letter=column.letter,
        header=column.name,
        samples=mapping.sample_text(column.samples[:3]),
        name=f"map_{column.index}",
        choice=name,
        tone=tone,
        check=text,
    )


def _check(field: Field, values: Sequence[Any], rules: Rules, relations: Relations) -> tuple[str, str]:
    """(tone, what a look at the first rows says)."""
    if not values:
        return "warn", _("No values in the first rows")
    if field.target is not None:
        good, bad = _check_relation(field, values, rules, relations)
    else:
        good, bad = check_column(field, values, rules.dates)
    if bad:
        return "warn", _("%(bad)s of %(n)s cannot be read", bad=bad, n=good + bad)
    return "", _("%(n)s of %(n)s can be read", n=good)


def _check_relation(field: Field, values: Sequence[Any], rules: Rules, relations: Relations) -> tuple[int, int]:
    relations.learn(field, values)
    client = None if field.name == "client" else rules.client_id
    bad = 0
    for value in values:
        try:
            relations.find(field, value, client)
        except ValueError:
            bad += 1
    return len(values) - bad, bad


def _choices(resource: Resource) -> list[FieldChoice]:
    needed = required(resource)
    return [FieldChoice(name, str(f.label), name in needed) for name, f in fields_of(resource).items()]


def _existing(resource: Resource, rules: Rules) -> RuleGroup:
    fields = fields_of(resource)
    keys = _(" or ").join(str(fields[name].label) for name in mapping.transfer_of(resource).key if name in fields)
    within = _("within one client") if client_scoped(resource) else ""
    label = _("Found by %(keys)s %(within)s", keys=keys, within=within).strip() if keys else _("Values that differ")
    options = [
        (mapping.FILL, _("Fill empty fields only"), _("Existing values stay.")),
        (mapping.OVERWRITE, _("Take the value from the file"), _("Empty cells change nothing.")),
        (mapping.LEAVE, _("Leave it alone"), _("Only new records are added.")),
    ]
    return RuleGroup(
        "existing", label, [Option(value, text, hint, value == rules.existing) for value, text, hint in options]
    )


def _selects(resource: Resource, rules: Rules) -> list[RuleSelect]:
    twins = [
        (mapping.LAST, _("Merge them, last row wins")),
        (mapping.FIRST_WINS, _("Merge them, first row wins")),
        (mapping.ONLY_FIRST, _("Take the first row only")),
    ]
    found = [RuleSelect("twins", _("Several rows for one record"), rules.twins, twins)]
    if client_scoped(resource):
        found.insert(0, _client_select(resource, rules))
    kinds = {fields_of(resource)[name].kind for name in rules.columns.values()}
    if kinds & {"date", "datetime"}:
        dates = [(mapping.DAY_FIRST, _("31/03/2027, day first")), (mapping.MONTH_FIRST, _("03/31/2027, month first"))]
        found.append(RuleSelect("dates", _("Dates are written"), rules.dates, dates))
    return found


def _client_select(resource: Resource, rules: Rules) -> RuleSelect:
    """The clients the user reaches; a chosen one that is gone is no longer among them."""
    model: Any = fields_of(resource)["client"].target
    query = sa.select(model.id, model.name).order_by(model.name)
    listed = list(db.session.execute(query.limit(LISTED + 1)))
    many = len(listed) > LISTED
    if many:
        listed = list(db.session.execute(query.where(model.id == (rules.client_id or 0))))
    mapped = "client" in rules.columns.values()
    first = ("", _("As the column says") if mapped else _("Choose a client"))
    choices = [first, *((str(pk), name) for pk, name in listed)]
    label = _("Client of rows without one") if mapped else _("Client of all rows")
    return RuleSelect("client", label, str(rules.client_id or ""), choices, lookup_url(model) if many else "")
