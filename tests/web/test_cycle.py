"""An answer on its way out: the same bytes as uvicorn's, in one piece where it is whole."""

import asyncio
from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from natya.actors.web.bodies import answer
from natya.actors.web.cycle import Cycle

DATE = (b"date", b"Mon, 30 Nov 2026 01:00:00 GMT")


class Transport:
    """What an answer is written to."""

    def __init__(self):
        self.writes, self.is_closed = [], False

    def write(self, data):
        self.writes.append(data)

    def close(self):
        self.is_closed = True

    def is_closing(self):
        return self.is_closed


async def drain():
    """Go on at once: nothing is held up."""


def play(kind, application, *, method="GET", keep_alive=True, is_gone=False):
    """Have an application answer; return what was written, and what became of the connection."""
    transport, completed = Transport(), []

    async def run():
        cycle = kind(
            scope={"method": method},
            transport=transport,
            flow=SimpleNamespace(write_paused=True, drain=drain, resume_reading=lambda: None),
            logger=SimpleNamespace(error=lambda *_, **__: None),
            access_logger=None,
            access_log=False,
            default_headers=[DATE],
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=keep_alive,
            on_response=lambda: completed.append(True),
        )
        cycle.disconnected = is_gone
        await cycle.run_asgi(lambda _scope, _receive, send: application(send))

    asyncio.run(run())
    return transport.writes, (transport.is_closed, bool(completed))


def saying(status, headers, parts):
    """Return an application that answers in these parts."""

    async def application(send):
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for number, part in enumerate(parts, 1):
            await send({"type": "http.response.body", "body": part, "more_body": number < len(parts)})

    return application


HEADERS = st.lists(
    st.sampled_from(
        [
            (b"Content-Type", b"application/json"),
            (b"content-length", b"0"),
            (b"content-length", b"4"),
            (b"Content-Length", b"5"),
            (b"connection", b"close"),
            (b"connection", b"keep-alive"),
            (b"transfer-encoding", b"chunked"),
            (b"x-y", b"a value, and another"),
        ]
    ),
    max_size=3,
)


ASKED = st.fixed_dictionaries(
    {"method": st.sampled_from(["GET", "POST", "HEAD"]), "keep_alive": st.booleans(), "is_gone": st.booleans()}
)

WHO_STAYS = {"method": "GET", "keep_alive": True, "is_gone": False}


@given(
    status=st.sampled_from([200, 204, 304, 401, 500]),
    headers=HEADERS,
    parts=st.lists(st.sampled_from([b"", b"well", b"5 is\n"]), min_size=1, max_size=3),
    asked=ASKED,
)
@example(status=200, headers=[(b"Content-Length", b"5")], parts=[b"well"], asked=WHO_STAYS)
@example(status=200, headers=[(b"content-length", b"4")] * 2, parts=[b"well"], asked=WHO_STAYS)
@example(status=200, headers=[(b"content-length", b"4")], parts=[b"well"], asked=WHO_STAYS | {"method": "HEAD"})
def test_an_answer_has_the_bytes_that_uvicorn_would_write(status, headers, parts, asked):
    ours, ours_after = play(Cycle, saying(status, headers, parts), **asked)
    theirs, theirs_after = play(RequestResponseCycle, saying(status, headers, parts), **asked)

    if b"".join(ours) != b"".join(theirs):  # lengths that do not fit: nothing was sent yet, so the client is told
        assert b"".join(ours).startswith(b"HTTP/1.1 500 ")
        assert theirs_after == (True, False)
    else:
        assert ours_after == theirs_after


class TestAWholeAnswer:
    @pytest.mark.parametrize("body", [b"", b"{}", b"x" * 70_000], ids=len)
    def test_is_written_at_once(self, body):
        writes, after = play(Cycle, lambda send: answer(send, 200, body, headers=[(b"X-Y", b"z")]))

        assert [each.partition(b"\r\n\r\n")[2] for each in writes] == [body]
        assert after == (False, True)

    @pytest.mark.parametrize("header", [(b"a b", b"c"), (b"a", b"b\r\nc: d")])
    def test_that_has_no_valid_header_is_none(self, header):
        writes, _ = play(Cycle, lambda send: answer(send, 200, b"{}", headers=[header]))

        assert b"".join(writes).startswith(b"HTTP/1.1 500 ")
        assert b"c: d" not in b"".join(writes)


class TestAnApplicationThatSaysWhatIsNext:
    """Out of turn it is told at once, as by uvicorn; in turn it is not."""

    START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]}  # noqa: RUF012
    WELL = {"type": "http.response.body", "body": b"well"}  # noqa: RUF012

    @pytest.mark.parametrize("kind", [Cycle, RequestResponseCycle])
    @pytest.mark.parametrize(
        ("said", "is_told"),
        [
            ([START, WELL], False),
            ([START, WELL | {"more_body": True}, WELL | {"body": b""}], False),
            ([WELL], True),
            ([START, WELL, START], True),
            ([START, WELL, WELL], True),
            ([START, WELL | {"more_body": True}, START], True),
            ([START, {"type": "http.response.trailers", "body": b"well"}], True),
        ],
    )
    def test_is_told_where_that_is_not_so(self, kind, said, is_told):
        told = []

        async def application(send):
            for event in said:
                try:
                    await send(event)
                except RuntimeError:
                    told.append(event)

        play(kind, application)

        assert told == said[-1:] * is_told


class TestAnApplicationThatFails:
    @pytest.mark.parametrize("error", [ZeroDivisionError, None])
    def test_before_any_of_the_body_is_answered_as_one_that_said_nothing(self, error):
        async def begins(send):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            if error is not None:
                raise error

        writes, after = play(Cycle, begins)

        assert b"".join(writes).startswith(b"HTTP/1.1 500 ")
        assert after == (True, True)

    def test_behind_a_part_of_it_has_its_connection_closed(self):
        async def begins(send):
            await saying(200, [], [b"well", b""])(lambda event: send(event | {"more_body": True}))
            raise ZeroDivisionError

        writes, after = play(Cycle, begins)

        assert b"".join(writes).startswith(b"HTTP/1.1 200 ")
        assert after == (True, False)
