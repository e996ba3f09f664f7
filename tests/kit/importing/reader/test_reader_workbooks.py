"""Workbooks: sheets, types of cells, where rows and columns begin."""

from __future__ import annotations

import datetime as dt

import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from app.kit.importing.reader import read_rows


def codes(table):
    return {notice.code: notice for notice in table.warnings}


@pytest.mark.parametrize("epoch_1904", [False, True])
def test_typed_cells(desk, make, epoch_1904):
    values = [
        dt.date(2024, 2, 29),
        dt.datetime(2024, 1, 31, 13, 5),
        dt.time(9, 30),
        dt.timedelta(hours=36),
        5,
        5.0,
        0.1 + 0.2,
        True,
        False,
        -7,
    ]

    def prepare(book):
        if epoch_1904:
            book.epoch = CALENDAR_MAC_1904

    data = make.xlsx(["Value"], *[[value] for value in values], prepare=prepare)
    found = [row[0] for row in desk.cells("a.xlsx", data)]
    assert found == [
        dt.date(2024, 2, 29),
        dt.datetime(2024, 1, 31, 13, 5),
        dt.time(9, 30),
        "36:00:00",
        5,
        5,
        0.3,
        True,
        False,
        -7,
    ]
    assert [type(value) for value in found[4:]] == [int, int, float, bool, bool, int]


def test_first_days_of_1900(desk, make):
    assert desk.cells("a.xlsx", make.xlsx(["Day"], [dt.date(1900, 1, 1)], [dt.date(1900, 3, 1)])) == [
        [dt.date(1900, 1, 1)],
        [dt.date(1900, 3, 1)],
    ]


def test_iso_dates(desk, make):
    data = make.xlsx_xml(
        '<row r="1"><c r="A1" t="inlineStr"><is><t>Day</t></is></c></row><row r="2"><c r="A2" t="d"><v>2024-01-31</v></c></row>'
    )
    assert str(desk.cells("a.xlsx", data)[0][0]).startswith("2024-01-31")


def test_long_numbers_are_digits(desk, make):
    table = desk.table(
        "a.xlsx", make.xlsx(["Phone", "Card"], [4479460958123, "4111111111111111"], [12, 4111111111111111])
    )
    rows = [row.cells for row in read_rows(table.data_path)]
    assert rows == [[4479460958123, "4111111111111111"], [12, 4111111111111111]]
    assert (codes(table)["long_number"].row, codes(table)["long_number"].column) == (3, "B")
    assert table.columns[0].samples == ["4479460958123", "12"]


def test_zeros_of_the_number_format(desk, make):
    def prepare(book):
        for row, shown in enumerate(("00000", "00000", "General", "0.00", "00000"), start=2):
            book.active.cell(row, 2).number_format = shown

    data = make.xlsx(["Name", "Zip"], ["a", 2134], ["b", 90210], ["c", 2134], ["d", 2134], ["e", "x"], prepare=prepare)
    assert [row[1] for row in desk.cells("a.xlsx", data)] == ["02134", "90210", 2134, 2134, "x"]


def test_formulas(desk, make):
    data = make.xlsx_xml(
        '<row r="1"><c r="A1" t="inlineStr"><is><t>Sum</t></is></c><c r="B1" t="inlineStr"><is><t>Text</t></is></c></row>'
        '<row r="2"><c r="A2"><f>1+1</f><v>2</v></c><c r="B2" t="inlineStr"><is><t>=1+1</t></is></c></row>'
        '<row r="3"><c r="A3"><f>2+2</f><v></v></c><c r="B3" t="e"><v>#N/A</v></c></row>'
        '<row r="4"><c r="A4"><v>4</v></c></row>'
    )
    table = desk.table("a.xlsx", data)
    assert [row.cells for row in read_rows(table.data_path)] == [[2, "=1+1"], [4, None]]
    assert (codes(table)["formula_without_value"].row, codes(table)["formula_without_value"].column) == (3, "A")
    assert (codes(table)["error_value"].row, codes(table)["error_value"].column) == (3, "B")


@pytest.mark.parametrize("kind", ["xlsx", "xls"])
def test_table_away_from_the_corner(desk, make, kind):
    rows = [["Name", "City", "Phone"], ["Ann", "Rome", "1"], ["Bob", "Oslo", "2"]]
    data = (
        make.xls(*rows, top=4, left=2)
        if kind == "xls"
        else make.xlsx(*([[]] * 4), *[[None, None, *row] for row in rows])
    )
    table = desk.table(f"a.{kind}", data)
    assert table.header_row == 5
    assert [(c.index, c.letter, c.name) for c in table.columns] == [
        (2, "C", "Name"),
        (3, "D", "City"),
        (4, "E", "Phone"),
    ]
    assert [(row.number, row.cells[2:]) for row in read_rows(table.data_path)] == [
        (6, ["Ann", "Rome", "1"]),
        (7, ["Bob", "Oslo", "2"]),
    ]


def test_blank_rows_and_columns_are_left_out_but_counted(desk, make):
    table = desk.table("a.xlsx", make.xlsx(["A", None, "C"], [1, None, 2], [], [" ", None, "\u00a0"], [3, None, 4]))
    assert [column.letter for column in table.columns] == ["A", "C"]
    assert [(row.number, row.cells) for row in read_rows(table.data_path)] == [(2, [1, None, 2]), (5, [3, None, 4])]


def test_headers(desk, make):
    table = desk.table(
        "a.xlsx",
        make.xlsx(["Name\n (full) ", None, "name (full)", "Tel"], ["a", "b", "c", None], ["d", None, "e", "f"]),
    )
    assert [column.name for column in table.columns] == ["Name (full)", "Column B", "name (full)", "Tel"]
    assert codes(table)["unnamed_column"].column == "B"
    assert codes(table)["duplicate_header"].column == "C"
    assert table.columns[3].samples == ["f"]


def test_merged_cells(desk, make):
    data = make.xlsx(
        ["Name", "City"], ["Ann", "Rome"], ["Bob", None], prepare=lambda book: book.active.merge_cells("B2:B3")
    )
    table = desk.table("a.xlsx", data)
    assert [row.cells for row in read_rows(table.data_path)] == [["Ann", "Rome"], ["Bob", None]]
    assert (codes(table)["merged_cells"].row, codes(table)["merged_cells"].column) == (2, "B")


@pytest.fixture
def book(make):
    def prepare(book):
        book.active.title = "Cover"
        book.create_sheet("Hidden").append(["x"])
        book["Hidden"].sheet_state = "hidden"
        book.create_chartsheet("Chart")
        for name, rows in (("People", [["Name"], ["Ann"]]), ("Towns", [["Town"], ["Rome"], ["Oslo"]])):
            sheet = book.create_sheet(name)
            for row in rows:
                sheet.append(row)

    return make.xlsx(prepare=prepare)


def test_first_filled_visible_sheet(desk, book):
    table = desk.table("a.xlsx", book)
    assert table.sheets == ["Cover", "Hidden", "People", "Towns"]
    assert (table.sheet, table.rows, table.columns[0].name) == ("People", 1, "Name")
    assert codes(table)["other_sheets"].params["sheets"] == ["Cover", "Towns"]


def test_chosen_sheet(desk, book):
    assert desk.cells("a.xlsx", book, sheet="Towns") == [["Rome"], ["Oslo"]]


def test_wrong_sheets(desk, book, make):
    error = desk.refuse("a.xlsx", book, sheet="Chart")
    assert (error.code, error.sheet) == ("unknown_sheet", "Chart")
    assert "Cover, Hidden, People, Towns" in str(error)
    error = desk.refuse("a.xlsx", book, sheet="Cover")
    assert (error.code, error.sheet) == ("empty", "Cover")
    assert "Cover" in str(error)
    assert desk.refuse("a.xlsx", make.xlsx()).code == "empty"
    assert desk.refuse("a.xls", make.xls()).code == "empty"
    assert desk.refuse("a.xlsx", make.xlsx(["Name", "City"])).code == "no_rows"


def test_xls(desk, make):
    table = desk.table(
        "Old.XLS", make.xls(["Näme", "Size", "Ok", "No"], ["Ünal", 5, True, 2.5], ["Bo", 4479460958123, False, None])
    )
    assert [row.cells for row in read_rows(table.data_path)] == [
        ["Ünal", 5, True, 2.5],
        ["Bo", 4479460958123, False, None],
    ]
    assert (table.sheet, table.encoding) == ("Old", None)


def test_ods(desk, make):
    assert desk.cells("a.ods", make.ods(["Name", "City"], ["Ann", "Rome"])) == [["Ann", "Rome"]]


def test_pages_of_rows(desk, make):
    table = desk.table("a.xlsx", make.xlsx(["N", "Day"], *[[n, dt.date(2024, 1, 1)] for n in range(1000)]))
    for start, count in ((0, 3), (255, 3), (256, 1), (700, 100), (998, 10), (1000, 5), (5000, 1), (10, 0)):
        page = list(read_rows(table.data_path, start, count))
        assert [row.cells[0] for row in page] == list(range(1000))[start : start + count]
        assert [(row.index + 2) == row.number for row in page] == [True] * len(page)
    assert next(read_rows(table.data_path, 400)).cells == [400, dt.date(2024, 1, 1)]
    with pytest.raises(ValueError, match="negative"):
        read_rows(table.data_path, -1)
