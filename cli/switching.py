"""The kill switch from outside: the file first, then the running system, if there is one that answers.

Packages are imported inside of functions, so that `--help` loads none of them.
"""

from __future__ import annotations

import errno
import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import msgspec

from .terminal import note

if TYPE_CHECKING:
    from ..config.halt_file import HaltFile

ANSWER_S: Final = 3.0
"""Seconds in which the running system has to confirm."""

HeardOf: TypeAlias = Literal["confirmed", "silent", "absent"]
"""What the running system said: it halts; nothing; there is none."""


class Engaged(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of engaging the switch."""

    engaged: bool
    written: bool
    """The file is there."""

    path: str
    system: HeardOf
    cancelling: int = 0
    problem: str = ""

    def in_words(self) -> str:
        """Say it for people."""
        match self.system:
            case "confirmed":
                told = f"halted: no order leaves, and {self.cancelling} open ones are being cancelled"
            case "absent":
                told = "no system runs there: one that is started there is halted, and cancels what is open"
            case _:
                told = "the running system did not confirm: it looks for the file before each order leaves"
        return f"{told} ({self.path})" if self.written else told


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How the switch stands."""

    engaged: bool
    path: str
    reason: str
    person: str
    system: HeardOf
    risk_state: str = ""
    """Of the running system; empty where none answered."""

    risk_cause: str = ""
    open_orders: int | None = None
    """None: none answered, or its journal is still read back."""

    at_broker: str = ""
    """What became of the broker's own switch; empty where it is not wanted."""

    def in_words(self) -> str:
        """Say it for people."""
        by = f" by {self.person}" if self.person else ""
        on = f"the kill switch is on{by}: {self.reason} ({self.path})"
        lines = [on if self.engaged else "the kill switch is off"]
        match self.system:
            case "confirmed":
                cause = f", {self.risk_cause}" if self.risk_cause else ""
                opened = "the journal is read back" if self.open_orders is None else f"open orders: {self.open_orders}"
                lines.append(f"risk state {self.risk_state}{cause}; {opened}")
                lines += [f"the broker's own switch: {self.at_broker}"] if self.at_broker else []
            case "absent":
                lines.append("no system runs there")
            case _:
                lines.append("a system runs there, and does not answer")
        return "\n".join(lines)


def halt_file(data_dir: Path | None, profile: str) -> HaltFile:
    """Return the file of the switch; settings that are refused do not keep it from being found in a given directory."""
    from ..config.errors import SettingsError  # noqa: PLC0415
    from ..config.halt_file import HALT_NAME, HaltFile, elsewhere_of, halt_paths  # noqa: PLC0415
    from ..config.loader import load_settings  # noqa: PLC0415
    from .own_settings import own_settings  # noqa: PLC0415
    from .session import faults  # noqa: PLC0415

    with faults():
        try:
            overrides: dict[str, Any] = {} if data_dir is None else {"system.data_dir": str(data_dir)}
            config = own_settings() if data_dir is None else None
            settings = load_settings(profile, config=config, overrides=overrides, locked_left_out=True, only_looks=True)
            noted = elsewhere_of(Path(settings.system.data_dir))
            return HaltFile(*dict.fromkeys((*halt_paths(settings), *noted)))
        except SettingsError as fault:
            if data_dir is None:
                raise SettingsError(
                    (*fault.problems, "name the data directory, and the switch works whatever the settings: --data-dir")
                ) from fault
            note(f"the settings are refused, so the usual name is taken: {fault}")
            folder = data_dir.expanduser().absolute()
            return HaltFile(folder / HALT_NAME, *elsewhere_of(folder))


def engage(data_dir: Path | None, profile: str, *, reason: str, flatten: bool = False) -> Engaged:
    """Write the file, then have the running system confirm."""
    from ..actors.control import ControlError  # noqa: PLC0415
    from ..client import connect  # noqa: PLC0415
    from ..config.halt_file import HaltNote  # noqa: PLC0415
    from .session import directory_of, runs  # noqa: PLC0415

    file, person, problems = halt_file(data_dir, profile), getpass.getuser(), []
    try:
        if problem := file.engage(HaltNote(reason=reason, person=person, flatten=flatten)):
            problems.append(problem)
    except OSError as fault:
        problems.append(f"{file.path} wanted, found that it cannot be written: {fault.strerror}")
    heard: HeardOf = "silent"
    cancelling = 0
    try:
        with connect(directory_of(data_dir, profile)) as system:
            answer = system.halt(reason, flatten=flatten, timeout_s=ANSWER_S)
        heard, cancelling = "confirmed", answer.cancelling
        if answer.problem:
            problems.append(answer.problem)
    except ControlError as fault:
        if runs(fault):
            problems.append(f"the running system was not told: {fault}")
        else:
            heard = "absent"
    written = file.is_engaged()
    return Engaged(
        engaged=written or heard == "confirmed",
        written=written,
        path=file.where(),
        system=heard,
        cancelling=cancelling,
        problem="; ".join(dict.fromkeys(problems)),
    )


def release(data_dir: Path | None, profile: str) -> str:
    """Remove the file, also where the running system's settings have it; return where it was, empty: it was off.

    Raises:
        OSError: it cannot be removed.
    """
    from ..actors.control import ControlError  # noqa: PLC0415
    from ..client import connect  # noqa: PLC0415
    from ..messages.addresses import KILL_SWITCH  # noqa: PLC0415
    from ..messages.kill_switch import KillSwitchRead, ReadKillSwitch, ReleaseKillSwitch  # noqa: PLC0415
    from .session import directory_of, runs  # noqa: PLC0415

    file = halt_file(data_dir, profile)
    places = file.where().split(", ") if file.is_engaged() else []
    try:
        with connect(directory_of(data_dir, profile)) as system:
            found: Any = system.request(KILL_SWITCH, ReadKillSwitch(), timeout_s=ANSWER_S)
            if isinstance(found, KillSwitchRead) and found.engaged:  # it lets go itself, and that is in its audit
                places += found.path.split(", ")
                system.request(KILL_SWITCH, ReleaseKillSwitch(), timeout_s=ANSWER_S)
    except ControlError as fault:
        if runs(fault):
            note(f"the running system did not say that it is off there, too: {fault}")
    file.release()
    if left := ", ".join(path for path in dict.fromkeys(places) if Path(path).exists()):
        raise PermissionError(errno.EACCES, "cannot be removed by the running system", left)
    return ", ".join(dict.fromkeys(places))


def status(data_dir: Path | None, profile: str) -> Status:
    """Look at the file, and ask the running system for its risk state."""
    from ..actors.control import ControlError  # noqa: PLC0415
    from ..client import connect  # noqa: PLC0415
    from ..config.halt_file import HaltNote  # noqa: PLC0415
    from ..messages.addresses import KILL_SWITCH, ORDERS  # noqa: PLC0415
    from ..messages.kill_switch import KillSwitchRead, ReadKillSwitch  # noqa: PLC0415
    from ..messages.order_listing import OrdersStatistics  # noqa: PLC0415
    from ..messages.system import Pong  # noqa: PLC0415
    from .session import directory_of, runs  # noqa: PLC0415

    file = halt_file(data_dir, profile)
    heard: HeardOf = "silent"
    found: OrdersStatistics | None = None
    switch: Any = None
    at_broker = ""
    try:
        with connect(directory_of(data_dir, profile)) as system:
            answer: Any = system.ping(ORDERS, timeout_s=ANSWER_S)
            switch = system.request(KILL_SWITCH, ReadKillSwitch(), timeout_s=ANSWER_S)
        if isinstance(answer, Pong):
            heard = "confirmed"
            found = answer.statistics if isinstance(answer.statistics, OrdersStatistics) else None
        at_broker = switch.at_broker if isinstance(switch, KillSwitchRead) else ""
    except ControlError as fault:
        if runs(fault):
            note(f"the running system did not answer: {fault}")
        else:
            heard = "absent"
    written, path = (file.note(), file.where()) if file.is_engaged() else (None, file.where())
    if written is None and isinstance(switch, KillSwitchRead) and switch.engaged:  # its settings have it elsewhere
        written, path = HaltNote(reason=switch.reason, person=switch.person), switch.path
    return Status(
        engaged=written is not None,
        path=path,
        reason=written.cause().removeprefix("kill switch: ") if written is not None else "",
        person=written.person if written is not None else "",
        system=heard,
        risk_state=found.risk_state if found is not None else "STARTING" if heard == "confirmed" else "",
        risk_cause=found.risk_cause if found is not None else "",
        open_orders=found.open_orders if found is not None else None,
        at_broker=at_broker,
    )
