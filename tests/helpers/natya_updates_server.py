"""A server of order updates on this machine, which does as a test tells it."""

import asyncio
import json
import socket
import struct
import threading

from natya_updates import alert
from websockets.asyncio.server import serve

RESET = struct.pack("ii", 1, 0)


class UpdatesServer:
    """Takes logins with its token, and pushes what it is given; `script` says what becomes of the next connections.

    Words of a script: `take`, `reset` (as a dead token is), `close`, a status with which the opening is answered,
    `mute` (no ping is answered).
    """

    def __init__(self, token, *script):
        self.token, self.script = token, list(script)
        self.logins = []
        self.connected = threading.Semaphore(0)
        self._open = set()
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._ready, self._ended = threading.Event(), None
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(60)
        assert not self._thread.is_alive()
        self._loop.close()

    def push(self, message):
        """Send to all who are logged in: text as it is, anything else as JSON."""
        text = message if isinstance(message, str | bytes) else json.dumps(message)
        self._call(self._send, text)

    def push_alert(self, **data):
        self.push(alert(**data))

    def drop(self):
        """Reset all connections."""
        self._call(self._reset_all)

    # On its thread.

    def _call(self, function, *arguments):
        asyncio.run_coroutine_threadsafe(function(*arguments), self._loop).result(60)

    async def _serve(self):
        self._ended = asyncio.Event()
        async with serve(self._talk, "127.0.0.1", 0, process_request=self._open_or_not, close_timeout=0.1) as server:
            self.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            self._ready.set()
            await self._ended.wait()

    def _open_or_not(self, connection, _request):
        word = self.script.pop(0) if self.script else "take"
        connection.word = word
        if isinstance(word, int):
            response = connection.respond(word, "")
            if word == 302:
                response.headers["Location"] = "ws://127.0.0.1:1/elsewhere"
            return response
        return None

    async def _talk(self, connection):
        if connection.word == "mute":
            connection.protocol.recv_ping = None
            connection.transport.pause_reading()
            await connection.wait_closed()
            return
        login = json.loads(await connection.recv())
        self.logins.append(login)
        if connection.word == "close":
            return
        if connection.word == "reset" or login["LoginReq"]["Token"] != self.token:
            self._reset(connection)
            return
        self._open.add(connection)
        self.connected.release()
        try:
            await connection.wait_closed()
        finally:
            self._open.discard(connection)

    async def _send(self, text):
        for connection in tuple(self._open):
            await connection.send(text)

    async def _reset_all(self):
        for connection in tuple(self._open):
            self._open.discard(connection)
            self._reset(connection)

    @staticmethod
    def _reset(connection):
        connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        connection.transport.abort()
