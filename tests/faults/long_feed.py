"""A live market of 20,000 packets a second that fails every few seconds; `make soak-feed`: for an hour, every 30 s.

At the end trading is NORMAL, each fault is a gap that was told and, minute by minute, filled from charts, each packet
is accounted for, what was passed on is recorded, and the process has grown by no more than what DuckDB keeps in memory:
pages up to its limit, which is full when a quarter of the time is over or never, and what describes the day's ticks, 3
MiB a million of them (measured: 2.8), until they are archived.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from natya_charts import Broker, told_of
from natya_processes import await_that
from natya_servers import http

from natya import StrategyActor, TradingSystem, load_settings
from natya.domain.calendar import MINUTE_NS
from natya.domain.history import VISIBLE_S
from natya.messages.addresses import HISTORY, JOURNAL
from natya.messages.history import GapFilled
from natya.messages.journal import ReadJournal

SECONDS = float(os.environ.get("SECONDS", "60"))
FAULT_S = float(os.environ.get("FAULT_S", "5"))
RATE = float(os.environ.get("RATE", "20000"))
SYMBOLS = ["INFY", "RELIANCE", "TCS", "HDFCBANK", "SBIN"]
GROWTH_MAX_MIB = 64
TICKS_MIB = 3 / 1_000_000


class Counter(StrategyActor):
    """Hears everything."""


def chart_of(request):
    """Of a symbol that was traded in each of the last 120 minutes, weekends and nights too."""
    if b"/charts/" not in request:
        return http("[]")
    now = time.time_ns() // MINUTE_NS
    return told_of([minute * MINUTE_NS for minute in range(now - 120, now)])


def minutes_of(records):
    """Return the symbols and minutes of which facts tell."""
    facts = [record.fact for record in records]
    return {
        (symbol, minute)
        for fact in facts
        for symbol in ([fact.symbol] if isinstance(fact, GapFilled) else fact.symbols)
        for minute in range(fact.start_ns // MINUTE_NS, -(-fact.end_ns // MINUTE_NS))
    }


def resident_mib():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def test_a_feed_that_fails_again_and_again_is_whole_in_the_end(tmp_path):
    helpers = Path(__file__).parents[1] / "helpers"
    market = subprocess.Popen(
        [sys.executable, str(helpers / "natya_feed_market.py"), str(RATE), str(FAULT_S)],
        stdout=subprocess.PIPE,
        text=True,
    )
    port, charts = int(market.stdout.readline()), Broker()
    charts.usual = chart_of
    settings = load_settings(
        "paper",
        environment={
            "BROKER_ACCESS_TOKEN": "a-token",
            "BROKER_CLIENT_ID": "1100012345",
            "BROKER_BASE_URL": charts.server.url,
        },
        overrides={
            "system.data_dir": str(tmp_path / "natya"),
            "feed.source": "dhan",
            "feed.options": {"url": f"ws://127.0.0.1:{port}", "mode": "quote"},
            "feed.symbols": SYMBOLS,
            "feed.exchange": "none",
            "control.enabled": False,
            "strategies": [{"name": "counter", "strategy": Counter, "symbols": SYMBOLS}],
        },
    )
    try:
        with TradingSystem(settings) as system:

            def feed():
                return system.look().statistics["feed"]

            time.sleep(SECONDS / 4)  # buffers fill; how long it lasts is what is tested
            before_mib = resident_mib() - TICKS_MIB * feed().ticks
            time.sleep(SECONDS * 3 / 4)
            grown_mib = resident_mib() - TICKS_MIB * feed().ticks - before_mib
            market.kill()
            faults = market.stdout.read().split()
            await_that(lambda: not feed().connections, timeout_s=60)
            end = await_that(
                lambda: (now := feed()).recorded_sequence == now.ticks and not now.queued and now,
                timeout_s=60,
            )
            orders = system.look().statistics["orders"]
            await_that(
                lambda: (now := system.look().statistics[HISTORY]).gaps_filled and not now.gaps_open,
                timeout_s=VISIBLE_S + 180,
            )
            told, filled = (
                minutes_of(
                    system.request(JOURNAL, ReadJournal(types=(kind,), records_max=100_000), timeout_s=60).records
                )
                for kind in ("FeedGapped", "GapFilled")
            )
    finally:
        market.kill()
        market.communicate()
        charts.server.close()
    sys.stdout.write(
        f"{len(faults)} faults, {end.gaps} gaps, {end.reconnects} reconnects; {end.arrived:,} arrived, "
        f"{end.ticks:,} passed on and recorded, {end.conflated:,} left out; "
        f"{len(told):,} minutes of symbols told and filled; "
        f"grown by {grown_mib:.0f} MiB beside the ticks\n"
    )
    assert orders.risk_state == "NORMAL"
    assert len(faults) - 1 <= end.gaps <= end.reconnects  # the last one may have had no time to be over
    assert told <= filled
    assert end.arrived == end.ticks + end.conflated
    assert end.arrived > RATE * SECONDS / 10, "silence takes 15 s to be found, and back-off up to 30 s"
    assert grown_mib < GROWTH_MAX_MIB
