"""The way to a server, with its faults: it hangs, is cut, and loses answers after the server did the work."""

import contextlib
import socket
import threading


class FaultyWay:
    """A port that leads to another; what goes through it is held, cut or thrown away when it is told to be."""

    def __init__(self, port):
        self._to = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._flows = threading.Event()
        self._flows.set()
        self._answers = threading.Event()
        self._answers.set()
        self._guard = threading.Lock()
        self._open = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                accepted, _ = self._listening.accept()
                try:
                    near = self._welcome(accepted)
                except OSError:
                    continue  # it does not speak as it should
                try:
                    far = socket.create_connection(("127.0.0.1", self._to))
                except OSError:
                    near.close()  # the server is down
                    continue
                pair = (near, far)
                with self._guard:
                    self._open.add(pair)
                for source, target, is_answer in ((near, far, False), (far, near, True)):
                    threading.Thread(target=self._carry, args=(pair, source, target, is_answer), daemon=True).start()

    @staticmethod
    def _welcome(accepted):
        """Return the socket that is spoken through, which is the caller's to close."""
        return accepted

    def _carry(self, pair, source, target, is_answer):
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                self._flows.wait()
                if not is_answer or self._answers.is_set():
                    target.sendall(data)
        self._cut(pair)

    def _cut(self, pair):
        with self._guard:
            self._open.discard(pair)
        for each in pair:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def cut(self):
        """End all connections, whatever is under way in them."""
        with self._guard:
            pairs = list(self._open)
        for pair in pairs:
            self._cut(pair)

    @contextlib.contextmanager
    def hanging(self):
        """Nothing goes through, and nothing is lost."""
        self._flows.clear()
        try:
            yield
        finally:
            self._flows.set()

    @contextlib.contextmanager
    def without_answers(self):
        """The server is asked, and does it, and nobody hears; all connections are cut at the end."""
        self._answers.clear()
        try:
            yield
        finally:
            self.cut()
            self._answers.set()

    def close(self):
        self._listening.close()
        self._flows.set()
        self.cut()
