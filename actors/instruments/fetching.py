"""A published list from the network into a file: bounded in size and time, through the hardened session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlsplit

from ..external import ExternalError
from .errors import ListNotHadError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..external import HttpAnswer

_WELL: Final = 200
_TELL_THE_END: Final = frozenset({"content-length", "transfer-encoding"})


class Session(Protocol):
    """What is needed of an HTTP session."""

    def request(self, method: str, url: str, *, timeout_s: float, sink: Callable[[bytes], object]) -> HttpAnswer:
        """Send one request, once; see `HttpSession.request`."""

    def close(self) -> None:
        """Close its connections."""


def fetch_list(url: str, target: Path, *, timeout_s: float, bytes_max: int, session: Session | None = None) -> None:
    """Write what an address answers to a new file.

    Args:
        url: of the list; https, save where it is this machine.
        target: of the file.
        timeout_s: for all of it.
        bytes_max: a longer answer is refused.
        session: one for this answer alone, by default.

    Raises:
        ListNotHadError: there is no whole answer within time and size, or it says no.
        OSError: the file cannot be written.
    """
    chosen = session or _session_with(urlsplit(url).hostname or "", bytes_max)
    try:
        with target.open("xb") as file:
            answer = chosen.request("GET", url, timeout_s=timeout_s, sink=file.write)
    except ExternalError as fault:
        raise ListNotHadError(str(fault)) from fault
    finally:
        if session is None:
            chosen.close()
    if answer.status_code != _WELL:
        raise ListNotHadError(f"{url}: status {_WELL} wanted, found {answer.status_code}")
    if not _TELL_THE_END & answer.headers.keys():  # a connection that breaks off between two rows would end it, too
        raise ListNotHadError(f"{url}: an answer that tells its length wanted, found one without")


def _session_with(host: str, bytes_max: int) -> Session:
    from ..external import HttpSession  # noqa: PLC0415  60 ms that only who fetches has to pay

    return HttpSession(frozenset({host}), threads=1, body_bytes_max=bytes_max)
