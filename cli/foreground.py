"""A trading system in the foreground: shown while it runs, stopped in order by a signal, at once by a second one.

It stops in order, too, when it is not watched any more: when its terminal closes (SIGHUP), or standard output cannot be
written (the reader of a pipe has ended, the disk is full). A system without anyone watching should not hold positions;
to run it unwatched on purpose, start it with `nohup`, or with its output in a file. Without a terminal, as a service,
there is none that could close: there SIGHUP has the settings read anew.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Protocol, TypeAlias

import msgspec

from ..actors.runtime import RequestTimedOut, UnknownActorError, tuned_process
from ..domain.causes import causes_of
from ..domain.wording import counted
from ..summary import IncompleteSummaryError, StoppedInStartError, losses, summary_json
from .exit_codes import BAD_DATA, CANNOT_CREATE, INTERNAL, NOT_RECORDED, OK, REFUSED, SIGNALLED, exit_code
from .failures import Failures, Stalls, failed_strategies, has_nobody_left, lost_broker, standing_of
from .service.manager import ServiceManager
from .service.watchdog import OF_TRADING, Watchdog
from .terminal import OutputError, complain, has_terminal, out, tell, tell_object
from .views.reload import reload_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from types import FrameType

    from ..config.settings import Settings
    from ..messages.market import MarketEnded
    from ..messages.settings import ReloadRefused, SettingsReloaded
    from ..summary import Summary
    from ..system import SystemView

SummaryFormat: TypeAlias = Literal["text", "json"]
"""`json`: nothing but one JSON object on standard output."""

LOOK_S: Final = 0.25
"""Seconds between two views of the system on a screen, and the longest delay in noticing a signal."""

VIEWS_COMPARED: Final = 5
"""On a screen rates and colours compare a view with the one this many before it: a little more than a second."""

LOOKS_A_VIEW: Final = 4
"""Without a screen there is one view, and a line, in so many looks for a signal: one a second, for each asks every
actor."""

TERMINALS_WITHOUT_SCREEN: Final = frozenset({"", "dumb", "unknown"})
"""Values of `TERM` with which lines are printed, as to a file."""

LEAVE_SCREEN: Final = b"\x1b[?1049l\x1b[?25h"
"""Restores a terminal's own text and cursor."""


class Runnable(Protocol):
    """The part of `TradingSystem` that is used here."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes on how its recordings are read."""

    @property
    def stop_bound_s(self) -> float:
        """Seconds that its stop may take."""

    def start(self, *, until: Callable[[], bool]) -> None:
        """Start it, or raise; stop it, where `until` says so before it is up."""

    def await_end(self, timeout_s: float | None = None) -> MarketEnded | None:
        """Wait at most `timeout_s` seconds for the end of the market."""

    def look(self) -> SystemView:
        """Return a view of the system."""

    def request_future(self, actor: str, message: msgspec.Struct) -> Future[Any]:
        """Send a message to an actor and return a future of its answer."""

    def reload(self, *, who: str) -> SettingsReloaded | ReloadRefused:
        """Have the settings read anew."""

    def stop(self) -> Summary:
        """Stop it in order."""


class Interrupts:
    """Handles SIGINT, SIGTERM and SIGHUP: the first asks for an orderly stop, a second one ends the process at once.

    A second SIGHUP does not: a closing terminal sends one, and its shell may send another. If SIGHUP is ignored
    (`nohup`) it stays so; where no terminal could send it, it asks for the settings to be read anew. To be used on the
    main thread, as Python's signal handlers are.
    """

    def __init__(self, leave: Callable[[int], None] = os._exit, *, has_terminal: bool = True) -> None:
        """Handle nothing yet. `has_terminal` is taken now: when a SIGHUP comes, the terminal may be gone already."""
        self.asked = False
        self._reload_asked = False
        self._has_terminal: Final = has_terminal
        self.hung_up = False
        """Whether the terminal was closed: then it is no error that output cannot be printed."""

        self._leave: Final = leave

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        """Handle the signals while the context lasts."""
        heard = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            heard.append(signal.SIGHUP)
        before = {number: signal.signal(number, self._hear) for number in heard}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def take_reload(self) -> bool:
        """Tell whether the settings are to be read anew, once for each time that it was asked for."""
        if not self._reload_asked:
            return False
        self._reload_asked = False
        return True

    def _hear(self, number: int, _: FrameType | None) -> None:
        if number == signal.SIGHUP and not self._has_terminal:
            self._reload_asked = True
            return
        if number == signal.SIGHUP:
            self.hung_up = True
        elif self.asked:
            if out().isatty():
                os.write(out().fileno(), LEAVE_SCREEN)
            self._leave(SIGNALLED + number)
        self.asked = True


class Outcome(NamedTuple):
    """The outcome of a run."""

    summary: Summary
    error: str
    """Why the market ended before its end; empty if it did not."""

    unseen: str
    """Why its output could not be printed any more; empty if it could."""

    fault: Exception | None = None
    """The error that ended the system before it was asked to stop."""

    failed: tuple[str, ...] = ()
    """Strategies that failed during a replay, so that their figures are not those of the whole recording."""

    lost_broker: str = ""
    """Why the broker accepted nothing any more; empty if it did."""

    unplayed: bool = False
    """Whether it was a replay that was stopped before the end of its recording."""

    def of_a_stop(self) -> list[str]:
        """Return a note on the figures of a replay that was stopped; the stop itself is no error."""
        said = "the recording was not played to its end: the figures are those of its beginning"
        return [said] if self.unplayed else []

    def of_the_broker(self) -> list[str]:
        """Return why the broker accepted nothing any more, if so."""
        return [f"the broker took nothing more: {self.lost_broker}"] if self.lost_broker else []

    def of_the_market(self) -> list[str]:
        """Return why the market broke off, if it did."""
        return [f"the market broke off: {self.error}"] if self.error else []

    def of_strategies(self) -> list[str]:
        """Return a sentence for each strategy that failed."""
        parked = [f"failed for good, and was left behind: {each}" for each in self.summary.parked]
        return parked + [f"{each}: its figures are not those of the whole recording" for each in self.failed]

    def of_stops(self) -> list[str]:
        """Return a sentence for each actor whose stop failed."""
        return list(self.summary.stop_failures)

    def summary_with_error(self) -> Summary:
        """Return the summary, with all failures in `error`."""
        ended = self.summary.error or (_words(self.fault) if self.fault is not None else "")
        others = (self.of_a_stop, self.of_the_broker, self.of_the_market, self.of_strategies, self.of_stops)
        told = [*([ended] if ended else []), *(text for of in others for text in of())]
        return msgspec.structs.replace(self.summary, error="; ".join(told))


def perform(
    settings: Settings, make_system: Callable[[Settings], Runnable], *, summary_format: SummaryFormat = "text"
) -> int:
    """Run until the market ends or a signal comes; print everything, and return the exit code."""
    interrupts = Interrupts(has_terminal=has_terminal())
    with interrupts.heard(), tuned_process():
        try:
            outcome = _run(settings, make_system, interrupts, silent=summary_format == "json")
        except StoppedInStartError as stopped:
            complain(str(stopped))
            return OK
        # An error that kept the system from running or stopping in order is reported in words, without a traceback.
        except Exception as fault:  # noqa: BLE001
            _complain(fault)
            return exit_code(fault)
        summary = outcome.summary_with_error()
        unseen = outcome.unseen or _print_summary(summary, summary_format)
    if unseen and not interrupts.hung_up:
        complain(f"{unseen}; the system was stopped in order")
        complain(summary_text(summary))
    lost = losses(summary)
    for each in lost:
        complain(each)
    if outcome.fault is not None:
        _complain(outcome.fault)
        return exit_code(outcome.fault)
    for told, code in (
        (outcome.of_the_market(), BAD_DATA),
        (outcome.of_strategies() + outcome.of_stops(), INTERNAL),
        (outcome.of_the_broker(), REFUSED),
    ):
        if told:
            complain("\n".join(told))
            return code
    if lost:
        return NOT_RECORDED
    return CANNOT_CREATE if unseen and not interrupts.hung_up else OK


def _run(
    settings: Settings, make_system: Callable[[Settings], Runnable], interrupts: Interrupts, *, silent: bool
) -> Outcome:
    system = make_system(settings)
    manager = ServiceManager.of_this_process()
    name = f"{settings.system.profile}, in {settings.system.data_dir}"
    manager.stands(f"{name}: it starts")
    system.start(until=lambda: interrupts.asked)
    manager.ready(name)
    for note in system.notes:
        complain(note)
    ended, unseen = None, ""
    feed = settings.feed
    watch = Watch(
        system,
        interrupts,
        is_replay=feed.source == "replay",
        is_paced=feed.speed > 0,
        manager=manager,
        name=name,
    )
    try:
        try:
            with _display(settings.system.profile, silent=silent) as display:
                ended = watch.until_the_end(display)
        except OutputError as fault:
            unseen = str(fault)
        finally:
            manager.stopping(system.stop_bound_s)
            watch.tell_failures()
    except Exception as fault:  # noqa: BLE001  reported by the caller, after the summary
        try:
            return Outcome(system.stop(), "", unseen, fault)
        except IncompleteSummaryError:  # the first error is the one to report
            raise fault from fault.__cause__
    except BaseException:
        with contextlib.suppress(IncompleteSummaryError):
            system.stop()
        raise
    error = ended.error if ended is not None else ""
    unplayed = ended is None and settings.feed.source == "replay"
    return Outcome(system.stop(), error, unseen, failed=watch.failed, lost_broker=watch.lost_broker, unplayed=unplayed)


class Display(NamedTuple):
    """How the system is shown."""

    show: Callable[[SystemView, SystemView], None]
    """Shows a view, and how it differs from an earlier one."""

    has_terminal: bool
    """Whether it uses the whole terminal, so that nothing else may be printed meanwhile."""


class Watch:
    """Views a system until it ends, shows the views, and reports each failure once, with its traceback."""

    def __init__(  # noqa: PLR0913  what it watches, and whom it tells
        self,
        system: Runnable,
        interrupts: Interrupts,
        *,
        is_replay: bool,
        is_paced: bool = False,
        manager: ServiceManager | None = None,
        name: str = "",
    ) -> None:
        self._system = system
        self._manager = manager or ServiceManager()
        self._name = name
        self._watchdog = Watchdog(self._manager, OF_TRADING, system.request_future)
        self._interrupts = interrupts
        self._is_replay = is_replay
        self._is_paced = is_replay and is_paced
        self._failures = Failures()
        self._stalls = Stalls()
        self._untold: list[str] = []

        self.lost_broker = ""
        """Why the broker accepted nothing at the last look."""

        self.failed: tuple[str, ...] = ()
        """Strategies of a replay that have failed so far; without a replay none is listed."""

    def until_the_end(self, display: Display) -> MarketEnded | None:
        """Return the end of the market; None if a signal came first, or nobody is left in a replay that takes its time.

        One at full speed plays on to its end, soon enough: when a look finds nobody left is a matter of chance, and
        would decide which of the orders that rest are filled, and the profit.
        """
        looks_a_view, compared = (1, VIEWS_COMPARED) if display.has_terminal else (LOOKS_A_VIEW, 1)
        views = deque([self._look()], maxlen=compared + 1)
        looks = 0
        while not self._interrupts.asked:
            ended = self._system.await_end(LOOK_S)
            looks += 1
            self._watchdog.look(time.monotonic_ns())
            if ended is None and self._interrupts.take_reload():
                self._untold += self._reload()
            if ended is None and looks % looks_a_view:
                continue
            views.append(self._look())
            if ended is not None:
                return ended
            if not display.has_terminal:
                self.tell_failures()
            display.show(views[-1], views[0])
            if self._is_paced and has_nobody_left(views[-1].tree):
                return None
        self._look()  # what has failed since the last view is told, too
        return None

    def tell_failures(self) -> None:
        """Print on standard error what has failed since the last call."""
        for told in self._untold:
            complain(told)
        self._untold.clear()

    def _reload(self) -> list[str]:
        """Have the settings read anew, and return the outcome in words; the system runs on in any case."""
        try:
            answer = self._system.reload(who="SIGHUP")
        except (RequestTimedOut, UnknownActorError) as fault:
            return [f"the settings were not read anew: {fault}"]
        return reload_lines(answer)

    def _look(self) -> SystemView:
        view = self._system.look()
        self._manager.stands(f"{self._name}: {standing_of(view)}")
        self._untold += self._failures.fresh(view.tree)
        self._untold += self._stalls.fresh(view)
        self.lost_broker = lost_broker(view.tree)
        if self._is_replay:
            self.failed = failed_strategies(view.tree) or self.failed
        return view


@contextlib.contextmanager
def _display(profile: str, *, silent: bool) -> Iterator[Display]:
    if silent:
        yield Display(lambda _now, _before: None, has_terminal=False)
    elif out().isatty() and os.environ.get("TERM", "dumb") not in TERMINALS_WITHOUT_SCREEN:
        from rich.live import Live  # noqa: PLC0415  only a terminal needs them

        from .views.screen import screen  # noqa: PLC0415
        from .views.tables import PlainConsole  # noqa: PLC0415

        console = PlainConsole()

        def draw(now: SystemView, before: SystemView) -> None:
            size = console.size  # read anew: the window may have been resized
            live.update(screen(profile, now, before, width=size.width, height=size.height), refresh=True)

        with Live(console=console, screen=True, auto_refresh=False) as live:
            yield Display(draw, has_terminal=True)
    else:
        yield Display(_lines(), has_terminal=False)


def _lines() -> Callable[[SystemView, SystemView], None]:
    from .views.screen import line  # noqa: PLC0415  only a run needs it

    def show(now: SystemView, before: SystemView) -> None:
        tell(line(now, before))
        out().flush()

    return show


def _print_summary(summary: Summary, summary_format: SummaryFormat) -> str:
    """Print the summary; return why it could not be printed, or an empty text."""
    try:
        if summary_format == "json":
            tell_object(summary_json(summary))
        else:
            tell(summary_text(summary))
        out().flush()
    except OutputError as fault:
        return str(fault)
    return ""


def summary_text(summary: Summary) -> str:
    """Return a summary as text for people."""
    positions = ", ".join(f"{symbol} {quantity:+}" for symbol, quantity in summary.positions.items())
    refused = ", ".join(f"{rule} {count:,}" for rule, count in summary.refused.items())
    latency = summary.tick_to_strategy_us
    heard = f"{counted(summary.ticks, 'tick')}, {counted(summary.candles, 'candle')}"
    traded = f"{counted(summary.orders, 'order')}, {counted(summary.fills, 'fill')}"
    return f"""\
{heard} in {summary.wall_s:,.1f} s, {summary.ticks_per_s:,.0f} ticks/s
{counted(summary.recorded, "tick")}, {counted(summary.recorded_candles, "candle")} are recorded
{traded}, {summary.rejected:,} rejected; positions: {positions or "none"}
{f"refused by rule: {refused}{chr(10)}" if refused else ""}\
P&L {summary.realized_pnl:+,.2f} rupees realized, {summary.unrealized_pnl:+,.2f} unrealized
tick to strategy {latency.p50:,.0f} us, p99 {latency.p99:,.0f} us
{summary.restarts:,} restarts, {summary.dead_letters:,} dead letters
{summary.events_journaled:,} facts in the journal {summary.journal}
databases {summary.databases.core} and {summary.databases.market}\
{"".join(f"{chr(10)}parked: {each}" for each in summary.parked)}\
{f"{chr(10)}failed: {summary.error}" if summary.error else ""}"""


def _complain(fault: BaseException) -> None:
    complain(_words(fault))
    said = _words(fault)
    for cause in itertools.islice(causes_of(fault), 1, None):
        if str(cause) not in said:
            complain(f"  because of {type(cause).__name__}: {cause}")


def _words(fault: BaseException) -> str:
    return str(fault) or type(fault).__name__
