"""What systemd is told: a datagram to the socket that it names; nothing where it names none."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING, Final, Self

from ...domain.time import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Mapping

FED_TIMES: Final = 3
"""Times that the watchdog is fed in its interval."""

LEAVING_S: Final = 30.0
"""Seconds that a process may take beside its actors: until it sees the signal, and until all its threads have ended."""


class ServiceManager:
    """systemd, or nobody."""

    def __init__(self, address: str = "", *, watchdog_s: float = 0.0) -> None:
        """Send to this address; a watchdog of 0 s means none."""
        self._address: Final = f"\0{address[1:]}" if address.startswith("@") else address
        self._feed_ns: Final = round(watchdog_s * SECOND_NS / FED_TIMES)
        self._due_ns: int | None = None
        self._status = ""

    @classmethod
    def of(cls, environment: Mapping[str, str], *, pid: int) -> Self:
        """Read what systemd has set for this process."""
        address = environment.get("NOTIFY_SOCKET", "")
        is_ours = environment.get("WATCHDOG_PID", str(pid)) == str(pid)
        usec = environment.get("WATCHDOG_USEC", "")
        watchdog_s = int(usec) / 1e6 if is_ours and usec.isascii() and usec.isdigit() else 0.0
        return cls(address if address.startswith(("/", "@")) else "", watchdog_s=watchdog_s)

    @classmethod
    def of_this_process(cls) -> Self:
        """Do the same with the environment of this process."""
        return cls.of(os.environ, pid=os.getpid())

    def ready(self, status: str) -> None:
        """Tell that it has started, and reconciled with its broker."""
        self._status = _line(status)
        self._tell(f"READY=1\nSTATUS={self._status}")

    def stands(self, status: str) -> None:
        """Tell how it stands, if that is another than the last time: `systemctl status` shows it."""
        if (line := _line(status)) != self._status:
            self._status = line
            self._tell(f"STATUS={line}")

    def is_hungry(self, now_ns: int) -> bool:
        """Tell whether it is time for the watchdog (monotonic time): once in each third of its own, if there is one."""
        if not self._feed_ns or (self._due_ns is not None and now_ns < self._due_ns):
            return False
        self._due_ns = now_ns + self._feed_ns
        return True

    def feed(self) -> None:
        """Feed the watchdog."""
        self._tell("WATCHDOG=1")

    def stopping(self, stop_s: float) -> None:
        """Tell that it stops in order, and how long that may take: its unit may have been written for other settings.

        Args:
            stop_s: seconds after which all actors have ended.
        """
        self._tell(f"STOPPING=1\nEXTEND_TIMEOUT_USEC={round((stop_s + LEAVING_S) * 1e6)}")

    def _tell(self, state: str) -> None:
        if not self._address:
            return
        # A manager that does not listen is no reason to end: it will find out by itself.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
            own.sendto(state.encode(), self._address)


def _line(text: str) -> str:
    return " ".join(text.split())[:200]
