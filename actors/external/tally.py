"""How many requests left, kept beyond the process that sent them; pure.

The problem: a service counts the requests of a day whatever process made them, so one that begins anew and counts from
nothing is turned away, or barred; and a fact for each of 100,000 requests a day is more than all else that is written.
The idea: count ahead. A line says how many have left since the line before, and how many more may leave before the
next, which is written when half of these have. So nobody waits for the disk, and a process that is killed counts as one
that sent all it might have: never too few but for what leaves while the first line is on its way to the disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from ...domain.time import SECOND_NS

AHEAD: Final = 100
"""Requests that a line counts ahead: after a kill so many count that may never have left, of 100,000 a day."""

ON_THE_WAY_S: Final = 120.0
"""No request is on its way for longer than this."""

_ON_THE_WAY_NS: Final = round(ON_THE_WAY_S * SECOND_NS)


class TallySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which requests are counted beyond the process."""

    whose: str
    """The account that the service counts, such as client id and host: others in the files are not ours."""

    kinds: tuple[str, ...]


class Line(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One line of the file."""

    at_ns: int
    """Since 1970-01-01 UTC, as in `by`."""

    by: int
    """Who counted, named by when it began."""

    whose: str
    kind: str
    left: int
    """Requests that have left since this one's line before."""

    ahead: int
    """Requests that may leave before its next."""


class Tally:
    """What is to be written of the requests of one life of an owner of calls."""

    def __init__(self, by: int, whose: str, kinds: Iterable[str]) -> None:
        """Begin with nothing written; `by` is when it began: nanoseconds since 1970-01-01 UTC."""
        self._by: Final = by
        self._whose: Final = whose
        self._kinds: Final = {kind: _Written() for kind in kinds}

    def due(self, granted: Mapping[str, int], now_ns: int) -> tuple[Line, ...]:
        """Return the lines that are to be written now; `written` is to follow.

        Args:
            granted: how many requests of each kind have left so far.
            now_ns: since 1970-01-01 UTC.
        """
        due = []
        for kind, written in self._kinds.items():
            left = granted[kind] - written.left
            if left > 0 and not written.under_way and written.ahead - left < AHEAD // 2:
                written.under_way = left
                due.append(self._line(kind, now_ns, left, AHEAD))
        return tuple(due)

    def written(self, lines: Iterable[Line], *, is_durable: bool) -> None:
        """Take note of what became of lines; those that could not be written are due again."""
        for line in lines:
            written = self._kinds[line.kind]
            written.under_way = 0
            if is_durable:
                written.left += line.left
                written.ahead = line.ahead

    def last(self, granted: Mapping[str, int], now_ns: int) -> tuple[Line, ...]:
        """Return the lines of an orderly end: what has left, and nothing ahead."""
        return tuple(
            self._line(kind, now_ns, granted[kind] - written.left - written.under_way, 0)
            for kind, written in self._kinds.items()
            if granted[kind]
        )

    def begin_again(self) -> None:
        """Forget lines under way, whose end nobody will hear of: what is in them may count twice."""
        for written in self._kinds.values():
            written.under_way = 0

    def _line(self, kind: str, now_ns: int, left: int, ahead: int) -> Line:
        return Line(at_ns=now_ns, by=self._by, whose=self._whose, kind=kind, left=left, ahead=ahead)


class _Written:
    """Of one kind: what is in lines that are durable, and how many requests are in one that is not yet."""

    __slots__ = ("ahead", "left", "under_way")

    def __init__(self) -> None:
        self.left = self.ahead = self.under_way = 0


def times_of(lines: Iterable[Line], kind: str, *, whose: str, began_ns: int) -> tuple[int, ...]:
    """Return when requests of before had their answers, at the latest: nanoseconds since 1970-01-01 UTC.

    Args:
        lines: in any order.
        kind: of requests.
        whose: account that the service counts.
        began_ns: when who asks began; none is later.
    """
    times: list[int] = []
    newest: dict[int, Line] = {}
    for line in lines:
        if line.kind != kind or line.whose != whose:
            continue
        times += [min(line.at_ns + _ON_THE_WAY_NS, began_ns - 1)] * max(0, line.left)
        before = newest.get(line.by)
        if before is None or before.at_ns <= line.at_ns:
            newest[line.by] = line
    times += [began_ns - 1] * sum(max(0, line.ahead) for line in newest.values())
    return tuple(times)
