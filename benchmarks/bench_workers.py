"""Ticks to an actor in a worker process, beside a raw socket pair that carries the same ticks in msgpack batches.

Run     python benchmarks/bench_workers.py [ticks]     (default 300,000)
Target  0.3 of the floor: a strategy that computes must not slow the market down. The floor has no actors, no checks,
        no back-pressure and no acknowledgements.
Medians of five rounds that alternate with the floor's; both ends need a core of their own. Below the bound of what may
be on its way (65,536 messages)
nothing is dropped, so a round is sent in portions, of which a few are on their way at any time.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import Any

import msgspec
from figures import Figure, in_turns, report

from natya.actors.runtime import InProcessSystem, RuntimeActor, handles, tuned_process
from natya.actors.runtime.workers import UNHANDLED_MAX, in_process
from natya.messages.market import Tick
from natya.messages.system import ActorStatistics, Ping, Pong

ROUNDS = 5
PORTION = 4_096
PORTIONS_ON_THEIR_WAY = UNHANDLED_MAX // PORTION // 2
BATCH = 2_048
TICK = Tick(
    symbol="INFY", price=1500.05, quantity=10, exchange_ns=1_700_000_000_000_000_000, source="bench", sequence=1
)


class Send(msgspec.Struct, frozen=True):
    """Send so many ticks to the counter, then ask it whether it has them."""

    count: int


class Feed(RuntimeActor):
    """Sends ticks in portions, one more whenever one has been handled."""

    @handles(Send)
    def send_all(self, order: Send, sender: Any) -> None:
        """Begin."""
        self.asker, self.left, self.on_their_way = sender, order.count, 0
        for _ in range(PORTIONS_ON_THEIR_WAY):
            self._send_portion()

    def _send_portion(self) -> None:
        portion = min(self.left, PORTION)
        if portion:
            self.left -= portion
            self.on_their_way += 1
            for _ in range(portion):
                self.send("counter", TICK)
            self.send("counter", Ping())

    @handles(Pong)
    def handled(self, pong: Pong, _sender: Any) -> None:
        """Go on, or tell the end."""
        self.on_their_way -= 1
        self._send_portion()
        if not self.on_their_way:
            self.send(self.asker, pong)


class Counter(RuntimeActor):
    """Counts ticks, in the worker."""

    def on_start(self) -> None:
        """Begin at none."""
        self.ticks = 0

    @handles(Tick)
    def count(self, _tick: Tick, _sender: Any) -> None:
        """Count it."""
        self.ticks += 1

    def statistics(self) -> ActorStatistics:
        """Tell how many."""
        return ActorStatistics(handled=self.ticks, failures=0)


def measured(counter: type[RuntimeActor], count: int) -> tuple[float, float]:
    """Return ticks a second through the actors, and through a bare socket pair, in turns."""
    handled = 0
    here, there = socket.socketpair()
    command = [sys.executable, __file__, "receive", str(there.fileno()), str(count * ROUNDS)]
    with here, there, subprocess.Popen(command, pass_fds=(there.fileno(),)), InProcessSystem() as system:
        here.recv(1)
        system.start("counter", *in_process(counter))
        system.start("feed", Feed)

        def ours() -> None:
            nonlocal handled
            pong = system.request("feed", Send(count), timeout_s=60)
            handled += count
            if pong.statistics.handled != handled:
                raise SystemExit(f"{handled} ticks were sent, {pong.statistics.handled} handled")

        ours_s, raw_s = in_turns(ours, lambda: send_raw(here, count), rounds=ROUNDS)
        here.recv(1)
    return count / ours_s, count / raw_s


def send_raw(here: socket.socket, count: int) -> None:
    """Send so many ticks in batches."""
    encoder = msgspec.msgpack.Encoder()
    for first in range(0, count, BATCH):
        body = encoder.encode([TICK] * min(BATCH, count - first))
        here.sendall(len(body).to_bytes(4, "little") + body)


def receive(fd: int, count: int) -> None:
    """Be the other end of the bare socket pair."""
    decoder = msgspec.msgpack.Decoder(list[Tick])
    with socket.socket(fileno=fd) as connection, connection.makefile("rb") as stream:
        connection.send(b"!")
        while count:
            count -= len(decoder.decode(stream.read(int.from_bytes(stream.read(4), "little"))))
        connection.send(b"!")


def main(count: int) -> int:
    """Measure and print; 0 when the target is met."""
    # A worker imports its actor by name: this file, run as a script, is `__main__` to us and `bench_workers` to it.
    from bench_workers import Counter as Importable  # noqa: PLC0415

    found, floor = measured(Importable, count)
    return report(
        [
            Figure(
                name="ticks to a worker process",
                value=found,
                unit="/s",
                floor=floor,
                floor_name="raw socket pair",
                target=0.3,
                at_least=True,
            )
        ]
    )


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120  for the worker, as a string
    if sys.argv[1:2] == ["receive"]:
        receive(int(sys.argv[2]), int(sys.argv[3]))
    else:
        with tuned_process():
            status = main(int(sys.argv[1]) if len(sys.argv) > 1 else 300_000)
        sys.exit(status)
