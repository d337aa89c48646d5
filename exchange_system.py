"""`ExchangeSystem`: the paper exchange by itself, for any client that speaks Dhan's protocol."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec

from .actors.feed import is_live, look_ahead
from .actors.instruments.built_in import BuiltIn
from .actors.runtime import InProcessSystemBase, SystemClock
from .actors.supervision import SupervisorSettings
from .actors.web import expect_free
from .composition import exchange_children
from .config.secrets import Secret
from .messages.addresses import STREAMS, WIRE
from .messages.exchange import FindWire, WireFound
from .messages.instruments import FindInstrument
from .supervised_system import SupervisedSystem

if TYPE_CHECKING:
    from .config.settings import Settings
    from .messages.instruments import InstrumentDefinition

FIND_TIMEOUT_S: Final = 10.0


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """How the exchange is served."""

    token: Secret
    """What the client has to give."""

    client_id: str
    has_market: bool = True
    """Whether the feed's market is played; without it prices are set by hand alone."""

    has_faults: bool = False
    is_limited: bool = True
    consent_redirect: str = ""
    """Where an application waits for a person who agreed to its login; empty: a page of the exchange."""


class ExchangeSystem(SupervisedSystem):
    """Journal, events, exchange, web server, and a market."""

    KIND: ClassVar[str] = "exchange"

    def __init__(self, settings: Settings, serving: Serving) -> None:
        """Open nothing yet."""
        super().__init__(settings)
        self._serving: Final = serving
        self.notes: tuple[str, ...] = ()
        """How the recordings that are replayed are understood; known once it is started."""

    def start(self) -> None:
        """Take the data directory, start every actor, and return when the protocol is spoken.

        A recording, or a market at another speed than that of the world, has a time of its own; the exchange lives in
        it. Else it lives in the machine's time.

        Raises:
            AddressTakenError: the address of `[web]` cannot be listened on.
            DataDirectoryBusyError: another process works in it.
            RecordingError: a recording is missing, empty or none.
            SystemGaveUpError: an actor could not be started.
        """
        settings, clock = self.settings, SystemClock()
        expect_free(settings.web)
        opening_ns: int | None = None
        if self._serving.has_market:
            outlook = look_ahead(settings.feed)
            self.notes = outlook.notes
            if settings.feed.source == "replay" or (settings.feed.speed != 1 and not is_live(settings.feed)):
                opening_ns = clock.now_ns() if outlook.opening_ns is None else outlook.opening_ns
        self._run(
            lambda: InProcessSystemBase(
                market_opening_ns=opening_ns,
                seed=settings.feed.seed,
                stall_warn_s=settings.system.stall_warn_s,
                trace_every=settings.system.trace_every,
            ),
            lambda: SupervisorSettings(
                children=exchange_children(
                    settings,
                    token=self._serving.token,
                    client_id=self._serving.client_id,
                    definitions=_built_in(),
                    has_market=self._serving.has_market,
                    has_faults=self._serving.has_faults,
                    is_limited=self._serving.is_limited,
                    consent_redirect=self._serving.consent_redirect,
                ),
                policy=settings.supervision,
                root=True,
                shutdown_s=settings.system.shutdown_s,
            ),
        )

    def found(self) -> WireFound:
        """Tell where the protocol is spoken."""
        wire: WireFound = self.runtime.request(WIRE, FindWire(), timeout_s=FIND_TIMEOUT_S)
        sockets: WireFound = self.runtime.request(STREAMS, FindWire(), timeout_s=FIND_TIMEOUT_S)
        return msgspec.structs.replace(sockets, rest=wire.rest)


def _built_in() -> tuple[InstrumentDefinition, ...]:
    listed, _ = BuiltIn().find(FindInstrument(rows_max=10_000), date.max)
    return tuple(instrument.definition() for instrument in listed)
