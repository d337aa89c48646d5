"""`natya events subscriptions`."""

from __future__ import annotations

from ...events import ask_delivery
from ...options import DataDirOption, JsonOption, ProfileNameOption
from ...session import running, tell_answer


def command(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "paper", json: JsonOption = False) -> None:
    """List the durable subscriptions of the running system: who has them, how far behind each is, its breaker."""
    from ...views.events import counts_json, subscriptions_table
    from ...views.tables import show

    with running(data_dir, profile) as system:
        counts = ask_delivery(system)
    listed = {"subscriptions": counts_json(counts)["subscriptions"]}
    tell_answer(listed, lambda: show(subscriptions_table(counts)), json=json)
