"""Spreadsheets that the tests write themselves."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import openpyxl
import xlwt

HEAD = ["First name", "Last name", "E-mail", "Phone", "Company", "Country"]


def people(count: int, start: int = 0) -> list[list[Any]]:
    """Rows for HEAD; the same number is the same person."""
    return [
        [f"Ada{n}", f"Byron{n}", f"ada{n}@byron.example", f"+49 30 {5550000 + n}", f"Engine {n % 7}", "Germany"]
        for n in range(start, start + count)
    ]


def xlsx(path: Path, rows: list[list[Any]]) -> Path:
    """`rows`, the first of them the headings."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("People")
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


def csv_file(path: Path, rows: list[list[Any]], separator: str = ",") -> Path:
    """The same as text."""
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def xls(path: Path, rows: list[list[Any]]) -> Path:
    """The same as Excel 97 wrote it."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("People")
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            sheet.write(y, x, value)
    book.save(str(path))
    return path
