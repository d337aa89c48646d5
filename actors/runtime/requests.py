"""Pending requests: each has a reply address of its own that takes one answer.

Thespian's `ask` returns whatever arrives first in the caller's mailbox, so that after one timeout every later request
gets the answer to the one before. Here a late or a second answer is a dead letter.
"""

from __future__ import annotations

import _thread
import threading
import weakref
from collections import deque
from concurrent.futures import Future, InvalidStateError
from typing import TYPE_CHECKING, Any, ClassVar

from .endpoint import Endpoint
from .errors import RequestTimedOut

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from .dead_letters import DeadLetters
    from .endpoint import Envelope


_TOO_LATE = "nobody waits for this answer any more"


class ReplyAddress(Endpoint):
    """Takes one answer. Answer and timeout race for one token, and the one that takes it decides the outcome."""

    __slots__ = ("_dead_letters", "_token")

    wants_answer = True
    """If the request becomes a dead letter, it is answered `Unavailable`."""

    idle = False

    def __init__(self, dead_letters: DeadLetters) -> None:
        super().__init__("reply")
        self._dead_letters = dead_letters
        self._token = [None]

    def put(self, envelope: Envelope) -> None:
        """Take the answer, if it is the first and still waited for."""
        if self.claim():
            self.accept(envelope[0])
        else:
            self._dead_letters.undelivered(self, *envelope[:2], _TOO_LATE, envelope[2])

    def claim(self) -> bool:
        """Take the token; False if it was taken before."""
        try:
            self._token.pop()
        except IndexError:
            return False
        return True

    def accept(self, answer: Any) -> None:
        """Hand the answer over; called once at most."""
        raise NotImplementedError


class ActorReply(ReplyAddress):
    """A pending request of an actor, which goes on meanwhile; `arrive` delivers the answer."""

    __slots__ = ("_arrive", "asker", "guest", "name", "says")

    def __init__(self, asker: Endpoint, dead_letters: DeadLetters, arrive: Callable[[Any], object]) -> None:
        super().__init__(dead_letters)
        self.name, self.guest, self.says = asker.name, asker.guest, asker.says
        self._arrive = arrive
        self.asker = asker

    def accept(self, answer: Any) -> None:
        """Deliver it."""
        self._arrive(answer)


class BlockingReply(ReplyAddress):
    """A pending request of a thread that waits on a raw lock (0.3 us; a `Future` costs 3)."""

    __slots__ = ("_answer", "_arrived")

    def __init__(self, dead_letters: DeadLetters) -> None:
        super().__init__(dead_letters)
        self._answer: Any = None
        self._arrived = _thread.allocate_lock()
        self._arrived.acquire()

    def accept(self, answer: Any) -> None:
        """Keep it and let the thread go on."""
        self._answer = answer
        self._arrived.release()

    def wait(self, timeout_s: float) -> Any:
        """Return the answer.

        Raises:
            RequestTimedOut: there was none within `timeout_s` seconds.
        """
        if self._arrived.acquire(timeout=min(max(timeout_s, 0.0), threading.TIMEOUT_MAX)):
            return self._answer
        if self.claim():
            raise RequestTimedOut(f"no answer in {timeout_s:g} s")
        self._arrived.acquire()  # it came in this very moment
        return self._answer


class FutureReply(ReplyAddress):
    """A pending request as a `concurrent.futures.Future`; after a cancel the answer is a dead letter."""

    __slots__ = ("future",)

    def __init__(self, dead_letters: DeadLetters) -> None:
        super().__init__(dead_letters)
        self.future: Future[Any] = Future()

    def accept(self, answer: Any) -> None:
        """Set the result."""
        try:
            self.future.set_result(answer)
        except InvalidStateError:  # cancelled
            self._dead_letters.undelivered(self, answer, None, _TOO_LATE)


class Bell:
    """Hands the answers of a burst to an asyncio loop and wakes it once: a waking is a system call on both sides."""

    __slots__ = ("_answers", "_loop", "_rung")

    _all: ClassVar[weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Bell]] = weakref.WeakKeyDictionary()

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        self._answers: deque[tuple[AsyncReply, Any]] = deque()
        self._rung = False

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> Bell:
        """Return that of a loop."""
        bell = cls._all.get(loop)
        return bell if bell is not None else cls._all.setdefault(loop, cls(loop))

    def ring(self, reply: AsyncReply, answer: Any) -> bool:
        """Have the answer set on the loop's thread; return False if the loop is closed."""
        loop = self._loop()
        if loop is None or loop.is_closed():
            return False
        self._answers.append((reply, answer))
        if self._rung:  # cleared before the answers are taken, so this one is among them
            return True
        self._rung = True
        try:
            loop.call_soon_threadsafe(self._take)
        except RuntimeError:  # closed since
            self._answers.clear()
            return False
        return True

    def _take(self) -> None:
        self._rung = False
        answers = self._answers
        while answers:
            reply, answer = answers.popleft()
            reply.set(answer)


class AsyncReply(ReplyAddress):
    """A pending request of a coroutine, on any asyncio loop."""

    __slots__ = ("_loop", "future")

    def __init__(self, dead_letters: DeadLetters, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(dead_letters)
        self._loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()

    def accept(self, answer: Any) -> None:
        """Set the result, on the loop's own thread."""
        if not Bell.of(self._loop).ring(self, answer):  # the loop is closed
            self._bury(answer)

    def set(self, answer: Any) -> None:
        """Set it, on the loop's own thread."""
        if self.future.done():  # cancelled after the answer was taken
            self._bury(answer)
        else:
            self.future.set_result(answer)

    def _bury(self, answer: Any) -> None:
        self._dead_letters.undelivered(self, answer, None, _TOO_LATE)

    async def wait(self, timeout_s: float) -> Any:
        """Return the answer. After a cancel or a timeout a late answer is a dead letter.

        Raises:
            RequestTimedOut: there was none within `timeout_s` seconds.
        """

        def give_up() -> None:
            if self.claim() and not self.future.done():
                self.future.set_exception(RequestTimedOut(f"no answer in {timeout_s:g} s"))

        timer = self._loop.call_later(timeout_s, give_up)  # `asyncio.timeout` would cost three times as much
        try:
            return await self.future
        finally:
            timer.cancel()
            self.claim()


class ActorAsyncReply(AsyncReply):
    """The same, of a coroutine that an actor has started on another thread: what it says, the actor says."""

    __slots__ = ("guest", "name", "says")

    def __init__(self, asker: Endpoint, dead_letters: DeadLetters, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(dead_letters, loop)
        self.name, self.guest, self.says = asker.name, asker.guest, asker.says
