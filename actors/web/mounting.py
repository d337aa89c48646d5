"""What other actors say to the web server. These messages have no wire form: an application is code of this process."""

from __future__ import annotations

from typing import Any

import msgspec

from .errors import WebError


class Mount(msgspec.Struct, frozen=True, kw_only=True):
    """Serve this application, in the place of the same owner's former one; answered by `Mounted` or `MountRefused`."""

    path: str
    """Prefix of the paths that it gets, such as `/v2`; empty: all that no other one has. No slash at its end."""

    application: Any
    """As ASGI 3 describes: called on the server's thread; `root_path` of its scope is the prefix."""

    owner: str
    """Name of the actor that gives it."""


class Mounted(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to `Mount`."""

    url: str
    """Where it is served: `http://127.0.0.1:40123/v2`."""


class MountRefused(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to `Mount`: another actor's application is there, or it is no path."""

    error: WebError


class Unmount(msgspec.Struct, frozen=True, kw_only=True):
    """Serve nothing of this owner any more; not answered."""

    owner: str
