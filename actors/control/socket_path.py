"""The path of the control socket: `control.sock` in the data directory, of mode 600.

The address of a unix socket has at most 107 bytes. In a directory with a longer path the socket is in the same place,
but is addressed through the directory's descriptor, `/proc/self/fd/N/control.sock`.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...config.data_directory import LOCK_NAME
from ...config.locks import holder_of
from .errors import AskRefusedError, NotRunningError, NotServingError, SocketNotOpenedError
from .peer import is_welcome, peer_of

if TYPE_CHECKING:
    from collections.abc import Iterator

SOCKET_NAME: Final = "control.sock"

ADDRESS_BYTES_MAX: Final = 107
"""Bytes of a path in `sockaddr_un`, without its terminating zero."""

BACKLOG: Final = 128
"""Connections that may wait to be accepted; further ones block in `connect`."""


def listen(data_dir: Path) -> socket.socket:
    """Open the socket; one that a dead process left behind is replaced.

    Raises:
        SocketNotOpenedError: the directory is missing or not writable, another file has the name, or a process listens
            there.
    """
    path = data_dir / SOCKET_NAME
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_stale(path)
        # Set before bind, so that Linux creates the file with this mode: other users can never connect.
        os.fchmod(listener.fileno(), 0o600)
        with _address(path) as address:
            listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as fault:
        listener.close()
        raise SocketNotOpenedError(f"control socket {path} cannot be opened: {fault.strerror}") from fault
    except SocketNotOpenedError:
        listener.close()
        raise
    return listener


def connect(data_dir: Path, *, timeout_s: float) -> socket.socket:
    """Connect to the system that runs in the directory, and check with the kernel that it is of this user or root.

    Raises:
        NotRunningError: none runs there; NotServingError: a process has the directory, and does not listen.
        AskRefusedError: it is another user's (`forbidden`), or did not accept in `timeout_s` seconds (`busy`).
    """
    path = data_dir / SOCKET_NAME
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # Not settimeout: with a full backlog a non-blocking unix socket fails at once instead of waiting.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(timeout_s))
        with _address(path) as address:
            connection.connect(address)
    except BlockingIOError as fault:
        connection.close()
        raise AskRefusedError("busy", f"the daemon in {data_dir} accepted nobody in {timeout_s:g} s") from fault
    except PermissionError as fault:
        connection.close()
        raise AskRefusedError("forbidden", f"{path} is another user's") from fault
    except OSError as fault:
        connection.close()
        holder = holder_of(data_dir / LOCK_NAME)
        raise (NotRunningError(data_dir) if holder is None else NotServingError(data_dir, holder)) from fault
    owner = peer_of(connection)
    if not is_welcome(owner):
        connection.close()
        raise AskRefusedError(
            "forbidden",
            f"{path} belongs to process {owner.pid} of user {owner.uid}, and this is user {os.geteuid()}: "
            "whatever it answered could be a trap; ask as that user",
        )
    connection.settimeout(timeout_s)
    return connection


def remove(data_dir: Path) -> None:
    """Remove the socket file, so that no client connects any more; another kind of file is left alone."""
    path = data_dir / SOCKET_NAME
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISSOCK(path.lstat().st_mode):
            path.unlink()


def _remove_stale(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise SocketNotOpenedError(f"control socket {path} cannot be opened: something else has that name")
        if _is_listening(path.parent):
            raise SocketNotOpenedError(f"control socket {path} cannot be opened: a process listens there")
        path.unlink()


def _is_listening(data_dir: Path) -> bool:
    try:
        connect(data_dir, timeout_s=1.0).close()
    except NotRunningError:
        return False
    except AskRefusedError:
        pass
    return True


def _timeval(seconds: float) -> bytes:
    return struct.pack("@ll", int(seconds), int(seconds % 1 * 1e6))


@contextlib.contextmanager
def _address(path: Path) -> Iterator[str]:
    if len(os.fsencode(path)) <= ADDRESS_BYTES_MAX:
        yield str(path)
        return
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)
