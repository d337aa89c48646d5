"""Errors of the book of record."""


class OrdersError(Exception):
    """Base of the errors of the book of record."""


class FactWithoutIntentError(OrdersError):
    """A fact is of an order whose intent is not in the book: the journal is incomplete. Do not trade."""

    restart_helps = False


class JournalLostError(OrdersError):
    """The journal failed without answering whether an append is durable: restart, and read it back."""
