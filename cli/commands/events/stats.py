"""`natya events stats`."""

from __future__ import annotations

from ...events import ask_delivery
from ...options import DataDirOption, JsonOption, ProfileNameOption
from ...session import running, tell_answer


def command(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "paper", json: JsonOption = False) -> None:
    """Count what the running system's delivery published, sent and gave up, and tell how far replays are."""
    from ...views.events import counts_json, counts_text

    with running(data_dir, profile) as system:
        counts = ask_delivery(system)
    tell_answer(counts_json(counts), counts_text(counts), json=json)
