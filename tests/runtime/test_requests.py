"""One answer for each question: who gets it, and where every other answer ends, whatever waits for it."""

import asyncio
import threading
from types import SimpleNamespace

import pytest

from natya.actors.runtime.errors import RequestTimedOut
from natya.actors.runtime.requests import AsyncReply, Bell, BlockingReply, FutureReply

TOO_LATE = "nobody waits for this answer any more"


class DeadLetters:
    """Keeps what came too late."""

    def __init__(self):
        self.letters = []

    def undelivered(self, to, message, _sender, reason, _trace=None):
        self.letters.append((to, message, reason))


@pytest.fixture
def dead_letters():
    return DeadLetters()


def answer(reply, *answers):
    for each in answers:
        reply.put((each, None, None))


class TestAThreadThatWaits:
    def test_gets_the_first_answer_and_the_second_is_a_dead_letter(self, dead_letters):
        reply = BlockingReply(dead_letters)
        answer(reply, "first", "second")

        assert reply.wait(1.0) == "first"
        assert dead_letters.letters == [(reply, "second", TOO_LATE)]

    @pytest.mark.parametrize("timeout_s", [0.0, -1.0, 0.001])
    def test_waits_so_long_and_what_comes_later_is_a_dead_letter(self, dead_letters, timeout_s):
        reply = BlockingReply(dead_letters)

        with pytest.raises(RequestTimedOut, match=f"no answer in {timeout_s:g} s"):
            reply.wait(timeout_s)
        answer(reply, "late")

        assert dead_letters.letters == [(reply, "late", TOO_LATE)]

    def test_may_wait_for_longer_than_a_lock_can(self, dead_letters):
        reply = BlockingReply(dead_letters)
        answer(reply, "soon")

        assert reply.wait(1e300) == "soon"

    def test_that_gives_up_in_the_moment_in_which_the_answer_comes_gets_it(self, dead_letters):
        gives_up, got = threading.Event(), []

        class Answered(BlockingReply):
            def claim(self):
                gives_up.set()
                return False  # who answers was first

        reply = Answered(dead_letters)
        waiting = threading.Thread(target=lambda: got.append(reply.wait(0.0)))
        waiting.start()
        assert gives_up.wait(5)
        reply.accept("in time")
        waiting.join(5)

        assert got == ["in time"]


class TestAFuture:
    def test_gets_the_first_answer_and_the_second_is_a_dead_letter(self, dead_letters):
        reply = FutureReply(dead_letters)
        answer(reply, "first", "second")

        assert reply.future.result(0) == "first"
        assert dead_letters.letters == [(reply, "second", TOO_LATE)]

    def test_that_was_cancelled_lets_the_answer_be_a_dead_letter(self, dead_letters):
        reply = FutureReply(dead_letters)
        reply.future.cancel()
        answer(reply, "late")

        assert dead_letters.letters == [(reply, "late", TOO_LATE)]


class TestACoroutine:
    def test_gets_an_answer_from_another_thread_and_the_second_is_a_dead_letter(self, dead_letters):
        async def ask():
            reply = AsyncReply(dead_letters, asyncio.get_running_loop())
            other = threading.Thread(target=answer, args=(reply, "first", "second"))
            other.start()
            got = await reply.wait(5.0)
            other.join(5)
            return reply, got

        reply, got = asyncio.run(ask())

        assert got == "first"
        assert dead_letters.letters == [(reply, "second", TOO_LATE)]

    def test_waits_so_long_and_what_comes_later_is_a_dead_letter(self, dead_letters):
        async def ask():
            reply = AsyncReply(dead_letters, asyncio.get_running_loop())
            with pytest.raises(RequestTimedOut, match=r"no answer in 0\.001 s"):
                await reply.wait(0.001)
            answer(reply, "late")
            await asyncio.sleep(0)
            return reply

        assert dead_letters.letters == [(asyncio.run(ask()), "late", TOO_LATE)]

    def test_that_is_cancelled_when_the_answer_was_taken_lets_it_be_a_dead_letter(self, dead_letters):
        async def ask():
            reply = AsyncReply(dead_letters, asyncio.get_running_loop())
            answer(reply, "taken")
            reply.future.cancel()
            await asyncio.sleep(0)
            return reply

        assert dead_letters.letters == [(asyncio.run(ask()), "taken", TOO_LATE)]

    @pytest.mark.parametrize("taken", [True, False], ids=["taken", "cancelled"])
    def test_whose_time_is_over_when_the_answer_was_taken_gets_it_and_no_error_where_it_was_cancelled(
        self, dead_letters, taken
    ):
        async def ask():
            loop, reply, timers = asyncio.get_running_loop(), None, []
            reply = AsyncReply(
                dead_letters, SimpleNamespace(create_future=loop.create_future, call_later=later(timers))
            )
            task = asyncio.create_task(reply.wait(5.0))
            await asyncio.sleep(0)
            if taken:
                assert reply.claim()
            else:
                reply.future.cancel()
            timers[0]()
            if not taken:
                with pytest.raises(asyncio.CancelledError):
                    await task
                return None
            reply.set("taken")
            return await task

        def later(timers):
            return lambda _, fire: timers.append(fire) or SimpleNamespace(cancel=lambda: None)

        assert asyncio.run(ask()) == ("taken" if taken else None)
        assert dead_letters.letters == []

    def test_whose_loop_is_closed_lets_the_answer_be_a_dead_letter(self, dead_letters):
        async def ask():
            return AsyncReply(dead_letters, asyncio.get_running_loop())

        reply = asyncio.run(ask())
        answer(reply, "late")

        assert dead_letters.letters == [(reply, "late", TOO_LATE)]


class TestALoopThatIsClosedInTheMomentInWhichAnAnswerComes:
    def test_takes_no_answer_and_keeps_none(self, monkeypatch):
        loop = asyncio.new_event_loop()
        bell = Bell(loop)
        loop.close()
        monkeypatch.setattr(type(loop), "is_closed", lambda _self: False)  # as it looked just before

        assert bell.ring(None, "answer") is False
        assert not bell._answers
        monkeypatch.undo()
        assert bell.ring(None, "answer") is False
