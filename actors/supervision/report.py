"""Reports of everything that happens to children: a log event, and a journal fact where it matters later."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias

from ...domain.rate_limit import RateLimit
from ...messages.supervision import BreakerOpened, ChildFailed, ChildRestarted, Escalated, SupervisionFact
from ..runtime import reason_of, trace_of

if TYPE_CHECKING:
    from .child import Child

Phase: TypeAlias = Literal["start", "handle", "stop", "exit"]
"""What a child was doing when it failed; `exit`: it ended by itself."""


TRACED_A_SECOND_MAX: Final = 10
"""Tracebacks that a supervisor formats in a second; one takes up to 100 us."""


class Log(Protocol):
    """`RuntimeActor.log`, or `log_bounded`."""

    def __call__(self, event: str, *, level: str = ..., **fields: Any) -> None:
        """Write one event."""


class Reporter:
    """Reports for one supervisor, and counts what it reported."""

    def __init__(
        self,
        supervisor: str,
        *,
        log: Log,
        log_bounded: Log,
        journal: Callable[[SupervisionFact], None],
        now_ns: Callable[[], int],
    ) -> None:
        self._supervisor = supervisor
        self._log = log
        self._log_bounded = log_bounded
        self._journal = journal
        self._now_ns = now_ns
        self._traced = RateLimit(TRACED_A_SECOND_MAX)
        self.failures = 0
        self.restarts = 0
        self.escalations = 0

    def started(self, child: Child) -> None:
        """Report a start or restart."""
        if not child.restarts:
            self._log("child.started", level="debug", child=child.spec.name)
            return
        self.restarts += 1
        self._log_bounded("child.restarted", level="warning", child=child.spec.name, restarts=child.restarts)
        self._journal(
            ChildRestarted(
                supervisor=self._supervisor,
                child=child.spec.name,
                restarts=child.restarts,
                occurred_ns=self._now_ns(),
            )
        )

    def failed(self, child: Child, phase: Phase, error: BaseException | None) -> None:
        """Report a failure."""
        self.failures += 1
        kind, reason = ("Ended", "it ended by itself") if error is None else (type(error).__name__, reason_of(error))
        child.last_error = f"{kind}: {reason}"
        child.fault = error
        child.last_traceback = trace_of(error) if self._traced.spend(self._now_ns()) else ""
        name = child.spec.name
        self._log_bounded("child.failed", level="error", child=name, phase=phase, error=kind, reason=reason)
        self._journal(
            ChildFailed(
                supervisor=self._supervisor,
                child=child.spec.name,
                phase=phase,
                error=kind,
                reason=reason,
                occurred_ns=self._now_ns(),
            )
        )

    def breaker_opened(self, child: Child, *, openings: int, retry_after_s: float) -> None:
        """Report that its breaker opened."""
        name = child.spec.name
        self._log("breaker.opened", level="error", child=name, openings=openings, retry_after_s=retry_after_s)
        self._journal(
            BreakerOpened(
                supervisor=self._supervisor,
                child=name,
                openings=openings,
                retry_after_s=retry_after_s,
                occurred_ns=self._now_ns(),
            )
        )

    def breaker_closed(self, child: Child) -> None:
        """Report that it answered its probe."""
        self._log("breaker.closed", child=child.spec.name)

    def gave_up(self, child: str, reason: str) -> None:
        """Report that the supervisor itself fails, because of this child."""
        self.escalations += 1
        self._log("supervisor.gave_up", level="error", child=child, reason=reason)
        self._journal(
            Escalated(
                supervisor=self._supervisor,
                child=child,
                reason=reason,
                occurred_ns=self._now_ns(),
            )
        )

    def parked(self, child: Child) -> None:
        """Report that it is parked."""
        fields = {"reason": child.parked, "error": child.last_error, "raised_at": child.raised_at}
        self._log("child.parked", level="error", child=child.spec.name, **fields)

    def terminated(self, child: Child) -> None:
        """Report that it has ended."""
        self._log("child.stopped", level="debug", child=child.spec.name)

    def killed(self, child: Child, after_s: float) -> None:
        """Report that it did not stop in time and is killed."""
        self._log("child.killed", level="error", child=child.spec.name, after_s=after_s)

    def left_calls(self, child: Child, after_s: float) -> None:
        """Report that it is ended without the answers that it still waits for."""
        self._log("child.left_calls", level="warning", child=child.spec.name, after_s=after_s)

    def abandoned(self, child: Child) -> None:
        """Report that it could not be killed in time; its thread is left to itself."""
        self._log("child.abandoned", level="error", child=child.spec.name)
