"""Durable subscriptions over the journal, from process to process."""

import queue
import threading

import msgspec
import pytest
from natya_events import Invoiced, Over, numbers_of
from natya_processes import WAIT_S, await_that

from natya.domain.events.catalog import write
from natya.domain.events.dead_letters import DeadLetterBook
from natya.domain.time import SECOND_NS
from natya.messages.delivery import (
    ChangeDeadLetters,
    DeadLettersChangeDone,
    DeliveryTerms,
    ListDeadLetters,
    SubscriptionMoved,
)
from natya.messages.journal import Append, ReadJournal
from natya.messages.orders import OrderAccepted
from natya.messages.system import Ping

QUICK = DeliveryTerms(attempts_max=2, retry_first_s=0.0, retry_max_s=0.0, fail_max=100, reset_s=0.0)


class TestADurableSubscriber:
    def test_goes_on_where_it_was_in_another_process(self, path):
        heard = queue.SimpleQueue()
        with Over(path) as first:
            with first.subscriber.of(Invoiced).handle_durably("billing", heard.put):
                first.publish(1, 2)
                before = numbers_of(heard, 2)
            first.publish(3)
            first.end()
        with Over(path) as second:
            second.publish(4)
            second.subscriber.of(Invoiced).handle_durably("billing", heard.put)
            after = numbers_of(heard, 2)
            second.publish(5)
            after += numbers_of(heard, 1)

        assert (before, after) == ([1, 2], [3, 4, 5])
        assert heard.empty()

    def test_that_has_nothing_to_do_writes_nothing(self, over):
        heard = queue.SimpleQueue()
        over.subscriber.of(Invoiced).handle_durably("billing", heard.put)
        over.publish(1, 2)
        numbers_of(heard, 2)

        for _ in range(300):  # as many turns: a place that is kept for one that was kept would fill them
            over.request("journal", Ping())

        moved = over.request("journal", ReadJournal(after_sequence=0, records_max=1_000, types=("SubscriptionMoved",)))
        assert len(moved.records) <= 4

    def test_is_subscribed_when_it_is_told_so_also_while_delivery_still_reads_the_journal(self, path):
        for number in range(20):
            heard = queue.SimpleQueue()
            with Over(path / str(number)) as over:
                over.subscriber.of(Invoiced).handle_durably("billing", heard.put)
                over.publish(1)
                assert numbers_of(heard, 1) == [1]

    def test_begins_with_the_next_event_or_with_the_oldest(self, over):
        late, whole = queue.SimpleQueue(), queue.SimpleQueue()
        over.publish(1)
        over.subscriber.of(Invoiced).handle_durably("late", late.put)
        over.subscriber.of(Invoiced).handle_durably("whole", whole.put, begins="oldest")
        over.publish(2)

        assert numbers_of(whole, 2) == [1, 2]
        assert numbers_of(late, 1) == [2]

    def test_hears_the_facts_of_the_system_as_they_are(self, over):
        heard = queue.SimpleQueue()
        over.subscriber.of(OrderAccepted).handle_durably("orders", heard.put)
        fact = OrderAccepted(client_order_id="a-1", broker_order_id="X-1", occurred_ns=5)

        over.request("journal", Append(facts=(fact,)))

        assert heard.get(timeout=WAIT_S) == fact

    def test_handles_an_event_once_that_is_published_twice_also_after_a_restart(self, path):
        heard = queue.SimpleQueue()
        with Over(path) as first:
            with first.subscriber.of(Invoiced).handle_durably("billing", heard.put):
                (event,) = first.publish(1)
                first.publisher.publish(event).result()
                first.publish(2)
                before = numbers_of(heard, 2)
            first.end()
        with Over(path) as second:
            second.subscriber.of(Invoiced).handle_durably("billing", heard.put)
            second.publisher.publish(event).result()
            second.publish(3)
            after = numbers_of(heard, 1)
            duplicates = second.status().duplicates

        assert (before, after) == ([1, 2], [3])
        assert duplicates == 1

    def test_has_only_so_many_in_memory_and_the_rest_in_the_journal(self, over):
        heard, begun, gate = queue.SimpleQueue(), threading.Event(), threading.Event()

        def handle(event):
            begun.set()
            gate.wait(WAIT_S)
            heard.put(event)

        terms = DeliveryTerms(pending_max=10, batch_max=3)
        over.subscriber.of(Invoiced).handle_durably("billing", handle, terms=terms)
        over.publish(*range(100))
        assert begun.wait(WAIT_S)
        held = over.status()
        gate.set()

        assert held.pending == 10
        assert numbers_of(heard, 100) == list(range(100))

    def test_that_is_slow_in_one_key_is_not_in_others(self, over):
        heard, gate = queue.SimpleQueue(), threading.Event()

        def handle(event):
            if event.aggregate_id == "slow":
                gate.wait(WAIT_S)
            heard.put(event)

        terms = DeliveryTerms(partitions=64)
        over.subscriber.of(Invoiced).handle_durably("billing", handle, terms=terms)
        over.publish(1, key="slow")
        over.publish(2, key="quick")
        first = numbers_of(heard, 1)
        gate.set()

        assert first == [2]
        assert numbers_of(heard, 1) == [1]

    def test_keeps_what_is_open_alone_of_much_that_is_done_behind_it(self, path):
        heard, again = queue.SimpleQueue(), queue.SimpleQueue()

        def handle(event):
            if event.number == 1:
                raise ValueError("not yet")
            heard.put(event)

        patient = DeliveryTerms(partitions=1, retry_first_s=1_000.0, retry_max_s=1_000.0)
        with Over(path) as first:
            first.subscriber.of(Invoiced).handle_durably("billing", handle, terms=patient)
            first.publish(1, key="poor")
            first.publish(*range(2, 302))
            assert numbers_of(heard, 300) == [*range(2, 302)]
            await_that(lambda: first.status().pending == 1)
            first.end()
        with Over(path) as second:
            moved = second.records("SubscriptionMoved")[-1].fact
            second.subscriber.of(Invoiced).handle_durably("billing", again.put)
            second.publish(302)
            after = numbers_of(again, 2)

        assert (len(moved.open), moved.position, moved.done) == (1, moved.open[0] - 1, ())
        assert moved.upto >= moved.open[0] + 300
        assert sorted(after) == [1, 302]
        assert again.empty()

    def test_goes_on_where_an_earlier_release_has_written_it_to_be(self, over):
        heard = queue.SimpleQueue()
        over.publish(1, 2, 3)
        second = over.records("EventPublished")[1].sequence
        fact = SubscriptionMoved(subscription="billing", position=0, done=(second,))
        over.request("journal", Append(facts=(fact,)))
        over.subscriber.of(Invoiced).handle_durably("billing", heard.put)

        assert numbers_of(heard, 2) == [1, 3]

    def test_may_be_a_coroutine_function(self, over):
        heard = queue.SimpleQueue()

        async def handle(event):
            heard.put(event)

        over.subscriber.of(Invoiced).handle_durably("billing", handle)
        over.publish(1, 2)

        assert numbers_of(heard, 2) == [1, 2]

    def test_that_takes_too_long_has_each_event_once_when_it_is_done(self, over):
        heard, begun, go_on = queue.SimpleQueue(), queue.SimpleQueue(), threading.Event()

        def handle(event):
            begun.put(event)
            go_on.wait(WAIT_S)
            heard.put(event)

        terms = msgspec.structs.replace(QUICK, attempts_max=1_000, handling_s=0.01, fail_max=1_000)
        over.subscriber.of(Invoiced).handle_durably("billing", handle, terms=terms)
        over.publish(1, 2)
        begun.get(timeout=WAIT_S)
        await_that(lambda: over.status().retries >= 3)
        go_on.set()
        await_that(lambda: over.status().handled == 2)

        assert numbers_of(heard, 2) == [1, 2]
        assert heard.empty()

    def test_may_end_by_its_own_handler_and_what_that_has_had_is_settled(self, over):
        heard = queue.SimpleQueue()

        def handle(event):
            if event.number == 2:
                listening.close()
                for name in (listening.name, listening.name, "delivery"):  # it looks again and again whether it may end
                    over.request(name, Ping())
            heard.put(event)

        listening = over.subscriber.of(Invoiced).handle_durably("billing", handle)
        ended = over.watch(listening.name)
        over.publish(1, 2)
        ended.result(WAIT_S)
        over.publish(3)
        over.subscriber.of(Invoiced).handle_durably("billing", heard.put)

        assert numbers_of(heard, 3) == [1, 2, 3]
        assert heard.empty()

    def test_goes_on_after_a_restart_of_delivery(self, over, monkeypatch):
        heard = queue.SimpleQueue()
        over.subscriber.of(Invoiced).handle_durably("billing", heard.put)
        over.publish(1)
        before = numbers_of(heard, 1)
        with monkeypatch.context() as patch:
            patch.setattr(DeadLetterBook, "find", None)
            over.tell("delivery", ListDeadLetters())
            await_that(lambda: over.base.find("delivery").failures == 1)
        over.publish(2)
        after = numbers_of(heard, 1)

        assert (before, after) == ([1], [2])


class TestAnEventThatFailsToTheEnd:
    @pytest.fixture
    def dead(self, over):
        """Number 2 is not handled while `broken` is set."""
        heard, broken = queue.SimpleQueue(), threading.Event()
        broken.set()

        def handle(event):
            if event.number == 2 and broken.is_set():
                raise ValueError("no such customer")
            heard.put(event)

        over.subscriber.of(Invoiced).handle_durably("billing", handle, terms=QUICK)
        over.publish(1, 2, 3)
        assert numbers_of(heard, 2) == [1, 3]
        return over, heard, broken

    def test_is_a_dead_letter_with_its_bytes_and_why_and_holds_nothing_up(self, dead):
        over, _, _ = dead

        (letter,) = over.letters().letters

        assert (letter.subscription, letter.error, letter.reason) == ("billing", "ValueError", "no such customer")
        assert (letter.attempts, letter.event.event_type) == (2, "Invoiced")
        assert msgspec.msgpack.decode(letter.event.payload) == {"number": 2}
        assert "in handle" in letter.traceback
        assert letter.last_failed_ns - 60 * SECOND_NS < letter.first_failed_ns <= letter.last_failed_ns
        assert over.request("delivery", Ping()).statistics.dead_letters == 1

    @staticmethod
    def kept(over):
        """The numbers in the letters that there are."""
        return sorted(msgspec.msgpack.decode(each.event.payload)["number"] for each in over.letters().letters)

    @staticmethod
    def expired(caplog):
        """How many letters were told to be too old, or too many."""
        return sum(each.fields["letters"] for each in caplog.records if each.message == "dead_letters.expired")

    @pytest.mark.parametrize(
        ("settings", "left"),
        [({}, [1, 2, 3]), ({"letters_max": 2}, [2, 3]), ({"letters_days": 0}, [])],
        ids=["few and new", "too many", "too old"],
    )
    def test_is_kept_until_it_is_old_or_there_are_too_many(self, path, caplog, monkeypatch, settings, left):
        monkeypatch.setattr("natya.actors.events.delivery.actor.EXPIRE_EVERY_S", 0.01)

        def refuse(_event):
            raise ValueError("no such customer")

        with Over(path, **settings) as over:
            over.subscriber.of(Invoiced).handle_durably("billing", refuse, terms=QUICK)
            over.publish(1, 2, 3)
            await_that(lambda: len(over.records("EventDeadLettered")) == 3)
            await_that(lambda: self.expired(caplog) == 3 - len(left))  # a letter may be durable and not in the book yet
            await_that(lambda: self.kept(over) == left)
            changes = [record.fact.change for record in over.records("DeadLettersChanged")]

        assert (self.expired(caplog), {*changes}) == (3 - len(left), {"expired"} if len(left) < 3 else set())

    def test_is_handled_when_it_was_requeued_and_is_none_any_more(self, dead):
        over, heard, broken = dead
        broken.clear()
        (letter,) = over.letters().letters
        requeue = ChangeDeadLetters(letter_ids=(letter.letter_id,), change="requeued")

        answers = [over.request("delivery", requeue) for _ in range(2)]
        handled = numbers_of(heard, 1)
        over.publish(4)
        numbers_of(heard, 1)

        assert answers == [DeadLettersChangeDone(changed=1), DeadLettersChangeDone(changed=0)]
        assert handled == [2]
        assert over.letters().found == 0

    def test_again_after_it_was_requeued_has_failed_since_the_first_time(self, dead):
        over, _, _ = dead
        (first,) = over.letters().letters
        over.request("delivery", ChangeDeadLetters(letter_ids=(first.letter_id,), change="requeued"))
        await_that(lambda: not (now := over.letters()).requeued and now.letters[0].attempts > first.attempts)
        (again,) = over.letters().letters

        assert (again.letter_id, again.attempts) == (first.letter_id, 4)
        assert again.first_failed_ns == first.first_failed_ns
        assert again.last_failed_ns > first.last_failed_ns

    def test_can_be_requeued_with_other_fields(self, dead):
        over, heard, _ = dead
        (letter,) = over.letters().letters
        payload = write(Invoiced(aggregate_id="customer-1", number=20)).payload

        over.request("delivery", ChangeDeadLetters(letter_ids=(letter.letter_id,), change="requeued", payload=payload))

        assert numbers_of(heard, 1) == [20]

    @pytest.mark.parametrize(
        ("change", "extra"),
        [("requeued", ("none",)), ("dropped", ())],
        ids=["one of two", "one to be dropped"],
    )
    def test_is_not_changed_by_fields_that_are_not_for_it_alone(self, dead, change, extra):
        over, _, _ = dead
        (letter,) = over.letters().letters
        payload = write(Invoiced(aggregate_id="customer-1", number=20)).payload

        answer = over.request(
            "delivery", ChangeDeadLetters(letter_ids=(letter.letter_id, *extra), change=change, payload=payload)
        )

        assert answer == DeadLettersChangeDone(
            changed=0, refusal="one dead letter that is requeued with other fields wanted"
        )
        assert over.letters().letters == (letter,)
        assert over.records("DeadLettersChanged") == ()

    @pytest.mark.parametrize("payload", [b"\xc1", b"\x01"], ids=["no msgpack", "no map"])
    def test_is_not_requeued_with_what_are_no_fields(self, dead, payload):
        over, _, _ = dead

        answer = over.request(
            "delivery", ChangeDeadLetters(letter_ids=("billing-1",), change="requeued", payload=payload)
        )

        assert "a map of msgpack wanted" in answer.refusal
        assert over.letters().requeued == ()

    def test_is_gone_when_it_was_dropped(self, dead):
        over, heard, _ = dead
        (letter,) = over.letters().letters

        answer = over.request("delivery", ChangeDeadLetters(letter_ids=(letter.letter_id, "none"), change="dropped"))

        assert answer == DeadLettersChangeDone(changed=1)
        assert over.letters().found == 0
        assert heard.empty()

    def test_is_still_there_in_the_next_process_and_handled_there_if_it_was_requeued(self, dead, path):
        over, heard, broken = dead
        over.publish(2)
        over.publish(5)
        numbers_of(heard, 1)
        first, second = over.letters().letters
        over.stop("durable-billing")
        over.request("delivery", ChangeDeadLetters(letter_ids=(second.letter_id,), change="requeued"))
        over.end()
        broken.clear()
        with Over(path) as again:
            there = again.letters()
            again.subscriber.of(Invoiced).handle_durably("billing", heard.put, terms=QUICK)
            handled = numbers_of(heard, 1)

        assert [letter.letter_id for letter in there.letters] == [first.letter_id, second.letter_id]
        assert there.requeued == (second.letter_id,)
        assert handled == [2]

    def test_that_cannot_be_read_is_one_at_once(self, over):
        heard = queue.SimpleQueue()
        over.subscriber.of(Invoiced).handle_durably("billing", heard.put)
        broken = msgspec.structs.replace(write(Invoiced(aggregate_id="c", number=1)), event_id="e-1", payload=b"\xc1")
        over.request("journal", Append(facts=(broken,)))
        over.publish(2, key="c")

        assert numbers_of(heard, 1) == [2]
        (letter,) = over.letters().letters
        assert (letter.attempts, letter.error, letter.event.payload) == (1, "EventUndecodableError", b"\xc1")
