"""Texts and files that run script where a program is careless with them, and what a page would run."""

from html.parser import HTMLParser

# Each would set window.alerted, or call alert(), if a browser took any of it for code.
TEXTS = (
    "<script>alert(1)</script>",
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    "<img src=x onerror=alert(1)//>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<body onload=alert(1)>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<style>@import 'javascript:alert(1)';</style>",
    "<object data=javascript:alert(1)></object>",
    "<embed src=javascript:alert(1)>",
    "<form action=javascript:alert(1)><button>x</button></form>",
    "<div hx-get=/x hx-on:click=alert(1) hx-trigger=load>x</div>",
    "<template><script>alert(1)</script></template>",
    "javascript:alert(1)",
    "{{7*7}}{% debug %}${alert(1)}#{alert(1)}",
    '" onmouseover=alert(1) autofocus onfocus=alert(1) x="',
    "`${alert(1)}`",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</select><script>alert(1)</script>",
    "--><script>alert(1)</script><!--",
    "]]><script>alert(1)</script>",
    "\u202e<script>alert(1)</script>\u202c",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
)
MARKDOWN = (
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](  javascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](java\nscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](vbscript:msgbox(1))",
    "[x](file:///etc/passwd)",
    "[x](//evil.example)",
    '[x](https://a.example/"onmouseover=alert(1))',
    "[x](<https://a.example/ onmouseover=alert(1)>)",
    "[x](https://a.example 'x\" onmouseover=alert(1) y=\"')",
    "![x](javascript:alert(1))",
    '![x](x"onerror="alert(1))',
    '![x"onerror=alert(1)](https://a.example/x.png)',
    "<javascript:alert(1)>",
    '<https://a.example/"onmouseover=alert(1)>',
    "[x]: javascript:alert(1)\n\n[x]",
    '[x]: https://a.example/ "><script>alert(1)</script>"\n\n[x]',
    "```\n</code></pre><script>alert(1)</script>\n```",
    '```x"><script>alert(1)</script>\ny\n```',
    "`</code><script>alert(1)</script>`",
    "| a |\n|---|\n| <img src=x onerror=alert(1)> |",
    "- <svg/onload=alert(1)>",
    "# <script>alert(1)</script>",
    "> <img src=x onerror=alert(1)>",
    "**<img src=x onerror=alert(1)>**",
    "<!-- --><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php alert(1) ?>",
)
FILE_NAMES = (
    "<img src=x onerror=alert(1)>.png",
    '"><script>alert(1)</script>.txt',
    "../../../etc/passwd.txt",
    "..\\..\\windows\\x.txt",
    "a\r\nContent-Type: text/html\r\n\r\n<script>alert(1)</script>.txt",
    "x.txt\x00.html",
    "\u202egnp.txt",
    "';alert(1);'.csv",
    "CON.txt",
    "." * 300 + ".txt",
    "x" * 400 + ".txt",
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"
# Content that must not be kept, whatever it calls itself: name and bytes.
REFUSED_FILES = (
    ("drawing.svg", SVG),
    ("drawing.png", SVG),
    ("drawing.svg.png", b'<?xml version="1.0"?>' + SVG),
    ("page.html", HTML),
    ("page.htm", HTML),
    ("page.xhtml", HTML),
    ("picture.jpg", HTML),
    ("sheet.pdf", HTML),
    ("sheet.xlsx", HTML),
    ("run.js", b"alert(1)"),
    ("run.exe", b"MZ\x90\x00"),
    ("run.sh", b"#!/bin/sh\n"),
    ("text.txt", b"\x00\x01\x02"),
    ("text.txt", b"\xff\xfe<\x00"),
    ("archive.zip", b"PK\x03\x04rubbish"),
    ("nothing.txt", b""),
)


class Tags(HTMLParser):
    """What a browser would make of a text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags_of(html: str) -> list[tuple[str, dict[str, str | None]]]:
    reader = Tags()
    reader.feed(html)
    return reader.found


def running(page: str) -> list[str]:
    """What of a page would run, or lead to something that runs, and is not our own."""
    wrong = []
    for tag, attributes in tags_of(page):
        wrong += [f"<{tag} {one}>" for one in attributes if one.startswith(("on", "hx-on"))]
        if tag in {"iframe", "object", "embed", "math", "base"}:
            wrong.append(f"<{tag}>")
        for one in ("href", "src", "action", "formaction", "data", "srcdoc"):
            if "javascript:" in (attributes.get(one) or "").lower():
                wrong.append(f"<{tag} {one}={attributes[one]}>")
        if tag == "script" and not (attributes.get("src") or "").startswith("/static/"):
            wrong.append("<script>")
    return wrong
