"""Errors of the broker session."""


class BrokerError(Exception):
    """Base of the errors of the broker session."""
