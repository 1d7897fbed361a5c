"""The joined stylesheet says what its files say, in their layers."""

import re
from pathlib import Path

import pytest

from cxplan.embedded.home import REPOSITORY
from cxplan.stylesheet import join

CSS = REPOSITORY / "assets" / "css"


@pytest.fixture
def vendor(tmp_path: Path) -> Path:
    (tmp_path / "bootstrap.min.css").write_text('@charset "UTF-8";body{margin:0}')
    return tmp_path


def test_every_file_stands_in_its_layer(tmp_path, vendor):
    (tmp_path / "block.css").write_text("/* A block. */\n.cx-block {\n  color: red;\n}\n")
    sheet = tmp_path / "sheet.css"
    sheet.write_text(
        '@layer skeleton, blocks;\n@import url("../vendor/bootstrap.min.css") layer(skeleton);\n'
        '@import url("block.css") layer(blocks);\n'
    )
    assert join(sheet, vendor=vendor) == (
        "@layer skeleton, blocks;\n@layer skeleton{body{margin:0}}\n"
        "@layer blocks{\n.cx-block {\ncolor: red;\n}\n}\n"
    )


def test_a_missing_file_is_an_error(tmp_path, vendor):
    sheet = tmp_path / "sheet.css"
    sheet.write_text('@import url("gone.css") layer(blocks);')
    with pytest.raises(FileNotFoundError):
        join(sheet, vendor=vendor)


def test_our_sheet_leaves_no_import_behind(vendor):
    joined = join(CSS / "cxplan.css", vendor=vendor)
    assert "@import" not in joined
    assert "../" not in joined
    assert joined.count("{") == joined.count("}")


def test_every_block_is_imported():
    imported = set(re.findall(r'url\("(blocks/[a-z]+\.css)"\)', (CSS / "cxplan.css").read_text()))
    assert imported == {f"blocks/{path.name}" for path in (CSS / "blocks").iterdir()}


def test_only_tokens_name_colours():
    for path in [CSS / "base.css", CSS / "frame.css", *(CSS / "blocks").iterdir()]:
        assert not re.search(r"#[0-9a-f]{3,8}\b|rgba?\(", re.sub(r"/\*.*?\*/", "", path.read_text())), path.name
