"""What can go wrong with the book of record."""


class OrdersError(Exception):
    """Any fault of the room."""


class FactWithoutIntentError(OrdersError):
    """A fact speaks of an order whose intent is not in the book: the journal is not whole. Do not trade."""

    restart_helps = False


class JournalLostError(OrdersError):
    """The journal did not say whether an append is durable. Start again and read it back: it alone knows."""
