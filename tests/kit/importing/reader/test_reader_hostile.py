"""Files that are not what they say, too much, damaged, or made to hurt."""

from __future__ import annotations

import random
import struct
import time

import pytest

from app.kit.importing.reader import UnreadableFile, messages
from app.kit.importing.reader.package import Package

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4
HTML = b"<!DOCTYPE html><html><body><table><tr><td>Name</td></tr></table></body></html>"


def ole(*streams: str) -> bytes:
    return OLE + b"\0" * 1016 + b"".join(name.encode("utf-16-le").ljust(128, b"\0") for name in streams)


@pytest.mark.parametrize("extension", ["xlsx", "xls", "csv", "ods"])
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF document"),
        (PNG, "a picture"),
        (HTML, "a web page"),
        (b'<?xml version="1.0"?><Workbook/>', "an XML document"),
        (b"\x1f\x8b\x08\0" + b"\x01" * 50, "a packed archive"),
        (ole("WordDocument"), "a text document"),
        (b"\x07\x01\x02\x03\x04" * 200, "of an unknown type"),
    ],
)
def test_other_content_under_a_spreadsheet_name(desk, extension, data, words):
    error = desk.refuse(f"clients.{extension}", data)
    assert error.code == "wrong_extension"
    assert words in str(error)
    assert f".{extension}" in str(error)


def test_spreadsheets_under_another_ones_name(desk, make):
    for name, data, right in (
        ("a.xls", make.xlsx(["A"], [1]), ".xlsx"),
        ("a.xlsx", make.xls(["A"], [1]), ".xls"),
        ("a.csv", make.ods(["A"], ["1"]), ".ods"),
        ("a.xlsx", b"Name,City\nAnn,Rome\n", ".csv"),
        ("upload", make.xlsx(["A"], [1]), ".xlsx"),
    ):
        error = desk.refuse(name, data)
        assert error.code == "wrong_extension"
        assert f"does not end with {right}" in str(error)


@pytest.mark.parametrize("name", ["report.pdf", "picture.png", "x", "a.docx"])
def test_no_spreadsheet_at_all(desk, name):
    error = desk.refuse(name, b"%PDF-1.7\n")
    assert error.code == "not_a_spreadsheet"
    assert "a PDF document" in str(error)


def test_other_zipped_documents(desk, make):
    for name, words in (
        ("word/document.xml", "a text document"),
        ("xl/workbook.bin", ".xlsb"),
        ("notes.txt", "a packed archive"),
    ):
        assert words in str(desk.refuse("a.xlsx", make.zip({name: b"x", "b": b"y"})))


def test_locked(desk, make):
    encrypted = ole("EncryptionInfo", "EncryptedPackage")
    old = make.xls(["Name"], ["Ann"])
    start = old.index(b"\x09\x08\x10\x00")
    record = start + 20  # the record after BOF becomes FILEPASS, [MS-XLS] 2.4.117
    filepass = old[:record] + b"\x2f\x00" + old[record + 2 :]
    entry = '<manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry>'
    for name, data in (
        ("a.xlsx", encrypted),
        ("a.xls", encrypted),
        ("a.xls", filepass),
        ("a.ods", make.ods(["A"], manifest=entry)),
    ):
        error = desk.refuse(name, data)
        assert error.code == "locked"
        assert str(error) == "This file is locked with a password. Save it without one and upload it again."


def test_file_size(desk, make):
    error = desk.refuse("a.csv", b"a\n" * 2**20, limits=make.limits(file_bytes=2**20))
    assert error.code == "too_large"
    assert "1 MB" in str(error)


def far(*references: str) -> str:
    return "".join(
        f'<row r="{ref.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")}"><c r="{ref}"><v>1</v></c></row>' for ref in references
    )


@pytest.mark.parametrize(
    ("references", "code", "place"),
    [
        (("A1", "XFD1048576"), "too_many_columns", (1048576, "XFD")),
        (("XFD1048576", "A1"), "too_many_columns", (1048576, "XFD")),
        (("A1", "GS2"), "too_many_columns", (2, "GS")),
        (("A1", "A1048576"), "too_many_rows", (1048576, "A")),
    ],
)
def test_far_cells(desk, make, references, code, place):
    started = time.monotonic()
    data = make.xlsx_xml(far(*references), dimension="A1:XFD1048576")
    assert len(data) < 2000
    error = desk.refuse("bomb.xlsx", data)
    assert (error.code, (error.row, error.column), error.sheet) == (code, place, "S")
    assert time.monotonic() - started < 5


def test_far_cells_written_to_be_missed_end_at_the_memory_limit(desk, make):
    hidden = far("A1", "XFD1048576").replace('r="XFD', "r \n= 'XFD").replace('1048576"><v', "1048576'><v")
    assert desk.refuse("bomb.xlsx", make.xlsx_xml(hidden)).code in ("memory", "broken", "too_many_columns")


def test_wide_declaration_and_far_empty_cells_do_no_harm(desk, make):
    rows = far("A1", "A2") + '<row r="1048576"><c r="XFD1048576" s="0"/></row>'
    assert desk.cells("a.xlsx", make.xlsx_xml(rows, dimension="A1:XFD1048576")) == [[1]]


def test_last_allowed_column(desk, make):
    assert len(desk.table("a.xlsx", make.xlsx_xml(far("GR1", "GR2"))).columns) == 1


def test_far_cell_at_a_border_of_chunks(desk, make):
    for shift in range(0, 60, 7):
        filler = '<row r="1"><c r="A1"><v>1</v></c></row>' + "<!--" + "x" * (2**18 - 250 + shift) + "-->"
        assert desk.refuse("a.xlsx", make.xlsx_xml(filler + far("GS2"))).code == "too_many_columns"


@pytest.mark.parametrize("part", ["xl/sharedStrings.xml", "xl/media/picture.bin", "xl/worksheets/sheet1.xml"])
def test_zip_bomb(desk, make, part):
    data = make.xlsx_xml(far("A1", "A2"), **{part: b" " * (300 * 2**20)})
    assert len(data) < 400_000
    started = time.monotonic()
    assert desk.refuse("bomb.xlsx", data).code == "bomb"
    assert time.monotonic() - started < 10


def test_zip_bomb_that_lies_about_its_size(desk, make):
    data = bytearray(make.xlsx_xml(far("A1", "A2"), **{"xl/sharedStrings.xml": b" " * (100 * 2**20)}))
    for magic, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.index(magic)
        while at >= 0:
            if struct.unpack_from("<I", data, at + offset)[0] == 100 * 2**20:
                struct.pack_into("<I", data, at + offset, 1000)
            at = data.find(magic, at + 4)
    assert desk.refuse("bomb.xlsx", bytes(data)).code == "bomb"


def test_zip_of_very_many_entries(desk, make):
    assert desk.refuse("a.xlsx", make.zip({f"xl/{n}.xml": b"" for n in range(6000)})).code == "bomb"


def test_ods_repeated_a_billion_times(desk, make):
    data = make.ods(["A", "B"], ["1", "2"], attributes='table:number-columns-repeated="2000000000"')
    assert desk.refuse("a.ods", data).code in ("memory", "timeout", "too_many_columns")
    assert desk.cells("a.ods", make.ods(["A"], ["1"], attributes='table:number-columns-repeated="2"')) == [["1", "1"]]


def test_entities_do_not_expand(desk, make):
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    evil = f'<!DOCTYPE x [<!ENTITY l0 "lol">{laughs}]><workbook>&l11;</workbook>'
    data = make.xlsx_xml(far("A1", "A2"), **{"xl/workbook.xml": evil.encode()})
    assert desk.refuse("a.xlsx", data).code in ("broken", "memory", "timeout")


def test_truncated(desk, make):
    whole = make.xlsx(["Name"], *[[f"n{n}"] for n in range(200)])
    for part in (0.2, 0.5, 0.9, 0.99):
        error = desk.refuse("a.xlsx", whole[: int(len(whole) * part)])
        assert error.code == "broken"
        assert "damaged" in str(error)


def test_time_and_memory_limits_hold(desk, make):
    rows = b"".join(b'<row r="%d"><c r="A%d"><v>%d</v></c></row>' % (n, n, n) for n in range(1, 60_000))
    data = make.xlsx_xml(rows)
    started = time.monotonic()
    assert desk.refuse("a.xlsx", data, limits=make.limits(seconds=0.05)).code == "timeout"
    assert time.monotonic() - started < 3
    wide = make.xlsx_xml(far("A1", "GR100000"))  # within the limits, but 20 million cells
    assert desk.refuse("a.xlsx", wide, limits=make.limits(memory_bytes=200 * 2**20)).code == "memory"
    assert desk.refuse("a.xlsx", data, limits=make.limits(output_bytes=4096)).code == "too_large"


def mutate(random_: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(random_.randint(1, 12)):
        at = random_.randrange(len(changed))
        match random_.randrange(4):
            case 0:
                changed[at] = random_.randrange(256)
            case 1:
                del changed[at : at + random_.randint(1, 40)]
            case 2:
                changed[at:at] = random_.randbytes(random_.randint(1, 40))
            case 3:
                struct.pack_into(
                    "<I", changed, min(at, len(changed) - 4), random_.choice([0, 1, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000])
                )
        if len(changed) < 8:
            break
    return bytes(changed)


def mutate_inside(random_: random.Random, xml: bytes) -> bytes:
    """Change digits and marks of XML, so that the fault lies behind the zip's checksum."""
    changed = bytearray(xml)
    for _ in range(random_.randint(1, 6)):
        at = random_.randrange(len(changed))
        changed[at : at + 1] = random_.choice([b"9", b"-", b"<", b'"', b"&", b"\xff", b"99999999", b"", b"\0"])
    return bytes(changed)


def fuzzed(random_: random.Random, make, turn: int) -> tuple[str, bytes]:
    rows = [["Name", "E-mail", "Sum"], ["Ann", "a@x.org", 5], ["Bjørn", "b@x.org", 2.5]]
    match turn % 5:
        case 0:
            return "a.xlsx", mutate(random_, make.xlsx(*rows))
        case 1:
            return "a.xls", mutate(random_, make.xls(*rows))
        case 2:
            return "a.csv", mutate(
                random_, 'Name;E-mail\n"Ann";a@x.org\nBjørn;b\n'.encode(random_.choice(["utf-8", "cp1252", "utf-16"]))
            )
        case 3:
            return "a.ods", mutate(random_, make.ods(["Name", "City"], ["Ann", "Rome"]))
    return "a.xlsx", make.xlsx_xml(mutate_inside(random_, far("A1", "B2", "C3", "A4").encode()))


def test_fuzzed_files_are_read_or_refused(desk, make):
    random_ = random.Random(20240131)
    outcomes = set()
    for turn in range(200):
        name, data = fuzzed(random_, make, turn)
        try:
            outcomes.add("read" if desk.table(name, data).rows else "none")
        except UnreadableFile as error:
            assert error.code in messages.CODES, error.code
            assert error.code != "failed", (turn, name)
            assert "%(" not in str(error)
            outcomes.add(error.code)
    assert {"read", "broken", "wrong_extension"} <= outcomes


def test_streamed_sizes_are_the_real_ones(make):
    import io
    from zipfile import ZipFile

    data = make.xlsx(["Name"], *[[f"n{n}"] for n in range(5000)])
    with ZipFile(io.BytesIO(data)) as archive:
        package = Package(archive, make.limits())
        for info in archive.infolist():
            assert b"".join(package.stream(info.filename)) == archive.read(info)
