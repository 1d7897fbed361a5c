"""The packs that come with cxplan, read from its fixtures."""

import json
from functools import cache
from pathlib import Path

from apps.curation.packs import Pack, read_pack

FOLDER = Path(__file__).resolve().parent.parent.parent / "fixtures" / "packs"


@cache
def shipped_packs() -> dict[str, Pack]:
    packs = [read_pack(json.loads(path.read_text(encoding="utf-8"))) for path in sorted(FOLDER.glob("*.json"))]
    return {pack.code: pack for pack in packs}
