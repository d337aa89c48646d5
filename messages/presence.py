"""A person reports presence, so that orders which open positions go on passing (`orders.operator_silence_max_s`)."""

import msgspec

from .units import Seconds


class ReportPresence(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReportPresence"):
    """From a person to orders: somebody looks after the system. Answered by `PresenceNoted`, when that is durable."""


class PresenceNoted(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="PresenceNoted"):
    """Answer to `ReportPresence`: it counts from now on."""

    silence_max_s: Seconds
    """After so long without another sign only orders pass that close; 0: there is no such limit."""
