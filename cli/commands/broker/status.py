"""`natya broker status`: the access token."""

from __future__ import annotations

from ...options import DataDirOption, JsonOption, ProfileNameOption
from ...session import ask_keeper, tell_answer


def command(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "live", json: JsonOption = False) -> None:
    """Show whether the running system has an access token, and until when it is good. The token itself is not shown."""
    from ....messages.tokens import ShowToken
    from ...views.tokens import token_json, token_text

    status = ask_keeper(data_dir, profile, ShowToken())
    tell_answer(token_json(status), token_text(status), json=json)
