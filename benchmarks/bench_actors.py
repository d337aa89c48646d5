"""Messages between actors: our base beside Thespian's simple base and pykka, in one run.

Run     python benchmarks/bench_actors.py [messages]     (default 200,000; `taskset -c 0` makes it steadier)
Targets and their reasons: a hop inside the loop 0.6 us with Thespian's send and 0.45 us with ours, a tell from outside
0.6 us and at least 8 times pykka's; ping-pong 1.3 us; fan-out 0.7 us a delivery; spawning an actor 5 us; a request from
outside at most 1.3 times the round trip of a raw lock, since waking another thread is the machine's affair, not ours.
Medians of five rounds, in a process that is set up as `natya run` does, for the peers too.
"""

from __future__ import annotations

import _thread
import statistics
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pykka
from thespian.actors import Actor, ActorSystem

from natya.actors.runtime import InProcessSystem, RuntimeActor, handles, tuned_process

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 5


class Ball(msgspec.Struct, frozen=True, gc=False):
    """What is sent."""

    number: int = 0


class Send(msgspec.Struct, frozen=True):
    """Send so many balls to each of these."""

    targets: tuple[Any, ...]
    count: int


class Sink(RuntimeActor):
    """Takes balls; answers a string when all before it are handled."""

    @handles(Ball)
    def take(self, ball: Ball, sender: Any) -> None:
        """Take one."""

    @handles(str)
    def answer(self, text: str, sender: Any) -> None:
        """Answer."""
        self.send(sender, text)


class Player(Sink):
    """Sends balls, and plays ping-pong with a wall."""

    @handles(Send)
    def serve(self, order: Send, sender: Any) -> None:
        """Send them all."""
        for _ in range(order.count):
            for target in order.targets:
                self.send(target, BALL)
        self.send(sender, "sent")

    @handles(tuple)
    def play(self, match: tuple[Any, int], sender: Any) -> None:
        """Play so many rounds against a wall."""
        self.asker, self.left = sender, match[1]
        self.send(match[0], BALL)

    @handles(Ball)
    def take(self, ball: Ball, sender: Any) -> None:
        """Hit it back."""
        self.left -= 1
        if self.left:
            self.send(sender, ball)
        else:
            self.send(self.asker, "over")


class Wall(RuntimeActor):
    """Sends every ball back."""

    @handles(Ball)
    def back(self, ball: Ball, sender: Any) -> None:
        """Send it back."""
        self.send(sender, ball)


class PlainSink(Actor):  # type: ignore[misc]
    """A plain Thespian actor that takes everything."""

    def receiveMessage(self, message: Any, sender: Any) -> None:  # noqa: N802
        """Answer strings."""
        if message.__class__ is str:
            self.send(sender, message)


class PlainServer(Actor):  # type: ignore[misc]
    """A plain Thespian actor that sends balls, or makes children."""

    def receiveMessage(self, message: Any, sender: Any) -> None:  # noqa: N802
        """Do what is asked."""
        if isinstance(message, Send):
            for _ in range(message.count):
                for target in message.targets:
                    self.send(target, BALL)
            self.send(sender, "sent")
        elif isinstance(message, int):
            begun = time.perf_counter()
            self.children = [self.createActor(PlainSink) for _ in range(message)]
            self.send(sender, time.perf_counter() - begun)


class PykkaSink(pykka.ThreadingActor):
    """The same in pykka."""

    def on_receive(self, message: Any) -> Any:
        """Take it."""
        return message


BALL = Ball()


def per_message_us(run: Callable[[], object], count: int) -> float:
    """Return the median over the rounds, in microseconds a message."""
    rounds = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        run()
        rounds.append((time.perf_counter() - begun) / count * 1e6)
    return statistics.median(rounds)


def each_us(run: Callable[[], object], count: int) -> float:
    """Return the median of single calls, in microseconds."""
    times = []
    for _ in range(count):
        begun = time.perf_counter_ns()
        run()
        times.append(time.perf_counter_ns() - begun)
    return statistics.median(times) / 1000


def lock_round_trip_us(count: int) -> float:
    """Return what two threads need to hand a raw lock over and back: the floor of every request."""
    there, back = _thread.allocate_lock(), _thread.allocate_lock()
    there.acquire()
    back.acquire()

    def partner() -> None:
        for _ in range(count):
            there.acquire()
            back.release()

    thread = threading.Thread(target=partner)
    thread.start()

    def trip() -> None:
        there.release()
        back.acquire()

    middle = each_us(trip, count)
    thread.join()
    return middle


def ours(count: int) -> dict[str, float]:
    """Measure our base."""
    with InProcessSystem() as system:
        sink, player, wall = (system.start(kind.__name__, kind) for kind in (Sink, Player, Wall))
        sinks = tuple(system.start(f"sink{number}", Sink) for number in range(50))
        plain_sink = system.actor_system.createActor(PlainSink)
        plain_server = system.actor_system.createActor(PlainServer)

        def burst() -> None:
            system.request(player, Send((sink,), count), timeout_s=60)
            system.request(sink, "done", timeout_s=60)

        def plain_burst() -> None:
            system.actor_system.ask(plain_server, Send((plain_sink,), count), 60)
            system.actor_system.ask(plain_sink, "done", 60)

        def tells() -> None:
            for _ in range(count):
                system.tell(sink, BALL)
            system.request(sink, "done", timeout_s=60)

        def fan_out() -> None:
            system.request(player, Send(sinks, count // 50), timeout_s=60)
            for each in sinks:
                system.request(each, "done", timeout_s=60)

        spawned = [system.actor_system.ask(plain_server, 5000, 60) / 5000 * 1e6 for _ in range(ROUNDS)]
        return {
            "hop, our send": per_message_us(burst, count),
            "hop, Thespian's send": per_message_us(plain_burst, count),
            "tell from outside": per_message_us(tells, count),
            "ping-pong": per_message_us(lambda: system.request(player, (wall, count // 4), timeout_s=60), count // 4),
            "fan-out, a delivery": per_message_us(fan_out, count),
            "request": each_us(lambda: system.request(sink, "done"), max(count // 100, 100)),
            "spawn": statistics.median(spawned),
        }


def simple_base(count: int) -> float:
    """Measure a hop on Thespian's own in-process base."""
    system = ActorSystem("simpleSystemBase", logDefs=False, transientUnique=True)
    sink, server = system.createActor(PlainSink), system.createActor(PlainServer)
    try:
        return per_message_us(lambda: system.ask(server, Send((sink,), count), 60), count)
    finally:
        system.shutdown()


def pykka_tell(count: int) -> float:
    """Measure pykka's tell."""
    sink = PykkaSink.start()

    def tells() -> None:
        for _ in range(count):
            sink.tell(BALL)
        sink.ask("done")

    try:
        return per_message_us(tells, count)
    finally:
        sink.stop()


def main(count: int) -> None:
    """Measure and print, one line each."""
    figures = ours(count)
    simple, pykka_us = simple_base(max(count // 20, 100)), pykka_tell(max(count // 4, 100))
    lock_us = lock_round_trip_us(max(count // 100, 100))
    targets = {
        "hop, our send": 0.45,
        "hop, Thespian's send": 0.6,
        "tell from outside": 0.6,
        "ping-pong": 1.3,
        "fan-out, a delivery": 0.7,
        "request": 1.3 * lock_us,
        "spawn": 5.0,
    }
    for name, target in targets.items():
        print(f"{name:24} {figures[name]:8.2f} us   target {target:6.2f} us")
    print(f"{'raw lock round trip':24} {lock_us:8.2f} us")
    print(
        f"{'simpleSystemBase hop':24} {simple:8.2f} us   {simple / figures['hop, our send']:.0f} times ours, target 10"
    )
    print(f"{'pykka tell':24} {pykka_us:8.2f} us   {pykka_us / figures['tell from outside']:.0f} times ours, target 8")


if __name__ == "__main__":
    with tuned_process():
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
