"""One attempt of a call, with a session that the test plays: what leaves, how long it is waited for, what it says."""

from email.utils import formatdate
from types import SimpleNamespace

import pytest

from natya.actors.external import Call, Endpoint, HttpAnswer, NotSentError, RefusedAnswerError, UnknownOutcomeError
from natya.actors.external.calls import Verdict
from natya.actors.external.judging import judge
from natya.actors.external.sending import exchange
from natya.actors.external.service import Send
from natya.domain.time import SECOND_NS

NOW_NS = 1_790_567_100 * SECOND_NS
AT_NS = 50 * SECOND_NS
"""On the monotonic clock."""

READ = Endpoint(name="orders", kind="all", read=True, timeout_s=10.0)
WRITE = Endpoint(name="order", kind="all", read=False, timeout_s=10.0, exposes=True)
CLOCK = SimpleNamespace(monotonic_ns=lambda: AT_NS, now_ns=lambda: NOW_NS)


class Session:
    """Keeps what is sent, and answers or raises what the test says."""

    def __init__(self, answer):
        self.answer, self.sent = answer, []

    def request(self, method, url, **how):
        self.sent.append((method, url, how))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def an_answer(body=b'{"a": 1}', status=200, **headers):
    return HttpAnswer(status_code=status, headers=headers, body=body, response_time_s=0.1)


def send(endpoint=READ, *, answer=None, left_s=30.0, halted="", headers=None, verdict_of=judge, **call):  # noqa: PLR0913  by name
    """Send one attempt; return what is made of it, and what left."""
    session = Session(an_answer() if answer is None else answer)
    settings = SimpleNamespace(headers=headers or (lambda: {"h": "1"}), halted=lambda: halted, judge=verdict_of)
    call = Call(endpoint=endpoint, method="GET", url="https://x/y", **call)
    attempt = Send(1, call, AT_NS + round(left_s * SECOND_NS))
    return exchange(session, attempt, settings, CLOCK), session.sent


def test_what_leaves_is_what_was_asked_for():
    verdict, ((method, url, how),) = send(query=(("a", "1 2"), ("b", "ü")), body=b"{}")

    assert (method, url) == ("GET", "https://x/y?a=1+2&b=%C3%BC")
    assert how == {"timeout_s": 10.0, "headers": {"h": "1"}, "body": b"{}"}
    assert (verdict.outcome, verdict.data, verdict.size_bytes) == ("ok", {"a": 1}, 8)
    assert send()[1][0][1] == "https://x/y"


@pytest.mark.parametrize(
    ("endpoint", "left_s", "timeout_s"), [(READ, 30.0, 10.0), (READ, 3.0, 3.0), (WRITE, 30.0, 10.0), (WRITE, 3.0, 10.0)]
)
def test_a_read_is_waited_for_until_its_deadline_and_a_write_as_long_as_its_endpoint_says(endpoint, left_s, timeout_s):
    assert send(endpoint, left_s=left_s)[1][0][2]["timeout_s"] == pytest.approx(timeout_s)


def with_a_secret():
    raise ValueError("secret")


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"left_s": 0.0}, "its time was over before it could be sent"),
        ({"left_s": -1.0}, "its time was over before it could be sent"),
        ({"headers": with_a_secret}, "no headers, or no query: ValueError"),
        ({"endpoint": WRITE, "halted": "a person wants so"}, "a person wants so"),
    ],
    ids=["at its end", "behind it", "without headers", "in a halt"],
)
def test_what_may_not_leave_does_not_and_says_so(how, error):
    verdict, sent = send(**how)

    assert (verdict, sent) == (Verdict(outcome="refused", sent="no", error=error), [])


@pytest.mark.parametrize("how", [{"endpoint": READ}, {"endpoint": WRITE, "in_halt": True}], ids=str)
def test_in_a_halt_what_exposes_nothing_and_what_closes_a_position_leave(how):
    assert send(halted="a person wants so", **how)[0].outcome == "ok"


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        (NotSentError("no route"), {"sent": "no", "error": "no route"}),
        (UnknownOutcomeError("reset"), {"sent": "unknown", "error": "reset"}),
        (RefusedAnswerError("too large", 200), {"sent": "unknown", "error": "too large", "status_code": 200}),
    ],
    ids=repr,
)
def test_without_an_answer_it_is_said_what_is_known_of_the_request(fault, verdict):
    assert send(answer=fault)[0] == Verdict(outcome="failed", **verdict)


def test_a_good_answer_is_read_as_its_endpoint_says():
    reading = Endpoint(name="orders", kind="all", read=True, reads=lambda body: [body])

    assert send(reading, answer=an_answer(b"x"))[0].data == [b"x"]


def test_a_judge_that_says_nothing_is_a_fault_of_ours():
    with pytest.raises(TypeError, match="judge returns a Verdict, found NoneType"):
        send(verdict_of=lambda *_: None)


def test_a_judge_is_told_the_time_and_the_clock_of_the_service_is_compared_with_ours():
    told = []
    answer = an_answer(date=formatdate(NOW_NS // SECOND_NS - 30, usegmt=True))
    verdict, _ = send(answer=answer, verdict_of=lambda answer, now_s: told.append(now_s) or judge(answer, now_s))

    assert told == [NOW_NS / SECOND_NS]
    assert verdict.clock_skew_s == pytest.approx(30, abs=1)
    assert send()[0].clock_skew_s is None
