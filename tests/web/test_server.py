import asyncio
import contextlib
import socket
import struct
import threading
import time
from types import SimpleNamespace

import pytest
import uvicorn
from natya_web import echo

from natya.actors.web import WebServer, answer, body_of
from natya.actors.web.errors import AddressTakenError
from natya.actors.web.server import _Uvicorn
from natya.config.sections.web import WebSettings

SOON_S = 0.2
LONG_S = 60.0


def test_the_date_of_answers_is_made_anew_once_a_second():
    """By uvicorn, at each of its ticks that is told a multiple of ten."""
    told = []

    class Quick(_Uvicorn):
        async def on_tick(self, counter):
            told.append(counter)
            self._told.set()  # no look has to be waited for
            return len(told) == 9

    bounds = WebSettings.default(head_timeout_s=1.0)
    asyncio.run(Quick(uvicorn.Config(echo, log_config=None), bounds).main_loop())

    assert [counter % 10 for counter in told] == [0, 1, 1, 1, 0, 1, 1, 1, 0]


def test_a_server_that_is_told_to_end_is_woken_and_one_that_has_ended_is_not():
    woken = []

    def wake(call):
        woken.append(call)
        raise RuntimeError("Event loop is closed")

    server = _Uvicorn(uvicorn.Config(echo, log_config=None), WebSettings.default())
    server.end()
    assert (server.should_exit, woken) == (True, [])
    server._loop, server._told = SimpleNamespace(call_soon_threadsafe=wake), asyncio.Event()
    server.end()

    assert woken == [server._told.set]


class TestAClient:
    def test_is_answered_and_may_ask_again(self, serve):
        line = serve().line()

        assert line.ask("POST", "/a", b"hello") == (200, b"hello")
        assert line.ask(path="/b?c=d") == (200, b"/b")

    def test_may_send_a_body_in_pieces(self, serve):
        line = serve().line()
        line.send(b"POST / HTTP/1.1\r\nHost: localhost:80\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        line.send(b"2\r\nde\r\n0\r\n\r\n")

        assert line.reply() == (200, b"abcde")

    def test_that_sends_requests_ahead_gets_the_answers_in_order(self, serve):
        line = serve().line()
        line.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % number for number in range(10)))

        assert [line.reply()[1] for _ in range(10)] == [b"/%d" % number for number in range(10)]

    def test_finds_the_port_open_before_the_server_serves(self):
        server = WebServer(WebSettings.default(), on_failure=print)

        assert server.url == f"http://127.0.0.1:{server.port}"
        assert server.port > 0
        server.close()

    def test_gets_the_answer_that_was_being_made_when_the_server_stopped(self, serve):
        begun, go_on = threading.Event(), threading.Event()

        async def slow(_scope, _receive, send):
            begun.set()
            while not go_on.is_set():
                import asyncio  # noqa: PLC0415

                await asyncio.sleep(0.005)
            await answer(send, 200, b"done")

        served = serve(slow)
        line = served.line()
        line.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert begun.wait(10)
        served.server.close()
        go_on.set()

        assert line.reply() == (200, b"done")
        assert line.ends()

    def test_gets_the_end_of_an_answer_that_it_reads_after_the_server_was_to_stop(self, serve):
        body = b"x" * 4_000_000

        async def long(_scope, _receive, send):
            await answer(send, 200, body)

        served = serve(long)
        line = served.line()
        line.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = line._read_until(b"\r\n\r\n")
        served.server.close()
        served.thread.join(0.1)  # it does not end
        rest = head.partition(b"\r\n\r\n")[2]
        while more := line._read():
            rest += more

        assert len(rest) == len(body)

    def test_that_is_gone_leaves_its_request_to_be_done_to_the_end(self, serve):
        begun, done = threading.Event(), threading.Event()

        async def works(_scope, receive, _send):
            begun.set()
            while (await receive())["type"] != "http.disconnect":
                pass
            for _ in range(20):
                await asyncio.sleep(0.005)
            done.set()

        served = serve(works)
        line = served.line()
        line.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert begun.wait(10)
        line.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # it cuts the connection
        line.socket.close()
        served.server.close()
        served.thread.join(10)

        assert done.is_set()


class TestAServer:
    def test_does_not_hold_the_end_of_an_answer_back(self, serve):
        served = serve()
        served.line().ask()
        (connection,) = served.server._serving.server_state.connections
        own = connection.transport.get_extra_info("socket")

        assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    def test_stops_within_its_bound_whatever_an_application_does(self, serve):
        begun = threading.Event()

        async def never(_scope, receive, _send):
            begun.set()
            while True:
                await receive()

        served = serve(never, drain_s=SOON_S)
        line = served.line()
        line.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert begun.wait(10)
        served.server.close()
        served.thread.join(10)

        assert not served.thread.is_alive()
        assert line.ends()

    def test_that_was_closed_before_it_served_serves_nothing(self):
        server = WebServer(WebSettings.default(), on_failure=print)
        server.close()
        server.serve()

        assert server.statistics().connections == 0

    def test_does_not_take_an_address_that_another_has(self, serve):
        taken = serve().server.port

        with pytest.raises(AddressTakenError, match=f"found 127.0.0.1 port {taken}"):
            WebServer(WebSettings.default(port=taken), on_failure=print)

    def test_goes_on_for_another_at_the_same_socket(self, serve):
        served = serve()
        copy = served.server.listener_copy()
        served.server.close()
        served.thread.join(10)
        other = WebServer(WebSettings.default(), listener=copy, on_failure=print)
        line = served.line()  # in the kernel's queue, since nobody serves
        other.application.mount("", served.server.application.mounts()[0][2], owner="test")
        thread = threading.Thread(target=other.serve)
        thread.start()

        assert line.ask(path="/there") == (200, b"/there")
        other.close()
        thread.join(10)

    def test_may_begin_anew_at_a_port_that_was_just_left_and_answers_at_once(self):
        """Old connections wait for their end in the kernel; Nagle's algorithm waits for acknowledgements."""
        server = WebServer(WebSettings.default(port=0), on_failure=print)
        with contextlib.closing(server), server.listener_copy() as listener:
            assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
            assert listener.proto == socket.IPPROTO_TCP

    def test_counts(self, serve):
        served = serve()
        line = served.line()
        line.ask()
        line.ask()

        found = served.server.statistics()
        assert (found.connections, found.accepted, found.requests, found.dropped) == (1, 1, 2, 0)


class TestAHostileClient:
    @pytest.mark.parametrize(
        "data",
        [
            b"\x00\xff" * 10,
            b"GET\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"GET /\xc3\xa9 HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ],
        ids=lambda data: ascii(data[:40]),
    )
    def test_that_speaks_something_else_is_refused_and_cut_off(self, serve, data):
        line = serve().line()
        line.send(data)

        assert line.reply()[0] == 400
        assert line.ends()

    def test_cannot_send_an_endless_head(self, serve):
        line = serve(head_bytes_max=2_000).line()
        line.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 3_000)

        assert line.reply()[0] == 431
        assert line.ends()

    @pytest.mark.parametrize("part", [b"X: 1\r\n", b"X: " + b"x" * 500 + b"\r\n"], ids=["many", "long"])
    def test_cannot_send_a_whole_head_that_is_too_long(self, serve, part):
        line = serve(head_bytes_max=2_000).line()
        line.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + part * (4_000 // len(part)) + b"\r\n")

        assert line.reply()[0] == 431

    def test_cannot_send_an_endless_address(self, serve):
        line = serve(head_bytes_max=2_000).line()
        line.send(b"GET /" + b"a" * 5_000)

        assert line.reply()[0] == 431

    def test_with_a_body_that_is_too_long_is_told_so_before_it_is_read(self, serve):
        line = serve(body_bytes_max=1_000).line()

        assert line.ask("POST", body=b"x" * 1_001)[0] == 413
        assert line.ends()

    def test_with_pieces_that_are_too_many_is_told_so_and_the_application_hears_that_it_is_gone(self, serve):
        heard = []

        async def collect(_scope, receive, send):
            try:
                heard.append(await body_of(receive))
                await answer(send, 200)
            except Exception as fault:
                heard.append(type(fault).__name__)
                raise

        served = serve(collect, body_bytes_max=1_000)
        line = served.line()
        line.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        line.send(b"100\r\n" + b"x" * 256 + b"\r\n")
        line.send((b"100\r\n" + b"x" * 256 + b"\r\n") * 4)

        assert line.reply()[0] == 413
        assert line.ends()
        served.close()
        assert heard == ["ClientGoneError"]
        assert served.failures == []

    def test_still_hears_why_when_it_sends_much_more(self, serve):
        served = serve(body_bytes_max=1_000)
        line = served.line()

        assert line.ask("POST", body=b"x" * 3_000_000)[0] == 413
        assert line.reply() is None  # and hears it once
        assert served.server.statistics().dropped == 1

    def test_that_never_asks_is_cut_off(self, serve):
        line = serve(head_timeout_s=SOON_S).line()

        assert line.reply() is None or line.ends()

    def test_that_sends_a_head_byte_by_byte_is_cut_off(self, serve):
        served = serve(head_timeout_s=SOON_S)
        line = served.line()
        line.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        slow = threading.Thread(target=lambda: [line.send(b"X: 1\r\n") or time.sleep(0.02) for _ in range(40)])
        slow.start()

        assert line.reply()[0] == 408
        assert served.server.statistics().dropped == 1
        slow.join()

    def test_that_sends_nothing_but_blank_lines_between_requests_is_cut_off(self, serve):
        line = serve(head_timeout_s=SOON_S, idle_s=LONG_S).line()
        line.ask()
        line.send(b"\r\n")

        assert line.ends()

    def test_that_sends_half_a_body_is_cut_off(self, serve):
        line = serve(body_timeout_s=SOON_S).line()
        line.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf")

        assert line.reply()[0] == 408

    def test_that_asks_no_more_is_cut_off(self, serve):
        line = serve(idle_s=SOON_S).line()
        line.ask()

        assert line.ends()

    def test_that_does_not_read_its_answer_is_cut_off(self, serve):
        ended = threading.Event()

        async def endless(_scope, _receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(10_000):
                await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
            ended.set()

        served = serve(endless, stall_s=SOON_S)
        line = served.line()
        line.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")

        assert ended.wait(20)
        assert served.server.statistics().dropped == 1

    def test_that_leaves_the_end_of_its_last_answer_unread_is_cut_off(self, serve):
        async def large(_scope, _receive, send):
            await answer(send, 200, b"x" * 20_000_000, headers=[(b"connection", b"close")])

        served = serve(large, stall_s=SOON_S)
        line = served.line()
        line.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        found = _waited_for(lambda: served.server.statistics().dropped)

        assert found == 1

    def test_that_opens_too_many_connections_and_asks_nothing_makes_room_for_others(self, serve):
        served = serve(connections_max=3)
        lines = [served.line() for _ in range(3)]
        assert [line.ask()[0] for line in lines] == [200, 200, 200]
        late = served.line()

        assert late.ask()[0] == 200
        assert lines[0].ends()
        assert [line.ask()[0] for line in (*lines[1:], late)] == [200, 200, 200]
        assert (served.server.statistics().turned_away, served.server.statistics().dropped) == (0, 1)

    def test_that_sends_too_many_requests_ahead_is_cut_off(self, serve):
        line = serve().line()
        line.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 5_000)

        assert line.ends()

    def test_that_asks_for_another_protocol_is_answered_and_cut_off(self, serve):
        line = serve().line()
        line.send(b"GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")

        assert line.reply() == (200, b"/x")
        assert line.ends()

    @pytest.mark.parametrize(
        "hosts",
        [
            [],
            ["evil.example"],
            ["evil.example:80"],
            ["127.0.0.1", "127.0.0.1"],
            ["127.0.0.1.evil.example"],
            [""],
            ["[::1"],
        ],
        ids=str,
    )
    def test_with_a_name_of_another_is_refused(self, serve, hosts):
        line = serve().line()
        line.send(b"".join([b"GET / HTTP/1.1\r\n", *(b"Host: %s\r\n" % host.encode() for host in hosts), b"\r\n"]))

        assert line.reply()[0] == 400

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost:99", "LOCALHOST", "[::1]", "[::1]:80"])
    def test_with_a_name_of_this_machine_is_let_in(self, serve, host):
        line = serve().line()
        line.send(b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % host.encode())

        assert line.reply()[0] == 200


class TestAnApplicationThatFails:
    def test_is_answered_for_without_a_word_of_its_error(self, serve):
        async def fail(_scope, _receive, _send):
            raise ValueError("the secret is 42")

        served = serve(fail)
        line = served.line()
        status, body = line.ask(path="/here?token=42")

        assert status == 500
        assert b"42" not in body
        assert b"Traceback" not in body
        assert [(path, str(fault)) for path, fault in served.failures] == [("/here", "the secret is 42")]
        assert line.ask()[0] == 500

    def test_in_the_middle_of_an_answer_ends_the_connection(self, serve):
        async def fail(_scope, _receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
            raise ValueError("too late")

        line = serve(fail).line()
        line.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")

        assert line.ends()


def _waited_for(look):
    end = time.monotonic() + 20
    while not look() and time.monotonic() < end:
        time.sleep(0.01)
    return look()
