"""Errors of the broker session."""


class BrokerError(Exception):
    """Base of the errors of the broker session."""


class UnknownBrokerError(BrokerError):
    """The settings name a broker that there is no body for. Correct the settings."""
