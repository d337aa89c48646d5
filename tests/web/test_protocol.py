"""A connection by itself, without a network, at a time that the test sets: what it refuses, and when it is cut off."""

import asyncio
import math
import re
from types import SimpleNamespace

import pytest
import uvicorn
from uvicorn.server import ServerState

from natya.actors.web.application import PATH_CHARACTERS_MAX, Application
from natya.actors.web.bodies import answer, body_of
from natya.actors.web.errors import WebError
from natya.actors.web.protocol import LINGER_BYTES_MAX, LINGER_S, PIPELINED_MAX, BoundedProtocol, Counts, _address
from natya.config.sections.web import WebSettings

BOUNDS = WebSettings.default(
    head_bytes_max=1_024,
    body_bytes_max=100,
    head_timeout_s=10.0,
    body_timeout_s=20.0,
    stall_s=30.0,
    idle_s=40.0,
    connections_max=2,
)
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"


CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


class Wire:
    """What a connection writes to."""

    def __init__(self):
        self.said, self.is_cut, self.is_closed, self.is_ended = b"", False, False, False
        self.is_paused = False

    def write(self, data):
        self.said += data

    def abort(self):
        self.is_cut = True

    def is_closing(self):
        return self.is_cut or self.is_closed

    def get_extra_info(self, _name):
        return None

    def close(self):
        self.is_closed = True

    def write_eof(self):
        self.is_ended = True

    def pause_reading(self):
        self.is_paused = True

    def resume_reading(self):
        self.is_paused = False

    @property
    def statuses(self):
        return [int(each) for each in re.findall(rb"^HTTP/1.1 (\d+)", self.said, re.MULTILINE)]


class Another:
    """Another connection."""

    def __init__(self, waits_since_s):
        self.transport, self.waits_since_s = Wire(), waits_since_s


class Connection:
    """One connection, and the requests that its application has."""

    def __init__(self, loop, connections=()):
        self.loop, self.now_s, self.asked = loop, 0.0, []
        loop.time = lambda: self.now_s
        self.wire, self.counts = Wire(), Counts()
        config = uvicorn.Config(
            self.serve, interface="asgi3", ws="none", lifespan="off", log_config=None, proxy_headers=False
        )
        config.load()
        state = ServerState()
        state.connections.update(connections)
        self.protocol = BoundedProtocol(
            *(BOUNDS, self.counts), config=config, server_state=state, app_state={}, _loop=loop
        )
        self.protocol.connection_made(self.wire)

    async def serve(self, scope, receive, send):
        """Keep the request until the test answers it."""
        request = SimpleNamespace(scope=scope, receive=receive, send=send, done=asyncio.Event())
        self.asked.append(request)
        await request.done.wait()
        await answer(send, 200, b"well\n")

    async def say(self, data):
        self.protocol.data_received(data)
        await self.settle()

    async def answer(self):
        self.asked.pop(0).done.set()
        await self.settle()

    async def settle(self):
        for _ in range(8):
            await asyncio.sleep(0)

    def look(self, at_s):
        self.now_s = at_s
        self.protocol.look(at_s)
        return self.wire.is_cut, self.wire.statuses


def play(scene, connections=()):
    async def run():
        connection = Connection(asyncio.get_running_loop(), connections)
        await scene(connection)
        connection.protocol.resume_writing()
        while connection.asked:
            await connection.answer()
        connection.protocol.connection_lost(None)

    asyncio.run(run())


class TestAHead:
    @pytest.mark.parametrize("pieces", [1, 2, 7])
    @pytest.mark.parametrize(("length", "statuses"), [(1_024, []), (1_025, [431])])
    def test_that_is_not_at_its_end_has_so_many_bytes_at_most_in_however_many_pieces(self, pieces, length, statuses):
        async def scene(connection):
            head = (b"GET / HTTP/1.1\r\nX: " + b"x" * length)[:length]
            size = -(-length // pieces)
            for begin in range(0, length, size):
                await connection.say(head[begin : begin + size])
            assert connection.wire.statuses == statuses

        play(scene)

    @pytest.mark.parametrize("pieces", [1, 2, 3])
    @pytest.mark.parametrize(("length", "statuses"), [(1_024, [200]), (1_025, [431])])
    def test_that_is_whole_has_so_many_bytes_at_most_in_however_many_pieces(self, pieces, length, statuses):
        """Of address and headers."""

        async def scene(connection):
            head = b"GET / HTTP/1.1\r\nX: " + b"x" * (length - len("/X: \r\n")) + b"\r\n\r\n"
            size = -(-len(head) // pieces)
            for begin in range(0, len(head), size):
                await connection.say(head[begin : begin + size])
            if connection.asked:
                await connection.answer()
            assert connection.wire.statuses == statuses

        play(scene)

    @pytest.mark.parametrize(("length", "statuses"), [(1_024, [200, 200]), (1_025, [200, 431])])
    def test_that_came_in_part_with_the_end_of_a_body_has_no_more_bytes(self, length, statuses):
        async def scene(connection):
            head = b"GET / HTTP/1.1\r\nX: " + b"x" * (length - len("/X: \r\n")) + b"\r\n\r\n"
            await connection.say(POST + b"12345")
            await connection.say(b"67890" + head[:120])
            await connection.answer()
            await connection.say(head[120:])
            if connection.asked:
                await connection.answer()
            assert connection.wire.statuses == statuses

        play(scene)

    def test_that_came_in_part_with_a_body_as_long_as_may_be_has_as_many_bytes_as_any(self):
        async def scene(connection):
            await connection.say(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n")
            await connection.say(b"x" * 100 + (b"GET / HTTP/1.1\r\nX: " + b"x" * 950)[:950])
            assert (connection.wire.statuses, connection.wire.is_cut) == ([], False)

        play(scene)

    def test_has_so_long_from_the_first_that_comes_though_that_is_none_of_it(self):
        async def scene(connection):
            await connection.say(GET)
            await connection.answer()
            connection.now_s = 1.0
            for _ in range(3):
                await connection.say(b"\r\n")
                connection.now_s += 3.0
            assert connection.look(10.9) == (False, [200])
            assert connection.look(11.0) == (False, [200, 408])

        play(scene)

    def test_is_not_begun_by_a_blank_line_behind_a_request_that_is_being_answered(self):
        async def scene(connection):
            await connection.say(GET)
            connection.now_s = 1.0
            await connection.say(b"\r\n")
            assert connection.look(500.0) == (False, [])
            await connection.answer()
            assert connection.look(501.0) == (False, [200])

        play(scene)

    def test_has_so_long_and_begins_to_be_waited_for_anew_behind_an_answer(self):
        async def scene(connection):
            assert connection.look(9.9) == (False, [])
            await connection.say(GET)
            connection.now_s = 50.0
            await connection.answer()
            assert connection.look(1_000.0) == (False, [200])
            await connection.say(b"GET / ")
            assert connection.look(1_009.9) == (False, [200])
            assert connection.look(1_010.0) == (False, [200, 408])
            assert connection.counts.dropped == 1

        play(scene)

    def test_is_not_given_more_time_by_what_comes_of_it(self):
        async def scene(connection):
            for at_s, data in ((0.0, b"G"), (5.0, b"E"), (9.9, b"T")):
                connection.now_s = at_s
                await connection.say(data)
            assert connection.look(9.95) == (False, [])
            assert connection.look(10.0) == (False, [408])

        play(scene)

    def test_that_begins_behind_another_request_has_no_more_time(self):
        async def scene(connection):
            connection.now_s = 5.0
            await connection.say(GET + b"GET / ")
            assert not connection.look(14.9)[0]
            assert connection.look(15.0)[0]  # cut off: the answer before it is not made yet

        play(scene)


class TestABody:
    def test_is_not_given_more_time_by_what_comes_of_it(self):
        async def scene(connection):
            for at_s, data in ((0.0, POST), (10.0, b"1"), (19.9, b"2")):
                connection.now_s = at_s
                await connection.say(data)
            assert connection.look(19.95) == (False, [])
            assert connection.look(20.0) == (False, [408])

        play(scene)

    @pytest.mark.parametrize(("last", "statuses"), [(50, []), (51, [413])])
    def test_in_pieces_has_so_many_bytes_at_most(self, last, statuses):
        async def scene(connection):
            await connection.say(CHUNKED)
            for size in (50, last):
                await connection.say(b"%x\r\n%s\r\n" % (size, b"x" * size))
            assert connection.wire.statuses == statuses

        play(scene)

    def test_may_have_as_much_round_it_behind_a_head_that_came_in_pieces(self):
        async def scene(connection):
            await connection.say(CHUNKED[:-2])
            for _ in range(4):
                await connection.say(b"X: %s\r\n" % (b"x" * 200))
            await connection.say(b"\r\n0\r\n")
            await connection.say(b"X: %s\r\n" % (b"x" * 300))
            assert connection.wire.statuses == []

        play(scene)

    @pytest.mark.parametrize("pieces", [[b""], [b"whole"], [b"in ", b"", b"three ", b"pieces"]], ids=len)
    def test_is_what_all_its_pieces_are(self, pieces):
        left = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
        left[-1]["more_body"] = False

        async def receive():
            return left.pop(0)

        assert asyncio.run(body_of(receive)) == b"".join(pieces)
        assert left == []

    def test_has_so_long_from_the_end_of_its_head(self):
        async def scene(connection):
            connection.now_s = 5.0
            await connection.say(POST + b"12345")
            assert connection.look(24.9) == (False, [])
            assert connection.look(25.0) == (False, [408])
            assert (await connection.asked[0].receive())["type"] == "http.disconnect"

        play(scene)

    @pytest.mark.parametrize(("length", "statuses"), [(100, []), (101, [413])])
    def test_has_so_many_bytes_at_most(self, length, statuses):
        async def scene(connection):
            await connection.say(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % length)
            assert connection.wire.statuses == statuses

        play(scene)

    @pytest.mark.parametrize(
        ("begins", "goes_on"),
        [(b"0\r\n", b"X: %s\r\n"), (b"0\r\nX: ", b"%s"), (b"1;", b"%s"), (b"", b"1;%s\r\nx\r\n")],
        ids=["trailers", "a trailer", "an extension of a chunk", "extensions of chunks"],
    )
    def test_has_little_round_it_however_it_is_cut_into_chunks(self, begins, goes_on):
        async def scene(connection):
            await connection.say(CHUNKED + begins)
            for _ in range(4):
                await connection.say(goes_on % (b"x" * 200))
            assert connection.wire.statuses == []
            await connection.say(goes_on % (b"x" * 300))
            assert connection.wire.statuses == [413]

        play(scene)

    def test_of_chunks_of_a_byte_each_is_taken(self):
        async def scene(connection):
            await connection.say(CHUNKED)
            for _ in range(100):
                await connection.say(b"1\r\nx\r\n")
            await connection.say(b"0\r\n\r\n")
            assert await body_of(connection.asked[0].receive) == b"x" * 100

        play(scene)

    def test_has_nothing_behind_it_that_is_a_header(self):
        async def scene(connection):
            await connection.say(CHUNKED + b"0\r\nAuthorization: Bearer x\r\n\r\n")
            names = [name for name, _ in connection.asked[0].scope["headers"]]
            assert names == [b"host", b"transfer-encoding"]

        play(scene)


class TestRequestsAhead:
    @pytest.mark.parametrize(("count", "is_cut"), [(PIPELINED_MAX, False), (PIPELINED_MAX + 1, True)])
    def test_are_so_many_at_most_behind_the_one_that_is_being_answered(self, count, is_cut):
        async def scene(connection):
            await connection.say(GET * (1 + count))
            assert (connection.wire.is_cut, connection.counts.dropped) == (is_cut, int(is_cut))

        play(scene)

    @pytest.mark.parametrize("count", [2, 3])
    def test_keep_the_rest_from_being_read_until_one_is_answered(self, count):
        async def scene(connection):
            await connection.say(GET)
            assert not connection.wire.is_paused
            await connection.say(GET * (count - 1))
            assert connection.wire.is_paused
            await connection.answer()
            assert not connection.wire.is_paused
            while connection.asked:
                await connection.answer()
            assert connection.wire.statuses == [200] * count

        play(scene)

    def test_are_not_begun_behind_an_answer_that_is_the_last(self):
        async def scene(connection):
            await connection.say(GET * 3)
            send = connection.asked.pop().send
            await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
            await send({"type": "http.response.body", "body": b"well"})
            await connection.settle()
            assert (connection.wire.is_closed, connection.asked) == (True, [])

        play(scene)


def test_an_address_is_its_path_and_its_query():
    assert _address(b"/a%20b?c=d%20e") == ("/a b", b"/a%20b", b"c=d%20e")
    assert _address(b"/a") == ("/a", b"/a", b"")


class TestWhoIsRefused:
    def test_may_say_much_more_before_it_is_cut_off_and_is_told_once(self):
        async def scene(connection):
            await connection.say(b"nonsense\r\n\r\n")
            for _ in range(LINGER_BYTES_MAX // (1 << 20)):
                await connection.say(b"x" * (1 << 20))
            assert (connection.wire.is_cut, connection.wire.statuses) == (False, [400])
            await connection.say(b"x")
            assert (connection.wire.is_cut, connection.wire.statuses) == (True, [400])
            assert connection.counts.dropped == 1

        play(scene)

    def test_is_cut_off_a_moment_later(self):
        async def scene(connection):
            connection.now_s = 7.0
            await connection.say(b"nonsense\r\n\r\n")
            assert connection.look(7.0 + LINGER_S - 0.1) == (False, [400])
            assert connection.look(7.0 + LINGER_S) == (True, [400])
            assert connection.counts.dropped == 1

        play(scene)

    @pytest.mark.parametrize("behind", [b"no request\r\n\r\n", b"\x00"])
    def test_behind_a_request_that_is_being_answered_is_cut_off_and_not_answered_in_its_place(self, behind):
        async def scene(connection):
            await connection.say(GET)
            await connection.say(behind)
            assert (connection.wire.statuses, connection.wire.is_cut) == ([], True)

        play(scene)

    def test_in_the_middle_of_an_answer_is_cut_off(self):
        async def scene(connection):
            await connection.say(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            send = connection.asked.pop().send
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"begun", "more_body": True})
            await connection.say(b"65\r\n" + b"x" * 101 + b"\r\n")
            assert (connection.wire.statuses, connection.wire.is_cut) == ([200], True)

        play(scene)

    def test_as_one_too_many_finds_room_where_another_is_about_to_be_gone(self):
        others = [Another(math.inf), Another(math.inf)]
        others[0].transport.close()

        async def scene(connection):
            assert (connection.counts.accepted, connection.counts.dropped) == (1, 0)
            assert [each.transport.is_cut for each in others] == [False, False]

        play(scene, connections=others)

    @pytest.mark.parametrize(
        ("waits_since_s", "is_taken", "cut"),
        [
            ([math.inf, math.inf], False, [False, False]),  # every one is being answered
            ([math.inf, -3.0], True, [False, True]),
            ([-5.0, -3.0], True, [True, False]),
            ([-3.0], True, [False]),
        ],
    )
    def test_as_one_too_many_takes_the_place_of_who_has_asked_nothing_for_the_longest(
        self, waits_since_s, is_taken, cut
    ):
        others = [Another(since_s) for since_s in waits_since_s]

        async def scene(connection):
            assert connection.wire.statuses == ([] if is_taken else [503])
            counts = connection.counts
            assert (counts.accepted, counts.turned_away, counts.dropped) == (is_taken, not is_taken, any(cut))
            assert [each.transport.is_cut for each in others] == cut

        play(scene, connections=others)

    def test_waits_for_its_client_except_while_it_is_answered_and_reads(self):
        async def scene(connection):
            found = []

            def look():
                connection.now_s += 1
                found.append(connection.protocol.waits_since_s)

            look()
            await connection.say(GET[:9])
            look()
            await connection.say(GET[9:])
            look()
            connection.protocol.pause_writing()
            look()
            connection.protocol.resume_writing()
            look()
            await connection.answer()
            look()
            await connection.say(POST)
            look()
            await connection.say(b"0123456789")
            look()
            await connection.answer()
            connection.protocol.pause_writing()
            look()
            connection.protocol.resume_writing()
            look()
            assert found == [0.0, 1.0, math.inf, 3.0, math.inf, 5.0, 6.0, math.inf, 8.0, 8.0]

        play(scene)


class TestWhoDoesNotRead:
    def test_is_cut_off_unless_it_reads_again(self):
        async def scene(connection):
            await connection.say(GET)
            connection.protocol.pause_writing()
            assert not connection.look(29.9)[0]
            connection.protocol.resume_writing()
            assert not connection.look(31.0)[0]
            connection.protocol.pause_writing()
            assert not connection.look(60.9)[0]
            assert connection.look(61.0)[0]
            assert connection.counts.dropped == 1

        play(scene)

    def test_has_as_long_for_the_last_of_an_answer(self):
        async def scene(connection):
            await connection.say(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            await connection.answer()
            assert connection.wire.is_closed
            assert not connection.look(50.0)[0]
            assert not connection.look(79.9)[0]
            assert connection.look(80.0)[0]

        play(scene)

    def test_is_written_to_again_when_it_reads(self):
        async def scene(connection):
            await connection.say(GET)
            connection.protocol.pause_writing()
            await connection.answer()
            assert connection.wire.said == b""
            connection.protocol.resume_writing()
            await connection.settle()
            assert connection.wire.statuses == [200]

        play(scene)


class TestAConnectionAfterAnAnswer:
    @pytest.mark.parametrize(
        ("version", "header", "is_kept"),
        [
            ("1.1", "", True),
            ("1.1", "Connection: keep-alive\r\n", True),
            ("1.1", "Connection: close\r\n", False),
            ("1.0", "", False),
            ("1.0", "Connection: keep-alive\r\n", False),
        ],
    )
    def test_is_kept_where_both_sides_would(self, version, header, is_kept):
        async def scene(connection):
            await connection.say(f"GET / HTTP/{version}\r\nHost: x\r\n{header}\r\n".encode())
            await connection.answer()
            assert connection.wire.is_closed != is_kept
            assert (b"connection: close\r\n" in connection.wire.said) != is_kept

        play(scene)

    def test_that_was_refused_is_ended_so_that_its_reader_sees_the_end(self):
        async def scene(connection):
            await connection.say(b"no HTTP\r\n\r\n")
            assert (connection.wire.statuses, connection.wire.is_ended) == ([400], True)
            assert (connection.wire.is_closed, connection.wire.is_cut) == (False, False)

        play(scene)


class TestWhoAsksNoMore:
    def test_is_left_by_the_server_so_long_behind_an_answer(self):
        async def scene(connection):
            await connection.say(GET)
            connection.now_s = 50.0
            assert not connection.look(50.0)[0]  # its answer is being made
            await connection.answer()
            connection.look(89.9)
            assert not connection.wire.is_closed
            connection.look(90.0)
            assert connection.wire.is_closed

        play(scene)

    def test_is_not_left_while_the_next_answer_is_made_however_long_that_takes(self):
        async def scene(connection):
            await connection.say(GET)
            await connection.answer()
            connection.look(39.0)
            await connection.say(GET)
            connection.look(1_000.0)
            assert not connection.wire.is_closed
            await connection.answer()
            assert connection.wire.statuses == [200, 200]

        play(scene)

    def test_is_waited_for_anew_behind_each_answer(self):
        async def scene(connection):
            for at_s in (0.0, 39.0, 78.0):
                connection.look(at_s)
                await connection.say(GET)
                await connection.answer()
            connection.look(117.9)
            assert not connection.wire.is_closed

        play(scene)


class TestAnApplication:
    def test_that_cuts_its_connection_is_told_that_the_client_is_gone(self):
        async def scene(connection):
            await connection.say(POST)
            (request,) = connection.asked
            request.scope["extensions"]["natya.abort"]()
            assert connection.wire.is_cut
            assert (await request.receive())["type"] == "http.disconnect"

        play(scene)

    def test_that_fails_behind_the_beginning_of_its_answer_says_no_more_and_fails_the_connection(self):
        failed, sent = [], []

        async def fails(_scope, _receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise ZeroDivisionError

        async def send(event):
            sent.append(event["type"])

        above = Application(names=frozenset({b"x"}), on_failure=lambda *told: failed.append(told[0]))
        above.mount("", fails, owner="test")
        scope = {"type": "http", "path": "/p", "headers": [(b"host", b"x")]}
        with pytest.raises(ZeroDivisionError):
            asyncio.run(above(scope, None, send))

        assert (sent, failed, above.failures) == (["http.response.start"], ["/p"], 1)

    def test_is_mounted_at_a_path_of_so_many_characters_at_most(self):
        above = Application(names=frozenset(), on_failure=print)
        above.mount("/" + "a" * (PATH_CHARACTERS_MAX - 1), print, owner="test")

        with pytest.raises(WebError, match="a path such as /v2"):
            above.mount("/" + "a" * PATH_CHARACTERS_MAX, print, owner="test")


class TestAClientThatEndsItsSide:
    def test_as_soon_as_it_has_asked_is_answered_and_then_the_connection_goes(self):
        async def scene(connection):
            await connection.say(GET)
            assert connection.protocol.eof_received()
            await connection.answer()
            assert (connection.wire.statuses, connection.wire.is_closed) == ([200], True)

        play(scene)

    def test_behind_several_requests_has_an_answer_to_each(self):
        async def scene(connection):
            await connection.say(GET * 3)
            assert connection.protocol.eof_received()
            for count in (1, 2, 3):
                assert not connection.wire.is_closed
                await connection.answer()
                assert connection.wire.statuses == [200] * count
            assert connection.wire.is_closed

        play(scene)

    @pytest.mark.parametrize("said", [b"", b"GET / HT", POST, POST + b"12345", GET + b"GET / HT", b"nonsense\r\n\r\n"])
    def test_in_the_middle_of_a_request_or_before_one_is_gone(self, said):
        async def scene(connection):
            await connection.say(said)
            assert not connection.protocol.eof_received()

        play(scene)

    def test_behind_its_answer_is_gone(self):
        async def scene(connection):
            await connection.say(GET)
            await connection.answer()
            assert not connection.protocol.eof_received()

        play(scene)

    def test_while_an_answer_goes_on_is_gone(self):
        async def scene(connection):
            await connection.say(GET)
            send = connection.asked[0].send
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"first", "more_body": True})
            assert not connection.protocol.eof_received()
            await send({"type": "http.response.body", "body": b"last"})
            connection.asked.clear()

        play(scene)


class TestAnAnswerBeforeTheEndOfItsRequest:
    LAST = POST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")

    def test_that_is_the_last_one_is_read_before_the_connection_goes(self):
        """Closed at once, it would be reset by what still comes, and the answer lost."""

        async def scene(connection):
            await connection.say(self.LAST + b"12")
            await connection.answer()
            wire = connection.wire
            assert (wire.statuses, wire.is_ended, wire.is_closed, wire.is_cut) == ([200], True, False, False)
            await connection.say(b"34567890" + GET)
            assert (wire.statuses, connection.asked) == ([200], [])
            assert connection.look(LINGER_S) == (True, [200])

        play(scene)

    def test_that_is_not_goes_on_with_the_next(self):
        async def scene(connection):
            await connection.say(POST + b"12")
            await connection.answer()
            await connection.say(b"34567890" + GET)
            await connection.answer()
            assert (connection.wire.statuses, connection.wire.is_ended) == ([200, 200], False)

        play(scene)
