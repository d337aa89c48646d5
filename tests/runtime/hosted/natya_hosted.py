"""Actors that tests run in worker processes; on that process's path because it is on the parent's."""

import ctypes
import enum
import os
import time
from typing import Any

import msgspec

from natya.actors.runtime import RuntimeActor, handles
from natya.actors.runtime.workers import wire
from natya.actors.strategy import StrategyActor
from natya.messages.journal import Appended
from natya.messages.market import Tick
from natya.messages.orders import CancelOrder
from natya.messages.supervision import Failed
from natya.messages.system import ActorStatistics


class Manner(msgspec.Struct, frozen=True):
    """How a performer behaves."""

    greet: str = ""
    start_fails: bool = False
    flag: str = ""
    """Path of a file: while it exists, starting fails."""


class Late(msgspec.Struct, frozen=True):
    """To itself: answer now."""

    answer: Appended
    asker: Any


class Word(msgspec.Struct, frozen=True):
    """Of the author's own types, named in `wire_types`."""

    text: str


class Unnamed(msgspec.Struct, frozen=True):
    """Of the author's own types, and not named."""

    text: str = ""


class Colour(enum.IntEnum):
    """A number of another type."""

    RED = 1


class Damaged(Exception):  # noqa: N818  as a room might name it
    """What no restart can mend, and the start of a system outlives."""

    restart_helps = False
    fails_start = False


class Performer(RuntimeActor):
    """Does what it is told by `CancelOrder`, of all messages, and answers `Appended(ticks heard + 1, lives, text)`."""

    wire_types = (Word,)

    def on_start(self):
        self.ticks = 0
        self.lives = 1
        if self.settings is not None:
            if self.settings.start_fails or (self.settings.flag and os.path.exists(self.settings.flag)):  # noqa: PTH110
                raise ValueError("it will not start")
            if self.settings.greet:
                self.send(self.settings.greet, CancelOrder(client_order_id="hello"))

    def on_stop(self):
        if getattr(self, "spoiled", False):
            raise ValueError("spoiled")

    def snapshot(self):
        return self.lives

    def restore(self, state):
        self.lives = state + 1

    def statistics(self):
        return ActorStatistics(handled=self.ticks, failures=self.lives)

    @handles(Tick)
    def hear(self, tick, sender):
        self.ticks += 1

    @handles(Appended, Failed)
    def pass_on(self, message, sender):
        self.send("listener", message)

    @handles(Word)
    def repeat(self, word, sender):
        self.send(sender, Word(word.text.upper()) if word.text else Unnamed())

    @handles(CancelOrder)
    def obey(self, order, sender):
        command, _, detail = order.client_order_id.partition(":")
        getattr(self, f"do_{command}")(detail, order, sender)

    def do_say(self, detail, order, sender):
        self.log("performer.obeyed", command=order.client_order_id)
        self.send(sender, self.answer(detail))

    def do_murmur(self, _, order, sender):
        self.log("performer.murmured", half="\udc80", itself=self, broken={"\ud800": Colour.RED})
        self.send(sender, self.answer("said"))

    def do_pid(self, _, order, sender):
        self.do_say(str(os.getpid()), order, sender)

    def do_draw(self, _, order, sender):
        self.do_say(str(self.random.random()), order, sender)

    def do_env(self, _, order, sender):
        self.do_say(",".join(sorted(os.environ)), order, sender)

    def do_lie(self, detail, _, sender):
        """Send by name, or as the answer, what no such message may hold."""
        self.send(detail or sender, Appended(first_sequence=0, last_sequence=1))

    def do_late(self, detail, _, sender):
        self.after(0.05, Late(answer=self.answer(detail), asker=sender))

    def do_send(self, detail, order, _):
        self.send(detail, order)

    def do_ask(self, detail, *_):
        self.ask(detail, CancelOrder(client_order_id="from afar"), timeout_s=5, then=self.heard)

    def do_offload(self, detail, order, _):
        self.offload(len, detail, then=lambda _: self.send(detail, order))

    def do_raise(self, detail, *_):
        raise LookupError(detail)

    def do_damage(self, detail, *_):
        raise LookupError("given up") from Damaged(detail)

    def do_odd(self, *_):
        raise LookupError("\udc80")

    def do_allocate(self, *_):
        self.hoard = bytearray(1 << 30)  # in one go: it is refused before a page of it is there

    def do_leave(self, *_):
        raise SystemExit(3)

    def do_spoil(self, *_):
        self.spoiled = True

    def do_exit(self, *_):
        os._exit(3)

    def do_hold(self, *_):
        ctypes.PyDLL(None).sleep(1000)  # not even a signal handler of Python's would run

    def do_nap(self, detail, order, sender):
        time.sleep(float(detail))  # as one that computes for so long
        self.do_say(detail, order, sender)

    def do_compute(self, _, order, __):
        self.send("listener", order)
        while True:
            pass

    def do_babble(self, what, *_):
        """Write to the parent what no actor does; from inside of the process there is a way."""
        link = self.host.services._host._link
        tick = Tick(symbol="INFY", price=1.0, quantity=1, exchange_ns=1, source="s", sequence=1)
        link.put(
            {
                "unequal": wire.letters("listener", 0, wants_answer=False, messages=[tick, tick], traces=[0]),
                "json": wire.Logged(20, "said", "performer", "{no json"),
                "mark": wire.Handled(10**12),
                "backwards": wire.Handled(-1),
                "counts": wire.Lost(-5, 0),
                "done": wire.Handled(1, done=10**12),
                "timer": wire.Arm(1, 1),
            }[what]
        )
        link.call_writer()

    @handles(Late)
    def answer_late(self, late, _sender):
        self.send(late.asker, late.answer)

    def answer(self, text):
        return Appended(first_sequence=self.ticks + 1, last_sequence=self.lives, correlation_id=text)

    def heard(self, outcome):
        self.send("listener", outcome.unwrap())


class KeepsUp(Performer):
    """Gets the newest ticks alone when it is behind; answers `last` with the price of the last one."""

    conflates = True

    @handles(Tick)
    def hear(self, tick, sender):
        self.ticks += 1
        self.last = tick

    def do_last(self, _, order, sender):
        self.do_say(f"{self.last.symbol} {self.last.sequence}", order, sender)


class Buyer(StrategyActor):
    """Buys once."""

    def on_begin(self):
        self.bought = False

    def on_tick(self, tick):
        if not self.bought:
            self.bought = True
            self.buy(tick.symbol, 5)
