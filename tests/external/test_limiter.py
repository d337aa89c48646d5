"""Requests that leave so that no service has to turn one away."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.external import Allowance, Granted, Limiter, Refused, Waiting
from natya.domain.quotas import Quota
from natya.domain.time import DAY_NS, SECOND_NS

MILLISECOND_NS = SECOND_NS // 1_000


def by_text(remaining):
    return {str(quota): count for quota, count in remaining.items()}


class Service:
    """Counts every request when it arrives, by sliding windows and by those of its own clock; all times are its own."""

    def __init__(self, quotas, ahead_ns=0):
        self._quotas, self._ahead_ns = quotas, ahead_ns
        self.arrivals = []

    def refusals(self):
        """Each window that held too many: what was counted, of which quota."""
        arrivals = sorted(time + self._ahead_ns for time in self.arrivals)
        found = []
        for quota in self._quotas:
            period = quota.period_ns
            calendar = Counter(time // period for time in arrivals)
            found += [("calendar", str(quota), count) for count in calendar.values() if count > quota.requests]
            first = 0
            for place, time in enumerate(arrivals):
                while arrivals[first] <= time - period:
                    first += 1
                if place - first + 1 > quota.requests:
                    found.append(("sliding", str(quota), place - first + 1))
        return found


def orders(*quotas, each_key=None, **given):
    return Limiter({"orders": Allowance(quotas=quotas, each_key=each_key)}, margin_ns=0, **given)


WAYS = [("orders", False), ("orders", True), ("looks", False), ("looks", True)]


def orders_and_looks():
    """Make one of two kinds, in each of which one request is under way that leaves room for no other."""
    quotas = (Quota(1, SECOND_NS),)
    limiter = Limiter({"orders": Allowance(quotas=quotas), "looks": Allowance(quotas=quotas)}, margin_ns=0)
    limiter.ask(98, "orders", now_ns=0)
    limiter.ask(99, "looks", now_ns=0)
    return limiter


QUOTAS = st.lists(
    st.builds(
        lambda requests, period, reserved: Quota(requests, period, min(reserved, requests - 1)),
        st.integers(1, 6),
        st.integers(1, 3_000),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=3,
)
STEPS = st.lists(
    st.tuples(st.integers(0, 900), st.booleans(), st.integers(0, 4_000), st.integers(0, 500), st.integers(0, 100)),
    min_size=1,
    max_size=60,
)


class TestAnyTraffic:
    """Askers come at any time; answers take any time; whoever calls the limiter may wake late."""

    @given(QUOTAS, STEPS, st.integers(0, 3_000))
    def test_is_never_more_than_a_service_allows_by_any_clock(self, quotas, steps, ahead):
        limiter, service = orders(*quotas), Service(quotas, ahead)
        now, answers, settled = 0, [], Counter()
        for number, (pause, urgent, wait, latency, late) in enumerate(steps):
            until = now + pause
            while True:
                times = [time for time in (limiter.next_ns(now), *(time for time, _ in answers)) if time is not None]
                moment = min(times, default=until + 1)
                if moment > until:
                    break
                now = max(now, moment + late)  # woken late, and all at once
                for time, which in sorted(answers):
                    if time <= now:
                        limiter.end(which, now)
                answers = [answer for answer in answers if answer[0] > now]
                for answer in limiter.grants(now):
                    settled[answer.number] += 1
                    if isinstance(answer, Granted):
                        service.arrivals.append(now + latency * (answer.number % 3) // 2)
                        answers.append((now + latency, answer.number))
            now = max(now, until)
            answer = limiter.ask(number, "orders", now_ns=now, wait_ns=wait, urgent=urgent)
            if not isinstance(answer, Waiting):
                settled[number] += 1
            if isinstance(answer, Granted):
                service.arrivals.append(now + latency * (number % 3) // 2)
                answers.append((now + latency, number))

        assert service.refusals() == []
        assert set(settled.values()) <= {1}

    @given(QUOTAS, STEPS, st.booleans())
    def test_gets_times_that_are_never_too_late(self, quotas, steps, urgent):
        """Who is refused with a time may come back then: nobody who asked again and again was let in before it."""
        limiter, now = orders(*quotas), 0
        for number, (pause, hurry, _, latency, _) in enumerate(steps):
            now += pause
            if isinstance(limiter.ask(number, "orders", now_ns=now, urgent=hurry), Granted):
                now += latency
                limiter.end(number, now)
        told = limiter.ask(-1, "orders", now_ns=now, urgent=urgent)
        if isinstance(told, Granted):
            return
        until = told.retry_after_ns

        assert all(
            isinstance(limiter.ask(-1, "orders", now_ns=now + early, urgent=urgent), Refused)
            for early in {0, until // 2, until - 1}
            if early < until
        )
        assert limiter.ask(-1, "orders", now_ns=now + until, urgent=urgent) == Granted(-1)


class TestADayAtTheLimit:
    def test_uses_all_that_is_allowed_and_not_one_more(self):
        quotas = [Quota(10, SECOND_NS), Quota(250, 60 * SECOND_NS), Quota(1_000, 3_600 * SECOND_NS)]
        quotas.append(Quota(7_000, DAY_NS))
        limiter, service = orders(*quotas), Service(quotas, ahead_ns=12_345_678_901)
        now = number = 0
        while now < DAY_NS:
            answer = limiter.ask(number, "orders", now_ns=now)
            if isinstance(answer, Granted):
                service.arrivals.append(now + 5 * MILLISECOND_NS)
                limiter.end(number, now + 9 * MILLISECOND_NS)
                now += 9 * MILLISECOND_NS
                number += 1
            else:
                now += max(answer.retry_after_ns, 1)

        assert service.refusals() == []
        assert len(service.arrivals) == 7_000


class TestWhoAsksTooOften:
    def test_is_told_when_it_fits_and_into_what_it_does_not(self):
        limiter = orders(Quota(2, SECOND_NS), Quota(3, 60 * SECOND_NS))
        for number in range(2):
            limiter.ask(number, "orders", now_ns=0)
            limiter.end(number, 100)

        refused = limiter.ask(2, "orders", now_ns=400)

        assert refused == Refused(2, "2 in 1s", SECOND_NS + SECOND_NS // 10_000 - 300)
        assert limiter.ask(2, "orders", now_ns=400 + refused.retry_after_ns) == Granted(2)
        assert limiter.ask(3, "orders", now_ns=2 * SECOND_NS).quota == "3 in 1m"

    def test_waits_where_it_may_and_leaves_at_the_moment_it_fits(self):
        limiter = orders(Quota(1, SECOND_NS))
        limiter.ask(0, "orders", now_ns=0)
        limiter.end(0, 0)

        assert limiter.ask(1, "orders", now_ns=0, wait_ns=2 * SECOND_NS) == Waiting(1)
        due = limiter.next_ns(0)
        assert limiter.grants(due - 1) == []
        assert limiter.grants(due) == [Granted(1)]

    def test_waits_where_it_fits_at_its_very_deadline_and_not_where_it_fits_behind_it(self):
        for early_ns, kind in ((0, Waiting), (1, Refused)):
            limiter = orders(Quota(1, SECOND_NS))
            limiter.ask(0, "orders", now_ns=0)
            limiter.end(0, 0)
            fits_ns = SECOND_NS + SECOND_NS // 10_000
            answer = limiter.ask(1, "orders", now_ns=0, wait_ns=fits_ns - early_ns)

            assert type(answer) is kind
            assert limiter.grants(fits_ns) == ([Granted(1)] if kind is Waiting else [])

    def test_is_counted_when_it_leaves_at_once_or_later_and_not_when_it_is_refused(self):
        limiter = orders_and_looks()
        assert limiter.granted == {"orders": 1, "looks": 1}
        for number, wait_ns in enumerate((9 * SECOND_NS, 9 * SECOND_NS, SECOND_NS, 0)):
            limiter.ask(number, "orders", now_ns=0, wait_ns=wait_ns)
        limiter.end(98, 0)
        limiter.grants(2 * SECOND_NS)

        assert limiter.granted == {"orders": 2, "looks": 1}

    def test_is_refused_at_once_where_those_ahead_already_fill_its_time(self):
        limiter = orders(Quota(1, SECOND_NS))
        limiter.ask(0, "orders", now_ns=0)
        limiter.end(0, 0)
        limiter.ask(1, "orders", now_ns=0, wait_ns=5 * SECOND_NS)

        refused = limiter.ask(2, "orders", now_ns=0, wait_ns=3 * SECOND_NS // 2)

        assert isinstance(refused, Refused)
        assert refused.retry_after_ns >= SECOND_NS

    @pytest.mark.parametrize(
        ("waiting", "urgent", "seconds"),
        [
            ((), False, 1),
            ((False,), False, 2),
            ((True,), False, 2),
            ((True, False, True), False, 4),
            ((False, False), True, 1),
            ((True, False, True), True, 3),
        ],
    )
    def test_is_told_a_time_behind_those_that_go_before_it(self, waiting, urgent, seconds):
        limiter = orders(Quota(1, SECOND_NS))
        limiter.ask(0, "orders", now_ns=0)
        limiter.end(0, 0)
        for number, is_urgent in enumerate(waiting, start=1):
            limiter.ask(number, "orders", now_ns=0, wait_ns=60 * SECOND_NS, urgent=is_urgent)

        refused = limiter.ask(9, "orders", now_ns=0, urgent=urgent)
        assert refused.retry_after_ns / SECOND_NS == pytest.approx(seconds, abs=0.01)

    def test_waits_for_an_answer_that_nobody_can_foresee_until_its_deadline(self):
        limiter = orders(Quota(1, SECOND_NS))
        limiter.ask(0, "orders", now_ns=0)

        assert limiter.ask(1, "orders", now_ns=0, wait_ns=2 * SECOND_NS) == Waiting(1)
        assert limiter.next_ns(0) == 2 * SECOND_NS
        assert limiter.grants(2 * SECOND_NS - 1) == []
        [refused] = limiter.grants(2 * SECOND_NS)
        assert (refused.number, refused.quota) == (1, "1 in 1s")
        assert limiter.next_ns(2 * SECOND_NS) is None

    def test_is_refused_where_too_many_wait_already(self):
        limiter = orders(Quota(1, SECOND_NS), waiting_max=1)
        limiter.ask(0, "orders", now_ns=0)

        answers = [limiter.ask(number, "orders", now_ns=0, wait_ns=SECOND_NS * 9) for number in (1, 2)]

        assert [type(answer) for answer in answers] == [Waiting, Refused]

    def test_may_stop_waiting(self):
        limiter = orders(Quota(1, SECOND_NS))
        limiter.ask(0, "orders", now_ns=0)
        limiter.ask(1, "orders", now_ns=0, wait_ns=9 * SECOND_NS)

        assert [limiter.withdraw(1), limiter.withdraw(1)] == [True, False]
        assert limiter.next_ns(0) is None

    @pytest.mark.parametrize("kind", ["orders", "looks"])
    @pytest.mark.parametrize("urgent", [False, True])
    def test_may_stop_waiting_whatever_it_is_of_and_nobody_else_does(self, kind, urgent):
        limiter = orders_and_looks()
        for number, (each, is_urgent) in enumerate(WAYS, start=1):
            limiter.ask(number, each, now_ns=0, wait_ns=9 * SECOND_NS, urgent=is_urgent)
        number = WAYS.index((kind, urgent)) + 1

        assert limiter.withdraw(number)

        left = [each for each in (1, 2, 3, 4) if each != number]
        assert [each for each in (1, 2, 3, 4) if limiter.withdraw(each)] == left

    def test_stops_waiting_with_all_others_where_the_waiting_are_forgotten(self):
        limiter = orders_and_looks()
        for number, (each, is_urgent) in enumerate(WAYS, start=1):
            limiter.ask(number, each, now_ns=0, wait_ns=9 * SECOND_NS, urgent=is_urgent)

        limiter.forget_waiting()

        assert limiter.under_way() == (98, 99)
        assert [limiter.withdraw(each) for each in (1, 2, 3, 4)] == [False] * 4
        assert limiter.grants(60 * SECOND_NS) == []


class TestAnUrgentRequest:
    def test_has_what_is_kept_for_it_and_others_do_not(self):
        limiter = orders(Quota(3, SECOND_NS, reserved=1))
        others = [limiter.ask(number, "orders", now_ns=0) for number in range(3)]

        assert [type(answer) for answer in others] == [Granted, Granted, Refused]
        assert limiter.ask(9, "orders", now_ns=0, urgent=True) == Granted(9)

    def test_overtakes_all_that_wait(self):
        limiter = orders(Quota(1, SECOND_NS))
        limiter.ask(0, "orders", now_ns=0)
        for number in (1, 2):
            limiter.ask(number, "orders", now_ns=0, wait_ns=60 * SECOND_NS)
        limiter.ask(3, "orders", now_ns=0, wait_ns=60 * SECOND_NS, urgent=True)
        limiter.end(0, 0)

        assert limiter.grants(2 * SECOND_NS) == [Granted(3)]


class TestRequestsWithAKey:
    def test_wait_for_those_of_the_same_key_alone(self):
        limiter = orders(Quota(9, SECOND_NS), each_key=Quota(1, 3 * SECOND_NS))
        limiter.ask(0, "orders", now_ns=0, key="NIFTY")
        limiter.end(0, 0)
        limiter.ask(1, "orders", now_ns=0, key="NIFTY", wait_ns=9 * SECOND_NS)

        assert limiter.ask(2, "orders", now_ns=0, key="BANKNIFTY") == Granted(2)
        assert limiter.grants(limiter.next_ns(0)) == [Granted(1)]

    def test_wait_for_the_others_too_where_their_own_key_has_room(self):
        limiter = orders(Quota(1, 9 * SECOND_NS), each_key=Quota(2, SECOND_NS))
        limiter.ask(0, "orders", now_ns=0, key="NIFTY")
        limiter.end(0, 0)
        at_ns = 3 * SECOND_NS  # the key has been free for long

        refused = limiter.ask(1, "orders", now_ns=at_ns, key="NIFTY")
        assert (refused.quota, refused.retry_after_ns / SECOND_NS) == ("1 in 9s", pytest.approx(6, abs=0.01))
        limiter.ask(2, "orders", now_ns=at_ns, key="NIFTY", wait_ns=60 * SECOND_NS)
        assert limiter.grants(9 * SECOND_NS) == []
        assert limiter.grants(limiter.next_ns(9 * SECOND_NS)) == [Granted(2)]

    def test_hold_up_nobody_who_asked_after_them(self):
        limiter = orders(Quota(2, SECOND_NS), each_key=Quota(1, 9 * SECOND_NS))
        for number in (0, 1):
            limiter.ask(number, "orders", now_ns=0, key=str(number))
            limiter.end(number, 0)
        for number, key in ((2, "0"), (3, "other")):
            limiter.ask(number, "orders", now_ns=0, key=key, wait_ns=60 * SECOND_NS)

        assert limiter.grants(2 * SECOND_NS) == [Granted(3)]

    def test_may_be_so_many_for_ever(self):
        limiter = orders(Quota(9, 1), each_key=Quota(2, None))
        for number in (0, 1):
            limiter.ask(number, "orders", now_ns=number * SECOND_NS, key="an order")
            limiter.end(number, number * SECOND_NS)

        assert limiter.ask(2, "orders", now_ns=DAY_NS, key="an order", wait_ns=DAY_NS) == Refused(
            2, "2 in all of an order", None
        )

    def test_are_forgotten_when_they_count_no_more(self):
        limiter = orders(Quota(9, 1), each_key=Quota(1, 10))
        for number in range(1_000):
            limiter.ask(number, "orders", now_ns=100 * number, key=str(number))
            limiter.end(number, 100 * number)

        assert len(limiter._kinds["orders"]._keys) == 1


class TestTwoKindsThatCountAgainstOneQuota:
    @pytest.fixture
    def limiter(self):
        both = {"charts": Allowance(quotas=(Quota(5, SECOND_NS),)), "chains": Allowance(quotas=(), also="charts")}
        return Limiter(both, margin_ns=0)

    @given(st.lists(st.tuples(st.booleans(), st.integers(0, SECOND_NS)), max_size=60))
    def test_are_together_never_more_than_it_allows(self, steps):
        limiter = Limiter(
            {"chains": Allowance(quotas=(), also="charts"), "charts": Allowance(quotas=(Quota(5, SECOND_NS),))}
        )
        service, now = Service([Quota(5, SECOND_NS)]), 0
        for number, (is_chain, pause) in enumerate(steps):
            now += pause
            if isinstance(limiter.ask(number, "chains" if is_chain else "charts", now_ns=now), Granted):
                service.arrivals.append(now)
                limiter.end(number, now)

        assert service.refusals() == []
        assert sum(limiter.remaining("charts", now).values()) == sum(limiter.remaining("chains", now).values())

    def test_leave_in_turn_where_both_wait(self, limiter):
        for number in range(45):
            limiter.ask(number, "charts" if number < 40 else "chains", now_ns=0, wait_ns=60 * SECOND_NS)
        left = [limiter.under_way()]
        for second in range(3):
            for number in left[-1]:
                limiter.end(number, 2 * second * SECOND_NS)
            left.append(tuple(each.number for each in limiter.grants(2 * (second + 1) * SECOND_NS)))

        assert [len(each) for each in left] == [5, 5, 5, 5]
        assert {number for each in left for number in each if number >= 40} == set(range(40, 45))

    @pytest.mark.parametrize(("kind", "other"), [("chains", "charts"), ("charts", "chains")])
    def test_are_told_a_time_behind_those_of_the_other_kind(self, limiter, kind, other):
        for number in range(10):
            limiter.ask(number, other, now_ns=0, wait_ns=60 * SECOND_NS)

        refused = limiter.ask(10, kind, now_ns=0, wait_ns=SECOND_NS)
        assert (refused.quota, refused.retry_after_ns // SECOND_NS) == ("5 in 1s", 2)

    def test_are_counted_for_both_of_a_process_before(self, limiter):
        limiter.restore("chains", [0, 1])

        assert by_text(limiter.remaining("charts", SECOND_NS // 2)) == {"5 in 1s": 3}


class TestAServiceThatSaidTooMany:
    def test_gets_nothing_of_that_kind_until_its_pause_is_over_not_even_what_is_urgent(self):
        limiter = orders(Quota(9, SECOND_NS))
        limiter.penalise("orders", 5 * SECOND_NS)

        refused = limiter.ask(0, "orders", now_ns=SECOND_NS, urgent=True)
        assert refused == Refused(0, "a pause after too many requests", 4 * SECOND_NS)
        assert limiter.ask(1, "orders", now_ns=SECOND_NS, wait_ns=5 * SECOND_NS) == Waiting(1)
        assert limiter.next_ns(SECOND_NS) == 5 * SECOND_NS
        assert limiter.grants(5 * SECOND_NS) == [Granted(1)]

    def test_gets_nothing_until_the_longest_of_its_pauses_is_over(self):
        limiter = orders(Quota(9, SECOND_NS))
        for until_s in (5, 2):
            limiter.penalise("orders", until_s * SECOND_NS)

        refused = limiter.ask(0, "orders", now_ns=3 * SECOND_NS)
        assert refused == Refused(0, "a pause after too many requests", 2 * SECOND_NS)


class TestAProcessThatFollowsAnother:
    def test_counts_what_that_one_sent(self):
        limiter = orders(Quota(3, 60 * SECOND_NS))
        limiter.restore("orders", [30 * SECOND_NS, 10 * SECOND_NS])

        assert by_text(limiter.remaining("orders", 31 * SECOND_NS)) == {"3 in 1m": 1}
        assert by_text(limiter.remaining("orders", 71 * SECOND_NS)) == {"3 in 1m": 2}

    def test_counts_it_in_every_window(self):
        limiter = orders(Quota(3, SECOND_NS), Quota(4, 60 * SECOND_NS), Quota(5, DAY_NS))
        limiter.restore("orders", [30 * SECOND_NS, 10 * SECOND_NS])

        assert by_text(limiter.remaining("orders", 50 * SECOND_NS)) == {"3 in 1s": 3, "4 in 1m": 2, "5 in 1d": 3}


class TestAQuota:
    @pytest.mark.parametrize(("requests", "period_ns", "reserved"), [(0, 1, 0), (1, 0, 0), (1, 1, 2), (1, 1, -1)])
    def test_that_nothing_fits_into_is_refused(self, requests, period_ns, reserved):
        with pytest.raises(ValueError, match="a quota of at least 1 request"):
            Quota(requests, period_ns, reserved)


def test_a_request_leaves_by_its_deadline_or_never_however_late_one_looks():
    for looked_ns, answer in ((2 * SECOND_NS, Granted), (2 * SECOND_NS + 1, Refused), (9 * SECOND_NS, Refused)):
        limiter = orders(Quota(1, SECOND_NS))
        limiter.ask(1, "orders", now_ns=0)
        limiter.end(1, 0)
        assert isinstance(limiter.ask(2, "orders", now_ns=0, wait_ns=2 * SECOND_NS), Waiting)

        assert [(type(each), each.number) for each in limiter.grants(looked_ns)] == [(answer, 2)]


def test_requests_without_a_key_are_not_counted_as_of_one():
    limiter = orders(Quota(9, SECOND_NS), each_key=Quota(1, SECOND_NS))
    asked = [None, None, "A", None, "B", "A"]

    found = [limiter.ask(number, "orders", now_ns=0, key=key) for number, key in enumerate(asked)]
    assert [type(each) for each in found] == [*[Granted] * 5, Refused]
