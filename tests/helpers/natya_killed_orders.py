"""A live daemon whose strategy trades without pause at a faulty exchange in another process, and what both sides say.

The daemon is killed at random moments, stopped, and halted; the exchange lives on. Afterwards its journal and ours are
compared: they share no code but the file format.
"""

import http.client
import json
import signal
import subprocess
import threading
import time
from collections import Counter, defaultdict
from contextlib import suppress
from random import Random
from urllib.parse import urlsplit

from natya_live import AT_ANY_HOUR, SYMBOL, Exchange, LiveDaemon
from natya_processes import await_that

from natya import StrategyActor, connect
from natya.actors.control import ControlError
from natya.actors.journal import JournalView, tools
from natya.actors.journal.disk import RealDisk
from natya.actors.orders.book import Book
from natya.config.halt_file import HaltFile, HaltNote
from natya.messages.exchange import AccountOrder, AccountTrade
from natya.messages.orders import ModificationIntended, OrderFact, OrderIntended
from natya.messages.risk_state import Resumed, RiskStateChanged

LIMITS = {"quantity_max": 10, "value_max_rupees": 50_000.0, "position_max": 200, "orders_in_flight_max": 50}
WITHOUT_COUNTS = {
    **AT_ANY_HOUR,
    "orders.unknown_orders_max": 0,
    "orders.day_loss_max_rupees": 0.0,
    "orders.open_value_max_rupees": 0.0,
    "orders.gross_value_max_rupees": 0.0,
    "orders.orders_a_minute_max": 0,
    "orders.orders_an_hour_max": 0,
    "orders.orders_a_day_max": 0,
    "orders.strategy_orders_a_day_max": 0,
    "orders.strategy_trades_a_day_max": 0,
    "orders.absence_horizon_s": 8.0,
    "orders.lookup_interval_s": 0.5,
    "orders.reconcile_interval_s": 5.0,
}
QUIET_S = 30
"""Seconds without faults in which all must be as if there had been none."""

STOP_S = 15
LOOK_EVERY_S = 0.05
PRICE_EVERY_S = 0.02
CONNECTION_S = 0.2
STATES = {
    "TRANSIT": "ACCEPTED",
    "PENDING": "ACCEPTED",
    "PART_TRADED": "PART_FILLED",
    "TRADED": "FILLED",
    "CANCELLED": "CANCELLED",
    "EXPIRED": "CANCELLED",
    "REJECTED": "REJECTED",
}
"""How we call what the exchange says of an order."""


class Restless(StrategyActor):
    """Places, changes and cancels orders of every type at each tick, with few shares and few open orders."""

    def on_tick(self, tick):
        chance, mine = self.random, self.open_orders
        for _ in range(2):
            if len(mine) < 16 and chance.random() < 0.7:
                self._place(tick)
        if mine and chance.random() < 0.8:
            order = chance.choice([each for each in mine if each.state == "ACCEPTED"] or mine)
            near = round(tick.price * chance.uniform(0.99, 1.01), 1)
            if order.limit is not None and order.stop is None:
                self.modify(order, limit=near, quantity=chance.choice((None, 3, 5)))
            elif order.stop is not None and order.limit is None:
                self.modify(order, stop=near)
        if mine and chance.random() < 0.5:
            self.cancel(chance.choice(mine))

    def _place(self, tick):
        chance, held = self.random, self.position(tick.symbol)
        buys = held < -30 or (held <= 30 and chance.random() < 0.5)
        place, sign = (self.buy, 1) if buys else (self.sell, -1)
        quantity, away = chance.randint(1, 5), chance.choice((0.0005, 0.002, 0.01))
        below, above = round(tick.price * (1 - sign * away), 1), round(tick.price * (1 + sign * away), 1)
        match chance.randrange(6):
            case 0:
                place(tick.symbol, quantity)
            case 1:
                place(tick.symbol, quantity, above, valid="IOC")
            case 2:
                place(tick.symbol, quantity, stop=above)
            case 3:
                place(tick.symbol, quantity, round(above * (1 + sign * 0.002), 1), stop=above)
            case _:
                place(tick.symbol, quantity, below)


def a_plan(seed):
    """Faults of every kind that a request or an order update may meet, but for tokens that die."""

    def falls(kind, chance, **fields):
        return {"kind": kind, "chance": chance, "path": "/orders", **fields}

    writes = [
        falls(kind, 0.015, method=method, seconds=0.3)
        for method in ("POST", "PUT", "DELETE")
        for kind in (
            *("latency", "timeout_before", "timeout_after", "delayed_acceptance", "reset_before", "reset_after"),
            *("throttled", "server_error_before", "server_error_after", "hostile_body"),
        )
        if (method, kind) != ("POST", "throttled")
    ]
    reads = [
        {"kind": kind, "chance": 0.01, "method": "GET", "seconds": 0.3}
        for kind in ("latency", "timeout_before", "reset_before", "server_error_before", "hostile_body", "throttled")
    ]
    rates = {"duplicated": 0.2, "delayed": 0.1, "lost": 0.1, "reordered": 0.1, "dropped": 0.005}
    streams = [{"kind": kind, "chance": rate, "path": "/order-update", "seconds": 0.3} for kind, rate in rates.items()]
    return {"seed": seed, "faults": writes + reads, "streams": streams}


class RestlessExchange(Exchange):
    """Its price moves all the time, and it fails by a plan."""

    def __init__(self, data_dir, seed):
        self.data_dir = data_dir
        super().__init__(data_dir, "--faults", "--unlimited", "--set", "exchange.acknowledgement_delay_s=0.005")
        self._chance = Random(f"{seed}/prices")
        self._over = threading.Event()
        self._mover = threading.Thread(target=self._move)
        self.price(1_526.0)
        self.ask("PUT", "/__faults", a_plan(seed))
        self._mover.start()

    def _move(self):
        parts = urlsplit(self.first["rest"])
        line = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        price = 1_526.0
        while not self._over.wait(PRICE_EVERY_S):
            price = min(max(price * self._chance.uniform(0.9985, 1.0015), 1_450.0), 1_600.0)
            body = json.dumps({"symbol": SYMBOL, "price": round(price, 1)})
            line.request("POST", "/__market", body, {"access-token": self.first["token"]})
            line.getresponse().read()
        line.close()

    def rest(self):
        """Let nothing fail any more, and the price stand; return how many faults have fallen."""
        self._over.set()
        self._mover.join()
        told = self.ask("GET", "/__faults")
        self.ask("DELETE", "/__faults")
        return sum(told["fallen"]) + sum(told["streams_fallen"])

    def end(self):
        self._over.set()
        if self._mover.is_alive():
            self._mover.join()
        super().end()


class RestlessDaemon(LiveDaemon):
    """A daemon with that strategy, told of its orders by the exchange's socket."""

    MODULE = "natya_unlimited"

    def __init__(self, exchange, folder):
        super().__init__(exchange, folder)
        self.halt = HaltFile(self.data_dir / "HALT")
        first = exchange.first
        limits = ", ".join(f"{name} = {value}" for name, value in LIMITS.items())
        rules = WITHOUT_COUNTS | {f"orders.{name}": value for name, value in LIMITS.items()}
        rows = "\n".join(f"{name} = {json.dumps(value)}" for name, value in rules.items())
        self.config.write_text(
            f"""
{rows}
[broker]
confirmed_limits = {{ {limits} }}
answer_timeout_s = 3.0
options = {{ order_updates = "{first["order_update"]}" }}
[feed]
source = "dhan"
exchange = "none"
symbols = ["{SYMBOL}"]
options = {{ url = "{first["feed"]}", backoff_s = 0.1, backoff_max_s = 0.2 }}
[instruments]
refresh = "never"
[[strategies]]
name = "restless"
strategy = "natya_killed_orders:Restless"
symbols = ["{SYMBOL}"]
"""
        )

    def journal(self):
        return records_of(self.data_dir)

    def newest(self):
        """The newest sequence of its journal; 0 before it has one."""
        with suppress(FileNotFoundError):
            return JournalView.of_directory(RealDisk(), self.data_dir / "journal").last_sequence
        return 0

    def intents_after(self, sequence):
        """How many orders it has intended since then."""
        with suppress(FileNotFoundError):
            view = JournalView.of_directory(RealDisk(), self.data_dir / "journal")
            return sum(1 for _ in view.find(after_sequence=sequence, types=("OrderIntended",)))
        return 0

    def orders(self):
        """Counts and risk state of its orders; None while it does not answer."""
        with suppress(OSError, ControlError), connect(self.data_dir) as system:
            return system.ping("orders").statistics
        return None

    def resume(self):
        """Take the file away, and let orders pass again."""
        self.halt.release()
        with connect(self.data_dir) as system:
            return system.resume("the test goes on")


def records_of(data_dir):
    """All records of a journal, whether somebody writes it or not."""
    return tools.tail(data_dir / "journal", records_max=10_000_000)


class Both:
    """What the daemon's journal and that of the exchange say; `wrongs` lists where they differ."""

    def __init__(self, daemon, exchange):
        self.book, self.intended, self.changed, self.ours, self.risk = Book(), {}, defaultdict(list), Counter(), []
        self._filled, self._passed_in_halt = Counter(), []
        for record in records_of(daemon.data_dir):
            self._apply(record)
        self.rows, self.versions, self.trades = {}, defaultdict(list), {}
        for record in records_of(exchange.data_dir):
            fact = record.fact
            if isinstance(fact, AccountOrder):
                self.rows[fact.order_id] = fact
                self.versions[fact.order_id].append(fact)
            elif isinstance(fact, AccountTrade):
                self.trades[fact.trade_id] = fact

    def _apply(self, record):
        fact = record.fact
        self.ours[type(fact).__name__] += 1
        if isinstance(fact, RiskStateChanged):
            self.risk.append(fact.state)
        elif isinstance(fact, OrderIntended):
            self.intended[fact.client_order_id] = record
            if self.risk and self.risk[-1] == "HALTED":
                self._passed_in_halt.append(fact.client_order_id)
        elif isinstance(fact, ModificationIntended):
            self.changed[fact.client_order_id].append(record)
        if isinstance(fact, OrderFact):
            self.book.apply(fact)

    def wrongs(self):
        """Say each thing that must not be."""
        return [*self._arrivals(), *self._changes(), *self._ends(), *self._positions(), *self._halts()]

    def _arrivals(self):
        placed = Counter(row.correlation_id for row in self.rows.values())
        yield from (f"{each} is at the exchange {number} times" for each, number in placed.items() if number > 1)
        for row in self.rows.values():
            intent = self.intended.get(row.correlation_id)
            if intent is None:
                yield f"{row.correlation_id} is at the exchange, and nobody intended it"
            elif intent.recorded_ns > row.created_ns:
                yield f"{row.correlation_id} came to the exchange before its intent was in the journal"

    def _changes(self):
        for versions in self.versions.values():
            newest, records = versions[-1], self.changed[versions[-1].correlation_id]
            if newest.modifications > len(records):
                yield f"{newest.correlation_id} was changed {newest.modifications} times, of {len(records)} intended"
            for row in versions:
                if row.modifications > sum(record.recorded_ns <= row.updated_ns for record in records):
                    yield f"{row.correlation_id} was changed before that was in the journal"

    def _ends(self):
        placed = {row.correlation_id: row for row in self.rows.values()}
        for name in self.intended:
            order, row = self.book.order(name), placed.get(name)
            if row is None:
                if order.state not in {"EXPIRED", "REJECTED"}:
                    yield f"{name} is {order.state}, and the exchange never had it"
            elif (order.state, order.filled) != (STATES[row.status], row.filled_quantity):
                yield f"{name} is {order.state} ({order.filled}), and {row.status} ({row.filled_quantity}) there"
            elif order.is_open and order.pending is not None:
                yield f"change {order.pending.number} of {name} was never settled"
            elif order.is_open and order.quantity != row.quantity:
                yield f"{name} is of {order.quantity} shares, and of {row.quantity} there"

    def _positions(self):
        held = sum(trade.quantity if trade.side == "BUY" else -trade.quantity for trade in self.trades.values())
        ours = sum(each.quantity for each in self.book.statistics("NORMAL").positions if each.symbol == SYMBOL)
        if ours != held:
            yield f"{ours} shares are held, and {held} at the exchange"

    def _halts(self):
        yield from (f"{each} passed the gate in a halt" for each in self._passed_in_halt)


class Storm:
    """Lives of a daemon, each ended in another way, at an exchange that lives on."""

    def __init__(self, folder, seed):
        self.chance = Random(f"{seed}/kills")
        self.exchange = RestlessExchange(folder / "exchange", seed)
        self.daemon = RestlessDaemon(self.exchange, folder)
        self.ends = Counter()
        self.stopped_s = []
        self.faults = self.settled_s = 0

    def live(self, orders, end):
        """Start it; after so many orders, or at any moment of its start, let it end so."""
        daemon, newest = self.daemon, self.daemon.newest()
        process = daemon.start()
        if orders:
            self._let_trade(process, newest, orders)
        if end == "halt":
            daemon.halt.engage(HaltNote(reason="a test", person="asha"))
        self._wait(process, self.chance.uniform(0.0, 0.3 if orders else 1.5))
        self.ends[end if orders else f"{end} in its start"] += 1
        if end == "stop":
            self._stop(process)
        else:
            process.kill()
            process.wait()

    def _let_trade(self, process, newest, orders):
        if self.daemon.halt.is_engaged():
            await_that(lambda: (now := self.daemon.orders()) and now.risk_state == "HALTED")
            assert isinstance(self.daemon.resume(), Resumed)
        while self.daemon.intents_after(newest) < orders:  # a look at a journal costs more than at a file
            self._wait(process)

    def _wait(self, process, seconds=LOOK_EVERY_S):
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        assert process.poll() is None, self.daemon.output()[-2_000:]

    def _stop(self, process):
        began_s = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=4 * STOP_S) == 0, self.daemon.output()[-2_000:]
        self.stopped_s.append(time.monotonic() - began_s)

    def settle(self):
        """Let nothing fail any more; return what is wrong after `QUIET_S` at the latest, and stop it."""
        newest = self.daemon.newest()
        process = self.daemon.start()
        self._let_trade(process, newest, 1)
        self.faults = self.exchange.rest()
        began_s = time.monotonic()
        while True:
            now = self.daemon.orders()
            unsettled = now is None or now.risk_state != "NORMAL" or now.uncertain_orders
            wrongs = [f"the orders are {now}"] if unsettled else Both(self.daemon, self.exchange).wrongs()
            self.settled_s = time.monotonic() - began_s
            if not wrongs or self.settled_s > QUIET_S:
                break
            self._wait(process)
        self._stop(process)
        return wrongs + Both(self.daemon, self.exchange).wrongs()

    def end(self):
        self.daemon.end()
        self.exchange.end()
