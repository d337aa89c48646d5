"""The life of an actor: every order of events, against a cell that is played and a table of what is to follow."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from natya_examples import FULL

from natya.actors.runtime.life import Do, End, Life, Refuse, State, TellFailed, TellStarted, TellStartFailed
from natya.actors.runtime.lifecycle import Reject

NEW, RUNNING, SUSPENDED, REJECTING, STOPPING, DEAD = State
ORDER = Reject(retry_after_s=1.0)
ERROR = ValueError("boom")
PUTS = {NEW: "take", RUNNING: "take", SUSPENDED: "keep", REJECTING: "refuse", STOPPING: "take"}


class PlayedCell:
    """Takes the steps of a life as a cell does, without an actor."""

    def __init__(self, *, fails=False, ready=True):
        self.life = Life()
        self.fails = fails
        self.ready = ready
        self.put = "take"
        self.has_turn = False
        self.instances = self.released = self.ends = 0
        self.heard = []
        self.ended = None

    def take(self, steps):
        for step in steps:
            match step:
                case Do.BEGIN:
                    self.begin()
                case Do.RENEW:
                    self.release()
                    self.begin()
                case Do.ADMIT:
                    self.put = "take"
                case Do.KEEP:
                    self.put, self.has_turn = "keep", False
                case Do.GO_ON:
                    self.has_turn = True
                case Refuse(order):
                    assert order is ORDER
                    self.put = "refuse"
                case End():
                    self.ended = step
                    self.ends += 1
                    self.release()
                case _:
                    self.hear(step)

    def hear(self, report):
        match report:
            case TellStarted(hearers):
                self.heard += [(hearer, "Started") for hearer in hearers]
            case TellStartFailed(hearers, error):
                assert error is ERROR
                self.heard += [(hearer, "StartFailed") for hearer in hearers]
            case TellFailed(hearer, error):
                assert error is ERROR
                self.heard.append((hearer, "ChildHandlerFailed"))

    def begin(self):
        assert not self.life.is_up
        assert self.put != "refuse"  # what it asks in `on_start` may be answered at once
        if self.fails:
            self.take(self.life.start_failed(ERROR))
        else:
            self.instances += 1
            self.life.is_up = True
            heard = len(self.heard)
            self.take(self.life.began(ready=self.ready))
            assert self.ready or self.heard[heard:] == []  # it says itself when it is

    def release(self):
        self.released += self.life.is_up
        self.life.is_up = False


def is_in(*states):
    return precondition(lambda self: self.cell.life.state in states)


class AnyLife(RuleBasedStateMachine):
    """Whatever happens in whatever order."""

    @initialize(supervised=st.booleans(), awaited=st.booleans(), fails=st.booleans(), ready=st.booleans())
    def start(self, supervised, awaited, fails, ready):
        self.supervised, self.afresh, self.in_start = supervised, True, awaited and not ready
        self.cell = PlayedCell(fails=fails, ready=ready)

        self.cell.take(self.cell.life.start("starter" if awaited else None, "supervisor" if supervised else None))

        self.expect(self.after_a_start(RUNNING))
        told = [] if not (fails or ready) else ["starter"] * awaited + ["supervisor"] * supervised
        assert self.cell.heard == [(hearer, "StartFailed" if fails else "Started") for hearer in told]

    def after_a_start(self, state):
        """Tell where a start leads that would lead there if it succeeds."""
        if self.cell.fails:
            self.in_start = False
            return self.after_a_failed_start()
        return state

    def after_a_failed_start(self):
        assert self.cell.ended == (None if self.supervised else End(requested=False, error=ERROR))
        return SUSPENDED if self.supervised else DEAD

    def expect(self, state):
        assert self.cell.life.state is state

    @rule(fails=st.booleans())
    def luck_turns(self, fails):
        self.cell.fails = fails

    @is_in(RUNNING, SUSPENDED, REJECTING, STOPPING)
    @rule()
    def restart(self):
        state = STOPPING if self.cell.life.state is STOPPING else RUNNING

        self.cell.take(self.cell.life.restart())

        self.expect(self.after_a_start(state))

    @is_in(RUNNING, SUSPENDED, REJECTING, STOPPING)
    @rule()
    def suspend(self):
        before = self.cell.life.state

        self.cell.take(self.cell.life.suspend())

        self.expect(SUSPENDED if before is RUNNING else before)

    @precondition(lambda self: self.cell.life.is_up)
    @rule()
    def resume(self):
        before = self.cell.life.state

        self.cell.take(self.cell.life.resume())

        self.expect(RUNNING if before in {SUSPENDED, REJECTING} else before)

    @is_in(RUNNING, SUSPENDED, REJECTING, STOPPING)
    @rule()
    def reject(self):
        self.cell.take(self.cell.life.reject(ORDER))

        self.expect(REJECTING)

    @is_in(RUNNING, SUSPENDED, REJECTING, STOPPING)
    @rule(waiting=st.integers(0, 3), afresh=st.booleans())
    def stop(self, waiting, afresh):
        before, was_up = self.cell.life.state, self.cell.life.is_up
        self.afresh = afresh

        self.cell.take(self.cell.life.stop(waiting, afresh=afresh))

        if before in {RUNNING, STOPPING}:
            self.expect(STOPPING)
        elif before is SUSPENDED and was_up and afresh and waiting:
            self.expect(self.after_a_start(STOPPING))
        else:
            self.expect(DEAD)
            assert self.cell.ended == End(requested=True, error=None)

    @is_in(STOPPING)
    @rule()
    def handle_one_of_the_last(self):
        self.cell.life.to_handle -= 1

    @is_in(RUNNING, SUSPENDED, STOPPING)
    @rule()
    def become_ready(self):
        self.in_start = False

        self.cell.take(self.cell.life.ready())

    @is_in(RUNNING)
    @rule()
    def fail(self):
        heard = len(self.cell.heard)
        in_start = self.in_start

        self.cell.take(self.cell.life.failed(ERROR))

        if in_start:
            self.in_start = False
            self.expect(self.after_a_failed_start())
            assert ("starter", "StartFailed") in self.cell.heard[heard:]
        elif self.supervised:
            self.expect(SUSPENDED)
            assert self.cell.heard[heard:] == [("supervisor", "ChildHandlerFailed")]
        else:
            self.expect(self.after_a_start(RUNNING))

    @is_in(STOPPING)
    @rule()
    def fail_while_stopping(self):
        left = self.cell.life.to_handle

        self.cell.take(self.cell.life.failed(ERROR))

        if self.afresh and left > 0:
            self.expect(self.after_a_start(STOPPING))
        else:
            self.expect(DEAD)
            assert self.cell.ended == End(requested=True, error=ERROR if self.afresh else None)

    @is_in(RUNNING, STOPPING)
    @rule(error=st.sampled_from([SystemExit(0), None]))
    def exit(self, error):
        life = self.cell.life

        self.cell.take(life.end(requested=False) if error is None else life.failed(error))

        self.expect(DEAD)
        assert self.cell.ended == End(requested=False, error=error)

    @invariant()
    def it_takes_messages_as_its_state_says(self):
        if self.cell.life.state is not DEAD:
            assert self.cell.put == PUTS[self.cell.life.state]
            assert self.cell.has_turn or self.cell.life.state is not RUNNING

    @invariant()
    def who_handles_messages_has_an_instance_and_no_instance_is_lost(self):
        life = self.cell.life
        assert life.is_up or life.state in {SUSPENDED, REJECTING, DEAD}
        assert self.cell.instances == self.cell.released + life.is_up

    @invariant()
    def it_ends_once(self):
        assert self.cell.ends == (self.cell.life.state is DEAD)

    @invariant()
    def who_waits_for_the_start_hears_of_it_once(self):
        assert [hearer for hearer, _ in self.cell.heard].count("starter") <= 1


TestAnyLife = AnyLife.TestCase
TestAnyLife.settings = settings(max_examples=3 * FULL, deadline=None)


def a_running(*, supervisor="supervisor"):
    cell = PlayedCell()
    cell.take(cell.life.start(None, supervisor))
    return cell


class TestAnOrderlyStop:
    """What was queued before it is still to be handled."""

    @pytest.mark.parametrize(("waiting", "afresh", "state"), [(2, True, STOPPING), (0, True, DEAD), (2, False, DEAD)])
    def test_of_one_that_is_down_restarts_it_for_what_waits_if_it_may(self, waiting, afresh, state):
        cell = a_running()
        cell.take(cell.life.suspend())

        cell.take(cell.life.stop(waiting, afresh=afresh))

        assert cell.life.state is state
        assert cell.instances == 1 + (state is STOPPING)

    @pytest.mark.parametrize("waiting", [0, 2])
    @pytest.mark.parametrize("afresh", [False, True])
    def test_of_one_that_is_kept_down_or_has_not_begun_ends_it_whatever_waits(self, waiting, afresh):
        rejecting, new = a_running(), PlayedCell()
        rejecting.take(rejecting.life.reject(ORDER))
        for cell in (rejecting, new):
            cell.take(cell.life.stop(waiting, afresh=afresh))

            assert cell.ended == End(requested=True, error=None)

    def test_of_one_that_never_was_up_ends_it(self):
        cell = PlayedCell(fails=True)
        cell.take(cell.life.start(None, "supervisor"))

        cell.take(cell.life.stop(2, afresh=True))

        assert cell.ended == End(requested=True, error=None)
        assert cell.instances == 0

    @pytest.mark.parametrize(
        ("waiting", "afresh", "ended"),
        [(1, True, None), (0, True, End(requested=True, error=ERROR)), (1, False, End(requested=True, error=None))],
    )
    def test_goes_on_after_a_failure_only_if_there_is_a_rest_and_it_may(self, waiting, afresh, ended):
        cell = a_running()
        cell.take(cell.life.stop(waiting, afresh=afresh))

        cell.take(cell.life.failed(ERROR))

        assert cell.ended == ended
        assert cell.instances == 1 + (ended is None)


def test_who_started_and_supervises_hears_of_a_start_once():
    cell = PlayedCell()

    cell.take(cell.life.start("parent", "parent"))

    assert cell.heard == [("parent", "Started")]


@pytest.mark.parametrize("supervisor", ["supervisor", None])
def test_who_fails_before_it_is_ready_has_failed_to_start(supervisor):
    cell = PlayedCell(ready=False)
    cell.take(cell.life.start("starter", supervisor))

    cell.take(cell.life.failed(ERROR))

    assert cell.heard == [(hearer, "StartFailed") for hearer in ("starter", supervisor) if hearer]
    assert cell.ended == (None if supervisor else End(requested=False, error=ERROR))


def test_a_start_that_fails_without_a_supervisor_is_told_when_it_has_ended():
    """Who is told may start another of the name at once, from another thread: it has to be free."""
    life = Life()
    life.start("starter", None)

    assert [type(step) for step in life.start_failed(ERROR)] == [End, TellStartFailed]
