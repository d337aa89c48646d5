"""Actors that tests run in worker processes; on that process's path because it is on the parent's."""

import ctypes
import os

import msgspec

from natya.actors.runtime import RuntimeActor, handles
from natya.actors.strategy import StrategyActor
from natya.messages.journal import Appended
from natya.messages.market import Tick
from natya.messages.orders import CancelOrder
from natya.messages.system import ActorStatistics


class Manner(msgspec.Struct, frozen=True):
    """How a performer behaves."""

    greet: str = ""
    start_fails: bool = False
    flag: str = ""
    """Path of a file: while it exists, starting fails."""


class Performer(RuntimeActor):
    """Does what it is told by `CancelOrder`, of all messages, and answers `Appended(ticks heard + 1, lives, text)`."""

    def on_start(self):
        self.ticks = 0
        self.lives = 1
        if self.settings is not None:
            if self.settings.start_fails or (self.settings.flag and os.path.exists(self.settings.flag)):  # noqa: PTH110
                raise ValueError("it will not start")
            if self.settings.greet:
                self.send(self.settings.greet, CancelOrder(client_order_id="hello"))

    def snapshot(self):
        return self.lives

    def restore(self, state):
        self.lives = state + 1

    def statistics(self):
        return ActorStatistics(handled=self.ticks, failures=self.lives)

    @handles(Tick)
    def hear(self, tick, sender):
        self.ticks += 1

    @handles(Appended)
    def pass_on(self, message, sender):
        self.send("listener", message)

    @handles(CancelOrder)
    def obey(self, order, sender):
        command, _, detail = order.client_order_id.partition(":")
        if command == "raise":
            raise LookupError(detail)
        if command == "exit":
            os._exit(3)
        if command == "hold":  # not even a signal handler of Python's would run
            ctypes.PyDLL(None).sleep(1000)
        if command == "ask":
            self.ask(detail, CancelOrder(client_order_id="from afar"), timeout_s=5, then=self.heard)
            return
        if command == "send":
            self.send(detail, order)
            return
        text = str(os.getpid()) if command == "pid" else ",".join(sorted(os.environ)) if command == "env" else detail
        self.log("performer.obeyed", command=command)
        self.send(sender, Appended(first_sequence=self.ticks + 1, last_sequence=self.lives, correlation_id=text))

    def heard(self, outcome):
        self.send("listener", outcome.unwrap())


class Buyer(StrategyActor):
    """Buys once."""

    def on_begin(self):
        self.bought = False

    def on_tick(self, tick):
        if not self.bought:
            self.bought = True
            self.buy(tick.symbol, 5)
