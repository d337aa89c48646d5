"""What is told of the house: its log."""

from .log import logging_to

__all__ = ["logging_to"]
