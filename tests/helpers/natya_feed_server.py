"""Dhan's market feed, as well or as badly as a test wants it: a server whose every byte is the test's.

Of each connection a *part* says how it goes: a coroutine that is given the `Session`. `FeedServer(refused(429), well)`
refuses the first connection and serves all others. A part that serves, and then fails, is `after(3, reset)`.
"""

import asyncio
import base64
import contextlib
import hashlib
import socket
import struct
import threading
from urllib.parse import parse_qs, urlsplit

from natya_feed import TRADED_S, a_quote
from natya_processes import WAIT_S

from natya.domain.dhan.streams import packets, subscriptions

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
HEARTBEAT = packets.HEADER.pack(packets.HEARTBEAT, packets.HEADER.size, 0, 0)
BETWEEN_ROUNDS_S = 0.01
SUBSCRIBING = frozenset(subscriptions.MODES)


class Session:
    """One connection, from the server's side."""

    def __init__(self, server, reader, writer):
        self.server = server
        self.query = {}
        self.asked = []
        """Requests, in the order in which they came."""

        self.subscribed = []
        """(segment, security id), each as often as it was subscribed to."""

        self.reader = reader
        self.writer = writer

    async def shake_hands(self):
        """Take the opening; None: there was none."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        self.query = {key: found[0] for key, found in parse_qs(urlsplit(head.split()[1].decode()).query).items()}
        lines = head.split(b"\r\n")
        key = next(line.split(b":")[1].strip() for line in lines if line.lower().startswith(b"sec-websocket-key:"))
        proof = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", usedforsecurity=False).digest()
        return base64.b64encode(proof)

    async def open(self):
        """Let the client in."""
        proof = await self.shake_hands()
        start = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        await self.raw(start + b"Sec-WebSocket-Accept: " + proof + b"\r\n\r\n")

    async def raw(self, data):
        """Write bytes of any kind."""
        self.writer.write(data)
        await self.writer.drain()

    async def send(self, payload, kind=BINARY):
        """Write a frame."""
        await self.raw(frame(payload, kind))

    async def hear(self):
        """Take one frame of the client, and answer it as a server does; its kind."""
        first, second = await self.reader.readexactly(2)
        length = second & 0x7F
        if length > 125:
            size = 2 if length == 126 else 8
            length = int.from_bytes(await self.reader.readexactly(size), "big")
        mask = await self.reader.readexactly(4)
        masked = await self.reader.readexactly(length)
        payload = bytes(each ^ mask[place % 4] for place, each in enumerate(masked))
        kind = first & 0x0F
        if kind == PING:
            await self.send(payload, PONG)
        elif kind == TEXT:
            request = subscriptions.read_request(payload)
            self.asked.append(request)
            if request.request_code in SUBSCRIBING:
                self.subscribed += [(each.exchange_segment, each.security_id) for each in request.instrument_list]
            self.server.note()
        return kind

    async def hear_on(self):
        """Take whatever comes, until the client ends."""
        while await self.hear() != CLOSE:
            pass

    async def quote_all(self):
        """Send a quote of each instrument that is subscribed to."""
        for segment, security_id in dict.fromkeys(self.subscribed):
            self.server.trades += 1
            number = self.server.trades
            segment_number = packets.SEGMENT_NUMBERS[segment]
            await self.send(
                a_quote(
                    security_id, 100 + number % 100, segment=segment_number, volume=number, time_s=TRADED_S + number
                )
            )


def frame(payload, kind=BINARY):
    """A whole frame as a server writes it."""
    size = len(payload)
    length = bytes([size]) if size < 126 else b"\x7e" + struct.pack(">H", size)
    return bytes([0x80 | kind]) + length + payload


async def well(session):
    """Serve as long as the client wants."""
    await _serve(session, rounds=None)


async def _serve(session, rounds):
    await session.open()
    hearing = asyncio.ensure_future(session.hear_on())
    try:
        played = 0
        while not hearing.done() and (rounds is None or played < rounds):
            await session.quote_all()
            played += bool(session.subscribed)
            await asyncio.wait({hearing}, timeout=BETWEEN_ROUNDS_S)
    finally:
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)


def after(rounds, part):
    """Serve so many rounds, each a quote of every instrument; then do something else."""

    async def served(session):
        await _serve(session, rounds)
        await part(session)

    return served


def refused(status, reason="No"):
    """Answer the opening by another status."""

    async def part(session):
        await session.shake_hands()
        await session.raw(f"HTTP/1.1 {status} {reason}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())

    return part


async def deaf(session):
    """Take the connection, and neither read nor say anything more, as a process does that is stopped."""
    await session.server.over.wait()


async def silent(session):
    """Take what comes, answer pings, and send no data."""
    await session.hear_on()


async def frozen(session):
    """Send heartbeats, and no data."""
    while not session.server.over.is_set():
        await session.send(HEARTBEAT)
        await asyncio.sleep(BETWEEN_ROUNDS_S)  # the service's own pace


async def reset(session):
    """End at once, without a word."""
    linger = struct.pack("ii", 1, 0)
    session.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    session.writer.transport.abort()


async def closed(session):
    """End in order of TCP alone."""


async def bid_farewell(session):
    """End as websockets do."""
    await session.send(struct.pack(">H", 1001), CLOSE)


async def dripping(session):
    """Send one byte at a time, of a frame that does not end."""
    await session.raw(frame(bytes(60_000))[:4])
    while not session.server.over.is_set():
        await session.raw(b"\0")
        await asyncio.sleep(BETWEEN_ROUNDS_S)


async def _until_gone(session):
    with contextlib.suppress(asyncio.IncompleteReadError):
        await session.hear_on()


def sending(*payloads, kind=BINARY):
    """Send frames of such payloads, and wait until the client has ended."""

    async def part(session):
        for payload in payloads:
            await session.send(payload, kind)
        await _until_gone(session)

    return part


def writing(data):
    """Write bytes that are no frame, and wait until the client has ended."""

    async def part(session):
        await session.raw(data)
        await _until_gone(session)

    return part


def ending(reason):
    """Send the packet that ends a connection."""
    return sending(packets.DISCONNECT_LAYOUT.pack(packets.DISCONNECT, packets.DISCONNECT_LAYOUT.size, 0, 0, reason))


class FeedServer:
    """Plays one part after the other, a connection each; and the last one for all that come after."""

    def __init__(self, *parts):
        self.parts = parts
        self.sessions = []
        self.trades = 0
        self.faults = []
        self.changed = threading.Condition()
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="feed-server")
        self._thread.start()
        assert self._started.wait(WAIT_S)

    async def _run(self):
        self._loop = asyncio.get_running_loop()
        self.over = asyncio.Event()
        self._tasks = set()
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}"
        self._started.set()
        async with server:
            await self.over.wait()
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _take(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        session = Session(self, reader, writer)
        part = self.parts[min(len(self.sessions), len(self.parts) - 1)]
        self.sessions.append(session)
        self.note()
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):  # the client has ended
                await part(session)
        except asyncio.CancelledError:
            return  # the server is over; raised on, it would be an error of asyncio's
        except Exception as fault:
            self.faults.append(fault)
            raise
        finally:
            writer.close()

    def note(self):
        """Let those look who wait for something."""
        with self.changed:
            self.changed.notify_all()

    def wait_for(self, what, timeout_s=WAIT_S):
        """Wait until something is true of the server."""
        with self.changed:
            assert self.changed.wait_for(what, timeout_s), (
                self.faults,
                [len(each.subscribed) for each in self.sessions],
            )

    def close(self):
        """End all connections and the server; a fault of the server itself is raised."""
        self._loop.call_soon_threadsafe(self.over.set)
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()
        assert not self.faults
