"""What an answer over HTTP says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.external import HttpAnswer, judge
from natya.actors.external.judging import retry_after_s

NOW_S = 1_764_000_000.0
"""Monday, 24 November 2025, 16:00:00 UTC."""


def an_answer(status_code=200, body=b"", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpAnswer(status_code=status_code, headers=named, body=body, response_time_s=0.1)


class TestAnAnswer:
    @pytest.mark.parametrize(
        ("status", "outcome", "sent"),
        [
            (200, "ok", "yes"),
            (202, "ok", "yes"),
            (299, "ok", "yes"),
            (199, "refused", "yes"),
            (300, "refused", "yes"),
            (499, "refused", "yes"),
            (599, "failed", "unknown"),
            (600, "refused", "yes"),
            (400, "refused", "yes"),
            (401, "refused", "yes"),
            (404, "refused", "yes"),
            (429, "throttled", "yes"),
            (500, "failed", "unknown"),
            (504, "failed", "unknown"),
            (999, "refused", "yes"),
        ],
    )
    def test_means_what_its_status_says(self, status, outcome, sent):
        verdict = judge(an_answer(status), NOW_S)

        assert (verdict.outcome, verdict.sent, verdict.status_code) == (outcome, sent, status)

    def test_is_read_as_json(self):
        assert judge(an_answer(body=b'{"orderId": "1"}'), NOW_S).data == {"orderId": "1"}

    @pytest.mark.parametrize("body", [b"<html>", b'{"a": ', b"\xff", b"[" * 100_000])
    def test_that_cannot_be_read_leaves_it_unknown_what_was_done(self, body):
        verdict = judge(an_answer(body=body), NOW_S)

        assert (verdict.outcome, verdict.sent, verdict.data) == ("failed", "unknown", None)
        assert verdict.error.startswith("JSON wanted, found something else")

    def test_that_refuses_is_quoted(self):
        verdict = judge(an_answer(400, b'{"errorCode": "DH-905"}'), NOW_S)

        assert verdict.error == '400 Bad Request: {"errorCode": "DH-905"}'
        assert verdict.data == {"errorCode": "DH-905"}

    @pytest.mark.parametrize(("status", "wait_s"), [(429, 7.0), (503, 7.0), (400, None), (200, None)])
    def test_says_when_to_come_again_where_it_may_be_then(self, status, wait_s):
        verdict = judge(an_answer(status, b'{"a": 1}', retry_after="7"), NOW_S)

        assert (verdict.retry_after_s, verdict.data, verdict.response_time_s) == (wait_s, {"a": 1}, 0.1)

    def test_is_quoted_up_to_a_length(self):
        assert len(judge(an_answer(400, b"x" * 9_000), NOW_S).error) == len("400 Bad Request: ") + 500

    @pytest.mark.parametrize(("status", "data"), [(200, b"1"), (400, 1), (500, 1)])
    def test_is_read_as_its_endpoint_says_where_it_is_a_good_one(self, status, data):
        answer = HttpAnswer(status_code=status, headers={}, body=b"1", response_time_s=0.1, reads=lambda body: body)

        assert judge(answer, NOW_S).data == data

    def test_that_its_endpoint_cannot_read_leaves_it_unknown_what_was_done(self):
        def unreadable(_body):
            raise ValueError("no rows")

        answer = HttpAnswer(status_code=200, headers={}, body=b"1", response_time_s=0.1, reads=unreadable)
        verdict = judge(answer, NOW_S)

        assert (verdict.outcome, verdict.sent, verdict.data) == ("failed", "unknown", None)
        assert verdict.error == "an answer that can be read wanted: no rows"

    @given(st.integers(100, 999), st.binary(max_size=50), st.text(max_size=30))
    def test_of_any_content_is_judged(self, status, body, wait):
        assert judge(an_answer(status, body, retry_after=wait), NOW_S).outcome


class TestATimeToWait:
    @pytest.mark.parametrize(
        ("text", "seconds"),
        [
            ("7", 7.0),
            ("0.5", 0.5),
            ("Mon, 24 Nov 2025 16:00:30 GMT", 30.0),
            ("Mon, 24 Nov 2025 15:00:00 GMT", 0.0),
            ("Mon, 24 Nov 2025 21:31:00 +0530", 60.0),
            ("Mon, 24 Nov 2025 16:00:30 -0000", 30.0),  # of no zone: it is UTC's
            ("Mon, 99 Nov 2025 16:00:30 GMT", None),
            ("-3", 0.0),
            ("nan", None),
            ("inf", None),
            ("1e305", 86_400.0),
            ("soon", None),
            (None, None),
        ],
    )
    def test_is_seconds_or_a_date(self, text, seconds):
        assert retry_after_s(text, NOW_S) == seconds
