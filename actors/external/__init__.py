"""What any service over the network needs: here the limiter of its requests."""

from __future__ import annotations

from .limiter import Allowance, Granted, Limiter, Refused, Waiting

__all__ = ["Allowance", "Granted", "Limiter", "Refused", "Waiting"]
