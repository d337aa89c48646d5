"""A market feed as Dhan's, on a port of this machine, that does what a test says."""

import asyncio
import queue
import random
import threading
import time
from urllib.parse import parse_qs, urlsplit

import picows
from natya_processes import WAIT_S

from natya.actors.feed.bodies.dhan.settings import DhanFeedOptions
from natya.actors.feed.bodies.dhan.stream import DhanStream
from natya.actors.feed.live_source import LiveSurroundings
from natya.config.sections.feed import FeedSettings
from natya.domain.dhan.streams import packets
from natya.domain.dhan.streams.subscriptions import read_request
from natya.domain.instruments import Instrument

TRADED_S = 1_700_000_000
"""India's clock of a trade, as the feed writes it: long ago, whatever the machine's date is."""

TOKEN = "a-token-that-nobody-may-see"  # noqa: S105  of a test


def a_quote(security_id, price, *, segment=1, volume=1, time_s=TRADED_S):
    return packets.QUOTE_LAYOUT.pack(
        *(packets.QUOTE, 50, segment, int(security_id), price, 1, time_s, price, volume, 10, 10),
        *(price, price, price, price),
    )


def a_ticker(security_id, price, *, segment=1, time_s=TRADED_S):
    return packets.TICKER_LAYOUT.pack(packets.TICKER, 16, segment, int(security_id), price, time_s)


def an_end(reason):
    return packets.DISCONNECT_LAYOUT.pack(packets.DISCONNECT, 10, 0, 0, reason)


class _Socket(picows.WSListener):
    def __init__(self, feed, query):
        super().__init__()
        self.feed, self.query = feed, query
        self.transport = None
        self.requests = []

    def on_ws_connected(self, transport):
        self.transport = transport
        with self.feed.changed:
            self.feed.sockets.append(self)
            self.feed.changed.notify_all()
        if self.feed.greeting:
            transport.send(picows.WSMsgType.BINARY, self.feed.greeting)

    def on_ws_frame(self, transport, frame):
        if frame.msg_type == picows.WSMsgType.TEXT:
            with self.feed.changed:
                self.requests.append(read_request(frame.get_payload_as_bytes()))
                self.feed.changed.notify_all()
        elif frame.msg_type == picows.WSMsgType.CLOSE:
            transport.send_close(picows.WSCloseCode.OK)
            transport.disconnect()

    def on_ws_disconnected(self, _transport):
        with self.feed.changed:
            self.feed.ended += 1
            self.feed.changed.notify_all()


class ScriptedFeed:
    """`with ScriptedFeed() as feed:`; its sockets in the order of their opening."""

    def __init__(self, tls=None):
        self.tls = tls
        self.changed = threading.Condition()
        self.sockets, self.ended, self.attempts, self.attempts_s = [], 0, [], []
        self.greeting = b""
        self.answer = None
        """Status with which an opening is refused."""

        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        self.listen()
        return self

    def __exit__(self, *_):
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_S)
        self._loop.close()

    def listen(self, port=0):
        self._server = self._call(picows.ws_create_server(self._take, "127.0.0.1", port, ssl=self.tls))
        self.port = self._server.sockets[0].getsockname()[1]

    @property
    def url(self):
        return f"{'ws' if self.tls is None else 'wss'}://127.0.0.1:{self.port}"

    def _take(self, request):
        query = parse_qs(urlsplit(request.path.decode()).query)
        with self.changed:
            self.attempts.append(query["token"][0])
            self.attempts_s.append(time.monotonic())
            self.changed.notify_all()
        if self.answer is not None:
            refusal = picows.WSUpgradeResponse.create_error_response(self.answer)
            return picows.WSUpgradeResponseWithListener(refusal, None)
        return _Socket(self, query)

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(WAIT_S)

    async def _stop(self):
        self._server.close()
        for socket in self.sockets:
            socket.transport.disconnect(graceful=False)
        await asyncio.sleep(0)

    def on_loop(self, function, *arguments):
        async def call():
            return function(*arguments)

        return self._call(call())

    def send(self, frame, which=-1, kind=picows.WSMsgType.BINARY):
        self.on_loop(self.sockets[which].transport.send, kind, frame)

    def drop(self, which=-1):
        self.on_loop(self.sockets[which].transport.disconnect, False)

    def wait_for(self, condition, *, within_s=WAIT_S):
        with self.changed:
            assert self.changed.wait_for(lambda: condition(self), within_s), (len(self.sockets), self.attempts)

    def subscribed(self, which=-1):
        return [each.security_id for request in self.sockets[which].requests for each in request.instrument_list]

    def wait_for_sockets(self, count, instruments=1):
        """Wait until the newest of so many sockets has subscribed to so many instruments."""
        self.wait_for(lambda feed: len(feed.sockets) >= count and len(feed.subscribed(count - 1)) >= instruments)


class Running:
    """A stream on a thread, and who takes from it; bounds of silence and back-off pass so many times faster."""

    def __init__(self, feed, *, count=2, last_ns=0, ticks_max=20_000, exchange="none", token=True, faster=1, **options):  # noqa: PLR0913
        self.tokens, self.refused = [TOKEN] if token else [None], queue.SimpleQueue()
        self.woken = queue.SimpleQueue()
        instruments = tuple(
            Instrument(symbol=f"S{number}", segment="NSE_EQ", tick_size_rupees=0.05, security_id=str(number))
            for number in range(1, count + 1)
        )
        given = LiveSurroundings(
            instruments=instruments,
            source="dhan-1",
            client_id="1000000001",
            token=lambda: self.tokens[-1],
            token_refused=lambda: self.refused.put(self.tokens[-1]),
            now_ns=time.time_ns,
            monotonic_ns=lambda: faster * time.monotonic_ns(),
            random=random.Random(7),
            wake=lambda: self.woken.put(None),
            last_ns=last_ns,
            ticks_max=ticks_max,
        )
        options = {"backoff_s": 0.05, "backoff_max_s": 0.2, "mode": "quote", "url": feed.url} | options
        self.stream = DhanStream(FeedSettings.default(exchange=exchange), DhanFeedOptions(**options), given)
        self.fault = None
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        try:
            self.stream.run()
        except Exception as fault:  # noqa: BLE001  the thread of a test: it is looked at when the test ends
            self.fault = fault

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.stream.close()
        self._thread.join(60)
        assert not self._thread.is_alive()
        assert self.fault is None

    def ticks(self, count):
        """Wait for so many ticks."""
        found = []
        while len(found) < count:
            self.woken.get(timeout=60)
            found += self.stream.take(10_000)
        return found

    def gap(self):
        """Wait for a gap."""
        while not (gaps := self.stream.take_gaps()):
            self.woken.get(timeout=60)
        (gap,) = gaps
        return gap
