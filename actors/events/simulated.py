"""The events router of a simulated market: hands market data on in a lane, and all else as ever.

Owns    what `EventsActor` owns.
Hears   the same.
Sends   the same, to the same actors in the same order. Where a tick closes a candle that is made of ticks, it is sent
        behind that, as ever.
Fails   as that does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...messages.market import Candle, Tick
from ..runtime import Lane, handles
from .actor import EventsActor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..runtime import ActorAddress


class SimulatedEventsActor(EventsActor):
    """Routes by message type and symbol."""

    def on_start(self) -> None:
        """Begin as ever."""
        super().on_start()
        self._lane = Lane(self)
        self._told = False

    @handles(Tick)
    def route_tick(self, tick: Tick, _sender: ActorAddress) -> None:
        """Let the subscribers of this symbol handle it."""
        self._ticks += 1
        route = self._ticks_to.get(tick.symbol)
        if route is None:
            route = self._route_of(tick.symbol)
        route.ticks += 1
        if route.candles is not None:
            self._told = False
            self._candles.grow(route.candles, tick)
            if self._told:  # who has a candle before it in the mailbox takes the tick from there, too
                for name in route.names:
                    self.send(name, tick)
                return
        self._lane.hand_to(route.names, tick)

    def newest_is_enough(self, tick: Tick) -> bool:
        """Tell whether all subscribers of its symbol only remember ticks up to this one."""
        route = self._ticks_to.get(tick.symbol)
        return route is not None and route.candles is None and self._lane.newest_is_enough(route.names, tick)

    @handles(Candle)
    def route_candle(self, candle: Candle, _sender: ActorAddress) -> None:
        """Let the subscribers of this symbol and interval handle a recorded one."""
        if self._candles.is_recorded(candle):
            self._route_of(candle.symbol)
        names = self._routes.names("Candle", candle.symbol, candle.interval_ns)
        self._lane.hand_to(names, candle)
        self._delivered += len(names)

    def _tell(self, candles: Iterable[Candle]) -> None:
        self._told = True
        super()._tell(candles)
