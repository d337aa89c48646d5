"""[broker]: the broker session."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from msgspec import Meta

from ..secrets import Secret
from .base import Positive, PositiveSeconds, Section


class BrokerSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The broker session."""

    TABLE: ClassVar[str] = "broker"

    name: str
    """Which body, by its name in `BROKERS` of `actors/broker/bodies`."""

    client_id: str
    access_token: Secret

    pin: Secret
    """With `totp_secret`: a new token is had by itself, ahead of the end of the one in use and when it has died."""

    totp_secret: Secret
    """In base32, as the broker shows it when one-time codes are set up."""

    auth_url: str
    """Where tokens are had. Empty: the broker's usual address; with a `base_url`, the same server."""

    base_url: str

    wire: bool
    """Of the paper broker: orders go over HTTP to the paper exchange, by the code that trades at Dhan."""

    live: bool
    """Orders of the real market leave; without it they are refused here (dry run), and only what reads is sent."""

    confirmed_limits: dict[str, Any]
    """The limits of `[orders]` that matter most, written once more (`confirmation.CONFIRMED`); wanted with `live`."""

    answer_timeout_s: PositiveSeconds
    """A request without an answer after this long is in doubt."""

    orders_max: Positive
    """Orders a session places; it remembers them all, so that none leaves twice, and refuses one more."""

    compare_interval_s: Annotated[float, Meta(ge=0, le=86_400)]
    """How often all that the account has is compared with the book of record, where the broker is asked over HTTP and
    the market is played at the speed of the world; 0: never."""

    options: dict[str, Any]
    """The body's own: plain data, decoded and checked by the body (`OPTIONS`); no secrets, since they are shown."""
