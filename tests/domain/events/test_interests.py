"""Who wants which events."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_events import a_published
from natya_topics import is_match

from natya.domain.events import interests as interests_module
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

    def test_is_remembered_for_no_more_kinds_of_events_than_may_be_and_found_anew_for_others(self, monkeypatch):
        monkeypatch.setattr(interests_module, "FOUND_MAX", 2)
        interests = Interests()
        interests.set("mail", Interest(patterns=("events.Shipped.*",)))

        for number in (1, 2, 3, 1):
            event = a_published(event_type="Shipped", aggregate_id=f"order-{number}")
            assert interests.of(event) == ("mail",)
            assert interests.of(a_published(event_type="Billed", aggregate_id=f"order-{number}")) == ()
            assert len(interests._found) <= 2

    def test_of_one_kind_is_not_given_events_of_another_with_the_same_topic_type_and_key(self, interests):
        interests.set("mail", Interest(kinds=frozenset({"integration"})))

        assert interests.of(SHIPPED) == ()
        assert interests.of(msgspec.structs.replace(SHIPPED, kind="integration")) == ("mail",)
        assert interests.of(SHIPPED) == ()

    @given(
        wishes=st.lists(
            st.builds(
                Interest,
                patterns=st.sampled_from([("**",), ("events.Billed.*",), ("events.*.order-2", "events.Shipped.**")]),
                event_types=st.frozensets(st.sampled_from(["Shipped", "Billed"])),
                keys=st.frozensets(st.sampled_from(["order-1", "order-2"])),
            ),
            max_size=6,
        ),
        again=st.lists(st.integers(0, 5), max_size=3),
        gone=st.sets(st.integers(0, 5)),
    )
    def test_is_found_by_what_it_named_in_the_order_in_which_they_came_and_leaves_nothing(self, wishes, again, gone):
        interests, came = Interests(), {}
        for number in (*range(len(wishes)), *(each for each in again if each < len(wishes))):
            for event in EVENTS.values():  # what was found before a change is not what is found after it
                interests.of(event)
            came.pop(number, None)
            came[number] = wishes[number]
            interests.set(str(number), wishes[number])
        for number in gone:
            for event in EVENTS.values():
                interests.of(event)
            came.pop(number, None)
            interests.remove(str(number))

        for event in EVENTS.values():
            assert list(interests.of(event)) == [
                str(number)
                for number, each in came.items()
                if each.has(event) and any(is_match(pattern, event.topic) for pattern in each.patterns)
            ]
        for number in came:
            interests.remove(str(number))
        assert (interests._of_keys, interests._of_types, len(interests._of_all)) == ({}, {}, 0)


def test_who_wants_an_event_is_looked_for_once_for_each_kind_as_far_as_kinds_are_remembered(monkeypatch):
    monkeypatch.setattr(interests_module, "FOUND_MAX", 2)
    interests = Interests()
    interests.set("mail", Interest())
    found = [interests.of(each) for each in (SHIPPED, OTHER, SHIPPED, BILLED, SHIPPED)]

    assert found == [("mail",)] * 5
    assert found[0] is found[1] is found[2]
    assert found[3] is found[4] is not found[0]
