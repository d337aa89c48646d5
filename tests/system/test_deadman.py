"""The dead-man's switch, the system and the exchange, each in a process of its own."""

import signal
import sys

import pytest
from natya_live import LiveDaemon, Rester
from natya_processes import await_that
from natya_starts import Forked

from natya.config.halt_file import HaltFile
from natya.messages.orders import OrderAccepted, OrderCancelled
from natya.messages.risk_state import RiskStateChanged

COUNT = Rester.COUNT


class Watcher:
    """`natya deadman`."""

    def __init__(self, daemon):
        self.path = daemon.folder / "deadman.txt"
        command = [sys.executable, "-m", "natya", "deadman", "--after", "3", "--data-dir", str(daemon.data_dir)]
        with self.path.open("ab") as output:
            self.process = Forked(command, stdout=output, stderr=output, env=daemon.environment)

    def has_told(self, text):
        return text in self.path.read_text()

    def end(self):
        self.process.terminate()
        return self.process.wait(timeout=60)


@pytest.fixture
def daemon(tmp_path, exchange):
    daemon = LiveDaemon(exchange, tmp_path)
    yield daemon
    daemon.end()


@pytest.fixture
def watcher(daemon):
    watcher = Watcher(daemon)
    yield watcher
    watcher.process.kill()
    watcher.process.wait()


@pytest.fixture
def armed(tmp_path, exchange):
    """A system that holds ten shares with a stop and a target, and has an entry open."""
    daemon = LiveDaemon(exchange, tmp_path, strategy="natya_live:Armed")
    daemon.start()
    daemon.await_facts(OrderAccepted, 4)
    yield daemon
    daemon.end()


def test_a_system_that_is_killed_keeps_the_stop_of_what_it_holds_and_loses_its_other_orders(armed, exchange):
    watcher = Watcher(armed)
    await_that(lambda: watcher.has_told("the system lives"))
    (process,) = armed.processes
    process.kill()
    process.wait()
    await_that(lambda: watcher.path.read_text().count(" is cancelled (") == 2)

    kinds = {(row["orderType"], row["orderStatus"]) for row in exchange.ask("GET", "/v2/orders")}
    assert kinds == {("MARKET", "TRADED"), ("STOP_LOSS", "PENDING"), ("LIMIT", "CANCELLED")}
    assert watcher.has_told(" stays: it closes 10 that are held, and opens none")
    armed.start()
    armed.await_facts(OrderCancelled, 2)
    (halted,) = armed.facts(RiskStateChanged)
    assert (halted.state, halted.changed_by) == ("HALTED", "deadman")
    assert exchange.states() == {"TRADED": 1, "PENDING": 1, "CANCELLED": 2}
    assert watcher.end() == 0


def test_a_system_that_hangs_and_one_that_is_killed_lose_their_orders_and_one_that_wakes_is_not_fought(
    daemon, watcher, exchange
):
    process = daemon.start()
    daemon.await_facts(OrderAccepted, COUNT)
    await_that(lambda: watcher.has_told("the system lives"))
    process.send_signal(signal.SIGSTOP)
    await_that(lambda: watcher.path.read_text().count(" is cancelled (") == COUNT)
    assert exchange.states() == {"CANCELLED": COUNT}
    assert HaltFile(daemon.data_dir / "HALT").note().person == "deadman"
    process.send_signal(signal.SIGCONT)
    daemon.await_facts(OrderCancelled, COUNT)
    await_that(lambda: watcher.path.read_text().count("the system lives") == 2)
    (halted,) = daemon.facts(RiskStateChanged)
    assert (halted.state, halted.changed_by) == ("HALTED", "deadman")
    process.kill()
    process.wait()
    await_that(lambda: watcher.path.read_text().count("the system is dead or stuck") == 2)

    assert exchange.states() == {"CANCELLED": COUNT}, watcher.path.read_text()
    assert watcher.end() == 0
