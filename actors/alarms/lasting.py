"""Which alarms are new, which last, and which are over: pure, with the time passed in.

The trap: what comes and goes every few seconds would be told each time. So an alarm is over only when it has been away
for a while, and one that lasts is told again once in `repeat_s`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

from ...domain.time import SECOND_NS
from ...messages.health import Alarm
from .rules import RULES, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..observability import View

Change: TypeAlias = Literal["raised", "repeated", "over"]

AWAY_S: Final = 60.0
"""An alarm that has been away for so long is over."""

ALARMS_MAX: Final = 200
"""Alarms that are kept apart; beyond it, only those of rules that are critical."""

Key: TypeAlias = tuple[str, str]


class Notice(msgspec.Struct, frozen=True):
    """What is told of an alarm."""

    change: Change
    alarm: Alarm


class _Lasting(msgspec.Struct):
    alarm: Alarm
    since_ns: int
    seen_ns: int
    told_ns: int | None = None


class Alarms:
    """The alarms that last."""

    def __init__(self, repeat_s: float, rules: tuple[Rule, ...] = RULES) -> None:
        self._repeat_ns = round(repeat_s * SECOND_NS)
        self._rules: Final = rules
        self._lasting: dict[Key, _Lasting] = {}

    def repeat_after(self, repeat_s: float) -> None:
        """Tell one that lasts again after so many seconds."""
        self._repeat_ns = round(repeat_s * SECOND_NS)

    def step(self, view: View, before: View, *, now_ns: int, wall_ns: int) -> list[Notice]:
        """Look at a view, and return what is to be told.

        Args:
            view: of now.
            before: the one before.
            now_ns: a clock that never steps back.
            wall_ns: nanoseconds since 1970-01-01 UTC.
        """
        notices: list[Notice] = []
        for rule in self._rules:
            for subject, text in rule.find(view, before, wall_ns):
                notices += self._found(rule, subject, text, now_ns=now_ns, wall_ns=wall_ns)
        for key, lasting in tuple(self._lasting.items()):
            if now_ns - lasting.seen_ns >= AWAY_S * SECOND_NS:
                del self._lasting[key]
                if lasting.told_ns is not None:
                    notices.append(Notice("over", lasting.alarm))
        return notices

    def all(self) -> tuple[Alarm, ...]:
        """Return those that were told and are not over, the newest first."""
        told = [each.alarm for each in self._lasting.values() if each.told_ns is not None]
        return tuple(sorted(told, key=lambda alarm: -alarm.since_ns))

    def _found(self, rule: Rule, subject: str, text: str, *, now_ns: int, wall_ns: int) -> Iterable[Notice]:
        key = rule.name, subject
        lasting = self._lasting.get(key)
        if lasting is None:
            if len(self._lasting) >= ALARMS_MAX and rule.severity != "critical":
                return
            alarm = Alarm(rule=rule.name, subject=subject, severity=rule.severity, text=text, since_ns=wall_ns)
            lasting = self._lasting[key] = _Lasting(alarm, since_ns=now_ns, seen_ns=now_ns)
        lasting.seen_ns = now_ns
        lasting.alarm = msgspec.structs.replace(lasting.alarm, text=text)
        if lasting.told_ns is None:
            if now_ns - lasting.since_ns >= rule.after_s * SECOND_NS:
                lasting.told_ns = now_ns
                yield Notice("raised", lasting.alarm)
        elif now_ns - lasting.told_ns >= self._repeat_ns:
            lasting.told_ns = now_ns
            yield Notice("repeated", lasting.alarm)
