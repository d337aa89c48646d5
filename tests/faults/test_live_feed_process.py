"""The market is another process, `natya exchange serve`, which is stopped, goes on, is killed, and is there again."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from natya_processes import await_that
from natya_servers import free_port
from natya_starts import Forked, run_natya

from natya import TradingSystem, load_settings
from natya.domain.time import SECOND_NS
from natya.messages.journal import ReadJournal

SERVE = [
    sys.executable,
    "-m",
    "natya",
    "exchange",
    "serve",
    "--always-open",
    "--synthetic",
    "7",
    "--token",
    "a-token-of-a-test",
]
SILENCE_S = 1.0


class Market:
    """The process; started again it has the same port."""

    def __init__(self, folder, symbol="INFY"):
        self._command = [*SERVE, "--symbol", symbol, "--data-dir", str(folder)]
        self._command += ["--set", f"exchange.streams_port={free_port()}"]
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("NATYA")}
        self.start()

    def start(self):
        self.process = Forked(self._command, stdout=subprocess.PIPE, env=self._environment, text=True)
        self.first = json.loads(self.process.stdout.readline())

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()  # also where it is stopped
        self.process.communicate(timeout=60)


@pytest.fixture
def market(tmp_path):
    market = Market(tmp_path / "exchange")
    yield market
    market.kill()


@pytest.fixture
def system(tmp_path, market):
    first = market.first
    options = {"url": first["feed"], "depth": 20, "depth_url": first["depth"]}
    settings = load_settings(
        "paper",
        environment={"BROKER_ACCESS_TOKEN": first["token"], "BROKER_CLIENT_ID": first["client_id"]},
        overrides={
            "system.data_dir": str(tmp_path / "natya"),
            "feed.source": "dhan",
            "feed.options": options | {"silence_s": SILENCE_S, "backoff_s": 0.1, "backoff_max_s": 0.2},
            "feed.symbols": ["INFY"],
            "feed.exchange": "none",
            "control.enabled": False,
        },
    )
    with TradingSystem(settings) as system:
        yield system


def feed_of(system, wanted):
    """Wait until the feed counts what is wanted."""
    return await_that(lambda: (now := system.look().statistics["feed"]) and wanted(now) and now, timeout_s=30)


def gaps_of(system):
    records = system.request("journal", ReadJournal(types=("FeedGapped",)), timeout_s=5).records
    return [record.fact for record in records]


class TestALiveMarketInAnotherProcess:
    def test_is_lost_and_found_again_with_each_gap_told_and_everything_that_came_recorded(self, system, market):
        before = feed_of(system, lambda now: now.ticks >= 3)

        market.signal(signal.SIGSTOP)
        feed_of(system, lambda now: not now.connections)
        market.signal(signal.SIGCONT)
        after = feed_of(system, lambda now: now.gaps and now.ticks > before.ticks + 3)
        market.kill()
        market.start()
        end = feed_of(system, lambda now: now.gaps > after.gaps and now.ticks > after.ticks + 3)

        gaps = await_that(lambda: (found := gaps_of(system)) and len(found) >= end.gaps and found)
        assert all(gap.symbols == ("INFY",) for gap in gaps)
        assert all(gap.start_ns < gap.end_ns for gap in gaps)
        assert gaps[0].end_ns <= gaps[-1].start_ns
        assert gaps[0].end_ns - gaps[0].start_ns >= SILENCE_S * SECOND_NS
        now = feed_of(system, lambda now: now.recorded_sequence > after.ticks)
        assert now.arrived >= now.ticks + now.conflated
        assert now.reconnects >= now.gaps >= 2
        assert (now.damaged, now.unknown) == (0, 0)


def test_what_the_readme_says_trades_on_its_prices_on_paper(tmp_path):
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    command = shlex.split(re.search(r"^ {4}natya (run --feed dhan [^#]*)#", readme, re.MULTILINE)[1])
    market = Market(tmp_path / "exchange", command[command.index("--symbol") + 1])
    try:
        first = market.first
        account = {"BROKER_CLIENT_ID": first["client_id"], "BROKER_ACCESS_TOKEN": first["token"]}
        options = f'feed.options={{url="{first["feed"]}"}}'
        given = ["--data-dir", str(tmp_path / "natya"), "--duration", "2", "--summary", "json"]
        given += ["--set", "feed.exchange=none", "--set", options]
        ran = run_natya(*command, *given, env=os.environ | account)
    finally:
        market.kill()
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["ticks"] > 0
    assert first["token"] not in ran.stdout + ran.stderr
