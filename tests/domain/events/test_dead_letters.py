"""Which dead letters there are, and what became of them."""

import pytest
from natya_events import a_published

from natya.domain.events.dead_letters import PAGE_BYTES_MAX, DeadLetterBook
from natya.messages.delivery import DeadLettersChanged, EventDeadLettered, ListDeadLetters


def a_letter(number, subscription="billing", key="order-1", **fields):
    given = {
        "letter_id": f"L-{number}",
        "subscription": subscription,
        "sequence": 100 - number,  # not in the order of their deaths
        "event": a_published(event_id=f"e-{number}", aggregate_id=key, event_type=fields.pop("event_type", "Shipped")),
        "error": "ValueError",
        "reason": "no such customer",
        "traceback": "",
        "attempts": 3,
        "first_failed_ns": number,
        "last_failed_ns": 10 * number,
    }
    return EventDeadLettered(**given | fields)


def changed(change, *numbers, payload=None):
    return DeadLettersChanged(
        letter_ids=tuple(f"L-{number}" for number in numbers), change=change, occurred_ns=1, payload=payload
    )


@pytest.fixture
def book():
    book = DeadLetterBook()
    for number in range(1, 6):
        book.apply(a_letter(number))
    return book


def listed(book, **wanted):
    found = book.find(ListDeadLetters(**wanted))
    return [int(each.letter_id[2:]) for each in found.letters], found.found


class TestAPage:
    def test_has_the_oldest_and_how_many_there_are(self, book):
        assert listed(book) == ([1, 2, 3, 4, 5], 5)
        assert listed(book, rows_max=2) == ([1, 2], 5)

    def test_goes_on_behind_the_last_of_the_page_before(self, book):
        assert listed(book, rows_max=2, after="L-2") == ([3, 4], 5)
        assert listed(book, rows_max=2, after="L-4") == ([5], 5)
        assert listed(book, rows_max=2, after="L-5") == ([], 5)

    def test_of_large_ones_has_no_more_than_an_answer_may_have_and_one_at_least(self, book):
        half = bytes(PAGE_BYTES_MAX // 2 - 100)
        for number, count in ((6, 1), (7, 1), (8, 1), (9, 5)):
            event = a_published(event_id=f"e-{number}", payload=half * count)
            book.apply(a_letter(number, subscription="large", event=event))

        assert listed(book, subscription="large") == ([6, 7], 4)
        assert listed(book, subscription="large", after="L-7") == ([8], 4)
        assert listed(book, subscription="large", after="L-8") == ([9], 4)
        assert listed(book, subscription="large", after="L-9") == ([], 4)

    @pytest.mark.parametrize(("more", "page"), [(0, [6, 7]), (1, [6])], ids=["as much", "more"])
    def test_counts_all_that_may_be_large_of_a_letter(self, book, more, page):
        part = PAGE_BYTES_MAX // 8
        for number in (6, 7):
            event = a_published(event_id=f"e-{number}", payload=bytes(2 * part))
            large = {"traceback": "t" * part, "reason": "r" * (part + more)}
            book.apply(a_letter(number, subscription="large", event=event, **large))

        assert listed(book, subscription="large") == (page, 2)

    def test_begins_anew_where_that_one_is_gone(self, book):
        assert listed(book, rows_max=2, after="L-9") == ([1, 2], 5)

    @pytest.mark.parametrize(
        ("wanted", "other"),
        [
            ({"subscription": "mail"}, {"subscription": "mail"}),
            ({"event_type": "Invoiced"}, {"event_type": "Invoiced"}),
            ({"error": "KeyError"}, {"error": "KeyError"}),
            ({"key": "order-2"}, {"key": "order-2"}),
            ({"letter_id": "L-7"}, {}),
        ],
        ids=lambda each: next(iter(each), "any"),
    )
    def test_has_those_that_are_wanted_alone(self, book, wanted, other):
        book.apply(a_letter(7, **other))

        assert listed(book, **wanted) == ([7], 1)
        assert listed(book, **wanted | {"letter_id": "L-1"}) == (([1], 1) if not other else ([], 0))


class TestALetter:
    def test_that_was_dropped_or_handled_is_gone(self, book):
        book.apply(changed("requeued", 2, 3))
        book.apply(changed("dropped", 1, 9))
        book.apply(changed("handled", 2))

        assert listed(book) == ([3, 4, 5], 3)
        assert [book.is_requeued(f"L-{number}") for number in (1, 2, 3, 4)] == [False, False, True, False]
        assert (len(book), "L-2" in book, book.get("L-2")) == (3, False, None)

    def test_that_was_requeued_is_shown_so_and_cannot_be_changed_until_it_dies_again(self, book):
        book.apply(changed("requeued", 2, 4, 9))
        found = book.find(ListDeadLetters())
        assert found.requeued == ("L-2", "L-4")
        assert [each.letter_id for each in book.requeued_of("billing")] == ["L-4", "L-2"]
        assert book.requeued_of("mail") == ()
        assert book.changeable(("L-1", "L-2", "L-5", "L-1", "L-9")) == ("L-5", "L-1")

        book.apply(a_letter(2, attempts=6))

        assert book["L-2"].attempts == 6
        assert listed(book) == ([1, 3, 4, 5, 2], 5)
        assert book.changeable(("L-2", "L-4")) == ("L-2",)

    def test_that_was_requeued_with_other_fields_has_them(self, book):
        book.apply(changed("requeued", 2, payload=b"\x80"))
        book.apply(changed("requeued", 3))

        assert book["L-2"].event.payload == b"\x80"
        assert book["L-3"].event == a_letter(3).event

    def test_is_counted_for_its_subscription(self, book):
        book.apply(a_letter(7, "mail"))

        assert [book.count_of(name) for name in ("billing", "mail", "none")] == [5, 1, 0]
        book.apply(changed("dropped", 1, 2))
        book.apply(changed("requeued", 3))
        assert [book.count_of(name) for name in ("billing", "mail", "none")] == [3, 1, 0]


class TestWhatWasKeptLongEnough:
    def test_is_what_failed_before_a_time_and_not_at_it(self, book):
        assert book.expired(30, count_max=9) == ("L-1", "L-2")

    def test_is_the_oldest_of_too_many(self, book):
        assert book.expired(0, count_max=5) == ()
        assert book.expired(0, count_max=3) == ("L-1", "L-2")

    def test_is_nothing_that_is_on_its_way_again(self, book):
        book.apply(changed("requeued", 1))

        assert book.expired(30, count_max=4) == ("L-2",)

    def test_is_told_by_the_oldest(self, book):
        assert book.oldest_ns() == 10
        book.apply(changed("dropped", 1))
        assert book.oldest_ns() == 20
        assert DeadLetterBook().oldest_ns() == 0
