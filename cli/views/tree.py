"""The supervision tree as a table for people and JSON for programs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from rich.text import Text

from ...domain.wording import counted
from ..terminal import plain, plain_lines
from .columns import lined

if TYPE_CHECKING:
    from rich.table import Table

    from ...messages.supervision import ChildStatus, SupervisionTree

STATE_STYLES: Final = {"RUNNING": "green", "UNAVAILABLE": "bold red", "PARKED": "bold red", "STOPPED": "dim"}
"""Colours by state; all others, which are transitions, are yellow."""


def tree_json(tree: SupervisionTree) -> bytes:
    """Return the tree as one line: `{"children": [{"path": …, "state": …}, …], "stalls": 0, "last_stall": ""}`."""
    children = [msgspec.structs.asdict(child) for child in tree.children]
    return msgspec.json.encode(msgspec.structs.asdict(tree) | {"children": children})


def tree_table(tree: SupervisionTree) -> Table:
    """Return the tree as a table, a line an actor, trouble before the last error; anything abnormal is coloured."""
    headings = "actor", "state", "host", "restarts", "breaker", "mailbox", "trouble, last error"
    table = lined(*headings, numbers=("restarts", "mailbox"))
    paths = [child.path for child in tree.children]
    for branch, child in zip(branches(paths), tree.children, strict=True):
        table.add_row(
            plain(branch),
            Text(plain(child.state), "yellow" if child.trouble else STATE_STYLES.get(child.state, "yellow")),
            plain(child.host),
            Text(str(child.restarts), "yellow" if child.restarts else "dim"),
            Text(plain(child.breaker), "dim" if child.breaker == "closed" else "bold red"),
            _mailbox(child),
            Text(plain_lines("\n".join(filter(None, (child.trouble, _failure(child))))), "red"),
        )
    if tree.stalls:
        times = counted(tree.stalls, "time")
        table.caption = Text(f"the event loop was held too long {times}, last by {plain(tree.last_stall)}", "yellow")
        table.caption_justify = "left"
    return table


def _mailbox(child: ChildStatus) -> Text:
    """Write what waits; of who was not given all, since it was behind or at a limit, what became of all it was sent."""
    left_out = ((child.conflated, "conflated"), (child.dropped, "dropped"))
    notes = [f"{count:,} {what}" for count, what in left_out if count]
    if not notes:
        return Text(str(child.mailbox_depth))
    return Text(", ".join((str(child.mailbox_depth), f"{child.handled:,} handled", *notes)), "yellow")


def _failure(child: ChildStatus) -> str:
    return f"{child.last_error} at {child.raised_at}" if child.raised_at else child.last_error


def branches(paths: list[str]) -> list[str]:
    """Return each path as a line of a drawn tree; the paths are in order, parents before their children."""
    parts = [path.split("/") for path in paths]
    top = min((len(each) for each in parts), default=0)
    lines = []
    for at, path in enumerate(parts):
        guides = "".join(
            _guide(has_next=_has_next_sibling(parts, at, depth), is_own=depth == len(path))
            for depth in range(top + 1, len(path) + 1)
        )
        lines.append(guides + path[-1])
    return lines


def _has_next_sibling(parts: list[list[str]], at: int, depth: int) -> bool:
    above, name = parts[at][: depth - 1], parts[at][depth - 1]
    return any(each[: depth - 1] == above and len(each) == depth and each[-1] != name for each in parts[at + 1 :])


def _guide(*, has_next: bool, is_own: bool) -> str:
    if is_own:
        return "├── " if has_next else "└── "
    return "│   " if has_next else "    "
