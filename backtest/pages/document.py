"""One file of HTML with all that it needs inside: no address is asked, and none can be.

Names of strategies and symbols are data: they are escaped, or set as text by the script. The policy in its head lets
run only the scripts whose hashes it names, and lets nothing be fetched.
"""

from __future__ import annotations

import base64
import hashlib
import html
import os
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ...actors.control.dashboard.pages import page
from ...config.files import expect_new, new_file
from ..errors import BacktestRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

OPENING: Final = '<!doctype html>\n<html lang="en" data-natya="backtest">\n'
"""How each page of a backtest begins: only such a file may be replaced by a newer page."""

POLICY: Final = "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""Besides the scripts; nothing is fetched. Styles may be inline, since the charts set theirs."""

FRAME_HEIGHT_PX: Final = 900
"""Of a page in a notebook."""

UPLOT: Final = "/vendor/uPlot.iife.min.js"
UPLOT_STYLE: Final = "/vendor/uPlot.min.css"
CANDLES: Final = "/vendor/lightweight-charts.js"

escaped = html.escape
"""Text for HTML, attributes included."""


def document(*, title: str, body: str, data: Any = None, libraries: Iterable[str] = ()) -> str:
    """Return a page.

    Args:
        title: as text.
        body: as HTML; whatever is data in it has been escaped.
        data: for the script `page.js`, as JSON; None: the page has no script.
        libraries: paths of vendored scripts, as the dashboard serves them.
    """
    libraries = tuple(libraries)
    scripts = [] if data is None else [*map(_served, libraries), _own("page.js")]
    sources = " ".join(f"'sha256-{_hash_of(each)}'" for each in scripts) or "'none'"
    policy = f"default-src 'none'; script-src {sources}; {POLICY}"
    styles = [_served("/style.css"), *([_served(UPLOT_STYLE)] if UPLOT in libraries else []), _own("style.css")]
    parts = [
        OPENING,
        f'<head>\n<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{escaped(policy)}">\n',
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n',
        f"<title>{escaped(title)}</title>\n",
        *(f"<style>\n{each}\n</style>\n" for each in styles),
        f"</head>\n<body>\n{body}\n",
        "" if data is None else f'<script type="application/json" id="data">{_json(data)}</script>\n',
        *(f"<script>{each}</script>\n" for each in scripts),
        "</body>\n</html>\n",
    ]
    return "".join(parts)


def framed(page_text: str) -> str:
    """Return a page for the output of a notebook's cell: in a frame of its own, which can reach nothing around it."""
    return (
        f'<iframe sandbox="allow-scripts" title="Backtest" srcdoc="{escaped(page_text)}" '
        f'style="width:100%;height:{FRAME_HEIGHT_PX}px;border:0"></iframe>'
    )


def expect_writable(path: Path) -> None:
    """Check, before work begins, that a page can be written there.

    Raises:
        BacktestRefusedError: there is a file which is no page of a backtest.
        OSError: there is no such folder, or the file cannot be read.
    """
    if not os.path.lexists(path):
        expect_new(path)
        return
    with path.open("rb") as file:
        found = file.read(len(OPENING))
    if path.is_symlink() or found != OPENING.encode():
        raise BacktestRefusedError(f"a new file or an earlier page of a backtest wanted, found another file {path}")


def write_page(path: Path, page_text: str) -> None:
    """Write a page, whole or not at all; raises as `expect_writable` does."""
    expect_writable(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with new_file(beside) as descriptor, open(descriptor, "w", encoding="utf-8", closefd=False) as file:
        file.write(page_text)
    beside.replace(path)


def _json(data: Any) -> str:
    """Return JSON that cannot end the element it stands in."""
    text = msgspec.json.encode(data).decode()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _served(path: str) -> str:
    """Return a file of the dashboard: both have the same libraries, and the same style."""
    found = page(path)
    assert found is not None, path
    return _inside(found.body.decode())


def _own(name: str) -> str:
    return _inside(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))


def _inside(text: str) -> str:
    """Check that a vendored file does not end the element that it is put into."""
    assert "</script" not in text.lower()
    assert "</style" not in text.lower()
    return text


def _hash_of(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
