"""The paper exchange: asked by message, over Dhan's protocol, or a system by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ..actors.broker import AccessToken
from ..actors.events import JOURNAL_TOPIC, EventsActor, EventsSettings
from ..actors.exchange import ExchangeActor, ExchangeActorSettings
from ..actors.feed import is_live
from ..actors.instruments import InstrumentsActor, InstrumentsActorSettings
from ..actors.journal import JournalActor
from ..actors.runtime import SystemClock
from ..actors.supervision import ChildSpec
from ..config.secrets import Secret
from ..messages.addresses import EVENTS, EXCHANGE, INSTRUMENTS, JOURNAL, STREAMS, WEB, WIRE
from ..messages.events import Subscribe
from .choices import has_exchange, lives_in_real_time, pushes_updates
from .market import feed_of

if TYPE_CHECKING:
    from ..actors.exchange.wire.settings import WireActorSettings
    from ..config.settings import Settings
    from ..messages.accounts import AccountChoice
    from ..messages.instruments import InstrumentDefinition


def paper_exchange(settings: Settings, *, account: AccountChoice, token: Secret) -> tuple[ChildSpec, ...]:
    """Return the paper exchange: none, one that is asked by message, or one that speaks Dhan's protocol."""
    if not has_exchange(settings):
        return ()
    if not settings.broker.wire:
        is_real_market = is_live(settings.feed) or settings.feed.source == "replay"
        has_auctions = is_real_market and settings.feed.exchange != "none"
        by_message = ExchangeActorSettings(limits=settings.exchange, account=account, has_auctions=has_auctions)
        return (ChildSpec(EXCHANGE, ExchangeActor, by_message),)
    # As where it is asked by message: no sessions. A square-off by the exchange would be no order of ours, and the book
    # of record would go on holding what the account has closed.
    limits = msgspec.structs.replace(settings.exchange, always_open=True)
    settings = msgspec.structs.replace(settings, exchange=limits)
    return _wired(
        settings,
        token=token,
        client_id=settings.broker.client_id,
        account=account,
        is_limited=lives_in_real_time(settings),
        has_streams=pushes_updates(settings),
    )


def exchange_children(  # noqa: PLR0913  each is a choice of who serves it
    settings: Settings,
    *,
    token: Secret,
    client_id: str,
    definitions: tuple[InstrumentDefinition, ...] = (),
    has_market: bool = True,
    has_faults: bool = False,
    is_limited: bool = True,
    consent_redirect: str = "",
) -> tuple[ChildSpec, ...]:
    """Return the actors of the paper exchange by itself, in the order of starting; they stop in reverse.

    Args:
        settings: of the whole system.
        token: what the only client has to give.
        client_id: of that client.
        definitions: of the instruments that are known; other symbols get an id of their own.
        has_market: whether the feed is one of them; without it prices are set by hand alone.
        has_faults: whether faults may be asked for.
        is_limited: whether the broker's limits of requests hold.
        consent_redirect: where an application waits for a person who agreed to its login.
    """
    heard = (  # the wire last: who hears of it that a price was set finds it everywhere
        Subscribe(subscriber=EXCHANGE, topics=("Tick",)),
        Subscribe(subscriber=STREAMS, topics=("Tick",)),  # and to facts by itself, when it is there
        Subscribe(subscriber=WIRE, topics=("Tick",)),
    )
    exchange = _wired(
        settings,
        token=token,
        client_id=client_id,
        definitions=definitions,
        has_faults=has_faults,
        is_limited=is_limited,
        consent_redirect=consent_redirect,
        records=has_market,
        has_streams=True,
        shows_market=True,
    )
    instruments = InstrumentsActorSettings(limits=settings.instruments)
    return (
        ChildSpec(JOURNAL, JournalActor, settings.journal),
        ChildSpec(EVENTS, EventsActor, EventsSettings(subscriptions=heard)),
        ChildSpec(INSTRUMENTS, InstrumentsActor, instruments),
        *exchange,
        *([feed_of(settings, AccessToken(settings.broker.access_token))] if has_market else []),
    )


def _wired(  # noqa: PLR0913  each is a choice of who serves it
    settings: Settings,
    *,
    token: Secret,
    client_id: str,
    account: AccountChoice = "session",
    definitions: tuple[InstrumentDefinition, ...] = (),
    has_faults: bool = False,
    is_limited: bool = True,
    consent_redirect: str = "",
    records: bool = False,
    has_streams: bool = False,
    shows_market: bool = False,
) -> tuple[ChildSpec, ...]:
    from ..actors.exchange.account import Listing  # noqa: PLC0415  the wire is loaded where it is served
    from ..actors.exchange.served_token import ServedToken  # noqa: PLC0415
    from ..actors.exchange.serving import AccountActor, AccountActorSettings  # noqa: PLC0415
    from ..actors.exchange.wire.actor import WireActor  # noqa: PLC0415
    from ..actors.exchange.wire.settings import WireActorSettings  # noqa: PLC0415
    from ..actors.web import WebActor  # noqa: PLC0415

    listings = tuple(Listing.of(each) for each in definitions if each.security_id)
    limits = settings.exchange
    served = ServedToken(token, monotonic_ns=SystemClock().monotonic_ns)
    wire = WireActorSettings(
        limits=limits,
        token=served,
        client_id=client_id,
        definitions=definitions,
        has_faults=has_faults,
        is_limited=is_limited,
        consent_redirect=consent_redirect,
        records=records,
    )
    return (
        ChildSpec(EXCHANGE, AccountActor, AccountActorSettings(limits=limits, listings=listings, account=account)),
        ChildSpec(WEB, WebActor, settings.web),
        ChildSpec(WIRE, WireActor, wire),
        *(_streams(settings, wire, shows_market=shows_market) if has_streams else ()),
    )


def _streams(settings: Settings, wire: WireActorSettings, *, shows_market: bool) -> tuple[ChildSpec, ...]:
    """Return the exchange's sockets: of order updates, and of the market where it is shown."""
    from ..actors.exchange.streams import StreamsActor, StreamsActorSettings  # noqa: PLC0415  loaded where it is served

    streams = StreamsActorSettings(
        token=wire.token,
        client_id=wire.client_id,
        host=settings.web.host,
        port=settings.exchange.streams_port,
        definitions=wire.definitions,
        faults=wire.stream_faults if wire.has_faults else None,
        topics=("Tick", JOURNAL_TOPIC) if shows_market else (JOURNAL_TOPIC,),
    )
    return (ChildSpec(STREAMS, StreamsActor, streams),)
