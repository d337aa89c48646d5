"""A blocking call that a coroutine awaits."""

import asyncio
import threading

import pytest

from natya.actors.runtime import to_the_end


class Call:
    """Begins something, when it may, and undoes it."""

    def __init__(self, fault=None):
        self.begun, self.may_end, self.done, self.fault = threading.Event(), threading.Event(), [], fault

    def __call__(self):
        self.begun.set()
        assert self.may_end.wait(10)
        self.done.append("begun")
        if self.fault is not None:
            raise self.fault
        return 7

    def undo(self, result):
        self.done.append(f"undone {result}")


async def cancelled(call, times, **options):
    """Cancel the awaiting while the call runs, and let it end then; return what its awaiting raised."""
    task = asyncio.ensure_future(to_the_end(call, **({"undo": call.undo} | options)))
    await asyncio.to_thread(call.begun.wait, 10)
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
    call.may_end.set()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    return caught.value


def test_has_the_result_of_the_call_and_its_failure():
    call, failing = Call(), Call(ValueError("no"))
    call.may_end.set()
    failing.may_end.set()

    assert asyncio.run(to_the_end(call, undo=call.undo)) == 7
    with pytest.raises(ValueError, match="no"):
        asyncio.run(to_the_end(failing))
    assert call.done == ["begun"]


@pytest.mark.parametrize("times", [1, 3])
def test_cancelled_is_over_when_what_was_begun_is_undone(times):
    """Left alone, a trading system that was starting traded on, with nobody who could stop it."""
    call = Call()
    asyncio.run(cancelled(call, times))

    assert call.done == ["begun", "undone 7"]


def test_cancelled_undoes_nothing_of_a_call_that_failed():
    call = Call(ValueError("no"))
    fault = asyncio.run(cancelled(call, 1))

    assert (call.done, fault.__cause__) == (["begun"], call.fault)


def test_cancelled_undoes_nothing_where_nothing_is_to_be_undone():
    call = Call()
    fault = asyncio.run(cancelled(call, 1, undo=None))

    assert (call.done, fault.__cause__) == (["begun"], None)


def test_is_awaited_at_the_end_of_the_loop_too():
    call = Call()

    async def end_with_the_loop():
        try:
            await asyncio.Event().wait()
        finally:
            call.may_end.set()

    async def main():
        others = asyncio.ensure_future(end_with_the_loop())
        left = asyncio.ensure_future(to_the_end(call, undo=call.undo))
        await asyncio.to_thread(call.begun.wait, 10)
        return left, others

    left, _ = asyncio.run(main())

    assert left.cancelled()
    assert call.done == ["begun", "undone 7"]
