"""A Redis or Valkey server (plain): one that never tries anything again by itself. Blocks; for any thread.

An XADD whose answer was lost would be there twice, and nobody would know: so the library is told to try nothing again.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...config.sections.redis import RedisSettings

TIMEOUT_S: Final = 1.0
BLOCK_MS: Final = 500
"""Shorter than the time-out: a read that nothing comes to is no failure."""


class ServerDownError(Exception):
    """The server was not reached, did not answer in time, or refused. What was sent may be there."""


class StreamServer:
    """Connections to the server.

    Args:
        settings: where it is, and who asks.
        wanted_by: the key of the settings that wants it, for the error.

    Raises:
        ImportError: the library is not installed; the text says how it is.
    """

    def __init__(self, settings: RedisSettings, *, wanted_by: str) -> None:
        try:
            import valkey  # noqa: PLC0415  an extra, and 60 ms that only who has a server has to pay
            from valkey.backoff import NoBackoff  # noqa: PLC0415
            from valkey.retry import Retry  # noqa: PLC0415
        except ImportError as missing:
            raise ImportError(f"{wanted_by} is set, which wants: pip install 'natya[redis]'") from missing
        self._faults: Final = (valkey.ValkeyError, OSError)
        self.refused: Final = valkey.ResponseError
        """What the server itself says no with."""

        self.overtaken: Final = valkey.WatchError
        """What a transaction ends with when another was first."""

        options: dict[str, Any] = {}
        if settings.tls:  # unless told otherwise the library takes a certificate of any name
            options = {"ssl": True, "ssl_ca_certs": settings.ca_file or None, "ssl_check_hostname": True}
        self.client: Final[Any] = valkey.Valkey(
            host=settings.host,
            port=settings.port,
            db=settings.db,
            username=settings.user or None,
            password=settings.password.reveal() or None,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
            **options,
        )

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    @contextlib.contextmanager
    def telling(self) -> Iterator[None]:
        """Raise what the library raises as our own.

        Raises:
            ServerDownError: see there.
        """
        try:
            yield
        except self._faults as fault:
            raise ServerDownError(f"{type(fault).__name__}: {fault}") from fault
