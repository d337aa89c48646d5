"""Which gaps are filled, in which order, and when."""

from hypothesis import given
from hypothesis import strategies as st

from natya.domain.calendar import MINUTE_NS
from natya.domain.gap_filling import Filling, GapBook, is_whole, minutes_of
from natya.domain.time import day_start_ns

NINE_NS = 1_766_979_000_000_000_000 // MINUTE_NS * MINUTE_NS
LATER_NS = NINE_NS + 60 * MINUTE_NS
TIMES = st.tuples(st.integers(0, 300), st.integers(1, 90)).map(lambda each: (each[0], sum(each)))


def minutes(spans):
    return {minute for start, end in spans for minute in range(start, end)}


def alike(_symbol):
    return 0


def told(*gaps):
    book = GapBook()
    for symbol, start, end in gaps:
        book.tell(symbol, NINE_NS + start * MINUTE_NS, NINE_NS + end * MINUTE_NS)
    return book


class TestAGap:
    def test_is_not_asked_for_before_its_candles_can_be_seen(self):
        book = told(("INFY", 0, 3))

        assert book.begin(NINE_NS + 4 * MINUTE_NS, alike) is None
        assert book.next_ns() == NINE_NS + 5 * MINUTE_NS
        assert book.begin(NINE_NS + 5 * MINUTE_NS, alike).spans == ((NINE_NS, NINE_NS + 3 * MINUTE_NS),)

    def test_of_a_position_comes_first_and_of_the_others_the_oldest(self):
        book = told(("A", 5, 6), ("B", 3, 4), ("HELD", 8, 9))

        order = [book.begin(LATER_NS, lambda symbol: symbol != "HELD").symbol for _ in range(3)]

        assert order == ["HELD", "B", "A"]
        assert book.begin(LATER_NS, alike) is None

    def test_is_asked_for_with_the_others_of_its_symbol(self):
        assert len(told(("INFY", 0, 3), ("INFY", 10, 12)).begin(LATER_NS, alike).spans) == 2

    def test_that_was_not_filled_is_asked_for_again_after_longer_and_longer_pauses(self):
        book, now_ns, pauses = told(("INFY", 0, 3)), LATER_NS, []
        for _ in range(7):
            book.begin(now_ns, alike)
            book.failed("INFY", now_ns)
            pauses.append((book.next_ns() - now_ns) // 10**9)
            now_ns = book.next_ns()

        assert pauses == [30, 60, 120, 240, 480, 900, 900]
        assert book.begin(now_ns - 1, alike) is None
        assert book.begin(now_ns, alike).symbol == "INFY"

    def test_is_asked_for_when_the_first_of_all_symbols_can_be(self):
        book = told(("INFY", 0, 3), ("TCS", 5, 9))
        assert book.next_ns() == NINE_NS + 5 * MINUTE_NS
        book.begin(LATER_NS, alike)
        book.failed("INFY", LATER_NS)

        assert book.next_ns() == NINE_NS + 11 * MINUTE_NS

    def test_is_asked_for_once_at_a_time_and_again_when_that_has_had_its_answer(self):
        book = told(("INFY", 0, 3), ("TCS", 5, 9))
        assert book.open == 2
        assert book.begin(LATER_NS, alike).symbol == "INFY"
        assert book.next_ns() == NINE_NS + 11 * MINUTE_NS
        assert book.begin(LATER_NS, alike).symbol == "TCS"
        assert (book.begin(LATER_NS, alike), book.next_ns()) == (None, None)
        book.fill("TCS", NINE_NS + 5 * MINUTE_NS, NINE_NS + 9 * MINUTE_NS)
        book.ended("TCS")
        book.ended("INFY")

        assert book.open == 1
        assert book.next_ns() == NINE_NS + 5 * MINUTE_NS
        assert book.begin(LATER_NS, alike).symbol == "INFY"

    def test_that_cannot_be_seen_yet_is_left_out_beside_one_that_can(self):
        book = told(("INFY", 0, 3), ("INFY", 10, 12))

        filling = book.begin(NINE_NS + 14 * MINUTE_NS - 1, alike)
        assert filling.spans == ((NINE_NS, NINE_NS + 3 * MINUTE_NS),)

    def test_that_comes_after_all_were_filled_begins_with_the_shortest_pause_again(self):
        book = told(("INFY", 0, 3))
        for _ in range(3):
            book.begin(LATER_NS, alike)
            book.failed("INFY", LATER_NS)
        book.fill("INFY", NINE_NS, NINE_NS + 3 * MINUTE_NS)
        assert (book.open, book.next_ns()) == (0, None)
        book.tell("INFY", NINE_NS + 20 * MINUTE_NS, NINE_NS + 21 * MINUTE_NS)
        book.failed("INFY", LATER_NS)

        assert book.next_ns() == LATER_NS + 30 * 10**9

    def test_is_asked_for_by_the_days_in_india_that_it_touches(self):
        midnight_ns = day_start_ns(20_000)
        for before, behind, days in (
            (1, 0, (19_999, 20_000)),
            (0, 1, (20_000, 20_001)),
            (1, 1, (19_999, 20_001)),
            (1, 24 * 60 + 1, (19_999, 20_002)),
        ):
            span = midnight_ns - before * MINUTE_NS, midnight_ns + behind * MINUTE_NS
            assert Filling(symbol="INFY", spans=(span,)).days == days
        first = midnight_ns - MINUTE_NS, midnight_ns
        assert Filling(symbol="INFY", spans=(first, span)).days == (19_999, 20_002)

    def test_is_whole_when_charts_go_beyond_it_or_will_have_no_more(self):
        span = (NINE_NS, NINE_NS + MINUTE_NS)

        assert is_whole(span, span[1], span[1])
        assert not is_whole(span, span[0], span[1] + 9 * MINUTE_NS)
        assert is_whole(span, span[0], span[1] + 10 * MINUTE_NS)

    def test_of_a_moment_is_the_minute_that_it_is_in(self):
        assert minutes_of(NINE_NS + 1, NINE_NS + 2) == (NINE_NS, NINE_NS + MINUTE_NS)
        assert minutes_of(NINE_NS, NINE_NS) == (NINE_NS, NINE_NS + MINUTE_NS)


@given(events=st.permutations([("tell", 0, 9), ("tell", 20, 25), ("fill", 0, 9), ("fill", 22, 25), ("tell", 5, 12)]))
def test_in_whatever_order_gaps_and_their_filling_become_known_the_same_is_open(events):
    book = GapBook()
    for kind, start, end in events:
        getattr(book, kind)("INFY", NINE_NS + start * MINUTE_NS, NINE_NS + end * MINUTE_NS)

    spans = book.begin(LATER_NS, alike).spans

    assert [((s - NINE_NS) // MINUTE_NS, (e - NINE_NS) // MINUTE_NS) for s, e in spans] == [(9, 12), (20, 22)]
