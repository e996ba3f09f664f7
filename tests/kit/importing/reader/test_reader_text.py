"""Text tables: encodings, separators, quoting, rows that do not fit."""

from __future__ import annotations

import pytest

from app.kit.importing.reader import read_rows

TEXT = "Name;Stadt\r\nJosé Müller;Köln\r\nŒuvre – “x”;Évian\r\n"
ROWS = [["José Müller", "Köln"], ["Œuvre – “x”", "Évian"]]


def codes(table):
    return {notice.code for notice in table.warnings}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_encodings(desk, encoding):
    table = desk.table("a.csv", TEXT.encode(encoding))
    assert [row.cells for row in read_rows(table.data_path)] == ROWS
    assert table.encoding == encoding
    assert table.separator == ";"
    assert ("guessed_encoding" in codes(table)) == (encoding == "cp1252")


def test_latin_1(desk):
    data = "Name,Ort\nJosé\x81,Köln\nMüller und Söhne,Düsseldorf\n".encode("latin-1")
    table = desk.table("a.csv", data)
    assert table.encoding == "latin-1"
    assert next(read_rows(table.data_path, 1, 1)).cells == ["Müller und Söhne", "Düsseldorf"]


def test_cyrillic_is_not_taken_for_western(desk):
    lines = [
        "Имя,Город",
        "Иван Петров,Москва",
        "Мария Смирнова,Санкт-Петербург",
        "Ольга Кузнецова,Новосибирск",
        "Сергей Васильев,Казань",
    ]
    assert desk.cells("a.csv", "\n".join(lines).encode("cp1251"))[0] == ["Иван Петров", "Москва"]


def test_given_encoding_and_separator_win(desk):
    table = desk.table("a.csv", "Imię;Miasto,x\nŁukasz;Łódź,y\n".encode("cp1250"), encoding="cp1250", separator=";")
    assert next(read_rows(table.data_path)).cells == ["Łukasz", "Łódź,y"]


@pytest.mark.parametrize("name", ["klingon", "base64", "a\0b"])
def test_unknown_encoding(desk, name):
    assert desk.refuse("a.csv", b"a,b\n1,2\n", encoding=name).code == "unknown_encoding"


def test_stray_windows_bytes_in_utf8(desk):
    table = desk.table("a.csv", "Name\nJosé\nZoë\nRené\n".encode() + "Müller\n".encode("cp1252"))
    assert [row.cells for row in read_rows(table.data_path)] == [["José"], ["Zoë"], ["René"], ["Müller"]]
    assert table.encoding == "utf-8"
    assert "mixed_encoding" in codes(table)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators(desk, separator):
    lines = [["Name", "Note", "Phone"], ["Ann", "a, b; c | d", "1"], ["Bob", "x", "2"], ["Cy", "", "3"]]
    data = "\n".join(separator.join(f'"{c}"' if set(c) & set(",;|") else c for c in line) for line in lines)
    table = desk.table("a.csv", data.encode())
    assert table.separator == separator
    assert [row.cells for row in read_rows(table.data_path)] == [
        ["Ann", "a, b; c | d", "1"],
        ["Bob", "x", "2"],
        ["Cy", None, "3"],
    ]


def test_excel_separator_line(desk):
    table = desk.table("a.csv", b"sep=|\r\nName|Size\r\na,b|c,d\r\n")
    assert (table.separator, table.header_row) == ("|", 2)
    assert [(row.number, row.cells) for row in read_rows(table.data_path)] == [(3, ["a,b", "c,d"])]


def test_text_stays_text(desk):
    data = b"Phone,Zip,Sum,Date,Flag\n0049170123456,01067,=1+1,2024-01-31,true\n+44 20,-5,@x,1e5,007\n"
    assert desk.cells("a.csv", data) == [
        ["0049170123456", "01067", "=1+1", "2024-01-31", "true"],
        ["+44 20", "-5", "@x", "1e5", "007"],
    ]


def test_quoted_line_breaks_quotes_and_row_numbers(desk):
    table = desk.table("a.csv", b'Name,Note\r\n"A ""the"" B","line 1\r\nline 2"\r\n\r\nC,d\r\n')
    rows = [(row.index, row.number, row.cells) for row in read_rows(table.data_path)]
    assert rows == [(0, 2, ['A "the" B', "line 1\r\nline 2"]), (1, 4, ["C", "d"])]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(desk, end):
    assert desk.cells("a.csv", end.join(["a,b", "1,2", "3,4"]).encode()) == [["1", "2"], ["3", "4"]]


def test_open_quote_is_named_with_its_row(desk):
    error = desk.refuse("a.csv", b'Name,Note\nA,b\nC,"never closed\nD,e\nF,g\n')
    assert (error.code, error.row) == ("open_quote", 3)
    assert "row 3" in str(error)


def test_cell_longer_than_the_limit(desk, make):
    error = desk.refuse("a.csv", b'Name\nA\n"' + b"x\n" * 5000, limits=make.limits(cell_chars=1000))
    assert (error.code, error.row) == ("open_quote", 3)


def test_quote_inside_a_cell_is_text(desk):
    assert desk.cells("a.csv", b'Name,Size\nDesk,5" wide\n"Bo"x,y\n') == [["Desk", '5" wide'], ["Box", "y"]]


def test_zero_bytes_are_removed(desk):
    table = desk.table("a.csv", b"Name,City\nA\0nn" + b"x" * 100 + b",Rome\n")
    assert next(read_rows(table.data_path)).cells == ["Ann" + "x" * 100, "Rome"]
    assert "nul_bytes" in codes(table)


def test_uneven_rows_are_kept_and_reported(desk):
    table = desk.table("a.csv", b"Name,City\nAnn\nBob,Rome,extra\nCy,Oslo,,,\nDee,Bonn\n")
    assert [row.cells for row in read_rows(table.data_path)] == [
        ["Ann", None, None],
        ["Bob", "Rome", "extra"],
        ["Cy", "Oslo", None],
        ["Dee", "Bonn", None],
    ]
    assert [column.name for column in table.columns] == ["Name", "City", "Column C"]
    (notice,) = [n for n in table.warnings if n.code == "uneven_rows"]
    assert (notice.row, notice.params["count"], notice.params["rows"]) == (2, 2, [2, 3])


def test_separators_at_line_ends_are_no_columns(desk):
    table = desk.table("a.csv", b"Name;City;;\nAnn;Rome;;\nBob;Oslo\n")
    assert [column.name for column in table.columns] == ["Name", "City"]
    assert codes(table) == set()


def test_spaces_are_trimmed(desk):
    data = "\ufeff Name \u00a0,\u200bCity\n\u00a0Ann\u00a0Lee \t,\u2003Rome\u200b\n".encode()
    table = desk.table("a.csv", data)
    assert [column.name for column in table.columns] == ["Name", "City"]
    assert next(read_rows(table.data_path)).cells == ["Ann\u00a0Lee", "Rome"]


def test_without_header(desk):
    table = desk.table("a.csv", b"Ann,a@x.org,,Rome\nBob,b@x.org,,Oslo\n", has_header=False)
    assert (table.rows, table.header_row) == (2, None)
    assert [(c.index, c.letter, c.name) for c in table.columns] == [
        (0, "A", "Column A"),
        (1, "B", "Column B"),
        (3, "D", "Column D"),
    ]
    assert table.columns[0].samples == ["Ann", "Bob"]


def test_title_above_the_header(desk):
    table = desk.table("a.csv", b"Clients of 2024\n\nName,City,Phone\nAnn,Rome,1\n")
    assert (table.header_row, table.rows) == (3, 1)
    assert "rows_above_header" in codes(table)


def test_one_column(desk):
    table = desk.table("a.csv", b"Email\na@x.org\nb@x.org\n")
    assert [column.name for column in table.columns] == ["Email"]
    assert table.rows == 2


@pytest.mark.parametrize("data", [b"", b"   \n\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\0" * 500, b",,,\n,,\n"])
def test_empty(desk, data):
    assert desk.refuse("a.csv", data).code == "empty"


def test_header_only(desk):
    assert desk.refuse("a.csv", b"Name,City\n").code == "no_rows"


def test_limits_of_rows_and_columns(desk, make):
    limits = make.limits(rows=3, columns=4)
    assert len(desk.cells("a.csv", b"a\n1\n2\n3\n", limits=limits)) == 3
    error = desk.refuse("a.csv", b"a\n1\n2\n3\n4\n", limits=limits)
    assert (error.code, error.row) == ("too_many_rows", 5)
    error = desk.refuse("a.csv", b"a,b\n1,2\n1,2,3,4,5\n", limits=limits)
    assert (error.code, error.row, error.column) == ("too_many_columns", 3, "E")
    assert "4 columns" in str(error)
