"""Faults at which supervision must hold: crashes without number, restarts without leaks, starts that never succeed."""

import os
import random
import threading
from pathlib import Path

import msgspec
import pytest
from natya_processes import await_that

from natya.actors.runtime import RuntimeActor, handles
from natya.actors.supervision import AwaitSystemStop, ChildSpec, Supervisor, SupervisorSettings, SystemStopped
from natya.config.sections.supervision import SupervisionSettings
from natya.messages.supervision import Failed
from natya.messages.system import Ping

UNLIMITED = SupervisionSettings.default(
    restarts_max=1_000_000,
    window_s=60.0,
    backoff_first_s=0.001,
    backoff_max_s=0.001,
    backoff_reset_s=0.000_001,
    fail_max=1_000_000,
    reset_timeout_s=1.0,
    escalate_after=3,
)


class Count(msgspec.Struct, frozen=True):
    number: int
    fails: bool = False


class Counter(RuntimeActor):
    """Keeps what it handled in its settings, which outlive it; holds a file, a thread and a timer while it runs."""

    def on_start(self):
        self._file = os.open(os.devnull, os.O_RDONLY)
        self._jobs = 0
        self.after(3600, Count(-1))
        self.offload(len, "", then=self._job_done)

    def on_stop(self):
        os.close(self._file)

    @handles(Count)
    def count(self, count, sender):
        if count.fails:
            raise RuntimeError("by script")
        self.settings.append(count.number)
        self.send(sender, count)

    def _job_done(self, outcome):
        self._jobs += 1 + outcome.unwrap()


class BlockingCounter(Counter):
    blocking = True


class StillbornError(Exception):
    pass


class Stillborn(RuntimeActor):
    def on_start(self):
        raise StillbornError


pytestmark = pytest.mark.usefixtures("threads")  # crashes in a simulation are those of tests/simulation


def a_supervisor(*children, policy=UNLIMITED):
    return SupervisorSettings(children=children, policy=policy, root=True, journal="")


@pytest.mark.parametrize("counter", [Counter, BlockingCounter])
@pytest.mark.parametrize("seed", range(3))
def test_crashes_at_random_points_lose_nothing_but_the_messages_that_failed(actor_system, counter, seed):
    chance, handled = random.Random(seed), []
    actor_system.start("system", Supervisor, a_supervisor(ChildSpec("counter", counter, handled)))
    messages = [Count(number, fails=chance.random() < 0.2) for number in range(600)]
    messages.append(Count(600))

    answers = [actor_system.request_future("counter", message) for message in messages]

    assert [type(answer.result(60)) for answer in answers] == [Failed if each.fails else Count for each in messages]
    assert handled == [each.number for each in messages if not each.fails]
    statistics = actor_system.request("system", Ping()).statistics
    assert statistics.failures == sum(each.fails for each in messages)
    assert statistics.restarts == statistics.failures


def test_a_thousand_restarts_leave_no_thread_no_descriptor_and_no_process_behind(process, actor_system):
    actor_system.start("system", Supervisor, a_supervisor(ChildSpec("counter", Counter, [])))

    def restart(times):
        for _ in range(times):
            assert isinstance(actor_system.request("counter", Count(0, fails=True)), Failed)
        actor_system.request("counter", Count(0))
        return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))

    threads, descriptors = restart(10)
    processes = process.children()
    _, descriptors_then = restart(1_000)

    assert descriptors_then == descriptors
    assert process.children() == processes
    await_that(lambda: threading.active_count() <= threads + 1)  # threads of lives before may still be leaving


def test_a_child_that_dies_in_start_for_ever_ends_the_system_with_exit_code_70(actor_system):
    policy = msgspec.structs.replace(UNLIMITED, restarts_max=5, fail_max=100)
    actor_system.start("system", Supervisor, a_supervisor(ChildSpec("stillborn", Stillborn), policy=policy))

    end = actor_system.request("system", AwaitSystemStop())

    assert isinstance(end, SystemStopped)
    assert (end.exit_code, end.reason) == (70, "stillborn: more than 5 restarts in 60 s")
    assert isinstance(end.error, StillbornError)
    assert end.statistics[0][1].failures == 6
