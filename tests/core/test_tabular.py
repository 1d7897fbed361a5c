"""What readers make of files that are as files are."""

import gzip
import io
import zipfile
from datetime import date

import pytest
import xlsxwriter

from apps.core.blocks import FileRefused, Limits
from apps.core.tabular import open_table

Row = tuple[int, list[str]]


def read(
    data: bytes, name: str = "file.csv", **limits: int
) -> tuple[list[str], list[Row], list[tuple[int, str, str]]]:
    """Columns, numbered rows, and what could not be read as (line, code, field)."""
    table = open_table(io.BytesIO(data), name=name, limits=Limits(**limits))
    rows: list[Row] = []
    faults = []
    for block in table.blocks():
        rows += zip(block.lines, block.cells(table.separator), strict=True)
        faults += [(fault.line, fault.code, fault.field) for fault in block.faults]
    return table.columns, rows, faults


def workbook(rows: list[list[object]]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        book_date = book.add_format({"num_format": "yyyy-mm-dd"})
        for i, row in enumerate(rows):
            for j, cell in enumerate(row):
                if hasattr(cell, "isoformat"):
                    sheet.write_datetime(i, j, cell, book_date)  # type: ignore[arg-type]
                else:
                    sheet.write(i, j, cell)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        pytest.param(b"a,b\n1,2\n3,4\n", [(2, ["1", "2"]), (3, ["3", "4"])], id="plain"),
        pytest.param(b"a,b\n1,2\n3,4", [(2, ["1", "2"]), (3, ["3", "4"])], id="no newline at the end"),
        pytest.param(b"\xef\xbb\xbfa;b\r\n1;2\r\n", [(2, ["1", "2"])], id="byte order mark, semicolon, CRLF"),
        pytest.param(b"a\tb\n1\t2\n", [(2, ["1", "2"])], id="tabs"),
        pytest.param(b"a,b\r1,2\r3,4\r", [(2, ["1", "2"]), (3, ["3", "4"])], id="old Mac"),
        pytest.param(b'a,b\n"x\ny","1 ""q"""\n3,4\n', [(2, ["x\ny", '1 "q"']), (4, ["3", "4"])], id="quoted"),
        pytest.param(b"a,b\n\n,\n 1 , 2\n", [(4, ["1", "2"])], id="blank lines and spaces"),
        pytest.param(
            b'a,b\n"5"" pipe",1\n5" pipe,2\n', [(2, ['5" pipe', "1"]), (3, ['5" pipe', "2"])], id="inches"
        ),
    ],
)
def test_rows_keep_the_line_they_start_on(data: bytes, rows: list[Row]) -> None:
    columns, found, faults = read(data)
    assert (columns, found, faults) == (["a", "b"], rows, [])


@pytest.mark.parametrize(
    ("bad", "code", "field"),
    [
        pytest.param(b"1,\xe9", "encoding", "b", id="Latin-1"),
        pytest.param(b"1,x\0", "nul", "b", id="NUL"),
        pytest.param(b"1,2,3", "columns", "", id="too many cells"),
        pytest.param(b"1", "columns", "", id="too few cells"),
        pytest.param(b'1,"x"y', "quote", "", id="text after a quotation mark"),
        pytest.param(b"1," + b"x" * 1001, "too_long", "b", id="long cell"),
        pytest.param(b'1,"' + b"x\n" * 501 + b'"', "too_long", "b", id="long cell over many lines"),
    ],
)
def test_a_bad_row_is_told_and_its_neighbours_are_read(bad: bytes, code: str, field: str) -> None:
    _columns, rows, faults = read(b"a,b\n5,6\n" + bad + b"\n7,8\n", field_characters=1000)
    assert faults == [(3, code, field)]
    assert [row for _line, row in rows] == [["5", "6"], ["7", "8"]]
    assert rows[-1][0] == 4 + bad.count(b"\n")


def test_ten_megabytes_in_one_field_are_one_bad_row() -> None:
    _columns, rows, faults = read(b"a,b\n1," + b"x" * 10_000_000 + b"\n3,4\n")
    assert (rows, faults) == ([(3, ["3", "4"])], [(2, "too_long", "b")])


@pytest.mark.parametrize("filler", [b"x" * 1000, b"x\n" * 500])
def test_a_row_too_large_for_memory_is_skipped(filler: bytes) -> None:
    row = b'1,"' + filler * 3000 + b'"'
    _columns, rows, faults = read(b"a,b\n" + row + b"\n3,4\n", row_bytes=1_000_000)
    assert faults == [(2, "row_too_long", "")]
    assert rows == [(3 + row.count(b"\n"), ["3", "4"])]


def test_a_quotation_mark_that_never_closes_costs_one_row() -> None:
    _columns, rows, faults = read(b'a,b\n1,"x\n3,4\n5,6\n')
    assert faults == [(2, "quote", "")]
    assert rows == [(3, ["3", "4"]), (4, ["5", "6"])]


def test_blocks_that_meet_inside_a_quoted_cell_lose_nothing() -> None:
    lines = [f'{i},"text {i}\nand, more"' for i in range(100_000)]
    _columns, rows, faults = read(("a,b\n" + "\n".join(lines) + "\n").encode())
    assert faults == []
    assert len(rows) == 100_000
    assert rows[-1] == (200_000, ["99999", "text 99999\nand, more"])


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        pytest.param(b"", "a.csv", "empty_file", id="no bytes"),
        pytest.param(b"\n\n\n", "a.csv", "empty_file", id="blank lines"),
        pytest.param(b"", "a.ndjson", "empty_file", id="no records"),
        pytest.param("a,b\n1,2\n".encode("utf-16"), "a.csv", "encoding", id="UTF-16"),
        pytest.param("a,b\n1,2\n".encode("utf-16-le"), "a.csv", "encoding", id="UTF-16 without a mark"),
        pytest.param(b"a,\xe9\n1,2\n", "a.csv", "encoding", id="header in Latin-1"),
        pytest.param(b"a,A\n1,2\n", "a.csv", "duplicate_column", id="two columns of one name"),
        pytest.param(b"PK\x03\x04....", "a.csv.gz", "compression", id="zip called gz"),
        pytest.param(b"a,b\n1,2\n", "a.csv.gz", "compression", id="plain called gz"),
        pytest.param(gzip.compress(b"a,b\n" + b"1,2\n" * 9999)[:-20], "a.csv.gz", "compression", id="cut off"),
        pytest.param(gzip.compress(b"a,b\n" + b"0" * 100_000_000), "a.csv.gz", "unfolds", id="gzip bomb"),
        pytest.param(b"PK\x03\x04....", "a.xlsx", "workbook", id="broken workbook"),
        pytest.param(b"\xd0\xcf\x11\xe0....", "a.csv", "format", id="old Excel"),
        pytest.param(b"[1]\n2\n", "a.ndjson", "json", id="no objects"),
    ],
)
def test_a_hopeless_file_is_refused_with_a_remedy(data: bytes, name: str, code: str) -> None:
    with pytest.raises(FileRefused) as refusal:
        read(data, name)
    assert refusal.value.code == code
    assert refusal.value.remedy


def test_a_workbook_that_unfolds_too_far_is_refused_before_it_does() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 100_000_000)
    with pytest.raises(FileRefused) as refusal:
        read(file.getvalue(), "a.xlsx")
    assert refusal.value.code == "unfolds"


def test_gzip_is_known_by_its_bytes() -> None:
    assert read(gzip.compress(b"a,b\n1,2\n"), "a.csv")[1] == [(2, ["1", "2"])]


def test_records_have_the_columns_that_occur_anywhere() -> None:
    data = b'{"a": 1, "b": 1.50}\n\n{"b": ["x", "y"], "c": true, "a": null}\nnonsense\n{"c": {}}\n'
    columns, rows, faults = read(data, "a.ndjson")
    assert columns == ["a", "b", "c"]
    assert rows == [(1, ["1", "1.50", ""]), (3, ["", "x|y", "true"])]
    assert faults == [(4, "json", ""), (5, "nested", "c")]


def test_a_sheet_gives_texts_as_people_see_them() -> None:
    day = date(2025, 3, 1)
    data = workbook([["code", "n", "share", "on"], ["x", 12, 0.5, day], ["", "", "", ""], ["y", 1e-7, 3, ""]])
    columns, rows, faults = read(data, "a.xlsx")
    assert columns == ["code", "n", "share", "on"]
    assert rows == [(2, ["x", "12", "0.5", "2025-03-01"]), (4, ["y", "0.0000001", "3", ""])]
    assert faults == []


def test_the_columns_of_a_rejects_file_are_left_out() -> None:
    columns, rows, _faults = read(b"code,name,line,field,code,message\nx,X,3,name,required,Fill\n")
    assert columns == ["code", "name"]
    assert rows == [(2, ["x", "X"])]
