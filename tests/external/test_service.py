"""What is done about calls to a service."""

import math
from collections import Counter
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.external import kept
from natya.actors.external.calls import Call, Endpoint, Verdict
from natya.actors.external.kept import KEPT_BYTES_MAX
from natya.actors.external.limiter import Limiter
from natya.actors.external.service import TIMES_MIN, Finish, Send, Service
from natya.domain.breaker import Breaker
from natya.domain.quotas import Allowance, Quota
from natya.domain.time import SECOND_NS

WRITE = Endpoint(name="orders.place", kind="all", read=False)
READ = Endpoint(name="orders.list", kind="all", read=True, attempts_max=3)
KEPT = Endpoint(name="profile", kind="all", read=True, kept_s=10.0)
RASH = Endpoint(name="orders.change", kind="all", read=False, attempts_max=3, kept_s=10.0, hedged=True)
"""A write that asks for what only a read is given."""

HEDGED = Endpoint(name="quote", kind="all", read=True, hedged=True)

OK = Verdict(outcome="ok", status_code=200, data="well", response_time_s=0.05)
REFUSED = Verdict(outcome="refused", status_code=400, error="DH-905: no such order")
BROKEN = Verdict(outcome="failed", status_code=502, error="502 Bad Gateway")
LOST = Verdict(outcome="failed", sent="unknown", error="no answer in time")
UNSENT = Verdict(outcome="failed", sent="no", error="connection refused")
THROTTLED = Verdict(outcome="throttled", status_code=429, error="DH-904: too many requests")


def a_call(endpoint=READ, **given):
    return Call(**{"endpoint": endpoint, "method": "GET", "url": "https://api.dhan.co/v2/orders", **given})


def a_service(quota=None, *, fail_max=100, jitter=lambda: 1.0):
    limiter = Limiter({"all": Allowance(quotas=(quota or Quota(1_000, SECOND_NS),))}, margin_ns=0)
    return Service(limiter, Breaker(fail_max=fail_max, reset_timeout_s=30.0), jitter)


def only(effects):
    [effect] = effects
    return effect


def begin(service, number=1, call=None, now_s=0.0):
    send = only(service.ask(number, call or a_call(), round(now_s * SECOND_NS)))
    assert isinstance(send, Send)
    return send.attempt


def end(service, attempt, verdict, now_s=0.0):
    return service.ended(attempt, verdict, round(now_s * SECOND_NS))


def result_of(effects):
    return only([effect for effect in effects if isinstance(effect, Finish)]).result


class TestAWrite:
    @pytest.mark.parametrize("endpoint", [WRITE, RASH], ids=["plain", "that asks for more"])
    @pytest.mark.parametrize("verdict", [OK, REFUSED, BROKEN, LOST, UNSENT, THROTTLED])
    def test_is_sent_once_whatever_comes_of_it(self, verdict, endpoint):
        service = a_service()
        attempt = begin(service, call=a_call(endpoint))

        result = result_of(end(service, attempt, verdict, 1.0))

        assert (result.success, result.sent, result.error) == (verdict is OK, verdict.sent, verdict.error)
        assert (result.attempts, result.response_time) == (1, 1.0)
        assert service.next_ns(0) is None

    def test_without_an_answer_is_not_sent_again_however_soon_the_others_were_answered(self):
        service = a_service()
        for number in range(2 * TIMES_MIN):
            end(service, begin(service, number, a_call(RASH)), OK)
        begin(service, 101, a_call(RASH, deadline_s=9.0))

        assert service.next_ns(0) is None
        assert service.look(8 * SECOND_NS) == []
        assert service.look(20 * SECOND_NS) == [], "whoever sends it tells what came of it, also behind its deadline"

    def test_is_not_held_up_by_a_breaker(self):
        service = a_service(fail_max=1)
        end(service, begin(service), BROKEN)

        assert isinstance(only(service.ask(2, a_call(WRITE), 0)), Send)

    def test_that_does_not_fit_in_time_is_not_sent_and_says_when_it_would(self):
        service = a_service(Quota(1, SECOND_NS))
        end(service, begin(service), OK)

        result = result_of(service.ask(2, a_call(WRITE, deadline_s=0.5), 0))

        assert (result.sent, result.attempts, result.retry_after_s) == ("no", 0, 1.0001)
        assert result.error == "it does not fit into 1 in 1s for 1.000 s"

    def test_waits_for_its_turn_and_is_sent_then(self):
        service = a_service(Quota(1, SECOND_NS))
        end(service, begin(service), OK)

        assert service.ask(2, a_call(WRITE, deadline_s=5), 0) == []
        send = only(service.look(service.next_ns(0)))
        assert isinstance(send, Send)
        assert send.deadline_ns == 5 * SECOND_NS


class TestARead:
    def test_that_fails_is_tried_again_after_a_pause_that_doubles(self):
        service, times = a_service(), []
        attempt, now_s = begin(service), 0.0
        for _ in range(2):
            assert end(service, attempt, BROKEN, now_s) == []
            due = service.next_ns(0)
            assert service.look(due - 1) == []
            times.append(due / SECOND_NS - now_s)
            now_s = due / SECOND_NS
            attempt = only(service.look(due)).attempt

        result = result_of(end(service, attempt, LOST, now_s))
        assert times == [pytest.approx(0.1), pytest.approx(0.2)]
        assert (result.attempts, result.error, result.sent) == (3, "no answer in time", "unknown")

    def test_pauses_as_long_as_the_service_asks_for(self):
        service = a_service()
        end(service, begin(service), msgspec.structs.replace(BROKEN, retry_after_s=7.0))

        assert service.next_ns(0) == 7 * SECOND_NS

    def test_has_its_answer_at_its_deadline_whatever_becomes_of_its_attempts(self):
        service = a_service()
        attempt = begin(service, call=a_call(deadline_s=2.0))

        result = result_of(service.look(service.next_ns(0)))
        assert (result.response_time, result.sent, result.error) == (2.0, "unknown", "no answer in 2 s")
        assert end(service, attempt, OK, 9.0) == []

    def test_is_not_tried_again_beyond_its_deadline(self):
        service = a_service()
        attempt = begin(service, call=a_call(deadline_s=5.0))

        result = result_of(end(service, attempt, msgspec.structs.replace(BROKEN, retry_after_s=7.0)))

        assert (result.attempts, result.retry_after_s) == (1, 7.0)

    def test_that_was_refused_is_not_tried_again(self):
        service = a_service()

        assert result_of(end(service, begin(service), REFUSED)).status_code == 400

    def test_asked_again_while_it_is_on_its_way_is_sent_once(self):
        service = a_service()
        attempt = begin(service)

        assert service.ask(2, a_call(), SECOND_NS) == []
        finish = only(end(service, attempt, OK, 2.0))
        assert finish.numbers == (1, 2)

    def test_that_is_urgent_is_shared_by_those_that_are_too_and_by_others(self):
        service = a_service()
        begin(service, call=a_call(urgent=True))

        assert [service.ask(number, a_call(urgent=urgent), 0) for number, urgent in ((2, True), (3, False))] == [[], []]

    def test_is_tried_again_when_that_is_due_though_another_is_looked_at_before(self):
        service = a_service()
        end(service, begin(service), BROKEN)
        due_ns = service.next_ns(0)

        assert service.look(due_ns - 1) == []
        assert isinstance(only(service.look(due_ns)), Send)

    def test_is_looked_at_behind_one_whose_time_is_over(self):
        service = a_service()
        begin(service, 1, a_call(deadline_s=1.0))
        end(service, begin(service, 2, a_call(url="another", deadline_s=9.0)), BROKEN)

        over, again = service.look(SECOND_NS)
        assert (type(over), over.numbers, type(again)) == (Finish, (1,), Send)

    @pytest.mark.parametrize(
        "harder", [{"deadline_s": 31.0}, {"urgent": True}, {"endpoint": msgspec.structs.replace(READ, shared=False)}]
    )
    def test_asked_again_with_less_time_or_for_itself_is_sent_again(self, harder):
        service = a_service()
        first = a_call(harder.get("endpoint", READ), deadline_s=30.0)
        begin(service, call=first)

        assert isinstance(only(service.ask(2, msgspec.structs.replace(first, **harder), SECOND_NS)), Send)

    def test_asked_by_several_answers_each_by_its_own_deadline(self):
        service = a_service()
        attempt = begin(service, call=a_call(deadline_s=5.0))
        service.ask(2, a_call(deadline_s=1.0), 2 * SECOND_NS)
        service.ask(3, a_call(deadline_s=5.0), 4 * SECOND_NS)

        assert [only(service.look(service.next_ns(0))).numbers for _ in range(2)] == [(2,), (1,)]
        assert service.next_ns(0) == 9 * SECOND_NS
        assert only(end(service, attempt, OK, 8.0)).numbers == (3,)
        assert (service._flights, service._shared) == ({}, {})

    def test_of_something_else_is_sent_as_well(self):
        service = a_service()
        begin(service)

        assert isinstance(only(service.ask(2, a_call(query=(("page", "2"),)), 0)), Send)

    def test_that_may_be_kept_is_answered_from_memory_for_so_long(self):
        service = a_service()
        end(service, begin(service, call=a_call(KEPT)), OK, 1.0)

        kept = result_of(service.ask(2, a_call(KEPT), 11 * SECOND_NS - 1))
        assert (kept.data, kept.response_time, kept.attempts) == ("well", 0.0, 0)
        assert isinstance(only(service.ask(3, a_call(KEPT), 11 * SECOND_NS)), Send)

    def test_that_was_kept_is_each_ones_own(self):
        service = a_service()
        answer = msgspec.structs.replace(OK, data={"net": [1]})
        result_of(end(service, begin(service, call=a_call(KEPT)), answer)).data["net"].append(2)
        result_of(service.ask(2, a_call(KEPT), 1)).data["net"].append(3)

        assert result_of(service.ask(3, a_call(KEPT), 1)).data == {"net": [1]}

    def test_is_kept_only_while_all_that_is_kept_is_small_enough(self):
        service = a_service()
        large = msgspec.structs.replace(OK, size_bytes=KEPT_BYTES_MAX // 4)
        for number in range(10):
            end(service, begin(service, number, a_call(KEPT, url=str(number))), large)

        answers = [only(service.ask(20 + number, a_call(KEPT, url=str(number)), 1)) for number in range(10)]
        assert [isinstance(answer, Send) for answer in answers] == [True] * 7 + [False] * 3

    def test_is_kept_only_while_those_that_are_kept_are_few_enough(self, monkeypatch):
        monkeypatch.setattr(kept, "KEPT_MAX", 2)
        service = a_service()
        for number in range(3):
            end(service, begin(service, number, a_call(KEPT, url=str(number))), OK)

        answers = [only(service.ask(20 + number, a_call(KEPT, url=str(number)), 1)) for number in range(3)]
        assert [type(answer) for answer in answers] == [Send, Finish, Finish]

    def test_is_kept_with_all_that_it_takes(self):
        service, sizes = a_service(), []
        for number, terms in enumerate(({}, {"body": b"x" * 1_000}, {"url": "https://x.test/" + "y" * 2_000})):
            before = service.kept.size_bytes
            end(service, begin(service, number, a_call(KEPT, **terms)), msgspec.structs.replace(OK, size_bytes=500))
            sizes.append(service.kept.size_bytes - before)

        assert sizes[0] > 500
        assert (sizes[1] - sizes[0], sizes[2] - sizes[0] > 1_900) == (1_000, True)

    def test_that_is_larger_than_all_may_be_is_not_kept(self):
        service = a_service()
        end(service, begin(service, 1, a_call(KEPT, url="a")), OK)
        end(service, begin(service, 2, a_call(KEPT)), msgspec.structs.replace(OK, size_bytes=KEPT_BYTES_MAX + 1))

        assert isinstance(only(service.ask(3, a_call(KEPT), 1)), Send)
        assert not isinstance(only(service.ask(4, a_call(KEPT, url="a"), 1)), Send)

    def test_that_was_kept_makes_room_when_it_is_over(self):
        service = a_service()
        large = msgspec.structs.replace(OK, size_bytes=KEPT_BYTES_MAX // 4)
        for number in range(3):
            end(service, begin(service, number, a_call(KEPT, url=str(number))), large)
        end(service, begin(service, 9, a_call(KEPT, url="9"), now_s=11.0), large, 11.0)

        assert (len(service.kept), service.kept.size_bytes < KEPT_BYTES_MAX // 3) == (1, True)

    def test_that_failed_is_not_kept(self):
        service = a_service()
        end(service, begin(service, call=a_call(KEPT)), REFUSED)

        assert isinstance(only(service.ask(2, a_call(KEPT), 1)), Send)


class TestAServiceThatFails:
    def test_is_left_alone_after_so_many_failures_and_its_error_is_told(self):
        service = a_service(fail_max=2)
        attempt = begin(service, call=a_call(msgspec.structs.replace(READ, attempts_max=9)))
        end(service, attempt, BROKEN)
        attempt = only(service.look(service.next_ns(0))).attempt
        end(service, attempt, BROKEN, 1.0)

        result = result_of(service.look(2 * SECOND_NS))
        assert result.error == (
            "too many failures in a row, the next attempt is made in 29.0 s; the last attempt: 502 Bad Gateway"
        )
        assert (result.sent, result.retry_after_s) == ("no", 29.0)
        refused = result_of(service.ask(2, a_call(), 2 * SECOND_NS))
        assert refused.attempts == 0
        assert refused.error.endswith(" s; the last failure: 502 Bad Gateway")

    @pytest.mark.parametrize("answer", [OK, REFUSED])
    def test_is_tried_by_one_alone_after_a_while_and_by_all_when_it_answers(self, answer):
        service = a_service(fail_max=1)
        end(service, begin(service, call=a_call(HEDGED)), BROKEN)

        probe = begin(service, 2, now_s=31.0)
        assert result_of(service.ask(3, a_call(HEDGED), 31 * SECOND_NS)).sent == "no"
        end(service, probe, answer, 32.0)
        assert isinstance(only(service.ask(4, a_call(HEDGED), 32 * SECOND_NS)), Send)

    def test_is_not_said_to_fail_because_it_said_no(self):
        service = a_service(fail_max=2)
        for number, verdict in enumerate([BROKEN, REFUSED, THROTTLED, REFUSED]):
            end(service, begin(service, number, a_call(WRITE), now_s=number * 9), verdict, now_s=number * 9)

        assert isinstance(only(service.ask(9, a_call(), 99 * SECOND_NS)), Send)


class TestAProbe:
    def test_that_does_not_get_past_the_limits_leaves_the_breaker_open_for_another(self):
        service = a_service(Quota(1, 100 * SECOND_NS), fail_max=1)
        end(service, begin(service), BROKEN)

        assert result_of(service.ask(2, a_call(deadline_s=1.0), 31 * SECOND_NS)).sent == "no"
        assert isinstance(only(service.ask(3, a_call(), 200 * SECOND_NS)), Send)

    def test_that_never_left_leaves_the_breaker_open_for_another(self):
        service = a_service(fail_max=1)
        end(service, begin(service), BROKEN)

        kept_back = msgspec.structs.replace(REFUSED, sent="no", error="no headers: TokenDeadError")
        end(service, begin(service, 2, now_s=31.0), kept_back, 32.0)

        assert result_of(service.ask(3, a_call(), 33 * SECOND_NS)).sent == "no"
        assert isinstance(only(service.ask(4, a_call(), 70 * SECOND_NS)), Send)


class TestTooManyRequests:
    @pytest.mark.parametrize("wait_s", [1e305, math.inf, math.nan, -1.0])
    def test_that_ask_for_a_silence_without_end_get_one_of_a_day_at_most(self, wait_s):
        service = a_service()
        end(service, begin(service, 1, a_call(WRITE)), msgspec.structs.replace(THROTTLED, retry_after_s=wait_s))
        end(service, begin(service, 2, a_call(WRITE), 86_400.0), OK, 86_400.0)

    def test_are_answered_by_silence_that_grows(self):
        service, now_s, pauses = a_service(), 0.0, []
        for number in range(8):
            end(service, begin(service, number, a_call(WRITE), now_s), THROTTLED, now_s)
            refused = result_of(service.ask(99, a_call(WRITE, deadline_s=0.1), round(now_s * SECOND_NS)))
            pauses.append(refused.retry_after_s)
            now_s += refused.retry_after_s

        assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]

    @pytest.mark.parametrize(("answer", "pauses"), [(OK, [1, 1]), (BROKEN, [1, 2]), (REFUSED, [1, 2])])
    def test_are_answered_by_the_shortest_silence_once_one_was_answered_well(self, answer, pauses):
        service, found = a_service(), []
        for number, now_s in ((1, 0.0), (2, 100.0)):
            end(service, begin(service, number, a_call(WRITE), now_s), THROTTLED, now_s)
            asked = service.ask(99, a_call(WRITE, deadline_s=0.1), round(now_s * SECOND_NS))
            found.append(result_of(asked).retry_after_s)
            end(service, begin(service, 50 + number, a_call(WRITE), now_s + 50), answer, now_s + 50)

        assert found == pauses

    def test_let_a_read_go_on_after_it(self):
        service = a_service()
        end(service, begin(service), msgspec.structs.replace(THROTTLED, retry_after_s=3.0))

        assert service.look(service.next_ns(0) - 1) == []
        assert service.next_ns(0) == 3 * SECOND_NS
        assert isinstance(only(service.look(3 * SECOND_NS)), Send)


class TestAHedgedRead:
    @pytest.fixture
    def service(self):
        """One whose answers took 1 to 100 ms."""
        service = a_service()
        for number in range(1, 101):
            timed = msgspec.structs.replace(OK, response_time_s=number / 1_000)
            end(service, begin(service, number, a_call(HEDGED)), timed)
        return service

    def test_is_sent_again_when_it_takes_longer_than_nearly_all(self, service):
        first = begin(service, 101, a_call(HEDGED))

        assert service.next_ns(0) == pytest.approx(0.096 * SECOND_NS, rel=0.01)
        assert service.look(service.next_ns(0) - 1) == []
        second = only(service.look(service.next_ns(0))).attempt
        assert result_of(end(service, second, OK, 0.2)).attempts == 2
        assert end(service, first, OK, 0.3) == []

    def test_is_sent_again_for_its_slowness_once(self, service):
        begin(service, 101, a_call(HEDGED, deadline_s=9.0))
        assert isinstance(only(service.look(service.next_ns(0))), Send)

        assert service.next_ns(0) == 9 * SECOND_NS

    def test_is_none_that_is_not_to_be_hedged(self):
        service = a_service()
        for number in range(1, 101):
            end(service, begin(service, number), OK)
        begin(service, 101, a_call(deadline_s=9.0))

        assert (service.next_ns(0), service.look(8 * SECOND_NS)) == (9 * SECOND_NS, [])

    def test_fails_when_both_have(self, service):
        first = begin(service, 101, a_call(HEDGED))
        second = only(service.look(service.next_ns(0))).attempt

        assert end(service, first, LOST, 0.2) == []
        assert result_of(end(service, second, BROKEN, 0.3)).error == "502 Bad Gateway"

    def test_is_not_sent_again_to_a_service_that_fails(self):
        service = a_service(fail_max=1)
        for number in range(1, 101):
            end(service, begin(service, number, a_call(HEDGED)), OK)
        begin(service, 101, a_call(HEDGED))
        end(service, begin(service, 102, a_call(WRITE)), BROKEN)

        assert service.look(SECOND_NS) == []

    def test_is_not_sent_again_before_anything_is_known(self):
        service = a_service()
        begin(service, call=a_call(HEDGED, deadline_s=7))

        assert service.next_ns(0) == 7 * SECOND_NS


class TestAnyCalls:
    """Calls of all kinds at any time, answered in any order by anything."""

    @given(st.integers(0, 1 << 32))
    def test_are_each_answered_once_and_writes_are_sent_once(self, seed):
        random = Random(seed)
        service = a_service(Quota(4, SECOND_NS, reserved=1), fail_max=3, jitter=random.random)
        now, away, sends, results = 0, [], Counter(), Counter()
        calls = [
            a_call(
                random.choice([WRITE, RASH, READ, KEPT, HEDGED]),
                query=(("of", str(random.randrange(3))),),
                deadline_s=random.choice([0.1, 1.0, 10.0]),
                urgent=random.random() < 0.2,
            )
            for _ in range(30)
        ]

        def take(effects):
            for effect in effects:
                if isinstance(effect, Send):
                    sends[id(effect.call)] += 1
                    away.append((now + random.randrange(10 * SECOND_NS), effect.attempt))
                else:
                    results.update(effect.numbers)

        def advance(until):
            nonlocal now
            while True:
                due = [service.next_ns(now), *(time for time, _ in away)]
                time = min((time for time in due if time is not None), default=until + 1)
                if time > until:
                    break
                now = max(now, time) + random.choice([0, 0, 1_000_000])
                for landed in sorted(answer for answer in away if answer[0] <= now):
                    away.remove(landed)
                    verdict = random.choice([OK, OK, REFUSED, BROKEN, LOST, UNSENT, THROTTLED])
                    take(service.ended(landed[1], verdict, now))
                take(service.look(now))
            now = max(now, until)

        for number, call in enumerate(calls):
            advance(now + random.randrange(SECOND_NS))
            take(service.ask(number, call, now))
        advance(now + 100 * SECOND_NS)

        assert results == Counter(range(30))
        for call in calls:
            attempts_max = call.endpoint.attempts_max + call.endpoint.hedged if call.endpoint.read else 1
            assert sends[id(call)] <= attempts_max
        assert (service._flights, service._of_attempt, service._shared) == ({}, {}, {})
        assert service._entered_ns == {}


class TestTheWaitForTheLimits:
    def test_is_counted_of_each_attempt_that_leaves(self):
        service = a_service(Quota(1, SECOND_NS))
        first = begin(service, call=a_call(WRITE))
        assert service.ask(2, a_call(WRITE), round(0.2 * SECOND_NS)) == []
        end(service, first, OK, 0.3)
        sent = [each for now_s in (1.0, 1.2, 1.4) for each in service.look(round(now_s * SECOND_NS))]

        assert [type(each) for each in sent] == [Send]
        waited = service.waits.timing()
        assert sum(waited.counts) == 2
        assert 0.8 <= waited.sum_s <= 1.4

    def test_is_not_counted_of_one_that_never_left(self):
        service = a_service(Quota(1, SECOND_NS))
        first = begin(service, call=a_call(WRITE))
        assert service.ask(2, a_call(READ, deadline_s=2.0), 0) == []
        throttled = msgspec.structs.replace(THROTTLED, retry_after_s=30.0)
        effects = end(service, first, throttled, 0.5) + service.look(round(2.1 * SECOND_NS))

        assert [each.result.sent for each in effects if isinstance(each, Finish)] == ["yes", "no"]
        assert sum(service.waits.timing().counts) == 1
