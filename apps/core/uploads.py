"""Which files people may hand over, told by their content, and how they are given out again."""

import io
import re
import unicodedata
import zipfile
from dataclasses import dataclass
from pathlib import PurePath
from uuid import uuid4

from django.core.files import File
from django.core.files.base import ContentFile
from django.db.models.fields.files import FieldFile
from django.http import FileResponse
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext as _

from apps.core.errors import CxplanError
from apps.core.formats import number
from apps.core.pictures import without_traces

MEBIBYTE = 1024 * 1024
NAME_LENGTH_MAX = 150

# Content type → endings; the first is given to a file that has none of them.
ENDINGS = {
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/webp": (".webp",),
    "image/gif": (".gif",),
    "application/pdf": (".pdf",),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": (".docx",),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": (".xlsx",),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": (".pptx",),
    "application/vnd.oasis.opendocument.text": (".odt",),
    "application/vnd.oasis.opendocument.spreadsheet": (".ods",),
    "application/vnd.oasis.opendocument.presentation": (".odp",),
    "text/plain": (".txt", ".md"),
    "text/csv": (".csv",),
}
IMAGES = frozenset(one for one in ENDINGS if one.startswith("image/"))
DOCUMENTS = frozenset(ENDINGS) - IMAGES
_TEXTS = frozenset({"text/plain", "text/csv"})
_OOXML_FOLDERS = {
    "word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt/": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}


class UploadRefused(CxplanError):
    code = "upload_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that may be kept: a name safe to show and to save under, its type by content, and its bytes."""

    name: str
    content_type: str
    size: int
    content: ContentFile  # type: ignore[type-arg]  # the stubs can't say "bytes"


def check_upload(
    file: "File[bytes]", *, kinds: frozenset[str] = IMAGES | DOCUMENTS, limit: int = 10 * MEBIBYTE
) -> Upload:
    """The file as it may be stored; photos lose what they tell of place and person.

    Raises UploadRefused when it is empty, too large, of another kind than `kinds`, or its name says
    otherwise than its content.
    """
    if (file.size or 0) > limit:
        raise _too_large(limit)
    file.seek(0)
    data = file.read(limit + 1)
    if not data:
        raise UploadRefused(_("This file is empty."), field="file")
    if len(data) > limit:
        raise _too_large(limit)
    name = safe_name(file.name or "")
    found = _type_of(data, ending=PurePath(name).suffix.lower())
    if found not in kinds:
        raise UploadRefused(
            _("A file of this kind can't be taken. These can: %(endings)s.") % {"endings": endings_of(kinds)},
            field="file",
        )
    if PurePath(name).suffix.lower() not in ENDINGS[found]:
        name = f"{PurePath(name).stem}{ENDINGS[found][0]}"
    data = without_traces(data, found)
    return Upload(name=name, content_type=found, size=len(data), content=ContentFile(data, name=name))


def endings_of(kinds: frozenset[str]) -> str:
    """The endings of the kinds, as a sentence and an `accept` attribute show them."""
    return ", ".join(ending for kind, endings in ENDINGS.items() if kind in kinds for ending in endings)


def safe_name(name: str) -> str:
    """The last step of a path without anything that a header, a shell or a page could trip over."""
    plain = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(c for c in plain if unicodedata.category(c)[0] in "LNMPSZ")
    kept = re.sub(r"[\"'<>&|:;*?`$%#{}\[\]^~=\s]+", " ", kept).strip(" .")
    stem, suffix = PurePath(kept).stem, PurePath(kept).suffix
    return f"{stem[: NAME_LENGTH_MAX - len(suffix)]}{suffix}" if kept else "file"


@deconstructible
class StoredUnder:
    """Where an uploaded file is kept: a name of its own, so that nothing of the sender's becomes a path."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __call__(self, _instance: object, _name: str) -> str:
        return f"{self.folder}/{uuid4().hex}"


def send_upload(file: FieldFile, *, name: str, content_type: str, is_shown: bool = False) -> FileResponse:
    """The stored file as a download; only a picture may be shown in a page (`is_shown`)."""
    is_inline = is_shown and content_type in IMAGES
    response = FileResponse(file.open("rb"), as_attachment=not is_inline, filename=name, content_type=content_type)
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Should a browser open it all the same, it may do nothing.
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, max-age=300"
    return response


def _too_large(limit: int) -> UploadRefused:
    return UploadRefused(
        _("This file is too large: at most %(most)s MB.") % {"most": number(limit / MEBIBYTE)}, field="file"
    )


def _type_of(data: bytes, *, ending: str) -> str:
    """The content type by the first bytes; of texts, which have none, by the ending."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data.startswith(b"%PDF-"):
        return "application/pdf"
    if data.startswith(b"PK\x03\x04"):
        return _type_of_archive(data)
    if any(ending in ENDINGS[kind] for kind in _TEXTS) and _is_text(data):
        return next(kind for kind in _TEXTS if ending in ENDINGS[kind])
    return ""


def _type_of_archive(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            # A document with macros is a program.
            if any(name.lower().endswith("vbaproject.bin") for name in names):
                return ""
            if "[Content_Types].xml" in names:
                folders = [
                    kind for folder, kind in _OOXML_FOLDERS.items() if any(n.startswith(folder) for n in names)
                ]
                return folders[0] if len(folders) == 1 else ""
            if names[:1] == ["mimetype"] and archive.getinfo("mimetype").file_size < 100:
                told = archive.read("mimetype").decode("ascii", "replace")
                return told if told in ENDINGS else ""
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError):
        return ""
    return ""


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return not any(character < " " and character not in "\t\r\n\f" for character in text)
