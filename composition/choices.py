"""What settings choose: where orders go, whose time it is, and which strategies run elsewhere (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..actors.broker import broker_of
from ..actors.feed import is_live, is_served_here
from ..config.urls import is_loopback_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..actors.control import Mode
    from ..config.sections.strategy import StrategySettings
    from ..config.settings import Settings
    from ..messages.accounts import AccountChoice

PAPER: Final = "paper"
"""Name of the broker whose orders go to the paper exchange."""


def has_exchange(settings: Settings) -> bool:
    """Tell whether the paper exchange is started: only where orders go to it, wherever market data comes from."""
    return settings.broker.name == PAPER


def mode_of(settings: Settings) -> Mode:
    """Return what becomes of the orders of a run."""
    body, _ = broker_of(settings.broker)
    if body.IS_PAPER:
        return "paper"
    return "live" if settings.broker.live else "dry run"


def seed_of(settings: Settings) -> int | None:
    """Return the seed of what is drawn at random; None where orders leave: what is drawn there may name them.

    Two systems of one account, and a system that was started twice, must not draw the same.
    """
    return settings.feed.seed if has_exchange(settings) else None


def account_of(settings: Settings) -> AccountChoice:
    """Return which account a run trades on: a replay on a new one, unless the settings say otherwise."""
    if settings.orders.account != "auto":
        return settings.orders.account
    return "new" if settings.feed.source == "replay" else "session"


def notes_on(settings: Settings) -> Iterator[str]:
    """Yield what a person should know of a run before it begins: what in it is not as it looks."""
    if mode_of(settings) == "dry run":
        yield f"a dry run: no order leaves for {settings.broker.name}, each is rejected here (--live lets them leave)"
    if settings.feed.recording and settings.feed.source != "replay":
        yield f"feed.recording is not played: feed.source is {settings.feed.source}, and replay would play it"
    if is_served_here(settings.feed) and not is_loopback_url(settings.broker.base_url):
        yield (
            "prices come from an exchange of this machine, and the charts that fill their gaps from the broker itself, "
            "which is sent the token: BROKER_BASE_URL names that exchange (rest in its first line)"
        )


def lives_in_real_time(settings: Settings) -> bool:
    """Tell whether a second of the market is one of the world: a broker counts requests by the latter."""
    return is_live(settings.feed) or settings.feed.speed == 1


def pushes_updates(settings: Settings) -> bool:
    """Tell whether the paper exchange of this system has the sockets: for its order updates."""
    return settings.broker.wire and has_exchange(settings) and lives_in_real_time(settings)


def watched_symbols(settings: Settings) -> tuple[str, ...]:
    """Return the symbols whose market data are wanted: those of the feed's settings, and of strategies."""
    of_strategies = (symbol for strategy in settings.strategies for symbol in strategy.symbols)
    return tuple(dict.fromkeys((*settings.feed.symbols, *of_strategies)))


def elsewhere(settings: Settings) -> tuple[StrategySettings, ...]:
    """Return the strategies that run on other machines."""
    return tuple(each for each in settings.strategies if each.host == "node")


def has_nodes(settings: Settings) -> bool:
    """Tell whether strategies of this system run on other machines."""
    return bool(settings.nodes.play and elsewhere(settings))
