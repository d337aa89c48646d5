"""One durable subscription, in every order of events."""

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from natya_events import a_published

from natya.domain.events.delivery import Common, Delivery
from natya.domain.events.places import Settled
from natya.domain.time import SECOND_NS
from natya.messages.delivery import DeliveryTerms

KEYS = st.sampled_from("abc")
STEPS = ("offer", "take", "answer", "miss", "cut", "bury", "wait", "restart")
TERMS = st.builds(
    DeliveryTerms,
    partitions=st.integers(1, 3),
    batch_max=st.integers(1, 3),
    attempts_max=st.integers(1, 3),
    linger_s=st.sampled_from([0.0, 1.0]),
    fail_max=st.integers(1, 4),
    window_max=st.just(1_000),
)


def event(number, key="a"):
    return a_published(event_id=f"e-{number}", aggregate_id=key)


class Subscriber:
    """Handles batches, or does not, as it is told, and checks what it is given."""

    def __init__(self, delivery):
        self.delivery = delivery
        self.in_flight = {}
        self.handled = defaultdict(list)
        self.burying, self.buried = [], []
        self.now_ns = 0

    def take(self):
        for batch in self.delivery.due(self.now_ns):
            assert batch.partition not in self.in_flight
            keys = {each.aggregate_id for each in batch.events}
            others = {each.aggregate_id for other in self.in_flight.values() for each in other.events}
            assert not keys & others
            assert not keys & {item.event.aggregate_id for item in self.burying}
            self.in_flight[batch.partition] = batch

    def go_on(self, step, number, *, is_permanent):
        """Do what there is to do of this step, if anything."""
        if step == "take":
            self.take()
        elif step == "bury" and self.burying:
            self.bury()
        elif step == "answer" and self.in_flight:
            self.answer(number, is_permanent=is_permanent)
        elif step == "miss" and self.in_flight:
            self.answer(0, is_answered=False)
        elif step == "cut" and self.in_flight:
            self.cut(number)

    def bury(self):
        item = self.burying.pop()
        self.buried.append(item.sequence)
        self.delivery.buried(item)

    def answer(self, handled, *, is_permanent=False, is_answered=True):
        partition, batch = self.in_flight.popitem()
        if handled >= len(batch.items):
            self._note(batch.items)
            self.delivery.succeeded(partition)
            return
        self._note(batch.items[:handled])
        _, item = self.delivery.failed(
            partition,
            handled=handled,
            error="E",
            now_ns=self.now_ns,
            chance=0.5,
            is_permanent=is_permanent,
            is_answered=is_answered,
        )
        if item is not None:
            self.burying.append(item)

    def cut(self, handled):
        """Have handled so many, one at least, and begun none of the others."""
        partition, batch = self.in_flight.popitem()
        self._note(batch.items[: max(1, handled)])
        self.delivery.succeeded(partition, min(max(1, handled), len(batch.items)))

    def run_dry(self):
        for _ in range(10_000):
            self.take()
            if self.burying:
                self.bury()
            elif self.in_flight:
                self.answer(10)
            elif (next_ns := self.delivery.next_ns()) is not None:
                self.now_ns = max(self.now_ns, next_ns)
            else:
                return
        raise AssertionError("it never ends")

    def _note(self, items):
        for item in items:
            self.handled[item.event.aggregate_id].append(item.sequence)


class TestAnyHistory:
    @settings(max_examples=60)
    @given(
        terms=TERMS,
        keys=st.lists(KEYS, max_size=12),
        steps=st.lists(
            st.tuples(st.sampled_from(STEPS), st.integers(0, 3), st.booleans()),
            max_size=40,
        ),
    )
    def test_settles_each_event_at_least_once_in_order_for_its_key_and_nothing_stays_stuck(self, terms, keys, steps):
        delivery = Delivery(terms, settled=Settled(0))
        subscriber = Subscriber(delivery)
        pending = list(enumerate(keys, 1))
        for step, number, flag in steps:
            if step == "offer" and pending:
                sequence, key = pending.pop(0)
                delivery.offer(sequence, event(sequence, key), subscriber.now_ns)
            elif step in {"take", "answer", "miss", "cut", "bury"}:
                subscriber.go_on(step, number, is_permanent=flag)
            elif step == "wait":
                subscriber.now_ns += number * SECOND_NS
            elif step == "restart":  # in another process: of all that was in memory only the place is left
                delivery = subscriber.delivery = Delivery(terms, settled=delivery.settled)
                subscriber.in_flight.clear()
                subscriber.burying.clear()
                pending = list(enumerate(keys, 1))[delivery.offered :]
        for sequence, key in pending:
            delivery.offer(sequence, event(sequence, key), subscriber.now_ns)
        subscriber.run_dry()

        settled = {*subscriber.buried, *(each for handled in subscriber.handled.values() for each in handled)}
        assert settled == set(range(1, len(keys) + 1))
        for handled in subscriber.handled.values():
            assert handled == sorted(set(handled)), "each was handled once, since an answer is never lost here"
        assert (delivery.settled, delivery.pending) == (Settled(len(keys)), 0)

    @given(done=st.sets(st.integers(1, 20)), order=st.permutations(range(3)))
    def test_keeps_its_place_exactly(self, done, order):
        terms = DeliveryTerms(partitions=256, batch_max=1)
        delivery = Delivery(terms, settled=Settled(0))
        for sequence in range(1, 21):
            delivery.offer(sequence, event(sequence, f"key-{sequence * 31 + order[0]}"), 0)
        while batches := delivery.due(0):
            settled = [batch for batch in batches if batch.items[0].sequence in done]
            for batch in settled:
                delivery.succeeded(batch.partition)
            if not settled:
                break

        place = {sequence for sequence in range(1, 21) if delivery.settled.has(sequence)}
        assert place <= done
        again = Delivery(terms, settled=delivery.settled)
        for sequence in range(again.offered + 1, 21):
            again.offer(sequence, event(sequence, f"key-{sequence}"), 0)
        assert again.pending == 20 - len(place)


class TestARepeat:
    def test_of_an_event_that_waits_or_was_handled_is_left_out(self):
        delivery = Delivery(DeliveryTerms(), settled=Settled(0))
        delivery.offer(1, event(1), 0)
        delivery.offer(2, event(1), 0)
        (batch,) = delivery.due(0)
        delivery.succeeded(batch.partition)
        delivery.offer(3, event(1), 0)

        assert len(batch.items) == 1
        assert (delivery.duplicates, delivery.position, delivery.due(0)) == (2, 3, ())

    def test_of_an_event_that_was_settled_in_an_earlier_life_is_left_out(self):
        delivery = Delivery(DeliveryTerms(), settled=Settled(0, beyond=frozenset((2,))))
        for sequence, number in ((1, 1), (2, 2), (3, 2)):
            delivery.offer(sequence, event(number), 0)

        assert [item.sequence for batch in delivery.due(0) for item in batch.items] == [1]
        assert (delivery.duplicates, delivery.settled) == (1, Settled(3, frozenset((1,))))

    def test_of_an_event_that_was_given_up_is_left_out(self):
        delivery = Delivery(DeliveryTerms(partitions=1, attempts_max=1), settled=Settled(0))
        delivery.offer(1, event(1), 0)
        (batch,) = delivery.due(0)
        _, item = delivery.failed(batch.partition, handled=0, error="E", now_ns=5, chance=0.5)
        delivery.buried(item)
        delivery.offer(2, event(1), 0)

        assert (delivery.duplicates, delivery.position, delivery.pending) == (1, 2, 0)

    def test_of_an_event_that_still_waits_is_left_out_however_many_came_since(self):
        delivery = Delivery(DeliveryTerms(partitions=1, batch_max=9, window_max=1), settled=Settled(0))
        for sequence, number in enumerate((1, 2, 3, 1), 1):
            delivery.offer(sequence, event(number, f"key-{number}"), 0)

        assert (delivery.duplicates, delivery.pending) == (1, 3)

    def test_of_a_dead_letter_that_was_handled_anew_is_left_out(self):
        delivery = Delivery(DeliveryTerms(partitions=1, batch_max=9, window_max=1), settled=Settled(7))
        delivery.requeue(3, event(3), "sub-3", 0)
        delivery.due(0)
        delivery.succeeded(0)
        delivery.offer(8, event(3), 0)

        assert (delivery.duplicates, delivery.pending, delivery.position) == (1, 0, 8)

    def test_of_an_event_that_an_earlier_life_has_settled_is_so_for_the_next_one_too(self):
        delivery = Delivery(DeliveryTerms(), settled=Settled(0, beyond=frozenset((2, 5))))
        for sequence in (1, 2, 3):
            delivery.offer(sequence, event(sequence), 0)

        assert {sequence for sequence in range(1, 9) if delivery.settled.has(sequence)} == {2, 5}

    def test_is_known_as_far_as_the_window_reaches(self):
        delivery = Delivery(DeliveryTerms(window_max=2), settled=Settled(10))
        for number in (1, 2, 3):
            delivery.remember(f"e-{number}")
        for sequence, number in enumerate((2, 3, 1), 11):
            delivery.offer(sequence, event(number), 0)

        (batch,) = delivery.due(0)
        assert [item.event.event_id for item in batch.items] == ["e-1"]


class TestAnEventThatFails:
    def test_is_tried_again_with_waits_that_double_and_are_shortened_by_chance(self):
        delivery = Delivery(
            DeliveryTerms(retry_first_s=1.0, retry_max_s=3.0, attempts_max=10, fail_max=99), settled=Settled(0)
        )
        delivery.offer(1, event(1), 0)
        waits, now_ns = [], 0
        for _ in range(4):
            (batch,) = delivery.due(now_ns)
            delivery.failed(batch.partition, handled=0, error="E", now_ns=now_ns, chance=0.5)
            next_ns = delivery.next_ns()
            assert delivery.due(next_ns - 1) == ()
            waits.append((next_ns - now_ns) / SECOND_NS)
            now_ns = next_ns

        assert waits == [0.5, 1.0, 1.5, 1.5]
        assert delivery.retries == 4

    def test_is_not_due_while_it_is_tried_again(self):
        delivery = Delivery(DeliveryTerms(partitions=1), settled=Settled(0))
        delivery.offer(1, event(1), 0)
        delivery.due(0)
        delivery.failed(0, handled=0, error="E", now_ns=0, chance=0.5)
        due_ns = delivery.next_ns()
        (again,) = delivery.due(due_ns)

        assert (again.is_again, delivery.next_ns(), delivery.due(due_ns)) == (True, None, ())
        delivery.succeeded(0)
        assert (delivery.next_ns(), delivery.pending) == (None, 0)

    def test_does_not_hold_up_other_partitions(self):
        delivery = Delivery(DeliveryTerms(partitions=64, fail_max=99), settled=Settled(0))
        delivery.offer(1, event(1, "a"), 0)
        delivery.offer(2, event(2, "b"), 0)
        first, second = delivery.due(0)
        delivery.failed(first.partition, handled=0, error="E", now_ns=0, chance=0.99)
        delivery.succeeded(second.partition)
        delivery.offer(3, event(3, second.items[0].event.aggregate_id), 0)

        assert [item.sequence for batch in delivery.due(0) for item in batch.items] == [3]

    def test_does_not_hold_up_other_aggregates_of_its_partition_and_its_own_in_order(self):
        delivery = Delivery(DeliveryTerms(partitions=1, fail_max=99, retry_first_s=9.0), settled=Settled(0))
        for sequence, key in enumerate("abaab", 1):
            delivery.offer(sequence, event(sequence, key), 0)
        (batch,) = delivery.due(0)
        delivery.failed(0, handled=0, error="E", now_ns=0, chance=0.99)
        (meanwhile,) = delivery.due(0)
        delivery.succeeded(0)
        delivery.offer(6, event(6, "a"), 0)
        delivery.offer(7, event(7, "b"), 0)
        (later,) = delivery.due(0)
        delivery.succeeded(0)
        (again,) = delivery.due(9 * SECOND_NS)
        delivery.succeeded(0)
        (behind,) = delivery.due(9 * SECOND_NS)

        found = [[item.sequence for item in each.items] for each in (batch, meanwhile, later, again, behind)]
        assert found == [[1, 2, 3, 4, 5], [2, 5], [7], [1], [3, 4, 6]]

    def test_by_no_answer_holds_up_its_partition_since_the_subscriber_may_be_at_it_still(self):
        delivery = Delivery(
            DeliveryTerms(partitions=1, fail_max=99, retry_first_s=9.0, batch_max=2), settled=Settled(0)
        )
        for sequence, key in enumerate("abc", 1):
            delivery.offer(sequence, event(sequence, key), 0)
        delivery.due(0)
        delivery.failed(0, handled=0, error="E", now_ns=0, chance=0.99, is_answered=False)

        assert delivery.due(SECOND_NS) == ()
        assert [item.sequence for item in delivery.due(9 * SECOND_NS)[0].items] == [1]

    def test_stays_ahead_of_its_aggregate_when_it_is_tried_again_and_not_answered(self):
        delivery = Delivery(DeliveryTerms(partitions=1, fail_max=99, retry_first_s=9.0), settled=Settled(0))
        delivery.offer(1, event(1), 0)
        delivery.due(0)
        delivery.failed(0, handled=0, error="E", now_ns=0, chance=0.99)
        delivery.offer(2, event(2), 0)
        handed = []
        for second, is_answered in ((10, False), (100, True), (1_000, True)):
            (batch,) = delivery.due(second * SECOND_NS)
            handed.append([item.sequence for item in batch.items])
            if is_answered:
                delivery.succeeded(0)
            else:
                delivery.failed(0, handled=0, error="E", now_ns=second * SECOND_NS, chance=0.99, is_answered=False)

        assert handed == [[1], [1], [2]]
        assert (delivery.position, delivery.pending) == (2, 0)

    def test_is_given_up_after_its_last_attempt_and_its_aggregate_waits_until_it_is_buried(self):
        delivery = Delivery(DeliveryTerms(partitions=1, attempts_max=1), settled=Settled(0))
        delivery.offer(1, event(1), 0)
        (batch,) = delivery.due(0)
        delivery.offer(2, event(2), 0)
        _, item = delivery.failed(batch.partition, handled=0, error="E", now_ns=5, chance=0.5)
        before = delivery.due(10**12), delivery.position
        delivery.buried(item)

        assert (item.sequence, item.attempts, item.first_failed_ns) == (1, 1, 5)
        assert before == ((), 0)
        assert delivery.position == 1
        assert [each.sequence for each in delivery.due(10**12)[0].items] == [2]

    def test_is_not_counted_against_where_the_subscriber_cannot_be_reached(self):
        delivery = Delivery(DeliveryTerms(attempts_max=1), settled=Settled(0))
        delivery.offer(1, event(1), 0)
        (batch,) = delivery.due(0)

        _, item = delivery.failed(batch.partition, handled=0, error="E", now_ns=0, chance=0.5, is_counted=False)

        assert item is None
        assert delivery.pending == 1

    @pytest.mark.parametrize(
        ("second_key", "died", "handed"),
        [("a", 2, [1]), ("a", 1, [2]), ("b", 2, [1])],
        ids=["behind it", "itself", "another"],
    )
    def test_and_waits_to_be_tried_again_is_not_if_it_is_a_dead_letter_already_nor_is_one_behind_it(
        self, second_key, died, handed
    ):
        delivery = Delivery(DeliveryTerms(partitions=1, retry_first_s=9.0, batch_max=1), settled=Settled(0))
        delivery.offer(1, event(1), 0)
        delivery.offer(2, event(2, second_key), 0)
        delivery.due(0)
        delivery.failed(0, handled=0, error="E", now_ns=0, chance=0.99)
        if second_key == "a":
            assert delivery.due(0) == ()

        assert not delivery.died(died, f"e-{died}")
        found = []
        while (next_ns := delivery.next_ns()) is not None:
            found += [item.sequence for item in delivery.due(next_ns)[0].items]
            delivery.succeeded(0)
        assert (found, delivery.position, delivery.pending) == (handed, 2, 0)

    def test_is_given_up_at_once_where_it_never_can_be_handled_and_says_nothing_of_the_subscriber(self):
        delivery = Delivery(DeliveryTerms(partitions=1, attempts_max=9, fail_max=1), settled=Settled(0))
        delivery.offer(1, event(1), 0)
        delivery.due(0)
        _, item = delivery.failed(0, handled=0, error="E", now_ns=0, chance=0.5, is_permanent=True)

        assert (item.sequence, delivery.breaker, delivery.retries) == (1, "closed", 0)

    def test_has_first_failed_when_it_did_so_first(self):
        delivery = Delivery(DeliveryTerms(partitions=1, attempts_max=2), settled=Settled(0))
        delivery.offer(1, event(1), 0)
        delivery.due(0)
        delivery.failed(0, handled=0, error="E", now_ns=5, chance=0.5)
        again_ns = delivery.next_ns()
        delivery.due(again_ns)
        _, item = delivery.failed(0, handled=0, error="E", now_ns=again_ns, chance=0.5)

        assert (item.first_failed_ns, item.attempts) == (5, 2)


class TestEventsThatNobodyWants:
    def test_are_passed_over_by_all_subscriptions_of_a_system_at_once(self):
        common = Common()
        found = [Delivery(DeliveryTerms(), settled=Settled(3), common=common) for _ in range(2)]
        common.passed.add(3, 9)

        assert [(each.offered, each.position) for each in found] == [(9, 9)] * 2

    def test_are_passed_over_and_never_gone_back_to(self):
        delivery = Delivery(DeliveryTerms(), settled=Settled(5))
        delivery.skip_to(8)
        assert (delivery.position, delivery.offered) == (8, 8)
        delivery.offer(8, event(8), 0)
        delivery.offer(9, event(9), 0)
        delivery.skip_to(7)
        delivery.skip_to(12)

        assert (delivery.position, delivery.offered, delivery.pending) == (8, 12, 1)


class TestTheNewestThatWereHandled:
    def offered(self, delivery, *numbers):
        """Return which of these are handed over."""
        first = delivery.offered + 1
        for sequence, number in enumerate(numbers, first):
            delivery.offer(sequence, event(number), 0)
        return [each.event_id for batch in delivery.due(0) for each in batch.events]

    def test_are_not_handled_again_and_are_newest_by_their_last_time(self):
        delivery = Delivery(DeliveryTerms(window_max=2, batch_max=9), settled=Settled(0))
        for number in (1, 2, 1, 3):  # 1 was handled again meanwhile
            delivery.remember(f"e-{number}")

        assert self.offered(delivery, 1, 2, 3) == ["e-2"]
        assert delivery.duplicates == 2


class TestAnUnhealthySubscriber:
    def test_is_none_by_one_event_that_fails_again_and_again_and_no_other_waits_for_that(self):
        delivery = Delivery(DeliveryTerms(fail_max=2, attempts_max=9), settled=Settled(0))
        delivery.offer(1, event(1, "poisoned"), 0)
        now_ns = 0
        for _ in range(5):
            (batch,) = delivery.due(now_ns)
            delivery.failed(batch.partition, handled=0, error="E", now_ns=now_ns, chance=0.5)
            now_ns = delivery.next_ns()
        now_ns -= 1
        delivery.offer(2, event(2, "healthy"), now_ns)

        assert delivery.breaker == "closed"
        assert [item.sequence for batch in delivery.due(now_ns) for item in batch.items] == [2]

    def test_is_tried_with_events_that_were_not_tried_before_so_that_none_loses_all_its_attempts(self):
        terms = DeliveryTerms(partitions=1, fail_max=1, attempts_max=3, reset_s=10.0)
        delivery = Delivery(terms, settled=Settled(0))
        for sequence in range(1, 6):
            delivery.offer(sequence, event(sequence, f"key-{sequence}"), 0)
        now_ns, tried = 0, []
        for _ in range(10):
            (batch,) = delivery.due(now_ns)
            tried.append(batch.items[0].sequence)
            _, given_up = delivery.failed(batch.partition, handled=0, error="E", now_ns=now_ns, chance=0.0)
            assert given_up is None
            now_ns = delivery.next_ns()

        assert (sorted(tried[:5]), sorted(tried[5:])) == ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5])

    @pytest.mark.parametrize(("is_answered", "state"), [(True, "closed"), (False, "open")])
    def test_is_one_that_does_not_answer_again_and_again_also_by_one_event(self, is_answered, state):
        delivery = Delivery(DeliveryTerms(partitions=1, fail_max=2, attempts_max=9), settled=Settled(0))
        delivery.offer(1, event(1), 0)
        for _ in range(2):
            now_ns = delivery.next_ns()
            delivery.due(now_ns)
            delivery.failed(0, handled=0, error="E", now_ns=now_ns, chance=0.5, is_answered=is_answered)

        assert delivery.breaker == state

    def test_is_tried_with_the_event_that_was_tried_least_where_each_was(self):
        terms = DeliveryTerms(partitions=256, fail_max=2, attempts_max=9, reset_s=10.0, retry_max_s=0.1)
        delivery = Delivery(terms, settled=Settled(0))
        delivery.offer(1, event(1, "a"), 0)
        for _ in range(2):
            now_ns = delivery.next_ns()
            (batch,) = delivery.due(now_ns)
            delivery.failed(batch.partition, handled=0, error="E", now_ns=now_ns, chance=0.5)
        delivery.offer(2, event(2, "b"), now_ns)
        (batch,) = delivery.due(now_ns)
        delivery.failed(batch.partition, handled=0, error="E", now_ns=now_ns, chance=0.5)

        assert delivery.breaker == "open"
        (probe,) = delivery.due(now_ns + 10 * SECOND_NS)
        assert [(item.sequence, item.attempts) for item in probe.items] == [(2, 1)]

    def test_is_left_alone_then_tried_with_one_event_and_then_served_again(self):
        terms = DeliveryTerms(partitions=4, fail_max=2, reset_s=10.0, attempts_max=9, retry_first_s=0.1)
        delivery = Delivery(terms, settled=Settled(0))
        for sequence, key in enumerate("abcdefgh", 1):
            delivery.offer(sequence, event(sequence, key), 0)
        batches = delivery.due(0)
        for batch in batches:
            delivery.failed(batch.partition, handled=0, error="E", now_ns=0, chance=0.5)
        opens_ns = delivery.next_ns()
        closed_before = delivery.due(opens_ns - 1)
        (probe,) = delivery.due(opens_ns)
        meanwhile = delivery.due(opens_ns), delivery.next_ns()
        delivery.succeeded(probe.partition)

        assert delivery.breaker == "closed"
        assert opens_ns == 10 * SECOND_NS
        assert (closed_before, len(probe.items), meanwhile) == ((), 1, ((), None))
        assert len(delivery.due(opens_ns)) == len(batches)


class TestADeadLetter:
    def test_that_is_requeued_comes_once_behind_what_waits_of_its_key_and_moves_no_place(self):
        delivery = Delivery(DeliveryTerms(partitions=1, batch_max=9), settled=Settled(7))
        delivery.offer(8, event(8), 0)
        delivery.requeue(3, event(3), "sub-3", 0)
        delivery.requeue(3, event(3), "sub-3", 0)
        (batch,) = delivery.due(0)

        assert [item.sequence for item in batch.items] == [8, 3]
        assert delivery.succeeded(batch.partition) == ("sub-3",)
        assert (delivery.position, delivery.pending) == (8, 0)

    def test_that_is_requeued_waits_for_no_batch(self):
        delivery = Delivery(DeliveryTerms(partitions=1, batch_max=9, linger_s=5.0), settled=Settled(7))
        delivery.requeue(3, event(3), "sub-3", 0)

        assert delivery.next_ns() == 0
        assert [item.sequence for item in delivery.due(0)[0].items] == [3]

    def test_that_is_requeued_leaves_no_room_where_there_is_none(self):
        delivery = Delivery(DeliveryTerms(pending_max=2), settled=Settled(7))
        rooms = [delivery.room]
        for sequence in (1, 2, 3):
            delivery.requeue(sequence, event(sequence), f"sub-{sequence}", 0)
            rooms.append(delivery.room)

        assert rooms == [2, 1, 0, 0]

    def test_that_was_handled_and_is_told_once_more_is_none(self):
        delivery = Delivery(DeliveryTerms(partitions=1), settled=Settled(7), newest=2)
        delivery.requeue(5, event(5), "sub-5", 0)
        delivery.due(0)
        delivery.succeeded(0)

        assert delivery.died(5, "e-5")

    def test_that_is_requeued_comes_also_while_a_repeat_of_its_event_waits(self):
        delivery = Delivery(DeliveryTerms(window_max=0), settled=Settled(7))
        delivery.offer(8, event(3), 0)
        delivery.requeue(3, event(3), "sub-3", 0)

        assert delivery.pending == 2

    def test_that_fails_again_is_given_up_again_with_its_id(self):
        delivery = Delivery(DeliveryTerms(attempts_max=1), settled=Settled(7))
        delivery.requeue(3, event(3), "sub-3", 0)
        (batch,) = delivery.due(0)
        _, item = delivery.failed(batch.partition, handled=0, error="E", now_ns=0, chance=0.5)
        delivery.buried(item)

        assert item.letter_id == "sub-3"
        assert (delivery.position, delivery.pending) == (7, 0)


class TestAnEventThatIsADeadLetterAlready:
    """By an append that an earlier life had sent."""

    def test_is_not_handed_over_whether_it_waits_or_is_still_to_come(self):
        delivery = Delivery(DeliveryTerms(partitions=1, batch_max=1), settled=Settled(0))
        for sequence in (1, 2):
            delivery.offer(sequence, event(sequence), 0)
        delivery.due(0)

        assert not any(delivery.died(sequence, f"e-{sequence}") for sequence in (2, 3))
        delivery.offer(3, event(3), 0)
        delivery.offer(4, event(4), 0)
        delivery.succeeded(0)
        (batch,) = delivery.due(0)
        assert [item.sequence for item in batch.items] == [4]
        assert delivery.position == 3

    def test_is_alone_taken_out_of_those_that_wait(self):
        delivery = Delivery(DeliveryTerms(partitions=1, batch_max=9), settled=Settled(7))
        delivery.requeue(9, event(9), "sub-9", 0)
        for sequence in (8, 9, 10):
            delivery.offer(sequence, event(sequence), 0)
        delivery.died(9, "e-9")
        (batch,) = delivery.due(0)

        assert [(item.sequence, item.letter_id) for item in batch.items] == [(9, "sub-9"), (8, ""), (10, "")]
        assert delivery.settled == Settled(10, frozenset((8, 10)))

    def test_is_none_if_it_is_of_the_newest_that_were_handled_up_to_where_an_earlier_life_may_have_been(self):
        delivery = Delivery(DeliveryTerms(partitions=1, window_max=2), settled=Settled(0), newest=4)
        for sequence in range(1, 6):
            delivery.offer(sequence, event(sequence), 0)
        delivery.due(0)
        delivery.succeeded(0)

        assert [delivery.died(sequence, f"e-{sequence}") for sequence in range(1, 6)] == [
            False,
            False,
            True,
            True,
            False,
        ]

    def test_goes_on_while_it_is_in_flight_and_is_none_if_it_was_handled(self):
        delivery = Delivery(DeliveryTerms(), settled=Settled(0))
        delivery.offer(1, event(1), 0)
        (batch,) = delivery.due(0)
        in_flight = delivery.died(1, "e-1")
        delivery.succeeded(batch.partition)

        assert not in_flight
        assert delivery.died(1, "e-1")
        assert (delivery.position, delivery.pending, delivery.handled) == (1, 0, 1)


class TestABatch:
    @pytest.mark.parametrize(("offered", "due_s"), [(1, 5), (2, 5), (3, 0)])
    def test_is_waited_for_until_it_is_whole_or_has_lingered(self, offered, due_s):
        delivery = Delivery(DeliveryTerms(partitions=1, batch_max=3, linger_s=5.0), settled=Settled(0))
        for sequence in range(1, offered + 1):
            delivery.offer(sequence, event(sequence), 0)

        assert delivery.next_ns() == due_s * SECOND_NS
        assert [len(batch.items) for batch in delivery.due(due_s * SECOND_NS)] == [offered]

    def test_is_not_waited_for_where_its_first_event_was_tried_before(self):
        terms = DeliveryTerms(partitions=1, batch_max=2, linger_s=5.0, retry_first_s=1.0)
        delivery = Delivery(terms, settled=Settled(0))
        for sequence in (1, 2):
            delivery.offer(sequence, event(sequence), 0)
        delivery.due(0)
        delivery.failed(0, handled=1, error="E", now_ns=0, chance=0.5, is_answered=False)

        assert delivery.next_ns() == SECOND_NS // 2
        assert [item.sequence for item in delivery.due(SECOND_NS // 2)[0].items] == [2]

    def test_that_was_handled_in_part_goes_on_where_it_ended_ahead_of_what_has_come_since(self):
        delivery = Delivery(DeliveryTerms(partitions=1, batch_max=3), settled=Settled(0))
        for sequence in (1, 2, 3):
            delivery.offer(sequence, event(sequence), 0)
        delivery.due(0)
        for sequence in (4, 5):
            delivery.offer(sequence, event(sequence), 0)
        delivery.succeeded(0, 1)

        assert [item.sequence for item in delivery.due(0)[0].items] == [2, 3, 4]

    def test_of_another_partition_comes_while_one_is_in_flight(self):
        delivery = Delivery(DeliveryTerms(partitions=256), settled=Settled(0))
        delivery.offer(1, event(1, "a"), 0)
        delivery.due(0)
        assert delivery.next_ns() is None
        delivery.offer(2, event(2, "b"), 0)

        assert delivery.next_ns() == 0


def test_an_event_whose_turn_comes_after_its_breaker_may_be_tried_is_waited_for():
    terms = DeliveryTerms(partitions=1, fail_max=1, reset_s=1.0, retry_first_s=10.0, retry_max_s=10.0)
    delivery = Delivery(terms, settled=Settled(0))
    delivery.offer(1, event(1), 0)
    (batch,) = delivery.due(0)
    delivery.failed(batch.partition, handled=0, error="E", now_ns=0, chance=0.5)

    assert (delivery.due(2 * SECOND_NS), delivery.breaker) == ((), "half-open")
    assert delivery.next_ns() > 2 * SECOND_NS
    assert len(delivery.due(delivery.next_ns())) == 1
    assert delivery.next_ns() is None


@pytest.mark.parametrize(("handled", "state"), [(0, "open"), (1, "closed")])
def test_what_was_handled_before_a_failure_ends_a_row_of_failures(handled, state):
    delivery = Delivery(DeliveryTerms(partitions=256, batch_max=2, fail_max=2, attempts_max=9), settled=Settled(0))
    for sequence in range(1, 5):
        delivery.offer(sequence, event(sequence, "ab"[sequence % 2]), 0)
    first, second = delivery.due(0)
    for batch, done in ((first, 0), (second, handled)):
        delivery.failed(batch.partition, handled=done, error="E", now_ns=0, chance=0.5)

    assert delivery.breaker == state


def test_one_partition_waits_for_another_only_while_a_single_try_is_out():
    delivery = Delivery(
        DeliveryTerms(partitions=256, batch_max=1, fail_max=1, attempts_max=9, reset_s=1.0), settled=Settled(0)
    )
    delivery.offer(1, event(1, "a"), 0)
    (first,) = delivery.due(0)
    delivery.offer(2, event(2, "b"), 0)
    (second,) = delivery.due(0)
    assert (first.items[0].sequence, second.items[0].sequence) == (1, 2)
    delivery.failed(first.partition, handled=0, error="E", now_ns=0, chance=0.5)
    delivery.succeeded(second.partition)
    delivery.offer(3, event(3, "c"), 0)

    assert delivery.breaker == "open"
    assert len(list(delivery.due(1_000 * SECOND_NS))) == 1
    assert (delivery.breaker, list(delivery.due(1_000 * SECOND_NS))) == ("half-open", [])
