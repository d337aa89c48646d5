"""What a supervisor raises."""

from __future__ import annotations


class SupervisionError(Exception):
    """Base of the room's errors."""


class GaveUpError(SupervisionError):
    """A supervisor gave up on a child and has stopped all others. Its own supervisor restarts the whole group."""


class StartOverranError(SupervisionError):
    """A child did not come up in time. It counts as a failure of its start."""


class ProbeOverranError(SupervisionError):
    """A child that was being tried again did not answer in time. It counts as a failure, and its breaker opens."""
