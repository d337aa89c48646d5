"""A bracket: an entry whose fills are closed by a target or by a stop, whichever trades first (pure).

The entry is an order like any other. Its exits are two orders of their own, of which one cancels the other:

    target   a LIMIT at the target price, id of the entry + `T`
    stop     a STOP at the stop price, id of the entry + `S`

`next_steps` says what is to be done now, from nothing but the orders as their facts describe them. So it may be asked
again at any time, after a restart too: what was done already is not wanted again, and as each order's id is known
before, none is sent twice.

The problem is that two orders close one position. If both fill, the position is turned round. So each exit is for what
the other has left, and made smaller with each fill of the other before anything else; what trades within that flight
cannot be helped (an order of the broker's own, which links both, has no such gap). And the first exit that trades
ends the entry: what would still come in would have an exit that is gone.

A position must not stand without its stop because the stop was refused, or had traded before the last shares came in:
a target alone would guard these against a gain. The rest is closed by a MARKET order, id of the entry + `X`, once
nothing else can close it any more, nor add to it: there is one such order, so it has to be of the whole.
An exit that somebody cancelled is not put back: that was wanted.

What came in may be closed by others: the strategy itself, or a person who has its shares closed. An exit would then
open a position. None is placed or made greater beyond what the strategy holds, nor beyond what the account holds by
the broker's book, where that is another; and where the strategy holds nothing any more and the entry has ended, those
that there are are cancelled, and the bracket is done.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from ..messages.orders import CancelOrder, ModifyOrder, OrderRefused, OrderType, SubmitOrder
from .closing import TheirBook, closable
from .orders import Order

Leg: TypeAlias = Literal["target", "stop", "exit"]

SUFFIXES: Final[dict[Leg, str]] = {"target": "T", "stop": "S", "exit": "X"}
"""What the id of an exit has behind that of its entry; strategies end theirs with a digit or a lower-case letter."""

_TYPES: Final[dict[Leg, OrderType]] = {"target": "LIMIT", "stop": "STOP", "exit": "MARKET"}

ENDINGS: Final = frozenset(SUFFIXES.values())

_OTHER: Final = {SUFFIXES["target"]: SUFFIXES["stop"], SUFFIXES["stop"]: SUFFIXES["target"]}

GROWTHS_MAX: Final = 10
"""Times that an exit is made greater while its entry still fills; the rest follows when that has ended. A broker
allows so many changes of an order (Dhan: 25), and those that make it smaller must not lack."""

CHANGES_MAX: Final = 25
"""Changes of an exit, whatever for; one that can be changed no more is cancelled where it would be too great."""

AnyLeg: TypeAlias = Order | SubmitOrder | OrderRefused
"""An exit as it is in the book, on its way there, or refused by the risk gate."""

Step: TypeAlias = SubmitOrder | ModifyOrder | CancelOrder


class Bracket(msgspec.Struct, frozen=True, kw_only=True):
    """An entry, and what there is of its exits."""

    entry: Order
    target: AnyLeg | None = None
    stop: AnyLeg | None = None
    exit: AnyLeg | None = None
    held: int | None = None
    """Shares that the strategy holds of the symbol, as the entry bought or sold them; None: all that it has brought."""

    agreed: int | None = None
    """Shares of the symbol that the account holds so by both books, ours and the broker's; None: these agree."""

    @property
    def exposed(self) -> int:
        """Shares of the entry that nothing has closed."""
        if self.held == 0 and not self.entry.is_open:
            return 0
        return self.entry.filled - sum(_filled(leg) for leg in (self.target, self.stop, self.exit))

    @property
    def closable(self) -> int:
        """Those of them that an exit may close: the strategy holds as many, and so does the account by both books."""
        return min((self.exposed, *(each for each in (self.held, self.agreed) if each is not None)))


def held_as(entry: Order, shares: int) -> int:
    """Return how many of the signed shares held are as its entry bought or sold them."""
    return max(shares if entry.side == "BUY" else -shares, 0)


def agreed_as(entry: Order, theirs: TheirBook, ours: int) -> int | None:
    """Return how many shares the account holds so by both books; None: they agree.

    Args:
        entry: of the bracket.
        theirs: in what the broker's positions differ.
        ours: signed shares by our book.
    """
    views = theirs.held(entry.symbol, ours)
    return closable("SELL" if entry.side == "BUY" else "BUY", *views) if len(views) > 1 else None


def leg_id(entry_id: str, leg: Leg) -> str:
    """Return the client order id of an exit."""
    return entry_id + SUFFIXES[leg]


def entry_id(client_order_id: str) -> str:
    """Return the id of the entry that an order of this id would be an exit of; empty: of none."""
    return client_order_id[:-1] if client_order_id[-1:] in ENDINGS else ""


def other_exit_id(client_order_id: str) -> str:
    """Return the id of the exit that cancels this one and is cancelled by it, if it is one; else empty."""
    entry, other = client_order_id[:-1], _OTHER.get(client_order_id[-1:])
    return "" if other is None else entry + other


def next_steps(bracket: Bracket) -> tuple[Step, ...]:
    """Return what is to be sent now; the most urgent first."""
    entry, exits = bracket.entry, (bracket.target, bracket.stop)
    exited = any(_filled(leg) for leg in (*exits, bracket.exit))
    exposed, closable = bracket.exposed, bracket.closable
    steps: list[Step] = []
    must_leave = exposed > 0 and (bracket.exit is not None or _is_without_exit(bracket))
    if entry.is_open and (exited or must_leave):
        steps.append(_cancel(entry))
    if exposed <= 0:
        return (*steps, *(_cancel(leg) for leg in (*exits, bracket.exit) if leg is not None and _may_trade(leg)))
    if must_leave:
        trading = [leg for leg in exits if leg is not None and _may_trade(leg)]
        if bracket.exit is None and not trading and not entry.is_open and closable > 0:
            steps.append(_submit(entry, "exit", closable))
        return (*steps, *map(_cancel, trading))
    if entry.stop_loss_price is not None:
        steps += _exit(entry, "stop", bracket.stop, exposed, closable)
    if entry.target_price is not None:
        steps += _exit(entry, "target", bracket.target, exposed, closable)
    return tuple(steps)


def is_done(bracket: Bracket) -> bool:
    """Say whether nothing will have to be done any more, whatever comes but a late trade."""
    legs = [leg for leg in (bracket.target, bracket.stop, bracket.exit) if leg is not None]
    if bracket.entry.is_open or any(map(_may_trade, legs)):
        return False
    if not legs:
        return bracket.exposed <= 0  # else what is held lacks its exits
    return not next_steps(bracket)


def _filled(leg: AnyLeg | None) -> int:
    return leg.filled if isinstance(leg, Order) else 0


def _may_trade(leg: AnyLeg) -> bool:
    return leg.is_open if isinstance(leg, Order) else isinstance(leg, SubmitOrder)


def _is_without_exit(bracket: Bracket) -> bool:
    """Say whether what is held has no exit that it should have: the stop cannot guard it, or the target has traded."""
    stop, target = bracket.stop, bracket.target
    if isinstance(stop, OrderRefused) or (isinstance(stop, Order) and _guards_no_more(stop)):
        return True
    has_traded = isinstance(target, Order) and target.state == "FILLED"
    return has_traded and (stop is None or not _may_trade(stop))


def _guards_no_more(stop: Order) -> bool:
    """Say whether it has traded for less than came in since, was never in the market, or could be changed no more."""
    never = stop.state == "REJECTED" or stop.was_never_placed
    return never or stop.state == "FILLED" or (stop.state == "CANCELLED" and stop.modifications >= CHANGES_MAX)


def _exit(entry: Order, leg: Leg, known: AnyLeg | None, exposed: int, closable: int) -> tuple[Step, ...]:
    """Have an exit in the market that is as great as what is held needs, beside what it has closed itself."""
    if known is None:
        return (_submit(entry, leg, closable),) if closable else ()
    if not isinstance(known, Order) or not known.is_open or known.pending is not None or not known.broker_order_id:
        return ()
    wanted = known.filled + exposed
    if wanted > known.quantity:
        wanted = max(known.quantity, known.filled + closable)
    if known.quantity == wanted or (known.quantity < wanted and entry.is_open and known.modifications >= GROWTHS_MAX):
        return ()
    if known.modifications >= CHANGES_MAX:
        return (_cancel(known),) if known.quantity > wanted or leg == "stop" else ()
    return (ModifyOrder(client_order_id=known.client_order_id, quantity=wanted),)


def _cancel(order: Order | AnyLeg) -> CancelOrder:
    return CancelOrder(client_order_id=order.client_order_id)


def _submit(entry: Order, leg: Leg, quantity: int) -> SubmitOrder:
    return SubmitOrder(
        client_order_id=leg_id(entry.client_order_id, leg),
        strategy=entry.strategy,
        symbol=entry.symbol,
        side="SELL" if entry.side == "BUY" else "BUY",
        quantity=quantity,
        order_type=_TYPES[leg],
        limit_price=entry.target_price if leg == "target" else None,
        trigger_price=entry.stop_loss_price if leg == "stop" else None,
        product=entry.product,
    )
