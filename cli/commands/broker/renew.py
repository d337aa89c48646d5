"""`natya broker renew`: the access token renewed."""

from __future__ import annotations

from ...broker_session import ask_keeper, tell_token
from ...options import DataDirOption, JsonOption, ProfileNameOption


def command(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "live", json: JsonOption = False) -> None:
    """Have the running system renew its access token, which must be alive and made on the broker's web page."""
    from ....messages.tokens import RenewToken

    tell_token(ask_keeper(data_dir, profile, RenewToken()), json=json)
