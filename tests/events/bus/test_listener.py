"""A durable listener and a delivery that the test plays, on virtual time."""

import asyncio

import pytest
from natya_events import Invoiced

from natya.actors.events.bus import listener
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.domain.events.catalog import EventCatalog, write
from natya.domain.time import SECOND_NS
from natya.messages.codec import as_received
from natya.messages.delivery import (
    DeliverEvents,
    EventsHandled,
    EventsNotHandled,
    EventsSubscribed,
    SubscribeDurably,
)
from natya.messages.supervision import Unavailable
from natya.messages.system import Ping


class PlayedDelivery(RuntimeActor):
    """Answers a subscription as the test wants, one answer after another."""

    @handles(SubscribeDurably)
    def subscribe(self, _request, sender):
        self.send(sender, self.settings.pop(0))


def a_batch(*numbers, replay_id=""):
    events = tuple(write(Invoiced(aggregate_id="c", number=each, event_id=f"e-{each}")) for each in numbers)
    return DeliverEvents(subscription="billing", partition=0, events=events, replay_id=replay_id)


class UnprintableError(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class World:
    def __init__(self, system, answers):
        self.system, self.answers = system, answers
        self.heard, self.broken, self.takes_s = [], set(), 0.0
        self.error = ValueError("no such customer")
        system.start("delivery", PlayedDelivery, answers)

    def start(self, **more):
        wanted = SubscribeDurably(subscription="billing", subscriber="durable-billing")
        settings = listener.DurableListenerSettings(handler=self.handle, catalog=EventCatalog(), wanted=wanted, **more)
        self.system.start("durable-billing", listener.DurableListener, settings)

    def handle(self, event):
        if event.number in self.broken:
            raise self.error
        self.system.base.clock.pass_by(round(self.takes_s * SECOND_NS))
        self.heard.append(event.number)

    def deliver(self, *numbers, replay_id=""):
        return self.system.request("durable-billing", a_batch(*numbers, replay_id=replay_id))

    @property
    def handled(self):
        return self.system.request("durable-billing", Ping()).statistics.handled


@pytest.fixture
def world():
    with InProcessSystem(SimulatedSystemBase(seed=1)) as system:
        yield World(system, [EventsSubscribed(subscriber="durable-billing")])


class TestABatch:
    def test_that_comes_again_is_handled_once(self, world):
        world.start()
        answers = [world.deliver(1, 2), world.deliver(1, 2, 3), world.deliver(3)]

        assert answers == [EventsHandled()] * 3
        assert (world.heard, world.handled) == ([1, 2, 3], 3)

    @pytest.mark.parametrize("replay_id", ["", "r"])
    @pytest.mark.parametrize(("takes_s", "handled"), [(40.0, 1), (3.0, 1), (1.4, 3), (0.7, 0)])
    def test_to_a_handler_that_is_slow_and_well_is_cut_long_before_it_would_be_late(
        self, world, replay_id, takes_s, handled
    ):
        world.start()
        world.takes_s = takes_s

        assert world.deliver(1, 2, 3, 4, replay_id=replay_id) == EventsHandled(handled=handled)
        assert world.heard == [1, 2, 3, 4][: handled or 4]

    def test_of_which_the_newest_are_remembered_for_longest(self, world, monkeypatch):
        monkeypatch.setattr(listener, "HANDLED_MAX", 2)
        world.start()
        for number in (1, 2, 3, 2, 3, 1):
            world.deliver(number)

        assert world.heard == [1, 2, 3, 1]

    def test_that_fails_says_at_which_and_its_beginning_is_not_handled_again(self, world):
        world.start()
        world.broken.add(3)
        failed = world.deliver(1, 2, 3, 4)
        world.broken.clear()
        again = world.deliver(3, 4)

        assert isinstance(failed, EventsNotHandled)
        assert (failed.handled, failed.error, failed.reason, failed.is_permanent) == (
            2, "ValueError", "no such customer", False,
        )  # fmt: skip
        assert "in handle" in failed.traceback
        assert (again, world.heard, world.handled) == (EventsHandled(), [1, 2, 3, 4], 4)

    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            (SystemExit(3), "3"),
            (KeyboardInterrupt(), ""),
            (asyncio.CancelledError(), ""),
            (ValueError("orders-\udcff.csv"), "orders-\\udcff.csv"),
            (UnprintableError(), "its text could not be had: RuntimeError"),
        ],
        ids=lambda each: type(each).__name__,
    )
    def test_fails_by_whatever_its_handler_raises_and_the_listener_goes_on(self, world, error, reason):
        world.start()
        world.broken.add(2)
        world.error = error
        failed = world.deliver(1, 2)

        assert (failed.handled, failed.error, failed.reason) == (1, type(error).__name__, reason)
        assert as_received(failed) == failed
        assert world.deliver(3) == EventsHandled()
        assert world.system.base.find("durable-billing").failures == 0

    def test_of_a_replay_is_handled_though_it_was_before_and_is_not_counted(self, world):
        world.start()
        world.deliver(1, 2)
        replayed = world.deliver(1, 2, 3, replay_id="r")
        world.deliver(3)

        assert replayed == EventsHandled()
        assert (world.heard, world.handled) == ([1, 2, 1, 2, 3, 3], 3)

    def test_is_handled_whatever_its_handler_returns(self, world):
        async def later(event):
            world.heard.append(-event.number)

        world.handle = lambda event: later(event) if event.number == 2 else event.number
        world.start()

        assert world.deliver(1, 2, 3) == EventsHandled()
        assert world.heard == [-2]

    def test_is_handled_though_its_events_are_not_wanted_and_those_are_not_counted(self, world):
        world.start(where=lambda event: event.number % 2)

        assert world.deliver(1, 2, 3) == EventsHandled()
        assert (world.heard, world.handled) == ([1, 3], 2)


class TestASubscription:
    def test_is_asked_for_until_delivery_takes_it(self, world):
        world.answers[:0] = [Unavailable(actor="delivery", reason="down", retry_after_s=0)] * 3
        world.start()

        assert world.deliver(1) == EventsHandled()
        assert world.answers == []

    def test_that_is_refused_is_no_start(self, world):
        world.answers[:] = [EventsSubscribed(subscriber="durable-billing", refusal="at most 1 wanted")]

        with pytest.raises(ValueError, match="at most 1 wanted"):
            world.start()
