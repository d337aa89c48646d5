"""The actors of a running system between two looks, as a table for people and JSON for programs. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec
from rich.text import Text

from ...domain.time import SECOND_NS
from ...messages.supervision import SupervisionTree
from ..processes import ProcessMemory
from ..terminal import plain
from .columns import lined
from .tree import STATE_STYLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

SCHEMA: Final = 1
"""Version of the JSON objects; it changes when a field is renamed or removed."""

_BUCKET: Final = re.compile(r'^natya_handler_seconds_bucket\{actor="([^"]*)",le="([^"]*)"\} (\S+)$', re.MULTILINE)
_OVER: Final = 0.99

Buckets = dict[float, float]
"""How many handlers took at most so many seconds."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One look."""

    at_ns: int
    """By a clock that never steps back."""

    tree: SupervisionTree
    handlers: dict[str, Buckets]
    """By actor."""

    processes: tuple[ProcessMemory, ...]
    """The system's own first, then those of its strategies."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One actor."""

    name: str
    path: str
    state: str
    host: str
    mailbox: int
    handled_per_s: float
    """Between the two looks."""

    p99_s: float | None
    """99 of 100 handlers that were timed between the two looks took at most so long (an upper bound of a class; all
    about orders are timed, of others a sample). None: none was timed."""

    restarts: int


def handlers_of(metrics: str) -> dict[str, Buckets]:
    """Read the times of handlers in the text of metrics."""
    found: dict[str, Buckets] = {}
    for actor, bound, count in _BUCKET.findall(metrics):
        found.setdefault(actor, {})[float(bound)] = float(count)
    return found


def rows(before: Seen, now: Seen) -> list[Row]:
    """Compare two looks; busiest first."""
    seconds = max(now.at_ns - before.at_ns, 1) / SECOND_NS
    handled = {child.path: child.handled for child in before.tree.children}
    found = []
    for child in now.tree.children:
        name = child.path.rpartition("/")[2]
        more = max(0, child.handled - handled.get(child.path, child.handled))
        found.append(
            Row(
                name=name,
                path=child.path,
                state=child.state,
                host=child.host,
                mailbox=child.mailbox_depth,
                handled_per_s=more / seconds,
                p99_s=p99(before.handlers.get(name, {}), now.handlers.get(name, {})),
                restarts=child.restarts,
            )
        )
    return sorted(found, key=lambda row: (-row.handled_per_s, -row.mailbox, row.path))


def p99(before: Mapping[float, float], now: Mapping[float, float]) -> float | None:
    """Return the upper bound of the class that the 99th of 100 is in; infinite where it is in the last."""
    counts = {bound: count - before.get(bound, 0.0) for bound, count in sorted(now.items())}
    total = max(counts.values(), default=0.0)
    if total <= 0:
        return None
    return next(bound for bound, count in counts.items() if count >= _OVER * total)


def as_json(before: Seen, now: Seen) -> dict[str, Any]:
    """Return all of it; a time beyond the last class is null, as is one that was not measured."""
    actors = [msgspec.structs.asdict(row) for row in rows(before, now)]
    for actor in actors:
        if actor["p99_s"] == float("inf"):
            actor["p99_s"] = None
    return {
        "schema": SCHEMA,
        "interval_s": (now.at_ns - before.at_ns) / SECOND_NS,
        "actors": actors,
        "processes": [msgspec.structs.asdict(each) for each in now.processes],
        "stalls": now.tree.stalls,
    }


def as_table(before: Seen, now: Seen) -> Table:
    """Return a line an actor, and below them the memory: actors of one process share it."""
    numbers = "mailbox", "msg/s", "p99", "restarts"
    table = lined("actor", "state", "host", *numbers, numbers=numbers)
    for row in rows(before, now):
        table.add_row(
            plain(row.name),
            Text(plain(row.state), STATE_STYLES.get(row.state, "yellow")),
            plain(row.host),
            Text(f"{row.mailbox:,}", "yellow" if row.mailbox else "dim"),
            f"{row.handled_per_s:,.1f}",
            _time(row.p99_s),
            Text(f"{row.restarts:,}", "yellow" if row.restarts else "dim"),
        )
    own, *others = now.processes or (ProcessMemory(pid=0, resident_bytes=0),)
    told = [f"memory: process {own.pid}: {own.resident_bytes >> 20:,} MiB"] if own.pid else []
    told += [f"worker {each.pid}: {each.resident_bytes >> 20:,} MiB" for each in others]
    told += [f"stalls of the event loop: {now.tree.stalls:,}"]
    table.caption, table.caption_justify = Text("; ".join(told), "dim"), "left"
    return table


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    if seconds == float("inf"):
        return "more"
    return f"{1_000 * seconds:,.2f} ms" if seconds < 1 else f"{seconds:,.1f} s"
