"""What came of a request to Dhan: only an answer of its own proves anything."""

import msgspec
import pytest

from natya.actors.broker.bodies.dhan import endpoints
from natya.actors.broker.bodies.dhan.replies import judge_dhan, reply_of
from natya.actors.external import ExternalServiceResult, HttpAnswer
from natya.domain.dhan.account.portfolio import HoldingRow
from natya.domain.dhan.decoding import row_reader, rows_reader
from natya.domain.dhan.tolerant import read
from natya.domain.dhan.trading.orders import OrderAck

BUSY = {"data": {"805": "Too many requests."}, "status": "failed"}


NOTHING_HELD = {"errorType": "HOLDING_ERROR", "errorCode": "DH-1111", "errorMessage": "No holdings available"}


def answered(status, body):
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return HttpAnswer(status_code=status, headers={}, body=raw, response_time_s=0.1)


def reply(status, body, deaths=None):
    deaths = [] if deaths is None else deaths
    verdict = judge_dhan(answered(status, body), 0.0, on_dead_token=lambda: deaths.append(1))
    return reply_of(
        ExternalServiceResult(
            success=verdict.outcome == "ok",
            data=verdict.data,
            error=verdict.error,
            status_code=verdict.status_code,
            sent=verdict.sent,
        ),
        lambda data: read(OrderAck, data),
    )


def refusal(code, text="no", kind="Order_Error"):
    return {"errorType": kind, "errorCode": code, "errorMessage": text}


@pytest.mark.parametrize(
    ("status", "sent", "data", "outcome", "reason"),
    [
        (400, "yes", refusal("DH-905"), "refused", "DH-905 no"),
        (400, "unknown", refusal("DH-905"), "unknown", "HTTP"),
        (None, "yes", refusal("DH-905"), "unknown", "HTTP"),
        (500, "yes", refusal("DH-905"), "unknown", "HTTP"),
        (200, "yes", refusal("DH-905"), "unknown", "HTTP"),
        (400, "yes", None, "unknown", "HTTP"),
        (404, "yes", None, "refused", "HTTP"),
    ],
)
def test_a_refusal_is_an_answer_of_dhan_s_own_to_what_was_sent(status, sent, data, outcome, reason):
    result = ExternalServiceResult(success=False, status_code=status, sent=sent, data=data, error="HTTP")
    found = reply_of(result, bytes)

    assert (found.outcome, found.reason) == (outcome, reason)


@pytest.mark.parametrize(("code", "outcome"), [("DH-1111", "ok"), ("DH-908", "failed"), ("", "failed")])
def test_a_failure_of_dhan_s_is_none_only_where_it_says_that_nothing_is_held(code, outcome):
    verdict = judge_dhan(answered(500, refusal(code)), 0.0, on_dead_token=print)

    assert verdict.outcome == outcome


class TestAnAnswer:
    def test_with_what_was_asked_is_told(self):
        told = reply(200, {"orderId": "412610070153", "orderStatus": "TRANSIT"})

        assert told.outcome == "told"
        assert told.value.order_id == "412610070153"

    @pytest.mark.parametrize("body", [{}, [], b"", b"<html>", {"orderStatus": "TRANSIT"}, {"status": "failed"}])
    def test_of_success_without_it_proves_nothing(self, body):
        assert reply(200, body).outcome == "unknown"

    @pytest.mark.parametrize(
        "body", [{"data": {"806": "Data APIs not Subscribed"}, "status": "failed"}, refusal("DH-902")]
    )
    def test_that_the_account_has_no_market_data_leaves_the_token_alive(self, body):
        deaths = []

        assert (reply(401, body, deaths).meaning, deaths) == ("data", [])
        assert (reply(401, b"", deaths).meaning, deaths) == ("token", [1])

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (400, refusal("DH-905", "quantity is required")),
            (400, refusal("DH-906", "Market is Closed!")),
            (401, {"data": {"808": "Authentication Failed"}, "status": "failed"}),
            (404, b"<html>not found</html>"),
            (429, BUSY),
            (499, refusal("DH-906", "Market is Closed!")),
        ],
    )
    def test_that_says_no_is_refused_in_dhans_own_words(self, status, body):
        refused = reply(status, body)

        assert refused.outcome == "refused"
        assert isinstance(body, bytes) or refused.text in str(body)

    @pytest.mark.parametrize(
        ("status", "body"),
        [(400, b"<html>proxy</html>"), (408, b""), (499, b""), (500, refusal("DH-906")), (502, b""), (302, b"")],
    )
    def test_that_is_not_dhans_own_proves_nothing(self, status, body):
        if status == 302:
            result = ExternalServiceResult(success=False, sent="unknown", status_code=302, error="a redirection")
            assert reply_of(result, lambda data: data).outcome == "unknown"
        else:
            assert reply(status, body).outcome == "unknown"

    @pytest.mark.parametrize("status", [400, 403, 499, 500, 503])
    @pytest.mark.parametrize(
        "body",
        [refusal("DH-908"), refusal("DH-909"), {"data": {"800": "Internal Server Error"}, "status": "failed"}],
        ids=["DH-908", "DH-909", "800"],
    )
    def test_that_the_back_end_failed_proves_nothing_whatever_its_status(self, status, body):
        assert reply(status, body).outcome == "unknown"

    def test_that_never_came_is_unknown_and_one_never_asked_for_is_not_sent(self):
        unknown = ExternalServiceResult(success=False, sent="unknown", error="reset")
        not_sent = ExternalServiceResult(success=False, sent="no", error="limit", retry_after_s=2.0)

        assert reply_of(unknown, lambda data: data).outcome == "unknown"
        assert reply_of(not_sent, lambda data: data).outcome == "not_sent"
        assert reply_of(not_sent, lambda data: data).retry_after_s == 2.0


class TestADeadToken:
    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (401, {"data": {"808": "Authentication Failed"}, "status": "failed"}),
            (400, refusal("DH-906", "Invalid Token")),
            (401, refusal("DH-901", "expired", "Invalid_Authentication")),
        ],
    )
    def test_is_told_in_each_of_its_shapes(self, status, body):
        deaths = []
        refused = reply(status, body, deaths)

        assert (refused.meaning, len(deaths)) == ("token", 1)

    def test_is_not_seen_in_a_refusal_of_an_order(self):
        deaths = []
        reply(400, refusal("DH-906", "Market is Closed!"), deaths)

        assert not deaths


class TestTooMany:
    @pytest.mark.parametrize("status", [400, 403, 429])
    def test_is_taken_for_what_it_is_whatever_its_status(self, status):
        assert judge_dhan(answered(status, BUSY), 0.0, on_dead_token=lambda: None).outcome == "throttled"


@pytest.mark.parametrize(
    ("status", "outcome", "sent"),
    [
        (500, "ok", "yes"),
        (502, "ok", "yes"),
        (400, "ok", "yes"),
        (429, "throttled", "yes"),
        (200, "ok", "yes"),
    ],
)
def test_that_nothing_is_held_is_an_answer_of_a_server_that_seems_to_fail_and_changes_no_other(status, outcome, sent):
    none = NOTHING_HELD
    verdict = judge_dhan(answered(status, none), 0.0, on_dead_token=lambda: None)

    assert (verdict.outcome, verdict.sent, verdict.status_code) == (outcome, sent, status)
    assert judge_dhan(answered(status, none), 0.0, on_dead_token=None) == verdict  # no token has died


@pytest.mark.parametrize(
    ("reads", "outcome", "data"),
    [
        (None, "ok", []),
        (rows_reader(HoldingRow), "ok", ()),
        (row_reader(OrderAck), "failed", NOTHING_HELD),
    ],
    ids=["json", "rows", "one row"],
)
def test_that_nothing_is_held_is_no_rows_where_rows_are_wanted(reads, outcome, data):
    answer = msgspec.structs.replace(answered(500, NOTHING_HELD), reads=reads)
    verdict = judge_dhan(answer, 0.0, on_dead_token=print)

    assert (verdict.outcome, verdict.data, verdict.error is None) == (outcome, data, outcome == "ok")


class TestARoute:
    def test_writes_what_it_is_given_into_its_path_and_nothing_else(self):
        call = endpoints.ORDER_BY_CORRELATION.call("https://x/v2", {"correlation_id": "../a b?c"}, deadline_s=1.0)

        assert call.url == "https://x/v2/orders/external/..%2Fa%20b%3Fc"
        assert call.method == "GET"

    def test_to_cancel_overtakes_and_is_never_repeated(self):
        call = endpoints.CANCEL_ORDER.call("https://x", {"order_id": "7"}, deadline_s=1.0)

        assert call.urgent
        assert not call.endpoint.read
        assert call.endpoint.attempts_max == 1
