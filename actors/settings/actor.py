"""The settings actor: has the settings read anew, and those that may change taken into use; all, or none.

Owns    which settings are in force (`InForce`), and where they are read from.
Hears   ReloadSettings.
Sends   SettingsReloaded or ReloadRefused to the sender; Append to the journal, of what changes, before it does;
        TakeSettings to those who use it. One that is down reads it when it starts again.
Fails   when reading them raises anything but SettingsError; what is in force stays in force.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec

from ...config.errors import SettingsError
from ...config.in_force import InForce, changes_between, problems_of, with_changes
from ...messages.addresses import ALARMS, INSTRUMENTS, JOURNAL
from ...messages.journal import Append, Appended
from ...messages.settings import ReloadRefused, ReloadSettings, SettingsChanged, SettingsReloaded, TakeSettings
from ..observability import set_level
from ..runtime import RuntimeActor, handles

if TYPE_CHECKING:
    from ...config.loader import LoadedSettings
    from ...config.settings import Settings
    from ...messages.settings import SettingChange
    from ..runtime import ActorAddress, Outcome

USERS: Final = {"notifications": ALARMS, "instruments": INSTRUMENTS}
"""Who is told, by section; the level of the log is set here."""

JOURNAL_S: Final = 10.0

FROM_A_PROGRAM: Final = "the settings were given by a program, and are read nowhere: start it again with others"
GOES_ON: Final = "they are being read anew already: ask again"


class SettingsActorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the actor needs."""

    in_force: InForce


class SettingsActor(RuntimeActor):
    """Puts settings in force."""

    background: ClassVar[bool] = True  # a simulated market does not wait for who reads files
    system_time: ClassVar[bool] = True  # people live in real time

    settings: SettingsActorSettings

    def on_start(self) -> None:
        """Begin with what is in force."""
        self._busy = False

    @handles(ReloadSettings)
    def reload(self, request: ReloadSettings, sender: ActorAddress) -> None:
        """Read them, one at a time."""
        read_again = self.settings.in_force.read_again
        if self._busy or read_again is None:
            self._refuse(sender, (GOES_ON if self._busy else FROM_A_PROGRAM,))
            return
        self._busy = True
        self.offload(_read, read_again, then=functools.partial(self._judge, request, sender))

    def _judge(self, request: ReloadSettings, sender: ActorAddress, outcome: Outcome) -> None:
        self._busy = False
        found = outcome.unwrap()
        if isinstance(found, SettingsError):
            self._refuse(sender, found.problems)
            return
        before = self.settings.in_force.settings
        changes = changes_between(before, found)
        if problems := problems_of(changes):
            self._refuse(sender, problems)
        elif not changes or request.check_only:
            self.send(sender, SettingsReloaded(changes=changes))
        else:
            self._busy = True
            fact = SettingsChanged(changes=changes, occurred_ns=self.clock.now_ns())
            after = with_changes(before, found.settings, changes)
            then = functools.partial(self._put_in_force, after, changes, sender)
            self.ask(JOURNAL, Append(facts=(fact,)), timeout_s=JOURNAL_S, then=then)

    def _put_in_force(
        self, after: Settings, changes: tuple[SettingChange, ...], sender: ActorAddress, outcome: Outcome
    ) -> None:
        self._busy = False
        if not isinstance(outcome.value, Appended):
            self._refuse(sender, (f"the journal did not take it: {outcome.error or outcome.value}",))
            return
        self.settings.in_force.replace(after)
        set_level(after.log.level)
        told: dict[str, list[str]] = {}
        for change in changes:
            user = USERS.get(change.key.partition(".")[0])
            if user is not None:
                told.setdefault(user, []).append(change.key)
        for user, keys in told.items():
            self.send(user, TakeSettings(keys=tuple(keys)))
        self.log("settings.reloaded", changes={each.key: f"{each.before} -> {each.after}" for each in changes})
        self.send(sender, SettingsReloaded(changes=changes))

    def _refuse(self, sender: ActorAddress, problems: tuple[str, ...]) -> None:
        self.log("settings.kept", level="warning", problems=list(problems))
        self.send(sender, ReloadRefused(problems=problems))


def _read(read_again: functools.partial[LoadedSettings]) -> LoadedSettings | SettingsError:
    try:
        return read_again()
    except SettingsError as fault:
        return fault
