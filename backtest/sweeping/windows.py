"""Windows of training, each followed by a window of testing (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ...domain.time import day_of, day_start_ns
from ..errors import BacktestRefusedError
from ..plan import END_NS

if TYPE_CHECKING:
    from collections.abc import Iterator


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """Nanoseconds since 1970-01-01 UTC: training, and behind it, without a gap, testing. The ends are exclusive."""

    train_ns: int
    test_ns: int
    end_ns: int


def windows_of(  # noqa: PLR0913  by name
    first_ns: int, last_ns: int, *, train_ns: int, test_ns: int, since_ns: int = 0, until_ns: int = END_NS
) -> tuple[Window, ...]:
    """Divide the time of the data: each time of testing is tested once, and the last may be shorter.

    Whole days in India, so that no session is cut, but by the time that was asked for (`since_ns`, `until_ns`): what is
    outside of it is in no window.

    Raises:
        BacktestRefusedError: there is not even one.
    """
    found = tuple(
        Window(train_ns=max(each.train_ns, since_ns), test_ns=each.test_ns, end_ns=min(each.end_ns, until_ns))
        for each in _windows(day_start_ns(day_of(first_ns)), last_ns, train_ns, test_ns)
    )
    if not found:
        raise BacktestRefusedError(
            "data for a time of training and a time of testing behind it wanted, found less: choose shorter ones"
        )
    return found


def _windows(begin_ns: int, last_ns: int, train_ns: int, test_ns: int) -> Iterator[Window]:
    while begin_ns + train_ns < last_ns:
        middle_ns = begin_ns + train_ns
        yield Window(train_ns=begin_ns, test_ns=middle_ns, end_ns=middle_ns + test_ns)
        begin_ns += test_ns
