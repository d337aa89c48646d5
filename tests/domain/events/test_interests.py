"""Who wants which events."""

import pytest
from natya_events import a_published

from natya.domain.events.interests import Interest, Interests
from natya.domain.events.topics import PatternInvalidError

SHIPPED = a_published(event_type="Shipped", aggregate_id="order-1")
BILLED = a_published(event_type="Billed", aggregate_id="order-1")
OTHER = a_published(event_type="Shipped", aggregate_id="order-2")
EVENTS = {"shipped": SHIPPED, "billed": BILLED, "other": OTHER}


@pytest.fixture
def interests():
    return Interests()


class TestASubscriber:
    @pytest.mark.parametrize(
        ("wanted", "heard"),
        [
            ({}, {"shipped", "billed", "other"}),
            ({"event_types": frozenset({"Shipped"})}, {"shipped", "other"}),
            ({"keys": frozenset({"order-1"})}, {"shipped", "billed"}),
            ({"event_types": frozenset({"Shipped"}), "keys": frozenset({"order-1"})}, {"shipped"}),
            ({"patterns": ("events.Billed.*",)}, {"billed"}),
            ({"patterns": ("events.*.order-2", "events.Billed.**")}, {"billed", "other"}),
            ({"patterns": ("events.Billed.*",), "event_types": frozenset({"Shipped"})}, set()),
        ],
        ids=["all", "type", "key", "type and key", "topic", "several topics", "topic and another type"],
    )
    def test_hears_what_it_wants_by_topic_type_and_key(self, interests, wanted, heard):
        interests.set("mail", Interest(**wanted))

        assert {name for name, event in EVENTS.items() if "mail" in interests.of(event)} == heard

    def test_wants_what_it_said_last(self, interests):
        interests.set("mail", Interest(patterns=("events.Billed.*", "events.Shipped.*")))
        interests.set("mail", Interest(patterns=("events.Billed.*",)))

        assert (list(interests.of(SHIPPED)), list(interests.of(BILLED))) == ([], ["mail"])
        assert (len(interests), list(interests)) == (1, ["mail"])

    def test_whose_new_wish_is_none_keeps_the_one_it_has(self, interests):
        interests.set("mail", Interest())
        with pytest.raises(PatternInvalidError):
            interests.set("mail", Interest(patterns=("events.*", "a..b")))

        assert list(interests.of(SHIPPED)) == ["mail"]

    def test_that_has_left_hears_nothing_and_others_do_in_the_order_in_which_they_came(self, interests):
        for name in ("zoe", "mail", "ann"):
            interests.set(name, Interest())
        interests.remove("mail")
        interests.remove("nobody")

        assert list(interests.of(SHIPPED)) == ["zoe", "ann"]
        assert ("mail" in interests, "ann" in interests) == (False, True)
