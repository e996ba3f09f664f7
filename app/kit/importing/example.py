"""The example file of an entity: its columns, the required ones yellow, and a sheet that says what each takes (CLI-13)."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
from flask_babel import gettext as _
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation

from app.kit.exporting import neutral
from app.kit.fields import Field
from app.kit.importing.mapping import fields_of, required
from app.kit.resource import Resource

YELLOW = PatternFill("solid", fgColor="FFFF00")
_LONGEST_LIST = 250  # characters a spreadsheet allows for a list of choices
_ROWS = 1000


def example_file(resource: Resource) -> bytes:
    """An .xlsx workbook with the headings in the user's language, which the import recognises."""
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.title = str(resource.plural)[:31]
    needed, fields = required(resource), _fields(resource)
    for number, field in enumerate(fields, 1):
        cell = sheet.cell(1, number, neutral(str(field.label)))
        cell.font = Font(bold=True)
        if field.name in needed:
            cell.fill = YELLOW
        sheet.column_dimensions[cell.column_letter].width = max(14, len(str(field.label)) + 4)
        _offer_choices(sheet, field, cell.column_letter)
    sheet.freeze_panes = "A2"
    _explain(book.create_sheet(_("What goes where")[:31]), fields, needed)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _fields(resource: Resource) -> list[Field]:
    extra = getattr(resource.transfer.prepare, "columns", ()) if resource.transfer else ()
    return [field for name, field in fields_of(resource).items() if name not in extra]


def _offer_choices(sheet: Any, field: Field, letter: str) -> None:
    labels = [str(getattr(member, "label", member.value)) for member in field.enum or ()]
    formula = '"' + ",".join(labels) + '"'
    if labels and len(formula) <= _LONGEST_LIST and not any("," in label or '"' in label for label in labels):
        rule = DataValidation(type="list", formula1=formula, allow_blank=True)
        rule.add(f"{letter}2:{letter}{_ROWS}")
        sheet.add_data_validation(rule)


def _explain(sheet: Any, fields: list[Field], needed: tuple[str, ...]) -> None:
    sheet.append([_("Column"), _("Needed"), _("What it takes")])
    for field in fields:
        sheet.append([neutral(str(field.label)), _("Yes") if field.name in needed else "", neutral(_takes(field))])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for letter, width in (("A", 24), ("B", 10), ("C", 70)):
        sheet.column_dimensions[letter].width = width


def _takes(field: Field) -> str:
    if field.enum:
        return ", ".join(str(getattr(member, "label", member.value)) for member in field.enum)
    hints = {
        "email": _("An e-mail address"),
        "phone": _("A phone number, with its country code or in the notation of the country"),
        "url": _("A web address"),
        "country": _("A country, by name or two-letter code"),
        "language": _("A language, by name or code"),
        "currency": _("A currency, by name or code"),
        "time_zone": _("A time zone such as Europe/London"),
        "boolean": _("Yes or no"),
        "date": _("A date, best as 2027-03-31"),
        "datetime": _("A date with a time, in UTC"),
        "number": _("A whole number"),
        "decimal": _("A number"),
        "person": _("A person of the agency, by e-mail address or name"),
        "relation": _("The name or number of the record"),
    }
    length = _("Text of up to %(n)s characters", n=field.max_length) if field.max_length else _("Text")
    return hints.get(field.kind, length)
