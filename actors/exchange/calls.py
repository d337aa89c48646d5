"""What is asked of the actor that serves an account."""

from __future__ import annotations

from typing import Any

import msgspec

from ...messages.exchange import Instrument
from ...messages.instruments import InstrumentDefinition
from .account.refusals import RefusalKind


class Call(msgspec.Struct, frozen=True, gc=False):
    """To the exchange: call a method of its account. Answered by `Answered` or `CallRefused`.

    The answer comes when every change that it may tell of is durable.
    """

    verb: str
    """A name of `VERBS` or `VIEWS`."""

    arguments: tuple[Any, ...] = ()


class Answered(msgspec.Struct, frozen=True):
    """Answer to `Call`: what the method returned."""

    value: Any


class CallRefused(msgspec.Struct, frozen=True, gc=False):
    """Answer to `Call`: the account refused; nothing has changed."""

    kind: RefusalKind
    text: str
    unlisted: Instrument | None = None
    """Segment and security id of an instrument that is not listed: the only reason of the refusal."""


class AddListings(msgspec.Struct, frozen=True):
    """To the exchange: these may be traded, too. It remembers them."""

    definitions: tuple[InstrumentDefinition, ...]


VERBS = frozenset(
    {
        *("place", "place_sliced", "modify", "cancel", "place_super", "modify_super", "cancel_super"),
        *("place_forever", "modify_forever", "cancel_forever"),
        *("place_conditional", "modify_conditional", "cancel_conditional"),
        *("exit_all", "convert_position", "set_kill_switch", "set_pnl_exit", "cancel_pnl_exit", "add_funds"),
    }
)
"""They return an `Outcome`."""

VIEWS = frozenset(
    {
        *("orders", "order", "by_correlation", "trades", "past_trades", "positions", "holdings", "funds", "margin_of"),
        *("margin_together", "ledger", "super_orders", "forever_orders", "alerts", "switches", "last_price", "listed"),
    }
)
