"""A checkpoint of the book: what the journal has built up to one record, so that a start reads only what is behind it.

It is made of records alone, by the code that a start reads them with, never of a book that has been traded on: what
that may have missed is found by the next start, and must not be kept. Open orders and all that the rules count are its
state; an order that has ended goes once, as bytes, behind those that had ended before.
"""

from __future__ import annotations

import functools
import sys
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec

from ....domain.accounts import Accounts, KeptAccounts
from .book import Book, KeptBook
from .ended import Ended
from .ledger import Ledger
from .reading import KeptReading, ReadBack
from .states import KeptStates, States

_SOURCES: Final = ("actors/orders/book", "domain", "messages")
"""The sources that build a book: any change of them makes another version."""


class CheckpointBrokenError(ValueError):
    """These bytes are no checkpoint of this version; the text says why."""


class _State(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    book: KeptBook
    states: KeptStates
    accounts: KeptAccounts
    reading: KeptReading
    ended: int
    """Orders that have ended."""


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_state = msgspec.msgpack.Decoder(_State)


@functools.cache
def version() -> str:
    """Return the version of checkpoints: a hash of the code that builds a book, and of the messages.

    Empty where the sources are not at hand: then no checkpoint is made or believed.
    """
    root, found = Path(__file__).parents[3], blake2b(sys.byteorder.encode(), digest_size=16)
    for source in _SOURCES:
        texts = sorted((root / source).rglob("*.py"))
        if not texts:
            return ""
        for each in texts:
            text = each.read_bytes()
            found.update(f"{each.relative_to(root)} {len(text)}\n".encode() + text)
    return found.hexdigest()


def made(ledger: Ledger, read_back: ReadBack) -> tuple[bytes, bytes]:
    """Return a checkpoint of what was read: the orders that ended since the one before, and the state.

    The ledger keeps those as bytes from now on.
    """
    ended = ledger.book.pack()
    state = _State(
        book=ledger.book.kept(),
        states=ledger.states.kept(),
        accounts=ledger.accounts.kept(),
        reading=read_back.kept(),
        ended=ledger.book.ended,
    )
    return ended, _encoder.encode(state)


def restored(ledger: Ledger, read_back: ReadBack, *, ended: bytes, state: bytes) -> None:
    """Restore a checkpoint into a ledger and a `ReadBack` that have read nothing.

    Args:
        ledger: empty.
        read_back: at the beginning.
        ended: all orders that have ended.
        state: of the newest checkpoint.

    Raises:
        CheckpointBrokenError: these bytes are no checkpoint; ledger and `ReadBack` are as before.
    """
    try:
        kept, orders = _state.decode(state), Ended(ended)
        if len(orders) != kept.ended:
            raise CheckpointBrokenError(f"{kept.ended} orders that have ended wanted, found {len(orders)}")
        book = Book.from_kept(kept.book, orders)
        states, accounts = States.from_kept(kept.states, kept.accounts[0]), Accounts.from_kept(kept.accounts)
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as fault:
        raise CheckpointBrokenError(f"{type(fault).__name__}: {fault}") from fault
    ledger.book, ledger.states, ledger.accounts = book, states, accounts
    read_back.go_on(kept.reading)
