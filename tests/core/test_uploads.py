"""A file is what its content says, carries a harmless name, and tells nothing of who took a picture."""

import io
import struct
import zipfile
import zlib
from contextlib import suppress

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.core.uploads import DOCUMENTS, IMAGES, UploadRefused, check_upload, safe_name
from tests.payloads import FILE_NAMES, REFUSED_FILES

PNG_HEAD = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


PNG = PNG_HEAD + chunk(b"IHDR", b"\0" * 13) + chunk(b"tEXt", b"Author\0Max") + chunk(b"IEND", b"")
TIFF = b"MM\0*\0\0\0\x08" + struct.pack(">HHHIHH", 1, 0x0112, 3, 1, 6, 0)
EXIF = b"Exif\0\0" + TIFF + b"GPS here"
SHOWN = b"\xff\xdb\0\x04ab" + b"\xff\xda\0\x02data\xff\xd9"
JPEG = b"\xff\xd8\xff\xe1" + struct.pack(">H", len(EXIF) + 2) + EXIF + SHOWN


def archive(**members: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as packed:
        for name, text in members.items():
            packed.writestr(name.replace("__", "/").replace("_dot_", "."), text)
    return held.getvalue()


def office(folder: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as packed:
        packed.writestr("[Content_Types].xml", "<Types/>")
        packed.writestr(f"{folder}/document.xml", "<x/>")
    return held.getvalue()


def sent(name: str, content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


@pytest.mark.parametrize(
    ("name", "content", "content_type"),
    [
        ("a.png", PNG, "image/png"),
        ("a.jpg", JPEG, "image/jpeg"),
        ("a.gif", b"GIF89a....", "image/gif"),
        ("a.webp", b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        ("a.pdf", b"%PDF-1.7\n", "application/pdf"),
        ("a.txt", "Déjà vu\n".encode(), "text/plain"),
        ("a.csv", b"a,b\n1,2\n", "text/csv"),
    ],
)
def test_the_type_is_that_of_the_content(name, content, content_type):
    assert check_upload(sent(name, content)).content_type == content_type


def test_office_documents_are_told_apart_and_programs_in_them_refused():
    assert check_upload(sent("a.docx", office("word"))).content_type.endswith("wordprocessingml.document")
    assert check_upload(sent("a.xlsx", office("xl"))).content_type.endswith("spreadsheetml.sheet")
    with pytest.raises(UploadRefused):
        check_upload(sent("a.docx", archive(word__vbaProject_dot_bin="x")))


def test_a_name_that_says_otherwise_gets_the_ending_of_its_content():
    assert check_upload(sent("picture.html", PNG)).name == "picture.png"


@pytest.mark.parametrize(("name", "content"), REFUSED_FILES)
def test_what_could_run_script_is_refused(name, content):
    with pytest.raises(UploadRefused):
        check_upload(sent(name, content))


def test_a_kind_that_is_not_asked_for_is_refused():
    with pytest.raises(UploadRefused):
        check_upload(sent("a.pdf", b"%PDF-1.7\n"), kinds=IMAGES)
    with pytest.raises(UploadRefused):
        check_upload(sent("a.png", PNG), kinds=DOCUMENTS)


def test_a_file_beyond_the_limit_is_refused():
    with pytest.raises(UploadRefused):
        check_upload(sent("a.txt", b"x" * 101), limit=100)
    assert check_upload(sent("a.txt", b"x" * 100), limit=100).size == 100


@pytest.mark.parametrize("name", FILE_NAMES)
def test_a_name_is_harmless(name):
    cleaned = safe_name(name)
    assert cleaned
    assert len(cleaned) <= 160
    assert not set(cleaned) & set("\"'<>&/\\\r\n\0\u202e;`$")
    assert not cleaned.startswith(".")


def test_a_photo_forgets_where_it_was_taken_and_stays_upright():
    kept = check_upload(sent("a.jpg", JPEG)).content.read()
    assert b"GPS" not in kept
    assert struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0) in kept
    assert kept.endswith(SHOWN)
    assert check_upload(sent("a.jpg", kept)).content.read() == kept
    assert b"Max" not in check_upload(sent("a.png", PNG)).content.read()


def test_nothing_hangs_behind_the_end_of_a_photo():
    progressive = b"\xff\xda\0\x02one\xff\0\xff\xd1two" + b"\xff\xfe\0\x05GPS" + b"\xff\xda\0\x02three\xff\xd9"
    kept = check_upload(sent("a.jpg", b"\xff\xd8" + progressive + JPEG)).content.read()
    assert kept == b"\xff\xd8" + progressive.replace(b"\xff\xfe\0\x05GPS", b"")
    assert check_upload(sent("a.png", PNG + b"GPS")).content.read().endswith(chunk(b"IEND", b""))


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    packed = b"".join(
        kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2) for kind, body in chunks
    )
    return b"RIFF" + struct.pack("<I", 4 + len(packed)) + b"WEBP" + packed


def test_a_webp_forgets_where_it_was_taken_and_stays_upright():
    alpha, exif, xmp = 0x10, 0x08, 0x04
    size = b"\0\0\0" + b"\x01\0\0" * 2
    image = (b"VP8 ", b"odd pixels")
    photo = webp(
        (b"VP8X", bytes([alpha | exif | xmp]) + size),
        (b"ICCP", b"colours"),
        image,
        (b"EXIF", EXIF.removeprefix(b"Exif\0\0")),
        (b"XMP ", b"<x:GPSLatitude>48.8</x:GPSLatitude>"),
        (b"OWNR", b"GPS of a maker"),
    )
    kept = check_upload(sent("a.webp", photo)).content.read()
    upright = struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, 0x0112, 3, 1, 6, 0, 0)
    assert kept == webp((b"VP8X", bytes([alpha | exif]) + size), (b"ICCP", b"colours"), image, (b"EXIF", upright))
    assert check_upload(sent("a.webp", webp(image) + b"GPS")).content.read() == webp(image)


def test_a_gif_forgets_what_was_said_with_it_and_goes_on_moving():
    screen = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0b1000_0000, 0, 0) + b"\0" * 6
    loop = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
    delay = b"\x21\xf9\x04\0\x0a\0\0\0"
    image = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x4c\x01\0"
    place = b"\x21\xff\x0bXMP DataXMP\x05GPS48\0"
    remark = b"\x21\xfe\x03GPS\0"
    kept = check_upload(sent("a.gif", screen + loop + place + delay + image + remark + delay + image + b"\x3bGPS"))
    assert kept.content.read() == screen + loop + delay + image + delay + image + b"\x3b"


@pytest.mark.parametrize("whole", [JPEG, PNG, webp((b"VP8 ", b"pixels")), b"GIF89a" + b"\x80" * 40])
def test_a_picture_that_breaks_off_anywhere_is_taken_or_refused_in_words(whole):
    for length in range(1, len(whole)):
        with suppress(UploadRefused):
            assert b"GPS" not in check_upload(sent("a", whole[:length])).content.read()
