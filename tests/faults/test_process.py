"""The process around the actors: it ends, forks and gives up within a bound, whatever they are doing."""

import textwrap

import pytest
from natya_starts import run_natya, run_python

PRELUDE = """
import os, sys, threading, time
from natya.actors.runtime import InProcessSystem, InProcessSystemBase, RuntimeActor, SystemStoppedError, handles

class Busy(RuntimeActor):
    def on_start(self):
        self.after(0, 1)

    @handles(int)
    def go_on(self, number, sender):
        self.send(self.myAddress, number)

    @handles(threading.Event)
    def hang(self, event, sender):
        event.set()
        while True:
            time.sleep(60)

class BusyThread(Busy):
    blocking = True

system = InProcessSystem(InProcessSystemBase(shutdown_s=0.5))
for kind in (Busy, BusyThread):
    system.start(kind.__name__, kind)
"""


def run(script):
    """Run it in a process of its own; one that hangs fails the test."""
    return run_python(PRELUDE + textwrap.dedent(script))


class TestAnInterpreterThatEnds:
    @pytest.mark.parametrize("end", ["pass", "sys.exit(0)", "system.shutdown()", "os._exit(0)"])
    def test_while_actors_run_is_not_kept(self, end):
        ended = run(end)

        assert (ended.returncode, ended.stderr) == (0, "")

    @pytest.mark.parametrize("kind", ["Busy", "BusyThread"])
    @pytest.mark.parametrize("end", ["pass", "system.shutdown()"])
    def test_while_a_handler_never_returns_is_not_kept(self, kind, end):
        ended = run(f"""
            entered = threading.Event()
            system.tell("{kind}", entered)
            assert entered.wait(60)
            {end}
        """)

        assert (ended.returncode, ended.stderr) == (0, "")

    def test_by_an_error_says_it(self):
        ended = run("raise RuntimeError('over')")

        assert ended.returncode == 1
        assert "over" in ended.stderr


class TestAForkOfTheProcess:
    def test_has_a_stopped_system_and_ends_while_the_parents_goes_on(self):
        ended = run("""
            import warnings
            warnings.simplefilter("ignore")  # newer Pythons warn of a fork with threads, which is what this is about
            children = []
            for _ in range(8):
                pid = os.fork()
                if pid == 0:
                    try:
                        system.request("Busy", 1, timeout_s=60)
                    except SystemStoppedError:
                        sys.exit(7)
                    sys.exit(1)
                children.append(pid)
            codes = {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children}
            assert codes == {7}, codes
            begun = system.base.find("Busy").handled
            while system.base.find("Busy").handled == begun:
                time.sleep(0.001)
            system.shutdown()
        """)

        assert (ended.returncode, ended.stderr) == (0, "")


class TestAHandlerThatForks:
    @pytest.mark.parametrize("blocking", [False, True])
    def test_has_a_child_that_ends_with_it_and_takes_no_message_of_the_parents(self, blocking):
        ended = run(f"""
            import warnings
            warnings.simplefilter("ignore")  # newer Pythons warn of a fork with threads, which is what this is about
            from natya.messages.system import Ping

            def nothing(actor): pass
            def leave(actor): sys.exit(7)
            def fail(actor): raise ValueError("in the child")
            def speak(actor): actor.send("forker", 1)

            class Forker(RuntimeActor):
                blocking = {blocking}

                @handles(tuple)
                def fork(self, does, sender):
                    (do,) = does
                    pid = os.fork()
                    if pid == 0:
                        do(self)
                    else:
                        self.send(sender, pid)

                @handles(list)
                def offload_a_fork(self, _, sender):
                    self.offload(os.fork, then=lambda outcome: self.send(sender, outcome.unwrap()))

                @handles(int)
                def note(self, number, _sender):
                    os.write(1, b"x")

            def code_of(asked):
                forked = system.request_future("forker", asked)
                for number in range(50):
                    system.tell("forker", number)
                pid = forked.result(60)
                system.request("forker", Ping())
                return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

            system.start("forker", Forker)
            codes = [code_of(asked) for asked in ((nothing,), (leave,), (fail,), (speak,), [])]
            assert codes == [0, 7, 1, 0, 0], codes
            system.shutdown()
        """)

        assert (ended.returncode, ended.stdout.count("x"), ended.stderr) == (0, 250, "")


class TestAStrategyThatDiesInItsStartForEver:
    def test_is_left_behind_and_the_run_ends_with_70_and_its_own_error(self, tmp_path):
        (tmp_path / "stillborn.py").write_text(
            "from natya import StrategyActor\n"
            "class Stillborn(StrategyActor):\n"
            "    def on_begin(self):\n"
            "        raise OSError('no such model file')\n"
        )
        faster = ["supervision.fail_max=1", "supervision.escalate_after=1", "supervision.backoff_first_s=0.01"]

        ended = run_natya(
            *("run", "--strategy", "stillborn:Stillborn", "--data-dir", "data", "--duration", "1"),
            *(part for each in faster for part in ("--set", each)),
            cwd=tmp_path,
        )

        assert ended.returncode == 70
        assert "stillborn failed: OSError: no such model file at" in ended.stderr
        assert ended.stderr.count("Traceback") == 1
        assert "failed for good, and was left behind: stillborn" in ended.stderr
