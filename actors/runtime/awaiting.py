"""Blocking calls that are awaited on another thread, to their end."""

from __future__ import annotations

import contextlib
import contextvars
import functools
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")


async def to_the_end(call: Callable[[], Result], *, undo: Callable[[Result], object] | None = None) -> Result:
    """Run a blocking call on another thread, and await its end, whoever cancels the awaiting.

    A thread cannot be stopped: were it left, what it begins would run on with no owner.

    Args:
        call: what is to be run.
        undo: of its result, if the awaiting was cancelled; it blocks, too, and is awaited as well.

    Raises:
        CancelledError: the awaiting was cancelled; call and `undo` have ended.
    """
    import asyncio  # noqa: PLC0415  20 ms that only who awaits has to pay

    # A future and no task: at the end of `asyncio.run` tasks are cancelled, which their threads would not notice.
    running = asyncio.get_running_loop().run_in_executor(None, contextvars.copy_context().run, call)
    cancelled: asyncio.CancelledError | None = None
    while not running.done():
        try:
            await asyncio.wait({running})
        except asyncio.CancelledError as fault:
            cancelled = fault
    if cancelled is None:
        return running.result()
    failure = running.exception()
    if failure is None and undo is not None:
        with contextlib.suppress(asyncio.CancelledError):  # as it is: the first one is raised
            await to_the_end(functools.partial(undo, running.result()))
    raise cancelled from failure
