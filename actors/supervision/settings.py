"""Settings of a supervisor: its children, and how it restarts them."""

from __future__ import annotations

from collections import Counter
from typing import Literal, TypeAlias

import msgspec

from ...config.errors import SettingsError
from ...config.sections.supervision import SupervisionSettings
from ...domain.wording import expect_number, expect_word
from ...messages.addresses import JOURNAL
from .child_spec import ChildSpec

Strategy: TypeAlias = Literal["one_for_one", "one_for_all", "rest_for_one"]
"""Which siblings restart with a failed child: none, all, or those that started after it. Source: Erlang/OTP."""


class SupervisorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One supervisor.

    Raises:
        ValueError: on construction: an unknown strategy, seconds or a speed that are none, or two children of one name.
        SettingsError: on construction: a number of `policy` is out of its range.
        TypeError: on construction: `children` are no sequence of specs.
    """

    children: tuple[ChildSpec, ...]
    """In the order they start; they stop in reverse."""

    policy: SupervisionSettings
    strategy: Strategy = "one_for_one"

    root: bool = False
    """It has no supervisor above it: when it gives up, the system stops with exit code 70."""

    shutdown_s: float = 10.0
    """Seconds a child may take to stop before it is killed, unless its spec says otherwise."""

    start_s: float = 30.0
    """Seconds a child may take to start, unless its class says otherwise; longer is a failure."""

    probe_s: float = 5.0
    """Seconds a child with a half-open breaker may take to answer a Ping; longer is a failure."""

    market_speed: float | None = None
    """Speed of the simulated market that the children live in, as a multiple of real time; 0: as fast as possible.
    None: they live in real time.

    In a simulated market run times and restarts are counted in market time. A back-off or an open breaker takes no
    market time, since the market waits for a child that is down; it takes its real time divided by the speed."""

    orders: str = ""
    """Name of the actor that is asked for the open orders of a parked child (`ReadHoldings`), for the log; or empty."""

    journal: str = JOURNAL
    """Name of the actor that makes the supervisor's facts durable; empty: they are only logged."""

    def __post_init__(self) -> None:
        expect_word("strategy", self.strategy, Strategy)
        if problems := self.policy.problems():
            raise SettingsError(problems)
        expect_number("shutdown_s", self.shutdown_s, least=0)
        expect_number("start_s", self.start_s)
        expect_number("probe_s", self.probe_s)
        if self.market_speed is not None:
            expect_number("market_speed", self.market_speed, least=0)
        given = self.children
        if not isinstance(given, tuple | list) or not all(isinstance(each, ChildSpec) for each in given):
            raise TypeError(f"children: (ChildSpec(…), …) is wanted, found {self.children!r:.200}")
        names = Counter(child.name for child in self.children)
        if twice := [name for name, count in names.items() if count > 1]:
            raise ValueError(f"children: each name once is wanted, found several of {', '.join(twice)}")
