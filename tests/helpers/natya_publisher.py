"""A server of published files, on this machine."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Publisher:
    """Answers each GET with one function."""

    def __init__(self, answer):
        self.over = threading.Event()
        asked = self.asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append((self.path, dict(self.headers)))
                with contextlib.suppress(OSError):
                    answer(self)

            def log_message(self, *_):
                pass

        self.Handler = Handler
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.01])
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/api-scrip-master.csv"

    def close(self):
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def saying(text, *, status=200, length=None):
    def answer(request):
        body = text.encode()
        request.send_response(status)
        request.send_header("Content-Length", str(length or len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer


def in_turn(*answers):
    """Give each answer once."""
    waiting = list(answers)

    def answer(request):
        waiting.pop(0)(request)

    return answer
