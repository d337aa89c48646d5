"""From the file `HALT` to the cancellations: how long until the first one is at the broker, and until the last one is.

    python benchmarks/bench_kill_switch.py [--orders 100]

The live profile in this process, at `natya exchange serve` in another, over HTTP and with Dhan's limits of requests;
orders that rest, then the file. Counted is by the exchange's own times: from the moment before the file is made until
an order is cancelled there. Targets: the first within 20 ms, since that is what stands between a wrong order and its
fill; the last within what the limits leave, ten requests a second: the orders themselves took their part of the minute.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from figures import Figure, report

from natya import StrategyActor, TradingSystem, load_settings
from natya.actors.journal import tools
from natya.config.halt_file import HaltFile, HaltNote
from natya.messages.exchange import AccountOrder
from natya.messages.market import Tick

FIRST_MS_TARGET = 20.0
REQUESTS_A_SECOND = 10
A_SECOND_TO_COME = 1.5
"""The window of requests may be full at the moment of the halt; and an answer takes its time."""

LIMITS = {"quantity_max": 10, "value_max_rupees": 25_000.0, "position_max": 2_000, "orders_in_flight_max": 50}
FREELY = {
    "session": "none",
    "repeats_max": 0,
    "price_collar_percent": 0.0,
    "rejects_max": 0,
    "orders_a_second_max": 0,
    "open_value_max_rupees": 0.0,
    "gross_value_max_rupees": 0.0,
    "strategy_orders_a_day_max": 0,
}
SYMBOL = "RELIANCE"


class Rester(StrategyActor):
    """Buys one share at each tick, so far below the market that the orders rest."""

    def on_begin(self) -> None:
        """Have ordered nothing yet."""
        self._left = self.parameters["orders"]

    def on_tick(self, tick: Tick) -> None:
        """Order once more."""
        if self._left:
            self._left -= 1
            self.buy(tick.symbol, 1, float(round(tick.price * 0.95)))


def until(condition: Callable[[], bool], seconds: float) -> None:
    """Look again and again until it is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"what is wanted did not happen in {seconds:.0f} s")
        time.sleep(0.05)


def cancelled_ms(folder: Path, first: dict[str, str], orders: int) -> list[float]:
    """Have so many orders rest, put the switch on, and return when each was cancelled after that."""
    environment = {
        "BROKER_BASE_URL": first["rest"],
        "BROKER_CLIENT_ID": first["client_id"],
        "BROKER_ACCESS_TOKEN": first["token"],
    }
    overrides = {
        "system.data_dir": str(folder / "natya"),
        "feed.symbols": [SYMBOL],
        "feed.ticks_per_s": 6.0,  # below what the limits allow to open: cancellations have the rest
        "control.enabled": False,
        "broker.live": True,
        "broker.confirmed_limits": LIMITS,
        "orders.symbols": [SYMBOL],
        **{f"orders.{name}": value for name, value in {**LIMITS, **FREELY}.items()},
        "strategies": [
            {"name": "rester", "strategy": Rester, "symbols": [SYMBOL], "parameters": {"orders": orders}},
        ],
    }
    with TradingSystem(load_settings("live", environment=environment, overrides=overrides)) as system:

        def counts() -> tuple[int, int]:
            now = system.look().statistics["orders"]
            return now.open_orders, now.uncertain_orders

        until(lambda: counts() == (orders, 0), 60 + orders)
        began_ns = time.time_ns()
        HaltFile(folder / "natya" / "HALT").engage(HaltNote(reason="a benchmark"))
        until(lambda: counts()[0] == 0, 60 + orders)
    records = tools.tail(folder / "exchange" / "journal", records_max=1_000_000, types=("AccountOrder",))
    facts = [record.fact for record in records if isinstance(record.fact, AccountOrder)]
    return sorted((fact.updated_ns - began_ns) / 1e6 for fact in facts if fact.status == "CANCELLED")


def main(arguments: list[str] | None = None) -> int:
    """Measure; 0 when the targets are met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=100, help="that are open")
    options = parser.parse_args(arguments)
    own = {name: value for name, value in os.environ.items() if not name.startswith("NATYA")}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        command = [sys.executable, "-m", "natya", "exchange", "serve", "--always-open", "--by-hand"]
        command += ["--data-dir", str(folder / "exchange"), "--set", "exchange.acknowledgement_delay_s=0.0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=own, text=True) as exchange:
            try:
                assert exchange.stdout is not None, "asked for"
                first = json.loads(exchange.stdout.readline())
                address = urlsplit(first["rest"])
                line = http.client.HTTPConnection(address.hostname or "", address.port)
                price = json.dumps({"symbol": SYMBOL, "price": 1_526.0})
                line.request("POST", "/__market", price, {"access-token": first["token"]})
                line.getresponse().read()
                line.close()
                found = cancelled_ms(folder, first, options.orders)
            finally:
                exchange.kill()
    if len(found) != options.orders:
        raise SystemExit(f"{options.orders} cancellations wanted, found {len(found)}")
    budget_s = options.orders / REQUESTS_A_SECOND + A_SECOND_TO_COME
    return report(
        [
            Figure(name="kill switch, file to first cancellation", value=found[0], unit="ms", target=FIRST_MS_TARGET),
            Figure(
                name=f"kill switch, file to last of {options.orders} cancellations",
                value=found[-1] / 1_000,
                unit="s",
                target=budget_s,
            ),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
