"""The body that trades at Dhan, or at an exchange that speaks as Dhan does.

What it does at the broker are flows (`flows.py`, `looks.py`); what is left here is who waits for what. An order is
posted once, by `place` alone. Orders that are open, or in doubt, are looked at until they have ended (`watching.py`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

import msgspec
from msgspec import Meta

from .....config.sections.broker import BrokerSettings
from .....domain.dhan.tolerant import read
from .....domain.dhan.trading.control import KillSwitch, KillSwitchRow
from .....domain.dhan.trading.orders import OrderAck
from .....domain.dhan.writing import InvalidRequestError, body_of
from .....domain.instruments import Instrument
from .....messages.addresses import BROKER_SERVICE, INSTRUMENTS
from .....messages.broker import (
    ExecutionReport,
    FindOrder,
    OrderFound,
    OrderInDoubt,
    OrderNotPlaced,
    OrderUpdated,
    PlaceOrder,
    ReplaceOrder,
    UpdatesConnected,
    UpdatesLost,
    WithdrawOrder,
)
from .....messages.kill_switch import LossExitSet, SetLossExit
from .....messages.orders import Product
from .....messages.reconciliation import ReadAccountBook
from ....external import CountBefore
from ...body import AccountAnswer, BrokerSession
from .account import AccountReading
from .changing import Changing
from .endpoints import KILL_SWITCH, LIVE_URL, PLACE_ORDER, PROFILE, SET_KILL_SWITCH, base_url_of
from .flows import Found, cancel, find
from .listings import Listings
from .loss_exit import set_loss_exit
from .progress import Watched, take
from .requests import refusal_of, to_place
from .service import service_of, updates_of, updates_url_of, updates_url_problem
from .talk import Talk
from .tokens import DhanTokens
from .watching import Watching, tell_placed

if TYPE_CHECKING:
    from ....external import ExternalSettings
    from ...access_token import AccessToken
    from ...updates import UpdatesSettings
    from .replies import Reply

ACTIVATE: Final[KillSwitch] = "ACTIVATE"

PLACE_WAIT_S: Final = 2.0
"""Seconds that an order may wait for the rate limits before it is given up unsent: prices move."""


class DhanOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of Dhan's body alone (`broker.options`)."""

    product: Product = "INTRADAY"
    """Of orders that say none. INTRADAY: closed by the broker at the end of the day; CNC: delivery; MARGIN: carried
    futures and options."""

    stop_limit_offset_percent: Annotated[float, Meta(gt=0, le=20)] = 1.0
    """How far beyond its trigger a STOP has its limit, since Dhan takes no stop without a limit: after a wider gap it
    rests at its limit, unfilled."""

    order_updates: str = ""
    """URL of the socket of order updates. Empty: Dhan's, and none with a `base_url`; `none`: looks alone show fills."""

    def problem(self) -> str:
        """Say what is wrong with them; empty: nothing."""
        problem = updates_url_problem(self.order_updates)
        return f"order_updates: {problem}" if problem else ""


class Handover(msgspec.Struct, frozen=True):
    """What is handed over to the next body."""

    orders: tuple[Watched, ...]
    cancelling: tuple[Watched, ...]


class DhanBroker:
    """Places, cancels, looks up and watches orders at Dhan."""

    OPTIONS: ClassVar[type[msgspec.Struct]] = DhanOptions
    IS_PAPER: ClassVar[bool] = False

    INSTRUMENTS_OWNER: ClassVar[str] = INSTRUMENTS
    """Name of the actor that knows the exchange's numbers of instruments."""

    @classmethod
    def service(cls, settings: BrokerSettings, options: DhanOptions, token: AccessToken) -> ExternalSettings:
        """Return what the owner of the calls to Dhan is told."""
        del options
        return service_of(settings, token)

    @classmethod
    def updates(cls, settings: BrokerSettings, options: DhanOptions, token: AccessToken) -> UpdatesSettings | None:
        """Return what the owner of the socket of order updates is told; None: the settings want none."""
        url = updates_url_of(settings, options.order_updates)
        return None if url is None else updates_of(settings, token, url)

    @classmethod
    def token_source(cls, settings: BrokerSettings, now_ns: Callable[[], int]) -> DhanTokens:
        """Return where access tokens come from."""
        return DhanTokens(settings, now_ns)

    def __init__(self, settings: BrokerSettings, options: DhanOptions, session: BrokerSession) -> None:
        """Keep them; nothing is sent yet."""
        self._settings: Final = settings
        self._options: Final = options
        self._session: Final = session
        self._talk: Final = Talk(session, self._base_url())
        self._listings: Final = Listings(session, self.INSTRUMENTS_OWNER)
        self._changing: Final = Changing(
            session,
            self._talk,
            self._listings,
            client_id=settings.client_id,
            stop_offset_percent=options.stop_limit_offset_percent,
        )
        self._watching: Final = Watching(session, self._talk)
        self._placing: dict[str, Watched] = {}
        self._cancelling: dict[str, Watched] = {}
        self._cancel_when_placed: set[str] = set()
        self._updated_in_placing: set[str] = set()
        """Ids of orders that an update told of before the answer to their placement."""

    def _base_url(self) -> str | None:
        """Return the base URL of Dhan; None: it is found out later."""
        return base_url_of(self._settings.base_url or LIVE_URL)

    def open(self) -> None:
        """Do nothing: a connection is opened with the first call."""

    def rest(self) -> None:
        """Stop looking at the orders: the next session does."""
        self._watching.rest()

    def close(self) -> None:
        """Do nothing: the connections are another actor's."""

    def snapshot(self) -> Handover:
        """Hand over the orders that are open or in doubt, and the cancellations under way."""
        return Handover((*self._watching.orders.values(), *self._placing.values()), tuple(self._cancelling.values()))

    def restore(self, state: Handover) -> None:
        """Watch them, and cancel again, which does nothing twice; no order is sent again."""
        self._watching.watch(*state.orders)
        for order in state.cancelling:
            self._cancel(order)
        self._watching.look_soon()

    def count(self, times_ns: tuple[int, ...]) -> None:
        """Have the owner of the calls count them: Dhan's limits of a day do not begin anew with our process."""
        self._session.send(BROKER_SERVICE, CountBefore(PLACE_ORDER.endpoint.kind, times_ns))

    def hear(self, message: Any) -> None:
        """Take order updates; the answers to this body's questions come to those who asked."""
        match message:
            case OrderUpdated():
                self._take_update(message)
            case UpdatesConnected():
                self._watching.connect()
            case UpdatesLost():
                self._watching.lose()
                if message.is_login_in_doubt:
                    # No proof that the token is dead, and calling a good one so would stop all orders: an answer over
                    # HTTP is one.
                    self._talk.ask(PROFILE, lambda _: None, lambda _: None)

    # Placing.

    def place(self, order: PlaceOrder) -> None:
        """Post the order, once."""
        watched = Watched(client_order_id=order.client_order_id, symbol=order.symbol, side=order.side, instrument=None)
        self._placing[order.client_order_id] = watched
        self._listings.find(order.symbol, functools.partial(self._post, order, watched))

    def _post(self, order: PlaceOrder, watched: Watched, instrument: Instrument | str) -> None:
        if isinstance(instrument, str):
            self._not_placed(order.client_order_id, instrument)
            return
        watched.instrument = instrument.segment, instrument.security_id
        refusal = refusal_of(order, instrument, self._session.clock.now_ns())
        if refusal:
            self._not_placed(order.client_order_id, refusal)
            return
        request = to_place(
            order,
            instrument,
            client_id=self._settings.client_id,
            product=self._options.product,
            stop_offset_percent=self._options.stop_limit_offset_percent,
        )
        try:
            body = body_of(request)
        except InvalidRequestError as fault:
            self._not_placed(order.client_order_id, str(fault))
            return
        self._session.left(request.correlation_id)
        self._talk.ask(
            PLACE_ORDER,
            lambda data: read(OrderAck, data),
            functools.partial(self._take_placing, watched),
            deadline_s=PLACE_WAIT_S,
            body=body,
            urgent=order.reduces,
            in_halt=order.flattens,
        )

    def _take_placing(self, watched: Watched, reply: Reply) -> None:
        client_order_id = watched.client_order_id
        if reply.outcome in {"refused", "not_sent"}:
            self._not_placed(client_order_id, reply.reason)
            return
        del self._placing[client_order_id]
        was_updated = client_order_id in self._updated_in_placing
        self._updated_in_placing.discard(client_order_id)
        watched = self._watching.orders.setdefault(client_order_id, watched)  # a look-up may have found it meanwhile
        if reply.outcome == "told":
            watched.broker_order_id = reply.value.order_id
            tell_placed(self._session, watched)
        else:
            self._session.report(OrderInDoubt(client_order_id=client_order_id, reason=reply.reason))
        if client_order_id in self._cancel_when_placed:
            self._cancel_when_placed.discard(client_order_id)
            self._cancel(watched)
        self._watching.look_soon()
        if was_updated:
            self._watching.suspect(watched)

    def _not_placed(self, client_order_id: str, reason: str) -> None:
        del self._placing[client_order_id]
        self._updated_in_placing.discard(client_order_id)
        self._session.report(OrderNotPlaced(client_order_id=client_order_id, reason=reason))
        if client_order_id in self._cancel_when_placed:
            self._cancel_when_placed.discard(client_order_id)
            self._refuse_cancel(client_order_id, "", f"it was not placed: {reason}")

    def replace(self, request: ReplaceOrder) -> None:
        """Change the order, once."""
        self._changing.change(request)

    # Cancelling.

    def withdraw(self, request: WithdrawOrder) -> None:
        """Cancel the open quantity, as soon as the order is placed; requests meanwhile are the same one."""
        client_order_id = request.client_order_id
        if client_order_id in self._placing:
            self._cancel_when_placed.add(client_order_id)
        elif client_order_id not in self._cancelling:
            watched = self._watching.orders.get(client_order_id) or Watched(
                client_order_id=client_order_id, symbol="", side=None, instrument=None
            )
            watched.broker_order_id = watched.broker_order_id or request.broker_order_id
            self._cancel(watched)

    def _cancel(self, watched: Watched) -> None:
        self._cancelling[watched.client_order_id] = watched
        self._talk.run(cancel(watched), functools.partial(self._take_cancelling, watched))

    def _take_cancelling(self, watched: Watched, refusal: str) -> None:
        client_order_id = watched.client_order_id
        del self._cancelling[client_order_id]
        if refusal:
            self._refuse_cancel(client_order_id, watched.broker_order_id, refusal)
        else:
            self._watching.orders.setdefault(client_order_id, watched)
        self._watching.look_soon()

    def _refuse_cancel(self, client_order_id: str, number: str, reason: str) -> None:
        report = ExecutionReport(
            client_order_id=client_order_id,
            broker_order_id=number,
            execution_type="CANCEL_REJECTED",
            execution_id="",
            occurred_ns=self._session.clock.now_ns(),
            reason=reason,
        )
        self._session.report(report)

    # Looking up.

    def find(self, request: FindOrder) -> None:
        """Look the order up, whatever is known of it here."""
        watched = self._watching.orders.get(request.client_order_id) or Watched(
            client_order_id=request.client_order_id,
            symbol=request.symbol,
            side=request.side,
            instrument=None,
            broker_order_id=request.broker_order_id,
        )
        if request.symbol and watched.instrument is None:
            watched.symbol = request.symbol
            self._listings.find(request.symbol, functools.partial(self._find, request, watched))
        else:
            self._run_find(request, watched)

    def _find(self, request: FindOrder, watched: Watched, instrument: Instrument | str) -> None:
        if isinstance(instrument, Instrument):
            watched.instrument = instrument.segment, instrument.security_id
        self._run_find(request, watched)

    def _run_find(self, request: FindOrder, watched: Watched) -> None:
        flow = find(request, watched, self._session.clock.now_ns())
        self._talk.run(flow, functools.partial(self._take_found, watched))

    def _take_found(self, watched: Watched, found: Found) -> None:
        client_order_id = watched.client_order_id
        if found.row is not None and not watched.broker_order_id:
            watched.broker_order_id = found.row.order_id
            if isinstance(found.answer, OrderFound) and found.answer.symbol in {"", watched.symbol}:
                # First that the broker has it: told only that it was rejected, orders takes it for one that never was
                # there, and whatever is heard of it later for an alarm.
                tell_placed(self._session, watched)
        if found.progress is not None:
            take(watched, found.progress)
        has_ended = found.progress.has_ended if found.progress is not None else isinstance(found.answer, OrderFound)
        if has_ended:
            self._watching.forget(client_order_id)
        elif found.row is not None:
            self._watching.watch(watched)
        self._session.report(found.answer)
        self._watching.look_soon()

    def read_account(self, request: ReadAccountBook, then: Callable[[AccountAnswer], object]) -> None:
        """Read what the account has of all instruments, ours by our symbols."""
        AccountReading(self._listings, self._talk, request, then).begin()

    def stop_trading(self, then: Callable[[str], object]) -> None:
        """Set Dhan's kill switch, and read it: what it says then counts, whatever the first call was answered."""

        def set_(reply: Reply) -> None:
            if reply.outcome in {"refused", "not_sent"}:
                then(reply.reason)
            else:
                self._talk.ask(KILL_SWITCH, read_switch, proved)

        def proved(reply: Reply) -> None:
            if reply.outcome != "told":
                then(f"its switch could not be read: {reply.reason}")
            elif reply.value.kill_switch_status != ACTIVATE:
                then(f"{ACTIVATE} wanted, found {reply.value.kill_switch_status}")
            else:
                then("")

        read_switch = functools.partial(read, KillSwitchRow)
        self._talk.ask(SET_KILL_SWITCH, read_switch, set_, query=(("killSwitchStatus", ACTIVATE),), in_halt=True)

    def set_loss_exit(self, wanted: SetLossExit, then: Callable[[LossExitSet], object]) -> None:
        """Set Dhan's exit at a loss of the day, and read it."""
        self._talk.run(set_loss_exit(wanted, client_id=self._settings.client_id), then)

    # Order updates.

    def _take_update(self, update: OrderUpdated) -> None:
        if update.client_order_id in self._placing:
            self._updated_in_placing.add(update.client_order_id)
        else:
            self._watching.take_update(update)
