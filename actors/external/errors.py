"""What can go wrong between us and a service, by what is known of the request afterwards."""

from __future__ import annotations


class ExternalError(Exception):
    """A request without a usable answer."""


class NotSentError(ExternalError):
    """Not one byte of the request left: to send it again cannot do anything twice."""


class UnknownOutcomeError(ExternalError):
    """The request has left, in part or whole, and no answer says what came of it: a write may have been carried out."""


class RefusedAnswerError(ExternalError):
    """An answer came that nobody should read, such as one without end: what the service did is unknown, too."""

    def __init__(self, reason: str, status_code: int) -> None:
        super().__init__(reason)
        self.status_code = status_code
        """HTTP status, as the service gave it."""
