"""`natya broker status`: the access token, and the socket of order updates."""

from __future__ import annotations

from ...broker_session import ask_keeper, ask_updates
from ...options import DataDirOption, JsonOption, ProfileNameOption
from ...session import tell_answer


def command(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "live", json: JsonOption = False) -> None:
    """Show whether the running system has an access token, until when it is good, and whether order updates come.

    The token itself is not shown.
    """
    from ....messages.tokens import ShowToken
    from ...views.tokens import token_json, token_text, updates_json, updates_text

    status = ask_keeper(data_dir, profile, ShowToken())
    updates = ask_updates(data_dir, profile)
    found = token_json(status) | {"updates": updates_json(updates)}
    tell_answer(found, f"{token_text(status)}\n{updates_text(updates)}", json=json)
