from hypothesis import given
from hypothesis import strategies as st

from natya.actors.observability.rate_limit import NAMES_MAX, OTHERS, LineLimit
from natya.domain.time import SECOND_NS

MOMENTS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5 * SECOND_NS)), max_size=200)


class TestAStormOfOneEvent:
    def test_is_cut_to_the_limit_in_each_second(self):
        limit = LineLimit(100)

        admitted = [limit.admit("a", at_ns) for at_ns in range(0, 3 * SECOND_NS, SECOND_NS // 1000)]
        assert sum(admitted) == 300

    def test_does_not_silence_another(self):
        limit = LineLimit(1)
        limit.admit("a", 0)
        limit.admit("a", 0)

        assert limit.admit("b", 0)

    def test_is_counted_when_its_second_is_over(self):
        limit = LineLimit(1)
        for _ in range(5):
            limit.admit("a", 0)

        assert limit.take_suppressed(SECOND_NS - 1) == {}
        assert limit.take_suppressed(SECOND_NS) == {"a": 4}
        assert limit.take_suppressed() == {}

    def test_goes_on_when_the_clock_is_set_back(self):
        limit = LineLimit(1)
        limit.admit("a", 10 * SECOND_NS)

        assert limit.admit("a", 5 * SECOND_NS)


class TestEverySequenceOfEvents:
    @given(moments=MOMENTS, lines_max=st.integers(1, 5))
    def test_is_written_or_counted_to_the_last_line(self, moments, lines_max):
        limit, written, counted = LineLimit(lines_max), 0, 0
        for name, at_ns in moments:
            counted += sum(limit.take_suppressed(at_ns).values())
            written += limit.admit(name, at_ns)

        assert written + counted + sum(limit.take_suppressed().values()) == len(moments)


class TestMoreNamesThanAreCountedApart:
    def test_share_one_budget(self):
        limit = LineLimit(1)
        for number in range(NAMES_MAX + 10):
            limit.admit(f"event.{number}", 0)

        assert limit.take_suppressed() == {OTHERS: 9}
        limit.admit("event.0", 0)
        assert limit.take_suppressed() == {"event.0": 1}, "who has one of its own keeps it"
