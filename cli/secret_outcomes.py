"""Outcomes of keeping and of trying a secret, as the commands of secrets print them; never a secret."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

SCHEMA: Final = 1
"""Version of the JSON objects; it changes when a field is renamed or removed."""

Verdict: TypeAlias = Literal["taken", "refused", "not_reached", "not_tried"]
HeardOf: TypeAlias = Literal["taken", "kept", "silent", "absent", "not_asked"]
"""What the running system did: uses it; uses what it used before; did not answer; there is none; was not asked."""


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of trying a secret."""

    key: str
    verdict: Verdict
    told: str
    """The outcome in a sentence; it has no part of the secret."""

    origin: str = ""
    """Where it came from; empty: from a person."""

    valid_until: str = ""


class InUse(msgspec.Struct, frozen=True, kw_only=True):
    """What the running system made of stored secrets."""

    system: HeardOf
    told: str
