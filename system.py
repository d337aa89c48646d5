"""`TradingSystem`: start, observe, ask and stop the whole system. `composition/` lists its actors."""

from __future__ import annotations

import contextlib
import logging
import time
from concurrent.futures import FIRST_COMPLETED, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import msgspec

from .actors.control import Operate
from .actors.database import prove_encryption
from .actors.feed import is_live, look_ahead
from .actors.observability import logging_to
from .actors.runtime import (
    InProcessSystem,
    InProcessSystemBase,
    RequestTimedOut,
    SystemClock,
    UnknownActorError,
    lifecycle,
    to_the_end,
)
from .actors.supervision import AwaitSystemStop, StopChildren, Supervisor, SupervisorSettings, stop_bound_s
from .bodies import expect_bodies
from .composition import candles_wanted, children, notes_on, seed_of
from .config.data_directory import DataDirectory, DataDirectoryMovedError
from .config.heartbeat import HEARTBEAT_NAME, Heartbeat
from .config.in_force import InForce
from .domain.time import SECOND_NS
from .messages.addresses import CONTROL, DATABASE, FEED, SETTINGS, STRATEGIES, SYSTEM
from .messages.control import AskRefused
from .messages.market import AwaitMarketEnd, MarketEnded
from .messages.settings import ReloadSettings
from .messages.supervision import DescribeTree, SupervisionTree
from .messages.system import Ping, Pong, Statistics
from .strategy_changes import StrategyChanges
from .summary import StoppedInStartError, Summary, nothing_recorded, summarize
from .system_services import Start, SystemServices

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from types import TracebackType

    from .actors.feed import Outlook
    from .actors.supervision import ChildSpec
    from .config.loader import LoadedSettings
    from .config.settings import Settings
    from .messages.settings import ReloadRefused, SettingsReloaded
    from .messages.trace import Hop

TREE: Final = "the tree"
"""Key of the tree among the answers by actor name; no actor's name has a space."""

START_LOOK_S: Final = 0.25
"""Seconds between two looks whether a system that starts is to stop."""

START_HELD_S: Final = 60.0
"""Seconds that the event loop may be held while the system starts; longer is an error."""

START_TOLD_S: Final = 10.0
"""From one line in the log that the system still starts to the next."""

LOOK_TIMEOUT_S: Final = 1.0

ENDED_S: Final = 10.0
"""Seconds that the root may take to say that all have ended."""

_log = logging.getLogger("natya")


class SystemGaveUpError(Exception):
    """The root supervisor gave up: a child failed more often than the policy allows. The log says which."""


class SystemNotRunningError(Exception):
    """The system was not started, or has stopped."""


class SystemView(msgspec.Struct, frozen=True, kw_only=True):
    """The system at one moment: the statistics of its actors, by name; an actor that is busy or down is absent."""

    running_s: float

    dead_letters: int
    """Messages that no handler completed, since the start."""

    statistics: dict[str, Statistics]

    stalls: int = 0
    """Turns that held the event loop longer than `system.stall_warn_s`, since the start."""

    held_by: str = ""
    """Which actor has held the event loop for longer than that now, and at which line; empty if none."""

    held_s: float = 0.0
    """For how many seconds it has."""

    tree: SupervisionTree | None = None
    """State of every actor; None when the root was busy."""


def start_root(runtime: InProcessSystem, root: SupervisorSettings, until: Callable[[], bool] = lambda: False) -> bool:
    """Start the root supervisor, and wait until all its children are up or it has given up on one.

    However long that takes: who reads files back needs as long as they are, and each child has a bound of its own.

    Args:
        runtime: in which nothing runs yet.
        root: its settings.
        until: asked every quarter of a second: is it to stop before?

    Returns:
        False: it is to stop before.

    Raises:
        RequestTimedOut: an actor held the event loop for `START_HELD_S`.
        Exception: whatever its `on_start` raised.
    """
    started = runtime.begin(SYSTEM, Supervisor, root)
    asked: Future[SupervisionTree] | None = None
    told_ns = asked_ns = time.monotonic_ns()
    while not wait((started,), timeout=START_LOOK_S).done:
        if until():
            return False
        now_ns = time.monotonic_ns()
        if asked is None and now_ns - told_ns >= START_TOLD_S * SECOND_NS:
            asked, asked_ns = runtime.request_future(SYSTEM, DescribeTree()), now_ns
        elif asked is not None and asked.done():
            starting = [child.path for child in asked.result().children if child.state in {"STARTING", "RESTARTING"}]
            _log.info("system.starting", extra={"actor": SYSTEM, "fields": {"waits_for": ", ".join(starting)}})
            asked, told_ns = None, now_ns
        elif asked is not None and now_ns - asked_ns >= START_HELD_S * SECOND_NS:
            raise RequestTimedOut(f"nobody has answered for {START_HELD_S:g} s while it started")
    outcome = started.result()
    if isinstance(outcome, lifecycle.StartFailed):
        raise outcome.error
    return True


def settle(runtime: InProcessSystem) -> None:
    """Wait for an answer of the root, so that a root that gave up in its start has reported it.

    An actor that holds the event loop from its first message on prevents any answer: the stall is reported while the
    system runs.
    """
    with contextlib.suppress(RequestTimedOut):
        runtime.request(SYSTEM, Ping())


class TradingSystem(StrategyChanges, SystemServices):
    """The whole system, seen from outside. A context manager that starts and stops it.

    All methods but `request_async` block, so they must not be called from inside an actor. In a coroutine use
    `async with`, which starts and stops on another thread.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        actors: Sequence[ChildSpec] = (),
        read_again: Callable[[], LoadedSettings] | None = None,
    ) -> None:
        """Open nothing yet.

        Args:
            settings: from `natya.load_settings`.
            actors: of your own, started before the strategies and supervised by the root: one that fails more often
                than its breaker allows stops the system, unless its spec says `when_exhausted="park"`.
            read_again: reads the settings once more from where they came from, for `reload`; it may block. None: they
                cannot be.

        Raises:
            NameTakenError: one of `actors` has the name of another actor.
            SettingsError: a number is out of its range, the broker or the source of market data refuses its options, or
                there is none of that name.
            StrategyNotFoundError, StrategyBrokenError: a strategy cannot be loaded.
        """
        expect_bodies(settings)
        self.settings: Final = settings
        self._children: Final = children(settings, actors, in_force=InForce(settings, read_again))
        self.notes: tuple[str, ...] = ()
        """How recordings are understood, and whether it is a dry run; known once it is started."""

        self._directory: Final = DataDirectory(settings.system.data_dir)
        self._clock: Final = SystemClock()
        self._started_ns = 0
        self._undo: Final = contextlib.ExitStack()
        self._runtime: InProcessSystem | None = None
        self._market_end: Future[Any] | None = None
        self._root_end: Future[Any] | None = None
        self._why_it_ended = ""
        self._summary: Summary | None = None

    start = Start()
    """`begin`; of the class: `TradingSystem.start("paper", config=…, overrides={…})` makes one of a profile, too."""

    def __enter__(self) -> Self:
        if self._is_to_begin():
            self.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        if self._is_to_begin():
            await to_the_end(self.begin, undo=lambda _: self.stop())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await to_the_end(self.stop)

    def _is_to_begin(self) -> bool:
        return self._runtime is None or self._summary is not None

    def begin(self, *, until: Callable[[], bool] = lambda: False) -> None:
        """Take the data directory and start every actor; return when all are up and orders has reconciled.

        Args:
            until: says that it is to stop, and is asked several times a second; then it is stopped in order at once.

        Raises:
            StoppedInStartError: `until` has said so before all were up.
            DataDirectoryBusyError: another process works in it.
            DatabaseEncrypted: the settings have a key for the database, and this DuckDB cannot encrypt safely.
            RecordingError: a recording to be replayed is missing, empty or not a recording; nothing was started.
            SystemGaveUpError: a child could not be started.
        """
        self._started_ns = self._clock.monotonic_ns()
        outlook = look_ahead(self.settings.feed)
        outlook.expect_candles(candles_wanted(self.settings) if outlook.candle_lengths else ())
        self.notes = (*outlook.notes, *notes_on(self.settings))
        prove_encryption(self.settings.database.encryption_key.reveal())
        with contextlib.ExitStack() as undo:
            self._directory.take()
            undo.callback(self._directory.release)
            undo.enter_context(logging_to(self.settings))
            of_all = self.settings.system
            base = InProcessSystemBase(
                market_opening_ns=self._opening_ns(outlook),
                seed=seed_of(self.settings),
                stall_warn_s=of_all.stall_warn_s,
                trace_every=of_all.trace_every,
            )
            runtime = undo.enter_context(InProcessSystem(base))
            root = SupervisorSettings(
                children=self._children,
                policy=self.settings.supervision,
                root=True,
                shutdown_s=of_all.shutdown_s,
            )
            has_started = start_root(runtime, root, until)
            self._root_end = runtime.request_future(SYSTEM, AwaitSystemStop())
            if not has_started:
                runtime.request(SYSTEM, StopChildren(), timeout_s=self.stop_bound_s)
                self._tell_deadman()
                raise StoppedInStartError(f"stopped in order after {self._elapsed_s():.1f} s, before it was up")
            settle(runtime)
            self._raise_if_given_up()
            self._market_end = runtime.request_future(FEED, AwaitMarketEnd())
            self._runtime = runtime
            self._undo.push(undo.pop_all())

    def _opening_ns(self, outlook: Outlook) -> int | None:
        """Return when the time of a simulated market begins; None: the market is live, and its time the machine's."""
        if is_live(self.settings.feed):
            return None
        return self._clock.now_ns() if outlook.opening_ns is None else outlook.opening_ns

    def await_end(self, timeout_s: float | None = None) -> MarketEnded | None:
        """Wait for the end of the market, at most `timeout_s` seconds (None: without limit); None if it goes on.

        Raises:
            SystemGaveUpError: the root supervisor gave up, or the data directory was moved away.
        """
        assert self._market_end is not None, "the system was started"
        assert self._root_end is not None, "the system was started"
        wait((self._market_end, self._root_end), timeout=timeout_s, return_when=FIRST_COMPLETED)
        self._raise_if_given_up()
        try:
            self._directory.expect_in_place()
        except DataDirectoryMovedError as fault:
            raise SystemGaveUpError(str(fault)) from fault
        if not self._market_end.done():
            return None
        answer = self._market_end.result()
        if isinstance(answer, MarketEnded):
            return answer
        self._market_end = self._running.request_future(FEED, AwaitMarketEnd())
        return None

    def look(self) -> SystemView:
        """Ask every actor for its statistics, for at most a second; cheap enough to be drawn several times a second."""
        runtime = self._running
        asked: dict[str, Future[Any]] = {TREE: runtime.request_future(SYSTEM, DescribeTree())}
        for name in self._names():
            with contextlib.suppress(UnknownActorError):  # gone for the moment, or for good
                asked[name] = runtime.request_future(name, Ping())
        wait(asked.values(), timeout=LOOK_TIMEOUT_S)
        # A later answer is no dead letter: nothing is lost, and the caller asks again.
        answers = {name: future.result() for name, future in asked.items() if future.done()}
        tree = answers.pop(TREE, None)
        watchdog = runtime.base.watchdog
        held = None if watchdog is None else watchdog.held
        return SystemView(
            tree=tree if isinstance(tree, SupervisionTree) else None,
            running_s=self._elapsed_s(),
            dead_letters=runtime.base.dead_letters.count,
            stalls=0 if watchdog is None else watchdog.stalls,
            held_by="" if held is None else f"{held.actor} at {held.place}",
            held_s=0.0 if watchdog is None else watchdog.held_s(),
            statistics={name: answer.statistics for name, answer in answers.items() if isinstance(answer, Pong)},
        )

    @property
    def runtime(self) -> InProcessSystem:
        """The actors, for programs that embed it.

        Raises:
            SystemNotRunningError: it was not started, or has stopped.
        """
        return self._running

    def request_future(self, actor: str, message: msgspec.Struct, *, correlation_id: str = "") -> Future[Any]:
        """Send a message to an actor by name and return a future of its answer, be it `Failed` or `Unavailable`."""
        return self._running.request_future(actor, message, correlation_id=correlation_id)

    def supervision_tree(self) -> SupervisionTree:
        """Describe every actor: state, host, restarts, breaker, mailbox depth, last error."""
        tree: SupervisionTree = self._running.request(SYSTEM, DescribeTree(), timeout_s=LOOK_TIMEOUT_S)
        return tree

    def trace(self, correlation_id: str = "") -> tuple[Hop, ...]:
        """Return the recorded hops of an order, by its client order id, or of a request; without an id the newest."""
        return self._running.trace(correlation_id)

    def request(self, actor: str, message: msgspec.Struct, *, timeout_s: float, correlation_id: str = "") -> Any:
        """Send a message to an actor by name and return its answer, which may be `Failed` or `Unavailable`.

        With a correlation id of your choice `trace` tells afterwards where the time went.

        Raises:
            RequestTimedOut: no answer came in time; a late one is dropped.
        """
        return self._running.request(actor, message, timeout_s=timeout_s, correlation_id=correlation_id)

    async def request_async(
        self, actor: str, message: msgspec.Struct, *, timeout_s: float, correlation_id: str = ""
    ) -> Any:
        """As `request`, awaited.

        Raises:
            RequestTimedOut: no answer came in time; a late one is dropped.
        """
        return await self._running.request_async(actor, message, timeout_s=timeout_s, correlation_id=correlation_id)

    def reload(self, *, who: str = "its own process", timeout_s: float = 30.0) -> SettingsReloaded | ReloadRefused:
        """Have the settings read anew, and put those in force that have changed, all or none.

        Args:
            who: has it done, as the audit shows it.
            timeout_s: how long it may take.

        Raises:
            UnknownActorError: `control.enabled` is false, so that no actor does that.
            RequestTimedOut: no answer came in time.
        """
        wanted = Operate(
            operation="reload-settings", actor=SETTINGS, message=ReloadSettings(), timeout_s=timeout_s, client=who
        )
        answer: SettingsReloaded | ReloadRefused | AskRefused = self.request(CONTROL, wanted, timeout_s=timeout_s)
        if isinstance(answer, AskRefused):
            raise RequestTimedOut(answer.reason)
        return answer

    def stop(self) -> Summary:
        """Stop every actor, the feed first and the journal last, and return the summary; a repeat returns the same one.

        An actor that does not stop within `system.shutdown_s` is killed; `stop_bound_s` says how long all may take. The
        data directory is free afterwards.

        Raises:
            SystemNotRunningError: it was never started.
            IncompleteSummaryError: an actor other than the database ended without its statistics.
        """
        if self._summary is None:
            with self._undo:
                runtime = self._running
                stopped = runtime.request(SYSTEM, StopChildren(), timeout_s=self.stop_bound_s)
                self._tell_deadman()
            statistics = dict(stopped.statistics)
            # Trading goes on while the database is down, so a summary does not need its statistics.
            statistics.setdefault(f"{SYSTEM}/{DATABASE}", nothing_recorded(self.settings.database))
            self._summary = summarize(
                self.settings.system.profile,
                statistics,
                dead_letters=runtime.base.dead_letters.count,
                wall_s=self._elapsed_s(),
                stop_failures=stopped.told(),
                error=self._why_it_ended,
            )
        return self._summary

    @property
    def _running(self) -> InProcessSystem:
        if self._runtime is None:
            raise SystemNotRunningError("start the system first")
        return self._runtime

    def _tell_deadman(self) -> None:
        """Say that the end is in order, so that open orders are left open; a system that gave up is dead."""
        assert self._root_end is not None, "the system was started"
        if self._root_end.result(timeout=self.stop_bound_s).exit_code:
            return
        with contextlib.suppress(OSError):
            Heartbeat(Path(self.settings.system.data_dir) / HEARTBEAT_NAME).end()

    def _raise_if_given_up(self) -> None:
        if self._root_end is not None and self._root_end.done():
            stopped = self._root_end.result()
            self._why_it_ended = stopped.reason
            raise SystemGaveUpError(stopped.reason) from stopped.error

    def _elapsed_s(self) -> float:
        return (self._clock.monotonic_ns() - self._started_ns) / SECOND_NS

    @property
    def stop_bound_s(self) -> float:
        """Seconds after which a stop has ended, though each actor had to be killed."""
        return stop_bound_s(self._children, self.settings.system.shutdown_s) + ENDED_S

    def _names(self) -> tuple[str, ...]:
        return (
            *(child.name for child in self._children if child.name != STRATEGIES),
            SYSTEM,
            *(strategy.name for strategy in self.settings.strategies),
        )
