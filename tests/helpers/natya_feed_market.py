"""A market feed as a process: so many packets a second, one a frame, and a fault every so many seconds.

python natya_feed_market.py RATE FAULT_S; the first line says the port, each line after it the fault that just happened.
"""

import asyncio
import socket
import struct
import sys
import time
from itertools import cycle

import picows
from natya_feed import a_quote, an_end

from natya.domain.dhan.streams.subscriptions import read_request

TURN_S = 0.01


class _Socket(picows.WSListener):
    def __init__(self, market):
        super().__init__()
        self.market, self.ids, self.transport, self.is_silent = market, [], None, False

    def on_ws_connected(self, transport):
        self.transport = transport
        self.market.sockets.append(self)

    def on_ws_frame(self, transport, frame):
        if frame.msg_type == picows.WSMsgType.TEXT:
            request = read_request(frame.get_payload_as_bytes())
            self.ids += [int(each.security_id) for each in request.instrument_list]
        elif frame.msg_type == picows.WSMsgType.CLOSE:
            transport.disconnect()

    def on_ws_disconnected(self, _transport):
        self.market.sockets.remove(self)


class Market:
    def __init__(self, rate, fault_s):
        self.rate, self.fault_s = rate, fault_s
        self.sockets, self.sent = [], 0
        self.faults = cycle([self.close, self.reset, self.fall_silent, self.send_noise, self.cut_off, self.end])

    async def run(self):
        server = await picows.ws_create_server(lambda _: _Socket(self), "127.0.0.1", 0)
        self.tell(server.sockets[0].getsockname()[1])
        due = time.monotonic()
        fault_due = due + self.fault_s
        while True:
            due += TURN_S
            now = time.monotonic()
            if now >= fault_due and any(each.ids and not each.is_silent for each in self.sockets):
                fault_due = now + self.fault_s
                fault = next(self.faults)
                fault()
                self.tell(fault.__name__)
            self.send()
            await asyncio.sleep(max(0.0, due - time.monotonic()))  # the market's own pace

    @staticmethod
    def tell(what):
        sys.stdout.write(f"{what}\n")
        sys.stdout.flush()

    def send(self):
        time_s = int(time.time()) + 19_800
        for each in [each for each in self.sockets if each.ids and not each.is_silent]:
            for _ in range(round(self.rate * TURN_S)):
                if each.transport.underlying_transport.is_closing():
                    break
                self.sent += 1
                security_id = each.ids[self.sent % len(each.ids)]
                packet = a_quote(security_id, 100 + self.sent % 1000 / 20, volume=self.sent, time_s=time_s)
                each.transport.send(picows.WSMsgType.BINARY, packet)

    def of_all(self, deed):
        for each in list(self.sockets):
            deed(each.transport)

    def close(self):
        self.of_all(lambda transport: transport.disconnect())

    def reset(self):
        def reset(transport):
            connection = transport.underlying_transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.disconnect(graceful=False)

        self.of_all(reset)

    def fall_silent(self):
        for each in self.sockets:
            each.is_silent = True

    def send_noise(self):
        self.of_all(lambda transport: transport.send(picows.WSMsgType.BINARY, b"\x08\xff\x00noise"))

    def cut_off(self):
        self.of_all(lambda transport: transport.send(picows.WSMsgType.BINARY, a_quote(1, 5.0)[:-1]))

    def end(self):
        self.of_all(lambda transport: transport.send(picows.WSMsgType.BINARY, an_end(800)))


if __name__ == "__main__":
    asyncio.run(Market(float(sys.argv[1]), float(sys.argv[2])).run())
