"""Candles from a broker's charts into the database: piece by piece, each durable before the next one is asked for.

A piece is saved with the note that it was asked for, in one transaction, so that a fetch that was killed goes on where
it was, and one that is repeated asks for nothing. What a piece shares with its neighbours says whether prices have been
adjusted since; then all that is had of the symbol is asked for again (`domain/history.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .symbol_fetch import SymbolFetch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..client import Owner
    from ..domain.instruments import Instrument
    from .symbol_fetch import Charts, Fetch, Want


def fetch(  # noqa: PLR0913  by keyword
    instruments: Sequence[Instrument],
    want: Want,
    *,
    owner: Owner,
    charts: Charts,
    now_ns: Callable[[], int],
    again: bool = False,
    on_progress: Callable[[float], object] = lambda _share: None,
) -> Iterator[Fetch]:
    """Fetch the candles of instruments, one after another.

    Args:
        instruments: of which.
        want: what of each.
        owner: of the database.
        charts: of the broker.
        now_ns: tells the time; what has not ended is not asked for.
        again: whether to ask for what was asked for before, too.
        on_progress: called with the part done, from 0 to 1.

    Raises:
        FetchStoppedError: the broker gives nothing more for now.
        DatabaseError, ControlError: the owner cannot save the candles.
    """
    for number, instrument in enumerate(instruments):

        def on_share(share: float, number: int = number) -> None:
            on_progress((number + share) / len(instruments))

        yield SymbolFetch(instrument, want, owner, charts, now_ns).fetch(again=again, on_progress=on_share)
