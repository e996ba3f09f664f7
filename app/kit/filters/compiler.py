"""From filters to SQL. Anything not understood is BadQuery: a filter never fails open (reliability.md)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from app.core.errors import BadQuery
from app.core.text import storable_part
from app.kit.fields import NUMERIC, Field, field_of
from app.kit.filters.language import Condition, Group
from app.kit.filters.operators import OPERATORS, Operator, escape_like, operators_for
from app.kit.filters.values import coerce, whole_number

MAX_VALUES = 500
FAR_DAYS = 36_500


def compile_filter(model: type[Any], group: Group, allowed: Collection[str], labels: Any = None) -> Any:
    """A SQL condition for `group`. `allowed` are the field names the asker may filter by."""
    parts = [
        compile_filter(model, part, allowed, labels)
        if isinstance(part, Group)
        else _condition(model, part, allowed, labels)
        for part in group.parts
    ]
    if not parts:
        return sa.true()
    return sa.or_(*parts) if group.op == "or" else sa.and_(*parts)


def resolve(
    model: type[Any], condition: Condition, allowed: Collection[str], labels: Any = None
) -> tuple[Field, Operator, list[Any]]:
    """The field, operator and typed values of a condition; BadQuery names what is wrong."""
    if condition.field not in allowed:
        raise BadQuery(_("There is no filter “%(field)s” here.", field=condition.field[:60]))
    field = field_of(model, condition.field, labels)
    operator = OPERATORS.get(condition.op)
    if operator is None or operator not in operators_for(field):
        known = ", ".join(op.name for op in operators_for(field))
        raise BadQuery(
            _(
                "“%(field)s” has no operator “%(op)s”; it has %(known)s.",
                field=field.label,
                op=condition.op[:30],
                known=known,
            )
        )
    return field, operator, _values(field, operator, condition.value)


def _values(field: Field, operator: Operator, raw: Any) -> list[Any]:
    if operator.arity == 0:
        return []
    if operator.raw:
        texts = [str(raw)]
    elif operator.arity == 1:
        texts = [raw[0] if isinstance(raw, list) and len(raw) == 1 else raw]
    else:
        texts = raw if isinstance(raw, list) else str(raw).split(",")
    _check_count(field, operator, texts)
    if operator.days:
        return [_days(field, texts[0])]
    return [storable_part(str(t)) if operator.raw else coerce(field, t, operator.kind) for t in texts]


def _check_count(field: Field, operator: Operator, texts: list[Any]) -> None:
    if any(isinstance(t, list) or str(t).strip() == "" for t in texts):
        raise BadQuery(_("“%(field)s %(op)s” needs a value.", field=field.label, op=operator.label))
    if operator.arity > 0 and len(texts) != operator.arity:
        raise BadQuery(
            _("“%(field)s %(op)s” takes %(n)s values.", field=field.label, op=operator.label, n=operator.arity)
        )
    if len(texts) > MAX_VALUES:
        raise BadQuery(_("“%(field)s” takes at most %(n)s values.", field=field.label, n=MAX_VALUES))


def _days(field: Field, text: Any) -> int:
    days = whole_number(field, str(text).strip())
    if not 0 <= days <= FAR_DAYS:
        raise BadQuery(_("“%(field)s” takes 0 to %(n)s days.", field=field.label, n=FAR_DAYS))
    return days


def _condition(model: type[Any], condition: Condition, allowed: Collection[str], labels: Any) -> Any:
    field, operator, values = resolve(model, condition, allowed, labels)
    clause = operator.sql(field, values)
    return _through(model, condition.field, clause) if "." in condition.field else clause


def _through(model: type[Any], path: str, clause: Any) -> Any:
    """`campaign.status is running` as `campaign_id in (select id …)`: both databases plan this better than EXISTS."""
    relation = sa.inspect(model).relationships[path.split(".", 1)[0]]
    local = sa.inspect(model).get_property_by_column(next(iter(relation.local_columns))).key
    target = relation.mapper.class_
    return getattr(model, local).in_(sa.select(target.id).where(clause))


def search_clause(model: type[Any], names: Collection[str], text: str) -> Any:
    """Every word of `text` occurs in one of the named fields; numbers only where a field holds text."""
    words = [w for w in storable_part(text).split() if w][:8]
    clauses = []
    for word in words:
        pattern = f"%{escape_like(word)}%"
        clauses.append(sa.or_(*(_searched(model, name, pattern) for name in names)))
    return sa.and_(*clauses) if clauses else sa.true()


def _searched(model: type[Any], name: str, pattern: str) -> Any:
    field = field_of(model, name)
    column = sa.cast(field.column, sa.String) if field.kind in (*NUMERIC, "choice") else field.column
    clause = column.ilike(pattern, escape="\\")
    return _through(model, name, clause) if "." in name else clause
