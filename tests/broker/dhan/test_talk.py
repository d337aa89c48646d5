"""Calls to Dhan before it is known where it is, and what is made of a chart."""

import re
from datetime import date

import msgspec
import pytest
from natya_dhan_stage import Session

from natya.actors.broker import AccessToken
from natya.actors.broker.bodies.dhan import DhanBroker, endpoints
from natya.actors.broker.bodies.dhan.body import DhanOptions
from natya.actors.broker.bodies.dhan.charts import chart_answer, chart_call
from natya.actors.broker.bodies.dhan.paper import WiredPaperBroker
from natya.actors.broker.bodies.dhan.service import NO_UPDATES
from natya.actors.broker.bodies.dhan.talk import CANCEL_DEADLINE_S, NOTHING_LEAVES, READ_DEADLINE_S, Talk, _reply
from natya.actors.external import ExternalServiceResult
from natya.actors.runtime import Outcome
from natya.config.secrets import Secret
from natya.config.sections.broker import BrokerSettings
from natya.domain.dhan.market.charts import Chart
from natya.domain.instruments import Instrument
from natya.domain.time import DAY_NS, SECOND_NS
from natya.messages.addresses import WIRE
from natya.messages.exchange import FindWire, WireFound
from natya.messages.supervision import Failed, Unavailable

WANTED = {"query": (("q", "1"),), "deadline_s": 3.0, "body": b"{}"}


class TestACallBeforeItIsKnownWhereDhanIs:
    def test_waits_and_is_then_the_very_one_that_was_asked_for(self):
        for urgent, in_halt in ((True, False), (False, True)):
            session = Session()
            talk = Talk(session, None)
            talk.ask(endpoints.ORDER, bytes, print, {"order_id": "7"}, urgent=urgent, in_halt=in_halt, **WANTED)
            assert session.asked == []
            talk.is_at("https://x/v2")
            talk.ask(endpoints.ORDER, bytes, print, {"order_id": "7"}, urgent=urgent, in_halt=in_halt, **WANTED)
            waited, direct = (ask.call for ask, _ in session.asked)

            assert msgspec.structs.asdict(waited) == msgspec.structs.asdict(direct)
            assert (waited.urgent, waited.in_halt) == (urgent, in_halt)


class TestTheBodyAtThePaperExchangeOfThisSystem:
    def test_asks_where_that_is_until_it_is_told_and_calls_it_there(self):
        session = Session()
        asked = []
        ask_of_service = session.ask
        session.ask = lambda target, message, **how: (
            asked.append((message, how["then"])) if target == WIRE else ask_of_service(target, message, **how)
        )
        body = WiredPaperBroker(BrokerSettings.default(name="paper", client_id="11"), DhanOptions(), session)
        body.stop_trading(print)
        body.open()
        for answer in (Unavailable(actor=WIRE, reason="starting", retry_after_s=1.0), None):
            asked.pop()[1](Outcome(value=answer))
            (again,) = session.timers
            session.timers.clear()
            assert (session.asked, again.seconds) == ([], 0.5)
            again.due.call()
        ((message, then),) = asked
        then(Outcome(value=WireFound(rest="http://127.0.0.1:9/v2", client_id="11")))

        assert message == FindWire()
        assert session.timers == []
        assert [ask.call.url for ask, _ in session.asked] == ["http://127.0.0.1:9/v2/killswitch"]


def test_a_chart_is_told_column_by_column():
    columns = {name: (number,) for number, name in enumerate(Chart.COLUMNS, 1)}
    told = chart_answer(ExternalServiceResult(success=True, data=Chart(**columns), sent="yes", attempts=2))

    assert (told.starts_s, told.opens, told.highs, told.lows, told.closes, told.volumes) == (
        (1,),
        (2,),
        (3,),
        (4,),
        (5,),
        (6,),
    )
    assert told.requests == 2


ROUTES = {name: each for name, each in vars(endpoints).items() if isinstance(each, endpoints.Route)}


def test_only_what_changes_nothing_is_asked_again():
    asked_again = {name for name, route in ROUTES.items() if route.endpoint.attempts_max > 1}

    assert asked_again == {name for name, route in ROUTES.items() if route.endpoint.read}
    assert {ROUTES[name].endpoint.attempts_max for name in asked_again} == {3}
    assert all(route.endpoint.attempts_max == 1 for name, route in ROUTES.items() if name not in asked_again)


def test_what_changes_something_has_a_time_of_its_own_to_be_answered():
    session = Session()
    for route in ROUTES.values():
        Talk(session, "https://x/v2").ask(route, bytes, print, dict.fromkeys(re.findall(r"{(\w+)}", route.path), "7"))

    found = {(ask.call.endpoint.read, ask.call.deadline_s) for ask, _ in session.asked}
    assert found == {(True, READ_DEADLINE_S), (False, CANCEL_DEADLINE_S)}


def test_what_may_open_a_position_is_named_so_and_what_closes_one_overtakes():
    exposing = {name for name, route in ROUTES.items() if route.endpoint.exposes}
    urgent = {name for name, route in ROUTES.items() if route.urgent}

    orders = {name for name, route in ROUTES.items() if route.endpoint.kind == "orders"}
    assert exposing == {name for name in orders if name.startswith(("PLACE_", "MODIFY_"))}
    assert urgent == {
        *(name for name in ROUTES if name.startswith("CANCEL_")),
        *("EXIT_ALL", "SET_KILL_SWITCH", "SET_PNL_EXIT"),
    }


@pytest.mark.parametrize("body", [DhanBroker, WiredPaperBroker])
def test_there_is_a_socket_of_updates_unless_none_is_wanted(body):
    settings = BrokerSettings.default(name="dhan", client_id="11", access_token=Secret("T"))
    found = {
        wanted: body.updates(settings, DhanOptions(order_updates=wanted), AccessToken(Secret("T")))
        for wanted in (NO_UPDATES, DhanOptions().order_updates)
    }

    assert found.pop(NO_UPDATES) is None
    assert all(each is not None for each in found.values())


@pytest.mark.parametrize(
    ("why", "result"),
    [
        ("later", {"sent": "no", "error": "the limits", "retry_after_s": 1.0}),
        ("token", {"sent": "no", "error": "TokenDeadError: dead"}),
        ("unreachable", {"sent": "unknown", "error": "reset"}),
        ("unreachable", {"sent": "unknown", "error": "reset", "retry_after_s": 1.0}),
        ("unreachable", {"sent": "no", "error": "no route"}),
        ("refused", {"sent": "yes", "status_code": 200, "error": "no JSON"}),
        ("unreachable", {"sent": "yes", "status_code": 503, "error": "maintenance"}),
    ],
)
def test_a_chart_that_was_not_read_says_why(why, result):
    found = chart_answer(ExternalServiceResult(success=False, **result))

    assert (found.why, found.requests) == (why, int(result["sent"] != "no"))


@pytest.mark.parametrize(
    ("interval_ns", "path", "body"),
    [
        (5 * 60 * SECOND_NS, "/charts/intraday", {"interval": "5", "fromDate": "2026-09-28", "toDate": "2026-09-29"}),
        (DAY_NS, "/charts/historical", {"fromDate": "2026-09-28", "toDate": "2026-09-30"}),
    ],
)
def test_a_chart_is_asked_for_by_the_days_from_one_until_before_another(interval_ns, path, body):
    share = Instrument(
        symbol="INFY", segment="NSE_EQ", tick_size_rupees=0.05, security_id="1594", instrument_type="EQUITY"
    )
    call = chart_call("https://x/v2", share, interval_ns, date(2026, 9, 28), date(2026, 9, 30))

    assert call.url == f"https://x/v2{path}"
    found = msgspec.json.decode(call.body)
    assert {name: found[name] for name in body} == body
    assert (found["securityId"], found["exchangeSegment"], found["instrument"]) == ("1594", "NSE_EQ", "EQUITY")


def test_a_token_that_is_dead_is_a_trouble_until_something_is_told():
    session, dead = Session(), {"success": False, "sent": "no", "error": "TokenDeadError: dead"}
    lost = {"success": False, "sent": "unknown"}
    told = {"success": True, "sent": "yes", "status_code": 200, "data": b"{}"}
    talk, troubles = Talk(session, "https://x/v2"), []
    for result in (lost, told, dead, dead, lost, told, told):
        talk.ask(endpoints.ORDER, bytes, str, {"order_id": "7"})
        _, then = session.asked.pop()
        then(Outcome(value=ExternalServiceResult(**result)))
        troubles.append(list(session.troubles))

    is_dead = [NOTHING_LEAVES]
    assert troubles == [[], [], is_dead, is_dead, is_dead, [*is_dead, ""], [*is_dead, ""]]


@pytest.mark.parametrize(
    ("outcome", "reply"),
    [
        (Outcome(value=Failed(actor="a", message_type="Ask", error="E", reason="a bug")), ("unknown", "a bug", None)),
        (Outcome(error=TimeoutError("no answer in 4 s")), ("unknown", "TimeoutError: no answer in 4 s", None)),
        (Outcome(value=Unavailable(actor="a", reason="down", retry_after_s=2.0)), ("not_sent", "a: down", 2.0)),
    ],
)
def test_what_the_owner_of_the_calls_does_not_answer_may_have_left_unless_it_was_down(outcome, reply):
    found = _reply(outcome, bytes)

    assert (found.outcome, found.reason, found.retry_after_s) == reply
