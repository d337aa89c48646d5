"""What lies between a parent and its worker process, without one: frames, addresses, the link, the assignment."""

import contextlib
import itertools
import socket
import threading
from types import SimpleNamespace
from typing import Annotated

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_builders import a_tick
from natya_messages import ill_typed, messages

from natya.actors.runtime import RuntimeActor, restart_helps
from natya.actors.runtime.trace import Stamp
from natya.actors.runtime.workers import NotHostableError, WorkerRefusedError, assignment, wire
from natya.actors.runtime.workers import link as link_module
from natya.actors.runtime.workers.addresses import Addresses, Far
from natya.actors.runtime.workers.link import Link, LinkError
from natya.actors.runtime.workers.own_types import Own, OwnTypes
from natya.config.sections.strategy import StrategySettings
from natya.messages import codec
from natya.messages.codec import MESSAGE_TYPES, UndecodableMessageError
from natya.messages.framing import framed
from natya.messages.orders import CancelOrder


def do(command):
    return CancelOrder(client_order_id=command)


class TestTheWire:
    def test_a_frame_reads_as_it_was_written(self):
        traces = [1, Stamp("A-1", 2, 3)]
        letters = wire.letters("orders", 0, wants_answer=False, messages=[a_tick(), do("x")], traces=traces)
        frame = wire.Frame([letters, wire.Handled(5)], 3)

        assert wire.read(wire.write(frame)[wire.LENGTH_BYTES :]) == frame
        assert wire.messages_of(letters) == wire.messages_apart(letters) == [a_tick(), do("x")]

    @given(st.lists(st.sampled_from(MESSAGE_TYPES).flatmap(lambda kind: messages(kind) | ill_typed(kind)), max_size=5))
    def test_reads_of_each_message_what_the_codec_would_or_that_it_cannot(self, sent):
        frames = {index: frame for index, message in enumerate(sent) if (frame := as_frame(message)) is not None}
        writable = [sent[index] for index in frames]
        letters = wire.letters(0, 0, wants_answer=False, messages=writable, traces=[0] * len(writable))

        assert repr(wire.messages_apart(letters)) == repr([*map(as_read, frames.values(), writable)])


class Word(msgspec.Struct, frozen=True):
    """A user's own."""

    text: str
    count: Annotated[int, msgspec.Meta(ge=0)] = 0


class Opaque(msgspec.Struct, frozen=True):
    """With a field that msgspec cannot read."""

    either: Word | dict[str, str] | tuple[int, ...] | list[int]


class TestMessagesOfTheActorsAuthor:
    own = OwnTypes([Word, CancelOrder])

    def letters(self, *messages):
        traces = [0] * len(messages)
        return wire.letters(0, 0, wants_answer=False, messages=[*messages], traces=traces, own=self.own)

    def test_travel_among_natyas_in_their_order(self):
        sent = [a_tick(), Word("a", 1), do("x"), Word("b")]

        assert wire.messages_apart(self.letters(*sent), self.own) == sent

    def test_cost_nothing_where_none_is_sent(self):
        letters = self.letters(do("x"))

        assert not letters.own
        assert wire.messages_of(letters) == [do("x")]

    def test_are_read_with_the_types_and_ranges_of_their_class(self):
        wrong, right = wire.messages_apart(self.letters(Word("a", -1), Word("b", 1)), self.own)

        assert (wrong.kind, right) == ("Word", Word("b", 1))
        assert "Expected `int` >= 0 - at `$.count`" in wrong.reason

    def test_are_none_where_the_actor_does_not_name_them(self):
        (of_another,) = wire.messages_apart(self.letters(Word("a")), OwnTypes())
        (unnamed,) = wire.messages_apart(wire.letters(0, 0, wants_answer=False, messages=[Word("a")], traces=[0]))

        assert of_another.kind == "Word"
        assert of_another.reason.startswith("one of the actor's wire_types is wanted")
        assert "none of natya.messages, nor one that the actor's wire_types names" in unnamed.reason

    @given(st.binary(max_size=40))
    def test_make_nothing_of_whatever_a_frame_says(self, found):
        packed = msgspec.msgpack.encode([Own("os:abort", found), Own(f"{__name__}:Word", found)])
        first, second = wire.messages_apart(wire.Letters(0, 0, False, packed, [0, 0], own=True), self.own)

        assert isinstance(first, wire.Unreadable)
        assert isinstance(second, wire.Unreadable | Word)

    @pytest.mark.parametrize("wrong", [int, "Word", Word("a"), Opaque])
    def test_are_structs_that_can_be_read(self, wrong):
        with pytest.raises(NotHostableError, match="wire_types"):
            OwnTypes([wrong])


def as_frame(message):
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        return codec.encode(message)
    return None


def as_read(frame, message):
    try:
        return codec.decode(frame)
    except UndecodableMessageError as fault:
        return wire.Unreadable(type(message).__name__, str(fault))


class Sender:
    def __init__(self, name, *, wants_answer):
        self.name, self.wants_answer = name, wants_answer


class TestAddressesByNumber:
    @given(
        steps=st.lists(st.tuples(st.sampled_from(["number", "find"]), st.integers(0, 5)), max_size=40),
        most=st.integers(2, 6),
    )
    def test_are_found_by_it_once_or_ever_again_as_far_as_they_are_remembered(self, steps, most):
        actor, addresses = object(), Addresses()
        addresses.be(actor)
        senders = [Sender(name, wants_answer=name % 2 == 0) for name in range(6)]
        known, given_before = {}, set()  # the number of each, the oldest first
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("natya.actors.runtime.workers.addresses.NUMBERED_MAX", most)
            for step, place in steps:
                sender = senders[place]
                if step == "number":
                    number = addresses.number(sender)
                    if sender not in known:
                        assert number not in given_before | {wire.ACTOR}
                        given_before.add(number)
                        known[sender] = number
                        if len(known) > most:
                            del known[next(iter(known))]
                    assert number == known[sender]
                elif sender in known:
                    assert addresses.find(known[sender]) is sender
                    if sender.wants_answer:
                        number = known.pop(sender)
                        assert addresses.find(number) is None
                assert (addresses.number(actor), addresses.find(wire.ACTOR)) == (wire.ACTOR, actor)
        assert all(addresses.find(number) is None for number in given_before - {*known.values()})


class TestAnAddressOfTheOtherProcess:
    def test_is_a_guest_s_and_may_say_what_the_actor_may_whose_it_is(self):
        actor = SimpleNamespace(guest=True, says=frozenset({CancelOrder}), name="dip")
        of_it, of_the_parent = (Far(3, print, wants_answer=True, of=each) for each in (actor, None))

        assert (of_it.guest, of_it.says, of_it.name, of_it.target) == (True, actor.says, "dip", 3)
        assert (of_the_parent.guest, of_the_parent.says, of_the_parent.name) == (False, None, "3")
        assert not Far(3, print, wants_answer=True, of=SimpleNamespace(guest=False, says=None)).guest
        assert (of_it.background, of_the_parent.background) == (False, False)

    def test_sends_each_message_with_itself_and_says_what_it_is(self):
        sent = []
        far = Far("orders", lambda *each: sent.append(each), wants_answer=False, background=True)
        far.deliver(do("x"), far, 7)

        assert sent == [(far, (do("x"), far, 7))]
        assert (far.background, far.wants_answer, repr(far)) == (True, False, "<far orders>")


class TestALink:
    @pytest.fixture
    def ends(self):
        """Both ends, what was unsendable, and what was shipped."""
        unsendable, shipped = [], []
        sockets = socket.socketpair()
        links = [
            Link(
                end, Addresses(), unsendable=lambda *letter: unsendable.append(letter),
                shipped=lambda *frame: shipped.append(frame),
            )
            for end in sockets
        ]  # fmt: skip
        yield *links, unsendable, shipped
        for link in links:
            link.hang_up()
        for link in links:
            link.close()

    def test_sends_in_order_all_but_what_has_no_wire_form_and_counts_that_too(self, ends):
        here, there, unsendable, _ = ends
        sent = [a_tick(sequence) for sequence in range(1, 101)]
        bad = msgspec.structs.replace(sent[40], symbol="\udc80")
        here.put((0, [(message, None, 7) for message in [*sent[:40], bad, *sent[41:]]]))
        here.flush()
        here.finish()

        frames = list(there.frames())
        assert messages_of(frames) == [*sent[:40], *sent[41:]]
        assert frames[-1].mark == 100
        assert [(target, envelope) for target, envelope, _ in unsendable] == [(0, (bad, None, 7))]

    def test_halves_what_is_too_long_for_a_frame(self, ends, monkeypatch):
        monkeypatch.setattr(wire, "FRAME_BYTES_MAX", 500)
        here, there, unsendable, shipped = ends
        sent = [a_tick(sequence) for sequence in range(1, 101)]
        for tick in sent:
            here.put((0, [(tick, None, 7)]))
        here.put((0, [(do("x" * 600), None, 7)]))
        here.finish()

        assert messages_of(list(there.frames())) == sent
        assert [target for target, _, why in unsendable if "up to 500 bytes" in why] == [0]
        assert [envelope[0] for _, bundles in shipped for _, run in bundles for envelope in run] == sent

    def test_writes_the_rest_of_what_the_socket_does_not_take_at_once_though_nothing_else_comes(self, ends):
        here, there, _, _ = ends
        there._connection.settimeout(10)
        sender = Sender("ours", wants_answer=False)
        sender.guest = False
        long = do("x" * 3_000_000)  # more than a socket holds
        here.put((0, [(long, sender, 7)]))
        here.flush()
        assert here.waiting() == 0
        frames = []
        while not frames and (received := there.receive()) is not None:
            frames += received

        assert messages_of(frames) == [long]

    def test_gives_back_once_what_it_never_wrote(self, ends):
        here, _, _, _ = ends
        bundles = [(0, [(a_tick(sequence), None, 7)]) for sequence in (1, 2)]
        here.hang_up()
        for bundle in bundles:
            here.put(bundle)

        assert (here.take_unsent(), here.take_unsent()) == (bundles, [])

    def test_has_the_market_s_time_in_each_frame_where_it_has_a_market(self):
        for market, times in (
            (SimpleNamespace(rules=True, released_ns=5, time_ns=7), (5, 7)),
            (SimpleNamespace(rules=False, released_ns=5, time_ns=7), (5, None)),
            (None, (None, None)),
        ):
            here, there = (Link(end, Addresses(), unsendable=pytest.fail, market=market) for end in socket.socketpair())
            here.put((0, [(a_tick(), None, 7)]))
            here.finish()
            assert [(frame.released_ns, frame.market_ns) for frame in there.frames()] == [times]
            for link in (here, there):
                link.hang_up()
                link.close()

    def test_counts_messages_alone_and_marks_no_frame_without_one(self, ends):
        here, there, _, _ = ends
        here.put(wire.Alive())
        here.flush()
        here.put((0, [(a_tick(1), None, 7), (a_tick(2), None, 7)]))
        here.put(wire.Alive())
        here.finish()
        frames = list(there.frames())

        assert [frame.mark for frame in frames] == [0, 2]
        assert [type(parcel).__name__ for parcel in frames[1].parcels] == ["Letters", "Alive"]

    def test_has_letters_of_neighbours_of_one_sender_to_one_target(self, ends):
        here, there, _, _ = ends
        sender = Sender("asker", wants_answer=True)
        for target, of in ((0, None), (0, None), ("orders", None), ("orders", sender), (0, sender)):
            here.put((target, [(a_tick(), of, 7)]))
        here.put(wire.Alive())
        here.put((0, [(a_tick(), sender, 8)]))
        here.finish()
        (frame,) = there.frames()

        found = [
            (each.target, each.wants_answer, each.traces) if isinstance(each, wire.Letters) else each
            for each in frame.parcels
        ]
        assert found == [
            *((0, False, [7, 7]), ("orders", False, [7]), ("orders", True, [7]), (0, True, [7])),
            *(wire.Alive(), (0, True, [8])),
        ]

    @given(
        st.lists(
            st.tuples(st.sampled_from([0, "orders"]), st.lists(st.sampled_from("ab"), min_size=1, max_size=4)),
            max_size=6,
        )
    )
    def test_has_every_message_once_in_its_order_from_its_sender_to_its_target(self, bundles):
        senders = {name: Sender(name, wants_answer=False) for name in "ab"}
        addresses, numbers = Addresses(), itertools.count(1)
        here, there = (Link(end, addresses, unsendable=pytest.fail) for end in socket.socketpair())
        sent = []
        for target, of in bundles:
            run = [(next(numbers), senders[name]) for name in of]
            here.put((target, [(a_tick(number), sender, number) for number, sender in run]))
            sent += [(target, addresses.number(sender), number, number) for number, sender in run]
        here.finish()
        came = [
            (letters.target, letters.sender, message.sequence, trace)
            for frame in there.frames()
            for letters in frame.parcels
            for message, trace in zip(wire.messages_of(letters), letters.traces, strict=True)
        ]
        for link in (here, there):
            link.hang_up()
            link.close()

        assert came == sent

    def test_has_so_many_messages_in_a_frame(self, ends, monkeypatch):
        monkeypatch.setattr(link_module, "LETTERS_A_FRAME_MAX", 3)
        here, there, _, shipped = ends
        for sequence in range(1, 8):
            here.put((0, [(a_tick(sequence), None, 7)]))
        here.finish()

        assert [frame.mark for frame in there.frames()] == [3, 6, 7]
        assert [mark for mark, _ in shipped] == [3, 6, 7]

    @pytest.mark.parametrize(("guest", "is_sent"), [(True, False), (False, True)])
    def test_sends_no_guest_s_message_that_is_longer_than_one_may_be(self, ends, monkeypatch, guest, is_sent):
        monkeypatch.setattr(link_module, "MESSAGE_SIZE_MAX_BYTES", 100)
        here, there, unsendable, _ = ends
        sender = Sender("guest", wants_answer=False)
        sender.guest = guest
        long = do("x" * 100)
        here.put((0, [(do("x"), sender, 7), (long, sender, 7)]))
        here.finish()
        frames = list(there.frames())

        assert messages_of(frames) == [do("x"), long][: 1 + is_sent]
        assert frames[-1].mark == 2
        assert [why for _, _, why in unsendable] == [] if is_sent else ["a message has up to 100 bytes"]

    def test_writes_nothing_more_when_an_end_has_hung_up(self, ends):
        here, there, _, _ = ends
        there.hang_up()
        here.put((0, [(a_tick(1), None, 7)]))
        here.flush()
        here.put((0, [(a_tick(2), None, 7)]))
        here.flush()

        assert here.waiting() >= 1
        assert list(here.frames()) == []

    def test_yields_nothing_where_nothing_has_come(self, ends):
        here, there, _, _ = ends
        assert there.receive(socket.MSG_DONTWAIT) == []
        here.hang_up()

        assert there.receive() is None

    def test_takes_no_bytes_that_are_no_frame(self, ends):
        here, there, _, _ = ends
        here._connection.sendall(framed(b"\xc1"))

        with pytest.raises(LinkError):
            there.receive()

    def test_keeps_senders_apart_and_in_order(self, ends):
        here, there, _, _ = ends
        senders = [object(), object()]
        here.put((0, [(a_tick(sequence), senders[sequence % 3 % 2], 7) for sequence in range(1, 31)]))
        here.finish()

        (frame,) = there.frames()
        numbers = [letters.sender for letters in frame.parcels for _ in letters.traces]
        assert [number == numbers[0] for number in numbers] == [sequence % 3 == 1 for sequence in range(1, 31)]
        assert messages_of([frame]) == [a_tick(sequence) for sequence in range(1, 31)]

    def test_loses_nothing_when_many_put_and_one_reads_late(self, ends):
        here, there, _, _ = ends
        threads = [
            threading.Thread(target=self.put_many, args=(here, name), daemon=True) for name in ("first", "second")
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        got = []
        while len(got) < 20_000:
            got += messages_of(there.receive())

        for name in ("first", "second"):
            assert [tick.sequence for tick in got if tick.symbol == name] == list(range(1, 10_001))

    def put_many(self, link, name):
        for sequence in range(1, 10_001):
            link.put((0, [(msgspec.structs.replace(a_tick(sequence), symbol=name), None, 7)]))
            if sequence % 2:
                link.flush()
            else:
                link.call_writer()


def messages_of(frames):
    return [message for frame in frames for letters in frame.parcels for message in wire.messages_of(letters)]


class Strange(RuntimeActor):
    """An actor that runs here."""


class TestAnAssignment:
    def test_is_accepted_as_it_was_made(self):
        given = StrategySettings(name="dip", strategy="dip:Dip")
        made = assignment.assign("dip", Strange, given, seed=3, life=2, trace_every=5, memory_limit_mb=9)

        assert assignment.accept(made) == (Strange, given)
        assert (made.seed, made.life, made.trace_every, made.memory_limit_mb) == (3, 2, 5, 9)
        assert assignment.accept(assignment.assign("dip", Strange, None)) == (Strange, None)

    def test_has_ids_far_from_those_of_any_other(self):
        first, second = (assignment.assign("dip", Strange, None).first_id for _ in range(2))

        assert second - first == 1 << 32

    def test_names_no_class_that_another_process_cannot_import(self):
        class Local(RuntimeActor):
            pass

        class Settings(msgspec.Struct):
            pass

        of_the_program = type("Main", (RuntimeActor,), {"__module__": "__main__"})
        for actor, settings in ((Local, None), (of_the_program, None), (Strange, Settings())):
            with pytest.raises(NotHostableError, match="that another process can import is wanted") as refusal:
                assignment.assign("dip", actor, settings)
            assert not restart_helps(refusal.value)

    @pytest.mark.parametrize(
        ("changes", "complaint"),
        [
            ({"build_id": "0" * 64}, "found 000000000000: restart the system"),
            ({"actor": "no.such.module:Actor"}, "no.such.module:Actor cannot be imported: ModuleNotFoundError"),
            ({"actor": f"{__name__}:Absent"}, "cannot be imported: AttributeError"),
            ({"actor": f"{__name__}:do"}, "a class is wanted, found"),
            ({"actor": "builtins:dict"}, "a RuntimeActor is wanted, found builtins:dict"),
            ({"settings": b"\xc1"}, "settings of 'dip' did not arrive"),
            ({"settings": b"\x80"}, "settings of 'dip' did not arrive: .*missing required field"),
        ],
        ids=["build", "module", "name", "function", "another class", "no msgpack", "none of its kind"],
    )
    def test_of_something_else_is_refused(self, changes, complaint):
        given = StrategySettings(name="dip", strategy="dip:Dip")
        made = msgspec.structs.replace(assignment.assign("dip", Strange, given), **changes)

        with pytest.raises(WorkerRefusedError, match=complaint) as refusal:
            assignment.accept(made)
        assert not restart_helps(refusal.value)

    def test_refuses_settings_that_are_longer_than_a_message(self, hosted, monkeypatch):
        given = StrategySettings(name="dip", strategy="dip:Dip")
        length = len(msgspec.msgpack.encode(given))
        monkeypatch.setattr(assignment, "MESSAGE_SIZE_MAX_BYTES", length)
        as_long_as_it_may_be = assignment.assign("dip", hosted.Performer, given, seed=None, trace_every=0)
        monkeypatch.setattr(assignment, "MESSAGE_SIZE_MAX_BYTES", length - 1)

        assert len(as_long_as_it_may_be.settings) == length
        with pytest.raises(NotHostableError, match=f"settings of 'dip' have up to {length - 1} bytes, found {length}"):
            assignment.assign("dip", hosted.Performer, given, seed=None, trace_every=0)
