"""The process at the other end of a unix socket, as the kernel reports it."""

from __future__ import annotations

import os
import socket
import struct

import msgspec

_UCRED = struct.Struct("3i")


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """The process that connected, at the time when it connected."""

    pid: int
    uid: int
    gid: int


def peer_of(connection: socket.socket) -> Peer:
    """Ask the kernel (`SO_PEERCRED`, Linux).

    Raises:
        OSError: the socket is closed or of another family.
    """
    pid, uid, gid = _UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    return Peer(pid=pid, uid=uid, gid=gid)


def is_welcome(peer: Peer, own_uid: int | None = None) -> bool:
    """Tell whether the peer is the same user or root; `own_uid` is the user of this process unless given."""
    return peer.uid in {0, os.geteuid() if own_uid is None else own_uid}
