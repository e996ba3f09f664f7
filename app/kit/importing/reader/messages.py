"""The texts for what the child found, in the reader's language: what is wrong, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

_FAILURES = {
    "empty": _l("This file is empty. Check that it was saved before it was uploaded."),
    "empty_sheet": _l("The sheet “%(sheet)s” is empty. Choose another sheet, or fill it and upload the file again."),
    "not_a_spreadsheet": _l(
        "This file is %(kind)s, not a spreadsheet. Upload a table saved as .xlsx, .xls, .ods or .csv."
    ),
    "wrong_extension": _l(
        "This file is named “.%(extension)s”, but it is %(kind)s. Open it in a spreadsheet program and save it as .xlsx."
    ),
    "wrong_name": _l(
        "This file is %(kind)s, but its name does not end with %(expected)s. Rename it and upload it again."
    ),
    "locked": _l("This file is locked with a password. Save it without one and upload it again."),
    "too_large": _l(
        "This file is larger than %(megabytes)s MB. Split it into smaller files and upload them one after the other."
    ),
    "too_many_rows": _l(
        "This table has more than %(limit)s rows; row %(row)s still holds a value. Delete what is below the table, "
        "or split it into several files."
    ),
    "too_many_columns": _l(
        "This table has more than %(limit)s columns; row %(row)s holds a value in column %(column)s. "
        "Delete the columns you do not need."
    ),
    "bomb": _l("This file unpacks to far more than it should. Save the table as .csv and upload that."),
    "no_rows": _l("This file has column names but no rows below them. Add at least one row and upload it again."),
    "no_rows_sheet": _l(
        "The sheet “%(sheet)s” has column names but no rows below them. Choose another sheet or add rows."
    ),
    "unknown_sheet": _l("There is no sheet “%(sheet)s” in this file. It has: %(sheets)s."),
    "unknown_encoding": _l(
        "“%(encoding)s” is not a known character encoding. Leave it to be detected, or choose another one."
    ),
    "open_quote": _l(
        "A quotation mark in row %(row)s is never closed, so that everything below runs into one cell. Close or remove it."
    ),
    "broken": _l(
        "This file is damaged and cannot be read. Open it in a spreadsheet program, save it again and upload the copy."
    ),
    "timeout": _l("Reading this file took too long. Split it into smaller files, or save it as .csv and upload that."),
    "memory": _l(
        "Reading this file needs too much memory. Delete stray cells far away from the table, or save it as .csv and upload that."
    ),
    "failed": _l("The file could not be read because of a fault on the server. Try again later."),
}

_KINDS = {
    "xlsx": _l("an Excel workbook (.xlsx)"),
    "xls": _l("an Excel 97–2003 workbook (.xls)"),
    "ods": _l("an OpenDocument spreadsheet (.ods)"),
    "text": _l("plain text (.csv)"),
    "xlsb": _l("a binary Excel workbook (.xlsb)"),
    "old_excel": _l("a workbook of Excel 5 or older"),
    "xml": _l("an XML document"),
    "web": _l("a web page (HTML)"),
    "pdf": _l("a PDF document"),
    "picture": _l("a picture"),
    "word": _l("a text document"),
    "document": _l("an OpenDocument file, but no spreadsheet"),
    "slides": _l("a presentation"),
    "numbers": _l("a Numbers document"),
    "mail": _l("an e-mail message"),
    "archive": _l("a packed archive"),
    "program": _l("a program"),
    "database": _l("a database"),
    "unknown": _l("of an unknown type"),
}

_ENDINGS = {"xlsx": ".xlsx", "xls": ".xls", "ods": ".ods", "text": ".csv"}

_NOTICES = {
    "other_sheets": _l("Only the sheet “%(sheet)s” is read. Others in the file: %(sheets)s."),
    "merged_cells": _l(
        "Merged areas: %(count)s, the first at %(column)s%(row)s. Only the first cell of each holds its value."
    ),
    "formula_without_value": _l(
        "Formulas that were never calculated: %(count)s, the first at %(column)s%(row)s. They count as empty; "
        "open the file in a spreadsheet program and save it to calculate them."
    ),
    "error_value": _l(
        "Cells with an error such as #N/A: %(count)s, the first at %(column)s%(row)s. They count as empty."
    ),
    "long_number": _l(
        "Numbers of more than 15 digits: %(count)s, the first at %(column)s%(row)s. Spreadsheets round them; "
        "format the column as text."
    ),
    "rows_above_header": _l("The column names were found in row %(row)s; what is above is left out."),
    "uneven_rows": _l(
        "Rows with more or fewer cells than there are columns (%(expected)s): %(count)s, the first is row %(row)s with %(cells)s."
    ),
    "unnamed_column": _l("Columns with values but without a name: %(count)s, the first is column %(column)s."),
    "duplicate_header": _l("The column name “%(name)s” occurs more than once, again in column %(column)s."),
    "nul_bytes": _l("Lines with unreadable zero bytes: %(count)s, the first in row %(row)s. The bytes were removed."),
    "mixed_encoding": _l(
        "Bytes that are not in the encoding of the rest of the file: %(bytes)s. Check names with accents."
    ),
    "guessed_encoding": _l("The character encoding was guessed as %(encoding)s. Check names with accents."),
}

_UNKNOWN: dict[str, Any] = {
    **dict.fromkeys(("row", "column", "sheet", "limit", "encoding", "extension", "kind"), "?"),
    "sheets": (),
}

CODES = frozenset(_FAILURES) - {"empty_sheet", "wrong_name", "no_rows_sheet"}
NOTICE_CODES = frozenset(_NOTICES)


def failure_text(code: str, params: Mapping[str, Any]) -> LazyString:
    """The text for a failure, translated when it is shown. An unknown code reads as a damaged file."""
    values = {**_UNKNOWN, **params}
    values["kind"] = _KINDS.get(values.get("kind", ""), _KINDS["unknown"])
    values["sheets"] = ", ".join(values.get("sheets", ()))
    values["megabytes"] = int(params.get("limit", 0)) // 2**20
    values["expected"] = _ENDINGS.get(params.get("kind", ""), "")
    text: LazyString = _FAILURES.get(_variant(code, params), _FAILURES["broken"])
    return LazyString(lambda: str(text) % values)


def _variant(code: str, params: Mapping[str, Any]) -> str:
    if code in ("empty", "no_rows") and params.get("sheet"):
        return {"empty": "empty_sheet", "no_rows": "no_rows_sheet"}[code]
    if code == "wrong_extension" and params.get("kind") in _ENDINGS:
        return "wrong_name"
    return code


def notice_text(code: str, params: Mapping[str, Any]) -> LazyString:
    """The text for a notice, translated when it is shown."""
    values = {**_UNKNOWN, **params, "sheets": ", ".join(params.get("sheets", ()))}
    text: LazyString = _NOTICES[code]
    return LazyString(lambda: str(text) % values)


def unnamed(letter: str) -> LazyString:
    """The name of a column without one."""
    return _l("Column %(letter)s", letter=letter)
