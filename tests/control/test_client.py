import errno
import time
from unittest import mock

import pytest
from natya_starts import run_python

from natya.actors.control import client as client_module
from natya.actors.control import socket_path
from natya.actors.control.client import ControlClient
from natya.actors.control.errors import (
    AskFailedError,
    AskRefusedError,
    AskTimedOutError,
    ConnectionLostError,
    NotRunningError,
)
from natya.domain.time import SECOND_NS
from natya.messages.codec import encode
from natya.messages.control import Answer
from natya.messages.database import Query, Rows
from natya.messages.framing import framed
from natya.messages.supervision import Failed, Unavailable
from natya.messages.system import Ping


@pytest.fixture
def no_grace(monkeypatch):
    monkeypatch.setattr(client_module, "GRACE_S", 0.0)


def answering(message):
    return lambda asked: asked.answer(encode(message))


class TestAsking:
    def test_returns_the_answer(self, serve):
        rows = Rows(columns=("one",), rows=((1,),))

        assert serve(answering(rows)).client().request("database", Query(sql="select 1")) == rows

    def test_again_and_again_uses_one_connection(self, serve):
        served = serve()
        client = served.client()
        for _ in range(50):
            assert client.request("any", Ping()) == Ping()

        assert served.server.statistics().accepted == 1

    def test_for_a_large_answer_returns_all_of_it(self, serve):
        rows = Rows(columns=("text",), rows=(("x" * 8_000_000,),))

        assert serve(answering(rows)).client().request("database", Query(sql="select 1")) == rows

    def test_names_the_actor_and_the_time_it_has(self, serve):
        heard = []

        def hear(asked):
            heard.append((asked.ask.actor, asked.ask.timeout_s))
            asked.answer(encode(Ping()))

        serve(hear).client().request("orders", Ping(), timeout_s=2.5)

        assert heard == [("orders", 2.5)]


class TestAQuestionWithoutAnAnswer:
    def test_because_it_was_refused_says_why(self, serve):
        client = serve(lambda asked: asked.refuse("forbidden", "not this")).client()

        with pytest.raises(AskRefusedError, match="not this") as caught:
            client.request("any", Ping())
        assert caught.value.kind == "forbidden"

    def test_because_the_daemon_says_it_took_too_long_is_a_time_out(self, serve):
        client = serve(lambda asked: asked.refuse("timed_out", "too long")).client()

        with pytest.raises(AskTimedOutError, match="too long"):
            client.request("any", Ping())

    @pytest.mark.parametrize(
        "answer",
        [
            Failed(actor="orders", message_type="Ping", error="ValueError", reason="it broke"),
            Unavailable(actor="orders", reason="it broke", retry_after_s=1),
        ],
        ids=["failed", "unavailable"],
    )
    def test_because_the_actor_failed_names_the_actor(self, serve, answer):
        with pytest.raises(AskFailedError, match=r"orders .*it broke"):
            serve(answering(answer)).client().request("orders", Ping())

    @pytest.mark.usefixtures("no_grace")
    def test_in_time_leaves_the_connection_usable(self, serve):
        late = []

        def first_is_late(asked):
            if late:
                late.pop().answer(b"\x01late")
                asked.answer(encode(Ping()))
            else:
                late.append(asked)

        client = serve(first_is_late).client()
        with pytest.raises(AskTimedOutError):
            client.request("any", Ping(), timeout_s=0.02)

        assert client.request("any", Ping()) == Ping()

    def test_because_the_daemon_ended_is_a_lost_connection(self, serve):
        served = serve(lambda _: served.server.close())
        client = served.client()

        with pytest.raises(ConnectionLostError, match=str(served.data_dir)):
            client.request("any", Ping())

    def test_because_of_one_connection_too_many_says_busy(self, serve):
        served = serve(connections_max=1)
        served.client().request("any", Ping())

        with pytest.raises(AskRefusedError, match="connections_max") as caught:
            served.client().request("any", Ping())
        assert caught.value.kind == "busy"

    @pytest.mark.parametrize(
        "reply", [framed(b"\x02\x90"), b"\xff" * 8, framed(encode(Ping()))], ids=["v2", "long", "?"]
    )
    def test_because_the_daemon_talks_nonsense_is_a_lost_connection(self, tmp_path, reply):
        with (
            socket_path.listen(tmp_path) as listener,
            ControlClient(tmp_path, monotonic_ns=time.monotonic_ns) as client,
        ):
            far, _ = listener.accept()
            with far:
                far.sendall(reply)
                with pytest.raises(ConnectionLostError):
                    client.request("any", Ping())

    @pytest.mark.parametrize(
        ("fault", "reason"),
        [
            (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), "lost: Connection reset by peer"),
            (OSError("odd"), "lost: odd"),
        ],
    )
    def test_because_the_socket_fails_says_why_without_a_number(self, tmp_path, monkeypatch, fault, reason):
        with socket_path.listen(tmp_path), ControlClient(tmp_path, monotonic_ns=time.monotonic_ns) as client:
            monkeypatch.setattr(client, "_socket", mock.Mock(recv=mock.Mock(side_effect=fault), wraps=client._socket))
            with pytest.raises(ConnectionLostError) as lost:
                client.request("any", Ping())

        assert str(lost.value).endswith(reason)

    @pytest.mark.usefixtures("no_grace")
    def test_that_could_not_even_be_sent_is_a_lost_connection(self, tmp_path):
        with socket_path.listen(tmp_path), ControlClient(tmp_path, monotonic_ns=time.monotonic_ns) as client:
            with pytest.raises(ConnectionLostError, match="could not be sent"):
                client.ask("any", bytes(4_000_000), timeout_s=0.02)
            with pytest.raises(ConnectionLostError):
                client.request("any", Ping())

    def test_is_given_up_by_the_clock_that_it_was_asked_by(self, tmp_path):
        asked_ns, sent_ns, by_then_ns = 0, 0, 3_600 * SECOND_NS
        clock = iter((asked_ns, sent_ns, by_then_ns))
        with (
            socket_path.listen(tmp_path),
            ControlClient(tmp_path, monotonic_ns=lambda: next(clock)) as client,
            pytest.raises(AskTimedOutError, match="no answer in 600 s"),
        ):
            client.request("any", Ping(), timeout_s=600)

    def test_of_an_earlier_question_is_not_taken_for_this_one(self, tmp_path):
        with (
            socket_path.listen(tmp_path) as listener,
            ControlClient(tmp_path, monotonic_ns=time.monotonic_ns) as client,
        ):
            far, _ = listener.accept()
            with far:
                for request_id, message in ((9, b"another's"), (1, encode(Ping()))):
                    far.sendall(framed(encode(Answer(request_id=request_id, message=message))))

                assert client.request("any", Ping()) == Ping()


class TestWithoutADaemon:
    def test_there_is_no_client(self, tmp_path):
        with pytest.raises(NotRunningError, match=str(tmp_path)):
            ControlClient(tmp_path, monotonic_ns=time.monotonic_ns)


class TestAnotherProcess:
    def test_asks_as_this_one_does(self, serve):
        served = serve()
        script = (
            "import sys, time; from pathlib import Path; from natya.actors.control import ControlClient;"
            "from natya.messages.system import Ping;"
            "client = ControlClient(Path(sys.argv[1]), monotonic_ns=time.monotonic_ns);"
            "print(client.request('any', Ping())); client.close()"
        )
        told = run_python(script, served.data_dir)

        assert (told.returncode, told.stdout) == (0, "Ping()\n")
