"""One HTTP session with a service."""

import contextlib
import gc
import gzip
import logging
import socket
import ssl
import threading
import time
import traceback

import pytest
import requests
import trustme
from natya_servers import free_port

from natya.actors.external.deadline import CALL, BoundedSocket, _Bounded
from natya.actors.external.errors import NotSentError, RefusedAnswerError, UnknownOutcomeError
from natya.actors.external.session import HEADS_KEPT, HttpSession, _innermost, _is_of_the_system

SECRET = "canary-of-a-token"  # noqa: S105
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Kind: test\r\n\r\nok"
HOSTS = frozenset({"127.0.0.1", "localhost"})


def answering(*answers):
    """Give these bytes to one request after the other, all on one connection."""

    def answer(server, connection):
        for data in answers:
            if server.read(connection) is None:
                return
            connection.sendall(data)

    return answer


def dripping(start, drop):
    def answer(server, connection):
        server.read(connection)
        connection.sendall(start)
        while not server.over.wait(0.02):
            connection.sendall(drop)

    return answer


@pytest.fixture
def session():
    session = HttpSession(HOSTS, body_bytes_max=100_000)
    yield session
    session.close()


def ask(session, url, method="GET", timeout_s=5.0, **given):
    return session.request(method, url, timeout_s=timeout_s, headers={"access-token": SECRET}, **given)


class TestAnAnswer:
    def test_is_read_whole(self, serve, session):
        answer = ask(session, serve(answering(OK)).url)

        assert (answer.status_code, answer.headers["x-kind"], answer.body) == (200, "test", b"ok")
        assert 0 < answer.response_time_s < 5

    def test_of_any_status_is_an_answer(self, serve, session):
        server = serve(answering(b"HTTP/1.1 503 Later\r\nContent-Length: 4\r\n\r\nbusy"))

        assert ask(session, server.url, "POST", body=b"{}").status_code == 503
        assert server.heard[0].endswith(b"{}")

    def test_that_nothing_has_changed_is_an_answer_and_no_redirection(self, serve, session):
        server = serve(answering(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n\r\n"))

        assert ask(session, server.url).status_code == 304

    def test_keeps_the_connection_for_the_next(self, serve, session):
        server = serve(answering(OK, OK))

        assert [ask(session, server.url).body for _ in range(2)] == [b"ok", b"ok"]
        assert len(server._threads) == 2  # who accepts, and one connection

    def test_goes_by_the_proxy_that_is_named(self, serve):
        proxy, server = serve(answering(OK)), serve(answering(OK))
        with contextlib.closing(HttpSession(HOSTS, proxy=proxy.url)) as session:
            assert ask(session, server.url).body == b"ok"

        assert server.heard == []
        assert proxy.heard[0].startswith(f"GET {server.url}/ HTTP/1.1".encode())

    def test_is_of_no_call_when_it_is_over(self, serve, session):
        ask(session, serve(answering(OK)).url)

        with pytest.raises(LookupError):
            CALL.get()

    def test_leaves_no_cookie_behind(self, serve, session):
        server = serve(answering(OK.replace(b"X-Kind: test", b"Set-Cookie: a=b"), OK))
        for _ in range(2):
            ask(session, server.url)

        assert b"ookie" not in server.heard[1]


def in_gzip(body):
    return b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


class TestARequest:
    @pytest.mark.parametrize("body", [b"{}", b"x" * 100_000], ids=len)
    def test_leaves_in_one_piece(self, serve, session, monkeypatch, body):
        sent = []
        monkeypatch.setattr(BoundedSocket, "send", lambda own, data: sent.append(len(data)) or _Bounded.send(own, data))
        server = serve(answering(OK))
        ask(session, server.url, "POST", body=body)

        assert sent[0] == len(server.heard[0])
        assert server.heard[0].endswith(b"\r\n\r\n" + body)

    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
    def test_is_as_the_library_prepares_it_whatever_was_asked_before(self, session, method):
        for number in range(2 * HEADS_KEPT):
            for body in (b"{}", None, b"longer", b""):
                url, headers = f"http://127.0.0.1/{number % (HEADS_KEPT + 1)}?a=b c", {"access-token": str(number % 3)}
                ours = session._prepared(method, url, headers, body)
                theirs = session._session.prepare_request(requests.Request(method, url, headers=headers, data=body))

                assert [*ours.headers.items()] == [*theirs.headers.items()]
                assert (ours.method, ours.url, ours.body) == (theirs.method, theirs.url, theirs.body)
        assert len(session._heads) <= HEADS_KEPT


class TestWhatMayNotBeAsked:
    @pytest.mark.parametrize(
        "url",
        [
            "https://elsewhere.example/v2",
            "https://127.0.0.1.elsewhere.example/",
            "https://127.0.0.1@elsewhere.example/",
            "https://elsewhere.example\\@127.0.0.1/",
            "http://elsewhere.example\\@127.0.0.1/",
            "http://api.dhan.co/v2",
            "ftp://127.0.0.1/",
        ],
    )
    def test_never_leaves(self, monkeypatch, url):
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("asked for an address"))
        session = HttpSession(HOSTS | {"api.dhan.co"})

        with pytest.raises(NotSentError, match="wanted"):
            ask(session, url)


class TestAServiceThatIsNotThere:
    def test_was_sent_nothing(self, session):
        with pytest.raises(NotSentError, match="Connection refused"):
            ask(session, f"http://127.0.0.1:{free_port()}/v2/orders", "POST", body=b"{}")


class TestARequestWithoutAnAnswer:
    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param(lambda server, connection: server.read(connection), id="closed"),
            pytest.param(lambda server, connection: (server.read(connection), server.over.wait()), id="silent"),
            pytest.param(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf"), id="cut short"),
            pytest.param(answering(b"not http at all\r\n\r\n"), id="not HTTP"),
            pytest.param(answering(OK.replace(b"X-Kind: test", b"Content-Encoding: gzip")), id="not gzip"),
            pytest.param(answering(in_gzip(gzip.compress(bytes(1_000))[:-1])), id="half of gzip"),
            pytest.param(dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x"), id="dripping body"),
            pytest.param(dripping(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"), id="dripping headers"),
        ],
    )
    def test_is_in_doubt_and_ends_in_time(self, serve, session, answer):
        server, start = serve(answer), time.monotonic()

        with pytest.raises(UnknownOutcomeError):
            ask(session, server.url, "POST", body=b"{}", timeout_s=1.0)

        assert time.monotonic() - start < 30
        assert len(server.heard) == 1

    def test_on_a_connection_that_was_kept_is_in_doubt_and_not_sent_again(self, serve, session):
        def answer(server, connection):
            for _ in range(2):
                server.read(connection)
                if len(server.heard) == 1:
                    connection.sendall(OK)

        server = serve(answer)
        ask(session, server.url)

        with pytest.raises(UnknownOutcomeError):
            ask(session, server.url, "PUT", body=b"{}")
        assert len(server.heard) == 2


class TestAnAnswerThatNobodyShouldRead:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_is_a_redirection(self, serve, session, status):
        elsewhere = serve(answering(OK))
        server = serve(
            answering(f"HTTP/1.1 {status} Go\r\nLocation: {elsewhere.url}/\r\nContent-Length: 0\r\n\r\n".encode())
        )

        with pytest.raises(RefusedAnswerError, match=f"redirection .{status}. to '127.0.0.1'"):
            ask(session, server.url, "POST", body=b"{}")
        assert elsewhere.heard == []

    @pytest.mark.parametrize("to", [b"http://[", b"", b"\xff"])
    def test_is_a_redirection_to_nowhere(self, serve, session, to):
        server = serve(answering(b"HTTP/1.1 302 Go\r\nLocation: " + to + b"\r\nContent-Length: 0\r\n\r\n"))

        with pytest.raises(RefusedAnswerError, match="redirection"):
            ask(session, server.url)

    @pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "deflate"])
    def test_is_packed_as_nobody_asked_for(self, serve, session, encoding):
        server = serve(answering(OK.replace(b"X-Kind: test", f"Content-Encoding: {encoding}".encode())))

        with pytest.raises(RefusedAnswerError, match=f"or in gzip, wanted, found '{encoding}'"):
            ask(session, server.url)
        assert b"Accept-Encoding: gzip\r\n" in server.heard[0]

    @pytest.mark.parametrize(("size", "is_taken"), [(100_000, True), (100_001, False)])
    def test_is_one_byte_larger_than_allowed(self, serve, session, size, is_taken):
        server = serve(answering(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode() + b"x" * size))
        if is_taken:
            assert len(ask(session, server.url).body) == size
            return
        with pytest.raises(RefusedAnswerError, match="an answer of at most 100000 bytes wanted, found more"):
            ask(session, server.url)

    def test_is_larger_than_allowed(self, serve, session):
        bomb = gzip.compress(bytes(50_000_000))
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()

        with pytest.raises(RefusedAnswerError, match="at most 100000 bytes wanted"):
            ask(session, serve(answering(head + bomb)).url)


class TestTheEnvironment:
    def test_has_no_say(self, serve, session, monkeypatch, tmp_path):
        """Proxies, passwords, certificates and the log of keys, wherever other programs take them from."""
        proxy, server = serve(answering(OK)), serve(answering(OK))
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
        (tmp_path / ".netrc").chmod(0o600)
        for name, value in {
            "HOME": str(tmp_path),
            "NETRC": str(tmp_path / ".netrc"),
            "HTTP_PROXY": proxy.url,
            "ALL_PROXY": proxy.url,
            "REQUESTS_CA_BUNDLE": str(tmp_path / "none"),
        }.items():
            monkeypatch.setenv(name, value)

        ask(session, server.url)

        assert proxy.heard == []
        assert b"uthorization" not in server.heard[0]


class TestAFailure:
    def test_says_what_was_asked_of_whom_and_nothing_that_is_secret(self, serve, session):
        server = serve(lambda server, connection: server.read(connection))

        with pytest.raises(UnknownOutcomeError, match=r"GET 127.0.0.1:\d+/token: ") as caught:
            ask(session, f"{server.url}/token?pin={SECRET}")

        assert SECRET not in "".join(traceback.format_exception(caught.value))
        assert SECRET not in "".join(map(repr, [caught.value, caught.value.__cause__]))


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


class TestARequestThatCannotBeMade:
    @pytest.mark.parametrize(
        ("method", "url", "headers"),
        [
            ("GET", "{}/", {"access-token": f"{SECRET}\n"}),
            ("GET", "{}/", {"access-token": f" {SECRET}"}),
            ("GET", "{}/", {"access-token": f"{SECRET}\u20ac"}),
            ("GET", "{}/", {"access-token": f"a\r\nX: {SECRET}"}),
            (f"GET / HTTP/1.1\r\nX: {SECRET}\r\n\r\nGET", "{}/", {}),
            ("GET", "http://127.0.0.1:port/", {}),
            ("GET", "http://[127.0.0.1/", {}),
        ],
    )
    def test_leaves_nothing_with_anyone_and_keeps_what_is_secret(self, serve, session, method, url, headers):
        server = serve(answering(OK))

        with pytest.raises(NotSentError) as caught:
            session.request(method, url.format(server.url), timeout_s=5, headers=headers)

        told = "".join(traceback.format_exception(caught.value))
        assert not [head for head in server.heard if SECRET.encode() in head and b"X:" in head]
        assert SECRET not in str(caught.value) or method != "GET"
        assert method != "GET" or SECRET not in told


class TestALineThatIsNoHeader:
    def test_is_logged_without_the_query(self, serve, session, caplog):
        caplog.set_level(logging.DEBUG)
        server = serve(answering(OK.replace(b"X-Kind: test", b"no header at all")))

        ask(session, f"{server.url}/x?pin={SECRET}")

        assert SECRET not in caplog.text


class TestAnEncryptedService:
    def encrypted(self, authority, name, version=None, then=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if version is not None:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = version
        authority.issue_cert(name).configure_cert(context)

        def answer(server, connection):
            with context.wrap_socket(connection, server_side=True) as encrypted:
                (then or answering(OK))(server, encrypted)

        return answer

    @pytest.fixture
    def trusting(self, authority, tmp_path):
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        session = HttpSession(HOSTS, ca_file=str(tmp_path / "ca.pem"))
        yield session
        session.close()

    def test_is_talked_to(self, serve, authority, trusting, monkeypatch, tmp_path):
        monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
        server = serve(self.encrypted(authority, "localhost"))

        assert ask(trusting, server.url.replace("http://127.0.0.1", "https://localhost")).body == b"ok"
        assert not (tmp_path / "keys").exists()

    @pytest.mark.parametrize(
        "then",
        [
            pytest.param(lambda server, connection: server.read(connection), id="closed"),
            pytest.param(lambda server, connection: (server.read(connection), server.over.wait()), id="silent"),
            pytest.param(dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x"), id="dripping"),
        ],
    )
    def test_that_does_not_answer_leaves_it_in_doubt_and_ends_in_time(self, serve, authority, trusting, then):
        server, start = serve(self.encrypted(authority, "localhost", then=then)), time.monotonic()

        with pytest.raises(UnknownOutcomeError):
            ask(
                trusting,
                server.url.replace("http://127.0.0.1", "https://localhost"),
                "POST",
                body=b"{}",
                timeout_s=1.0,
            )

        assert time.monotonic() - start < 30
        assert len(server.heard) == 1

    def test_is_told_nothing_if_it_is_another(self, serve, authority, trusting):
        server = serve(self.encrypted(authority, "elsewhere.example"))

        with pytest.raises(NotSentError, match="certificate"):
            ask(trusting, server.url.replace("http://127.0.0.1", "https://localhost"), "POST", body=b"{}")
        assert server.heard == []

    def test_is_told_nothing_if_nobody_vouches_for_it(self, serve, authority, session):
        server = serve(self.encrypted(authority, "localhost"))

        with pytest.raises(NotSentError, match="certificate"):
            ask(session, server.url.replace("http://127.0.0.1", "https://localhost"))

    def test_is_told_nothing_in_a_version_that_is_broken(self, serve, authority, trusting, recwarn):
        server = serve(self.encrypted(authority, "localhost", ssl.TLSVersion.TLSv1_1))

        with pytest.raises(NotSentError, match="PROTOCOL_VERSION"):
            ask(trusting, server.url.replace("http://127.0.0.1", "https://localhost"))
        recwarn.clear()

    def test_that_never_greets_ends_in_time(self, serve, trusting):
        server, start = serve(lambda server, _: server.over.wait()), time.monotonic()

        with pytest.raises(NotSentError, match="timed out"):
            ask(trusting, server.url.replace("http://127.0.0.1", "https://localhost"), timeout_s=1.0)
        assert time.monotonic() - start < 30


class TestManyThreads:
    def test_share_the_connections(self, serve, session):
        server, bodies = serve(answering(*[OK] * 100)), []
        threads = [
            threading.Thread(target=lambda: bodies.extend(ask(session, server.url).body for _ in range(10)))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert bodies == [b"ok"] * 80
        assert len(server._threads) <= 9


class TestASessionThatIsClosed:
    def test_leaves_no_connection_open_whatever_a_failure_holds_on_to(self, serve):
        ended = threading.Event()

        def answer(server, connection):
            while server.read(connection) is not None:
                if len(server.heard) == 1:
                    return
                connection.sendall(OK)
            ended.set()

        server = serve(answer)
        session = HttpSession(HOSTS)
        gc.disable()
        try:
            with pytest.raises(UnknownOutcomeError) as failure:
                session.request("GET", server.url, timeout_s=5)
            session.request("GET", server.url, timeout_s=5)
            session.close()

            assert ended.wait(5)
            assert failure.value
        finally:
            gc.enable()


@pytest.mark.parametrize(
    ("error", "is_of_the_system"),
    [
        (ConnectionResetError(104, "reset"), True),
        (ssl.SSLError("x"), True),
        (TimeoutError(), True),
        (requests.ConnectionError("it quotes the request"), False),
        (requests.exceptions.InvalidURL("it quotes the request"), False),
        (ValueError("x"), False),
    ],
)
def test_an_error_of_the_system_is_none_that_quotes_the_request(error, is_of_the_system):
    assert _is_of_the_system(error) is is_of_the_system


def test_the_innermost_of_errors_is_the_one_that_was_named_as_the_cause_before_the_one_that_happened_to_be_there():
    reset, other, between, outer = (OSError(name) for name in ("reset", "other", "between", "outer"))
    between.__cause__, between.__context__, outer.__context__ = reset, other, between

    assert _innermost(outer) is _innermost(between) is _innermost(reset) is reset
    assert _innermost(other) is other
    reset.__cause__ = reset
    assert _innermost(outer) is reset
