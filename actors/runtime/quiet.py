"""Detecting that no actor has work, so that a simulated market may take its next step and its time advance.

A market also waits for every actor that is down or starting: an actor that is restarted misses no message of it. And it
waits for the answer to each question that an actor of its time asks of a `background` actor: the work of that one does
not count, but what is waited for does. What a guest (a strategy) offloads is such a question, to a thread of its own.
What worker processes say is heard when the loop has no work and each of them has done what it was asked for, in the
order in which their actors first began: which of them is done first is a matter of chance.

The test runs where the loop would go to sleep, so a system that never waits for quiet pays nothing. It must be exact,
but no lock covers the whole system; two looks do instead. If both find every thread asleep, with nothing ready, and no
thread woke between them (`wakes` unchanged), then all of them slept at one and the same moment between the looks. Where
no thread is to be watched, one look is enough: a job delivers its outcome before it counts as ended.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from thespian.actors import ActorAddress

    from .cell import Cell
    from .endpoint import Endpoint
    from .market_clock import MarketClock
    from .timers import Timer
    from .trace import Trace
    from .worker import Worker


class Speaker(Protocol):
    """A worker process, whose words wait until it is heard."""

    def has_said_all(self) -> bool:
        """Tell whether it has done what it was asked for, has failed, or is gone."""
        ...

    def has_words(self) -> bool:
        """Tell whether something that it has said waits."""
        ...

    def speak(self) -> None:
        """Deliver what it has said; on the loop."""
        ...


class Question:
    """What a simulated market waits for: what a background actor, or a thread of its own, owes to a life of a cell."""

    __slots__ = ("_life", "cell", "deliver")

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self._life = cell.life
        self.deliver: Callable[[], object] | None = None
        """Hands the outcome over, once it is there."""

    @property
    def is_void(self) -> bool:
        """Whether the actor that waits for it has ended or was restarted."""
        return self.cell.dead or self.cell.life != self._life


class Quiescence:
    """The actors that wait for quiet, and the test for it. Watched: threads of blocking actors, not `background`."""

    __slots__ = (
        "_alarm", "_callers", "_coming", "_down", "_loop", "_market", "_offloads", "_offloads_begun", "_offloads_lock",
        "_questions", "_retired", "_speakers", "_waiters", "_watched",
    )  # fmt: skip

    def __init__(self, market: MarketClock) -> None:
        self._market = market
        self._waiters: deque[tuple[Cell, int, Any, int | None, bool]] = deque()
        self._callers: deque[tuple[Endpoint, Any, ActorAddress, Trace]] = deque()
        self._questions: deque[Question] = deque()
        self._speakers: dict[Cell, Speaker] = {}
        self._down: dict[Cell, None] = {}
        self._coming: dict[Cell, bool] = {}
        self._alarm: Timer | None = None
        self._watched: tuple[Worker, ...] = ()
        self._loop: Worker | None = None
        self._offloads_lock = threading.Lock()
        self._offloads = 0
        self._offloads_begun = 0
        self._retired = 0

    def attach(self, loop: Worker) -> None:
        """Set the shared loop, which runs the test."""
        self._loop = loop

    def watch(self, worker: Worker) -> None:
        """Include this thread in the test."""
        with self._offloads_lock:
            self._watched = (*self._watched, worker)

    def unwatch(self, worker: Worker) -> None:
        """Exclude it: its actor has ended."""
        with self._offloads_lock:
            self._watched = tuple(each for each in self._watched if each is not worker)
            self._retired += worker.wakes + 1
        self.something_ended()

    def wait(self, cell: Cell, message: Any, at_ns: int | None, *, ends: bool = False) -> None:
        """Deliver the message to this cell when all is quiet; one at a time, first come first served.

        With `at_ns` not before the market has advanced to that time, paced in real time; `ends` as of `when_quiet`.
        """
        self._waiters.append((cell, cell.life, message, at_ns, ends))
        if self._loop is not None and self._loop.asleep:
            self._loop.wake()

    def goes_down(self, cell: Cell) -> None:
        """Make the market wait for this cell, which is suspended until it is restarted or ended."""
        if not cell.background:
            self._down[cell] = None

    def comes_up(self, cell: Cell, *, in_market_time: bool) -> None:
        """Make the market wait until it has started; one that uses market time may need that to advance first."""
        if not cell.background:
            self._coming[cell] = in_market_time

    def is_back(self, cell: Cell) -> None:
        """Stop waiting for it: it is not down any more."""
        if self._down.pop(cell, cell) is None:
            self.something_ended()

    def is_up(self, cell: Cell) -> None:
        """Stop waiting for it: it has started, or failed to."""
        if self._coming.pop(cell, None) is not None:
            self.something_ended()

    def awaited(self) -> tuple[str, ...]:
        """Return the names of actors that are down or starting, for which a simulated market waits."""
        return tuple(dict.fromkeys(cell.name for cell in (*self._down, *self._coming)))

    def admit(self, target: Endpoint, message: Any, sender: ActorAddress, trace: Trace) -> None:
        """Deliver a message from outside of the system; in a simulated market only when the loop has no other work.

        In the middle of a step it would change the order of turns, and so the run would not be repeatable.
        """
        loop = self._loop
        if not self._market.rules or loop is None or loop.stopping or loop.is_here():
            target.deliver(message, sender, trace)
            return
        self._callers.append((target, message, sender, trace))
        if loop.asleep:
            loop.wake()
        elif loop.stopping:
            self.let_in()

    def let_in(self) -> None:
        """Deliver the messages kept by `admit`; called by the loop, and at its end."""
        while self._callers:
            try:
                target, *envelope = self._callers.popleft()
            except IndexError:  # another thread took the last one
                return
            target.deliver(*envelope)

    def offload_begun(self, cell: Cell) -> None:
        """Count a job, from its submission on."""
        with self._offloads_lock:
            cell.offloads += 1
            if not cell.background:
                self._offloads += 1
                self._offloads_begun += 1

    def offload_ended(self, cell: Cell) -> None:
        """Count it no more: its outcome is in the mailbox."""
        with self._offloads_lock:
            cell.offloads -= 1
            if not cell.background:
                self._offloads -= 1
        self.something_ended()

    def question_begun(self, cell: Cell) -> Question:
        """Make the market wait for what a background actor answers to this cell, or what it has offloaded comes to."""
        question = Question(cell)
        self._questions.append(question)
        return question

    def question_ended(self, question: Question, deliver: Callable[[], object]) -> None:
        """Have its outcome delivered when all is quiet, in the order of the questions.

        When an answer comes is a matter of chance: delivered at once, it would change the order of turns.
        """
        question.deliver = deliver
        self.something_ended()

    def will_speak(self, cell: Cell, speaker: Speaker) -> None:
        """Hear this process for that actor, in the place of the one before it; called on the loop."""
        self._speakers = {each: said for each, said in self._speakers.items() if not each.dead}
        self._speakers[cell] = speaker

    def _takes_in(self) -> bool:
        """Let in what comes from outside, or hear what processes have said, if none is to be waited for."""
        if self._callers:
            self.let_in()
            return True
        speakers = self._speakers.values()
        if not any(each.has_words() for each in speakers) or not all(each.has_said_all() for each in speakers):
            return False
        for each in speakers:
            each.speak()
        return True

    def something_ended(self) -> bool:
        """Make the loop test again, if anyone waits. A blocking thread's `on_idle`: it never has new work."""
        if (self._waiters or self._market.rules) and self._loop is not None and self._loop.asleep:
            self._loop.wake()
        return False

    def holds(self, own: int) -> bool:
        """Tell, on the loop, whether nothing outside of this turn has work and no other thread is watched.

        Cells that are `ready` are left to the caller. `own`: number of offloaded jobs that do not count.
        """
        return not (
            self._watched
            or self._callers
            or self._waiters
            or self._questions
            or self._down
            or self._coming
            or self._offloads != own
        )

    def test(self) -> bool:
        """If all is quiet, let the market take its next step; return whether there is work. The loop's `on_idle`."""
        loop, waiters = self._loop, self._waiters
        if loop is None:
            return False
        while not loop.ready:
            if (self._callers or self._speakers) and self._takes_in():
                continue
            own = 0
            if waiters:
                asker, life, *_ = waiters[0]
                if asker.dead or asker.life != life:
                    waiters.popleft()
                    continue
                if not asker.background:
                    own = asker.offloads
            elif not self._market.rules:
                return False
            if not self._is_quiet(own) if self._watched else self._offloads != own:
                return bool(loop.ready)
            # A job that ended before that look has delivered its outcome by now.
            if not loop.ready and not self._go_on(loop):
                return bool(loop.ready)
        return True

    def _go_on(self, loop: Worker) -> bool:
        """Deliver an answer, fire the market's next timer, or deliver to the first that waits for quiet.

        False: it is not time yet.
        """
        answered = self._answer()
        if answered is not None:
            return answered
        market, waiters = self._market, self._waiters
        due_ns = market.next_due_ns() if market.rules else None
        goes = bool(waiters) and not (self._down or self._coming)
        at_ns, ends = waiters[0][3:] if goes else (None, False)
        # The timer goes first if it is due, or before the next message, or an actor that is starting may wait for it.
        if due_ns is not None and (
            (due_ns <= market.time_ns if at_ns is None else market.has_timer_before(at_ns, ends=ends))
            or (self._coming and not self._down and any(tuple(self._coming.values())))
        ):
            come = at_ns is None or self._is_time(loop, due_ns)
            if come:
                market.fire_next()
            return come
        if not goes or not (at_ns is None or not market.pace.speed or self._is_time(loop, at_ns)):
            return False
        cell, _, message, *_ = waiters.popleft()
        if at_ns is not None:
            market.release(at_ns)
        if cell.worker is loop:
            loop.asleep = False  # it will not sleep now, and waking it would cost 2 us a tick
        cell.deliver(message, cell)
        return True

    def _answer(self) -> bool | None:
        """Deliver the first answer to a question; False: one is waited for; None: none is.

        None is waited for by an actor that is down: it may be that of a process, which says nothing until it is
        restarted, for which the market has to go on.
        """
        questions, place = self._questions, 0
        while place < len(questions):
            question = questions[place]
            if question.is_void:
                del questions[place]
            elif question.deliver is not None:
                del questions[place]
                question.deliver()
                return True
            elif question.cell in self._down:
                place += 1
            else:
                return False
        return None

    def _is_time(self, loop: Worker, at_ns: int) -> bool:
        """Say whether this market time is due in real time; if not, set an alarm for the loop to test again."""
        wait_ns = self._market.wait_ns(at_ns)
        if wait_ns <= 0:
            return True
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = loop.timers.add(self._market.machine_ns() + wait_ns, _look_again)
        return False

    def _is_quiet(self, own: int) -> bool:
        """Look twice, since threads may begin work by themselves; see the module's docstring."""
        seen = self._look(own)
        return seen is not None and self._look(own) == seen

    def _look(self, own: int) -> int | None:
        # Sums of counts that only grow: equal sums mean equal counts.
        if self._offloads != own:
            return None
        growing = self._offloads_begun + self._retired
        for worker in self._watched:
            if not worker.asleep or worker.ready:
                return None
            growing += worker.wakes
        return growing


def _look_again() -> None:
    """Do nothing: firing wakes the loop, which tests for quiet before it sleeps."""
