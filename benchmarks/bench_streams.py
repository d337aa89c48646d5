"""Quote packets out of the exchange's sockets, one a frame, to a client in another process.

    python benchmarks/bench_streams.py [--packets 200000] [--rounds 3]

The server has ticks of 250 instruments, encodes each and sends it; the client only counts. Floor, in the same run and
in turn: the server of `websockets`, which is given packets that are ready-made. Target: 100,000 packets a second, what
all liquid instruments of an exchange send at its opening, and so what a client of ours must be tested with.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import threading
import time
from statistics import median
from typing import Any

import picows
from figures import Figure, report

from natya.actors.exchange.streams import encoding
from natya.actors.exchange.streams.encoding import Number
from natya.actors.exchange.streams.server import StreamServer
from natya.actors.exchange.streams.sockets import Streamed
from natya.domain.dhan.streams.subscriptions import SUBSCRIBE, Listed, requests
from natya.messages.market import Tick

INSTRUMENTS = 250
AHEAD_MAX = 5_000
"""Ticks between who has them and the sockets."""

RATE_TARGET = 100_000
RATIO_TARGET = 1.5
PATH = "/feed?token=x&clientId=y"


def ticks(count: int) -> list[tuple[Number, Tick]]:
    """Make ticks of all instruments by turns."""
    now_ns = time.time_ns()
    return [
        (
            Number(1, 1_000 + number % INSTRUMENTS),
            Tick(
                symbol=f"S{number % INSTRUMENTS}",
                price=1_500.0 + number % 97 * 0.05,
                quantity=10,
                exchange_ns=now_ns,
                source="bench",
                sequence=number + 1,
                volume=1_000 + number,
            ),
        )
        for number in range(count)
    ]


def serve_ours(count: int) -> None:
    """Tell the port; send when a line comes."""
    server = StreamServer(host="127.0.0.1", port=0, knows=lambda *_: True)
    thread = threading.Thread(target=server.serve)
    thread.start()
    prepared = ticks(count)
    print(server.port, flush=True)
    sys.stdin.readline()
    for begin in range(0, count, 500):
        for number, tick in prepared[begin : begin + 500]:
            server.publish(number, tick)
        while begin + 500 - server.sent - server.conflated > AHEAD_MAX:
            time.sleep(0.0005)  # as a market does that is no faster
    sys.stdin.readline()
    server.close()
    thread.join()


async def serve_theirs(count: int) -> None:
    """Do the same by `websockets`."""
    from websockets.asyncio.server import serve  # noqa: PLC0415  of the tests' requirements

    shown = {}
    frames = []
    for number, tick in ticks(count):
        each = shown.setdefault(number, Streamed(tick))
        each.move(tick)
        frames.append(encoding.quote(number, each))
    begun, ended = asyncio.Event(), asyncio.Event()

    async def send(connection: Any) -> None:
        await begun.wait()
        for frame in frames:
            await connection.send(frame)
        await ended.wait()

    loop = asyncio.get_running_loop()
    async with serve(send, "127.0.0.1", 0, compression=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await loop.run_in_executor(None, sys.stdin.readline)
        begun.set()
        await loop.run_in_executor(None, sys.stdin.readline)
        ended.set()


class Counting(picows.WSListener):
    """Counts packets until all are there."""

    def __init__(self, count: int, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._left = count
        self.is_answered: asyncio.Future[None] = loop.create_future()
        self.is_over: asyncio.Future[None] = loop.create_future()

    def on_ws_frame(self, transport: Any, frame: Any) -> None:
        """Count it."""
        if frame.msg_type == picows.WSMsgType.BINARY:
            self._left -= 1
            if not self._left:
                self.is_over.set_result(None)
        elif frame.msg_type == picows.WSMsgType.PONG:
            self.is_answered.set_result(None)
        elif frame.msg_type == picows.WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())


async def rate_of(kind: str, count: int) -> float:
    """Return how many packets a second come."""
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, __file__, "--serve", kind, "--packets", str(count)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    port = int(await server.stdout.readline())
    counting = Counting(count, asyncio.get_running_loop())
    transport, _ = await picows.ws_connect(lambda: counting, f"ws://127.0.0.1:{port}{PATH}", enable_auto_pong=False)
    listed = [Listed("NSE_EQ", str(1_000 + number)) for number in range(INSTRUMENTS)]
    for request in requests(SUBSCRIBE["quote"], listed):
        transport.send(picows.WSMsgType.TEXT, request)
    transport.send_ping()
    await counting.is_answered  # so it has subscribed
    began = time.perf_counter()
    server.stdin.write(b"\n")
    await asyncio.wait_for(counting.is_over, 120)
    took_s = time.perf_counter() - began
    transport.disconnect()
    server.stdin.write(b"\n")
    await server.wait()
    return count / took_s


def main() -> int:
    """Measure, print, and say by the exit code whether the targets are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packets", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", choices=["ours", "theirs"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve == "ours":
        serve_ours(given.packets)
        return 0
    if given.serve == "theirs":
        asyncio.run(serve_theirs(given.packets))
        return 0
    found: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(given.rounds):
        for kind, rates in found.items():
            rates.append(asyncio.run(rate_of(kind, given.packets)))
    ours, theirs = median(found["ours"]), median(found["theirs"])
    return report(
        [
            Figure(name="quote packets a second out", value=ours, unit="", target=RATE_TARGET, at_least=True),
            Figure(
                name="beside a server whose packets are ready-made",
                value=ours,
                unit="",
                floor=theirs,
                floor_name="websockets",
                target=RATIO_TARGET,
                at_least=True,
            ),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
