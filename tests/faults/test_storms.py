"""Storms: ten thousand failures a second, and messages without number for one who is down."""

import time

from natya.actors.runtime import lifecycle
from natya.actors.runtime.base import FAILURES_LOGGED_A_SECOND_MAX
from natya.actors.runtime.cell import SUSPENDED_MAX
from natya.messages.system import Ping


class TestTenThousandExceptionsASecond:
    def test_are_counted_exactly_and_logged_at_a_bounded_rate(self, actor_system, storm, fragile, lines):
        begun = time.monotonic()
        storm.rage(fragile, "no", seconds=1)
        actor_system.request(fragile, Ping(), timeout_s=30)
        seconds = time.monotonic() - begun

        assert storm.sent == 10_000
        assert actor_system.base.find(fragile).failures == storm.sent
        assert actor_system.base.dead_letters.count == storm.sent
        assert actor_system.request("system", Ping()).statistics.restarts == storm.sent
        assert lines.count <= FAILURES_LOGGED_A_SECOND_MAX * (int(seconds) + 2)  # of the clock seconds it touched


class TestMessagesToOneWhoIsDown:
    def test_are_kept_up_to_a_bound_and_all_counted(self, actor_system, fragile, process):
        address = actor_system.base.find(fragile)
        address.control(lifecycle.Suspend(), actor_system.base.outside)
        actor_system.request("system", Ping())
        before = process.resident_bytes()

        for number in range(200_000):
            actor_system.tell(address, number)

        counters = actor_system.base.find(fragile).counters()
        assert (counters.depth, counters.dropped) == (SUSPENDED_MAX, 200_000 - SUSPENDED_MAX)
        assert actor_system.base.dead_letters.count == counters.dropped
        assert process.resident_bytes() - before < 64 << 20
