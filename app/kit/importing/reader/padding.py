"""Leading zeros that an .xlsx keeps in the number format alone: the postcode 02134 is the number 2134 shown with "00000"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from app.kit.importing.reader.model import Failure, Value, index_of
from app.kit.importing.reader.package import Package

_ZEROS = re.compile(r"^0{2,30}$")
_STYLED_CELL = re.compile(rb"""<c r="([A-Z]{1,3})(\d{1,7})" s="(\d{1,5})\"""")
MOST_COLUMNS = 16_384


class Padding:
    """The digits each cell is shown with, for cells whose format is nothing but zeros."""

    def __init__(self, package: Package) -> None:
        self.styles = _padded_styles(package)
        self.digits: dict[int, int] = {}

    def look_at(self, chunk: bytes) -> None:
        """Remember the cells in whole cells' XML that have such a style."""
        if self.styles:
            for column, row, style in _STYLED_CELL.findall(chunk):
                if style in self.styles:
                    self.digits[int(row) * MOST_COLUMNS + index_of(column.decode())] = self.styles[style]

    def apply(self, number: int, cells: list[Value]) -> None:
        """Give the whole numbers of row `number` (from 1) their zeros back, as text."""
        for index, value in enumerate(cells) if self.digits else ():
            digits = self.digits.get(number * MOST_COLUMNS + index)
            if digits and type(value) is int and value >= 0:
                cells[index] = str(value).zfill(digits)


def _padded_styles(package: Package) -> dict[bytes, int]:
    """Style number as it stands in a cell -> digits."""
    if "xl/styles.xml" not in package.parts:
        return {}
    try:
        # as in package.py: expat stops expanding entities early
        root = ElementTree.fromstring(package.read("xl/styles.xml"))  # noqa: S314
    except ElementTree.ParseError as error:
        raise Failure("broken") from error
    codes = {node.get("numFmtId"): node.get("formatCode", "") for node in _children(root, "numFmts")}
    wanted = {name: len(code) for name, code in codes.items() if _ZEROS.match(code)}
    formats = [node.get("numFmtId") for node in _children(root, "cellXfs")]
    return {str(at).encode(): wanted[name] for at, name in enumerate(formats) if name in wanted}


def _children(root: ElementTree.Element, name: str) -> Iterator[ElementTree.Element]:
    return (child for group in root if group.tag.endswith("}" + name) for child in group)
