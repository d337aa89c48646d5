"""What is seen of a running system from outside: its log, its health, its metrics.

log           JSON lines in rotating files; redaction, rate_limit: no secrets, no storms; tail: the newest of them
view          the system at one moment, as its actors describe it
health        which health it is in (pure)
profit        the account's profit, and how it has gone (pure)
build         which commit runs
metrics       every metric there is, once (pure); counting: counts outlive their actors; exposition: for Prometheus
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...domain.lazily import lazily

if TYPE_CHECKING:
    from .build import commit
    from .counting import Counters, take
    from .exposition import prometheus_text
    from .health import health_of
    from .log import LOSS, LogNotOpenedError, logging_to, set_level
    from .profit import ProfitSamples, profit_in
    from .redaction import Redactor, redact_too
    from .tail import newest_lines
    from .view import ShowView, View

__all__ = [
    "LOSS",
    "Counters",
    "LogNotOpenedError",
    "ProfitSamples",
    "Redactor",
    "ShowView",
    "View",
    "commit",
    "health_of",
    "logging_to",
    "newest_lines",
    "profit_in",
    "prometheus_text",
    "redact_too",
    "set_level",
    "take",
]

_HOMES = {
    ".build": ("commit",),
    ".counting": ("Counters", "take"),
    ".exposition": ("prometheus_text",),
    ".health": ("health_of",),
    ".log": ("LOSS", "LogNotOpenedError", "logging_to", "set_level"),
    ".profit": ("ProfitSamples", "profit_in"),
    ".redaction": ("Redactor", "redact_too"),
    ".tail": ("newest_lines",),
    ".view": ("ShowView", "View"),
}

__getattr__ = lazily(__name__, _HOMES)
