"""Built assets: what a browser loads is there, whole, and built once."""

import json
from pathlib import Path

from tests.embedded.test_commands import manage


def test_assets_are_built_once_and_collected_with_a_manifest(tmp_path: Path) -> None:
    home = tmp_path / "a home"
    assert manage(home, "build_assets").stdout == "Assets built.\n"
    assert manage(home, "build_assets").stdout == "Assets are up to date.\n"
    manifest = json.loads((home / "static" / "staticfiles.json").read_text())["paths"]
    for name in ("cxplan.css", "manrope.ttf", "htmx.min.js", "vega-embed.js"):
        collected = home / "static" / manifest[f"vendor/{name}"]
        assert collected.stat().st_size > 10_000, name
        assert b"sourceMappingURL" not in collected.read_bytes()[-200:], name
    assert not (home / "postgres").exists()
