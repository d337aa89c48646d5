"""The order in which requests may leave, so that a service never has to say "too many". Pure: time is passed in.

The problem: a broker counts orders by the second, the minute, the hour and the day at once, in windows whose beginnings
only it knows, bars who exceeds one, and does not care that the request it turned away was the cancellation of an order
that loses money. The idea: all windows are held together (one request takes a place in all of them or in none), a place
is given back one whole period after the *answer* (see `domain/quotas.py`), a part of each window is kept for urgent
requests, and those overtake all others. The trap: a limiter that records when a request was *meant* to leave is wrong
as soon as its thread wakes late; here a place is taken at the very moment at which the request is granted.

    ask      -> Granted | Waiting | Refused: for one request, which has a number of its own
    grants   -> what came of those that waited; to be called at `next_ns`, and after each `end`
    end      -> the request has its answer, or never will
    penalise -> the service said "too many" all the same: nothing of this kind leaves for a while
"""

from __future__ import annotations

import itertools
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

import msgspec

from ...domain.quotas import Allowance, Quota, Usage

MARGIN_NS: Final = 20_000_000
KEYS_MAX: Final = 100_000


class Granted(msgspec.Struct, frozen=True, gc=False):
    """The request may leave now, and is counted."""

    number: int


class Waiting(msgspec.Struct, frozen=True, gc=False):
    """The request waits; what comes of it is told by `grants`."""

    number: int


class Refused(msgspec.Struct, frozen=True, gc=False):
    """The request does not fit before its deadline, and is not counted."""

    number: int

    quota: str
    """What it does not fit into: `250 in 1m`."""

    retry_after_ns: int | None
    """It cannot fit earlier than after this long; None: never."""


Answer: TypeAlias = Granted | Waiting | Refused
Settled: TypeAlias = Granted | Refused


class Request(msgspec.Struct, frozen=True, gc=False):
    """One that waits."""

    number: int
    key: str | None
    urgent: bool
    deadline_ns: int


class Limiter:
    """Grants requests of several kinds, each within its allowance.

    Args:
        allowances: by kind, such as `orders`.
        waiting_max: requests of one kind that may wait, urgent and others each; one more is refused.
        margin_ns: how much longer than its period a request is counted, for the resolution of clocks.
    """

    def __init__(
        self, allowances: Mapping[str, Allowance], *, waiting_max: int = 1_000, margin_ns: int = MARGIN_NS
    ) -> None:
        self._kinds: Final = {name: _Kind(allowance, waiting_max, margin_ns) for name, allowance in allowances.items()}
        for name, allowance in allowances.items():
            if allowance.also:
                self._kinds[name].count_against(self._kinds[allowance.also])
        self._in_turn: Final = deque(self._kinds.items())
        self.granted: Final[Counter[str]] = Counter()
        """How many requests have left, by kind; those of before do not count here."""

        self._under_way: Final[dict[int, tuple[Usage, ...]]] = {}
        self._numbers: Final = itertools.count(1)

    def ask(  # noqa: PLR0913 - each says one thing of the request
        self, number: int, kind: str, *, now_ns: int, wait_ns: int = 0, urgent: bool = False, key: str | None = None
    ) -> Answer:
        """Ask for one request, which may wait for at most `wait_ns`.

        Args:
            number: names the request; not that of another that waits or is under way.
            kind: one of the allowances.
            now_ns: a clock that never steps back; the same for all calls.
            wait_ns: 0: at once or not at all.
            urgent: a cancellation, or an order that makes a position smaller.
            key: what `each_key` counts by.

        Raises:
            KeyError: there is no allowance of that kind.
        """
        asked = self._kinds[kind]
        request = Request(number=number, key=key, urgent=urgent, deadline_ns=now_ns + wait_ns)
        earliest_ns, _, quota = asked.earliest(request, now_ns, asked.ahead_of(request))
        if earliest_ns is not None and earliest_ns <= now_ns:
            self._under_way[number] = asked.begin(request, now_ns)
            self.granted[kind] += 1
            return Granted(number)
        if earliest_ns is None or earliest_ns > request.deadline_ns or not asked.wait(request):
            return Refused(number, quota, None if earliest_ns is None else max(earliest_ns - now_ns, 0))
        return Waiting(number)

    def grants(self, now_ns: int) -> list[Settled]:
        """Settle what can be settled of those that wait: urgent ones first, each kind in the order of asking."""
        settled: list[Settled] = []
        for name, kind in self._in_turn:
            for request, usages in kind.leave(now_ns):
                self._under_way[request.number] = usages
                self.granted[name] += 1
                settled.append(Granted(request.number))
            settled += kind.give_up(now_ns)
        self._in_turn.rotate()  # of kinds that count against one quota none is always the first
        return settled

    def next_ns(self, now_ns: int) -> int | None:
        """Tell when `grants` may have something to say, if no answer comes before; None: not before an answer."""
        times = [time_ns for kind in self._kinds.values() for time_ns in kind.times(now_ns)]
        return min(times, default=None)

    def end(self, number: int, now_ns: int) -> None:
        """Take note that a request has its answer, or never will: from now on its period runs.

        Raises:
            KeyError: no such request is under way.
        """
        for usage in self._under_way.pop(number):
            usage.end(now_ns)

    def new_number(self) -> int:
        """Return a number that no request had."""
        return next(self._numbers)

    def under_way(self) -> tuple[int, ...]:
        """Return the numbers of those that were granted and have no answer yet."""
        return tuple(self._under_way)

    def forget_waiting(self) -> None:
        """Let nobody wait to send any more."""
        for kind in self._kinds.values():
            kind.forget_waiting()

    def withdraw(self, number: int) -> bool:
        """Take back a request that waits, and say whether there was one."""
        return any(kind.withdraw(number) for kind in self._kinds.values())

    def penalise(self, kind: str, until_ns: int) -> None:
        """Let nothing of this kind leave before: the service has turned one away."""
        barred = self._kinds[kind]
        barred.barred_until_ns = max(barred.barred_until_ns, until_ns)

    def restore(self, kind: str, times_ns: Iterable[int]) -> None:
        """Count requests that a process before this one has sent, and when it had their answers."""
        times_ns = tuple(times_ns)
        for usage in self._kinds[kind].usages:
            usage.add(times_ns)

    def remaining(self, kind: str, now_ns: int) -> dict[Quota, int]:
        """Tell how many more requests fit, by quota; those kept for urgent ones among them."""
        return {usage.quota: max(usage.quota.requests - usage.counted(now_ns), 0) for usage in self._kinds[kind].usages}


class _Kind:
    """What is counted and what waits, of one kind."""

    def __init__(self, allowance: Allowance, waiting_max: int, margin_ns: int) -> None:
        self.usages = tuple(Usage(quota, margin_ns) for quota in allowance.quotas)
        self._beside: Final[list[_Kind]] = []
        self.barred_until_ns = -(1 << 63)
        self._each_key: Final = allowance.each_key
        self._keys: Final[OrderedDict[str, Usage]] = OrderedDict()
        self._urgent: Final[deque[Request]] = deque()
        self._others: Final[deque[Request]] = deque()
        self._waiting_max: Final = waiting_max
        self._margin_ns: Final = margin_ns

    def count_against(self, other: _Kind) -> None:
        """Count requests of this kind against the quotas of another, too."""
        self.usages += other.usages
        self._beside.append(other)
        other.share_with(self)

    def share_with(self, other: _Kind) -> None:
        """Take note that requests of another kind count against these quotas, too."""
        self._beside.append(other)

    def ahead_of(self, request: Request) -> int:
        """Count those that leave before one that asks now."""
        ahead = self.waiting(is_urgent=request.urgent)
        for kind in self._beside:
            ahead += kind.waiting(is_urgent=request.urgent)
        return ahead

    def waiting(self, *, is_urgent: bool) -> int:
        """Count those that wait; for an urgent request the urgent ones alone."""
        return len(self._urgent) + (0 if is_urgent else len(self._others))

    def wait(self, request: Request) -> bool:
        """Let it wait, if there is room."""
        waiting = self._urgent if request.urgent else self._others
        if len(waiting) >= self._waiting_max:
            return False
        waiting.append(request)
        return True

    def earliest(self, request: Request, now_ns: int, ahead: int) -> tuple[int | None, bool, str]:
        """Tell when it may leave behind `ahead` others, whether that is certain, and what it waits for."""
        latest_ns, certain, quota = max(now_ns, self.barred_until_ns), True, None
        for usage in self.usages:
            free_ns, is_certain = usage.free_ns(now_ns, urgent=request.urgent, ahead=ahead)
            if free_ns is None:
                return None, True, str(usage.quota)
            if free_ns > latest_ns:
                latest_ns, certain, quota = free_ns, is_certain, usage.quota
        of_key = self._keys.get(request.key) if request.key is not None else None
        if of_key is not None:
            free_ns, is_certain = of_key.free_ns(now_ns, urgent=request.urgent)
            if free_ns is None or free_ns > latest_ns:
                return free_ns, is_certain, f"{of_key.quota} of {request.key}"
        return latest_ns, certain, "a pause after too many requests" if quota is None else str(quota)

    def begin(self, request: Request, now_ns: int) -> tuple[Usage, ...]:
        """Count it everywhere."""
        usages = self.usages
        if self._each_key is not None and request.key is not None:
            usages = (*usages, self._of_key(request.key, self._each_key, now_ns))
        for usage in usages:
            usage.begin()
        return usages

    def leave(self, now_ns: int) -> Iterator[tuple[Request, tuple[Usage, ...]]]:
        """Take out, and count, those that may leave now; who waits for its key alone holds up nobody else."""
        for waiting in (self._urgent, self._others):
            for request in tuple(waiting):
                if not self._has_room(now_ns, urgent=request.urgent):
                    break
                if request.deadline_ns >= now_ns and self.earliest(request, now_ns, 0)[0] == now_ns:
                    waiting.remove(request)
                    yield request, self.begin(request, now_ns)

    def give_up(self, now_ns: int) -> list[Refused]:
        """Take out those whose deadline has come."""
        late = [request for waiting in self._waiting() for request in waiting if request.deadline_ns <= now_ns]
        return [self._refuse(request, now_ns) for request in late]

    def withdraw(self, number: int) -> bool:
        """Take one out that is not wanted any more, and say whether it waited."""
        for waiting in self._waiting():
            for request in waiting:
                if request.number == number:
                    waiting.remove(request)
                    return True
        return False

    def forget_waiting(self) -> None:
        """Let nobody wait any more."""
        for waiting in self._waiting():
            waiting.clear()

    def times(self, now_ns: int) -> Iterator[int]:
        """Tell when something can change by time alone."""
        for waiting in self._waiting():
            for request in waiting:
                earliest_ns, certain, _ = self.earliest(request, now_ns, 0)
                if certain and earliest_ns is not None:
                    yield earliest_ns
                if request.key is None:
                    break  # those behind it leave no earlier
        yield from (request.deadline_ns for waiting in self._waiting() for request in waiting)

    def _refuse(self, request: Request, now_ns: int) -> Refused:
        (self._urgent if request.urgent else self._others).remove(request)
        earliest_ns, _, quota = self.earliest(request, now_ns, 0)
        return Refused(request.number, quota, None if earliest_ns is None else earliest_ns - now_ns)

    def _waiting(self) -> tuple[deque[Request], deque[Request]]:
        return self._urgent, self._others

    def _has_room(self, now_ns: int, *, urgent: bool) -> bool:
        return all(usage.counted(now_ns) < usage.quota.allowed(urgent=urgent) for usage in self.usages)

    def _of_key(self, key: str, quota: Quota, now_ns: int) -> Usage:
        """Find what is counted of a key, and forget the keys of which nothing counts any more."""
        usage = self._keys.setdefault(key, Usage(quota, self._margin_ns))
        self._keys.move_to_end(key)
        while len(self._keys) > KEYS_MAX or not next(iter(self._keys.values())).counted(now_ns):
            oldest = next(iter(self._keys))
            if oldest == key:
                break
            del self._keys[oldest]
        return usage
