"""How files of other systems become ours."""

import io

import pytest

from apps.core.blocks import FileRefused, Limits
from apps.core.mapping import MappedTable, MappingInvalid, as_code, parse_mapping, read_mapping
from apps.core.tabular import open_table


def mapped(mapping: str, data: str) -> tuple[list[str], list[tuple[int, list[str]]], list[tuple[int, str, str]]]:
    table = MappedTable(
        open_table(io.BytesIO(data.encode()), name="a.csv", limits=Limits()), parse_mapping(read_mapping(mapping))
    )
    rows, faults = [], []
    for block in table.blocks():
        rows += zip(block.lines, block.cells(","), strict=True)
        faults += [(fault.line, fault.field, fault.detail) for fault in block.faults]
    return table.columns, rows, faults


def values(mapping: str, data: str) -> list[list[str]]:
    return [row for _line, row in mapped(mapping, data)[1]]


def test_columns_constants_and_texts_become_fields() -> None:
    columns, rows, faults = mapped(
        '[fields]\nunit = "Branch"\nsource = {constant = "pos"}\nexternal_id = {text = "{Branch}/{line}"}\n',
        "Branch;Score\nParis;3\n\nLyon;4\n",
    )
    assert columns == ["unit", "source", "external_id"]
    assert rows == [(2, ["Paris", "pos", "Paris/2"]), (4, ["Lyon", "pos", "Lyon/4"])]
    assert faults == []


@pytest.mark.parametrize(
    ("rule", "cell", "expected"),
    [
        ('column = "c", values = {Yes = "true", No = "false"}', "Yes", "true"),
        ('column = "c", values = {Yes = "true"}', "Perhaps", "Perhaps"),
        ('column = "c", values = {Yes = "true"}, otherwise = "false"', "Perhaps", "false"),
        ('column = "c", date = "%d/%m/%Y"', "31/03/2026", "2026-03-31"),
        ('column = "c", date = ["%d/%m/%Y", "%m_%Y"]', "07_2015", "2015-07-01"),
        ('column = "c", date = "%d/%m/%y %H:%M"', "31/03/26 14:05", "2026-03-31T14:05:00"),
        ("column = \"c\", number = '(\\d[\\d ]*)'", "300 or more", "300 "),
        ('column = "c", number = \'([\\d,]+)\', thousands = ","', "about 1,200", "1200"),
        ('column = "c", decimal = ",", thousands = " "', "1 234,5", "1234.5"),
        ('column = "c", code = true', "Earl's Court (Nord-Été)", "earl-s-court-nord-ete"),
        ('column = "c"', "n/a", ""),
        ('ratio = {of = "c", to = "d", times = 100}', "1", "12.500000"),
    ],
)
def test_a_rule_changes_the_cell(rule: str, cell: str, expected: str) -> None:
    assert values(f'missing = ["n/a"]\n[fields]\nf = {{{rule}}}\n', f'c,d\n"{cell}",8\n') == [[expected]]


def test_columns_turn_into_rows_that_share_their_line() -> None:
    mapping = """
        [unpivot]
        columns = {late = "late-share", all = "visits"}
        name = "what"
        value = "how much"
        [fields]
        unit = "trust"
        metric = "what"
        value = "how much"
    """
    assert mapped(mapping, "trust,late,all\nA,1,2\nB,3,4\n")[1] == [
        (2, ["A", "late-share", "1"]),
        (2, ["A", "visits", "2"]),
        (3, ["B", "late-share", "3"]),
        (3, ["B", "visits", "4"]),
    ]


def test_rows_are_chosen_and_repeated_ones_taken_once() -> None:
    mapping = 'distinct = true\nonly = {type = ["1", "2"]}\nskip = {n = "0"}\n[fields]\ncode = "trust"\n'
    assert values(mapping, "trust,type,n\nA,1,5\nA,2,5\nB,3,5\nC,1,0\nD,1,1\n") == [["A"], ["D"]]


@pytest.mark.parametrize(
    ("rule", "detail"),
    [
        ('column = "c", date = "%Y"', "“x” is not written as %Y"),
        ("column = \"c\", number = '(\\d+)'", "“x” holds no number"),
        ('ratio = {of = "c", to = "d"}', "“x” can't be divided by “0”"),
    ],
)
def test_a_cell_that_does_not_fit_rejects_its_row_alone(rule: str, detail: str) -> None:
    _columns, rows, faults = mapped(f"[fields]\nf = {{{rule}}}\n", "c,d\nx,0\n2025,1\n")
    assert faults == [(2, "f", detail)]
    assert len(rows) == 1


@pytest.mark.parametrize(
    ("mapping", "place"),
    [
        ("fields = 1", "fields"),
        ("[fields]\nf = {}", "fields.f"),
        ('[fields]\nf = {column = "a", constant = "b"}', "fields.f"),
        ('[fields]\nf = {colum = "a"}', "fields.f.colum"),
        ('[fields]\nf = {column = "a", number = "(["}', "fields.f.number"),
        ('[fields]\nf = {column = "a", number = "x"}', "fields.f.number"),
        ('[fields]\nf = {column = "a", decimal = ";"}', "fields.f.decimal"),
        ('[fields]\nf = "a"\n[unpivot]\nname = "x"', "unpivot.columns"),
        ('speed = 1\n[fields]\nf = "a"', "speed"),
        ('distinct = "yes"\n[fields]\nf = "a"', None),
        ("not toml", None),
    ],
)
def test_a_mistake_in_the_mapping_is_told_with_its_place(mapping: str, place: str | None) -> None:
    with pytest.raises(MappingInvalid) as mistake:
        read_mapping(mapping)
    assert mistake.value.message
    if place is not None:
        assert mistake.value.field == place


def test_a_column_the_file_lacks_is_named() -> None:
    with pytest.raises(FileRefused, match="“Shop”"):
        mapped('[fields]\nunit = "Shop"', "Branch\nParis\n")


def test_any_text_makes_a_code() -> None:
    assert as_code("  Çà & là!") == "ca-la"
