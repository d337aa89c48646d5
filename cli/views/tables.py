"""Tables on the terminal: drawn by rich, in which every text is plain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.measure import Measurement
from rich.segment import Segment

from ..terminal import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import ConsoleOptions, RenderableType

WIDTH_WITHOUT_TERMINAL: Final = 200
"""Columns of a table that goes to a file or a pipe."""


class PlainConsole(Console):
    """A console without markup that prints no control characters except its own."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, highlight=False, emoji=False)
        if not self.is_terminal:
            self.width = max(self.width, WIDTH_WITHOUT_TERMINAL)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render, and replace what is not printable in any text."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                text = "\n".join(map(plain, segment.text.split("\n")))
                yield Segment(text, segment.style)


def show(table: RenderableType, *, whole: bool = False) -> None:
    """Print a table; with `whole` at full width, so that the terminal breaks long lines and nothing is cut off."""
    console = PlainConsole()
    if whole:
        unbounded = console.options.update(max_width=10_000)
        console.width = max(console.width, Measurement.get(console, unbounded, table).maximum)
    console.print(table)
