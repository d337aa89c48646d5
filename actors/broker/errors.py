"""Errors of the broker session."""


class BrokerError(Exception):
    """Base of the errors of the broker session."""


class TokenRefusedError(BrokerError):
    """No new access token: the text says why, and quotes no secret."""
