"""What the owner of the calls is told of Dhan: its hosts, its limits, the headers, how its answers are judged."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from .....domain.dhan.limits import limits_on
from ....external import ExternalSettings
from ...access_token import AccessToken
from .endpoints import LIVE_URL, base_url_of
from .replies import judge_dhan

if TYPE_CHECKING:
    from .....config.sections.broker import BrokerSettings

FAIL_MAX: Final = 8
RESET_TIMEOUT_S: Final = 2.0
"""Reads are refused only for a moment: while they are, a fill is not heard of, and an order in doubt stays so."""


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
    )


def headers_of(client_id: str, token: AccessToken) -> Mapping[str, str]:
    """Return what every request has; a dead token raises, and the request does not leave."""
    return {
        "access-token": token.reveal(),
        "client-id": client_id,
        "dhanClientId": client_id,
        "Content-Type": "application/json",
        "Accept": "application/json",
    }
