"""A strategy in a worker process: it trades as it does on the loop, and a kill of either process does no harm.

`make kills` kills the worker more often: KILLS and KILLS_SEED are how often, and in which disorder.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import defaultdict
from functools import partial
from pathlib import Path
from random import Random

import pytest
from natya_processes import await_that, children_of
from natya_recordings import MINUTES_A_DAY, write_candles
from natya_starts import StartsOthers

import natya
from natya.actors.journal import JournalView
from natya.actors.journal.disk import RealDisk
from natya.messages.orders import OrderFilled, OrderIntended

pytestmark = pytest.mark.usefixtures("forked_starts")

KILLS = int(os.environ.get("KILLS", "3"))
SEED = int(os.environ.get("KILLS_SEED", "1"))
RUN_S = 60
"""No run may take longer."""

DEATH_S = 2.0 if "KILLS" in os.environ else RUN_S
"""So soon a killed worker is replaced, and one whose parent was killed is gone; longer beside other work."""

QUANTITY = 10
STRATEGY = {
    "name": "crossover",
    "strategy": "natya.actors.strategy.bodies.crossover:MovingAverageCrossover",
    "parameters": {"fast": 2, "slow": 8, "quantity": QUANTITY},
}


@pytest.fixture
def recording(tmp_path):
    return write_candles(tmp_path / "candles.csv", MINUTES_A_DAY, seed=2)


def configuration(directory, host):
    """Write a file of settings that has the strategy run there."""
    path = directory / f"{host}.toml"
    parameters = ", ".join(f"{name} = {value}" for name, value in STRATEGY["parameters"].items())
    path.write_text(
        f'[[strategies]]\nname = "{STRATEGY["name"]}"\nstrategy = "{STRATEGY["strategy"]}"\n'
        f'parameters = {{ {parameters} }}\nhost = "{host}"\n'
    )
    return path


def daemon(directory, host, *options, **of_process):
    command = [sys.executable, "-m", "natya", "run", "--config", str(configuration(directory, host))]
    command += ["--data-dir", str(directory / host), "--summary", "json", *options]
    return StartsOthers(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=directory, **of_process)


def finish(process):
    out, complaints = process.communicate(timeout=RUN_S)
    assert process.returncode == 0, complaints.decode()
    return json.loads(out)


def facts(directory):
    return [record.fact for record in JournalView.of_directory(RealDisk(), directory / "journal").find()]


def what_was_traded(directory):
    """Orders and fills in their sequence, without what names this one run."""
    return [
        (fact.symbol, fact.side, fact.quantity)
        if isinstance(fact, OrderIntended)
        else (fact.symbol, fact.side, fact.quantity, fact.price)
        for fact in facts(directory)
        if isinstance(fact, (OrderIntended, OrderFilled))
    ]


def workers_of(pid, others=frozenset()):
    """Process ids of the worker processes of a process, which has those others beside them."""
    return [child for child in children_of(pid) if child not in others and read(Path(f"/proc/{child}/cmdline"))]


def read(path):
    try:
        return path.read_text()
    except OSError:  # it has ended
        return ""


@pytest.fixture
def others():
    """Processes of other tests that share this one."""
    return frozenset(children_of(os.getpid()))


@pytest.fixture
def system(tmp_path, others):  # noqa: ARG001  looked at before it starts
    """A market without end, and the strategy in a process of its own."""
    settings = natya.load_settings(
        environment={},
        overrides={
            "system.data_dir": str(tmp_path / "data"), "feed.source": "synthetic", "feed.speed": 0.0,
            "feed.symbols": ["TCS"], "supervision.restarts_max": 1_000, "supervision.fail_max": 1_000,
            "supervision.backoff_first_s": 0.01, "supervision.backoff_max_s": 0.05,
            "strategies": [{**STRATEGY, "host": "process"}],
        },
    )  # fmt: skip
    with natya.TradingSystem(settings) as running:
        yield running


class TestAStrategyInAProcess:
    def test_trades_as_it_does_on_the_loop(self, recording, tmp_path):
        options = ("--replay", str(recording), "--symbol", "TCS", "--speed", "max")
        on_loop, in_process = (finish(daemon(tmp_path, host, *options)) for host in ("loop", "process"))

        traded = what_was_traded(tmp_path / "loop")
        assert len(traded) > 50
        assert what_was_traded(tmp_path / "process") == traded
        for key in ("ticks", "orders", "fills", "rejected", "positions", "realized_pnl", "dead_letters", "restarts"):
            assert in_process[key] == on_loop[key]
        assert 0 < in_process["tick_to_strategy_us"]["p50"] < 1e6

    def test_is_stopped_by_its_parent_when_their_terminal_tells_both_to(self, tmp_path):
        """All processes of a terminal hear of Ctrl-C, and that it has closed: only the parent acts on it."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.bind(str(tmp_path / "notify"))
            told.settimeout(RUN_S)
            environment = {**os.environ, "NOTIFY_SOCKET": told.getsockname()}
            process = daemon(tmp_path, "process", start_new_session=True, env=environment)
            try:
                while b"READY=1" not in told.recv(1_024):  # stopped in its start, it has no summary
                    pass
                (worker,) = workers_of(process.pid)
                os.killpg(process.pid, signal.SIGINT)
                summary = finish(process)
            finally:
                process.kill()

        assert (summary["restarts"], summary["dead_letters"]) == (0, 0)
        assert not read(Path(f"/proc/{worker}/cmdline"))

    def test_is_gone_when_its_parent_is_killed(self, tmp_path):
        process = daemon(tmp_path, "process", "--speed", "max")
        try:
            (worker,) = await_that(lambda: workers_of(process.pid))
        finally:
            process.kill()
            process.communicate()

        await_that(lambda: not read(Path(f"/proc/{worker}/cmdline")), timeout_s=DEATH_S)


class TestAStrategyWhoseProcessIsKilled:
    @pytest.mark.timeout(10 * (KILLS + 6))
    def test_goes_on_in_another_with_its_position(self, system, others, tmp_path):
        random, fills = Random(SEED), 0
        for kills in range(1, KILLS + 1):
            fills = await_that(partial(self.fills_beyond, system, fills + random.randrange(20)))
            time.sleep(random.uniform(0.0, 0.01))  # anywhere between two messages
            print(f"seed {SEED}: worker killed after {fills} fills")  # noqa: T201
            (worker,) = workers_of(os.getpid(), others)
            os.kill(worker, signal.SIGKILL)
            await_that(partial(self.runs_again, system, restarts=kills), timeout_s=DEATH_S)

            assert workers_of(os.getpid(), others) not in ([], [worker])
        await_that(partial(self.fills_beyond, system, fills + 10))
        system.stop()

        said = facts(tmp_path / "data")
        ordered = [fact.client_order_id for fact in said if isinstance(fact, OrderIntended)]
        trades = [(fact.client_order_id, fact.trade_id) for fact in said if isinstance(fact, OrderFilled)]
        held, after = defaultdict(int), set()
        for fill in (fact for fact in said if isinstance(fact, OrderFilled)):
            held[fill.symbol] += fill.quantity if fill.side == "BUY" else -fill.quantity
            after.add(held[fill.symbol])
        assert len(set(ordered)) == len(ordered)
        assert len(set(trades)) == len(trades)
        assert (
            {0, QUANTITY} <= after <= set(range(QUANTITY + 1))
        )  # one that forgot what it holds would sell or buy twice

    def fills_beyond(self, system, count):
        """How many fills there are, if they are more than so many."""
        found = system.look().statistics.get("orders")
        return found.fills if found is not None and found.fills > count else 0

    def runs_again(self, system, *, restarts):
        """Whether the tree says so."""
        (strategy,) = [child for child in system.supervision_tree().children if child.path.endswith("/crossover")]
        return (strategy.state, strategy.host, strategy.restarts) == ("RUNNING", "process", restarts)
