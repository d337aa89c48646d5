"""How long an access token lives, when it is replaced, and when a new one may be asked for; pure, with time passed in.

The problem: a token says itself when it expires, and dies in the night before that; a new one may be had once in two
minutes, and each wrong code brings the account nearer to being locked; a code that is made of the time is wrong where
the clock is. The idea: the end of a token is the earlier of both, it is replaced some time ahead, three tries at most
are made, two minutes apart, and none with a clock that is far off. The trap: a token that was made a little before the
night ends with it, too, so it is replaced right after the night, and not again and again before it.

Sources: DhanHQ's documentation (24 hours, one token at a time), and users' reports (the end at about 03:00 in India,
the two minutes).
"""

from __future__ import annotations

import base64
from typing import Final

import msgspec

from ..time import DAY_NS, SECOND_NS, day_of, day_start_ns, second_text

NIGHT_NS: Final = 3 * 3_600 * SECOND_NS
"""When all tokens of the day before end: 03:00 in India."""

AHEAD_NS: Final = 15 * 60 * SECOND_NS
AFTER_NS: Final = 60 * SECOND_NS
"""How long after its end a token is replaced that was made only a little before it."""

APART_NS: Final = 125 * SECOND_NS
"""Between two attempts: two minutes, and something for clocks."""

ATTEMPTS_MAX: Final = 3
TOKEN_LENGTH_MAX: Final = 8_192
_PARTS: Final = 3
_YEAR_2262_S: Final = 9_223_372_036.0


class TokenLife(msgspec.Struct, frozen=True, kw_only=True):
    """From when on a token was known, and until when it is good."""

    obtained_ns: int
    expires_ns: int
    """By its own word: the broker takes it no longer for certain."""

    ends_ns: int
    """When it is to be replaced at the latest: the night ends it before."""

    def is_over(self, now_ns: int) -> bool:
        """Whether it has expired."""
        return now_ns >= self.expires_ns

    @property
    def replace_ns(self) -> int:
        """When to ask for the next one."""
        ahead_ns = self.ends_ns - AHEAD_NS
        return ahead_ns if ahead_ns > self.obtained_ns else self.ends_ns + AFTER_NS

    def __str__(self) -> str:
        return f"good until {second_text(self.ends_ns)}"


def life_of(token: str, *, now_ns: int) -> TokenLife | None:
    """Tell how long a token is good: until it expires by its own word, as a rule until the night.

    Args:
        token: a JWT, as the broker gives it; None is told of anything else.
        now_ns: nanoseconds since 1970-01-01 UTC; when it was obtained, if it does not say so itself.
    """
    claims = _claims(token)
    issued_ns = claims.get("iat")
    if "exp" not in claims:
        return None
    obtained_ns = now_ns if issued_ns is None else min(issued_ns, now_ns)
    ends_ns = min(claims["exp"], next_night_ns(obtained_ns))
    return TokenLife(obtained_ns=obtained_ns, expires_ns=claims["exp"], ends_ns=ends_ns)


def next_night_ns(time_ns: int) -> int:
    """Return the first 03:00 in India after a time."""
    night_ns = day_start_ns(day_of(time_ns)) + NIGHT_NS
    return night_ns if night_ns > time_ns else night_ns + DAY_NS


class Attempts(msgspec.Struct, frozen=True, kw_only=True):
    """What has been tried since the token in use was good, or since a person asked."""

    made: int = 0
    last_ns: int = -(1 << 62)
    """By a clock that never steps back."""

    def wait_ns(self, now_ns: int) -> int:
        """Tell how long to wait until the next attempt; 0 for none."""
        return max(0, self.last_ns + APART_NS - now_ns)

    @property
    def are_over(self) -> bool:
        """Whether no more is made until a person asks."""
        return self.made >= ATTEMPTS_MAX

    def after(self, now_ns: int) -> Attempts:
        """Add one that is made now."""
        return Attempts(made=self.made + 1, last_ns=now_ns)

    def anew(self) -> Attempts:
        """Begin to count anew; the two minutes go on."""
        return Attempts(last_ns=self.last_ns)


def _claims(token: str) -> dict[str, int]:
    """Read when it was issued and expires, as nanoseconds; whatever cannot be read is left out. Nothing is verified."""
    parts = token.split(".")
    if len(parts) != _PARTS or len(token) > TOKEN_LENGTH_MAX:
        return {}
    try:
        payload = msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    # Not ASCII, not base64, not UTF-8, no JSON, nested beyond the stack.
    except (ValueError, RecursionError):
        return {}
    if not isinstance(payload, dict):
        return {}
    found = {name: payload.get(name) for name in ("iat", "exp")}
    return {
        name: round(seconds * SECOND_NS)
        for name, seconds in found.items()
        if isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 < seconds < _YEAR_2262_S
    }
