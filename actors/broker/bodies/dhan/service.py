"""Dhan for the owners of calls and socket: its hosts, its rate limits, the headers, how answers are judged."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from .....config.urls import is_loopback_url
from .....domain.dhan.limits import limits_on
from ....external import ExternalSettings, TallySettings
from ...access_token import AccessToken
from ...updates import UpdatesSettings, UpdatesSocket
from .endpoints import LIVE_URL, UPDATES_URL, base_url_of
from .replies import judge_dhan

if TYPE_CHECKING:
    from .....config.sections.broker import BrokerSettings

NO_UPDATES: Final = "none"
FAIL_MAX: Final = 8
RESET_TIMEOUT_S: Final = 2.0
"""Seconds that the breaker stays open: meanwhile no read leaves, no fill is heard of, and an order in doubt stays
so."""

TALLIED: Final = ("data", "option_chain")
"""Kinds of requests with a limit a day that no fact of the journal counts."""


def service_of(settings: BrokerSettings, token: AccessToken, *, base_url: str = "") -> ExternalSettings:
    """Return the settings of the owner of the calls; the newest limits that are known hold.

    Args:
        settings: of the broker session.
        token: read for each request, and told when it is dead.
        base_url: whose host alone is spoken to; by default that of the settings, or Dhan's.
    """
    base_url = base_url or base_url_of(settings.base_url or LIVE_URL)
    return ExternalSettings(
        service="dhan",
        hosts=frozenset({urlsplit(base_url).hostname or ""}),
        allowances=limits_on(date.max),
        fail_max=FAIL_MAX,
        reset_timeout_s=RESET_TIMEOUT_S,
        headers=functools.partial(headers_of, settings.client_id, token),
        judge=functools.partial(judge_dhan, on_dead_token=token.refused),
        tally=tally_of(settings.client_id, base_url),
    )


def tally_of(client_id: str, base_url: str) -> TallySettings:
    """Return which requests of an account the next process is to know of; Dhan and who speaks so count each for itself.

    Those for orders are not among them: the journal has each.
    """
    return TallySettings(whose=f"{client_id}@{urlsplit(base_url).netloc}", kinds=TALLIED)


def headers_of(client_id: str, token: AccessToken) -> Mapping[str, str]:
    """Return what every request has; a dead token raises, and the request does not leave."""
    return {
        "access-token": token.reveal(),
        "client-id": client_id,
        "dhanClientId": client_id,
        "Content-Type": "application/json",
        "Accept": "application/json",
    }


def updates_url_of(settings: BrokerSettings, chosen: str) -> str | None:
    """Return where order updates come from; None: nowhere, and orders are looked at alone.

    Args:
        settings: of the broker session; with a base URL of one's own there is no usual address.
        chosen: `broker.options.order_updates`.
    """
    if chosen:
        return None if chosen == NO_UPDATES else chosen
    return None if settings.base_url else UPDATES_URL


def updates_url_problem(chosen: str) -> str:
    """Say why order updates cannot come from there; empty: they can."""
    wanted = f"wanted {UPDATES_URL}, a socket of this machine (ws://) or {NO_UPDATES!r}"
    if chosen in {"", NO_UPDATES}:
        return ""
    try:
        parts = urlsplit(chosen)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return f"{wanted}, found another text"
    if parts.username or parts.password or parts.query or parts.fragment:
        return f"{wanted}, found one with more than host, port and path"
    if is_loopback_url(chosen):
        return "" if parts.scheme in {"ws", "wss"} else f"{wanted}, found {parts.scheme!a}"
    if parts.scheme == "wss" and host == urlsplit(UPDATES_URL).hostname:
        return ""
    return f"{wanted}, found another address"  # the token is sent to whoever answers there


def updates_of(settings: BrokerSettings, token: AccessToken, url: str | None) -> UpdatesSettings:
    """Return the settings of the owner of the socket of order updates."""
    return UpdatesSettings(url=url, new_socket=functools.partial(_new_socket, settings.client_id, token))


def _new_socket(client_id: str, token: AccessToken, url: str) -> UpdatesSocket:
    from .updates import DhanUpdates  # noqa: PLC0415  the library is loaded where it is used

    return DhanUpdates(url, client_id=client_id, token=token)
