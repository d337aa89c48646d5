"""The alarms actor: looks at the whole system every few seconds, and tells a person what cannot wait.

Owns    which alarms last, and the ways to tell them; attempts that wait for their repetition, `WAITING_MAX` at most.
Hears   View of control; TakeSettings; ShowAlarms and TestNotifications from outside.
Sends   ShowView to control; AlarmsShown, NotificationsTested. A control actor that does not answer is an alarm, too.
Fails   not by a way that does not work: that is logged, and tried again `ATTEMPTS_MAX` times. Restarted, it knows which
        alarms it has told (hand-over).
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec

from ...messages.addresses import CONTROL, SYSTEM
from ...messages.health import AlarmsShown, NotificationsTested, ShowAlarms, TestNotifications
from ...messages.settings import TakeSettings
from ..observability import ShowView, View
from ..runtime import RuntimeActor, handles
from .delivery import Told, told, ways
from .lasting import Alarms

if TYPE_CHECKING:
    from ..runtime import ActorAddress, Outcome
    from .lasting import Notice
    from .settings import AlarmsSettings

LOOK_EVERY_S: Final = 5.0
VIEW_S: Final = 4.0
ATTEMPTS_MAX: Final = 5
FIRST_WAIT_S: Final = 5.0
WAITING_MAX: Final = 100

NOTHING: Final = View(tree=None, statistics={})


class LookDue(msgspec.Struct, frozen=True):
    """To itself: look again."""


class TryAgain(msgspec.Struct, frozen=True):
    """To itself: tell it once more."""

    way: str
    notice: Told
    attempt: int


class AlarmsActor(RuntimeActor):
    """Tells alarms."""

    background: ClassVar[bool] = True  # a simulated market does not wait for a webhook
    system_time: ClassVar[bool] = True  # people live in real time

    settings: AlarmsSettings

    def on_start(self) -> None:
        """Begin to look."""
        self._alarms = Alarms(self.settings.now.repeat_s)
        self._ways = ways(self.settings.now)
        self._before = NOTHING
        self._waiting = 0
        self.after_on_machine(LOOK_EVERY_S, LookDue())

    def snapshot(self) -> Alarms:
        """Hand over which alarms last."""
        return self._alarms

    def restore(self, state: Alarms) -> None:
        """Go on with them."""
        self._alarms = state
        self._alarms.repeat_after(self.settings.now.repeat_s)

    @handles(TakeSettings)
    def take_settings(self, _: TakeSettings, __: ActorAddress) -> None:
        """Tell by the ways that are named now; what waits to be told again by a way that is gone is lost with it."""
        self._ways = ways(self.settings.now)
        self._alarms.repeat_after(self.settings.now.repeat_s)

    @handles(LookDue)
    def look(self, _: LookDue, __: ActorAddress) -> None:
        """Ask how all are."""
        self.ask(CONTROL, ShowView(), timeout_s=VIEW_S, then=self._judge)
        self.after_on_machine(LOOK_EVERY_S, LookDue())

    @handles(ShowAlarms)
    def show(self, _: ShowAlarms, sender: ActorAddress) -> None:
        """Tell which alarms last, and how they are told."""
        self.send(sender, AlarmsShown(alarms=self._alarms.all(), ways=tuple(self._ways)))

    @handles(TestNotifications)
    def test(self, _: TestNotifications, sender: ActorAddress) -> None:
        """Tell a message by each way, once, and answer what came of it."""
        if not self._ways:
            self.send(sender, NotificationsTested(delivered=(), failed=()))
            return
        message = Told(
            text=f"natya {self.settings.instance}: a test of notifications, asked for by a person",
            **dict.fromkeys(("change", "rule", "subject", "severity"), "test"),
            since="",
            instance=self.settings.instance,
        )
        came: dict[str, str] = {}

        def note(way: str, outcome: Outcome) -> None:
            came[way] = "" if outcome.error is None else str(outcome.error)
            if len(came) == len(self._ways):
                delivered = tuple(each for each, fault in came.items() if not fault)
                failed = tuple(f"{each}: {fault}" for each, fault in came.items() if fault)
                self.send(sender, NotificationsTested(delivered=delivered, failed=failed))

        for way, tell in self._ways.items():
            self.offload(tell, message, then=functools.partial(note, way), lane=f"test {way}")

    @handles(TryAgain)
    def try_again(self, attempt: TryAgain, _: ActorAddress) -> None:
        """Tell it once more."""
        self._waiting -= 1
        if attempt.way in self._ways:
            self._tell(attempt.way, attempt.notice, attempt.attempt)

    def _judge(self, outcome: Outcome) -> None:
        last, answer = self._before, outcome.value
        view: View = answer if isinstance(answer, View) else last
        # What was said last stands until something else is: by silence no alarm is over, and nothing has grown.
        self._before = msgspec.structs.replace(
            view,
            tree=view.tree or last.tree,
            statistics=last.statistics | view.statistics,
            silent=view.silent if view is answer and view.tree is not None else frozenset({SYSTEM}),
        )
        clock = self.clock
        notices = self._alarms.step(self._before, last, now_ns=clock.monotonic_ns(), wall_ns=clock.now_ns())
        for notice in notices:
            self._report(notice)

    def _report(self, notice: Notice) -> None:
        alarm = notice.alarm
        level = "info" if notice.change == "over" else "error" if alarm.severity == "critical" else "warning"
        self.log(
            f"alarm.{notice.change}", level=level, rule=alarm.rule, subject=alarm.subject, severity=alarm.severity,
            text=alarm.text,
        )  # fmt: skip
        for way in self._ways:
            self._tell(way, told(notice, self.settings.instance), 1)

    def _tell(self, way: str, notice: Told, attempt: int) -> None:
        then = functools.partial(self._told, way, notice, attempt)
        self.offload(self._ways[way], notice, then=then, lane=way)

    def _told(self, way: str, notice: Told, attempt: int, outcome: Outcome) -> None:
        if outcome.error is None:
            return
        gives_up = attempt >= ATTEMPTS_MAX or self._waiting >= WAITING_MAX
        self.log_bounded(
            "notification.lost" if gives_up else "notification.failed",
            level="error" if gives_up else "warning", way=way, attempt=attempt, reason=str(outcome.error),
        )  # fmt: skip
        if not gives_up:
            self._waiting += 1
            wait_s = FIRST_WAIT_S * 2 ** (attempt - 1)
            self.after_on_machine(wait_s, TryAgain(way=way, notice=notice, attempt=attempt + 1))
