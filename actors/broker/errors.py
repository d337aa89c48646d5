"""What can go wrong with a broker session."""


class BrokerError(Exception):
    """Any fault of the room."""


class UnknownBrokerError(BrokerError):
    """The settings name a broker that there is no body for. Correct the settings."""
