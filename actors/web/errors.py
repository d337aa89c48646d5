"""Errors of the web server, one for each decision of who gets it."""

from __future__ import annotations


class WebError(Exception):
    """Base of these errors."""


class AddressTakenError(WebError):
    """The address cannot be listened on; the text says which and why. Name another, or port 0."""


class ClientGoneError(WebError):
    """The client has disconnected before its request was whole. Give up: nobody reads an answer."""


class PathTakenError(WebError):
    """Another application is mounted at this path. Name another path."""
