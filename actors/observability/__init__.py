"""Logging: JSON lines in rotating files, secrets redacted, repeated events rate-limited."""

from .log import LogNotOpenedError, logging_to

__all__ = ["LogNotOpenedError", "logging_to"]
