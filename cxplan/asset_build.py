"""Builds the files a browser loads: wanted parts of packages, the chart bundle, the static manifest."""

import hashlib
import re
from collections.abc import Iterator
from importlib.metadata import distribution, version
from pathlib import Path

import vl_convert
from django.conf import settings
from django.core.management import call_command

from cxplan.embedded.home import REPOSITORY, folder
from cxplan.stylesheet import join

# Name under static/vendor/ → package and the file's place in it.
COPIED = {
    "bootstrap.min.css": ("bootstrap-wrapper", "bootstrap/css/bootstrap.min.css"),
    "htmx.min.js": ("django-htmx", "django_htmx/static/django_htmx/htmx-2.min.js"),
}
FONT = ("manrope.ttf", "fontpkg-manrope", "fontpkg_manrope/files/Manrope[wght].ttf")
SHEET = "cxplan.css"
CHART_BUNDLE = "vega-embed.js"
_GLOBALS = "window.vegaEmbed = vegaEmbed; window.vega = vega; window.vegaLite = vegaLite;"

# Maps are not shipped, and a manifest refuses a file that points to a missing one.
_SOURCE_MAP = re.compile(r"(?:/\*|//)# sourceMappingURL=\S+(?: \*/)?\s*$")


def build(*, force: bool = False) -> bool:
    """Bring vendor files and the collected static files up to date; False when they were."""
    vendor = folder("assets")
    done = vendor / ".built"
    wanted = fingerprint()
    if not force and done.exists() and done.read_text() == wanted and Path(settings.STATIC_ROOT).exists():
        return False
    for name, (package, place) in COPIED.items():
        source = Path(str(distribution(package).locate_file(place))).read_text(encoding="utf-8")
        _write(vendor / name, _SOURCE_MAP.sub("", source))
    font, package, place = FONT
    (vendor / font).write_bytes(Path(str(distribution(package).locate_file(place))).read_bytes())
    _write(vendor / SHEET, join(REPOSITORY / "assets" / "css" / SHEET, vendor=vendor))
    bundle = vendor / CHART_BUNDLE
    mark = f"/* vl-convert-python {version('vl-convert-python')} */\n"
    if force or not bundle.exists() or not bundle.read_text(encoding="utf-8").startswith(mark):
        _write(bundle, mark + vl_convert.javascript_bundle(_GLOBALS))
    call_command("collectstatic", interactive=False, verbosity=0)
    done.write_text(wanted)
    return True


def fingerprint() -> str:
    """What decides the result: this module, the pins, our own files."""
    digest = hashlib.sha256()
    for path in _inputs():
        digest.update(str(path.relative_to(REPOSITORY)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _inputs() -> Iterator[Path]:
    yield Path(__file__)
    yield Path(__file__).with_name("stylesheet.py")
    yield REPOSITORY / "requirements.txt"
    yield REPOSITORY / "cxplan" / "settings.py"
    yield from sorted(path for path in (REPOSITORY / "assets").rglob("*") if path.is_file())


def _write(path: Path, content: str) -> None:
    # Renamed into place: a server may be reading the old one.
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.write_text(content, encoding="utf-8")
    unfinished.replace(path)
