"""Options of Dhan's market feed (`feed.options`), and what else it is made of."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from .....config.urls import is_loopback_url
from .....domain.dhan.streams.subscriptions import CONNECTIONS_MAX, Mode
from .line import LineBounds

URL: Final = "wss://api-feed.dhan.co"
HOSTS: Final = frozenset({"api-feed.dhan.co"})
"""Where a token may be sent; and to this machine."""


class DhanFeedOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What only this source has."""

    url: str = URL
    """Of the feed; `ws://` only on this machine (`natya exchange serve` tells it)."""

    mode: Mode = "full"
    """What is subscribed to: `ticker` has prices only, `quote` the day's summary, too, `full` the book, too."""

    connections_max: Annotated[int, Meta(ge=1, le=CONNECTIONS_MAX)] = CONNECTIONS_MAX
    """Dhan gives a user five; another program of the same user needs its own."""

    silence_s: Annotated[float, Meta(gt=0, le=3600)] = LineBounds().silence_s
    """Without data for so long, in hours of trading, a connection is made anew."""

    subscription_silence_s: Annotated[float, Meta(gt=0, le=3600)] = 5.0
    """An instrument that was traded within the last minute and is silent for so long is subscribed to anew."""

    backoff_s: Annotated[float, Meta(gt=0, le=60)] = LineBounds().backoff_s
    backoff_max_s: Annotated[float, Meta(gt=0, le=600)] = LineBounds().backoff_max_s

    def problem(self) -> str:
        """Say why the address cannot be used; empty: it can."""
        wanted = "feed.options.url: wss://api-feed.dhan.co, or ws:// on this machine, wanted"
        try:
            parts = urlsplit(self.url)
        except ValueError:
            return f"{wanted}, found another text"
        if parts.username or parts.password or parts.query or parts.fragment:
            return f"{wanted}, found one with more than host, port and path"
        if is_loopback_url(self.url):
            return "" if parts.scheme in {"ws", "wss"} else f"{wanted}, found {parts.scheme!a}"
        if parts.scheme != "wss" or parts.hostname not in HOSTS:
            return f"{wanted}, found {parts.scheme}://{ascii(parts.hostname)[1:-1]}"
        return ""

    @property
    def bounds(self) -> LineBounds:
        """Of each connection."""
        return LineBounds(
            silence_s=self.silence_s,
            backoff_s=self.backoff_s,
            backoff_max_s=max(self.backoff_s, self.backoff_max_s),
        )
