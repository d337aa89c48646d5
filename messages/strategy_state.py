"""What a strategy has orders keep for it: its state, from one life to the next.

It goes by way of orders, so that no order leaves before the state that knows of it.
"""

from typing import Annotated, Final

import msgspec

from .orders import SubmitOrder
from .units import Count, Cursor, Nanoseconds, SomeCount

STATE_BYTES_MAX: Final = 65_536
"""Bytes of one strategy's state."""

SUBMITTED_MAX: Final = 1_000
"""Orders that one state names."""


class SaveState(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="SaveState"):
    """From a strategy to orders: keep this.

    Answered only by `StateRefused`: what is not durable yet is kept until it is.
    """

    strategy: str

    number: SomeCount
    """Of this strategy's states in the account; a greater one is newer."""

    covers: Cursor
    """Sequence in the journal: the facts of this strategy's orders up to it are in the state, later ones are not."""

    state: Annotated[bytes, msgspec.Meta(max_length=STATE_BYTES_MAX)]
    """Its fields by name: a map of msgpack."""

    submitted: Annotated[tuple[SubmitOrder, ...], msgspec.Meta(max_length=SUBMITTED_MAX)] = ()
    """Orders that it submits right behind this."""

    life: Count = 0
    """As in the `StateRead` that it began with: only the newest life may save."""


class StrategyStateSaved(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="StrategyStateSaved"
):
    """Fact: the state of a strategy. In each account the one of the greatest number counts."""

    strategy: str

    number: SomeCount
    """Of this strategy's states in the account; a greater one is newer."""

    covers: Cursor
    """Sequence in the journal: the facts of this strategy's orders up to it are in the state, later ones are not."""

    state: Annotated[bytes, msgspec.Meta(max_length=STATE_BYTES_MAX)]
    """Its fields by name: a map of msgpack."""

    submitted: Annotated[tuple[SubmitOrder, ...], msgspec.Meta(max_length=SUBMITTED_MAX)]
    """Orders that it submitted right behind this."""

    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


class ReadState(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReadState"):
    """From a strategy that starts, to orders: what is my state? Answered by `StateRead`, when the book is read."""

    strategy: str

    only_looks: bool = False
    """The sender is no life of the strategy, and does not replace the present one."""


class StateRead(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="StateRead"):
    """Answer to `ReadState`: the newest state, be it durable or on its way."""

    strategy: str
    sequence: Cursor
    """Of the newest record that orders knows of."""

    life: Count = 0
    """Number of this life of the strategy, given only once in a run."""

    saved: SaveState | None = None
    """None: it never saved any in the account."""

    unsent: tuple[SubmitOrder, ...] = ()
    """Of the orders that the state names, those that never came to orders: nothing was sent of them."""


class StateRefused(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="StateRefused"):
    """From orders to a strategy, once: another life of it has read the state meanwhile, so it has to read it anew."""

    strategy: str
    number: SomeCount
    """Of the state that was refused."""
