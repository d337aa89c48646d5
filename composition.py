"""The supervision tree: which actors are started, in which order, and with which subscriptions.

`children` decides it; docs/architecture.md draws it.
"""

from __future__ import annotations

import functools
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from .actors.alarms.actor import AlarmsActor
from .actors.alarms.settings import AlarmsSettings
from .actors.broker import (
    AccessToken,
    BrokerActor,
    TokenDeadError,
    TokenKeeper,
    TokenKeeperSettings,
    UpdatesActor,
    broker_of,
)
from .actors.control import ControlActor, ControlActorSettings
from .actors.database import DatabaseActor
from .actors.events import (
    JOURNAL_TOPIC,
    DeliveryActor,
    DeliverySettings,
    EventsActor,
    EventsSettings,
    SimulatedEventsActor,
)
from .actors.exchange import ExchangeActor, ExchangeActorSettings
from .actors.external import ExternalActor, ExternalSettings
from .actors.feed import CandlesWanted, LiveFeedActor, LiveFeedSettings, SimulatedFeedActor, is_live
from .actors.history import HistoryActor, HistorySettings
from .actors.instruments import InstrumentsActor, InstrumentsActorSettings
from .actors.journal import JournalActor
from .actors.kill_switch import (
    FlattenActor,
    HeartActor,
    HeartSettings,
    KillSwitchActor,
    KillSwitchActorSettings,
    LossExitActor,
    LossExitSettings,
)
from .actors.orders import CheckpointActor, CheckpointSettings, OrdersActor, OrdersActorSettings, subscription
from .actors.reconciliation import ReconciliationActor, ReconciliationSettings
from .actors.runtime import NameTakenError
from .actors.settings.actor import SettingsActor, SettingsActorSettings
from .actors.strategy import StrategySupervisor, checked, load_strategy
from .actors.supervision import ChildSpec, Supervisor, SupervisorSettings
from .config.data_directory import tally_folder
from .config.halt_file import HaltFile, halt_paths
from .config.in_force import InForce
from .config.secret_folder import SecretFolder
from .config.secrets import Secret
from .config.urls import is_loopback_url
from .domain.candles import interval_of
from .domain.flattening import Limits
from .domain.quotas import Allowance, Quota
from .domain.time import SECOND_NS
from .messages.addresses import (
    ALARMS,
    BROKER,
    BROKER_GROUP,
    BROKER_SERVICE,
    BROKER_TOKENS,
    BROKER_UPDATES,
    CHARTS_SERVICE,
    CHECKPOINTS,
    CONTROL,
    CONTROL_WEB,
    DATABASE,
    DELIVERY,
    EVENTS,
    EXCHANGE,
    FEED,
    FLATTENER,
    HEART,
    HISTORY,
    INSTRUMENTS,
    JOURNAL,
    KILL_SWITCH,
    LOSS_EXIT,
    NAMES,
    NODES,
    ORDERS,
    RECONCILIATION,
    SETTINGS,
    STRATEGIES,
    STREAMS,
    SYSTEM,
    TELEMETRY,
    TRANSPORT,
    WEB,
    WIRE,
)
from .messages.events import Subscribe
from .messages.nodes import ASKED_ELSEWHERE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .actors.broker import TokenSource
    from .actors.control import Mode
    from .actors.exchange.wire.settings import WireActorSettings
    from .config.sections.strategy import StrategySettings
    from .config.settings import Settings
    from .messages.accounts import AccountChoice
    from .messages.instruments import InstrumentDefinition

WIRE_CLIENT_ID: Final = "1000000001"
"""Of the account at the paper exchange where orders go to it over HTTP."""

UNLIMITED: Final = Allowance(quotas=(Quota(1_000_000, SECOND_NS),))
"""Of requests in a market that is not played at the speed of the world: no broker counts them."""

GAPS: Final = ("FeedGapped", "GapFilled")
"""Facts that tell which times of the feed are not recorded."""

DELIVERED: Final = Subscribe(subscriber=DELIVERY, topics=(JOURNAL_TOPIC,))
"""What delivery hears from the first message on."""

LOOKED_AT: Final = frozenset({SYSTEM, CONTROL, STRATEGIES})
"""Whom one may ask on a machine that runs strategies for a broker node: its doors lead to the latter."""

PAPER: Final = "paper"
"""Name of the broker whose orders go to the paper exchange."""


def subscriptions(settings: Settings) -> tuple[Subscribe, ...]:
    """Return the subscriptions that hold from the first message on; the exchange gets each tick before any strategy."""
    return (
        *([Subscribe(subscriber=EXCHANGE, topics=("Tick",))] if has_exchange(settings) else []),
        *([Subscribe(subscriber=WIRE, topics=("Tick",))] if settings.broker.wire else []),
        *([Subscribe(subscriber=HISTORY, topics=GAPS)] if is_live(settings.feed) else []),
        subscription(settings.orders),
        *heard_elsewhere(settings),
        *([Subscribe(subscriber=LOSS_EXIT, topics=("LimitsChanged",))] if loss_exit(settings) else []),
        Subscribe(subscriber=DATABASE, topics=("Tick", "Ticks", "Candle", JOURNAL_TOPIC)),
        DELIVERED,
    )


def has_exchange(settings: Settings) -> bool:
    """Tell whether the paper exchange is started: only where orders go to it, wherever market data comes from."""
    return settings.broker.name == PAPER


def seed_of(settings: Settings) -> int | None:
    """Return the seed of what is drawn at random; None where orders leave: what is drawn there may name them.

    Two systems of one account, and a system that was started twice, must not draw the same.
    """
    return settings.feed.seed if has_exchange(settings) else None


def notes_on(settings: Settings) -> Iterator[str]:
    """Yield what a person should know of a run before it begins: what in it is not as it looks."""
    if mode_of(settings) == "dry run":
        yield f"a dry run: no order leaves for {settings.broker.name}, each is rejected here (--live lets them leave)"
    if settings.feed.recording and settings.feed.source != "replay":
        yield f"feed.recording is not played: feed.source is {settings.feed.source}, and replay would play it"


def mode_of(settings: Settings) -> Mode:
    """Return what becomes of the orders of a run."""
    body, _ = broker_of(settings.broker)
    if body.IS_PAPER:
        return "paper"
    return "live" if settings.broker.live else "dry run"


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


def account_of(settings: Settings) -> AccountChoice:
    """Return which account a run trades on: a replay on a new one, unless the settings say otherwise."""
    if settings.orders.account != "auto":
        return settings.orders.account
    return "new" if settings.feed.source == "replay" else "session"


def children(
    settings: Settings, actors: Sequence[ChildSpec] = (), *, in_force: InForce | None = None
) -> tuple[ChildSpec, ...]:
    """Return every actor, in the order of starting; they stop in reverse.

    The journal starts first and stops last. The feed starts last, so that every tick finds all the others running, and
    stops first. The control socket starts just before it, when all that may be asked through it is running. The actors
    of a user start before the strategies, which may ask them, and after all that they may ask themselves.

    Args:
        settings: of the whole system.
        actors: of a user.
        in_force: those that may change while it runs; None: they never do.

    Raises:
        NameTakenError: an actor of a user has the name of another.
        StrategyNotFoundError, StrategyBrokenError: a strategy cannot be loaded.
        StrategyParametersError: it cannot work with its parameters.
    """
    _expect_names(settings, actors)
    in_force = in_force or InForce(settings)
    token = settings.broker.access_token
    in_use = AccessToken(token)  # of the real broker, for all who speak to it
    feed, real = feed_of(settings, in_use), settings
    if settings.broker.wire:  # made anew in each process, and known to nobody outside of it
        token = Secret(secrets.token_urlsafe(32))
        settings = msgspec.structs.replace(
            settings, broker=msgspec.structs.replace(settings.broker, client_id=WIRE_CLIENT_ID)
        )
    strategies = SupervisorSettings(
        children=tuple(map(checked, settings.strategies)),
        policy=settings.supervision,
        shutdown_s=settings.system.shutdown_s,
        market_speed=settings.feed.speed,
        orders=ORDERS,
    )
    account = account_of(settings)
    # Where orders are real, a number may have become another's since natya was made.
    are_orders_real = settings.broker.live and not is_loopback_url(settings.broker.base_url)
    instruments = InstrumentsActorSettings(
        limits=settings.instruments, in_force=in_force, may_be_built_in=not are_orders_real
    )
    return (
        ChildSpec(JOURNAL, JournalActor, settings.journal),
        ChildSpec(DATABASE, DatabaseActor, settings.database),
        ChildSpec(
            EVENTS,
            EventsActor if is_live(settings.feed) else SimulatedEventsActor,
            EventsSettings(
                subscriptions=subscriptions(settings),
                exchange=None if settings.feed.exchange == "none" else settings.feed.exchange,
            ),
        ),
        ChildSpec(DELIVERY, DeliveryActor, DeliverySettings()),
        *transport(settings),
        ChildSpec(INSTRUMENTS, InstrumentsActor, instruments),
        *exchange(settings, account=account, token=token),
        broker(settings, AccessToken(token) if settings.broker.wire else in_use),
        ChildSpec(
            ORDERS,
            OrdersActor,
            orders_settings(settings, account),
        ),
        *checkpoints(settings, account),
        *reconciliation(settings),
        ChildSpec(KILL_SWITCH, KillSwitchActor, kill_switch(settings)),
        ChildSpec(FLATTENER, FlattenActor, flatten_limits(settings)),
        *loss_exit(settings),
        *heart(settings),
        *tokens(real, in_use),
        *history(real, in_use),
        *actors,
        *gate(settings),
        ChildSpec(STRATEGIES, StrategySupervisor, strategies),
        *_control(settings, in_force),
        *_telemetry(settings),
        feed,
    )


def orders_settings(settings: Settings, account: AccountChoice) -> OrdersActorSettings:
    """Return the limits of a run; at a broker without products all of it is as if it were intraday."""
    _, options = broker_of(settings.broker)
    limits = OrdersActorSettings.of(
        settings.orders,
        account=account,
        strategies=settings.strategies,
        halt_paths=halt_paths(settings),
        audited=settings.broker.live,
    )
    return msgspec.structs.replace(limits, product=getattr(options, "product", limits.product))


def checkpoints(settings: Settings, account: AccountChoice) -> tuple[ChildSpec, ...]:
    """Return who keeps checkpoints while the system runs; in an account of its own a run is read once more at most."""
    if not settings.orders.checkpoint_facts or account != "session":
        return ()
    facts = CheckpointSettings(facts=settings.orders.checkpoint_facts)
    return (ChildSpec(CHECKPOINTS, CheckpointActor, facts, when_exhausted="park"),)


def _control(settings: Settings, in_force: InForce) -> tuple[ChildSpec, ...]:
    """Return who may be asked from outside; parked at the worst, since who only looks must not end the system."""
    if not settings.control.enabled:
        return ()
    socket = _socket(settings)
    alarms = ChildSpec(
        ALARMS,
        AlarmsActor,
        AlarmsSettings(limits=settings.notifications, in_force=in_force, instance=settings.system.profile),
        when_exhausted="park",
    )
    reloading = ChildSpec(SETTINGS, SettingsActor, SettingsActorSettings(in_force=in_force), when_exhausted="park")
    if not settings.control.http:
        return (reloading, socket, alarms)
    from .actors.web import WebActor  # noqa: PLC0415  loaded where something is served

    bounds = msgspec.structs.replace(settings.web, port=settings.control.http_port)
    return (ChildSpec(CONTROL_WEB, WebActor, bounds, when_exhausted="park"), reloading, socket, alarms)


def _telemetry(settings: Settings) -> tuple[ChildSpec, ...]:
    """Return who posts spans, where a collector is named; parked at the worst."""
    if not settings.telemetry.endpoint:
        return ()
    from .actors.telemetry.actor import TelemetryActor, TelemetryActorSettings  # noqa: PLC0415  loaded where it is wanted

    instance = f"{settings.system.profile} {settings.system.data_dir}"
    wanted = TelemetryActorSettings(telemetry=settings.telemetry, instance=instance)
    return (ChildSpec(TELEMETRY, TelemetryActor, wanted, when_exhausted="park"),)


def _socket(settings: Settings, *, looks_at: frozenset[str] | None = None) -> ChildSpec:
    control = ControlActorSettings(
        data_dir=Path(settings.system.data_dir),
        log_path=settings.log.path,
        limits=settings.control,
        mode=mode_of(settings) if looks_at is None else "node",
        looks_at=looks_at,
    )
    return ChildSpec(CONTROL, ControlActor, control, when_exhausted="park")


def history(settings: Settings, in_use: AccessToken) -> tuple[ChildSpec, ...]:
    """Return who reads the broker's charts, where the real broker is spoken to: by orders, or by a live feed alone.

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
    from .actors.broker import service_of  # noqa: PLC0415  a broker's body is loaded where it is chosen

    service = _tallied(service_of(settings.broker, in_use), settings)
    return (
        *([ChildSpec(CHARTS_SERVICE, ExternalActor, service)] if has_exchange(settings) else []),
        ChildSpec(HISTORY, HistoryActor, reader),
    )


def _tallied(service: ExternalSettings, settings: Settings) -> ExternalSettings:
    return msgspec.structs.replace(service, tally_folder=tally_folder(settings.system.data_dir))


def tokens(settings: Settings, in_use: AccessToken) -> tuple[ChildSpec, ...]:
    """Return who keeps the access token where a live feed and charts alone need it; else the broker session has one."""
    if not (has_exchange(settings) and is_live(settings.feed)):
        return ()
    from .actors.broker import DhanTokens  # noqa: PLC0415  a broker's body is loaded where it is chosen

    return (_keeper(settings, in_use, functools.partial(DhanTokens, settings.broker)),)


def _keeper(
    settings: Settings, in_use: AccessToken, new_source: Callable[[Callable[[], int]], TokenSource | None]
) -> ChildSpec:
    stored = SecretFolder(Path(settings.system.data_dir))
    return ChildSpec(
        BROKER_TOKENS, TokenKeeper, TokenKeeperSettings(token=in_use, new_source=new_source, stored=stored)
    )


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


def exchange(settings: Settings, *, account: AccountChoice, token: Secret) -> tuple[ChildSpec, ...]:
    """Return the paper exchange: none, one that is asked by message, or one that speaks Dhan's protocol."""
    if not has_exchange(settings):
        return ()
    if not settings.broker.wire:
        is_real_market = is_live(settings.feed) or settings.feed.source == "replay"
        by_message = ExchangeActorSettings(limits=settings.exchange, account=account, has_auctions=is_real_market)
        return (ChildSpec(EXCHANGE, ExchangeActor, by_message),)
    # As where it is asked by message: no sessions. A square-off by the exchange would be no order of ours, and the book
    # of record would go on holding what the account has closed.
    limits = msgspec.structs.replace(settings.exchange, always_open=True)
    settings = msgspec.structs.replace(settings, exchange=limits)
    return _wired_exchange(
        settings,
        token=token,
        client_id=settings.broker.client_id,
        account=account,
        is_limited=_lives_in_real_time(settings),
        has_streams=_pushes_updates(settings),
    )


def _pushes_updates(settings: Settings) -> bool:
    """Tell whether the paper exchange of this system has the sockets: for its order updates."""
    return settings.broker.wire and has_exchange(settings) and _lives_in_real_time(settings)


def broker(settings: Settings, in_use: AccessToken) -> ChildSpec:
    """Return the broker session; one that speaks HTTP has a supervisor, with the owner of its calls before it.

    The owner of the socket of order updates is the last: it begins anew with the session, and tells it that it has.
    """
    body, options = broker_of(settings.broker)
    session = ChildSpec(BROKER, BrokerActor, settings.broker)
    service = body.service(settings.broker, options, in_use)
    if service is None:
        return session
    keeper = _keeper(settings, in_use, functools.partial(body.token_source, settings.broker))
    service = _tallied(service, settings)
    service = msgspec.structs.replace(service, halted=functools.partial(halted_by, HaltFile(*halt_paths(settings))))
    if settings.broker.wire and not _lives_in_real_time(settings):
        service = msgspec.structs.replace(service, allowances=dict.fromkeys(service.allowances, UNLIMITED))
    # Where a replay is faster than the world, updates in the world's time would come long after what they are about.
    updates = body.updates(settings.broker, options, in_use) if _lives_in_real_time(settings) else None
    group = SupervisorSettings(
        children=(
            ChildSpec(BROKER_SERVICE, ExternalActor, service),
            session,
            *([] if settings.broker.wire else [keeper]),
            *([ChildSpec(BROKER_UPDATES, UpdatesActor, updates)] if updates is not None else []),
        ),
        policy=settings.supervision,
        strategy="rest_for_one",
        shutdown_s=settings.system.shutdown_s,
        market_speed=settings.feed.speed,
    )
    return ChildSpec(BROKER_GROUP, Supervisor, group)


def reconciliation(settings: Settings) -> tuple[ChildSpec, ...]:
    """Return who compares the account with our books, where it is asked over HTTP, in the world's time.

    The exchange in this process is nobody else's.
    """
    interval_s = settings.broker.compare_interval_s
    is_by_message = has_exchange(settings) and not settings.broker.wire
    if not interval_s or is_by_message or not _lives_in_real_time(settings):
        return ()
    wanted = ReconciliationSettings(interval_s=interval_s, symbols=watched_symbols(settings))
    return (ChildSpec(RECONCILIATION, ReconciliationActor, wanted),)


def watched_symbols(settings: Settings) -> tuple[str, ...]:
    """Return the symbols whose market is wanted: those of the feed's settings, and of strategies."""
    of_strategies = (symbol for strategy in settings.strategies for symbol in strategy.symbols)
    return tuple(dict.fromkeys((*settings.feed.symbols, *of_strategies)))


def flatten_limits(settings: Settings) -> Limits:
    """Return what an order that closes a position may be."""
    of = settings.orders
    return Limits(
        quantity_max=of.quantity_max, value_max_rupees=of.value_max_rupees, price_age_max_s=of.price_age_max_s
    )


def heart(settings: Settings) -> tuple[ChildSpec, ...]:
    """Return who proves that orders and the journal work, where that is wanted."""
    interval_s = settings.kill_switch.heartbeat_interval_s
    if not interval_s:
        return ()
    beating = HeartSettings(data_dir=Path(settings.system.data_dir), interval_s=interval_s)
    return (ChildSpec(HEART, HeartActor, beating),)


def loss_exit(settings: Settings) -> tuple[ChildSpec, ...]:
    """Return who has the broker close the account at a loss of the day, where orders leave; parked at the worst."""
    of = settings.kill_switch
    if not of.loss_exit_times or mode_of(settings) != "live":
        return ()
    wanted = LossExitSettings(times=of.loss_exit_times, with_kill_switch=of.at_broker)
    return (ChildSpec(LOSS_EXIT, LossExitActor, wanted, when_exhausted="park"),)


def kill_switch(settings: Settings) -> KillSwitchActorSettings:
    """Return what the owner of the kill switch is given."""
    of = settings.kill_switch
    return KillSwitchActorSettings(
        paths=halt_paths(settings), look_interval_s=of.look_interval_s, at_broker=of.at_broker
    )


def halted_by(file: HaltFile) -> str:
    """Say that nothing may leave while the kill switch is on; empty: it is off."""
    return f"the kill switch is on: {file.where()}" if file.is_engaged() else ""


def _lives_in_real_time(settings: Settings) -> bool:
    """Tell whether a second of the market is one of the world: a broker counts requests by the latter."""
    return is_live(settings.feed) or settings.feed.speed == 1


def events_children(settings: Settings) -> tuple[ChildSpec, ...]:
    """Return the actors of events by themselves, in the order of starting; they stop in reverse."""
    return (
        ChildSpec(JOURNAL, JournalActor, settings.journal),
        ChildSpec(EVENTS, EventsActor, EventsSettings(subscriptions=(DELIVERED,))),
        ChildSpec(DELIVERY, DeliveryActor, DeliverySettings()),
        *transport(settings),
    )


def transport(settings: Settings) -> tuple[ChildSpec, ...]:
    """Return who exchanges events with other systems, where `redis.node` is set; parked at the worst."""
    if not settings.redis.node:
        return ()
    from .actors.events.transports import BridgeSettings, RedisBridge  # noqa: PLC0415  loaded where it is used

    return (ChildSpec(TRANSPORT, RedisBridge, BridgeSettings(server=settings.redis), when_exhausted="park"),)


def elsewhere(settings: Settings) -> tuple[StrategySettings, ...]:
    """Return the strategies that run on other machines."""
    return tuple(each for each in settings.strategies if each.host == "node")


def has_nodes(settings: Settings) -> bool:
    """Tell whether strategies of this system run on other machines."""
    return bool(settings.nodes.play and elsewhere(settings))


def heard_elsewhere(settings: Settings) -> tuple[Subscribe, ...]:
    """Return the subscription to what other machines hear: the ticks of the symbols of their strategies."""
    if not has_nodes(settings):
        return ()
    wanted = [each.symbols for each in elsewhere(settings)]
    symbols = dict.fromkeys(symbol for symbols in wanted for symbol in symbols) if all(wanted) else ()
    return (Subscribe(subscriber=NODES, topics=("Tick",), symbols=tuple(symbols)),)


def gate(settings: Settings) -> tuple[ChildSpec, ...]:
    """Return who lets the strategies of other machines speak here; parked at the worst: then none of them orders."""
    if not has_nodes(settings):
        return ()
    from .actors.nodes import Gate, PlaySettings  # noqa: PLC0415  loaded where it is used

    play = PlaySettings(server=settings.redis, limits=settings.nodes, strategies=elsewhere(settings))
    return (ChildSpec(NODES, Gate, play, when_exhausted="park"),)


def node_children(settings: Settings) -> tuple[ChildSpec, ...]:
    """Return the actors of a machine that runs strategies for a broker node, in the order of starting.

    It has no journal: what its supervisors say goes to the log, and by its control socket one only looks. Which
    strategies run is for its keeper to say.
    """
    from .actors.nodes import Door, Keeper, PlaySettings  # noqa: PLC0415  loaded where it is used

    exchange = None if settings.feed.exchange == "none" else settings.feed.exchange
    play = PlaySettings(server=settings.redis, limits=settings.nodes, strategies=elsewhere(settings))
    strategies = SupervisorSettings(
        children=(), policy=settings.supervision, shutdown_s=settings.system.shutdown_s, journal=""
    )
    return (
        ChildSpec(EVENTS, EventsActor, EventsSettings(exchange=exchange)),
        ChildSpec(NODES, Keeper, play),
        *(ChildSpec(name, Door) for name in ASKED_ELSEWHERE),
        ChildSpec(STRATEGIES, StrategySupervisor, strategies),
        *([_socket(settings, looks_at=LOOKED_AT)] if settings.control.enabled else []),
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
    exchange = _wired_exchange(
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


def _wired_exchange(  # noqa: PLR0913  each is a choice of who serves it
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
    from .actors.exchange.account import Listing  # noqa: PLC0415  the wire is loaded where it is served
    from .actors.exchange.served_token import ServedToken  # noqa: PLC0415
    from .actors.exchange.serving import AccountActor, AccountActorSettings  # noqa: PLC0415
    from .actors.exchange.wire.actor import WireActor  # noqa: PLC0415
    from .actors.exchange.wire.settings import WireActorSettings  # noqa: PLC0415
    from .actors.web import WebActor  # noqa: PLC0415

    listings = tuple(Listing.of(each) for each in definitions if each.security_id)
    limits = settings.exchange
    served = ServedToken(token)
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
    from .actors.exchange.streams import StreamsActor, StreamsActorSettings  # noqa: PLC0415  loaded where it is served

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


def _expect_names(settings: Settings, actors: Sequence[ChildSpec]) -> None:
    taken = {*NAMES, *(strategy.name for strategy in settings.strategies)}
    for actor in actors:
        if actor.name in taken:
            raise NameTakenError(f"a name that no other actor has is wanted, found {actor.name!r}")
        taken.add(actor.name)
