"""Operations over HTTP: a real server, the control actor, and actors that answer."""

import asyncio
import json
import os
import stat
import time
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from natya_web import Line, ask

from natya.actors.control import OPERATIONS, ControlActor, ControlActorSettings, ControlClient, actor
from natya.actors.control.errors import TokenFileError
from natya.actors.control.forms import answer_form
from natya.actors.control.http.application import (
    _STATUS_OF,
    PROBE_NS,
    ControlApplication,
    Refusal,
    _expect_answer,
    _value_of,
    described,
    served,
)
from natya.actors.control.http.asking import Operate
from natya.actors.control.http.token_file import TOKEN_NAME, read_token, token_of
from natya.actors.control.operations import BY_NAME
from natya.actors.runtime import InProcessSystem, RequestTimedOut, RuntimeActor, handles
from natya.actors.runtime.offload import Outcome
from natya.actors.web import WebActor
from natya.actors.web.mounting import MountRefused
from natya.actors.web.protocol import REASONS
from natya.config.sections.control import ControlSettings
from natya.config.sections.web import WebSettings
from natya.messages.control import AskRefused, ShowHttp
from natya.messages.database import Abandon, Query, QueryFailed, Rows
from natya.messages.health import Health
from natya.messages.kill_switch import EngageKillSwitch, KillSwitchEngaged
from natya.messages.risk_state import Resume, Resumed
from natya.messages.strategies import StartStrategy, StrategyChanged
from natya.messages.supervision import DescribeTree, SupervisionTree, Unavailable
from natya.messages.system import Ping

JSON = {"Content-Type": "application/json"}


class Database(RuntimeActor):
    def on_start(self):
        self.abandoned = []

    @handles(Query)
    def query(self, query, sender):
        match query.sql:
            case "fail":
                raise ValueError("as asked")
            case "refuse":
                self.send(sender, QueryFailed(error="QueryRefused", reason="as asked"))
            case "asker":
                self.send(sender, Rows(columns=("asker",), rows=((query.asker,),)))
            case text:
                self.send(sender, Rows(columns=("text", "rows_max"), rows=((text, query.rows_max),)))

    @handles(Abandon)
    def abandon(self, request, _):
        self.abandoned.append(request)


class Orders(RuntimeActor):
    @handles(Resume)
    def resume(self, request, sender):
        self.send(sender, Resumed(halted_because=request.reason))


class KillSwitch(RuntimeActor):
    @handles(EngageKillSwitch)
    def engage(self, request, sender):
        self.send(sender, KillSwitchEngaged(cancelling=0, problem="flattens" if request.flatten else ""))


class Strategies(RuntimeActor):
    @handles(StartStrategy)
    def start(self, request, sender):
        self.send(sender, StrategyChanged(name=request.name, strategy=request.settings or "as before"))


class Root(RuntimeActor):
    @handles(DescribeTree)
    def describe(self, _, sender):
        self.send(sender, SupervisionTree(children=()))


class Api:
    """The interface, as a client of its user's sees it."""

    def __init__(self, url, token, log):
        self.url, self.token, self.log = url, token, log

    def __call__(self, path, given=None, method=None, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        known = {"Authorization": f"Bearer {self.token}"} | (JSON if given is not None else {}) | named
        body = given if given is None or isinstance(given, bytes) else json.dumps(given).encode()
        sent = {name: value for name, value in known.items() if value is not None}
        status, answer = ask(method or ("GET" if given is None else "POST"), f"{self.url}{path}", body, sent)
        return status, answer

    def json(self, path, given=None, **rest):
        status, answer = self(path, given, **rest)
        return status, json.loads(answer)


def started(folder, role):
    running = InProcessSystem()
    limits = ControlSettings.default(http=True, http_role=role)
    running.start("system", Root)
    running.start("database", Database)
    running.start("orders", Orders)
    running.start("strategies", Strategies)
    running.start("kill-switch", KillSwitch)
    running.start("control-web", WebActor, WebSettings.default())
    settings = ControlActorSettings(data_dir=folder, log_path=str(folder / "natya.log"), limits=limits)
    running.start("control", ControlActor, settings)
    with ControlClient(folder, monotonic_ns=time.monotonic_ns) as client:
        while not (shown := client.request("control", ShowHttp())).url:
            assert shown.reason == "it is not served yet"
    return running, Api(shown.url, read_token(folder).reveal(), folder / "natya.log")


@pytest.fixture(scope="module")
def served_api(tmp_path_factory):
    running, api = started(tmp_path_factory.mktemp("data"), "trade")
    with running:
        yield running, api


@pytest.fixture
def api(served_api):
    return served_api[1]


class TestAnOperation:
    def test_that_looks_is_got_with_its_arguments_in_the_address(self, api):
        found = api.json("/v1/query?sql=select+1&rows_max=7")

        assert found == (200, {"type": "Rows", "columns": ["text", "rows_max"], "rows": [["select 1", 7]]})

    def test_is_posted_with_its_arguments_as_json(self, api):
        assert api.json("/v1/query", {"sql": "a", "rows_max": 7})[1]["rows"] == [["a", 7]]

    def test_that_changes_something_is_posted_and_audited(self, api, caplog):
        with caplog.at_level("INFO", logger="natya"):
            found = api.json("/v1/resume", {"reason": "looked at"})

        assert found == (200, {"type": "Resumed", "halted_because": "looked at", "still": ""})
        asked = next(each for each in caplog.records if each.message == "operation.asked")
        assert asked.fields["operation"] == "resume"
        assert asked.fields["client"].startswith("127.0.0.1:")
        answered = next(each for each in caplog.records if each.message == "operation.answered")
        assert answered.fields == {"operation": "resume", "request": asked.fields["request"], "answer": "Resumed"}
        assert api.token not in repr([vars(each) for each in caplog.records])

    def test_is_posted_without_arguments_by_no_body(self, api):
        assert api("/v1/tree", b"") == api("/v1/tree", {}) == api("/v1/tree", method="POST")
        assert api("/v1/tree", b"")[0] == 200

    def test_that_changes_something_is_not_got(self, api):
        assert api("/v1/resume?reason=x")[0] == 405

    def test_is_of_any_actor_where_the_table_says_so(self, api):
        assert api.json("/v1/ping?actor=orders")[1]["actor"] == "orders"
        assert api.json("/v1/ping", {"actor": "database"})[1]["actor"] == "database"
        assert api.json("/v1/ping?actor=orders&page=2", {})[1]["actor"] == "orders"

    def test_of_an_actor_that_knows_no_such_request_is_not_found(self, api):
        assert api.json("/v1/tree?actor=orders") == (
            404,
            {"error": "orders, in this system: Orders handles no DescribeTree"},
        )

    def test_goes_on_in_the_trace_of_who_asks(self, served_api):
        running, api = served_api
        place = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        api("/v1/resume", {"reason": "looked"}, traceparent=place)
        api("/v1/resume", {"reason": "looked"}, traceparent="another")

        assert ("orders", "Resume") in {(hop.actor, hop.message_type) for hop in running.trace(place)}
        assert running.trace("another") == ()

    def test_takes_a_whole_number_written_with_a_point_and_no_other(self, api):
        assert api("/v1/query", {"sql": "a", "rows_max": 5.0})[0] == 200
        assert api("/v1/query", {"sql": "a", "rows_max": 5.5})[0] == 422

    @pytest.mark.parametrize("path", ["/v1/ping?actor=nobody", "/v1/show-token"])
    def test_of_an_actor_that_this_system_has_not_is_not_found(self, api, path):
        status, answer = api.json(path)

        assert status == 404
        assert "in this system: no actor of that name" in answer["error"]

    @pytest.mark.parametrize(("down_s", "told_s"), [(0.0, 1), (0.4, 1), (7.0, 7), (3_600.0, 3_600), (1e6, 3_600)])
    def test_of_an_actor_that_is_down_says_in_whole_seconds_when_to_ask_again(self, down_s, told_s):
        with pytest.raises(Refusal) as caught:
            _expect_answer(Unavailable(actor="orders", reason="x", retry_after_s=down_s))

        assert (caught.value.status, caught.value.headers) == (503, ((b"retry-after", b"%d" % told_s),))

    def test_that_the_actor_refuses_says_why(self, api):
        assert api.json("/v1/query", {"sql": "refuse"}) == (
            409,
            {"type": "QueryFailed", "error": "QueryRefused", "reason": "as asked"},
        )

    def test_at_which_the_actor_fails_says_so(self, api):
        status, answer = api.json("/v1/query", {"sql": "fail"})

        assert status == 502
        assert "as asked" in answer["error"]

    def test_has_fewer_rows_than_the_socket_gives(self, api):
        assert api.json("/v1/query", {"sql": "a"})[1]["rows"] == [["a", 10_000]]
        assert api("/v1/query", {"sql": "a", "rows_max": 10_001})[0] == 422

    def test_has_an_asker_of_the_system_s_own(self, api):
        assert api.json("/v1/query", {"sql": "asker"})[1]["rows"][0][0].startswith("operate-")
        assert api("/v1/query", {"sql": "asker", "asker": "other-1"})[0] == 422

    @pytest.mark.parametrize("name", [each.name for each in OPERATIONS if not each.over_http])
    def test_that_is_for_the_socket_alone_is_none(self, api, name):
        wanted = f"/v1/ and one of {', '.join(each.name for each in served())} is wanted"

        assert api.json(f"/v1/{name}", {}) == api.json(f"/v1/{name}") == (404, {"error": wanted})

    def test_has_no_argument_that_names_code_to_be_run_or_has_bytes(self, api):
        assert api.json("/v1/start-strategy", {"name": "dip"})[1]["strategy"] == "as before"
        assert api("/v1/start-strategy", {"name": "dip", "settings": '{"strategy": "os:system"}'})[0] == 422
        assert (
            api("/v1/change-dead-letters", {"letter_ids": ["a-1"], "change": "requeued", "payload": "gA=="})[0] == 422
        )
        document = api.json("/v1/openapi.json")[1]
        assert "settings" not in json.dumps(document["components"]["schemas"]["StartStrategy"]["properties"])

    def test_tells_the_end_of_the_log(self, api):
        api.log.write_text(
            "".join(f'{{"time": "t", "level": "{level}", "event": "e"}}\n' for level in ("info", "error"))
        )

        assert [line["level"] for line in api.json("/v1/read-log?level=warning")[1]["lines"]] == ["error"]
        assert [line["level"] for line in api.json("/v1/read-log?lines_max=5")[1]["lines"]] == ["info", "error"]
        assert api("/v1/read-log?lines_max=1001")[0] == 422


class TestWhatAnyoneOnThisMachineMayKnow:
    @pytest.mark.parametrize(("path", "status"), [("/health/live", 200), ("/health/ready", 200)])
    def test_is_whether_it_is_live_and_ready_and_no_more(self, api, path, status):
        assert api.json(path, Authorization=None) == (status, {path.rpartition("/")[2]: True})

    def test_is_what_the_interface_is(self, api):
        status, document = api.json("/v1/openapi.json", Authorization=None)

        assert status == 200
        assert document["openapi"] == "3.1.0"
        methods = {path[1:]: set(described) for path, described in document["paths"].items()}
        assert methods == {
            each.name: {"post", "get"} if each.role == "read" else {"post"} for each in OPERATIONS if each.over_http
        }
        assert api.token not in json.dumps(document)

    def test_is_not_what_is_counted(self, api):
        assert api("/metrics", Authorization=None)[0] == 401
        assert api("/metrics")[1].startswith(b"# HELP natya_build_info")


HOSTILE = {
    "no token": ("GET", "/v1/tree", {"Authorization": None}, None, 401),
    "wrong token": ("GET", "/v1/tree", {"Authorization": "Bearer " + "x" * 43}, None, 401),
    "another scheme": ("GET", "/v1/tree", {"Authorization": "Basic eDp4"}, None, 401),
    "token in the address": ("GET", "/v1/tree?token=x", {"Authorization": None}, None, 401),
    "cookie": ("GET", "/v1/tree", {"Authorization": None, "Cookie": "token=x"}, None, 401),
    "another host": ("GET", "/v1/tree", {"Host": "evil.example"}, None, 400),
    "a page of another host": ("GET", "/", {"Host": "evil.example"}, None, 400),
    "a page for another site": ("GET", "/app.js", {"Origin": "https://evil.example"}, None, 403),
    "another origin": ("GET", "/v1/tree", {"Origin": "https://evil.example"}, None, 403),
    "no origin": ("POST", "/v1/resume", {"Origin": "null", **JSON}, b"{}", 403),
    "another port's page": ("GET", "/v1/tree", {"Origin": "http://127.0.0.1:1"}, None, 403),
    "another site": ("GET", "/health/live", {"Sec-Fetch-Site": "cross-site"}, None, 403),
    "a form": ("POST", "/v1/resume", {"Content-Type": "application/x-www-form-urlencoded"}, b"reason=x", 400),
    "plain text": ("POST", "/v1/resume", {"Content-Type": "text/plain"}, b'{"reason":"x"}', 400),
    "no type": ("POST", "/v1/resume", {}, b'{"reason":"x"}', 400),
    "no json": ("POST", "/v1/resume", JSON, b"{", 400),
    "no utf-8": ("POST", "/v1/resume", JSON, b'{"reason":"\xff"}', 400),
    "a list": ("POST", "/v1/resume", JSON, b"[]", 400),
    "deep": ("POST", "/v1/resume", JSON, b'{"a":' * 100_000, 400),
    "a number": ("POST", "/v1/resume", JSON, b'{"reason":1}', 422),
    "unknown argument": ("POST", "/v1/resume", JSON, b'{"reason":"x","force":true}', 422),
    "nan": ("POST", "/v1/query", JSON, b'{"sql":"a","timeout_s":NaN}', 400),
    "infinite": ("GET", "/v1/query?sql=a&timeout_s=inf", {}, None, 422),
    "below 0": ("POST", "/v1/query", JSON, b'{"sql":"a","timeout_s":-1}', 422),
    "too long": ("POST", "/v1/query", JSON, b'{"sql":"a","timeout_s":999999}', 403),
    "huge number": ("POST", "/v1/query", JSON, b'{"sql":"a","rows_max":' + b"9" * 5_000 + b"}", 400),
    "large body": ("POST", "/v1/query", JSON, b'{"sql":"' + b"a" * (1 << 20) + b'"}', 413),
    "many arguments": ("GET", "/v1/query?sql=a&" + "&".join(f"a{each}=1" for each in range(50)), {}, None, 400),
    "twice": ("GET", "/v1/query?sql=a&sql=b", {}, None, 422),
    "escape": ("GET", "/v1/../../etc/passwd", {}, None, 404),
    "an order": ("POST", "/v1/submit-order", JSON, b"{}", 404),
    "a page that is posted": ("POST", "/", JSON, b"{}", 404),
    "delete": ("DELETE", "/v1/tree", {}, None, 405),
    "options": ("OPTIONS", "/v1/resume", {"Access-Control-Request-Method": "POST"}, None, 405),
    "trace": ("TRACE", "/v1/tree", {}, None, 405),
    "an event that is sent": ("POST", "/v1/stream", JSON, b"{}", 405),
    "of orders": ("POST", "/v1/query", JSON, b'{"sql":"a","actor":"orders"}', 422),
    "an actor that is no text": ("POST", "/v1/ping", JSON, b'{"actor":1}', 422),
}


def test_an_argument_in_an_address_is_a_series_where_the_operation_wants_one_and_else_there_once():
    read = BY_NAME["read-journal"]

    assert [_value_of(read, "types", values) for values in (["A"], ["A", "B"])] == [["A"], ["A", "B"]]
    assert _value_of(read, "records_max", ["5"]) == "5"
    for name in ("records_max", "unknown"):
        with pytest.raises(Refusal, match=f"{name} is wanted once"):
            _value_of(read, name, ["5", "6"])


def test_each_argument_that_the_document_calls_an_array_is_a_series():
    of_paths = msgspec.json.decode(described())["paths"]
    arrays = {
        (path.strip("/"), each["name"])
        for path, of in of_paths.items()
        for each in of.get("get", {}).get("parameters", ())
        if each["schema"].get("type") == "array"
    }

    assert ("read-orders", "besides") in arrays
    for operation, name in arrays:
        assert _value_of(BY_NAME[operation], name, ["one"]) == ["one"]


class TestAPathThatIsAskedByAnotherMethod:
    @pytest.mark.parametrize(
        ("path", "allowed"),
        [
            ("/health/live", "GET, HEAD"),
            ("/v1/openapi.json", "GET"),
            ("/v1/stream", "GET"),
            ("/metrics", "GET"),
            ("/v1/tree", "GET, POST"),
            ("/v1/resume", "POST"),
        ],
    )
    def test_says_which_it_takes(self, api, path, allowed):
        line = Line(int(api.url.rpartition(":")[2]))
        line.send(f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {api.token}\r\n\r\n".encode())
        head = line._read_until(b"\r\n\r\n").decode().lower().split("\r\n")
        line.socket.close()

        assert head[0].startswith("http/1.1 405")
        assert f"allow: {allowed.lower()}" in head


class TestAHostileRequest:
    @pytest.mark.parametrize("name", HOSTILE)
    def test_is_refused(self, api, name):
        method, path, headers, body, status = HOSTILE[name]
        found, answer = api(path, body, method, **{"Content-Type": None, **headers})

        assert found == status
        assert "error" in json.loads(answer)
        assert api.json("/v1/tree")[0] == 200

    def test_gets_no_permission_for_other_sites(self, api):
        line = Line(int(api.url.rpartition(":")[2]))
        line.send(b"OPTIONS /v1/resume HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://evil.example\r\n\r\n")
        head = line._read_until(b"\r\n\r\n").lower()
        line.socket.close()

        assert head.startswith(b"http/1.1 403")
        assert b"access-control" not in head

    def test_without_the_token_is_told_what_is_wanted(self, api):
        line = Line(int(api.url.rpartition(":")[2]))
        line.send(b"GET /v1/tree HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        head = line._read_until(b"\r\n\r\n").lower()
        line.socket.close()

        assert head.startswith(b"http/1.1 401")
        assert b"www-authenticate: bearer\r\n" in head

    @pytest.mark.parametrize("path", ["/", "/v1/tree", "/v1/stream"])
    def test_is_counted_once_and_one_of_the_server_s_own_page_is_none(self, served_api, path):
        running, api = served_api

        def turned_away():
            return running.request("control", Ping()).statistics.http_turned_away

        before = turned_away()
        assert api("/v1/tree", Origin=api.url)[0] == 200
        assert turned_away() == before
        assert api(path, Origin="https://evil.example")[0] == 403
        assert turned_away() == before + 1
        if path != "/":  # which anyone on this machine may see
            assert api(path, Authorization=None)[0] == 401
            assert turned_away() == before + 2

    def test_with_a_wrong_token_again_and_again_locks_nobody_out(self, api):
        found = [api("/v1/tree", Authorization="Bearer wrong")[0] for _ in range(12)]

        assert found[-1] == 429
        assert api("/v1/tree")[0] == 200

    @settings(max_examples=25)
    @given(data=st.data())
    def test_with_arguments_of_any_kind_is_refused_or_answered(self, served_api, data):
        operation = data.draw(st.sampled_from([each for each in served() if each.role == "read"]))
        names = st.sampled_from([*operation.arguments, "other"])
        any_value = st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
            max_leaves=5,
        )
        given = data.draw(st.dictionaries(names, any_value, max_size=4))
        given.pop("timeout_s", None)
        status, answer = served_api[1](f"/v1/{operation.name}", given)

        assert status in {200, 403, 404, 409, 422, 503}
        assert json.loads(answer)


class TestHowLongAnAnswerIsWaitedFor:
    """By the control actor, and a second longer by the server, which hears of its time-out so."""

    def asked(self, path, *, client=("::1", 7), raises=None):
        found = []

        async def ask(target, message, *, timeout_s):
            found.append((target, message, timeout_s))
            if raises is not None:
                raise raises
            return Rows(columns=(), rows=())

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        sent = []

        async def send(event):
            sent.append(event)

        guard = SimpleNamespace(elsewhere=lambda _headers: None, stranger=lambda _headers, _now_ns: None)
        settings = ControlActorSettings(data_dir=Path("/data"), limits=ControlSettings.default(http=True))
        serve = ControlApplication(guard, settings, ask=ask, monotonic_ns=lambda: 0, now_ns=lambda: 0)
        path, _, query = path.partition("?")
        scope = {"method": "GET", "path": path, "query_string": query.encode(), "headers": [], "client": client}
        asyncio.run(serve(scope, receive, send))
        ((target, wanted, timeout_s),) = found
        assert target == "control"
        return wanted, timeout_s, sent[0]["status"]

    def test_is_ten_seconds_or_the_work_s_own_time_and_those(self):
        tree, tree_s, _ = self.asked("/v1/tree?actor=events")
        query, query_s, status = self.asked("/v1/query?sql=a&timeout_s=5")

        assert tree == Operate(operation="tree", actor="events", message=DescribeTree(), timeout_s=10.0, client="::1:7")
        assert (tree_s, query.timeout_s, query_s, status) == (11.0, 15.0, 16.0, 200)
        assert (query.operation, query.actor, query.message.sql) == ("query", "database", "a")

    def test_is_no_shorter_for_a_client_that_the_server_cannot_name(self):
        """It may have gone by the time it is looked at."""
        wanted, timeout_s, status = self.asked("/v1/query?sql=a&timeout_s=5", client=None)

        assert (wanted.client, timeout_s, status) == (":0", 16.0, 200)

    def test_that_does_not_come_is_told(self):
        assert self.asked("/v1/tree", raises=RequestTimedOut("late"))[2] == 504


class TestHealthWithoutAToken:
    @staticmethod
    def served(answers, now):
        asked = []

        async def ask(_target, wanted, **_):
            asked.append(wanted.operation)
            await asyncio.sleep(0)
            return answers.pop(0)

        guard = SimpleNamespace(elsewhere=lambda _headers: None)
        settings = ControlActorSettings(data_dir=Path("/data"), limits=ControlSettings.default(http=True))
        serve = ControlApplication(guard, settings, ask=ask, monotonic_ns=lambda: now[0], now_ns=lambda: 0)

        async def probe(which):
            sent = []

            async def send(event):
                sent.append(event)

            await serve({"method": "GET", "path": f"/health/{which}", "headers": []}, None, send)
            return sent[0]["status"]

        return probe, asked

    def test_is_asked_for_four_times_a_second_however_many_want_it(self):
        now = [0]
        health = Health(live=True, ready=True, reason="", risk_state="NORMAL", components=())
        probe, asked = self.served([health, msgspec.structs.replace(health, ready=False)], now)

        async def run():
            first = await asyncio.gather(*(probe(which) for which in ("live", "ready") * 50))
            now[0] = PROBE_NS - 1
            second = await probe("ready")
            now[0] = PROBE_NS
            return {*first, second}, await probe("ready"), await probe("live")

        assert asyncio.run(run()) == ({200}, 503, 200)
        assert asked == ["health"] * 2

    def test_that_was_not_told_is_asked_for_again_also_by_another_server(self):
        now = [0]
        health = Health(live=True, ready=True, reason="", risk_state="NORMAL", components=())
        probe, asked = self.served([AskRefused(request_id=0, kind="timed_out", reason="late"), health, health], now)

        assert asyncio.run(probe("ready")) == 504
        now[0] = PROBE_NS
        assert asyncio.run(probe("ready")) == 200
        assert asyncio.run(probe("ready")) == 200
        assert len(asked) == 3


def test_a_stream_that_has_ended_is_answered_by_nothing_else():
    sent = []

    async def send(event):
        sent.append(event)

    async def stream(_receive, send):
        await send("shots")

    guard = SimpleNamespace(elsewhere=lambda _headers: None, stranger=lambda _headers, _now_ns: None)
    settings = ControlActorSettings(data_dir=Path("/data"), limits=ControlSettings.default(http=True))
    serve = ControlApplication(guard, settings, ask=None, monotonic_ns=lambda: 0, now_ns=lambda: 0)
    serve._stream = SimpleNamespace(send=stream, is_full=False)
    asyncio.run(serve({"method": "GET", "path": "/v1/stream", "headers": []}, None, send))

    assert sent == ["shots"]


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (Outcome(error=RequestTimedOut("late")), "late"),
        (Outcome(value=Unavailable(actor="control-web", reason="it is down", retry_after_s=1.0)), "it is down"),
        (Outcome(value=MountRefused(error=ValueError("taken"))), f"{MountRefused(error=ValueError('taken'))}"),
    ],
    ids=["no answer", "down", "refused"],
)
def test_a_server_that_does_not_serve_is_asked_again_and_why_is_told_once(outcome, why):
    did = []

    class Staged(ControlActor):
        _http_fault = ""

        def log(self, event, **fields):
            did.append((event, fields))

        def after_on_machine(self, seconds, message):
            did.append((seconds, type(message)))

    staged = Staged()
    for _ in range(2):
        staged._be_served(None, outcome)

    reason = f"the HTTP server, control-web, did not take it: {why}"
    told = ("control.http_not_served", {"level": "error", "reason": reason})
    assert did == [told, *[(actor.MOUNT_AGAIN_S, actor.MountDue)] * 2]
    assert staged.trouble == reason


class TestTheDocument:
    def test_describes_what_is_answered(self, api):
        for path, operation in [("/v1/tree", "tree"), ("/v1/health", "health"), ("/v1/ping?actor=control", "ping")]:
            entry = next(each for each in OPERATIONS if each.name == operation)
            status, answer = api(path)

            assert status == 200
            assert msgspec.json.decode(answer, type=answer_form(entry.answers[0]))

    def test_names_each_status_with_which_a_request_may_end(self, api):
        """Of the application, and of the server that reads requests for it."""
        paths = api.json("/v1/openapi.json")[1]["paths"]
        statuses = {str(each) for each in (*REASONS, *_STATUS_OF.values(), 401, 404, 405, 409, 422, 502)}

        assert {code for path in paths.values() for each in path.values() for code in each["responses"]} - {"200"} == (
            statuses
        )

    def test_has_each_operation_got_where_it_only_looks_and_posted_in_any_case(self, api):
        paths = api.json("/v1/openapi.json")[1]["paths"]

        assert {path: list(of) for path, of in paths.items()} == {
            f"/{each.name}": ["get", "post"] if each.role == "read" else ["post"] for each in served()
        }
        for each in served():
            of = paths[f"/{each.name}"]
            assert of["post"]["operationId"] == each.method
            assert of["post"]["tags"] == [each.role]
            assert of["post"]["summary"] == each.summary
            asked_of = ["actor"] if each.of_any_actor else []
            assert [one["name"] for one in of["post"].get("parameters", ())] == asked_of
            if "get" in of:
                fields = msgspec.structs.fields(each.http_form)
                assert of["get"]["operationId"] == f"get_{each.method}"
                assert [(one["name"], one["in"], one["required"]) for one in of["get"]["parameters"]] == [
                    *((name, "query", False) for name in asked_of),
                    *((field.name, "query", field.required) for field in fields),
                ]

    def test_wants_a_body_where_an_argument_has_no_default(self, api):
        paths = api.json("/v1/openapi.json")[1]["paths"]
        fields = {each.name: msgspec.structs.fields(each.http_form) for each in served()}
        wanted = {name: any(field.required for field in found) for name, found in fields.items()}

        assert {path.strip("/"): of["post"]["requestBody"]["required"] for path, of in paths.items()} == wanted
        assert {wanted["resume"], wanted["tree"]} == {True, False}

    def test_bounds_rows_as_they_are_bounded(self, api):
        _, document = api.json("/v1/openapi.json")
        bounds = {}
        for path, of in document["paths"].items():
            body = of["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            posted = document["components"]["schemas"][body.rpartition("/")[2]]["properties"].get("rows_max")
            if posted is not None:
                assert posted in [each["schema"] for each in of["get"]["parameters"] if each["name"] == "rows_max"]
                bounds[path] = posted["maximum"], posted["default"]

        assert bounds == {
            "/query": (10_000, 10_000),
            "/list-dead-letters": (1_000, 100),
            "/find-instrument": (10_000, 20),
        }
        assert api("/v1/query", {"sql": "a", "rows_max": 10_000})[0] == 200

    def test_has_no_reference_to_what_it_lacks(self, api):
        _, document = api.json("/v1/openapi.json")
        wanted = {each.split('"')[0] for each in json.dumps(document).split("#/components/schemas/")[1:]}

        assert wanted <= set(document["components"]["schemas"])


class TestATokenOfALowerRole:
    @pytest.mark.parametrize(("role", "status"), [("read", 403), ("operate", 403)])
    def test_does_not_let_orders_leave(self, tmp_path, role, status):
        running, api = started(tmp_path, role)
        with running:
            assert api("/v1/resume", {"reason": "x"})[0] == status
            assert api("/v1/tree")[0] == 200

    def test_halts_all_trading_and_closes_no_position(self, tmp_path):
        running, api = started(tmp_path, "operate")
        with running:
            switched = api.json("/v1/engage-kill-switch", {"reason": "x"})
            refused = api.json("/v1/engage-kill-switch", {"reason": "x", "flatten": True})
            told = api.json("/v1/openapi.json")[1]["paths"]["/engage-kill-switch"]["post"]["description"]

        assert switched == (200, {"type": "KillSwitchEngaged", "cancelling": 0, "problem": ""})
        wanted = "engage-kill-switch wants the role operate; trade with flatten: control.http_role is lower: operate"
        assert refused == (403, {"error": wanted})
        assert told == "Role: operate; trade with flatten."

    def test_of_the_highest_closes_positions_with_the_switch(self, api):
        told = api.json("/v1/engage-kill-switch", {"reason": "x", "flatten": True})

        assert told == (200, {"type": "KillSwitchEngaged", "cancelling": 0, "problem": "flattens"})


class TestTheFileOfTheToken:
    def test_is_made_once_for_this_user_alone(self, tmp_path):
        token = token_of(tmp_path)

        assert token_of(tmp_path) == read_token(tmp_path) == token
        assert (tmp_path / TOKEN_NAME).stat().st_mode & 0o777 == 0o600
        assert len(token.reveal()) == 43

    @pytest.mark.parametrize("end", ["", "\n"])
    def test_is_read_with_a_line_feed_at_its_end_or_without(self, tmp_path, end):
        path = tmp_path / TOKEN_NAME
        path.write_text("x" * 43 + end)
        path.chmod(0o600)

        assert token_of(tmp_path).reveal() == "x" * 43

    @pytest.mark.parametrize(
        "fault", ["open to others", "link", "hard link", "text", "folder", "pipe", "device", "another's"]
    )
    def test_is_not_trusted_if_it_could_be_another_s(self, tmp_path, fault, monkeypatch):
        path, other = tmp_path / TOKEN_NAME, tmp_path / "other"
        other.write_text("x" * 43)
        match fault:
            case "open to others":
                token_of(tmp_path)
                path.chmod(0o640)
            case "link":
                path.symlink_to(other)
            case "hard link":
                other.chmod(0o600)
                os.link(other, path)
            case "text":
                path.write_text("a password")
                path.chmod(0o600)
            case "folder":
                path.mkdir()
            case "pipe":
                os.mkfifo(path, 0o600)
            case "device":
                monkeypatch.setattr(os, "fstat", lambda _: os.stat_result((stat.S_IFCHR | 0o600, 0, 0, 1, *[0] * 6)))
            case "another's":
                token_of(tmp_path)
                monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)

        with pytest.raises(TokenFileError, match=TOKEN_NAME):
            token_of(tmp_path)
        assert other.read_text() == "x" * 43

    def test_that_was_never_made_is_missed_by_who_reads_it(self, tmp_path):
        with pytest.raises(TokenFileError, match="has not served HTTP"):
            read_token(tmp_path)


class TestASystemThatCannotServeHttp:
    def test_goes_on_with_its_socket_and_says_why(self, tmp_path):
        (tmp_path / TOKEN_NAME).mkdir()
        limits = ControlSettings.default(http=True)
        with InProcessSystem() as running:
            running.start("control-web", WebActor, WebSettings.default())
            running.start("control", ControlActor, ControlActorSettings(data_dir=tmp_path, limits=limits))
            with ControlClient(tmp_path, monotonic_ns=time.monotonic_ns) as client:
                shown = client.request("control", ShowHttp())

        assert not shown.url
        assert TOKEN_NAME in shown.reason

    def test_for_want_of_a_server_says_that_it_is_not_served_until_there_is_one(self, tmp_path, monkeypatch):
        monkeypatch.setattr(actor, "MOUNT_AGAIN_S", 0.01)
        limits = ControlSettings.default(http=True)
        with InProcessSystem() as running:
            running.start("control", ControlActor, ControlActorSettings(data_dir=tmp_path, limits=limits))
            with ControlClient(tmp_path, monotonic_ns=time.monotonic_ns) as client:
                while (shown := client.request("control", ShowHttp())).reason == "it is not served yet":
                    pass
                assert not shown.url
                assert "control-web" in shown.reason
                running.start("control-web", WebActor, WebSettings.default())
                while not (shown := client.request("control", ShowHttp())).url:
                    pass
                assert ask("GET", f"{shown.url}/style.css")[0] == 200
