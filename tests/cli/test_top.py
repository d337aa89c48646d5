"""What the actors of a running system do, between two looks."""

import contextlib
import json
import os
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

import natya
from natya.cli.app import app
from natya.cli.commands import top
from natya.cli.processes import ProcessMemory, memory_of
from natya.cli.views.top import Seen, _time, as_json, as_table, handlers_of, p99, rows
from natya.messages.health import TIMING_BOUNDS_S
from natya.messages.supervision import ChildStatus, SupervisionTree

SECOND = 10**9


def a_child(name="orders", handled=0, **changes):
    fields = {"state": "RUNNING", "host": "loop", "restarts": 0, "breaker": "closed", "mailbox_depth": 0}
    return ChildStatus(**{"path": f"system/{name}", "last_error": "", "handled": handled, **fields, **changes})


def seen(*children, at_s=0.0, handlers=None, processes=()):
    tree = SupervisionTree(children=children)
    return Seen(at_ns=round(at_s * SECOND), tree=tree, handlers=handlers or {}, processes=processes)


class TestARow:
    def test_has_the_messages_a_second_between_two_looks(self):
        (row,) = rows(seen(a_child(handled=100)), seen(a_child(handled=150), at_s=2.0))

        assert row.handled_per_s == 25.0

    def test_of_the_busiest_is_the_first(self):
        before = seen(a_child("a"), a_child("b"), a_child("c"))
        now = seen(a_child("a", 5), a_child("b", 9), a_child("c", mailbox_depth=1), at_s=1.0)

        assert [row.name for row in rows(before, now)] == ["b", "a", "c"]

    def test_of_those_as_busy_is_first_where_most_waits_and_then_by_name(self):
        now = seen(a_child("d"), a_child("a"), a_child("b", mailbox_depth=1), a_child("c", mailbox_depth=2), at_s=1.0)

        assert [row.name for row in rows(seen(), now)] == ["c", "b", "a", "d"]

    def test_of_an_actor_that_is_new_claims_no_rate(self):
        (row,) = rows(seen(), seen(a_child(handled=1_000), at_s=1.0))

        assert row.handled_per_s == 0.0

    def test_has_the_p99_of_what_was_timed_between_the_looks(self):
        before = {"orders": {0.001: 50.0, 0.1: 100.0, float("inf"): 100.0}}
        now = {"orders": {0.001: 150.0, 0.1: 200.0, float("inf"): 200.0}}
        (row,) = rows(seen(a_child(), handlers=before), seen(a_child(), at_s=1.0, handlers=now))

        assert row.p99_s == 0.001


class TestP99:
    def test_of_nothing_is_none(self):
        assert p99({}, {}) is None
        assert p99({0.1: 5.0}, {0.1: 5.0}) is None

    @given(times=st.lists(st.sampled_from([*TIMING_BOUNDS_S, 11.0]), min_size=1, max_size=300))
    def test_is_the_class_below_which_99_of_100_are(self, times):
        bounds = [*TIMING_BOUNDS_S, float("inf")]
        found = p99({}, {bound: float(sum(each <= bound for each in times)) for bound in bounds})

        assert sum(each <= found for each in times) >= 0.99 * len(times)
        assert all(sum(each <= bound for each in times) < 0.99 * len(times) for bound in bounds if bound < found)

    def test_is_read_from_the_text_of_metrics(self):
        text = (
            'natya_handler_seconds_bucket{actor="orders",le="0.001"} 3.0\n'
            'natya_handler_seconds_bucket{actor="orders",le="+Inf"} 4.0\n'
            'natya_mailbox_wait_seconds_bucket{actor="orders",le="0.001"} 9.0\n'
        )

        assert handlers_of(text) == {"orders": {0.001: 3.0, float("inf"): 4.0}}


class TestMemory:
    def test_of_this_process_is_what_the_kernel_says(self):
        own, *_ = memory_of(os.getpid())

        assert own.pid == os.getpid()
        assert own.resident_bytes > 1 << 20

    def test_of_processes_that_ended_is_left_out(self, tmp_path):
        (tmp_path / "7" / "task" / "7").mkdir(parents=True)
        (tmp_path / "7" / "task" / "7" / "children").write_text("8 9")
        (tmp_path / "7" / "statm").write_text("100 10 1")
        (tmp_path / "9").mkdir()
        (tmp_path / "9" / "statm").write_text("100 20 1")

        assert [each.pid for each in memory_of(7, tmp_path)] == [7, 9]
        assert memory_of(11, tmp_path) == ()


def test_json_has_no_number_that_json_lacks():
    handlers = {"orders": {10.0: 0.0, float("inf"): 5.0}}
    now = seen(a_child(), at_s=1.0, handlers=handlers, processes=(ProcessMemory(pid=7, resident_bytes=1 << 20),))

    assert json.loads(json.dumps(as_json(seen(a_child()), now), allow_nan=False))["actors"][0]["p99_s"] is None
    assert as_table(seen(a_child()), now).row_count == 1


class TestTheTable:
    def test_has_a_line_an_actor_and_below_it_the_memory(self):
        before = seen(a_child("orders"), a_child("feed"))
        now = seen(
            a_child("orders", handled=3_000, mailbox_depth=1_000, state="PARKED", restarts=2),
            a_child("feed", handled=1),
            at_s=2.0,
            handlers={"orders": {0.0015: 5.0}},
            processes=tuple(ProcessMemory(pid=pid, resident_bytes=pid << 20) for pid in (7, 8)),
        )
        table = as_table(before, now)
        console = Console(width=120, color_system=None)
        with console.capture() as captured:
            console.print(table)

        assert [" ".join(line.split()) for line in captured.get().splitlines()] == [
            "actor state host mailbox msg/s p99 restarts",
            "orders PARKED loop 1,000 1,500.0 1.50 ms 2",
            "feed RUNNING loop 0 0.5 - 0",
            "memory: process 7: 7 MiB; worker 8: 8 MiB; stalls of the",
            "event loop: 0",
        ]
        styles = {each.text.strip(): str(each.style) for each in console.render(table)}
        found = [styles[text] for text in ("PARKED", "RUNNING", "1,000", "2", "0")]
        assert found == ["bold red", "green", "yellow", "yellow", "dim"]

    def test_without_processes_tells_of_stalls_alone(self):
        assert str(as_table(seen(), seen(at_s=1.0)).caption) == "stalls of the event loop: 0"

    @pytest.mark.parametrize(
        ("seconds", "text"),
        [
            (None, "-"),
            (0.0, "0.00 ms"),
            (0.9999, "999.90 ms"),
            (1.0, "1.0 s"),
            (2_500.0, "2,500.0 s"),
            (float("inf"), "more"),
        ],
    )
    def test_has_times_that_are_read_at_a_glance(self, seconds, text):
        assert _time(seconds) == text


@pytest.mark.parametrize(
    ("options", "is_terminal", "tables", "is_drawn"),
    [((), True, 0, True), ((), False, 2, False), (("--json",), True, 2, False), (("--once",), True, 1, False)],
)
def test_looks_are_drawn_at_a_terminal_alone_and_else_printed(monkeypatch, options, is_terminal, tables, is_drawn):
    looks, drawn = iter([seen(a_child(), at_s=at_s) for at_s in range(3)]), []

    def look(_system):
        if (found := next(looks, None)) is None:
            raise KeyboardInterrupt
        return found

    live = SimpleNamespace(update=lambda table, *, refresh: drawn.append((table, refresh)))
    monkeypatch.setattr(top, "running", lambda *_: contextlib.nullcontext())
    monkeypatch.setattr(top, "_look", look)
    monkeypatch.setattr(top, "out", lambda: SimpleNamespace(isatty=lambda: is_terminal, flush=lambda: None))
    monkeypatch.setattr("rich.live.Live", lambda **_: contextlib.nullcontext(live))

    shown = CliRunner().invoke(app, ["top", "--interval", "0.1", *options])

    assert shown.exit_code == 0
    assert shown.stdout.count("RUNNING") == tables
    assert [refresh for _, refresh in drawn] == [True, True] * is_drawn


class TestTheCommand:
    @pytest.fixture
    def shell(self, tmp_path):
        return lambda *given: CliRunner().invoke(app, ["top", "--data-dir", str(tmp_path / "data"), *given])

    def test_looks_once_at_a_running_system(self, shell, tmp_path):
        overrides = {"system.data_dir": str(tmp_path / "data"), "feed.symbols": ["TCS"]}
        with natya.TradingSystem(natya.load_settings("paper", environment={}, overrides=overrides)):
            answer = shell("--once", "--json", "--interval", "0.3")
            table = shell("--once", "--interval", "0.1").stdout

        found = json.loads(answer.stdout)
        by_name = {each["name"]: each for each in found["actors"]}
        assert by_name["events"]["handled_per_s"] > 0
        assert by_name["orders"]["state"] == "RUNNING"
        assert found["processes"][0]["pid"] == os.getpid()
        assert found["interval_s"] >= 0.3
        assert "msg/s" in table
        assert f"process {os.getpid()}" in table

    def test_ends_with_69_where_nothing_runs(self, shell):
        assert shell("--once").exit_code == 69
