"""The files of the page, read once; nothing else of the disk can be asked for."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Final

import msgspec

HTML: Final = b"text/html; charset=utf-8"
CSS: Final = b"text/css; charset=utf-8"
SCRIPT: Final = b"text/javascript; charset=utf-8"

FILES: Final = {
    "/": ("index.html", HTML),
    "/style.css": ("style.css", CSS),
    **{f"/{name}": (name, SCRIPT) for name in ("app.js", "base.js", "link.js", "charts.js", "trading.js", "system.js")},
    "/vendor/uPlot.min.css": ("vendor/uPlot.min.css", CSS),
    "/vendor/uPlot.iife.min.js": ("vendor/uPlot.iife.min.js", SCRIPT),
    "/vendor/lightweight-charts.js": ("vendor/lightweight-charts.standalone.production.js", SCRIPT),
}
"""By path: the file, and its type."""

POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing comes from elsewhere, nothing goes there, and no other page may frame this one. Styles may be inline, since
the charts set theirs."""

HEADERS: Final = (
    (b"content-security-policy", POLICY),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)


class Page(msgspec.Struct, frozen=True):
    """A file as it is served."""

    content_type: bytes
    body: bytes


@functools.cache
def page(path: str) -> Page | None:
    """Return the file of a path; None: there is none."""
    if path not in FILES:
        return None
    name, content_type = FILES[path]
    return Page(content_type, resources.files(__package__).joinpath(name).read_bytes())
