"""`natya top`: what the actors of a running system do now."""

from __future__ import annotations

import contextlib
import functools
import time
from typing import TYPE_CHECKING, Annotated

import typer

from ..options import DataDirOption, JsonOption, ProfileNameOption
from ..session import running, tell_answer
from ..terminal import out

if TYPE_CHECKING:
    from ...client import Connection
    from ..views.top import Seen


def command(
    *,
    once: Annotated[bool, typer.Option("--once", help="One look, at what is done in one interval.")] = False,
    interval: Annotated[
        float, typer.Option("--interval", min=0.1, max=3_600, metavar="SECONDS", help="Between two looks.")
    ] = 1.0,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Show of each actor what waits, messages a second, p99 of its handlers, restarts; and the memory. Ctrl-C ends it.

    The busiest are first. Without a terminal, and with --json, each look is printed after the one before.
    """
    from ..views.tables import PlainConsole, show
    from ..views.top import as_json, as_table

    with contextlib.suppress(KeyboardInterrupt), running(data_dir, profile) as system:
        before = _look(system)
        if once or json or not out().isatty():
            while True:
                time.sleep(interval)
                now = _look(system)
                tell_answer(as_json(before, now), functools.partial(show, as_table(before, now)), json=json)
                out().flush()
                if once:
                    return
                before = now
        from rich.live import Live

        with Live(console=PlainConsole(), screen=True, auto_refresh=False) as live:
            while True:
                time.sleep(interval)
                now = _look(system)
                live.update(as_table(before, now), refresh=True)
                before = now


def _look(system: Connection) -> Seen:
    from ..processes import memory_of
    from ..views.top import Seen, handlers_of

    return Seen(
        at_ns=time.monotonic_ns(),
        tree=system.tree(),
        handlers=handlers_of(system.metrics().text),
        processes=memory_of(system.pid),
    )
