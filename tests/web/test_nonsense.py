"""Whatever bytes come, in whatever pieces: the server answers them or closes, and goes on for others."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from natya_web import Served, echo

PIECES = [
    b"GET / HTTP/1.1\r\n",
    b"POST /a HTTP/1.1\r\n",
    b"HEAD / HTTP/1.0\r\n",
    b"Host: localhost\r\n",
    b"Host: other\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n",
    b"Connection: Upgrade\r\nUpgrade: h2c\r\n",
    b"Expect: 100-continue\r\n",
    b"\r\n",
    b"hello",
    b"5\r\nhello\r\n",
    b"0\r\n\r\n",
]


@pytest.fixture(scope="module")
def served():
    served = Served(echo, {"drain_s": 0.2})
    yield served
    served.close()


@settings(max_examples=30)
@given(pieces=st.lists(st.sampled_from(PIECES) | st.binary(max_size=40), max_size=12))
def test_the_next_client_is_answered(served, pieces):
    line = served.line()
    for piece in pieces:
        line.send(piece)
    line.socket.close()

    assert served.line().ask(path="/next") == (200, b"/next")
    assert served.failures == []
