"""The book of record, and what is learnt of the journal that it is built from (pure, or plain without actors).

book         orders and positions, from durable facts
all_orders   every order there ever was, by id and by account; ended: those that have ended, as bytes
account      what belongs to one account; day: the counts of a day; brackets: which of them are done;
             expired: orders at the market that closed nothing
checkpoint   the book as it was behind one record
ledger       the book, and the facts on their way into it
reading      how far the journal is read back; presence: which facts are a person's sign of life
listing      orders and positions for people
protecting   which open orders stay in a halt; states: what strategies have saved last
"""

from .book import Book

__all__ = ["Book"]
