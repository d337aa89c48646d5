"""Options of Dhan's market feed (`feed.options`), and what else it is made of."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from .....config.urls import is_loopback_url
from .....domain.dhan.streams.depth import LEVELS, SHOWN
from .....domain.dhan.streams.subscriptions import CONNECTIONS_MAX, Mode
from .line import LineBounds

URL: Final = "wss://api-feed.dhan.co"
DEEP_URLS: Final = {20: "wss://depth-api-feed.dhan.co/twentydepth", 200: "wss://full-depth-api.dhan.co/twohundreddepth"}
"""By levels."""


class DhanFeedOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What only this source has."""

    url: str = URL
    """Of the feed; `ws://` only on this machine (`natya exchange serve` tells it)."""

    mode: Mode = "full"
    """What is subscribed to: `ticker` has prices only, `quote` the day's summary, too, `full` the book, too."""

    connections_max: Annotated[int, Meta(ge=1, le=CONNECTIONS_MAX)] = CONNECTIONS_MAX
    """Dhan gives a user five; another program of the same user needs its own."""

    silence_s: Annotated[float, Meta(gt=0, le=3600)] = LineBounds().silence_s
    """Seconds without data, in trading hours, after which a connection is opened anew."""

    subscription_silence_s: Annotated[float, Meta(gt=0, le=3600)] = 5.0
    """An instrument that was traded within the last minute and is silent for so long is subscribed to anew."""

    backoff_s: Annotated[float, Meta(gt=0, le=60)] = LineBounds().backoff_s
    backoff_max_s: Annotated[float, Meta(gt=0, le=600)] = LineBounds().backoff_max_s

    depth: Literal[5, 20, 200] = 5
    """Levels of the book, for the first instruments of NSE: 250 have 20, five have 200; the others five."""

    depth_url: str = ""
    """Of the feed of 20 or 200 levels, of the same exchange as `url`; empty: Dhan's."""

    def problem(self) -> str:
        """Say why these cannot be used; empty: they can."""
        if self.depth != SHOWN and self.mode != "full":
            return f"feed.options.mode: full wanted where depth is {self.depth}, found {self.mode}"
        deep = DEEP_URLS.get(self.depth, DEEP_URLS[LEVELS])
        problem = _address_problem("url", self.url, URL) or _address_problem("depth_url", self.depth_url or deep, deep)
        if not problem and self.depth != SHOWN and self.is_simulated != is_loopback_url(self.depth_url):
            found = f"found {self.depth_url}" if self.depth_url else "found none, which is Dhan's"
            return (
                f"feed.options.depth_url: one of the exchange that url is of (its first line has both) wanted, {found}"
            )
        return problem

    @property
    def is_simulated(self) -> bool:
        """Whether the feed is of an exchange on this machine, whose time may be another."""
        return is_loopback_url(self.url)

    @property
    def deep_address(self) -> str:
        """Of the feed of 20 or 200 levels, up to where client and token are named; empty with five levels."""
        url = self.depth_url or DEEP_URLS.get(self.depth, "")
        return f"{url}?" if url else ""

    @property
    def bounds(self) -> LineBounds:
        """Of each connection."""
        return LineBounds(
            silence_s=self.silence_s,
            backoff_s=self.backoff_s,
            backoff_max_s=max(self.backoff_s, self.backoff_max_s),
        )


def _address_problem(key: str, url: str, usual: str) -> str:
    """Say why a token must not be sent to an address; empty: it may."""
    host = urlsplit(usual).hostname
    wanted = f"feed.options.{key}: wss://{host}, or ws:// on this machine, wanted"
    try:
        parts = urlsplit(url)
    except ValueError:
        return f"{wanted}, found another text"
    if parts.username or parts.password or parts.query or parts.fragment:
        return f"{wanted}, found one with more than host, port and path"
    if is_loopback_url(url):
        return "" if parts.scheme in {"ws", "wss"} else f"{wanted}, found {parts.scheme!a}"
    if parts.scheme != "wss" or parts.hostname != host:
        return f"{wanted}, found {parts.scheme}://{ascii(parts.hostname)[1:-1]}"
    return ""
