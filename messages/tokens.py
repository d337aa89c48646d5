"""The access token of the broker: requests for a new one, and its state. No message holds a token.

`natya broker login`, `renew` and `status` send these to the keeper of the token, and so does `natya secrets rotate`.
"""

from typing import Literal, TypeAlias

import msgspec

from .units import Count, Nanoseconds, Seconds

TokenState: TypeAlias = Literal["alive", "replacing", "dead", "asking", "given_up"]
"""`replacing`, `asking`: a new one is on its way, or will be asked for soon; until then the present one is alive, or
there is none. `given_up`: no more attempts until a person asks."""


class LogIn(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="LogIn"):
    """To the keeper of the token: log in by PIN and one-time code. Answered by `TokenStatus`, when it was tried."""


class RenewToken(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="RenewToken"):
    """To the keeper of the token: have the one in use renewed. Answered by `TokenStatus`, when it was tried."""


class ShowToken(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ShowToken"):
    """To the keeper of the token: how does it stand? Answered by `TokenStatus`."""


class TakeSecrets(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="TakeSecrets"):
    """To the keeper of the token: read the secrets anew that `natya secrets` keeps, and use them from now on.

    Answered by `TokenStatus`, when it was done.
    """


class TokenStatus(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="TokenStatus"):
    """Answer to `LogIn`, `RenewToken`, `TakeSecrets` and `ShowToken`."""

    state: TokenState
    ends_ns: Nanoseconds = 0
    """Until when it is good: nanoseconds since 1970-01-01 UTC; 0 where there is none."""

    attempts: Count = 0
    """Made to get another one, since one was good or a person asked."""

    wait_s: Seconds = 0.0
    """Until another attempt may be made."""

    can_log_in: bool = False
    """Whether there are a PIN and a secret of one-time codes."""

    reason: str = ""
    """Why the last attempt failed; empty if it did not."""

    taken: tuple[str, ...] = ()
    """Keys of secrets that `natya secrets` keeps and that were taken into use by this, such as `broker.pin`."""
