"""`ExchangeSystem`: the paper exchange by itself, for any client that speaks Dhan's protocol."""

from __future__ import annotations

import contextlib
from concurrent.futures import wait
from datetime import date
from typing import TYPE_CHECKING, Final, Self

import msgspec

from .actors.feed import is_live, look_ahead
from .actors.instruments.built_in import BuiltIn
from .actors.observability import logging_to
from .actors.runtime import InProcessSystem, InProcessSystemBase, SystemClock
from .actors.supervision import AwaitSystemStop, StopChildren, Supervisor, SupervisorSettings
from .actors.web import expect_free
from .composition import exchange_children
from .config.data_directory import DataDirectory, DataDirectoryMovedError
from .config.secrets import Secret
from .messages.addresses import STREAMS, SYSTEM, WIRE
from .messages.exchange import FindWire, WireFound
from .messages.instruments import FindInstrument
from .messages.system import Ping
from .system import START_TIMEOUT_S, SystemGaveUpError, SystemNotRunningError

if TYPE_CHECKING:
    from concurrent.futures import Future
    from types import TracebackType
    from typing import Any

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


class ExchangeSystem:
    """Journal, events, exchange, web server, and a market. A context manager that starts and stops it."""

    def __init__(self, settings: Settings, serving: Serving) -> None:
        """Open nothing yet."""
        self.settings: Final = settings
        self._serving: Final = serving
        self._directory: Final = DataDirectory(settings.system.data_dir)
        self._undo: Final = contextlib.ExitStack()
        self._runtime: InProcessSystem | None = None
        self._root_end: Future[Any] | None = None
        self.notes: tuple[str, ...] = ()
        """How the recordings that are replayed are understood; known once it is started."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

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
        with contextlib.ExitStack() as undo:
            self._directory.take()
            undo.callback(self._directory.release)
            undo.enter_context(logging_to(settings))
            base = InProcessSystemBase(
                market_opening_ns=opening_ns,
                seed=settings.feed.seed,
                stall_warn_s=settings.system.stall_warn_s,
                trace_every=settings.system.trace_every,
            )
            runtime = undo.enter_context(InProcessSystem(base))
            children = exchange_children(
                settings,
                token=self._serving.token,
                client_id=self._serving.client_id,
                definitions=_built_in(),
                has_market=self._serving.has_market,
                has_faults=self._serving.has_faults,
                is_limited=self._serving.is_limited,
            )
            root = SupervisorSettings(
                children=children, policy=settings.supervision, root=True, shutdown_s=settings.system.shutdown_s
            )
            runtime.start(SYSTEM, Supervisor, root, timeout_s=START_TIMEOUT_S)
            self._root_end = runtime.request_future(SYSTEM, AwaitSystemStop())
            runtime.request(SYSTEM, Ping())  # answered in order: if the root gave up, `_root_end` is done by now
            self._runtime, self._stop_s = runtime, settings.system.shutdown_s * (len(children) + 1)
            self.expect_running(0.0)
            self._undo.push(undo.pop_all())

    def found(self) -> WireFound:
        """Tell where the protocol is spoken."""
        from .actors.exchange.streams import FindStreams  # noqa: PLC0415  the sockets are loaded where they are served

        answer: WireFound = self._running.request(WIRE, FindWire(), timeout_s=FIND_TIMEOUT_S)
        found = self._running.request(STREAMS, FindStreams(), timeout_s=FIND_TIMEOUT_S)
        return msgspec.structs.replace(answer, feed=found.feed, depth=found.depth, order_update=found.order_update)

    @property
    def runtime(self) -> InProcessSystem:
        """The actors, for tests and for programs that embed it."""
        return self._running

    def expect_running(self, timeout_s: float) -> None:
        """Wait so many seconds; raise as soon as it does not run any more.

        Raises:
            SystemGaveUpError: the root supervisor gave up, or the data directory was moved away.
        """
        assert self._root_end is not None, "it was started"
        wait((self._root_end,), timeout=timeout_s)
        if self._root_end.done():
            stopped = self._root_end.result()
            raise SystemGaveUpError(stopped.reason) from stopped.error
        try:
            self._directory.expect_in_place()
        except DataDirectoryMovedError as fault:
            raise SystemGaveUpError(str(fault)) from fault

    def stop(self) -> None:
        """Stop every actor, the market first and the journal last; a repeat does nothing."""
        runtime, self._runtime = self._runtime, None
        if runtime is not None:
            with self._undo:
                runtime.request(SYSTEM, StopChildren(), timeout_s=self._stop_s)

    @property
    def _running(self) -> InProcessSystem:
        if self._runtime is None:
            raise SystemNotRunningError("start the exchange first")
        return self._runtime


def _built_in() -> tuple[InstrumentDefinition, ...]:
    listed, _ = BuiltIn().find(FindInstrument(rows_max=10_000), date.max)
    return tuple(instrument.definition() for instrument in listed)
