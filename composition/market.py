"""The market: the feed, the candles that strategies ask for, and the broker's charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..actors.broker import AccessToken, TokenDeadError
from ..actors.external import ExternalActor
from ..actors.feed import CandlesWanted, LiveFeedActor, LiveFeedSettings, SimulatedFeedActor, is_live
from ..actors.history import HistoryActor, HistorySettings
from ..actors.strategy import load_strategy
from ..actors.supervision import ChildSpec
from ..domain.candles import interval_of
from ..messages.addresses import BROKER_SERVICE, CHARTS_SERVICE, FEED, HISTORY
from .broker import tallied
from .choices import has_exchange, watched_symbols

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..config.settings import Settings


def feed_of(settings: Settings, in_use: AccessToken) -> ChildSpec:
    """Return the feed, simulated or live; a live one is subscribed to the symbols of settings and strategies."""
    if not is_live(settings.feed):
        return ChildSpec(FEED, SimulatedFeedActor, settings.feed)

    def token() -> str | None:
        try:
            return in_use.reveal()
        except TokenDeadError:
            return None

    live = LiveFeedSettings(
        limits=settings.feed,
        symbols=watched_symbols(settings),
        client_id=settings.broker.client_id,
        token=token,
        token_refused=in_use.refused,
    )
    return ChildSpec(FEED, LiveFeedActor, live)


def candles_wanted(settings: Settings) -> Iterator[CandlesWanted]:
    """Yield the candles that strategies on this machine ask for.

    Raises:
        StrategyNotFoundError, StrategyBrokenError: one cannot be loaded.
    """
    for each in settings.strategies:
        if each.host != "node":
            strategy = load_strategy(each.strategy)
            for length in (*(each.candles or strategy.candles), *strategy.warm_up):
                yield CandlesWanted(interval_of(length), each.symbols)


def history(settings: Settings, in_use: AccessToken) -> tuple[ChildSpec, ...]:
    """Return the actor that reads the broker's charts, where orders or a live feed use the real broker.

    The owner of the calls is that of the broker session, whose limits are those of the account; where orders go
    elsewhere there is one for charts.
    """
    if has_exchange(settings) and not is_live(settings.feed):
        return ()
    reader = HistorySettings(
        service=CHARTS_SERVICE if has_exchange(settings) else BROKER_SERVICE,
        base_url=settings.broker.base_url,
        fills_gaps=is_live(settings.feed),
    )
    from ..actors.broker import service_of  # noqa: PLC0415  a broker's body is loaded where it is chosen

    service = tallied(service_of(settings.broker, in_use), settings)
    return (
        *([ChildSpec(CHARTS_SERVICE, ExternalActor, service)] if has_exchange(settings) else []),
        ChildSpec(HISTORY, HistoryActor, reader),
    )
