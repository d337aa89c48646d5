"""The application above all others, without a server: whose requests it lets in, and to whom it gives them."""

import asyncio
import json

import pytest

from natya.actors.web.application import (
    HOST_BYTES_SHOWN_MAX,
    LOOPBACK_NAMES,
    PATH_CHARACTERS_MAX,
    Application,
    is_named,
)
from natya.actors.web.bodies import answer, body_of
from natya.actors.web.errors import ClientGoneError, PathTakenError, WebError


class Served:
    """An application of a room: notes what it is asked, and answers or fails."""

    def __init__(self, name, fault=None, *, begins=False):
        self.name, self.fault, self.begins, self.asked = name, fault, begins, []

    async def __call__(self, scope, _receive, send):
        self.asked.append((scope["path"], scope.get("root_path", "")))
        if self.begins or self.fault is None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        if self.fault is not None:
            raise self.fault


@pytest.fixture
def failures():
    return []


@pytest.fixture
def application(failures):
    return Application(names=LOOPBACK_NAMES, on_failure=lambda path, fault: failures.append((path, str(fault))))


def sent_by(application, path, hosts, kind="http"):
    """Ask, and return what is sent."""
    sent = []

    async def send(event):
        sent.append(event)

    headers = [(b"accept", b"*/*"), *((b"host", host) for host in hosts)]
    asyncio.run(application({"type": kind, "path": path, "headers": headers}, None, send))
    return sent


def status_of(application, path="/", *hosts, kind="http"):
    """Ask, and return the first status that is sent; None if there is none."""
    sent = sent_by(application, path, hosts or (b"localhost",), kind)
    return next((event["status"] for event in sent if "status" in event), None)


class TestAHost:
    @pytest.mark.parametrize(
        "host", [b"localhost", b"LocalHost:8080", b"127.0.0.1", b"127.0.0.1:1", b"[::1]", b"[::1]:8080"]
    )
    def test_that_is_this_machine_is_let_in_with_any_port(self, application, host):
        application.mount("", Served("all"), owner="a")

        assert status_of(application, "/", host) == 200

    @pytest.mark.parametrize(
        "host",
        [
            *(b"evil.example", b"localhost.evil.example", b"evil.localhost", b"127.0.0.1.evil.example", b"127.0.0.2"),
            *(
                b"localhost:",
                b"localhost:x",
                b"localhost:80:80",
                b":80",
                b"",
                b"::1",
                b"[::1",
                b"[::1]x:80",
                b"[::1:80",
            ),
        ],
    )
    def test_that_is_any_other_is_not(self, application, host):
        served = Served("all")
        application.mount("", served, owner="a")

        assert status_of(application, "/", host) == 400
        assert (served.asked, application.requests) == ([], 0)

    @pytest.mark.parametrize("host", [b"2130706433", b"2130706433:80"])
    def test_that_is_a_number_is_no_port(self, host):
        assert is_named(host, frozenset({b"2130706433"}))

    @pytest.mark.parametrize(
        ("hosts", "found"),
        [
            ((), "no Host headers"),
            ((b"localhost", b"localhost"), "2 Host headers"),
            ((b"evil.example:80",), "'evil.example:80'"),
            ((b'\xff"\n',), """'\\xff"\\n'"""),
            ((b"x" * 1_000,), f"'{'x' * HOST_BYTES_SHOWN_MAX}'"),
        ],
    )
    def test_is_named_once_and_a_refusal_says_which_is_wanted_and_found(self, application, hosts, found):
        application.mount("", Served("all"), owner="a")

        begin, body = sent_by(application, "/", hosts)

        assert begin["status"] == 400
        said = json.loads(body["body"])
        assert f"one of the hosts 127.0.0.1, [::1], localhost is wanted, found {found}" in said.values()


class TestAPath:
    def test_is_given_to_the_longest_prefix_that_ends_with_a_part_of_it(self, application):
        whole, versioned, orders = Served("whole"), Served("versioned"), Served("orders")
        application.mount("/v2", versioned, owner="a")
        application.mount("", whole, owner="b")
        application.mount("/v2/orders", orders, owner="c")
        for path in ("/v2", "/v2/", "/v2/funds", "/v20", "/v2/orders", "/v2/orders/7", "/v2/ordersx", "/"):
            assert status_of(application, path) == 200

        assert versioned.asked == [(path, "/v2") for path in ("/v2", "/v2/", "/v2/funds", "/v2/ordersx")]
        assert orders.asked == [("/v2/orders", "/v2/orders"), ("/v2/orders/7", "/v2/orders")]
        assert whole.asked == [("/v20", ""), ("/", "")]
        assert application.requests == 8

    def test_of_nobody_is_not_found(self, application):
        application.mount("/v2", Served("versioned"), owner="a")

        assert status_of(application, "/v3") == 404
        assert application.requests == 0

    @pytest.mark.parametrize("path", ["v2", "/v2/", "/", "/v2?", "/v\u00e9", "/v\n", "/" + "x" * PATH_CHARACTERS_MAX])
    def test_that_is_none_is_refused(self, application, path):
        with pytest.raises(WebError, match="a path such as /v2"):
            application.mount(path, Served("x"), owner="a")
        assert application.mounts() == ()

    def test_has_so_many_characters_at_most(self, application):
        path = "/" + "x" * (PATH_CHARACTERS_MAX - 1)
        application.mount(path, Served("x"), owner="a")

        assert status_of(application, path) == 200

    def test_is_that_of_who_came_first_until_it_leaves(self, application):
        first, newer, other = Served("first"), Served("newer"), Served("other")
        application.mount("/v2", first, owner="a")
        application.mount("/v2", newer, owner="a")
        with pytest.raises(PathTakenError, match="where a is"):
            application.mount("/v2", other, owner="b")
        assert application.mounts() == (("/v2", "a", newer),)
        application.unmount("b")
        assert status_of(application, "/v2") == 200
        application.unmount("a")
        application.mount("/v2", other, owner="b")

        assert application.mounts() == (("/v2", "b", other),)


class TestAnApplicationThatFails:
    def test_is_answered_for_counted_and_told_of_with_its_path(self, application, failures):
        application.mount("", Served("x", ValueError("odd")), owner="a")

        assert status_of(application, "/" + "x" * 500) == 500
        assert (application.failures, application.requests) == (1, 1)
        assert failures == [("/" + "x" * (PATH_CHARACTERS_MAX - 1), "odd")]

    def test_behind_the_beginning_of_its_answer_fails_the_connection(self, application, failures):
        application.mount("", Served("x", ValueError("odd"), begins=True), owner="a")

        with pytest.raises(ValueError, match="odd"):
            status_of(application)
        assert [reason for _, reason in failures] == ["odd"]

    def test_since_its_client_is_gone_has_not_failed(self, application, failures):
        application.mount("", Served("x", ClientGoneError("gone")), owner="a")

        assert status_of(application) is None
        assert (application.failures, failures) == (0, [])


def test_what_is_no_request_of_http_is_refused(application):
    with pytest.raises(WebError, match="found one of websocket"):
        status_of(application, kind="websocket")


class TestABody:
    def read(self, *parts):
        events = iter(parts)

        async def receive():
            return next(events)

        return asyncio.run(body_of(receive)), list(events)

    def test_is_all_its_pieces_and_nothing_behind_the_last(self):
        pieces = [{"type": "http.request", "body": each, "more_body": more} for each, more in ((b"ab", 1), (b"c", 0))]
        behind = {"type": "http.disconnect"}

        assert self.read(*pieces, behind) == (b"abc", [behind])
        assert self.read({"type": "http.request", "body": b"", "more_body": False}) == (b"", [])

    def test_that_ends_in_its_middle_is_none(self):
        with pytest.raises(ClientGoneError):
            self.read({"type": "http.request", "body": b"ab", "more_body": True}, {"type": "http.disconnect"})


def test_an_answer_says_how_long_it_is_and_of_what_kind_where_there_is_any():
    sent = []

    async def send(event):
        sent.append(event)

    asyncio.run(answer(send, 200, b"{}", headers=[(b"x", b"y")]))
    asyncio.run(answer(send, 204))

    assert [event["headers"] for event in sent if "headers" in event] == [
        [(b"content-length", b"2"), (b"x", b"y"), (b"content-type", b"application/json")],
        [(b"content-length", b"0")],
    ]
    assert [event["body"] for event in sent if "body" in event] == [b"{}", b""]
