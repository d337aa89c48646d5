"""What a strategy knows of the time before: the closed candles of the market.

Owns    the newest closed candles of the lengths in `warm_up`.
Hears   HistoryRead, or QueryFailed, from the database.
Sends   ReadHistory to the database, for each length, at every start.
        A simulated market stands still until that is answered.
Fails   on no expected input. Where the database does not answer, the history begins with the candles that come, and the
        log says so (`history.unknown`). A restart in place hands over what is known.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ClassVar, Final

from ...domain.candles import interval_of
from ...domain.time import duration_text
from ...messages.addresses import DATABASE
from ...messages.database import HistoryRead, ReadHistory
from . import arguments
from .trading import Trading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..runtime import Outcome
    from .history import Columns, History

HISTORY_TIMEOUT_S: Final = 60.0
"""Seconds that the database may take for one length of candles."""


class Remembering(Trading):
    """The part of `StrategyActor` that is about the time before."""

    warm_up: ClassVar[Mapping[str, int]] = {}
    """How many closed candles of which length `history` has, such as `{"5m": 200}`: they are there when `on_begin` is
    called, as far as the market data goes back, and go on with those that come."""

    # For the user to call.

    def history(self, symbol: str, interval: str, bars: int | None = None) -> Columns:
        """Return the newest closed candles of a symbol as columns of numpy, the oldest first.

        Nothing in it is newer than now. It is known in `on_begin` already; a candle is in it when `on_candle` is called
        with that. Every call returns copies.

        Args:
            symbol: of what.
            interval: their length, one of those in `warm_up`.
            bars: how many; fewer where less is known. None: as many as `warm_up` says.

        Returns:
            `start_ns`, `open`, `high`, `low`, `close` and `volume`, and its length.

        Raises:
            TypeError: the symbol is no text, or `bars` no whole number.
            ValueError: `warm_up` has no such length, or not so many bars of it.
        """
        symbol, interval = arguments.text(symbol, "symbol"), arguments.text(interval, "interval")
        bars = None if bars is None else arguments.whole(bars, "bars")
        if self._history is None:
            raise ValueError(f'history wants warm_up = {{"{interval}": {bars or 200}}} in the class, found none')
        return self._history.columns(symbol, interval, bars)

    # Life.

    def on_start(self) -> None:
        """Remember nothing yet."""
        super().on_start()
        self._history: History | None = None
        self._told_ns: frozenset[int] = frozenset()
        if self.warm_up:
            from .history import History as Kept  # noqa: PLC0415  numpy is loaded where it is used

            self._history = Kept(self.warm_up)
            self._told_ns = frozenset(map(interval_of, self._candles_wanted()))

    def _candles_wanted(self) -> tuple[str, ...]:
        """Return the lengths that `on_candle` is told; empty: whatever comes."""
        raise NotImplementedError

    def _intervals_ns(self) -> tuple[int, ...]:
        """Return the lengths of the candles that are to be heard."""
        return tuple(dict.fromkeys(map(interval_of, (*self._candles_wanted(), *self.warm_up))))

    def _read_history(self, then: Callable[[], Any]) -> None:
        """Ask for what was before now, and go on when all of it is there."""
        history = self._history
        if history is None:
            then()
            return
        missing = set(history.keeps)
        for interval_ns, bars in history.keeps.items():
            request = ReadHistory(
                symbols=self.settings.symbols,
                interval_ns=interval_ns,
                bars=bars,
                until_ns=self.clock.now_ns(),
                timeout_s=HISTORY_TIMEOUT_S,
            )
            heard = functools.partial(self._hear_history, interval_ns, missing, then)
            self.ask(DATABASE, request, timeout_s=HISTORY_TIMEOUT_S, then=heard)

    def _hear_history(self, interval_ns: int, missing: set[int], then: Callable[[], Any], outcome: Outcome) -> None:
        assert self._history is not None, "it was asked for"
        answer = outcome.value
        if isinstance(answer, HistoryRead):
            self._history.merge(answer.candles)
        else:
            reason = getattr(answer, "reason", None) or str(outcome.error)
            self.log("history.unknown", level="warning", interval=duration_text(interval_ns), reason=reason)
        missing.discard(interval_ns)
        if not missing:
            then()
