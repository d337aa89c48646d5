"""Errors of supervision."""

from __future__ import annotations


class SupervisionError(Exception):
    """Base of the errors of supervision."""


class GaveUpError(SupervisionError):
    """A supervisor gave up on a child and has stopped all others. Its own supervisor restarts the whole group."""


class StartOverranError(SupervisionError):
    """A child did not start in time. It counts as a failure of its start."""


class ProbeOverranError(SupervisionError):
    """A child with a half-open breaker did not answer its Ping in time. It counts as a failure; the breaker reopens."""
