"""`natya trace`: where an order went."""

import json

import pytest
from rich.console import Console

from natya.cli.views.tables import show
from natya.cli.views.trace import caused, conversations_table, trace_json, trace_table
from natya.messages.trace import Hop


def a_hop(hop_id, causation_id=0, **changes):
    fields = {
        "correlation_id": "A-1",
        "actor": f"actor{hop_id}",
        "message_type": "Said",
        "sent_ns": 1_000_000 + hop_id * 1_000,
        "begun_ns": 1_000_000 + hop_id * 1_000 + 250,
        "ended_ns": 1_000_000 + hop_id * 1_000 + 750,
    }
    return Hop(hop_id=hop_id, causation_id=causation_id, **{**fields, **changes})


@pytest.fixture
def text():
    console = Console(width=200, no_color=True)

    def text(table):
        with console.capture() as captured:
            console.print(table)
        return [line.rstrip() for line in captured.get().splitlines()]

    return text


class TestATrace:
    HOPS = (a_hop(1), a_hop(3, 1), a_hop(2, 1), a_hop(4, 2, failed=True), a_hop(9, 77))

    def test_puts_each_hop_below_the_one_that_caused_it(self):
        assert caused(self.HOPS) == ["1", "1/2", "1/2/4", "1/3", "9"]

    def test_is_shown_as_a_tree_with_times(self, text):
        lines = text(trace_table(self.HOPS))

        assert [line.partition("  Said")[0].rstrip() for line in lines[1:-1]] == [
            "actor1",
            "├── actor2",
            "│   └── actor4",
            "└── actor3",
            "actor9",
        ]
        assert "Said failed" in lines[3]
        assert lines[-1].startswith("A-1: 5 hops in 0.009 ms")

    def test_tells_when_a_hop_began_in_milliseconds_and_its_waiting_and_work_in_microseconds(self, text):
        hops = [
            a_hop(1, sent_ns=0, begun_ns=2_000_000, ended_ns=5_000_000),
            a_hop(2, 1, sent_ns=5_000_000, begun_ns=5_250_400, ended_ns=7_001_000),
        ]

        assert [line.split()[-6:] for line in text(trace_table(hops))[1:3]] == [
            ["2.000", "ms", "2000", "us", "3000", "us"],
            ["5.250", "ms", "250", "us", "1751", "us"],
        ]
        assert [line.split()[-6:] for line in text(conversations_table(hops))[1:]] == [
            ["7.001", "ms", "2000", "us", "3000", "us"]
        ]

    def test_is_shown_whole_however_narrow_the_terminal_is(self, capsys, monkeypatch):
        for name, value in {"FORCE_COLOR": "1", "NO_COLOR": "1", "COLUMNS": "40"}.items():
            monkeypatch.setenv(name, value)
        hops = [a_hop(number, number - 1, correlation_id="a-name-of-some-length-17") for number in range(1, 13)]
        show(trace_table(hops), whole=True)
        show(conversations_table(hops), whole=True)

        captured = capsys.readouterr().out
        *tree, listed = captured.rstrip().splitlines()
        assert sum("actor12" in line and line.rstrip().endswith("us") for line in tree) == 1
        assert "a-name-of-some-length-17" in listed
        assert "…" not in captured

    def test_is_one_json_object(self):
        assert [hop["hop_id"] for hop in json.loads(trace_json(self.HOPS))["hops"]] == [1, 3, 2, 4, 9]


class TestTheNewestConversations:
    def test_are_listed_a_line_each(self, text):
        hops = (a_hop(1), a_hop(2, 1), a_hop(3, correlation_id="A-2", message_type="Tick"))

        lines = text(conversations_table(hops))

        assert [line.split()[0] for line in lines[1:]] == ["A-1", "A-2"]
        assert "Tick to actor3" in lines[2]
