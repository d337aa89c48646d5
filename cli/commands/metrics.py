"""`natya metrics`: what the running system counts."""

from __future__ import annotations

from ..options import DataDirOption, JsonOption, ProfileNameOption
from ..session import running, tell_answer


def command(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "paper", json: JsonOption = False) -> None:
    """Print all metrics of the running system in Prometheus' text format."""
    from ..views.metrics import metrics_json

    with running(data_dir, profile) as system:
        found = system.metrics()
    tell_answer(metrics_json(found.text) if json else None, found.text.rstrip(), json=json)
