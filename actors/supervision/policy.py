"""What a supervisor does about a failure: pure, with time and randomness passed in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from ...domain.breaker import Breaker
from ...domain.time import SECOND_NS
from ..runtime import restart_helps
from .backoff import Backoff
from .restart_budget import RestartBudget
from .settings import Strategy

if TYPE_CHECKING:
    from ...domain.breaker import BreakerState
    from .child_spec import ChildSpec
    from .settings import SupervisorSettings


class Restart(msgspec.Struct, frozen=True, kw_only=True):
    """Start these again, in this order, after the wait."""

    children: tuple[str, ...]
    wait_s: float

    probes: tuple[str, ...] = ()
    """Those of them whose breaker is half-open: only an answer to a Ping shows that they work."""

    is_trial: bool = False
    """They were kept down together: all of them start, also those that are down because of another."""


class KeepDown(msgspec.Struct, frozen=True, kw_only=True):
    """The breaker opened: keep these down, and try again after the time given."""

    children: tuple[str, ...]
    retry_after_s: float

    openings: int
    """Openings in a row."""


class Leave(msgspec.Struct, frozen=True):
    """Let the child end for good, by its restart type."""


class GiveUp(msgspec.Struct, frozen=True):
    """Stop all children and fail: the failure escalates to the supervisor above."""

    reason: str


class Park(msgspec.Struct, frozen=True):
    """Keep the child down for good; the others run on."""

    reason: str


Decision: TypeAlias = Restart | KeepDown | Leave | GiveUp | Park


def affected(names: Sequence[str], failed: str, strategy: Strategy) -> tuple[str, ...]:
    """Choose the children that restart when `failed` does, itself included, in start order.

    `names` are all children in start order. Source of the strategies: Erlang/OTP.
    """
    match strategy:
        case "one_for_one":
            return (failed,)
        case "one_for_all":
            return tuple(names)
        case "rest_for_one":
            return tuple(names[names.index(failed) :])


class RestartPolicy:
    """Remembers the failures of each child, and decides.

    There are three limits. The back-off spaces the restarts of one child. Its breaker keeps it down after `fail_max`
    failures in a row, and after `escalate_after` openings in a row the supervisor gives up. The budget counts the
    restarts of all children, which catches a child that fails often but never in a row. A child with
    `when_exhausted="park"` has a budget of its own and spends none of the supervisor's.
    """

    def __init__(self, settings: SupervisorSettings, budget: RestartBudget, *, jitter: Callable[[], float]) -> None:
        self._settings = settings
        self._jitter = jitter
        self._budget = budget
        self._records = {spec.name: _Record(spec, settings, jitter) for spec in settings.children}

    def add(self, spec: ChildSpec) -> None:
        """Add a child, started after all others."""
        self._records[spec.name] = _Record(spec, self._settings, self._jitter)

    def remove(self, name: str) -> None:
        """Forget a child that has ended for good."""
        del self._records[name]

    def breaker(self, name: str) -> BreakerState:
        """Return the state of a child's breaker."""
        return self._records[name].breaker.state

    def started(self, name: str, now_ns: int) -> None:
        """Note that the child runs since `now_ns` (monotonic)."""
        self._records[name].started_ns = now_ns

    def succeeded(self, name: str) -> None:
        """Note that the child answered its probe: its breaker closes, and its openings in a row are reset.

        The openings of a child that fails at every message are kept: answering a Ping is no success for it.
        """
        record = self._records[name]
        record.breaker.succeeded(keeps_openings=record.is_stuck)

    def ended(self, name: str, now_ns: int, error: BaseException | None) -> Decision:
        """Decide about a child that ended by itself, with an error or (None) normally."""
        if error is None and self._records[name].spec.restart != "permanent":
            return Leave()
        return self.failed(name, now_ns, error)

    def failed(self, name: str, now_ns: int, error: BaseException | None, *, got_past: bool | None = None) -> Decision:
        """Decide about a child whose start or handler raised.

        Args:
            name: of the child.
            now_ns: monotonic.
            error: that was raised; None where it just ended.
            got_past: as in `lifecycle.ChildHandlerFailed`; None where it failed outside of a handler.
        """
        record = self._records[name]
        if record.spec.restart == "temporary":
            return Leave()
        if not restart_helps(error):
            return _exhausted(record, "no restart can mend it")
        ran_s = record.end_run(now_ns)
        wait_s = record.backoff.next_s(ran_s=ran_s)
        if got_past is not None and record.spec.when_exhausted == "park":
            record.is_stuck = not got_past
        if ran_s >= record.reset_s and not record.is_stuck and record.breaker.state == "closed":
            record.breaker.succeeded()
        children = self.group_of(name)
        if not record.breaker.failed(now_ns):
            return self._spend(record, Restart(children=children, wait_s=wait_s), now_ns)
        openings = record.breaker.openings
        if openings >= record.escalate_after:
            return _exhausted(record, f"the breaker opened {openings} times in a row")
        return KeepDown(children=children, retry_after_s=record.breaker.retry_after_s(now_ns), openings=openings)

    def try_again(self, name: str, now_ns: int) -> Decision:
        """Decide about a child whose breaker has been open long enough, or that was kept down with one that is gone.

        Siblings that went down with it are restarted with it; those of them with an open breaker are probed as well.
        """
        children = self.group_of(name)
        for each in children:
            self._records[each].breaker.try_again()
        probes = tuple(each for each in children if self.breaker(each) == "half-open")
        trial = Restart(children=children, wait_s=0.0, probes=probes, is_trial=True)
        return self._spend(self._records[name], trial, now_ns)

    def group_of(self, name: str) -> tuple[str, ...]:
        """Return the children that restart, or are kept down, when this one fails; itself included."""
        return affected(tuple(self._records), name, self._settings.strategy)

    def _spend(self, record: _Record, restart: Restart, now_ns: int) -> Decision:
        budget = record.budget or self._budget
        return restart if budget.spend(now_ns) else _exhausted(record, budget.limit)


def _exhausted(record: _Record, reason: str) -> Decision:
    return Park(reason) if record.spec.when_exhausted == "park" else GiveUp(reason)


class _Record:
    """The history of one child."""

    def __init__(self, spec: ChildSpec, settings: SupervisorSettings, jitter: Callable[[], float]) -> None:
        policy = settings.policy
        limits = spec.breaker or policy
        self.spec = spec
        self.reset_s = policy.backoff_reset_s
        self.escalate_after = limits.escalate_after
        self.breaker = Breaker(fail_max=limits.fail_max, reset_timeout_s=limits.reset_timeout_s)
        self.backoff = Backoff(
            first_s=policy.backoff_first_s,
            max_s=policy.backoff_max_s,
            reset_s=policy.backoff_reset_s,
            jitter=jitter,
        )
        self.started_ns: int | None = None
        self.is_stuck = False
        """Since its last restart it handled no message of the kind at which it failed: it may fail at each of them."""

        self.budget: RestartBudget | None = None
        """Its own budget, if it is to be parked."""

        if spec.when_exhausted == "park":
            window_ns = round(policy.window_s * SECOND_NS)
            self.budget = RestartBudget(restarts_max=policy.restarts_max, window_ns=window_ns)

    def end_run(self, now_ns: int) -> float:
        """Return how many seconds it ran; 0 if it never started."""
        started_ns, self.started_ns = self.started_ns, None
        return 0.0 if started_ns is None else (now_ns - started_ns) / SECOND_NS
