"""The state of the running system: health by component, metrics, and durations.

`natya health` and `natya metrics` send these to the control actor, which asks all others.
"""

from typing import Final, Literal, TypeAlias

import msgspec

from .units import Count, Nanoseconds, Seconds, SkewSeconds

TIMING_BOUNDS_S: Final = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025),
    *(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
"""Upper ends of the classes that durations are counted in, in seconds; a last class has all that took longer."""


class Timing(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Timing"):
    """A histogram of durations."""

    counts: tuple[Count, ...] = (0,) * (len(TIMING_BOUNDS_S) + 1)
    """How often it took at most each of `TIMING_BOUNDS_S`, and longer than the one before; last, longer than all."""

    sum_s: Seconds = 0.0
    """Sum of all durations."""


ComponentState: TypeAlias = Literal["ok", "degraded", "down"]
"""`degraded`: it works, and yet cannot do a part of it."""


class Component(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Component"):
    """One part of the system."""

    name: str
    state: ComponentState
    reason: str = ""
    """Why it is not well; empty if it is."""

    needed: bool = True
    """Whether the system is ready only when this one is up."""


class ReadHealth(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReadHealth"):
    """To control: is the system well? Answered by `Health`."""


class Health(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Health"):
    """Answer to `ReadHealth`."""

    live: bool
    """Its actors answer. One that is not should be killed and started again."""

    ready: bool
    """It can do all that it is for: each needed component is up, and orders may pass."""

    reason: str
    """Why it is not ready, or not live; empty if it is both."""

    risk_state: str
    """Of orders; empty where that is not known."""

    components: tuple[Component, ...]


class ReadMetrics(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReadMetrics"):
    """To control: all metrics at this moment. Answered by `MetricsRead`."""


class MetricsRead(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="MetricsRead"):
    """Answer to `ReadMetrics`."""

    text: str
    """In Prometheus' text format."""


class Called(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Called"):
    """Calls of one kind to a service over the network that had the same outcome."""

    endpoint: str
    outcome: str
    """The status code of HTTP; where there was no answer, `unsent` or `unknown`."""

    calls: Count


class Budget(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Budget"):
    """How many more requests of one kind a service allows now."""

    kind: str
    window: str
    """`250 in 1m`."""

    remaining: Count

    allowed: Count = 0
    """How many it allows in the window; 0: it does not say."""

    period_s: Seconds = 0.0
    """Seconds of the window; 0: all of time."""


class ServiceStatistics(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="ServiceStatistics"):
    """What the owner of the calls to a service over the network counts since it started."""

    service: str
    waiting: Count
    """Calls without an answer."""

    called: tuple[Called, ...]
    budgets: tuple[Budget, ...]
    answer: Timing
    """How long the last attempt of each call took that was answered."""

    rate_wait: Timing = Timing()
    """How long each request waited for the service's limits before it left."""

    clock_skew_s: SkewSeconds | None = None
    """How far our clock is ahead of the service's, by its newest answer; None: no answer has told the time."""


class TokenStatistics(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="TokenStatistics"):
    """The state of the access token, as its keeper knows it."""

    alive: bool
    ends_ns: Nanoseconds
    """Until when it is good: nanoseconds since 1970-01-01 UTC; 0 where there is none."""

    attempts: Count
    """Attempts to get another token since one was valid or a person asked."""


Severity: TypeAlias = Literal["warning", "critical"]


class Alarm(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Alarm"):
    """What a person should know."""

    rule: str
    """Name of the rule that found it."""

    subject: str
    """Whom it is about, such as an actor."""

    severity: Severity
    text: str
    since_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


class ShowAlarms(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ShowAlarms"):
    """To alarms: which last now? Answered by `AlarmsShown`."""


class AlarmsShown(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="AlarmsShown"):
    """Answer to `ShowAlarms`: the newest first."""

    alarms: tuple[Alarm, ...]
    ways: tuple[str, ...]
    """How they are told besides the log: `command`, `webhook`, `telegram`."""


class TestNotifications(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="TestNotifications"):
    """To alarms: send a message by each way, as a test. Answered by `NotificationsTested`."""

    __test__ = False  # no test of pytest's


class NotificationsTested(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="NotificationsTested"):
    """Answer to `TestNotifications`."""

    delivered: tuple[str, ...]
    """Names of the ways that worked."""

    failed: tuple[str, ...]
    """`way: why` of the others."""
