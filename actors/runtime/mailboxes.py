"""What a mailbox is to its cell. The default is a bare deque."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .cell import Cell, Envelope


class Mailbox(Protocol):
    """A queue of envelopes: `append` from any thread, the rest from the cell's own."""

    def append(self, envelope: Envelope, /) -> object:
        """Take one, or refuse it by the mailbox's own policy."""
        ...

    def appendleft(self, envelope: Envelope, /) -> object:
        """Put one back."""
        ...

    def popleft(self) -> Envelope:
        """Give the oldest."""
        ...

    def __len__(self) -> int: ...


class MailboxKind(Protocol):
    """Makes the mailbox of one cell."""

    def make(self, cell: Cell) -> Mailbox:
        """Make an empty one."""
        ...
