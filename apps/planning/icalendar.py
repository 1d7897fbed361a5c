"""Entries as a calendar file of RFC 5545: whole days, stable ids, folded lines."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from apps.planning.calendar_days import Entry

LINE_OCTETS = 75
DAY = "%Y%m%d"


def calendar_file(entries: Iterable[Entry], *, name: str, root: str, host: str, at: datetime) -> str:
    """`root` is put before the addresses of the entries; `host` makes their ids unique in the world."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//cxplan//plans//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_escaped(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT6H",
    ]
    stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    for entry in entries:
        where = f" ({entry.where})" if entry.where else ""
        lines += [
            "BEGIN:VEVENT",
            f"UID:{entry.key}@{host}",
            f"DTSTAMP:{stamp}",
            # A whole day belongs to no time zone: it is the day where the unit is.
            f"DTSTART;VALUE=DATE:{entry.on.strftime(DAY)}",
            f"DTEND;VALUE=DATE:{(entry.until + timedelta(days=1)).strftime(DAY)}",
            f"SUMMARY:{_escaped(f'{entry.kind}: {entry.title}{where}')}",
            f"LOCATION:{_escaped(entry.where)}",
            f"URL:{root}{entry.url}",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(f"{folded(line)}\r\n" for line in lines)


def folded(line: str) -> str:
    """A line of at most 75 octets, continued on lines that begin with a space; no character is cut."""
    parts, size = [""], 0
    for character in line:
        octets = len(character.encode())
        if size + octets > LINE_OCTETS:
            parts.append(" ")
            size = 1
        parts[-1] += character
        size += octets
    return "\r\n".join(parts)


def _escaped(text: str) -> str:
    for sign in ("\\", ";", ","):
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n")
