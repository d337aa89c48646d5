"""Requests that the next process counts, however this one ends."""

import os
from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.external.tally import AHEAD, Line, Tally, times_of
from natya.actors.external.tally_file import TallyFiles
from natya.domain.time import DAY_NS, SECOND_NS

WHOSE = "1100012345@api.dhan.co"
NOON_NS = 20_000 * DAY_NS


def a_tally(by=NOON_NS):
    return Tally(by, WHOSE, ("data",))


def counted(lines, began_ns=NOON_NS + DAY_NS, whose=WHOSE, kind="data"):
    return times_of(lines, kind, whose=whose, began_ns=began_ns)


def a_line(**changes):
    fields = {"at_ns": NOON_NS, "by": NOON_NS, "whose": WHOSE, "kind": "data", "left": 1, "ahead": 0}
    return Line(**(fields | changes))


STEPS = st.lists(
    st.tuples(st.integers(1, AHEAD // 2), st.sampled_from(["written", "written", "full disk", "later", "restart"])),
    max_size=30,
)


@given(STEPS, st.booleans())
def test_however_a_process_ends_no_request_is_forgotten_and_few_count_that_never_left(steps, is_killed):
    """Between a line and its being durable fewer requests leave than what was counted ahead."""
    tally, granted, lines, under_way, restarts = a_tally(), Counter(data=1), [], (), 0
    for number, (requests, what) in enumerate([(0, "written"), *steps]):
        granted["data"] += requests
        under_way = under_way or tally.due(granted, NOON_NS + number)
        if what == "written":
            lines += under_way
            tally.written(under_way, is_durable=True)
        elif what == "full disk":
            tally.written(under_way, is_durable=False)
        elif what == "restart":
            lines += under_way
            tally.begin_again()
            restarts += bool(under_way)
        if what != "later":
            under_way = ()
        if what in {"full disk", "later"}:
            break
    if is_killed:
        assert granted["data"] <= len(counted(lines)) + AHEAD // 2 * (what == "full disk")
    else:
        lines += under_way
        lines += tally.last(granted, NOON_NS + len(steps) + 2)
        assert len(counted(lines)) >= granted["data"]
        if not restarts:
            assert len(counted(lines)) == granted["data"]
    assert len(counted(lines)) <= granted["data"] + AHEAD * (1 + restarts)


def test_a_process_that_asks_for_nothing_writes_nothing():
    tally = a_tally()

    assert tally.due(Counter(), NOON_NS) == tally.last(Counter(), NOON_NS) == ()


def test_no_line_comes_while_one_is_being_written_however_many_leave():
    tally, granted = a_tally(), Counter(data=1)
    first = tally.due(granted, NOON_NS)
    granted["data"] += AHEAD
    assert tally.due(granted, NOON_NS) == ()
    tally.written(first, is_durable=True)

    assert [line.left for line in (*first, *tally.due(granted, NOON_NS))] == [1, AHEAD]


def test_a_line_comes_once_for_half_of_what_it_counts_ahead():
    tally, granted, at = a_tally(), Counter(), []
    for number in range(1, 1_001):
        granted["data"] += 1
        due = tally.due(granted, NOON_NS)
        tally.written(due, is_durable=True)
        at += [number] * len(due)

    assert at == [*range(1, 1_001, AHEAD // 2 + 1)]  # while half of it is ahead there is none
    assert tally.due(granted, NOON_NS) == ()


class TestWhatIsRead:
    def test_is_of_this_account_and_kind_alone(self):
        lines = [a_line(), a_line(whose="1@127.0.0.1:8711"), a_line(kind="option_chain", left=7)]

        assert len(counted(lines)) == 1
        assert len(counted(lines, kind="option_chain")) == 7

    def test_has_its_answers_two_minutes_later_at_the_latest_and_never_after_who_reads_began(self):
        lines = [a_line(), a_line(at_ns=NOON_NS + 3_600 * SECOND_NS), a_line(at_ns=NOON_NS + 2 * DAY_NS)]

        assert counted(lines, began_ns=NOON_NS + 3_601 * SECOND_NS) == (
            NOON_NS + 120 * SECOND_NS,
            NOON_NS + 3_601 * SECOND_NS - 1,
            NOON_NS + 3_601 * SECOND_NS - 1,
        )

    def test_has_what_each_process_may_have_sent_after_its_newest_line(self):
        lines = [
            a_line(ahead=100),
            a_line(at_ns=NOON_NS + 1, ahead=0),
            a_line(by=NOON_NS + 5, at_ns=NOON_NS + 9, ahead=100),
            a_line(by=NOON_NS + 5, at_ns=NOON_NS + 7, left=2, ahead=50),
        ]

        assert len(counted(lines)) == 1 + 1 + 1 + 2 + 100


class TestTheFiles:
    def test_give_back_what_was_written_of_the_last_days_and_only_that(self, tmp_path):
        files = TallyFiles(tmp_path / "requests")
        lines = tuple(a_line(at_ns=NOON_NS - days * DAY_NS, left=days) for days in range(5))
        assert files.read(NOON_NS) == ()
        files.append(lines)
        strangers = ["notes.txt", "0 notes.txt", "2024-01-01.jsonl.bak", "x2024-01-01.jsonl", "2024-1-1.jsonl"]
        for name in strangers:
            (files.folder / name).write_bytes(msgspec.json.encode(a_line(left=99)))

        assert sorted(line.left for line in files.read(NOON_NS)) == [0, 1, 2]
        files.remove_old(NOON_NS)
        assert {path.name for path in files.folder.iterdir()} >= set(strangers)
        assert len(list(files.folder.iterdir())) == 3 + len(strangers)
        assert {path.stat().st_mode & 0o777 for path in files.folder.glob("????-??-??.jsonl")} == {0o600}

    def test_say_that_a_line_was_not_written_as_a_whole(self, tmp_path, monkeypatch):
        write = os.write
        monkeypatch.setattr(os, "write", lambda descriptor, text: write(descriptor, text[:-1]))

        with pytest.raises(OSError, match="a line was not written as a whole"):
            TallyFiles(tmp_path).append([a_line()])

    def test_lose_a_torn_line_alone(self, tmp_path):
        files = TallyFiles(tmp_path)
        files.append([a_line(left=1)])
        (path,) = tmp_path.iterdir()
        path.write_bytes(path.read_bytes() + b'\n{"at_ns":1,"by"')
        files.append([a_line(left=2)])

        assert [line.left for line in files.read(NOON_NS)] == [1, 2]
