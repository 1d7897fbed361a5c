"""The file that an API call brings, as its body or as a part of a form, read as a stream."""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.utils.translation import gettext as _
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request

from apps.core.blocks import MEBIBYTE, FileRefused
from apps.core.errors import CxplanError

MULTIPART = "multipart/form-data"
# What each type is called when the caller gives no name; the name tells the format.
MEDIA_TYPES: Mapping[str, str] = {
    "text/csv": "body.csv",
    "application/gzip": "body.csv.gz",
    "application/x-ndjson": "body.ndjson",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "body.xlsx",
    "application/octet-stream": "body.csv",
}
OTHER_NAMES: Mapping[str, str] = {
    "": "application/octet-stream",
    "application/csv": "text/csv",
    "application/jsonl": "application/x-ndjson",
    "application/ndjson": "application/x-ndjson",
    "application/x-gzip": "application/gzip",
}


class BodyCutOff(CxplanError):
    code = "body_cut_off"


class FileMissing(CxplanError):
    code = "file_missing"


class Body:
    """The body of a call as a file that can be read once; it notices when the caller hung up."""

    def __init__(self, request: WSGIRequest) -> None:
        length = request.META.get("CONTENT_LENGTH") or ""
        self._expected = int(length) if length.isdigit() else None
        self._read = 0
        if self._expected is None and request.META.get("wsgi.input_terminated"):
            # A chunked body has no length; the server marks its end.
            self._stream = cast(IO[bytes], request.META["wsgi.input"])
        else:
            self._stream = cast(IO[bytes], request)

    def check_size(self) -> None:
        """Refuse what says it is too large before any of it is read."""
        if self._expected is not None and self._expected > settings.IMPORT_MAX_BYTES:
            raise FileRefused(
                _("The file is larger than %(size)s MB.") % {"size": settings.IMPORT_MAX_BYTES // MEBIBYTE},
                code="too_large",
                remedy=_("Compress it with gzip, or import it in parts."),
            )

    def read(self, size: int) -> bytes:
        try:
            chunk = self._stream.read(size)
        except OSError as error:
            raise self._cut_off() from error
        self._read += len(chunk)
        if not chunk and self._expected is not None and self._read < self._expected:
            raise self._cut_off()
        return chunk

    def _cut_off(self) -> BodyCutOff:
        return BodyCutOff(_("The file did not arrive as a whole, and nothing of it was kept. Send it again."))


def media_type_of(request: Request) -> str:
    """The type of the body; raises UnsupportedMediaType when no file can come in it."""
    given = (request.content_type or "").split(";")[0].strip().lower()
    media_type = OTHER_NAMES.get(given, given)
    if media_type != MULTIPART and media_type not in MEDIA_TYPES:
        raise UnsupportedMediaType(given)
    return media_type


def parts_of(request: Request) -> tuple[Mapping[str, str], IO[bytes], str]:
    """Form fields, file and the file's name; big files of a form are on disk already."""
    django_request = request._request  # noqa: SLF001  # `request.data` would take the body into memory
    media_type = media_type_of(request)
    if media_type == MULTIPART:
        uploaded = django_request.FILES.get("file")
        if uploaded is None:
            raise FileMissing(_("Send the file in a part called “file”."), field="file")
        fields = {name: str(value) for name, value in django_request.POST.items()}
        mapping = django_request.FILES.get("map")
        if mapping is not None:
            fields["map"] = mapping.read(MEBIBYTE).decode("utf-8-sig", "replace")
        return fields, cast(IO[bytes], uploaded), uploaded.name or "body.csv"
    body = Body(cast(WSGIRequest, django_request))
    body.check_size()
    return {}, cast(IO[bytes], body), MEDIA_TYPES[media_type]


@contextmanager
def kept(file: IO[bytes]) -> Iterator[tuple[IO[bytes], bytes]]:
    """A copy of the file on disk, for as long as the block lasts, and its digest."""
    folder = Path(settings.HOME) / "work"
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with tempfile.TemporaryFile(prefix="upload-", dir=folder) as copy:
        while chunk := file.read(MEBIBYTE):
            digest.update(chunk)
            copy.write(chunk)
        copy.seek(0)
        yield cast(IO[bytes], copy), digest.digest()
