"""Replies and probes outside of a simulation: while their owner waits, the simulation runs."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ..errors import RequestTimedOut
from ..probe import Probe
from ..requests import BlockingReply

if TYPE_CHECKING:
    from ..dead_letters import DeadLetters

RunUntil: TypeAlias = Callable[[Callable[[], bool], float], bool]
"""Runs the simulation until the condition holds, at most so many virtual seconds; returns whether it holds."""

FOREVER_S: Final = 1e9


class SimulatedReply(BlockingReply):
    """A reply that is waited for by running the simulation."""

    __slots__ = ("_run_until",)

    def __init__(self, dead_letters: DeadLetters, run_until: RunUntil) -> None:
        super().__init__(dead_letters)
        self._run_until = run_until

    def wait(self, timeout_s: float) -> Any:
        """Return the answer.

        Raises:
            RequestTimedOut: there was none for so much virtual time.
        """
        if not self._run_until(lambda: not self._token, timeout_s) and self.claim():
            raise RequestTimedOut(f"no answer in {timeout_s:g} s")
        return self._answer


class SimulatedFuture(Future[Any]):
    """A future whose result is waited for by running the simulation."""

    def __init__(self, run_until: RunUntil) -> None:
        super().__init__()
        self._run_until: Final = run_until

    def result(self, timeout: float | None = None) -> Any:
        """Return it, or raise what a future raises."""
        self._await(timeout)
        return super().result(0)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Return what it failed with; None: it has a result."""
        self._await(timeout)
        return super().exception(0)

    def _await(self, timeout: float | None) -> None:
        self._run_until(self.done, FOREVER_S if timeout is None else timeout)


class SimulatedProbe(Probe):
    """A mailbox that fills while its receiver runs the simulation."""

    __slots__ = ("_run_until",)

    def __init__(self, name: str, run_until: RunUntil) -> None:
        super().__init__(name)
        self._run_until = run_until

    def receive(self, timeout_s: float = 1.0) -> Any:
        """Return the next message.

        Raises:
            RequestTimedOut: none came in so much virtual time.
        """
        if not self._run_until(lambda: not self.is_empty(), timeout_s):
            raise RequestTimedOut(f"nothing came to {self._aaddr!r} in {timeout_s:g} s")
        return super().receive(0)
