"""What the web server counts."""

import msgspec

from .units import Count


class WebStatistics(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="WebStatistics"):
    """What the web server counts since it was opened."""

    connections: Count
    """Open now."""

    accepted: Count
    """Connections ever accepted."""

    turned_away: Count
    """Connections closed at once: one too many."""

    dropped: Count
    """Connections closed for what they did: bytes that are no request, one that is too large, a stall."""

    requests: Count
    """Requests passed to applications."""

    failures: Count
    """Requests at which an application failed."""
