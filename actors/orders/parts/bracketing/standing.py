"""A bracket as it stands (plain): put together from the book, the broker's positions, and the day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .....domain.brackets.bracket import as_it_stands, held_as, turned_as
from .....domain.brackets.by_others import gone_of
from .....domain.brackets.legs import entry_id

if TYPE_CHECKING:
    from .....domain.brackets.bracket import Bracket
    from .....domain.brackets.exits import AnyLeg
    from .....domain.orders import Order
    from ...book.ledger import Ledger
    from ..context import OrdersContext
    from .days import Days


def is_exit(ledger: Ledger, client_order_id: str) -> bool:
    """Say whether an order is an exit of a bracket."""
    entry = ledger.order(entry_id(client_order_id))
    return entry is not None and entry.has_bracket


class Standing:
    """Puts brackets together."""

    def __init__(self, context: OrdersContext, days: Days) -> None:
        """Know nothing but what the others know."""
        self._context: Final = context
        self._days: Final = days

    def of(self, entry: Order) -> Bracket:
        """Return the bracket of an entry, less what others have certainly closed of it at the broker."""
        return self._put_together(entry, gone=self._gone(entry))

    def _put_together(self, entry: Order, *, gone: int) -> Bracket:
        """Put a bracket together, of which others have closed so many shares that our book still has."""
        book, theirs, name = self._context.ledger.book, self._context.theirs, entry.client_order_id
        return as_it_stands(
            entry,
            self._exit,
            book.brackets,
            shares=book.strategy_shares(entry.strategy, entry.symbol),
            late=book.late(name),
            sold=book.sold(name) + gone,
            surplus=book.surplus(name),
            agreed=theirs.held(entry.symbol, book.position(entry.symbol)) if entry.symbol in theirs.symbols else (),
            order_max=self._context.freeze_quantities.get(entry.symbol),
            is_carried=(entry.product or self._context.settings.product) != "INTRADAY",
            day_began_ns=self._days.began_ns(entry.symbol),
        )

    def _gone(self, entry: Order) -> int:
        """Return how many shares of a bracket, which our book has still, others have certainly closed at the broker."""
        book, theirs = self._context.ledger.book, self._context.theirs
        closed = turned_as(entry, theirs.by_others(entry.symbol))
        if not closed:
            return 0
        alike = [each for each in book.brackets if (each.symbol, each.side) == (entry.symbol, entry.side)]
        held = held_as(entry, theirs.held(entry.symbol, book.position(entry.symbol))[-1])
        gone = gone_of([self._put_together(each, gone=0).unclosed for each in alike], held, closed)
        return dict(zip((each.client_order_id for each in alike), gone, strict=True)).get(entry.client_order_id, 0)

    def _exit(self, client_order_id: str) -> AnyLeg | None:
        ledger = self._context.ledger
        return ledger.order(client_order_id) or ledger.earlier(client_order_id)
