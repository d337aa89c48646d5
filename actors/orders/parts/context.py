"""What all parts of the orders actor share (plain): the book of record, the market's prices, and the actor itself.

Each part owns its own state beside this; the actor only says which part takes which message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from ....domain.closing import AGREED
from ....messages.addresses import JOURNAL, ORDERS
from ....messages.supervision import Unavailable
from ..book.ledger import Ledger
from ..book.reading import ReadBack
from ..rules import NO_BANDS
from .ages import RequestAges

if TYPE_CHECKING:
    import random

    from ....domain.orders import Order
    from ....messages.broker import ClockCompared
    from ....messages.orders import OrderFact, SubmitOrder
    from ....messages.risk_state import RiskStateChanged
    from ...runtime import ActorAddress
    from ...runtime.clock import Clock
    from ...runtime.offload import Then
    from ...runtime.timers import Timer
    from ..rules import Funds, MarketPrice
    from ..settings import OrdersActorSettings

NOT_READ: Final = Unavailable(actor=ORDERS, reason="the journal is still read back", retry_after_s=1.0)
"""The answer to a request that only a complete book can answer."""


class Host(Protocol):
    """The part of an actor that is needed here."""

    name: str
    settings: OrdersActorSettings
    clock: Clock

    @property
    def random(self) -> random.Random:
        """A random generator of this actor's own."""

    @property
    def market_rules(self) -> bool:
        """Whether the system runs in the time of a simulated market."""

    def send(self, target: ActorAddress | str, message: Any) -> None:
        """Send by address or name."""

    def ask(self, target: ActorAddress | str, message: Any, *, timeout_s: float, then: Then) -> None:
        """Send a request; `then` is called later with its outcome."""

    def after(self, seconds: float, message: Any) -> Timer:
        """Send the message to this actor itself after so many seconds."""

    def join_trace(self, correlation_id: str) -> None:
        """Continue the recorded conversation of that name."""

    def log(self, event: str, *, level: str = "info", **fields: Any) -> None:
        """Log an event."""

    def ready(self) -> None:
        """Report that the start is complete."""


class OrdersContext:
    """One life of the orders actor."""

    def __init__(self, actor: Host) -> None:
        """Begin with an empty book."""
        self.configured: Final = actor.settings
        """The settings as they were at the start."""

        self.settings = actor.settings
        """In force: with the limits that a person changed while the system ran."""

        self.now_ns, self.elapsed_ns = actor.clock.now_ns, actor.clock.elapsed_ns
        self.market_rules = actor.market_rules
        self.send, self.ask, self.after = actor.send, actor.ask, actor.after
        self.log, self.join_trace = actor.log, actor.join_trace
        self.random = actor.random
        self.ledger = Ledger(writer=f"{actor.name}-{self.random.getrandbits(64):x}")
        self.ages = RequestAges(actor.clock.monotonic_ns)
        self.read_back = ReadBack()
        self.is_read = False
        """Whether the journal is read back, so that the book is complete."""

        self.said_early: dict[str, None] = {}
        """Orders that the broker reported on while the journal was read back."""

        self.market: dict[str, MarketPrice] | None = {} if self.settings.need_prices else None
        """The market's last price of each symbol, as orders itself has heard it; None where no limit needs any."""

        self.funds: Funds | None = None
        """What the broker has told; None: nothing yet."""

        self.clock: ClockCompared | None = None
        """How far our clock and the broker's are apart; None: not known yet."""

        self.bands = NO_BANDS
        """The exchange's price bands, as the broker has told them."""

        self.freeze_quantities: dict[str, int] = {}
        """By symbol the shares of the greatest order that the exchange takes, as reconciliation has told. Where that is
        not known here, the broker session refuses: it asks for the instrument before an order leaves."""

        self.theirs = AGREED
        """In what the broker's positions differ from the book's, as reconciliation has told."""

        self.is_compared = False
        """Whether reconciliation has compared the positions since the start, and nothing of it was in doubt."""

        self.changed_there: frozenset[str] = frozenset()
        """Client order ids of orders that are otherwise at the broker, as it has told."""

        self._ready = actor.ready
        self._is_ready = False

    def write(
        self,
        facts: tuple[OrderFact, ...],
        order: SubmitOrder | None = None,
        *,
        change: RiskStateChanged | None = None,
    ) -> None:
        """Have facts of one order journaled, with the change of the risk state that they cause."""
        self.send(JOURNAL, self.ledger.write(facts, order, change=change))

    def known(self, client_order_id: str) -> Order | None:
        """Return the order of a broker's message; None while the journal is read.

        A fill that counted before those ahead of it in the journal would give another average price than the next
        start finds. What is said then is looked up, when the book is complete.
        """
        if not self.is_read:
            self.said_early[client_order_id] = None
            return None
        order = self.ledger.order(client_order_id)
        if order is None:
            self.log("order.foreign", level="warning", client_order_id=client_order_id)
        return order

    def puts_off(self, asker: ActorAddress) -> bool:
        """Say whether the book is not complete yet; if so, tell the sender to ask again."""
        if not self.is_read:
            self.send(asker, NOT_READ)
        return not self.is_read

    def tell_ready(self) -> None:
        """Report once that the start is complete."""
        if not self._is_ready:
            self._is_ready = True
            self._ready()
