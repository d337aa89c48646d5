"""What belongs together, and what caused what, across mailboxes."""

import threading

import msgspec
import pytest

from natya.actors.runtime import InProcessSystem, InProcessSystemBase, RuntimeActor, handles
from natya.actors.runtime.trace import NO_CONVERSATION, correlation_of
from natya.domain.trace_context import place_of, traceparent
from natya.messages.system import Ping
from natya.messages.trace import ReadTrace, TraceRead


class Step(msgspec.Struct, frozen=True):
    """Go through these actors, in order, and answer from the last one."""

    through: tuple[str, ...]


class Walker(RuntimeActor):
    @handles(Step)
    def go_on(self, step, sender):
        self.settings.append((self.name, self.correlation_id, self.causation_id))
        if step.through:
            self.ask(
                step.through[0], Step(step.through[1:]), timeout_s=5, then=lambda heard: self.answer(heard, sender)
            )
        else:
            self.send(sender, "there")

    def answer(self, heard, sender):
        self.settings.append((self.name, self.correlation_id, "answer"))
        self.send(sender, heard.unwrap())


class Keeper(RuntimeActor):
    """Answers each who asked later, under the trace of the question; and asks itself by a timer, and offloads."""

    def on_start(self):
        self.kept = []

    @handles(str)
    def keep(self, word, sender):
        if word == "answer all":
            for each, trace in self.kept:
                self.trace = trace
                self.send(each, self.correlation_id)
        elif word == "offload":
            self.offload(threading.get_ident, then=lambda _: self.send(sender, self.correlation_id))
        elif word == "later":
            self.sender = sender
            self.after(0.0, 1)
        else:
            self.kept.append((sender, self.trace))

    @handles(int)
    def hear_timer(self, _number, _sender):
        self.send(self.sender, self.correlation_id)

    @handles(bytes)
    def fail(self, _message, _sender):
        raise ValueError("broke")


@pytest.fixture
def every():
    return 1_024


@pytest.fixture
def system(every):
    with InProcessSystem(InProcessSystemBase(seed=1, trace_every=every)) as running:
        yield running


@pytest.fixture
def hops(system):
    """What was recorded of a conversation, once the actor that answered has ended its turn."""

    def hops(correlation_id="", *, last):
        system.request(last, Ping())
        return system.trace(correlation_id)

    return hops


@pytest.fixture
def met():
    """Who handled what under which trace, in order."""
    return []


@pytest.fixture
def walkers(system, met):
    for name in ("first", "second", "third"):
        system.start(name, Walker, met)


class TestARequestWithoutAName:
    def test_has_one_number_in_every_mailbox_it_leads_to(self, system, walkers, met):
        system.request("first", Step(("second", "third")))

        (number,) = {correlation_id for _, correlation_id, _ in met}
        assert int(number) > 0
        assert system.trace() == ()

    def test_has_another_number_than_the_next_one(self, system, walkers, met):
        system.request("first", Step(()))
        system.request("first", Step(()))

        assert met[0][1] != met[1][1]

    @pytest.mark.parametrize("every", [4])
    def test_is_recorded_once_in_so_many(self, system, walkers, hops):
        for _ in range(40):
            system.request("first", Step(("second",)))

        recorded = {hop.correlation_id for hop in hops(last="first")}
        assert len(recorded) == 10


class TestATellWithoutAName:
    @pytest.mark.parametrize("every", [4])
    def test_is_recorded_once_in_so_many(self, system, walkers, hops):
        for _ in range(40):
            system.tell("first", Step(()))

        assert len({hop.correlation_id for hop in hops(last="first")}) in {10, 11}  # and the question for the hops


class TestARequestWithAName:
    def test_leaves_a_hop_for_each_message_with_the_hop_that_caused_it(self, system, walkers, hops):
        system.request("first", Step(("second", "third")), correlation_id="A-1")

        found = {(hop.actor, hop.message_type): hop for hop in hops("A-1", last="first")}
        assert set(found) == {
            ("first", "Step"),
            ("second", "Step"),
            ("third", "Step"),
            ("second", "OutcomeArrived"),
            ("first", "OutcomeArrived"),
        }
        ids = {key: hop.hop_id for key, hop in found.items()}
        assert found["first", "Step"].causation_id == 0
        assert found["second", "Step"].causation_id == ids["first", "Step"]
        assert found["third", "Step"].causation_id == ids["second", "Step"]
        assert found["second", "OutcomeArrived"].causation_id == ids["second", "Step"]

    def test_tells_an_actor_what_it_belongs_to(self, system, walkers, met, hops):
        system.request("first", Step(("second",)), correlation_id="A-1")

        assert {correlation_id for _, correlation_id, _ in met} == {"A-1"}
        (first,) = [hop for hop in hops("A-1", last="first") if (hop.actor, hop.message_type) == ("first", "Step")]
        assert met[1] == ("second", "A-1", first.hop_id)

    def test_tells_how_long_each_message_waited_and_was_handled(self, system, walkers, hops):
        system.request("first", Step(("second",)), correlation_id="A-1")

        for hop in hops("A-1", last="first"):
            assert 0 < hop.sent_ns <= hop.begun_ns <= hop.ended_ns
            assert not hop.failed

    def test_tells_which_handler_raised(self, system, hops):
        system.start("keeper", Keeper)
        system.request("keeper", b"", correlation_id="A-1")

        (hop,) = hops("A-1", last="keeper")
        assert (hop.actor, hop.message_type, hop.failed) == ("keeper", "bytes", True)

    def test_goes_on_through_an_offloaded_job(self, system):
        system.start("keeper", Keeper)

        assert system.request("keeper", "offload", correlation_id="A-1") == "A-1"

    def test_does_not_go_on_through_a_timer(self, system):
        """One that renews itself would belong to its first cause for ever."""
        system.start("keeper", Keeper)

        assert system.request("keeper", "later", correlation_id="A-1") != "A-1"

    def test_is_answered_under_its_own_name_by_one_who_kept_it(self, system):
        system.start("keeper", Keeper)
        answers = [system.request_future("keeper", "keep", correlation_id=name) for name in ("A-1", "A-2", "")]
        system.tell("keeper", "answer all")

        assert [answer.result(5) for answer in answers[:2]] == ["A-1", "A-2"]
        assert answers[2].result(5).isdecimal()

    def test_can_be_read_by_message(self, system, walkers, hops):
        system.request("first", Step(()), correlation_id="A-1")

        (hop,) = hops("A-1", last="first")
        answer = system.request("second", ReadTrace(correlation_id="A-1"))
        assert isinstance(answer, TraceRead)
        assert [each.hop_id for each in answer.hops] == [hop.hop_id]

    def test_is_read_in_part_if_so_much_is_not_wanted(self, system, walkers):
        for number in range(5):
            system.request("first", Step(()), correlation_id=f"A-{number}")
        system.request("first", Ping())  # what is answered is recorded a little later

        read = {wanted: system.request("second", ReadTrace(hops_max=wanted)).hops for wanted in (0, 2, 5, 100)}

        assert [hop.correlation_id for hop in read[2]] == ["A-3", "A-4"]
        assert {wanted: len(hops) for wanted, hops in read.items()} == {0: 0, 2: 2, 5: 5, 100: 5}

    def test_is_forgotten_when_newer_hops_need_the_place(self, system, walkers, monkeypatch):
        monkeypatch.setattr("natya.actors.runtime.trace.HOPS_MAX", 3)
        with InProcessSystem() as small:
            small.start("first", Walker, [])
            for number in range(5):
                small.request("first", Step(()), correlation_id=f"A-{number}")

            small.request("first", Ping())
            assert [hop.correlation_id for hop in small.trace()] == ["A-2", "A-3", "A-4"]


class TestWhereNothingIsRecorded:
    @pytest.fixture
    def every(self):
        return 0

    def test_a_name_goes_with_all_messages_and_leaves_no_hop(self, system, walkers, met, hops):
        system.request("first", Step(("second", "third")), correlation_id="A-1")

        assert [(name, correlation_id) for name, correlation_id, _ in met] == [
            (name, "A-1") for name in ("first", "second", "third", "second", "first")
        ]
        assert hops("A-1", last="first") == ()

    def test_no_conversation_without_a_name_is_either(self, system, walkers, hops):
        for _ in range(3):
            system.request("first", Step(()))

        assert hops(last="first") == ()


class TestAConversationThatIsTakenUp:
    def test_goes_on_behind_its_newest_hop(self, system, met, hops):
        class Joiner(Walker):
            @handles(float)
            def join(self, _number, sender):
                self.join_trace("A-1")
                self.send("first", Step(()))
                self.send(sender, "sent")

            @handles(str)
            def hear(self, _word, _sender):
                """Arrived."""

        system.start("first", Walker, met)
        system.start("joiner", Joiner, met)
        system.request("first", Step(()), correlation_id="A-1")
        (begun,) = hops("A-1", last="first")
        system.request("joiner", 1.0)

        newest = [hop for hop in hops("A-1", last="first") if hop.actor == "first"][-1]
        assert newest.causation_id == begun.hop_id


class TestWhatHasNoName:
    """A fact of a supervisor, for one, belongs to no order."""

    def test_is_a_conversation_of_its_own_each_time(self, system, met):
        class Joiner(Walker):
            @handles(float)
            def join(self, _number, sender):
                self.join_trace("")
                self.send(sender, self.correlation_id)

        system.start("joiner", Joiner, met)
        first, second = system.request("joiner", 1.0), system.request("joiner", 1.0)

        assert first.isdecimal()
        assert first != second
        assert system.trace() == ()


class TestAMessageThatDies:
    def test_keeps_its_correlation_in_the_dead_letter(self, system, caplog):
        system.start("keeper", Keeper)
        system.request("keeper", b"", correlation_id="A-1")
        system.request("keeper", Ping())

        (letter,) = system.base.dead_letters.last
        assert (letter.error, letter.correlation_id) == ("ValueError", "A-1")
        assert "A-1" in {getattr(record, "correlation_id", "") for record in caplog.records}


class TestWhatIsNew:
    def test_is_told_once_from_the_first_question_on_with_what_other_processes_recorded(self, system, met):
        tracer = system.base.tracer
        system.start("first", Walker, met)
        system.request("first", Step(()), correlation_id="A-0")
        assert tracer.new_hops() == ()
        system.request("first", Step(()), correlation_id="A-1")
        (hop,) = [hop for hop in tracer.new_hops() if hop.actor == "first"]
        tracer.add([hop])

        assert hop.correlation_id == "A-1"
        assert [each.correlation_id for each in tracer.new_hops()] == ["A-1"]
        assert tracer.new_hops() == ()

    def test_names_the_place_of_a_handler_for_other_systems_and_none_where_nothing_is_recorded(self, system, met):
        class Caller(Walker):
            @handles(float)
            def call(self, _number, sender):
                self.send(sender, self.traceparent)

        system.start("caller", Caller, met)
        unnamed, named = system.request("caller", 1.0), system.request("caller", 1.0, correlation_id="A-1")
        (hop,) = [hop for hop in system.trace("A-1") if hop.actor == "caller"]

        assert unnamed == ""
        assert named == traceparent(place_of("A-1", hop.hop_id))


def test_what_is_of_no_conversation_has_no_name():
    assert (correlation_of(NO_CONVERSATION), correlation_of(7)) == ("", "7")
