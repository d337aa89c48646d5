"""Traces as a table for people and JSON for programs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from rich.text import Text

from ..terminal import plain
from .columns import lined
from .tree import branches

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.table import Table

    from ...messages.trace import Hop

CONVERSATIONS_MAX: Final = 50
"""Conversations listed: the newest."""


def trace_json(hops: Sequence[Hop]) -> bytes:
    """Return the hops as one line: `{"hops": [{"correlation_id": …, "hop_id": …, …}, …]}`, in the order they ended."""
    return msgspec.json.encode({"hops": [msgspec.structs.asdict(hop) for hop in hops]})


def trace_table(hops: Sequence[Hop]) -> Table:
    """Return one conversation as a tree: below each hop those that it caused."""
    began_ns = min(hop.sent_ns for hop in hops)
    numbers = "began", "waited", "took"
    table = lined("hop", "message", *numbers, numbers=numbers)
    paths = caused(hops)
    by_id = {str(hop.hop_id): hop for hop in hops}
    for branch, path in zip(branches(paths), paths, strict=True):
        hop_id = path.rpartition("/")[2]
        hop = by_id[hop_id]
        table.add_row(
            branch.removesuffix(hop_id) + plain(hop.actor),
            Text(plain(hop.message_type) + (" failed" if hop.failed else ""), "bold red" if hop.failed else ""),
            f"{(hop.begun_ns - began_ns) / 1e6:.3f} ms",
            f"{(hop.begun_ns - hop.sent_ns) / 1e3:.0f} us",
            f"{(hop.ended_ns - hop.begun_ns) / 1e3:.0f} us",
        )
    lasted_ms = (max(hop.ended_ns for hop in hops) - began_ns) / 1e6
    table.caption = f"{plain(hops[0].correlation_id)}: {len(hops)} hops in {lasted_ms:.3f} ms"
    table.caption_justify = "left"
    return table


def caused(hops: Iterable[Hop]) -> list[str]:
    """Return the path of each hop, the ids of the hops that led to it: parents first, siblings in order of time."""
    ordered = sorted(hops, key=lambda hop: (hop.begun_ns, hop.hop_id))
    below: dict[int, list[Hop]] = {}
    known = {hop.hop_id for hop in ordered}
    for hop in ordered:
        below.setdefault(hop.causation_id if hop.causation_id in known else 0, []).append(hop)
    paths: list[str] = []
    waiting = [(str(hop.hop_id), hop) for hop in reversed(below.get(0, []))]
    while waiting:
        path, hop = waiting.pop()
        paths.append(path)
        waiting.extend((f"{path}/{each.hop_id}", each) for each in reversed(below.get(hop.hop_id, [])))
    return paths


def conversations_table(hops: Sequence[Hop]) -> Table:
    """Return a table of the newest recorded conversations, a line each."""
    numbers = "hops", "lasted", "longest wait", "longest handling"
    table = lined("conversation", "began with", *numbers, numbers=numbers)
    conversations: dict[str, list[Hop]] = {}
    for hop in hops:
        conversations.setdefault(hop.correlation_id, []).append(hop)
    for correlation_id, members in list(conversations.items())[-CONVERSATIONS_MAX:]:
        first = min(members, key=lambda hop: hop.begun_ns)
        table.add_row(
            plain(correlation_id),
            plain(f"{first.message_type} to {first.actor}"),
            str(len(members)),
            f"{(max(hop.ended_ns for hop in members) - first.sent_ns) / 1e6:.3f} ms",
            f"{max(hop.begun_ns - hop.sent_ns for hop in members) / 1e3:.0f} us",
            f"{max(hop.ended_ns - hop.begun_ns for hop in members) / 1e3:.0f} us",
        )
    return table
