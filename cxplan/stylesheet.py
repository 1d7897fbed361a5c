"""Joins the stylesheet's files into one, so that a first visit waits for one request instead of thirty."""

import re
from pathlib import Path

_IMPORT = re.compile(r'@import url\("(?P<place>[^"]+)"\) layer\((?P<layer>[a-z]+)\);')
# A comment that begins with ! is a licence and stays.
_COMMENT = re.compile(r"/\*(?!!).*?\*/", re.DOTALL)
_CHARSET = re.compile(r"@charset [^;]+;")
_BLANK = re.compile(r"\n\s*")


def join(sheet: Path, *, vendor: Path) -> str:
    """`sheet` with every imported file in place of its import, inside the layer it was imported into.

    Parameters
    ----------
    sheet : its imports name files beside it, or "../vendor/…" for built ones
    vendor : the folder of built files, where the result will stand

    Raises
    ------
    FileNotFoundError
        when an imported file does not exist
    """

    def file_of(match: re.Match[str]) -> str:
        place = match["place"]
        built = place.removeprefix("../vendor/")
        path = vendor / built if built != place else sheet.parent / place
        content = _CHARSET.sub("", path.read_text(encoding="utf-8"))
        return f"@layer {match['layer']}{{{content}}}"

    joined = _IMPORT.sub(file_of, sheet.read_text(encoding="utf-8"))
    # The result stands in the vendor folder itself.
    return _BLANK.sub("\n", _COMMENT.sub("", joined)).replace('url("../vendor/', 'url("').strip() + "\n"
