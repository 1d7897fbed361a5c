"""`import_data` as scripts use it: exit status, one JSON document, files where they are wanted."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import Unit


@pytest.fixture
def path(tmp_path: Path, db: None) -> Path:
    file = tmp_path / "units.csv"
    file.write_text("code,name\na,A\nb c,B\n")
    return file


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = 0
    try:
        call_command("import_data", *map(str, arguments))
    except SystemExit as stop:
        status = int(stop.code or 0)
    out, err = capsys.readouterr()
    return status, out, err


def test_json_is_one_document_and_nothing_else(path: Path, tmp_path: Path, capsys: Any) -> None:
    status, out, err = run(capsys, "units", path, "--format", "json", "--rejects", tmp_path / "bad.csv")
    result = json.loads(out)
    assert status == 3
    assert err == ""
    assert list(result) == [
        *(
            "kind",
            "file",
            "rows",
            "accepted",
            "duplicates",
            "corrected",
            "rejected",
            "warnings",
            "rejects",
            "seconds",
        )
    ]
    assert (result["rows"], result["accepted"], result["rejected"]) == (2, 1, 1)
    assert (tmp_path / "bad.csv").read_text().splitlines()[1].startswith("b c,B,3,code,bad_code,")
    assert result["rejects"] == str(tmp_path / "bad.csv")


def test_a_clean_file_ends_well(path: Path, capsys: Any) -> None:
    path.write_text("code,name\na,A\n")
    status, out, _err = run(capsys, "units", path, "--format", "json")
    assert status == 0
    assert json.loads(out)["rejects"] is None


def test_a_refused_file_fails_with_line_field_and_remedy(path: Path, capsys: Any) -> None:
    path.write_text("code,label\na,A\n")
    status, out, _err = run(capsys, "units", path, "--format", "json")
    error = json.loads(out)["error"]
    assert status == 1
    assert (error["code"], error["line"], error["field"]) == ("missing_column", 1, "name")
    assert error["remedy"]


def test_text_goes_to_people(path: Path, capsys: Any) -> None:
    status, out, _err = run(capsys, "units", path, "--dry-run")
    assert status == 3
    assert "1 accepted" in out
    assert "Line 3, code:" in out
    assert "dry run" in out
    assert not Unit.objects.exists()


def test_a_mapping_and_strictness_are_taken(path: Path, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "map.toml").write_text('[fields]\ncode = "id"\nname = "label"\n')
    path.write_text("id;label;more\na;A;1\n")
    assert run(capsys, "units", path, "--map", tmp_path / "map.toml", "--strict")[0] == 0
    (tmp_path / "map.toml").write_text("[fields]\ncode = 3 4\n")
    status, _out, err = run(capsys, "units", path, "--map", tmp_path / "map.toml")
    assert status == 1
    assert "no valid TOML" in err


@pytest.mark.parametrize("arguments", [["units", "/nowhere.csv"], ["things", "x.csv"]])
def test_a_wrong_call_is_a_usage_error(arguments: list[str], db: None) -> None:
    with pytest.raises(CommandError) as error:
        call_command("import_data", *arguments)
    assert getattr(error.value, "returncode", 2) in (1, 2)
