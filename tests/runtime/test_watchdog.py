"""Who holds the shared loop too long, since when, and in which line."""

import threading
from traceback import FrameSummary
from types import SimpleNamespace

import pytest

from natya.actors.runtime import InProcessSystem, InProcessSystemBase, RuntimeActor, handles
from natya.actors.runtime import watchdog as room
from natya.actors.runtime.watchdog import OURS, Stall, Watchdog, _place

ROOM, BOOK = f"{OURS}runtime/worker.py", f"{OURS}orders/book.py"
USER, LIBRARY, THREADS = "/home/me/my.py", "/usr/lib/json.py", "/usr/lib/threading.py"


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ([], ""),
        ([THREADS], f"{THREADS}:1 in f0"),
        ([THREADS, ROOM], f"{ROOM}:2 in f1"),
        ([THREADS, ROOM, BOOK], f"{BOOK}:3 in f2"),
        ([THREADS, ROOM, USER], f"{USER}:3 in f2"),
        ([THREADS, ROOM, USER, BOOK], f"{USER}:3 in f2"),
        ([THREADS, ROOM, USER, LIBRARY, BOOK], f"{LIBRARY}:4 in f3"),
    ],
)
def test_the_place_of_a_stall_is_the_innermost_line_that_is_not_of_an_actor_of_ours(files, place):
    calls = [FrameSummary(file, number + 1, f"f{number}", line="x") for number, file in enumerate(files)]

    assert _place(calls) == place


class Cell:
    """Whose turn it is: the same as itself alone."""

    def __init__(self, name):
        self.name, self.handled = name, 1


class Stopped:
    """Lets the watchdog look so often, each time after the loop has gone on as the test says."""

    def __init__(self, loop, looks):
        self.loop, self.looks, self.waited = loop, iter(looks), []

    def wait(self, seconds):
        self.waited.append(seconds)
        found = next(self.looks, None)
        if found is None:
            return True
        vars(self.loop).update(found() if callable(found) else found)
        return False


class TestALook:
    @pytest.fixture
    def watched(self, monkeypatch):
        """Watch a loop that is found so, look after look; return the watchdog, and what was held at each look."""

        def watched(*looks):
            monkeypatch.setattr(room.threading, "Thread", lambda **_: SimpleNamespace(start=lambda: None))
            loop = SimpleNamespace(ident=threading.get_ident(), current=None, rounds=0)
            watchdog = Watchdog(loop, 0.25)
            seconds = iter(range(100, 200))
            monkeypatch.setattr(room.time, "monotonic_ns", lambda: next(seconds) * 10**9)
            watchdog._stopped = stopped = Stopped(loop, looks)
            held = []

            def wait(seconds):
                held.append(watchdog.held and watchdog.held.actor)
                return Stopped.wait(stopped, seconds)

            stopped.wait = wait
            watchdog._watch()
            assert set(stopped.waited) == {0.25}
            return watchdog, held[1:]

        return watched

    def test_at_the_same_turn_twice_is_a_stall_and_told_once(self, watched, caplog):
        caplog.set_level("WARNING", "natya")
        slow = {"current": Cell("slow"), "rounds": 5}
        watchdog, held = watched(slow, slow, slow, {"current": None})

        assert (watchdog.stalls, held) == (1, [None, "slow", "slow", None])
        last = watchdog.last
        assert last == Stall(actor="slow", held_s=0.25, since_ns=100 * 10**9, stack=last.stack, place=last.place)
        assert "_watch" in last.stack
        (line,) = caplog.records
        assert (line.getMessage(), line.actor, line.fields) == (
            "loop.stalled",
            "slow",
            {"held_s": 0.25, "stack": last.stack},
        )
        assert watchdog.held_s() == 0.0

    @pytest.mark.parametrize("then", ["another", "another turn", "another message", "nobody"])
    def test_at_anything_else_is_none(self, watched, then):
        cell, other = Cell("slow"), Cell("slow")

        def gone_on():
            cell.handled += then == "another message"
            found = {"another": other, "nobody": None}.get(then, cell)
            return {"current": found, "rounds": 5 + (then == "another turn")}

        watchdog, held = watched({"current": cell, "rounds": 5}, gone_on)
        assert (watchdog.stalls, watchdog.last, held) == (0, None, [None, None])

    def test_at_a_loop_without_a_turn_is_none_however_often(self, watched):
        watchdog, held = watched(*[{"current": None, "rounds": 5}] * 3)

        assert (watchdog.stalls, held) == (0, [None] * 3)

    def test_tells_how_long_the_present_one_lasts(self, watched):
        slow = {"current": Cell("slow"), "rounds": 5}
        watchdog, _ = watched(slow, slow)

        assert [watchdog.held_s() for _ in range(2)] == [1.0, 2.0]

    def test_names_one_without_a_name_by_itself(self, watched):
        nameless = Cell("")
        watchdog, _ = watched(*[{"current": nameless, "rounds": 5}] * 2)

        assert watchdog.last.actor == str(nameless)


class Teller(RuntimeActor):
    """Tells what it is told of stalls."""

    @handles(str)
    def tell(self, _, sender):
        self.send(sender, self.stalls())


@pytest.mark.parametrize("stall_warn_s", [None, 60.0])
def test_none_is_told_where_nobody_looks_or_there_was_none(stall_warn_s):
    with InProcessSystem(InProcessSystemBase(stall_warn_s=stall_warn_s)) as system:
        system.start("teller", Teller)

        assert system.request("teller", "tell") == (0, "")
