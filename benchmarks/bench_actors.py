"""Messages between actors: our base beside the least that could do the same, Thespian's simple base and pykka.

Run     python benchmarks/bench_actors.py [messages]     (default 200,000; `taskset -c 0` makes it steadier)
Floor   a loop over a deque of (function, message, sender) that calls each: what every in-process runtime must do.
Targets and their reasons: a hop 1.5 of that loop, for the look-up of the handler, the count and the sender; with
Thespian's own send, which looks the address up, 2, and told from outside, by another thread, 2.5; ping-pong 4 of two
such hops, since each ball is a turn of its own; spawning an actor 6 times an object with a mailbox in a table; a
request from outside 1.3 times the round trip of a raw lock, since waking another thread is the machine's affair, not
ours. Thespian's simpleSystemBase takes at least 10 times as long for a hop, pykka 8 times for a tell.
Medians of rounds that alternate with the floor's, in a process that is set up as `natya run` does, for the peers too.
"""

from __future__ import annotations

import _thread
import statistics
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec
import pykka
from figures import Figure, in_turns, report
from thespian.actors import Actor, ActorSystem

from natya.actors.runtime import InProcessSystem, RuntimeActor, handles, tuned_process

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 7
SPAWNED = 5_000


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
            self.children = [self.createActor(PlainSink) for _ in range(message)]
            self.send(sender, message)


class PykkaSink(pykka.ThreadingActor):
    """The same in pykka."""

    def on_receive(self, message: Any) -> Any:
        """Take it."""
        return message


BALL = Ball()


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


class Boxed:
    """The least that an actor is: an object with a mailbox."""

    def __init__(self, table: dict[int, Boxed], number: int) -> None:
        self.mailbox: deque[Any] = deque()
        self.handled = 0
        table[number] = self

    def take(self, _message: Any, _sender: Any) -> None:
        """Take one."""
        self.handled += 1


def bare_hops(count: int) -> None:
    """Send so many and call for each, through a deque: in portions, as a handler that sends is a turn of its own."""
    queue: deque[tuple[Callable[[Any, Any], None], Any, Any]] = deque()
    box = Boxed({}, 0)
    send, take = queue.append, box.take
    for _ in range(count):
        send((take, BALL, box))
    while queue:
        function, message, sender = queue.popleft()
        function(message, sender)


def bare_ping_pong(count: int) -> None:
    """Play so many rounds through a deque."""
    queue: deque[tuple[Callable[[Any, Any], None], Any, Any]] = deque()
    send, left = queue.append, count

    def back(message: Any, sender: Any) -> None:
        send((sender, message, back))

    def hit(message: Any, sender: Any) -> None:
        nonlocal left
        left -= 1
        if left:
            send((sender, message, hit))

    send((back, BALL, hit))
    while queue:
        function, message, sender = queue.popleft()
        function(message, sender)


def bare_objects(count: int) -> None:
    """Make so many objects with a mailbox."""
    table: dict[int, Boxed] = {}
    for number in range(count):
        Boxed(table, number)


def ours(count: int) -> list[Figure]:
    """Measure our base in turns with the floor."""
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

        floor, *hops = in_turns(lambda: bare_hops(count), burst, plain_burst, tells, fan_out, rounds=ROUNDS)
        rounds = count // 4
        bare_us, play_us = in_turns(
            lambda: bare_ping_pong(rounds),
            lambda: system.request(player, (wall, rounds), timeout_s=60),
            rounds=ROUNDS,
        )
        objects = min(SPAWNED, count)
        bare_spawn, spawn = in_turns(
            lambda: bare_objects(objects), lambda: system.actor_system.ask(plain_server, objects, 60), rounds=ROUNDS
        )
        requests = max(count // 100, 100)
        lock_us = lock_round_trip_us(requests)
        request_us = each_us(lambda: system.request(sink, "done"), requests)
    names = (
        ("hop, our send", 1.5),
        ("hop, Thespian's send", 2),
        ("tell from outside", 2.5),
        ("fan-out, a delivery", 1.5),
    )
    return [
        *(
            Figure(
                name=name,
                value=hop / count * 1e6,
                unit="us",
                floor=floor / count * 1e6,
                floor_name="deque loop with a call",
                target=target,
            )
            for (name, target), hop in zip(names, hops, strict=True)
        ),
        Figure(
            name="ping-pong",
            value=play_us / rounds * 1e6,
            unit="us",
            floor=bare_us / rounds * 1e6,
            floor_name="deque loop with two calls",
            target=4,
        ),
        Figure(
            name="spawn",
            value=spawn / objects * 1e6,
            unit="us",
            floor=bare_spawn / objects * 1e6,
            floor_name="object with a mailbox",
            target=6,
        ),
        Figure(
            name="request from outside",
            value=request_us,
            unit="us",
            floor=lock_us,
            floor_name="raw lock's round trip",
            target=1.3,
        ),
    ]


def simple_base(count: int) -> float:
    """Measure a hop on Thespian's own in-process base."""
    system = ActorSystem("simpleSystemBase", logDefs=False, transientUnique=True)
    sink, server = system.createActor(PlainSink), system.createActor(PlainServer)
    try:
        [taken] = in_turns(lambda: system.ask(server, Send((sink,), count), 60), rounds=ROUNDS)
    finally:
        system.shutdown()
    return taken / count * 1e6


def pykka_tell(count: int) -> float:
    """Measure pykka's tell."""
    sink = PykkaSink.start()

    def tells() -> None:
        for _ in range(count):
            sink.tell(BALL)
        sink.ask("done")

    try:
        [taken] = in_turns(tells, rounds=ROUNDS)
    finally:
        sink.stop()
    return taken / count * 1e6


def main(count: int) -> int:
    """Measure and print; 0 when every target is met."""
    figures = ours(count)
    found = {figure.name: figure.value for figure in figures}
    peers = (
        ("Thespian's simpleSystemBase, a hop", simple_base(max(count // 20, 100)), "hop, our send", 10),
        ("pykka, a tell", pykka_tell(max(count // 4, 100)), "tell from outside", 8),
    )
    figures += [
        Figure(name=name, value=value, unit="us", floor=found[beside], floor_name=beside, target=target, at_least=True)
        for name, value, beside, target in peers
    ]
    return report(figures)


if __name__ == "__main__":
    with tuned_process():
        status = main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
    sys.exit(status)
