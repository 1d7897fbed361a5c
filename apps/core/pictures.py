"""What does a picture tell besides its pixels, and how does it look without?

EXIF, XMP, IPTC, comments and whatever hangs behind the end say where a picture was taken, by whom and with
whose phone. Only what is needed to show it is kept; bytes that can't be read as part of a picture are not.
"""

import struct

# JPEG: the segments that tell (APP1, APP13, comments), and those that stand in the data of a scan.
_JPEG_TOLD = {0xE1, 0xED, 0xFE}
_JPEG_WITHIN_SCAN = {0x00, *range(0xD0, 0xD8)}
_JPEG_SCAN, _JPEG_END = 0xDA, 0xD9
_PNG_TOLD = {b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME"}
_PNG_END = b"IEND"
_WEBP_SHOWN = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
_WEBP_SAYS_EXIF, _WEBP_SAYS_XMP = 0x08, 0x04
# How often a GIF repeats is told by one of these.
_GIF_LOOPS = {b"NETSCAPE2.0", b"ANIMEXTS1.0"}
_GIF_EXTENSION, _GIF_IMAGE, _GIF_END = 0x21, 0x2C, 0x3B
_GIF_COMMENT, _GIF_APPLICATION = 0xFE, 0xFF
_ORIENTATION = 0x0112


def without_traces(data: bytes, content_type: str) -> bytes:
    """The same pixels, upright as before; what is no picture stays as it is."""
    plain = {"image/jpeg": _jpeg, "image/png": _png, "image/webp": _webp, "image/gif": _gif}.get(content_type)
    return plain(data) if plain else data


def _jpeg(data: bytes) -> bytes:
    kept, at = bytearray(data[:2]), 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != _JPEG_END:
        marker, end = data[at + 1], at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker not in _JPEG_TOLD:
            end = _end_of_scan(data, end) if marker == _JPEG_SCAN else end
            kept += data[at:end]
        elif turned := _orientation(data[at + 4 : end]):
            exif = b"Exif\0\0" + _upright_tiff(turned)
            kept += struct.pack(">2sH", b"\xff\xe1", 2 + len(exif)) + exif
        at = end
    return bytes(kept) + b"\xff\xd9"


def _end_of_scan(data: bytes, at: int) -> int:
    """Where the next marker stands that is not part of the scan that begins at `at`."""
    while (at := data.find(b"\xff", at)) >= 0 and at + 1 < len(data):
        if data[at + 1] == 0xFF:
            at += 1
        elif data[at + 1] in _JPEG_WITHIN_SCAN:
            at += 2
        else:
            return at
    return len(data)


def _orientation(exif: bytes) -> int:
    """How a phone held the picture, 2 to 8; 0 when it is upright or not told."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = "<" if tiff[:2] == b"II" else ">"
    try:
        first = struct.unpack_from(f"{order}I", tiff, 4)[0]
        count = struct.unpack_from(f"{order}H", tiff, first)[0]
        for entry in range(count):
            tag, kind, _count, value = struct.unpack_from(f"{order}HHIH", tiff, first + 2 + 12 * entry)
            if tag == _ORIENTATION and kind == 3:
                return value if 2 <= value <= 8 else 0
    except struct.error:
        return 0
    return 0


def _upright_tiff(turned: int) -> bytes:
    """The shortest EXIF that says how the picture was held, and nothing else."""
    return struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, _ORIENTATION, 3, 1, turned, 0, 0)


def _png(data: bytes) -> bytes:
    kept, at = bytearray(data[:8]), 8
    while at + 12 <= len(data):
        kind, end = data[at + 4 : at + 8], at + 12 + int.from_bytes(data[at : at + 4], "big")
        if kind not in _PNG_TOLD:
            kept += data[at:end]
        at = len(data) if kind == _PNG_END else end
    return bytes(kept)


def _webp(data: bytes) -> bytes:
    chunks, at = bytearray(), 12
    turned, features = 0, None
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + size]
        if kind == b"EXIF":
            turned = _orientation(body)
        elif kind in _WEBP_SHOWN:
            features = len(chunks) + 8 if kind == b"VP8X" and body else features
            chunks += _webp_chunk(kind, body)
        at += 8 + size + size % 2
    if features is not None:
        chunks[features] &= ~(_WEBP_SAYS_EXIF | _WEBP_SAYS_XMP)
        if turned:
            chunks[features] |= _WEBP_SAYS_EXIF
            chunks += _webp_chunk(b"EXIF", _upright_tiff(turned))
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + bytes(chunks)


def _webp_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _gif(data: bytes) -> bytes:
    at = 13 + _colours(data, 10)
    kept = bytearray(data[:at])
    while at + 2 <= len(data) and data[at] in {_GIF_EXTENSION, _GIF_IMAGE}:
        if data[at] == _GIF_IMAGE:
            end = _end_of_blocks(data, at + 11 + _colours(data, at + 9))
            is_shown = True
        else:
            end = _end_of_blocks(data, at + 2)
            is_loop = data[at + 3 : at + 14] in _GIF_LOOPS
            is_shown = data[at + 1] != _GIF_COMMENT and (data[at + 1] != _GIF_APPLICATION or is_loop)
        if is_shown:
            kept += data[at:end]
        at = end
    return bytes(kept) + bytes([_GIF_END])


def _colours(data: bytes, at: int) -> int:
    """How many bytes the table of colours takes that the flags at this place speak of."""
    flags = data[at] if at < len(data) else 0
    return 3 * 2 ** ((flags & 0b111) + 1) if flags & 0b1000_0000 else 0


def _end_of_blocks(data: bytes, at: int) -> int:
    while at < len(data) and data[at]:
        at += 1 + data[at]
    return min(at + 1, len(data))
