"""Topics, and patterns of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_topics import is_match

from natya.domain.events.topics import PatternInvalidError, TopicTable, words_of

WORD = st.sampled_from(["a", "b", "c"])
TOPIC = st.lists(WORD, min_size=1, max_size=4).map(".".join)
PATTERN = st.builds(
    lambda words, rest: ".".join([*words, *rest]),
    st.lists(WORD | st.just("*"), min_size=1, max_size=3),
    st.sampled_from([[], ["**"]]),
)


class TestATopic:
    @pytest.mark.parametrize(
        ("pattern", "topic", "wanted"),
        [
            ("ticks.NSE_EQ.*", "ticks.NSE_EQ.TCS", True),
            ("ticks.NSE_EQ.*", "ticks.BSE_EQ.TCS", False),
            ("ticks.NSE_EQ.*", "ticks.NSE_EQ.TCS.depth", False),
            ("ticks.**", "ticks.NSE_EQ.TCS", True),
            ("ticks.**", "ticks", True),
            ("**", "anything.at.all", True),
            ("*.*.TCS", "ticks.NSE_EQ.TCS", True),
            ("ticks", "ticks.NSE_EQ", False),
        ],
    )
    def test_is_matched_word_by_word(self, pattern, topic, wanted):
        table = TopicTable()
        table.add(pattern, "who")

        assert is_match(pattern, topic) is wanted
        assert table.targets(topic) == (("who",) if wanted else ())


class TestATableOfPatterns:
    def test_finds_targets_in_the_order_in_which_they_came_whatever_is_said_again(self):
        table = TopicTable()
        for pattern, target in (("a.*", "first"), ("a.b", "second"), ("a.*", "first"), ("**", "first")):
            table.add(pattern, target)

        assert table.targets("a.b") == ("first", "second")
        assert len(table) == 3

    @given(
        changes=st.lists(st.tuples(st.booleans(), PATTERN, st.integers(0, 3)), max_size=20),
        topics=st.lists(TOPIC, min_size=1, max_size=5),
    )
    def test_finds_what_each_pattern_alone_would_whatever_came_and_went(self, changes, topics):
        table, there = TopicTable(), {}
        for is_added, pattern, target in changes:
            if is_added:
                table.add(pattern, target)
                there.setdefault((target, pattern), None)
            else:
                table.remove(pattern, target)
                there.pop((target, pattern), None)

        for topic in topics:
            wanted = dict.fromkeys(target for target, pattern in there if is_match(pattern, topic))
            assert table.targets(topic) == tuple(wanted)
        assert len(table) == len(there)

    def test_keeps_nothing_of_patterns_that_are_gone(self):
        table = TopicTable()
        table.add("a.*.c.**", 1)
        table.remove("a.*.c.**", 1)

        assert not table._root.below

    def test_looks_no_deeper_where_there_are_ten_thousand_patterns(self):
        table = TopicTable()
        for number in range(10_000):
            table.add(f"ticks.NSE_EQ.S{number}", number)
        visited = []
        find = type(table._root).find

        def counted(node, words, at):
            visited.append(at)
            return find(node, words, at)

        type(table._root).find = counted
        try:
            found = table.targets("ticks.NSE_EQ.S77")
        finally:
            type(table._root).find = find

        assert found == (77,)
        assert len(visited) == 4


class TestAPattern:
    @pytest.mark.parametrize("pattern", ["", "a..b", ".a", "a*", "a.**.b", "a.***"])
    def test_that_is_none_is_refused(self, pattern):
        with pytest.raises(PatternInvalidError, match="words joined by dots"):
            words_of(pattern)
