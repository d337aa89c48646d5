"""The live profile at an exchange of this machine: the exchange and the daemon each in a process of its own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from http import HTTPStatus

from natya_processes import await_that
from natya_starts import Forked
from natya_web import ask

from natya import StrategyActor
from natya.actors.journal import tools

SERVE = [sys.executable, "-m", "natya", "exchange", "serve", "--always-open", "--by-hand"]
LIMITS = {"quantity_max": 10, "value_max_rupees": 25_000.0, "position_max": 20, "orders_in_flight_max": 10}
SYMBOL = "RELIANCE"
AT_ANY_HOUR = {
    "orders.session": "none",
    "orders.symbols": ["*"],
    "orders.repeats_max": 0,
    "orders.price_collar_percent": 0.0,
    "orders.price_band_age_max_s": 0.0,
    "orders.rejects_max": 0,
    "orders.orders_a_second_max": 0,
}
"""Rules that a test is not about: it runs at night, too, its orders are alike and far from the market, and an
exchange whose market is set by hand has shown no price band before its first price."""


class Rester(StrategyActor):
    """Buys one share at each of the first ticks, so far below the market that the orders rest."""

    COUNT = 12

    def on_begin(self):
        self._left = self.parameters.get("count", self.COUNT)

    def on_tick(self, tick):
        if self._left:
            self._left -= 1
            self.buy(tick.symbol, 1, float(round(tick.price * 0.95)))


class Armed(StrategyActor):
    """Buys one bracket of ten at the first tick, whose exits are far from the market, and lets an order rest."""

    def on_begin(self):
        self._is_done = False

    def on_tick(self, tick):
        if not self._is_done:
            self._is_done = True
            far = round(tick.price * 0.05)
            near = float(round(tick.price))
            self.buy(tick.symbol, 10, target=near + far, stop_loss=near - far)
            self.buy(tick.symbol, 1, near - far)


def facts(data_dir, kind):
    """All facts of a type in the journal of a data directory."""
    with contextlib.suppress(FileNotFoundError):
        return [each.fact for each in tools.tail(data_dir / "journal", records_max=10_000, types=(kind.__name__,))]
    return []


class Exchange:
    """`natya exchange serve`, in a process of its own."""

    def __init__(self, data_dir, *options):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("NATYA")}
        self.process = Forked(
            [*SERVE, "--data-dir", str(data_dir), *options], stdout=subprocess.PIPE, env=environment, text=True
        )
        self.first = json.loads(self.process.stdout.readline())

    def ask(self, method, path, body=None):
        """What is answered, once there is room: the requests of all on an account count in the same windows."""
        url = self.first["rest"].removesuffix("/v2") + path
        headers = {"access-token": self.first["token"]}

        def answered():
            status, said = ask(method, url, None if body is None else json.dumps(body), headers)
            return status != HTTPStatus.TOO_MANY_REQUESTS and (json.loads(said),)

        (answer,) = await_that(answered)
        return answer

    def book(self):
        return [(row["orderStatus"], row["quantity"]) for row in self.ask("GET", "/v2/orders")]

    def states(self):
        """How many orders are in which state."""
        return Counter(state for state, _ in self.book())

    def price(self, price, symbol=SYMBOL):
        self.ask("POST", "/__market", {"symbol": symbol, "price": price})

    @property
    def environment(self):
        """What a client has to know."""
        return {
            "BROKER_BASE_URL": self.first["rest"],
            "BROKER_CLIENT_ID": self.first["client_id"],
            "BROKER_ACCESS_TOKEN": self.first["token"],
        }

    def end(self):
        self.process.kill()
        self.process.communicate()


class LiveDaemon:
    """`natya run --profile live --live` at such an exchange."""

    MODULE = "natya"

    def __init__(self, exchange, folder, *, strategy="natya_live:Rester"):
        self.exchange = exchange
        self.folder = folder
        self.data_dir = folder / "natya"
        self.config = folder / "live.toml"
        limits = ", ".join(f"{name} = {value}" for name, value in LIMITS.items())
        named = {name.removeprefix("orders."): value for name, value in AT_ANY_HOUR.items()}
        rules = "\n".join(f"{name} = {json.dumps(value)}" for name, value in named.items())
        self.config.write_text(
            f"""
[broker]
confirmed_limits = {{ {limits} }}
[feed]
symbols = ["{SYMBOL}"]
[orders]
{rules}
[instruments]
refresh = "never"
[[strategies]]
name = "rester"
strategy = "{strategy}"
symbols = ["{SYMBOL}"]
"""
        )
        self.processes = []

    @property
    def environment(self):
        """Of whoever speaks to the exchange."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("NATYA")}
        return own | self.exchange.environment

    def start(self, *options):
        command = [sys.executable, "-m", self.MODULE, "run", "--profile", "live", "--live"]
        command += ["--config", str(self.config), "--data-dir", str(self.data_dir), "--summary", "json", *options]
        with (self.folder / "output.txt").open("ab") as output:
            process = Forked(
                command,
                stdout=output,
                stderr=output,
                cwd=os.path.dirname(__file__),  # noqa: PTH120  where the strategies are
                env=self.environment,
            )
        self.processes.append(process)
        return process

    def output(self):
        return (self.folder / "output.txt").read_text()

    def facts(self, kind):
        """All facts of a type in its journal, whether it runs or not; the exchange would count each question."""
        return facts(self.data_dir, kind)

    def await_facts(self, kind, count):
        await_that(lambda: len(self.facts(kind)) >= count)

    def end(self):
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
