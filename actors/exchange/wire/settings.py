"""Settings of the wire."""

from __future__ import annotations

import msgspec

from ....config.sections.exchange import ExchangeSettings
from ....messages.instruments import InstrumentDefinition
from ..served_token import ServedToken
from ..stream_faults import StreamFaults

CLIENT_ID = "1000000001"


class WireActorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Who may trade over HTTP, and with what."""

    limits: ExchangeSettings
    token: ServedToken
    """The access token of the only client."""

    client_id: str = CLIENT_ID
    definitions: tuple[InstrumentDefinition, ...] = ()
    is_limited: bool = True
    """Whether the limits of requests hold."""

    has_faults: bool = False
    """Whether `/__faults` is served."""

    consent_redirect: str = ""
    """Where an application waits for a person who agreed to its login; empty: nowhere."""

    stream_faults: StreamFaults = msgspec.field(default_factory=StreamFaults)
    """Those of the sockets, which whoever serves them plays."""

    records: bool = False
    """Whether it tells the feed that ticks are recorded: where no database does."""
