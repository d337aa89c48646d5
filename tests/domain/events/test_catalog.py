"""Events as they are written and read."""

import contextlib
from decimal import Decimal
from typing import ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.domain.events.catalog import (
    EventCatalog,
    EventInvalidError,
    EventNameTakenError,
    EventUndecodableError,
    event_of,
    write,
)
from natya.messages.codec import as_received, encode
from natya.messages.delivery import PAYLOAD_BYTES_MAX, EventPublished
from natya.messages.domain_events import DomainEvent, IntegrationEvent, MarketDataReceived, UnknownEvent, Upcaster
from natya.messages.history import GapFilled
from natya.messages.journal import JournalRecord


class Leg(msgspec.Struct, frozen=True):
    symbol: str
    quantity: int


class BasketTraded(DomainEvent, frozen=True, kw_only=True):
    legs: tuple[Leg, ...]
    cash: Decimal
    notes: dict[str, float] = msgspec.field(default_factory=dict)


class Unversioned(DomainEvent, frozen=True, kw_only=True):
    version: ClassVar[int] = 0


class Shipped(IntegrationEvent, frozen=True, kw_only=True):
    version: ClassVar[int] = 3
    upcasters: ClassVar[dict[int, Upcaster]] = {
        1: lambda fields: {"paise": fields["rupees"] * 100},
        2: lambda fields: {"paise": fields["paise"], "currency": "INR"},
    }

    paise: int
    currency: str


def published(event_type, version=1, **fields):
    return EventPublished(
        event_id="e-1",
        event_type=event_type,
        version=version,
        aggregate_id="basket-1",
        occurred_ns=5,
        topic=f"events.{event_type}.basket-1",
        payload=msgspec.msgpack.encode(fields),
    )


class TestAnEvent:
    @given(
        legs=st.lists(st.builds(Leg, symbol=st.text(max_size=5), quantity=st.integers(-5, 5)), max_size=3).map(tuple),
        cash=st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-1000, max_value=1000),
        notes=st.dictionaries(st.text(max_size=3), st.floats(allow_nan=False), max_size=2),
    )
    def test_is_read_as_it_was_written(self, legs, cash, notes):
        event = BasketTraded(aggregate_id="basket-1", legs=legs, cash=cash, notes=notes, correlation_id="c-1")

        assert EventCatalog().read(write(event)) == event

    def test_has_a_topic_of_its_type_and_aggregate_or_its_own(self):
        basket = BasketTraded(aggregate_id="basket-1", legs=(), cash=Decimal(0))
        price = MarketDataReceived(aggregate_id="feed", symbol="TCS", price=3800.5, volume=100)

        assert write(basket).topic == "events.BasketTraded.basket-1"
        assert write(price).topic == "ticks.NSE_EQ.TCS"

    @pytest.mark.parametrize(
        "event",
        [
            MarketDataReceived(aggregate_id="feed", symbol="TCS", price="3800"),
            MarketDataReceived(aggregate_id="feed", symbol="TCS", price=float("nan")),
            MarketDataReceived(aggregate_id="feed", symbol="TCS", price=-1.0),
            BasketTraded(aggregate_id="basket-1", legs=(), cash=object()),
            BasketTraded(aggregate_id=None, legs=(), cash=Decimal(0)),
            BasketTraded(aggregate_id="a", legs=(), cash=Decimal(0), notes={"n" * PAYLOAD_BYTES_MAX: 0.0}),
            BasketTraded(aggregate_id="a\ud800", legs=(), cash=Decimal(0)),
            BasketTraded(aggregate_id="a", event_id="e" * 201, legs=(), cash=Decimal(0)),
            Unversioned(aggregate_id="a"),
        ],
        ids=[
            "text for a price",
            "nan",
            "below 0",
            "no wire form",
            "no aggregate",
            "too large",
            "no text",
            "id too long",
            "no version",
        ],
    )
    def test_that_nobody_could_read_is_not_written(self, event):
        with pytest.raises(EventInvalidError, match="fields as declared wanted"):
            write(event)

    def test_that_is_too_large_is_refused_by_the_name_of_what_is(self):
        event = BasketTraded(aggregate_id="a", legs=(), cash=Decimal(0), notes={"n" * PAYLOAD_BYTES_MAX: 0.0})

        with pytest.raises(EventInvalidError, match=r"length <= 1048576 - at `\$\.payload`"):
            write(event)

    def test_about_an_aggregate_of_the_longest_name_has_a_topic_too(self):
        event = BasketTraded(aggregate_id="a" * 500, event_id="e-1", legs=(), cash=Decimal(0))

        assert as_received(write(event)).topic == f"events.BasketTraded.{'a' * 500}"


class TestAReaderOfAClass:
    @pytest.mark.parametrize(
        ("version", "fields", "paise"),
        [
            (1, {"rupees": 3}, 300),
            (2, {"paise": 7}, 7),
            (3, {"paise": 8, "currency": "INR"}, 8),
            (9, {"paise": 9, "currency": "INR", "colour": "red"}, 9),
        ],
        ids=["first", "second", "own", "later"],
    )
    def test_reads_older_versions_step_by_step_and_later_ones_without_what_it_does_not_know(
        self, version, fields, paise
    ):
        event = EventCatalog([Shipped]).read(published("Shipped", version, **fields))

        assert (event.paise, event.currency, event.aggregate_id) == (paise, "INR", "basket-1")

    def test_takes_no_step_beyond_the_version_that_it_reads(self):
        class Held(DomainEvent, frozen=True, kw_only=True):
            version: ClassVar[int] = 2
            upcasters: ClassVar[dict[int, Upcaster]] = {version: lambda fields: {"steps": fields["steps"] + 1}}

            steps: int = 0

        assert [EventCatalog([Held]).read(published("Held", version, steps=0)).steps for version in (1, 2, 3)] == [
            0
        ] * 3

    def test_says_of_a_step_that_raises_which_it_was(self):
        with pytest.raises(EventUndecodableError, match="Shipped of version 1 does not become one of the next: KeyErr"):
            EventCatalog([Shipped]).read(published("Shipped", 1))

    def test_refuses_a_later_version_that_lacks_what_it_needs(self):
        with pytest.raises(EventUndecodableError, match="Shipped of version 4"):
            EventCatalog([Shipped]).read(published("Shipped", 4, amount=1))

    @given(payload=st.binary(max_size=20))
    def test_reads_any_bytes_or_says_that_it_cannot(self, payload):
        found = msgspec.structs.replace(published("Shipped", 3), payload=payload)
        with contextlib.suppress(EventUndecodableError):
            assert isinstance(EventCatalog([Shipped]).read(found), Shipped)


class TestARecordOfTheJournal:
    @pytest.mark.parametrize(
        ("kind", "fields", "key"),
        [
            ("intent", {"client_order_id": "A-1", "symbol": "INFY"}, "A-1"),
            ("cancelled", {"client_order_id": "A-1"}, "A-1"),
            ("change", {"state": "HALTED"}, ""),
        ],
    )
    def test_is_an_event_about_what_it_is_the_fact_of(self, make, kind, fields, key):
        fact = getattr(make, kind)(**fields)
        record = JournalRecord(sequence=7, recorded_ns=5, correlation_id="C-1", fact=fact)
        event = event_of(record)

        name = type(fact).__name__
        assert (event.event_id, event.event_type, event.kind, event.version) == ("journal-7", name, "fact", 1)
        assert (event.aggregate_id, event.topic) == (key, f"facts.{name}.{key}")
        assert (event.occurred_ns, event.correlation_id) == (fact.occurred_ns, "C-1")
        assert EventCatalog([]).read_any(event) == fact

    def test_that_is_about_a_symbol_alone_has_that(self):
        fact = GapFilled(symbol="INFY", start_ns=1, end_ns=2, candles=3, occurred_ns=4)
        event = event_of(JournalRecord(sequence=7, recorded_ns=5, correlation_id="", fact=fact))

        assert (event.aggregate_id, event.topic) == ("INFY", "facts.GapFilled.INFY")

    def test_of_an_event_is_that_event(self):
        event = published("Shipped", 3, paise=7, currency="INR")

        assert event_of(JournalRecord(sequence=7, recorded_ns=5, correlation_id="", fact=event)) is event


class TestAReaderOfAny:
    def test_has_the_class_of_an_event_and_the_message_of_a_fact(self, make):
        catalog, fact = EventCatalog([Shipped]), make.cancelled("A-1")
        of_a_fact = msgspec.structs.replace(published("OrderCancelled"), kind="fact", payload=encode(fact))

        assert catalog.read_any(of_a_fact) == fact
        assert isinstance(catalog.read_any(published("Shipped", 3, paise=7, currency="INR")), Shipped)

    def test_says_of_a_fact_that_nobody_can_read_which_it_was(self):
        of_a_fact = msgspec.structs.replace(published("OrderCancelled"), kind="fact", payload=b"\xc1")

        with pytest.raises(EventUndecodableError, match=r"^OrderCancelled: "):
            EventCatalog([]).read_any(of_a_fact)


class TestAReaderWithoutTheClass:
    def test_has_its_fields_all_the_same_and_writes_it_as_it_was(self):
        found = published("Retired", 4, colour="red")

        event = EventCatalog([]).read(found)

        assert isinstance(event, UnknownEvent)
        assert (event.event_type, event.written_version, event.fields) == ("Retired", 4, {"colour": "red"})
        assert write(event) == found

    def test_reads_no_class_that_it_was_not_given(self):
        found = published("Shipped", 3, paise=7, currency="INR")

        assert isinstance(EventCatalog([BasketTraded]).read(found), UnknownEvent)
        assert isinstance(EventCatalog().read(found), Shipped)

    @pytest.mark.parametrize("event_type", ["IntegrationEvent", "UnknownEvent", "DomainEvent"])
    def test_takes_no_class_that_others_are_made_of_for_that_of_an_event(self, event_type):
        assert EventCatalog().read(published(event_type)).event_type == event_type

    def test_keeps_to_the_class_that_it_has_found_first(self):
        def a_class():
            return type(DomainEvent)("Renamed", (DomainEvent,), {"__module__": __name__}, frozen=True, kw_only=True)

        catalog, first = EventCatalog(), a_class()
        before = catalog.read(published("Renamed"))
        second = a_class()

        assert type(before) is type(catalog.read(published("Renamed"))) is first is not second

    def test_does_not_guess_between_two_of_one_name(self):
        twin = type(DomainEvent)("Shipped", (DomainEvent,), {"__module__": __name__}, frozen=True, kw_only=True)

        with pytest.raises(EventNameTakenError, match="one class of events named 'Shipped'"):
            EventCatalog([Shipped, twin])
        with pytest.raises(EventNameTakenError, match="one class of events named 'Shipped'"):
            EventCatalog().read(published("Shipped", 3, paise=1, currency="INR"))
