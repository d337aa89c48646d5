"""The events router of a simulated market: hands market data on in a lane, and all else as ever.

Owns    what `EventsActor` owns.
Hears   the same; Tick and Candle by handlers of its own.
Sends   the same, to the same actors in the same order. Where a tick closes a candle that is made of ticks, it is sent
        behind that, as ever; and so is all while a subscriber is held.
Fails   as that does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...messages.market import Candle, Tick
from ..runtime import Lane, handles
from .actor import EventsActor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..runtime import ActorAddress


class SimulatedEventsActor(EventsActor):
    """Routes by message type and symbol."""

    def on_start(self) -> None:
        """Begin as `EventsActor` does."""
        super().on_start()
        self._lane = Lane(self)
        self._hand_to: Callable[[tuple[str, ...], Any], None] = self._lane.hand_to
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
            if self._told:  # a subscriber with a candle before the tick in its mailbox takes the tick from there, too
                self._post_to(route.names, tick)
                return
        self._hand_to(route.names, tick)

    def relays(self, message: Tick | Candle) -> tuple[str, ...] | None:
        """Name the subscribers, unless candles are made of ticks like this one, or one is held."""
        if self._held:
            return None
        if isinstance(message, Candle):
            self._leave_to_recording(message)
            return self._routes.names("Candle", message.symbol, message.interval_ns)
        route = self._ticks_to.get(message.symbol) or self._route_of(message.symbol)
        return None if route.candles is not None else route.names

    def relayed(self, message: Tick | Candle, count: int) -> None:
        """Count them."""
        if isinstance(message, Candle):
            self._delivered += count * len(self._routes.names("Candle", message.symbol, message.interval_ns))
        else:
            self._ticks += count
            self._ticks_to[message.symbol].ticks += count

    @handles(Candle)
    def route_candle(self, candle: Candle, _sender: ActorAddress) -> None:
        """Let the subscribers of this symbol and interval handle a recorded one."""
        self._leave_to_recording(candle)
        names = self._routes.names("Candle", candle.symbol, candle.interval_ns)
        self._hand_to(names, candle)
        self._delivered += len(names)

    def _leave_to_recording(self, candle: Candle) -> None:
        if self._candles.is_recorded(candle):
            self._route_of(candle.symbol)

    def _tell(self, candles: Iterable[Candle]) -> None:
        self._told = True
        super()._tell(candles)

    def _held_changed(self) -> None:
        super()._held_changed()
        self._hand_to = self._post_to if self._held else self._lane.hand_to

    def _post_to(self, names: tuple[str, ...], message: Any) -> None:
        for name in names:
            self._post(name, message)
