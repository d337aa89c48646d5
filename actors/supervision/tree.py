"""The supervision tree as it stands: the state of a supervisor's children, joined with the trees below them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from ...messages.supervision import ChildStatus, SupervisionTree

if TYPE_CHECKING:
    from ..runtime import ActorAddress, MailboxCounters
    from .child import Child
    from .deadline import Deadline


def branch(
    supervisor: str, nodes: Iterable[ChildStatus], below: Mapping[str, tuple[ChildStatus, ...]]
) -> SupervisionTree:
    """Join a supervisor's children with what is below them: parents before their children, in start order.

    `nodes` have the path `supervisor/child`; those in `below`, by name of the child, begin with the child's name.
    """
    children: list[ChildStatus] = []
    for node in nodes:
        children.append(node)
        children.extend(under(supervisor, each) for each in below.get(node.path.rpartition("/")[2], ()))
    return SupervisionTree(children=tuple(children))


def under(supervisor: str, node: ChildStatus) -> ChildStatus:
    """Return a node with its supervisor's name before its path."""
    return msgspec.structs.replace(node, path=f"{supervisor}/{node.path}")


def status(
    supervisor: str, child: Child, *, breaker: str, mailbox: MailboxCounters | None, trouble: str
) -> ChildStatus:
    """Return the status of one child; one that was never started has no mailbox."""
    return ChildStatus(
        path=f"{supervisor}/{child.spec.name}",
        state=child.state,
        host=child.spec.runs_on,
        restarts=child.restarts,
        breaker=breaker,
        mailbox_depth=0 if mailbox is None else mailbox.depth,
        last_error=child.last_error,
        trouble=trouble or (f"parked: {child.parked}" if child.parked else ""),
        raised_at=child.raised_at,
        last_traceback=child.last_traceback,
        conflated=0 if mailbox is None else mailbox.conflated,
        dropped=0 if mailbox is None else mailbox.dropped,
        handled=0 if mailbox is None else mailbox.handled,
        failures=0 if mailbox is None else mailbox.failures,
    )


class Inquiry:
    """A pending `DescribeTree`: its requesters, and the children whose answers are awaited. Later requests join it."""

    def __init__(self, asker: ActorAddress, awaited: Iterable[str]) -> None:
        self.askers = [asker]
        self.awaited = set(awaited)
        self.below: dict[str, tuple[ChildStatus, ...]] = {}
        self.deadline: Deadline | None = None

    def end(self) -> None:
        """Cancel its deadline."""
        if self.deadline is not None:
            self.deadline.cancel()

    def answered(self, name: str, tree: SupervisionTree) -> None:
        """Take the answer of a child supervisor."""
        self.awaited.discard(name)
        self.below[name] = tree.children
