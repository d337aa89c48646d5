"""The book of record, and what is learnt of the journal that it is built from (pure, or plain without actors).

book         orders and positions, from durable facts; account: what belongs to one; day: the counts of a day;
             brackets: which of them are done
ended        orders that have ended, as bytes; checkpoint: the book as it was behind one record
ledger       the book, and the facts on their way into it
reading      how far the journal is read back; presence: which facts are a person's sign of life
listing      orders and positions for people
"""

from .book import Book

__all__ = ["Book"]
