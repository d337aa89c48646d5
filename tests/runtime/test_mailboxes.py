"""Mailboxes with limits or keys: what they keep, what they count."""

import threading

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.runtime import Bounded, Conflating, RuntimeActor, handles
from natya.actors.runtime.endpoint import Endpoint
from natya.messages.supervision import Unavailable
from natya.messages.system import Ping, Pong


class Price(msgspec.Struct, frozen=True):
    """The newest price of a symbol."""

    symbol: str
    rupees: int


class Gate(msgspec.Struct, frozen=True):
    """Hold the thread until released."""

    entered: threading.Event
    release: threading.Event


class Reader(RuntimeActor):
    """Keeps what it reads in `settings`."""

    @handles(Price, int)
    def read(self, message, sender):
        self.settings.append(message)

    @handles(Gate)
    def hold(self, gate, sender):
        gate.entered.set()
        gate.release.wait(30)


class Refusing(Reader):
    mailbox = Bounded(3)


class Dropping(Reader):
    mailbox = Bounded(3, at_limit="drop_oldest")


class Blocking(Reader):
    mailbox = Bounded(3, at_limit="block_caller")


class Newest(Reader):
    mailbox = Conflating(lambda message: message.symbol if isinstance(message, Price) else None)


@pytest.fixture
def held(system):
    """Return a function that starts a reader, holds it, and gives its address, what it read, and its release."""
    releases = []

    def hold(reader_class):
        read, gate = [], Gate(threading.Event(), threading.Event())
        address = system.start("reader", reader_class, read)
        system.tell(address, gate)
        gate.entered.wait(10)
        releases.append(gate.release)
        return address, read, gate.release

    yield hold
    for release in releases:
        release.set()


class TestAtItsLimit:
    def test_a_refusing_mailbox_tells_the_sender(self, system, held):
        address, read, release = held(Refusing)
        sender = system.probe("sender")

        for number in range(5):
            system.tell(address, number, sender=sender)

        assert isinstance(sender.receive(), Unavailable)
        assert isinstance(sender.receive(), Unavailable)
        release.set()
        system.stop(address)
        assert read == [0, 1, 2]
        assert address.counters().dropped == 2

    def test_a_dropping_mailbox_keeps_the_newest(self, system, held):
        address, read, release = held(Dropping)

        for number in range(5):
            system.tell(address, number)
        release.set()
        system.stop(address)

        assert read == [2, 3, 4]
        assert address.counters().dropped == 2

    def test_a_blocking_mailbox_lets_a_caller_outside_wait(self, system, held):
        address, read, release = held(Blocking)
        told = threading.Event()

        def tell():
            for number in range(5):
                system.tell(address, number)
            told.set()

        caller = threading.Thread(target=tell)
        caller.start()
        assert not told.wait(0.05)
        release.set()
        caller.join(10)
        system.stop(address)

        assert read == [0, 1, 2, 3, 4]

    def test_what_an_actor_sends_itself_is_always_taken(self, system):
        class Echo(Refusing):
            @handles(str)
            def echo(self, _, sender):
                for number in range(10):
                    self.send(self.myAddress, number)

        system.start("echo", Echo, read := [])
        system.tell("echo", "go")
        system.request("echo", Ping())
        system.stop("echo")

        assert read == list(range(10))

    @pytest.mark.parametrize("kind", [Bounded(3, at_limit="drop_oldest"), Conflating(lambda price: price.symbol)])
    def test_what_an_actor_sends_itself_is_never_given_up_for_another(self, system, kind):
        class Thinker(Reader):
            mailbox = kind

            @handles(Price)
            def read(self, price, sender):
                if price.symbol == "hold":
                    self.offload(int, 7, then=lambda outcome: self.settings.append(outcome.value))
                    self.send(self.myAddress, Price("A", 0))
                    price.rupees.wait(30)
                else:
                    self.settings.append(price)

        address = system.start("thinker", Thinker, read := [])
        gate = threading.Event()
        system.tell(address, Price("hold", gate))
        while address.counters().depth < 2:  # its own price, and the outcome
            pass
        for number in range(1, 9):
            system.tell(address, Price("A", number))
        gate.set()
        system.stop(address)  # waits for the outcome

        assert 7 in read
        assert Price("A", 0) in read
        assert read[-1] == Price("A", 8)

    def test_who_waits_for_an_answer_to_what_was_dropped_is_told(self, system, held):
        address, _, _ = held(Dropping)
        answer = system.request_future(address, 0)

        for number in range(3):
            system.tell(address, number)

        assert isinstance(answer.result(5), Unavailable)

    def test_a_limit_below_one_is_refused(self):
        with pytest.raises(ValueError, match=r"at_limit: one of 'refuse', .* is wanted, found 'wait'"):
            Bounded(1, at_limit="wait")
        with pytest.raises(ValueError, match="limit: a whole number of at least 1 is wanted, found 0"):
            Bounded(0)


class TestAConflatingMailbox:
    def test_keeps_the_newest_of_each_key_in_order_of_first_arrival(self, system, held):
        address, read, release = held(Newest)

        for message in (Price("A", 1), Price("B", 1), 7, Price("A", 2), Price("A", 3), 8):
            system.tell(address, message)
        release.set()
        system.stop(address)

        assert read == [Price("A", 3), Price("B", 1), 7, 8]
        assert address.counters().conflated == 2

    @pytest.mark.parametrize("key", [lambda message: message.symbol, lambda message: [message]], ids=["raises", "list"])
    def test_keeps_what_its_key_cannot_tell_and_fails_no_sender(self, key):
        box = Conflating(key).make(Sender(), lambda: False)

        for number in range(3):
            box.append((number, None, 0))

        assert ([box.popleft()[0] for _ in range(3)], box.conflated) == ([0, 1, 2], 0)

    @given(st.lists(st.tuples(st.sampled_from("ABC-"), st.integers(0, 9), st.sampled_from("io<")) | st.none()))
    def test_is_a_queue_of_first_arrivals_with_newest_values(self, events):
        owner = object()
        box = Conflating(lambda event: None if event[0] == "-" else event[0]).make(owner, lambda: False)
        model, conflated = [], 0

        for event in events:
            if event is None:
                assert not model or box.popleft()[0] == model.pop(0)[1]
                continue
            key, _, way = event
            if way == "<":
                box.appendleft((event, None))
                model.insert(0, ("-", event))
                continue
            box.append((event, owner if way == "o" else None))
            key = "-" if way == "o" else key  # its owner's are all kept
            places = [index for index, each in enumerate(model) if key == each[0] != "-"]
            if places:
                model[places[0]] = (key, event)
                conflated += 1
            else:
                model.append((key, event))
            assert (len(box), box.conflated, box.dropped) == (len(model), conflated, 0)


class Sender(Endpoint):
    """Keeps what it is told."""

    def __init__(self, *, wants_answer=False):
        super().__init__("sender")
        self.wants_answer = wants_answer
        self.told = []

    def deliver(self, message, sender, trace=None):
        self.told.append((message.actor, message.retry_after_s, sender, trace))


class TestABoundedMailbox:
    @pytest.mark.parametrize("at_limit", ["refuse", "drop_oldest", "block_caller"])
    @given(
        limit=st.integers(1, 3),
        events=st.lists(st.sampled_from(["own", "quiet", "asking", "take", "put back"]), min_size=8, max_size=20),
    )
    def test_is_a_queue_that_takes_so_many_of_others_and_all_of_its_owner(self, at_limit, limit, events):
        owner, senders = Sender(), {"quiet": Sender(), "asking": Sender(wants_answer=True)}
        senders["own"] = owner
        owner.name = "owner"
        box = Bounded(limit, at_limit=at_limit).make(owner, lambda: True)
        model, dropped, told = [], 0, {name: [] for name in senders}

        for trace, event in enumerate(events):
            if event == "take" and model:
                envelope = box.popleft()
                assert envelope == model.pop(0)
            elif event == "put back":
                box.appendleft(("back", owner, trace))
                model.insert(0, ("back", owner, trace))
            elif event in senders:
                box.append(envelope := ("new", senders[event], trace))
                model.append(envelope)
                if len(model) > limit and event != "own":
                    dropped += 1
                    others = [each for each in model if each[1] is not owner]
                    lost = others[0] if at_limit == "drop_oldest" else envelope
                    model.remove(lost)
                    (name,) = (name for name, sender in senders.items() if sender is lost[1])
                    if at_limit != "drop_oldest" or name == "asking":
                        told[name].append(("owner", 0.1, owner, lost[2]))
            assert len(box) == len(model)
            assert box.dropped == dropped
            assert {name: sender.told for name, sender in senders.items()} == told

    def test_tells_nobody_who_is_no_actor(self):
        box = Bounded(1).make(Sender(), lambda: False)

        box.append(("first", None, None))
        box.append(("second", None, None))

        assert (len(box), box.dropped) == (1, 1)


class TestAHighWaterMark:
    def test_is_the_most_that_waited(self, system, held):
        address, _, release = held(Reader)
        for number in range(10):
            system.tell(address, number)
        release.set()

        assert isinstance(system.request(address, Ping()), Pong)
        assert address.counters().high_water >= 10
        assert address.counters().depth == 0
