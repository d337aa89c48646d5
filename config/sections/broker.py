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
    """With it and `totp_secret`, a new access token is fetched before the one in use ends, and when that one died."""

    totp_secret: Secret
    """Key of the one-time codes, in base32, as the broker shows it when they are set up."""

    auth_url: str
    """URL of the server that issues access tokens; empty: the broker's own, or that of `base_url` if it is set."""

    base_url: str

    wire: bool
    """Paper only: orders go to the paper exchange over HTTP, by the code that trades at Dhan."""

    live: bool
    """Send real orders. False: a dry run, in which each is refused before it is sent, and only reads are sent."""

    confirmed_limits: dict[str, Any]
    """The limits of `[orders]` in `confirmation.CONFIRMED`, repeated; required with `live`."""

    answer_timeout_s: PositiveSeconds
    """After this long an unanswered request is in doubt."""

    orders_max: Positive
    """Orders that the session remembers, the newest, so that none of them is sent twice, whoever asks; the oldest with
    an answer makes room. That no older one is asked for again is for the book to know."""

    compare_interval_s: Annotated[float, Meta(ge=0, le=86_400)]
    """Time between two comparisons of the whole account with the book of record, where orders go over HTTP in real
    time; 0: never."""

    options: dict[str, Any]
    """Options of this broker alone, decoded and checked by its body (`OPTIONS`); no secrets, since they are shown."""
