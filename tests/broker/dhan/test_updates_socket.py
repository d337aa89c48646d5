"""One connection to the socket of order updates, over a real socket of this machine."""

import asyncio
import logging
import threading

import pytest
from natya_updates import CLIENT, alert
from natya_updates_server import UpdatesServer

from natya.actors.broker import AccessToken
from natya.actors.broker.bodies.dhan import updates
from natya.actors.broker.bodies.dhan.updates import DhanUpdates
from natya.actors.broker.updates import Connected, Ignored, Unreadable
from natya.config.secrets import Secret
from natya.messages.broker import OrderUpdated

TOKEN = "eyJ.a-token-of-a-test.x"  # noqa: S105  it opens nothing


class Run:
    """One connection on a thread of its own."""

    def __init__(self, url, token=TOKEN, *, takes=1_000, **options):
        self.events, self.came, self.takes = [], threading.Semaphore(0), takes
        self.token = AccessToken(Secret(token))
        self.socket = DhanUpdates(url, client_id=CLIENT, token=self.token, **options)
        self.ending = None
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        self.ending = self.socket.run(self._tell)

    def _tell(self, event):
        self.events.append(event)
        self.came.release()
        return len(self.events) < self.takes

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.socket.stop()
        self.end()

    def wait(self, number):
        for _ in range(number):
            assert self.came.acquire(timeout=10)
        return self.events

    def end(self):
        self.thread.join(10)
        assert not self.thread.is_alive()
        return self.ending


def test_logs_in_and_tells_what_comes():
    with UpdatesServer(TOKEN) as server, Run(server.url) as run:
        run.wait(1)
        server.push_alert(status="Traded", tradedQty=40, correlationId="A-1")
        server.push("no JSON")
        server.push({"Type": "greeting"})
        server.push_alert(clientId="1100099999")
        server.push(b"\xff\xfe")
        events = run.wait(5)

    assert server.logins == [
        {"LoginReq": {"MsgCode": 42, "ClientId": CLIENT, "Token": TOKEN}, "UserType": "SELF"},
    ]
    assert events[:2] == [
        Connected(),
        OrderUpdated(broker_order_id="412610070154", status="TRADED", client_order_id="A-1", filled=40),
    ]
    assert [type(event) for event in events[2:]] == [Unreadable, Ignored, Unreadable, Unreadable]


def test_is_stopped_from_another_thread():
    with UpdatesServer(TOKEN) as server, Run(server.url) as run:
        run.wait(1)
        run.socket.stop()

        assert run.end().reason == "it was stopped"


def test_is_not_begun_once_it_was_stopped():
    run = Run("ws://127.0.0.1:1")
    run.socket.stop()
    run._run()

    assert run.ending.reason == "it was stopped"


class TestALogin:
    @pytest.mark.parametrize("word", ["reset", "close"])
    def test_that_ends_in_the_connection_is_in_doubt_and_the_token_is_not_called_dead(self, word):
        with UpdatesServer(TOKEN, word) as server, Run(server.url) as run:
            ending = run.end()

        assert ending.is_login_in_doubt
        assert run.events in ([], [Connected()])
        assert not run.token.is_dead

    def test_without_a_token_that_is_alive_sends_nothing(self):
        with UpdatesServer(TOKEN) as server, Run(server.url, token="") as run:
            ending = run.end()

        assert ending.has_no_token
        assert not server.logins

    def test_that_has_brought_an_update_is_not_in_doubt_when_the_connection_is_reset(self):
        with UpdatesServer(TOKEN) as server, Run(server.url) as run:
            run.wait(1)
            server.push_alert()
            run.wait(1)
            server.drop()
            ending = run.end()

        assert not ending.is_login_in_doubt
        assert ending.reason


class TestAnOpening:
    @pytest.mark.parametrize(
        ("status", "is_told_to_wait", "is_login_in_doubt"),
        [(429, True, False), (401, False, True), (503, False, False), (302, False, False)],
    )
    def test_that_is_refused_says_by_what(self, status, is_told_to_wait, is_login_in_doubt):
        with UpdatesServer(TOKEN, status) as server, Run(server.url) as run:
            ending = run.end()

        assert str(status) in ending.reason
        assert (ending.is_told_to_wait, ending.is_login_in_doubt) == (is_told_to_wait, is_login_in_doubt)
        assert not server.logins

    def test_to_another_machine_is_by_tls_alone(self):
        with Run("ws://198.51.100.1") as run:
            assert "wss wanted" in run.end().reason

    def test_takes_no_proxy_from_the_environment(self, monkeypatch):
        for name in ("http_proxy", "https_proxy", "all_proxy", "ws_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        with UpdatesServer(TOKEN) as server, Run(server.url) as run:
            assert run.wait(1) == [Connected()]


def test_a_far_end_that_answers_no_ping_is_given_up():
    with UpdatesServer(TOKEN, "mute") as server, Run(server.url, ping_s=0.2) as run:
        ending = run.end()

    assert not run.events
    assert not ending.is_login_in_doubt


def test_more_than_is_taken_ends_the_connection():
    with UpdatesServer(TOKEN) as server, Run(server.url, takes=3) as run:
        run.wait(1)
        for _ in range(2):
            server.push_alert()
        ending = run.end()

    assert "more updates" in ending.reason
    assert len(run.events) == 3


def test_a_message_beyond_all_bounds_ends_the_connection():
    with UpdatesServer(TOKEN) as server, Run(server.url) as run:
        run.wait(1)
        server.push(alert(remarks="x" * (1 << 20)))
        ending = run.end()

    assert ending.reason
    assert len(run.events) == 1


def test_the_token_is_in_no_log(caplog):
    with caplog.at_level(logging.DEBUG), UpdatesServer(TOKEN) as server, Run(server.url) as run:
        run.wait(1)
        server.push_alert()
        run.wait(1)

    sent = [record for record in caplog.records if "server" not in record.name]
    assert not [record for record in sent if "token-of-a-test" in record.getMessage()]


@pytest.mark.parametrize(
    ("url", "may_leave"),
    [
        ("wss://api-order-update.dhan.co", True),
        ("ws://127.0.0.1:9", True),
        ("wss://127.0.0.1:9", True),
        ("ws://api-order-update.dhan.co", False),
        ("ws://192.168.0.7:9", False),
    ],
)
def test_the_token_leaves_this_machine_by_tls_alone(monkeypatch, url, may_leave):
    connected = []

    def connect(to, **_how):
        connected.append(to)
        raise ConnectionError("no further")

    monkeypatch.setattr(updates, "_Straight", connect)
    socket = DhanUpdates(url, client_id=CLIENT, token=AccessToken(Secret(TOKEN)))
    with pytest.raises(ConnectionError if may_leave else ValueError, match="no further" if may_leave else "wss wanted"):
        asyncio.run(socket._talk(print))

    assert connected == [url] * may_leave
