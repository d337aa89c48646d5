"""The whole daemon as a process: killed at any moment, told to stop, started twice in one data directory.

`make kills` runs the first of them for longer: KILLS and KILLS_SEED are how often, and in which disorder.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections import Counter
from random import Random

import duckdb
import pytest
from natya_processes import await_that, children_of, is_alive
from natya_recordings import write_candles
from natya_starts import Natya

from natya.actors.journal import JournalView
from natya.actors.journal.disk import RealDisk
from natya.actors.journal.tools import verify
from natya.cli.exit_codes import BUSY, SETTINGS
from natya.config.data_directory import DataDirectory
from natya.messages.accounts import AccountEntered
from natya.messages.orders import OrderFilled, OrderIntended

KILLS = int(os.environ.get("KILLS", "4"))
SEED = int(os.environ.get("KILLS_SEED", "1"))
CANDLES = 6_000 if "KILLS" in os.environ else 1_000
TICKS = 4 * CANDLES
MARKET_S = CANDLES / 3_500
"""About how long a run goes on at full speed once it has begun: who kills it by then meets the midst of it."""

RUN_S = 60
"""No run may take longer."""

UNHURRIED = "5000"
"""The speed at which the recording outlasts any run: who stops it does so in the middle, however slow the machine."""


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    return write_candles(tmp_path_factory.mktemp("recording") / "candles.csv", CANDLES)


class Daemon:
    """`natya run` of one recording in one data directory."""

    def __init__(self, recording, directory):
        self.directory = directory
        self.command = ["run", "--profile", "paper", "--replay", str(recording)]
        self.command += ["--symbol", "RELIANCE", "--data-dir", str(directory), "--summary", "json"]
        self.processes = []

    def start(self, *options, speed="max"):
        command = [*self.command, "--speed", speed, *options]
        process = Natya(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.directory.parent)
        self.processes.append(process)
        return process

    def end(self):
        """Kill what a test that failed has left."""
        for process in self.processes:
            process.kill()
            process.communicate()

    def finish(self, process):
        """Wait for its end; return the summary."""
        out, complaints = process.communicate(timeout=RUN_S)
        assert process.returncode == 0, complaints.decode()
        return json.loads(out)

    def journal(self):
        return JournalView.of_directory(RealDisk(), self.directory / "journal")

    def said(self):
        """How many facts there are; those of a run begin before its market does."""
        return self.journal().last_sequence if (self.directory / "journal").is_dir() else 0

    def has_traded(self):
        return (self.directory / "journal").is_dir() and any(self.journal().find(types=("OrderIntended",)))

    def rows(self, file, sql):
        with duckdb.connect(self.directory / file, read_only=True) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture
def daemon(recording, tmp_path):
    daemon = Daemon(recording, tmp_path / "data")
    yield daemon
    daemon.end()


@pytest.fixture(scope="module")
def played(recording, tmp_path_factory):
    """A data directory in which the recording was played once, and the summary of that."""
    daemon = Daemon(recording, tmp_path_factory.mktemp("played") / "data")
    try:
        summary = daemon.finish(daemon.start())
    finally:
        daemon.end()
    return daemon.directory, summary


@pytest.fixture
def first(played, daemon):
    """The summary of the run before, in a copy of its data directory."""
    directory, summary = played
    shutil.copytree(directory, daemon.directory)
    return summary


def await_ends(pids):
    await_that(lambda: not any(map(is_alive, pids)))


def killed(daemon, wait_s, *, in_the_market):
    """Start it and kill it; return whether it was still running, and whom it had started."""
    before = daemon.said()
    process = daemon.start()
    if in_the_market:
        await_that(lambda: daemon.said() > before)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(wait_s)
    was_running = process.poll() is None
    helpers = children_of(process.pid)
    process.kill()
    _, complaints = process.communicate()
    assert was_running or process.returncode == 0, complaints.decode()
    return was_running, helpers


def assert_books_agree(daemon):
    """The read model says what the journal says, and the journal says nothing twice."""
    facts = [record.fact for record in daemon.journal().find()]
    intents = [fact for fact in facts if isinstance(fact, OrderIntended)]
    fills = [fact for fact in facts if isinstance(fact, OrderFilled)]
    ordered = {intent.client_order_id: intent.quantity for intent in intents}
    filled = Counter()
    for fill in fills:
        filled[fill.client_order_id] += fill.quantity

    assert len(ordered) == len(intents)
    assert len({(fill.client_order_id, fill.trade_id) for fill in fills}) == len(fills)
    assert all(quantity <= ordered[client_order_id] for client_order_id, quantity in filled.items())
    orders = daemon.rows("natya.duckdb", "select client_order_id, filled_quantity from orders where state != 'REFUSED'")
    assert dict(orders) == {client_order_id: filled[client_order_id] for client_order_id in ordered}
    assert sorted(daemon.rows("natya.duckdb", "select client_order_id, trade_id, quantity from fills")) == sorted(
        (fill.client_order_id, fill.trade_id, fill.quantity) for fill in fills
    )
    assert verify(daemon.directory / "journal").records == len(facts)


def held_over_time(daemon):
    """The shares after each fill, in the journal's sequence; each account begins with none."""
    held, after = 0, []
    for record in daemon.journal().find(types=("OrderFilled", "AccountEntered")):
        if isinstance(record.fact, AccountEntered):
            held = 0 if record.fact.choice == "new" else held
            continue
        held += record.fact.quantity if record.fact.side == "BUY" else -record.fact.quantity
        after.append(held)
    return after


def assert_recorded_once(daemon):
    counts = "select count(*), count(distinct (source, sequence)), max(sequence) from ticks"
    assert daemon.rows("natya-market.duckdb", counts) == [(TICKS, TICKS, TICKS)]
    assert daemon.rows("natya-market.duckdb", "select count(*), count(distinct start_ns) from candles") == [
        (CANDLES, CANDLES)
    ]


def assert_free(directory):
    lock = DataDirectory(directory)
    lock.take()
    lock.release()


class TestADaemonThatIsKilled:
    @pytest.mark.timeout(30 * (KILLS + 4))
    def test_loses_nothing_and_says_nothing_twice(self, daemon):
        random = Random(SEED)
        for number in range(KILLS):
            in_the_market = number % 3 > 0
            wait_s = random.uniform(0.0, MARKET_S if in_the_market else 0.9)
            was_running, started = killed(daemon, wait_s, in_the_market=in_the_market)
            print(f"seed {SEED}: killed after {wait_s:.3f} s, was running: {was_running}, helpers {started}")  # noqa: T201
            await_ends(started)
        summary = daemon.finish(daemon.start())

        assert (summary["ticks"], summary["candles"], summary["dead_letters"]) == (TICKS, CANDLES, 0)
        assert_recorded_once(daemon)
        assert_books_agree(daemon)
        assert set(held_over_time(daemon)) <= {0, 10}
        assert_free(daemon.directory)


class TestADaemonThatIsToldToStop:
    def test_ends_in_order_and_can_be_started_again(self, daemon):
        process = daemon.start(speed=UNHURRIED)
        await_that(daemon.has_traded)
        helpers = children_of(process.pid)
        process.send_signal(signal.SIGTERM)
        summary = daemon.finish(process)

        assert 0 < summary["ticks"] < TICKS
        assert daemon.rows("natya-market.duckdb", "select count(*) from ticks") == [(summary["ticks"],)]
        assert daemon.rows("natya-market.duckdb", "select count(*) from candles") == [(summary["candles"],)]
        assert daemon.rows("natya.duckdb", "select count(*) from orders") == [(summary["orders"],)]
        assert daemon.rows("natya.duckdb", "select count(*) from fills") == [(summary["fills"],)]
        assert daemon.journal().last_sequence == summary["events_journaled"]
        assert not any(map(is_alive, helpers))
        assert_free(daemon.directory)
        assert daemon.finish(daemon.start())["ticks"] == TICKS
        assert_recorded_once(daemon)
        assert_books_agree(daemon)


class TestADaemonThatIsStartedAgain:
    def test_on_the_same_recording_plays_it_in_an_account_of_its_own(self, first, daemon):
        second = daemon.finish(daemon.start())

        totals = ("orders", "fills", "realized_pnl", "unrealized_pnl", "positions")
        assert [second[name] for name in totals] == [first[name] for name in totals]
        assert (first["account"], second["account"]) == (1, 2)
        assert set(held_over_time(daemon)) <= {0, 10}
        assert (first["dead_letters"], second["dead_letters"]) == (0, 0)
        assert_recorded_once(daemon)

    def test_to_go_on_begins_with_the_position_of_before(self, first, daemon):
        second = daemon.finish(daemon.start("--continue"))

        assert (first["account"], second["account"]) == (1, 1)
        assert second["orders"] > first["orders"]
        assert set(held_over_time(daemon)) <= {0, 10}

    def test_to_go_on_where_it_was_killed_is_refused_and_says_what_to_do(self, daemon):
        process = daemon.start(speed=UNHURRIED)
        await_that(daemon.has_traded)
        helpers = children_of(process.pid)
        process.kill()
        process.communicate()
        await_ends(helpers)
        second = daemon.start("--continue")
        _, complaints = second.communicate(timeout=RUN_S)

        assert second.returncode == SETTINGS
        assert "Play it again without --continue" in complaints.decode()
        assert daemon.finish(daemon.start())["account"] == 2

    def test_while_it_runs_names_the_directory_and_the_process_that_has_it(self, daemon):
        process = daemon.start(speed=UNHURRIED)
        await_that(daemon.has_traded)
        process.send_signal(signal.SIGSTOP)
        second = daemon.start()
        _, complaints = second.communicate(timeout=RUN_S)
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGTERM)
        daemon.finish(process)

        assert second.returncode == BUSY
        assert f"{daemon.directory} is in use by process {process.pid}" in complaints.decode()
