"""The form that the broker's secrets have. Nothing that is found of a secret is ever shown."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from typing import Final

from .finding import Finding

SEED_BITS_MIN: Final = 80


def pin(text: str) -> Iterator[Finding]:
    """Digits alone."""
    if text and not re.fullmatch(r"[0-9]{4,8}", text):
        yield Finding("credentials", "fault", "a PIN that is not of digits alone", "set broker.pin anew")


def seed(text: str) -> Iterator[Finding]:
    """Base32 of enough bits."""
    if not text:
        return
    packed = text.replace(" ", "").upper()
    try:
        bits = 8 * len(base64.b32decode(packed + "=" * (-len(packed) % 8)))
    except (binascii.Error, ValueError):
        yield Finding(
            "credentials", "fault", "a secret of one-time codes that is no base32",
            "copy broker.totp_secret from where one-time codes were set up: letters A to Z and digits 2 to 7",
        )  # fmt: skip
        return
    if bits < SEED_BITS_MIN:
        mend = "set up one-time codes anew at the broker"
        yield Finding("credentials", "warning", f"a secret of one-time codes of only {bits} bits", mend)


FORMS: Final[dict[str, Callable[[str], Iterator[Finding]]]] = {"broker.pin": pin, "broker.totp_secret": seed}
"""By key. An access token has no known form: the broker may change it."""
