"""Changing an order at Dhan: requested once, and done only when a look-up shows the changed order.

The answer to the request says that it was taken, not that the exchange has done it. So the order is read afterwards;
where that does not show the change yet, the change is in doubt, and look-ups settle it.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Final

from .....domain.dhan.tolerant import read
from .....domain.dhan.trading.orders import OrderAck
from .....domain.dhan.writing import InvalidRequestError, body_of
from .....messages.broker import OrderNotReplaced, OrderReplaced, ReplaceInDoubt
from .endpoints import MODIFY_ORDER, ORDER
from .reading import row_of
from .requests import fault_of, to_modify

if TYPE_CHECKING:
    from .....domain.dhan.trading.orders import ModifyOrderRequest, OrderRow
    from .....domain.instruments import Instrument
    from .....messages.broker import ReplaceOrder
    from ...body import BrokerSession
    from .listings import Listings
    from .replies import Reply
    from .talk import Talk

CHANGE_WAIT_S: Final = 2.0
"""Seconds that a change may wait for the rate limits before it is given up unsent: prices move."""

SAME_RUPEES: Final = 1e-6


class Changing:
    """The changes that are under way."""

    def __init__(
        self, session: BrokerSession, talk: Talk, listings: Listings, *, client_id: str, stop_offset_percent: float
    ) -> None:
        """Begin none."""
        self._session: Final = session
        self._talk: Final = talk
        self._listings: Final = listings
        self._client_id: Final = client_id
        self._stop_offset_percent: Final = stop_offset_percent

    def change(self, change: ReplaceOrder) -> None:
        """Request the change, once."""
        self._listings.find(change.symbol, functools.partial(self._put, change))

    def _put(self, change: ReplaceOrder, instrument: Instrument | str) -> None:
        if isinstance(instrument, str):
            self._refuse(change, instrument)
            return
        if fault := fault_of(change, instrument, self._session.clock.now_ns()):
            self._refuse(change, fault)
            return
        request = to_modify(
            change, instrument, client_id=self._client_id, stop_offset_percent=self._stop_offset_percent
        )
        try:
            body = body_of(request)
        except InvalidRequestError as fault:
            self._refuse(change, str(fault))
            return
        self._session.changed(change.client_order_id, request.order_id)
        self._talk.ask(
            MODIFY_ORDER,
            lambda data: read(OrderAck, data),
            functools.partial(self._take_answer, change, request),
            {"order_id": change.broker_order_id},
            deadline_s=CHANGE_WAIT_S,
            body=body,
            urgent=change.reduces,
        )

    def _take_answer(self, change: ReplaceOrder, request: ModifyOrderRequest, reply: Reply) -> None:
        if reply.outcome in {"refused", "not_sent"}:
            self._refuse(change, reply.reason)
        elif reply.outcome == "unknown":
            self._doubt(change, reply.reason)
        else:
            number = change.broker_order_id
            then = functools.partial(self._take_row, change, request)
            self._talk.ask(ORDER, row_of(number), then, {"order_id": number})

    def _take_row(self, change: ReplaceOrder, request: ModifyOrderRequest, reply: Reply) -> None:
        if reply.value is None:
            self._doubt(change, f"taken, and the order could not be read: {reply.reason}")
        elif _is_shown(request, reply.value):
            self._session.report(OrderReplaced(client_order_id=change.client_order_id, number=change.number))
        else:
            self._doubt(change, "taken, and not shown yet")

    def _refuse(self, change: ReplaceOrder, reason: str) -> None:
        answer = OrderNotReplaced(client_order_id=change.client_order_id, number=change.number, reason=reason)
        self._session.report(answer)

    def _doubt(self, change: ReplaceOrder, reason: str) -> None:
        answer = ReplaceInDoubt(client_order_id=change.client_order_id, number=change.number, reason=reason)
        self._session.report(answer)


def _is_shown(request: ModifyOrderRequest, row: OrderRow) -> bool:
    """Say whether an order is as the change wanted it."""
    return (
        row.quantity == request.quantity
        and math.isclose(row.price, request.price, rel_tol=0, abs_tol=SAME_RUPEES)
        and math.isclose(row.trigger_price, request.trigger_price, rel_tol=0, abs_tol=SAME_RUPEES)
    )
