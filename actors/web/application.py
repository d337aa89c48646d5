"""The application above all others: it checks the Host, finds the mounted application, and answers for one that fails.

A page of a browser can send requests to a port of this machine, under a name that its own name server resolves to
127.0.0.1 (DNS rebinding). It cannot choose the Host header, so a request whose Host is not one of this machine's own
names is refused before any application sees it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from .bodies import answer
from .errors import ClientGoneError, PathTakenError, WebError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping

    Scope: TypeAlias = MutableMapping[str, Any]
    Receive: TypeAlias = Callable[[], Awaitable[Mapping[str, Any]]]
    Send: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[None]]
    Asgi: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK_NAMES: Final = frozenset({b"127.0.0.1", b"localhost", b"[::1]"})
PATH_CHARACTERS_MAX: Final = 200
HOST_BYTES_SHOWN_MAX: Final = 80


class Application:
    """Applications by the prefix of their paths. `mount` and `unmount` may be called from any thread."""

    def __init__(self, *, names: frozenset[bytes], on_failure: Callable[[str, Exception], object]) -> None:
        """Begin without any.

        Args:
            names: that a Host header may have, without a port.
            on_failure: called on the server's thread with the path of a request at which an application failed.
        """
        self._names: Final = names
        self._on_failure: Final = on_failure
        self._mounted: dict[str, tuple[str, Asgi]] = {}
        self._by_length: tuple[tuple[str, Asgi], ...] = ()
        self.requests = self.failures = 0

    def mount(self, path: str, application: Asgi, *, owner: str) -> None:
        """Serve it under this prefix.

        Raises:
            WebError: it is no path.
            PathTakenError: another owner's is there.
        """
        is_path = path.isascii() and path.isprintable() and len(path) <= PATH_CHARACTERS_MAX
        if path and not (is_path and path.startswith("/") and not path.endswith("/") and "?" not in path):
            raise WebError(f"a path such as /v2, or an empty one, is wanted, found {path[:PATH_CHARACTERS_MAX]!a}")
        there = self._mounted.get(path)
        if there is not None and there[0] != owner:
            raise PathTakenError(f"a path of {owner}'s own is wanted, found {path!a}, where {there[0]} is")
        self._take({**self._mounted, path: (owner, application)})

    def unmount(self, owner: str) -> None:
        """Serve nothing of this owner any more."""
        self._take({path: each for path, each in self._mounted.items() if each[0] != owner})

    def mounts(self) -> tuple[tuple[str, str, Asgi], ...]:
        """Return what is mounted: path, owner, application."""
        return tuple((path, owner, each) for path, (owner, each) in self._mounted.items())

    def _take(self, mounted: dict[str, tuple[str, Asgi]]) -> None:
        self._mounted = mounted
        longest_first = sorted(mounted, key=len, reverse=True)
        self._by_length = tuple((path, mounted[path][1]) for path in longest_first)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise WebError(f"a request of HTTP is wanted, found one of {scope['type']}")
        if refusal := self._refusal_of(scope["headers"]):
            await answer(send, 400, _error(refusal))
            return
        application = self._application_at(scope)
        if application is None:
            await answer(send, 404, _error("nothing is served at this path"))
            return
        self.requests += 1
        has_begun = False

        async def noted(event: Mapping[str, Any]) -> None:
            nonlocal has_begun
            has_begun = True
            await send(event)

        try:
            await application(scope, receive, noted)
        except ClientGoneError:
            return
        except Exception as fault:
            self.failures += 1
            self._on_failure(scope["path"][:PATH_CHARACTERS_MAX], fault)
            if has_begun:
                raise  # the answer has begun: all that is left is to close the connection
            await answer(send, 500, _error("the request failed here; the log says why"))

    def _refusal_of(self, headers: list[tuple[bytes, bytes]]) -> str:
        hosts = [value for name, value in headers if name == b"host"]
        if len(hosts) == 1 and is_named(hosts[0], self._names):
            return ""
        names = ", ".join(sorted(name.decode("ascii") for name in self._names))
        found = f"{hosts[0][:HOST_BYTES_SHOWN_MAX]!r}"[1:] if len(hosts) == 1 else f"{len(hosts) or 'no'} Host headers"
        return f"one of the hosts {names} is wanted, found {found}"

    def _application_at(self, scope: Scope) -> Asgi | None:
        path: str = scope["path"]
        for prefix, application in self._by_length:
            if path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in {"", "/"}:
                if prefix:
                    scope["root_path"] = scope.get("root_path", "") + prefix
                return application
        return None


def is_named(host: bytes, names: frozenset[bytes]) -> bool:
    """Tell whether a Host header has one of these names, with or without a port."""
    name, _, port = host.lower().rpartition(b":")
    return (name if name and port.isdigit() else host.lower()) in names


def _error(reason: str) -> bytes:
    return msgspec.json.encode({"error": reason})
