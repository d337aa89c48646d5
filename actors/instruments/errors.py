"""What can go wrong with lists of instruments."""

from __future__ import annotations


class InstrumentsError(Exception):
    """A list of instruments cannot be had."""


class ListRefusedError(InstrumentsError):
    """A new list cannot be used; the one before stays in use. The reason names field, wanted and found."""


class ListNotHadError(ListRefusedError):
    """Nobody gave a new list: no whole answer came, or one that says no. It may be had later."""


class ListDamagedError(InstrumentsError):
    """A file of ours does not open, or is none of ours; the one before it is used."""
