"""`natya metrics`: what the running system counts."""

from __future__ import annotations

from ..options import DataDirOption, ProfileNameOption
from ..session import running
from ..terminal import tell


def command(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "paper") -> None:
    """Print all metrics of the running system in Prometheus' text format."""
    with running(data_dir, profile) as system:
        found = system.metrics()
    tell(found.text.rstrip())
