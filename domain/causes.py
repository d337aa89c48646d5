"""What an error followed from."""

from __future__ import annotations

from collections.abc import Iterator


def causes_of(error: BaseException | None, *, with_context: bool = False) -> Iterator[BaseException]:
    """Yield an error, then the one that it was raised from, and so on, each once; nothing of None.

    One may have been raised from itself (`raise error from error`), or from one that was raised from it.

    Args:
        error: the last of them.
        with_context: where an error was raised from none, go on with the one that was being handled.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        cause = error.__cause__
        error = error.__context__ if cause is None and with_context else cause
