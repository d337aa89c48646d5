"""The actors of a backtest: those of a replay (`composition/`) without the ones that a backtest does not need.

Left out are the database, which would record again what the recording has, the control socket, the list of
instruments on its own thread, and the bus of domain events. In the place of others stand a journal that syncs nothing,
a feed that ends, and for the database an actor that knows the recordings before the beginning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from ...actors.events import EventsSettings
from ...actors.exchange import ExchangeActorSettings
from ...actors.supervision import ChildSpec
from ...composition import children
from ...messages.addresses import (
    CHECKPOINTS,
    CONTROL,
    DATABASE,
    DELIVERY,
    FEED,
    INSTRUMENTS,
    JOURNAL,
    ORDERS,
)
from .disk import KeptJournalActor, journal_in_memory
from .feed import BacktestFeedActor
from .past import PastActor, PastSettings
from .recorder import RECORDER, RecorderActor
from .warm_up import bars_wanted

if TYPE_CHECKING:
    from ...config.settings import Settings
    from .feed import BacktestFeedSettings

LEFT_OUT: Final = frozenset({INSTRUMENTS, CONTROL, DELIVERY, CHECKPOINTS})
"""Names of actors that a backtest does not start."""

DEAF: Final = frozenset({*LEFT_OUT, DATABASE})
"""Names of actors that are subscribed to nothing."""


def backtest_children(settings: Settings, feed: BacktestFeedSettings, *, is_kept: bool) -> tuple[ChildSpec, ...]:
    """Return every actor of a backtest, in the order of starting; `is_kept`: the files of its journal stay.

    Raises:
        NameTakenError: a strategy has the name of the recorder.
        StrategyNotFoundError, StrategyBrokenError: a strategy cannot be loaded.
    """
    found = children(settings, (ChildSpec(RECORDER, RecorderActor, None),))
    bars = bars_wanted(each.strategy for each in settings.strategies)
    return tuple(_of_a_backtest(spec, feed, bars, is_kept=is_kept) for spec in found if spec.name not in LEFT_OUT)


def _of_a_backtest(spec: ChildSpec, feed: BacktestFeedSettings, bars: dict[int, int], *, is_kept: bool) -> ChildSpec:
    actor, given = spec.actor, spec.settings
    if spec.name == JOURNAL:
        actor = KeptJournalActor if is_kept else journal_in_memory()
    elif spec.name == DATABASE:
        actor, given = PastActor, PastSettings(played=feed, bars=bars)
    elif spec.name == ORDERS:
        given = replace(given, keeps_states=False, checkpoint_facts=0)
    elif isinstance(given, ExchangeActorSettings):
        given = replace(given, has_auctions=given.has_auctions and not feed.is_made_up)
    elif spec.name == FEED:
        actor, given = BacktestFeedActor, feed
    elif isinstance(given, EventsSettings):
        heard = tuple(each for each in given.subscriptions if each.subscriber not in DEAF)
        given = replace(given, subscriptions=heard)
    return replace(spec, actor=actor, settings=given)
