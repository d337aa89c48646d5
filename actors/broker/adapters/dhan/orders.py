"""Orders: placed once, changed, cancelled, looked up; and their trades.

An order leaves at most once for its client order id. An order in doubt is looked up in everything that Dhan has of the
day, and counts as absent only after a time in which a late request must have arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import date
from typing import Any, Final

import msgspec

from .....domain.dhan.account.statements import PastTradeRow
from .....domain.dhan.decoding import row_reader, rows_reader
from .....domain.dhan.trading.orders import OrderAck, OrderRow, TradeRow
from .....domain.dhan.writing import InvalidRequestError, body_of
from .....domain.instruments import Instrument
from .....domain.time import SECOND_NS
from .....messages.broker import FindOrder, OrderFound, OrderNotFound
from ....external import Call, Conversation, ExternalServiceResult, PendingResult
from ...bodies.dhan import endpoints
from ...bodies.dhan.endpoints import Route
from ...bodies.dhan.flows import Flow, Question, find, read_day
from ...bodies.dhan.progress import Watched
from ...bodies.dhan.replies import Reply, reply_of
from ..once import Once
from ..orders import OrderRequest
from ..results import WriteAccepted, WriteNotSent, WriteRefused, WriteResult, WriteUnknown, fields_of, not_sent
from .calls import PLACE_WAIT_S, DhanCalls
from .reading import one_or_none
from .symbols import NameUnknownError
from .translating import AnyOrder, fault_of, modifying, placing

ABSENCE_HORIZON_S: Final = 120.0
"""Seconds after it was posted from which an order in doubt that Dhan does not have counts as never placed."""

PAGES_MAX: Final = 1_000


class Orders(DhanCalls):
    """Plain orders."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Take the arguments of `DhanCalls`."""
        super().__init__(*arguments, **named)
        self._once: Final = Once()
        self._began_ns: tuple[int, int] | None = None
        """When an order of another process was first asked for: nanoseconds of the wall clock, and of the monotonic
        one."""

    def place_order(self, order: OrderRequest) -> PendingResult:
        """Place the order, once, however often and from however many threads this is called with it.

        Of an order that is accepted, `data` is an `OrderAck` with its number. Stop orders leave as STOP_LOSS with a
        limit. A repeat gets the first answer; it sends the order only if that never left.
        """
        return self._place(order, endpoints.PLACE_ORDER, placing, row_reader(OrderAck))

    def place_sliced(self, order: OrderRequest) -> PendingResult:
        """Place an order above the freeze quantity, which Dhan divides; `data` has an `OrderAck` for each part."""
        return self._place(order, endpoints.PLACE_SLICES, placing, rows_reader(OrderAck), is_sliced=True)

    def modify_order(self, order_id: str, order: OrderRequest) -> PendingResult:
        """Change an open order to all that `order` says; the quantity is the whole one, not what is open.

        Dhan takes 25 changes of one order; one more is not sent.
        """
        if isinstance(checked := self._checked(order), str):
            return self._known(not_sent(checked))
        request = modifying(order_id, order, checked, self.client_id)
        names = {"order_id": order_id}
        return self._write(endpoints.MODIFY_ORDER, row_reader(OrderAck), names, request=request, key=order_id)

    def cancel_order(self, order_id: str) -> PendingResult:
        """Cancel what is open of an order; it overtakes other requests."""
        return self._write(endpoints.CANCEL_ORDER, row_reader(OrderAck), {"order_id": order_id})

    def get_orders(self) -> PendingResult:
        """Read the orders of the day: a tuple of `OrderRow`."""
        return self._read(endpoints.ORDER_BOOK, rows_reader(OrderRow))

    def get_order(self, order_id: str) -> PendingResult:
        """Read one order, an `OrderRow`; success without data: there is none of this number."""
        return self._read(endpoints.ORDER, one_or_none(OrderRow), {"order_id": order_id})

    def get_order_by_client_id(self, client_order_id: str) -> PendingResult:
        """Read one order by its client order id. "Not found" proves nothing: see `resolve`."""
        names = {"correlation_id": client_order_id}
        return self._read(endpoints.ORDER_BY_CORRELATION, one_or_none(OrderRow), names)

    def get_trades(self, order_id: str = "") -> PendingResult:
        """Read the trades of the day, or those of one order: a tuple of `TradeRow`."""
        if not order_id:
            return self._read(endpoints.TRADE_BOOK, rows_reader(TradeRow))
        return self._read(endpoints.TRADES_OF_ORDER, rows_reader(TradeRow), {"order_id": order_id})

    def get_trade_history(self, since: date, until: date) -> PendingResult:
        """Read the trades of past days, both ends included, all pages of them: a tuple of `PastTradeRow`."""
        return self.converse(self._history(since, until))

    def resolve(self, order: AnyOrder) -> PendingResult:
        """Look up what became of an order: `OrderFound` with its trades, or `OrderNotFound`.

        Nothing is sent again. A look-up that failed, or that cannot know yet, is no success, and proves nothing.
        """
        instrument = self._named(order)
        if isinstance(instrument, str):
            return self._known(ExternalServiceResult(success=False, error=instrument))
        return self.converse(self._resolving(order, instrument))

    # For the groups that place other kinds of orders.

    def _place(
        self,
        order: Any,
        route: Route,
        make: Callable[[Any, Instrument, str], msgspec.Struct],
        read: Callable[[bytes], Any],
        *,
        is_sliced: bool = False,
    ) -> PendingResult:
        """Check, and post at most once."""
        instrument = self._checked(order, is_sliced=is_sliced)
        if isinstance(instrument, str):
            return self._known(not_sent(instrument))
        try:
            body = body_of(make(order, instrument, self.client_id))
        except InvalidRequestError as fault:
            return self._known(not_sent(str(fault)))
        return self._post_once(order.client_order_id, route, body, read, urgent=order.reduces)

    def _post_once(
        self, client_order_id: str, route: Route, body: bytes, read: Callable[[bytes], Any], *, urgent: bool = False
    ) -> PendingResult:
        clock = self._clock()  # raises if the adapter is closed, before anything is remembered
        begun = self._once.begin(
            client_order_id, (route.path, body), now_ns=clock.now_ns(), monotonic_ns=clock.monotonic_ns()
        )
        if isinstance(begun, str):
            return self._known(not_sent(begun))
        posted, is_first = begun
        if not is_first:
            return PendingResult(posted.future)
        call = self._call(route, read, body=body, urgent=urgent, deadline_s=PLACE_WAIT_S)
        try:
            return self.converse(self._posting(client_order_id, call), posted.future)
        except ValueError as closed:  # another thread has closed it in this moment: nothing has left
            self._once.forget(client_order_id)
            posted.future.set_exception(closed)
            raise

    def _posting(self, client_order_id: str, call: Call) -> Conversation:
        outcome = _as_acknowledged(self._outcome((yield call)))
        if isinstance(outcome, WriteNotSent):
            self._once.forget(client_order_id)
        return outcome

    def _named(self, order: AnyOrder) -> Instrument | str:
        try:
            return self._symbols.find(order.symbol)
        except NameUnknownError as fault:
            return str(fault)

    def _checked(self, order: Any, *, is_sliced: bool = False) -> Instrument | str:
        """Find the instrument of an order, or say why the order may not leave."""
        instrument = self._named(order)
        if isinstance(instrument, str):
            return instrument
        return fault_of(order, instrument, self._today(), is_sliced=is_sliced) or instrument

    # Conversations.

    def _history(self, since: date, until: date) -> Conversation:
        rows: list[PastTradeRow] = []
        page_before: tuple[PastTradeRow, ...] = ()
        for page in range(PAGES_MAX):
            names = {"from_date": since.isoformat(), "to_date": until.isoformat(), "page": str(page)}
            result = self._told((yield self._call(endpoints.TRADE_HISTORY, rows_reader(PastTradeRow), names)))
            if not result.data:
                return msgspec.structs.replace(result, data=tuple(rows)) if result.success else result
            if result.data == page_before:
                error = f"page {page} of the trades wanted, found page {page - 1} again"
                return msgspec.structs.replace(result, success=False, data=None, error=error)
            page_before = result.data
            rows += page_before
        error = f"at most {PAGES_MAX} pages of trades wanted, found more"
        return msgspec.structs.replace(result, success=False, data=None, error=error)

    def _resolving(self, order: AnyOrder, instrument: Instrument) -> Conversation:
        clock, posted = self._clock(), self._once.find(order.client_order_id)
        now_ns, monotonic_ns = clock.now_ns(), clock.monotonic_ns()
        if self._began_ns is None:
            self._began_ns = now_ns, monotonic_ns
        posted_ns, left_ns = self._began_ns
        if posted is not None:
            posted_ns, left_ns = posted.posted_ns, posted.posted_monotonic_ns
        request = FindOrder(
            client_order_id=order.client_order_id,
            symbol=instrument.symbol,
            side=order.side,
            quantity=order.quantity,
            intended_ns=posted_ns,
        )
        watched = Watched(
            client_order_id=order.client_order_id,
            symbol=instrument.symbol,
            side=order.side,
            instrument=(instrument.segment, instrument.security_id),
        )
        found = yield from self._flowing(find(request, watched, now_ns))
        match found.answer:
            case OrderFound():
                self._remember(order.client_order_id, found.row)
                return ExternalServiceResult(success=True, data=found.answer, sent="yes")
            case OrderNotFound():
                left_s = ABSENCE_HORIZON_S - (monotonic_ns - left_ns) / SECOND_NS
                if left_s > 0:
                    error = f"Dhan does not have it; it may still arrive, ask again in {left_s:.0f} s"
                    return ExternalServiceResult(success=False, error=error, sent="yes", retry_after_s=left_s)
                return ExternalServiceResult(success=True, data=found.answer, sent="yes")
            case _:
                error = self._without_token(found.answer.reason)
                return ExternalServiceResult(success=False, error=error, sent="yes")

    def _remember(self, client_order_id: str, row: OrderRow | None) -> None:
        """Remember that the order is at the broker, for who places it again."""
        posted = self._once.find(client_order_id)
        if posted is None or row is None or not posted.future.done() or posted.future.exception() is not None:
            return
        earlier = posted.future.result()
        if isinstance(earlier, WriteUnknown):
            ack = OrderAck(order_id=row.order_id, order_status=row.order_status)
            fields = fields_of(earlier) | {"success": True, "data": ack, "error": None, "sent": "yes"}
            self._once.settle(client_order_id, WriteAccepted(**fields))

    def _flowing(self, flow: Flow[Any]) -> Generator[Call, ExternalServiceResult, Any]:
        """Run a flow of the broker session's look-ups."""
        told: Any = None
        while True:
            try:
                wish = flow.send(told)
            except StopIteration as end:
                return end.value
            if isinstance(wish, Question):
                told = yield from self._asking(wish)
            else:
                told = yield from self._flowing(read_day())

    def _asking(self, question: Question) -> Generator[Call, ExternalServiceResult, Reply]:
        call = self._call(question.route, None, question.names)
        return reply_of((yield call), question.read)


def _as_acknowledged(outcome: WriteResult) -> WriteResult:
    """Turn an acknowledgement that says REJECTED into a refusal."""
    ack = outcome.data
    if isinstance(ack, OrderAck) and ack.order_status == "REJECTED":
        fields = fields_of(outcome) | {"success": False, "error": f"the order {ack.order_id} was rejected"}
        return WriteRefused(**fields, text=ack.order_status, meaning="order")
    return outcome
