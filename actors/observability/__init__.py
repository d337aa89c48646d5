"""What is told of the house: its log."""

from .log import LogNotOpenedError, logging_to

__all__ = ["LogNotOpenedError", "logging_to"]
