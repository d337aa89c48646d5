"""Pieces of HTML that both pages have; all text is escaped here (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..figures.assumptions import CONCLUSION, LEFT_OUT, MODELLED
from .document import escaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..figures.shown import Named


def card(title: str, inner: Iterable[str], *, kind: str = "") -> str:
    """Return a part of the page with its title; what is in it is HTML."""
    lines = "\n".join(inner)
    return f'<section class="card {kind}" aria-label="{escaped(title)}"><h2>{escaped(title)}</h2>\n{lines}</section>'


def scrolled(title: str, inner: str) -> str:
    """Return what scrolls by itself where it is long, by keyboard as well; what is in it is HTML."""
    return f'<div class="scroll tall" tabindex="0" role="group" aria-label="{escaped(title)}">{inner}</div>'


def quiet(text: str) -> str:
    """Return a sentence in small print."""
    return f'<p class="quiet">{escaped(text)}</p>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers_from: int | None = None) -> str:
    """Return a table; the columns from `numbers_from` on are numbers, which stand right."""
    first = len(head) if numbers_from is None else numbers_from
    top = _row("th", head, first, ' scope="col"')
    body = "".join(_row("td", row, first, "") for row in rows)
    return f"<table><thead>{top}</thead><tbody>{body}</tbody></table>"


def _row(kind: str, cells: Sequence[str], first: int, more: str) -> str:
    shown = (
        f"<{kind}{more}{' class=number' if place >= first else ''}>{escaped(cell)}</{kind}>"
        for place, cell in enumerate(cells)
    )
    return f"<tr>{''.join(shown)}</tr>"


def named_list(named: Iterable[Named]) -> str:
    """Return figures with their names."""
    items = (f"<div><dt>{escaped(name)}</dt><dd>{escaped(value)}</dd></div>" for name, value in named)
    return f"<dl>{''.join(items)}</dl>"


def notes(told: Sequence[str]) -> Iterator[str]:
    """Yield what to know before trusting the figures."""
    if told:
        items = "".join(f"<li>{escaped(each)}</li>" for each in told)
        yield card("Read this first", [f"<ul>{items}</ul>"], kind="wide warned")


def assumed() -> str:
    """Return what the figures assume, and what they leave out."""
    modelled = "".join(f"<li>{escaped(each)}</li>" for each in MODELLED)
    left_out = "".join(f"<li><strong>{escaped(name)}</strong> {escaped(text)}</li>" for name, text in LEFT_OUT)
    more = f"<h2>What is left out</h2><ul>{left_out}</ul><p>{escaped(CONCLUSION)}</p>"
    return card("What is modelled", [f"<ul>{modelled}</ul>", more])
