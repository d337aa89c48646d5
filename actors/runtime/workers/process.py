"""Starts a worker process, and makes it end with its parent."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import subprocess
import sys
from typing import Final

from .link import SOCKET_BUFFER_BYTES

ENVIRONMENT: Final = ("HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "TZ", "VIRTUAL_ENV")
"""Environment variables that a worker inherits, with `LC_*`; no others, since these hold tokens and passwords."""

_PR_SET_PDEATHSIG: Final = 1


def launch() -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start a process of this interpreter, which waits for its assignment at the other end of the socket returned.

    Call it from a thread that lives as long as the system: the kernel sends the death signal when the launching thread
    ends, not its process, so a worker launched from a short-lived thread dies with that.

    Raises:
        OSError: no process, or no socket, is to be had.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER_BYTES)
        command = [sys.executable, "-P", "-m", f"{__package__}", str(theirs.fileno()), str(os.getpid())]
        environment = {
            name: value for name, value in os.environ.items() if name in ENVIRONMENT or name.startswith("LC_")
        }
        environment["PYTHONPATH"] = os.pathsep.join(each or os.getcwd() for each in sys.path)  # noqa: PTH109  as it is
        process = subprocess.Popen(  # noqa: S603  our own interpreter, our own module
            command, stdin=subprocess.DEVNULL, env=environment, pass_fds=(theirs.fileno(),)
        )
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return process, ours


def die_with_parent(parent_pid: int) -> None:
    """Have the kernel kill this process when its parent ends; exit if it has ended already."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        os._exit(1)


def limit_memory(limit_mb: int) -> None:
    """Let this process have so many MiB of its own, if it is not 0: beyond it an allocation is a `MemoryError`."""
    if limit_mb:
        limit_bytes = limit_mb << 20
        resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, limit_bytes))


def leave_signals_to_parent() -> None:
    """Ignore signals to the whole process group (Ctrl-C, a service manager): the parent stops its workers in order."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
