"""A client of a service, as a user writes one."""

import asyncio
import logging
import threading

import msgspec
import pytest
from natya_servers import answering, http

from natya.actors.external import Allowance, Ask, BaseExternalAdapter, Call, Endpoint, ExternalSettings
from natya.actors.runtime import InProcessSystem, RuntimeActor
from natya.actors.runtime.errors import SystemStoppedError, UnknownActorError
from natya.domain.quotas import Quota
from natya.domain.time import SECOND_NS

TODAY = Endpoint(name="today", kind="all", read=True, attempts_max=3, timeout_s=5.0)
ORDER = Endpoint(name="order", kind="all", read=False, timeout_s=5.0)
TOKEN = "canary-of-a-token"  # noqa: S105


class Weather(BaseExternalAdapter):
    service = "weather"
    allowances = {"all": Allowance(quotas=(Quota(100, SECOND_NS),))}  # noqa: RUF012
    order_endpoint = ORDER

    def __init__(self, base_url, **given):
        super().__init__(**given)
        self.base_url = base_url

    def headers(self):
        return {"access-token": TOKEN}

    def today(self, city):
        return self.call(TODAY, "GET", "/today", query={"city": city})

    def order(self, what, **how):
        return self.call(self.order_endpoint, "POST", "/orders", json={"what": what}, **how)

    def trip(self, cities):
        def asking():
            told = []
            for city in cities:
                result = yield self.call_of(city)
                told.append(result.data)
            return msgspec.structs.replace(result, data=told)

        return self.converse(asking())

    def call_of(self, city):
        return Call(endpoint=TODAY, method="GET", url=f"{self.base_url}/today", query=(("city", city),))


class Idle(RuntimeActor):
    """Does nothing."""


class TestACall:
    def test_is_answered_from_a_thread(self, serve):
        server = serve(answering(http('{"sun": true}')))

        with Weather(server.url) as weather:
            result = weather.today("Mumbai").result(10)

        assert (result.success, result.data, result.status_code, result.attempts) == (True, {"sun": True}, 200, 1)
        assert 0 < result.response_time < 10
        assert server.heard[0].startswith(b"GET /today?city=Mumbai HTTP/1.1\r\n")
        assert f"access-token: {TOKEN}".encode() in server.heard[0]

    def test_is_awaited_on_an_event_loop(self, serve):
        server = serve(answering(http("[1]")))

        async def ask():
            async with Weather(server.url) as weather:
                return await asyncio.gather(weather.today("Mumbai"), weather.order("an umbrella"))

        results = asyncio.run(ask())

        assert [result.data for result in results] == [[1], [1]]

    def test_that_reads_is_tried_again_while_the_service_fails(self, serve):
        server = serve(answering(http("", "502 Bad Gateway"), http("1")))

        with Weather(server.url) as weather:
            result = weather.today("Pune").result(10)

        assert (result.data, result.attempts, len(server.heard)) == (1, 2, 2)

    def test_that_reads_is_sent_once_for_all_who_ask_while_it_is_on_its_way(self, serve):
        taken_in = threading.Event()

        def answer(server, connection):
            if server.read(connection).startswith(b"POST"):
                taken_in.set()
            taken_in.wait(10)
            connection.sendall(http('{"sun": true}'))

        server = serve(answer)
        with Weather(server.url) as weather:
            results = [weather.today("Pune") for _ in range(5)]
            weather.order("an umbrella")  # behind them in the mailbox

            assert [result.result(10).data for result in results] == 5 * [{"sun": True}]
        assert sum(heard.startswith(b"GET") for heard in server.heard) == 1

    def test_that_writes_is_not(self, serve):
        server = serve(answering(http("", "502 Bad Gateway"), http("1")))

        with Weather(server.url) as weather:
            result = weather.order("an umbrella").result(10)

        assert (result.success, result.sent, result.status_code, len(server.heard)) == (False, "unknown", 502, 1)
        assert server.heard[0].endswith(b'\r\n\r\n{"what":"an umbrella"}')

    def test_without_an_answer_says_that_nobody_knows_what_came_of_it(self, serve):
        server = serve(lambda server, connection: (server.read(connection), server.over.wait()))

        class Hasty(Weather):
            order_endpoint = msgspec.structs.replace(ORDER, timeout_s=1.0)

        with Hasty(server.url) as weather:
            result = weather.order("an umbrella").result(10)

        assert (result.success, result.sent, result.status_code) == (False, "unknown", None)

    def test_that_was_refused_says_so(self, serve):
        with Weather(serve(answering(http("no", "400 Bad Request"))).url) as weather:
            result = weather.order("an umbrella").result(10)

        assert (result.sent, result.error) == ("yes", "400 Bad Request: no")

    def test_is_logged_without_what_is_secret(self, serve, caplog):
        caplog.set_level(logging.DEBUG)
        server = serve(answering(http("1"), http("", "401 Unauthorized")))

        with Weather(server.url) as weather:
            weather.call(TODAY, "GET", "/today", query={"pin": TOKEN}).result(10)
            weather.order("an umbrella").result(10)

        called = [record.fields for record in caplog.records if record.msg == "external.called"]
        assert all(each.pop("response_time_s") > 0 for each in called)
        told = {"service": "weather", "sent": "yes", "attempts": 1}
        assert called == [
            told | {"endpoint": "today", "success": True, "status_code": 200},
            told | {"endpoint": "order", "success": False, "status_code": 401},
        ]
        assert TOKEN not in caplog.text

    def test_belongs_to_the_conversation_of_who_asked(self, serve):
        server = serve(answering(http("1")))
        with InProcessSystem() as system, Weather(server.url, system=system) as weather:
            weather.today("Pune").result(10)
            result = system.request("external-weather", Ask(a_call_of(server.url)), correlation_id="C-1", timeout_s=10)

        assert result.correlation_id == "C-1"


def a_call_of(url):
    return Call(endpoint=ORDER, method="POST", url=f"{url}/orders", body=b"{}")


class TestCallsAtOnce:
    def test_are_as_many_as_the_service_allows(self, serve):
        server = serve(answering(http("1")))

        class Narrow(Weather):
            allowances = {"all": Allowance(quotas=(Quota(2, 60 * SECOND_NS),))}  # noqa: RUF012

        with Narrow(server.url) as weather:
            pending = [weather.order(number, deadline_s=1.0) for number in range(5)]
            results = [each.result(10) for each in pending]

        assert [result.success for result in results] == [True, True, False, False, False]
        assert {result.sent for result in results[2:]} == {"no"}
        assert "2 in 1m" in results[2].error
        assert len(server.heard) == 2

    def test_that_write_are_not_held_up_by_reads_that_hang(self, serve):
        let_go = threading.Event()

        def answer(server, connection):
            while (request := server.read(connection)) is not None:
                if request.startswith(b"GET"):
                    let_go.wait(20)
                connection.sendall(http("1"))

        server = serve(answer)
        with Weather(server.url) as weather:
            reads = [weather.today(str(number)) for number in range(40)]
            done = weather.order("an umbrella").result(10)
            let_go.set()

            assert done.success
            assert all(read.result(20).success for read in reads)


class TestAnUrgentCall:
    def test_is_not_held_up_by_writes_that_hang(self, serve):
        let_go = threading.Event()

        def answer(server, connection):
            while (request := server.read(connection)) is not None:
                if b"umbrella" in request:
                    let_go.wait(20)
                connection.sendall(http("1"))

        class Patient(Weather):
            order_endpoint = msgspec.structs.replace(ORDER, timeout_s=20.0)

        server = serve(answer)
        with Patient(server.url) as weather:
            writes = [weather.order("an umbrella") for _ in range(60)]
            done = weather.order("nothing", urgent=True).result(10)
            let_go.set()

            assert done.success
            assert all(write.result(20).success for write in writes)


class TestACallThatCannotBeMade:
    def test_is_refused_where_it_is_asked(self):
        with Weather("http://127.0.0.1:1") as weather:
            with pytest.raises(ValueError, match="one of the kinds all wanted, found 'quotes'"):
                weather.call(Endpoint(name="q", kind="quotes", read=True), "GET", "/x")
            with pytest.raises(ValueError, match="a path that begins with / wanted"):
                weather.call(TODAY, "GET", "x")
        with pytest.raises(ValueError, match="found one that was closed"):
            weather.today("Pune")
        with Weather("weather.example") as weather, pytest.raises(ValueError, match="a base URL"):
            weather.today("Pune")

    @pytest.mark.parametrize("wrong", [{"attempts_max": 0}, {"timeout_s": 0}, {"kept_s": -1}])
    def test_is_of_no_endpoint_that_says_so(self, wrong):
        with pytest.raises(ValueError, match=rf"{next(iter(wrong))}: a .*number .* is wanted, found"):
            Endpoint(name="q", kind="all", read=True, **wrong)

    @pytest.mark.parametrize("wrong", [{"fail_max": 0}, {"reset_timeout_s": 0}, {"body_bytes_max": 0}])
    def test_is_of_no_service_that_is_asked_so(self, wrong):
        with pytest.raises(ValueError, match=rf"{next(iter(wrong))}: a .*number .* is wanted, found 0"):
            ExternalSettings(service="weather", hosts=frozenset(), allowances={}, **wrong)

    @pytest.mark.parametrize("how", [{"deadline_s": float("nan")}, {"deadline_s": -1}, {"query": {"a": ["x"]}}])
    def test_harms_no_other(self, serve, how):
        server = serve(answering(http("1")))
        with Weather(server.url) as weather:
            other = weather.today("Pune")
            refused = weather.call(TODAY, "GET", "/today", **how).result(10)

            assert (refused.success, refused.sent) == (False, "no")
            assert other.result(10).success

    def test_for_want_of_a_token_was_not_sent_and_does_not_say_it(self, serve):
        server = serve(answering(http("1")))

        class Tokenless(Weather):
            def headers(self):
                raise LookupError(TOKEN)

        with Tokenless(server.url) as weather:
            result = weather.order("an umbrella").result(10)

        assert (result.sent, result.attempts, server.heard) == ("no", 1, [])
        assert TOKEN not in result.error

    def test_is_not_judged_by_who_says_nothing(self, serve):
        class Mute(Weather):
            def judge(self, answer, now_s):
                return None

        with Mute(serve(answering(http("1"))).url) as weather:
            assert weather.order("an umbrella").result(10).sent == "unknown"


class TestAnAdapter:
    def test_ends_its_own_system_and_leaves_that_of_others(self, serve):
        server = serve(answering(http("1")))
        with Weather(server.url) as weather:
            weather.today("Pune").result(10)
            own = weather._system
        with InProcessSystem() as system:
            with Weather(server.url, system=system) as weather:
                weather.today("Pune").result(10)

            with pytest.raises(UnknownActorError):
                system.base.find("external-weather")
            with pytest.raises(SystemStoppedError):
                own.base.find("external-weather")
            assert system.start("another", Idle) is not None

    def test_that_was_never_used_has_nothing_to_close(self):
        with Weather("http://127.0.0.1:1"):
            pass

    def test_talks_to_no_other_host(self, serve):
        server = serve(answering(http("1")))

        with Weather("http://127.0.0.1:1") as weather:
            weather._running()
            weather.base_url = server.url.replace("127.0.0.1", "localhost")
            result = weather.order("an umbrella").result(10)

        assert (result.sent, server.heard) == ("no", [])
        assert "one of the hosts 127.0.0.1 wanted" in result.error


class TestAConversation:
    def test_makes_calls_one_after_the_other_and_has_one_result(self, serve):
        server = serve(answering(http("1"), http("2"), http("3")))

        with Weather(server.url) as weather:
            result = weather.trip(["Mumbai", "Pune", "Delhi"]).result(10)

        assert (result.success, result.data) == (True, [1, 2, 3])
        assert [head.split(b" ")[1] for head in server.heard] == [
            b"/today?city=Mumbai",
            b"/today?city=Pune",
            b"/today?city=Delhi",
        ]

    def test_whose_own_code_fails_tells_who_waits(self, serve):
        with Weather(serve(answering(http("1"))).url) as weather, pytest.raises(KeyError, match="nowhere"):
            weather.converse(failing(weather)).result(10)

    def test_is_made_something_else_of_by_who_waits(self, serve):
        with Weather(serve(answering(http("1"))).url) as weather:
            pending = weather.today("Mumbai").then(lambda result: result.data + 1)

            assert pending.result(10) == 2


def failing(weather):
    yield weather.call_of("Mumbai")
    raise KeyError("nowhere")
